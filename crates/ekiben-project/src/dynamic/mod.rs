//! Fields of `[project]` that are computed: those in `project.dynamic`.
//!
//! `[tool.ekiben.version]` and `[tool.ekiben.dynamic]` say from what. The values have the same
//! types as those that stand in the file, so nothing that comes after can tell them apart.
//!
//! Invariants: nothing is computed that `dynamic` doesn't list; whatever goes wrong is reported at
//! the setting, or in the file that was read, and the rest is computed all the same.

mod git;
mod lists;
mod python;
mod surroundings;
mod version;

pub(crate) use surroundings::Nothing;
pub use surroundings::{Surroundings, System};

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};

use crate::check::at_node;
use crate::diagnostic::{Diagnostic, Report, SourceText};
use crate::overrides::settings_path;
use crate::settings::{DynamicDescription, Settings};
use crate::standard::{Dependency, Readme};
use crate::tree::{KeyPath, Node, Table};
use crate::values::ProjectPath;

/// A value that may have been computed.
#[derive(Debug, Clone, Default)]
pub(crate) enum Computed<T> {
    /// No setting says from what.
    #[default]
    NoSource,
    /// It was tried; the report says what was wrong.
    Failed,
    Known(T),
}

impl<T> Computed<T> {
    fn of(value: Option<T>) -> Self {
        value.map_or(Self::Failed, Self::Known)
    }

    pub(crate) fn has_source(&self) -> bool {
        !matches!(self, Self::NoSource)
    }

    pub(crate) fn known(self) -> Option<T> {
        if let Self::Known(value) = self { Some(value) } else { None }
    }
}

/// What was computed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dynamic {
    pub(crate) version: Computed<Version>,
    pub(crate) description: Computed<String>,
    pub(crate) readme: Computed<Readme>,
    pub(crate) classifiers: Computed<Vec<String>>,
    pub(crate) dependencies: Computed<Vec<Dependency>>,
    pub(crate) optional_dependencies: Computed<Vec<(ExtraName, Vec<Dependency>)>>,
}

impl Dynamic {
    /// What another backend computes: there are values, but nobody here knows them. A version is 0.
    pub(crate) fn of_others() -> Self {
        Self {
            version: Computed::Known(Version::new([0])),
            description: Computed::Failed,
            readme: Computed::Failed,
            classifiers: Computed::Failed,
            dependencies: Computed::Failed,
            optional_dependencies: Computed::Failed,
        }
    }
}

/// Computes what `[project]` in `document` lists as dynamic.
pub(crate) fn compute(
    document: &Table,
    settings: &Settings,
    tree: &Node,
    around: &dyn Surroundings,
    report: &mut Report<'_>,
) -> Dynamic {
    let project = document.get("project").and_then(Node::as_table);
    let listed = project.and_then(|project| project.get("dynamic")).and_then(Node::as_array);
    let listed: Vec<&str> = listed.unwrap_or_default().iter().filter_map(Node::as_str).collect();
    let name = project.and_then(|project| project.get("name")?.as_str());
    let name = name.and_then(|name| PackageName::from_str(name).ok());
    let mut cx = Context { around, settings, tree, report };
    let mut dynamic = Dynamic::default();

    let version = &settings.version;
    if version.has_source() && cx.is_listed("version", &listed, &KeyPath::of(&["version"])) {
        dynamic.version = Computed::of(version::compute(&mut cx, version, name.as_ref()));
    }
    let from = &settings.dynamic;
    let path = |key: &str| KeyPath::of(&["dynamic", key]);
    if let Some(from) = &from.description
        && cx.is_listed("description", &listed, &path("description"))
    {
        dynamic.description = Computed::of(description(&mut cx, from, &path("description")));
    }
    if let Some(from) = &from.readme
        && cx.is_listed("readme", &listed, &path("readme"))
    {
        dynamic.readme = Computed::of(lists::readme(&mut cx, from, &path("readme")));
    }
    if let Some(from) = &from.classifiers
        && cx.is_listed("classifiers", &listed, &path("classifiers"))
    {
        let path = path("classifiers").key("file");
        dynamic.classifiers = Computed::of(lists::classifiers(&mut cx, &from.file, &path));
    }
    if let Some(from) = &from.dependencies
        && cx.is_listed("dependencies", &listed, &path("dependencies"))
    {
        let found = lists::requirements(&mut cx, from, &path("dependencies"));
        dynamic.dependencies = Computed::of(found);
    }
    let extras = &from.optional_dependencies;
    let key = path("optional-dependencies");
    if !extras.is_empty() && cx.is_listed("optional-dependencies", &listed, &key) {
        let found = lists::optional_requirements(&mut cx, extras, &key);
        dynamic.optional_dependencies = Computed::of(found);
    }
    dynamic
}

