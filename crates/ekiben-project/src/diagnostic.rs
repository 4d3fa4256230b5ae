//! What is told to a person about a project: problems with a place and a way out.
//!
//! A [`Diagnostic`] is data. How it is drawn (colours, the quoted line) is the command line's
//! business; here there is only a one-line [`Display`](fmt::Display).
//!
//! Invariant: `line` and `column` are present exactly when `span` is, and agree with it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The project can be built, but something in it won't last or isn't what it seems.
    Warning,
    /// The project can't be built.
    Error,
}

/// Where the text at fault came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceName {
    /// A file, in most cases `pyproject.toml`.
    File(PathBuf),
    /// A value given from outside, by its carrier (`--config-settings`, an environment variable).
    Override(String),
    /// A plugin, by its id: the fault is the plugin author's.
    Plugin(String),
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Override(carrier) => f.write_str(carrier),
            Self::Plugin(id) => write!(f, "plugin `{id}`"),
        }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable kebab-case id, fit for searching and for suppressing.
    pub code: &'static str,
    /// What is wrong, without where and without advice.
    pub message: String,
    /// Where the text came from.
    pub file: SourceName,
    /// The bytes at fault.
    pub span: Option<Range<usize>>,
    /// Line of the span's start, from 1.
    pub line: Option<usize>,
    /// Column of the span's start in characters, from 1.
    pub column: Option<usize>,
    /// The key path, such as `tool.ekiben.extension[1].sources`; array indices count from 0.
    pub key: Option<String>,
    /// What to do about it, one suggestion each.
    pub help: Vec<String>,
}

impl Diagnostic {
    fn new(severity: Severity, code: &'static str, message: String) -> Self {
        Self {
            severity,
            code,
            message,
            file: SourceName::File(PathBuf::new()),
            span: None,
            line: None,
            column: None,
            key: None,
            help: Vec::new(),
        }
    }

    pub(crate) fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    pub(crate) fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    #[must_use]
    pub(crate) fn at(mut self, span: Option<Range<usize>>) -> Self {
        self.span = span;
        self
    }

    #[must_use]
    pub(crate) fn key(mut self, key: impl fmt::Display) -> Self {
        self.key = Some(key.to_string());
        self
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    #[must_use]
    pub(crate) fn helps(mut self, help: impl IntoIterator<Item = String>) -> Self {
        self.help.extend(help);
        self
    }

    #[must_use]
    pub(crate) fn in_plugin(mut self, id: &str) -> Self {
        self.file = SourceName::Plugin(id.to_owned());
        self
    }

    #[must_use]
    pub(crate) fn in_override(mut self, carrier: &str) -> Self {
        self.file = SourceName::Override(carrier.to_owned());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        let kind = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, ": {kind}[{}]: {}", self.code, self.message)
    }
}

/// A text with the starts of its lines, to turn byte offsets into lines and columns.
#[derive(Debug, Clone)]
pub(crate) struct SourceText {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    line_starts: Vec<usize>,
}

impl SourceText {
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.to_owned(), text: text.to_owned(), line_starts }
    }

    pub(crate) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn column(&self, offset: usize) -> usize {
        let start = self.line_starts[self.line(offset) - 1];
        self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1
    }
}

/// Collects diagnostics about one text and fills in their places.
#[derive(Debug)]
pub(crate) struct Report<'s> {
    pub(crate) source: &'s SourceText,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'s> Report<'s> {
    pub(crate) fn new(source: &'s SourceText) -> Self {
        Self { source, diagnostics: Vec::new() }
    }

    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        if matches!(&diagnostic.file, SourceName::File(path) if path.as_os_str().is_empty()) {
            diagnostic.file = SourceName::File(self.source.path.clone());
        }
        if diagnostic.file == SourceName::File(self.source.path.clone())
            && let Some(span) = &diagnostic.span
        {
            diagnostic.line = Some(self.source.line(span.start));
            diagnostic.column = Some(self.source.column(span.start));
        }
        self.diagnostics.push(diagnostic);
    }

    /// Adds a diagnostic about another text.
    pub(crate) fn push_in(&mut self, text: &SourceText, diagnostic: Diagnostic) {
        let mut other = Report::new(text);
        other.push(diagnostic);
        self.diagnostics.append(&mut other.diagnostics);
    }

    pub(crate) fn error_count(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }
}
