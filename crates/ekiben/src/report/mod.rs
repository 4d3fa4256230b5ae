//! What a person or a program hears of a build.
//!
//! The [`Reporter`] is the build's [`Observer`]. It passes everything to the [log](log), and to one
//! view: lines, bars on a terminal, or JSON events. What a view prints about an action is said when
//! it ends, once, under one lock, so that nothing interleaves.

pub(crate) mod explain;
mod json;
mod log;
mod plain;
mod problem;
mod progress;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ekiben_core::graph::{CommandName, Target};
use ekiben_core::{Built, Observer, Problem, Problems, Severity};
use ekiben_engine::{Event, Outcome, Report, Status};

use crate::cli::Global;
use log::Log;
use progress::Bars;

pub(crate) use plain::{bytes, seconds};
pub(crate) use problem::show as show_problems;

/// How many actions came to which end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) queued: usize,
    pub(crate) finished: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

enum View {
    Lines,
    Bars(Bars),
    Json,
}

struct State {
    view: View,
    counts: Counts,
    log: Log,
}

/// Tells of a build.
pub(crate) struct Reporter {
    project: PathBuf,
    verbose: u8,
    quiet: bool,
    state: Mutex<State>,
}

impl Reporter {
    /// For the project in the folder `project`.
    pub(crate) fn new(global: &Global, project: &Path, json: bool) -> Self {
        let view = if json {
            View::Json
        } else if std::io::stderr().is_terminal() && !global.quiet {
            View::Bars(Bars::new())
        } else {
            View::Lines
        };
        let state = State { view, counts: Counts::default(), log: Log::default() };
        Self {
            project: project.to_owned(),
            verbose: global.verbose,
            quiet: global.quiet,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether only problems are to be heard.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The build begins; from now on the log is in `build_dir`.
    ///
    /// # Errors
    /// When the log can't be created.
    pub(crate) fn begin(
        &self,
        build_dir: &Path,
        title: &str,
        targets: &[Target],
    ) -> Result<(), Problems> {
        let mut state = self.state();
        state.log.open(&build_dir.join("build.log"), title)?;
        if let View::Json = state.view {
            json::emit(&json::build_started(&self.project, targets));
        }
        Ok(())
    }

    /// All actions have come to an end.
    pub(crate) fn ran(&self, built: &Built) {
        let mut state = self.state();
        state.view.finish_bars();
        for action in &built.report.actions {
            let line = built.command_line(action.id);
            state.log.command_line(&action.description, &line);
            if self.verbose > 1 && !matches!(action.outcome, Outcome::Failed(_)) {
                state.view.say(&format!("# {}\n{line}\n", action.description));
            }
            if let View::Json = state.view {
                json::emit(&json::action_summary(action, &line));
            }
        }
    }

    /// Something was made.
    pub(crate) fn made(&self, path: &Path, kind: &str, size: u64) {
        let mut state = self.state();
        state.log.line(&format!("made {}", path.display()));
        if let View::Json = state.view {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            json::emit(&json::artifact(&path, kind, size));
        }
    }

    /// The build is over. Gives where the log is, if there is one.
    pub(crate) fn end(
        &self,
        status: Status,
        report: Option<&Report>,
        took: Duration,
    ) -> Option<PathBuf> {
        let mut state = self.state();
        state.view.finish_bars();
        state.log.line(&format!("{status:?} in {}", seconds(took)));
        if let View::Json = state.view {
            json::emit(&json::build_finished(status, report, took, state.log.path()));
        }
        state.log.path().map(ToOwned::to_owned)
    }

    /// How many actions came to which end so far.
    pub(crate) fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Shows what stopped the build.
    pub(crate) fn problems(&self, problems: &Problems) {
        for problem in &problems.0 {
            self.problem(problem);
        }
        let errors = problems.0.iter().filter(|p| p.severity == Severity::Error).count();
        if errors > 1 {
            self.state().view.say(&problem::count(errors));
        }
    }

    /// Says a line to a person, after the build.
    pub(crate) fn say(&self, text: &str) {
        self.state().view.say(text);
    }

    fn finished(&self, state: &mut State, event: &Event<'_>) {
        let Event::Finished { id, action, outcome, reason, output, duration } = event else {
            return;
        };
        let counts = &mut state.counts;
        counts.finished += 1;
        match outcome {
            Outcome::Failed(_) => counts.failed += 1,
            Outcome::Skipped { .. } => counts.skipped += 1,
            _ => {}
        }
        let counts = *counts;
        if let View::Bars(bars) = &mut state.view {
            bars.finished(*id, counts);
        }
        let is_bars = matches!(state.view, View::Bars(_));
        let mut text = String::new();
        match outcome {
            Outcome::Failed(failed) => text = plain::failure(&action.description, failed),
            Outcome::Ran if self.verbose > 0 || !(is_bars || self.quiet) => {
                text = plain::ran(&action.description, *reason, *duration, counts, self.verbose);
            }
            Outcome::Cached if self.verbose > 0 => {
                text = plain::cached(&action.description, counts);
            }
            _ => {}
        }
        if !output.is_empty() {
            text.push_str(&plain::output(&action.description, output, false));
        }
        state.view.say(&text);
    }
}

impl View {
    /// Prints text for people on stderr, above any bars.
    fn say(&mut self, text: &str) {
        let write = || {
            // Nobody is left to hear of an error on stderr.
            let _ = anstream::stderr().lock().write_all(text.as_bytes());
        };
        match self {
            _ if text.is_empty() => {}
            Self::Json => {}
            Self::Lines => write(),
            Self::Bars(bars) => bars.suspend(write),
        }
    }

    fn finish_bars(&mut self) {
        if let Self::Bars(bars) = self {
            bars.clear();
        }
    }
}

impl Observer for Reporter {
    fn command(&self, name: &CommandName) {
        self.state().log.line(&format!("command {name}"));
    }

    fn action(&self, event: &Event<'_>) {
        let mut state = self.state();
        let state = &mut *state;
        state.log.event(event);
        if let View::Json = state.view
            && let Some(event) = json::action(event)
        {
            json::emit(&event);
        }
        match event {
            Event::Queued { .. } => {
                state.counts.queued += 1;
                if let View::Bars(bars) = &mut state.view {
                    bars.progress(state.counts);
                }
            }
            Event::Started { id, action, .. } => {
                if let View::Bars(bars) = &mut state.view {
                    bars.started(*id, &action.description);
                }
            }
            Event::Finished { .. } => self.finished(state, event),
            Event::Replayed { action, output, .. } => {
                state.view.say(&plain::output(&action.description, output, true));
            }
            Event::Warning { action, message } => {
                state.view.say(&plain::warning(
                    action.map(|action| action.description.as_str()),
                    message,
                ));
            }
            _ => {}
        }
    }

    fn problem(&self, problem: &Problem) {
        let mut state = self.state();
        state.log.line(&problem::one_line(problem));
        if let View::Json = state.view {
            json::emit(&json::problem(problem));
        } else if !(self.quiet && problem.severity != Severity::Error) {
            state.view.say(&problem::render(problem, &self.project));
        }
    }

    fn log(&self, line: &str) {
        self.state().log.line(line);
    }
}

/// A path as a person would type it: relative to the current folder if it lies there.
pub(crate) fn short(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let inside = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    let inside = inside.or_else(|| path.strip_prefix(".").ok()).unwrap_or(path);
    inside.to_owned()
}
