//! [`Sources`]: which source distributions packages may be built from, as a lock or a requirements file
//! with hashes has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ekiben_archive::normalize_name;

use super::{Error, pylock};

/// How requirements files say a digest.
const HASH: &str = "--hash=sha256:";

/// The SHA-256 of what packages may be made from, by name in normal form and version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<(String, String), Vec<String>>);

impl Sources {
    /// Those that a file has. In a requirements file, wheels are among them.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn of(file: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
        match pylock::is_name_of_one(file) {
            true => pylock::sources(file, &text).map(Self),
            false => Ok(Self(of_requirements(&text))),
        }
    }

    /// Those of a version of a package; none if its source may be any. If there is none to be had, the
    /// list is empty.
    #[must_use]
    pub fn get(&self, name: &str, version: &str) -> Option<&[String]> {
        let key = (normalize_name(name), version.to_owned());
        self.0.get(&key).map(Vec::as_slice)
    }
}

fn of_requirements(text: &str) -> BTreeMap<(String, String), Vec<String>> {
    let mut sources: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
        let (requirement, hashes) = line.split_once(HASH).unwrap_or((line, ""));
        let Some((name, rest)) = requirement.split_once("==") else { continue };
        let name = name.split('[').next().unwrap_or(name).trim();
        let version =
            rest.split(|c: char| c.is_whitespace() || ";,".contains(c)).find(|it| !it.is_empty());
        // What follows each but the last is the word before the next.
        let hashes = hashes.split(HASH).filter_map(|rest| rest.split_whitespace().next());
        let hashes: Vec<String> = hashes.map(str::to_lowercase).collect();
        if let Some(version) = version.filter(|_| !hashes.is_empty()) {
            sources.entry((normalize_name(name), version.to_owned())).or_default().extend(hashes);
        }
    }
    sources
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn requirements_with_hashes_name_what_may_be_taken() {
        let text = "# a comment\n\
            Spam_Eggs[fast]==1.0 ; python_version >= \"3.8\" \\\n    --hash=sha256:AA \\\n    \
            --hash=sha256:bb\n    # via something\n\
            ham == 2.0 --hash=sha256:cc\nany==3\nopen>=1 --hash=sha256:dd\n";
        let sources = Sources(of_requirements(text));
        assert_eq!(sources.get("spam.eggs", "1.0").unwrap(), ["aa", "bb"]);
        assert_eq!(sources.get("ham", "2.0").unwrap(), ["cc"]);
        for (name, version) in [("spam-eggs", "1.1"), ("any", "3"), ("open", "1")] {
            assert_eq!(sources.get(name, version), None, "{name}");
        }
    }

    #[test]
    fn locks_say_which_files_are_sources() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pylock.toml");
        let text = "lock-version = \"1.0\"\n[[packages]]\nname = \"spam\"\nversion = \"1.0\"\n\
            wheels = [{ hashes = { sha256 = \"aa\" } }]\nsdist = { hashes = { sha256 = \"BB\" } }\n\
            [[packages]]\nname = \"ham\"\nversion = \"2.0\"\n\
            wheels = [{ hashes = { sha256 = \"cc\" } }]\n";
        fs::write(&file, text).unwrap();
        let sources = Sources::of(&file).unwrap();
        assert_eq!(sources.get("spam", "1.0").unwrap(), ["bb"]);
        assert!(sources.get("ham", "2.0").unwrap().is_empty());
    }
}
