//! `cargo xtask dist`: Ekiben's wheel, in `dist/`.
//!
//! With it any project whose `build-system.requires` names `ekiben` builds:
//! `pip wheel --find-links dist .`.
//!
//! The program compiles its own plugins: it is built once without their machine code, asked for it,
//! and built again with it, which only links anew. A first build on a machine then compiles nothing
//! but the project.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use walkdir::WalkDir;

use crate::plugins;
use crate::python::Python;
use crate::workspace::{Workspace, output_of, run};

/// The largest that the wheel may be, in bytes.
const LIMIT: u64 = 13_000_000;

/// Tells the build of `crates/ekiben` where machine code is.
const PRECOMPILED: &str = "EKIBEN_PRECOMPILED_DIR";

/// Options of `cargo xtask dist`.
#[derive(Default, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        build(workspace).map(|_| ())
    }
}

/// Which wheel of Ekiben a command tests.
#[derive(clap::Args)]
pub(crate) struct Wheel {
    /// Test with the wheel in `dist/` as it is
    #[arg(long)]
    no_build: bool,
}

impl Wheel {
    /// Its path, after it was built if need be.
    pub(crate) fn get(&self, workspace: &Workspace) -> Result<PathBuf> {
        if self.no_build { find(workspace) } else { build(workspace) }
    }
}

/// The wheel that is in `dist/` already.
fn find(workspace: &Workspace) -> Result<PathBuf> {
    let found = wheels(&workspace.path("dist"))?.pop();
    found.context("there is no wheel in `dist/`: `cargo xtask dist` makes it")
}

/// Builds the plugins, then the wheel with them in it, and returns the wheel's path.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    plugins::Args::default().run(workspace)?;
    let scratch = tempfile::tempdir()?;
    let bare = Program::from_wheel(&maturin(workspace, None)?, &scratch.path().join("bare"))?;
    let precompiled = workspace.target().join("precompiled");
    bare.precompile(&precompiled)?;
    let wheel = maturin(workspace, Some(&precompiled))?;
    Program::from_wheel(&wheel, &scratch.path().join("whole"))?.check()?;
    let size = fs::metadata(&wheel)?.len();
    if size > LIMIT {
        bail!("`{}` has {size} bytes, more than {LIMIT}", wheel.display());
    }
    let dist = workspace.path("dist");
    remove_wheels(&dist)?;
    let name = wheel.file_name().context("a wheel without a name")?;
    fs::create_dir_all(&dist).with_context(|| format!("`{}`", dist.display()))?;
    let path = dist.join(name);
    fs::copy(&wheel, &path).with_context(|| format!("`{}`", path.display()))?;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "dist/{} ({:.1} MB of at most {:.0})",
        name.display(),
        megabytes(size),
        megabytes(LIMIT)
    );
    Ok(path)
}

/// Builds the wheel, with the plugins' machine code from a folder, outside `dist/`, which always
/// holds one whole wheel.
fn maturin(workspace: &Workspace, precompiled: Option<&Path>) -> Result<PathBuf> {
    let fresh = workspace.target().join("dist");
    remove_wheels(&fresh)?;
    let mut build = Python::find()?.tools(workspace, "dist")?.program("maturin");
    build.args(["build", "--release", "--quiet", "--compression-level", "9", "--out"]).arg(&fresh);
    build.current_dir(workspace.root()).env_remove(PRECOMPILED);
    if let Some(folder) = precompiled {
        build.env(PRECOMPILED, folder);
    }
    run(&mut build)?;
    match wheels(&fresh)?.pop() {
        Some(wheel) => Ok(wheel),
        None => bail!("maturin made no wheel in `{}`", fresh.display()),
    }
}

/// The program in a wheel.
struct Program {
    path: PathBuf,
    /// A place for its caches.
    folder: PathBuf,
}

impl Program {
    fn from_wheel(wheel: &Path, folder: &Path) -> Result<Self> {
        let mut unpack = Command::new(Python::find()?.path());
        run(unpack.args(["-m", "zipfile", "-e"]).args([wheel, folder]))?;
        let is_program = |path: &PathBuf| path.ends_with("scripts/ekiben");
        let files = WalkDir::new(folder).into_iter().filter_map(Result::ok);
        let path = files.map(walkdir::DirEntry::into_path).find(is_program);
        let path = path.with_context(|| format!("no program in `{}`", wheel.display()))?;
        // `zipfile` forgets modes.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Self { path, folder: folder.to_owned() })
    }

    /// Writes the built-in plugins' machine code into a folder, and nothing else.
    fn precompile(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("`{}`", folder.display()))?;
        }
        run(Command::new(&self.path).args(["plugin", "precompile", "--out"]).arg(folder))
    }

    /// Fails unless the plugins' machine code is found in the program, and where that doesn't fit is
    /// made.
    fn check(&self) -> Result<()> {
        let program = self.path.to_str().context("a path that isn't UTF-8")?;
        self.expect_code("embedded", &mut Command::new(program))?;
        let mut narrow = Command::new("sh");
        narrow.args(["-c", "ulimit -v 4194304 && exec \"$@\"", "sh", program]);
        self.expect_code("compiled", &mut narrow)
    }

    /// `command` is the program, in some circumstances. Its cache is empty.
    fn expect_code(&self, expected: &str, command: &mut Command) -> Result<()> {
        command.args(["plugin", "list", "--format", "json"]).current_dir(&self.folder);
        command.env("EKIBEN_CACHE_DIR", self.folder.join(format!("{expected}-cache")));
        let text = output_of(command)?;
        let plugins: Vec<serde_json::Value> = serde_json::from_str(&text)?;
        let found = plugins.iter().map(|plugin| (&plugin["id"], &plugin["code"]));
        let others: Vec<String> = found
            .filter(|(_, code)| *code != expected)
            .map(|(id, code)| format!("{id}: {code}"))
            .collect();
        if plugins.is_empty() || !others.is_empty() {
            bail!("the plugins' code isn't {expected} in {command:?}: {}", others.join(", "));
        }
        Ok(())
    }
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
