//! Settings given from outside: `--config-settings key=value`, an environment variable.
//!
//! A key is a dotted path as in `[tool.ekiben]`; an extension is reached by its name
//! (`extension.spam._core.debug`). The text of a value becomes the type that the setting has. For
//! a list, the same key can be given several times, or a TOML array once; for one value, the last
//! wins. What is given replaces what the file says.
//!
//! Invariant: an override only ever changes the tree. All checks come after, so a value from
//! outside meets the same ones as a value from the file.

use std::path::Path;
use std::str::FromStr;

use serde_json::Value as Json;

use crate::check::{alternatives, object, types, words};
use crate::diagnostic::{Diagnostic, Report, SourceText};
use crate::suggest::did_you_mean;
use crate::tree::{self, KeyPath, Node, Origin, Table, Value, quoted_key};

/// One setting given from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The dotted key, with or without `tool.ekiben.` in front.
    pub key: String,
    /// The value's text.
    pub value: String,
    /// What carried it, for messages: `--config-settings`, the name of a variable.
    pub source: String,
}

impl Override {
    /// Splits `key=value` at the first `=` outside quotes. A key alone means `true`.
    #[must_use]
    pub fn parse(text: &str, source: &str) -> Self {
        let mut quoted = false;
        let split = text.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            *c == '=' && !quoted
        });
        let (key, value) = match split {
            Some((at, _)) => (&text[..at], &text[at + 1..]),
            None => (text, "true"),
        };
        Self { key: key.trim().to_owned(), value: value.to_owned(), source: source.to_owned() }
    }
}

/// Settings given from outside, in order; later ones win.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides(Vec<Override>);

impl Overrides {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, which wins over those before it.
    pub fn push(&mut self, one: Override) {
        self.0.push(one);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The overrides of each key. Where two carriers give one key, the last carrier's stay.
    fn by_key(&self) -> Vec<(&str, &str, Vec<&str>)> {
        let mut all: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for one in &self.0 {
            let key = one.key.strip_prefix("tool.ekiben.").unwrap_or(&one.key);
            match all.iter_mut().find(|(other, ..)| *other == key) {
                Some((_, source, values)) if *source == one.source => values.push(&one.value),
                Some(entry) => *entry = (key, &one.source, vec![&one.value]),
                None => all.push((key, &one.source, vec![&one.value])),
            }
        }
        all
    }
}

impl FromIterator<Override> for Overrides {
    fn from_iter<I: IntoIterator<Item = Override>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

/// Lays the overrides over `[tool.ekiben]`.
pub(crate) fn apply(
    overrides: &Overrides,
    settings: &mut Table,
    schema: &Json,
    report: &mut Report<'_>,
) {
    for (key, source, values) in overrides.by_key() {
        let result =
            split_key(key).and_then(|steps| place(settings, schema, &steps, source, &values));
        if let Err(Refusal { message, help }) = result {
            let code = "invalid-override";
            report.push(Diagnostic::error(code, message).in_override(source).key(key).helps(help));
        }
    }
}

struct Refusal {
    message: String,
    help: Option<String>,
}

impl Refusal {
    fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// `a.b."c.d"` → `a`, `b`, `c.d`.
fn split_key(key: &str) -> Result<Vec<String>, Refusal> {
    let (mut steps, mut step) = (Vec::new(), String::new());
    let mut quoted = false;
    for c in key.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => steps.push(std::mem::take(&mut step)),
            _ => step.push(c),
        }
    }
    steps.push(step);
    if quoted || steps.iter().any(String::is_empty) {
        return Err(Refusal::new(
            format!("`{key}` isn't a key"),
            "write names joined by dots, such as `defaults.debug`".to_owned(),
        ));
    }
    Ok(steps)
}

fn place(
    table: &mut Table,
    schema: &Json,
    steps: &[String],
    source: &str,
    values: &[&str],
) -> Result<(), Refusal> {
    let Some((step, rest)) = steps.split_first() else { return Ok(()) };
    let below = below(schema, step).ok_or_else(|| unknown(schema, step))?;
    let origin = Origin::Override { source: source.to_owned() };
    if rest.is_empty() {
        let value = read_value(below, values, &origin, step)?;
        table.set(step, Node { value, origin });
        return Ok(());
    }
    let items = alternatives(below)
        .into_iter()
        .find_map(|schema| schema.get("items").filter(|items| types(items) == ["object"]));
    if let Some(items) = items {
        let (element, rest) = named_element(table, step, rest)?;
        return place(element, items, rest, source, values);
    }
    if !alternatives(below).iter().any(|schema| types(schema).contains(&"object")) {
        return Err(Refusal::new(format!("`{step}` has no keys below it"), None));
    }
    // A list in the file gives way to a table from outside (`compile-args` can be either).
    let is_table = table.get(step).is_none_or(|node| node.as_table().is_some());
    if !is_table {
        let value = Value::Table(Table::default());
        table.set(step, Node { value, origin: origin.clone() });
    }
    match table.table_mut(step, &origin) {
        Some(inner) => place(inner, below, rest, source, values),
        None => Ok(()),
    }
}

/// The element of an array of tables whose name the key goes on with, and the rest of the key.
/// Names have dots, so the longest one that fits is taken.
fn named_element<'t, 'k>(
    table: &'t mut Table,
    array: &str,
    rest: &'k [String],
) -> Result<(&'t mut Table, &'k [String]), Refusal> {
    let name_of = |node: &Node| Some(node.as_table()?.get("name")?.as_str()?.to_owned());
    let elements = table.get(array).and_then(Node::as_array).unwrap_or_default();
    let names: Vec<(usize, String)> =
        elements.iter().enumerate().filter_map(|(at, node)| Some((at, name_of(node)?))).collect();
    let fitting = (1..rest.len()).rev().find_map(|length| {
        let wanted = rest[..length].join(".");
        names.iter().find(|(_, name)| *name == wanted).map(|(at, _)| (*at, length))
    });
    let entry = table.entries.iter_mut().find(|entry| entry.key == array);
    match (fitting, entry.map(|entry| &mut entry.node.value)) {
        (Some((at, length)), Some(Value::Array(nodes))) => match &mut nodes[at].value {
            Value::Table(inner) => Ok((inner, &rest[length..])),
            _ => Err(Refusal::new(format!("`{array}` holds something else than tables"), None)),
        },
        _ => {
            let known: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
            let wanted = rest[..rest.len().saturating_sub(1).max(1)].join(".");
            let message = format!("there is no {array} named `{wanted}`");
            let none =
                || format!("a key goes on with a name and an option: `{array}.spam._core.debug`");
            Err(Refusal::new(message, did_you_mean(&wanted, &known).unwrap_or_else(none)))
        }
    }
}

/// The schema of what stands at `step` in a table with this schema.
fn below<'s>(schema: &'s Json, step: &str) -> Option<&'s Json> {
    alternatives(schema).into_iter().find_map(|schema| {
        let named = schema.get("properties").and_then(|all| all.get(step));
        named.or_else(|| {
            schema.get("additionalProperties").filter(|rest| *rest != &Json::from(false))
        })
    })
}

