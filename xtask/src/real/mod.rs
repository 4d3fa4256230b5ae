//! `cargo xtask real`: packages of others, built by Ekiben, pass their own tests.
//!
//! `tests/real/<package>/` says which source distribution (`source.txt`), which `pyproject.toml` is
//! laid over its own, and what else the build requires (`build-requires.txt`). Each package is built
//! on every supported Python that is found, through pip, build and uv in turn, installed alone, and
//! tested from outside its source. On the first Python it is also built again elsewhere with empty
//! caches, and from its source distribution: the bytes must be the same.

mod fetch;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::dist;
use crate::examples::copy_into;
use crate::frontend::{Frontend, Frontends, Product};
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, copy_folder, run_quietly};
use fetch::Form;

/// A package of others.
struct Package {
    name: &'static str,
    /// Its tests' folder in the source distribution.
    tests: &'static str,
    /// The tests that must pass at least: all there were when this was written.
    least: usize,
    /// Exits with an error unless the compiled module is what the package really uses.
    is_compiled: &'static str,
}

const PACKAGES: [Package; 2] = [
    Package {
        name: "markupsafe",
        tests: "tests",
        least: 78,
        is_compiled: "import markupsafe as m, markupsafe._speedups as s; \
                      assert m._escape_inner is s._escape_inner; print(s.__file__)",
    },
    Package {
        name: "kiwisolver",
        tests: "py/tests",
        least: 50,
        is_compiled: "import kiwisolver as k, kiwisolver._cext as c; \
                      assert k.Solver is c.Solver; print(c.__file__)",
    },
];

/// Options of `cargo xtask real`.
#[derive(clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        test(workspace, &dist::build(workspace)?)
    }
}

/// Tests all packages with Ekiben's wheel.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let pythons = Python::find_all();
    let first = Python::find()?;
    let tools = first.tools(workspace, "frontends")?;
    let checks = first.tools(workspace, "checks")?;
    for package in &PACKAGES {
        let work = tempfile::tempdir()?;
        let bench = Bench::prepare(workspace, package, ekiben, &tools, &checks, work.path())?;
        bench.test_all(&pythons).with_context(|| format!("real package {}", package.name))?;
    }
    Ok(())
}

/// A package, ready to be built in a folder for this run.
struct Bench<'a> {
    workspace: &'a Workspace,
    package: &'a Package,
    /// The unpacked source with our `pyproject.toml`.
    source: PathBuf,
    wheels: PathBuf,
    checks: &'a Venv,
    work: &'a Path,
}

impl<'a> Bench<'a> {
    fn prepare(
        workspace: &'a Workspace,
        package: &'a Package,
        ekiben: &Path,
        tools: &Venv,
        checks: &'a Venv,
        work: &'a Path,
    ) -> Result<Self> {
        let data = workspace.path(&format!("tests/real/{}", package.name));
        let [archive] = &fetch::fetch(tools, &data.join("source.txt"), Form::Sdist)?[..] else {
            bail!("`source.txt` should name one file");
        };
        let source = fetch::unpack(tools, archive, &work.join("unpacked"))?;
        fs::copy(data.join("pyproject.toml"), source.join("pyproject.toml"))?;
        let wheels = work.join("wheels");
        copy_into(ekiben, &wheels)?;
        let requires = data.join("build-requires.txt");
        if requires.is_file() {
            for wheel in fetch::fetch(tools, &requires, Form::Wheel)? {
                copy_into(&wheel, &wheels)?;
            }
        }
        Ok(Self { workspace, package, source, wheels, checks, work })
    }

    /// Every Python at least once, and every frontend.
    fn test_all(&self, pythons: &[Python]) -> Result<()> {
        let [first, ..] = pythons else { bail!("no supported Python is found") };
        self.test_reproducibility(first)?;
        for turn in 0..pythons.len().max(Frontend::ALL.len()) {
            let python = &pythons[turn % pythons.len()];
            self.test_one(turn, python, Frontend::ALL[turn % Frontend::ALL.len()])?;
        }
        Ok(())
    }

