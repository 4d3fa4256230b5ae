//! The way back to the front end's process: a file descriptor or file for one JSON document.
//!
//! stdout isn't it, since anything may print there.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::path::Path;

use rustix::io::{FdFlags, fcntl_setfd};
use serde_json::Value;

/// Takes the result.
pub(crate) struct ResultSink(File);

impl ResultSink {
    /// A file to create.
    ///
    /// # Errors
    /// When it can't be.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        File::create(path).map(Self)
    }

    /// A descriptor that the parent process opened for us. From now on no child inherits it.
    ///
    /// # Errors
    /// When there is no such descriptor.
    #[allow(unsafe_code)]
    pub(crate) fn descriptor(number: RawFd) -> io::Result<Self> {
        // The standard library aborts on closing a descriptor that isn't open.
        std::fs::metadata(format!("/dev/fd/{number}"))?;
        // SAFETY: it is open, and ours alone: the parent gave its number to us, the command line
        // takes none below 3, and nothing has opened a descriptor that it might be.
        let fd = unsafe { OwnedFd::from_raw_fd(number) };
        fcntl_setfd(fd.as_fd(), FdFlags::CLOEXEC)?;
        Ok(Self(File::from(fd)))
    }

    /// Writes it.
    ///
    /// # Errors
    /// When nobody takes it.
    pub(crate) fn send(mut self, result: &Value) -> io::Result<()> {
        writeln!(self.0, "{result}")
    }
}
