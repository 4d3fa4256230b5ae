//! The crate's error: a project that can't be read, or one that can and is wrong.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, SourceName};

/// Why there is no project, or no list of its files.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The folder holds no `pyproject.toml`.
    #[error("`{}` has no pyproject.toml", .0.display())]
    Missing(PathBuf),
    /// The system refused to read something.
    #[error("can't read `{}`: {source}", path.display())]
    Read {
        /// What was being read.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A text file isn't UTF-8.
    #[error("`{}` isn't UTF-8 (the first wrong byte is at offset {offset})", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Offset of the first byte that can't be decoded.
        offset: usize,
    },
    /// The project says something wrong. At least one of these is an error.
    #[error("{}", one_per_line(.0))]
    Invalid(Vec<Diagnostic>),
}

impl ProjectError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// The same as a list of diagnostics, so that one renderer serves every variant.
    #[must_use]
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let (code, path, help) = match &self {
            Self::Missing(dir) => (
                "missing-pyproject",
                dir.clone(),
                "run this in a project's folder, or start one with `ekiben new`",
            ),
            Self::Read { path, .. } => {
                ("unreadable", path.clone(), "check that it exists and that you may read it")
            }
            Self::NotUtf8 { path, .. } => {
                ("not-utf8", path.clone(), "save the file in the encoding UTF-8")
            }
            Self::Invalid(_) => {
                let Self::Invalid(diagnostics) = self else { return Vec::new() };
                return diagnostics;
            }
        };
        let mut diagnostic = Diagnostic::error(code, self.to_string()).help(help);
        diagnostic.file = SourceName::File(path);
        vec![diagnostic]
    }
}

fn one_per_line(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().fold(String::new(), |mut all, diagnostic| {
        if !all.is_empty() {
            all.push('\n');
        }
        let _ = write!(all, "{diagnostic}");
        all
    })
}
