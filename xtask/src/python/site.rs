//! Folders of installed packages, for programs of another version of Python than the tools'.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Python;
use crate::workspace::{Workspace, run_quietly};

/// A set of `xtask/requirements`, installed.
pub(crate) struct Site {
    /// The packages.
    pub(crate) packages: PathBuf,
    /// The wheels that they come from.
    pub(crate) wheels: PathBuf,
}

impl Site {
    /// A set for a version of Python, made once. Its packages are wheels as everybody gets them.
    pub(crate) fn make(workspace: &Workspace, set: &str, python: &str) -> Result<Self> {
        let requirements = workspace.path(&format!("xtask/requirements/{set}.txt"));
        let wanted = fs::read_to_string(&requirements)
            .with_context(|| format!("`{}`", requirements.display()))?;
        let folder = workspace.target().join(format!("venvs/{set}-site-{python}"));
        let site = Self { packages: folder.join("packages"), wheels: folder.join("wheels") };
        let stamp = folder.join("ekiben-requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|present| present == wanted) {
            return Ok(site);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
        }
        // pip of whatever Python that isn't too old takes wheels for another.
        let venv = Python::find()?.make_venv(&folder.join("venv"))?;
        let pip = |words: &[&str]| {
            let mut pip = venv.program("python");
            pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(words);
            pip.args(["--require-hashes", "--only-binary", ":all:", "--python-version", python]);
            pip.arg("-r").arg(&requirements);
            pip
        };
        run_quietly(pip(&["download"]).arg("--dest").arg(&site.wheels))
            .with_context(|| format!("fetching {set}"))?;
        let mut install = pip(&["install", "--no-compile", "--no-index"]);
        install.arg("--find-links").arg(&site.wheels).arg("--target").arg(&site.packages);
        run_quietly(&mut install).with_context(|| format!("installing {set}"))?;
        fs::remove_dir_all(folder.join("venv"))?;
        fs::write(&stamp, wanted).with_context(|| format!("`{}`", stamp.display()))?;
        Ok(site)
    }
}
