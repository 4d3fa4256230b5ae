//! What Ekiben carries for executables, in `target/runtime`. `cargo xtask plugins` makes it.
//!
//! `ekiben_runtime.o` is `crates/ekiben-runtime` as one object file, which is linked into interpreters.
//! `ekiben_host.so` is the same for ordinary interpreters, which load it, and `ekiben_launcher` is
//! `crates/ekiben-launcher`, which starts them.
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

/// How the launcher is linked: it needs nothing of the machine, and has room for an image.
const LAUNCHER: [&str; 6] = [
    "-Ctarget-feature=+crt-static",
    "-Crelocation-model=static",
    // lld has everything before the image in one segment with it, and so a file of a gigabyte.
    "-Clinker-features=-lld",
    "-Cstrip=symbols",
    "-Cpanic=abort",
    "-Clink-arg=-Wl,--section-start=.ekiben_image=0x40000000",
];

/// Sections of no use after linking.
const DROPPED: [&str; 3] = [".llvmbc", ".llvmcmd", ".comment"];

/// Builds it, where executables can be made.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let scratch = workspace.target().join("runtime-build");
    // What panics name of sources mustn't be a path of this machine.
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let registry = cargo_home()?.join("registry/src");
    let flags = [remap(&registry, "registry"), remap(workspace.root(), "ekiben")];
    let cargo = |words: &[&str], more: &[&str]| {
        let mut cargo = workspace.native_cargo();
        let flags: Vec<&str> =
            flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
        cargo.args(words).args(["--quiet", "--profile", "runtime"]);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        workspace::run(cargo.arg("--target-dir").arg(&scratch))
    };
    cargo(&["build", "--package", "ekiben-runtime"], &[])?;
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
    keep(workspace, &made, "ekiben_runtime.o")?;

    let host = ["--package", "ekiben-runtime", "--features", "host", "--crate-type", "cdylib"];
    cargo(&[&["rustc"], &host[..]].concat(), &["-Cstrip=symbols", "-Cpanic=abort"])?;
    keep(workspace, &scratch.join("runtime/libekiben_runtime.so"), "ekiben_host.so")?;
    // With a target, flags are none of macros and build scripts.
    let target = workspace::output_of(Command::new("rustc").args(["--print", "host-tuple"]))?;
    cargo(&["build", "--package", "ekiben-launcher", "--target", &target], &LAUNCHER)?;
    keep(workspace, &scratch.join(target).join("runtime/ekiben-launcher"), "ekiben_launcher")
}

/// Puts a file into `target/runtime`, unless it is there.
fn keep(workspace: &Workspace, made: &Path, name: &str) -> Result<()> {
    let content = fs::read(made).with_context(|| format!("`{}`", made.display()))?;
    let path = workspace.path(&format!("target/runtime/{name}"));
    if fs::read(&path).is_ok_and(|current| current == content) {
        return Ok(());
    }
    workspace::write(&path, &content)?;
    println!("target/runtime/{name} ({} KiB)", content.len().div_ceil(1024));
    Ok(())
}

fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(folder) => Ok(folder.into()),
        None => Ok(env::home_dir().context("there is no home folder")?.join(".cargo")),
    }
}
