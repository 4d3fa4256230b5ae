//! `ekiben clean`: removes a build folder with what editable installs placed in the project, or what
//! is in the cache.
//!
//! Invariant: a folder goes only if it is one that a build made, which its `.gitignore` shows.

use std::io;
use std::path::{Path, PathBuf};

use ekiben_core::{Cause, Problem, Problems};
use ekiben_engine::{Cache, CacheLimits, CleanScope};
use ekiben_freeze::program::installed_folder;
use ekiben_project::{PYPROJECT, Project};

use super::End;
use super::build::print;
use crate::cli::{Clean, Global};
use crate::environment;
use crate::report;

/// What a build writes into the folder it makes, so that version control leaves it alone.
const MARK: (&str, &str) = (".gitignore", "*\n");

/// Runs `ekiben clean`.
pub(crate) fn run(clean: &Clean, global: &Global) -> End {
    let cleaned = match (clean.cache, clean.cache_to_limit) {
        (true, _) => clean_cache(global, CleanScope::All),
        (_, true) => clean_cache(global, CleanScope::ToLimit),
        _ => clean_project(clean),
    };
    match cleaned {
        Ok(message) => {
            if !global.quiet {
                print(&format!("{message}\n"));
            }
            End::Done
        }
        Err(problems) => {
            report::show_problems(&problems, &clean.project);
            End::Refused
        }
    }
}

fn clean_cache(global: &Global, scope: CleanScope) -> Result<String, Problems> {
    let folder = environment::cache_dir(global)?;
    if !folder.is_dir() {
        return Ok(format!("Nothing to remove: there is no {}", folder.display()));
    }
    let cache = Cache::open(&folder, CacheLimits::new(global.cache_size))?;
    let cleaned = cache.clean(scope)?;
    if cleaned.busy {
        let message = "another process is cleaning the cache";
        return Err(Problem::error(Cause::Environment, "cache-busy", message)
            .help("wait until it has finished")
            .into());
    }
    let mut removed = cleaned.bytes;
    if scope == CleanScope::All {
        // Runtimes stay: they are no results of builds, and take minutes to make.
        for folder in [ekiben_core::kept_folder(&folder), installed_folder(&folder)] {
            removed += size(&folder).unwrap_or(0);
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", &folder, &error));
                }
                _ => {}
            }
        }
    }
    let left = cache.stats()?;
    let (removed, left) = (report::bytes(removed), report::bytes(left.bytes));
    Ok(format!("Removed {removed} from {}; {left} are left", folder.display()))
}

fn clean_project(clean: &Clean) -> Result<String, Problems> {
    let folder = match &clean.build_dir {
        Some(folder) => folder.clone(),
        None => {
            let project = Project::load(&clean.project)?;
            project.settings().build_dir.0.in_dir(&clean.project)
        }
    };
    let shown = report::short(&folder).display().to_string();
    match std::fs::symlink_metadata(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(format!("Nothing to remove: there is no {shown}"));
        }
        Err(error) => return Err(failed("read", &folder, &error)),
        Ok(metadata) if metadata.is_dir() && is_build_folder(&folder) => {}
        Ok(_) => {
            let message = format!("{shown} isn't a folder that a build made, so it stays");
            return Err(Problem::error(Cause::Input, "not-a-build-folder", message)
                .help("remove it yourself if nothing in it is of use")
                .into());
        }
    }
    let placed = ekiben_core::remove_placed(&clean.project, &folder)?.len();
    let bytes = size(&folder).map_err(|error| failed("read", &folder, &error))?;
    std::fs::remove_dir_all(&folder).map_err(|error| failed("remove", &folder, &error))?;
    let removed = format!("Removed {shown} ({})", report::bytes(bytes));
    Ok(match placed {
        0 => removed,
        1 => format!("{removed} and a file that was placed in the project"),
        many => format!("{removed} and {many} files that were placed in the project"),
    })
}

fn is_build_folder(folder: &Path) -> bool {
    let (name, content) = MARK;
    let marked = std::fs::read(folder.join(name)).is_ok_and(|found| found == content.as_bytes());
    marked && !folder.join(PYPROJECT).exists() && !folder.join(".git").exists()
}

/// Bytes in the files below a folder.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += metadata.len();
            }
        }
    }
    Ok(bytes)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Problems {
    let message = format!("can't {what} {}: {error}", path.display());
    Problem::error(Cause::Environment, "clean", message).into()
}
