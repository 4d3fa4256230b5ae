//! `static.json`: what a static wheel holds besides an ordinary one's files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;

/// The version of the format of this file.
pub const FORMAT: u32 = 1;

/// Its name in `.dist-info`.
pub const MANIFEST: &str = "static.json";

/// What `static.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The version of its format.
    pub format: u32,
    /// The version of Ekiben that made it.
    pub ekiben: String,
    /// The distribution, as its metadata name it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it was built from; none if that was a folder, or isn't known.
    pub sdist: Option<Sdist>,
    /// The release of CPython that it was built for, such as `3.13.5`.
    pub python: String,
    /// What its objects were made with.
    pub toolchain: Toolchain,
    /// The compiled modules, by name.
    pub modules: Vec<Module>,
    /// What they are linked with, each once; a library comes before those that it needs.
    pub libraries: Vec<Library>,
}

/// A source distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sdist {
    /// Its file's name.
    pub file: String,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// A compiler and a linker, each by the first line of what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Toolchain {
    /// The C compiler.
    pub compiler: String,
    /// The linker that made the objects.
    pub linker: String,
}

/// A compiled module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Module {
    /// Its dotted name; a package's own module has the package's.
    pub name: String,
    /// Where its shared object is in the ordinary wheel.
    pub file: String,
    /// Where its object is in the static wheel.
    pub object: String,
    /// The function that makes it: the only symbol that the object offers.
    pub init: String,
    /// The libraries that it needs itself, by name.
    pub libraries: Vec<String>,
}

/// A library that modules are linked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Library {
    /// Its name, as in `-lNAME`.
    pub name: String,
    /// What of the static wheel holds it: an archive `lib….a`, or an object, which is a shared library
    /// that the package made for itself. None for a library of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<String>,
    /// The archive of the machine that it was, whole; none if there was only a shared library, so that
    /// one has to be found before a static program can be linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<PathBuf>,
    /// The libraries that it needs, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The package of the machine that its archive came with: name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Where the texts of that one's licences are in the static wheel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licence_files: Vec<String>,
}

impl Manifest {
    /// Reads a `static.json`.
    ///
    /// # Errors
    /// If there is none, or it is of another version of Ekiben, or it leads out of its wheel.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| Error::unusable(path, &error))?;
        if manifest.format != FORMAT {
            let message = format!("its format is {}, and {FORMAT} is known", manifest.format);
            return Err(Error::unusable(path, &message));
        }
        let objects = manifest.modules.iter().flat_map(|module| [&module.file, &module.object]);
        let libraries = manifest.libraries.iter();
        let inner =
            libraries.flat_map(|library| library.inner.iter().chain(&library.licence_files));
        if let Some(wrong) = objects.chain(inner).find(|path| !is_inner(path)) {
            let message = format!("`{wrong}` isn't a path in the wheel");
            return Err(Error::unusable(path, &message));
        }
        Ok(manifest)
    }

    /// Whether it was built for a series of Python, such as `3.13`.
    #[must_use]
    pub fn is_for(&self, series: &str) -> bool {
        let rest = self.python.strip_prefix(series);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        // There is nothing in it that JSON hasn't.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn is_inner(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, std::path::Component::Normal(_)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_stays_in_the_wheel() {
        let mut manifest = Manifest {
            format: FORMAT,
            ekiben: "0.1.0".into(),
            name: "spam".into(),
            version: "1.0".into(),
            sdist: Some(Sdist { file: "spam-1.0.tar.gz".into(), sha256: "00".repeat(32) }),
            python: "3.13.5".into(),
            toolchain: Toolchain { compiler: "gcc 12".into(), linker: "GNU ld 2.40".into() },
            modules: vec![Module {
                name: "spam._eggs".into(),
                file: "spam/_eggs.cpython-313-x86_64-linux-gnu.so".into(),
                object: "spam/_eggs.cpython-313-x86_64-linux-gnu.o".into(),
                init: "ekiben_init_spam___eggs".into(),
                libraries: vec!["z".into()],
            }],
            libraries: vec![Library {
                name: "z".into(),
                inner: None,
                archive: Some("/usr/lib/libz.a".into()),
                needs: vec!["m".into()],
                package: Some("zlib1g-dev 1.2".into()),
                licence_files: vec!["spam-1.0.dist-info/libraries/z/copyright".into()],
            }],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MANIFEST);
        std::fs::write(&path, manifest.text()).unwrap();
        assert_eq!(Manifest::read(&path).unwrap(), manifest);

        manifest.modules[0].object = "../eggs.o".into();
        std::fs::write(&path, manifest.text()).unwrap();
        let error = Manifest::read(&path).unwrap_err().to_string();
        assert!(error.contains("`../eggs.o` isn't a path in the wheel"), "{error}");

        manifest.modules[0].object = "eggs.o".into();
        manifest.libraries[0].licence_files.push("/etc/copyright".into());
        std::fs::write(&path, manifest.text()).unwrap();
        let error = Manifest::read(&path).unwrap_err().to_string();
        assert!(error.contains("`/etc/copyright` isn't a path in the wheel"), "{error}");

        manifest.format = 9;
        std::fs::write(&path, manifest.text()).unwrap();
        let error = Manifest::read(&path).unwrap_err().to_string();
        assert!(error.contains("its format is 9"), "{error}");
    }
}
