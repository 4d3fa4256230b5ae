//! Reads `[project]` from the tree, field by field, and goes on after each mistake.

use std::collections::HashSet;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};

use super::entry_points::read_entry_points;
use super::imports::read_imports;
use super::license::{read_license, read_license_files};
use super::readme::read_readme;
use super::requirement::{Dependency, parse_requirement};
use super::{ProjectName, Standard, contacts};
use crate::diagnostic::{Diagnostic, Report};
use crate::dynamic::Dynamic;
use crate::suggest::{did_you_mean, uncapitalised};
use crate::tree::{Entry, KeyPath, Node, Table, Value};
use crate::values::parse_version;

const FIELDS: &[&str] = &[
    "name",
    "version",
    "description",
    "readme",
    "requires-python",
    "license",
    "license-files",
    "authors",
    "maintainers",
    "keywords",
    "classifiers",
    "urls",
    "dependencies",
    "optional-dependencies",
    "scripts",
    "gui-scripts",
    "entry-points",
    "import-names",
    "import-namespaces",
    "dynamic",
];

/// Reads fields of one table and reports what isn't as the standard says.
pub(super) struct Reader<'r, 's> {
    pub(super) report: &'r mut Report<'s>,
}

impl Reader<'_, '_> {
    pub(super) fn error(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        node: &Node,
        path: &KeyPath,
        help: impl IntoIterator<Item = String>,
    ) {
        let error = Diagnostic::error(code, message).at(node.span()).key(path).helps(help);
        self.report.push(error);
    }

    pub(super) fn warning(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        node: &Node,
        path: &KeyPath,
        help: impl IntoIterator<Item = String>,
    ) {
        let warning = Diagnostic::warning(code, message).at(node.span()).key(path).helps(help);
        self.report.push(warning);
    }

    pub(super) fn wrong_type(&mut self, wanted: &str, node: &Node, path: &KeyPath) {
        let help = match &node.value {
            Value::String(text) if wanted.starts_with("an array") => {
                Some(format!("write `[{text:?}]`"))
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) if wanted == "a string" => {
                Some(format!("put it in quotes: `\"{}\"`", node.to_json()))
            }
            _ => None,
        };
        let message = format!("expected {wanted}, found {}", node.described());
        self.error("wrong-type", message, node, path, help);
    }

