//! Editable installs: what happens in the project's own folder.
//!
//! Modules that are built are *placed* beside their sources when a build has succeeded as a whole.
//! What was placed is remembered in the build folder, so that it can be taken away again, and so
//! that no archive holds it by accident ([`Placed`]).
//!
//! With `editable.rebuild`, the wheel brings a module that looks for changes when the project is imported
//! ([`rebuild`]). The build notes what to compare ([`Inputs`]), and keeps what the next one needs.
//!
//! Invariant: a file that isn't ours is neither replaced nor removed. A file is ours if its content
//! is one that a build made.

mod inputs;
mod keep;
mod placed;
pub(crate) mod rebuild;

use std::io::Write as _;
use std::path::{Path, PathBuf};

pub(crate) use inputs::Inputs;
pub use keep::kept_folder;
pub(crate) use placed::{Placed, Placement};

use crate::build::unwritable;
use crate::problem::Problems;

/// The folder of all that editable installs keep, in a build folder.
pub(crate) fn folder(build_dir: &Path) -> PathBuf {
    build_dir.join("editable")
}

/// Writes a file of that folder, whole or not at all. Whoever may read the project may read it.
fn write(path: &Path, text: &[u8]) -> Result<(), Problems> {
    let folder = path.parent().unwrap_or(path);
    let written = || {
        std::fs::create_dir_all(folder)?;
        let mut new = tempfile::Builder::new();
        #[cfg(unix)]
        new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = new.tempfile_in(folder)?;
        file.write_all(text)?;
        file.persist(path).map_err(|error| error.error)
    };
    written().map(drop).map_err(|error| unwritable(path, &error))
}

/// Removes what builds in `build_dir` placed in the project at `root`, and gives the files that are
/// gone. Those that somebody has changed since then stay.
///
/// # Errors
/// When one can't be removed.
pub fn remove_placed(root: &Path, build_dir: &Path) -> Result<Vec<PathBuf>, Problems> {
    Placed::load(build_dir).remove_all(root, build_dir)
}
