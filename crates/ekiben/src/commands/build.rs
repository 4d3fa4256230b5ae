//! `ekiben build`, and what it shares with the hooks: a build from its options to its files.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ekiben_core::graph::{Kind, Target};
use ekiben_core::{Built, Cause, Observer, Problems, Repetition, Request, Session};
use ekiben_engine::{Interrupt, Outcome, Status};
use ekiben_project::{Override, Overrides};

use super::End;
use super::lock::BuildLock;
use super::stopped::Stopped;
use crate::builtin::BUILT_IN;
use crate::cli::{Build, BuildOptions, Global, MessageFormat};
use crate::environment::{self, Choices};
use crate::report::{self, Reporter};

/// Runs `ekiben build`.
pub(crate) fn run(build: &Build, global: &Global, from_variable: usize) -> End {
    let sources = ["EKIBEN_ARGS", "--config-setting"];
    let settings = build.options.config_setting.iter().enumerate();
    let overrides =
        settings.map(|(at, text)| Override::parse(text, sources[usize::from(at >= from_variable)]));
    let wanted = [(Kind::WHEEL, build.wheel || !build.sdist), (Kind::SDIST, build.sdist)];
    let job = Job {
        project: &build.project,
        python: build.python.clone(),
        overrides: overrides.collect(),
        kinds: wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(kind, _)| kind).collect(),
        out_dir: build.out_dir.clone().unwrap_or_else(|| build.project.join("dist")),
        build_environment: None,
        build_environment_alone: false,
        repetition: None,
        options: &build.options,
        json: build.message_format == MessageFormat::Json,
        owns_stdout: true,
    };
    match job.run(global) {
        Ok(_) => End::Done,
        Err(failure) => failure.end,
    }
}

/// A build that somebody asked for.
pub(crate) struct Job<'a> {
    pub(crate) project: &'a Path,
    pub(crate) python: Option<String>,
    pub(crate) overrides: Overrides,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) out_dir: PathBuf,
    /// The isolated environment that holds the build's requirements.
    pub(crate) build_environment: Option<PathBuf>,
    /// Whether packages are looked for there alone.
    pub(crate) build_environment_alone: bool,
    /// What starts it again, if anything can.
    pub(crate) repetition: Option<Repetition>,
    pub(crate) options: &'a BuildOptions,
    pub(crate) json: bool,
    /// Whether what was asked for besides the build may be printed on stdout.
    pub(crate) owns_stdout: bool,
}

/// A build that made nothing. What was wrong has been shown.
pub(crate) struct NotBuilt {
    pub(crate) end: End,
    pub(crate) message: String,
}

impl NotBuilt {
    fn refused(problems: &Problems) -> Self {
        Self { end: End::Refused, message: problems.to_string() }
    }
}

impl Job<'_> {
    /// Builds, and gives the names of the files it put into the output folder, in the order of
    /// `kinds`.
    pub(crate) fn run(self, global: &Global) -> Result<Vec<String>, NotBuilt> {
        let began = Instant::now();
        let reporter = Arc::new(Reporter::new(global, self.project, self.json));
        let refuse = |problems: Problems| {
            reporter.problems(&problems);
            reporter.end(Status::Failed, None, began.elapsed());
            NotBuilt::refused(&problems)
        };
        let stopped = Stopped::watch().map_err(refuse)?;
        let interrupt = Interrupt::install().map_err(|error| refuse(error.into()))?;
        let (environment, _cache) = environment::read(
            global,
            Choices {
                jobs: self.options.jobs,
                keep_going: self.options.keep_going,
                interrupt: interrupt.clone(),
                observer: Arc::<Reporter>::clone(&reporter) as Arc<dyn Observer>,
                movable: self.movable(),
            },
        )
        .map_err(refuse)?;
        let request = Request {
            project: self.project.to_owned(),
            python: self.python.clone(),
            overrides: self.overrides.clone(),
            build_dir: self.options.build_dir.clone(),
            build_environment: self.build_environment.clone(),
            build_environment_alone: self.build_environment_alone,
            repetition: self.repetition.clone(),
        };
        let session = Session::open(request, environment, BUILT_IN).map_err(refuse)?;
        let targets: Vec<Target> = self.kinds.iter().cloned().map(Target::Kind).collect();
        let build_dir = session.configuration().build_dir().to_owned();
        let _only_one = BuildLock::take(&build_dir, reporter.as_ref(), &interrupt);
        reporter
            .begin(&build_dir, &title(session.configuration().root()), &targets)
            .map_err(refuse)?;
        let run = Run { job: &self, reporter: &reporter, stopped: &stopped, began };
        run.finish(session.build(&targets))
    }

    /// Each build may have another environment, which mustn't make its actions others.
    fn movable(&self) -> BTreeMap<String, PathBuf> {
        let environment = self.build_environment.clone();
        environment.map(|folder| ("build-environment".to_owned(), folder)).into_iter().collect()
    }
}

/// A build whose actions have come to an end.
struct Run<'a> {
    job: &'a Job<'a>,
    reporter: &'a Reporter,
    stopped: &'a Stopped,
    began: Instant,
}

