//! `[build-system]` (PEP 518): is it Ekiben that will be called?
//!
//! Nothing here is an error unless it can't be read: whoever started us has already decided.

use std::str::FromStr;

use crate::diagnostic::{Diagnostic, Report};
use crate::standard::{Dependency, parse_requirement};
use crate::tree::{Entry, KeyPath, Node, Table};
use crate::values::ProjectPath;

/// How front ends are told to build the project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BuildSystem {
    /// What must be installed to build.
    pub requires: Vec<Dependency>,
    /// The back end's object.
    pub build_backend: Option<String>,
    /// Folders of a back end that lies in the project.
    pub backend_path: Vec<ProjectPath>,
}

/// What the table must hold for a project of ours.
const EXAMPLE: &str = "write\n[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"";

pub(crate) fn read(document: &Table, report: &mut Report<'_>) -> BuildSystem {
    let path = KeyPath::of(&["build-system"]);
    let Some(entry) = document.entry("build-system") else {
        let warning = Diagnostic::warning(
            "missing-build-system",
            "there is no [build-system] table: pip and uv would build the project with setuptools",
        );
        report.push(warning.key(path).help(EXAMPLE));
        return BuildSystem::default();
    };
    let Some(table) = entry.node.as_table() else {
        let message = format!("expected a table, found {}", entry.node.type_name());
        let error = Diagnostic::error("wrong-type", message).at(entry.node.span());
        report.push(error.key(path).help(EXAMPLE));
        return BuildSystem::default();
    };
    BuildSystem {
        requires: read_requires(table, entry, &path, report),
        build_backend: read_backend(table, entry, &path, report),
        backend_path: read_backend_path(table, &path, report),
    }
}

fn strings<'n>(
    node: &'n Node,
    path: &KeyPath,
    report: &mut Report<'_>,
) -> Vec<(&'n Node, &'n str, KeyPath)> {
    let mut all = Vec::new();
    let mut wrong = |node: &Node, wanted: &str, path: &KeyPath| {
        let message = format!("expected {wanted}, found {}", node.type_name());
        report.push(Diagnostic::error("wrong-type", message).at(node.span()).key(path));
    };
    let Some(items) = node.as_array() else {
        wrong(node, "an array of strings", path);
        return all;
    };
    for (at, item) in items.iter().enumerate() {
        match item.as_str() {
            Some(text) => all.push((item, text, path.index(at))),
            None => wrong(item, "a string", &path.index(at)),
        }
    }
    all
}

fn read_requires(
    table: &Table,
    entry: &Entry,
    path: &KeyPath,
    report: &mut Report<'_>,
) -> Vec<Dependency> {
    let path = path.key("requires");
    let Some(node) = table.get("requires") else {
        let error = Diagnostic::error("missing-key", "`build-system` has no `requires`");
        let error = error.at(entry.key_span.clone()).key(path);
        report.push(error.help("add `requires = [\"ekiben\"]`"));
        return Vec::new();
    };
    let mut requires = Vec::new();
    for (item, text, path) in strings(node, &path, report) {
        match parse_requirement(text) {
            Ok(dependency) => requires.push(dependency),
            Err(error) => {
                let span = error.span_in(item, report.source);
                report.push(
                    Diagnostic::error("invalid-requirement", error.message)
                        .at(span)
                        .key(path)
                        .helps(error.help),
                );
            }
        }
    }
    let names_us = requires.iter().any(|d| d.requirement().name.as_ref() == "ekiben");
    let in_tree = table.get("backend-path").is_some();
    if !names_us && !in_tree && node.as_array().is_some() {
        let warning =
            Diagnostic::warning("requires-without-ekiben", "`requires` doesn't list `ekiben`");
        report.push(warning.at(node.span()).key(path).help("add \"ekiben\" to it"));
    }
    requires
}

fn read_backend(
    table: &Table,
    entry: &Entry,
    path: &KeyPath,
    report: &mut Report<'_>,
) -> Option<String> {
    let path = path.key("build-backend");
    let help = "write `build-backend = \"ekiben\"`";
    let Some(node) = table.get("build-backend") else {
        let message = "`build-system` has no `build-backend`: pip and uv would use setuptools";
        let warning = Diagnostic::warning("other-backend", message);
        report.push(warning.at(entry.key_span.clone()).key(path).help(help));
        return None;
    };
    let Some(backend) = node.as_str() else {
        let message = format!("expected a string, found {}", node.type_name());
        let error = Diagnostic::error("wrong-type", message);
        report.push(error.at(node.span()).key(path).help(help));
        return None;
    };
    if backend != "ekiben" && table.get("backend-path").is_none() {
        let message = format!("`build-backend` is `{backend}`: pip and uv wouldn't call Ekiben");
        let warning = Diagnostic::warning("other-backend", message);
        report.push(warning.at(node.span()).key(path).help(help));
    }
    Some(backend.to_owned())
}

fn read_backend_path(table: &Table, path: &KeyPath, report: &mut Report<'_>) -> Vec<ProjectPath> {
    let Some(node) = table.get("backend-path") else { return Vec::new() };
    let mut paths = Vec::new();
    for (item, text, path) in strings(node, &path.key("backend-path"), report) {
        match ProjectPath::from_str(text) {
            Ok(path) => paths.push(path),
            Err(error) => {
                let diagnostic = Diagnostic::error("invalid-path", error.message);
                report.push(diagnostic.at(item.span()).key(path).helps(error.help));
            }
        }
    }
    paths
}
