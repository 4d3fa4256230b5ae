//! [`Digest`]: the SHA-256 of some bytes, the only name content has here.
//!
//! SHA-256 because remote execution servers speak it (REAPI v2), and because two files with one digest would silently
//! swap build outputs: a fast non-cryptographic hash isn't enough.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// What is read at a time.
const BUFFER: usize = 64 * 1024;

/// A SHA-256 digest. Shown, parsed and serialised as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The text isn't 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 digest: expected 64 hexadecimal digits")]
pub struct ParseDigestError(String);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of everything `reader` yields, and how many bytes that was.
    ///
    /// # Errors
    /// When reading fails.
    pub fn of_reader(reader: impl Read) -> io::Result<(Self, u64)> {
        copy_and_digest(reader, &mut io::sink())
    }

    /// As [`Digest::of_reader`], for about `size` bytes.
    pub(crate) fn of_sized(reader: impl Read, size: u64) -> io::Result<(Self, u64)> {
        // One byte more shows the end without a second buffer.
        let buffer = size.saturating_add(1).min(BUFFER as u64) as usize;
        copy_through(reader, &mut io::sink(), &mut vec![0; buffer])
    }

    /// The digest of the file at `path`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        Ok(Self::of_reader(File::open(path)?)?.0)
    }

    /// The raw digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest whose raw bytes these are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Copies `reader` to `writer` and digests what passes, so that a copy and its verification read the data once.
pub(crate) fn copy_and_digest(
    reader: impl Read,
    writer: &mut impl Write,
) -> io::Result<(Digest, u64)> {
    copy_through(reader, writer, &mut vec![0; BUFFER])
}

fn copy_through(
    mut reader: impl Read,
    writer: &mut impl Write,
    buffer: &mut [u8],
) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut total = 0;
    loop {
        let read = match reader.read(buffer) {
            Ok(0) => return Ok((Digest(hasher.finalize().into()), total)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        writer.write_all(&buffer[..read])?;
        total += read as u64;
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            b'A'..=b'F' => Some(digit - b'A' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(ParseDigestError(text.to_owned()));
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else {
                return Err(ParseDigestError(text.to_owned()));
            };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Digest, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn known_digest() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap(), Digest::of(b""));
        assert_eq!(serde_json::to_string(&Digest::of(b"")).unwrap(), format!("\"{empty}\""));
    }

    #[test]
    fn refuses_other_text() {
        for text in ["", "abc", &"g".repeat(64), &"é".repeat(32)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn reader_and_bytes_agree() {
        let data = vec![7; 200_000];
        assert_eq!(Digest::of_reader(&data[..]).unwrap(), (Digest::of(&data), 200_000));
    }
}
