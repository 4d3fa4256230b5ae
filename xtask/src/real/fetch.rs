//! Brings source distributions and build requirements of others onto the machine.
//!
//! What is wanted is stated in pip's own format with its digest, `name==version --hash=sha256:…`;
//! pip fetches it from wherever this machine's pip takes packages, and checks it. It is kept in the
//! user's cache by its digest, so that it is fetched once.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::python::{Python, Venv};
use crate::workspace::{Workspace, run_quietly};

/// One file that is wanted.
#[derive(Debug, PartialEq, Eq)]
struct Pin<'a> {
    line: &'a str,
    name: &'a str,
    sha256: &'a str,
}

/// Which sort of file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Sdist,
    Wheel,
}

/// Returns the paths of the files that `requirements` states, in its order.
pub(crate) fn fetch(pip: &Venv, requirements: &Path, form: Form) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(requirements)
        .with_context(|| format!("`{}`", requirements.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut files = Vec::new();
    for line in lines {
        let pin = Pin::parse(line).with_context(|| format!("`{}`", requirements.display()))?;
        let file = fetch_one(pip, &pin, form, requirements.parent());
        files.push(file.with_context(|| format!("fetching {}", pin.name))?);
    }
    Ok(files)
}

/// Adds the wheels of a set of `xtask/requirements` for `python` to a folder.
pub(crate) fn fetch_set(
    workspace: &Workspace,
    python: &Python,
    set: &str,
    folder: &Path,
) -> Result<()> {
    let pip = python.tools(workspace, "frontends")?;
    let mut download = pip.program("python");
    download.args(["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]);
    download.args(["--disable-pip-version-check", "--only-binary", ":all:", "--dest"]);
    download.arg(folder).arg("-r");
    download.arg(workspace.path(&format!("xtask/requirements/{set}.txt")));
    run_quietly(&mut download).with_context(|| format!("fetching {set} for {python}"))?;
    Ok(())
}

/// `beside` is the folder of what helps pip to look into source distributions, which it does even if
/// it is asked for the file alone.
fn fetch_one(pip: &Venv, pin: &Pin<'_>, form: Form, beside: Option<&Path>) -> Result<PathBuf> {
    let folder = cache()?.join(pin.sha256);
    if let Some(file) = only_file(&folder) {
        return Ok(file);
    }
    let parent = folder.parent().context("the cache has no folder")?;
    fs::create_dir_all(parent).with_context(|| format!("`{}`", parent.display()))?;
    let unfinished = tempfile::tempdir_in(parent)?;
    let requirement = unfinished.path().join("requirement.txt");
    fs::write(&requirement, pin.line)?;
    let arrived = unfinished.path().join("arrived");
    let mut download = pip.program("python");
    download.args(["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]);
    match form {
        Form::Sdist => download.args(["--no-binary", pin.name]),
        Form::Wheel => download.args(["--only-binary", ":all:"]),
    };
    download.arg("--dest").arg(&arrived).arg("-r").arg(&requirement);
    if let Some(constraints) = beside.map(|folder| folder.join("fetch-constraints.txt"))
        && constraints.is_file()
    {
        // The one is for pip up to 25.2, the other for later ones.
        download.env("PIP_CONSTRAINT", &constraints).env("PIP_BUILD_CONSTRAINT", &constraints);
    }
    if let Some(variables) = beside.map(|folder| folder.join("fetch-environment.txt"))
        && variables.is_file()
    {
        let text = fs::read_to_string(&variables)?;
        download.envs(text.lines().filter_map(|line| line.split_once('=')));
    }
    run_quietly(&mut download)?;
    // Fails if another run was faster, whose file then serves.
    let moved = fs::rename(&arrived, &folder);
    match only_file(&folder) {
        Some(file) => Ok(file),
        None => bail!("pip brought nothing ({moved:?})"),
    }
}

impl<'a> Pin<'a> {
    fn parse(line: &'a str) -> Result<Self> {
        let parts = line.split_once("==").zip(line.split_once(" --hash=sha256:"));
        let Some(((name, _), (_, sha256))) = parts else {
            bail!("`{line}` should be `name==version --hash=sha256:…`");
        };
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            bail!("`{sha256}` isn't a SHA-256 digest");
        }
        Ok(Self { line, name, sha256 })
    }
}

/// Apart from Ekiben's own cache, whose content may be deleted at any time.
fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(folder) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
        _ => env::home_dir().context("there is no home folder")?.join(".cache"),
    };
    Ok(base.join("ekiben-xtask/sources"))
}

fn only_file(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).next()
}

/// Unpacks a source distribution and returns its one folder.
pub(crate) fn unpack(python: &Venv, archive: &Path, into: &Path) -> Result<PathBuf> {
    let mut tarfile = python.program("python");
    // The digest is known: nothing in it is hostile.
    run_quietly(tarfile.args(["-W", "ignore", "-m", "tarfile", "-e"]).arg(archive).arg(into))?;
    only_file(into).with_context(|| format!("`{}` is empty", archive.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_a_version_and_a_digest() {
        let digest = "0123456789abcdef".repeat(4);
        let line = format!("spam==1.2 --hash=sha256:{digest}");
        let pin = Pin::parse(&line).unwrap();
        assert_eq!((pin.name, pin.sha256), ("spam", digest.as_str()));
        for wrong in ["spam==1.2", "spam --hash=sha256:00", "spam==1 --hash=sha256:00"] {
            assert!(Pin::parse(wrong).is_err(), "{wrong}");
        }
    }
}
