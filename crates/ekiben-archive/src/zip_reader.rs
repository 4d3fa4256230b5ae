//! Reading zip files, strictly.
//!
//! Zip files can be ambiguous: data before the archive, local headers that contradict the directory,
//! a second end record inside a comment. Tools differ in what they make of these, and attacks hide
//! in the difference, so nothing of the kind is read here. By hand, like the writer, because the
//! `zip` crate brings JavaScript imports into WebAssembly.
//!
//! Names of fields are those of PKWARE's APPNOTE.TXT, 6.3.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::zip_file::{
    CENTRAL_HEADER, DEFLATED, END, LOCAL_HEADER, STORED, ZIP64_END, ZIP64_FIELD, ZIP64_LOCATOR,
};

const ENCRYPTED: u16 = 1;
const UNIX: u8 = 3;
const MACOS: u8 = 19;
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

/// A member as the directory has it.
#[derive(Clone, Debug)]
pub(crate) struct ZipMember {
    /// Ends in `/` if it is a folder.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) compressed_size: u64,
    /// Kind and permission bits, if the archive was made by a system that has them.
    pub(crate) mode: Option<u32>,
    method: u16,
    checksum: u32,
    offset: u64,
}

impl ZipMember {
    pub(crate) fn is_link(&self) -> bool {
        self.mode.is_some_and(|mode| mode & KIND == LINK)
    }
}

/// The members in the order of the directory, and where that directory starts.
pub(crate) fn read_directory<R: Read + Seek>(input: &mut R) -> io::Result<(Vec<ZipMember>, u64)> {
    let end = find_end(input)?;
    let directory = read_at(input, end.start, end.length)?;
    let mut fields = Fields(&directory);
    let mut members = Vec::new();
    while !fields.0.is_empty() {
        members.push(read_member(&mut fields)?);
    }
    if members.len() as u64 != end.count {
        return Err(malformed("its directory hasn't as many members as it says"));
    }
    Ok((members, end.start))
}

/// Opens a member; its size and checksum are verified while it is read.
pub(crate) fn open<'a, R: Read + Seek>(
    input: &'a mut R,
    member: &ZipMember,
    directory_start: u64,
) -> io::Result<impl Read + 'a> {
    let header = read_at(input, member.offset, 30)?;
    let mut fields = Fields(&header);
    if fields.u32()? != LOCAL_HEADER {
        return Err(malformed("a member isn't where the directory says"));
    }
    fields.take(22)?;
    let (name, extra) = (u64::from(fields.u16()?), u64::from(fields.u16()?));
    if read_at(input, member.offset + 30, name)? != member.name.as_bytes() {
        return Err(malformed("a member's name isn't the one in the directory"));
    }
    let start = member.offset + 30 + name + extra;
    if start.checked_add(member.compressed_size).is_none_or(|end| end > directory_start) {
        return Err(malformed("a member reaches into the directory"));
    }
    input.seek(SeekFrom::Start(start))?;
    let raw = input.take(member.compressed_size);
    let content = match member.method {
        STORED => Content::Stored(raw),
        DEFLATED => Content::Deflated(DeflateDecoder::new(raw)),
        other => return Err(malformed(format!("a member is compressed by method {other}"))),
    };
    Ok(Verified { content, crc: Crc::new(), left: member.size, checksum: member.checksum })
}

enum Content<R> {
    Stored(R),
    Deflated(DeflateDecoder<R>),
}

/// Fails at the end if the content isn't what the directory says, and never gives more of it.
struct Verified<R> {
    content: Content<R>,
    crc: Crc,
    left: u64,
    checksum: u32,
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.content {
            Content::Stored(content) => content.read(buffer)?,
            Content::Deflated(content) => content.read(buffer)?,
        };
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(malformed("it is longer than the directory says"));
        };
        self.left = left;
        self.crc.update(&buffer[..read]);
        if read == 0 && self.left > 0 {
            return Err(malformed("it is shorter than the directory says"));
        }
        if read == 0 && self.crc.sum() != self.checksum {
            return Err(malformed("its checksum is wrong"));
        }
        Ok(read)
    }
}

/// Where the directory is.
struct End {
    start: u64,
    length: u64,
    count: u64,
}

