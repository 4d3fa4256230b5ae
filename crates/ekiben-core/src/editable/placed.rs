//! [`Placed`]: which files builds have placed in a project, and for which interpreters.
//!
//! The record is a file in the build folder. It is written before anything is placed, with the old
//! and the new contents, and again afterwards: whenever a build is killed, every file that lies in
//! the project is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ekiben_engine::{ArtifactId, Cache, Digest, Engine, RelPath};
use serde::{Deserialize, Serialize};

use crate::problem::{Cause, Problem, Problems};

/// A built file and its place in the project.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) artifact: ArtifactId,
    pub(crate) target: RelPath,
}

/// The record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placed {
    files: BTreeMap<RelPath, File>,
}

/// What is known of a placed file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    /// The contents it may have: one, unless a build was stopped on the way.
    digests: BTreeSet<Digest>,
    /// The interpreters that it was built for.
    interpreters: BTreeSet<String>,
}

fn record(build_dir: &Path) -> PathBuf {
    super::folder(build_dir).join("placed.json")
}

impl Placed {
    /// The record in `build_dir`. Without one that can be read, nothing was placed.
    pub(crate) fn load(build_dir: &Path) -> Self {
        let text = fs::read(record(build_dir)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn save(&self, build_dir: &Path) -> Result<(), Problems> {
        let path = record(build_dir);
        if self.files.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(failed("remove", &path, &error))
                }
                _ => Ok(()),
            };
        }
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        super::write(&path, &text)
    }

    /// The files that are in the project as they were placed.
    pub(crate) fn present(&self, root: &Path) -> Vec<RelPath> {
        let is_ours = |(path, file): &(&RelPath, &File)| {
            digest(&path.under(root)).is_some_and(|digest| file.digests.contains(&digest))
        };
        self.files.iter().filter(is_ours).map(|(path, _)| path.clone()).collect()
    }

    /// Places what a build made for `interpreter`, and removes what earlier ones placed and is no
    /// longer part of the project.
    pub(crate) fn update(
        mut self,
        placements: &[Placement],
        interpreter: &str,
        engine: &Engine,
        cache: &Cache,
        (root, build_dir): (&Path, &Path),
    ) -> Result<Self, Problems> {
        let mut wanted = BTreeMap::new();
        for placement in placements {
            wanted.insert(
                placement.target.clone(),
                (placement.artifact, engine.wait(placement.artifact)?),
            );
        }
        let mut in_the_way = Vec::new();
        for (target, (_, new)) in &wanted {
            let known = self.files.get(target).map(|file| &file.digests);
            let is_ours = |old: Digest| {
                old == *new || known.is_some_and(|known| known.contains(&old)) || cache.holds(old)
            };
            if !is_free(root, target, is_ours)? {
                in_the_way.push(obstacle(target));
            }
        }
        if !in_the_way.is_empty() {
            return Err(Problems(in_the_way));
        }
        for (target, (_, new)) in &wanted {
            let file = self.files.entry(target.clone()).or_default();
            file.digests.insert(*new);
            file.interpreters.insert(interpreter.to_owned());
        }
        if !self.files.is_empty() {
            self.save(build_dir)?;
        }
        for (target, (artifact, new)) in &wanted {
            let path = target.under(root);
            if digest(&path) != Some(*new) {
                engine.export(*artifact, &path)?;
            }
            if let Some(file) = self.files.get_mut(target) {
                file.digests = [*new].into();
            }
        }
        let stems: BTreeSet<&str> = wanted.keys().map(stem).collect();
        let mut removed = Vec::new();
        for (path, file) in &mut self.files {
            if wanted.contains_key(path) {
                continue;
            }
            file.interpreters.remove(interpreter);
            // For another interpreter the file may be needed, but not if the module is gone.
            if file.interpreters.is_empty() || !stems.contains(stem(path)) {
                remove(&path.under(root), &file.digests)?;
                removed.push(path.clone());
            }
        }
        self.files.retain(|path, _| !removed.contains(path));
        self.save(build_dir)?;
        Ok(self)
    }

    /// Removes everything, and gives what was there.
    pub(crate) fn remove_all(
        self,
        root: &Path,
        build_dir: &Path,
    ) -> Result<Vec<PathBuf>, Problems> {
        let mut removed = Vec::new();
        for (path, file) in &self.files {
            let path = path.under(root);
            if remove(&path, &file.digests)? {
                removed.push(path);
            }
        }
        Self::default().save(build_dir)?;
        Ok(removed)
    }
}

