//! What an interpreter says about itself, and how it is asked.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::{Error, PythonVersion};

/// The script that is run; part of the key of cached facts.
pub(crate) const SCRIPT: &str = include_str!("introspect.py");

/// Precedes the answer, since a `sitecustomize` may print too.
const MARKER: &str = "@ekiben-facts@";

/// The oldest Python that Ekiben supports.
const OLDEST: PythonVersion = PythonVersion { major: 3, minor: 8 };

/// What the interpreter says. Fields are named as `sys` and `sysconfig` name them where they have a
/// name there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// CPython or PyPy.
    pub implementation: Implementation,
    /// `sys.version_info`.
    pub version: Version,
    /// `sys.hexversion`.
    pub hexversion: u64,
    /// Names `__pycache__` files: `cpython-313`.
    pub cache_tag: Option<String>,
    /// `sys.executable`: inside the virtual environment if it is in one.
    pub executable: PathBuf,
    /// The interpreter that a virtual environment was made from, or `executable`.
    pub base_executable: PathBuf,
    /// `sys.prefix`.
    pub prefix: PathBuf,
    /// `sys.base_prefix`; differs from `prefix` in a virtual environment.
    pub base_prefix: PathBuf,
    /// `sys.platform`: `linux`, `darwin`, `win32`.
    pub os: String,
    /// `sysconfig.get_platform()`: `linux-x86_64`, `macosx-11.0-universal2`, `win-amd64`.
    pub platform: String,
    /// `cpython-313-x86_64-linux-gnu`; Windows has none.
    pub soabi: Option<String>,
    /// What an extension module's file name ends in: `.cpython-313-x86_64-linux-gnu.so`.
    pub ext_suffix: String,
    /// All suffixes that this interpreter imports as extension modules, best first.
    #[serde(default)]
    pub extension_suffixes: Vec<String>,
    /// Where `Python.h` is.
    pub include: PathBuf,
    /// Where `pyconfig.h` is.
    pub platinclude: PathBuf,
    /// Whether it is a debug build.
    #[serde(default)]
    pub debug: bool,
    /// Whether it is a free-threaded build.
    #[serde(default)]
    pub gil_disabled: bool,
    /// Whether the executable is linked with a shared libpython.
    #[serde(default)]
    pub enable_shared: bool,
    /// File name of the library to link with to embed: `libpython3.13.so`.
    #[serde(default)]
    pub ldlibrary: Option<String>,
    /// File name of the static library: `libpython3.13.a`.
    #[serde(default)]
    pub library: Option<String>,
    /// `3.13`, `3.13t`, `3.13d`.
    #[serde(default)]
    pub ldversion: Option<String>,
    /// Folder of the shared library.
    #[serde(default)]
    pub libdir: Option<PathBuf>,
    /// Folder of the static library and of the files used to build the interpreter.
    #[serde(default)]
    pub libpl: Option<PathBuf>,
    /// `x86_64-linux-gnu`.
    #[serde(default)]
    pub multiarch: Option<String>,
    /// Size of a pointer in bytes.
    pub pointer_size: u8,
    /// `little` or `big`.
    pub byteorder: String,
    /// `t`, `d`, or empty.
    #[serde(default)]
    pub abiflags: String,
    /// The oldest macOS that the interpreter itself was built for.
    #[serde(default)]
    pub macos_deployment_target: Option<String>,
    /// The environment variable `MACOSX_DEPLOYMENT_TARGET`.
    #[serde(default)]
    pub requested_macos_deployment_target: Option<String>,
    /// The environment variable `ARCHFLAGS`.
    #[serde(default)]
    pub requested_archflags: Option<String>,
    /// The file that `sysconfig` got its variables from.
    #[serde(default)]
    pub sysconfigdata: Option<PathBuf>,
    /// Where things are installed.
    pub paths: Paths,
    /// `site.getsitepackages()`: where packages lie, those of the system included where they are
    /// seen.
    #[serde(default)]
    pub site_packages: Vec<PathBuf>,
}

/// `sysconfig.get_paths()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// Pure-Python packages.
    pub purelib: PathBuf,
    /// Packages with compiled code.
    pub platlib: PathBuf,
    /// Programs.
    pub scripts: PathBuf,
    /// The rest.
    pub data: PathBuf,
    /// The standard library.
    pub stdlib: PathBuf,
}

/// Which Python it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Implementation {
    /// The reference implementation.
    #[serde(rename = "cpython")]
    CPython,
    /// PyPy, which has the C API by emulation.
    #[serde(rename = "pypy")]
    PyPy,
}

impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CPython => "CPython",
            Self::PyPy => "PyPy",
        })
    }
}

/// `sys.version_info`: major, minor, micro, release level (`alpha`, `beta`, `candidate`, `final`)
/// and serial. `Display` is as in file names: `3.14.0rc2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version(pub u8, pub u8, pub u8, pub String, pub u8);

impl Version {
    /// Major and minor.
    pub fn python(&self) -> PythonVersion {
        PythonVersion { major: self.0, minor: self.1 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, micro, level, serial) = self;
        write!(f, "{major}.{minor}.{micro}")?;
        match level.as_str() {
            "alpha" => write!(f, "a{serial}"),
            "beta" => write!(f, "b{serial}"),
            "candidate" => write!(f, "rc{serial}"),
            _ => Ok(()),
        }
    }
}

