//! `cargo xtask abi3`: CPython's stable ABI, out of the package `abi3info`, as data of ours.
//!
//! The package is pinned in `xtask/requirements/abi3.txt`; who wants newer facts renews that set and
//! runs this command.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::python::{Python, Venv};
use crate::workspace::{Workspace, output_of};

const DATA: &str = "crates/ekiben-object/data/abi3.txt";

/// The program that prints the data.
const SCRIPT: &str = include_str!("abi3.py");

/// Options of `cargo xtask abi3`.
#[derive(Default, clap::Args)]
pub(crate) struct Args {
    /// Write nothing, and fail if the data isn't what it should be
    #[arg(long)]
    check: bool,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        let tools = tools(workspace)?;
        if self.check {
            return check(workspace, &tools);
        }
        let data = generate(&tools)?;
        fs::write(workspace.path(DATA), &data).with_context(|| format!("`{DATA}`"))?;
        println!("{DATA}: {} symbols", count(&data));
        Ok(())
    }
}

/// The environment with the pinned `abi3info` and `abi3audit`.
pub(crate) fn tools(workspace: &Workspace) -> Result<Venv> {
    // The oldest Pythons that Ekiben supports are too old for these packages.
    let python = Python::find_all().pop().context("no supported Python is found")?;
    python.tools(workspace, "abi3")
}

/// Checks by abi3audit that the modules of a wheel keep to the limited API that its name states.
pub(crate) fn audit(workspace: &Workspace, wheel: &Path) -> Result<()> {
    let mut audit = tools(workspace)?.program("abi3audit");
    let report = output_of(audit.args(["--strict", "--report"]).arg(wheel))?;
    // It succeeds too if it finds nothing to look at.
    let report: serde_json::Value = serde_json::from_str(&report)?;
    let modules = report["specs"].as_object().into_iter().flat_map(|specs| specs.values());
    let modules: Vec<&serde_json::Value> =
        modules.filter_map(|spec| spec["wheel"].as_array()).flatten().collect();
    let is_right = |module: &&serde_json::Value| {
        let result = &module["result"];
        result["is_abi3"] == true && result["is_abi3_baseline_compatible"] == true
    };
    ensure!(
        !modules.is_empty() && modules.iter().all(is_right),
        "abi3audit says of `{}`: {report}",
        wheel.display()
    );
    Ok(())
}

/// Fails unless the data is what the pinned package says.
pub(crate) fn check(workspace: &Workspace, tools: &Venv) -> Result<()> {
    let data = generate(tools)?;
    let present = fs::read_to_string(workspace.path(DATA)).with_context(|| format!("`{DATA}`"))?;
    if present != data {
        bail!("`{DATA}` isn't what the pinned `abi3info` says: run `cargo xtask abi3`");
    }
    println!("{DATA}: {} symbols, as `abi3info` has them", count(&data));
    Ok(())
}

fn generate(tools: &Venv) -> Result<String> {
    let printed = output_of(tools.program("python").args(["-I", "-c", SCRIPT]))?;
    // Line breaks are the platform's.
    let data = printed.replace("\r\n", "\n") + "\n";
    ensure!(count(&data) > 900, "`abi3info` says too little: {} symbols", count(&data));
    Ok(data)
}

fn count(data: &str) -> usize {
    data.lines().filter(|line| !line.starts_with('#')).count()
}
