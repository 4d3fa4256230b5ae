//! `[project]` as the standards define it (PEP 621, 639, 794): typed, valid, nothing of ours in it.
//!
//! [`read`](read::read) turns the tree into a [`Standard`], or reports all that is wrong with it.

mod contacts;
mod entry_points;
mod imports;
mod license;
mod read;
mod readme;
mod requirement;

pub use contacts::Person;
pub use entry_points::{EntryPoint, EntryPointGroup, ObjectRef};
pub use imports::ImportName;
pub use license::{License, SpdxExpression};
pub use readme::{Readme, ReadmeSource};
pub use requirement::Dependency;

pub(crate) use license::DEFAULT_LICENSE_FILES;
pub(crate) use read::{Sources, read};
pub(crate) use readme::type_by_suffix;
pub(crate) use requirement::parse_requirement;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};

use crate::values::Glob;

/// The name of a project, as its author writes it and as tools compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectName {
    given: String,
    normalized: PackageName,
}

impl ProjectName {
    /// As it is written in `pyproject.toml`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// The form tools compare: lowercase, with `-` for each run of `-`, `_` and `.`.
    #[must_use]
    pub fn normalized(&self) -> &PackageName {
        &self.normalized
    }

    /// The form in the names of wheels, sdists and `.dist-info`: normalised, with `_`.
    #[must_use]
    pub fn in_file_names(&self) -> String {
        self.normalized.as_ref().replace('-', "_")
    }
}

/// The standard table, all of it valid.
#[derive(Debug, Clone)]
pub struct Standard {
    /// `name`.
    pub name: ProjectName,
    /// `version`, normalised when displayed.
    pub version: Version,
    /// `description`, one line.
    pub description: Option<String>,
    /// `readme`.
    pub readme: Option<Readme>,
    /// `requires-python`.
    pub requires_python: Option<VersionSpecifiers>,
    /// `license`.
    pub license: Option<License>,
    /// `license-files`; `None` stands for the usual names.
    pub license_files: Option<Vec<Glob>>,
    /// `authors`.
    pub authors: Vec<Person>,
    /// `maintainers`.
    pub maintainers: Vec<Person>,
    /// `keywords`.
    pub keywords: Vec<String>,
    /// `classifiers`.
    pub classifiers: Vec<String>,
    /// `urls`: label and address, in the order of the file.
    pub urls: Vec<(String, String)>,
    /// `dependencies`.
    pub dependencies: Vec<Dependency>,
    /// `optional-dependencies`, in the order of the file.
    pub optional_dependencies: Vec<(ExtraName, Vec<Dependency>)>,
    /// `scripts`, `gui-scripts` and `entry-points`, by group.
    pub entry_points: Vec<EntryPointGroup>,
    /// `dynamic`: the fields that `[project]` leaves to be computed.
    pub dynamic: Vec<String>,
    /// `import-names` (PEP 794); `Some` of nothing says that nothing can be imported.
    pub import_names: Option<Vec<ImportName>>,
    /// `import-namespaces` (PEP 794).
    pub import_namespaces: Option<Vec<ImportName>>,
}

impl Standard {
    /// The entry points of one group, such as `console_scripts`.
    #[must_use]
    pub fn entry_points(&self, group: &str) -> &[EntryPoint] {
        self.entry_points.iter().find(|g| g.name == group).map_or(&[], |g| &g.entries)
    }
}
