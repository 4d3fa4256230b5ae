//! All hooks, called through pyproject_hooks as frontends do, each in a process of its own.

use std::path::Path;

use anyhow::Result;

use crate::frontend::Frontends;
use crate::python::Venv;
use crate::workspace::{Workspace, copy_folder, run_quietly};

/// The program that calls them and judges the answers.
const SCRIPT: &str = "xtask/src/examples/hooks.py";

/// Calls the hooks of Ekiben, which is installed in `venv`, on an example.
pub(super) fn test(
    workspace: &Workspace,
    frontends: &Frontends,
    venv: &Venv,
    folder: &Path,
) -> Result<()> {
    let project = folder.join("project");
    copy_folder(&workspace.path("examples/spectra"), &project)?;
    let mut caller = frontends.hook_caller(&folder.join("cache"));
    caller
        .arg(workspace.path(SCRIPT))
        .arg(&project)
        .arg(venv.path("python"))
        .arg(folder.join("out"));
    let printed = run_quietly(caller.current_dir(folder))?;
    print!("{printed}");
    Ok(())
}
