//! What passes between a plugin and the build, as plain data.
//!
//! Everything a plugin learns is the answer to a [`Query`], and everything it does is an
//! [`Effect`]: the WIT's resources are only a comfortable spelling of the two. Both can be stored,
//! which is what makes a plugin's result replayable (see [`journal`](super::journal)).

use std::collections::BTreeMap;

use ekiben_engine::{Location, RelPath};
use serde::{Deserialize, Serialize};

/// Something a plugin wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    /// Its options, as JSON.
    Options,
    /// A fact of the target.
    Fact(String),
    /// An environment variable.
    Environment(String),
    /// The content of a file of the project.
    ReadSource(RelPath),
    /// Whether the project has a file or folder of that name.
    SourceExists(RelPath),
    /// The project's files that match a pattern.
    Glob(String),
    /// What the build makes.
    Products,
    /// A setting of a product, as JSON.
    Setting {
        /// The product's name.
        product: String,
        /// The key in `pyproject.toml`.
        key: String,
    },
    /// Whether there is a file at an absolute path.
    IsFile(String),
    /// The artifacts there are of one kind.
    Artifacts {
        /// The kind.
        kind: String,
        /// Only those of this product.
        product: Option<String>,
    },
    /// The program behind the name of a declared tool.
    Tool(String),
    /// What a tool answers.
    Probe(Probe),
    /// The content of an artifact, made first if need be.
    ReadArtifact(Location),
    /// A distribution that is installed for the build.
    Distribution(String),
    /// The folders in which packages are searched.
    PackageFolders,
    /// Where a file or folder of an installed distribution lies.
    FindInstalled {
        /// The distribution's name.
        distribution: String,
        /// Below the folder that packages lie in.
        path: RelPath,
    },
    /// The content of a file of an installed distribution.
    ReadInstalled {
        /// The distribution's name.
        distribution: String,
        /// Below the folder that packages lie in.
        path: RelPath,
    },
    /// A product's sources.
    Sources(String),
    /// Where a setting of a product stands.
    SettingPlace {
        /// The product's name.
        product: String,
        /// The key in `pyproject.toml`.
        key: String,
    },
    /// The files that a wheel holds where packages are installed.
    InstalledFiles {
        /// The kinds of artifact that are meant.
        kinds: Vec<String>,
    },
    /// What a service of the host says.
    Service {
        /// The service's name.
        service: String,
        /// The question, as JSON.
        question: String,
    },
}

/// A run of a tool for its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The tool's declared name.
    pub tool: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Files put in the scratch folder, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// A file that the tool makes, to be run afterwards for its answer.
    pub run: Option<String>,
    /// Whether its answer isn't to be remembered for other builds.
    pub anew: bool,
}

/// The answer to a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// There is no such thing.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
    /// Several texts, in a fixed order.
    Texts(Vec<String>),
    /// A file's content.
    Bytes(Vec<u8>),
    /// Products, in the order of the configuration.
    Products(Vec<ProductInfo>),
    /// Artifacts, in the order in which they came to be.
    Artifacts(Vec<ArtifactInfo>),
    /// A tool.
    Tool(ToolInfo),
    /// What a probe gave.
    Probe(ProbeOutcome),
    /// An installed distribution.
    Distribution(DistributionInfo),
    /// Where something lies.
    Place(Location),
    /// Where several things lie, in order.
    Places(Vec<Location>),
    /// A place in a file: line and column from 1.
    Span(String, u32, u32),
    /// Files, each with its path where packages are installed.
    Files(Vec<(String, ArtifactInfo)>),
}

/// An installed distribution as plugins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionInfo {
    /// Its name, as its metadata spell it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of its list of files.
    pub digest: String,
    /// The folder that packages lie in.
    pub folder: Location,
}

/// A product: an extension module, an executable, a shared library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductInfo {
    /// Its name, such as `spam._speedups`.
    pub name: String,
    /// Its kind, such as `extension-module`.
    pub kind: String,
}

