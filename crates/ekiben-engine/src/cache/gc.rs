//! Keeping the cache within its limit.
//!
//! Only one process collects at a time; whoever finds the lock taken leaves it to the other. Builds aren't locked out:
//! they take a vanished file as a miss.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{Cache, Inner};
use crate::error::EngineError;

/// Temporary files older than this belong to builds that were killed.
const STALE_TMP: Duration = Duration::from_secs(60 * 60);
/// Collect at least this often, since other builds add to the cache too.
const PERIOD: Duration = Duration::from_secs(24 * 60 * 60);
/// Files take whole blocks: what a small one costs.
const BLOCK: u64 = 4096;
/// What each byte of the file `gc.added` stands for.
const NOTED: u64 = 64 << 10;
const TABLES: [&str; 4] = ["cas", "actions", "slots", "records"];

/// What a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CacheStats {
    /// Bytes on disk, in whole blocks.
    pub bytes: u64,
    /// Files.
    pub entries: u64,
}

/// What to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanScope {
    /// Everything. Builds that run meanwhile do their work again.
    All,
    /// What exceeds the limit and is out of grace.
    ToLimit,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Cleaned {
    /// Bytes on disk, in whole blocks.
    pub bytes: u64,
    /// Files.
    pub entries: u64,
    /// Whether another process was at it, so that nothing was done.
    pub busy: bool,
}

struct Entry {
    path: PathBuf,
    used: SystemTime,
    bytes: u64,
}

impl Cache {
    /// What the cache holds now.
    ///
    /// # Errors
    /// When its folder can't be read.
    pub fn stats(&self) -> Result<CacheStats, EngineError> {
        let files = self.files().map_err(EngineError::io("read", self.folder()))?;
        Ok(CacheStats {
            bytes: files.iter().map(|file| file.bytes).sum(),
            entries: files.len() as u64,
        })
    }

    /// Removes what `scope` says.
    ///
    /// # Errors
    /// When its folder can't be read.
    pub fn clean(&self, scope: CleanScope) -> Result<Cleaned, EngineError> {
        self.collect(scope).map_err(EngineError::io("clean", self.folder()))
    }

    /// Collects garbage if enough was added since that was done, by whatever processes, or nobody did it for
    /// a day.
    pub fn maintain(&self) {
        let due = self.0.note_added() >= self.0.limits.max_bytes / 20
            || self
                .stamp()
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|last| last.elapsed().is_ok_and(|age| age > PERIOD));
        if !self.stamp().exists() {
            let _ = File::create(self.stamp());
        }
        // A cache that can't be collected stays too large, and a later build tries again.
        if due {
            let _ = self.collect(CleanScope::ToLimit);
        }
    }

    fn stamp(&self) -> PathBuf {
        self.folder().join("gc.stamp")
    }

    fn collect(&self, scope: CleanScope) -> io::Result<Cleaned> {
        let lock = File::create(self.folder().join("gc.lock"))?;
        if lock.try_lock().is_err() {
            return Ok(Cleaned { busy: true, ..Cleaned::default() });
        }
        let now = SystemTime::now();
        let mut files = self.files()?;
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let limits = &self.0.limits;
        let (target, grace) = match scope {
            CleanScope::All => (0, Duration::ZERO),
            CleanScope::ToLimit if total > limits.max_bytes => {
                (limits.max_bytes / 5 * 4, limits.grace)
            }
            CleanScope::ToLimit => (total, limits.grace),
        };
        files.sort_unstable_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        let mut cleaned = Cleaned::default();
        for file in files {
            let young = now.duration_since(file.used).map_or(!grace.is_zero(), |age| age < grace);
            if total <= target || young {
                break;
            }
            if fs::remove_file(&file.path).is_ok() {
                total -= file.bytes;
                cleaned.bytes += file.bytes;
                cleaned.entries += 1;
            }
        }
        self.remove_stale(now);
        File::create(self.stamp())?.set_modified(now)?;
        File::create(self.0.growth())?;
        Ok(cleaned)
    }

    fn remove_stale(&self, now: SystemTime) {
        let Ok(entries) = fs::read_dir(self.tmp()) else { return };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            if modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > STALE_TMP)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn files(&self) -> io::Result<Vec<Entry>> {
        let mut files = Vec::new();
        for table in TABLES {
            walk(&self.folder().join(table), &mut files)?;
        }
        Ok(files)
    }
}

impl Inner {
    /// The file whose length says how much was added since garbage was collected: processes that add
    /// little come by the hundreds.
    fn growth(&self) -> PathBuf {
        self.folder.join("gc.added")
    }

