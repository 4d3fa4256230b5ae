//! Runtimes: CPython as a library that a program can hold, built from CPython's own source.
//!
//! A runtime is a folder:
//!
//! | in it | what it is |
//! |---|---|
//! | `runtime.json` | what it is made of, and how to link with it ([`Manifest`]) |
//! | `bin/python3.13` | the ordinary interpreter of the same build, which compiles bytecode |
//! | `bin/python3.13-static`, `-dynamic` | interpreters that carry an image, still an empty one |
//! | `stdlib.image` | the image of the standard library |
//! | `lib/*.a`, `lib/*.o` | what those interpreters were linked from |
//! | `lib/python3.13` | the standard library as files, for the ordinary interpreter |
//! | `include/python3.13` | headers |
//! | `licenses` | the licences of all of it |
//!
//! It is made in two steps, each kept by the digest of what it depends on: CPython itself
//! ([`interpreter`], minutes), then what Ekiben adds ([`assemble`], seconds).
//!
//! Invariants: a runtime appears by a rename, whole or not at all; the same request on the same
//! machine gives the same bytes, wherever the cache lies, unless a profile is made (`pgo`); no path of
//! the build is in it; a module of the standard library that couldn't be built is named in the
//! manifest, with the reason.

mod apt;
mod assemble;
mod check;
mod code;
mod configure;
mod digest;
mod error;
mod files;
mod install;
mod interpreter;
mod libraries;
mod link;
mod lto;
mod manifest;
mod pinned;
mod relink;
mod replaced;
mod run;
mod source;
mod stdlib;
mod store;
mod symbols;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;
mod toolchain;
mod unpack;
mod version;
mod wheel;

pub(crate) use assemble::LICENCES;
pub use check::{Check, Finding};
pub use error::{Cause, Error};
pub use manifest::{
    Compiler, FlavourLink, Interpreter, LeftOut, Library, Link, Manifest, Module, Options, SourceOf,
};
pub use relink::{
    Archive, Complaint, Libraries, Linked, Linker, NoArchive, Relink, Wanted as WantedLibraries,
};
pub use run::Progress;
pub(crate) use stdlib::{CHANGES, Change, is_early, recipe as stdlib_recipe};
pub use store::{Runtime, Store};
pub use toolchain::compiler_files;
pub use version::PythonVersion;
pub use wheel::DISTRIBUTION;

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What of Ekiben's own goes into a runtime.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The C source of `main`, which starts the interpreter.
    pub main_c: &'a str,
    /// Python modules by file name, such as the importer.
    pub python: &'a [(&'a str, &'a str)],
    /// The object file with the builtin module `_ekiben`.
    pub object: &'a [u8],
    /// The licences of what is in the object.
    pub licences: &'a str,
}

/// What runtime to build.
#[derive(Debug, Clone)]
pub struct Request {
    /// CPython's version.
    pub python: PythonVersion,
    /// Where its source comes from.
    pub source: Source,
    /// The interpreters to link.
    pub flavours: Flavours,
    /// How many processes may run at once.
    pub jobs: NonZeroU32,
    /// Where the C libraries come from that the standard library needs.
    pub libraries: LibrarySource,
    /// Whether to optimise by a profile of a run.
    pub pgo: bool,
    /// Whether to optimise across files.
    pub lto: bool,
    /// Whether CPython's own tests are to be there, with the modules that they need.
    pub tests: bool,
    /// Whether a module that can't be built is an error.
    pub strict: bool,
}

/// Where CPython's source comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The source package of the distribution, fetched by apt.
    Distribution,
    /// An archive, `.tar.xz` or `.tar.gz`.
    Archive {
        /// Its path or URL.
        place: String,
        /// Its SHA-256 in hexadecimal digits.
        sha256: String,
    },
}

/// Where C libraries come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibrarySource {
    /// The machine's static archives, and pinned sources for those that it lacks.
    Auto,
    /// The machine's static archives.
    System,
    /// Pinned sources, wherever there are such.
    Pinned,
}

impl FromStr for LibrarySource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "system" => Ok(Self::System),
            "pinned" => Ok(Self::Pinned),
            _ => Err("write auto, system or pinned".to_owned()),
        }
    }
}

/// How a program is bound to the machine's C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flavour {
    /// It holds the C library.
    Static,
    /// It takes the machine's C library, and can load shared objects.
    Dynamic,
    /// It is an ordinary interpreter of the machine, loaded from memory, and no runtime's.
    Host,
}

impl Flavour {
    /// Those that runtimes have interpreters of.
    pub const ALL: [Self; 2] = [Self::Static, Self::Dynamic];

    /// Its word on command lines and in names of files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Dynamic => "dynamic",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The flavours to link: one, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavours {
    /// Only this one.
    One(Flavour),
    /// Each.
    All,
}

impl Flavours {
    pub(crate) fn list(self) -> Vec<Flavour> {
        match self {
            Self::One(flavour) => vec![flavour],
            Self::All => Flavour::ALL.to_vec(),
        }
    }
}

impl FromStr for Flavours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "static" => Ok(Self::One(Flavour::Static)),
            "dynamic" => Ok(Self::One(Flavour::Dynamic)),
            "all" => Ok(Self::All),
            _ => Err("write static, dynamic or all".to_owned()),
        }
    }
}
