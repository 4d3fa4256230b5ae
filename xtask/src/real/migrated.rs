//! `cargo xtask migrate`: packages of others, whose `pyproject.toml` is what `ekiben migrate` writes.
//!
//! Those of `tests/real` that have a `setup.py` are built as migrated, with no human change, and
//! pass their own tests.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Bench, find, has_library};
use crate::checks::Checks;
use crate::frontend::{Frontend, Frontends};
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, run_quietly};

/// Packages of `tests/real` that need nothing but `ekiben migrate`.
const PACKAGES: [&str; 8] =
    ["markupsafe", "kiwisolver", "pyyaml", "cymem", "murmurhash", "preshed", "msgpack", "pykdtree"];

/// Migrates and tests all packages with Ekiben's wheel.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let first = Python::find()?;
    let tools = first.tools(workspace, "frontends")?;
    let checks = Checks::new(workspace, &first)?;
    let shared = tempfile::tempdir()?;
    let frontends = Frontends::new(workspace, &first, shared.path())?;
    let program = frontends.install(ekiben, &shared.path().join("ekiben"))?;
    let made = shared.path().join("made");
    fs::create_dir(&made)?;
    let others = Python::find_all();
    for (turn, name) in PACKAGES.into_iter().enumerate() {
        let package = find(name).with_context(|| format!("there is no package `{name}`"))?;
        if let Some(library) = package.library.filter(|library| !has_library(library)) {
            println!("{name}: skipped, for pkg-config doesn't know `{library}`");
            continue;
        }
        let fits = |python: &&Python| package.minors.contains(&python.minor());
        let Some(python) = [&first].into_iter().chain(&others).find(fits) else {
            bail!("no Python is found that {name} supports");
        };
        let work = tempfile::tempdir()?;
        let bench =
            Bench::prepare(workspace, package, ekiben, &tools, &checks, work.path(), &made)?;
        let tested = migrate(&program, python, &bench.source)
            .and_then(|()| bench.fetch_sets(python))
            .and_then(|()| bench.test_one(turn, python, Frontend::Uv));
        tested.with_context(|| format!("migrated package {name}"))?;
        println!("{name}: what `ekiben migrate` wrote was enough for that");
    }
    Ok(())
}

fn migrate(program: &Venv, python: &Python, project: &Path) -> Result<()> {
    let mut migrate = program.program("ekiben");
    migrate.args(["migrate", "--quiet", "--python"]).arg(python.path()).arg(project);
    run_quietly(&mut migrate).map(drop)
}
