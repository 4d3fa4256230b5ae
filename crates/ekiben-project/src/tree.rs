//! A TOML document as a tree in which every value knows where it came from.
//!
//! Values from the file and values from outside live in the same tree, so everything that comes
//! after (checks, typed settings, `explain`) treats them alike and can still tell them apart.
//!
//! Invariant: entries of a table stand in the order of the file.

use std::fmt;
use std::ops::Range;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Report, SourceText};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave it.
    Default,
    /// It is in the file.
    File {
        /// The value's bytes.
        span: Range<usize>,
        /// The line it starts on, from 1.
        line: usize,
    },
    /// It was given from outside, and wins over the file.
    Override {
        /// The carrier: `--config-settings`, the name of an environment variable.
        source: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line, .. } => write!(f, "line {line}"),
            Self::Override { source } => f.write_str(source),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Option<Range<usize>>,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn span(&self) -> Option<Range<usize>> {
        match &self.origin {
            Origin::File { span, .. } => Some(span.clone()),
            Origin::Default | Origin::Override { .. } => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = &self.value { Some(text) } else { None }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        if let Value::Table(table) = &self.value { Some(table) } else { None }
    }

    pub(crate) fn as_array(&self) -> Option<&[Node]> {
        if let Value::Array(items) = &self.value { Some(items) } else { None }
    }

    /// The name a TOML user has for the value's type, with its article.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }

    /// The type, and the value where it is short: "the string `yes`".
    pub(crate) fn described(&self) -> String {
        match &self.value {
            Value::String(text) if text.len() <= 40 => format!("the string {text:?}"),
            Value::Integer(number) => format!("the integer {number}"),
            Value::Boolean(flag) => format!("the boolean {flag}"),
            _ => self.type_name().to_owned(),
        }
    }

    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::String(text) | Value::Datetime(text) => Json::from(text.as_str()),
            Value::Integer(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::Boolean(flag) => Json::from(*flag),
            Value::Array(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Table(table) => Json::Object(
                table.entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect(),
            ),
        }
    }

    /// Follows a path down; `None` where it leaves the tree.
    pub(crate) fn find(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| match step {
            Step::Key(key) => node.as_table()?.get(key),
            Step::Index(index) => node.as_array()?.get(*index),
        })
    }
}

impl Table {
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The table at `key`, made if there is none; `None` if something else is there.
    pub(crate) fn table_mut(&mut self, key: &str, origin: &Origin) -> Option<&mut Table> {
        let at = self.entries.iter().position(|e| e.key == key).unwrap_or_else(|| {
            let node = Node { value: Value::Table(Table::default()), origin: origin.clone() };
            self.entries.push(Entry { key: key.to_owned(), key_span: None, node });
            self.entries.len() - 1
        });
        if let Value::Table(table) = &mut self.entries[at].node.value { Some(table) } else { None }
    }

    pub(crate) fn set(&mut self, key: &str, node: Node) {
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.node = node,
            None => self.entries.push(Entry { key: key.to_owned(), key_span: None, node }),
        }
    }
}

/// One step of a path into the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// A path into the tree, written as TOML writes dotted keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyPath(pub(crate) Vec<Step>);

impl KeyPath {
    pub(crate) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    /// The same with every number as an index.
    pub(crate) fn with_indices(self) -> Self {
        let step = |step: Step| match &step {
            Step::Key(key) => key.parse().map_or(step, Step::Index),
            Step::Index(_) => step,
        };
        Self(self.0.into_iter().map(step).collect())
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(&quoted_key(key))?;
                }
            }
        }
        Ok(())
    }
}

/// A key as it must be written in TOML: bare where that is possible.
pub(crate) fn quoted_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("{key:?}") }
}

/// Parses the text; what TOML itself objects to goes to the report.
pub(crate) fn parse(source: &SourceText, report: &mut Report<'_>) -> Table {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    for error in errors {
        report.push(
            Diagnostic::error("invalid-toml", error.message().trim().to_owned())
                .at(error.span())
                .help("the rules of TOML are at https://toml.io/en/v1.0.0"),
        );
    }
    let mut path = KeyPath::default();
    table(document.get_ref(), source, &mut path, report)
}

fn table(
    from: &DeTable<'_>,
    source: &SourceText,
    path: &mut KeyPath,
    report: &mut Report<'_>,
) -> Table {
    let mut entries: Vec<Entry> = from
        .iter()
        .map(|(key, value)| {
            path.0.push(Step::Key(key.get_ref().to_string()));
            let node = node(value.get_ref(), value.span(), source, path, report);
            path.0.pop();
            Entry { key: key.get_ref().to_string(), key_span: Some(key.span()), node }
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.as_ref().map(|span| span.start));
    Table { entries }
}

fn node(
    from: &DeValue<'_>,
    span: Range<usize>,
    source: &SourceText,
    path: &mut KeyPath,
    report: &mut Report<'_>,
) -> Node {
    let value = match from {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            if parsed.is_err() {
                report.push(
                    Diagnostic::error("invalid-toml", "integer too large")
                        .at(Some(span.clone()))
                        .key(&*path)
                        .help("integers lie between -2^63 and 2^63-1"),
                );
            }
            Value::Integer(parsed.unwrap_or_default())
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(date) => Value::Datetime(date.to_string()),
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    path.0.push(Step::Index(at));
                    let node = node(item.get_ref(), item.span(), source, path, report);
                    path.0.pop();
                    node
                })
                .collect(),
        ),
        DeValue::Table(from) => Value::Table(table(from, source, path, report)),
    };
    let line = source.line(span.start);
    Node { value, origin: Origin::File { span, line } }
}
