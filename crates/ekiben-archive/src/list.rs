//! The list of what an archive would hold: what `--list-files` prints.

use std::fmt;

use crate::{ArchivePath, ArchiveWriter, Error, Member, Origin, Sha256Digest, Written};

/// Collects a line for each file, and reads no more content than is needed to know its size.
///
/// It takes no hashes: it answers with a digest of zeros, which makes a RECORD of the right length,
/// since every digest has the same length. Nothing but that length is kept.
#[derive(Debug, Default)]
pub struct ListWriter {
    listed: Vec<Listed>,
}

impl ListWriter {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// The files in the order in which an archive holds them.
    pub fn finish(self) -> Vec<Listed> {
        self.listed
    }
}

impl ArchiveWriter for ListWriter {
    fn write(&mut self, member: &Member<'_>) -> Result<Written, Error> {
        let size = member.size()?;
        self.listed.push(Listed {
            path: member.path.clone(),
            size,
            mode: member.mode(),
            origin: member.origin.clone(),
        });
        Ok(Written { size, sha256: Sha256Digest([0; 32]) })
    }
}

/// A file in a list. `Display` is the line to print: path, size, mode and origin with tabs between
/// them (no path holds a tab).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it goes.
    pub path: ArchivePath,
    /// Length in bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Who claims it.
    pub origin: Origin,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{:04o}\t{}", self.path, self.size, self.mode, self.origin)
    }
}
