//! What dynamic fields are computed from: files of the project, the environment, git, the date.
//!
//! Everything that isn't `pyproject.toml` comes through one trait, so that the rules can be tested
//! with none of it there, and so that it is plain what a project's metadata can depend on.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::values::ProjectPath;

/// The world around `pyproject.toml`.
pub trait Surroundings {
    /// The bytes of a file of the project; `None` if there is none.
    ///
    /// # Errors
    /// If it is there and can't be read.
    fn read(&self, path: &ProjectPath) -> io::Result<Option<Vec<u8>>>;

    /// The value of an environment variable, if it is set and not empty.
    fn variable(&self, name: &str) -> Option<String>;

    /// Runs git in the project's folder and waits for it.
    ///
    /// # Errors
    /// If it can't be started, of the kind `NotFound` where there is none.
    fn git(&self, arguments: &[&str]) -> io::Result<Output>;

    /// Seconds since 1970, for the date of a changed working tree.
    fn now(&self) -> u64;
}

/// Nothing at all: for a text that is looked at by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nothing;

impl Surroundings for Nothing {
    fn read(&self, _: &ProjectPath) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn git(&self, _: &[&str]) -> io::Result<Output> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn now(&self) -> u64 {
        0
    }
}

/// The machine that runs this.
#[derive(Debug, Clone)]
pub struct System {
    root: PathBuf,
}

impl System {
    /// The surroundings of the project in the folder `root`.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        Self { root: root.to_owned() }
    }
}

/// What ties git to a repository other than that of the current folder: the variables that
/// `git rev-parse --local-env-vars` lists, but for those of configuration. git itself sets them
/// for hooks, so a build that a hook starts would otherwise ask the wrong repository.
const LOCAL: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

impl Surroundings for System {
    fn read(&self, path: &ProjectPath) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(path.in_dir(&self.root)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = std::env::var_os(name)?.to_string_lossy().into_owned();
        (!value.is_empty()).then_some(value)
    }

    fn git(&self, arguments: &[&str]) -> io::Result<Output> {
        let mut command = Command::new("git");
        for variable in LOCAL {
            command.env_remove(variable);
        }
        // Messages are told apart by their words; nothing may wait for a person or take a lock.
        command.env("LC_ALL", "C").env("LANGUAGE", "C");
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
        command.args(arguments).current_dir(&self.root).output()
    }

    fn now(&self) -> u64 {
        let epoch = self.variable("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok());
        epoch.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
        })
    }
}
