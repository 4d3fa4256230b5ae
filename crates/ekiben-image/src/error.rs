//! What can be wrong with an image.

/// Why bytes aren't an image, or content can't become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes don't begin as an image does.
    #[error("this isn't a module image")]
    NotAnImage,
    /// Written by a later version of Ekiben.
    #[error("the module image has format {found}, and this program reads format {known}")]
    Version {
        /// The format's version.
        found: u32,
        /// The one that is understood.
        known: u32,
    },
    /// The bytes end too early.
    #[error("the module image is cut off: it should have {expected} bytes and has {found}")]
    CutOff {
        /// As the header says.
        expected: u64,
        /// As there are.
        found: u64,
    },
    /// A checksum doesn't fit.
    #[error("the module image is damaged: the checksum of its {0} is wrong")]
    Checksum(&'static str),
    /// Something points to where it can't, or isn't what it should be.
    #[error("the module image is damaged: {0}")]
    Damaged(&'static str),
    /// Two things of one name.
    #[error("`{0}` is in the module image twice")]
    Twice(String),
    /// A name that can't be in an image.
    #[error("`{0}` can't be a name in a module image: {1}")]
    Name(String, &'static str),
    /// More than the format can hold.
    #[error("the module image is too large: {0}")]
    TooLarge(&'static str),
}
