//! A [`Problem`]: anything wrong that a person should read, from whichever layer it comes.
//!
//! Layers have error types of their own. They meet here, once, so that the command line, the JSON
//! events and the tests see one shape: what is wrong, where, and what to do.

use std::ops::Range;

use ekiben_project::SourceName;
use serde::Serialize;

use crate::graph::GraphError;
use crate::plugin::PluginError;
use crate::plugin::protocol::{Report, Severity as ReportSeverity};

/// How bad a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// May be a mistake.
    Warning,
    /// The build can't go on.
    Error,
}

/// Who can mend a [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The project, or what was asked for.
    Input,
    /// The machine: a missing program, a full disk.
    Environment,
    /// A plugin.
    Plugin,
    /// Ekiben itself.
    Internal,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, relative to the project where it lies in it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The bytes in the file, where they are known.
    pub span: Option<Range<usize>>,
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Who can mend it.
    pub cause: Cause,
    /// A stable identifier in kebab case.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub at: Option<Place>,
    /// The key in `pyproject.toml`.
    pub key: Option<String>,
    /// What to do, a sentence an entry.
    pub help: Vec<String>,
    /// Who says so, or brought what is wrong, where that isn't a file: a plugin, `--config-settings`.
    pub source: Option<String>,
}

impl Problem {
    /// An error.
    pub fn error(cause: Cause, code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            cause,
            code: code.to_owned(),
            message: message.into(),
            at: None,
            key: None,
            help: Vec::new(),
            source: None,
        }
    }

    /// A warning.
    pub fn warning(cause: Cause, code: &str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(cause, code, message) }
    }

    /// Adds a sentence on what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// What `plugin`, which is its id and version, reports.
    #[must_use]
    pub fn from_report(report: Report, plugin: &str) -> Self {
        Self {
            severity: match report.severity {
                ReportSeverity::Note => Severity::Note,
                ReportSeverity::Warning => Severity::Warning,
                ReportSeverity::Error => Severity::Error,
            },
            cause: Cause::Input,
            code: report.code,
            message: report.message,
            at: report.at.map(|(file, line, column)| Place {
                file,
                line: line as usize,
                column: column as usize,
                span: None,
            }),
            key: None,
            help: report.help,
            source: Some(format!("the plugin {plugin}")),
        }
    }
}

impl From<ekiben_project::Diagnostic> for Problem {
    fn from(diagnostic: ekiben_project::Diagnostic) -> Self {
        let file = diagnostic.file.to_string();
        let source = match &diagnostic.file {
            SourceName::File(_) => None,
            SourceName::Override(carrier) => Some(carrier.clone()),
            SourceName::Plugin(id) => Some(format!("the plugin `{id}`")),
        };
        let at = diagnostic.line.map(|line| Place {
            file,
            line,
            column: diagnostic.column.unwrap_or(1),
            span: diagnostic.span,
        });
        Self {
            severity: match diagnostic.severity {
                ekiben_project::Severity::Warning => Severity::Warning,
                ekiben_project::Severity::Error => Severity::Error,
            },
            cause: Cause::Input,
            code: diagnostic.code.to_owned(),
            message: diagnostic.message,
            at,
            key: diagnostic.key,
            help: diagnostic.help,
            source,
        }
    }
}

/// What stops a build: one or more problems, the last of them an error.
#[derive(Debug, Clone, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Who can mend the first error.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let first = self.0.iter().find(|problem| problem.severity == Severity::Error);
        first.map_or(Cause::Internal, |problem| problem.cause)
    }
}

impl std::error::Error for Problems {}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", problem.message)?;
        }
        Ok(())
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl From<ekiben_project::ProjectError> for Problems {
    fn from(error: ekiben_project::ProjectError) -> Self {
        Self(error.into_diagnostics().into_iter().map(Problem::from).collect())
    }
}

impl From<ekiben_python::Error> for Problems {
    fn from(error: ekiben_python::Error) -> Self {
        let mut problem = Problem::error(Cause::Environment, "interpreter", error.to_string());
        problem.help.extend(error.hint());
        problem.into()
    }
}

impl From<ekiben_archive::Error> for Problems {
    fn from(error: ekiben_archive::Error) -> Self {
        let mut problem = Problem::error(Cause::Input, "archive", error.to_string());
        problem.help.extend(error.hint().map(ToOwned::to_owned));
        problem.into()
    }
}

impl From<GraphError> for Problems {
    fn from(error: GraphError) -> Self {
        let mut problem = Problem::error(Cause::Input, "command-graph", error.to_string());
        problem.help.extend(error.help());
        problem.into()
    }
}

impl From<PluginError> for Problems {
    fn from(error: PluginError) -> Self {
        if let PluginError::User { plugin, reports } = error {
            let problem = |report| Problem::from_report(report, &plugin);
            return Self(reports.into_iter().map(problem).collect());
        }
        let code = match &error {
            PluginError::Limit { .. } => "plugin-limit",
            PluginError::Trap { .. } => "plugin-trap",
            PluginError::Mistake { .. } => "plugin-mistake",
            PluginError::WrongVersion { .. } => "plugin-version",
            PluginError::NotGranted { .. } => "plugin-capability",
            PluginError::Unsupported { .. } => "unsupported",
            _ => "plugin",
        };
        let mut problem = Problem::error(Cause::Plugin, code, error.to_string());
        problem.help = error.help();
        problem.into()
    }
}

impl From<ekiben_engine::EngineError> for Problems {
    fn from(error: ekiben_engine::EngineError) -> Self {
        let mut problem = Problem::error(Cause::Environment, "engine", error.to_string());
        problem.help.extend(error.hint());
        problem.into()
    }
}
