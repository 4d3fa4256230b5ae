//! Writing zip files that depend on nothing but their content.
//!
//! Every field that tools fill in from the machine is fixed: made by Unix, the mode of a regular
//! file with 0644 or 0755, one timestamp, one compression level, no extra fields (Zip64 where a
//! member needs it), no comments. Written by hand because the `zip` crate brings
//! JavaScript imports into WebAssembly, and finishes an archive even after an error.
//!
//! Names of fields are those of PKWARE's APPNOTE.TXT, 6.3.

use std::io::{self, Seek, SeekFrom, Write};

use flate2::Crc;

use crate::deflate::Deflate;
use crate::{ArchivePath, ArchiveWriter, Error, Member, Timestamp, Written};

/// zlib's default: beyond it, three times the work saves two percent on shared objects.
pub(crate) const LEVEL: u32 = 6;

/// Below this many bytes, deflate's own overhead eats what it saves.
const TINY: u64 = 64;

/// From here on a member gets Zip64 sizes. A little less than 4 GiB, since what can't be compressed
/// grows.
const LARGE: u64 = 0xF000_0000;

pub(crate) const LOCAL_HEADER: u32 = 0x0403_4b50;
pub(crate) const CENTRAL_HEADER: u32 = 0x0201_4b50;
pub(crate) const ZIP64_END: u32 = 0x0606_4b50;
pub(crate) const ZIP64_LOCATOR: u32 = 0x0706_4b50;
pub(crate) const END: u32 = 0x0605_4b50;

pub(crate) const STORED: u16 = 0;
pub(crate) const DEFLATED: u16 = 8;
/// Flag: the name is UTF-8. Not set where it makes no difference.
const UTF_8: u16 = 1 << 11;
/// Versions of the format that a reader must know: for deflate, and for Zip64.
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;
/// "Made by Unix", which makes readers look at the mode.
const UNIX: u16 = 3 << 8;
const REGULAR_FILE: u32 = 0o100_000;
pub(crate) const ZIP64_FIELD: u16 = 1;

/// Suffixes of formats that are compressed already.
const COMPRESSED: [&str; 27] = [
    "7z", "avif", "br", "bz2", "egg", "flac", "gif", "gz", "jar", "jpeg", "jpg", "lz4", "lzma",
    "mkv", "mp3", "mp4", "npz", "ogg", "png", "webm", "webp", "whl", "woff", "woff2", "xz", "zip",
    "zst",
];

/// Writes a zip file into `W`, starting where `W` stands. Dropped before it is finished, it leaves
/// the output without a directory, so that half a wheel isn't taken for a whole one.
pub struct ZipWriter<W: Write + Seek> {
    output: W,
    /// Bytes written so far.
    position: u64,
    timestamp: Timestamp,
    /// The central directory so far.
    directory: Vec<u8>,
    count: u64,
}

/// What the directory says of a member.
struct Record<'a> {
    path: &'a ArchivePath,
    mode: u32,
    method: u16,
    zip64: bool,
    offset: u64,
    checksum: u32,
    compressed: u64,
    size: u64,
}

impl Record<'_> {
    /// What a reader must know to read it.
    fn version(&self) -> u16 {
        if self.zip64 || self.offset >= LARGE { VERSION_ZIP64 } else { VERSION }
    }
}

impl<W: Write + Seek> ZipWriter<W> {
    /// A zip file all of whose members carry `timestamp`.
    pub fn new(output: W, timestamp: Timestamp) -> Self {
        Self { output, position: 0, timestamp, directory: Vec::new(), count: 0 }
    }

    /// Writes the directory and gives the output back, flushed.
    pub fn finish(mut self) -> Result<W, Error> {
        self.write_directory().map_err(Error::Finish)?;
        Ok(self.output)
    }

