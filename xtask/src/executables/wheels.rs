//! Programs with compiled code out of wheels, which they load from memory.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Bench, LOCALES, PYTHON, opened, scripts};
use crate::python::Python;
use crate::workspace::{Workspace, run_quietly};

/// The requirements whose wheels are used.
const REQUIREMENTS: &str = "xtask/requirements/memory.txt";

/// Makes and tests the programs in `tests/executables/wheels`.
pub(super) fn test(bench: &Bench<'_>, workspace: &Workspace) -> Result<()> {
    let site = install(workspace)?;
    for script in scripts(&bench.scripts.join("wheels"))? {
        let programs = bench.programs(&script, &["dynamic"], Some(&site))?;
        bench
            .compare(&script, &programs, &bench.python, Some(&site), &LOCALES[..1])
            .with_context(|| format!("`{}`", script.display()))?;
    }
    opened::test_wheels(bench, &site)
}

/// A folder with the wheels for the programs' Python, made once.
fn install(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.path(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("`{}`", requirements.display()))?;
    let folder = workspace.target().join(format!("venvs/memory-{PYTHON}"));
    let (site, stamp) = (folder.join("site"), folder.join("ekiben-requirements.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|present| present == wanted) {
        return Ok(site);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    // pip of whatever Python that isn't too old takes wheels for another.
    let venv = Python::find()?.make_venv(&folder.join("venv"))?;
    let mut install = venv.program("python");
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]);
    install.args(["--require-hashes", "--only-binary", ":all:", "--python-version", PYTHON]);
    run_quietly(install.arg("--target").arg(&site).arg("-r").arg(&requirements))?;
    fs::write(&stamp, wanted).with_context(|| format!("`{}`", stamp.display()))?;
    Ok(site)
}
