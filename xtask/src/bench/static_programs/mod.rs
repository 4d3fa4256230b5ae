//! What programs with NumPy linked in cost, and what it costs to make them.
//!
//! | module | what is measured |
//! |---|---|
//! | `starts` | `import numpy` as programs of all sorts and in the ordinary interpreter, and their sizes |
//! | `page_cache` | nothing: it has the kernel forget files, so that starts are cold |
//! | `relink` | a build after a change of the project's own C module, by each linker |
//! | `recorder` | what the link recorder adds to the build of a package |

mod page_cache;
mod recorder;
mod relink;
mod starts;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Bench, recreate};
use crate::python::installed_version;
use crate::runtime;
use crate::static_table::{NO_BLAS, install, path_with_pip, without_cargo};
use crate::workspace::{Workspace, run_quietly};

/// CPython's version in programs.
const PYTHON: &str = "3.13";
/// The set of `xtask/requirements` that is NumPy.
const SET: &str = "numpy";

/// Makes, measures and shows everything; `numpy` has NumPy built anew, which takes many minutes.
pub(super) fn measure(
    bench: &Bench,
    workspace: &Workspace,
    rounds: usize,
    numpy: bool,
    show: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    let lab = Lab::new(bench, workspace)?;
    show(&starts::tables(&lab, rounds)?)?;
    show(&relink::table(&lab, rounds)?)?;
    show(&recorder::table(&lab, rounds, numpy)?)
}

/// What makes programs.
struct Lab<'a> {
    bench: &'a Bench,
    workspace: &'a Workspace,
    scratch: PathBuf,
    runtime: PathBuf,
    /// NumPy's wheel, installed.
    site: PathBuf,
    /// The version of NumPy.
    version: String,
    /// The folders of tools, first of all pip's.
    path: OsString,
}

impl<'a> Lab<'a> {
    fn new(bench: &'a Bench, workspace: &'a Workspace) -> Result<Self> {
        let scratch = bench.scratch.join("static");
        recreate(&scratch)?;
        let mut ekiben = bench.venv.program("ekiben");
        let runtime = runtime::build(ekiben.current_dir(&scratch), PYTHON, &[])?;
        let path = path_with_pip(workspace)?;
        let site = install(workspace, SET, &runtime, &path)?;
        let version = installed_version(&site, SET)?;
        Ok(Self { bench, workspace, scratch, runtime, site, version, path })
    }

    /// The ordinary interpreter of the same build.
    fn interpreter(&self) -> PathBuf {
        self.runtime.join(format!("bin/python{PYTHON}"))
    }

    /// A command of Ekiben's, with the user's cache.
    fn ekiben(&self, words: &[&str]) -> Command {
        let mut command = self.bench.venv.program("ekiben");
        without_cargo(&mut command).env("PATH", &self.path).current_dir(&self.scratch);
        command.args(words);
        command
    }

    /// Makes a program of a script, with NumPy from the folder of its wheel.
    fn freeze(&self, script: &Path, to: &Path, words: &[&OsStr]) -> Result<()> {
        let mut freeze = self.ekiben(&["freeze", "--quiet", "--runtime"]);
        freeze.arg(&self.runtime).arg(script).arg("--site").arg(&self.site).args(words);
        run_quietly(freeze.arg("-o").arg(to))?;
        // Else the kernel may still be writing it while it is measured.
        fs::File::open(to)?.sync_all().with_context(|| format!("`{}`", to.display()))
    }
}

/// NumPy without BLAS, as options of `ekiben freeze`; with `more` settings of its build.
fn without_blas(more: &[&str]) -> Vec<OsString> {
    let settings = NO_BLAS.iter().chain(more);
    settings.flat_map(|it| ["--static-config".into(), format!("numpy:{it}").into()]).collect()
}
