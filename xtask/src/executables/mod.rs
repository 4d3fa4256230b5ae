//! `cargo xtask executables`: the scripts in `tests/executables` as programs.
//!
//! A runtime is built, or taken from the user's cache; each script is frozen in both flavours and run
//! beside the runtime's ordinary interpreter. Output and exit codes must be the same, and what the
//! programs open is checked against a short list. In the end, `examples/executable` becomes a wheel.

mod anywhere;
mod artifact;
mod beside;
mod builds;
mod host;
mod linked;
mod opened;
mod own;
mod relinked;
mod wheels;

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::dist;
use crate::examples::copy_into;
use crate::frontend::Frontends;
use crate::python::{Python, Venv, clean};
use crate::runtime;
use crate::workspace::{Workspace, run};

/// CPython's version, of which everything is tried.
const PYTHON: &str = "3.13";
const FLAVOURS: [&str; 2] = ["static", "dynamic"];

/// Before the arguments of a run, in a script.
const RUN: &str = "# run:";

/// Environments in which a script runs, by what they add: variables that locales come from.
const LOCALES: [&[(&str, &str)]; 6] = [
    &[("LANG", "C.UTF-8")],
    &[("LC_ALL", "C")],
    &[("LC_ALL", "C.UTF-8")],
    &[("LC_ALL", ""), ("LANG", "C")],
    &[("LC_ALL", LATIN)],
    &[],
];
/// A locale that isn't in UTF-8, of which the codec is needed before anything can be imported.
const LATIN: &str = "de_DE.ISO-8859-15";

/// Options of `cargo xtask executables`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    wheel: dist::Wheel,
    /// CPython's version. Of another than the default, what is made of projects and of ordinary
    /// interpreters is left out
    #[arg(long, default_value = PYTHON)]
    python: String,
    /// More options of `ekiben runtime build`, such as `--source` for a version that no index has
    #[arg(last = true)]
    options: Vec<String>,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        test_version(workspace, &self.wheel.get(workspace)?, &self.python, &self.options)
    }
}

/// Makes and tests all programs with Ekiben's wheel.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    test_version(workspace, ekiben, PYTHON, &[])
}

fn test_version(
    workspace: &Workspace,
    ekiben: &Path,
    version: &str,
    options: &[String],
) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("executables: left out, for they can be made on Linux only so far");
        return Ok(());
    }
    let work = tempfile::tempdir()?;
    let wheels = work.path().join("wheels");
    copy_into(ekiben, &wheels)?;
    let frontends = Frontends::new(workspace, &Python::find()?, &wheels)?;
    let program = frontends.install(ekiben, &work.path().join("ekiben"))?;
    let bench = Bench::new(workspace, &program, work.path(), (version, options))?;
    for script in scripts(&bench.scripts)? {
        let programs = bench.programs(&script, &FLAVOURS, None)?;
        bench
            .compare(&script, &programs, &bench.python, None, &LOCALES)
            .with_context(|| format!("`{}`", script.display()))?;
    }
    anywhere::test(&bench)?;
    opened::test(&bench)?;
    relinked::test(&bench)?;
    beside::test(&bench)?;
    builds::test(&bench, workspace, ekiben)?;
    linked::test(&bench)?;
    wheels::test(&bench, workspace)?;
    if version != PYTHON {
        return Ok(());
    }
    own::test(&bench, workspace, ekiben)?;
    host::test(&bench)?;
    artifact::test(workspace, ekiben, (&program, &bench.runtime), work.path())
}

/// A runtime, and where programs are made.
struct Bench<'a> {
    ekiben: &'a Venv,
    scripts: PathBuf,
    work: &'a Path,
    runtime: PathBuf,
    /// CPython's version, such as `3.13`.
    version: &'a str,
    /// The runtime's ordinary interpreter.
    python: PathBuf,
    /// Where the C library finds `LATIN`.
    locales: PathBuf,
}

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: ExitStatus,
    output: String,
    /// The last line of what was written to stderr: those before are a traceback, which shows paths.
    complaint: String,
}

