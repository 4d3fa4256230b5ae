//! The interpreters that run tests, in folders of `target/acceptance`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Error, Result};
use serde_json::Value;

use super::regrtest::Results;
use crate::runtime;
use crate::workspace::{Workspace, copy_folder, run};

/// CPython's version.
pub(super) const PYTHON: &str = "3.13";
pub(super) const FLAVOURS: [&str; 2] = ["static", "dynamic"];
/// A module that tests import by name, and then load from a shared object by its path.
const STAND_IN: &str = "_testsinglephase.py";

/// An interpreter that runs tests.
pub(super) struct Interpreter {
    /// `stock`, or its flavour.
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    /// A folder of its own, for results and temporary files.
    pub(super) folder: PathBuf,
}

impl Interpreter {
    /// What earlier runs gave.
    pub(super) fn kept(&self) -> Result<Results> {
        match fs::read(self.results()) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(_) => Ok(Results::default()),
        }
    }

    pub(super) fn keep(&self, results: &Results) -> Result<()> {
        crate::workspace::write(&self.results(), &serde_json::to_vec(results)?)
    }

    fn results(&self) -> PathBuf {
        self.folder.join("results.json")
    }
}

/// All of them.
pub(super) struct Interpreters {
    /// The ordinary interpreter.
    pub(super) stock: Interpreter,
    /// Those that are one file.
    pub(super) ours: Vec<Interpreter>,
    /// CPython's release.
    pub(super) version: String,
}

impl Interpreters {
    /// Builds a runtime with tests, unless there is one, and makes interpreters of it.
    pub(super) fn make(workspace: &Workspace) -> Result<Self> {
        let ekiben = super::build_ekiben(workspace)?;
        let options = ["--tests".to_owned()];
        let runtime = runtime::build(&mut Command::new(&ekiben), PYTHON, &options)?;
        let manifest = runtime::manifest(&runtime)?;
        let place = |name: &str, digest: &Value| {
            let digest = digest.as_str().context("a runtime has digests")?;
            let short = digest.get(..12).unwrap_or(digest);
            Ok::<_, Error>(workspace.target().join(format!("acceptance/{name}-{short}")))
        };
        // Of what Ekiben adds nothing is in the ordinary interpreter: its results stay.
        let root = place("stock", &manifest["files"][format!("bin/python{PYTHON}")])?;
        let stock = root.join("runtime");
        if !stock.is_dir() {
            fs::create_dir_all(&root)?;
            // A copy, since tests write beside themselves.
            let to = stock.to_string_lossy().into_owned();
            runtime::build(
                &mut Command::new(&ekiben),
                PYTHON,
                &["--tests".to_owned(), "--output".to_owned(), to],
            )?;
        }
        let mut ours = Vec::new();
        for flavour in FLAVOURS {
            let folder = place(flavour, &manifest["digest"])?;
            let program = folder.join(format!("python{PYTHON}"));
            if !program.is_file() {
                beside(&stock, &folder.join("beside"), flavour)?;
                let mut freeze = Command::new(&ekiben);
                freeze.args(["freeze", "--quiet", "--interpreter", "--set", "isolated=false"]);
                freeze.args(["--path", "beside", "--flavour", flavour, "--runtime"]).arg(&runtime);
                run(freeze.arg("-o").arg(&program))?;
            }
            ours.push(Interpreter { name: flavour, program, folder });
        }
        let program = stock.join(format!("bin/python{PYTHON}"));
        let stock = Interpreter { name: "stock", program, folder: root };
        let version = manifest["interpreter"]["version"].as_str().unwrap_or(PYTHON).to_owned();
        Ok(Self { stock, ours, version })
    }
}

/// Puts the tests, and the modules that are shared objects, into a folder beside an interpreter.
fn beside(stock: &Path, folder: &Path, flavour: &str) -> Result<()> {
    let library = stock.join(format!("lib/python{PYTHON}"));
    copy_folder(&library.join("test"), &folder.join("test"))?;
    if flavour == "dynamic" {
        return copy_folder(&library.join("lib-dynload"), folder);
    }
    // For want of it whole files would be left out that need it in a few tests only.
    fs::write(
        folder.join(STAND_IN),
        "\"\"\"Stands for a shared object, which a static interpreter can't load.\"\"\"\n",
    )?;
    Ok(())
}
