//! [`Error`]: why a static wheel can't be made or used.

use std::path::PathBuf;

/// Why a static wheel can't be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file couldn't be read or written.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// There is neither pip nor uv.
    #[error("neither uv nor a pip that is new enough is on the PATH")]
    NoInstaller,
    /// A requirement stands for nothing.
    #[error("`{requirement}` can't be found; {installer} says:\n{said}")]
    Resolve {
        /// What was asked for.
        requirement: String,
        /// Who was asked.
        installer: String,
        /// What it said.
        said: String,
    },
    /// A package can't be built from its source.
    #[error("{what} can't be built from source; the build says last:\n{said}")]
    Build {
        /// The package.
        what: String,
        /// The end of what was said.
        said: String,
        /// All of it.
        log: Option<PathBuf>,
    },
    /// The source of a package isn't one that it may be built from.
    #[error("{what} can't be built from source: {}", not_that(.hashes))]
    Hash {
        /// The package.
        what: String,
        /// The SHA-256 that its source may have.
        hashes: Vec<String>,
    },
    /// Compiled modules came from elsewhere than a linker.
    #[error(
        "{what} has compiled modules that no linker made while it was built: {}", modules.join(", ")
    )]
    Escaped {
        /// The package.
        what: String,
        /// Their files.
        modules: Vec<String>,
    },
    /// A module couldn't be linked to an object.
    #[error("{file} of {what} can't be linked to an object; the linker says:\n{said}")]
    Unlinkable {
        /// The package.
        what: String,
        /// The module's file.
        file: String,
        /// What the linker said.
        said: String,
    },
    /// There is no static wheel of a name.
    #[error("there is no static wheel of {name}{}", listed(.there))]
    NoSuchWheel {
        /// What was asked for.
        name: String,
        /// What is there.
        there: Vec<String>,
    },
    /// A package has nothing to be linked.
    #[error("{0} has no compiled modules, so that there is nothing to be linked")]
    Pure(String),
    /// It was stopped before its end.
    #[error("interrupted")]
    Interrupted,
    /// What is in a file can't be used.
    #[error("{} can't be used: {message}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

impl Error {
    /// A word that stands for the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } | Self::Unusable { .. } => "static-wheel",
            Self::NoInstaller => "no-installer",
            Self::Resolve { .. } => "resolve",
            Self::Build { .. } => "static-build",
            Self::Hash { .. } => "source-hash",
            Self::Escaped { .. } => "unrecorded-link",
            Self::Unlinkable { .. } => "unlinkable-module",
            Self::NoSuchWheel { .. } => "no-static-wheel",
            Self::Pure(_) => "pure-package",
            Self::Interrupted => "interrupted",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoInstaller => {
                "install uv, or pip: 22.3 or later, and 23.1.2 or later for Python 3.12 and later"
                    .to_owned()
            }
            Self::Build { log: Some(log), .. } => format!(
                "all that it said is in {}; libraries that it needs have to be installed with \
                 their headers and archives",
                log.display()
            ),
            Self::Hash { .. } => {
                "have the lock name source distributions as well as wheels, as those of uv do and \
                those of `pip-compile --generate-hashes`; or build a static wheel by itself, and name \
                it by `--static-wheels`; or have the package loaded from memory (`--link NAME=memory`)"
                    .to_owned()
            }
            Self::Escaped { .. } => {
                "the package brings them, or its build starts a linker by a path of \
                its own; such a package can only be loaded from memory (`--link NAME=memory`)"
                    .to_owned()
            }
            Self::Unlinkable { .. } => {
                "objects of clang's link-time optimisation can't be linked so: \
                have the package built without it, or by gcc"
                    .to_owned()
            }
            Self::NoSuchWheel { name, .. } => {
                format!("build it: `ekiben static build {name}`")
            }
            Self::Pure(_) => "it needs no static wheel: programs take it as it is".to_owned(),
            _ => return None,
        })
    }

    /// For `map_err`; what was interrupted stays so.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            std::io::ErrorKind::Interrupted => Self::Interrupted,
            _ => Self::Io { action, path, source },
        }
    }

    pub(crate) fn unusable(path: impl Into<PathBuf>, message: &dyn std::fmt::Display) -> Self {
        Self::Unusable { path: path.into(), message: message.to_string() }
    }
}

/// Why none of these digests will do.
fn not_that(hashes: &[String]) -> String {
    match hashes {
        [] => "what its version is locked by names no source distribution".to_owned(),
        [one] => format!("its source distribution hasn't the SHA-256 {one}"),
        many => format!(
            "its source distribution has none of the {} SHA-256 that it may have",
            many.len()
        ),
    }
}

/// What is there, behind what isn't.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!("; there is {}", names.join(", ")),
    }
}
