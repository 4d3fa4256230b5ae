//! What can go wrong with an interpreter.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::{Implementation, PythonVersion, Version};

/// An error of this crate. `Display` says what is wrong and where; [`Error::hint`] says what to do
/// about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No interpreter was found.
    #[error("no Python interpreter found{}{}", Request(request.as_deref()), Attempts(tried))]
    NotFound {
        /// What was asked for.
        request: Option<String>,
        /// Where it was looked for, in that order.
        tried: Vec<Attempt>,
    },
    /// The interpreter can't be started.
    #[error("can't run `{}`", python.display())]
    CannotRun {
        /// The interpreter.
        python: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The interpreter failed when it was asked about itself.
    #[error("`{}` failed when it was asked about itself ({status}):\n{stderr}", python.display())]
    Failed {
        /// The interpreter.
        python: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        stderr: String,
    },
    /// The interpreter's answer isn't what it should be.
    #[error("`{}` gave an answer that can't be understood: {problem}", python.display())]
    BadAnswer {
        /// The interpreter.
        python: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A script that starts a script that starts a script…
    #[error("`{}` is a script that never leads to an interpreter", python.display())]
    EndlessShim {
        /// The script.
        python: PathBuf,
    },
    /// The interpreter is too old.
    #[error("`{}` is Python {version}, but Ekiben needs Python {oldest} or later", python.display())]
    TooOld {
        /// The interpreter.
        python: PathBuf,
        /// Its version.
        version: Version,
        /// The oldest supported one.
        oldest: PythonVersion,
    },
    /// The interpreter is neither CPython nor PyPy.
    #[error("`{}` is `{implementation}`, but Ekiben builds for CPython and PyPy only", python.display())]
    UnknownImplementation {
        /// The interpreter.
        python: PathBuf,
        /// `sys.implementation.name`.
        implementation: String,
    },
    /// `Python.h` isn't there.
    #[error("{implementation} {version} (`{}`) has no headers: there is no `{}`", python.display(), header.display())]
    MissingHeaders {
        /// The interpreter.
        python: PathBuf,
        /// Which Python it is.
        implementation: Implementation,
        /// Its version.
        version: PythonVersion,
        /// The header that was looked for.
        header: PathBuf,
    },
    /// The interpreter can't import modules of the limited API.
    #[error("{python} can't import modules built for the limited API")]
    NoLimitedApi {
        /// Which interpreter.
        python: String,
    },
    /// A version of the limited API that this interpreter doesn't have.
    #[error("the limited API of {asked} can't be built with {python}")]
    LimitedApiVersion {
        /// The version that was asked for.
        asked: PythonVersion,
        /// Which interpreter.
        python: String,
    },
    /// Text that isn't the dotted name of a module.
    #[error("`{}` isn't the name of a module", .0.escape_debug())]
    InvalidModuleName(String),
    /// Text that isn't a compatibility tag.
    #[error("`{}` isn't a compatibility tag", .0.escape_debug())]
    InvalidTag(String),
    /// Text that isn't a version such as `3.12`.
    #[error("`{}` isn't a Python version", .0.escape_debug())]
    InvalidVersion(String),
}

impl Error {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => {
                "activate a virtual environment, or name an interpreter: its path, `python3.12` or \
                 `3.12`"
                    .into()
            }
            Self::TooOld { oldest, .. } => {
                format!("name a newer interpreter, such as `python{oldest}`")
            }
            Self::MissingHeaders { implementation, version, .. } => {
                missing_headers(*implementation, *version)
            }
            Self::NoLimitedApi { .. } => {
                "build for this interpreter's own ABI: leave the limited API off".into()
            }
            Self::LimitedApiVersion { .. } => {
                "ask for a version from 3.2 up to that of the interpreter".into()
            }
            Self::InvalidTag(_) => {
                "a tag is `python-abi-platform`, such as `cp313-cp313-linux_x86_64`".into()
            }
            Self::InvalidModuleName(_) => {
                "write identifiers with dots between them, such as `spam._x`".into()
            }
            Self::InvalidVersion(_) => "write it as `3.12`".into(),
            Self::EndlessShim { .. } => "give the path of the interpreter itself".into(),
            _ => return None,
        })
    }
}

fn missing_headers(implementation: Implementation, version: PythonVersion) -> String {
    let PythonVersion { major, minor } = version;
    let (debian, fedora, alpine) = match implementation {
        Implementation::CPython => (
            format!("python{version}-dev"),
            format!("python3-devel` or `python{version}-devel"),
            "python3-dev".to_owned(),
        ),
        Implementation::PyPy => {
            ("pypy3-dev".to_owned(), format!("pypy{version}-devel"), "pypy-dev".to_owned())
        }
    };
    let suse = match implementation {
        Implementation::CPython => format!("python{major}{minor}-devel"),
        Implementation::PyPy => "pypy3-devel".to_owned(),
    };
    format!(
        "install the package that has them: `{debian}` (Debian, Ubuntu), `{fedora}` (Fedora, RHEL), \
         `{suse}` (openSUSE), `{alpine}` (Alpine); interpreters of pyenv, conda, uv and python.org \
         always have them"
    )
}

/// An interpreter that was considered and not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What was tried: `VIRTUAL_ENV`, ``  `python3.12` on PATH``.
    pub what: String,
    /// Why it wasn't taken.
    pub why_not: String,
}

struct Request<'a>(Option<&'a str>);

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |request| write!(f, " for `{request}`"))
    }
}

struct Attempts<'a>(&'a [Attempt]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|Attempt { what, why_not }| write!(f, "\n  {what}: {why_not}"))
    }
}
