//! What every kind of archive can do with a file, and the passing of content through a hash.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::{ArchivePath, Content, Error, Origin, Sha256Digest};

/// Something that takes files in the order in which they shall be: a zip or tar file, a folder, a
/// list.
pub trait ArchiveWriter {
    /// Writes one file. What it returns goes into RECORD.
    fn write(&mut self, member: &Member<'_>) -> Result<Written, Error>;
}

/// One file on its way into an archive; its path is the final one.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Where it goes.
    pub path: &'a ArchivePath,
    /// What is in it.
    pub content: &'a Content,
    /// Whether it has mode 0755 rather than 0644.
    pub executable: bool,
    /// Who claims it.
    pub origin: &'a Origin,
}

impl Member<'_> {
    /// The permission bits.
    pub fn mode(&self) -> u32 {
        if self.executable { 0o755 } else { 0o644 }
    }

    /// Length in bytes; reads the content if nobody said.
    pub fn size(&self) -> Result<u64, Error> {
        self.content.size().map_err(|source| self.read_error(source))
    }

    /// Sends the content to `output` and takes its hash on the way.
    ///
    /// Always in blocks of the same length, whatever pieces the source gives, because a compressor
    /// answers differently to different pieces. Fails when the content has not the size or hash
    /// that was announced.
    pub fn copy_to(&self, output: &mut dyn io::Write) -> Result<Written, Error> {
        let write_error = |source| Error::Write { path: self.path.clone(), source };
        let (size, sha256, announced) = match self.content {
            Content::Bytes(bytes) => {
                for block in bytes.chunks(BLOCK) {
                    output.write_all(block).map_err(write_error)?;
                }
                return Ok(Written { size: bytes.len() as u64, sha256: Sha256Digest::of(bytes) });
            }
            Content::Deferred { size, open, sha256 } => {
                let mut reader = open().map_err(|source| self.read_error(source))?;
                let mut hasher = Sha256::new();
                let mut total = 0;
                let mut block = vec![0; BLOCK];
                loop {
                    let filled =
                        fill(&mut *reader, &mut block).map_err(|source| self.read_error(source))?;
                    hasher.update(&block[..filled]);
                    output.write_all(&block[..filled]).map_err(write_error)?;
                    total += filled as u64;
                    if filled < block.len() {
                        break;
                    }
                }
                (total, Sha256Digest(hasher.finalize().into()), (*size, *sha256))
            }
        };
        if let Some(expected) = announced.0.filter(|expected| *expected != size) {
            return Err(self.changed(format!("it had {expected} bytes, now it has {size}")));
        }
        if let Some(expected) = announced.1.filter(|expected| *expected != sha256) {
            return Err(self.changed(format!("its SHA-256 was {expected}, now it is {sha256}")));
        }
        Ok(Written { size, sha256 })
    }

    fn read_error(&self, source: io::Error) -> Error {
        Error::Read { path: self.path.clone(), origin: self.origin.clone(), source }
    }

    pub(crate) fn changed(&self, change: String) -> Error {
        Error::Changed { path: self.path.clone(), origin: self.origin.clone(), change }
    }
}

/// What was written of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Length in bytes.
    pub size: u64,
    /// The hash of the content.
    pub sha256: Sha256Digest,
}

const BLOCK: usize = 128 * 1024;

/// Reads until `block` is full or the content ends.
fn fill(reader: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match reader.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn copy(content: &Content) -> Result<(Written, Vec<u8>), Error> {
        let path = ArchivePath::new("a.txt").unwrap();
        let origin = Origin::new("a test");
        let member = Member { path: &path, content, executable: false, origin: &origin };
        let mut output = Vec::new();
        member.copy_to(&mut output).map(|written| (written, output))
    }

    #[test]
    fn deferred_content_is_hashed_like_bytes() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|index| (index % 251) as u8).collect();
        let shared = bytes.clone();
        let deferred = Content::deferred(None, move || Ok(io::Cursor::new(shared.clone())));
        assert_eq!(copy(&deferred).unwrap(), copy(&Content::from(bytes)).unwrap());
    }

    #[test]
    fn content_that_is_not_what_was_announced_is_an_error() {
        let shorter = Content::deferred(Some(5), || Ok(io::Cursor::new("four")));
        assert_eq!(
            copy(&shorter).unwrap_err().to_string(),
            "`a.txt` (a test) changed while it was written: it had 5 bytes, now it has 4"
        );
        let Content::Deferred { open, .. } = shorter else { unreachable!() };
        let other =
            Content::Deferred { size: None, open, sha256: Some(Sha256Digest::of(b"other")) };
        assert!(copy(&other).unwrap_err().to_string().contains("its SHA-256 was d9298a10d1b07"));
    }

    #[test]
    fn an_unreadable_source_names_file_and_origin() {
        let missing = Content::deferred(None, || Err::<io::Empty, _>(io::Error::other("gone")));
        assert_eq!(copy(&missing).unwrap_err().to_string(), "can't read `a.txt` (a test)");
    }
}
