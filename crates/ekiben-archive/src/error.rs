//! What can go wrong with an archive.

use std::io;

use crate::{ArchivePath, Entry, Origin};

/// An error of this crate. `Display` says what is wrong and where; [`Error::hint`] says what to do
/// about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Text that isn't an [`ArchivePath`].
    #[error("`{}` can't be a path inside an archive: {problem}", path.escape_debug())]
    InvalidPath {
        /// The text.
        path: String,
        /// The rule it breaks.
        problem: &'static str,
    },
    /// Two sources have a file for one path.
    #[error("`{path}` is claimed twice: by {first} and by {second}")]
    ClaimedTwice {
        /// The path.
        path: ArchivePath,
        /// Who came first.
        first: Origin,
        /// Who came second.
        second: Origin,
    },
    /// Two paths that some file systems can't tell apart.
    #[error("`{first}` ({first_origin}) and `{second}` ({second_origin}) differ only in case")]
    CaseCollision {
        /// The path that came first.
        first: ArchivePath,
        /// Who claims it.
        first_origin: Origin,
        /// The path that came second.
        second: ArchivePath,
        /// Who claims it.
        second_origin: Origin,
    },
    /// A path is a file for one source and a folder for another.
    #[error(
        "`{file}` ({file_origin}) is a file, but `{inside}` ({inside_origin}) needs a folder of that name"
    )]
    FileIsFolder {
        /// The file.
        file: ArchivePath,
        /// Who claims it.
        file_origin: Origin,
        /// The path below it.
        inside: ArchivePath,
        /// Who claims that.
        inside_origin: Origin,
    },
    /// A file that the format demands isn't in the set.
    #[error("the {archive} has no `{path}`")]
    MissingFile {
        /// "wheel" or "sdist".
        archive: &'static str,
        /// The file.
        path: ArchivePath,
    },
    /// A file that only the writer itself makes.
    #[error("`{path}` is claimed by {origin}, but it is made when the wheel is written")]
    ReservedFile {
        /// The file.
        path: ArchivePath,
        /// Who claims it.
        origin: Origin,
    },
    /// Text that isn't a distribution's name.
    #[error("`{}` isn't a valid distribution name", .0.escape_debug())]
    InvalidName(String),
    /// Text that can't be the version in a file name.
    #[error("`{}` can't be the version in an archive's name", .0.escape_debug())]
    InvalidVersion(String),
    /// Text that isn't a build tag.
    #[error("`{}` isn't a valid build tag", .0.escape_debug())]
    InvalidBuildTag(String),
    /// Text that isn't a compatibility tag.
    #[error("`{}` isn't a valid compatibility tag", .0.escape_debug())]
    InvalidTag(String),
    /// Tags that one file name can't express.
    #[error("one wheel's name can't hold exactly the tags {}: it would also promise {}", tags.join(", "), extra.join(", "))]
    TagsNotAProduct {
        /// The tags that were asked for.
        tags: Vec<String>,
        /// The tags that the name would mean beside them.
        extra: Vec<String>,
    },
    /// `SOURCE_DATE_EPOCH` isn't a number.
    #[error("SOURCE_DATE_EPOCH is `{}`, which isn't a number of seconds", .0.escape_debug())]
    InvalidTimestamp(String),
    /// The content of a file couldn't be read.
    #[error("can't read `{path}` ({origin})")]
    Read {
        /// Where it goes in the archive.
        path: ArchivePath,
        /// Who claims it.
        origin: Origin,
        /// Why.
        source: io::Error,
    },
    /// The content of a file isn't what was announced.
    #[error("`{path}` ({origin}) changed while it was written: {change}")]
    Changed {
        /// Where it goes in the archive.
        path: ArchivePath,
        /// Who claims it.
        origin: Origin,
        /// What was expected and what came.
        change: String,
    },
    /// A file couldn't be written into the archive.
    #[error("can't write `{path}`")]
    Write {
        /// The file.
        path: ArchivePath,
        /// Why.
        source: io::Error,
    },
    /// The archive couldn't be completed.
    #[error("can't finish the archive")]
    Finish(#[source] io::Error),
    /// The bytes aren't an archive of this kind, or are damaged.
    #[error("not a readable {archive}: {problem}")]
    Malformed {
        /// "wheel" or "sdist".
        archive: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A member that must not be unpacked.
    #[error("the {archive} holds `{}`, which is refused: {problem}", member.escape_debug())]
    UnsafeMember {
        /// "wheel" or "sdist".
        archive: &'static str,
        /// The member's name.
        member: String,
        /// Why.
        problem: String,
    },
    /// A file was asked for that the archive doesn't hold.
    #[error("the wheel holds no `{0}`")]
    NoSuchMember(ArchivePath),
}

impl Error {
    /// What the user can do, where that isn't plain from the message.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::ClaimedTwice { .. } => {
                "leave the file out of one of the two, or give one of them another path"
            }
            Self::CaseCollision { .. } => {
                "on Windows and macOS one would replace the other: rename one of them"
            }
            Self::FileIsFolder { .. } => "rename the file or the folder",
            Self::ReservedFile { .. } => "leave the file out",
            Self::InvalidName(_) => {
                "a name has ASCII letters and digits, and `.`, `-` and `_` between them (core metadata, Name)"
            }
            Self::InvalidVersion(_) => {
                "write the version as PEP 440 normalises it, such as `1.2.0`"
            }
            Self::InvalidBuildTag(_) => {
                "a build tag starts with a digit and has letters, digits, `_` and `.` only"
            }
            Self::InvalidTag(_) => {
                "a tag is `python-abi-platform`, such as `cp313-cp313-linux_x86_64`"
            }
            Self::TagsNotAProduct { .. } => "build one wheel for each",
            Self::InvalidTimestamp(_) => {
                "unset it, or set it to the output of `git log -1 --format=%ct`"
            }
            Self::Changed { .. } => "don't change files during a build; run it again",
            Self::UnsafeMember { .. } => {
                "don't install it; if you made it, make it again with `ekiben build`"
            }
            _ => return None,
        })
    }

    /// The message without what a caller names already.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::InvalidPath { problem, .. } => (*problem).to_owned(),
            error => error.to_string(),
        }
    }

    pub(crate) fn file_is_folder(file: &Entry, inside: &Entry) -> Self {
        Self::FileIsFolder {
            file: file.path.clone(),
            file_origin: file.origin.clone(),
            inside: inside.path.clone(),
            inside_origin: inside.origin.clone(),
        }
    }
}
