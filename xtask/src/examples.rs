//! The projects in `examples/`: built by a frontend, installed, and their own tests run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::frontend::{Frontend, Frontends, Product};
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, copy_folder, run_quietly};

/// A project, and the program without which it can't be built, if there is a doubt.
const EXAMPLES: [(&str, Option<&str>); 2] =
    [("spectra", None), ("fortran-waves", Some("gfortran"))];

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

/// Builds all examples, each with one of the frontends, and runs their tests.
pub(crate) fn test(workspace: &Workspace, dist: &Path) -> Result<()> {
    let python = Python::find()?;
    let work = tempfile::tempdir()?;
    let wheels = work.path().join("wheels");
    copy_into(dist, &wheels)?;
    let frontends = Frontends::new(workspace, &python, &wheels)?;
    for ((name, needs), frontend) in EXAMPLES.into_iter().zip(Frontend::ALL) {
        if let Some(program) = needs.filter(|program| !runs(program)) {
            println!("examples/{name}: skipped, for there is no `{program}`");
            continue;
        }
        let folder = work.path().join(name);
        let installed = install(workspace, &frontends, frontend, name, &folder)?;
        let mut tests = installed.venv.program("python");
        tests.args(["-m", "unittest", "discover", "--start-directory"]);
        tests.arg(folder.join("project/tests"));
        run_quietly(tests.current_dir(&folder)).with_context(|| format!("tests of {name}"))?;
        println!("examples/{name}: built by {frontend}, its tests pass");
    }
    Ok(())
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
