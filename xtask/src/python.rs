//! Python interpreters and virtual environments.
//!
//! A tool written in Python is never taken from the machine: each set in `xtask/requirements` has
//! exact versions and digests, and goes into an environment below the target folder, which is made
//! again when the set or the interpreter changes.

mod site;

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

pub(crate) use site::Site;

use crate::workspace::{Workspace, output_of, run_quietly};

/// Whether two names are of the same distribution.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    plain(one) == plain(other)
}

/// The version of a distribution that is installed in a folder.
pub(crate) fn installed_version(folder: &Path, name: &str) -> Result<String> {
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        let info = file.strip_suffix(".dist-info").and_then(|info| info.split_once('-'));
        if let Some((its, version)) = info
            && is_same(its, name)
        {
            return Ok(version.to_owned());
        }
    }
    bail!("`{name}` isn't installed in {}", folder.display());
}

/// Leaves a command nothing of this process' environment that Python, locales or the loader (which cargo
/// tells where to look) are told by.
pub(crate) fn clean<'a>(command: &'a mut Command, locale: &[(&str, &str)]) -> &'a mut Command {
    for (name, _) in env::vars_os() {
        let is_told = |name: &OsStr| {
            let name = name.to_string_lossy();
            let names = ["LANG", "LD_LIBRARY_PATH"];
            name.starts_with("PYTHON") || name.starts_with("LC_") || names.contains(&&*name)
        };
        if is_told(&name) {
            command.env_remove(name);
        }
    }
    command.envs(locale.iter().copied())
}

/// The versions of Python (3.x) that Ekiben builds for and is tested with.
const MINORS: std::ops::RangeInclusive<u32> = 9..=13;

/// Prints the minor version, the path, and whether C extensions and environments can be made.
const QUESTION: &str = "\
import importlib.util as u, os, sys, sysconfig
headers = os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h'))
venv = u.find_spec('venv') is not None and u.find_spec('ensurepip') is not None
print(sys.version_info[1] if sys.version_info[0] == 3 else 0, headers, venv, sys.executable)";

/// An interpreter with headers, that can make virtual environments.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    minor: u32,
    path: PathBuf,
}

impl Python {
    /// `python3`, else the newest that is found.
    pub(crate) fn find() -> Result<Self> {
        let mut missing = "there is no `python3`";
        match ask(Path::new("python3")) {
            Some(Answer { minor, .. }) if !MINORS.contains(&minor) => {
                missing = "`python3` is of a version that isn't supported (3.9 to 3.13 are)";
            }
            Some(Answer { venv: false, .. }) => missing = "`python3` can't make environments",
            Some(Answer { headers: false, .. }) => {
                missing = "`python3` has no headers (`Python.h`)";
            }
            Some(answer) => return Ok(Self { minor: answer.minor, path: answer.path }),
            None => {}
        }
        if let Some(newest) = Self::find_all().pop() {
            return Ok(newest);
        }
        bail!(
            "{missing}. Install Python with its headers and venv, and try again:\n  \
             on Debian: apt-get install python3-dev python3-venv\n  \
             on Fedora: dnf install python3-devel"
        )
    }

    /// The best of each supported version, oldest first: those of pyenv, then those on `PATH`.
    pub(crate) fn find_all() -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let versions = pyenv_versions().into_iter().map(|version| version.join("bin/python3"));
        let on_path = MINORS.map(|minor| PathBuf::from(format!("python3.{minor}")));
        for candidate in versions.chain(on_path) {
            let Some(answer) = ask(&candidate) else { continue };
            let usable = answer.headers && answer.venv && MINORS.contains(&answer.minor);
            if usable && !found.iter().any(|python| python.minor == answer.minor) {
                found.push(Self { minor: answer.minor, path: answer.path });
            }
        }
        found.sort_by_key(|python| python.minor);
        found
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its version is 3 and this.
    pub(crate) fn minor(&self) -> u32 {
        self.minor
    }

    /// An empty environment, with pip.
    pub(crate) fn make_venv(&self, root: &Path) -> Result<Venv> {
        run_quietly(Command::new(&self.path).args(["-m", "venv", "--clear"]).arg(root))?;
        Ok(Venv { root: root.to_owned() })
    }

    /// An empty environment, without pip.
    pub(crate) fn make_bare_venv(&self, root: &Path) -> Result<Venv> {
        let mut venv = Command::new(&self.path);
        run_quietly(venv.args(["-m", "venv", "--clear", "--without-pip"]).arg(root))?;
        Ok(Venv { root: root.to_owned() })
    }

    /// The environment that holds a set of `xtask/requirements`; made if need be.
    pub(crate) fn tools(&self, workspace: &Workspace, set: &str) -> Result<Venv> {
        let requirements = workspace.path(&format!("xtask/requirements/{set}.txt"));
        let wanted = fs::read_to_string(&requirements)
            .with_context(|| format!("`{}`", requirements.display()))?;
        let wanted = format!("# {}\n{wanted}", self.path.display());
        let root = workspace.target().join(format!("venvs/{set}-3.{}", self.minor));
        let stamp = root.join("ekiben-requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|present| present == wanted) {
            return Ok(Venv { root });
        }
        let venv = self.make_venv(&root)?;
        let mut install = venv.program("python");
        install.args(["-m", "pip", "install", "--quiet", "--require-hashes"]);
        install.args(["--disable-pip-version-check", "--no-warn-script-location", "-r"]);
        run_quietly(install.arg(&requirements))
            .with_context(|| format!("installing {set} tools"))?;
        fs::write(&stamp, wanted).with_context(|| format!("`{}`", stamp.display()))?;
        Ok(venv)
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Python 3.{}", self.minor)
    }
}

/// A virtual environment.
pub(crate) struct Venv {
    root: PathBuf,
}

impl Venv {
    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }

    /// Where a program of the environment is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(name)
    }
}

struct Answer {
    minor: u32,
    headers: bool,
    venv: bool,
    path: PathBuf,
}

/// `None` if it isn't there, or isn't a Python that runs.
fn ask(python: &Path) -> Option<Answer> {
    // In the root, where no `.python-version` of a project changes what pyenv's shims run.
    let mut command = Command::new(python);
    let answer = output_of(command.args(["-I", "-c", QUESTION]).current_dir("/")).ok()?;
    let mut words = answer.splitn(4, ' ');
    Some(Answer {
        minor: words.next()?.parse().ok()?,
        headers: words.next()? == "True",
        venv: words.next()? == "True",
        path: words.next()?.into(),
    })
}

fn pyenv_versions() -> Vec<PathBuf> {
    let root = match env::var_os("PYENV_ROOT") {
        Some(root) => Some(PathBuf::from(root)),
        None => env::home_dir().map(|home| home.join(".pyenv")),
    };
    let entries = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut versions: Vec<PathBuf> =
        entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    versions.sort();
    versions
}
