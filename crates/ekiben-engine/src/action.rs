//! [`Action`]: one step of a build, as data.
//!
//! An action says everything that may determine its outputs: what runs, with which environment, on which inputs. Paths
//! are never text in it but [`Piece`]s that name an artifact or a root, so that the engine knows what a command line
//! reads and writes, and keys come out the same in every folder.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::function::FunctionContext;
use crate::path::{Location, Root};

/// A file of the build: a leaf that exists, or the output of one action. Dense; valid in the engine that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArtifactId(u32);

/// An action of the build, in the order of submission. Dense; valid in the engine that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(u32);

macro_rules! dense_id {
    ($id:ident) => {
        impl $id {
            /// The position in dense tables.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            pub(crate) fn from_index(index: usize) -> Self {
                Self(index.try_into().unwrap_or(u32::MAX))
            }
        }
    };
}
dense_id!(ArtifactId);
dense_id!(ActionId);

/// A part of an argument or of a variable's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// Literal text.
    Text(String),
    /// The path of an artifact: relative to the source root where it lies beneath it, else absolute.
    Artifact(ArtifactId),
    /// The path of a folder, spelled as that of an artifact in it would be; may not exist.
    Folder(Location),
    /// A root: the source root absolute (for prefix maps), the build root as artifacts spell it.
    Root(Root),
}

/// One argument, or one variable's value, put together from [`Piece`]s.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arg(pub Vec<Piece>);

impl Arg {
    /// `text` followed by the path of `artifact`, as in `-o` or `-Wl,--version-script=`.
    pub fn prefixed(text: impl Into<String>, artifact: ArtifactId) -> Self {
        Self(vec![Piece::Text(text.into()), Piece::Artifact(artifact)])
    }

    /// `text` followed by the path of a folder, as in `-I`.
    pub fn folder(text: impl Into<String>, folder: Location) -> Self {
        Self(vec![Piece::Text(text.into()), Piece::Folder(folder)])
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self(vec![Piece::Text(text)])
    }
}

impl From<ArtifactId> for Arg {
    fn from(artifact: ArtifactId) -> Self {
        Self(vec![Piece::Artifact(artifact)])
    }
}

/// The value of an environment variable.
pub type EnvValue = Arg;

/// A program and what identifies it. The path runs it; everything else is in the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ToolIdentity {
    /// What a person calls it: `gcc`.
    pub name: String,
    /// Where it is. Not in the key.
    pub path: PathBuf,
    /// The digest of the program's file.
    pub digest: Digest,
    /// Its version, for explanations.
    pub version: String,
    /// What it runs in turn (`cc1`, `as`, `ld`): name and digest.
    #[serde(default)]
    pub companions: BTreeMap<String, Digest>,
}

/// What a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// A tool of the machine.
    Tool(ToolIdentity),
    /// A program that this build made. It is an input.
    Artifact(ArtifactId),
}

/// What an action does.
#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ActionKind {
    /// Runs a process in the source root.
    Process {
        /// The program.
        program: Program,
        /// Its arguments, without the program's name.
        argv: Vec<Arg>,
        /// Its whole environment; nothing is inherited.
        env: BTreeMap<String, EnvValue>,
    },
    /// Calls a function of this process.
    Function(Function),
}

/// A function that runs in this process. Its name, version and parameters stand for its code in the key: who changes
/// what it does raises the version.
#[derive(Clone, Serialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The version of its behaviour.
    pub version: String,
    /// Everything besides inputs that its result depends on.
    pub params: serde_json::Value,
    /// The code.
    #[serde(skip)]
    pub run: Arc<FunctionBody>,
}

/// The code of a [`Function`]: reads inputs and writes outputs through the context only.
pub type FunctionBody = dyn Fn(&FunctionContext) -> Result<(), ActionError> + Send + Sync;

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.version, self.params)
    }
}

impl fmt::Debug for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { program, argv, env } => f
                .debug_struct("Process")
                .field("program", program)
                .field("argv", argv)
                .field("env", env)
                .finish(),
            Self::Function(function) => function.fmt(f),
        }
    }
}

