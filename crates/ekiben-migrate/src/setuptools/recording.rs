//! Runs the package `record` in the interpreter and takes its answer.
//!
//! The project is copied to a temporary folder first: whatever setup.py writes goes there. The
//! answer comes through the script's own pipe, so nothing that setup.py prints can spoil it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, io, thread};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use walkdir::{DirEntry, WalkDir};

use crate::error::Error;

/// The files of a Python package, by their names.
macro_rules! package {
    ($($name:literal),* $(,)?) => {
        [$((concat!($name, ".py"), include_str!(concat!("record/", $name, ".py")))),*]
    };
}

/// The package, which brings all it needs.
const RECORD: [(&str, &str); 20] = package![
    "__init__",
    "answer",
    "commands",
    "compiler",
    "computed",
    "cython",
    "distribution",
    "events",
    "extension",
    "find",
    "finder",
    "given",
    "libraries",
    "machine",
    "main",
    "numpy_distutils",
    "programs",
    "setup_cfg",
    "stand_ins",
    "tool_setuptools",
];

/// Starts it, from the folder that holds it.
const START: &str = include_str!("record/start.py");

/// The package's folder, as `start.py` imports it.
const PACKAGE: &str = "ekiben_record";

/// After this long setup.py is taken to wait for something that never comes.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a path in a stand-in's world begins with (`STAND_IN` in record/events.py).
pub(super) const STAND_IN: &str = "/ekiben-stand-in/";

/// How many modules may be stood in for beyond those that `record` knows.
const MOST_STAND_INS: usize = 20;

#[derive(Debug, Serialize)]
struct Request<'a> {
    root: &'a Path,
    platform: &'a str,
    stand_ins: &'a [String],
    tool_setuptools: &'a Value,
}

/// What setup.py, setup.cfg and `[tool.setuptools]` ask setuptools for.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Recording {
    pub(super) system: String,
    pub(super) error: Option<Problem>,
    pub(super) calls: usize,
    pub(super) arguments: BTreeMap<String, Value>,
    pub(super) computed: Vec<String>,
    pub(super) directives: BTreeMap<String, String>,
    pub(super) commands: Vec<OwnCommand>,
    pub(super) extensions: Vec<RawExtension>,
    pub(super) strange_extensions: Vec<String>,
    pub(super) built: Option<Vec<RawExtension>>,
    pub(super) build_ext_error: Option<String>,
    pub(super) has_distclass: bool,
    pub(super) unknown: Vec<String>,
    pub(super) events: Vec<Event>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Problem {
    pub(super) message: String,
    /// The module that isn't there, if that is the problem.
    pub(super) module: Option<String>,
    #[serde(rename = "where")]
    pub(super) place: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct OwnCommand {
    pub(super) command: String,
    pub(super) class: String,
    /// Whether the project or a helper defines it, and not setuptools.
    pub(super) own: bool,
}

/// An extension as `Extension()` was given it. Lists may be null or hold what isn't a string.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct RawExtension {
    pub(super) name: Value,
    pub(super) class: String,
    #[serde(flatten)]
    pub(super) fields: BTreeMap<String, Value>,
}

/// Something that happened on the way.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Event {
    Needs { module: String },
    PkgConfig {},
    ConfigTool {},
    Program { argv: Vec<String> },
    Which {},
    CompilerTest { what: String, answer: String },
    Environment { name: String },
    Cythonize { options: BTreeMap<String, Value> },
    StandIn { what: String },
    VcsVersion { what: String },
    NumpyDistutils { what: String },
    Distclass { what: String },
    MissingFile { name: String, key: String },
    Attribute { key: String, what: String },
    ToolSetuptools { what: String },
    SetupCfg { what: String },
}

/// Asks what the project in `folder` is, as seen on `platform` (empty: this one). Modules that
/// turn out to be missing are stood in for; their names are added to `stand_ins`.
pub(super) fn record(
    python: &Path,
    folder: &Path,
    platform: &str,
    tool_setuptools: &Value,
    stand_ins: &mut Vec<String>,
) -> Result<Recording, Error> {
    loop {
        let recording = record_once(python, folder, platform, tool_setuptools, stand_ins)?;
        let missing = recording.error.as_ref().and_then(|problem| problem.module.clone());
        match missing {
            Some(module) if !stand_ins.contains(&module) && stand_ins.len() < MOST_STAND_INS => {
                stand_ins.push(module);
            }
            _ => return Ok(recording),
        }
    }
}

