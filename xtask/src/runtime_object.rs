//! What Ekiben carries for executables, in `target/runtime`. `cargo xtask plugins` makes it.
//!
//! `ekiben_runtime.o` is `crates/ekiben-runtime` as one object file, which is linked into interpreters.
//! `ekiben_host.so` is the same for ordinary interpreters, which load it, and `ekiben_launcher` is
//! `crates/ekiben-launcher`, which starts them.
//!
//! A static library would bring all of Rust's standard library, with its bitcode (22 MB). The linker
//! keeps what the few functions that C calls need (0.9 MB), and only their names stay global, so that
//! the object gets along with other Rust code in the same program.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::workspace::{self, Workspace};

/// What C code calls.
const EXPORTS: [&str; 7] = [
    "ekiben_open",
    "ekiben_setting",
    "ekiben_role",
    "ekiben_tell_children",
    "ekiben_early",
    "ekiben_load",
    "PyInit__ekiben",
];

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

/// Sections of no use after linking; a panic ends the process, so nothing is unwound.
const DROPPED: [&str; 5] = [".llvmbc", ".llvmcmd", ".comment", ".eh_frame", ".rela.eh_frame"];

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
    let licences = licences(workspace)?;
    let beside = workspace.path("target/runtime/ekiben_runtime.licences");
    if fs::read_to_string(&beside).ok().as_deref() != Some(licences.as_str()) {
        workspace::write(&beside, licences.as_bytes())?;
    }
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

/// The licences of all crates in the object, with their texts, and of Rust's standard library.
fn licences(workspace: &Workspace) -> Result<String> {
    let mut cargo = workspace.native_cargo();
    cargo.args(["tree", "--package", "ekiben-runtime", "--edges", "normal,no-proc-macro"]);
    cargo.args(["--prefix", "none", "--format", "{p}"]);
    let tree = workspace::output_of(&mut cargo)?;
    let mut used: Vec<(&str, &str)> = tree.lines().filter_map(name_and_version).collect();
    used.sort_unstable();
    used.dedup();
    let mut cargo = workspace.native_cargo();
    let metadata = workspace::output_of(cargo.args(["metadata", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let mut text = format!(
        "Ekiben, and Rust's standard library (The Rust Project Contributors), under MIT OR \
         Apache-2.0.\n\n{}\n",
        fs::read_to_string(workspace.path("LICENSE-MIT"))?,
    );
    for (name, version) in used {
        let is_it = |it: &&Package| it.name == name && it.version == version;
        let package = metadata.packages.iter().find(is_it);
        let package = package.with_context(|| format!("cargo says nothing of {name}"))?;
        if package.source.is_none() {
            continue;
        }
        let licence = package.license.as_deref().unwrap_or("a licence of its own");
        text.push_str(&format!("{:=<78}\n{name} {version}, under {licence}\n\n", ""));
        for (file, content) in texts(&package.manifest_path)? {
            text.push_str(&format!("{file}:\n\n{}\n\n", content.trim_end()));
        }
    }
    Ok(text)
}

/// Of a line of `cargo tree`, such as `zstd-sys v2.1.3+zstd.1.5.7`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

/// The texts of licences in a crate's folder, and in those right below it, where C libraries are.
fn texts(manifest: &Path) -> Result<BTreeMap<String, String>> {
    let root = manifest.parent().context("a manifest is in a folder")?;
    let mut texts = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            // Zstandard's COPYING is the GPL, to be chosen instead of its LICENSE.
            if (name.starts_with("LICEN") || name.starts_with("NOTICE")) && path.is_file() {
                let file = path.strip_prefix(root)?.display().to_string();
                texts.insert(file, fs::read_to_string(&path)?);
            }
        }
    }
    if texts.is_empty() {
        bail!("`{}` has no text of its licence", root.display());
    }
    Ok(texts)
}

/// What `cargo metadata` says.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(folder) => Ok(folder.into()),
        None => Ok(env::home_dir().context("there is no home folder")?.join(".cargo")),
    }
}