impl<'a> Bench<'a> {
    fn new(
        workspace: &Workspace,
        ekiben: &'a Venv,
        work: &'a Path,
        (version, options): (&'a str, &[String]),
    ) -> Result<Self> {
        let mut program = ekiben.program("ekiben");
        let runtime = runtime::build(program.current_dir(work), version, options)?;
        run(ekiben.program("ekiben").args(["runtime", "check", "--quiet"]).arg(&runtime))?;
        let python = runtime.join(format!("bin/python{version}"));
        let locales = work.join("locales");
        fs::create_dir(&locales)?;
        let mut localedef = Command::new("localedef");
        localedef.args(["-i", "de_DE", "-f", "ISO-8859-15"]).arg(locales.join(LATIN));
        run(&mut localedef)?;
        let scripts = workspace.path("tests/executables");
        Ok(Self { ekiben, scripts, work, runtime, version, python, locales })
    }

    /// The runtime's folder, as an option's value.
    fn runtime(&self) -> Result<&str> {
        self.runtime.to_str().context("the runtime's folder isn't named in UTF-8")
    }

    /// Freezes a script in some flavours of the runtime, with packages in a folder.
    fn programs<'f>(
        &self,
        script: &Path,
        flavours: &[&'f str],
        site: Option<&Path>,
    ) -> Result<Vec<(&'f str, PathBuf)>> {
        let mut programs = Vec::new();
        for flavour in flavours {
            let mut words: Vec<&OsStr> =
                ["--runtime", self.runtime()?, "--flavour", flavour].map(OsStr::new).into();
            if let Some(site) = site {
                words.extend([OsStr::new("--site"), site.as_os_str()]);
            }
            programs.push((*flavour, self.freeze(script, flavour, &words)?));
        }
        Ok(programs)
    }

    /// Freezes a script with some options, and gives the program, which is in a folder of that name.
    fn freeze(&self, script: &Path, folder: &str, words: &[&OsStr]) -> Result<PathBuf> {
        let name = script.file_stem().context("a script has a name")?.to_string_lossy();
        let program = self.work.join(folder).join(&*name);
        fs::create_dir_all(self.work.join(folder))?;
        let mut freeze = self.ekiben.program("ekiben");
        freeze.args(["freeze", "--quiet"]).args(words);
        run(freeze.arg(script).arg("-o").arg(&program).current_dir(self.work))?;
        Ok(program)
    }

    /// Runs a script's programs in every way that it asks for, beside an interpreter.
    fn compare(
        &self,
        script: &Path,
        programs: &[(&str, PathBuf)],
        python: &Path,
        site: Option<&Path>,
        locales: &[&[(&str, &str)]],
    ) -> Result<()> {
        let name = script.file_stem().context("a script has a name")?.to_string_lossy();
        let text = fs::read_to_string(script)?;
        let runs: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(RUN)).collect();
        ensure!(!runs.is_empty(), "no line begins with `{RUN}`");
        let folder = script.parent().context("a script is in a folder")?;
        let path = std::env::join_paths([Some(folder), site].into_iter().flatten())?;
        for arguments in &runs {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            for locale in locales {
                let mut ordinary = Command::new(python);
                ordinary.args(["-m", &name]).args(&arguments);
                let expected = self.outcome(&mut ordinary, locale, Some(&path))?;
                for (flavour, program) in programs {
                    let mut frozen = Command::new(program);
                    let found = self.outcome(frozen.args(&arguments), locale, None)?;
                    ensure!(
                        found == expected,
                        "{arguments:?} in {locale:?}: the {flavour} program gives\n{found:#?}\nand python gives\n{expected:#?}"
                    );
                }
            }
        }
        let flavours: Vec<&str> = programs.iter().map(|(flavour, _)| *flavour).collect();
        println!("{name}: {} runs are as with python, {}", runs.len(), flavours.join(" and "));
        Ok(())
    }

    fn outcome(
        &self,
        command: &mut Command,
        locale: &[(&str, &str)],
        path: Option<&OsStr>,
    ) -> Result<Outcome> {
        clean(command, locale);
        command.env("LOCPATH", &self.locales);
        if let Some(path) = path {
            command.env("PYTHONPATH", path).env("PYTHONDONTWRITEBYTECODE", "1");
        }
        command.current_dir(self.work);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
        // A script that doesn't read it may have ended already.
        let _ = child.stdin.take().context("stdin")?.write_all("in é\n".as_bytes());
        let output = child.wait_with_output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        Ok(Outcome {
            status: output.status,
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: complaint.lines().last().unwrap_or_default().to_owned(),
        })
    }
}

fn scripts(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            scripts.push(path);
        }
    }
    scripts.sort();
    if scripts.is_empty() {
        bail!("no script in `{}`", folder.display());
    }
    Ok(scripts)
}
