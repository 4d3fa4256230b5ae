//! Core metadata 2.4 (2.5 where PEP 794's fields are used) and `entry_points.txt`.
//!
//! One text serves `PKG-INFO`, `METADATA` and `prepare_metadata_for_build_wheel`.
//!
//! Invariant: no value can add a header or end the headers. Values of one line hold no control
//! character (the reader of `[project]` refuses them); the only field of several lines is the
//! deprecated `License`, whose lines are folded.

use std::fmt::Write as _;

use crate::project::Project;
use crate::standard::{Dependency, License, Person, ReadmeSource};
use crate::values::ProjectPath;

/// What the metadata needs besides `pyproject.toml`;
/// [`Project::metadata_inputs`](crate::Project::metadata_inputs) reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetadataInputs {
    /// The text of the readme's file.
    pub readme: Option<String>,
    /// The text of the file that a deprecated `license = { file = … }` names.
    pub license_text: Option<String>,
    /// The licence files, sorted; each is stored as `licenses/<path>` in `.dist-info`.
    pub license_files: Vec<ProjectPath>,
    /// What the package turns out to need, as
    /// [`Project::derived_requirements`](crate::Project::derived_requirements) gives it.
    pub requirements: Vec<Dependency>,
}

#[derive(Default)]
struct Headers(String);

impl Headers {
    fn add(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, "{name}: ");
        let mut lines = value.lines();
        self.0.push_str(lines.next().unwrap_or_default());
        for line in lines {
            // Aligned under the first line, which is what readers of this field undo.
            let _ = write!(self.0, "\n{:1$}{line}", "", name.len() + 2);
        }
        self.0.push('\n');
    }

    fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.add(name, value);
        }
    }
}

/// The metadata's text.
#[must_use]
pub fn core_metadata(project: &Project, inputs: &MetadataInputs) -> String {
    let standard = project.standard();
    let has_imports = standard.import_names.is_some() || standard.import_namespaces.is_some();
    let mut headers = Headers::default();
    headers.add("Metadata-Version", if has_imports { "2.5" } else { "2.4" });
    headers.add("Name", standard.name.as_str());
    headers.add("Version", &standard.version.to_string());
    // A wheel may have more of them than its source distribution knew.
    let is_dynamic = standard.dynamic.iter().any(|field| field == "dependencies");
    if is_dynamic && project.settings().may_derive_dependencies() {
        headers.add("Dynamic", "Requires-Dist");
    }
    headers.add_some("Summary", standard.description.as_deref());
    headers.add_some("Keywords", Some(&standard.keywords.join(",")));
    for (people, name, email) in [
        (&standard.authors, "Author", "Author-email"),
        (&standard.maintainers, "Maintainer", "Maintainer-email"),
    ] {
        headers.add_some(name, Some(&names(people)));
        headers.add_some(email, Some(&addresses(people)));
    }
    match &standard.license {
        Some(License::Expression(expression)) => {
            headers.add("License-Expression", expression.as_str());
        }
        Some(License::Text(text)) => headers.add_some("License", Some(&plain(text))),
        Some(License::File(_)) => {
            headers.add_some("License", inputs.license_text.as_deref().map(plain).as_deref());
        }
        None => {}
    }
    for file in &inputs.license_files {
        headers.add("License-File", file.as_str());
    }
    for classifier in &standard.classifiers {
        headers.add("Classifier", classifier);
    }
    for (label, address) in &standard.urls {
        headers.add("Project-URL", &format!("{label}, {address}"));
    }
    if let Some(range) = &standard.requires_python {
        let range: Vec<String> = range.iter().map(ToString::to_string).collect();
        headers.add_some("Requires-Python", Some(&range.join(",")));
    }
    let derived = inputs.requirements.iter();
    let derived = derived.filter(|dependency| !standard.dependencies.contains(dependency));
    for dependency in standard.dependencies.iter().chain(derived) {
        let (head, marker) = dependency.head_and_marker();
        headers.add("Requires-Dist", &requirement(head, marker));
    }
    for (extra, dependencies) in &standard.optional_dependencies {
        headers.add("Provides-Extra", extra.as_ref());
        for dependency in dependencies {
            let (head, marker) = dependency.head_and_marker();
            let marker = match marker {
                Some(marker) if has_or(marker) => format!("({marker}) and extra == \"{extra}\""),
                Some(marker) => format!("{marker} and extra == \"{extra}\""),
                None => format!("extra == \"{extra}\""),
            };
            headers.add("Requires-Dist", &requirement(head, Some(&marker)));
        }
    }
    let names = standard.import_names.as_deref();
    for name in names.unwrap_or_default() {
        headers.add("Import-Name", &name.to_string());
    }
    if names.is_some_and(<[_]>::is_empty) {
        headers.add("Import-Name", "");
    }
    for name in standard.import_namespaces.as_deref().unwrap_or_default() {
        headers.add("Import-Namespace", &name.to_string());
    }
    let mut text = headers.0;
    if let Some(readme) = &standard.readme {
        let body = match &readme.source {
            ReadmeSource::File(_) => inputs.readme.as_deref().unwrap_or_default(),
            ReadmeSource::Text(text) => text,
        };
        let _ = writeln!(text, "Description-Content-Type: {}", readme.content_type);
        text.push('\n');
        text.push_str(&plain(body));
    } else {
        text.push('\n');
    }
    text
}

