//! Finds, or installs, a Rust compiler for `wasm32-unknown-unknown`.
//!
//! Either the compiler that cargo uses has the target's standard library, as rustup installs it; or
//! the standard library's sources are at hand and cargo builds it too (`-Z build-std`), which is
//! how a distribution's compiler serves.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{output_of, run};

/// The target of all plugins: no WASI, hence no ambient authority.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Packages of Debian and its relatives that bring the sources of the standard library.
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// A way to compile for [`TARGET`].
pub(crate) enum WasmToolchain {
    /// The target is installed.
    Installed { sysroot: PathBuf },
    /// The standard library is compiled along.
    BuildStd { rustc: PathBuf, sysroot: PathBuf, linker: PathBuf },
}

impl WasmToolchain {
    /// Prefers what is installed, then installs what the machine's package managers have.
    pub(crate) fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find()? {
            return Ok(found);
        }
        if can_use_apt() {
            eprintln!("no compiler for {TARGET} yet: installing {}", DEBIAN_PACKAGES.join(" and "));
            let installed = run(Command::new("apt-get").args(["update", "-qq"])).and_then(|()| {
                let mut install = Command::new("apt-get");
                install.args(["install", "-y", "-qq", "--no-install-recommends"]);
                run(install.args(DEBIAN_PACKAGES).env("DEBIAN_FRONTEND", "noninteractive"))
            });
            match (installed, Self::find()?) {
                (Ok(()), Some(found)) => return Ok(found),
                (Err(error), _) => eprintln!("warning: {error:#}"),
                (Ok(()), None) => {}
            }
        }
        match run(Command::new("rustup").args(["target", "add", TARGET])) {
            Ok(()) => {
                if let Some(found) = Self::find()? {
                    return Ok(found);
                }
            }
            Err(error) => eprintln!("warning: {error:#}"),
        }
        bail!(
            "there is no Rust compiler for {TARGET}. Do one of these and try again:\n  \
             with rustup: rustup target add {TARGET}\n  \
             on Debian:   apt-get install --no-install-recommends {}",
            DEBIAN_PACKAGES.join(" ")
        );
    }

    fn find() -> Result<Option<Self>> {
        let default = PathBuf::from(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        let default_sysroot = sysroot(&default).context("the Rust compiler doesn't work")?;
        if has_standard_library(&default)? {
            return Ok(Some(Self::Installed { sysroot: default_sysroot }));
        }
        for rustc in [default, PathBuf::from("/usr/bin/rustc")] {
            let Ok(sysroot) = sysroot(&rustc) else { continue };
            if !sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file() {
                continue;
            }
            if let Some(linker) = linker(&[&default_sysroot, &sysroot])? {
                return Ok(Some(Self::BuildStd { rustc, sysroot, linker }));
            }
        }
        Ok(None)
    }

    /// Adds what this way needs to a `cargo build`. Afterwards no path of this machine gets into
    /// what is built, so that a plugin has the same digest everywhere the compiler is the same.
    pub(crate) fn configure(&self, cargo: &mut Command, root: &Path) -> Result<()> {
        let sysroot = match self {
            Self::Installed { sysroot } => sysroot,
            Self::BuildStd { rustc, sysroot, linker } => {
                cargo.env("RUSTC", rustc);
                cargo.env("RUSTC_BOOTSTRAP", "1");
                cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                cargo.arg("-Zbuild-std=std,panic_abort");
                cargo.arg("-Zbuild-std-features=optimize_for_size");
                sysroot
            }
        };
        let library = sysroot.join("lib/rustlib/src/rust");
        let mut remapped = vec![(sysroot.clone(), "rust-sysroot"), (root.to_owned(), "ekiben")];
        if let Some(home) = cargo_home() {
            remapped.push((home, "cargo"));
        }
        if let Ok(library) = fs::canonicalize(library) {
            remapped.push((library, "rust"));
        }
        let flags: Vec<String> = remapped
            .iter()
            .map(|(from, to)| {
                let from = from.to_str().with_context(|| format!("{from:?} isn't UTF-8"))?;
                Ok(format!("--remap-path-prefix={from}={to}"))
            })
            .collect::<Result<_>>()?;
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        cargo.args(["--target", TARGET]);
        Ok(())
    }
}

fn cargo_home() -> Option<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(home) => Some(home.into()),
        None => env::home_dir().map(|home| home.join(".cargo")),
    }
}

fn sysroot(rustc: &Path) -> Result<PathBuf> {
    output_of(Command::new(rustc).args(["--print", "sysroot"])).map(PathBuf::from)
}

fn has_standard_library(rustc: &Path) -> Result<bool> {
    let mut query = Command::new(rustc);
    let folder = output_of(query.args(["--print", "target-libdir", "--target", TARGET]))?;
    let Ok(entries) = fs::read_dir(folder) else { return Ok(false) };
    Ok(entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with("libstd-") && name.ends_with(".rlib"))
    }))
}

/// `rust-lld`, which reads its role from the target. A compiler of a distribution may come without.
fn linker(sysroots: &[&Path]) -> Result<Option<PathBuf>> {
    for sysroot in sysroots {
        let rustlib = sysroot.join("lib/rustlib");
        let Ok(entries) = fs::read_dir(&rustlib) else { continue };
        for entry in entries {
            let linker = entry
                .with_context(|| format!("`{}` can't be listed", rustlib.display()))?
                .path()
                .join("bin/rust-lld");
            if linker.is_file() {
                return Ok(Some(linker));
            }
        }
    }
    Ok(None)
}

fn can_use_apt() -> bool {
    Path::new("/etc/debian_version").exists()
        && output_of(Command::new("id").arg("-u")).is_ok_and(|user| user == "0")
}
