//! Checks a tree against a JSON schema, and finds everything that is wrong with it in one go.
//!
//! One checker serves `[tool.ekiben]` (schema derived from [`Settings`](crate::Settings)) and
//! the options of plugins (schema written by the plugin's author). It knows the part of JSON
//! Schema that these two use; [`crate::options`] refuses others before they get here.
//!
//! Invariant: a value that passes can be read by the types the schema was derived from, so later
//! steps report no errors of form.

use std::str::FromStr;

use serde_json::{Map, Value as Json};

use crate::diagnostic::{Diagnostic, Report};
use crate::suggest::{did_you_mean, listed, nearest, uncapitalised};
use crate::tree::{Entry, KeyPath, Node, Origin, Table, Value};
use crate::values::check_format;

/// A schema as an object; `true` counts as one that allows everything.
pub(crate) fn object(schema: &Json) -> Option<&Map<String, Json>> {
    schema.as_object()
}

/// The alternatives of a schema: those of `anyOf`/`oneOf`, or the schema alone.
pub(crate) fn alternatives(schema: &Json) -> Vec<&Json> {
    let lists = ["anyOf", "oneOf"].into_iter().filter_map(|word| schema.get(word)?.as_array());
    let all: Vec<&Json> = lists.flatten().flat_map(alternatives).collect();
    if all.is_empty() { vec![schema] } else { all }
}

/// The words a schema allows, if it allows only certain words.
pub(crate) fn words(schema: &Json) -> Option<Vec<&Json>> {
    if let Some(list) = schema.get("enum").and_then(Json::as_array) {
        return Some(list.iter().collect());
    }
    if let Some(word) = schema.get("const") {
        return Some(vec![word]);
    }
    let alternatives = alternatives(schema);
    if alternatives.len() < 2 {
        return None;
    }
    let each: Option<Vec<Vec<&Json>>> = alternatives.into_iter().map(words).collect();
    each.map(|each| each.into_iter().flatten().collect())
}

/// The JSON Schema types a schema allows; empty for any.
pub(crate) fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn has_type(node: &Node, name: &str) -> bool {
    matches!(
        (&node.value, name),
        (Value::String(_), "string")
            | (Value::Integer(_), "integer" | "number")
            | (Value::Float(_), "number")
            | (Value::Boolean(_), "boolean")
            | (Value::Array(_), "array")
            | (Value::Table(_), "object")
    )
}

fn fits(schema: &Json, node: &Node) -> bool {
    let types = types(schema);
    let is_other =
        |fixed: &Json| matches!(node.value, Value::Boolean(_)) && *fixed != node.to_json();
    (types.is_empty() || types.iter().any(|name| has_type(node, name)))
        && !schema.get("const").is_some_and(is_other)
}

