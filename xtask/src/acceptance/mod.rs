//! `cargo xtask acceptance`: CPython's own regression tests in interpreters that are one file, and real
//! packages as programs (`--only programs`, and of a runtime as it is published `--only published`: see
//! [`programs`]; `--only numpy`: see [`numpy`]).
//!
//! A runtime is built with tests; its ordinary interpreter, with the standard library on the disk, says
//! what is to be expected. Interpreters that carry the standard library run the same tests, which lie
//! beside them. Each test case must come out the same, unless `differences.toml` tells why it can't; an
//! explanation that explains nothing any more is an error too. What nothing explains is run a second
//! time, so that what differs by chance isn't taken for a difference.
//!
//! Results are kept by test file and interpreter in `target/acceptance`, so that a run which was
//! stopped goes on. `--write` makes `docs/acceptance.md` of them.

mod compare;
mod interpreters;
mod numpy;
mod programs;
mod regrtest;
mod report;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

use crate::workspace::{Workspace, run};
use compare::{Comparison, Explanations};
use interpreters::{FLAVOURS, Interpreter, Interpreters};
use programs::Of;
use regrtest::Results;

/// What stands for real packages where tests are named.
const PROGRAMS: &str = "programs";
/// What stands for them, made of a runtime as it is published.
const PUBLISHED: &str = "published";
/// What stands for NumPy's own tests.
const NUMPY: &str = "numpy";
/// What is tried besides CPython's own tests.
const OTHERS: [&str; 3] = [PROGRAMS, PUBLISHED, NUMPY];
/// How many test files are run before their results are kept.
const AT_ONCE: usize = 24;

/// Options of `cargo xtask acceptance`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this test, such as test_runpy, or `programs`: packages as programs, or `published`: those of a
    /// runtime as it is published, or `numpy`: NumPy's own tests. Several may be given
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Without this test, or without `programs`, `published` or `numpy`. Several may be given
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Only interpreters of this flavour
    #[arg(long, value_parser = FLAVOURS)]
    flavour: Option<String>,
    /// How many tests run at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Run what was run before, too
    #[arg(long)]
    again: bool,
    /// Write docs/acceptance.md
    #[arg(long)]
    write: bool,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        if !cfg!(target_os = "linux") {
            bail!("interpreters that are one file can be made on Linux only so far");
        }
        let is_other = |name: &String| OTHERS.contains(&name.as_str());
        if self.only.is_empty() || !self.only.iter().all(is_other) {
            self.run_tests(workspace)?;
        }
        let is_wanted = |what: &str| {
            let is = |name: &String| name == what;
            (self.only.is_empty() || self.only.iter().any(is)) && !self.without.iter().any(is)
        };
        if is_wanted(NUMPY) && self.flavour.as_deref().is_none_or(|flavour| flavour == "static") {
            numpy::test(workspace, self.write)?;
        }
        let is_chosen = |flavour: &&str| self.flavour.as_deref().is_none_or(|it| it == *flavour);
        let flavours: Vec<&str> = FLAVOURS.into_iter().filter(is_chosen).collect();
        for (what, of) in [(PROGRAMS, Of::Plain), (PUBLISHED, Of::Published)] {
            if is_wanted(what) {
                programs::test(workspace, of, &flavours, self.write)?;
            }
        }
        Ok(())
    }

    /// Runs CPython's own tests.
    fn run_tests(&self, workspace: &Workspace) -> Result<()> {
        let interpreters = Interpreters::make(workspace)?;
        let jobs = match self.jobs {
            Some(jobs) => jobs.get(),
            None => std::thread::available_parallelism()?.get(),
        };
        let tests = self.tests(&interpreters.stock)?;
        let expected = self.results(&interpreters.stock, &tests, jobs)?;
        let explanations = Explanations::load(workspace)?;
        let mut comparisons = Vec::new();
        for interpreter in &interpreters.ours {
            if self.flavour.as_ref().is_some_and(|flavour| *flavour != interpreter.name) {
                continue;
            }
            let found = self.results(interpreter, &tests, jobs)?;
            let mut comparison = Comparison::new(interpreter.name, &tests, &expected, &found);
            comparison.explain(&explanations);
            let differing = comparison.unexplained_files();
            if !differing.is_empty() {
                println!("{}: once more, {}", interpreter.name, differing.join(" "));
                let expected = interpreters.stock.run(&differing, 1)?;
                let found = interpreter.run(&differing, 1)?;
                comparison.confirm(&Comparison::new(
                    interpreter.name,
                    &differing,
                    &expected,
                    &found,
                ));
            }
            print!("{}", comparison.text());
            comparisons.push(comparison);
        }
        if self.write {
            report::write(workspace, &interpreters, &tests, &expected, &comparisons)?;
        }
        let is_unexplained = comparisons.iter().any(|it| it.unexplained() > 0);
        let idle = explanations.idle(&tests, &comparisons);
        for pattern in &idle {
            println!("differences.toml: nothing is explained by `{pattern}`");
        }
        ensure!(!is_unexplained, "there are differences that nothing explains");
        ensure!(idle.is_empty(), "there are explanations of nothing");
        Ok(())
    }

    /// The test files to run.
    fn tests(&self, stock: &Interpreter) -> Result<Vec<String>> {
        let all = stock.list_tests()?;
        let is_one = |names: &[String], test: &str| {
            let is = |name: &String| {
                let rest = test.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            names.iter().any(is)
        };
        let named = self.only.iter().chain(&self.without);
        for name in named.filter(|name| !OTHERS.contains(&name.as_str())) {
            let known = all.iter().any(|test| is_one(std::slice::from_ref(name), test));
            ensure!(known, "CPython has no test `{name}`");
        }
        let is_chosen = |test: &String| {
            (self.only.is_empty() || is_one(&self.only, test)) && !is_one(&self.without, test)
        };
        Ok(all.into_iter().filter(is_chosen).collect())
    }

    /// Results of an interpreter, run or kept.
    fn results(&self, interpreter: &Interpreter, tests: &[String], jobs: usize) -> Result<Results> {
        let mut kept = interpreter.kept()?;
        if self.again {
            kept.tests.retain(|test, _| !tests.contains(test));
        }
        let due: Vec<String> =
            tests.iter().filter(|test| !kept.tests.contains_key(*test)).cloned().collect();
        for part in due.chunks(AT_ONCE) {
            println!("{}: {} tests of {}", interpreter.name, part.len(), due.len());
            kept.tests.extend(interpreter.run(part, jobs)?.tests);
            interpreter.keep(&kept)?;
        }
        Ok(kept)
    }
}

/// Builds Ekiben as it is in the workspace.
fn build_ekiben(workspace: &Workspace) -> Result<PathBuf> {
    run(workspace.native_cargo().args(["build", "--workspace", "--quiet"]))?;
    Ok(workspace.target().join("debug/ekiben"))
}
