//! `readme`: the project's long description.

use super::read::Reader;
use crate::tree::{KeyPath, Node};
use crate::values::ProjectPath;
use std::str::FromStr;

/// The long description and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readme {
    /// Where the text is.
    pub source: ReadmeSource,
    /// Its type, with parameters, such as `text/markdown`.
    pub content_type: String,
}

/// Where the text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadmeSource {
    /// In a file of the project.
    File(ProjectPath),
    /// In `pyproject.toml`.
    Text(String),
}

const TYPES: &[&str] = &["text/markdown", "text/x-rst", "text/plain"];
const TYPES_HELP: &str = "the types are `text/markdown`, `text/x-rst` and `text/plain`";

pub(super) fn read_readme(
    reader: &mut Reader<'_, '_>,
    node: &Node,
    path: &KeyPath,
) -> Option<Readme> {
    if node.as_str().is_some() {
        let file = read_path(reader, node, path)?;
        let Some(content_type) = type_by_suffix(&file) else {
            let message = format!("the suffix of `{file}` doesn't tell its type");
            let help = format!(
                "write `readme = {{ file = \"{file}\", content-type = \"text/markdown\" }}`; {TYPES_HELP}"
            );
            reader.error("unknown-readme-type", message, node, path, [help]);
            return None;
        };
        return Some(Readme {
            source: ReadmeSource::File(file),
            content_type: content_type.to_owned(),
        });
    }
    let Some(table) = node.as_table() else {
        reader.wrong_type("a string or a table", node, path);
        return None;
    };
    for entry in &table.entries {
        const KEYS: &[&str] = &["file", "text", "content-type"];
        if !KEYS.contains(&entry.key.as_str()) {
            reader.unknown_key(entry, KEYS, path);
        }
    }
    let source = match (table.get("file"), table.get("text")) {
        (Some(file), None) => read_path(reader, file, &path.key("file")).map(ReadmeSource::File),
        (None, Some(text)) => match text.as_str() {
            Some(text) => Some(ReadmeSource::Text(text.to_owned())),
            None => {
                reader.wrong_type("a string", text, &path.key("text"));
                None
            }
        },
        (file, _) => {
            let (code, message) = if file.is_some() {
                ("file-and-text", "`readme` has both `file` and `text`")
            } else {
                ("missing-key", "`readme` has neither `file` nor `text`")
            };
            reader.error(code, message, node, path, ["give one of the two".to_owned()]);
            None
        }
    };
    let Some(type_node) = table.get("content-type") else {
        let message = "`readme` has no `content-type`";
        reader.error("missing-key", message, node, path, [TYPES_HELP.to_owned()]);
        return None;
    };
    let path = path.key("content-type");
    let content_type = reader.line(type_node, &path)?;
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !TYPES.contains(&essence.as_str()) {
        let message = format!("`{content_type}` can't be the type of a readme");
        reader.error("unknown-readme-type", message, type_node, &path, [TYPES_HELP.to_owned()]);
        return None;
    }
    let parameters = content_type.split(';').skip(1).filter_map(|part| part.split_once('='));
    for (name, value) in parameters {
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
            let message = format!("the encoding `{value}` isn't supported");
            let help = "save the file in UTF-8 and write `charset=UTF-8`".to_owned();
            reader.error("unsupported-charset", message, type_node, &path, [help]);
        }
    }
    Some(Readme { source: source?, content_type: content_type.to_owned() })
}

pub(crate) fn type_by_suffix(file: &ProjectPath) -> Option<&'static str> {
    match file.extension().map(str::to_ascii_lowercase).as_deref() {
        Some("md" | "markdown") => Some("text/markdown"),
        Some("rst") => Some("text/x-rst"),
        Some("txt") => Some("text/plain"),
        _ => None,
    }
}

pub(super) fn read_path(
    reader: &mut Reader<'_, '_>,
    node: &Node,
    path: &KeyPath,
) -> Option<ProjectPath> {
    let text = reader.line(node, path)?;
    match ProjectPath::from_str(text) {
        Ok(file) => Some(file),
        Err(error) => {
            reader.error("invalid-path", error.message, node, path, error.help);
            None
        }
    }
}
