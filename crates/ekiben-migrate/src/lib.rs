//! From `setup.py`, `setup.cfg` or `bento.info` to a `pyproject.toml` for Ekiben.
//!
//! Each source is read into one [`Model`](model::Model), by `setuptools` or `bento`; `render` turns
//! it into TOML, or works it into the `pyproject.toml` that is there. What can't be carried over
//! becomes a comment at the right place and a [`Note`] in the list at the end.
//!
//! Invariants: no setting is dropped in silence, nor a comment of the `pyproject.toml` that is there;
//! the result has been read by `ekiben-project`, which found the files that it names, and what it
//! says is among the notes; a project's own files are never written, but for the one that
//! [`Migration::write`] writes.

mod bento;
mod error;
mod files;
mod flags;
mod license;
mod metadata;
mod model;
mod render;
mod setuptools;
mod sources;

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Output;

use ekiben_project::{
    Overrides, PYPROJECT, Project, ProjectError, ProjectPath, Severity, Surroundings, System,
    discover_files,
};
use toml_edit::{DocumentMut, Item};

pub use bento::{BentoFile, Conditional, Entry, Field, Section, Test, Text, parse as parse_bento};
pub use error::{BentoError, Error, Position};
pub use model::{Note, NoteKind};

use model::{Model, Place, VersionFrom};

/// What a project is migrated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `setup.py`, with `setup.cfg` if there is one.
    SetupPy,
    /// `setup.cfg`, or `[tool.setuptools]` alone.
    SetupCfg,
    /// `bento.info`.
    Bento,
}

impl Source {
    /// What a folder holds; the first that is there.
    #[must_use]
    pub fn find(folder: &Path) -> Option<Self> {
        let has = |name: &str| folder.join(name).is_file();
        if has("setup.py") {
            Some(Self::SetupPy)
        } else if has("bento.info") {
            Some(Self::Bento)
        } else if has("setup.cfg") || has(PYPROJECT) {
            Some(Self::SetupCfg)
        } else {
            None
        }
    }

    /// Whether an interpreter is needed to read it.
    #[must_use]
    pub fn needs_python(self) -> bool {
        self != Self::Bento
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SetupPy => "setup.py",
            Self::SetupCfg => "setup.cfg",
            Self::Bento => "bento.info",
        })
    }
}

/// A migrated project, not yet written.
#[derive(Debug, Clone)]
pub struct Migration {
    /// What it was migrated from.
    pub source: Source,
    /// The whole new `pyproject.toml`.
    pub text: String,
    /// The text that is there now, if any.
    pub before: Option<String>,
    /// What a person should read, in the order of importance.
    pub notes: Vec<Note>,
    path: PathBuf,
}

/// Migrates the project in `folder`, writing nothing. `python` is asked for only if it's needed.
pub fn migrate(folder: &Path, source: Source, python: Option<&Path>) -> Result<Migration, Error> {
    let path = folder.join(PYPROJECT);
    let before = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let document = parse_existing(&path, before.as_deref().unwrap_or_default(), source)?;
    let mut model = match (source, python) {
        (Source::Bento, _) => bento::read(folder)?,
        (_, Some(python)) => {
            let table = tool_setuptools(before.as_deref().unwrap_or_default());
            if source == Source::SetupCfg
                && !folder.join("setup.cfg").is_file()
                && table.as_object().is_none_or(serde_json::Map::is_empty)
                && !document.contains_key("project")
            {
                return Err(Error::NothingToMigrate(folder.to_owned()));
            }
            setuptools::read(folder, python, &table)?
        }
        (_, None) => {
            return Err(Error::NoAnswer {
                python: PathBuf::from("python3"),
                message: "no interpreter was given".to_owned(),
            });
        }
    };
    complete(&mut model, folder, &document);
    if in_tree(&document) {
        let text = "a backend in the project wrapped setuptools: what it added isn't carried over";
        model.decide(Place::Build, text);
    }
    settle_version(&mut model, &document, &path);
    let learned = model.clone();
    let mut text = render::render(&mut model, document.clone());
    // What Ekiben refuses is told in the file too. The text of the second rendering has the same
    // mistakes, in the same words.
    let mut refused = refused(&text, &path);
    let told = |file: &str| learned.notes.iter().any(|note| note.text == no_file(file));
    refused.retain(|message| !message.split('`').any(told));
    if !refused.is_empty() {
        model = learned;
        for message in &refused {
            model.decide(Place::Build, format!("Ekiben refuses this: {message}"));
        }
        text = render::render(&mut model, document);
    }
    let mut notes = model.notes;
    notes.sort_by_key(|note| note.kind);
    Ok(Migration { source, text, before, notes, path })
}

