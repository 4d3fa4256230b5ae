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

use serde::{Deserialize, Serialize};

use crate::Error;

/// The file in the recorder's folder by which it is known, and what there is to be known. No variable, for
/// a build may pass on few of those.
const SETTINGS: &str = "recorder.json";

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

/// What a stand-in has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// The folder of the build: what lies in it is the package's own.
    own: PathBuf,
    /// Whether debugging information is kept.
    debug: bool,
    /// What rustc would have linked with, if that was said.
    rust: Option<PathBuf>,
}

/// The folder in which a stand-in was started, and what it has to know.
struct Place {
    folder: PathBuf,
    settings: Settings,
}

impl Recorder {
    /// Prepares a folder, which is there and empty. `program` is what stands in, and has to call
    /// [`stand_in`]. What lies in `own`, the folder of the build, counts as the package's own; with
    /// `debug` objects keep their debugging information.
    ///
    /// # Errors
    /// If it can't be written to.
    pub fn new(folder: &Path, program: &Path, own: &Path, debug: bool) -> Result<Self, Error> {
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
        let rust = std::env::var_os(cargo_variable()).map(PathBuf::from);
        let own = own.canonicalize().map_err(Error::io("read", own))?;
        let text = serde_json::to_vec(&Settings { own, debug, rust }).unwrap_or_default();
        let path = folder.join(SETTINGS);
        fs::write(&path, text).map_err(Error::io("write", path))?;
        Ok(Self { folder })
    }

    /// Has a command's processes find the recorder.
    pub fn watch(&self, command: &mut Command) {
        let bin = self.folder.join("bin");
        for name in ["PATH", "COMPILER_PATH"] {
            let old = std::env::var_os(name).unwrap_or_default();
            command.env(name, before(&bin, &old));
        }
        command.env(cargo_variable(), self.folder.join("rust").join(CC));
    }

    /// What was linked, in no particular order.
    ///
    /// # Errors
    /// If a record can't be read.
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        record::read_all(&self.folder.join("records"))
    }
}

/// The variable by which cargo is told what rustc is to link with.
fn cargo_variable() -> String {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"))
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
    let mut words = std::env::args_os();
    let me = PathBuf::from(words.next()?);
    let name = me.file_name()?.to_str()?.to_owned();
    if name != CC && !LINKERS.contains(&name.as_str()) {
        return None;
    }
    let place = Place::of(&me, &name)?;
    let words: Vec<OsString> = words.collect();
    if name == CC {
        return Some(as_compiler(&place, &words));
    }
    Some(match find(&name, &place.folder) {
        Some(real) => link::run(&real, &words, &place),
        None => not_found(&name),
    })
}

impl Place {
    /// The place of a stand-in that was started by a path, or by a name that was looked up.
    fn of(me: &Path, name: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folder = match me.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => folder.to_owned(),
            None => std::env::split_paths(&path).find(|folder| folder.join(name).exists())?,
        };
        let folder = folder.canonicalize().ok()?;
        // It may be `bin`, `rust` or `rust/bin`.
        let settings = folder.ancestors().skip(1).take(2).map(|folder| folder.join(SETTINGS));
        let path = settings.into_iter().find(|path| path.is_file())?;
        let settings = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        Some(Self { folder: path.parent()?.to_owned(), settings })
    }
}

/// Becomes the compiler, which looks for the linker in the recorder's folder first.
fn as_compiler(place: &Place, words: &[OsString]) -> ExitCode {
    let folder = &place.folder;
    let real = match &place.settings.rust {
        Some(real) => real.clone(),
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
