//! Finding the interpreter that a user means.
//!
//! Candidates are listed in order of how clearly they were chosen, then asked one after the other;
//! the first that answers, and is what was requested, is taken. What was considered is kept, so
//! that a failure can say why each wasn't it.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::tag::number;
use crate::{Attempt, Error, FactsCache, Interpreter};

/// The interpreter for `request`: a path (of an interpreter or of a virtual environment), a command
/// such as `python3.12`, or a version such as `3.12` or `3.13t`.
///
/// Without a request, or for a version, these are considered in order: an active virtual
/// environment (`VIRTUAL_ENV`, then `CONDA_PREFIX`), `.venv` in the folder `project`, and the
/// commands `python3` and `python` on `PATH` (for a version, `python3.12` before them, and after
/// them what pyenv has, whose shims don't start a version that isn't selected).
pub fn find_interpreter(
    request: Option<&str>,
    project: Option<&Path>,
    cache: &dyn FactsCache,
) -> Result<Interpreter, Error> {
    find(request, project, cache, &|name| env::var_os(name))
}

type Variable<'a> = &'a dyn Fn(&str) -> Option<OsString>;

fn find(
    request: Option<&str>,
    project: Option<&Path>,
    cache: &dyn FactsCache,
    variable: Variable<'_>,
) -> Result<Interpreter, Error> {
    let wanted = match request {
        None => Wanted::Any,
        Some(text) => match Version::parse(text) {
            Some(version) => Wanted::Version(version),
            None if is_path(text) => return Interpreter::query(&in_folder(Path::new(text)), cache),
            None => Wanted::Command(text),
        },
    };
    let mut tried = Vec::new();
    for (what, paths) in candidates(&wanted, project, variable) {
        if paths.is_empty() {
            tried.push(Attempt { what: what.clone(), why_not: "there is none".into() });
        }
        for path in paths {
            let why_not = match Interpreter::query(&path, cache) {
                Ok(python) if wanted.is_met_by(&python) => return Ok(python),
                Ok(python) => format!("`{}` is {}", path.display(), python.describe()),
                Err(error) => explain(&error),
            };
            tried.push(Attempt { what: what.clone(), why_not });
        }
    }
    Err(Error::NotFound { request: request.map(Into::into), tried })
}

/// An error in one line, with its cause.
fn explain(error: &Error) -> String {
    let cause = std::error::Error::source(error);
    let text = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

enum Wanted<'a> {
    Any,
    Version(Version),
    Command(&'a str),
}

impl Wanted<'_> {
    fn is_met_by(&self, python: &Interpreter) -> bool {
        match self {
            Self::Version(version) => version.is_met_by(python),
            Self::Any | Self::Command(_) => true,
        }
    }
}

/// `3`, `3.12`, `3.12.1`, each with `t` for the free-threaded build.
#[derive(Debug, PartialEq)]
struct Version {
    numbers: Vec<u8>,
    free_threaded: bool,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (digits, free_threaded) =
            text.strip_suffix('t').map_or((text, false), |digits| (digits, true));
        let numbers: Vec<u8> = digits.split('.').map(number).collect::<Option<_>>()?;
        (numbers.len() <= 3).then_some(Self { numbers, free_threaded })
    }

    fn is_met_by(&self, python: &Interpreter) -> bool {
        let facts = python.facts();
        let actual = [facts.version.0, facts.version.1, facts.version.2];
        actual.starts_with(&self.numbers) && facts.gil_disabled == self.free_threaded
    }

    /// `python3.12`, or `python3.12t`.
    fn command(&self) -> String {
        let numbers: Vec<String> = self.numbers.iter().take(2).map(u8::to_string).collect();
        format!("python{}{}", numbers.join("."), if self.free_threaded { "t" } else { "" })
    }
}

impl Version {
    /// The interpreters below pyenv's root that are this version by the names of their folders,
    /// newest first.
    fn in_pyenv(&self, root: &Path) -> Vec<PathBuf> {
        let folders = root.join("versions").read_dir().into_iter().flatten().flatten();
        let mut versions: Vec<(Vec<u8>, PathBuf)> = folders
            .filter_map(|folder| {
                let version = Self::parse(folder.file_name().to_str()?)?;
                let matches = version.numbers.starts_with(&self.numbers)
                    && version.free_threaded == self.free_threaded;
                matches.then(|| (version.numbers, folder.path()))
            })
            .collect();
        versions.sort();
        versions.iter().rev().flat_map(|(_, folder)| present(folder)).collect()
    }
}

/// What to try, in order: in words, and the interpreters that are there.
fn candidates(
    wanted: &Wanted<'_>,
    project: Option<&Path>,
    variable: Variable<'_>,
) -> Vec<(String, Vec<PathBuf>)> {
    let commands: Vec<String> = match wanted {
        Wanted::Any => vec!["python3".into(), "python".into()],
        Wanted::Version(version) => vec![version.command(), "python3".into(), "python".into()],
        Wanted::Command(command) => vec![(*command).to_owned()],
    };
    let mut found = Vec::new();
    if !matches!(wanted, Wanted::Command(_)) {
        for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
            match variable(name).filter(|folder| !folder.is_empty()) {
                Some(folder) => {
                    found.push((format!("the environment in {name}"), present(Path::new(&folder))));
                }
                None => found.push((format!("the environment in {name}"), Vec::new())),
            }
        }
        if let Some(project) = project {
            let folder = project.join(".venv");
            found.push((format!("`{}`", folder.display()), present(&folder)));
        }
    }
    let mut seen = Vec::new();
    for command in commands {
        if seen.contains(&command) {
            continue;
        }
        found.push((format!("`{command}` on PATH"), on_path(&command, variable)));
        seen.push(command);
    }
    if let Wanted::Version(version) = wanted
        && let Some(root) = variable("PYENV_ROOT")
    {
        found.push(("pyenv's versions".into(), version.in_pyenv(Path::new(&root))));
    }
    found
}

