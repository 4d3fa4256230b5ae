//! `scripts`, `gui-scripts` and `entry-points`.

use std::fmt;
use std::str::FromStr;

use super::read::Reader;
use crate::diagnostic::Diagnostic;
use crate::tree::{Entry, KeyPath, Table};
use crate::values::{InvalidValue, ModuleName, is_identifier};

/// The entry points of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPointGroup {
    /// The group's name, such as `console_scripts`.
    pub name: String,
    /// Its entries in the order of the file.
    pub entries: Vec<EntryPoint>,
}

/// One entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub object: ObjectRef,
}

/// An object in a module (`spam.cli:main`), or the module itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// The module.
    pub module: ModuleName,
    /// The attributes that lead to the object, empty for the module.
    pub attributes: Vec<String>,
    /// Deprecated: extras that must be installed.
    pub extras: Vec<String>,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.module)?;
        if !self.attributes.is_empty() {
            write!(f, ":{}", self.attributes.join("."))?;
        }
        if !self.extras.is_empty() {
            write!(f, " [{}]", self.extras.join(","))?;
        }
        Ok(())
    }
}

impl FromStr for ObjectRef {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const HELP: &str = "write `package.module:function`";
        let invalid =
            |why: String| InvalidValue::new(format!("`{text}` isn't an object reference: {why}"));
        let (reference, extras) = match text.trim().split_once('[') {
            None => (text.trim(), Vec::new()),
            Some((reference, extras)) => {
                let Some(extras) = extras.strip_suffix(']') else {
                    return Err(invalid("a `[` isn't closed".to_owned()).help(HELP));
                };
                let extras: Vec<String> = extras.split(',').map(|e| e.trim().to_owned()).collect();
                if let Some(bad) =
                    extras.iter().find(|e| pep508_rs::ExtraName::from_str(e).is_err())
                {
                    return Err(invalid(format!("`{bad}` can't be an extra")).help(HELP));
                }
                (reference.trim(), extras)
            }
        };
        let (module, attributes) = match reference.split_once(':') {
            None => (reference, Vec::new()),
            Some((module, attributes)) => (
                module.trim(),
                attributes.trim().split('.').map(str::to_owned).collect::<Vec<String>>(),
            ),
        };
        if let Some(bad) = attributes.iter().find(|part| !is_identifier(part)) {
            let why = if bad.is_empty() {
                "the part after `:` has an empty name".to_owned()
            } else if bad.contains('(') {
                "it names an object, it doesn't call it".to_owned()
            } else {
                format!("`{bad}` can't be a name in Python")
            };
            return Err(invalid(why).help(HELP));
        }
        let module = ModuleName::from_str(module).map_err(|error| {
            invalid(error.message).help(error.help.unwrap_or_else(|| HELP.to_owned()))
        })?;
        Ok(Self { module, attributes, extras })
    }
}

pub(super) fn read_entry_points(
    reader: &mut Reader<'_, '_>,
    project: &Table,
    path: &KeyPath,
) -> Vec<EntryPointGroup> {
    let mut groups = Vec::new();
    for (key, group) in [("scripts", "console_scripts"), ("gui-scripts", "gui_scripts")] {
        let Some(node) = project.get(key) else { continue };
        let path = path.key(key);
        let entries: Vec<EntryPoint> = reader
            .table(node, &path)
            .iter()
            .filter_map(|entry| read_entry(reader, entry, &path, true))
            .collect();
        groups.push(EntryPointGroup { name: group.to_owned(), entries });
    }
    let Some(node) = project.get("entry-points") else { return groups };
    let path = path.key("entry-points");
    for group in reader.table(node, &path) {
        let path = path.key(&group.key);
        let own_key = match group.key.as_str() {
            "console_scripts" => Some("scripts"),
            "gui_scripts" => Some("gui-scripts"),
            _ => None,
        };
        let mut at_key = |code: &'static str, message: String, help: String| {
            let error = Diagnostic::error(code, message).at(group.key_span.clone());
            reader.report.push(error.key(&path).help(help));
        };
        if let Some(own) = own_key {
            at_key(
                "reserved-group",
                format!("the group `{}` can't be given here", group.key),
                format!("move it to [project.{own}]"),
            );
            continue;
        }
        let word = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
        };
        if !group.key.split('.').all(word) {
            at_key(
                "invalid-group",
                format!("`{}` can't be the name of a group", group.key),
                "use letters, digits and `_`, in parts joined by dots".to_owned(),
            );
            continue;
        }
        let entries: Vec<EntryPoint> = reader
            .table(&group.node, &path)
            .iter()
            .filter_map(|entry| read_entry(reader, entry, &path, false))
            .collect();
        groups.push(EntryPointGroup { name: group.key.clone(), entries });
    }
    groups.retain(|group| !group.entries.is_empty());
    groups
}

fn read_entry(
    reader: &mut Reader<'_, '_>,
    entry: &Entry,
    path: &KeyPath,
    is_script: bool,
) -> Option<EntryPoint> {
    let path = path.key(&entry.key);
    let name = entry.key.as_str();
    // A script becomes a file: a path in its name would place it elsewhere.
    let file_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let bad = if is_script {
        name.is_empty() || !name.chars().all(file_name) || name.chars().all(|c| c == '.')
    } else {
        name.is_empty()
            || name.trim() != name
            || name.starts_with(['[', '#', ';'])
            || name.chars().any(|c| matches!(c, '=' | ':') || c.is_control())
    };
    if bad {
        let what = if is_script { "a script" } else { "an entry point" };
        let error = Diagnostic::error(
            "invalid-entry-name",
            format!("`{name}` can't be the name of {what}"),
        );
        let help = "use ASCII letters, digits, `-`, `_` and `.`";
        reader.report.push(error.at(entry.key_span.clone()).key(&path).help(help));
        return None;
    }
    let text = reader.line(&entry.node, &path)?;
    match ObjectRef::from_str(text) {
        Ok(object) if is_script && object.attributes.is_empty() => {
            let message = format!("`{text}` names a module, but a script calls a function");
            let help = format!("write \"{}:main\", with the function's name", object.module);
            reader.error("invalid-object-reference", message, &entry.node, &path, [help]);
            None
        }
        Ok(object) => Some(EntryPoint { name: name.to_owned(), object }),
        Err(error) => {
            let code = "invalid-object-reference";
            reader.error(code, error.message, &entry.node, &path, error.help);
            None
        }
    }
}
