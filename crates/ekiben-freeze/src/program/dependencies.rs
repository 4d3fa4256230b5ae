//! What a program depends on: resolved and installed by uv, or pip, into a folder of the cache that is
//! named after what was asked for.
//!
//! A folder appears whole or not at all, and never changes. What isn't pinned is resolved once.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use ekiben_engine::Digest;
use ekiben_static::installer::command;
use walkdir::WalkDir;

use super::project::Modules;
use super::resolve::{self, Tool};
use super::{Error, Project, pylock};
use crate::process::{self, Stop};

/// Folders of a project that are no part of it.
const NOT_PROJECT: &[&str] =
    &[".git", ".hg", ".venv", "venv", ".tox", ".nox", "__pycache__", "build", "dist", "target"];

/// Where dependencies are installed, in the cache.
#[must_use]
pub fn installed_folder(cache: &Path) -> PathBuf {
    cache.join("site")
}

fn folder_of(key: &[u8], cache: &Path) -> PathBuf {
    installed_folder(cache).join(Digest::of(key).to_string())
}

/// The folder of a key there, made unless it is there. What `make` gets is empty, and has a folder around it
/// that goes afterwards.
pub(super) fn once(
    key: &[u8],
    cache: &Path,
    make: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let folder = folder_of(key, cache);
    if folder.is_dir() {
        return Ok(folder);
    }
    let all = installed_folder(cache);
    fs::create_dir_all(&all).map_err(Error::io("create", &all))?;
    let work = tempfile::Builder::new().prefix(".installing-").tempdir_in(&all);
    let work = work.map_err(Error::io("write to", &all))?;
    let made = work.path().join("site");
    fs::create_dir(&made).map_err(Error::io("create", &made))?;
    make(&made)?;
    match fs::rename(&made, &folder) {
        // Another process was faster.
        Err(_) if folder.is_dir() => Ok(folder),
        renamed => renamed.map_err(Error::io("create", &folder)).map(|()| folder),
    }
}

/// Installs dependencies for the interpreter of a runtime.
#[derive(Debug, Clone)]
pub struct Installer {
    /// The interpreter.
    pub python: PathBuf,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// Whether to resolve and install again what was before.
    pub refresh: bool,
}

/// What is installed at once.
struct Task<'a> {
    /// What determines the result.
    key: Vec<u8>,
    /// A requirements file.
    requirements: Option<&'a str>,
    /// The folder of a project, which is installed without its dependencies, and what of its modules.
    project: Option<(&'a Project, Modules)>,
    /// Whether the requirements name all that is needed, as locks do.
    is_complete: bool,
}

impl Installer {
    /// The folder with what a requirements file asks for, or a lock (`pylock.toml`, PEP 751).
    ///
    /// # Errors
    /// If the file can't be read, or the installation fails.
    pub fn requirements(&self, file: &Path) -> Result<PathBuf, Error> {
        self.requirements_until(file, None)
    }

    /// As [`requirements`](Self::requirements), unless it is to stop before.
    ///
    /// # Errors
    /// As there.
    pub fn requirements_until(&self, file: &Path, stop: Stop<'_>) -> Result<PathBuf, Error> {
        let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
        if pylock::is_name_of_one(file) {
            return self.listed(&pylock::requirements(file, &text)?, true, stop);
        }
        let includes = |line: &str| {
            ["-r", "-c", "--requirement", "--constraint"].iter().any(|it| line.starts_with(it))
        };
        if let Some(at) = text.lines().position(|line| includes(line.trim_start())) {
            let message = format!(
                "line {}: requirements that include others aren't read; lock them in one file, by \
                 `uv pip compile` or `pip-compile`",
                at + 1
            );
            return Err(Error::Text { path: file.to_owned(), message });
        }
        self.listed(&text, false, stop)
    }

    /// What of requirements is to be installed: all of it, by version and hash, as a requirements file.
    ///
    /// # Errors
    /// If it can't be resolved.
    pub fn resolve(&self, requirements: &str, stop: Stop<'_>) -> Result<String, Error> {
        let work = tempfile::Builder::new().prefix("ekiben-resolve-").tempdir();
        let work = work.map_err(Error::io("create a folder in", std::env::temp_dir()))?;
        let file = work.path().join("requirements.in");
        fs::write(&file, requirements).map_err(Error::io("write", &file))?;
        resolve::resolve(&self.python, &file, stop)
    }

    /// The folder with what [`resolve`](Self::resolve) has given.
    ///
    /// # Errors
    /// If the installation fails.
    pub fn resolved(&self, requirements: &str, stop: Stop<'_>) -> Result<PathBuf, Error> {
        self.listed(requirements, true, stop)
    }

    /// The folders with a project and its dependencies, to be searched in this order.
    ///
    /// # Errors
    /// If the installation fails.
    pub fn project(&self, project: &Project, modules: Modules) -> Result<Vec<PathBuf>, Error> {
        let dependencies = project.dependencies()?;
        let mut folders = vec![self.project_alone(project, modules)?];
        if !dependencies.is_empty() {
            folders.push(self.dependencies(&dependencies)?);
        }
        Ok(folders)
    }

