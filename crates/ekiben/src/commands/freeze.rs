//! `ekiben freeze`: a program from a script, a module, an entry point or a project.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ekiben_archive::normalize_name;
use ekiben_core::{Cause, Place, Problem, Problems};
use ekiben_engine::{Cache, CacheLimits};
use ekiben_freeze::program::host::Interpreter;
use ekiben_freeze::program::{
    self, Base, Error, Flavour, Installer, Links, Program, Project, Report, Request, StaticWheels,
    Target, Warning,
};

use ekiben_freeze::runtime::{Runtime, Store};

use super::End;
use super::build::print;
use super::stopped::Stopped;
use crate::cli::{Freeze, FreezeFlavour, Global, ListFormat};
use crate::environment;
use crate::parts::HOST_PARTS;
use crate::report;
use crate::statics::{Failed, Statics};

/// The version of Python, unless another is asked for.
const PYTHON: &str = "3.13";
/// What an interpreter is made of that nothing was named for: a module that each has.
const ANY: &str = "site";
/// How many warnings of a kind are shown unless more is to be said.
const SHOWN: usize = 5;

/// Runs `ekiben freeze`.
pub(crate) fn run(freeze: &Freeze, global: &Global) -> End {
    let stopped = match Stopped::watch() {
        Ok(stopped) => stopped,
        Err(problems) => {
            report::show_problems(&problems, Path::new(""));
            return End::Refused;
        }
    };
    match perform(freeze, global, &stopped) {
        Ok(()) => End::Done,
        // Whatever it led to.
        Err(_) if stopped.is_set() => End::Interrupted,
        Err(problems) => {
            report::show_problems(&problems, Path::new(""));
            End::Refused
        }
    }
}

/// What was asked for on the command line, and whether that still holds.
struct Asked<'a> {
    freeze: &'a Freeze,
    global: &'a Global,
    stopped: &'a Stopped,
}

fn perform(freeze: &Freeze, global: &Global, stopped: &Stopped) -> Result<(), Problems> {
    let passing = match global.no_cache {
        true => Some(environment::passing_cache()?),
        false => None,
    };
    let folder = match &passing {
        Some(passing) => passing.path().to_owned(),
        None => environment::cache_dir(global)?,
    };
    let base = base(freeze, global, &folder)?;
    // Without a cache the next run takes longer.
    let cache = Cache::open(&folder, CacheLimits::new(global.cache_size)).ok();
    let asked = Asked { freeze, global, stopped };
    let mut request = request(&asked, &base, &folder)?;
    request.traced = traced(freeze, &request, &base)?;
    let output = freeze.output.clone().unwrap_or_else(|| output(freeze));
    refuse_folder(&output)?;
    let made = made(&asked, &mut request, &base, cache.as_ref())?;
    made.write(&output).map_err(problems)?;
    tell(freeze, global, &base, &made, &output);
    Ok(())
}

/// The runtime, or where there is none an ordinary interpreter.
fn base(freeze: &Freeze, global: &Global, cache: &Path) -> Result<Base, Problems> {
    let wanted = freeze.python.as_deref();
    let host = || -> Result<Base, Error> {
        let interpreter = match wanted {
            Some(wanted) => Interpreter::find(wanted)?,
            None => Interpreter::find(PYTHON).or_else(|_| Interpreter::find("python3"))?,
        };
        interpreter.base(HOST_PARTS, cache)
    };
    let is_path = wanted.is_some_and(|wanted| wanted.contains('/'));
    if let Some(flavour) = freeze.flavour.filter(|it| is_path && *it != FreezeFlavour::Host) {
        let message = format!(
            "--python names an interpreter by its path, which is for the flavour `host`, not `{}`",
            Flavour::from(flavour).as_str()
        );
        let help = "name a version, or leave out --flavour";
        return Err(Problem::error(Cause::Input, "freeze", message).help(help).into());
    }
    if let Some(runtime) = &freeze.runtime {
        return Base::in_folder(runtime).map_err(problems);
    }
    if is_path || freeze.flavour == Some(FreezeFlavour::Host) {
        return host().map_err(problems);
    }
    // Runtimes are no results of builds: they are there with any cache.
    let store = Store::new(&environment::cache_dir(global)?);
    match store.find(Some(wanted.unwrap_or(PYTHON))) {
        Ok(runtime) => Base::in_folder(&runtime.path("")).map_err(problems),
        // What was asked for is never replaced.
        Err(error) if freeze.flavour.is_some() => Err(super::runtime::problems(&error)),
        Err(error) => host().map_err(|_| super::runtime::problems(&error)),
    }
}