fn find_end<R: Read + Seek>(input: &mut R) -> io::Result<End> {
    const LENGTH: u64 = 22;
    let total = input.seek(SeekFrom::End(0))?;
    let tail_start = total.saturating_sub(LENGTH + u64::from(u16::MAX));
    let tail = read_at(input, tail_start, total - tail_start)?;
    // The last signature whose comment reaches exactly to the end of the file.
    let at = (0..(tail.len() + 1).saturating_sub(LENGTH as usize)).rev().find(|at| {
        let record = &tail[*at..];
        record.starts_with(&END.to_le_bytes())
            && usize::from(u16::from_le_bytes([record[20], record[21]])) == record.len() - 22
    });
    let at = at.ok_or_else(|| malformed("it has no directory"))?;
    let mut fields = Fields(&tail[at + 4..]);
    let (disk, directory_disk) = (fields.u16()?, fields.u16()?);
    fields.u16()?;
    let count = u64::from(fields.u16()?);
    let (length, start) = (u64::from(fields.u32()?), u64::from(fields.u32()?));
    let position = tail_start + at as u64;
    let (end, position) =
        if position >= 20 && read_at(input, position - 20, 4)? == ZIP64_LOCATOR.to_le_bytes() {
            read_zip64_end(input, position - 20)?
        } else {
            (End { start, length, count }, position)
        };
    if disk != directory_disk || end.start.checked_add(end.length) != Some(position) {
        return Err(malformed("its directory isn't directly before its end"));
    }
    Ok(end)
}

/// The end record that the locator at `locator` leads to, and where it is.
fn read_zip64_end<R: Read + Seek>(input: &mut R, locator: u64) -> io::Result<(End, u64)> {
    let bytes = read_at(input, locator + 8, 8)?;
    let position = Fields(&bytes).u64()?;
    if position.checked_add(56) != Some(locator) {
        return Err(malformed("its Zip64 end record isn't directly before its locator"));
    }
    let record = read_at(input, position, 56)?;
    let mut fields = Fields(&record);
    if fields.u32()? != ZIP64_END {
        return Err(malformed("it has no Zip64 end record"));
    }
    fields.take(28)?;
    let (count, length, start) = (fields.u64()?, fields.u64()?, fields.u64()?);
    Ok((End { start, length, count }, position))
}

fn read_member(fields: &mut Fields<'_>) -> io::Result<ZipMember> {
    if fields.u32()? != CENTRAL_HEADER {
        return Err(malformed("its directory is damaged"));
    }
    let [_, system] = fields.u16()?.to_le_bytes();
    fields.take(2)?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.take(4)?;
    let checksum = fields.u32()?;
    let mut compressed_size = u64::from(fields.u32()?);
    let mut size = u64::from(fields.u32()?);
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    fields.take(4)?;
    let attributes = fields.u32()?;
    let mut offset = u64::from(fields.u32()?);
    let name = fields.take(name.into())?;
    let mut extra = Fields(fields.take(extra.into())?);
    fields.take(comment.into())?;

    while extra.0.len() >= 4 {
        let (id, length) = (extra.u16()?, extra.u16()?);
        let mut field = Fields(extra.take(length.into())?);
        if id == ZIP64_FIELD {
            // Holds only those that don't fit into their ordinary fields, in this order.
            for number in [&mut size, &mut compressed_size, &mut offset] {
                if *number == u64::from(u32::MAX) {
                    *number = field.u64()?;
                }
            }
        }
    }
    let name = String::from_utf8(name.to_vec())
        .map_err(|_| malformed("a member's name isn't valid UTF-8"))?;
    if flags & ENCRYPTED != 0 {
        return Err(malformed(format!("`{}` is encrypted", name.escape_debug())));
    }
    let mode = matches!(system, UNIX | MACOS).then_some(attributes >> 16);
    Ok(ZipMember { name, size, compressed_size, mode, method, checksum, offset })
}

/// Exactly `length` bytes at `position`, without believing that there are so many.
fn read_at<R: Read + Seek>(input: &mut R, position: u64, length: u64) -> io::Result<Vec<u8>> {
    input.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(malformed("it is cut off")) }
}

/// Little-endian fields, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or_else(|| malformed("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| malformed("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u16(&mut self) -> io::Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

fn malformed(problem: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.into())
}
