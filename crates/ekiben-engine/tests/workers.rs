//! Workers: real processes that serve many actions, and all the ways in which they may not.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};

use common::{Project, cached, ran, rel, script, tool};
use ekiben_engine::{
    Action, Arg, ArtifactId, DepFile, Engine, EngineError, Event, EventSink, Failed, Failure,
    Outcome, Piece, Report, Root, Status,
};
use rustix::process::{Pid, test_kill_process};

fn project(jobs: u32) -> Project {
    let mut project = Project::new(&[("worker.py", include_str!("worker.py"))]);
    (project.jobs, project.keep_going) = (jobs, true);
    project
}

/// The tool's action, not yet for a worker.
fn plain(engine: &Engine, how: &str, name: &str, inputs: &[ArtifactId]) -> (Action, ArtifactId) {
    let output = engine.output(rel(name));
    let action = Action::process("test", "Work", tool("python3"))
        .describe(name)
        .arg(engine.source(rel("worker.py")))
        .arg(how)
        .arg(output)
        .args(inputs.iter().copied())
        .output(output);
    (action, output)
}

fn submit(engine: &Engine, how: &str, name: &str, inputs: &[ArtifactId]) -> ArtifactId {
    let (action, output) = plain(engine, how, name, inputs);
    engine.submit(action.worker(1)).unwrap();
    output
}

/// The ids of all processes that were started.
fn starts(project: &Project) -> Vec<i32> {
    let text = std::fs::read_to_string(project.root().join("starts")).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn is_gone(pid: i32) -> bool {
    test_kill_process(Pid::from_raw(pid).unwrap()).is_err()
}

fn failed<'a>(report: &'a Report, name: &str) -> &'a Failed {
    let action = report.actions.iter().find(|action| action.description == name).unwrap();
    match &action.outcome {
        Outcome::Failed(failed) => failed,
        outcome => panic!("{name}: {outcome}"),
    }
}

/// What the sink heard of results.
#[derive(Default)]
struct Measured(Mutex<Vec<String>>);

impl EventSink for Measured {
    fn event(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(match event {
            Event::Measured { action, key, run, usage, worker, command_line, .. } => format!(
                "measured {}: {key} run {} usage {} worker {worker:?}: {command_line}",
                action.description,
                run.is_some(),
                usage.is_some(),
            ),
            Event::Finished { action, .. } => format!("finished {}: ", action.description),
            _ => return,
        });
    }
}

#[test]
fn what_is_told_of_an_action() {
    let project = project(2);
    let build = |how| {
        let measured = Arc::new(Measured::default());
        let engine = project.engine_with_sink(project.open_cache(), Arc::clone(&measured) as _);
        submit(&engine, how, "a", &[]);
        let (action, _) = plain(&engine, how, "b", &[]);
        engine.submit(action).unwrap();
        let report = engine.finish();
        let lines = measured.0.lock().unwrap();
        for action in &report.actions {
            let name = &action.description;
            let start = format!("measured {name}: {}", action.key.unwrap());
            let at = lines.iter().position(|line| line.starts_with(&start)).unwrap();
            let ran = action.outcome != Outcome::Cached;
            let usage = ran && (name == "b" || cfg!(target_os = "linux"));
            assert_eq!(action.worker.is_some(), ran && name == "a");
            let rest = format!("run {ran} usage {usage} worker {:?}", action.worker);
            assert!(lines[at].contains(&rest), "{rest}: {}", lines[at]);
            assert!(lines[at].ends_with(&engine.command_line(action.id)));
            assert!(lines[at].ends_with(&format!("/python3 worker.py {how} build/{name}")));
            let finished = format!("finished {name}: ");
            let later = lines[at..].iter().any(|line| line.starts_with(&finished));
            assert!(later, "{lines:?}");
        }
        report
    };
    assert_eq!(build("copy").ran(), 2);
    assert_eq!(build("copy").cached(), 2);
    assert_eq!(build("fail").failures().count(), 2);
}

#[test]
fn one_process_serves_many() {
    let project = project(4);
    project.write("in.txt", "bento");
    let engine = project.engine();
    let input = engine.source(rel("in.txt"));
    let outputs: Vec<_> =
        (0..12).map(|n| submit(&engine, "copy", &format!("o{n}"), &[input])).collect();
    for output in outputs {
        assert_eq!(engine.read(output).unwrap(), b"BENTO");
    }
    let report = engine.finish();
    assert_eq!((report.status, report.ran()), (Status::Succeeded, 12));
    let [pid] = starts(&project)[..] else { panic!("{:?}", starts(&project)) };
    assert!(report.actions.iter().all(|action| action.worker == Some(pid as u32)));
    assert!(is_gone(pid), "finishing reaps it");
    let trace = engine.trace().to_string();
    assert!(trace.contains(&format!("\"worker\":{pid}")), "{trace}");
    assert_eq!(std::fs::read_dir(project.root().join("build/.scratch")).unwrap().count(), 0);
}

