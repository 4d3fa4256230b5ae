//! One file that shall be in the archive, and who says so.

use std::fmt;
use std::sync::Arc;

use crate::{ArchivePath, Content};

/// Who claims a file, in words that fit into "claimed by …" and into the list: `package data
/// src/spam/x.txt`, ``command `link` ``.
///
/// Two claims with equal origins are the same claim made twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// An origin described by `text`.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().into())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file of the archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it goes.
    pub path: ArchivePath,
    /// What is in it.
    pub content: Content,
    /// Whether it has mode 0755 rather than 0644; archives have no other modes.
    pub executable: bool,
    /// Who claims it.
    pub origin: Origin,
}

impl Entry {
    /// A file that isn't executable.
    pub fn new(path: ArchivePath, content: impl Into<Content>, origin: Origin) -> Self {
        Self { path, content: content.into(), executable: false, origin }
    }

    /// The same file, executable or not.
    #[must_use]
    pub fn executable(self, executable: bool) -> Self {
        Self { executable, ..self }
    }
}