fn record_once(
    python: &Path,
    folder: &Path,
    platform: &str,
    tool_setuptools: &Value,
    stand_ins: &[String],
) -> Result<Recording, Error> {
    let temporary = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
    let root = temporary.path().join("project");
    copy(folder, &root)?;
    let script = write_package(temporary.path())?;
    let request = Request { root: &root, platform, stand_ins, tool_setuptools };
    let request = serde_json::to_vec(&request).map_err(|error| no_answer(python, error))?;
    let answer = ask(python, &script, &root, &request, !platform.is_empty())?;
    serde_json::from_slice(&answer).map_err(|error| {
        let message = if answer.is_empty() {
            "it stopped too early; what it said is above".to_owned()
        } else {
            format!("its answer can't be read: {error}")
        };
        no_answer(python, message)
    })
}

/// Writes the package into a folder; returns the script that starts it.
fn write_package(folder: &Path) -> Result<PathBuf, Error> {
    let package = folder.join(PACKAGE);
    fs::create_dir(&package).map_err(Error::io("create", &package))?;
    let files = RECORD.iter().map(|(name, text)| (package.join(name), *text));
    let script = folder.join("start.py");
    for (path, text) in files.chain([(script.clone(), START)]) {
        fs::write(&path, text).map_err(Error::io("write", &path))?;
    }
    Ok(script)
}

fn ask(
    python: &Path,
    script: &Path,
    root: &Path,
    request: &[u8],
    silent: bool,
) -> Result<Vec<u8>, Error> {
    let mut child = Command::new(python)
        .arg("-B")
        .arg(script)
        .current_dir(root)
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(if silent { Stdio::null() } else { Stdio::inherit() })
        .spawn()
        .map_err(|error| no_answer(python, error))?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(request) {
            // It ended already; what it has to say follows.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written.map_err(|error| no_answer(python, error))?,
        }
    }
    let (send, receive) = mpsc::channel();
    if let Some(mut stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut answer = Vec::new();
            let read = stdout.read_to_end(&mut answer).map(|_| answer);
            // The other end is gone when patience was.
            let _ = send.send(read);
        });
    }
    let answer = receive.recv_timeout(PATIENCE);
    if answer.is_err() {
        // It may have ended in this moment.
        let _ = child.kill();
    }
    child.wait().map_err(|error| no_answer(python, error))?;
    match answer {
        Ok(answer) => answer.map_err(|error| no_answer(python, error)),
        Err(_) => {
            Err(no_answer(python, format!("it took more than {} seconds", PATIENCE.as_secs())))
        }
    }
}

fn no_answer(python: &Path, message: impl Into<Box<dyn std::error::Error>>) -> Error {
    Error::NoAnswer { python: python.to_owned(), message: message.into().to_string() }
}

/// Folders that no setup script reads and that can be large.
const NOT_COPIED: [&str; 12] = [
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".nox",
    ".venv",
    "venv",
    ".eggs",
    ".mypy_cache",
    "__pycache__",
    "node_modules",
    "target",
];

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let wanted = |entry: &DirEntry| {
        entry.depth() == 0
            || !(entry.file_type().is_dir()
                && entry.file_name().to_str().is_some_and(|name| NOT_COPIED.contains(&name)))
    };
    for entry in WalkDir::new(from).into_iter().filter_entry(wanted) {
        let entry = entry.map_err(|error| Error::Io {
            what: "read",
            path: error.path().unwrap_or(from).to_owned(),
            source: error.into(),
        })?;
        let target = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).map_err(Error::io("create", &target))?;
        } else if entry.path().is_file() {
            // A link is followed: what it leads to may lie outside the copy.
            fs::copy(entry.path(), &target).map_err(Error::io("copy", entry.path()))?;
        }
    }
    Ok(())
}