/// What is asked for, with everything installed that it names.
fn request(asked: &Asked<'_>, base: &Base, cache: &Path) -> Result<Request, Problems> {
    let freeze = asked.freeze;
    let mut site = Vec::new();
    let installer = Installer {
        python: base.interpreter.clone(),
        cache: cache.to_owned(),
        refresh: freeze.refresh,
    };
    let target = match Target::parse(freeze.target.as_deref().unwrap_or(ANY)).map_err(problems)? {
        Target::Project(folder) => {
            let project = Project::read(&folder).map_err(problems)?;
            let target = project.entry_point(freeze.script.as_deref()).map_err(problems)?;
            let installed = match freeze.requirements {
                Some(_) => installer.project_alone(&project).map(|folder| vec![folder]),
                None => installer.project(&project),
            };
            site.extend(installed.map_err(problems)?);
            target
        }
        target => target,
    };
    if let Some(file) = &freeze.requirements {
        site.push(installer.requirements(file).map_err(problems)?);
    }
    site.extend(freeze.site.iter().map(|folder| base.site(folder)));
    let active = std::env::var_os("VIRTUAL_ENV").map(|folder| base.site(Path::new(&folder)));
    match active {
        // An environment of another version has nothing for this program.
        Some(active) if site.is_empty() && active.is_dir() => site.push(active),
        _ => {}
    }
    let mut link = Links::default();
    for word in &freeze.link {
        link.take(word).map_err(|message| Problem::error(Cause::Input, "freeze", message))?;
    }
    let mut warnings = Vec::new();
    let wheels =
        StaticWheels { places: &freeze.static_wheels, links: &link, python: &base.python, cache };
    for folder in site.iter_mut().filter(|folder| folder.is_dir()) {
        if !freeze.static_wheels.is_empty() {
            let made = program::with_static(folder, &wheels).map_err(problems)?;
            *folder = made.folder;
            warnings.extend(made.warnings);
        }
    }
    // An interpreter of the machine has nothing linked in: that is told later.
    if let Ok(runtime) = base.runtime() {
        let made = with_statics(asked, &runtime, &link, |it| it.asked(&mut site));
        warnings.extend(made?);
    }
    Ok(Request {
        target,
        site,
        includes: freeze.include.clone(),
        excludes: freeze.exclude.clone(),
        traced: Vec::new(),
        hints: freeze.hints.clone(),
        prune: freeze.prune || freeze.relink,
        relink: freeze.relink,
        warnings,
        link,
        linker: freeze.linker,
        strict: freeze.strict,
        optimize: freeze.optimize,
        sources: !freeze.no_sources,
        interpreter: freeze.interpreter,
        path: freeze.path.clone(),
        flavour: freeze.flavour.map(Flavour::from),
        switches: freeze.set.iter().cloned().collect::<BTreeMap<_, _>>(),
    })
}

/// Makes the program. Packages without whose compiled modules it would stop are built to be linked in, if
/// it can't load them.
fn made(
    asked: &Asked<'_>,
    request: &mut Request,
    base: &Base,
    cache: Option<&Cache>,
) -> Result<Program, Problems> {
    let modules = match program::freeze(request, base, cache) {
        Err(Error::Compiled(modules)) => modules,
        made => return made.map_err(problems),
    };
    let runtime = base.runtime().map_err(problems)?;
    let (site, link) = (&mut request.site, &request.link);
    match with_statics(asked, &runtime, link, |it| it.needed(site, &modules))? {
        Some(warnings) => request.warnings.extend(warnings),
        None => return Err(problems(Error::Compiled(modules))),
    }
    program::freeze(request, base, cache).map_err(problems)
}

