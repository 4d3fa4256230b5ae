//! What can go wrong while a runtime is made, checked or looked for.

use std::io;
use std::path::{Path, PathBuf};

use super::manifest::LeftOut;
use super::relink::{Complaint, NoArchive, shown};

/// Who can mend an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Whoever asked.
    Input,
    /// The machine.
    Environment,
    /// Ekiben.
    Internal,
    /// Nobody needs to: it was asked to stop.
    Interrupted,
}

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
    /// A program isn't there.
    #[error("`{program}` can't be started: {source}")]
    Program {
        /// Its name.
        program: String,
        /// Why it can't.
        source: io::Error,
        /// What to do.
        help: String,
    },
    /// A source isn't what it was said to be.
    #[error("{place} has the SHA-256 {found}, not {expected}")]
    Sha256 {
        /// Where it was found.
        place: String,
        /// What was said.
        expected: String,
        /// What it is.
        found: String,
    },
    /// What was asked for makes no sense.
    #[error("{message}")]
    Input {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// The distribution's source can't be had.
    #[error("{message}")]
    Distribution {
        /// What is wrong.
        message: String,
    },
    /// An archive can't be unpacked.
    #[error("{}: {message}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Modules can't be built, and none may be left out.
    #[error("{}", left_out_message(.0))]
    LeftOut(Vec<LeftOut>),
    /// A program failed.
    #[error("{what} failed{}", tail_message(.tail))]
    Step {
        /// What it was to do.
        what: String,
        /// The last lines it printed.
        tail: String,
        /// The file with all it printed.
        log: PathBuf,
    },
    /// Libraries that modules need have no archives.
    #[error("these libraries can't be linked in, for their archives aren't there:{}", lines(.0))]
    NoArchives(Vec<NoArchive>),
    /// What is to be linked doesn't fit together.
    #[error("an interpreter with these modules can't be linked:{}", shown(.complaints))]
    Link {
        /// What the linker complains about.
        complaints: Vec<Complaint>,
        /// The file with all it printed.
        log: PathBuf,
    },
    /// It was asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// There is no such runtime.
    #[error("there is no runtime{}", name.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default())]
    NoSuchRuntime {
        /// What was asked for; any, if nothing was.
        name: Option<String>,
        /// Those that are there.
        there: Vec<String>,
    },
    /// A runtime isn't as it was made.
    #[error("the runtime in {} is damaged: {message}", folder.display())]
    Damaged {
        /// Its folder.
        folder: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// What was made isn't as it must be.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// With what to do if it is that a program isn't there.
    pub(super) fn if_missing(self, help: &str) -> Self {
        match self {
            Self::Program { program, source, .. } => {
                Self::Program { program, source, help: help.to_owned() }
            }
            other => other,
        }
    }

    /// Whether the machine lacks something, rather than that we are to stop or are wrong.
    pub(super) fn is_of_machine(&self) -> bool {
        self.cause() == Cause::Environment
    }

    /// A stable identifier in kebab case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "runtime-io",
            Self::Program { .. } => "missing-program",
            Self::Sha256 { .. } => "wrong-sha256",
            Self::Input { .. } => "runtime-request",
            Self::Distribution { .. } => "no-distribution-source",
            Self::Archive { .. } => "bad-source-archive",
            Self::LeftOut(_) => "missing-libraries",
            Self::Step { .. } => "runtime-step",
            Self::NoArchives(_) => "no-archives",
            Self::Link { .. } => "link",
            Self::Interrupted => "interrupted",
            Self::NoSuchRuntime { .. } => "no-such-runtime",
            Self::Damaged { .. } => "damaged-runtime",
            Self::Internal(_) => "runtime-internal",
        }
    }

    /// Who can mend it.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::Input { .. } | Self::Sha256 { .. } | Self::NoSuchRuntime { .. } => Cause::Input,
            Self::Archive { .. } | Self::Link { .. } => Cause::Input,
            Self::Io { .. }
            | Self::Program { .. }
            | Self::Distribution { .. }
            | Self::LeftOut(_)
            | Self::NoArchives(_)
            | Self::Step { .. }
            | Self::Damaged { .. } => Cause::Environment,
            Self::Interrupted => Cause::Interrupted,
            Self::Internal(_) => Cause::Internal,
        }
    }

    /// What to do, a sentence an entry.
    #[must_use]
    pub fn help(&self) -> Vec<String> {
        match self {
            Self::Program { help, .. } | Self::Input { help, .. } => vec![help.clone()],
            Self::Sha256 { .. } => {
                vec!["check where it comes from; it may be cut off or another release".to_owned()]
            }
            Self::Distribution { .. } => vec![
                "give CPython's source with --source PATH-OR-URL and --sha256 HEX instead"
                    .to_owned(),
            ],
            Self::LeftOut(modules) => {
                let mut help: Vec<String> = install_help(modules).into_iter().collect();
                help.push("without --strict they are left out".to_owned());
                help
            }
            Self::NoArchives(_) => vec![
                "install them, or have the packages loaded from memory, by `--link NAME=memory`"
                    .to_owned(),
            ],
            Self::Link { log, .. } => vec![
                "have one of the packages loaded from memory, by `--link NAME=memory`".to_owned(),
                format!("all that was printed is in {}", log.display()),
            ],
            Self::Step { log, .. } => vec![format!("all that was printed is in {}", log.display())],
            Self::NoSuchRuntime { there, .. } if there.is_empty() => {
                vec![
                    "there is none yet: make one with `ekiben runtime build --python 3.13`"
                        .to_owned(),
                ]
            }
            Self::NoSuchRuntime { there, .. } => {
                vec![format!("those that are there: {}", there.join(", "))]
            }
            Self::Damaged { folder, .. } => {
                vec![format!("remove {} and build it again", folder.display())]
            }
            Self::Internal(_) => vec!["please report it, with the source that was used".to_owned()],
            Self::Io { .. } | Self::Archive { .. } | Self::Interrupted => Vec::new(),
        }
    }
}

/// What to install so that these modules can be built, if anything helps.
pub(super) fn install_help(modules: &[LeftOut]) -> Option<String> {
    let mut packages: Vec<&str> =
        modules.iter().flat_map(|module| &module.packages).map(String::as_str).collect();
    packages.sort_unstable();
    packages.dedup();
    let packages = packages.join(" ");
    (!packages.is_empty()).then(|| format!("on Debian and its kin: apt-get install {packages}"))
}

fn lines(all: &[NoArchive]) -> String {
    all.iter().map(|one| format!("\n  {one}")).collect()
}

fn left_out_message(modules: &[LeftOut]) -> String {
    let reasons = modules.iter().map(|module| format!("`{}`: {}", module.name, module.reason));
    let reasons: Vec<String> = reasons.collect();
    format!("the standard library would be incomplete: {}", reasons.join("; "))
}

fn tail_message(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!(":\n{tail}") }
}
