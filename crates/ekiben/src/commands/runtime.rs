//! `ekiben runtime`: makes runtimes, and shows and checks those that are there.

use std::fmt::Write as _;
use std::io::Write as _;

use ekiben_core::{Cause, Problem, Problems};
use ekiben_freeze::runtime::{self, Check, Error, Progress, Request, Runtime, Source, Store};
use serde_json::json;

use super::End;
use super::build::print;
use super::ending::{Stop, end, say};
use super::stopped::Stopped;
use crate::cli::{
    Global, ListFormat, RuntimeBuild, RuntimeCheck, RuntimeList, RuntimeRemove, RuntimeShow,
    RuntimeWheel,
};
use crate::environment;
use crate::parts::PARTS;
use crate::report;

/// Runs `ekiben runtime build`.
pub(crate) fn build(build: &RuntimeBuild, global: &Global) -> End {
    end(built(build, global))
}

/// Runs `ekiben runtime list`.
pub(crate) fn list(list: &RuntimeList, global: &Global) -> End {
    end(listed(list, global))
}

/// Runs `ekiben runtime show`.
pub(crate) fn show(show: &RuntimeShow, global: &Global) -> End {
    end(shown(show, global))
}

/// Runs `ekiben runtime check`.
pub(crate) fn check(check: &RuntimeCheck, global: &Global) -> End {
    end(checked(check, global))
}

/// Runs `ekiben runtime wheel`.
pub(crate) fn wheel(wheel: &RuntimeWheel, global: &Global) -> End {
    end(packed(wheel, global))
}

/// Runs `ekiben runtime remove`.
pub(crate) fn remove(remove: &RuntimeRemove, global: &Global) -> End {
    end(removed(remove, global))
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            _ if matches!(error.cause(), runtime::Cause::Interrupted) => Self::Interrupted,
            Error::Step { .. } => Self::Failed(problems(&error)),
            _ => Self::Problems(problems(&error)),
        }
    }
}

/// What people see of an error.
pub(super) fn problems(error: &Error) -> Problems {
    let cause = match error.cause() {
        runtime::Cause::Input => Cause::Input,
        runtime::Cause::Environment | runtime::Cause::Interrupted => Cause::Environment,
        runtime::Cause::Internal => Cause::Internal,
    };
    let problem = Problem::error(cause, error.code(), error.to_string());
    error.help().into_iter().fold(problem, Problem::help).into()
}

fn built(build: &RuntimeBuild, global: &Global) -> Result<End, Stop> {
    let source = match (&build.source, &build.sha256) {
        (Some(place), Some(sha256)) => {
            Source::Archive { place: place.clone(), sha256: sha256.clone() }
        }
        // The command line asks for both or neither.
        _ => Source::Distribution,
    };
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = build.jobs.unwrap_or_else(|| u32::try_from(processors()).unwrap_or(1));
    let request = Request {
        python: build.python,
        source,
        flavours: build.flavour,
        jobs: jobs.try_into().unwrap_or(std::num::NonZeroU32::MIN),
        libraries: build.libraries,
        pgo: build.pgo,
        lto: build.lto,
        tests: build.tests,
        strict: build.strict,
    };
    let stopped = Stopped::watch()?;
    let say = say(global);
    let progress = Progress { step: &say, note: &note, stop: stopped.flag() };
    let runtime = store(global)?.build(&request, PARTS, progress)?;
    let folder = match &build.output {
        Some(output) => {
            runtime.export(output)?;
            output.clone()
        }
        None => runtime.folder.clone(),
    };
    if !global.quiet {
        print(&format!("{} in {}\n", runtime.name(), folder.display()));
    }
    Ok(End::Done)
}

fn listed(list: &RuntimeList, global: &Global) -> Result<End, Stop> {
    let runtimes = store(global)?.list()?;
    let text = match list.format {
        ListFormat::Json => {
            let entries: Vec<_> = runtimes.iter().map(entry).collect();
            format!("{:#}\n", serde_json::Value::from(entries))
        }
        ListFormat::Text => runtimes.iter().map(line).collect(),
    };
    print(&text);
    Ok(End::Done)
}

/// A runtime in a list for programs.
fn entry(runtime: &Runtime) -> serde_json::Value {
    let interpreter = &runtime.manifest.interpreter;
    json!({
        "name": runtime.name(),
        "version": interpreter.version,
        "flavours": runtime.manifest.link.flavours.keys().collect::<Vec<_>>(),
        "pgo": interpreter.options.pgo,
        "lto": interpreter.options.lto,
        "tests": interpreter.options.tests,
        "digest": runtime.manifest.digest,
        "folder": runtime.folder.display().to_string(),
    })
}