/// An artifact as plugins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactInfo {
    /// Where it lies.
    pub location: Location,
    /// Its kind.
    pub kind: String,
    /// The product it belongs to.
    pub product: Option<String>,
}

/// A tool as plugins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolInfo {
    /// The declared name.
    pub name: String,
    /// The file name that it was found by.
    pub program: String,
    /// The digest of its content: it is part of the answer, so that another compiler under the same
    /// name makes a recorded result stale.
    pub digest: String,
}

/// What a probe gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeOutcome {
    /// The exit status; nothing when a signal or the time limit ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// Something a plugin does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Declares a file that an action will make.
    Output {
        /// Below the build folder.
        path: RelPath,
        /// Its kind.
        kind: String,
        /// The product it belongs to.
        product: Option<String>,
    },
    /// Makes a file at once.
    Write {
        /// Below the build folder.
        path: RelPath,
        /// Its kind.
        kind: String,
        /// The product it belongs to.
        product: Option<String>,
        /// Its content.
        content: Vec<u8>,
    },
    /// Adds a program to a tool's identity.
    Companion {
        /// The tool's declared name.
        tool: String,
        /// The program's absolute path.
        path: String,
    },
    /// Names a tool's version.
    ToolVersion {
        /// The tool's declared name.
        tool: String,
        /// The version.
        text: String,
    },
    /// Emits an action.
    Submit(Box<PlannedAction>),
    /// Tells the user something.
    Report(Report),
    /// Adds to how a product is compiled and linked.
    Contribute {
        /// The product's name.
        product: String,
        /// What is added.
        contribution: Contribution,
    },
    /// Adds a requirement (PEP 508) to the metadata.
    Require(String),
}

/// What a plugin adds to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contribution {
    /// A folder to search for headers.
    IncludeDirectory(Location),
    /// A macro and its value.
    Define(String, Option<String>),
    /// An argument for the compiler of a language, or of all.
    CompileArgument(Option<String>, String),
    /// A library by name.
    LinkLibrary(String),
    /// A file to link with.
    LinkFile(Location),
    /// A folder to search for libraries.
    LibraryDirectory(Location),
    /// An argument for the linker driver.
    LinkArgument(String),
    /// A word of `uses` that is taken care of.
    Answer(String),
    /// A platform that it runs on, as wheels' tags name it.
    Platform(String),
}

/// An action as a plugin describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedAction {
    /// What sort of action it is, such as `CompileC`.
    pub mnemonic: String,
    /// What it does, for people.
    pub description: String,
    /// The declared name of the tool that it runs; empty if a service carries it out.
    pub tool: String,
    /// The service that carries it out, and the plan.
    pub service: Option<ServicePlan>,
    /// Whether it runs in each build.
    pub anew: bool,
    /// The arguments.
    pub arguments: Vec<PlannedArgument>,
    /// Inputs that the arguments don't show.
    pub reads: Vec<Location>,
    /// Outputs that the arguments don't show.
    pub makes: Vec<Location>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The dependency file.
    pub dependency_file: Option<RelPath>,
    /// Its format.
    pub dependency_format: DependencyFormat,
    /// The prefix of dependencies on stdout.
    pub dependencies_in_output: Option<String>,
    /// Where headers are searched, in order.
    pub search_directories: Vec<Location>,
    /// The source that it compiles.
    pub compiles: Option<Location>,
    /// How many processors it takes.
    pub weight: Option<u32>,
    /// The pool it belongs to.
    pub pool: Option<String>,
    /// Platform properties.
    pub properties: BTreeMap<String, String>,
    /// Whether a long command line may go to a response file.
    pub response_file: bool,
    /// Whether it takes job tokens.
    pub takes_job_tokens: bool,
    /// How many of the arguments start a process that stays; the others are a request to it.
    pub worker: Option<usize>,
}

/// What a service of the host is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePlan {
    /// The service's name.
    pub service: String,
    /// The plan, as JSON.
    pub plan: String,
}

/// How a dependency file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DependencyFormat {
    /// A make rule.
    #[default]
    Make,
    /// Lines `read PATH` and `absent PATH`.
    Trace,
}