#[test]
fn a_long_queue_gets_another() {
    let project = project(2);
    let engine = project.engine();
    // Whoever is served first waits for a second worker.
    for n in 0..60 {
        submit(&engine, "two", &format!("o{n}"), &[]);
    }
    assert_eq!(engine.finish().ran(), 60);
    let pids = starts(&project);
    assert_eq!(pids.len(), 2, "never more than jobs");
    assert!(pids.into_iter().all(is_gone));
}

#[test]
fn other_environments_have_other_workers() {
    let project = project(2);
    let engine = project.engine();
    for (n, value) in ["a", "b", "a"].into_iter().enumerate() {
        let (action, output) = plain(&engine, "copy", &format!("o{n}"), &[]);
        engine.submit(action.env("VALUE", value).worker(1)).unwrap();
        engine.wait(output).unwrap();
    }
    let report = engine.finish();
    let pids: Vec<_> = report.actions.iter().map(|action| action.worker.unwrap()).collect();
    assert_eq!(pids[0], pids[2]);
    assert_ne!(pids[0], pids[1]);
}

#[test]
fn keys_know_no_workers() {
    let project = project(2);
    let build = |project: &Project, worker: bool| {
        project.write("in.txt", "bento");
        let engine = project.engine();
        let input = engine.source(rel("in.txt"));
        for n in 0..3 {
            let (action, _) = plain(&engine, "noted", &format!("o{n}"), &[input]);
            let action = if worker { action.worker(1) } else { action };
            engine.submit(action).unwrap();
        }
        engine.finish()
    };
    let first = build(&project, true);
    assert_eq!(first.ran(), 3);
    let mut other =
        Project::with_cache(&project.cache, &[("worker.py", include_str!("worker.py"))]);
    other.jobs = 2;
    let second = build(&other, false);
    assert_eq!(cached(&second), ["o0", "o1", "o2"]);
    let keys = |report: &Report| report.actions.iter().map(|a| a.key).collect::<Vec<_>>();
    assert_eq!(keys(&first), keys(&second));
    assert!(starts(&other).is_empty());
    // And in one shot it does the same.
    let one_shot = Project::new(&[("worker.py", include_str!("worker.py"))]);
    assert_eq!(keys(&build(&one_shot, false)), keys(&first));
    let digests = |project: &Project| std::fs::read(project.root().join("build/o0")).unwrap();
    assert_eq!(digests(&one_shot), digests(&project));
}

#[test]
fn what_it_says_is_shown() {
    let project = project(2);
    let engine = project.engine();
    let noted = submit(&engine, "noted", "noted", &[]);
    engine.wait(noted).unwrap();
    submit(&engine, "copy", "silent", &[]);
    engine.finish();
    assert!(project.log.has("finished noted: built: done\na note\n"), "{:?}", project.log.lines());
    assert!(project.log.lines().contains(&"finished silent: built: ".to_owned()));
}

#[test]
fn a_failing_request_fails_its_action() {
    let project = project(2);
    let engine = project.engine();
    for (how, name) in [("copy", "a"), ("fail", "b"), ("copy", "c")] {
        submit(&engine, how, name, &[]);
    }
    let report = engine.finish();
    assert_eq!(ran(&report), ["a", "c"]);
    let failed = failed(&report, "b");
    assert_eq!(failed.failure, Failure::Exit { code: 3 });
    assert_eq!(failed.output, b"no good\n");
    assert!(failed.command_line.ends_with(" worker.py fail build/b"), "{}", failed.command_line);
    assert_eq!(starts(&project).len(), 1);
    assert!(!project.root().join("build/b").exists());
}

#[test]
fn a_broken_worker_is_replaced() {
    for (how, problem, output) in [
        ("die", "its worker ended without an answer: exit status 5", "last words\n"),
        ("shot", "its worker ended without an answer: killed by signal 9", ""),
        (
            "garbage",
            "its worker answered what isn't a response (expected value at line 1 column 1): \
             `hello, world`",
            "",
        ),
        ("wrong", "its worker answered request 3 instead of 2", ""),
        ("close", "its worker closed its output without an answer", ""),
    ] {
        let project = project(2);
        let engine = project.engine();
        for (how, name) in [("copy", "a"), (how, "b"), ("copy", "c")] {
            let output = submit(&engine, how, name, &[]);
            assert_eq!(engine.wait(output).is_ok(), name != "b");
        }
        let report = engine.finish();
        assert_eq!(ran(&report), ["a", "c"], "{how}");
        let failed = failed(&report, "b");
        assert_eq!(failed.failure.to_string(), problem);
        let said = String::from_utf8_lossy(&failed.output);
        assert!(said.contains(output), "{how}: {said}");
        let pids = starts(&project);
        assert_eq!(pids.len(), 2, "{how}");
        assert!(pids.into_iter().all(is_gone), "{how}");
        assert!(!project.root().join("build/b").exists());
    }
}