/// The text of `entry_points.txt`; `None` if there are no entry points.
#[must_use]
pub fn entry_points_txt(project: &Project) -> Option<String> {
    let groups = &project.standard().entry_points;
    let mut text = String::new();
    for group in groups {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "[{}]", group.name);
        for entry in &group.entries {
            let _ = writeln!(text, "{} = {}", entry.name, entry.object);
        }
    }
    (!text.is_empty()).then_some(text)
}

/// With `\n` for every kind of line end, and without a byte order mark.
fn plain(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n")
}

fn names(people: &[Person]) -> String {
    let alone = people.iter().filter(|person| person.email.is_none());
    alone.filter_map(|person| person.name.as_deref()).collect::<Vec<_>>().join(", ")
}

fn addresses(people: &[Person]) -> String {
    let address = |person: &Person| {
        let email = person.email.as_deref()?;
        Some(match &person.name {
            None => email.to_owned(),
            // RFC 5322: a display name with any of these must be a quoted string.
            Some(name)
                if name.contains([
                    '[', ']', '\\', '(', ')', '<', '>', '@', ',', ':', ';', '"', '.',
                ]) =>
            {
                let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{quoted}\" <{email}>")
            }
            Some(name) => format!("{name} <{email}>"),
        })
    };
    people.iter().filter_map(address).collect::<Vec<_>>().join(", ")
}

fn requirement(head: &str, marker: Option<&str>) -> String {
    match marker {
        // A URL goes on to the next space.
        Some(marker) if head.contains('@') => format!("{head} ; {marker}"),
        Some(marker) => format!("{head}; {marker}"),
        None => head.to_owned(),
    }
}

/// Whether a marker has an `or` outside parentheses and strings, which binds less than `and`.
fn has_or(marker: &str) -> bool {
    let mut depth = 0usize;
    let mut quote = None;
    let mut word = String::new();
    for c in marker.chars().chain([' ']) {
        if quote.is_some() {
            if quote == Some(c) {
                quote = None;
            }
            continue;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        if word == "or" && depth == 0 {
            return true;
        }
        word.clear();
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '"' | '\'' => quote = Some(c),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_or_counts_only_where_it_binds() {
        assert!(has_or("os_name == 'nt' or os_name == 'posix'"));
        assert!(has_or("os_name=='nt'or(os_name=='posix')"));
        assert!(!has_or("(os_name == 'nt' or os_name == 'posix') and extra == 'x'"));
        assert!(!has_or("platform_version == ' or '"));
    }

    #[test]
    fn lines_are_folded_under_their_header() {
        let mut headers = Headers::default();
        headers.add("License", "one\n\nName: forged");
        assert_eq!(headers.0, "License: one\n         \n         Name: forged\n");
    }
}
