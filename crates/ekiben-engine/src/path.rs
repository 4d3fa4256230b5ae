//! Paths as actions name them: relative to a root, so that nothing in a key says where the tree lies.
//!
//! A path is parsed once, where it enters ([`RelPath::new`], [`SystemPath::new`]); after that it is known to be
//! normalised, UTF-8 and, for a [`RelPath`], to stay beneath its root. Normalising is lexical: no file is looked at.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why some text isn't a path the engine takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing, or a NUL.
    #[error("`{0}` is not a path: it is empty or holds a NUL character")]
    Malformed(String),
    /// Absolute where a relative path is needed.
    #[error("`{0}` is absolute; a path relative to the source or build folder is needed")]
    Absolute(String),
    /// Climbs out of its root.
    #[error("`{0}` leads out of its folder through `..`")]
    Escapes(String),
    /// Relative where an absolute path is needed.
    #[error("`{0}` is relative; an absolute path is needed")]
    Relative(String),
    /// Not UTF-8.
    #[error("`{}` is not UTF-8, so it can't be named in a build", .0.display())]
    NotUtf8(PathBuf),
}

/// A path beneath a root: relative, `/`-separated, with no `.`, `..` or empty component. The root itself is `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelPath(Arc<str>);

impl RelPath {
    /// Normalises `text`; `a/../b` becomes `b`, `./a//b` becomes `a/b`.
    ///
    /// # Errors
    /// When it is empty, absolute, or leads out of the root.
    pub fn new(text: &str) -> Result<Self, PathError> {
        if text.is_empty() || text.contains('\0') {
            return Err(PathError::Malformed(text.to_owned()));
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        // The usual case, and what every stored path is: nothing to do.
        if text.split('/').all(|part| !matches!(part, "" | "." | "..")) {
            return Ok(Self(text.into()));
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_none() => return Err(PathError::Escapes(text.to_owned())),
                ".." => {}
                part => parts.push(part),
            }
        }
        Ok(Self(parts.join("/").into()))
    }

    /// The root itself.
    #[must_use]
    pub fn root() -> Self {
        Self("".into())
    }

    /// Whether this is the root itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The normalised text; `.` for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if self.is_root() { "." } else { &self.0 }
    }

    /// This path with `rest` beneath it.
    ///
    /// # Errors
    /// As [`RelPath::new`]; `..` in `rest` may climb to the root, not out of it.
    pub fn join(&self, rest: &str) -> Result<Self, PathError> {
        if rest.starts_with('/') {
            return Err(PathError::Absolute(rest.to_owned()));
        }
        Self::new(&format!("{}/{rest}", self.as_str()))
    }

    /// The folder this is in; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).into()))
    }

    /// The last component; none for the root.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// What remains of this path below `folder`, when it lies there.
    #[must_use]
    pub fn below(&self, folder: &Self) -> Option<&str> {
        if folder.is_root() {
            return (!self.is_root()).then_some(&*self.0);
        }
        self.0.strip_prefix(&*folder.0)?.strip_prefix('/')
    }

    /// Where this is under `root`.
    #[must_use]
    pub fn under(&self, root: &Path) -> PathBuf {
        if self.is_root() { root.to_owned() } else { root.join(&*self.0) }
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl FromStr for RelPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl TryFrom<String> for RelPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(&text)
    }
}

impl From<RelPath> for String {
    fn from(path: RelPath) -> Self {
        path.as_str().to_owned()
    }
}

/// An absolute, UTF-8 path outside the build's own folders, such as a system header.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "PathBuf", into = "String")]
pub struct SystemPath(Arc<str>);

impl SystemPath {
    /// Takes an absolute path. `..` stays where it is: beyond a symbolic link it means something else than it says.
    ///
    /// # Errors
    /// When it is relative, or not UTF-8.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, PathError> {
        let path = path.as_ref();
        let text = path.to_str().ok_or_else(|| PathError::NotUtf8(path.to_owned()))?;
        if text.contains('\0') {
            return Err(PathError::Malformed(text.to_owned()));
        }
        if !path.is_absolute() {
            return Err(PathError::Relative(text.to_owned()));
        }
        if text[1..].split('/').all(|part| !matches!(part, "" | ".")) {
            return Ok(Self(text.into()));
        }
        let normal: PathBuf = path.components().collect();
        Ok(Self(normal.to_str().unwrap_or(text).into()))
    }

    /// The path's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }
}

impl fmt::Display for SystemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SystemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl TryFrom<PathBuf> for SystemPath {
    type Error = PathError;

    fn try_from(path: PathBuf) -> Result<Self, PathError> {
        Self::new(path)
    }
}

impl From<SystemPath> for String {
    fn from(path: SystemPath) -> Self {
        path.0.as_ref().to_owned()
    }
}

/// One of the two folders a build knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Root {
    /// The project's folder; every process runs in it.
    Source,
    /// The folder for outputs.
    Build,
}

