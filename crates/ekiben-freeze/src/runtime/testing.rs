//! What tests of this module share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use super::manifest::FORMAT;
use super::run::{Progress, Runner};
use super::{
    Compiler, Flavours, Interpreter, LibrarySource, Link, Manifest, Options, Request, Source,
    SourceOf,
};

/// A runner with a log of its own, that nobody stops.
pub(super) fn with_runner<T>(test: impl FnOnce(&mut Runner<'_>, &Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
    test(&mut Runner::new(progress, &folder.path().join("log")).unwrap(), folder.path())
}

/// The plainest runtime of a version.
pub(super) fn request(python: &str) -> Request {
    Request {
        python: python.parse().unwrap(),
        source: Source::Distribution,
        flavours: Flavours::All,
        jobs: std::num::NonZeroU32::MIN,
        libraries: LibrarySource::System,
        pgo: false,
        lto: false,
        tests: false,
        strict: false,
    }
}

/// An interpreter of this machine that is as new as those of runtimes.
pub(super) fn python() -> PathBuf {
    let names = ["python3", "python3.13", "python3.12", "python3.11"];
    let is_new = |name: &&str| {
        let asked = Command::new(name).args(["-P", "-c", "import sys; sys.exit(0)"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    names.iter().find(|name| is_new(name)).expect("CPython 3.11 or later is in PATH").into()
}

/// Compiles C to an object in a folder, which is made.
pub(super) fn compile(folder: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let object = folder.join(format!("{name}.o"));
    let file = object.with_extension("c");
    super::files::write(&file, source).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.args(flags).arg("-c").arg(&file).arg("-o").arg(&object);
    assert!(gcc.status().unwrap().success(), "{source}");
    object
}

/// An archive of objects.
pub(super) fn archive(folder: &Path, name: &str, objects: &[&Path]) -> PathBuf {
    let archive = folder.join(name);
    assert!(Command::new("ar").arg("rcsD").arg(&archive).args(objects).status().unwrap().success());
    archive
}

/// The manifest of a runtime with nothing in it.
pub(super) fn manifest(version: &str, digest: char) -> Manifest {
    Manifest {
        format: FORMAT,
        ekiben: "0".to_owned(),
        digest: digest.to_string().repeat(64),
        interpreter: Interpreter {
            python: version[..4].to_owned(),
            version: version.to_owned(),
            source: SourceOf { origin: "a test".to_owned(), sha256: String::new() },
            options: Options { pgo: false, lto: false, tests: false, configure: Vec::new() },
            compiler: Compiler {
                command: Vec::new(),
                version: String::new(),
                target: "x86_64-linux-gnu".to_owned(),
            },
            modules: Vec::new(),
            left_out: Vec::new(),
            libraries: Vec::new(),
        },
        link: Link {
            compile_flags: Vec::new(),
            python: String::new(),
            archives: Vec::new(),
            libraries: Vec::new(),
            flavours: BTreeMap::new(),
        },
        files: BTreeMap::new(),
    }
}