fn unknown(schema: &Json, step: &str) -> Refusal {
    let properties = alternatives(schema)
        .into_iter()
        .find_map(|schema| schema.get("properties").and_then(object));
    let known: Vec<&str> =
        properties.into_iter().flat_map(|all| all.keys().map(String::as_str)).collect();
    Refusal::new(format!("unknown key `{}`", quoted_key(step)), did_you_mean(step, &known))
}

/// Turns the texts into the type that the schema wants; what none of its types can be made of
/// stays a string, for the checker to refuse.
pub(crate) fn read_texts(schema: &Json, values: &[&str], origin: &Origin) -> Option<Value> {
    let last = values.last().copied().unwrap_or_default();
    let text = || Value::String(last.to_owned());
    if words(schema).is_some() {
        return Some(text());
    }
    let alternatives = alternatives(schema);
    let array = alternatives.iter().find(|schema| types(schema).contains(&"array"));
    let allows = |name: &str| alternatives.iter().any(|schema| types(schema).contains(&name));
    if allows("boolean")
        && let Ok(flag) = bool::from_str(last)
    {
        return Some(Value::Boolean(flag));
    }
    if allows("integer")
        && let Ok(number) = i64::from_str(last)
    {
        return Some(Value::Integer(number));
    }
    if allows("number")
        && let Ok(number) = f64::from_str(last)
    {
        return Some(Value::Float(number));
    }
    if let Some(schema) = array {
        if let ([one], true) = (values, last.trim_start().starts_with('[')) {
            return toml_value(one, origin);
        }
        let any = Json::Object(serde_json::Map::new());
        let items = schema.get("items").unwrap_or(&any);
        let nodes = values.iter().map(|one| {
            let value = read_texts(items, &[one], origin)?;
            Some(Node { value, origin: origin.clone() })
        });
        return nodes.collect::<Option<Vec<Node>>>().map(Value::Array);
    }
    if allows("object") && last.trim_start().starts_with('{') {
        return toml_value(last, origin);
    }
    match values {
        // Of no stated type: an option of a plugin, which will be read again by its schema.
        [_, _, ..] if alternatives.iter().all(|schema| types(schema).is_empty()) => {
            let node = |text: &&str| Node {
                value: Value::String((*text).to_owned()),
                origin: origin.clone(),
            };
            Some(Value::Array(values.iter().map(node).collect()))
        }
        _ => Some(text()),
    }
}

fn read_value(
    schema: &Json,
    values: &[&str],
    origin: &Origin,
    key: &str,
) -> Result<Value, Refusal> {
    read_texts(schema, values, origin).ok_or_else(|| {
        Refusal::new(
            format!("the value of `{key}` isn't valid TOML"),
            "write an array as `[\"a\", \"b\"]`, or give the key several times".to_owned(),
        )
    })
}

/// One TOML value, with every part of it marked as given from outside.
fn toml_value(text: &str, origin: &Origin) -> Option<Value> {
    let source = SourceText::new(Path::new(""), &format!("value = {text}"));
    let mut report = Report::new(&source);
    let document = tree::parse(&source, &mut report);
    if report.error_count() > 0 || document.entries.len() != 1 {
        return None;
    }
    let mut node = document.entries.into_iter().next()?.node;
    mark(&mut node, origin);
    Some(node.value)
}

fn mark(node: &mut Node, origin: &Origin) {
    node.origin = origin.clone();
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(|item| mark(item, origin)),
        Value::Table(table) => {
            for entry in &mut table.entries {
                entry.key_span = None;
                mark(&mut entry.node, origin);
            }
        }
        _ => {}
    }
}

/// The path of `[tool.ekiben]`.
pub(crate) fn settings_path() -> KeyPath {
    KeyPath::of(&["tool", "ekiben"])
}
