//! Locks of PEP 751 as requirements, which uv and pip of any age understand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ekiben_archive::normalize_name;
use serde::Deserialize;

use super::Error;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lock {
    lock_version: String,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    marker: Option<String>,
    #[serde(default)]
    wheels: Vec<Artifact>,
    sdist: Option<Artifact>,
    archive: Option<Artifact>,
    vcs: Option<toml::Value>,
    directory: Option<toml::Value>,
}

#[derive(Deserialize)]
struct Artifact {
    url: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

/// Whether a file is a lock, which its name has to say.
pub(crate) fn is_name_of_one(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name == "pylock.toml" || (name.starts_with("pylock.") && name.ends_with(".toml"))
}

fn read(file: &Path, text: &str) -> Result<Lock, Error> {
    let wrong = |message: String| Error::Text { path: file.to_owned(), message };
    let lock: Lock = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    match lock.lock_version.split('.').next() {
        Some("1") => Ok(lock),
        _ => Err(wrong(format!("lock-version {} isn't known", lock.lock_version))),
    }
}

/// The SHA-256 of the source distribution of each package, by name in normal form and version; an empty list
/// if none is locked.
pub(crate) fn sources(
    file: &Path,
    text: &str,
) -> Result<BTreeMap<(String, String), Vec<String>>, Error> {
    let mut sources: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for Package { name, version, sdist, archive, .. } in read(file, text)?.packages {
        let Some(version) = version else { continue };
        let hashes = [sdist, archive].into_iter().flatten();
        let hashes = hashes.filter_map(|mut artifact| artifact.hashes.remove("sha256"));
        let hashes = hashes.map(|hash| hash.to_lowercase());
        sources.entry((normalize_name(&name), version)).or_default().extend(hashes);
    }
    Ok(sources)
}

/// The text of a requirements file with all that is locked, by version and hash.
pub(crate) fn requirements(file: &Path, text: &str) -> Result<String, Error> {
    let wrong = |message: String| Error::Text { path: file.to_owned(), message };
    let lock = read(file, text)?;
    let mut requirements = String::new();
    for package in &lock.packages {
        let name = &package.name;
        if package.vcs.is_some() || package.directory.is_some() {
            let message = format!("`{name}` is locked to a folder or repository, not to a release");
            return Err(wrong(message));
        }
        let marker = package.marker.as_deref();
        if let Some(marker) =
            marker.filter(|it| it.contains("extras") || it.contains("dependency_groups"))
        {
            let message = format!(
                "`{name}` belongs to an extra or a group ({marker}): make a lock of what the program \
                 needs alone"
            );
            return Err(wrong(message));
        }
        // Writing to a string doesn't fail.
        let _ = match (&package.archive, &package.version) {
            (Some(Artifact { url: Some(url), .. }), _) => write!(requirements, "{name} @ {url}"),
            (None, Some(version)) => write!(requirements, "{name}=={version}"),
            _ => return Err(wrong(format!("`{name}` is locked without a version"))),
        };
        if let Some(marker) = marker {
            let _ = write!(requirements, " ; {marker}");
        }
        let artifacts = package.wheels.iter().chain(&package.sdist).chain(&package.archive);
        let hashes = artifacts.filter_map(|artifact| artifact.hashes.get("sha256"));
        let mut hashes: Vec<_> = hashes.collect();
        hashes.sort();
        hashes.dedup();
        if hashes.is_empty() {
            return Err(wrong(format!("`{name}` is locked without a SHA-256")));
        }
        for hash in hashes {
            let _ = write!(requirements, " \\\n    --hash=sha256:{hash}");
        }
        requirements.push('\n');
    }
    Ok(requirements)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, is_one) in
            [("a/pylock.toml", true), ("pylock.dev.toml", true), ("x.toml", false)]
        {
            assert_eq!(is_name_of_one(Path::new(name)), is_one, "{name}");
        }
    }

    #[test]
    fn a_lock_becomes_requirements() {
        let lock = r#"
lock-version = "1.0"
created-by = "somebody"
[[packages]]
name = "attrs"
version = "25.1.0"
wheels = [{ url = "https://example.org/attrs.whl", hashes = { sha256 = "bb" } }]
sdist = { url = "https://example.org/attrs.tar.gz", hashes = { sha256 = "aa" } }
[[packages]]
name = "tomli"
version = "2"
marker = "python_version < '3.11'"
wheels = [{ url = "https://example.org/tomli.whl", hashes = { sha256 = "cc" } }]
[[packages]]
name = "own"
archive = { url = "https://example.org/own.zip", hashes = { sha256 = "dd" } }
"#;
        insta::assert_snapshot!(requirements(Path::new("pylock.toml"), lock).unwrap(), @r"
        attrs==25.1.0 \
            --hash=sha256:aa \
            --hash=sha256:bb
        tomli==2 ; python_version < '3.11' \
            --hash=sha256:cc
        own @ https://example.org/own.zip \
            --hash=sha256:dd
        ");
    }

    #[test]
    fn what_cant_be_installed_is_told() {
        let refused = |lock: &str| {
            requirements(Path::new("pylock.toml"), lock)
                .map_err(|error| error.to_string())
                .unwrap_err()
        };
        assert_eq!(refused("lock-version = \"2.0\""), "pylock.toml: lock-version 2.0 isn't known");
        let with = |rest: &str| {
            refused(&format!("lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\n{rest}"))
        };
        assert!(with("version = \"1\"").ends_with("`a` is locked without a SHA-256"));
        assert!(with("vcs = { type = \"git\" }").contains("folder or repository"));
        assert!(with("").ends_with("`a` is locked without a version"));
        let marker = with("version = \"1\"\nmarker = \"'dev' in dependency_groups\"");
        assert!(marker.contains("an extra or a group"), "{marker}");
    }
}
