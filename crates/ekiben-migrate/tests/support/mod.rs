//! Small projects, migrated and checked.

use std::fs;
use std::path::{Path, PathBuf};

use ekiben_migrate::{Error, Migration, Source, migrate};
use ekiben_project::Project;
use tempfile::TempDir;

/// A folder with files, given by path and text.
pub(crate) fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The first Python on `PATH`.
pub(crate) fn python() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join("python3"));
    found.into_iter().find(|python| python.is_file()).expect("python3 is on PATH")
}

pub(crate) fn try_migrate(folder: &Path) -> Result<Migration, Error> {
    let source = Source::find(folder).unwrap();
    migrate(folder, source, Some(&python()))
}

/// Migrates, and has Ekiben read the result and find all its files.
pub(crate) fn migrated(files: &[(&str, &str)]) -> String {
    let folder = project(files);
    let migration = try_migrate(folder.path()).unwrap();
    migration.write().unwrap();
    let project = Project::load(folder.path()).unwrap();
    ekiben_project::discover_files(&project).unwrap();
    migration.text
}
