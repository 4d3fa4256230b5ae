//! `cargo xtask examples`: the projects in `examples/`, and what the ecosystem's tools say of builds.
//!
//! Each is built by a frontend, its wheel and source distribution are checked, and its own tests
//! run. One of them then answers all hooks, and all are built in different circumstances.

mod hooks;
mod reproducible;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::checks::Checks;
use crate::frontend::{Frontend, Frontends, Product};
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, copy_folder, run_quietly};

/// A project in `examples/`.
struct Example {
    name: &'static str,
    /// A program without which it can't be built, if there is a doubt.
    needs: Option<&'static str>,
    /// The minor version of the Python whose limited API it keeps to.
    limited_api: Option<u32>,
}

const EXAMPLES: [Example; 3] = [
    Example { name: "spectra", needs: None, limited_api: None },
    Example { name: "fortran-waves", needs: Some("gfortran"), limited_api: None },
    Example { name: "limited-api", needs: None, limited_api: Some(11) },
];

/// An example that is built and installed.
pub(crate) struct Installed {
    pub(crate) wheel: PathBuf,
    pub(crate) venv: Venv,
}

/// Builds a copy of an example in `folder`, and installs it there.
pub(crate) fn install(
    workspace: &Workspace,
    frontends: &Frontends,
    frontend: Frontend,
    name: &str,
    folder: &Path,
) -> Result<Installed> {
    let project = folder.join("project");
    copy_folder(&workspace.path(&format!("examples/{name}")), &project)?;
    let out = folder.join("out");
    fs::create_dir_all(&out).with_context(|| format!("`{}`", out.display()))?;
    let cache = folder.join("cache");
    let wheel = frontends.build(frontend, Product::Wheel, &project, &out, &cache)?;
    let venv = frontends.install(&wheel, &folder.join("venv"))?;
    Ok(Installed { wheel, venv })
}

/// Tests all examples with Ekiben's wheel.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let first = Python::find()?;
    let checks = Checks::new(workspace, &first)?;
    let work = tempfile::tempdir()?;
    let wheels = work.path().join("wheels");
    copy_into(ekiben, &wheels)?;
    let mut built = Vec::new();
    for (example, frontend) in EXAMPLES.iter().zip(Frontend::ALL) {
        let Example { name, needs, .. } = example;
        if let Some(program) = needs.filter(|program| !runs(program)) {
            println!("examples/{name}: skipped, for there is no `{program}`");
            continue;
        }
        let pythons = example.pythons(&first);
        let [oldest, ..] = &pythons[..] else {
            println!("examples/{name}: skipped, for there is no Python that it works with");
            continue;
        };
        let frontends = Frontends::new(workspace, oldest, &wheels)?;
        let folder = work.path().join(name);
        example.test(workspace, &checks, &frontends, frontend, &folder, &pythons)?;
        built.push((example, oldest.clone()));
    }
    let frontends = Frontends::new(workspace, &first, &wheels)?;
    let venv = frontends.install(ekiben, &work.path().join("hooks-venv"))?;
    hooks::test(workspace, &frontends, &venv, &work.path().join("hooks"))?;
    for (example, python) in built {
        reproducible::test(workspace, &checks, &venv, example.name, &python)?;
    }
    Ok(())
}

impl Example {
    /// The Python that it is built with, then others that its wheel is for.
    fn pythons(&self, first: &Python) -> Vec<Python> {
        match self.limited_api {
            None => vec![first.clone()],
            Some(least) => {
                let all = Python::find_all().into_iter();
                all.filter(|python| python.minor() >= least).collect()
            }
        }
    }

    fn test(
        &self,
        workspace: &Workspace,
        checks: &Checks<'_>,
        frontends: &Frontends,
        frontend: Frontend,
        folder: &Path,
        pythons: &[Python],
    ) -> Result<()> {
        let name = self.name;
        let installed = install(workspace, frontends, frontend, name, folder)?;
        checks.archive(&installed.wheel)?;
        let (checkout, cache) = (folder.join("checkout"), folder.join("cache"));
        copy_folder(&workspace.path(&format!("examples/{name}")), &checkout)?;
        checks.checkout(frontends, &checkout, &cache)?;
        let out = folder.join("sdist");
        let sdist = frontends.build(Frontend::Uv, Product::Sdist, &checkout, &out, &cache)?;
        checks.archive(&sdist)?;
        run_tests(&installed.venv, folder).with_context(|| format!("tests of {name}"))?;
        println!("examples/{name}: built by {frontend}, its tests pass");
        for python in pythons.iter().skip(1) {
            let root = folder.join(format!("venv-3.{}", python.minor()));
            let venv =
                Frontends::new(workspace, python, folder)?.install(&installed.wheel, &root)?;
            run_tests(&venv, folder).with_context(|| format!("tests of {name} on {python}"))?;
            println!("examples/{name}: the same wheel passes them on {python}");
        }
        Ok(())
    }
}

/// Runs the tests of the project that was built in a folder.
pub(crate) fn run_tests(venv: &Venv, folder: &Path) -> Result<()> {
    let mut tests = venv.program("python");
    tests.args(["-m", "unittest", "discover", "--start-directory"]);
    tests.arg(folder.join("project/tests"));
    run_quietly(tests.current_dir(folder)).map(drop)
}

/// Copies a file into a folder, which is made if need be.
pub(crate) fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().context("a file without a name")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(file, folder.join(name)))
        .with_context(|| format!("`{}` can't be copied", file.display()))?;
    Ok(())
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
