//! Options of plugins: `[tool.ekiben.options.<id>]`, checked against the plugin's own schema.
//!
//! A plugin describes its options in a small part of JSON Schema: `type`, `properties`,
//! `required`, `additionalProperties`, `items`, `enum`, `minimum`, `maximum`, `default`,
//! `description`; a `type` may be a list of scalar types. Anything else in a schema is an error about
//! the plugin, not about the project: a rule that nobody enforces would be worse than none.

use serde_json::{Map, Value as Json};

use crate::check::{Checker, Codes, types};
use crate::diagnostic::{Diagnostic, Report, Severity, SourceName, SourceText};
use crate::overrides::read_texts;
use crate::suggest::listed;
use crate::tree::{KeyPath, Node, Origin, Value};

const CODES: Codes = Codes {
    unknown: "unknown-option",
    wrong_type: "wrong-option-type",
    wrong_value: "invalid-option",
    missing: "missing-option",
};

const KEYWORDS: &[&str] = &[
    "$schema",
    "title",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "minimum",
    "maximum",
    "default",
    "description",
];

const TYPES: &[&str] = &["boolean", "integer", "number", "string", "array", "object"];
const SCALARS: &[&str] = &["boolean", "integer", "number", "string"];

/// The options given for one plugin, not yet checked.
#[derive(Debug, Clone)]
pub struct OptionTable {
    plugin: String,
    node: Node,
    path: KeyPath,
    source: SourceText,
}

impl OptionTable {
    pub(crate) fn new(plugin: &str, node: Node, path: KeyPath, source: &SourceText) -> Self {
        Self { plugin: plugin.to_owned(), node, path, source: source.clone() }
    }

    /// The plugin's id.
    #[must_use]
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.node.as_table().is_none_or(|table| table.entries.is_empty())
    }

    /// Where an option comes from.
    #[must_use]
    pub fn origin(&self, key: &[&str]) -> Origin {
        self.node.find(&KeyPath::of(key).0).map_or(Origin::Default, |node| node.origin.clone())
    }
}

/// Checks the options against the plugin's schema. Returns them with its defaults filled in.
pub fn validate_options(schema: &Json, table: &OptionTable) -> Result<Json, Vec<Diagnostic>> {
    let faults = schema_faults(schema, &table.plugin);
    if !faults.is_empty() {
        return Err(faults);
    }
    let schema = closed(schema);
    let mut node = table.node.clone();
    read_again(&schema, &mut node);
    let mut report = Report::new(&table.source);
    Checker { report: &mut report, codes: CODES }.check(&schema, &node, &table.path);
    if report.diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Err(report.diagnostics);
    }
    let mut options = node.to_json();
    fill_defaults(&schema, &mut options);
    Ok(options)
}

/// The schema with `additionalProperties: false` wherever a table names its keys and says nothing
/// of others, so that a misspelt option is always found.
fn closed(schema: &Json) -> Json {
    let Some(object) = schema.as_object() else { return schema.clone() };
    let mut object = object.clone();
    if object.contains_key("properties") && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".to_owned(), Json::from(false));
    }
    if let Some(Json::Object(properties)) = object.get_mut("properties") {
        for schema in properties.values_mut() {
            *schema = closed(schema);
        }
    }
    if let Some(rest @ Json::Object(_)) = object.get_mut("additionalProperties") {
        *rest = closed(rest);
    }
    Json::Object(object)
}

/// Values from outside came as texts, when their types weren't known yet.
fn read_again(schema: &Json, node: &mut Node) {
    if let Value::Table(table) = &mut node.value {
        for entry in &mut table.entries {
            let named = schema.get("properties").and_then(|all| all.get(&entry.key));
            if let Some(schema) = named.or_else(|| schema.get("additionalProperties")) {
                read_again(schema, &mut entry.node);
            }
        }
        return;
    }
    if !matches!(node.origin, Origin::Override { .. }) {
        return;
    }
    let texts: Vec<&str> = match &node.value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Node::as_str).collect(),
        _ => return,
    };
    if let Some(value) = read_texts(schema, &texts, &node.origin) {
        node.value = value;
    }
}

fn fill_defaults(schema: &Json, value: &mut Json) {
    let Some(object) = value.as_object_mut() else { return };
    let none = Map::new();
    let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
    if let Some(rest) = schema.get("additionalProperties") {
        for (_, given) in object.iter_mut().filter(|(key, _)| !properties.contains_key(*key)) {
            fill_defaults(rest, given);
        }
    }
    for (key, schema) in properties {
        if let Some(given) = object.get_mut(key) {
            fill_defaults(schema, given);
        } else if let Some(default) = schema.get("default") {
            object.insert(key.clone(), default.clone());
        } else if schema.get("properties").is_some() {
            let mut inner = Json::Object(Map::new());
            fill_defaults(schema, &mut inner);
            object.insert(key.clone(), inner);
        }
    }
}