/// An argument of a [`PlannedAction`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlannedArgument {
    /// A text.
    Text(String),
    /// A text around a place; `role` says what the place is to the action.
    Place {
        /// What stands before it.
        prefix: String,
        /// The place.
        at: Location,
        /// What stands behind it.
        suffix: String,
        /// What it is to the action.
        role: Role,
    },
}

/// What a place in an argument is to its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A file that it reads.
    Input,
    /// A file that it makes.
    Output,
    /// Only named: a folder, say.
    Mentioned,
}

/// A request to compile all sources of one language in one product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileRequest {
    /// The product's name.
    pub product: String,
    /// The language.
    pub language: String,
    /// The sources.
    pub sources: Vec<ArtifactInfo>,
    /// Where headers are searched, in order.
    pub include_directories: Vec<Location>,
    /// Macros and their values.
    pub definitions: Vec<(String, Option<String>)>,
    /// Macros to forget.
    pub undefinitions: Vec<String>,
    /// The language's standard.
    pub standard: Option<String>,
    /// The level of optimisation.
    pub optimization: String,
    /// Whether to keep debug information.
    pub debug: bool,
    /// How much to warn.
    pub warnings: String,
    /// Whether the code must be position-independent.
    pub position_independent: bool,
    /// The user's own arguments.
    pub arguments: Vec<String>,
    /// Other settings, as JSON.
    pub settings: BTreeMap<String, String>,
}

/// A request to link a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRequest {
    /// The product's name.
    pub product: String,
    /// What to make.
    pub kind: String,
    /// The file to make.
    pub output: ArtifactInfo,
    /// The objects.
    pub objects: Vec<ArtifactInfo>,
    /// Static libraries of the project.
    pub static_libraries: Vec<ArtifactInfo>,
    /// The languages of the objects.
    pub languages: Vec<String>,
    /// Libraries by name.
    pub libraries: Vec<String>,
    /// Where libraries are searched.
    pub library_directories: Vec<Location>,
    /// Whether to keep debug information.
    pub debug: bool,
    /// The level of optimisation.
    pub optimization: String,
    /// The user's own arguments.
    pub arguments: Vec<String>,
    /// Other settings, as JSON.
    pub settings: BTreeMap<String, String>,
}

/// Something for the user to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How bad it is.
    pub severity: Severity,
    /// A stable identifier.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Where: file, line and column.
    pub at: Option<(String, u32, u32)>,
    /// What to do.
    pub help: Vec<String>,
}

/// How bad a [`Report`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// Good to know.
    Note,
    /// May be a mistake.
    Warning,
    /// The build can't go on.
    Error,
}

/// Why a call, or a question within it, came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// Someone else may be able to.
    Unsupported(String),
    /// The user can mend it.
    User(Vec<Report>),
    /// The plugin is wrong.
    Internal(String),
}

impl Failure {
    /// A failure that the user can mend.
    pub fn user(code: &str, message: impl Into<String>) -> Self {
        Self::User(vec![Report {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            at: None,
            help: Vec::new(),
        }])
    }

    /// Adds a sentence on what the user can do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        if let Self::User(reports) = &mut self
            && let Some(report) = reports.last_mut()
        {
            report.help.push(help.into());
        }
        self
    }
}

/// The build, as a plugin's call sees it.
///
/// Answers must be a function of the query and of the state of the world: two equal states give
/// equal answers, or a recorded result would be replayed wrongly.
pub trait World {
    /// Answers a question.
    ///
    /// # Errors
    /// A failure is an answer like any other: it is recorded, and the plugin may go on from it.
    fn ask(&self, query: &Query) -> Result<Answer, Failure>;

    /// Carries out an effect.
    ///
    /// # Errors
    /// When the effect contradicts what the build already holds, such as a second producer.
    fn perform(&self, effect: &Effect) -> Result<(), Failure>;

    /// Takes a line for the build log.
    fn log(&self, plugin: &str, message: &str);
}
