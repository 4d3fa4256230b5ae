//! `cargo xtask real`: packages of others, built by Ekiben, pass their own tests.
//!
//! `tests/real/<package>/` says which source distribution (`source.txt`), which `pyproject.toml` is
//! laid over its own, and what else the build requires (`build-requires.txt`). Files in `files` are
//! added to the source, and a `second-source.txt` names another source distribution that is unpacked
//! into its folder `second`. `fetch-constraints.txt` holds constraints for pip while it looks into a
//! source distribution, and `fetch-environment.txt` variables.
//!
//! Each package is built on every Python that it supports and that is found, through pip, build and
//! uv in turn, installed alone, and tested from outside its source. On the first Python it is also
//! built again elsewhere with empty caches, and from its source distribution: the bytes must be the
//! same.

mod fetch;
pub(crate) mod migrated;
mod package;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use crate::checks::Checks;
use crate::dist;
use crate::examples::copy_into;
use crate::frontend::{Frontend, Frontends, Product};
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, copy_folder, run_quietly};
use fetch::Form;
pub(crate) use fetch::fetch_set;
use package::{PACKAGES, Package, Tests};

/// Options of `cargo xtask real`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these packages, and those that they need
    packages: Vec<String>,
    #[command(flatten)]
    wheel: dist::Wheel,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        if let Some(unknown) = self.packages.iter().find(|name| find(name).is_none()) {
            bail!("there is no package `{unknown}` in `tests/real`");
        }
        let ekiben = self.wheel.get(workspace)?;
        let chosen = |package: &&Package| {
            let is_named = |name: &str| self.packages.iter().any(|wanted| wanted == name);
            let is_needed = |wanted: &String| {
                find(wanted).is_some_and(|wanted| wanted.needs.contains(&package.name))
            };
            self.packages.is_empty()
                || is_named(package.name)
                || self.packages.iter().any(is_needed)
        };
        test_each(workspace, &ekiben, PACKAGES.iter().filter(chosen))
    }
}

fn find(name: &str) -> Option<&'static Package> {
    PACKAGES.iter().find(|package| package.name == name)
}

/// Tests all packages with Ekiben's wheel.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    test_each(workspace, ekiben, PACKAGES.iter())
}

fn test_each<'p>(
    workspace: &Workspace,
    ekiben: &Path,
    packages: impl Iterator<Item = &'p Package>,
) -> Result<()> {
    let pythons = Python::find_all();
    let first = Python::find()?;
    let tools = first.tools(workspace, "frontends")?;
    let checks = Checks::new(workspace, &first)?;
    let shared = tempfile::tempdir()?;
    for package in packages {
        if let Some(library) = package.library.filter(|library| !has_library(library)) {
            println!("{}: skipped, for pkg-config doesn't know `{library}`", package.name);
            continue;
        }
        let work = tempfile::tempdir()?;
        let (work, made) = (work.path(), shared.path());
        let bench = Bench::prepare(workspace, package, ekiben, &tools, &checks, work, made)?;
        lay_over(workspace, package.name, &bench.source)?;
        bench.test_all(&pythons).with_context(|| format!("real package {}", package.name))?;
    }
    Ok(())
}

fn has_library(name: &str) -> bool {
    let mut query = Command::new("pkg-config");
    query.args(["--exists", name]).status().is_ok_and(|status| status.success())
}

/// A package, ready to be built in a folder for this run.
struct Bench<'a> {
    workspace: &'a Workspace,
    package: &'a Package,
    /// The unpacked source, as it came until something writes its `pyproject.toml`.
    source: PathBuf,
    wheels: PathBuf,
    checks: &'a Checks<'a>,
    work: &'a Path,
    /// Wheels of packages before it.
    made: &'a Path,
}

impl<'a> Bench<'a> {
    fn prepare(
        workspace: &'a Workspace,
        package: &'a Package,
        ekiben: &Path,
        tools: &Venv,
        checks: &'a Checks<'a>,
        work: &'a Path,
        made: &'a Path,
    ) -> Result<Self> {
        let data = data(workspace, package.name);
        let source = unpack_source(workspace, package.name, tools, work)?;
        let wheels = work.join("wheels");
        copy_into(ekiben, &wheels)?;
        if let Some(requires) = existing(&data.join("build-requires.txt")) {
            for wheel in fetch::fetch(tools, &requires, Form::Wheel)? {
                copy_into(&wheel, &wheels)?;
            }
        }
        for wheel in fs::read_dir(made)? {
            copy_into(&wheel?.path(), &wheels)?;
        }
        Ok(Self { workspace, package, source, wheels, checks, work, made })
    }

