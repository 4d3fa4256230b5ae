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
use crate::tree::{KeyPath, Node, Origin, quoted_key};

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

/// All settings, in the order in which they are described. An extension's build options are shown
/// as they are in force, with `[tool.ekiben.defaults]` worked in.
#[must_use]
pub fn explain(project: &Project) -> Vec<ExplainRow> {
    let mut explainer = Explainer { project, rows: Vec::new() };
    explainer.table(json_schema(), &Place::new(Some(&project.tree)), &settings_path());
    explainer.rows
}

struct Explainer<'p> {
    project: &'p Project,
    rows: Vec<ExplainRow>,
}

/// What is known about one place in the settings.
#[derive(Clone)]
struct Place<'p> {
    /// What stands there.
    given: Option<&'p Node>,
    /// What holds if nothing stands there: the same key of `[tool.ekiben.defaults]`.
    fallback: Option<&'p Node>,
    /// The value in force, where it is more than what stands there.
    in_force: Option<Json>,
    /// What the place is for, where its schema doesn't say.
    doc: String,
}

impl<'p> Place<'p> {
    fn new(given: Option<&'p Node>) -> Self {
        Self { given, fallback: None, in_force: None, doc: String::new() }
    }

    fn below(&self, key: &str) -> Self {
        let get = |node: Option<&'p Node>| node.and_then(Node::as_table)?.get(key);
        let in_force = self.in_force.as_ref().and_then(|json| json.get(key)).cloned();
        let doc = self.doc.clone();
        Self { given: get(self.given), fallback: get(self.fallback), in_force, doc }
    }
}

impl Explainer<'_> {
    fn table(&mut self, schema: &Json, place: &Place<'_>, path: &KeyPath) {
        let properties = schema.get("properties").and_then(Json::as_object);
        for (key, schema) in properties.into_iter().flatten() {
            self.value(schema, &place.below(key), &path.key(key));
        }
    }

    fn value(&mut self, schema: &Json, place: &Place<'_>, path: &KeyPath) {
        if alternatives(schema).len() == 1 && types(schema) == ["object"] {
            if schema.get("properties").is_some() {
                self.table(schema, place, path);
                return;
            }
            if self.chosen_keys(schema, place, path) {
                return;
            }
        }
        if let Some(items) = schema.get("items").filter(|items| types(items) == ["object"])
            && let Some(nodes @ [_, ..]) = place.given.and_then(Node::as_array)
        {
            for (at, node) in nodes.iter().enumerate() {
                let mut place = Place::new(Some(node));
                if *path == settings_path().key("extension") {
                    place.fallback = self.project.tree.find(&KeyPath::of(&["defaults"]).0);
                    let merged = self.project.extensions().get(at);
                    place.in_force = merged.and_then(|merged| serde_json::to_value(merged).ok());
                }
                self.table(items, &place, &path.index(at));
            }
            return;
        }
        let node = place.given.or(place.fallback);
        let in_force = place.in_force.as_ref().filter(|json| !json.is_null());
        let value = match (node, in_force) {
            (Some(_), Some(in_force)) => Some(as_toml(in_force)),
            (Some(node), None) => Some(as_toml(&node.to_json())),
            (None, _) => schema.get("default").map(as_toml),
        };
        self.rows.push(ExplainRow {
            key: path.to_string(),
            value,
            origin: node.map_or(Origin::Default, |node| node.origin.clone()),
            takes: wanted(schema),
            doc: first_sentence(schema).unwrap_or_else(|| place.doc.clone()),
        });
    }

    /// A table whose keys the user chooses, such as `define`: a part for each key. False if there
    /// are none.
    fn chosen_keys(&mut self, schema: &Json, place: &Place<'_>, path: &KeyPath) -> bool {
        let Some(below) = schema.get("additionalProperties") else { return false };
        let tables = [place.fallback, place.given].into_iter().flatten().filter_map(Node::as_table);
        let mut keys: Vec<&str> = Vec::new();
        for entry in tables.flat_map(|table| &table.entries) {
            if !keys.contains(&entry.key.as_str()) {
                keys.push(&entry.key);
            }
        }
        for key in &keys {
            let mut place = place.below(key);
            place.doc = first_sentence(schema).unwrap_or_default();
            self.value(below, &place, &path.key(key));
        }
        !keys.is_empty()
    }
}

fn as_toml(value: &Json) -> String {
    match value {
        Json::Array(items) => {
            format!("[{}]", items.iter().map(as_toml).collect::<Vec<_>>().join(", "))
        }
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| {
                format!("{} = {}", quoted_key(key), as_toml(value))
            };
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