/// What is said of a file that should be there.
fn no_file(path: &str) -> String {
    format!("there is no `{path}`")
}

/// What follows from the files rather than from what was said.
fn complete(model: &mut Model, folder: &Path, document: &DocumentMut) {
    sources::settle(model, folder);
    if model.version.is_none()
        && let Some(version) = files::version_of_sdist(folder)
    {
        metadata::set_version(model, &version);
        model.check(Place::Project("version"), "taken from PKG-INFO");
    }
    if model.name.is_none()
        && !document.contains_key("project")
        && let Some(name) = folder
            .canonicalize()
            .ok()
            .and_then(|folder| folder.file_name().and_then(|name| name.to_str()).map(str::to_owned))
    {
        model.name = Some(name);
        model.decide(Place::Project("name"), "it is the folder's name, as nothing states one");
    }
    let same_as_package =
        |name: &String| model.packages.iter().flatten().any(|other| other == name);
    let clashing: Vec<usize> = (0..model.extensions.len())
        .filter(|at| same_as_package(&model.extensions[*at].name))
        .collect();
    for at in clashing {
        model.decide(Place::Extension(at), "a package has the same name");
    }
}

/// The errors that Ekiben finds in a text.
fn refused(text: &str, path: &Path) -> Vec<String> {
    match read_back(text, path).and_then(|project| discover_files(&project)) {
        Ok(_) => Vec::new(),
        Err(error @ ProjectError::Invalid(_)) => error
            .into_diagnostics()
            .into_iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .map(|diagnostic| diagnostic.message)
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// The project as a checkout: no `PKG-INFO`, and no variable that says what its version is.
struct Checkout(System);

impl Surroundings for Checkout {
    fn read(&self, path: &ProjectPath) -> io::Result<Option<Vec<u8>>> {
        if path.as_str() == "PKG-INFO" { Ok(None) } else { self.0.read(path) }
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn git(&self, arguments: &[&str]) -> io::Result<Output> {
        self.0.git(arguments)
    }

    fn now(&self) -> u64 {
        self.0.now()
    }
}

fn read_back(text: &str, path: &Path) -> Result<Project, ProjectError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    Project::parse_in(text, path, &Overrides::new(), &Checkout(System::new(folder)))
}

/// The version stays dynamic if Ekiben finds the same where setuptools looked.
fn settle_version(model: &mut Model, document: &DocumentMut, path: &Path) {
    let Some(from) = model.version_from.clone() else { return };
    let text = render::render(&mut model.clone(), document.clone());
    let same = read_back(&text, path)
        .is_ok_and(|project| Some(project.standard().version.to_string()) == model.version);
    if !same {
        model.version_from = None;
        let (VersionFrom::Attribute(from) | VersionFrom::File(from)) = from;
        let text = format!("it came from `{from}`, where Ekiben can't read it; it's stated here");
        model.decide(Place::Project("version"), text);
    }
}

fn in_tree(document: &DocumentMut) -> bool {
    let build_system = document.get("build-system").and_then(Item::as_table_like);
    build_system.is_some_and(|table| table.contains_key("backend-path"))
}

fn parse_existing(path: &Path, text: &str, source: Source) -> Result<DocumentMut, Error> {
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Error::BadToml { path: path.to_owned(), message: error.to_string().trim().to_owned() }
    })?;
    let build_system = document.get("build-system").and_then(Item::as_table_like);
    let backend = build_system.and_then(|table| table.get("build-backend")).and_then(Item::as_str);
    // One in the project, beside a setup.py, is taken for a wrapper around setuptools.
    let wrapped = in_tree(&document) && source == Source::SetupPy;
    match backend {
        None | Some("setuptools.build_meta" | "setuptools.build_meta:__legacy__") => {}
        Some(backend) if wrapped && backend != "ekiben" => {}
        _ => {
            let backend = backend.unwrap_or("a backend in the project").to_owned();
            return Err(Error::OtherBackend { path: path.to_owned(), backend });
        }
    }
    Ok(document)
}