/// One line from a file, or the first of a module's docstring.
fn description(
    cx: &mut Context<'_, '_>,
    from: &DynamicDescription,
    path: &KeyPath,
) -> Option<String> {
    if let Some(file) = &from.file {
        let text = cx.text(file, &path.key("file"))?;
        let lines: Vec<&str> = text.text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        let [line] = lines[..] else {
            let message = format!("a description is one line, and `{file}` has {}", lines.len());
            let error = Diagnostic::error("not-one-line", message)
                .help("shorten the file; a longer text is the readme");
            cx.at_setting(error, &path.key("file"));
            return None;
        };
        return one_line(cx, line, &text, &path.key("file"));
    }
    let path = path.key("docstring");
    let (file, text) = cx.module(from.docstring.as_ref()?.as_str(), &path)?;
    match python::docstring(&text.text) {
        Ok(found) => {
            let first = found.iter().flat_map(|found| found.lines()).map(str::trim);
            match first.into_iter().find(|line| !line.is_empty()) {
                Some(line) => one_line(cx, line, &text, &path),
                None => {
                    let message = format!("`{file}` has no docstring");
                    let error = Diagnostic::error("no-docstring", message)
                        .help("begin the module with one: `\"\"\"What it is for.\"\"\"`");
                    cx.at_setting(error, &path);
                    None
                }
            }
        }
        Err(error) => {
            cx.unreadable(&text, error);
            None
        }
    }
}

fn one_line(
    cx: &mut Context<'_, '_>,
    line: &str,
    text: &SourceText,
    path: &KeyPath,
) -> Option<String> {
    if line.chars().any(char::is_control) {
        let message =
            format!("the description in `{}` has control characters", text.path.display());
        cx.at_setting(Diagnostic::error("not-one-line", message).help("remove them"), path);
        return None;
    }
    Some(line.trim_start_matches('\u{feff}').to_owned())
}

/// What a computation sees, and where it complains.
struct Context<'c, 's> {
    around: &'c dyn Surroundings,
    settings: &'c Settings,
    tree: &'c Node,
    report: &'c mut Report<'s>,
}

impl Context<'_, '_> {
    /// Whether `dynamic` has the field; a source for one that it hasn't is an error.
    fn is_listed(&mut self, field: &str, listed: &[&str], path: &KeyPath) -> bool {
        if listed.contains(&field) {
            return true;
        }
        let message = format!("`{field}` is computed here, but it isn't dynamic");
        let error = Diagnostic::error("not-dynamic", message)
            .help(format!("write `dynamic = [\"{field}\"]` in [project], without `{field} = …`"));
        self.at_setting(error, path);
        false
    }

    /// Reports at `path` below `[tool.ekiben]`, or at the nearest thing above it that is there.
    fn at_setting(&mut self, diagnostic: Diagnostic, path: &KeyPath) {
        let full = KeyPath(settings_path().0.into_iter().chain(path.0.clone()).collect());
        let node = (0..=path.0.len()).rev().find_map(|length| self.tree.find(&path.0[..length]));
        let diagnostic = diagnostic.key(full);
        self.report.push(match node {
            Some(node) => at_node(diagnostic, node),
            None => diagnostic,
        });
    }

    /// Reports what couldn't be read in a Python file.
    fn unreadable(&mut self, text: &SourceText, error: python::Unreadable) {
        let diagnostic = Diagnostic::error("unreadable-python", error.message);
        self.report.push_in(text, diagnostic.at(Some(error.span)).help(error.help));
    }

    /// The text of a file that the setting at `path` names.
    fn text(&mut self, file: &ProjectPath, path: &KeyPath) -> Option<SourceText> {
        let (code, message) = match self.around.read(file) {
            Ok(Some(bytes)) => match String::from_utf8(bytes) {
                Ok(text) => return Some(self.source(file, &text)),
                Err(_) => ("not-utf8", format!("`{file}` isn't UTF-8")),
            },
            Ok(None) => ("missing-file", format!("there is no file `{file}`")),
            Err(error) => ("unreadable", format!("`{file}` can't be read: {error}")),
        };
        let help = match code {
            "not-utf8" => "save the file in the encoding UTF-8",
            "missing-file" => {
                "write it, or mend the path, which begins at the folder of pyproject.toml"
            }
            _ => "check that you may read it",
        };
        self.at_setting(Diagnostic::error(code, message).help(help), path);
        None
    }

    fn source(&self, file: &ProjectPath, text: &str) -> SourceText {
        let root = self.report.source.path.parent().unwrap_or(std::path::Path::new(""));
        SourceText::new(&file.in_dir(root), text)
    }

    /// The file of a module that the setting at `path` names, and its text.
    fn module(&mut self, module: &str, path: &KeyPath) -> Option<(ProjectPath, SourceText)> {
        let roots = match &self.settings.package_root {
            Some(root) => vec![root.clone()],
            None => vec![ProjectPath::root().join("src"), ProjectPath::root()],
        };
        let stem = module.replace('.', "/");
        let candidates: Vec<ProjectPath> = roots
            .iter()
            .flat_map(|root| {
                [format!("{stem}/__init__.py"), format!("{stem}.py")].map(|f| root.join(&f))
            })
            .collect();
        for file in &candidates {
            if !matches!(self.around.read(file), Ok(None)) {
                let text = self.text(file, path)?;
                return Some((file.clone(), text));
            }
        }
        let tried: Vec<String> = candidates.iter().map(|file| format!("`{file}`")).collect();
        let error = Diagnostic::error("missing-module", format!("there is no module `{module}`"))
            .help(format!("it would be one of {}", tried.join(", ")));
        self.at_setting(error, path);
        None
    }
}
