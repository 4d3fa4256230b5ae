//! [`Report`]: what was taken and why, for people and for programs.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Flavour;

/// What a program was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The module that is run.
    pub main: String,
    /// What the program needs of the machine; none until that is decided.
    #[serde(default)]
    pub flavour: Option<Flavour>,
    /// Modules besides the standard library's, by name.
    pub modules: Vec<ReportedModule>,
    /// Modules of the standard library that the program names, and why.
    pub standard: Vec<Why>,
    /// Files that aren't modules, by path.
    pub files: Vec<ReportedFile>,
    /// Libraries of the machine that shared objects in the program need, besides the C library's.
    #[serde(default)]
    pub machine: Vec<String>,
    /// What the modules are from.
    pub distributions: Vec<Distribution>,
    /// Modules that are imported somewhere and aren't there.
    pub missing: Vec<Missing>,
    /// What may go wrong when the program runs.
    pub warnings: Vec<Warning>,
    /// How large everything is.
    #[serde(default)]
    pub sizes: Sizes,
}

/// A module, and the first reason for which it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedModule {
    /// Its name, and the reason.
    #[serde(flatten)]
    pub why: Why,
    /// What it is from, if anything says so.
    pub distribution: Option<String>,
    /// Bytes of its code, of the shared object that it is, or of the object that was linked in.
    pub code: usize,
    /// Bytes of its source, as it is stored.
    pub source: usize,
    /// Whether it is part of the interpreter.
    #[serde(default, rename = "linked")]
    pub is_linked: bool,
}

/// Why a module was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The module's name.
    pub name: String,
    /// The module that needs it; none if the program was asked for with it.
    pub by: Option<String>,
    /// The line of the import, or 0.
    pub line: usize,
    /// How it is needed: `main`, `import`, `guarded` (by a `try`), `lazy` (in a function or under a
    /// condition), `include`, `trace`, `hint`, `entry-point` or `compiled` (named in a compiled module).
    pub how: String,
}

/// A file that isn't a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedFile {
    /// Where it is in the program.
    pub path: String,
    /// `resource`, `metadata`, `licence` or `library`.
    pub kind: String,
    /// The package or distribution that it belongs to.
    pub owner: String,
    /// Its bytes, as they are stored.
    pub size: usize,
}

/// What is installed of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, if it says so in few words.
    pub licence: String,
    /// Whether the program stops without a module of it, at the latest in some function. What it imports
    /// in a `try` it can do without.
    #[serde(default)]
    pub required: bool,
}

/// A module that isn't there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its name, and who imports it first.
    #[serde(flatten)]
    pub why: Why,
    /// Whether the import is done unconditionally, by a module that the program needs.
    pub required: bool,
}

/// What may go wrong when the program runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What kind it is: `file-by-path`, `dynamic-import`, `missing-module`, `compiled-form`,
    /// `compiled-module`, `library`, `missing-library`, `not-linked`, `hint`, `shadowed`,
    /// `editable` or `syntax-error`.
    pub code: String,
    /// What it is about.
    pub message: String,
    /// The file that it is in.
    pub file: Option<PathBuf>,
    /// The line, or 0.
    pub line: usize,
}

/// How large a program and its parts are, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// The whole program.
    pub program: usize,
    /// The interpreter.
    pub interpreter: usize,
    /// The image, which is all the rest.
    pub image: usize,
    /// Of the image, code and sources of the program's own modules and its files.
    pub own: usize,
}

impl Report {
    /// Each module with its reason, for people.
    #[must_use]
    pub fn modules_text(&self) -> String {
        let mut text = String::new();
        let width = self.modules.iter().map(|it| it.why.name.len()).max().unwrap_or(0);
        for module in &self.modules {
            let size = module.code + module.source;
            let name = &module.why.name;
            // Writing to a string doesn't fail.
            let linked = if module.is_linked { ", linked in" } else { "" };
            let _ = writeln!(text, "{name:<width$}  {size:>8}  {}{linked}", module.why.text());
        }
        text
    }
}

impl Why {
    /// The reason, in words.
    #[must_use]
    pub fn text(&self) -> String {
        let Some(by) = &self.by else {
            return match self.how.as_str() {
                "include" => "was asked for".to_owned(),
                "trace" => "imported in the traced run".to_owned(),
                _ => "is the program".to_owned(),
            };
        };
        let place = if self.line > 0 { format!("{by}, line {}", self.line) } else { by.clone() };
        match self.how.as_str() {
            "guarded" => format!("tried by {place}"),
            "lazy" => format!("imported at times by {place}"),
            "hint" => format!("named by the hints for {place}"),
            "compiled" => format!("named in the compiled {place}"),
            "entry-point" => format!("an entry point of a group that {place} loads"),
            _ => format!("imported by {place}"),
        }
    }
}
