//! Writing gzip-compressed tar files that depend on nothing but their content.
//!
//! Headers are plain ustar, which every tool reads. A PAX header precedes a member only where ustar
//! can't hold its path (too long, not ASCII) or size (8 GiB and more).

use std::io::{self, Write};

use flate2::{Compression, GzBuilder, write::GzEncoder};
use tar::{EntryType, Header};

use crate::zip_file::LEVEL;
use crate::{ArchiveWriter, Error, Member, Timestamp, Written};

const BLOCK: u64 = 512;
/// ustar holds sizes in eleven octal digits.
const FIRST_TOO_LARGE: u64 = 1 << 33;
/// gzip's "unknown operating system", the same on all of them.
const UNKNOWN_SYSTEM: u8 = 255;

/// Writes a tar file, compressed, into `W`.
pub struct TarGzWriter<W: Write> {
    output: GzEncoder<W>,
    timestamp: Timestamp,
}

impl<W: Write> TarGzWriter<W> {
    /// A tar file all of whose members carry `timestamp`; gzip's own time field is zero.
    pub fn new(output: W, timestamp: Timestamp) -> Self {
        let gzip = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM);
        Self { output: gzip.write(output, Compression::new(LEVEL)), timestamp }
    }

    /// Writes the end marks and gives the output back.
    pub fn finish(mut self) -> Result<W, Error> {
        self.output
            .write_all(&[0; 2 * BLOCK as usize])
            .and_then(|()| self.output.finish())
            .map_err(Error::Finish)
    }

    fn write_headers(&mut self, member: &Member<'_>, size: u64) -> io::Result<()> {
        let mut header = self.header(EntryType::Regular, size, member.mode());
        let mut pax = Vec::new();
        let path = member.path.as_str();
        if !set_path(&mut header, path) {
            pax.extend(pax_record("path", path));
            // What a tool that doesn't know PAX will see: better cut than refused.
            let cut: String =
                path.chars().map(|c| if c.is_ascii() { c } else { '_' }).take(100).collect();
            set_path(&mut header, cut.trim_end_matches('/'));
        }
        if size >= FIRST_TOO_LARGE {
            pax.extend(pax_record("size", &size.to_string()));
            header.set_size(0);
        }
        if !pax.is_empty() {
            let mut extension = self.header(EntryType::XHeader, pax.len() as u64, 0o644);
            set_path(&mut extension, "././@PaxHeader");
            extension.set_cksum();
            self.output.write_all(extension.as_bytes())?;
            self.output.write_all(&pax)?;
            self.pad(pax.len() as u64)?;
        }
        header.set_cksum();
        self.output.write_all(header.as_bytes())
    }

    fn header(&self, kind: EntryType, size: u64, mode: u32) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.timestamp.seconds());
        header.set_size(size);
        header
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let missing = size.next_multiple_of(BLOCK) - size;
        io::copy(&mut io::Read::take(io::repeat(0), missing), &mut self.output).map(drop)
    }
}

impl<W: Write> ArchiveWriter for TarGzWriter<W> {
    fn write(&mut self, member: &Member<'_>) -> Result<Written, Error> {
        let write_error = |source| Error::Write { path: member.path.clone(), source };
        let size = member.size()?;
        self.write_headers(member, size).map_err(write_error)?;
        let written = member.copy_to(&mut self.output)?;
        if written.size != size {
            return Err(member.changed(format!("it had {size} bytes, now it has {}", written.size)));
        }
        self.pad(size).map_err(write_error)?;
        Ok(written)
    }
}

/// Puts an ASCII path into ustar's two fields, split at a slash if it has to be; `false` if it
/// doesn't fit.
fn set_path(header: &mut Header, path: &str) -> bool {
    let Some(ustar) = header.as_ustar_mut() else { return false };
    let (prefix, name) = if path.len() <= ustar.name.len() {
        ("", path)
    } else {
        let fits =
            |at: &usize| *at <= ustar.prefix.len() && path.len() - at - 1 <= ustar.name.len();
        match path.match_indices('/').map(|(at, _)| at).find(fits) {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => return false,
        }
    };
    if !path.is_ascii() {
        return false;
    }
    ustar.prefix[..prefix.len()].copy_from_slice(prefix.as_bytes());
    ustar.name[..name.len()].copy_from_slice(name.as_bytes());
    true
}

/// `length key=value\n`, where the length counts its own digits.
fn pax_record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pax_record_counts_itself() {
        assert_eq!(pax_record("path", "a"), b"9 path=a\n");
        assert_eq!(pax_record("path", ""), b"8 path=\n");
        for length in 0..2000 {
            let record = pax_record("k", &"x".repeat(length));
            let text = String::from_utf8_lossy(&record);
            let stated = text.split(' ').next().and_then(|number| number.parse().ok());
            assert_eq!(stated, Some(record.len()));
        }
    }

    #[test]
    fn long_paths_are_split_at_a_slash() {
        let mut header = Header::new_ustar();
        assert!(set_path(&mut header, &format!("{}/{}", "a".repeat(150), "b".repeat(100))));
        assert!(!set_path(&mut header, &format!("{}/{}", "a".repeat(150), "b".repeat(101))));
        assert!(!set_path(&mut header, &"a".repeat(101)));
        assert!(!set_path(&mut header, "ü"));
    }
}
