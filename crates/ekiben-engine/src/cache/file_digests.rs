//! [`FileDigests`]: digests of files on disk, taken once.
//!
//! A digest is remembered with the file's size, times and inode, and holds as long as these do. For large files (the
//! compiler's own) it is kept in the cache as well, so that the next process needn't read them.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Cache;
use crate::digest::Digest;

/// From this size on, finding a record is cheaper than digesting.
const PERSISTENT_FROM: u64 = 64 * 1024;

/// A file that changed so recently may change again without its times showing it, since they advance in steps (up to
/// 2 s on FAT). Git's index has the same problem and the same answer: "Use of index and Racy Git problem" in its
/// technical documentation.
const RACY_NANOSECONDS: i128 = 2_000_000_000;

/// The same, for digests that only this process remembers: a few of the steps in which local file systems' clocks
/// advance (10 ms at most).
const TICK_NANOSECONDS: i128 = 50_000_000;

/// What tells whether a file is still the one that was digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    device: u64,
    inode: u64,
    modified: i128,
    changed: i128,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds, rest| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            size: metadata.size(),
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the file was written, renamed or replaced after `time` (a file's time by the same clock). That clock
    /// advances in steps of a few milliseconds; within the step that `time` falls in, files count as older, since
    /// else whatever was written just before an action starts could never be kept.
    pub(crate) fn is_newer_than(&self, time: &Self) -> bool {
        self.modified.max(self.changed) > time.modified
    }

    /// Whether the file was changed less than `nanoseconds` ago.
    fn is_younger_than(&self, nanoseconds: i128) -> bool {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos() as i128);
        self.modified.max(self.changed) > now - nanoseconds
    }

    /// Fixed-width and little-endian, for the persistent record. The device is left out: it isn't stable over reboots.
    fn encode(&self) -> [u8; 48] {
        let mut text = [0; 48];
        text[..8].copy_from_slice(&self.size.to_le_bytes());
        text[8..16].copy_from_slice(&self.inode.to_le_bytes());
        text[16..32].copy_from_slice(&self.modified.to_le_bytes());
        text[32..].copy_from_slice(&self.changed.to_le_bytes());
        text
    }
}

/// Remembers digests by path. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct FileDigests {
    cache: Cache,
    known: Arc<Mutex<HashMap<PathBuf, (Stamp, Digest)>>>,
}

impl FileDigests {
    /// Keeps what lasts in `cache`.
    #[must_use]
    pub fn new(cache: Cache) -> Self {
        Self { cache, known: Arc::default() }
    }

    /// The digest of the file at `path`, which is read only if it isn't the one that was read before.
    ///
    /// # Errors
    /// When it isn't a readable file.
    pub fn digest(&self, path: &Path) -> io::Result<Digest> {
        Ok(self.stamped(path)?.1)
    }

    /// The digest, and the stamp under which it holds.
    pub(crate) fn stamped(&self, path: &Path) -> io::Result<(Stamp, Digest)> {
        let known = self.lock().get(path).copied();
        if let Some((stamp, digest)) = known
            && stamp == Stamp::of(&path.metadata()?)
        {
            return Ok((stamp, digest));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let stamp = Stamp::of(&metadata);
        let persistent = stamp.size >= PERSISTENT_FROM && !stamp.is_younger_than(RACY_NANOSECONDS);
        if persistent && let Some(digest) = self.recorded(path, &stamp) {
            self.lock().insert(path.to_owned(), (stamp, digest));
            return Ok((stamp, digest));
        }
        let (digest, _) = Digest::of_sized(&file, stamp.size)?;
        let settled = !stamp.is_younger_than(TICK_NANOSECONDS);
        if settled && stamp == Stamp::of(&file.metadata()?) {
            self.lock().insert(path.to_owned(), (stamp, digest));
            if persistent {
                let mut record = stamp.encode().to_vec();
                record.extend_from_slice(digest.as_bytes());
                // A record that can't be kept only costs time.
                let _ = self.cache.record_put("stat", path.as_os_str().as_bytes(), &record);
            }
        }
        Ok((stamp, digest))
    }

    fn recorded(&self, path: &Path, stamp: &Stamp) -> Option<Digest> {
        let record = self.cache.record_get("stat", path.as_os_str().as_bytes())?;
        let digest = record.strip_prefix(&stamp.encode())?;
        Some(Digest::from_bytes(digest.try_into().ok()?))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Stamp, Digest)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cache::CacheLimits;

    #[test]
    fn follows_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), CacheLimits::new(1 << 20)).unwrap();
        let digests = FileDigests::new(cache);
        let file = folder.path().join("file");
        // The last two differ neither in size nor, if this is quick, in time.
        for content in ["one", "three", "seven"] {
            std::fs::write(&file, content).unwrap();
            assert_eq!(digests.digest(&file).unwrap(), Digest::of(content.as_bytes()));
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(digests.digest(&file).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(digests.digest(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn recent_files_are_not_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), CacheLimits::new(1 << 20)).unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, vec![1; 100_000]).unwrap();
        FileDigests::new(cache.clone()).digest(&file).unwrap();
        assert_eq!(cache.record_get("stat", file.as_os_str().as_bytes()), None);
    }

    #[test]
    fn old_large_files_are_recorded() {
        // The test's own program is large, and usually hasn't changed for a while.
        let file = std::env::current_exe().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), CacheLimits::new(1 << 20)).unwrap();
        let racy = Stamp::of(&file.metadata().unwrap()).is_younger_than(RACY_NANOSECONDS);
        let digest = FileDigests::new(cache.clone()).digest(&file).unwrap();
        let record = cache.record_get("stat", file.as_os_str().as_bytes());
        assert_eq!(record.is_some(), !racy);
        assert_eq!(FileDigests::new(cache).digest(&file).unwrap(), digest);
        let stamp = Stamp { modified: 1, changed: 1, ..Stamp::of(&file.metadata().unwrap()) };
        assert!(!stamp.is_younger_than(RACY_NANOSECONDS));
        assert_eq!(stamp.encode().len(), 48);
    }
}