/// `[tool.setuptools]` as JSON; empty if there is none.
fn tool_setuptools(text: &str) -> serde_json::Value {
    let empty = serde_json::Value::Object(serde_json::Map::new());
    let Ok(document) = text.parse::<toml_edit::DocumentMut>() else { return empty };
    let table = document.get("tool").and_then(|tool| tool.get("setuptools"));
    table.map_or(empty, as_json)
}

fn as_json(item: &Item) -> serde_json::Value {
    use serde_json::Value;
    if let Some(table) = item.as_table_like() {
        return Value::Object(
            table.iter().map(|(key, item)| (key.to_owned(), as_json(item))).collect(),
        );
    }
    if let Some(tables) = item.as_array_of_tables() {
        let tables = tables.iter().map(|table| as_json(&Item::Table(table.clone())));
        return Value::Array(tables.collect());
    }
    if let Some(array) = item.as_array() {
        return Value::Array(
            array.iter().map(|value| as_json(&Item::Value(value.clone()))).collect(),
        );
    }
    if let Some(text) = item.as_str() {
        return Value::from(text);
    }
    if let Some(number) = item.as_integer() {
        return Value::from(number);
    }
    item.as_bool().map_or(Value::Null, Value::from)
}

impl Migration {
    /// Whether writing would change anything.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.before.as_deref() != Some(&self.text)
    }

    /// The file that [`write`](Self::write) writes.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The notes of one kind.
    pub fn notes_of(&self, kind: NoteKind) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(move |note| note.kind == kind)
    }

    /// The changed lines, as a person reads them: `-` for what goes, `+` for what comes.
    #[must_use]
    pub fn diff(&self) -> String {
        let before = self.before.as_deref().unwrap_or_default();
        let (old, new): (Vec<&str>, Vec<&str>) =
            (before.lines().collect(), self.text.lines().collect());
        diff_lines(&old, &new)
    }

    /// Writes `pyproject.toml`, whole or not at all.
    pub fn write(&self) -> Result<(), Error> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut file =
            tempfile::NamedTempFile::new_in(folder).map_err(Error::io("write in", folder))?;
        file.write_all(self.text.as_bytes()).map_err(Error::io("write", &self.path))?;
        // A temporary file is private; the one that it replaces, or a new one, isn't.
        let permissions = match fs::metadata(&self.path) {
            Ok(metadata) => Some(metadata.permissions()),
            Err(_) => ordinary_permissions(),
        };
        if let Some(permissions) = permissions {
            file.as_file().set_permissions(permissions).map_err(Error::io("write", &self.path))?;
        }
        file.persist(&self.path).map_err(|error| Error::io("write", &self.path)(error.error))?;
        Ok(())
    }
}

#[cfg(unix)]
fn ordinary_permissions() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn ordinary_permissions() -> Option<fs::Permissions> {
    None
}

/// The longest common subsequence decides which lines stay. Both texts are short.
fn diff_lines(old: &[&str], new: &[&str]) -> String {
    let (rows, columns) = (old.len(), new.len());
    let mut common = vec![vec![0_u32; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            common[row][column] = if old[row] == new[column] {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut text = String::new();
    while row < rows || column < columns {
        let (sign, line) = if row < rows && column < columns && old[row] == new[column] {
            row += 1;
            column += 1;
            (' ', new[column - 1])
        } else if column < columns
            && (row == rows || common[row][column + 1] > common[row + 1][column])
        {
            column += 1;
            ('+', new[column - 1])
        } else {
            row += 1;
            ('-', old[row - 1])
        };
        text.push(sign);
        text.push_str(line);
        text.push('\n');
    }
    text
}
