//! The files that an archive will hold: collected from everybody first, checked for conflicts, then
//! written.
//!
//! A conflict is found when the second claim is made, so that the error can name both. Three things
//! conflict: the same path twice, a file where another path needs a folder, and paths that differ
//! only in case, because on Windows and macOS one of the files would silently replace the other.

use std::collections::{BTreeMap, HashMap};

use crate::{ArchivePath, Entry, Error};

/// Files by path, in the order of their paths, free of conflicts.
#[derive(Clone, Debug, Default)]
pub struct FileSet {
    entries: BTreeMap<ArchivePath, Entry>,
    /// Case-folded path → path.
    files: HashMap<String, ArchivePath>,
    /// Case-folded folder → the first file that was put below it.
    folders: HashMap<String, ArchivePath>,
}

impl FileSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or says with which earlier claim it conflicts; the set is then unchanged.
    ///
    /// Identical content doesn't settle a conflict: that two sources agree today is chance. The
    /// same claim made twice, with path and origin equal, is one claim, and the first stays.
    pub fn add(&mut self, entry: Entry) -> Result<(), Error> {
        let folded = ArchivePath::fold(entry.path.as_str());
        if let Some(earlier) = self.files.get(&folded).and_then(|path| self.entries.get(path)) {
            if earlier.path != entry.path {
                return Err(Error::CaseCollision {
                    first: earlier.path.clone(),
                    first_origin: earlier.origin.clone(),
                    second: entry.path,
                    second_origin: entry.origin,
                });
            }
            if earlier.origin == entry.origin {
                return Ok(());
            }
            return Err(Error::ClaimedTwice {
                path: entry.path,
                first: earlier.origin.clone(),
                second: entry.origin,
            });
        }
        if let Some(inside) = self.folders.get(&folded).and_then(|path| self.entries.get(path)) {
            return Err(Error::file_is_folder(&entry, inside));
        }
        let folders: Vec<String> = entry.path.folders().map(ArchivePath::fold).collect();
        if let Some(file) = folders
            .iter()
            .find_map(|folder| self.files.get(folder))
            .and_then(|path| self.entries.get(path))
        {
            return Err(Error::file_is_folder(file, &entry));
        }
        for folder in folders {
            self.folders.entry(folder).or_insert_with(|| entry.path.clone());
        }
        self.files.insert(folded, entry.path.clone());
        self.entries.insert(entry.path.clone(), entry);
        Ok(())
    }

    /// The file at exactly this path.
    pub fn get(&self, path: &ArchivePath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Whether there is a file at exactly this path.
    pub fn contains(&self, path: &ArchivePath) -> bool {
        self.entries.contains_key(path)
    }

    /// The files in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Origin;

    fn entry(path: &str, origin: &str) -> Entry {
        Entry::new(ArchivePath::new(path).unwrap(), "same", Origin::new(origin))
    }

    fn conflict(first: (&str, &str), second: (&str, &str)) -> String {
        let mut files = FileSet::new();
        files.add(entry(first.0, first.1)).unwrap();
        let error = files.add(entry(second.0, second.1)).unwrap_err();
        assert_eq!(files.len(), 1, "a refused claim must leave the set as it was");
        format!("{error}\nhint: {}", error.hint().unwrap_or_default())
    }

    #[test]
    fn two_claims_to_one_path_name_both() {
        insta::assert_snapshot!(
            conflict(("spam/x.txt", "package data src/spam/x.txt"), ("spam/x.txt", "command `generate`")),
            @r"
        `spam/x.txt` is claimed twice: by package data src/spam/x.txt and by command `generate`
        hint: leave the file out of one of the two, or give one of them another path
        "
        );
    }

    #[test]
    fn case_is_not_a_difference() {
        insta::assert_snapshot!(
            conflict(("spam/A.py", "module A"), ("spam/a.py", "module a")),
            @r"
        `spam/A.py` (module A) and `spam/a.py` (module a) differ only in case
        hint: on Windows and macOS one would replace the other: rename one of them
        "
        );
    }

    #[test]
    fn a_file_is_not_a_folder() {
        let expected =
            "`spam` (the file) is a file, but `spam/a.py` (the module) needs a folder of that name";
        assert!(conflict(("spam", "the file"), ("spam/a.py", "the module")).starts_with(expected));
        assert!(conflict(("spam/a.py", "the module"), ("spam", "the file")).starts_with(expected));
        assert!(conflict(("SPAM", "x"), ("spam/b/c", "y")).contains("is a file, but"));
    }

    #[test]
    fn one_claim_made_twice_is_one() {
        let mut files = FileSet::new();
        files.add(entry("a", "glob")).unwrap();
        files.add(entry("a", "glob")).unwrap();
        assert_eq!(files.len(), 1);
    }
}
