//! `ekiben freeze`: a program from a script, a module, an entry point or a project.

mod asked;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ekiben_core::{Cause, Place, Problem, Problems};
use ekiben_engine::{Cache, CacheLimits};
use ekiben_freeze::program::host::Interpreter;
use ekiben_freeze::program::{
    self, Base, Beside, Error, Flavour, Program, Project, Report, Target, Warning,
};
use ekiben_freeze::runtime::{self, Store};

use self::asked::Asked;
use super::End;
use super::build::print;
use super::stopped::Stopped;
use crate::cli::{Freeze, FreezeFlavour, Global, ListFormat};
use crate::environment;
use crate::parts::HOST_PARTS;
use crate::report;

/// The version of Python, unless another is asked for.
const PYTHON: &str = "3.13";
/// What an interpreter is made of that nothing was named for: a module that each has.
const ANY: &str = "site";
/// How many warnings of a kind are shown unless more is to be said.
const SHOWN: usize = 5;

/// Codes of problems with modules that aren't there: any, and the main one.
const MISSING: &str = "missing-module";
const MISSING_MAIN: &str = "freeze-modules";

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

fn perform(freeze: &Freeze, global: &Global, stopped: &Stopped) -> Result<(), Problems> {
    let target = Target::parse(freeze.target.as_deref().unwrap_or(ANY)).map_err(problems)?;
    let project = match &target {
        Target::Project(folder) => Some(Project::read(folder).map_err(problems)?),
        _ => None,
    };
    if let (Some(script), None) = (&freeze.script, &project) {
        let message = format!("--script {script} chooses among the scripts of a project");
        let help = "name the folder of the project, or leave out --script";
        return Err(Problem::error(Cause::Input, "freeze", message).help(help).into());
    }
    let laid_over = project.as_ref().map(|project| settings::laid_over(freeze, project));
    let freeze = laid_over.as_ref().unwrap_or(freeze);
    let output = match &freeze.output {
        Some(output) => output.clone(),
        None => output(freeze, &target, project.as_ref())?,
    };
    program::check_output(&output, inputs(freeze, &target)).map_err(problems)?;
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
    let asked =
        Asked { freeze, global, stopped, base: &base, cache: &folder, project: project.as_ref() };
    let mut request = asked.request(target)?;
    request.beside = beside(freeze, &output);
    let inactive = asked.inactive_environment();
    let made = asked.made(&mut request, cache.as_ref()).map_err(|mut problems| {
        help_missing(&mut problems, MISSING_MAIN, inactive.as_deref());
        problems
    })?;
    made.write(&output).map_err(problems)?;
    if let Some(cache) = &cache {
        cache.maintain();
    }
    tell(&asked, &made, &output, inactive.as_deref());
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
    // Runtimes are no results of builds: they are there with any cache.
    let store = || environment::cache_dir(global).map(|cache| Store::new(&cache));
    if let Some(runtime) = &freeze.runtime {
        let name = runtime.to_str().filter(|name| !runtime.is_dir() && !name.contains('/'));
        let Some(name) = name else { return Base::in_folder(runtime).map_err(problems) };
        let found = store()?.find(Some(name)).map_err(|error| super::runtime::problems(&error))?;
        return Base::in_folder(&found.folder).map_err(problems);
    }
    if is_path || freeze.flavour == Some(FreezeFlavour::Host) {
        return host().map_err(problems);
    }
    let wanted = wanted.unwrap_or(PYTHON);
    match store()?.find(Some(wanted)) {
        Ok(runtime) => Base::in_folder(&runtime.folder).map_err(problems),
        // What was asked for is never replaced.
        Err(error) if freeze.flavour.is_some() => Err(no_runtime(wanted, &error, None)),
        Err(error) => host().map_err(|why| match why {
            Error::NoInterpreter { .. } | Error::Host { .. } => {
                no_runtime(wanted, &error, Some(&why))
            }
            _ => problems(why),
        }),
    }
}

