//! C libraries from pinned sources, for machines that have no static archives of them.
//!
//! The sources lie inside crates for Rust. Cargo fetches those that `crates.toml` names, from wherever it
//! is configured to, and compares them with the checksums of `crates.lock`; nothing in Rust is compiled.
//! The rules by which they become archives are in `Makefile`.
//!
//! Invariants: what is made depends on the pins, the rules and the compiler only, and has no path of the
//! build in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::configure::COMPILE_FLAGS;
use super::error::Error;
use super::interpreter::{reproducible, with_make};
use super::run::{self, Runner};
use super::store::Store;
use super::toolchain::Toolchain;
use super::{Request, digest, files};

const RULES: &str = include_str!("Makefile");
const MANIFEST: &str = include_str!("crates.toml");
const LOCK: &str = include_str!("crates.lock");
/// The folder, in the user's folder for runtimes, where they are kept.
pub(super) const FOLDER: &str = "libraries";
/// The licence, in the folder of a library.
const LICENCE: &str = "LICENCE";
/// The time that is written into libraries: 1980-01-01. OpenSSL takes zero for none (`mkbuildinf.pl`).
const EPOCH: u64 = 315_532_800;

/// The source of libraries that are built together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The libraries, in the order of a link; the first is what the rules call them.
    libraries: &'static [&'static str],
    /// The crate that it lies in.
    in_crate: &'static str,
    /// The text of the licence in it, unless that is nobody's.
    licence: Option<&'static str>,
}

const SOURCES: [Source; 7] = [
    Source { libraries: &["bz2"], in_crate: "bzip2-sys", licence: Some("bzip2-1.0.8/LICENSE") },
    Source { libraries: &["ffi"], in_crate: "libffi-sys", licence: Some("libffi/LICENSE") },
    Source { libraries: &["lzma"], in_crate: "liblzma-sys", licence: Some("xz/COPYING.0BSD") },
    Source {
        libraries: &["sqlite3"],
        in_crate: "libsqlite3-sys",
        // It is in the public domain.
        licence: None,
    },
    Source {
        libraries: &["ssl", "crypto"],
        in_crate: "openssl-src",
        licence: Some("openssl/LICENSE.txt"),
    },
    Source { libraries: &["z"], in_crate: "libz-sys", licence: Some("src/zlib/LICENSE") },
    Source { libraries: &["zstd"], in_crate: "zstd-sys", licence: Some("zstd/LICENSE") },
];

/// Libraries that were built.
#[derive(Debug)]
pub(super) struct Built {
    /// Their folder: `lib` and `include` are in it.
    pub(super) folder: PathBuf,
    /// The crate that the source is from, and its version.
    pub(super) package: String,
    pub(super) licence_text: Option<PathBuf>,
    libraries: &'static [&'static str],
}

impl Built {
    /// The archive of a library, if it is one of these.
    pub(super) fn archive(&self, library: &str) -> Option<PathBuf> {
        let is_here = self.libraries.contains(&library);
        is_here.then(|| self.folder.join(format!("lib/lib{library}.a")))
    }
}

/// The source that these libraries come from together.
pub(super) fn source(libraries: &[&str]) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.libraries == libraries)
}

impl Source {
    /// Builds the libraries, unless they are there.
    pub(super) fn build(
        &self,
        request: &Request,
        store: &Store,
        toolchain: &Toolchain,
        runner: &mut Runner<'_>,
    ) -> Result<Built, Error> {
        let pin = self.pin()?;
        let goal = self.libraries.first().copied().unwrap_or_default();
        let flags = flags();
        let depends =
            (RULES, goal, &pin.version, &pin.checksum, &flags, &toolchain.compiler, EPOCH);
        let key = digest::of_value(&depends)?;
        let marker = format!("lib/lib{goal}.a");
        let package = format!("{} {}", self.in_crate, pin.version);
        let folder = store.once(&key, FOLDER, &marker, runner, |scratch, runner| {
            runner.step(&format!("Fetching {package}"))?;
            let from = fetch(self.in_crate, scratch, runner)?;
            runner.step(&format!("Compiling {package}"))?;
            let source = scratch.join("source");
            files::copy_folder(&from, &source)?;
            files::write(&scratch.join("Makefile"), RULES)?;
            let mut make = run::command("make");
            reproducible(&mut make, EPOCH);
            make.current_dir(&source).args(["-f", "../Makefile", goal]);
            make.arg(format!("-j{}", request.jobs));
            make.arg(format!("CC={}", toolchain.compiler.command.join(" ")));
            make.arg(format!("AR={}", toolchain.program("ar", runner)?));
            make.arg(format!("CFLAGS={flags}"));
            runner.run(&format!("compiling {package}"), &mut make).map_err(with_make)?;
            let made = source.join("out");
            if let Some(licence) = self.licence {
                files::copy(&source.join(licence), &made.join(LICENCE))?;
            }
            files::remove_folder(&made.join("objects"))?;
            Ok(made)
        })?;
        let licence_text = self.licence.map(|_| folder.join(LICENCE));
        Ok(Built { folder, package, licence_text, libraries: self.libraries })
    }

    /// What the lock file says of its crate.
    fn pin(&self) -> Result<Pin, Error> {
        let lock: Lock = toml::from_str(LOCK)
            .map_err(|error| Error::Internal(format!("crates.lock can't be read: {error}")))?;
        let mut pins = lock.package.into_iter();
        pins.find(|pin| pin.name == self.in_crate)
            .ok_or_else(|| Error::Internal(format!("crates.lock has no {}", self.in_crate)))
    }
}

