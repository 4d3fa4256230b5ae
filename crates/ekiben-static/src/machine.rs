//! What the machine's package manager knows of its libraries: the packages that they came with, and where
//! the texts of their licences are. Only dpkg is asked, on Debian and its kin; elsewhere nothing is known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where Debian has the texts, by packages.
const TEXTS: &str = "/usr/share/doc";

/// A package of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name and version.
    pub name: String,
    /// The text of its licences, if it is there.
    pub licences: Option<PathBuf>,
}

/// The packages that files came with, by the files' paths as they are given.
#[must_use]
pub fn packages<'a>(paths: impl IntoIterator<Item = &'a Path>) -> BTreeMap<&'a Path, Package> {
    let known: Vec<(&Path, Vec<String>)> =
        paths.into_iter().map(|path| (path, spellings(path))).collect();
    let asked: Vec<&str> = known.iter().flat_map(|(_, all)| all).map(String::as_str).collect();
    if asked.is_empty() {
        return BTreeMap::new();
    }
    let owners = owners(&ask("--search", &asked));
    let mut names: Vec<&str> = owners.values().map(String::as_str).collect();
    names.dedup();
    if names.is_empty() {
        return BTreeMap::new();
    }
    let versions = ask("--showformat=${Package} ${Version}\n", &[&["--show"], &names[..]].concat());
    let package = |owner: &String| {
        let start = format!("{owner} ");
        let name = versions.lines().find(|line| line.starts_with(&start)).unwrap_or(owner);
        let text = Path::new(TEXTS).join(owner).join("copyright");
        Package { name: name.to_owned(), licences: text.is_file().then_some(text) }
    };
    let found = known.into_iter().filter_map(|(path, spellings)| {
        let owner = spellings.iter().find_map(|path| owners.get(path))?;
        Some((path, package(owner)))
    });
    found.collect()
}

/// The package that a file came with, which may be meant by a pattern of the shell's.
#[must_use]
pub fn owner(path: &str) -> Option<String> {
    owners(&ask("--search", &[path])).into_values().next()
}

/// The paths by which the package manager may know a file: where links lead to, and, since `/lib` became a
/// link, where it was before.
fn spellings(path: &Path) -> Vec<String> {
    let mut all = vec![path.to_string_lossy().into_owned()];
    if let Ok(real) = path.canonicalize() {
        let real = real.to_string_lossy().into_owned();
        let old = real.strip_prefix("/usr").map(str::to_owned);
        all.extend(std::iter::once(real).chain(old));
    }
    all.dedup();
    all
}

/// What dpkg says; nothing where it isn't there. What it doesn't know it passes over.
fn ask(how: &str, words: &[&str]) -> String {
    let mut query = Command::new("dpkg-query");
    query.arg(how).args(words).env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null());
    let output = query.output();
    output.map_or_else(|_| String::new(), |it| String::from_utf8_lossy(&it.stdout).into_owned())
}

/// Packages by paths, from lines such as `zlib1g-dev:amd64: /usr/lib/libz.a`.
fn owners(text: &str) -> BTreeMap<String, String> {
    let owner = |line: &str| {
        let (packages, path) = line.split_once(": ")?;
        let package = packages.split([':', ',']).next()?;
        Some((path.to_owned(), package.to_owned()))
    };
    text.lines().filter_map(owner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_told_from_paths() {
        let text =
            "zlib1g-dev:amd64: /usr/lib/libz.a\nuuid-dev, other:amd64: /usr/lib/libuuid.a\nx\n";
        let expected = [("/usr/lib/libz.a", "zlib1g-dev"), ("/usr/lib/libuuid.a", "uuid-dev")];
        let expected = expected.map(|(path, name)| (path.to_owned(), name.to_owned()));
        assert_eq!(owners(text), BTreeMap::from(expected));
    }

    #[test]
    fn what_no_package_has_is_in_none() {
        let nowhere = Path::new("/no/such/libx.a");
        assert_eq!(packages([nowhere]), BTreeMap::new());
        assert_eq!(packages([]), BTreeMap::new());
    }
}
