//! `cargo xtask schema`: validate-pyproject knows `[tool.ekiben]` where Ekiben is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::frontend::Frontends;
use crate::python::Python;
use crate::workspace::{Workspace, run_quietly};

/// Mistakes in a file that is right otherwise, and what is to be said of each.
const MISTAKES: [(&str, &str); 3] = [
    ("[tool.ekiben]\nartefact = 'extension'\n", "artefact"),
    ("[tool.ekiben]\npackages = 'spam'\n", "tool.ekiben.packages"),
    ("[[tool.ekiben.extension]]\nsources = ['spam.c']\n", "name"),
];

const RIGHT: &str = "[project]\nname = 'spam'\nversion = '1'\n";

/// Checks the files of all examples and real packages, and some with mistakes.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let frontends = Frontends::new(workspace, &Python::find()?, work.path())?;
    let venv = frontends.install(ekiben, &work.path().join("venv"))?;
    frontends.install_set(workspace, &venv, "schema")?;
    let validate = |file: &Path| -> Command {
        let mut command = venv.program("validate-pyproject");
        command.arg(file);
        command
    };
    let mut files = Vec::new();
    for folder in ["examples", "tests/real"] {
        for entry in fs::read_dir(workspace.path(folder)).with_context(|| folder.to_owned())? {
            let file = entry?.path().join("pyproject.toml");
            files.extend(file.is_file().then_some(file));
        }
    }
    ensure!(files.len() > 2, "there are no examples");
    for file in &files {
        run_quietly(&mut validate(file))?;
    }
    for (mistake, told) in MISTAKES {
        let file: PathBuf = work.path().join("pyproject.toml");
        fs::write(&file, format!("{RIGHT}{mistake}"))?;
        let output = validate(&file).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "validate-pyproject accepts:\n{mistake}");
        ensure!(said.contains(told), "validate-pyproject says of:\n{mistake}\n{said}");
    }
    println!("validate-pyproject: {} files are right, mistakes are found", files.len());
    Ok(())
}
