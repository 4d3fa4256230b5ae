//! The cache: content and results that outlive a build folder.
//!
//! ```text
//! <cache>/CACHEDIR.TAG
//! <cache>/v1/cas/ab/<digest>            content, read-only
//! <cache>/v1/actions/ab/<key>           results of an action, one for each set of headers it was seen with
//! <cache>/v1/slots/ab/<slot>            the last manifest of an action of a project, for explanations
//! <cache>/v1/records/<kind>/ab/<digest> small facts of other crates
//! <cache>/v1/tmp/                       files that are being written
//! <cache>/v1/gc.*                       when garbage was collected, how much was added since, a lock
//! ```
//!
//! Invariants:
//! - A file appears under its final name complete, by a rename, and never changes afterwards except for being replaced
//!   whole. So many builds can share a cache, and any of them can be killed at any instant.
//! - Nothing is trusted: content is digested while it is copied out, what can't be parsed is a miss, and any file may
//!   vanish at any time, because another build may be collecting garbage.
//! - The time of last use is a file's modification time, renewed only when it is [`TOUCH_AFTER`] old.

mod blobs;
mod file_digests;
mod gc;
mod records;
mod results;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

pub(crate) use blobs::{BlobError, write_atomically};
pub use file_digests::FileDigests;
pub(crate) use file_digests::Stamp;
pub use gc::{CacheStats, CleanScope, Cleaned};
pub(crate) use results::{Absent, Header, LastState, Name, OutputBlob, ResultEntry, Slot};

use crate::digest::Digest;
use crate::error::EngineError;

/// How stale a file's time of last use may be, so that using a cache doesn't mean writing to it.
const TOUCH_AFTER: Duration = Duration::from_secs(10 * 60);

const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This folder holds a cache of Ekiben; it can be deleted at any time.\n\
    # For the format of this file see https://bford.info/cachedir/\n";

/// How large a cache may grow, and what is safe from eviction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// Bytes on disk above which least recently used entries go, until 80% are left.
    pub max_bytes: u64,
    /// Entries used within this time stay, whatever the size.
    pub grace: Duration,
}

impl CacheLimits {
    /// At most `max_bytes`, with an hour's grace.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        Self { max_bytes, grace: Duration::from_secs(60 * 60) }
    }
}

/// An open cache. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    limits: CacheLimits,
    /// Bytes on disk written through this handle.
    added: AtomicU64,
    /// Whether a failed write has been reported.
    failed: AtomicBool,
}

impl Cache {
    /// Opens the cache in `folder`, creating it if needed.
    ///
    /// # Errors
    /// When the folder can't be created or written to; see [`Cache::open_or_private`].
    pub fn open(folder: &Path, limits: CacheLimits) -> Result<Self, EngineError> {
        let folder = std::path::absolute(folder).map_err(EngineError::io("resolve", folder))?;
        let inner = Inner {
            folder: folder.join("v1"),
            limits,
            added: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        };
        let cache = Self(Arc::new(inner));
        let tmp = cache.tmp();
        fs::create_dir_all(&tmp).map_err(EngineError::io("create", &tmp))?;
        let tag = folder.join("CACHEDIR.TAG");
        if tag.exists() {
            // Existing folders say nothing about whether they can be written to.
            NamedTempFile::new_in(&tmp).map_err(EngineError::io("write to", &tmp))?;
        } else {
            cache.write(&tag, TAG.as_bytes(), 0o644).map_err(EngineError::io("write", &tag))?;
        }
        Ok(cache)
    }

    /// Opens the cache in `folder`, or where that fails one in `private`, such as the build folder; the second part
    /// then is the reason, to be shown once.
    ///
    /// # Errors
    /// When neither can be used.
    pub fn open_or_private(
        folder: &Path,
        private: &Path,
        limits: CacheLimits,
    ) -> Result<(Self, Option<EngineError>), EngineError> {
        match Self::open(folder, limits) {
            Ok(cache) => Ok((cache, None)),
            Err(error) => Ok((Self::open(private, limits)?, Some(error))),
        }
    }

    /// The versioned folder that holds everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    fn tmp(&self) -> PathBuf {
        self.0.folder.join("tmp")
    }

    /// Where the entry `digest` of the table `table` is.
    fn entry(&self, table: &str, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.0.folder.join(table).join(&name[..2]).join(name)
    }

    /// Puts `content` at `path`, whole or not at all.
    fn write(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(self.tmp())?;
        file.write_all(content)?;
        self.persist(file, path, mode)
    }

    fn persist(&self, file: NamedTempFile, path: &Path, mode: u32) -> io::Result<()> {
        let size = gc::on_disk(file.as_file().metadata()?.len());
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        let temporary = file.into_temp_path();
        if let Err(error) = fs::rename(&temporary, path) {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            fs::rename(&temporary, path)?;
        }
        // Already renamed: nothing is left to delete.
        let _ = temporary.keep();
        self.0.added.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// Whether this is the first write that failed. Later ones are the same news.
    pub(crate) fn first_failure(&self) -> bool {
        !self.0.failed.swap(true, Ordering::Relaxed)
    }
}

/// Marks `path` as used now. A failure costs at worst an eviction that comes too early.
fn touch(path: &Path, metadata: &fs::Metadata) {
    let now = SystemTime::now();
    let stale = metadata
        .modified()
        .is_ok_and(|used| now.duration_since(used).is_ok_and(|age| age > TOUCH_AFTER));
    if stale {
        let _ = fs::File::open(path).and_then(|file| file.set_modified(now));
    }
}

/// The content of `path`, marked as used; none if it isn't there.
fn read_used(path: &Path) -> Option<Vec<u8>> {
    let mut file = fs::File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    touch(path, &metadata);
    let mut content = Vec::with_capacity(metadata.len() as usize + 1);
    io::Read::read_to_end(&mut file, &mut content).ok()?;
    Some(content)
}
