//! [`Inputs`]: what the result of a search for modules depended on, by content.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ekiben_engine::Digest;
use serde::{Deserialize, Serialize};

use super::Error;

/// Files by what is in them, and folders by the names in them.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    files: BTreeMap<PathBuf, Digest>,
    folders: BTreeMap<PathBuf, (Names, Digest)>,
}

/// Which names in a folder matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Names {
    /// All of them.
    All,
    /// Those of folders, and of files that may be modules or name search folders.
    OfModules,
}

impl Inputs {
    /// Reads a file, and remembers what was in it.
    pub(crate) fn read(&mut self, path: &Path) -> Result<Vec<u8>, Error> {
        let content = fs::read(path).map_err(Error::io("read", path))?;
        self.is(path, &content);
        Ok(content)
    }

    /// Remembers what was in a file.
    pub(crate) fn is(&mut self, path: &Path, content: &[u8]) {
        self.files.insert(path.to_owned(), Digest::of(content));
    }

    /// Remembers what is in a folder.
    pub(crate) fn folder(&mut self, path: &Path, names: Names) {
        self.folders.insert(path.to_owned(), (names, names_in(path, names)));
    }

    /// Whether everything is as it was.
    pub(crate) fn hold(&self) -> bool {
        self.folders.iter().all(|(path, (names, digest))| names_in(path, *names) == *digest)
            && self.files.iter().all(|(path, digest)| {
                fs::read(path).is_ok_and(|content| Digest::of(&content) == *digest)
            })
    }
}

/// The digest of the names in a folder, each with whether it is a folder; of no names if there is none.
/// Those that running a program adds don't count.
fn names_in(folder: &Path, which: Names) -> Digest {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        };
        let name = entry.file_name().into_encoded_bytes();
        let matters = which == Names::All
            || is_folder
            || [&b".py"[..], b".so", b".o", b".pth"].iter().any(|end| name.ends_with(end));
        if matters && name != b"__pycache__" {
            names.push((name, is_folder));
        }
    }
    names.sort();
    let mut text = Vec::new();
    for (name, is_folder) in names {
        text.extend_from_slice(&name);
        text.extend_from_slice(&[0, u8::from(is_folder)]);
    }
    Digest::of(&text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn changed_content_and_new_names_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.py");
        fs::write(&file, "1").unwrap();
        let mut inputs = Inputs::default();
        assert_eq!(inputs.read(&file).unwrap(), b"1");
        inputs.folder(folder.path(), Names::OfModules);
        inputs.folder(&folder.path().join("b"), Names::All);
        assert!(inputs.hold());
        fs::create_dir(folder.path().join("__pycache__")).unwrap();
        fs::write(folder.path().join("program"), "").unwrap();
        assert!(inputs.hold());
        fs::write(&file, "2").unwrap();
        assert!(!inputs.hold());
        fs::write(&file, "1").unwrap();
        assert!(inputs.hold());
        fs::create_dir(folder.path().join("b")).unwrap();
        assert!(!inputs.hold());
    }
}