#[test]
fn nothing_is_tried_twice() {
    let project = project(2);
    let engine = project.engine();
    for n in 0..5 {
        submit(&engine, "die", &format!("o{n}"), &[]);
    }
    let report = engine.finish();
    assert_eq!(report.failures().count(), 5);
    assert_eq!(starts(&project).len(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_worker_that_is_unfit_is_replaced() {
    for (how, warning) in [("last", "ended without an answer"), ("twice", "spoke unasked: `{")] {
        let project = project(1);
        let engine = project.engine();
        let first = submit(&engine, how, "a", &[]);
        engine.wait(first).unwrap();
        let pid = starts(&project)[0];
        // Dead but unreaped.
        let is_over = || {
            std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| s.contains(") Z "))
        };
        while how == "last" && !is_over() {
            std::thread::yield_now();
        }
        submit(&engine, "copy", "b", &[]);
        let report = engine.finish();
        assert_eq!(ran(&report), ["a", "b"], "{how}");
        assert_eq!(starts(&project).len(), 2);
        assert!(project.log.has(warning), "{:?}", project.log.lines());
    }
}

#[test]
fn a_worker_that_cannot_start() {
    let project = project(1);
    let engine = project.engine();
    let output = engine.output(rel("a"));
    let mut none = tool("python3");
    none.path = "/nowhere/python3".into();
    let action = Action::process("test", "Work", none).describe("a").arg(output).output(output);
    engine.submit(action.worker(0)).unwrap();
    let report = engine.finish();
    assert!(matches!(failed(&report, "a").failure, Failure::Spawn { .. }));
    // One that starts with what isn't there says so.
    let engine = project.engine();
    let (action, output) =
        (Action::process("test", "Work", tool("python3")), engine.output(rel("b")));
    let action = action.describe("b").args(["-c", "import nothing_of_that_name"]).arg(output);
    engine.submit(action.output(output).worker(2)).unwrap();
    let report = engine.finish();
    let failed = failed(&report, "b");
    assert_eq!(
        failed.failure,
        Failure::Worker { problem: "ended without an answer: exit status 1".into() }
    );
    assert!(String::from_utf8_lossy(&failed.output).contains("ModuleNotFoundError"));
    assert!(failed.failure.hint().is_some());
}

#[test]
fn more_start_arguments_than_arguments() {
    let project = project(1);
    let engine = project.engine();
    let (action, _) = plain(&engine, "copy", "a", &[]);
    let error = engine.submit(action.worker(4)).unwrap_err();
    assert!(matches!(error, EngineError::WorkerSplit { split: 4, arguments: 3, .. }));
    assert_eq!(error.to_string(), "test (Work, a) starts its worker with 4 arguments, but has 3");
}

#[test]
fn pipes_never_clog() {
    let project = project(2);
    let engine = project.engine();
    // It talks before it listens, while we have more to say than the pipe takes.
    let (action, output) = plain(&engine, "huge", "a", &[]);
    let action = action.env("NOISE", "1").arg("x".repeat(3_000_000));
    engine.submit(action.worker(1)).unwrap();
    engine.wait(output).unwrap();
    assert_eq!(engine.finish().status, Status::Succeeded);
    let lines = project.log.lines();
    let line = lines.iter().find(|line| line.starts_with("finished a: built: ")).unwrap();
    assert_eq!(line.matches('é').count(), 4_000_000);
    assert!(line.matches('e').count() >= 8_000_000);
    assert!(line.matches('n').count() >= 1_000_000);
}

#[test]
fn cancelling_ends_a_worker_with_its_children() {
    let project = project(2);
    let engine = project.engine();
    let idle = submit(&engine, "copy", "idle", &[]);
    engine.wait(idle).unwrap();
    let (other, _) = plain(&engine, "hang", "a", &[]);
    engine.submit(other.env("OTHER", "1").worker(1)).unwrap();
    let hanging = project.root().join("hanging");
    while !hanging.exists() {
        std::thread::yield_now();
    }
    let children = std::fs::read_to_string(hanging).unwrap();
    project.interrupt.trigger();
    project.interrupt.trigger();
    let report = engine.finish();
    assert_eq!(report.status, Status::Interrupted);
    assert_eq!(report.actions[1].outcome, Outcome::Cancelled);
    let pids = starts(&project);
    assert_eq!(pids.len(), 2);
    assert!(pids.into_iter().all(is_gone));
    let child = children.split(' ').nth(1).unwrap();
    // Perhaps not yet reaped by whoever inherited it.
    let stat = || std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    while stat().contains(") S ") {
        std::thread::yield_now();
    }
}

#[test]
fn dropping_the_engine_ends_workers() {
    let project = project(2);
    let engine = project.engine();
    let output = submit(&engine, "copy", "a", &[]);
    engine.wait(output).unwrap();
    drop(engine);
    assert!(starts(&project).into_iter().all(is_gone));
}

#[test]
fn a_worker_that_stays_is_killed() {
    let project = project(1);
    let engine = project.engine();
    submit(&engine, "stubborn", "a", &[]);
    assert_eq!(engine.finish().status, Status::Succeeded);
    assert!(starts(&project).into_iter().all(is_gone));
    let warning = "worker.py --persistent-worker didn't exit when its input ended, and was killed";
    assert!(project.log.has(warning), "{:?}", project.log.lines());
}

#[test]
fn waiting_for_a_worker_takes_no_slot() {
    let project = project(2);
    let engine = project.engine();
    // The worker is busy until a plain action has run, and all others wait for the worker.
    for n in 0..8 {
        submit(&engine, "ran", &format!("w{n}"), &[]);
    }
    while !project.root().join("waits").exists() {
        std::thread::yield_now();
    }
    let (action, _) = script(&engine, "plain", &[], "touch ran; echo > \"$1\"");
    engine.submit(action).unwrap();
    let report = engine.finish();
    assert_eq!(report.status, Status::Succeeded, "{:?}", report.failures().next());
    assert_eq!(starts(&project).len(), 1);
}

#[test]
fn dependency_files() {
    let project = project(2);
    for folder in ["x", "y"] {
        project.write(&format!("{folder}/in.txt"), folder);
        project.write(&format!("{folder}/header.txt"), "1");
    }
    let build = || {
        let engine = project.engine();
        for folder in ["x", "y"] {
            let input = engine.source(rel(&format!("{folder}/in.txt")));
            let (action, _) = plain(&engine, "copy", folder, &[input]);
            let file = engine.output(rel(&format!("{folder}.d")));
            engine.submit(action.dep_file(DepFile::Plain(file)).worker(1)).unwrap();
        }
        engine.finish()
    };
    assert_eq!(build().ran(), 2);
    assert_eq!(build().cached(), 2);
    project.write("y/header.txt", "22");
    let report = build();
    assert_eq!((ran(&report), cached(&report)), (vec!["y"], vec!["x"]));
}

#[test]
fn paths_that_json_cannot_say_go_to_a_process() {
    let cache = tempfile::tempdir().unwrap();
    let mut project = Project::with_cache(cache.path(), &[]);
    let prefix = OsStr::from_bytes(b"caf\xe9");
    project.folder = tempfile::Builder::new().prefix(prefix).tempdir().unwrap();
    project.write("worker.py", include_str!("worker.py"));
    let engine = project.engine();
    let (action, _) = plain(&engine, "copy", "a", &[]);
    let root = Piece::Root(Root::Source);
    let header = Arg(vec![root, Piece::Text("/in.txt".into())]);
    project.write("in.txt", "bento");
    engine.submit(action.arg(header).worker(1)).unwrap();
    let report = engine.finish();
    assert_eq!((report.status, report.actions[0].worker), (Status::Succeeded, None));
    assert_eq!(std::fs::read(project.root().join("build/a")).unwrap(), b"BENTO");
}

#[cfg(target_os = "linux")]
#[test]
fn what_requests_used() {
    use std::time::Duration;

    let project = project(1);
    let engine = project.engine();
    for (how, name) in [("copy", "a"), ("burn", "b"), ("copy", "c")] {
        submit(&engine, how, name, &[]);
    }
    let report = engine.finish();
    let used: Vec<_> = report.actions.iter().map(|action| action.usage.unwrap()).collect();
    let cpu = |n: usize| used[n].user + used[n].system;
    assert!(cpu(1) >= Duration::from_millis(250), "{used:?}");
    assert!(cpu(2) < cpu(1), "{used:?}");
    assert!(used.iter().all(|usage| usage.peak_memory > 1 << 20), "{used:?}");
    let workers: BTreeSet<_> = report.actions.iter().map(|action| action.worker).collect();
    assert_eq!(workers.len(), 1);
}
