//! Real packages as programs: frozen, run, and compared with the same packages in the ordinary
//! interpreter of the same build.
//!
//! [`cases`] says what is made and done. The exit code, what is printed, what a server answers and the
//! files that are made have to be the same, but for times, ports and the places of programs
//! ([`outcome`]).

mod cases;
mod outcome;
mod page;
mod run;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::interpreters::PYTHON;
use super::report::{self, Made};
use crate::python::{Site, is_same};
use crate::runtime;
use crate::workspace::{self, Workspace, output_of};
use cases::{PROGRAMS, Program, Source};
use run::Bench;

/// The set of `xtask/requirements`.
const SET: &str = "real-programs";
/// Where scripts, and the files of runs, are.
const FOLDER: &str = "tests/programs";

/// What the programs are made of.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// A runtime as anybody makes it.
    Plain,
    /// A runtime as it is published.
    Published,
}

impl Of {
    /// The options by which the runtime is built.
    fn options(self) -> Vec<String> {
        match self {
            Self::Plain => Vec::new(),
            Self::Published => runtime::PUBLISHED.map(str::to_owned).into(),
        }
    }

    /// How the part of `docs/acceptance.md` begins.
    fn beginning(self) -> String {
        match self {
            Self::Plain => format!(
                "## Packages as programs\n\n\
                 Real packages, as pip installs them (`xtask/requirements/{SET}.txt`), are frozen by \
                 `ekiben freeze` and run, and so they are in the ordinary interpreter of the same build. Exit \
                 codes, what is printed, what servers answer and the files that are made have to be the same, \
                 but for times, ports and the places of programs. `xtask/src/acceptance/programs/cases.rs` \
                 says what is run."
            ),
            Self::Published => format!(
                "## Programs of published runtimes\n\n\
                 The same with a runtime as it is published: `ekiben runtime build {}`.",
                self.options().join(" ")
            ),
        }
    }
}

