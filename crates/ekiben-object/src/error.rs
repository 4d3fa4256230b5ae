//! [`Error`]: why a file can't be read or changed.

/// Why a file can't be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It begins like none of the formats.
    #[error("it is neither ELF nor Mach-O nor PE")]
    UnknownFormat,
    /// It is an object file: what it takes is only known when it is linked.
    #[error("it isn't linked yet")]
    NotLinked,
    /// Something in it contradicts its format.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// What tells its symbols was stripped off.
    #[error("it has no {0}, which would tell its symbols")]
    Stripped(&'static str),
    /// It has no section of that name.
    #[error("it has no section `{0}`")]
    NoSection(String),
    /// The section can't get other content, and why.
    #[error("its section `{0}` can't be filled: {1}")]
    Unfillable(String, String),
}

impl From<object::read::Error> for Error {
    fn from(error: object::read::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
