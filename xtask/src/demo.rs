//! `cargo xtask demo`: what a user of Ekiben does, from nothing, on `examples/spectra`.

use std::fs;

use anyhow::{Context as _, Result};

use crate::dist;
use crate::examples::{self, copy_into};
use crate::frontend::{Frontend, Frontends};
use crate::python::Python;
use crate::workspace::{Workspace, run};

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        let python = Python::find()?;
        println!("1. Build Ekiben and its plugins (minutes the first time)");
        let ekiben = dist::build(workspace)?;

        println!("2. pip wheel examples/spectra: a package with extensions in C and in C++");
        let work = tempfile::tempdir()?;
        let wheels = work.path().join("wheels");
        copy_into(&ekiben, &wheels)?;
        let frontends = Frontends::new(workspace, &python, &wheels)?;
        let folder = work.path().join("spectra");
        let spectra = examples::install(workspace, &frontends, Frontend::Pip, "spectra", &folder)?;
        let name = spectra.wheel.file_name().context("a wheel without a name")?;
        println!("   {} ({} bytes)", name.display(), fs::metadata(&spectra.wheel)?.len());
        run(spectra.venv.program("python").args(["-m", "zipfile", "--list"]).arg(&spectra.wheel))?;

        println!("3. Install it in a new virtual environment and run it: spectra chord A4 C#5 E5");
        run(spectra.venv.program("spectra").args(["chord", "A4", "C#5", "E5"]))
    }
}