/// What a schema wants, in words: "an array of strings or a table".
pub(crate) fn wanted(schema: &Json) -> String {
    if let Some(words) = words(schema) {
        return format!("one of {}", listed(words.iter().filter_map(|word| word.as_str())));
    }
    let mut kinds: Vec<String> = Vec::new();
    for alternative in alternatives(schema) {
        for name in types(alternative) {
            let kind = match name {
                "string" => "a string".to_owned(),
                "integer" => "an integer".to_owned(),
                "number" => "a number".to_owned(),
                "boolean" => match alternative.get("const") {
                    Some(fixed) => format!("`{fixed}`"),
                    None => "`true` or `false`".to_owned(),
                },
                "object" => "a table".to_owned(),
                "array" => match alternative.get("items").map(types).unwrap_or_default()[..] {
                    ["string"] => "an array of strings".to_owned(),
                    ["object"] => "an array of tables".to_owned(),
                    _ => "an array".to_owned(),
                },
                other => format!("a value of type {other}"),
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    match kinds.split_last() {
        None => "any value".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The codes under which a checker reports; they differ for settings and plugins' options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codes {
    pub(crate) unknown: &'static str,
    pub(crate) wrong_type: &'static str,
    pub(crate) wrong_value: &'static str,
    pub(crate) missing: &'static str,
}

pub(crate) const SETTINGS: Codes = Codes {
    unknown: "unknown-key",
    wrong_type: "wrong-type",
    wrong_value: "invalid-value",
    missing: "missing-key",
};

pub(crate) struct Checker<'r, 's> {
    pub(crate) report: &'r mut Report<'s>,
    pub(crate) codes: Codes,
}

/// Points a diagnostic at a node, in the file or in what was given from outside.
pub(crate) fn at_node(diagnostic: Diagnostic, node: &Node) -> Diagnostic {
    match &node.origin {
        Origin::Override { source } => diagnostic.in_override(source),
        Origin::File { .. } | Origin::Default => diagnostic.at(node.span()),
    }
}

impl Checker<'_, '_> {
    fn complain(
        &mut self,
        code: &'static str,
        message: String,
        node: &Node,
        path: &KeyPath,
        help: Option<String>,
    ) {
        self.report.push(at_node(Diagnostic::error(code, message), node).key(path).helps(help));
    }

    /// Checks `node`, which stands at `path`.
    pub(crate) fn check(&mut self, schema: &Json, node: &Node, path: &KeyPath) {
        if let Some(words) = words(schema) {
            self.check_word(&words, node, path);
            return;
        }
        let alternatives = alternatives(schema);
        let Some(chosen) = alternatives.iter().copied().find(|schema| fits(schema, node)) else {
            let message = format!("expected {}, found {}", wanted(schema), node.described());
            self.complain(self.codes.wrong_type, message, node, path, mend(schema, node));
            return;
        };
        match &node.value {
            Value::String(text) => {
                if let Some(format) = chosen.get("format").and_then(Json::as_str)
                    && let Err(error) = check_format(format, text)
                {
                    self.complain(self.codes.wrong_value, error.message, node, path, error.help);
                }
            }
            Value::Integer(number) => self.check_range(chosen, *number as f64, node, path),
            Value::Float(number) => self.check_range(chosen, *number, node, path),
            Value::Boolean(_) | Value::Datetime(_) => {}
            Value::Array(items) => {
                if let Some(schema) = chosen.get("items") {
                    for (at, item) in items.iter().enumerate() {
                        self.check(schema, item, &path.index(at));
                    }
                }
            }
            Value::Table(table) => self.check_table(chosen, table, node, path),
        }
    }

    fn check_word(&mut self, words: &[&Json], node: &Node, path: &KeyPath) {
        let found = node.to_json();
        if words.contains(&&found) {
            return;
        }
        let texts: Vec<&str> = words.iter().filter_map(|word| word.as_str()).collect();
        let (code, message, help) = match &found {
            Json::String(word) if !texts.is_empty() => {
                let near = nearest(word, texts.iter().copied());
                (
                    self.codes.wrong_value,
                    format!("`{word}` isn't one of {}", listed(texts.iter().copied())),
                    near.map(|near| format!("did you mean `{near}`?")),
                )
            }
            other if !texts.is_empty() => {
                let quoted = other.to_string();
                let help = texts
                    .contains(&quoted.as_str())
                    .then(|| format!("put it in quotes: `\"{quoted}\"`"));
                let wanted = listed(texts.iter().copied());
                let message = format!("expected one of {wanted}, found {}", node.described());
                (self.codes.wrong_type, message, help)
            }
            other => {
                let all: Vec<String> = words.iter().map(ToString::to_string).collect();
                (self.codes.wrong_value, format!("{other} isn't one of {}", all.join(", ")), None)
            }
        };
        self.complain(code, message, node, path, help);
    }

    fn check_range(&mut self, schema: &Json, number: f64, node: &Node, path: &KeyPath) {
        let bound = |word: &str| schema.get(word).and_then(Json::as_f64);
        let message = match (bound("minimum"), bound("maximum")) {
            (Some(least), _) if number < least => format!("{number} is less than {least}"),
            (_, Some(most)) if number > most => format!("{number} is more than {most}"),
            _ => return,
        };
        self.complain(self.codes.wrong_value, message, node, path, None);
    }

    fn check_table(&mut self, schema: &Json, table: &Table, node: &Node, path: &KeyPath) {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
        let rest = ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .find_map(|word| schema.get(*word));
        for entry in &table.entries {
            let path = path.key(&entry.key);
            match (properties.get(&entry.key), rest) {
                (Some(schema), _) => self.check(schema, &entry.node, &path),
                (None, Some(Json::Bool(false))) => self.unknown_key(properties, entry, &path),
                (None, Some(schema)) => self.check(schema, &entry.node, &path),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array);
        for key in required.into_iter().flatten().filter_map(Json::as_str) {
            if table.get(key).is_none() {
                let doc = properties.get(key).and_then(first_sentence);
                let doc = doc.map_or(String::new(), |doc| format!(", {}", uncapitalised(&doc)));
                let help = format!("add `{key}`{doc}");
                let message = format!("`{path}` has no `{key}`");
                self.complain(self.codes.missing, message, node, path, Some(help));
            }
        }
    }

    fn unknown_key(&mut self, properties: &Map<String, Json>, entry: &Entry, path: &KeyPath) {
        let known: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut diagnostic =
            Diagnostic::error(self.codes.unknown, format!("unknown key `{}`", entry.key)).key(path);
        diagnostic = at_node(diagnostic, &entry.node);
        if diagnostic.span.is_some() {
            diagnostic.span.clone_from(&entry.key_span);
        }
        self.report.push(diagnostic.helps(did_you_mean(&entry.key, &known)));
    }
}

/// The first sentence of a schema's description.
pub(crate) fn first_sentence(schema: &Json) -> Option<String> {
    let text = schema.get("description")?.as_str()?.replace('\n', " ");
    let end = text.find(". ").map_or(text.len(), |at| at);
    Some(text[..end].trim_end_matches('.').to_owned())
}

/// For the commonest slips of type: what to write.
fn mend(schema: &Json, node: &Node) -> Option<String> {
    let allows = |name: &str| {
        alternatives(schema).iter().any(|alternative| types(alternative).contains(&name))
    };
    match &node.value {
        Value::String(text) if allows("array") => Some(format!("write `[{text:?}]`")),
        Value::String(text) if allows("boolean") && bool::from_str(text).is_ok() => {
            Some(format!("write `{text}` without quotes"))
        }
        Value::String(text) if allows("integer") && i64::from_str(text).is_ok() => {
            Some(format!("write `{text}` without quotes"))
        }
        Value::Table(_) if allows("array") => {
            Some("write the header with double brackets, `[[…]]`, once for each".to_owned())
        }
        // Only one of the two can stand here, and it is the other one.
        Value::Boolean(_) if allows("boolean") => {
            let examples = alternatives(schema).into_iter().filter_map(|s| s.get("examples"));
            let example = examples.filter_map(Json::as_array).flatten().next()?;
            Some(format!("write a text such as `{example}`"))
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) if allows("string") => {
            Some(format!("put it in quotes: `\"{}\"`", node.to_json()))
        }
        _ => None,
    }
}
