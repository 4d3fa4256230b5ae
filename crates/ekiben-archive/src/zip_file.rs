//! Writing zip files that depend on nothing but their content.
//!
//! Every field that tools fill in from the machine is fixed: made by Unix, the mode of a regular
//! file with 0644 or 0755, one timestamp, one compression level, no extra fields (Zip64 where a
//! member needs it), no comments.

use std::io::{Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, System};

use crate::{ArchivePath, ArchiveWriter, Error, Member, Timestamp, Written};

/// zlib's default: beyond it, three times the work saves two percent on shared objects.
pub(crate) const LEVEL: u32 = 6;

/// Below this many bytes, deflate's own overhead eats what it saves.
const TINY: u64 = 64;

/// From here on a member gets Zip64 sizes. A little less than 4 GiB, since what can't be compressed
/// grows.
const LARGE: u64 = 0xF000_0000;

/// Suffixes of formats that are compressed already.
const COMPRESSED: [&str; 27] = [
    "7z", "avif", "br", "bz2", "egg", "flac", "gif", "gz", "jar", "jpeg", "jpg", "lz4", "lzma",
    "mkv", "mp3", "mp4", "npz", "ogg", "png", "webm", "webp", "whl", "woff", "woff2", "xz", "zip",
    "zst",
];

/// Writes a zip file into `W`.
pub struct ZipWriter<W: Write + Seek> {
    zip: zip::ZipWriter<W>,
    timestamp: Timestamp,
}

impl<W: Write + Seek> ZipWriter<W> {
    /// A zip file all of whose members carry `timestamp`.
    pub fn new(output: W, timestamp: Timestamp) -> Self {
        Self { zip: zip::ZipWriter::new(output), timestamp }
    }

    /// Writes the directory and gives the output back.
    pub fn finish(self) -> Result<W, Error> {
        self.zip.finish().map_err(|error| Error::Finish(error.into()))
    }
}

impl<W: Write + Seek> ArchiveWriter for ZipWriter<W> {
    fn write(&mut self, member: &Member<'_>) -> Result<Written, Error> {
        let size = member.size()?;
        let options = SimpleFileOptions::default()
            .system(System::Unix)
            .unix_permissions(member.mode())
            .last_modified_time(self.timestamp.to_zip())
            .large_file(size >= LARGE);
        let options = if is_stored(member.path, size) {
            options.compression_method(CompressionMethod::Stored)
        } else {
            options
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(i64::from(LEVEL)))
        };
        self.zip
            .start_file(member.path.as_str(), options)
            .map_err(|error| Error::Write { path: member.path.clone(), source: error.into() })?;
        let written = member.copy_to(&mut self.zip)?;
        if written.size != size {
            return Err(member.changed(format!("it had {size} bytes, now it has {}", written.size)));
        }
        Ok(written)
    }
}

/// Whether a member isn't worth compressing. Decided by name and size, which are known before the
/// content and the same everywhere.
fn is_stored(path: &ArchivePath, size: u64) -> bool {
    size < TINY
        || path.file_name().rsplit_once('.').is_some_and(|(_, suffix)| {
            COMPRESSED.binary_search(&suffix.to_ascii_lowercase().as_str()).is_ok()
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_compressed_already_is_stored() {
        assert!(COMPRESSED.is_sorted(), "searched by halves");
        let stored = |path: &str, size| is_stored(&ArchivePath::new(path).unwrap(), size);
        assert!(stored("a/logo.PNG", 10_000));
        assert!(stored("a/__init__.py", 10));
        assert!(!stored("a/module.py", 64));
        assert!(!stored("png", 10_000));
    }
}