/// That there is no runtime of a version, and why no ordinary interpreter serves, if one was tried.
fn no_runtime(wanted: &str, error: &runtime::Error, host: Option<&Error>) -> Problems {
    let mut problems = super::runtime::problems(error);
    let Some(problem) = problems.0.first_mut() else { return problems };
    if wanted.strip_prefix("3.").is_some_and(|minor| minor.parse::<u32>().is_ok()) {
        let command = format!("`ekiben runtime build --python {wanted}`");
        match error {
            runtime::Error::NoSuchRuntime { there, .. } if there.is_empty() => {
                problem.help = vec![format!("there is none yet: make one with {command}")];
            }
            _ => problem.help.push(format!("{command} makes one")),
        }
    }
    problem.help.extend(host.map(|why| format!("an ordinary interpreter doesn't serve: {why}")));
    problems
}

/// Where a program is written if nothing else is said: a project's where its wheels are, which no source
/// distribution takes along, others in the current folder.
fn output(
    freeze: &Freeze,
    target: &Target,
    project: Option<&Project>,
) -> Result<PathBuf, Problems> {
    if freeze.target.is_none() {
        return Ok(PathBuf::from("python"));
    }
    let script = freeze.script.as_deref();
    let name = project.map(|project| project.program_name(script)).transpose().map_err(problems)?;
    let first = |module: &str| PathBuf::from(module.split('.').next().unwrap_or(module));
    Ok(match target {
        Target::Script(script) => PathBuf::from(script.file_stem().unwrap_or_default()),
        Target::Module { name, .. } => first(name),
        Target::EntryPoint { module, .. } => first(module),
        Target::Project(folder) => folder.join("dist").join(name.unwrap_or_default()),
    })
}

/// Files that the program is made of, as far as they were named.
fn inputs<'a>(freeze: &'a Freeze, target: &'a Target) -> impl Iterator<Item = &'a Path> {
    let script = match target {
        Target::Script(script) => Some(script),
        _ => None,
    };
    let files = script.into_iter().chain(&freeze.requirements).chain(&freeze.trace_file);
    files.chain(&freeze.static_wheels).map(PathBuf::as_path)
}

/// What lies beside the program, in a folder that is named after it.
fn beside(freeze: &Freeze, program: &Path) -> Option<Beside> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let packages = freeze.beside.clone();
    (!packages.is_empty()).then(|| Beside { packages, folder: format!("{name}.lib") })
}

fn tell(asked: &Asked<'_>, made: &Program, output: &Path, inactive: Option<&str>) {
    let Asked { freeze, global, base, .. } = *asked;
    let report = &made.report;
    if freeze.format == ListFormat::Json {
        let mut json = serde_json::to_value(report).unwrap_or_default();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("program".to_owned(), output.display().to_string().into());
            let beside = made.beside.as_ref().map(|beside| beside.name.as_str());
            fields.insert("beside".to_owned(), beside.into());
        }
        print(&format!("{json:#}\n"));
        return;
    }
    let mut shown = warnings(report, global);
    help_missing(&mut shown, MISSING, inactive);
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
    if let Some(beside) = &made.beside {
        let (files, size) = beside.size();
        let (files, size) = (counted(files, "file"), report::bytes(size as u64));
        text.push_str(&format!("Beside it, {} holds {files}, {size}\n", beside.name));
    }
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

/// Says with the first problem of a kind what environment modules weren't looked for in.
fn help_missing(problems: &mut Problems, code: &str, inactive: Option<&str>) {
    let first = problems.0.iter_mut().find(|problem| problem.code == code);
    if let Some(problem) = first {
        problem.help.extend(inactive.map(str::to_owned));
    }
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
        "editable" => "install it otherwise, or name the folder that holds its packages by --site",
        "missing-library" => "install it, or leave the module out by --exclude",
        "not-linked" => "`ekiben static build` makes static wheels; --static-wheels names them",
        "dynamic-import" => "name what it imports by --include, or in a file of --hints",
        _ => return Problem { at, ..problem },
    };
    Problem { at, ..problem }.help(help)
}

pub(super) fn problems(error: Error) -> Problems {
    let cause = match error {
        Error::Project(error) => return error.into(),
        Error::Runtime(error) => return super::runtime::problems(&error),
        Error::Io { .. }
        | Error::NoInstaller { .. }
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
