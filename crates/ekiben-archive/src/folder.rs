//! Writing the files of an archive into a folder: an unpacked wheel, an editable one, a sdist to
//! build from.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::{ArchivePath, ArchiveWriter, Error, Member, Written};

/// Writes below one folder, and nowhere else: an existing file is replaced rather than written
/// into, and a symbolic link in the way of a folder is refused.
#[derive(Debug)]
pub struct FolderWriter {
    root: PathBuf,
    written: Vec<PathBuf>,
    /// Folders below `root` that are known to be there and to be folders.
    folders: HashSet<PathBuf>,
}

impl FolderWriter {
    /// Writes below `root`, which is created when the first file is.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), written: Vec::new(), folders: HashSet::new() }
    }

    /// The paths of the files that were written, in order, each starting with the root.
    pub fn finish(self) -> Vec<PathBuf> {
        self.written
    }

    fn create(&mut self, path: &ArchivePath, mode: u32) -> io::Result<(PathBuf, File)> {
        fs::create_dir_all(&self.root)?;
        for folder in path.folders() {
            let folder = native(&self.root, folder);
            if !self.folders.contains(&folder) {
                create_folder(&folder)?;
                self.folders.insert(folder);
            }
        }
        let target = native(&self.root, path.as_str());
        match fs::remove_file(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = File::create_new(&target)?;
        set_mode(&file, mode)?;
        Ok((target, file))
    }
}

impl ArchiveWriter for FolderWriter {
    fn write(&mut self, member: &Member<'_>) -> Result<Written, Error> {
        let (target, mut file) = self
            .create(member.path, member.mode())
            .map_err(|source| Error::Write { path: member.path.clone(), source })?;
        let written = member.copy_to(&mut file)?;
        self.written.push(target);
        Ok(written)
    }
}

fn native(root: &Path, path: &str) -> PathBuf {
    path.split('/').fold(root.to_owned(), |folder, part| folder.join(part))
}

fn create_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::symlink_metadata(folder)?.is_dir() {
                Ok(())
            } else {
                let problem = format!("`{}` is in the way and isn't a folder", folder.display());
                Err(io::Error::new(io::ErrorKind::NotADirectory, problem))
            }
        }
        result => result,
    }
}

/// Exactly this mode, whatever the umask.
#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Content, Origin};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn write(root: &Path, path: &str, content: &str) -> Result<Vec<PathBuf>, Error> {
        let mut writer = FolderWriter::new(root);
        writer.write(&Member {
            path: &ArchivePath::new(path).unwrap(),
            content: &Content::from(content),
            executable: true,
            origin: &Origin::new("a test"),
        })?;
        Ok(writer.finish())
    }

    #[test]
    fn files_have_their_mode_and_replace_older_ones() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("new");
        let first = write(&below, "a/b/run", "long content").unwrap();
        assert_eq!(first, [below.join("a").join("b").join("run")]);
        write(&below, "a/b/run", "short").unwrap();
        assert_eq!(fs::read_to_string(&first[0]).unwrap(), "short");
        assert_eq!(fs::metadata(&first[0]).unwrap().permissions().mode() & 0o7777, 0o755);
    }

    #[test]
    fn links_lead_nowhere() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("kept"), "kept").unwrap();
        symlink(outside.path(), root.path().join("folder")).unwrap();
        symlink(outside.path().join("kept"), root.path().join("file")).unwrap();
        assert!(write(root.path(), "folder/x", "x").is_err());
        write(root.path(), "file", "replaced").unwrap();
        assert_eq!(fs::read_to_string(outside.path().join("kept")).unwrap(), "kept");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }
}
