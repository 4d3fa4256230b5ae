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
    /// It is linked, so that its symbols can't be changed any more.
    #[error("it is linked already")]
    Linked,
    /// It doesn't define that symbol.
    #[error("it doesn't define `{0}`")]
    NoSymbol(String),
    /// A common block without a place can't be made local.
    #[error("its common block `{0}` has no place yet")]
    Common(String),
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
