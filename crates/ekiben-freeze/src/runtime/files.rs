//! Files and folders, with errors that say which.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::digest;
use super::error::Error;

pub(super) fn create_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::io("create", path))
}

pub(super) fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::io("read", path))
}

pub(super) fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io("read", path))
}

/// Writes a file, in a folder that is made if need be.
pub(super) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    fs::write(path, content).map_err(Error::io("write", path))
}

/// Copies a file, into a folder that is made if need be; without copying its bytes where the file
/// system can do so.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    if let Some(folder) = to.parent() {
        create_folder(folder)?;
    }
    reflink_copy::reflink_or_copy(from, to).map(drop).map_err(Error::io("copy", from))?;
    let permissions = fs::metadata(from).map_err(Error::io("read", from))?.permissions();
    fs::set_permissions(to, permissions).map_err(Error::io("write", to))
}

/// Copies a folder with all that is in it.
pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<(), Error> {
    for entry in WalkDir::new(from) {
        let entry = entry.map_err(|error| Error::io("list", from)(error.into()))?;
        let target = match entry.path().strip_prefix(from) {
            Ok(rest) if rest.as_os_str().is_empty() => to.to_owned(),
            Ok(rest) => to.join(rest),
            // What a walk finds is below where it starts.
            Err(_) => continue,
        };
        if entry.file_type().is_dir() {
            create_folder(&target)?;
        } else {
            copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// The files below a folder, relative to it, sorted, by names with `/`.
pub(super) fn list(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut files = BTreeMap::new();
    for entry in WalkDir::new(folder) {
        let entry = entry.map_err(|error| Error::io("list", folder)(error.into()))?;
        if !entry.file_type().is_dir()
            && let Ok(rest) = entry.path().strip_prefix(folder)
        {
            let name = rest.to_str().ok_or_else(|| {
                Error::Internal(format!("{} isn't UTF-8", entry.path().display()))
            })?;
            files.insert(name.to_owned(), entry.into_path());
        }
    }
    Ok(files)
}

/// The digests of the files below a folder.
pub(super) fn digests(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    list(folder)?.into_iter().map(|(name, path)| Ok((name, digest::of_file(&path)?))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_copied_whole() {
        let work = tempfile::tempdir().unwrap();
        let (from, to) = (work.path().join("from"), work.path().join("to"));
        write(&from.join("a/b.txt"), "b").unwrap();
        write(&from.join("c.txt"), "c").unwrap();
        create_folder(&from.join("empty")).unwrap();
        copy_folder(&from, &to).unwrap();
        assert!(to.join("empty").is_dir());
        assert_eq!(list(&to).unwrap().into_keys().collect::<Vec<_>>(), ["a/b.txt", "c.txt"]);
        assert_eq!(digests(&from).unwrap(), digests(&to).unwrap());
        remove_folder(&to).unwrap();
        remove_folder(&to).unwrap();
        assert!(!to.exists());
    }
}
