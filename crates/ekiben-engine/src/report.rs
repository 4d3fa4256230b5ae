//! [`Report`]: how a build went, action by action.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::action::ActionId;
use crate::child::Usage;
use crate::digest::Digest;
use crate::path::Location;
use crate::reason::Reason;

/// How a build went as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything was built.
    Succeeded,
    /// Something failed.
    Failed,
    /// It was told to stop.
    Interrupted,
}

/// How a build went.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// As a whole.
    pub status: Status,
    /// Every action, in the order of submission.
    pub actions: Vec<ActionReport>,
}

/// How an action went.
#[derive(Debug, Clone, Serialize)]
pub struct ActionReport {
    /// Which.
    pub id: ActionId,
    /// The command that submitted it.
    pub owner: String,
    /// The kind of step.
    pub mnemonic: String,
    /// What it does.
    pub description: String,
    /// Its end.
    pub outcome: Outcome,
    /// Why it ran or didn't; none if it never came to that.
    pub reason: Option<Reason>,
    /// Its key, if it came to that.
    pub key: Option<Digest>,
    /// How long looking for its result took.
    pub lookup: Duration,
    /// How long it ran, with the preparation and keeping of files.
    pub run: Duration,
    /// What its process used; what a worker used for it, where the system tells.
    pub usage: Option<Usage>,
    /// The process id of the worker that did it, if one did.
    pub worker: Option<u32>,
    /// What it made.
    pub outputs: Vec<(Location, Digest)>,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Its result came from the cache.
    Cached,
    /// It ran, and did well.
    Ran,
    /// It failed.
    Failed(Failed),
    /// It didn't run, since another failed: one it depends on, or any if the build doesn't keep going.
    Skipped {
        /// The one that failed.
        because: ActionId,
    },
    /// It didn't run, or was stopped, because of an interrupt.
    Cancelled,
}

/// A failure with what a person needs to understand it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// What went wrong.
    pub failure: Failure,
    /// Everything the action printed.
    #[serde(serialize_with = "as_text")]
    pub output: Vec<u8>,
    /// A shell line that does the same.
    pub command_line: String,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "failure", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Failure {
    /// The process ended with a code other than 0.
    #[error("exit status {code}")]
    Exit {
        /// The code.
        code: i32,
    },
    /// A signal ended the process.
    #[error("killed by signal {signal}")]
    Signal {
        /// The signal's number.
        signal: i32,
    },
    /// The process couldn't be started.
    #[error("can't run {program}: {error}")]
    Spawn {
        /// The program.
        program: String,
        /// The system's error.
        error: String,
    },
    /// The action's worker didn't answer as it should.
    #[error("its worker {problem}")]
    Worker {
        /// What it did instead.
        problem: String,
    },
    /// A function returned an error.
    #[error("{message}")]
    Function {
        /// Its message.
        message: String,
        /// Its hint.
        hint: Option<String>,
    },
    /// It did well but didn't make everything it should have.
    #[error("{} was not created", list(.paths))]
    MissingOutput {
        /// What isn't there.
        paths: Vec<Location>,
    },
    /// A source or a file of the system isn't there.
    #[error("{path} can't be read: {error}")]
    MissingInput {
        /// The file.
        path: Location,
        /// The system's error.
        error: String,
    },
    /// An input that nothing makes.
    #[error("needs {}, which no action makes", list(.paths))]
    NoProducer {
        /// The files.
        paths: Vec<Location>,
    },
    /// It needs its own output, by way of others.
    #[error("needs its own output: {}", .actions.join(" → "))]
    Cycle {
        /// Descriptions around the cycle; the first is also the last.
        actions: Vec<String>,
    },
    /// Files couldn't be prepared or kept.
    #[error("can't {action} {path}: {error}")]
    Io {
        /// What was tried.
        action: String,
        /// The file.
        path: String,
        /// The system's error.
        error: String,
    },
}

impl Failure {
    pub(crate) fn io(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Io {
            action: action.to_owned(),
            path: path.display().to_string(),
            error: error.to_string(),
        }
    }

    /// What a person can do about it, where that isn't plain from the message and output.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Function { hint, .. } => hint.clone(),
            Self::Signal { signal: 9 } => {
                Some("the machine may be out of memory; try fewer jobs".to_owned())
            }
            Self::Worker { .. } => Some(
                "the action's command line does the same without a worker: if that works, the tool's \
                 worker is at fault"
                    .to_owned(),
            ),
            Self::Spawn { .. } => {
                Some("check that the tool is installed and executable".to_owned())
            }
            Self::NoProducer { .. } => Some(
                "check its spelling, or that the command which makes it isn't disabled".to_owned(),
            ),
            _ => None,
        }
    }
}

fn list(paths: &[Location]) -> String {
    paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn as_text<S: serde::Serializer>(output: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(output))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cached => f.write_str("cached"),
            Self::Ran => f.write_str("built"),
            Self::Failed(failed) => write!(f, "failed: {}", failed.failure),
            Self::Skipped { .. } => f.write_str("skipped, since another action failed"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl Report {
    /// The actions that failed, with their failures.
    pub fn failures(&self) -> impl Iterator<Item = (&ActionReport, &Failed)> {
        self.actions.iter().filter_map(|action| match &action.outcome {
            Outcome::Failed(failed) => Some((action, failed)),
            _ => None,
        })
    }

    /// How many actions ran to a good end.
    #[must_use]
    pub fn ran(&self) -> usize {
        self.actions.iter().filter(|action| action.outcome == Outcome::Ran).count()
    }

    /// How many actions came from the cache.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.actions.iter().filter(|action| action.outcome == Outcome::Cached).count()
    }
}
