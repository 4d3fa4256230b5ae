//! `runtime.json`: what a runtime is made of.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::Error;
use super::{Flavour, files};

/// The version of this file's format.
pub(super) const FORMAT: u32 = 2;

/// What `runtime.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format of this file.
    pub format: u32,
    /// The version of Ekiben that made it.
    pub ekiben: String,
    /// The digest of all it depends on, which is its folder's name.
    pub digest: String,
    /// CPython.
    pub interpreter: Interpreter,
    /// How to link a program.
    pub link: Link,
    /// The SHA-256 of every other file in it.
    pub files: BTreeMap<String, String>,
}

/// CPython, as it was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interpreter {
    /// The series, such as `3.13`.
    pub python: String,
    /// The release, such as `3.13.5`.
    pub version: String,
    /// Where its source is from.
    pub source: SourceOf,
    /// What the compiler was told.
    pub options: Options,
    /// The compiler.
    pub compiler: Compiler,
    /// Every module that is compiled in, in the order of CPython's own table.
    pub modules: Vec<Module>,
    /// The modules of the standard library that aren't there.
    pub left_out: Vec<LeftOut>,
    /// The static libraries, in the order of their names.
    pub libraries: Vec<Library>,
}

/// A source archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SourceOf {
    /// A URL, a source package, or the name of a file that was given.
    pub origin: String,
    /// Its SHA-256.
    pub sha256: String,
}

/// How CPython was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// Whether a profile guided the compiler.
    pub pgo: bool,
    /// Whether it optimised across files.
    pub lto: bool,
    /// Whether CPython's own tests are there, with the modules that they need.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tests: bool,
    /// What `configure` was told.
    pub configure: Vec<String>,
}

/// A compiler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Compiler {
    /// The words to start it with.
    pub command: Vec<String>,
    /// The first line of what it says of itself.
    pub version: String,
    /// What it compiles for.
    pub target: String,
}

/// A builtin module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// The function that makes it; none for those that the core makes itself.
    pub init: Option<String>,
    /// The libraries that it needs.
    pub libraries: Vec<String>,
}

/// A module of the standard library that isn't there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The packages of Debian that would change that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}

/// A static library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Library {
    /// Its name, as in `-lNAME`.
    pub name: String,
    /// Where it is in the runtime; none if it belongs to the compiler.
    pub file: Option<String>,
    /// Its licence, as an SPDX expression.
    pub licence: String,
    /// The texts of its licence, in the runtime.
    pub licence_files: Vec<String>,
    /// The package that it came in, with its version, where that is known.
    pub package: Option<String>,
    /// Which programs it is part of; all, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flavours: Vec<Flavour>,
}

/// How to link a program: the compiler with a flavour's flags and objects, all of CPython, the
/// archives in one group, and the libraries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Link {
    /// What C code of a program is compiled with.
    pub compile_flags: Vec<String>,
    /// CPython's own archive, all of which goes into a program.
    pub python: String,
    /// Archives, in the runtime, which may need each other.
    pub archives: Vec<String>,
    /// Libraries of the compiler.
    pub libraries: Vec<String>,
    /// What differs between flavours.
    pub flavours: BTreeMap<Flavour, FlavourLink>,
}

/// How a flavour is linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FlavourLink {
    /// Its interpreter, in the runtime.
    pub program: String,
    /// What C code is compiled with besides.
    pub compile_flags: Vec<String>,
    /// Objects, in the runtime.
    pub objects: Vec<String>,
    /// Flags of the link.
    pub flags: Vec<String>,
}

/// Reads a manifest.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = files::read_text(path)?;
    serde_json::from_str(&text).map_err(|error| Error::Damaged {
        folder: path.parent().unwrap_or(path).to_owned(),
        message: format!("{} can't be understood: {error}", path.display()),
    })
}

/// Writes a manifest.
pub(super) fn write(path: &Path, manifest: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|error| Error::Internal(format!("a manifest can't be written: {error}")))?;
    files::write(path, text + "\n")
}