    /// A string that stays on one line: what goes into a header.
    pub(super) fn line<'n>(&mut self, node: &'n Node, path: &KeyPath) -> Option<&'n str> {
        let Some(text) = node.as_str() else {
            self.wrong_type("a string", node, path);
            return None;
        };
        if text.chars().any(char::is_control) {
            let message = "this must be a single line without control characters";
            let words = text.split(char::is_control).filter(|part| !part.trim().is_empty());
            let joined = words.map(str::trim).collect::<Vec<_>>().join(" ");
            let help = (joined.chars().count() <= 60).then(|| format!("write {joined:?}"));
            self.error("not-one-line", message, node, path, help);
            return None;
        }
        Some(text)
    }

    pub(super) fn array<'n>(&mut self, node: &'n Node, path: &KeyPath) -> &'n [Node] {
        node.as_array().unwrap_or_else(|| {
            self.wrong_type("an array of strings", node, path);
            &[]
        })
    }

    pub(super) fn table<'n>(&mut self, node: &'n Node, path: &KeyPath) -> &'n [Entry] {
        match node.as_table() {
            Some(table) => &table.entries,
            None => {
                self.wrong_type("a table", node, path);
                &[]
            }
        }
    }

    pub(super) fn unknown_key(&mut self, entry: &Entry, known: &[&str], path: &KeyPath) {
        let error = Diagnostic::error("unknown-key", format!("unknown key `{}`", entry.key))
            .at(entry.key_span.clone())
            .key(path.key(&entry.key))
            .helps(did_you_mean(&entry.key, known));
        self.report.push(error);
    }

    fn lines(&mut self, node: &Node, path: &KeyPath) -> Vec<String> {
        let items = self.array(node, path).iter().enumerate();
        items.filter_map(|(at, item)| self.line(item, &path.index(at)).map(str::to_owned)).collect()
    }

    fn dependencies(&mut self, node: &Node, path: &KeyPath) -> Vec<Dependency> {
        let mut all = Vec::new();
        for (at, item) in self.array(node, path).iter().enumerate() {
            let path = path.index(at);
            let Some(text) = self.line(item, &path) else { continue };
            match parse_requirement(text) {
                Ok(dependency) => all.push(dependency),
                Err(error) => {
                    let source = self.report.source;
                    let diagnostic = Diagnostic::error("invalid-requirement", &error.message)
                        .at(error.span_in(item, source))
                        .key(&path)
                        .helps(error.help);
                    self.report.push(diagnostic);
                }
            }
        }
        all
    }

    fn name(&mut self, node: &Node, path: &KeyPath) -> Option<ProjectName> {
        let text = self.line(node, path)?;
        match PackageName::from_str(text) {
            Ok(normalized) => Some(ProjectName { given: text.to_owned(), normalized }),
            Err(_) => {
                let kept = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                let fixed: String =
                    text.trim().chars().map(|c| if kept(c) { c } else { '-' }).collect();
                let fixed = fixed.trim_matches(['-', '_', '.']);
                let help = if fixed.is_empty() {
                    "use ASCII letters, digits, `-`, `_` and `.`".to_owned()
                } else {
                    format!(
                        "write {fixed:?}: ASCII letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit"
                    )
                };
                let message = format!("`{text}` can't be the name of a project");
                self.error("invalid-name", message, node, path, [help]);
                None
            }
        }
    }

    fn version(&mut self, node: &Node, path: &KeyPath) -> Option<Version> {
        let text = self.line(node, path)?;
        match parse_version(text) {
            Ok(version) => Some(version),
            Err(error) => {
                self.error("invalid-version", error.message, node, path, error.help);
                None
            }
        }
    }

    fn requires_python(&mut self, node: &Node, path: &KeyPath) -> Option<VersionSpecifiers> {
        let text = self.line(node, path)?;
        match VersionSpecifiers::from_str(text) {
            Ok(specifiers) => Some(specifiers),
            Err(error) => {
                let bare = Version::from_str(text).is_ok();
                let help = if bare {
                    format!("write `>={text}`")
                } else {
                    "write a range such as `>=3.10`".to_owned()
                };
                let reason = error.to_string();
                let reason = reason.trim_start_matches("Failed to parse version: ");
                let reason = reason.lines().next().unwrap_or_default().trim_end_matches(':');
                let reason = uncapitalised(reason);
                let message = format!("`{text}` isn't a range of versions: {reason}");
                self.error("invalid-specifier", message, node, path, [help]);
                None
            }
        }
    }

    fn classifiers(&mut self, node: &Node, path: &KeyPath, spdx: bool) -> Vec<String> {
        let all = self.lines(node, path);
        let items = node.as_array().unwrap_or_default().iter().enumerate();
        for (at, item) in items {
            let Some(text) = item.as_str() else { continue };
            if !text.starts_with("License ::") {
                continue;
            }
            let path = path.index(at);
            if spdx {
                let message = format!("`{text}` stands beside a licence expression");
                let help = "remove the classifier: `license` says it already (PEP 639)".to_owned();
                self.error("license-classifier", message, item, &path, [help]);
            } else {
                let message = "licence classifiers are deprecated";
                let help = "name the licence with an SPDX expression, such as `license = \"MIT\"` (PEP 639)";
                self.warning("license-classifier", message, item, &path, [help.to_owned()]);
            }
        }
        all
    }

    fn urls(&mut self, node: &Node, path: &KeyPath) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for entry in self.table(node, path) {
            let path = path.key(&entry.key);
            let label = entry.key.as_str();
            if label.is_empty() || label.chars().count() > 32 || label.contains(',') {
                let message = format!("the label `{label}` can't be used");
                let help = "a label has 1 to 32 characters and no comma".to_owned();
                self.error("invalid-label", message, &entry.node, &path, [help]);
                continue;
            }
            if label.chars().any(char::is_control) {
                let message = "a label must be a single line without control characters";
                self.error("not-one-line", message, &entry.node, &path, None);
                continue;
            }
            let Some(address) = self.line(&entry.node, &path) else { continue };
            let scheme = address.split_once("://").map(|(scheme, _)| scheme);
            if scheme.is_none_or(str::is_empty) || address.contains(' ') {
                let message = format!("`{address}` isn't an address");
                let help = format!("write it in full, such as \"https://{address}\"");
                self.error("invalid-url", message, &entry.node, &path, [help]);
                continue;
            }
            all.push((label.to_owned(), address.to_owned()));
        }
        all
    }

    fn optional_dependencies(
        &mut self,
        node: &Node,
        path: &KeyPath,
    ) -> Vec<(ExtraName, Vec<Dependency>)> {
        let mut all: Vec<(ExtraName, Vec<Dependency>)> = Vec::new();
        for entry in self.table(node, path) {
            let path = path.key(&entry.key);
            let dependencies = self.dependencies(&entry.node, &path);
            let Ok(extra) = ExtraName::from_str(&entry.key) else {
                let error = Diagnostic::error(
                    "invalid-extra",
                    format!("`{}` can't be the name of an extra", entry.key),
                );
                self.report.push(
                    error
                        .at(entry.key_span.clone())
                        .key(&path)
                        .help("use ASCII letters, digits, `-`, `_` and `.`"),
                );
                continue;
            };
            if all.iter().any(|(other, _)| *other == extra) {
                let message = format!("the extra `{}` is there twice", entry.key);
                let error = Diagnostic::error("duplicate-extra", message);
                self.report.push(error.at(entry.key_span.clone()).key(&path).help(format!(
                    "the names of extras are compared in the form `{extra}`: put both lists under one name"
                )));
                continue;
            }
            all.push((extra, dependencies));
        }
        all
    }

    fn dynamic(&mut self, table: &Table, path: &KeyPath, sources: Sources<'_>) -> Vec<String> {
        let mut fields = Vec::new();
        let Some(node) = table.get("dynamic") else { return fields };
        let path = path.key("dynamic");
        let mut seen = HashSet::new();
        for (at, item) in self.array(node, &path).iter().enumerate() {
            let path = path.index(at);
            let Some(field) = self.line(item, &path) else { continue };
            if field == "name" || field == "dynamic" {
                let message = format!("`{field}` can't be dynamic");
                let help = format!(
                    "remove it from `dynamic`{}",
                    if field == "name" { " and write `name = …`" } else { "" }
                );
                self.error("invalid-dynamic", message, item, &path, [help]);
            } else if !FIELDS.contains(&field) {
                let message = format!("`{field}` isn't a field of [project]");
                self.error("invalid-dynamic", message, item, &path, did_you_mean(field, FIELDS));
            } else if table.get(field).is_some() {
                let message = format!("`{field}` is given and dynamic at once");
                let help = format!("remove it from `dynamic`, or remove `{field} = …`");
                self.error("static-and-dynamic", message, item, &path, [help]);
            } else if !seen.insert(field) {
                let message = format!("`{field}` is there twice");
                self.error("invalid-dynamic", message, item, &path, ["remove one".to_owned()]);
            } else {
                fields.push(field.to_owned());
                if !sources.has(field) {
                    let message = format!("nothing computes `{field}`");
                    self.error("no-provider", message, item, &path, [no_source_help(field)]);
                }
            }
        }
        fields
    }
}