/// Does something with what builds static wheels.
fn with_statics<T>(
    asked: &Asked<'_>,
    runtime: &Runtime,
    links: &Links,
    work: impl FnOnce(&Statics<'_>) -> Result<T, Failed>,
) -> Result<T, Problems> {
    let Asked { freeze, global, stopped } = asked;
    // As runtimes they are no results of builds: they are there with any cache.
    let cache = environment::cache_dir(global)?;
    let say = |text: &str| {
        if !global.quiet {
            // Nobody is left to hear of an error on stderr.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    };
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, setting) in &freeze.static_config {
        settings.entry(normalize_name(name)).or_default().push(setting.clone());
    }
    let stop = || stopped.is_set();
    let statics = Statics {
        runtime,
        cache: &cache,
        links,
        settings: &settings,
        say: &say,
        stop: Some(&stop),
    };
    work(&statics).map_err(|failed| match failed {
        Failed::Static(error) => super::static_wheels::problems(&error),
        Failed::Program(error) => problems(error),
    })
}

/// What was imported in a run, or in earlier ones.
fn traced(freeze: &Freeze, request: &Request, base: &Base) -> Result<Vec<String>, Problems> {
    let known = match (freeze.trace, &freeze.trace_file) {
        (false, None) => return Ok(Vec::new()),
        (false, Some(file)) => program::recorded(file),
        (true, file) => {
            let run = program::trace(request, base, &freeze.arguments);
            let run = run.map_err(problems)?;
            if !run.status.success() {
                let message = format!("the traced run ended with {}", run.status);
                let warning = Problem::warning(Cause::Input, "traced-run", message);
                report::show_problems(&warning.into(), Path::new(""));
            }
            match file {
                Some(file) => program::record(file, &run.modules),
                None => Ok(run.modules),
            }
        }
    };
    Ok(known.map_err(problems)?.into_iter().collect())
}

/// A program's name, if none was given.
fn output(freeze: &Freeze) -> PathBuf {
    if let Some(script) = &freeze.script {
        return PathBuf::from(script);
    }
    let Some(target) = freeze.target.as_deref() else { return PathBuf::from("python") };
    let path = Path::new(target);
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if full.is_dir() {
        return full.file_name().map_or_else(|| PathBuf::from("program"), PathBuf::from);
    }
    match path.file_stem().filter(|_| path.extension().is_some_and(|it| it == "py")) {
        Some(stem) => PathBuf::from(stem),
        None => PathBuf::from(target.split([':', '.']).next().unwrap_or(target)),
    }
}

fn refuse_folder(output: &Path) -> Result<(), Problems> {
    if output.is_dir() {
        let message = format!("the program can't be written: {} is a folder", output.display());
        return Err(Problem::error(Cause::Input, "freeze", message)
            .help("give it another name by -o")
            .into());
    }
    Ok(())
}

fn tell(freeze: &Freeze, global: &Global, base: &Base, made: &Program, output: &Path) {
    let report = &made.report;
    if freeze.format == ListFormat::Json {
        let mut json = serde_json::to_value(report).unwrap_or_default();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("program".to_owned(), output.display().to_string().into());
        }
        print(&format!("{json:#}\n"));
        return;
    }
    let shown = warnings(report, global);
    if !shown.0.is_empty() {
        report::show_problems(&shown, Path::new(""));
    }
    if global.quiet {
        return;
    }
    let mut text = String::new();
    if global.verbose > 0 {
        text.push_str(&report.modules_text());
    }
    if freeze.flavour.is_none() {
        text.push_str(&chosen(base, report));
    }
    let sizes = report.sizes;
    let [program, interpreter, own, image] =
        [sizes.program, sizes.interpreter, sizes.own, sizes.image]
            .map(|size| report::bytes(size as u64));
    text.push_str(&format!(
        "Made {}: {program}; interpreter {interpreter}, image {image}, in which {} and {} \
         of its own take {own}\n",
        report::short(output).display(),
        counted(report.modules.len(), "module"),
        counted(report.files.len(), "file"),
    ));
    print(&text);
}

/// Why a program is of a flavour that nobody asked for; nothing if it needs nothing of the machine.
fn chosen(base: &Base, report: &Report) -> String {
    let machine = report.machine.iter().map(String::as_str);
    let machine = and_list(["the C library"].into_iter().chain(machine));
    match report.flavour {
        Some(Flavour::Dynamic) => format!(
            "It has compiled code to load, so it is of the flavour `dynamic`, and needs {machine} of the \
             machine\n"
        ),
        Some(Flavour::Host) => format!(
            "It is of the flavour `host`, with {}, since no runtime is used (`ekiben runtime build` makes \
             one), and needs {machine} of the machine\n",
            base.interpreter.display()
        ),
        _ => String::new(),
    }
}

/// The words as a sentence has them.
fn and_list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

pub(super) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The first of each kind, and how many there are besides.
fn warnings(report: &Report, global: &Global) -> Problems {
    let mut kinds: BTreeMap<&str, Vec<&Warning>> = BTreeMap::new();
    for warning in &report.warnings {
        kinds.entry(&warning.code).or_default().push(warning);
    }
    let mut shown = Vec::new();
    for (code, warnings) in kinds {
        let limit = if global.verbose > 0 { warnings.len() } else { SHOWN };
        shown.extend(warnings.iter().take(limit).map(|warning| problem(warning)));
        let more = warnings.len().saturating_sub(limit);
        if let Some(last) = shown.last_mut().filter(|_| more > 0) {
            last.help.push(format!("there are {more} more warnings `{code}`: -v shows them"));
        }
    }
    Problems(shown)
}

fn problem(warning: &Warning) -> Problem {
    let problem = Problem::warning(Cause::Input, &warning.code, &warning.message);
    let at = warning.file.as_ref().map(|file| Place {
        file: file.display().to_string(),
        line: warning.line.max(1),
        column: 1,
        span: None,
    });
    let help = match warning.code.as_str() {
        "file-by-path" => "importlib.resources finds a package's files in a program too",
        "library" => "the program needs a C library that is as new as this machine's",
        "compiled-module" => "`--link static` has it built from source and linked in",
        "missing-library" => "install it, or leave the module out by --exclude",
        "not-linked" => "`ekiben static build` makes static wheels; --static-wheels names them",
        "dynamic-import" => "name what it imports by --include, or in a file of --hints",
        _ => return Problem { at, ..problem },
    };
    Problem { at, ..problem }.help(help)
}

fn problems(error: Error) -> Problems {
    let cause = match error {
        Error::Project(error) => return error.into(),
        Error::Runtime(error) => return super::runtime::problems(&error),
        Error::Io { .. }
        | Error::NoInstaller
        | Error::NoInterpreter { .. }
        | Error::NoRuntime { .. } => Cause::Environment,
        Error::Finder { .. } => Cause::Internal,
        _ => Cause::Input,
    };
    let problem = Problem::error(cause, error.code(), error.to_string());
    match error.help() {
        Some(help) => problem.help(help).into(),
        None => problem.into(),
    }
}
