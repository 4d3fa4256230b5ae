//! What was learned of a project, whatever it was learned from, and what is left to a person.
//!
//! The readers fill a [`Model`]; only `render` knows how it looks as TOML. Whatever a reader finds
//! and Ekiben has no setting for becomes a [`Note`]: no setting is dropped in silence. Comments of
//! the sources are no settings; they aren't read.

use std::collections::BTreeMap;

/// What to do about a version that came from version control.
pub(crate) const USE_VCS: &str =
    "`vcs = \"git\"` in [tool.ekiben.version] takes it from there again";

/// All that was learned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// The file it was learned from, for comments.
    pub(crate) source: String,
    pub(crate) build_requires: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    /// What the version can be read from at each build.
    pub(crate) version_from: Option<VersionFrom>,
    pub(crate) description: Option<String>,
    pub(crate) readme: Option<Readme>,
    pub(crate) requires_python: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) license_files: Vec<String>,
    pub(crate) authors: Vec<Person>,
    pub(crate) maintainers: Vec<Person>,
    pub(crate) keywords: Vec<String>,
    pub(crate) classifiers: Vec<String>,
    pub(crate) urls: Vec<(String, String)>,
    pub(crate) dependencies: Vec<String>,
    pub(crate) optional_dependencies: Vec<(String, Vec<String>)>,
    /// By group, such as `console_scripts`.
    pub(crate) entry_points: BTreeMap<String, Vec<(String, String)>>,
    pub(crate) package_root: Option<String>,
    pub(crate) packages: Option<Vec<String>>,
    pub(crate) modules: Vec<String>,
    pub(crate) exclude: Vec<String>,
    pub(crate) extensions: Vec<Extension>,
    /// Files for `wheel.scripts`.
    pub(crate) scripts: Vec<String>,
    /// Files for `wheel.headers`.
    pub(crate) headers: Vec<String>,
    /// Files and patterns for `wheel.files`, with the folders they go to.
    pub(crate) files: Vec<(String, String)>,
    /// Files and patterns for `wheel.data`, with the folders they go to.
    pub(crate) data: Vec<(String, String)>,
    /// Compiler directives of Cython: strings, numbers and truths.
    pub(crate) directives: BTreeMap<String, serde_json::Value>,
    pub(crate) notes: Vec<Note>,
}

/// Where a version is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VersionFrom {
    /// A name in a module, such as `spam.__version__`.
    Attribute(String),
    File(String),
}

/// The long description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readme {
    File { path: String, content_type: Option<String> },
    Text { text: String, content_type: String },
}

/// An author or maintainer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

/// One extension module, in the words of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) name: String,
    pub(crate) sources: Vec<String>,
    pub(crate) depends: Vec<String>,
    pub(crate) include_dirs: Vec<String>,
    pub(crate) define: BTreeMap<String, Option<String>>,
    pub(crate) undefine: Vec<String>,
    pub(crate) libraries: Vec<String>,
    pub(crate) library_dirs: Vec<String>,
    pub(crate) compile_args: Vec<String>,
    pub(crate) link_args: Vec<String>,
    pub(crate) c_std: Option<String>,
    pub(crate) cxx_std: Option<String>,
    pub(crate) fortran_std: Option<String>,
    pub(crate) fortran_runtime: Option<String>,
    pub(crate) optimization: Option<String>,
    pub(crate) warnings: Option<String>,
    pub(crate) visibility: Option<String>,
    pub(crate) debug: Option<bool>,
    pub(crate) lto: Option<bool>,
    pub(crate) openmp: Option<bool>,
    pub(crate) strip: Option<bool>,
    pub(crate) sanitizers: Vec<String>,
    pub(crate) language: Option<String>,
    pub(crate) limited_api: Option<String>,
    pub(crate) uses: Vec<String>,
}

/// What kind of attention a note asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
    /// A person must decide: something isn't carried over, or not for certain.
    Decide,
    /// Carried over, but it was computed on this machine or guessed.
    Check,
    /// Left out because it has no meaning any more; only told, not written into the file.
    Dropped,
}

impl NoteKind {
    /// The word that the comment begins with.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Check => "check",
            Self::Dropped => "dropped",
        }
    }
}

/// Where in the `pyproject.toml` a note belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// `[build-system]`.
    Build,
    /// `[project]`, at the key if it is there.
    Project(&'static str),
    /// `[tool.ekiben]`, at the key if it is there.
    Settings(&'static str),
    /// The extension with this index.
    Extension(usize),
}

/// Something that a person should read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How much attention it wants.
    pub kind: NoteKind,
    /// What to look at.
    pub text: String,
    pub(crate) place: Place,
}

impl Model {
    pub(crate) fn decide(&mut self, place: Place, text: impl Into<String>) {
        self.note(NoteKind::Decide, place, text);
    }

    pub(crate) fn check(&mut self, place: Place, text: impl Into<String>) {
        self.note(NoteKind::Check, place, text);
    }

    pub(crate) fn dropped(&mut self, text: impl Into<String>) {
        self.note(NoteKind::Dropped, Place::Build, text);
    }

    fn note(&mut self, kind: NoteKind, place: Place, text: impl Into<String>) {
        let note = Note { kind, place, text: one_line(&text.into()) };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A bare name adds nothing to what says more. Of what says more there may be several, with
    /// markers.
    pub(crate) fn build_require(&mut self, requirement: &str) {
        let name = name_of(requirement);
        let is_bare = |text: &str| name_of(text).len() == text.trim().len();
        let same = |other: &String| name_of(other) == name;
        if is_bare(requirement) && self.build_requires.iter().any(same) {
            return;
        }
        self.build_requires.retain(|other| !(same(other) && is_bare(other)));
        if !self.build_requires.iter().any(|other| other == requirement) {
            self.build_requires.push(requirement.to_owned());
        }
    }
}

/// A comment can't hold a line break or another control character.
fn one_line(text: &str) -> String {
    text.split(char::is_control)
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The normalised name that a requirement begins with.
pub(crate) fn name_of(requirement: &str) -> String {
    let name: String = requirement
        .trim()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}
