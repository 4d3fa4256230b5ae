//! Hints: what packages import and read in ways that can't be seen in their code.
//!
//! `hints/*.toml` holds those that Ekiben knows; `hints/README.md` says what can be in them. A user's
//! own lie in folders of the same form, and replace ours of the same module.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;

macro_rules! known {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("hints/", $name, ".toml")))),*]
    };
}

/// Files of hints that are part of Ekiben, by the package they are about.
pub(super) const KNOWN: &[(&str, &str)] = known![
    "PIL",
    "_pytest",
    "black",
    "blib2to3",
    "cffi",
    "charset_normalizer",
    "click",
    "defusedxml",
    "dns",
    "docutils",
    "faker",
    "flask",
    "gunicorn",
    "httpie",
    "jinja2",
    "llvmlite",
    "markdown",
    "markupsafe",
    "mistune",
    "multidict",
    "numpy",
    "passlib",
    "phonenumbers",
    "pip",
    "platformdirs",
    "pluggy",
    "pycountry",
    "pygments",
    "pytest",
    "python",
    "requests",
    "rich",
    "setuptools",
    "six",
    "sqlalchemy",
    "textual",
    "uvicorn",
    "websockets",
    "werkzeug",
    "zmq",
];

/// Hints, by the module that they are about.
pub(crate) type Hints = BTreeMap<String, Hint>;

/// What holds if a module is part of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Hint {
    #[serde(default, skip_serializing)]
    #[allow(
        dead_code,
        reason = "it is there to be read in the file, and may be nothing else than text"
    )]
    why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    imports: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entry_points: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metadata: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    data: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    no_data: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    r#virtual: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    optional: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unused: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    only_for: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    replace: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reads_files: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compiled: Option<bool>,
}

/// Ekiben's hints, with those in `folders` over them. The files of some packages are there to be read.
pub(crate) fn load(folders: &[PathBuf], files_are_there: &[String]) -> Result<Hints, Error> {
    let mut hints = Hints::new();
    for (name, text) in KNOWN {
        hints.append(&mut parse(Path::new(&format!("hints/{name}.toml")), text)?);
    }
    for folder in folders {
        let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::io("read", folder))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
        files.sort();
        for path in files {
            let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
            hints.append(&mut parse(&path, &text)?);
        }
    }
    for package in files_are_there {
        hints.entry(package.clone()).or_default().reads_files = Some(false);
    }
    Ok(hints)
}

fn parse(path: &Path, text: &str) -> Result<Hints, Error> {
    toml::from_str(text)
        .map_err(|error| Error::Text { path: path.to_owned(), message: error.to_string() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ekibens_own_can_be_read_and_are_all_there() {
        let hints = load(&[], &[]).unwrap();
        assert_eq!(hints["pygments.lexers"].imports.as_deref().unwrap(), ["pygments.lexers.*"]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/program/hints");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                Some(name.strip_suffix(".toml")?.to_owned())
            })
            .collect();
        files.sort();
        assert_eq!(files, KNOWN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        // Each file is about the package that it is named after.
        for (name, text) in KNOWN.iter().filter(|(name, _)| *name != "python") {
            for module in parse(Path::new(name), text).unwrap().keys() {
                assert_eq!(module.split('.').next(), Some(*name));
            }
        }
    }

    #[test]
    fn a_users_hints_replace_ours_and_mistakes_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, "[\"pygments.lexers\"]\nimports = []\n").unwrap();
        let hints = load(&[folder.path().to_owned()], &[]).unwrap();
        assert_eq!(hints["pygments.lexers"].imports.as_deref(), Some(&[][..]));
        assert!(hints.contains_key("pygments.styles"));

        fs::write(&path, "[spam]\nimport = [\"eggs\"]\n").unwrap();
        let message = load(&[folder.path().to_owned()], &[]).unwrap_err().to_string();
        assert!(message.contains("mine.toml") && message.contains("line 2"), "{message}");
        assert!(message.contains("unknown field `import`"), "{message}");
    }
}