    fn write_directory(&mut self) -> io::Result<()> {
        let (start, length) = (self.position, self.directory.len() as u64);
        let mut end = std::mem::take(&mut self.directory);
        if self.count >= 0xFFFF || start >= LARGE || length >= LARGE {
            let zip64_end = start + length;
            end.put_u32(ZIP64_END);
            end.put_u64(44); // Length of the rest of this record.
            end.put_u16(UNIX | VERSION_ZIP64);
            end.put_u16(VERSION_ZIP64);
            end.put_u32(0); // Number of this disk,
            end.put_u32(0); // and of the one where the directory starts.
            end.put_u64(self.count);
            end.put_u64(self.count);
            end.put_u64(length);
            end.put_u64(start);
            end.put_u32(ZIP64_LOCATOR);
            end.put_u32(0);
            end.put_u64(zip64_end);
            end.put_u32(1);
        }
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        end.put_u32(END);
        end.put_u16(0);
        end.put_u16(0);
        end.put_u16(count);
        end.put_u16(count);
        end.put_u32(capped(length));
        end.put_u32(capped(start));
        end.put_u16(0);
        self.output.write_all(&end)?;
        self.output.flush()
    }

    /// The header in front of a member; checksum and sizes are zero until the member is written.
    fn local_header(&self, record: &Record<'_>) -> io::Result<Vec<u8>> {
        let mut header = Vec::new();
        header.put_u32(LOCAL_HEADER);
        self.put_common(&mut header, record);
        header.put_u16(name_length(record.path)?);
        header.put_u16(if record.zip64 { 20 } else { 0 });
        header.extend(record.path.as_str().bytes());
        if record.zip64 {
            header.put_u16(ZIP64_FIELD);
            header.put_u16(16);
            header.put_u64(record.size);
            header.put_u64(record.compressed);
        }
        Ok(header)
    }

    fn add_to_directory(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut zip64 = Vec::new();
        if record.zip64 {
            zip64.put_u64(record.size);
            zip64.put_u64(record.compressed);
        }
        if record.offset >= LARGE {
            zip64.put_u64(record.offset);
        }
        let mut header = Vec::new();
        header.put_u32(CENTRAL_HEADER);
        header.put_u16(UNIX | record.version());
        self.put_common(&mut header, record);
        header.put_u16(name_length(record.path)?);
        header.put_u16(if zip64.is_empty() { 0 } else { zip64.len() as u16 + 4 });
        header.put_u16(0); // Length of the comment.
        header.put_u16(0); // Number of the disk.
        header.put_u16(0); // Internal attributes.
        header.put_u32((REGULAR_FILE | record.mode) << 16);
        header.put_u32(capped(record.offset));
        header.extend(record.path.as_str().bytes());
        if !zip64.is_empty() {
            header.put_u16(ZIP64_FIELD);
            header.put_u16(zip64.len() as u16);
            header.extend(zip64);
        }
        self.directory.extend(header);
        self.count += 1;
        Ok(())
    }

    /// The fields that both headers have, up to the sizes.
    fn put_common(&self, header: &mut Vec<u8>, record: &Record<'_>) {
        let (date, time) = self.timestamp.to_dos();
        header.put_u16(record.version());
        header.put_u16(if record.path.as_str().is_ascii() { 0 } else { UTF_8 });
        header.put_u16(record.method);
        header.put_u16(time);
        header.put_u16(date);
        header.put_u32(record.checksum);
        let size = |size: u64| if record.zip64 { u32::MAX } else { capped(size) };
        header.put_u32(size(record.compressed));
        header.put_u32(size(record.size));
    }
}

