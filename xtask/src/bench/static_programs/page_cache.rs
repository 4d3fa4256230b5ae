//! The kernel's copies of files in memory.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use walkdir::WalkDir;

/// Has the kernel forget the files at and below these paths. What other processes have mapped, such as
/// the C library, stays.
pub(super) fn evict(paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        for entry in WalkDir::new(path).follow_links(true) {
            let entry = entry.with_context(|| format!("`{}`", path.display()))?;
            if !entry.file_type().is_file() {
                continue;
            }
            let shown = || format!("`{}`", entry.path().display());
            let file = File::open(entry.path()).with_context(shown)?;
            // What isn't on the disk yet can't be forgotten.
            file.sync_data().with_context(shown)?;
            posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
                .with_context(shown)?;
        }
    }
    Ok(())
}