/// Why a [`Function`] failed: what is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ActionError {
    /// What is wrong.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
}

impl ActionError {
    /// An error with no hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }
}

impl From<std::io::Error> for ActionError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// How an action tells which further files it read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepFile {
    /// A make rule in this file (`gcc -MD -MF`). The artifact may be named in argv; it isn't an output.
    Make(ArtifactId),
    /// One path a line in this file.
    Plain(ArtifactId),
    /// Lines `read PATH` in this file, and `absent PATH` for what was looked for in vain: a file that appears there
    /// later makes the result out of date.
    Trace(ArtifactId),
    /// `cl /showIncludes`: lines in the output that start with this (localised) prefix. They aren't shown.
    Msvc {
        /// `Note: including file:` in English.
        prefix: String,
    },
}

impl DepFile {
    /// The file, if the format has one.
    #[must_use]
    pub fn artifact(&self) -> Option<ArtifactId> {
        match self {
            Self::Make(artifact) | Self::Plain(artifact) | Self::Trace(artifact) => Some(*artifact),
            Self::Msvc { .. } => None,
        }
    }
}

/// How a long command line is handed over in an `@file`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseFile {
    /// Backslash before blanks, quotes and backslashes (gcc, clang, ld, ar).
    Gcc,
    /// `CommandLineToArgvW` quoting (cl, link, lld-link).
    Msvc,
}

/// One step of a build.
#[derive(Debug, Clone, Serialize)]
pub struct Action {
    /// The command that submitted it, for messages and explanations.
    pub owner: String,
    /// The kind of step: `CompileC`, `Link`.
    pub mnemonic: String,
    /// What it does, in a few words: `compile src/a.c`.
    pub description: String,
    /// What runs.
    pub kind: ActionKind,
    /// Inputs beyond those that argv and environment name.
    pub inputs: Vec<ArtifactId>,
    /// What it makes; each under the build root. The first is the primary output, which names it from build to build.
    pub outputs: Vec<ArtifactId>,
    /// How it reports the files it read.
    pub dep_file: Option<DepFile>,
    /// The folders in which it looks for headers, in order: a file that would come first must stay absent.
    pub search_path: Vec<Location>,
    /// How many slots it takes. Not in the key.
    pub weight: u32,
    /// A named pool of which it takes one place. Not in the key.
    pub pool: Option<String>,
    /// Whether it takes further tokens from the jobserver by itself (make, `-flto=jobserver`). Not in the key.
    pub uses_jobserver: bool,
    /// Platform properties, as of REAPI.
    pub properties: BTreeMap<String, String>,
    /// Whether its result may be reused.
    pub cacheable: bool,
    /// Whether and how a long command line goes to a file. Not in the key.
    pub response_file: Option<ResponseFile>,
    /// How many of the first arguments start a process that stays up and takes the rest as a request; see
    /// [`Action::worker`]. Not in the key.
    pub worker: Option<usize>,
    /// The source that this compiles, for `compile_commands.json`. Not in the key.
    pub compile_source: Option<ArtifactId>,
}

impl Action {
    /// An action that runs `tool`, with no arguments or outputs yet.
    pub fn process(
        owner: impl Into<String>,
        mnemonic: impl Into<String>,
        tool: ToolIdentity,
    ) -> Self {
        let kind = ActionKind::Process {
            program: Program::Tool(tool),
            argv: Vec::new(),
            env: BTreeMap::new(),
        };
        Self::of_kind(owner.into(), mnemonic.into(), kind)
    }

    /// An action that runs a program which this build made.
    pub fn built_process(
        owner: impl Into<String>,
        mnemonic: impl Into<String>,
        program: ArtifactId,
    ) -> Self {
        let kind = ActionKind::Process {
            program: Program::Artifact(program),
            argv: Vec::new(),
            env: BTreeMap::new(),
        };
        Self::of_kind(owner.into(), mnemonic.into(), kind)
    }

