//! Writing zip files that depend on nothing but their content.
//!
//! Every field that tools fill in from the machine is fixed: made by Unix, the mode of a regular
//! file with 0644 or 0755, one timestamp, one compression level, no extra fields (Zip64 where a
//! member needs it), no comments.

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Writes a zip file into `W`. Dropped before it is finished, it leaves the output without a
/// directory, so that half a wheel isn't taken for a whole one.
pub struct ZipWriter<W: Write + Seek> {
    /// Before `zip`, because it has to be dropped first.
    abandon: AbandonOnDrop,
    zip: zip::ZipWriter<Output<W>>,
    timestamp: Timestamp,
}

impl<W: Write + Seek> ZipWriter<W> {
    /// A zip file all of whose members carry `timestamp`.
    pub fn new(output: W, timestamp: Timestamp) -> Self {
        let abandoned = Arc::new(AtomicBool::new(false));
        let output = Output { inner: output, position: 0, abandoned: Arc::clone(&abandoned) };
        Self { abandon: AbandonOnDrop(abandoned), zip: zip::ZipWriter::new(output), timestamp }
    }

    /// Writes the directory and gives the output back.
    pub fn finish(self) -> Result<W, Error> {
        let Self { abandon: _abandon, zip, .. } = self;
        zip.finish().map(|output| output.inner).map_err(|error| Error::Finish(error.into()))
    }
}

/// The output, until something fails; from then on, nothing, with a position that moves all the
/// same. For the `zip` crate would still finish the archive when it is dropped, or complain on
/// stderr that it can't.
struct Output<W> {
    inner: W,
    position: u64,
    abandoned: Arc<AtomicBool>,
}

impl<W> Output<W> {
    fn unless_abandoned<T>(
        &mut self,
        otherwise: T,
        act: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.abandoned.load(Ordering::Relaxed) {
            return Ok(otherwise);
        }
        let result = act(&mut self.inner);
        if matches!(&result, Err(error) if error.kind() != io::ErrorKind::Interrupted) {
            self.abandoned.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.unless_abandoned(bytes.len(), |inner| inner.write(bytes))?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_abandoned((), Write::flush)
    }
}

impl<W: Seek> Seek for Output<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let pretended = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
            SeekFrom::End(_) => self.position,
        };
        self.position = self.unless_abandoned(pretended, |inner| inner.seek(to))?;
        Ok(self.position)
    }
}

struct AbandonOnDrop(Arc<AtomicBool>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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

    #[test]
    fn what_is_not_finished_is_not_an_archive() {
        let mut bytes = io::Cursor::new(Vec::new());
        let mut writer = ZipWriter::new(&mut bytes, Timestamp::default());
        let member = Member {
            path: &ArchivePath::new("a").unwrap(),
            content: &"spam".into(),
            executable: false,
            origin: &crate::Origin::new("a test"),
        };
        writer.write(&member).unwrap();
        drop(writer);
        assert!(!bytes.get_ref().is_empty());
        assert!(zip::ZipArchive::new(bytes).is_err());
    }
}
