//! What each subcommand does.

pub(crate) mod build;
pub(crate) mod clean;
pub(crate) mod config;
mod ending;
pub(crate) mod freeze;
pub(crate) mod graph;
pub(crate) mod inspect;
mod lock;
pub(crate) mod migrate;
pub(crate) mod new;
pub(crate) mod pep517;
pub(crate) mod plugin;
pub(crate) mod runtime;
pub(crate) mod static_wheels;
mod stopped;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As it should.
    Done,
    /// The build failed.
    Failed,
    /// What was asked for or the project is wrong, or the machine can't do it.
    Refused,
    /// A signal stopped it.
    Interrupted,
}

impl End {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Refused => 2,
            Self::Interrupted => 130,
        }
    }
}