/// Where a file is, independent of where the two roots lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// Under the source root.
    Source(RelPath),
    /// Under the build root.
    Build(RelPath),
    /// Anywhere else.
    System(SystemPath),
}

impl Location {
    /// What remains of this location below the folder `folder`, when it lies there.
    #[must_use]
    pub fn below<'a>(&'a self, folder: &Self) -> Option<&'a str> {
        match (self, folder) {
            (Self::Source(path), Self::Source(folder))
            | (Self::Build(path), Self::Build(folder)) => path.below(folder),
            (Self::System(path), Self::System(folder)) => {
                let folder = folder.as_str();
                let rest = path.as_str().strip_prefix(folder)?;
                if folder.ends_with('/') { Some(rest) } else { rest.strip_prefix('/') }
            }
            _ => None,
        }
    }

    /// The location of `rest` beneath this folder.
    ///
    /// # Errors
    /// When `rest` is absolute or leads out of the root.
    pub fn join(&self, rest: &str) -> Result<Self, PathError> {
        Ok(match self {
            Self::Source(path) => Self::Source(path.join(rest)?),
            Self::Build(path) => Self::Build(path.join(rest)?),
            Self::System(path) => Self::System(SystemPath::new(path.as_path().join(rest))?),
        })
    }

    /// The folder this is in.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Source(path) => path.parent().map(Self::Source),
            Self::Build(path) => path.parent().map(Self::Build),
            Self::System(path) => SystemPath::new(path.as_path().parent()?).ok().map(Self::System),
        }
    }

    /// How the location is written in keys: `source:src/a.c`. No two locations share a spelling.
    pub(crate) fn symbolic(&self) -> String {
        match self {
            Self::Source(path) => format!("source:{path}"),
            Self::Build(path) => format!("build:{path}"),
            Self::System(path) => format!("system:{path}"),
        }
    }

    /// The location that [`Location::symbolic`] wrote; none if it didn't.
    pub(crate) fn from_symbolic(text: &str) -> Option<Self> {
        let (root, path) = text.split_once(':')?;
        match root {
            "source" => RelPath::new(path).ok().map(Self::Source),
            "build" => RelPath::new(path).ok().map(Self::Build),
            "system" => SystemPath::new(path).ok().map(Self::System),
            _ => None,
        }
    }
}

/// The path without the name of its root: what a person calls the file.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(path) | Self::Build(path) => path.fmt(f),
            Self::System(path) => path.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normalises() {
        for (text, normal) in [
            ("a/b", "a/b"),
            ("./a//b/", "a/b"),
            ("a/../b", "b"),
            (".", "."),
            ("a/..", "."),
            ("..a", "..a"),
        ] {
            assert_eq!(RelPath::new(text).unwrap().as_str(), normal, "{text}");
        }
    }

    #[test]
    fn refuses() {
        assert_eq!(RelPath::new(""), Err(PathError::Malformed(String::new())));
        assert_eq!(RelPath::new("/etc"), Err(PathError::Absolute("/etc".into())));
        assert_eq!(RelPath::new("a/../../b"), Err(PathError::Escapes("a/../../b".into())));
        assert_eq!(SystemPath::new("a"), Err(PathError::Relative("a".into())));
    }

    #[test]
    fn relations() {
        let path = RelPath::new("include/sub/x.h").unwrap();
        assert_eq!(path.below(&RelPath::new("include").unwrap()), Some("sub/x.h"));
        assert_eq!(path.below(&RelPath::new("inc").unwrap()), None);
        assert_eq!(path.below(&RelPath::root()), Some("include/sub/x.h"));
        assert_eq!(path.parent().unwrap().as_str(), "include/sub");
        assert_eq!(RelPath::new("a").unwrap().parent(), Some(RelPath::root()));
        assert_eq!(RelPath::root().parent(), None);
        assert_eq!(path.under(Path::new("/r")), Path::new("/r/include/sub/x.h"));
        let usr = Location::System(SystemPath::new("/usr/include").unwrap());
        let header = Location::System(SystemPath::new("/usr/include/stdio.h").unwrap());
        assert_eq!(header.below(&usr), Some("stdio.h"));
        assert_eq!(usr.join("stdio.h").unwrap(), header);
        assert_eq!(header.parent().unwrap(), usr);
        for location in [header, Location::Build(path), Location::Source(RelPath::root())] {
            assert_eq!(Location::from_symbolic(&location.symbolic()), Some(location));
        }
        assert_eq!(Location::from_symbolic("elsewhere:x"), None);
    }

    proptest! {
        #[test]
        fn new_never_escapes(text in "[a/.]{0,12}") {
            if let Ok(path) = RelPath::new(&text) {
                prop_assert!(!path.as_str().split('/').any(|part| part.is_empty() || part == ".."));
                prop_assert_eq!(RelPath::new(path.as_str()).unwrap(), path);
            }
        }
    }
}
