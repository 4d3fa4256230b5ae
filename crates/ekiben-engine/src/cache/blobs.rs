//! Content, under its digest.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use super::{Cache, read_used, touch};
use crate::digest::{Digest, copy_and_digest};

/// Why content couldn't be had.
#[derive(Debug)]
pub(crate) enum BlobError {
    /// It isn't there, or no longer.
    Missing,
    /// What was there had another digest. It has been removed.
    Corrupt,
    /// The destination couldn't be written.
    Io(io::Error),
}

impl Cache {
    /// Stores `bytes`.
    pub(crate) fn put_bytes(&self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        if !self.has_blob(digest) {
            self.write(&self.entry("cas", digest), bytes, 0o444)?;
        }
        Ok(digest)
    }

    /// Stores the file at `path`, whose digest the caller has just taken. The copy is what is digested in the end: a
    /// file that changes meanwhile is an error and not a blob with a false name.
    pub(crate) fn put_file(&self, path: &Path, digest: Digest) -> io::Result<()> {
        if self.has_blob(digest) {
            return Ok(());
        }
        let mut copy = NamedTempFile::new_in(self.tmp())?;
        let (copied, _) = copy_and_digest(File::open(path)?, &mut copy)?;
        if copied != digest {
            return Err(io::Error::other(format!("{} changed while it was read", path.display())));
        }
        self.persist(copy, &self.entry("cas", digest), 0o444)
    }

    /// Whether some action made this content, as far as the cache remembers.
    #[must_use]
    pub fn holds(&self, digest: Digest) -> bool {
        self.has_blob(digest)
    }

    /// Whether the content is there; if so it is marked as used.
    pub(crate) fn has_blob(&self, digest: Digest) -> bool {
        let path = self.entry("cas", digest);
        fs::metadata(&path).map(|metadata| touch(&path, &metadata)).is_ok()
    }

    /// The content.
    pub(crate) fn get_bytes(&self, digest: Digest) -> Result<Vec<u8>, BlobError> {
        let path = self.entry("cas", digest);
        let content = read_used(&path).ok_or(BlobError::Missing)?;
        if Digest::of(&content) != digest {
            let _ = fs::remove_file(&path);
            return Err(BlobError::Corrupt);
        }
        Ok(content)
    }

    /// Copies the content to `path`, whole or not at all. Shares blocks where the file system can, never an inode: a
    /// tool that writes into its input must not reach the cache.
    pub(crate) fn copy_blob(
        &self,
        digest: Digest,
        path: &Path,
        executable: bool,
    ) -> Result<(), BlobError> {
        let blob = self.entry("cas", digest);
        let mut source = match File::open(&blob) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BlobError::Missing);
            }
            Err(error) => return Err(BlobError::Io(error)),
        };
        if let Ok(metadata) = source.metadata() {
            touch(&blob, &metadata);
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(BlobError::Io)?;
        let mut target = tempfile::Builder::new()
            .prefix(".ekiben-")
            .tempfile_in(folder)
            .map_err(BlobError::Io)?;
        let copied = if reflinked(&blob, &mut target) {
            Digest::of_reader(&mut source)
        } else {
            copy_and_digest(&mut source, &mut target)
        };
        let (copied, _) = copied.map_err(BlobError::Io)?;
        if copied != digest {
            let _ = fs::remove_file(&blob);
            return Err(BlobError::Corrupt);
        }
        finish(target, path, executable).map_err(BlobError::Io)
    }
}

/// Replaces the empty temporary file `target` by a block-sharing copy of `blob`, if the file system can.
fn reflinked(blob: &Path, target: &mut NamedTempFile) -> bool {
    let path = target.path().to_owned();
    if fs::remove_file(&path).is_err() {
        return false;
    }
    let linked = reflink_copy::reflink(blob, &path).is_ok();
    let reopened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    match reopened {
        Ok(file) => *target.as_file_mut() = file,
        Err(_) => return false,
    }
    linked
}

fn finish(target: NamedTempFile, path: &Path, executable: bool) -> io::Result<()> {
    let mode = if executable { 0o755 } else { 0o644 };
    target.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    target.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Puts `bytes` at `path`, whole or not at all.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut target = tempfile::Builder::new().prefix(".ekiben-").tempfile_in(folder)?;
    target.write_all(bytes)?;
    finish(target, path, executable)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cache::CacheLimits;

    #[test]
    fn damaged_content_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), CacheLimits::new(1 << 20)).unwrap();
        let digest = cache.put_bytes(b"content").unwrap();
        let blob = cache.entry("cas", digest);
        assert_eq!(blob.metadata().unwrap().permissions().mode() & 0o777, 0o444);
        let target = folder.path().join("out/file");
        cache.copy_blob(digest, &target, true).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"content");
        assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o755);

        fs::remove_file(&blob).unwrap();
        fs::write(&blob, "Content").unwrap();
        let other = folder.path().join("out/other");
        assert!(matches!(cache.copy_blob(digest, &other, false), Err(BlobError::Corrupt)));
        assert!(!other.exists() && !blob.exists());
        assert!(matches!(cache.get_bytes(digest), Err(BlobError::Missing)));
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), CacheLimits::new(1 << 20)).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "new").unwrap();
        assert!(cache.put_file(&file, Digest::of(b"old")).is_err());
        cache.put_file(&file, Digest::of(b"new")).unwrap();
        assert_eq!(cache.get_bytes(Digest::of(b"new")).unwrap(), b"new");
    }
}
