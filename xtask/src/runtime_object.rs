//! `crates/ekiben-runtime` as one object file, `target/runtime/ekiben_runtime.o`, which Ekiben carries
//! and links into the interpreters of executables. `cargo xtask plugins` makes it.
//!
//! A static library would bring all of Rust's standard library, with its bitcode (22 MB). The linker
//! keeps what the few functions that C calls need (0.9 MB), and only their names stay global, so that
//! the object gets along with other Rust code in the same program.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{self, Workspace};

/// What C code calls.
const EXPORTS: [&str; 5] =
    ["ekiben_open", "ekiben_setting", "ekiben_early", "ekiben_load", "PyInit__ekiben"];

/// Sections of no use after linking.
const DROPPED: [&str; 3] = [".llvmbc", ".llvmcmd", ".comment"];

/// Builds it, where executables can be made.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let scratch = workspace.target().join("runtime-build");
    let mut cargo = workspace.native_cargo();
    cargo.args(["build", "--quiet", "--package", "ekiben-runtime", "--profile", "runtime"]);
    // What panics name of sources mustn't be a path of this machine.
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let registry = cargo_home()?.join("registry/src");
    let flags = [remap(&registry, "registry"), remap(workspace.root(), "ekiben")];
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    workspace::run(cargo.arg("--target-dir").arg(&scratch))?;
    let archive = scratch.join("runtime/libekiben_runtime.a");
    let (linked, made) = (scratch.join("linked.o"), scratch.join("ekiben_runtime.o"));
    let mut link = Command::new("ld");
    link.args(["-r", "--gc-sections", "-o"]).arg(&linked);
    for name in EXPORTS {
        link.args(["-u", name]);
    }
    workspace::run(link.arg(&archive))?;
    let mut isolate = Command::new("objcopy");
    isolate.arg("--strip-unneeded");
    for section in DROPPED {
        isolate.args(["--remove-section", section]);
    }
    for name in EXPORTS {
        isolate.args(["--keep-global-symbol", name]);
    }
    workspace::run(isolate.arg(&linked).arg(&made))?;
    let object = fs::read(&made).with_context(|| format!("`{}`", made.display()))?;
    let path = workspace.path("target/runtime/ekiben_runtime.o");
    if fs::read(&path).is_ok_and(|current| current == object) {
        return Ok(());
    }
    workspace::write(&path, &object)?;
    println!("target/runtime/ekiben_runtime.o ({} KiB)", object.len().div_ceil(1024));
    Ok(())
}

fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(folder) => Ok(folder.into()),
        None => Ok(env::home_dir().context("there is no home folder")?.join(".cargo")),
    }
}
