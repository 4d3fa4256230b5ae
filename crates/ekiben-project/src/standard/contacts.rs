//! `authors` and `maintainers`.

use super::read::Reader;
use crate::diagnostic::Diagnostic;
use crate::tree::{KeyPath, Node};

/// A person or a group. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
}

pub(super) fn read_people(reader: &mut Reader<'_, '_>, node: &Node, path: &KeyPath) -> Vec<Person> {
    let Some(items) = node.as_array() else {
        reader.wrong_type("an array of tables", node, path);
        return Vec::new();
    };
    let people = items.iter().enumerate();
    people.filter_map(|(at, item)| read_person(reader, item, &path.index(at))).collect()
}

fn read_person(reader: &mut Reader<'_, '_>, node: &Node, path: &KeyPath) -> Option<Person> {
    let Some(table) = node.as_table() else {
        let help = node.as_str().map(|text| match text.split_once('<') {
            Some((name, email)) => format!(
                "write `{{ name = {:?}, email = {:?} }}`",
                name.trim(),
                email.trim_end_matches('>').trim()
            ),
            None if text.contains('@') => format!("write `{{ email = {text:?} }}`"),
            None => format!("write `{{ name = {text:?} }}`"),
        });
        let message = format!("expected a table, found {}", node.type_name());
        reader.error("wrong-type", message, node, path, help);
        return None;
    };
    for entry in &table.entries {
        const KEYS: &[&str] = &["name", "email"];
        if !KEYS.contains(&entry.key.as_str()) {
            reader.unknown_key(entry, KEYS, path);
        }
    }
    let mut field = |key: &str| {
        let node = table.get(key)?;
        reader.line(node, &path.key(key)).map(|text| (node, text.trim().to_owned()))
    };
    let (name, email) = (field("name"), field("email"));
    if table.get("name").is_none() && table.get("email").is_none() {
        let help = "give `name`, `email`, or both".to_owned();
        reader.error("missing-key", "this person has no name and no address", node, path, [help]);
        return None;
    }
    if let Some((node, text)) = &email {
        let domain = text.split_once('@').filter(|(local, _)| !local.is_empty()).map(|(_, d)| d);
        let bad = |c: char| c.is_whitespace() || "<>,()\"".contains(c);
        if domain.is_none_or(|d| d.is_empty() || d.contains('@')) || text.contains(bad) {
            let error =
                Diagnostic::error("invalid-email", format!("`{text}` isn't an e-mail address"));
            reader.report.push(
                error
                    .at(node.span())
                    .key(path.key("email"))
                    .help("write one address, such as `ann@example.org`, and the name in `name`"),
            );
        }
    }
    if let Some((node, text)) = &name
        && text.is_empty()
    {
        let help = "give a name, or remove the key".to_owned();
        reader.error("empty-name", "the name is empty", node, &path.key("name"), [help]);
    }
    Some(Person { name: name.map(|(_, text)| text), email: email.map(|(_, text)| text) })
}
