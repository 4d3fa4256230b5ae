//! What a rebuild needs when the front end's build environment is gone, kept in the user's cache
//! folder: this program, and the distributions that `build-system.requires` brought.
//!
//! ```text
//! <cache>/kept/program-<digest>/ekiben
//! <cache>/kept/packages-<digest>/lib/python3.13/site-packages/…
//! ```
//!
//! Packages lie below the kept folder as they lay below the environment: the one takes the other's
//! place, and actions can't tell them apart. Invariant: a folder appears whole, by a rename, and never
//! changes afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use ekiben_engine::{Digest, FileDigests};

use crate::configuration::Configuration;
use crate::distributions::{Distribution, required_name};
use crate::problem::{Cause, Problem, Problems};

/// The folder of all that is kept, in the user's cache folder.
const FOLDER: &str = "kept";

/// The folder of all that rebuilds need, in the user's cache folder.
#[must_use]
pub fn kept_folder(cache_dir: &Path) -> PathBuf {
    cache_dir.join(FOLDER)
}

/// Keeps the program, and gives its path.
pub(super) fn program(
    program: &Path,
    cache_dir: &Path,
    digests: &FileDigests,
) -> Result<PathBuf, Problems> {
    let digest = digests.digest(program).map_err(|error| failed(program, &error))?;
    let name = Path::new("ekiben");
    let folder = kept_folder(cache_dir).join(format!("program-{digest}"));
    fill(&folder, |new| keep(program, &new.join(name)))?;
    Ok(folder.join(name))
}

/// Keeps the distributions that the build requires, and gives the folder that takes the build
/// environment's place. Without such an environment, nothing needs to be kept.
pub(super) fn packages(
    configuration: &Configuration,
    requirements: &[String],
    cache_dir: &Path,
) -> Result<Option<PathBuf>, Problems> {
    let Some(environment) = configuration.build_environment() else { return Ok(None) };
    let required = required(configuration, requirements, environment)?;
    let mut identity = String::new();
    for (name, distribution) in &required {
        let place = distribution.folder.strip_prefix(environment).unwrap_or(environment);
        identity.push_str(&format!("{name} {} {}\n", distribution.digest, place.display()));
    }
    let digest = Digest::of(identity.as_bytes());
    let folder = kept_folder(cache_dir).join(format!("packages-{digest}"));
    fill(&folder, |new| {
        required.values().try_for_each(|distribution| {
            let place = distribution.folder.strip_prefix(environment).unwrap_or(environment);
            keep_distribution(distribution, &new.join(place))
        })
    })?;
    Ok(Some(folder))
}

/// The distributions in the build environment that are required, and those that they require.
fn required(
    configuration: &Configuration,
    requirements: &[String],
    environment: &Path,
) -> Result<BTreeMap<String, Distribution>, Problems> {
    let mut open: Vec<String> = requirements.iter().map(|text| required_name(text)).collect();
    let mut known = BTreeSet::from(["ekiben".to_owned()]);
    let mut found = BTreeMap::new();
    while let Some(name) = open.pop() {
        if !known.insert(name.clone()) {
            continue;
        }
        let Some(distribution) = configuration.distribution(&name)? else { continue };
        if distribution.folder.starts_with(environment) {
            open.extend(distribution.requires.iter().map(|text| required_name(text)));
            found.insert(name, distribution);
        }
    }
    Ok(found)
}

/// Copies the files that the RECORD of a distribution names. Those outside the folder for packages,
/// which are scripts, and compiled bytecode aren't needed.
fn keep_distribution(distribution: &Distribution, target: &Path) -> io::Result<()> {
    let record = fs::read_to_string(distribution.info.join("RECORD"))?;
    for line in record.lines() {
        let path = match line.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => line.split(',').next(),
        };
        let path = Path::new(path.unwrap_or_default());
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let is_bytecode = path.components().any(|part| part.as_os_str() == "__pycache__");
        if !is_inside || is_bytecode || path.as_os_str().is_empty() {
            continue;
        }
        match keep(&distribution.folder.join(path), &target.join(path)) {
            // Installers list some files that they don't write.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            kept => kept?,
        }
    }
    Ok(())
}

/// A hard link where that is possible, since installers replace files and don't change them.
fn keep(file: &Path, target: &Path) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = file.canonicalize()?;
    fs::hard_link(&file, target).or_else(|_| fs::copy(&file, target).map(drop))
}

/// Makes a folder whole or not at all, unless it is there.
fn fill(folder: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), Problems> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    let filled = || {
        fs::create_dir_all(parent)?;
        let new = tempfile::Builder::new().prefix(".new-").tempdir_in(parent)?;
        let content = new.path().join("content");
        fs::create_dir(&content)?;
        make(&content)?;
        match fs::rename(&content, folder) {
            // Another build was faster.
            Err(_) if folder.is_dir() => Ok(()),
            renamed => renamed,
        }
    };
    filled().map_err(|error| failed(folder, &error))
}

fn failed(path: &Path, error: &io::Error) -> Problems {
    let message =
        format!("what rebuilding on import needs can't be kept: {}: {error}", path.display());
    Problem::error(Cause::Environment, "not-kept", message)
        .help("check the cache folder, or set `editable.rebuild` to false")
        .into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_the_record_names_is_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("site");
        let info = folder.join("a-1.dist-info");
        for file in ["a/b.py", "a/__pycache__/b.pyc", "a/stray.py", "a-1.dist-info/METADATA"] {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let record = "a/b.py,sha256=1,1\na/__pycache__/b.pyc,,\n../bin/a,sha256=1,1\n\
                      \"a/not,there.py\",,\na-1.dist-info/METADATA,,\n";
        fs::write(info.join("RECORD"), record).unwrap();
        let distribution = Distribution {
            name: "a".into(),
            version: "1".into(),
            requires: Vec::new(),
            digest: Digest::of(b""),
            folder,
            info,
        };
        let kept = scratch.path().join("kept");
        for _ in 0..2 {
            fill(&kept, |new| keep_distribution(&distribution, &new.join("lib"))).unwrap();
        }
        assert_eq!(fs::read_to_string(kept.join("lib/a/b.py")).unwrap(), "a/b.py");
        assert!(kept.join("lib/a-1.dist-info/METADATA").exists());
        assert!(!kept.join("lib/a/stray.py").exists() && !kept.join("lib/a/__pycache__").exists());
    }
}