/// The part of a path that names the module, without the tag of the interpreter.
fn stem(path: &RelPath) -> &str {
    let text = path.as_str();
    let name = text.rfind('/').map_or(0, |slash| slash + 1);
    text[name..].find('.').map_or(text, |dot| &text[..name + dot])
}

/// The digest of a regular file; none of what is something else.
fn digest(path: &Path) -> Option<Digest> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if is_file { Digest::of_file(path).ok() } else { None }
}

/// Whether a file may be placed at `target`: nothing is there but what is ours, and no link leads
/// out of the project.
fn is_free(
    root: &Path,
    target: &RelPath,
    is_ours: impl Fn(Digest) -> bool,
) -> Result<bool, Problems> {
    let path = target.under(root);
    if let Some(parent) = path.ancestors().skip(1).find(|parent| parent.exists()) {
        let real = parent.canonicalize().map_err(|error| failed("open", parent, &error))?;
        if !real.starts_with(root) {
            let message = format!(
                "{} leads out of the project, so nothing is placed there",
                parent.display()
            );
            return Err(Problem::error(Cause::Input, "outside-project", message).into());
        }
    }
    match fs::symlink_metadata(&path) {
        Err(_) => Ok(true),
        Ok(_) => Ok(digest(&path).is_some_and(is_ours)),
    }
}

fn obstacle(target: &RelPath) -> Problem {
    let message = format!("{target} is there already, and no build of Ekiben made it");
    Problem::error(Cause::Input, "in-the-way", message)
        .help("remove or rename it: an editable install places the module that it builds there")
}

/// Removes a file that has one of these contents.
fn remove(path: &Path, digests: &BTreeSet<Digest>) -> Result<bool, Problems> {
    if !digest(path).is_some_and(|digest| digests.contains(&digest)) {
        return Ok(false);
    }
    fs::remove_file(path).map_err(|error| failed("remove", path, &error))?;
    Ok(true)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Problems {
    let message = format!("can't {what} {}: {error}", path.display());
    Problem::error(Cause::Environment, "unwritable", message).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rel(path: &str) -> RelPath {
        RelPath::new(path).unwrap()
    }

    #[test]
    fn modules_are_told_apart_by_their_stems() {
        assert_eq!(stem(&rel("src/spam/_core.cpython-313-x86_64-linux-gnu.so")), "src/spam/_core");
        assert_eq!(stem(&rel("src/spam.d/_version.py")), "src/spam.d/_version");
        assert_eq!(stem(&rel("data")), "data");
    }

    #[test]
    fn only_what_is_unchanged_is_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        let build = root.join("build");
        let mut placed = Placed::default();
        for name in ["ours.so", "edited.so", "gone.so"] {
            let digests = [Digest::of(name.as_bytes())].into();
            placed.files.insert(rel(name), File { digests, interpreters: BTreeSet::new() });
        }
        fs::write(root.join("ours.so"), "ours.so").unwrap();
        fs::write(root.join("edited.so"), "something else").unwrap();
        placed.save(&build).unwrap();
        assert_eq!(Placed::load(&build), placed);
        assert_eq!(placed.present(&root), [rel("ours.so")]);
        assert_eq!(placed.remove_all(&root, &build).unwrap(), [root.join("ours.so")]);
        assert!(root.join("edited.so").exists() && !root.join("ours.so").exists());
        assert_eq!(Placed::load(&build), Placed::default());
    }

    #[test]
    fn links_and_strangers_are_in_the_way() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(root.join("mine.so"), "mine").unwrap();
        std::os::unix::fs::symlink(root.join("mine.so"), root.join("link.so")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), root.join("out")).unwrap();
        let ours = Digest::of(b"mine");
        assert!(is_free(&root, &rel("mine.so"), |digest| digest == ours).unwrap());
        assert!(!is_free(&root, &rel("mine.so"), |_| false).unwrap());
        assert!(!is_free(&root, &rel("link.so"), |_| true).unwrap());
        assert!(is_free(&root, &rel("new/deep/x.so"), |_| false).unwrap());
        assert!(is_free(&root, &rel("out/x.so"), |_| true).is_err());
    }
}
