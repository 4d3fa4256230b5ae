//! Every error the engine's interface gives. The failure of an action isn't one of these but data in the report
//! ([`crate::Failure`]), except where a caller waits for just that action.

use std::io;
use std::path::PathBuf;

use crate::path::Location;

/// Why a request to the engine or its cache failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Two actions declare the same output.
    #[error("two actions make {path}: {first} and {second}")]
    TwoProducers {
        /// The output.
        path: Location,
        /// Owner and mnemonic of the first.
        first: String,
        /// Owner and mnemonic of the second.
        second: String,
    },
    /// An action needs a file that it makes itself.
    #[error("{action} has {path} as both input and output")]
    InputIsOutput {
        /// Owner and mnemonic.
        action: String,
        /// The file.
        path: Location,
    },
    /// An output, or a file of dependencies, isn't under the build root.
    #[error("{action} would write {path}, which is outside the build folder")]
    OutsideBuild {
        /// Owner and mnemonic.
        action: String,
        /// The file.
        path: Location,
    },
    /// An action declares no output, so nothing can depend on it and it has no name from build to build.
    #[error("{action} declares no output")]
    NoOutput {
        /// Owner and mnemonic.
        action: String,
    },
    /// An action's worker would start with more arguments than there are.
    #[error("{action} starts its worker with {split} arguments, but has {arguments}")]
    WorkerSplit {
        /// Owner and mnemonic.
        action: String,
        /// How many are to start the worker.
        split: usize,
        /// How many there are.
        arguments: usize,
    },
    /// A file that no action makes was asked for.
    #[error("{path} doesn't exist, and no action makes it")]
    NoProducer {
        /// The file.
        path: Location,
    },
    /// An artifact couldn't be built.
    #[error("{path} wasn't built: {why}")]
    NotBuilt {
        /// The file.
        path: Location,
        /// What went wrong, in a line.
        why: String,
    },
    /// The build was interrupted.
    #[error("interrupted")]
    Interrupted,
    /// Something was submitted or waited for after the end.
    #[error("the build has already finished")]
    Finished,
    /// A file couldn't be read or written.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `create`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The machine refused a thread, a pipe or a signal handler.
    #[error("can't set up the build: {0}")]
    Setup(#[source] io::Error),
}

impl EngineError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.into(), source }
    }

    /// What a person can do about it, where that isn't plain from the message.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::TwoProducers { .. } => Some(
                "give one of them another output, or remove the source that is listed twice".into(),
            ),
            Self::NoProducer { path: Location::Source(path) } => Some(format!(
                "check the spelling of {path}, and that the source distribution has it"
            )),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or move the cache or build folder".into())
            }
            _ => None,
        }
    }
}