    /// Brings what builds on a Python require.
    fn fetch_sets(&self, python: &Python) -> Result<()> {
        python.tools(self.workspace, "frontends")?;
        for set in self.package.build_sets {
            fetch_set(self.workspace, python, set, &self.wheels)?;
        }
        Ok(())
    }

    /// Every Python at least once, and every frontend.
    fn test_all(&self, pythons: &[Python]) -> Result<()> {
        let fits = |python: &&Python| self.package.minors.contains(&python.minor());
        let pythons: Vec<&Python> = pythons.iter().filter(fits).collect();
        let [first, ..] = pythons[..] else { bail!("no Python is found that it supports") };
        for python in &pythons {
            self.fetch_sets(python)?;
        }
        self.test_reproducibility(first)?;
        let turns = pythons.len().max(Frontend::ALL.len());
        let next = AtomicUsize::new(0);
        // A turn is now a build, which uses all processors, now a test run, which uses one.
        let take_turns = || -> Result<()> {
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= turns {
                    return Ok(());
                }
                let python = pythons[turn % pythons.len()];
                self.test_one(turn, python, Frontend::ALL[turn % Frontend::ALL.len()])?;
            }
        };
        thread::scope(|scope| {
            let other = scope.spawn(take_turns);
            let ours = take_turns();
            let theirs = other.join().map_err(|_| anyhow!("a test's thread panicked"))?;
            ours.and(theirs)
        })
    }

    fn test_one(&self, turn: usize, python: &Python, frontend: Frontend) -> Result<()> {
        let frontends = Frontends::new(self.workspace, python, &self.wheels)?;
        let folder = self.work.join(format!("turn-{turn}"));
        let wheel = self.build(&frontends, frontend, Product::Wheel, &folder, &self.cache())?;
        self.checks.archive(&wheel)?;

        let venv = frontends.install(&wheel, &folder.join("venv"))?;
        for set in ["pytest"].iter().chain(self.package.test_sets) {
            frontends.install_set(self.workspace, &venv, set)?;
        }
        frontends.install_named(&venv, self.package.needs)?;
        copy_into(&wheel, self.made)?;
        self.copy_tests(&folder.join("tests"))?;
        let mut query = venv.program("python");
        let module = run_quietly(query.args(["-I", "-c", self.package.is_compiled]))?;
        let module = PathBuf::from(module.trim());
        ensure!(
            module.starts_with(folder.join("venv")),
            "`{}` was imported, which isn't what was installed",
            module.display()
        );
        let mut pytest = venv.program("python");
        pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
        match self.package.tests {
            Tests::Installed(name) => pytest.args(["--pyargs", name]),
            Tests::OfSource(_) | Tests::Ours => pytest.arg("tests"),
        };
        let report = run_quietly(pytest.current_dir(&folder))
            .with_context(|| format!("its tests on {python}"))?;
        let passed = count_passed(&report)
            .with_context(|| format!("pytest's report can't be understood:\n{report}"))?;
        let Package { name, least, .. } = self.package;
        ensure!(passed >= *least, "{passed} tests passed, at least {least} should:\n{report}");
        println!("{name} on {python} by {frontend}: {passed} of its own tests pass");
        Ok(())
    }

    fn copy_tests(&self, folder: &Path) -> Result<()> {
        match self.package.tests {
            Tests::OfSource(paths) => {
                for path in paths {
                    let path = self.source.join(path);
                    if path.is_dir() {
                        copy_folder(&path, folder)?;
                    } else {
                        copy_into(&path, folder)?;
                    }
                }
                Ok(())
            }
            Tests::Installed(_) => Ok(()),
            Tests::Ours => {
                let name = self.package.name;
                copy_folder(&self.workspace.path(&format!("tests/real/{name}/tests")), folder)
            }
        }
    }

    /// The wheel is the same from another folder, by another frontend, and by way of an sdist.
    fn test_reproducibility(&self, python: &Python) -> Result<()> {
        let frontends = Frontends::new(self.workspace, python, &self.wheels)?;
        let build = |frontend, product, name: &str| {
            let folder = self.work.join(name);
            self.build(&frontends, frontend, product, &folder, &folder.join("cache"))
        };
        let reference = self.work.join("reference");
        let (pip, cache) = (Frontend::Pip, self.cache());
        let wheel = self.build(&frontends, pip, Product::Wheel, &reference, &cache)?;
        if !self.package.is_large {
            let elsewhere = build(Frontend::Uv, Product::Wheel, "a/rather/different/place")?;
            self.checks.same(&wheel, &elsewhere)?;
        }
        let sdist = build(Frontend::Build, Product::Sdist, "sdist")?;
        self.checks.same(&sdist, &build(Frontend::Uv, Product::Sdist, "another-sdist")?)?;
        self.checks.archive(&sdist)?;
        let checkout = self.work.join("checkout");
        copy_folder(&self.source, &checkout)?;
        self.checks.checkout(&frontends, &checkout, &self.cache())?;
        let folder = self.work.join("from-sdist");
        let out = folder.join("out");
        fs::create_dir_all(&out)?;
        let cache = folder.join("cache");
        let through = frontends.build(Frontend::Pip, Product::Wheel, &sdist, &out, &cache)?;
        self.checks.same(&wheel, &through)?;
        let name = self.package.name;
        println!("{name}: the same bytes from two folders, and by way of its sdist");
        Ok(())
    }

    /// The cache of all builds that needn't begin with an empty one.
    fn cache(&self) -> PathBuf {
        self.work.join("cache")
    }

    fn build(
        &self,
        frontends: &Frontends,
        frontend: Frontend,
        product: Product,
        folder: &Path,
        cache: &Path,
    ) -> Result<PathBuf> {
        let project = folder.join("project");
        copy_folder(&self.source, &project)?;
        let out = folder.join("out");
        fs::create_dir_all(&out)?;
        frontends.build(frontend, product, &project, &out, cache)
    }
}

