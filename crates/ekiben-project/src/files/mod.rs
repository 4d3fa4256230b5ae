//! Which files a project is made of, and what each is there for.
//!
//! The folder is walked once ([`walk`]); all rules work on that one list. What version control
//! ignores plays no part: a build from a checkout and one from a source distribution find the
//! same files.
//!
//! Invariants: every list is sorted and has no file twice; every file lies in the project.

mod generated;
mod packages;
mod patterns;
mod placed;
mod select;
mod walk;

use std::fmt;

pub use placed::script_for_wheel;
pub use select::{discover_files, discover_files_without};
pub(crate) use select::{license_files, missing_readme};

use crate::diagnostic::Diagnostic;
use crate::values::{Glob, ModuleName, ProjectPath};

/// The files of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFiles {
    /// The folder that holds the packages: `src`, or the project's root.
    pub package_root: ProjectPath,
    /// The packages, not those inside another one of the list.
    pub packages: Vec<Package>,
    /// What is installed as it is.
    pub installed: Vec<InstalledFile>,
    /// What goes elsewhere in the wheel than the package root says.
    pub placed: Vec<PlacedFile>,
    /// What is made from the project's metadata. None of it is in the other lists.
    pub generated: Vec<GeneratedFile>,
    /// The licence files.
    pub licenses: Vec<ProjectFile>,
    /// What goes into a source distribution.
    pub sdist: Vec<ProjectFile>,
    /// What the patterns of each extension stand for, in the order of the extensions.
    pub extensions: Vec<ExtensionFiles>,
    /// What was left out and shouldn't have been there.
    pub warnings: Vec<Diagnostic>,
}

/// A package's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: ModuleName,
    /// Its folder.
    pub dir: ProjectPath,
    /// Whether it has no `__init__.py`, so that other distributions can add to it (PEP 420).
    pub is_namespace: bool,
}

/// A file and why it is in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Where it is.
    pub path: ProjectPath,
    /// What it is there for.
    pub reason: Reason,
}

/// A file that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledFile {
    /// Where it is in the project.
    pub source: ProjectPath,
    /// Where it goes, relative to `site-packages`.
    pub target: String,
    /// What it is there for.
    pub reason: Reason,
    /// False if `wheel.exclude` names it: it is only there in an editable install.
    pub in_wheel: bool,
}

/// A file that `[tool.ekiben.wheel]` gives a place in the wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedFile {
    /// Where it is in the project.
    pub source: ProjectPath,
    /// Where it is installed.
    pub scheme: Scheme,
    /// Its path there.
    pub target: String,
    /// What it is there for.
    pub reason: Reason,
}

/// Where a file of a wheel is installed (binary distribution format).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Where the packages go: the wheel's root.
    Root,
    /// Where commands are found. Files are executable, and their first line may have to be changed:
    /// [`script_for_wheel`].
    Scripts,
    /// The environment's prefix.
    Data,
    /// A folder of the project's among the headers of the interpreter.
    Headers,
    /// The folder of packages without machine code.
    Purelib,
    /// The folder of packages with machine code.
    Platlib,
}

impl Scheme {
    /// The folder's name in `.data`; `None` for the wheel's root.
    #[must_use]
    pub fn data_folder(self) -> Option<&'static str> {
        match self {
            Self::Root => None,
            Self::Scripts => Some("scripts"),
            Self::Data => Some("data"),
            Self::Headers => Some("headers"),
            Self::Purelib => Some("purelib"),
            Self::Platlib => Some("platlib"),
        }
    }
}

/// A file that is made for the archives and isn't in the project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Where it would be in the project, and is in the source distribution.
    pub path: ProjectPath,
    /// Where it goes, relative to `site-packages`.
    pub target: String,
    /// What is in it.
    pub content: String,
    /// What it is there for.
    pub reason: Reason,
}

/// The files that an extension's patterns stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionFiles {
    /// The extension.
    pub name: ModuleName,
    /// Its sources: in the order of the patterns, those of one pattern sorted.
    pub sources: Vec<ProjectPath>,
    /// What else it depends on, sorted.
    pub depends: Vec<ProjectPath>,
}

/// Why a file is in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A Python file of a package.
    PackageModule(ModuleName),
    /// Another file of a package: data, stubs, `py.typed`.
    PackageData(ModuleName),
    /// A module that is a single file.
    Module(ModuleName),
    /// `include` names it.
    Include(Glob),
    /// A table of `[tool.ekiben.wheel]` places it; the table's key, and the path or pattern in it.
    Placed(&'static str, Glob),
    /// `version.write-to` names it.
    WriteTo,
    /// `sdist.include` names it.
    SdistInclude(Glob),
    /// `license-files` names it.
    License(Glob),
    /// It has one of the usual names of licence files.
    UsualLicense(Glob),
    /// A deprecated `license = { file = … }` names it.
    LicenseTable,
    /// It is `pyproject.toml`.
    Pyproject,
    /// It is the readme.
    Readme,
    /// It lies in the project's folder, and nothing excludes it.
    InProject,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PackageModule(package) => write!(f, "module of package `{package}`"),
            Self::PackageData(package) => write!(f, "data of package `{package}`"),
            Self::Module(name) => write!(f, "module `{name}`"),
            Self::Include(glob) => write!(f, "`tool.ekiben.include` (`{glob}`)"),
            Self::Placed(key, glob) => write!(f, "`tool.ekiben.wheel.{key}` (`{glob}`)"),
            Self::WriteTo => f.write_str("`tool.ekiben.version.write-to`"),
            Self::SdistInclude(glob) => write!(f, "`tool.ekiben.sdist.include` (`{glob}`)"),
            Self::License(glob) => write!(f, "`project.license-files` (`{glob}`)"),
            Self::UsualLicense(glob) => write!(f, "licence file (`{glob}`)"),
            Self::LicenseTable => f.write_str("`project.license.file`"),
            Self::Pyproject => f.write_str("every project has it"),
            Self::Readme => f.write_str("`project.readme`"),
            Self::InProject => f.write_str("in the project's folder"),
        }
    }
}
