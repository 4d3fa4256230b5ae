//! Unpacking source distributions without trusting them.
//!
//! Only what the format needs is let through: regular files below one top folder. Links, devices,
//! paths that leave the folder, a file twice: the whole archive is refused at that member, and the
//! caller should drop what was unpacked of it.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use crate::{ArchivePath, ArchiveWriter, Content, Entry, Error, FileSet, Member, Origin};

/// How much a sdist may unpack to, since a small archive can hold a great many zeros.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Number of members.
    pub members: usize,
    /// Bytes of the tar file, uncompressed.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { members: 1_000_000, bytes: 4 << 30 }
    }
}

/// A file of a sdist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdistMember {
    /// Its path, which starts with the top folder.
    pub path: ArchivePath,
    /// Length in bytes.
    pub size: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// Calls `visit` with each file in the order of the archive, and gives the name of the top folder.
pub fn read_sdist<R: Read>(
    input: R,
    limits: Limits,
    mut visit: impl FnMut(&SdistMember, &mut dyn Read) -> Result<(), Error>,
) -> Result<String, Error> {
    let exhausted = Rc::new(Cell::new(false));
    let limited = Limited {
        inner: MultiGzDecoder::new(input),
        left: limits.bytes,
        exhausted: Rc::clone(&exhausted),
    };
    let broken = |error: io::Error| {
        if exhausted.get() {
            malformed(format!("it unpacks to more than {} bytes", limits.bytes))
        } else {
            malformed(error)
        }
    };
    let mut archive = tar::Archive::new(limited);
    let mut top: Option<String> = None;
    // Conflicts are the same as for files to be written, so the same set finds them.
    let mut seen = FileSet::new();
    for (index, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        if index >= limits.members {
            return Err(malformed(format!("it has more than {} members", limits.members)));
        }
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| malformed("a member's name isn't valid UTF-8"))?;
        let refuse = |problem: String| Error::UnsafeMember {
            archive: "sdist",
            member: name.clone(),
            problem,
        };
        let kind = entry.header().entry_type();
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            EntryType::XGlobalHeader => continue,
            EntryType::Symlink | EntryType::Link => return Err(refuse("it is a link".into())),
            _ => return Err(refuse("it is neither a file nor a folder".into())),
        }
        let path = ArchivePath::new(name.trim_start_matches("./").trim_end_matches('/'))
            .map_err(|error| refuse(error.reason()))?;
        let folder = path.parts().next().unwrap_or_default();
        match &top {
            None => top = Some(folder.to_owned()),
            Some(top) if top == folder => {}
            Some(top) => return Err(refuse(format!("it isn't in the folder `{top}`"))),
        }
        if kind == EntryType::Directory {
            continue;
        }
        if path.folders().next().is_none() {
            return Err(refuse("it isn't in a folder".into()));
        }
        let origin = Origin::new(format!("member {}", index + 1));
        seen.add(Entry::new(path.clone(), "", origin))
            .map_err(|error| refuse(error.to_string()))?;
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let member = SdistMember { path, size: entry.size(), executable };
        visit(&member, &mut entry).map_err(|error| match error {
            Error::Read { source, .. } if exhausted.get() => broken(source),
            error => error,
        })?;
    }
    top.ok_or_else(|| malformed("it is empty"))
}

/// Unpacks a sdist through `writer`, usually a folder, and gives the name of its top folder.
///
/// Each file is held in memory while it is written.
pub fn unpack_sdist<R: Read>(
    input: R,
    limits: Limits,
    writer: &mut dyn ArchiveWriter,
) -> Result<String, Error> {
    let origin = Origin::new("the sdist");
    read_sdist(input, limits, |member, content| {
        let read_error =
            |source| Error::Read { path: member.path.clone(), origin: origin.clone(), source };
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(read_error)?;
        if bytes.len() as u64 != member.size {
            return Err(malformed(format!("it ends inside `{}`", member.path)));
        }
        writer.write(&Member {
            path: &member.path,
            content: &Content::from(bytes),
            executable: member.executable,
            origin: &origin,
        })?;
        Ok(())
    })
}

/// Fails where more than `left` bytes come, and says so in `exhausted`.
struct Limited<R> {
    inner: R,
    left: u64,
    exhausted: Rc<Cell<bool>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => {
                self.exhausted.set(true);
                Err(io::Error::other("too large"))
            }
        }
    }
}

fn malformed(problem: impl std::fmt::Display) -> Error {
    Error::Malformed { archive: "sdist", problem: problem.to_string() }
}