impl Run<'_> {
    fn finish(&self, outcome: Result<Built, Problems>) -> Result<Vec<String>, NotBuilt> {
        let built = match outcome {
            Ok(built) => built,
            Err(problems) => return Err(self.unplanned(&problems)),
        };
        self.reporter.ran(&built);
        let extras = self.extras(&built);
        let made = match built.report.status {
            Status::Succeeded => extras.and_then(|()| self.export(&built)),
            Status::Interrupted => return Err(self.fail(Status::Interrupted, Some(&built))),
            Status::Failed => {
                extras.unwrap_or_else(|problems| self.reporter.problems(&problems));
                return Err(self.fail(Status::Failed, Some(&built)));
            }
        };
        made.map_err(|problems| {
            self.reporter.problems(&problems);
            let failure = self.fail(Status::Failed, Some(&built));
            NotBuilt { message: problems.to_string(), ..failure }
        })
    }

    /// Planning came to no end.
    fn unplanned(&self, problems: &Problems) -> NotBuilt {
        if self.stopped.is_set() {
            return self.fail(Status::Interrupted, None);
        }
        // An action that failed while a command waited for it has been shown.
        let follows = self.reporter.counts().failed > 0
            && problems.0.iter().all(|problem| problem.code == "engine");
        if !follows {
            self.reporter.problems(problems);
        }
        let failure = self.fail(Status::Failed, None);
        if follows {
            return failure;
        }
        let end = if problems.cause() == Cause::Input { End::Refused } else { End::Failed };
        NotBuilt { end, message: problems.to_string() }
    }

    fn fail(&self, status: Status, built: Option<&Built>) -> NotBuilt {
        let report = built.map(|built| &built.report);
        let log = self.reporter.end(status, report, self.began.elapsed());
        let counts = self.reporter.counts();
        let (end, mut message) = match status {
            Status::Interrupted => (End::Interrupted, "interrupted".to_owned()),
            _ => (End::Failed, "the build failed".to_owned()),
        };
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        if end == End::Failed && counts.failed > 0 {
            message.push_str(&format!(
                ": {} action{} failed",
                counts.failed,
                plural(counts.failed)
            ));
            if counts.skipped > 0 {
                message.push_str(&format!(", {} skipped", counts.skipped));
            }
        }
        self.reporter.say(&format!("{message}\n"));
        if let Some(log) = log.filter(|_| end == End::Failed) {
            let log = report::short(&log);
            self.reporter.say(&format!("The whole log is in {}\n", log.display()));
        }
        NotBuilt { end, message }
    }

    /// What was asked for besides the archives.
    fn extras(&self, built: &Built) -> Result<(), Problems> {
        let options = self.job.options;
        built.write_compile_commands()?;
        if let Some(file) = &options.trace {
            built.write_trace(file)?;
        }
        if options.explain {
            self.print(&report::explain::table(&built.report));
        }
        if options.what_ran {
            self.print(&what_ran(built));
        }
        Ok(())
    }

    fn export(&self, built: &Built) -> Result<Vec<String>, Problems> {
        if self.job.kinds.contains(&Kind::EDITABLE_WHEEL) {
            built.place()?;
        }
        if self.job.options.list_files {
            let lines: String = built.list()?.iter().map(|listed| format!("{listed}\n")).collect();
            self.print(&lines);
        }
        let mut names = Vec::new();
        let mut lines = String::new();
        for kind in &self.job.kinds {
            let name = built.export(kind, &self.job.out_dir)?;
            let path = self.job.out_dir.join(&name);
            let size = path.metadata().map_or(0, |metadata| metadata.len());
            self.reporter.made(&path, kind.as_str(), size);
            let path = report::short(&path);
            lines.push_str(&format!("Built {} ({})", path.display(), report::bytes(size)));
            lines.push_str(if names.len() + 1 < self.job.kinds.len() { "\n" } else { "" });
            names.push(name);
        }
        let took = self.began.elapsed();
        self.reporter.end(Status::Succeeded, Some(&built.report), took);
        let (actions, cached) = (built.report.actions.len(), built.report.cached());
        let plural = if actions == 1 { "" } else { "s" };
        let took = report::seconds(took);
        lines.push_str(&format!(" in {took}: {actions} action{plural}, {cached} cached\n"));
        if !self.reporter.is_quiet() {
            self.summary(&lines);
        }
        Ok(names)
    }

    /// Prints what was asked for.
    fn print(&self, text: &str) {
        match (self.job.json, self.job.owns_stdout) {
            // The events say the same.
            (true, _) => {}
            (false, true) => print(text),
            (false, false) => self.reporter.say(text),
        }
    }

    /// Says what was made, on stdout unless somebody reads a list or script there.
    fn summary(&self, lines: &str) {
        if self.job.options.what_ran || self.job.options.list_files {
            self.reporter.say(lines);
        } else {
            self.print(lines);
        }
    }
}

/// Prints on stdout.
pub(crate) fn print(text: &str) {
    // A reader that went away wants no more.
    let _ = anstream::stdout().lock().write_all(text.as_bytes());
}

/// The processes that ran, as a shell script; functions of Ekiben are comments in it.
fn what_ran(built: &Built) -> String {
    let mut script = format!("#!/bin/sh\n# What ekiben {} ran.\n", env!("CARGO_PKG_VERSION"));
    for action in &built.report.actions {
        if matches!(action.outcome, Outcome::Ran | Outcome::Failed(_)) {
            let line = built.command_line(action.id);
            script.push_str(&format!("\n# {}\n{line}\n", action.description));
        }
    }
    script
}

/// The first line of the log.
fn title(project: &Path) -> String {
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let line = shlex::try_join(arguments.iter().map(String::as_str)).unwrap_or_default();
    format!("ekiben {}\nproject {}\n$ {line}", env!("CARGO_PKG_VERSION"), project.display())
}