fn data(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.path(&format!("tests/real/{name}"))
}

/// A package's source as its authors published it, unpacked below `work`.
pub(crate) fn original_source(
    workspace: &Workspace,
    name: &str,
    tools: &Venv,
    work: &Path,
) -> Result<PathBuf> {
    unpack(tools, &data(workspace, name).join("source.txt"), &work.join("unpacked"))
}

/// A package's source as Ekiben builds it, unpacked below `work`.
pub(crate) fn prepare_source(
    workspace: &Workspace,
    name: &str,
    tools: &Venv,
    work: &Path,
) -> Result<PathBuf> {
    let source = unpack_source(workspace, name, tools, work)?;
    lay_over(workspace, name, &source)?;
    Ok(source)
}

/// A package's source with what `tests/real` adds, but its own `pyproject.toml`.
fn unpack_source(workspace: &Workspace, name: &str, tools: &Venv, work: &Path) -> Result<PathBuf> {
    let data = data(workspace, name);
    let source = original_source(workspace, name, tools, work)?;
    if let Some(second) = existing(&data.join("second-source.txt")) {
        let unpacked = unpack(tools, &second, &work.join("second"))?;
        copy_folder(&unpacked, &source.join("second"))?;
    }
    if let Some(files) = existing(&data.join("files")) {
        copy_folder(&files, &source)?;
    }
    Ok(source)
}

/// Gives a source the `pyproject.toml` that we wrote for it.
fn lay_over(workspace: &Workspace, name: &str, source: &Path) -> Result<()> {
    fs::copy(data(workspace, name).join("pyproject.toml"), source.join("pyproject.toml"))
        .with_context(|| format!("`{}` can't be written", source.display()))?;
    Ok(())
}

/// The one source distribution that `requirements` names, unpacked.
fn unpack(tools: &Venv, requirements: &Path, into: &Path) -> Result<PathBuf> {
    let [archive] = &fetch::fetch(tools, requirements, Form::Sdist)?[..] else {
        bail!("`{}` should name one file", requirements.display());
    };
    fetch::unpack(tools, archive, into)
}

fn existing(path: &Path) -> Option<PathBuf> {
    path.exists().then(|| path.to_owned())
}

/// From pytest's last line: `80 passed, 2 skipped in 0.12s`.
fn count_passed(report: &str) -> Option<usize> {
    let last = report.lines().rev().find(|line| line.contains(" passed"))?;
    let (before, _) = last.split_once(" passed")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        assert_eq!(count_passed("....\n80 passed in 0.12s\n"), Some(80));
        assert_eq!(count_passed("1 skipped, 7 passed, 2 warnings in 1.00s\n"), Some(7));
        assert_eq!(count_passed("no tests ran in 0.01s\n"), None);
    }
}
