//! `cargo xtask runtime`: builds a runtime, as a user does, and checks it.
//!
//! The runtime is kept in the user's cache, so only the first run takes minutes; it is built anew when
//! its source, the compiler, a library or Ekiben's own parts change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::workspace::{Workspace, output_of, run};

/// The options of runtimes that are published: as fast as they can be, and with libraries of versions that
/// are the same wherever they are built.
pub(crate) const PUBLISHED: [&str; 5] = ["--pgo", "--lto", "--libraries", "pinned", "--strict"];

/// Options of `cargo xtask runtime`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// CPython's version
    #[arg(long, default_value = "3.13")]
    python: String,
    /// Build it a second time, with another cache in another place, and compare
    #[arg(long)]
    twice: bool,
    /// Build it as it is published, and write it as a wheel into dist/
    #[arg(long)]
    published: bool,
    /// More options of `ekiben runtime build`
    #[arg(last = true)]
    options: Vec<String>,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        run(workspace.native_cargo().args(["build", "--workspace", "--quiet"]))?;
        let program = workspace.target().join("debug/ekiben");
        let mut options = self.options.clone();
        if self.published {
            options.extend(PUBLISHED.map(str::to_owned));
        }
        let first = built(&program, None, &self.python, &options)?;
        run(Command::new(&program).args(["runtime", "check"]).arg(&first))?;
        let manifest = manifest(&first)?;
        refuse_gaps(&manifest)?;
        show(&first, &manifest)?;
        if self.twice {
            let cache = tempfile::Builder::new().prefix("a-longer-name-of-a-cache").tempdir()?;
            let second = built(&program, Some(cache.path()), &self.python, &options)?;
            compare(&manifest, &self::manifest(&second)?)?;
        }
        if self.published {
            let mut wheel = Command::new(&program);
            wheel.args(["runtime", "wheel"]).arg(&first).arg("-o").arg(workspace.path("dist"));
            run(&mut wheel)?;
        }
        Ok(())
    }
}

/// Builds a runtime, says how long it took, and gives its folder.
fn built(
    program: &Path,
    cache: Option<&Path>,
    python: &str,
    options: &[String],
) -> Result<PathBuf> {
    let start = Instant::now();
    let mut ekiben = Command::new(program);
    if let Some(cache) = cache {
        ekiben.env("EKIBEN_CACHE_DIR", cache);
    }
    let folder = build(&mut ekiben, python, options)?;
    println!("{}: {:.1} s", folder.display(), start.elapsed().as_secs_f64());
    Ok(folder)
}

/// Has a program `ekiben` build a runtime, unless there is one, and gives its folder.
pub(crate) fn build(ekiben: &mut Command, python: &str, options: &[String]) -> Result<PathBuf> {
    ekiben.args(["runtime", "build", "--python", python]).args(options);
    // It takes minutes the first time: what it does is shown.
    let printed = output_of(ekiben.stderr(Stdio::inherit()))?;
    let (_, folder) = printed.split_once(" in ").context("no folder was printed")?;
    Ok(folder.into())
}

/// What `runtime.json` says.
pub(crate) fn manifest(folder: &Path) -> Result<Value> {
    let path = folder.join("runtime.json");
    let text = fs::read_to_string(&path).with_context(|| format!("`{}`", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}`", path.display()))
}

/// An error if a module is missing that a runtime must have: this machine has all the libraries.
fn refuse_gaps(manifest: &Value) -> Result<()> {
    let name = |module: &Value| module["name"].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| manifest["interpreter"][key].as_array().cloned().unwrap_or_default();
    let modules: Vec<String> = list("modules").iter().map(name).collect();
    for wanted in [
        "_bz2", "_ctypes", "_curses", "_decimal", "_hashlib", "_lzma", "_sqlite3", "_ssl", "_uuid",
        "pyexpat", "readline", "zlib",
    ] {
        if !modules.iter().any(|module| module == wanted) {
            bail!("`{wanted}` isn't compiled in");
        }
    }
    let left_out: Vec<String> = list("left-out").iter().map(name).collect();
    println!("{} builtin modules; without {}", modules.len(), left_out.join(", "));
    Ok(())
}

fn show(folder: &Path, manifest: &Value) -> Result<()> {
    let python = manifest["interpreter"]["python"].as_str().unwrap_or_default();
    for file in [
        format!("bin/python{python}-static"),
        format!("bin/python{python}-dynamic"),
        format!("bin/python{python}"),
        "stdlib.image".to_owned(),
        format!("lib/libpython{python}.a"),
    ] {
        let bytes = fs::metadata(folder.join(&file)).with_context(|| file.clone())?.len();
        println!("{file}: {:.1} MB", bytes as f64 / 1e6);
    }
    Ok(())
}

/// An error that names the files which differ.
fn compare(first: &Value, second: &Value) -> Result<()> {
    let empty = serde_json::Map::new();
    let files = |manifest: &Value| manifest["files"].as_object().unwrap_or(&empty).clone();
    let (first, second) = (files(first), files(second));
    let differ: Vec<&String> = first
        .keys()
        .chain(second.keys())
        .filter(|name| first.get(*name) != second.get(*name))
        .collect();
    if !differ.is_empty() {
        bail!("built twice, {} files differ: {differ:?}", differ.len());
    }
    println!("built twice in different places: all {} files are the same", first.len());
    Ok(())
}
