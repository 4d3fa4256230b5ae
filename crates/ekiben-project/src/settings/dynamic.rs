//! Where the version and other fields come from that `project.dynamic` lists.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::{Argument, ModuleName, Pattern, ProjectPath, VersionText};

/// Where the version comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VersionSettings {
    /// The name that a module assigns it to, such as `spam.__version__`. The module is read, not
    /// run.
    pub attribute: Option<ModuleName>,
    /// The file that it is in, with nothing else unless there is a `pattern`.
    pub file: Option<ProjectPath>,
    /// What finds it in the file: a regular expression with a group `(?P<version>…)`.
    pub pattern: Option<Pattern>,
    /// The version control whose tags it follows from.
    pub vcs: Option<Vcs>,
    /// Which tags count and where in them the version is: a regular expression with a group
    /// `(?P<version>…)`. When not given: `1.2`, `v1.2`, `spam-1.2` and the like.
    pub tag_pattern: Option<Pattern>,
    /// Whether a version between releases names the commit, as `+g0123abc`.
    pub local: bool,
    /// The version where there is no version control to ask.
    pub fallback: Option<VersionText>,
    /// A file with the version to make for the wheel and the source distribution. It doesn't
    /// appear in the project's folder.
    pub write_to: Option<ProjectPath>,
    /// What the file at `write-to` says; `{version}` and `{version_tuple}` are filled in.
    pub template: Option<String>,
}

impl Default for VersionSettings {
    fn default() -> Self {
        Self {
            attribute: None,
            file: None,
            pattern: None,
            vcs: None,
            tag_pattern: None,
            local: true,
            fallback: None,
            write_to: None,
            template: None,
        }
    }
}

impl VersionSettings {
    /// Whether something says where the version comes from.
    #[must_use]
    pub fn has_source(&self) -> bool {
        self.attribute.is_some() || self.file.is_some() || self.vcs.is_some()
    }
}

word_enum!(
    /// A version control.
    Vcs {
        /// git.
        Git = "git",
    }
);

/// Where fields come from that `project.dynamic` lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DynamicSettings {
    /// Where `description` comes from.
    pub description: Option<DynamicDescription>,
    /// Where `readme` comes from.
    pub readme: Option<DynamicReadme>,
    /// Where `classifiers` come from.
    pub classifiers: Option<DynamicLines>,
    /// Where `dependencies` come from, besides those that plugins derive.
    pub dependencies: Option<DynamicRequirements>,
    /// Where `optional-dependencies` come from, by extra.
    pub optional_dependencies: BTreeMap<String, DynamicRequirements>,
}

/// Where the description comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DynamicDescription {
    /// The module whose docstring's first line it is. The module is read, not run.
    pub docstring: Option<ModuleName>,
    /// The file of one line that it is in.
    pub file: Option<ProjectPath>,
}

/// Where the readme comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DynamicReadme {
    /// The files whose texts follow one another.
    pub file: FileList,
    /// Its type, such as `text/markdown`. When not given, the suffix decides.
    #[serde(default)]
    pub content_type: Option<Argument>,
}

/// Files with one item a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DynamicLines {
    /// The files. Blank lines and comments don't count.
    pub file: FileList,
}

/// Requirements from files and from here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DynamicRequirements {
    /// Files with one requirement a line. Blank lines and comments don't count.
    pub file: FileList,
    /// Requirements, as in `project.dependencies`.
    pub list: Vec<Argument>,
}

/// One file or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FileList {
    /// One file.
    One(ProjectPath),
    /// Several, in this order.
    Several(Vec<ProjectPath>),
}

impl Default for FileList {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}
