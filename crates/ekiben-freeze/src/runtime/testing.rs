//! What tests of this module share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use super::run::{Progress, Runner};

/// A runner with a log of its own, that nobody stops.
pub(super) fn with_runner<T>(test: impl FnOnce(&mut Runner<'_>, &Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
    test(&mut Runner::new(progress, &folder.path().join("log")).unwrap(), folder.path())
}

/// An interpreter of this machine that is as new as those of runtimes.
pub(super) fn python() -> PathBuf {
    let names = ["python3", "python3.13", "python3.12", "python3.11"];
    let is_new = |name: &&str| {
        let asked = Command::new(name).args(["-P", "-c", "import sys; sys.exit(0)"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    names.iter().find(|name| is_new(name)).expect("CPython 3.11 or later is in PATH").into()
}