/// What is wrong with a plugin's schema.
fn schema_faults(schema: &Json, plugin: &str) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    check_schema(schema, "", 0, plugin, &mut faults);
    if faults.is_empty() && types(schema) != ["object"] {
        faults.push(fault(plugin, "", "it must have the type `object`"));
    }
    faults
}

fn fault(plugin: &str, at: &str, what: &str) -> Diagnostic {
    let place = if at.is_empty() { String::new() } else { format!(" at `{at}`") };
    let message = format!("the schema of the plugin's options is wrong{place}: {what}");
    let mut fault = Diagnostic::error("invalid-option-schema", message)
        .help("this is a fault of the plugin: report it to its author");
    fault.file = SourceName::Plugin(plugin.to_owned());
    if !at.is_empty() {
        fault = fault.key(at);
    }
    fault
}

fn check_schema(schema: &Json, at: &str, depth: usize, plugin: &str, faults: &mut Vec<Diagnostic>) {
    let mut add = |what: &str| faults.push(fault(plugin, at, what));
    let Some(object) = schema.as_object() else {
        add("a schema must be an object");
        return;
    };
    for word in object.keys().filter(|word| !KEYWORDS.contains(&word.as_str())) {
        add(&format!(
            "the keyword `{word}` isn't supported; these are: {}",
            listed(KEYWORDS.iter().copied())
        ));
    }
    let kind = match object.get("type") {
        Some(Json::String(kind)) if TYPES.contains(&kind.as_str()) => kind.as_str(),
        Some(Json::Array(kinds)) if !kinds.is_empty() && kinds.iter().all(is_scalar_type) => "",
        Some(other) => {
            add(&format!(
                "{other} isn't a type, nor a list of scalar types; the types are: {}",
                listed(TYPES.iter().copied())
            ));
            return;
        }
        None => {
            add("it has no `type`");
            return;
        }
    };
    for word in ["minimum", "maximum"] {
        if object.get(word).is_some_and(|bound| !bound.is_number()) {
            add(&format!("`{word}` must be a number"));
        }
    }
    if object.get("enum").is_some_and(|list| list.as_array().is_none_or(Vec::is_empty)) {
        add("`enum` must be an array that isn't empty");
    }
    if object.get("description").is_some_and(|text| !text.is_string()) {
        add("`description` must be a string");
    }
    if let Some(default) = object.get("default")
        && !fits(default, schema)
    {
        add(&format!("the default {default} isn't a value that it allows"));
    }
    let scalar = |schema: &Json| types(schema).iter().all(|kind| SCALARS.contains(kind));
    match kind {
        "array" => match object.get("items") {
            Some(items) if scalar(items) => {
                check_schema(items, &format!("{at}[]"), depth + 1, plugin, faults);
            }
            Some(_) => add("the items of an array must be of a scalar type"),
            None => add("an array must say what its `items` are"),
        },
        "object" => check_object(object, at, depth, plugin, faults),
        _ => {}
    }
}

fn check_object(
    object: &Map<String, Json>,
    at: &str,
    depth: usize,
    plugin: &str,
    faults: &mut Vec<Diagnostic>,
) {
    let below = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    let none = Map::new();
    let properties = match object.get("properties") {
        None => &none,
        Some(Json::Object(properties)) => properties,
        Some(_) => {
            faults.push(fault(plugin, at, "`properties` must be an object"));
            return;
        }
    };
    if depth > 8 {
        faults.push(fault(plugin, at, "it is nested too deeply"));
        return;
    }
    for (key, schema) in properties {
        check_schema(schema, &below(key), depth + 1, plugin, faults);
    }
    match object.get("additionalProperties") {
        None | Some(Json::Bool(false)) => {}
        Some(rest @ Json::Object(_)) => {
            check_schema(rest, &below("*"), depth + 1, plugin, faults);
        }
        Some(_) => {
            let what = "`additionalProperties` must be `false` or a schema";
            faults.push(fault(plugin, at, what));
        }
    }
    match object.get("required") {
        None => {}
        Some(Json::Array(keys)) => {
            for key in keys {
                if key.as_str().is_none_or(|key| !properties.contains_key(key)) {
                    let what = format!("{key} is required, but isn't among the properties");
                    faults.push(fault(plugin, at, &what));
                }
            }
        }
        Some(_) => faults.push(fault(plugin, at, "`required` must be an array")),
    }
}

fn is_scalar_type(name: &Json) -> bool {
    name.as_str().is_some_and(|name| SCALARS.contains(&name))
}

/// Whether a JSON value has a type that a schema states, and is one of its words.
fn fits(value: &Json, schema: &Json) -> bool {
    let right_type = types(schema).iter().any(|kind| match *kind {
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.as_array().is_some_and(|items| {
            schema.get("items").is_none_or(|of| items.iter().all(|item| fits(item, of)))
        }),
        "object" => value.is_object(),
        _ => false,
    });
    let listed = schema.get("enum").and_then(Json::as_array);
    right_type && listed.is_none_or(|words| words.contains(value))
}