    /// Notes what was added through this handle, and returns how many bytes all have noted.
    fn note_added(&self) -> u64 {
        let added = self.added.swap(0, Ordering::Relaxed);
        // At once, so that nothing of another process gets lost. On a full disk at least our own counts.
        let note = vec![b'.'; usize::try_from(added.div_ceil(NOTED)).unwrap_or(0)];
        if !note.is_empty() {
            let file = File::options().create(true).append(true).open(self.growth());
            let _ = file.and_then(|mut file| file.write_all(&note));
        }
        let noted = fs::metadata(self.growth()).map_or(0, |it| it.len().saturating_mul(NOTED));
        noted.max(added)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if *self.added.get_mut() > 0 {
            self.note_added();
        }
    }
}

/// What a file of `length` bytes takes.
pub(super) fn on_disk(length: u64) -> u64 {
    length.div_ceil(BLOCK) * BLOCK
}

/// Everything beneath `folder`. What vanishes meanwhile was collected by somebody else.
fn walk(folder: &Path, files: &mut Vec<Entry>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else if let Ok(metadata) = entry.metadata() {
            let bytes = on_disk(metadata.len());
            files.push(Entry { path: entry.path(), used: metadata.modified()?, bytes });
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cache::CacheLimits;
    use crate::digest::Digest;

    fn age(cache: &Cache, digest: Digest, seconds: u64) {
        let file = File::open(cache.entry("cas", digest)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn least_recently_used_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let limits = CacheLimits { max_bytes: 10 * BLOCK, grace: Duration::from_secs(100) };
        let cache = Cache::open(folder.path(), limits).unwrap();
        let blobs: Vec<_> = (0..12u8).map(|n| cache.put_bytes(&[n; 10]).unwrap()).collect();
        for (seconds, digest) in (1000..).step_by(1000).zip(&blobs) {
            age(&cache, *digest, seconds);
        }
        let stale = cache.tmp().join("stale");
        File::create(&stale).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        // Using the oldest saves it.
        assert!(cache.has_blob(blobs[11]));
        let cleaned = cache.clean(CleanScope::ToLimit).unwrap();
        assert_eq!(cleaned, Cleaned { bytes: 4 * BLOCK, entries: 4, busy: false });
        let left: Vec<_> = (0..12).filter(|n| cache.has_blob(blobs[*n])).collect();
        assert_eq!(left, [0, 1, 2, 3, 4, 5, 6, 11]);
        assert!(!stale.exists());
        assert_eq!(cache.stats().unwrap(), CacheStats { bytes: 8 * BLOCK, entries: 8 });
        assert_eq!(cache.clean(CleanScope::All).unwrap().entries, 8);
        assert_eq!(cache.stats().unwrap(), CacheStats::default());
    }

    #[test]
    fn what_many_processes_add_is_collected() {
        let folder = tempfile::tempdir().unwrap();
        let limits = CacheLimits { max_bytes: 64 * NOTED, grace: Duration::from_secs(100) };
        let open = || Cache::open(folder.path(), limits).unwrap();
        let large = open().put_bytes(&vec![0; 64 * NOTED as usize]).unwrap();
        open().clean(CleanScope::ToLimit).unwrap();
        age(&open(), large, 1000);
        let add = |n: u8| {
            let cache = open();
            cache.put_bytes(&[n]).unwrap();
            cache
        };
        add(0).maintain();
        // Without a look at the whole.
        drop(add(1));
        add(2).maintain();
        assert!(open().entry("cas", large).exists());
        add(3).maintain();
        assert!(!open().entry("cas", large).exists());
        assert_eq!(open().stats().unwrap().entries, 4);
        assert_eq!(fs::metadata(open().0.growth()).unwrap().len(), 0);
    }

    #[test]
    fn grace_and_lock() {
        let folder = tempfile::tempdir().unwrap();
        let limits = CacheLimits { max_bytes: BLOCK, grace: Duration::from_secs(100) };
        let cache = Cache::open(folder.path(), limits).unwrap();
        for n in 0..4u8 {
            cache.put_bytes(&[n]).unwrap();
        }
        assert_eq!(cache.clean(CleanScope::ToLimit).unwrap(), Cleaned::default());
        let lock = File::create(cache.folder().join("gc.lock")).unwrap();
        lock.lock().unwrap();
        assert!(cache.clean(CleanScope::All).unwrap().busy);
        assert_eq!(cache.stats().unwrap().entries, 4);
    }
}
