//! What can go wrong while a program is made.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::Why;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder can't be used.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was to be done to it.
        action: &'static str,
        /// It.
        path: PathBuf,
        /// Why it can't.
        source: io::Error,
    },
    /// What is to be frozen isn't anything that could be.
    #[error("{0}")]
    Target(String),
    /// The program would replace something that is no program.
    #[error("the program can't be written: {} {why}", path.display())]
    Output {
        /// What is there.
        path: PathBuf,
        /// What it is.
        why: &'static str,
    },
    /// A package can't lie beside the program.
    #[error("{0}")]
    Beside(String),
    /// The modules of the program can't be found.
    #[error("{0}")]
    Unusable(String),
    /// The main module can't be compiled.
    #[error("{0}")]
    Syntax(String),
    /// The runtime's interpreter failed.
    #[error("{} failed while it looked for the program's modules:\n{said}", interpreter.display())]
    Finder {
        /// The interpreter.
        interpreter: PathBuf,
        /// What it said.
        said: String,
    },
    /// The program needs modules that are shared objects, and can't load them.
    #[error("{}", compiled(.0))]
    Compiled(Vec<Compiled>),
    /// A shared object can't be loaded by the program.
    #[error("{} can't be part of the program: {why}", path.display())]
    Shared {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A module can't be linked in, or not be.
    #[error("`{module}` of {owner} can't be part of the program: {why}")]
    NotLinked {
        /// The module.
        module: String,
        /// The distribution that it is from.
        owner: String,
        /// Why not.
        why: &'static str,
    },
    /// The program isn't all that it was to be, strictly.
    #[error("the program would be made otherwise than it was asked for, or lack something:{}", list(.0))]
    Strict(Vec<String>),
    /// A static wheel can't be used.
    #[error(transparent)]
    Static(#[from] ekiben_static::Error),
    /// There is no runtime where one was looked for.
    #[error("there is no runtime in {}: {why}", folder.display())]
    NoRuntime {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        why: String,
    },
    /// There is no interpreter of a version, or at a path.
    #[error(
        "`{wanted}` is neither an interpreter that can be run, nor a version of Python that is on PATH"
    )]
    NoInterpreter {
        /// What was asked for.
        wanted: String,
    },
    /// An interpreter can't be made a program.
    #[error("{} can't be made a program: {why}", path.display())]
    Host {
        /// Its executable.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The runtime can't be used, or linked anew.
    #[error(transparent)]
    Runtime(#[from] crate::runtime::Error),
    /// An image can't be read or written.
    #[error("{}: {source}", path.display())]
    Image {
        /// What holds the image, or was to hold it.
        path: PathBuf,
        /// What is wrong.
        source: ekiben_image::Error,
    },
    /// An executable can't be read or filled.
    #[error("{}: {source}", path.display())]
    Object {
        /// The executable.
        path: PathBuf,
        /// What is wrong.
        source: ekiben_object::Error,
    },
    /// A project can't be read, or is wrong.
    #[error(transparent)]
    Project(ekiben_project::ProjectError),
    /// A file of hints, a project or a lock file doesn't suit.
    #[error("{}: {message}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// There is neither uv nor a pip that is new enough.
    #[error(
        "neither uv nor a pip that runs in Python {python} is on PATH, one of which has to install \
         the dependencies"
    )]
    NoInstaller {
        /// The version.
        python: String,
    },
    /// uv or pip can't tell what is needed.
    #[error("{installer} can't resolve the dependencies:\n{said}")]
    Resolver {
        /// Its name.
        installer: String,
        /// What it said.
        said: String,
    },
    /// uv or pip failed.
    #[error("{installer} can't install the dependencies:\n{said}")]
    Installer {
        /// Its name.
        installer: String,
        /// What it said.
        said: String,
    },
}

/// A module of a program that is a shared object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Its name, and why the program has it.
    pub why: Why,
    /// The distribution that it is from, if one says so.
    pub distribution: Option<String>,
    /// What the program stops without.
    pub need: Need,
}

/// What of a distribution a program stops without, at the latest in some function. What it imports in a
/// `try` it can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// Other modules of the distribution.
    Distribution,
    /// The module.
    Module,
}

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.as_ref().to_owned(), source }
    }

    /// A stable identifier in kebab case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Target(_) => "freeze-target",
            Self::Output { .. } => "freeze-output",
            Self::Beside(_) => "beside",
            Self::Unusable(_) => "freeze-modules",
            Self::Syntax(_) => "syntax-error",
            Self::Finder { .. } => "freeze-finder",
            Self::Compiled(_) => "compiled-modules",
            Self::Shared { .. } => "shared-object",
            Self::NotLinked { .. } => "not-linked",
            Self::Strict(_) => "strict",
            Self::Static(_) => "static-wheel",
            Self::NoRuntime { .. } => "no-runtime",
            Self::NoInterpreter { .. } => "no-interpreter",
            Self::Host { .. } => "host",
            Self::Runtime(error) => error.code(),
            Self::Image { .. } => "image",
            Self::Object { .. } => "executable",
            Self::Project(_) | Self::Text { .. } => "freeze-input",
            Self::NoInstaller { .. } => "no-installer",
            Self::Resolver { .. } | Self::Installer { .. } => "dependencies",
        }
    }

    /// What to do about it, where that can be said.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Target(_) => {
                "name a script (hello.py), a module or package (http.server), an entry point \
                 (package.module:function) or the folder of a project"
            }
            Self::Output { .. } => "give the program another name by -o",
            Self::Beside(_) => {
                "--beside names packages that the program imports; they come to lie in the folder \
                 PROGRAM.lib, which is replaced if Ekiben made it"
            }
            Self::Compiled(_) => {
                "have them linked in: name their static wheels, which `ekiben static build` makes, by \
                 --static-wheels; or make it by --flavour dynamic, which can load them, or leave out by \
                 --exclude MODULE what the program can do without"
            }
            Self::NotLinked { .. } => {
                "name a folder with its ordinary wheel first, or have it linked in, in a program of \
                 the flavour `static` or `dynamic`"
            }
            Self::Strict(_) => "name static wheels by --static-wheels, or leave out --strict",
            Self::NoRuntime { .. } => "make one by `ekiben runtime build`",
            Self::NoInterpreter { .. } | Self::Host { .. } => {
                "name a version, or the path of another interpreter, by --python, or make a runtime by \
                 `ekiben runtime build`"
            }
            Self::NoInstaller { .. } => {
                "install uv, or pip: 22.3 or later, and 23.1.2 or later for Python 3.12 and later; or \
                 name a folder of installed packages by --site"
            }
            Self::Unusable(_) => {
                "modules are looked for beside a script, and where --site or --requirements say"
            }
            _ => return None,
        })
    }
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

fn compiled(modules: &[Compiled]) -> String {
    let mut text = String::from("a static program can't load compiled modules, and it needs:");
    for Compiled { why, distribution, .. } in modules {
        let _ = write!(text, "\n  {}", why.name);
        if let Some(distribution) = distribution {
            let _ = write!(text, " of {distribution}");
        }
        let _ = write!(text, ", {}", why.text());
    }
    text
}