/// What can compute dynamic fields.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'d> {
    /// What the settings compute; `None` if they are wrong, so that nothing is known.
    pub(crate) dynamic: Option<&'d Dynamic>,
    /// Whether plugins may derive dependencies.
    pub(crate) plugins_derive: bool,
}

impl Sources<'_> {
    fn has(&self, field: &str) -> bool {
        let Some(dynamic) = self.dynamic else { return true };
        match field {
            "version" => dynamic.version.has_source(),
            "description" => dynamic.description.has_source(),
            "readme" => dynamic.readme.has_source(),
            "classifiers" => dynamic.classifiers.has_source(),
            "dependencies" => dynamic.dependencies.has_source() || self.plugins_derive,
            "optional-dependencies" => dynamic.optional_dependencies.has_source(),
            _ => false,
        }
    }
}

fn no_source_help(field: &str) -> String {
    let source = match field {
        "version" => "add `[tool.ekiben.version]` with `attribute`, `file` or `vcs`".to_owned(),
        "description" => {
            "add `description = { docstring = \"…\" }` to [tool.ekiben.dynamic]".to_owned()
        }
        "readme" | "classifiers" | "dependencies" => {
            format!("add `{field} = {{ file = \"…\" }}` to [tool.ekiben.dynamic]")
        }
        "optional-dependencies" => {
            "add `[tool.ekiben.dynamic.optional-dependencies]` with a file for each extra"
                .to_owned()
        }
        _ => return format!("write `{field} = …` in [project] and remove it from `dynamic`"),
    };
    format!("{source}, or write `{field} = …` in [project] and remove it from `dynamic`")
}

