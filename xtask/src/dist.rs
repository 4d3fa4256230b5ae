//! `cargo xtask dist`: Ekiben's wheel, in `dist/`.
//!
//! With it any project whose `build-system.requires` names `ekiben` builds:
//! `pip wheel --find-links dist .`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::plugins;
use crate::python::Python;
use crate::workspace::{Workspace, run};

/// The largest that the wheel may be, in bytes.
const LIMIT: u64 = 12_000_000;

/// Options of `cargo xtask dist`.
#[derive(Default, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        build(workspace).map(|_| ())
    }
}

/// Builds the plugins, then the wheel with them in it, and returns the wheel's path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    plugins::Args::default().run(workspace)?;
    let maturin = Python::find()?.tools(workspace, "dist")?;
    // Apart first: `dist/` always holds one whole wheel.
    let fresh = workspace.target().join("dist");
    remove_wheels(&fresh)?;
    let mut build = maturin.program("maturin");
    build.args(["build", "--release", "--quiet", "--out"]).arg(&fresh);
    run(build.current_dir(workspace.root()))?;
    let [wheel] = &wheels(&fresh)?[..] else {
        bail!("maturin made no wheel, or several, in `{}`", fresh.display());
    };
    let size = fs::metadata(wheel)?.len();
    if size > LIMIT {
        bail!("`{}` has {size} bytes, more than {LIMIT}", wheel.display());
    }
    let dist = workspace.path("dist");
    remove_wheels(&dist)?;
    let name = wheel.file_name().context("a wheel without a name")?;
    fs::create_dir_all(&dist).with_context(|| format!("`{}`", dist.display()))?;
    let path = dist.join(name);
    fs::copy(wheel, &path).with_context(|| format!("`{}`", path.display()))?;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "dist/{} ({:.1} MB of at most {:.0})",
        name.display(),
        megabytes(size),
        megabytes(LIMIT)
    );
    Ok(path)
}

/// Ekiben's wheels in a folder, which needn't exist.
fn wheels(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut wheels = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("`{}`", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("ekiben-") && name.ends_with(".whl") {
            wheels.push(path);
        }
    }
    Ok(wheels)
}

fn remove_wheels(folder: &Path) -> Result<()> {
    for wheel in wheels(folder)? {
        fs::remove_file(&wheel).with_context(|| format!("`{}`", wheel.display()))?;
    }
    Ok(())
}