/// The interpreter of an environment, if it is there.
fn present(environment: &Path) -> Vec<PathBuf> {
    let python = in_folder(environment);
    if python.is_file() { vec![python] } else { Vec::new() }
}

/// The interpreter in an environment's folder; a file is itself.
fn in_folder(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let places: &[&[&str]] = if cfg!(windows) {
        // venv, then conda.
        &[&["Scripts", "python.exe"], &["python.exe"]]
    } else {
        &[&["bin", "python"], &["bin", "python3"]]
    };
    let places: Vec<PathBuf> =
        places.iter().map(|parts| path.join(parts.iter().collect::<PathBuf>())).collect();
    places.iter().find(|place| place.is_file()).unwrap_or(&places[0]).clone()
}

/// Every executable of this name on `PATH`: the first may be a shim that has nothing behind it.
fn on_path(command: &str, variable: Variable<'_>) -> Vec<PathBuf> {
    let Some(path) = variable("PATH") else { return Vec::new() };
    let name = format!("{command}{}", env::consts::EXE_SUFFIX);
    let mut folders = HashSet::new();
    env::split_paths(&path)
        .filter(|folder| !folder.as_os_str().is_empty())
        .filter(|folder| folders.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())))
        .map(|folder| folder.join(&name))
        .filter(|file| is_executable(file))
        .collect()
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// A bare name is a path only if it is an environment's folder, such as `.venv`.
fn is_path(text: &str) -> bool {
    text.contains(std::path::is_separator) || !present(Path::new(text)).is_empty()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::NoCache;

    #[test]
    fn versions_are_told_from_commands() {
        let version = |text| Version::parse(text).map(|version| version.command());
        assert_eq!(version("3.12").as_deref(), Some("python3.12"));
        assert_eq!(version("3.12.1").as_deref(), Some("python3.12"));
        assert_eq!(version("3.13t").as_deref(), Some("python3.13t"));
        assert_eq!(version("3").as_deref(), Some("python3"));
        for other in ["python3.12", "", "3.", "t", "3.12.1.1", "pypy3"] {
            assert_eq!(version(other), None, "{other:?} was taken for a version");
        }
    }

    #[test]
    fn the_error_lists_what_was_tried() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(None, Some(folder.path()), &NoCache, &|_| None).unwrap_err();
        let shown = error.to_string().replace(&folder.path().display().to_string(), "PROJECT");
        insta::assert_snapshot!(shown, @r"
        no Python interpreter found
          the environment in VIRTUAL_ENV: there is none
          the environment in CONDA_PREFIX: there is none
          `PROJECT/.venv`: there is none
          `python3` on PATH: there is none
          `python` on PATH: there is none
        ");
        let error = find(Some("python3.12"), None, &NoCache, &|_| None).unwrap_err();
        insta::assert_snapshot!(error, @r"
        no Python interpreter found for `python3.12`
          `python3.12` on PATH: there is none
        ");
    }

    #[test]
    #[cfg(unix)]
    fn pyenv_has_its_newest_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["3.12.9", "3.12.10", "3.13.0", "3.12.3t", "mine", "3.12.11"] {
            let bin = root.path().join("versions").join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            if version != "3.12.11" {
                std::fs::write(bin.join("python"), "").unwrap();
            }
        }
        let found = |text| {
            let paths = Version::parse(text).unwrap().in_pyenv(root.path());
            let versions = root.path().join("versions");
            let shown = paths.iter().map(|path| path.strip_prefix(&versions).unwrap().display());
            shown.map(|path| path.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found("3.12"), "3.12.10/bin/python 3.12.9/bin/python");
        assert_eq!(found("3.12t"), "3.12.3t/bin/python");
        assert_eq!(found("3.14"), "");
    }

    #[test]
    #[cfg(unix)]
    fn one_folder_on_path_in_two_ways_is_one() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        symlink(&bin, root.path().join("link")).unwrap();
        for (name, mode) in [("python3", 0o755), ("python3.12", 0o644)] {
            std::fs::write(bin.join(name), "").unwrap();
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(bin.join(name), permissions).unwrap();
        }
        let path = env::join_paths([bin.clone(), root.path().join("link")]).unwrap();
        let variable = |name: &str| (name == "PATH").then(|| path.clone());
        assert_eq!(on_path("python3", &variable), [bin.join("python3")]);
        assert!(on_path("python3.12", &variable).is_empty());
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        let error = find(Some("./no/such/python"), None, &NoCache, &|_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("can't run `{}`", std::path::absolute("./no/such/python").unwrap().display())
        );
    }
}
