//! What a file of the archive holds: bytes, or a way to get them when it is their turn.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use crate::Sha256Digest;

/// Opens content anew; called once per writing, and once more where a size must be known first.
pub type Open = Arc<dyn Fn() -> io::Result<Box<dyn Read>> + Send + Sync>;

/// The content of an [`Entry`](crate::Entry).
#[derive(Clone)]
pub enum Content {
    /// Content in memory, shared by all copies of the entry.
    Bytes(Arc<[u8]>),
    /// Content that is read when it is written, so that a large file is never wholly in memory.
    Deferred {
        /// Length in bytes, if known. A writer that needs it (tar, list) otherwise reads the
        /// content to count.
        size: Option<u64>,
        /// Opens the content.
        open: Open,
        /// What the content must hash to, if known: writing fails when it doesn't, since then the
        /// file has changed.
        sha256: Option<Sha256Digest>,
    },
}

impl Content {
    /// Content that `open` gives, of a known length if `size` is given.
    pub fn deferred<F, R>(size: Option<u64>, open: F) -> Self
    where
        F: Fn() -> io::Result<R> + Send + Sync + 'static,
        R: Read + 'static,
    {
        Self::Deferred {
            size,
            open: Arc::new(move || open().map(|reader| Box::new(reader) as Box<dyn Read>)),
            sha256: None,
        }
    }

    /// Length in bytes; reads the content if nobody said.
    pub fn size(&self) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::Deferred { size: Some(size), .. } => Ok(*size),
            Self::Deferred { open, .. } => io::copy(&mut open()?, &mut io::sink()),
        }
    }

    /// Reads it all into memory.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.to_vec()),
            Self::Deferred { open, .. } => {
                let mut bytes = Vec::new();
                open()?.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Deferred { size, sha256, .. } => f
                .debug_struct("Deferred")
                .field("size", size)
                .field("sha256", sha256)
                .finish_non_exhaustive(),
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes().into())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().into())
    }
}