/// Makes, runs and compares all programs.
pub(super) fn test(
    workspace: &Workspace,
    of: Of,
    flavours: &[&'static str],
    write: bool,
) -> Result<()> {
    let ekiben = super::build_ekiben(workspace)?;
    let runtime = runtime::build(&mut Command::new(&ekiben), PYTHON, &of.options())?;
    let version = runtime::manifest(&runtime)?["interpreter"]["version"].clone();
    let version = version.as_str().context("a runtime has a version")?.to_owned();
    let site = Site::make(workspace, SET, PYTHON)?;
    let scratch = tempfile::tempdir()?;
    let freezer = Freezer { ekiben, runtime, site, scripts: workspace.path(FOLDER) };
    let bench = Bench::new(workspace, &freezer.runtime, &freezer.site, scratch.path())?;
    let mut rows = Vec::new();
    for program in &PROGRAMS {
        let row = freezer
            .compare(&bench, program, flavours)
            .with_context(|| format!("`{}`", program.name))?;
        println!("{}", row.text());
        rows.push(row);
    }
    if write {
        let part = part(of, &Made::now(workspace)?, &version, flavours, &rows);
        report::write_part(workspace, &part)?;
    }
    let all_same = rows.iter().flat_map(|row| &row.made).all(|made| made.same == made.runs);
    ensure!(
        all_same,
        "there are programs that don't do what they do with the ordinary interpreter"
    );
    Ok(())
}

/// What makes programs.
struct Freezer {
    ekiben: PathBuf,
    runtime: PathBuf,
    site: Site,
    scripts: PathBuf,
}

/// What came of a program.
struct Row {
    name: &'static str,
    /// The distribution and its version.
    distribution: Option<(&'static str, String)>,
    /// How many modules it has besides those of the standard library.
    modules: usize,
    /// In each flavour.
    made: Vec<InFlavour>,
}

struct InFlavour {
    flavour: &'static str,
    bytes: u64,
    /// How long it takes to make it a second time.
    time: Duration,
    runs: usize,
    same: usize,
}

impl Freezer {
    fn compare(
        &self,
        bench: &Bench<'_>,
        program: &Program,
        flavours: &[&'static str],
    ) -> Result<Row> {
        let mut row = Row { name: program.name, distribution: None, modules: 0, made: Vec::new() };
        let ordinary = bench.ordinary(program, &self.scripts);
        let mut expected = Vec::new();
        for run in program.runs {
            let outcome = bench.outcome(&ordinary, run);
            let checked = outcome.and_then(|it| it.check(run.code, run.says).map(|()| it));
            expected
                .push(checked.with_context(|| format!("the interpreter, {:?}", run.arguments))?);
        }
        for flavour in flavours {
            let path = bench.scratch.join(flavour).join(program.name);
            fs::create_dir_all(bench.scratch.join(flavour))?;
            self.freeze(program, flavour, &path)?;
            let start = Instant::now();
            let inventory = self.freeze(program, flavour, &path)?;
            let time = start.elapsed();
            row.take(program, &inventory)?;
            let mut same = 0;
            for (run, expected) in program.runs.iter().zip(&expected) {
                let found = bench
                    .outcome(&run::Started::program(&path), run)
                    .with_context(|| format!("{flavour}, {:?}", run.arguments))?;
                let differences = found.differences(expected);
                for difference in &differences {
                    println!("{}, {flavour}, {:?}: {difference}", program.name, run.arguments);
                }
                same += usize::from(differences.is_empty());
            }
            let bytes = fs::metadata(&path)?.len();
            let runs = program.runs.len();
            row.made.push(InFlavour { flavour, bytes, time, runs, same });
        }
        Ok(row)
    }

    /// Freezes a program, and gives what is in it.
    fn freeze(&self, program: &Program, flavour: &str, to: &Path) -> Result<Value> {
        let mut freeze = Command::new(&self.ekiben);
        freeze.args(["freeze", "--quiet", "--format", "json", "--flavour", flavour, "--runtime"]);
        freeze.arg(&self.runtime).arg("--site").arg(&self.site.packages).arg("-o").arg(to);
        match program.source {
            Source::EntryPoint(function) => freeze.arg(function),
            Source::Module => freeze.arg(program.name),
            Source::Script => freeze.arg(self.scripts.join(format!("{}.py", program.name))),
        };
        serde_json::from_str(&output_of(&mut freeze)?).context("`ekiben freeze` printed no JSON")
    }
}

impl Row {
    /// Takes what an inventory says.
    fn take(&mut self, program: &Program, inventory: &Value) -> Result<()> {
        self.modules = inventory["modules"].as_array().map_or(0, Vec::len);
        if let Some(name) = program.distribution {
            let mut all = inventory["distributions"].as_array().into_iter().flatten();
            let found = all.find(|it| it["name"].as_str().is_some_and(|it| is_same(it, name)));
            let version = found.and_then(|it| it["version"].as_str());
            let version = version.with_context(|| format!("`{name}` isn't in the program"))?;
            self.distribution = Some((name, version.to_owned()));
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = format!("{}: {} modules", self.name, self.modules);
        for made in &self.made {
            // Writing to a string can't fail.
            let _ = write!(
                text,
                "; {}: {:.1} MB in {:.2} s, {} of {} runs are as with python",
                made.flavour,
                made.bytes as f64 / 1e6,
                made.time.as_secs_f64(),
                made.same,
                made.runs
            );
        }
        text
    }
}

/// The part of `docs/acceptance.md`.
fn part(of: Of, made: &Made, python: &str, flavours: &[&str], rows: &[Row]) -> String {
    let mut text = format!(
        "{}\n\n\
         CPython {python}, commit {} of Ekiben, {}. *Modules* are those besides the standard library; *made in* \
         is the time of making it a second time, by an Ekiben that isn't optimised.\n\n| program | of | modules |",
        of.beginning(),
        made.commit,
        made.date
    );
    // Writing to a string can't fail.
    for flavour in flavours {
        let _ = write!(text, " {flavour} | made in | as with python |");
    }
    text.push_str("\n|---|---|---:|");
    text.push_str(&"---:|---:|---:|".repeat(flavours.len()));
    text.push('\n');
    for row in rows {
        let of = match &row.distribution {
            Some((name, version)) => format!("{name} {version}"),
            None => format!("CPython {python}"),
        };
        let _ = write!(text, "| {} | {of} | {} |", row.name, row.modules);
        for made in &row.made {
            let (megabytes, seconds) = (made.bytes as f64 / 1e6, made.time.as_secs_f64());
            let (same, runs) = (made.same, made.runs);
            let _ = write!(text, " {megabytes:.1} MB | {seconds:.2} s | {same} of {runs} |");
        }
        text.push('\n');
    }
    text
}

/// Puts a run's files into an empty folder.
fn fresh(folder: &Path, files: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    workspace::copy_folder(files, folder)
}
