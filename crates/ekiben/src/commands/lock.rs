//! One build at a time in a build folder, where actions of all builds write under the same names.
//!
//! The lock goes with the process, however that ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use ekiben_core::{Cause, Observer, Problem, Severity};
use ekiben_engine::Interrupt;

use crate::report;

/// How often a build that waits looks again, which must be often enough for one that is asked to stop.
const PAUSE: Duration = Duration::from_millis(20);

/// The build folder is this process's until it is dropped.
pub(crate) struct BuildLock {
    _file: File,
}

impl BuildLock {
    /// Waits until no other process builds in `build_dir`, unless asked to stop. Where files can't be
    /// locked, as on some network file systems, or can't be written, there is no lock: the build finds
    /// out about the latter by itself.
    pub(crate) fn take(
        build_dir: &Path,
        observer: &dyn Observer,
        interrupt: &Interrupt,
    ) -> Option<Self> {
        let file = open(&build_dir.join("lock")).ok()?;
        let mut is_told = false;
        while !interrupt.is_triggered() {
            match file.try_lock() {
                Ok(()) => return Some(Self { _file: file }),
                Err(TryLockError::Error(_)) => return None,
                Err(TryLockError::WouldBlock) => {}
            }
            if !is_told {
                observer.problem(&waiting(build_dir));
                is_told = true;
            }
            std::thread::sleep(PAUSE);
        }
        None
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::options().create(true).truncate(false).write(true).open(path)
}

fn waiting(build_dir: &Path) -> Problem {
    let shown = report::short(build_dir);
    let message = format!("waiting for another build in {} to end", shown.display());
    let problem = Problem::warning(Cause::Environment, "waiting", message);
    Problem { severity: Severity::Note, ..problem }
}