/// What C code is compiled with: as CPython is, but so that `configure` can link what it tries with it by
/// the compiler's own default.
fn flags() -> String {
    COMPILE_FLAGS.map(|flag| if flag == "-fno-pie" { "-fPIC" } else { flag }).join(" ")
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Pin>,
}

#[derive(Deserialize)]
struct Pin {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// What `cargo metadata` prints.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// Has cargo fetch the crates, and gives the folder of one.
fn fetch(name: &str, scratch: &Path, runner: &mut Runner<'_>) -> Result<PathBuf, Error> {
    let project = scratch.join("crates");
    files::write(&project.join("Cargo.toml"), MANIFEST)?;
    files::write(&project.join("Cargo.lock"), LOCK)?;
    // A package without any code is none.
    files::write(&project.join("src/lib.rs"), "")?;
    let mut cargo = cargo();
    cargo.current_dir(&project).args(["metadata", "--locked", "--format-version", "1"]);
    let text = runner.output("fetching pinned sources", &mut cargo).map_err(|error| {
        error.if_missing(
            "install cargo, which fetches pinned sources, or the libraries' static archives",
        )
    })?;
    let metadata: Metadata = serde_json::from_str(&text).map_err(|error| {
        Error::Internal(format!("what `cargo metadata` prints can't be read: {error}"))
    })?;
    let package = metadata.packages.into_iter().find(|package| package.name == name);
    let folder = package.and_then(|package| Some(package.manifest_path.parent()?.to_owned()));
    folder.ok_or_else(|| Error::Internal(format!("`cargo metadata` names no {name}")))
}

/// Cargo, with what says where it finds crates.
fn cargo() -> Command {
    let mut cargo = run::command("cargo");
    let is_of_cargo = |name: &std::ffi::OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(b"CARGO_") || name.starts_with(b"RUSTUP_")
    };
    cargo.envs(std::env::vars_os().filter(|(name, _)| is_of_cargo(name)));
    cargo
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::runtime::testing;

    #[test]
    fn every_source_is_pinned() {
        let manifest: toml::Table = toml::from_str(MANIFEST).unwrap();
        let asked = manifest["dependencies"].as_table().unwrap();
        assert_eq!(asked.len(), SOURCES.len());
        for source in &SOURCES {
            let pin = source.pin().unwrap();
            let asked = asked[source.in_crate]["version"].as_str().unwrap();
            // What a version holds stands after a plus.
            assert_eq!(pin.version.split('+').next(), Some(asked), "{}", source.in_crate);
            assert_eq!(pin.checksum.map(|it| it.len()), Some(64), "{}", source.in_crate);
        }
    }

    #[test]
    fn libraries_that_belong_together_are_known_together() {
        assert_eq!(source(&["ssl", "crypto"]).unwrap().in_crate, "openssl-src");
        assert_eq!(source(&["ssl"]), None);
        assert_eq!(source(&["uuid"]), None);
    }

    /// Two small libraries of real sources, in a program that uses them.
    #[test]
    fn archives_are_made_and_can_be_linked_with() {
        let made = |folder: &Path, runner: &mut Runner<'_>| {
            let store = Store::new(folder);
            for inner in [FOLDER, "locks", "scratch"] {
                files::create_folder(&store.folder().join(inner)).unwrap();
            }
            let toolchain = Toolchain::find(runner).unwrap();
            let request = testing::request("3.13");
            ["z", "bz2"].map(|library| {
                let source = source(&[library]).unwrap();
                let built = source.build(&request, &store, &toolchain, runner).unwrap();
                super::super::install::refuse_paths(&built.folder, &[folder]).unwrap();
                (built.archive(library).unwrap(), built)
            })
        };
        testing::with_runner(|runner, folder| {
            let [(z, built), (bz2, of_bz2)] = made(&folder.join("one"), runner);
            assert!(built.package.starts_with("libz-sys 1."), "{}", built.package);
            assert_eq!(built.archive("ssl"), None);
            let licence = files::read_text(built.licence_text.as_ref().unwrap()).unwrap();
            assert!(licence.contains("Jean-loup Gailly"), "{licence}");
            let program = folder.join("main.c");
            let source = "#include <stdio.h>\n#include <bzlib.h>\n#include <zlib.h>\n\
                int main(void) {\n\
                    char packed[200], back[100];\n\
                    uLongf length = sizeof packed, whole = sizeof back;\n\
                    compress((Bytef *)packed, &length, (const Bytef *)\"spam\", 5);\n\
                    uncompress((Bytef *)back, &whole, (const Bytef *)packed, length);\n\
                    unsigned int size = sizeof packed;\n\
                    int end = BZ2_bzBuffToBuffCompress(packed, &size, back, 5, 1, 0, 0);\n\
                    printf(\"%s %d %s\", back, end, zlibVersion());\n\
                    return 0;\n\
                }\n";
            files::write(&program, source).unwrap();
            let mut compile = Toolchain::find(runner).unwrap().command();
            compile.arg("-o").arg(folder.join("main")).arg(&program);
            for folder in [&built.folder, &of_bz2.folder] {
                compile.arg("-I").arg(folder.join("include"));
            }
            runner.run("compiling", compile.arg(&z).arg(&bz2)).unwrap();
            let said = runner.output("trying", &mut Command::new(folder.join("main"))).unwrap();
            assert!(said.starts_with("spam 0 1."), "{said}");

            let [(again, _), _] = made(&folder.join("a-folder-with-another-name"), runner);
            assert!(files::read(&z).unwrap() == files::read(&again).unwrap());
        });
    }
}
