//! The texts at a project's root: readmes and licences.

use std::fs;
use std::path::Path;

/// Larger ones aren't read: they are neither.
const LARGEST: u64 = 1 << 20;

/// Names that readmes, changes and licences begin with, in capitals.
const STARTS: [&str; 12] = [
    "README",
    "READ",
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "CHANGES",
    "CHANGELOG",
    "HISTORY",
    "NEWS",
    "DESCRIPTION",
    "AUTHORS",
];

/// Paths and texts, readmes and licences first by their names.
pub(crate) fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|m| m.is_file() && m.len() <= LARGEST))
        .filter_map(|entry| {
            let name = entry.file_name().to_str()?.to_owned();
            let upper = name.to_uppercase();
            if !STARTS.iter().any(|start| upper.starts_with(start)) {
                return None;
            }
            Some((name, fs::read_to_string(entry.path()).ok()?))
        })
        .collect();
    let rank = |name: &str| STARTS.iter().position(|start| name.to_uppercase().starts_with(start));
    all.sort_by(|one, other| (rank(&one.0), &one.0).cmp(&(rank(&other.0), &other.0)));
    all
}

/// Whether a name is one that licences go by.
pub(crate) fn is_license(name: &str) -> bool {
    let upper = name.to_uppercase();
    ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT"].iter().any(|start| upper.starts_with(start))
}

/// The version in `PKG-INFO`, which a source distribution has.
pub(crate) fn version_of_sdist(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join("PKG-INFO")).ok()?;
    let headers = text.lines().take_while(|line| !line.is_empty());
    let mut versions = headers.filter_map(|line| line.strip_prefix("Version: "));
    versions.next().map(|version| version.trim().to_owned())
}
