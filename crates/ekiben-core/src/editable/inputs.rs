//! [`Inputs`]: what decides whether the modules in a project are up to date, in a file that an import
//! reads quickly.
//!
//! One line a file or folder: `SIZE MTIME PATH`, or `folder MTIME PATH` followed by the names in it,
//! with NUL between them. A folder's time changes for many reasons, so its names decide; they are only
//! compared when the time differs. What changed during the build has a size that no file has.
//! `rebuild.py` reads it, and has the same idea of names that don't count.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ekiben_engine::{Engine, Location};
use ekiben_project::PYPROJECT;

use crate::configuration::Configuration;
use crate::problem::Problems;

/// The first line.
const HEADER: &str = "ekiben inputs 1\n";

/// Files whose content decides on the modules, and folders whose listing does.
#[derive(Debug)]
pub(crate) struct Inputs {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Inputs {
    /// Those of a build that has ended: what its actions read, and where modules and sources are
    /// looked for. What lies in the build environment is left out, since the kept copy of it never
    /// changes.
    pub(crate) fn gather(configuration: &Configuration, engine: &Engine) -> Result<Self, Problems> {
        let root = configuration.root();
        let (seen, searched) = engine.seen();
        let environment = configuration.build_environment();
        let real = environment.and_then(|folder| folder.canonicalize().ok());
        let kept: Vec<&Path> = environment.into_iter().chain(real.as_deref()).collect();
        let counts = |path: &Path| !kept.iter().any(|folder| path.starts_with(folder));
        let mut files: BTreeSet<PathBuf> =
            seen.iter().map(|location| engine.path(location)).filter(|path| counts(path)).collect();
        files.insert(root.join(PYPROJECT));
        let in_project = |location: &&Location| matches!(location, Location::Source(_));
        let mut folders: BTreeSet<PathBuf> =
            searched.iter().filter(in_project).map(|location| engine.path(location)).collect();
        let found = configuration.files()?;
        folders.insert(found.package_root.in_dir(root));
        let installed = found.installed.iter().map(|file| &file.source);
        let listed = found.extensions.iter().flat_map(|one| one.sources.iter().chain(&one.depends));
        let parents = installed.chain(listed).map(|path| path.in_dir(root));
        folders.extend(parents.filter_map(|path| path.parent().map(Path::to_owned)));
        Ok(Self { files, folders })
    }

    /// Writes them with what they look like now. What is newer than `began` may have been read before
    /// it changed.
    pub(crate) fn write(&self, file: &Path, began: SystemTime) -> Result<(), Problems> {
        let mut text = HEADER.to_owned();
        for path in &self.files {
            let Some(name) = path.to_str().filter(|name| !name.contains('\n')) else { continue };
            let (size, time) = match fs::metadata(path) {
                Ok(metadata) if !is_newer(&metadata, began) => {
                    (metadata.len().to_string(), time(&metadata))
                }
                _ => ("-1".to_owned(), 0),
            };
            // Writing to a string doesn't fail.
            let _ = writeln!(text, "{size} {time} {name}");
        }
        for path in &self.folders {
            let Some(name) = path.to_str().filter(|name| !name.contains(['\n', '\0'])) else {
                continue;
            };
            // One that isn't there has no names, as an empty one.
            let time = fs::metadata(path).map_or(0, |metadata| time(&metadata));
            let _ = write!(text, "folder {time} {name}");
            for name in names(path) {
                let _ = write!(text, "\0{name}");
            }
            text.push('\n');
        }
        super::write(file, text.as_bytes())
    }
}

/// Nanoseconds since 1970, as Python counts them.
fn time(metadata: &fs::Metadata) -> i128 {
    let nanoseconds = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
    match metadata.modified().map(|at| at.duration_since(UNIX_EPOCH)) {
        Ok(Ok(after)) => nanoseconds(after),
        Ok(Err(before)) => -nanoseconds(before.duration()),
        Err(_) => 0,
    }
}

fn is_newer(metadata: &fs::Metadata, began: SystemTime) -> bool {
    metadata.modified().is_ok_and(|at| at > began)
}

/// The names in a folder that may be sources, sorted.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_relevant(name) && !name.contains('\n'))
        .collect()
}

/// Whether a name isn't that of something which interpreters, editors and builds leave behind.
fn is_relevant(name: &str) -> bool {
    let noise = ["~", ".pyc", ".so", ".pyd"];
    name != "__pycache__"
        && !name.starts_with('.')
        && !noise.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_meanwhile_is_out_of_date_at_once() {
        let scratch = tempfile::tempdir().unwrap();
        let (old, new) = (scratch.path().join("old.c"), scratch.path().join("new.c"));
        for path in [&old, &new] {
            fs::write(path, "text").unwrap();
        }
        fs::File::open(&old).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(7)).unwrap();
        for name in [".new.c.swp", "new.c~", "x.so"] {
            fs::write(scratch.path().join(name), "").unwrap();
        }
        let inputs = Inputs {
            files: [old.clone(), new.clone(), scratch.path().join("gone.c")].into(),
            folders: [scratch.path().to_owned()].into(),
        };
        let record = scratch.path().join("record/inputs");
        inputs.write(&record, UNIX_EPOCH + Duration::from_secs(8)).unwrap();
        let text = fs::read_to_string(&record).unwrap();
        let at = scratch.path().display();
        let lines: Vec<&str> = text.lines().collect();
        let files = [
            format!("-1 0 {at}/gone.c"),
            format!("-1 0 {at}/new.c"),
            format!("4 7000000000 {at}/old.c"),
        ];
        assert_eq!(lines[1..4], files);
        assert!(lines[4].ends_with(&format!(" {at}\0new.c\0old.c")), "{text}");
    }
}
