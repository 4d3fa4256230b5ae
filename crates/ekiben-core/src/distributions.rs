//! The distributions that are installed for the build: what `build-system.requires` brought.
//!
//! They are found by their `.dist-info` folders, as `importlib.metadata` finds them, without
//! starting an interpreter. Where they lie changes with every isolated build; what they are doesn't,
//! and is told by the digest of their RECORD, which lists each file with its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ekiben_archive::headers;
use ekiben_engine::Digest;

/// An installed distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// As its metadata spell it.
    pub(crate) name: String,
    pub(crate) version: String,
    /// What it requires where no extra is asked for, as PEP 508 spells it.
    pub(crate) requires: Vec<String>,
    /// Of what its RECORD says of its own files or, of one without, of its metadata.
    pub(crate) digest: Digest,
    /// The folder that its packages lie in.
    pub(crate) folder: PathBuf,
    /// Its `.dist-info`.
    pub(crate) info: PathBuf,
}

/// Where distributions lie, by normalized name; the first place that has one wins, as on `sys.path`.
#[derive(Debug, Default)]
pub(crate) struct Distributions(BTreeMap<String, PathBuf>);

impl Distributions {
    /// Those in `places`. Folders that can't be listed hold none.
    pub(crate) fn in_places(places: &[PathBuf]) -> Self {
        let mut found = BTreeMap::new();
        for place in places {
            for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
                let file_name = entry.file_name();
                let Some(stem) = file_name.to_str().and_then(|n| n.strip_suffix(".dist-info"))
                else {
                    continue;
                };
                let Some((name, _version)) = stem.rsplit_once('-') else { continue };
                found.entry(normalized(name)).or_insert_with(|| entry.path());
            }
        }
        Self(found)
    }

    /// The distribution of that name, unless its metadata can't be read.
    pub(crate) fn get(&self, name: &str) -> Option<Distribution> {
        let info = self.0.get(&normalized(name))?;
        let metadata = std::fs::read_to_string(info.join("METADATA")).ok()?;
        let headers = |key| headers(&metadata, key).map(ToOwned::to_owned);
        let is_for_extra = |requirement: &String| {
            requirement.split_once(';').is_some_and(|(_, marker)| marker.contains("extra"))
        };
        let record = std::fs::read_to_string(info.join("RECORD"));
        let identity = record.map_or_else(|_| metadata.clone(), |record| lasting(&record));
        Some(Distribution {
            name: headers("Name").next()?,
            version: headers("Version").next()?,
            requires: headers("Requires-Dist").filter(|text| !is_for_extra(text)).collect(),
            digest: Digest::of(identity.as_bytes()),
            folder: info.parent().map(Path::to_owned)?,
            info: info.clone(),
        })
    }
}

/// The lines of a RECORD that are the same wherever the distribution is installed. Scripts have the
/// interpreter's path in them, installers leave notes of their own, and not all of them compile.
fn lasting(record: &str) -> String {
    let notes = ["INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "RECORD"];
    let lasts = |line: &&str| {
        let path = line.split(',').next().unwrap_or(line);
        let is_note = path
            .rsplit_once('/')
            .is_some_and(|(folder, name)| folder.ends_with(".dist-info") && notes.contains(&name));
        !path.starts_with("../")
            && !path.starts_with('/')
            && !path.contains("__pycache__")
            && !is_note
    };
    record.lines().filter(lasts).flat_map(|line| [line, "\n"]).collect()
}

/// The name that a requirement (PEP 508) begins with, normalized.
pub(crate) fn required_name(requirement: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = requirement.find(|c: char| !is_part(c)).unwrap_or(requirement.len());
    normalized(requirement.get(..end).unwrap_or_default())
}

/// A name as PEP 503 compares names.
fn normalized(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        let separates = matches!(character, '-' | '_' | '.');
        if !separates {
            normal.push(character.to_ascii_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn install(place: &Path, folder: &str, name: &str, version: &str, record: Option<&str>) {
        let info = place.join(format!("{folder}.dist-info"));
        std::fs::create_dir_all(&info).unwrap();
        let metadata =
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: no\n");
        std::fs::write(info.join("METADATA"), metadata).unwrap();
        if let Some(record) = record {
            std::fs::write(info.join("RECORD"), record).unwrap();
        }
    }

    #[test]
    fn the_first_place_wins_and_names_are_normalized() {
        let scratch = tempfile::tempdir().unwrap();
        let (first, second) = (scratch.path().join("1"), scratch.path().join("2"));
        install(&first, "Typing_Extensions-4.1", "Typing.Extensions", "4.1", Some("a\n"));
        install(&second, "typing_extensions-4.2", "typing_extensions", "4.2", Some("b\n"));
        install(&second, "cython-3.0", "Cython", "3.0", None);
        let places = [first.clone(), second.clone(), scratch.path().join("missing")];
        let all = Distributions::in_places(&places);
        let found = all.get("typing-extensions").unwrap();
        assert_eq!((&*found.name, &*found.version), ("Typing.Extensions", "4.1"));
        assert_eq!(found.folder, first);
        assert_eq!(all.get("CYTHON").unwrap().folder, second);
        assert_eq!(all.get("numpy"), None);
    }

    #[test]
    fn what_installing_adds_is_no_part_of_a_distribution() {
        let own = "a/b.py,sha256=1,1\na-1.dist-info/METADATA,sha256=2,2\n";
        let added = "../../../bin/a,sha256=3,3\na/__pycache__/b.cpython-313.pyc,,\n\
                     a-1.dist-info/INSTALLER,sha256=4,4\na-1.dist-info/RECORD,,\n";
        assert_eq!(lasting(&format!("{own}{added}")), own);
    }

    #[test]
    fn requirements_begin_with_a_name() {
        for text in ["Typing_Extensions>=4", "typing.extensions [x]; python_version>'3'"] {
            assert_eq!(required_name(text), "typing-extensions");
        }
    }

    #[test]
    fn another_record_is_another_distribution() {
        let scratch = tempfile::tempdir().unwrap();
        let digest = |record| {
            install(scratch.path(), "a-1", "a", "1", Some(record));
            Distributions::in_places(&[scratch.path().to_owned()]).get("a").unwrap().digest
        };
        assert_ne!(digest("a.py,sha256=1,1\n"), digest("a.py,sha256=2,1\n"));
    }
}
