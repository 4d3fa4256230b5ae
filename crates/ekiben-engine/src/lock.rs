//! A lock on a file, for what one process at a time makes. It goes with the process, however that ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// How often a waiting process looks again.
const PATIENCE: Duration = Duration::from_millis(100);

/// Locks the file at `path`, which is made if need be. While another process has it, `waiting` is called
/// again and again, the first time with `true`; its error ends the wait.
///
/// # Errors
/// What `failed` makes of an error of the system, with what was to be done, and what `waiting` gives.
pub fn lock<E>(
    path: &Path,
    failed: impl Fn(&'static str, io::Error) -> E,
    mut waiting: impl FnMut(bool) -> Result<(), E>,
) -> Result<File, E> {
    let file = File::create(path).map_err(|error| failed("create", error))?;
    let mut is_first = true;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
            Err(TryLockError::WouldBlock) => waiting(std::mem::take(&mut is_first))?,
        }
        std::thread::sleep(PATIENCE);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_waits_until_the_other_is_done_or_it_is_told_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let failed = |what: &'static str, _: io::Error| what;
        let mut first = Some(lock(&path, failed, |_| Ok(())).unwrap());
        let mut said = Vec::new();
        let second = lock(&path, failed, |is_first| {
            said.push(is_first);
            if said.len() == 2 {
                first = None;
            }
            Ok(())
        });
        drop(second.unwrap());
        assert_eq!(said, [true, false]);
        let _held = lock(&path, failed, |_| Ok(())).unwrap();
        assert_eq!(lock(&path, failed, |_| Err("stopped")).unwrap_err(), "stopped");
        assert_eq!(lock(&path.join("none"), failed, |_| Ok(())).unwrap_err(), "create");
    }
}