/// Reads the table. `None` if what every project must have is missing or wrong; the report says
/// what.
pub(crate) fn read(
    document: &Table,
    sources: Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Standard> {
    let path = KeyPath::of(&["project"]);
    let mut reader = Reader { report };
    let Some(entry) = document.entry("project") else {
        let error = Diagnostic::error("missing-project", "there is no [project] table")
            .key(&path)
            .help("add `[project]` with at least `name` and `version`");
        reader.report.push(error);
        return None;
    };
    let Some(table) = entry.node.as_table() else {
        reader.wrong_type("a table", &entry.node, &path);
        return None;
    };
    for field in table.entries.iter().filter(|field| !FIELDS.contains(&field.key.as_str())) {
        reader.unknown_key(field, FIELDS, &path);
    }
    let dynamic = reader.dynamic(table, &path, sources);
    let computed = sources.dynamic.cloned().unwrap_or_default();

    let field = |key: &str| table.get(key).map(|node| (node, path.key(key)));
    let required = |key: &str, reader: &mut Reader<'_, '_>| {
        let dynamic = table.get("dynamic").and_then(Node::as_array).unwrap_or_default();
        if dynamic.iter().any(|item| item.as_str() == Some(key)) {
            return;
        }
        let example = if key == "name" { "spam" } else { "0.1.0" };
        let error = Diagnostic::error("missing-key", format!("`project` has no `{key}`"))
            .at(entry.key_span.clone())
            .key(path.key(key))
            .help(format!("add `{key} = \"{example}\"`"));
        reader.report.push(error);
    };
    let name = match field("name") {
        Some((node, path)) => reader.name(node, &path),
        None => {
            required("name", &mut reader);
            None
        }
    };
    let version = match field("version") {
        Some((node, path)) => reader.version(node, &path),
        None => {
            required("version", &mut reader);
            computed.version.known()
        }
    };
    let description =
        field("description").and_then(|(node, path)| reader.line(node, &path).map(str::to_owned));
    let description = description.or(computed.description.known());
    let readme = field("readme").and_then(|(node, path)| read_readme(&mut reader, node, &path));
    let readme = readme.or(computed.readme.known());
    let requires_python =
        field("requires-python").and_then(|(node, path)| reader.requires_python(node, &path));
    let license = field("license").and_then(|(node, path)| read_license(&mut reader, node, &path));
    let license_files = field("license-files")
        .map(|(node, path)| read_license_files(&mut reader, node, &path, table));
    let people = |key: &str, reader: &mut Reader<'_, '_>| {
        field(key).map_or(Vec::new(), |(node, path)| contacts::read_people(reader, node, &path))
    };
    let authors = people("authors", &mut reader);
    let maintainers = people("maintainers", &mut reader);
    let keywords = field("keywords").map_or(Vec::new(), |(node, path)| {
        let words = reader.lines(node, &path);
        for (at, item) in node.as_array().unwrap_or_default().iter().enumerate() {
            if item.as_str().is_some_and(|word| word.contains(',')) {
                let message = "a keyword can't contain a comma, which separates keywords";
                let help = "write them as separate strings".to_owned();
                reader.error("invalid-keyword", message, item, &path.index(at), [help]);
            }
        }
        words
    });
    let spdx = table.get("license").is_some_and(|node| node.as_str().is_some());
    let classifiers = field("classifiers")
        .map(|(node, path)| reader.classifiers(node, &path, spdx))
        .or(computed.classifiers.known())
        .unwrap_or_default();
    let urls = field("urls").map_or(Vec::new(), |(node, path)| reader.urls(node, &path));
    let dependencies = field("dependencies")
        .map(|(node, path)| reader.dependencies(node, &path))
        .or(computed.dependencies.known())
        .unwrap_or_default();
    let optional_dependencies = field("optional-dependencies")
        .map(|(node, path)| reader.optional_dependencies(node, &path))
        .or(computed.optional_dependencies.known())
        .unwrap_or_default();
    let entry_points = read_entry_points(&mut reader, table, &path);
    let (import_names, import_namespaces) = read_imports(&mut reader, table, &path);

    Some(Standard {
        name: name?,
        version: version?,
        description,
        readme,
        requires_python,
        license,
        license_files,
        authors,
        maintainers,
        keywords,
        classifiers,
        urls,
        dependencies,
        optional_dependencies,
        entry_points,
        dynamic,
        import_names,
        import_namespaces,
    })
}