    /// The folder with what some requirements (PEP 508) ask for.
    ///
    /// # Errors
    /// If the installation fails.
    pub fn dependencies(&self, requirements: &[String]) -> Result<PathBuf, Error> {
        self.listed(&format!("{}\n", requirements.join("\n")), false, None)
    }

    /// The folder with a project.
    ///
    /// # Errors
    /// If the installation fails.
    pub fn project_alone(&self, project: &Project, modules: Modules) -> Result<PathBuf, Error> {
        let mut key = tree_key(&project.folder)?;
        key.extend_from_slice(project.artifact(modules).unwrap_or_default().as_bytes());
        let project = Some((project, modules));
        let task = Task { key, requirements: None, project, is_complete: true };
        self.install(&task, None)
    }

    fn listed(
        &self,
        requirements: &str,
        is_complete: bool,
        stop: Stop<'_>,
    ) -> Result<PathBuf, Error> {
        let mut key = vec![u8::from(is_complete)];
        key.extend_from_slice(requirements.as_bytes());
        let task = Task { key, requirements: Some(requirements), project: None, is_complete };
        self.install(&task, stop)
    }

    fn install(&self, task: &Task<'_>, stop: Stop<'_>) -> Result<PathBuf, Error> {
        let mut key = b"site 1\0".to_vec();
        key.extend_from_slice(self.python.as_os_str().as_encoded_bytes());
        key.push(0);
        key.extend_from_slice(&task.key);
        let folder = folder_of(&key, &self.cache);
        if self.refresh && folder.is_dir() {
            fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
        }
        once(&key, &self.cache, |site| {
            let file = site.with_file_name("requirements.txt");
            if let Some(requirements) = task.requirements {
                fs::write(&file, requirements).map_err(Error::io("write", &file))?;
            }
            // Wheels first: building from source takes long, and may need what isn't there.
            let tool = Tool::find(&self.python, stop)?;
            if task.project.is_none() {
                let said = self.run(&tool, task, &file, site, true, stop);
                if said.is_ok() || stop.is_some_and(|stop| stop()) {
                    return said;
                }
            }
            self.run(&tool, task, &file, site, false, stop)
        })
    }

    fn run(
        &self,
        tool: &Tool,
        task: &Task<'_>,
        file: &Path,
        site: &Path,
        wheels: bool,
        stop: Stop<'_>,
    ) -> Result<(), Error> {
        let (name, mut command) = match tool {
            Tool::Uv(uv) => {
                let mut command = command(uv);
                command.args(["pip", "install", "--quiet", "--no-progress", "--python"]);
                command.arg(&self.python);
                ("uv", command)
            }
            Tool::Pip(pip) => {
                let mut command = command(pip);
                command.arg("--python").arg(&self.python);
                command.args(["install", "--quiet", "--disable-pip-version-check", "--no-input"]);
                command.arg("--no-compile");
                ("pip", command)
            }
        };
        let mut words: Vec<OsString> = vec!["--target".into(), site.into()];
        if wheels {
            words.extend(["--only-binary".into(), ":all:".into()]);
        }
        if task.is_complete {
            words.push("--no-deps".into());
        }
        if let Some((project, modules)) = task.project {
            if let Some(artifact) = project.artifact(modules) {
                // Its modules are wanted here, and not what else its wheels may hold.
                words.extend(["--config-settings".into(), format!("artifact={artifact}").into()]);
            }
            words.push((&project.folder).into());
        }
        if let Some(requirements) = task.requirements {
            if requirements.contains("--hash=") {
                words.push("--require-hashes".into());
            }
            words.extend(["-r".into(), file.into()]);
        }
        let output = process::output(command.args(words), stop).map_err(Error::io("run", name))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        Err(Error::Installer { installer: name.to_owned(), said })
    }
}

/// What is in the files of a project, with their names.
fn tree_key(project: &Path) -> Result<Vec<u8>, Error> {
    let mut key = b"project\0".to_vec();
    let is_part = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(entry.file_type().is_dir() && is_no_part(&name))
    };
    for entry in WalkDir::new(project).sort_by_file_name().into_iter().filter_entry(is_part) {
        let entry = entry.map_err(|error| Error::Io {
            action: "read",
            path: project.to_owned(),
            source: error.into(),
        })?;
        if entry.file_type().is_file() {
            let content = fs::read(entry.path()).map_err(Error::io("read", entry.path()))?;
            let path = entry.path().strip_prefix(project).unwrap_or(entry.path());
            key.extend_from_slice(path.as_os_str().as_encoded_bytes());
            key.push(0);
            key.extend_from_slice(Digest::of(&content).as_bytes());
        }
    }
    Ok(key)
}

fn is_no_part(name: &str) -> bool {
    NOT_PROJECT.contains(&name) || name.ends_with(".egg-info")
}