impl<W: Write + Seek> ArchiveWriter for ZipWriter<W> {
    fn write(&mut self, member: &Member<'_>) -> Result<Written, Error> {
        let write_error = |source| Error::Write { path: member.path.clone(), source };
        let size = member.size()?;
        let stored = is_stored(member.path, size);
        let mut record = Record {
            path: member.path,
            mode: member.mode(),
            method: if stored { STORED } else { DEFLATED },
            zip64: size >= LARGE,
            offset: self.position,
            checksum: 0,
            compressed: 0,
            size: 0,
        };
        let header = self.local_header(&record).map_err(write_error)?;
        self.output.write_all(&header).map_err(write_error)?;

        let counted = Counted { inner: &mut self.output, count: 0 };
        let (written, checksum, compressed) = if stored {
            let mut data = Checked { inner: counted, crc: Crc::new() };
            let written = member.copy_to(&mut data)?;
            (written, data.crc.sum(), data.inner.count)
        } else {
            let encoder = Deflate::new(counted, LEVEL);
            let mut data = Checked { inner: encoder, crc: Crc::new() };
            let written = member.copy_to(&mut data)?;
            let counted = data.inner.finish().map_err(write_error)?;
            (written, data.crc.sum(), counted.count)
        };
        if written.size != size {
            return Err(member.changed(format!("it had {size} bytes, now it has {}", written.size)));
        }
        (record.checksum, record.compressed, record.size) = (checksum, compressed, size);

        // Now that they are known, the fields are written again, by writing the whole header.
        let header = self.local_header(&record).map_err(write_error)?;
        let back = header.len() as u64 + compressed;
        self.rewrite(&header, back).map_err(write_error)?;
        self.position += back;
        self.add_to_directory(&record).map_err(write_error)?;
        Ok(written)
    }
}

impl<W: Write + Seek> ZipWriter<W> {
    /// Writes `header` again, `back` bytes before the end of the output.
    fn rewrite(&mut self, header: &[u8], back: u64) -> io::Result<()> {
        let back = i64::try_from(back).map_err(io::Error::other)?;
        self.output.seek(SeekFrom::Current(-back))?;
        self.output.write_all(header)?;
        self.output.seek(SeekFrom::Current(back - header.len() as i64))?;
        Ok(())
    }
}

/// Little-endian numbers.
trait Put {
    fn put_u16(&mut self, number: u16);
    fn put_u32(&mut self, number: u32);
    fn put_u64(&mut self, number: u64);
}

impl Put for Vec<u8> {
    fn put_u16(&mut self, number: u16) {
        self.extend(number.to_le_bytes());
    }

    fn put_u32(&mut self, number: u32) {
        self.extend(number.to_le_bytes());
    }

    fn put_u64(&mut self, number: u64) {
        self.extend(number.to_le_bytes());
    }
}

/// What a 32-bit field says of a number that Zip64 may have instead.
fn capped(number: u64) -> u32 {
    if number >= LARGE { u32::MAX } else { number as u32 }
}

fn name_length(path: &ArchivePath) -> io::Result<u16> {
    u16::try_from(path.as_str().len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidFilename, "its path is too long"))
}

/// Counts what passes.
struct Counted<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Takes the checksum of what passes.
struct Checked<W> {
    inner: W,
    crc: Crc,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
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

    /// As if 5 GiB had been written before; whole files of that size are too slow for every day.
    #[test]
    fn a_member_far_behind_the_start_has_a_zip64_offset() {
        let before = 5 << 30;
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()), Timestamp::default());
        writer.position = before;
        let (path, content) = (ArchivePath::new("a").unwrap(), "spam".into());
        let origin = crate::Origin::new("a test");
        let member = Member { path: &path, content: &content, executable: false, origin: &origin };
        writer.write(&member).unwrap();
        let field = [&[1, 0, 8, 0][..], &u64::to_le_bytes(before)].concat();
        assert!(writer.directory.ends_with(&field));
        let (start, length) = (writer.position, writer.directory.len());
        let bytes = writer.finish().unwrap().into_inner();
        let end = &bytes[bytes.len() - 22..];
        assert_eq!(end[16..20], [255; 4], "the directory's place doesn't fit");
        let locator = &bytes[bytes.len() - 42..];
        assert_eq!(locator[8..16], (start + length as u64).to_le_bytes());
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
