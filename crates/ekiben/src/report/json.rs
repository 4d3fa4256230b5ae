//! Events for programs: `--message-format json`, described in `docs/events.md`.
//!
//! Invariant: an event's members keep their meaning; new members and events may come.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use ekiben_core::Problem;
use ekiben_core::graph::Target;
use ekiben_engine::{ActionReport, Event, Outcome, Report, Status};
use serde_json::{Value, json};

/// Prints an event as a line.
pub(super) fn emit(event: &Value) {
    // A reader that went away needs no events.
    let _ = writeln!(std::io::stdout().lock(), "{event}");
}

pub(super) fn build_started(project: &Path, targets: &[Target]) -> Value {
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    json!({
        "event": "build-started",
        "version": env!("CARGO_PKG_VERSION"),
        "project": project.display().to_string(),
        "targets": targets,
    })
}

/// The event for something that happened to an action, if it has one.
pub(super) fn action(event: &Event<'_>) -> Option<Value> {
    Some(match event {
        Event::Started { id, action, reason } => json!({
            "event": "action-started",
            "id": id,
            "command": action.owner,
            "mnemonic": action.mnemonic,
            "description": action.description,
            "reason": reason,
        }),
        Event::Finished { id, action, outcome, reason, output, duration } => {
            let mut value = json!({
                "event": "action-finished",
                "id": id,
                "command": action.owner,
                "mnemonic": action.mnemonic,
                "description": action.description,
                "outcome": null,
                "reason": reason,
                "duration_ms": milliseconds(*duration),
                "output": String::from_utf8_lossy(output),
            });
            add_outcome(&mut value, outcome);
            value
        }
        Event::Replayed { id, action, output } => json!({
            "event": "action-replayed",
            "id": id,
            "description": action.description,
            "output": String::from_utf8_lossy(output),
        }),
        Event::Warning { action, message } => json!({
            "event": "warning",
            "description": action.map(|action| &action.description),
            "message": message,
        }),
        _ => return None,
    })
}

/// The outcome's own members (`exit status`, `output`, …) stand beside its tag.
fn add_outcome(value: &mut Value, outcome: &Outcome) {
    let Ok(Value::Object(members)) = serde_json::to_value(outcome) else { return };
    for (name, member) in members {
        value[name.as_str()] = member;
    }
}

/// What is known of an action only when the build is over.
pub(super) fn action_summary(action: &ActionReport, command_line: &str) -> Value {
    let usage = action.usage.as_ref();
    json!({
        "event": "action-summary",
        "id": action.id,
        "key": action.key,
        "lookup_ms": milliseconds(action.lookup),
        "run_ms": milliseconds(action.run),
        "cpu_ms": usage.map(|usage| milliseconds(usage.user + usage.system)),
        "peak_rss": usage.map(|usage| usage.peak_memory),
        "command_line": command_line,
    })
}

pub(super) fn problem(problem: &Problem) -> Value {
    let mut value = json!({ "event": "problem" });
    if let Ok(Value::Object(members)) = serde_json::to_value(problem) {
        for (name, member) in members {
            value[name.as_str()] = member;
        }
    }
    value
}

pub(super) fn artifact(path: &Path, kind: &str, size: u64) -> Value {
    json!({
        "event": "artifact",
        "path": path.display().to_string(),
        "kind": kind,
        "size": size,
    })
}

pub(super) fn build_finished(
    status: Status,
    report: Option<&Report>,
    took: Duration,
    log: Option<&Path>,
) -> Value {
    json!({
        "event": "build-finished",
        "status": status,
        "actions": report.map(|report| report.actions.len()),
        "ran": report.map(Report::ran),
        "cached": report.map(Report::cached),
        "duration_ms": milliseconds(took),
        "log": log.map(|log| log.display().to_string()),
    })
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
