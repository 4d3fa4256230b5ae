//! Every setting with its value, where the value comes from, and what it is for:
//! `ekiben config --explain`.
//!
//! The rows come from the JSON schema, hence from the types in [`crate::settings`], so a setting
//! can't be missing here.

use serde_json::Value as Json;

use crate::check::{alternatives, first_sentence, types, wanted};
use crate::overrides::settings_path;
use crate::project::Project;
use crate::schema::json_schema;
use crate::tree::{KeyPath, Node, Origin};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainRow {
    /// The whole key, such as `tool.ekiben.defaults.debug`.
    pub key: String,
    /// The value as TOML; `None` where nothing was given and a rule decides.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
    /// What can be given, in words: "`true` or `false`".
    pub takes: String,
    /// What it is for, in a sentence.
    pub doc: String,
}

/// All settings, in the order in which they are described.
#[must_use]
pub fn explain(project: &Project) -> Vec<ExplainRow> {
    let mut rows = Vec::new();
    explain_table(json_schema(), Some(&project.tree), &settings_path(), &mut rows);
    rows
}

fn explain_table(schema: &Json, node: Option<&Node>, path: &KeyPath, rows: &mut Vec<ExplainRow>) {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    for (key, schema) in properties {
        let node = node.and_then(Node::as_table).and_then(|table| table.get(key));
        explain_value(schema, node, &path.key(key), rows);
    }
}

fn explain_value(schema: &Json, node: Option<&Node>, path: &KeyPath, rows: &mut Vec<ExplainRow>) {
    if alternatives(schema).len() == 1 && types(schema) == ["object"] {
        if schema.get("properties").is_some() {
            explain_table(schema, node, path, rows);
            return;
        }
        // A table whose keys the user chooses: one part for each, and none without any.
        let entries = node.and_then(Node::as_table).map(|table| &table.entries[..]);
        if let Some(below) = schema.get("additionalProperties")
            && let Some(entries @ [_, ..]) = entries
        {
            for entry in entries {
                explain_value(below, Some(&entry.node), &path.key(&entry.key), rows);
            }
            return;
        }
    }
    if let Some(items) = schema.get("items").filter(|items| types(items) == ["object"])
        && let Some(nodes @ [_, ..]) = node.and_then(Node::as_array)
    {
        for (at, node) in nodes.iter().enumerate() {
            explain_table(items, Some(node), &path.index(at), rows);
        }
        return;
    }
    let value = match node {
        Some(node) => Some(as_toml(&node.to_json())),
        None => schema.get("default").map(as_toml),
    };
    rows.push(ExplainRow {
        key: path.to_string(),
        value,
        origin: node.map_or(Origin::Default, |node| node.origin.clone()),
        takes: wanted(schema),
        doc: first_sentence(schema).unwrap_or_default(),
    });
}

fn as_toml(value: &Json) -> String {
    match value {
        Json::Array(items) => {
            format!("[{}]", items.iter().map(as_toml).collect::<Vec<_>>().join(", "))
        }
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| {
                format!("{} = {}", crate::tree::quoted_key(key), as_toml(value))
            };
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
