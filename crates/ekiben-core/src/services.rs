//! Services: native functions that carry out what plugins plan.
//!
//! A plugin decides; work over large data isn't WebAssembly's. So the program that holds this crate
//! registers services by name, and a plugin with the capability `service:NAME` asks one while it
//! plans, or emits an action by which the service carries out a plan. Plan, questions and answers are
//! JSON between the two; nobody in between looks into them.
//!
//! Invariants: an action of a service is like any other: its key is the service's version, the plan and
//! the content of all files that it reads, and it sees no others of the build. A service decides
//! nothing that a plan could say. It takes no path from a plan or a question: the right to use it isn't
//! the right to name files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ekiben_engine::{Action, ActionError, ArtifactId, FunctionContext, Location};
use serde_json::Value;

use crate::plugin::protocol::Failure;

/// A native function that carries out what plugins plan.
pub trait Service: Send + Sync {
    /// The version of what it does, which is part of the keys of its actions.
    fn version(&self) -> String;

    /// Answers a question. The answer is a function of the question, of what is installed for the
    /// build, and of the state of the machine.
    ///
    /// # Errors
    /// When there is no answer; the plugin may go on from it.
    fn answer(&self, question: &Value, build: &dyn Surroundings) -> Result<Value, Failure>;

    /// The files outside the build that carrying out `plan` reads.
    ///
    /// # Errors
    /// When they aren't there, or the plan makes no sense.
    fn reads(&self, plan: &Value) -> Result<Vec<PathBuf>, Failure>;

    /// Carries out a plan.
    ///
    /// # Errors
    /// When it can't be carried out.
    fn run(&self, plan: &Value, files: &ServiceFiles<'_>) -> Result<(), ActionError>;
}

/// What a service sees of the build while it answers.
pub trait Surroundings {
    /// Where the packages of a distribution lie that is installed for the build, if it is.
    ///
    /// # Errors
    /// When there is no interpreter to ask where distributions lie.
    fn installed(&self, distribution: &str) -> Result<Option<PathBuf>, Failure>;
}

/// The services that a build has, by name.
pub type Services = BTreeMap<String, Arc<dyn Service>>;

/// The files of one action, by the names that the plan has for them, and all else that a service can
/// see and do while it carries the plan out.
pub struct ServiceFiles<'a> {
    inputs: &'a [(String, ArtifactId)],
    outputs: &'a [(String, ArtifactId)],
    cx: &'a FunctionContext,
}

impl ServiceFiles<'_> {
    /// The names of the inputs with their files, in the order of the plan.
    ///
    /// # Errors
    /// Never for an action that was submitted.
    pub fn inputs(&self) -> Result<Vec<(&str, &Path)>, ActionError> {
        self.inputs.iter().map(|(name, id)| Ok((name.as_str(), self.cx.input_path(*id)?))).collect()
    }

    /// Where an input lies.
    ///
    /// # Errors
    /// When the action has none of that name.
    pub fn input(&self, name: &str) -> Result<&Path, ActionError> {
        self.cx.input_path(find(self.inputs, name)?)
    }

    /// Writes an output.
    ///
    /// # Errors
    /// When the action has none of that name, or it can't be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), ActionError> {
        self.cx.write(find(self.outputs, name)?, content)
    }

    /// Writes an output that is a program.
    ///
    /// # Errors
    /// When the action has none of that name, or it can't be written.
    pub fn write_executable(&self, name: &str, content: &[u8]) -> Result<(), ActionError> {
        self.cx.write_executable(find(self.outputs, name)?, content)
    }

    /// A folder for temporary files, empty at first, and removed afterwards.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.cx.scratch()
    }

    /// The project's folder, to which what is said of files is relative.
    #[must_use]
    pub fn source_root(&self) -> &Path {
        self.cx.source_root()
    }

    /// Adds text to what the action prints.
    pub fn log(&self, text: &str) {
        self.cx.log(text);
    }

    /// Whether the build is to stop. A service that takes long looks now and then, and returns an error.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.cx.is_interrupted()
    }
}

fn find(files: &[(String, ArtifactId)], name: &str) -> Result<ArtifactId, ActionError> {
    let found = files.iter().find(|(known, _)| known == name).map(|(_, id)| *id);
    found.ok_or_else(|| ActionError::new(format!("the plan has no file `{name}`")))
}

/// What an action of a service is made of.
pub(crate) struct Planned {
    pub(crate) owner: String,
    pub(crate) mnemonic: String,
    pub(crate) name: String,
    pub(crate) plan: Value,
    /// With where they lie, which counts as what they are called does.
    pub(crate) inputs: Vec<(String, ArtifactId, Location)>,
    pub(crate) outputs: Vec<(String, ArtifactId)>,
}

impl Planned {
    /// The action by which `service` carries it out.
    pub(crate) fn action(self, service: Arc<dyn Service>) -> Action {
        let Self { owner, mnemonic, name, plan, inputs, outputs } = self;
        let located = inputs.iter().map(|(name, _, at)| {
            let root = match at {
                Location::Source(_) => "source",
                Location::Build(_) => "build",
                Location::System(_) => "system",
            };
            Value::from(vec![name.clone(), format!("{root}:{at}")])
        });
        let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        let parameters = serde_json::json!({
            "plan": plan,
            "inputs": located.collect::<Vec<_>>(),
            "outputs": names,
        });
        let read: Vec<ArtifactId> = inputs.iter().map(|(_, id, _)| *id).collect();
        let made: Vec<ArtifactId> = outputs.iter().map(|(_, id)| *id).collect();
        let named: Vec<_> = inputs.into_iter().map(|(name, id, _)| (name, id)).collect();
        let version = service.version();
        let run = move |cx: &FunctionContext| {
            service.run(&plan, &ServiceFiles { inputs: &named, outputs: &outputs, cx })
        };
        let mut action =
            Action::function(owner, mnemonic, (name.as_str(), version.as_str()), parameters, run);
        action.inputs = read;
        action.outputs = made;
        action
    }
}