/// The part of the answer that any Python can give.
#[derive(Deserialize)]
struct Introduction {
    version: Version,
    implementation: String,
}

/// Runs `python` and reads its answer.
pub(crate) fn ask(python: &Path) -> Result<Facts, Error> {
    let output = run(python, SCRIPT)?;
    let text = String::from_utf8_lossy(&output);
    let answer = text.rsplit_once(MARKER).and_then(|(_, rest)| rest.lines().next());
    let answer = answer.ok_or_else(|| Error::BadAnswer {
        python: python.to_owned(),
        problem: "it ended without an answer".into(),
    })?;
    parse(python, answer)
}

/// Checks that the answer comes from a Python we support, and reads the rest of it.
fn parse(python: &Path, answer: &str) -> Result<Facts, Error> {
    let bad = |error: serde_json::Error| Error::BadAnswer {
        python: python.to_owned(),
        problem: error.to_string(),
    };
    let introduction: Introduction = serde_json::from_str(answer).map_err(bad)?;
    if introduction.version.python() < OLDEST {
        return Err(Error::TooOld {
            python: python.to_owned(),
            version: introduction.version,
            oldest: OLDEST,
        });
    }
    if !matches!(introduction.implementation.as_str(), "cpython" | "pypy") {
        return Err(Error::UnknownImplementation {
            python: python.to_owned(),
            implementation: introduction.implementation,
        });
    }
    serde_json::from_str(answer).map_err(bad)
}

/// `sys.executable` as `python`, which may be a script such as a shim of pyenv, has it.
pub(crate) fn ask_executable(python: &Path) -> Result<PathBuf, Error> {
    let output = run(python, "import sys; sys.stdout.write('\\n' + sys.executable)")?;
    let text = String::from_utf8_lossy(&output);
    match text.lines().next_back() {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err(Error::BadAnswer {
            python: python.to_owned(),
            problem: "it doesn't know its own executable".into(),
        }),
    }
}

fn run(python: &Path, script: &str) -> Result<Vec<u8>, Error> {
    let mut command = Command::new(python);
    // Not `-I`: it would ignore PYTHONHOME, which a normal start obeys. What else `-I` does is done
    // by hand: no user packages, no variables, and no current folder (the script sees to that).
    command.args(["-s", "-B", "-c", script]).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if is_ignored(&name) {
            command.env_remove(name);
        }
    }
    let output = command
        .output()
        .map_err(|source| Error::CannotRun { python: python.to_owned(), source })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Failed {
            python: python.to_owned(),
            status: output.status,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

/// Whether a variable changes how Python behaves, but not what it is.
fn is_ignored(name: &OsString) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with("PYTHON") && !crate::cache::VARIABLES.contains(&name))
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Facts of an ordinary CPython 3.13 on 64-bit Linux, to change in tests.
    pub(crate) fn example() -> Facts {
        parse(
            Path::new("python"),
            r#"{
                "version": [3, 13, 0, "final", 0], "implementation": "cpython",
                "hexversion": 51183856, "cache_tag": "cpython-313",
                "executable": "/venv/bin/python", "base_executable": "/usr/bin/python3.13",
                "prefix": "/venv", "base_prefix": "/usr", "os": "linux",
                "platform": "linux-x86_64", "soabi": "cpython-313-x86_64-linux-gnu",
                "ext_suffix": ".cpython-313-x86_64-linux-gnu.so",
                "extension_suffixes": [".cpython-313-x86_64-linux-gnu.so", ".abi3.so", ".so"],
                "include": "/usr/include/python3.13", "platinclude": "/usr/include/python3.13",
                "pointer_size": 8, "byteorder": "little", "new_in_a_later_script": 1,
                "paths": {"purelib": "/p", "platlib": "/p", "scripts": "/s", "data": "/d",
                          "stdlib": "/l", "include": "/i"}
            }"#,
        )
        .unwrap()
    }

    #[test]
    fn unknown_fields_are_ignored_and_missing_ones_are_empty() {
        let facts = example();
        assert_eq!(facts.version.to_string(), "3.13.0");
        assert_eq!(facts.libdir, None);
        assert!(!facts.debug);
    }

    #[test]
    fn old_and_unknown_pythons_are_refused() {
        let refusal = |answer| parse(Path::new("py"), answer).unwrap_err().to_string();
        insta::assert_snapshot!(
            refusal(r#"{"version": [2, 7, 18, "final", 0], "implementation": "unknown"}"#),
            @"`py` is Python 2.7.18, but Ekiben needs Python 3.8 or later"
        );
        insta::assert_snapshot!(
            refusal(r#"{"version": [3, 11, 0, "candidate", 1], "implementation": "graalpy"}"#),
            @"`py` is `graalpy`, but Ekiben builds for CPython and PyPy only"
        );
        let incomplete =
            refusal(r#"{"version": [3, 11, 0, "final", 0], "implementation": "cpython"}"#);
        assert!(incomplete.contains("can't be understood: missing field `hexversion`"));
    }

    #[test]
    fn versions_show_their_release_level() {
        assert_eq!(Version(3, 14, 0, "candidate".into(), 2).to_string(), "3.14.0rc2");
        assert_eq!(Version(3, 15, 0, "alpha".into(), 1).to_string(), "3.15.0a1");
    }
}