/// A runtime in a list for people.
fn line(runtime: &Runtime) -> String {
    format!("{}  {}  {}\n", runtime.name(), kinds(runtime), runtime.folder.display())
}

/// Its flavours and how it was optimised.
fn kinds(runtime: &Runtime) -> String {
    let options = &runtime.manifest.interpreter.options;
    let flavours = runtime.manifest.link.flavours.keys().map(|flavour| flavour.as_str());
    let options = [("pgo", options.pgo), ("lto", options.lto), ("tests", options.tests)];
    let options = options.into_iter().filter_map(|(word, is_on)| is_on.then_some(word));
    flavours.chain(options).collect::<Vec<_>>().join(" ")
}

fn shown(show: &RuntimeShow, global: &Global) -> Result<End, Stop> {
    let runtime = store(global)?.find(show.name.as_deref())?;
    let text = match show.format {
        ListFormat::Json => serde_json::to_string_pretty(&runtime.manifest)
            .map_err(|error| internal(&format!("it can't be shown: {error}")))?,
        ListFormat::Text => description(&runtime),
    };
    print(&format!("{}\n", text.trim_end()));
    Ok(End::Done)
}

fn description(runtime: &Runtime) -> String {
    let manifest = &runtime.manifest;
    let interpreter = &manifest.interpreter;
    let mut text = format!("{}\n", runtime.name());
    let source = &interpreter.source;
    for (key, value) in [
        ("folder", runtime.folder.display().to_string()),
        ("flavours", kinds(runtime)),
        ("source", format!("{} (sha256 {})", source.origin, source.sha256)),
        ("compiler", interpreter.compiler.version.clone()),
        ("target", interpreter.compiler.target.clone()),
        ("builtins", interpreter.modules.len().to_string()),
        ("files", manifest.files.len().to_string()),
    ] {
        // Writing to a string can't fail.
        let _ = writeln!(text, "    {key}: {value}");
    }
    text.push_str("\nlibraries\n");
    for library in &interpreter.libraries {
        let package = library.package.as_deref().unwrap_or("CPython's own");
        let _ = writeln!(text, "    {}: {package}, {}", library.name, library.licence);
    }
    if !interpreter.left_out.is_empty() {
        text.push_str("\nleft out\n");
        for module in &interpreter.left_out {
            let _ = writeln!(text, "    {}: {}", module.name, module.reason);
        }
    }
    text
}

fn checked(check: &RuntimeCheck, global: &Global) -> Result<End, Stop> {
    let store = store(global)?;
    let runtimes = match &check.name {
        Some(name) => vec![store.find(Some(name))?],
        None => {
            // An error, if there is none.
            store.find(None)?;
            store.list()?
        }
    };
    let stopped = Stopped::watch()?;
    let say = say(global);
    let progress = Progress { step: &say, note: &note, stop: stopped.flag() };
    let mut end = End::Done;
    for runtime in runtimes {
        let found = runtime.check(progress)?;
        if !found.findings.is_empty() {
            end = End::Failed;
        }
        print(&findings(&runtime, &found));
    }
    Ok(end)
}

fn findings(runtime: &Runtime, check: &Check) -> String {
    let mut text = format!("{}: {} files as they were made\n", runtime.name(), check.files);
    for (program, imported) in &check.interpreters {
        let _ = writeln!(text, "    {program}: {imported} modules imported");
    }
    for finding in &check.findings {
        let _ = writeln!(text, "    {}: {}", finding.file, finding.message);
    }
    text
}

fn packed(wheel: &RuntimeWheel, global: &Global) -> Result<End, Stop> {
    let runtime = store(global)?.find(wheel.name.as_deref())?;
    let path = runtime.wheel(&wheel.out_dir)?;
    let size = path.metadata().map_or(0, |metadata| metadata.len());
    if !global.quiet {
        let shown = report::short(&path);
        print(&format!("{} in {} ({})\n", runtime.name(), shown.display(), report::bytes(size)));
    }
    Ok(End::Done)
}

fn removed(remove: &RuntimeRemove, global: &Global) -> Result<End, Stop> {
    let name = store(global)?.remove(&remove.name)?;
    if !global.quiet {
        print(&format!("Removed {name}\n"));
    }
    Ok(End::Done)
}

fn store(global: &Global) -> Result<Store, Stop> {
    Ok(Store::new(&environment::cache_dir(global)?))
}

fn note(text: &str) {
    // Nobody is left to hear of an error on stderr.
    let _ = writeln!(anstream::stderr(), "note: {text}");
}

fn internal(message: &str) -> Stop {
    Problems::from(Problem::error(Cause::Internal, "runtime-internal", message)).into()
}
