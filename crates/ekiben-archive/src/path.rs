//! The path of a file inside an archive.
//!
//! Archives are unpacked on machines we don't know, by tools that join paths without looking, so a
//! path is checked once, here, and can't climb out of the folder it is unpacked into on any
//! platform. Text is kept as given: no Unicode normalisation, no change of case.

use std::fmt;

use crate::Error;

/// A relative path with `/` between its parts; see the module's rules.
///
/// Never empty, absolute, or with a drive; no part is empty, `.` or `..`; no backslash and no
/// control character. Ordered by its bytes, which is the order of files in an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchivePath(String);

impl ArchivePath {
    /// Checks `path`; the error says which rule it breaks.
    pub fn new(path: impl Into<String>) -> Result<Self, Error> {
        let path = path.into();
        match problem(&path) {
            None => Ok(Self(path)),
            Some(problem) => Err(Error::InvalidPath { path, problem }),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes, outermost first; never none.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folders this path lies in, outermost first, without a trailing slash.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// This path below `folder`.
    pub fn join(&self, below: &str) -> Result<Self, Error> {
        Self::new(format!("{}/{below}", self.0))
    }

    /// What keeps Windows from holding a file of this name, if anything does: worth a warning,
    /// since a wheel that is never installed there may have it.
    pub fn windows_problem(&self) -> Option<String> {
        self.parts().find_map(|part| {
            if let Some(character) = part.chars().find(|c| "<>:\"|?*".contains(*c)) {
                return Some(format!("`{part}` contains `{character}`"));
            }
            if part.ends_with(['.', ' ']) {
                return Some(format!("`{part}` ends in a dot or a space"));
            }
            let stem = part.split('.').next().unwrap_or(part).trim_end();
            is_device_name(stem).then(|| format!("`{stem}` is the name of a device"))
        })
    }

    /// The same text for two paths that a file system which ignores case can't tell apart.
    pub(crate) fn fold(path: &str) -> String {
        path.to_lowercase()
    }
}

fn problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.contains('\\') {
        return Some("it contains a backslash; parts are separated by `/`");
    }
    if path.chars().any(char::is_control) {
        return Some("it contains a control character");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.ends_with('/') {
        return Some("it ends in `/`, which would make it a folder");
    }
    let bytes = path.as_bytes();
    if bytes[0].is_ascii_alphabetic() && bytes.get(1) == Some(&b':') {
        return Some("it starts with a drive");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("it has an empty part"),
        "." => Some("it has the part `.`"),
        ".." => Some("it has the part `..`"),
        _ => None,
    })
}

fn is_device_name(stem: &str) -> bool {
    let upper = stem.to_ascii_uppercase();
    matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || (upper.len() == 4
            && (upper.starts_with("COM") || upper.starts_with("LPT"))
            && matches!(upper.as_bytes()[3], b'1'..=b'9'))
}

impl fmt::Display for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ArchivePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ArchivePath {
    type Error = Error;

    fn try_from(path: &str) -> Result<Self, Error> {
        Self::new(path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_that_could_leave_the_folder_are_refused() {
        for bad in [
            "", "/a", "a/", "a//b", "./a", "a/./b", "../a", "a/..", "a\\b", "C:/a", "c:a", "a\0b",
            "a\nb",
        ] {
            assert!(ArchivePath::new(bad).is_err(), "{bad:?} was accepted");
        }
        for good in ["a", "a/b.py", "a b/ü.txt", "a..b", "...", "a,b\"c"] {
            assert_eq!(ArchivePath::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn the_error_says_which_rule() {
        insta::assert_snapshot!(
            ArchivePath::new("spam/../eggs").unwrap_err(),
            @"`spam/../eggs` can't be a path inside an archive: it has the part `..`"
        );
    }

    #[test]
    fn folders_come_outermost_first() {
        let path = ArchivePath::new("a/b/c.txt").unwrap();
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(path.file_name(), "c.txt");
        assert_eq!(ArchivePath::new("a").unwrap().folders().count(), 0);
    }

    #[test]
    fn names_windows_cannot_hold() {
        let problem = |path| ArchivePath::new(path).unwrap().windows_problem();
        assert_eq!(problem("a/aux.h").as_deref(), Some("`aux` is the name of a device"));
        assert_eq!(problem("a/what?").as_deref(), Some("`what?` contains `?`"));
        assert_eq!(problem("a./b").as_deref(), Some("`a.` ends in a dot or a space"));
        assert_eq!(problem("COM1"), Some("`COM1` is the name of a device".into()));
        assert_eq!(problem("compact/auxiliary.h"), None);
    }
}
