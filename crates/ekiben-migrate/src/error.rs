//! Why a project couldn't be migrated: what is wrong, where, and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A place in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with a `bento.info`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct BentoError {
    /// Where.
    pub position: Position,
    /// What, and what should be there instead.
    pub message: String,
}

/// Why a project couldn't be migrated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder has nothing to start from.
    #[error("`{}` has no setup.py, setup.cfg or bento.info, nor a pyproject.toml for setuptools", .0.display())]
    NothingToMigrate(PathBuf),
    /// The system refused to read or write something.
    #[error("can't {what} `{}`: {source}", path.display())]
    Io {
        /// Read, write, copy.
        what: &'static str,
        /// What.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The `pyproject.toml` that is there isn't valid TOML.
    #[error("`{}` isn't valid TOML: {message}", path.display())]
    BadToml {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column.
        message: String,
    },
    /// The `pyproject.toml` that is there belongs to another build backend.
    #[error("`{}` says that `{backend}` builds the project", path.display())]
    OtherBackend {
        /// The file.
        path: PathBuf,
        /// What it names.
        backend: String,
    },
    /// A `bento.info` is wrong.
    #[error("{}:{error}", path.display())]
    Bento {
        /// The file.
        path: PathBuf,
        /// What and where.
        error: BentoError,
    },
    /// The interpreter couldn't be started, or stopped without an answer.
    #[error("`{}` gave no answer about setup.py: {message}", python.display())]
    NoAnswer {
        /// The interpreter.
        python: PathBuf,
        /// What happened.
        message: String,
    },
    /// `setup.py` raised an error, or never called `setup()`.
    #[error("{}: {message}", place)]
    SetupFailed {
        /// `setup.py`, with the line if it is known.
        place: String,
        /// Python's words.
        message: String,
    },
}

impl Error {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::NothingToMigrate(_) => {
                "name the folder that holds one of them; `ekiben new` starts a project"
            }
            Self::Io { .. } => return None,
            Self::BadToml { .. } => "mend it first",
            Self::OtherBackend { backend, .. } if backend == "ekiben" => "it is migrated already",
            Self::OtherBackend { .. } => {
                "only setuptools and Bento can be migrated from; to start from setup.py all the \
                 same, remove [build-system]"
            }
            Self::Bento { .. } => "mend the file, which Bento itself couldn't read either",
            Self::NoAnswer { .. } => "choose another interpreter with --python",
            Self::SetupFailed { .. } => {
                "the script ran on its own, without setuptools and compilers, to see what it asks \
                 for; try another interpreter with --python, or make the line work"
            }
        };
        Some(text.to_owned())
    }
}
