//! The tests of the PEP 517 hooks, `python/tests`, on every Python that is found.

use anyhow::{Context as _, Result, bail};

use crate::python::Python;
use crate::workspace::{Workspace, run_quietly};

/// Runs them; they need neither the program nor any package.
pub(crate) fn test(workspace: &Workspace) -> Result<()> {
    let pythons = Python::find_all();
    if pythons.is_empty() {
        bail!("no Python with headers and `venv` is found: install python3-dev and python3-venv");
    }
    for python in &pythons {
        let mut tests = std::process::Command::new(python.path());
        tests.args(["-m", "unittest", "discover", "--start-directory"]);
        tests.arg(workspace.path("python/tests")).env("PYTHONDONTWRITEBYTECODE", "1");
        run_quietly(&mut tests).with_context(|| format!("the hooks on {python}"))?;
        println!("{python}: the tests pass");
    }
    Ok(())
}