    fn test_one(&self, turn: usize, python: &Python, frontend: Frontend) -> Result<()> {
        let frontends = Frontends::new(self.workspace, python, &self.wheels)?;
        let folder = self.work.join(format!("turn-{turn}"));
        let wheel = self.build(&frontends, frontend, Product::Wheel, &folder)?;
        self.check_archive(&wheel)?;

        let venv = frontends.install(&wheel, &folder.join("venv"))?;
        frontends.install_set(self.workspace, &venv, "pytest")?;
        let tests = folder.join("tests");
        copy_folder(&self.source.join(self.package.tests), &tests)?;
        let mut query = venv.program("python");
        let module = run_quietly(query.args(["-I", "-c", self.package.is_compiled]))?;
        let module = PathBuf::from(module.trim());
        ensure!(
            module.starts_with(folder.join("venv")),
            "`{}` was imported, which isn't what was installed",
            module.display()
        );
        let mut pytest = venv.program("python");
        pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]);
        let report = run_quietly(pytest.current_dir(&folder))
            .with_context(|| format!("its tests on {python}"))?;
        let passed = count_passed(&report)
            .with_context(|| format!("pytest's report can't be understood:\n{report}"))?;
        let Package { name, least, .. } = self.package;
        ensure!(passed >= *least, "{passed} tests passed, at least {least} should:\n{report}");
        println!("{name} on {python} by {frontend}: {passed} of its own tests pass");
        Ok(())
    }

    /// The wheel is the same from another folder, by another frontend, and by way of an sdist.
    fn test_reproducibility(&self, python: &Python) -> Result<()> {
        let frontends = Frontends::new(self.workspace, python, &self.wheels)?;
        let build = |frontend, product, name: &str| {
            self.build(&frontends, frontend, product, &self.work.join(name))
        };
        let wheel = build(Frontend::Pip, Product::Wheel, "reference")?;
        let elsewhere = build(Frontend::Uv, Product::Wheel, "a/rather/different/place")?;
        ensure_same(&wheel, &elsewhere)?;
        let sdist = build(Frontend::Build, Product::Sdist, "sdist")?;
        ensure_same(&sdist, &build(Frontend::Uv, Product::Sdist, "another-sdist")?)?;
        self.check_archive(&sdist)?;
        let folder = self.work.join("from-sdist");
        let out = folder.join("out");
        fs::create_dir_all(&out)?;
        let cache = folder.join("cache");
        let through = frontends.build(Frontend::Pip, Product::Wheel, &sdist, &out, &cache)?;
        ensure_same(&wheel, &through)?;
        let name = self.package.name;
        println!("{name}: the same bytes from two folders, and by way of its sdist");
        Ok(())
    }

    fn build(
        &self,
        frontends: &Frontends,
        frontend: Frontend,
        product: Product,
        folder: &Path,
    ) -> Result<PathBuf> {
        let project = folder.join("project");
        copy_folder(&self.source, &project)?;
        let out = folder.join("out");
        fs::create_dir_all(&out)?;
        frontends.build(frontend, product, &project, &out, &folder.join("cache"))
    }

    /// What the ecosystem's own checkers say.
    fn check_archive(&self, archive: &Path) -> Result<()> {
        run_quietly(self.checks.program("twine").args(["check", "--strict"]).arg(archive))?;
        if archive.extension().is_some_and(|extension| extension == "whl") {
            run_quietly(self.checks.program("check-wheel-contents").arg(archive))?;
            if cfg!(target_os = "linux") {
                run_quietly(self.checks.program("auditwheel").arg("show").arg(archive))?;
            }
        }
        Ok(())
    }
}

fn ensure_same(one: &Path, other: &Path) -> Result<()> {
    ensure!(
        one.file_name() == other.file_name() && fs::read(one)? == fs::read(other)?,
        "`{}` and `{}` differ",
        one.display(),
        other.display()
    );
    Ok(())
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

    #[test]
    fn archives_are_compared_by_name_and_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path
        };
        let one = write("a/x.whl", "1");
        ensure_same(&one, &write("b/x.whl", "1")).unwrap();
        assert!(ensure_same(&one, &write("c/x.whl", "2")).is_err());
        assert!(ensure_same(&one, &write("d/y.whl", "1")).is_err());
    }
}
