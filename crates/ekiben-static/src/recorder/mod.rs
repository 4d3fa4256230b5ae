//! The link recorder: stands where compilers look for the linker while a package's own build system
//! makes its wheel, and keeps of each shared object what it was made of.
//!
//! Whatever a build system calls a compiler, and however it is called (by libtool, by ccache, with
//! response files), a shared object comes from one program in the end: the linker that the compiler
//! starts. So that is all the recorder stands in for. Compilers find it by `COMPILER_PATH` (gcc,
//! clang), build systems that start the linker themselves by `PATH`, and rustc, which brings a linker
//! of its own, by a compiler that looks into the recorder's folder first.
//!
//! The recorder runs the linker that would have run without it, with the same words. Only then, and
//! only for a shared object, it links the same inputs once more, to one relocatable object. That has to
//! be at once: inputs are often temporary. A second link that fails is noted and never fails the build.
//!
//! | in the recorder's folder | what it is |
//! |---|---|
//! | `bin`, `rust`, `rust/bin` | links to Ekiben's program, by the names that it stands in for |
//! | `records` | what was linked: `NUMBER.json`, and `NUMBER.o` if it was linked again |

mod arguments;
mod libraries;
mod link;
mod record;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

pub(crate) use record::code;
pub use record::{Linked, Record};

use crate::Error;

/// The variable with the recorder's folder.
const FOLDER: &str = "EKIBEN_RECORDER";
/// The variable with the folder of the build: what lies in it is the package's own.
const OWN: &str = "EKIBEN_RECORDER_OWN";
/// The variable that asks for debugging information to be kept.
const DEBUG: &str = "EKIBEN_RECORDER_DEBUG";
/// The variable with what rustc would have linked with.
const RUST: &str = "EKIBEN_RECORDER_RUST";

/// The names of linkers that compilers look for (`-fuse-ld`).
const LINKERS: [&str; 5] = ["ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold"];
/// The name of rustc's compiler, from which it knows how to talk to it.
const CC: &str = "cc";
/// The exit status of a shell that finds no such program.
const NOT_FOUND: u8 = 127;

/// A folder from which linkers are stood in for.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
}

impl Recorder {
    /// Prepares a folder, which is there and empty. `program` is what stands in, and has to call
    /// [`stand_in`].
    ///
    /// # Errors
    /// If it can't be written to.
    pub fn new(folder: &Path, program: &Path) -> Result<Self, Error> {
        // Linkers are started in other folders.
        let folder = folder.canonicalize().map_err(Error::io("read", folder))?;
        let link = |place: &str, name: &str| {
            let folder = folder.join(place);
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
            let at = folder.join(name);
            std::os::unix::fs::symlink(program, &at).map_err(Error::io("create", at))
        };
        for name in LINKERS {
            // A build system that tries them mustn't find one that isn't there.
            if which::which(name).is_ok() {
                link("bin", name)?;
            }
            link("rust/bin", name)?;
        }
        link("rust", CC)?;
        let records = folder.join("records");
        fs::create_dir_all(&records).map_err(Error::io("create", &records))?;
        Ok(Self { folder })
    }

    /// Has a command's processes find the recorder. What lies in `own` counts as the package's own.
    pub fn watch(&self, command: &mut Command, own: &Path, debug: bool) {
        let bin = self.folder.join("bin");
        for name in ["PATH", "COMPILER_PATH"] {
            let old = std::env::var_os(name).unwrap_or_default();
            command.env(name, before(&bin, &old));
        }
        command.env(FOLDER, &self.folder).env(OWN, own);
        if debug {
            command.env(DEBUG, "1");
        }
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let cargo = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
        if let Some(linker) = std::env::var_os(&cargo) {
            command.env(RUST, linker);
        }
        command.env(cargo, self.folder.join("rust").join(CC));
    }

    /// What was linked, in no particular order.
    ///
    /// # Errors
    /// If a record can't be read.
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        record::read_all(&self.folder.join("records"))
    }
}

/// A list of folders with another in front.
fn before(folder: &Path, list: &OsStr) -> OsString {
    let mut all = folder.as_os_str().to_owned();
    if !list.is_empty() {
        all.push(":");
        all.push(list);
    }
    all
}

/// Stands in for a linker, if that is what this process was started as; else nothing.
#[must_use]
pub fn stand_in() -> Option<ExitCode> {
    let folder = PathBuf::from(std::env::var_os(FOLDER)?);
    let mut words = std::env::args_os();
    let me = PathBuf::from(words.next()?);
    let name = me.file_name()?.to_str()?.to_owned();
    let words: Vec<OsString> = words.collect();
    if name == CC {
        return Some(as_compiler(&folder, &words));
    }
    if !LINKERS.contains(&name.as_str()) {
        return None;
    }
    let Some(real) = find(&name, &folder) else {
        return Some(not_found(&name));
    };
    Some(link::run(&real, &words, &folder))
}

/// Becomes the compiler, which looks for the linker in the recorder's folder first.
fn as_compiler(folder: &Path, words: &[OsString]) -> ExitCode {
    let real = match std::env::var_os(RUST) {
        Some(real) => PathBuf::from(real),
        None => match find(CC, folder) {
            Some(real) => real,
            None => return not_found(CC),
        },
    };
    let mut look = OsString::from("-B");
    look.push(folder.join("rust/bin"));
    let error = Command::new(&real).arg(look).args(words).exec();
    complain(&format!("{} can't be run: {error}", real.display()));
    ExitCode::from(NOT_FOUND)
}

/// The program that would run if there were no recorder: compilers look into their own folders first,
/// which they tell in `COMPILER_PATH`.
fn find(name: &str, recorder: &Path) -> Option<PathBuf> {
    let lists = ["COMPILER_PATH", "PATH"].into_iter().filter_map(std::env::var_os);
    let folders: Vec<PathBuf> = lists
        .flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>())
        // `a/../b` of compilers may begin with a folder of ours.
        .filter(|folder| !folder.canonicalize().is_ok_and(|it| it.starts_with(recorder)))
        .collect();
    which::which_in_global(name, std::env::join_paths(folders).ok()).ok()?.next()
}

fn not_found(name: &str) -> ExitCode {
    complain(&format!("there is no `{name}` on the PATH"));
    ExitCode::from(NOT_FOUND)
}

/// The build that started this linker shows what it says.
#[allow(clippy::print_stderr)]
fn complain(message: &str) {
    eprintln!("ekiben's link recorder: {message}");
}