    /// An action that calls `run`.
    pub fn function(
        owner: impl Into<String>,
        mnemonic: impl Into<String>,
        (name, version): (&str, &str),
        params: serde_json::Value,
        run: impl Fn(&FunctionContext) -> Result<(), ActionError> + Send + Sync + 'static,
    ) -> Self {
        let kind = ActionKind::Function(Function {
            name: name.to_owned(),
            version: version.to_owned(),
            params,
            run: Arc::new(run),
        });
        Self::of_kind(owner.into(), mnemonic.into(), kind)
    }

    fn of_kind(owner: String, mnemonic: String, kind: ActionKind) -> Self {
        Self {
            owner,
            description: mnemonic.clone(),
            mnemonic,
            kind,
            inputs: Vec::new(),
            outputs: Vec::new(),
            dep_file: None,
            search_path: Vec::new(),
            weight: 1,
            pool: None,
            uses_jobserver: false,
            properties: BTreeMap::new(),
            cacheable: true,
            response_file: None,
            worker: None,
            compile_source: None,
        }
    }

    /// Adds an argument. A function has none: there it does nothing.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<Arg>) -> Self {
        if let ActionKind::Process { argv, .. } = &mut self.kind {
            argv.push(arg.into());
        }
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<Arg>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets an environment variable. A function has none: there it does nothing.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<EnvValue>) -> Self {
        if let ActionKind::Process { env, .. } = &mut self.kind {
            env.insert(name.into(), value.into());
        }
        self
    }

    /// Says what it does.
    #[must_use]
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Adds an input that isn't named in argv.
    #[must_use]
    pub fn input(mut self, artifact: ArtifactId) -> Self {
        self.inputs.push(artifact);
        self
    }

    /// Adds an output; the first is the primary one.
    #[must_use]
    pub fn output(mut self, artifact: ArtifactId) -> Self {
        self.outputs.push(artifact);
        self
    }

    /// Says how it reports the files it read.
    #[must_use]
    pub fn dep_file(mut self, dep_file: DepFile) -> Self {
        self.dep_file = Some(dep_file);
        self
    }

    /// Says that a process started with the first `split` arguments, and with `--persistent-worker` after them, stays up
    /// for the build and does this action's job as one of many. It speaks JSON, a line each: it gets
    /// `{"id":1,"arguments":[…]}` with the rest of the arguments on stdin, and answers
    /// `{"id":1,"status":0,"output":"…"}` on stdout; the module `worker` has the whole protocol. All arguments together
    /// must do the same in one shot. Not in the key. A function has no arguments: there it does nothing.
    #[must_use]
    pub fn worker(mut self, split: usize) -> Self {
        self.worker = Some(split);
        self
    }

    /// Whether there are as many arguments as start the worker; else both numbers.
    pub(crate) fn check_worker(&self) -> Result<(), (usize, usize)> {
        match (&self.kind, self.worker) {
            (ActionKind::Process { argv, .. }, Some(split)) if split > argv.len() => {
                Err((split, argv.len()))
            }
            _ => Ok(()),
        }
    }

    /// Every artifact that the action needs, in a fixed order, each once.
    pub(crate) fn all_inputs(&self) -> Vec<ArtifactId> {
        let dep_file = self.dep_file.as_ref().and_then(DepFile::artifact);
        let mut found = Vec::new();
        let mut add = |artifact: ArtifactId| {
            if !self.outputs.contains(&artifact) && dep_file != Some(artifact) {
                found.push(artifact);
            }
        };
        if let ActionKind::Process { program, argv, env } = &self.kind {
            if let Program::Artifact(program) = program {
                add(*program);
            }
            for piece in argv.iter().chain(env.values()).flat_map(|arg| &arg.0) {
                if let Piece::Artifact(artifact) = piece {
                    add(*artifact);
                }
            }
        }
        self.inputs.iter().copied().for_each(&mut add);
        let mut seen = std::collections::HashSet::new();
        found.retain(|artifact| seen.insert(*artifact));
        found
    }
}
