//! The functions that a guest can call, each of which becomes a [`Query`] or an [`Effect`].
//!
//! Rights are checked here, against what the plugin declared, before the build hears of anything; so
//! the build's side needn't know what a plugin may do. What a guest gets back is recorded in the
//! call's journal, failures included.

mod action;
mod context;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ekiben_engine::{Location, RelPath, SystemPath};
use wasmtime::StoreLimits;
use wasmtime::component::{Resource, ResourceTable};

use crate::plugin::bindings::ekiben::plugin::host as wit;
use crate::plugin::bindings::ekiben::plugin::types;
use crate::plugin::error::Stopped;
use crate::plugin::journal::{Journal, Outcome};
use crate::plugin::limits::{Limits, Spent};
use crate::plugin::protocol::{
    Answer, ArtifactInfo, Effect, Failure, PlannedAction, PlannedArgument, Probe, ProbeOutcome,
    ProductInfo, Query, Report, Role, Severity, ToolInfo, World,
};
use crate::plugin::registry::Description;

/// What hosts have that came after 0.1.0.
const FEATURES: [&str; 2] = ["services", "static-modules"];

/// The handle behind `context`.
#[derive(Debug)]
#[allow(unreachable_pub)] // the bindings re-export it
pub struct CallContext;

/// The handle behind `tree`.
#[derive(Debug)]
#[allow(unreachable_pub)] // the bindings re-export it
pub struct Tree;

/// Which kinds of artifact a call may see and make.
#[derive(Debug, Clone)]
pub(crate) enum Kinds {
    /// A toolchain's call: the request says what it is about.
    Any,
    /// A command's call: what the command declared.
    Declared { consumes: BTreeSet<String>, produces: BTreeSet<String> },
}

/// What belongs to one call: the build, and what the plugin learned and did.
pub(crate) struct CallState {
    pub(crate) world: Arc<dyn World + Send + Sync>,
    pub(crate) kinds: Kinds,
    pub(crate) journal: Journal,
    /// Effects that a replay performed before the plugin had to run; it does them again first.
    pub(crate) performed: VecDeque<(Effect, Outcome)>,
}

/// What a store holds.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) store_limits: StoreLimits,
    pub(crate) limits: Limits,
    pub(crate) spent: Spent,
    pub(crate) started: Instant,
    /// Time within host functions that waited for the build, which isn't the guest's.
    pub(crate) waited: Duration,
    /// What the plugin declared; of a plugin that is describing itself, nothing yet.
    pub(crate) declared: Arc<Description>,
    pub(crate) description: Option<Description>,
    pub(crate) call: Option<CallState>,
    pub(crate) last_log: Option<String>,
    /// The mnemonic of an action that the guest described but never submitted.
    pub(crate) abandoned: Option<String>,
}

impl State {
    fn call(&mut self) -> wasmtime::Result<&mut CallState> {
        self.call
            .as_mut()
            .ok_or_else(|| Stopped::Misuse("it used `host` within `describe`".into()).into())
    }

    fn ask(&mut self, query: Query) -> wasmtime::Result<Result<Answer, Failure>> {
        self.count_call()?;
        self.count_kept(&query)?;
        let world = Arc::clone(&self.call()?.world);
        let begun = Instant::now();
        let answer = world.ask(&query);
        self.waited += begun.elapsed();
        if let Ok(Answer::Bytes(bytes)) = &answer {
            self.count_read(bytes.len())?;
        }
        self.call()?.journal.asked(query, &answer);
        Ok(answer)
    }

    fn perform(&mut self, effect: Effect) -> wasmtime::Result<Result<(), Failure>> {
        self.count_call()?;
        if !matches!(effect, Effect::Write { .. }) {
            // What is written has a limit of its own.
            self.count_kept(&effect)?;
        }
        let call = self.call()?;
        let outcome = match call.performed.pop_front() {
            Some((before, outcome)) if before == effect => outcome,
            Some((before, _)) => {
                return Err(Stopped::Misuse(format!(
                    "it isn't deterministic: with the same answers it once did {before:?} and now {effect:?}"
                ))
                .into());
            }
            None => {
                let world = Arc::clone(&call.world);
                let begun = Instant::now();
                let outcome = world.perform(&effect);
                self.waited += begun.elapsed();
                outcome
            }
        };
        self.call()?.journal.did(effect, outcome.clone());
        Ok(outcome)
    }

    /// Asks, and takes the answer apart; an answer of another shape is the host's own mistake.
    fn ask_for<T>(
        &mut self,
        query: Query,
        take: impl FnOnce(Answer) -> Option<T>,
    ) -> wasmtime::Result<Result<T, types::Failure>> {
        match self.ask(query)? {
            Ok(answer) => take(answer)
                .map(Ok)
                .ok_or_else(|| wasmtime::Error::msg("the host gave an answer of the wrong shape")),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    fn has_capability(&self, name: &str) -> bool {
        self.declared.capabilities.iter().any(|have| have == name)
    }

    fn may_see(&mut self, kind: &str) -> wasmtime::Result<Option<types::Failure>> {
        Ok(match &self.call()?.kinds {
            Kinds::Declared { consumes, .. } if !consumes.contains(kind) => {
                Some(types::Failure::Internal(format!(
                    "it asked for artifacts of kind `{kind}`, which the command doesn't declare to consume"
                )))
            }
            _ => None,
        })
    }

    /// The checks that `output` and `write` share.
    fn may_make(
        &mut self,
        path: &str,
        kind: &str,
    ) -> wasmtime::Result<Result<RelPath, types::Failure>> {
        if let Kinds::Declared { produces, .. } = &self.call()?.kinds
            && !produces.contains(kind)
        {
            return Ok(Err(types::Failure::Internal(format!(
                "it made an artifact of kind `{kind}`, which the command doesn't declare to produce"
            ))));
        }
        Ok(below(path, "an output"))
    }

    fn artifact(
        &mut self,
        path: RelPath,
        kind: String,
        product: Option<String>,
    ) -> wasmtime::Result<Resource<ArtifactInfo>> {
        let info = ArtifactInfo { location: Location::Build(path), kind, product };
        Ok(self.table.push(info)?)
    }

    fn artifacts(
        &mut self,
        infos: Vec<ArtifactInfo>,
    ) -> wasmtime::Result<Vec<Resource<ArtifactInfo>>> {
        infos.into_iter().map(|info| Ok(self.table.push(info)?)).collect()
    }

    fn locate(&self, artifact: &Resource<ArtifactInfo>) -> wasmtime::Result<Location> {
        Ok(self.table.get(artifact)?.location.clone())
    }

    fn place(
        &mut self,
        action: &Resource<PlannedAction>,
        prefix: String,
        at: Location,
        suffix: String,
        role: Role,
    ) -> wasmtime::Result<()> {
        self.count_text(prefix.len() + suffix.len() + 64)?;
        let argument = PlannedArgument::Place { prefix, at, suffix, role };
        self.table.get_mut(action)?.arguments.push(argument);
        Ok(())
    }
}

/// A path below a root, or the plugin's mistake: leading out of a root is never the user's doing.
fn below(path: &str, what: &str) -> Result<RelPath, types::Failure> {
    RelPath::new(path).map_err(|error| {
        types::Failure::Internal(format!("it named {what} by the path `{path}`: {error}"))
    })
}

/// A location from the guest; a bad one ends the call, since nothing sensible could follow.
fn located(location: types::Location) -> wasmtime::Result<Location> {
    let bad = |path: &str, error: &dyn std::fmt::Display| -> wasmtime::Error {
        Stopped::Misuse(format!("it named a place by the path `{path}`: {error}")).into()
    };
    let relative = |path: String| {
        if path.is_empty() { Ok(RelPath::root()) } else { RelPath::new(&path) }
            .map_err(|error| bad(&path, &error))
    };
    Ok(match location {
        types::Location::Source(path) => Location::Source(relative(path)?),
        types::Location::Build(path) => Location::Build(relative(path)?),
        types::Location::System(path) => {
            Location::System(SystemPath::new(&path).map_err(|error| bad(&path, &error))?)
        }
    })
}

fn given(location: &Location) -> types::Location {
    match location {
        Location::Source(path) => types::Location::Source(path.as_str().to_owned()),
        Location::Build(path) => types::Location::Build(path.as_str().to_owned()),
        Location::System(path) => types::Location::System(path.as_str().to_owned()),
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unsupported(what) => Self::Unsupported(what),
            Failure::User(reports) => Self::User(reports.into_iter().map(Into::into).collect()),
            Failure::Internal(what) => Self::Internal(what),
        }
    }
}

impl From<types::Failure> for Failure {
    fn from(failure: types::Failure) -> Self {
        match failure {
            types::Failure::Unsupported(what) => Self::Unsupported(what),
            types::Failure::User(reports) => {
                Self::User(reports.into_iter().map(Into::into).collect())
            }
            types::Failure::Internal(what) => Self::Internal(what),
        }
    }
}

impl From<Report> for types::Diagnostic {
    fn from(report: Report) -> Self {
        Self {
            severity: match report.severity {
                Severity::Note => types::Severity::Note,
                Severity::Warning => types::Severity::Warning,
                Severity::Error => types::Severity::Error,
            },
            code: report.code,
            message: report.message,
            at: report.at.map(|(path, line, column)| types::Span { path, line, column }),
            help: report.help,
        }
    }
}

impl From<types::Diagnostic> for Report {
    fn from(diagnostic: types::Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity {
                types::Severity::Note => Severity::Note,
                types::Severity::Warning => Severity::Warning,
                types::Severity::Error => Severity::Error,
            },
            code: diagnostic.code,
            message: diagnostic.message,
            at: diagnostic.at.map(|span| (span.path, span.line, span.column)),
            help: diagnostic.help,
        }
    }
}

impl From<ProbeOutcome> for types::ProbeResult {
    fn from(outcome: ProbeOutcome) -> Self {
        Self { status: outcome.status, stdout: outcome.stdout, stderr: outcome.stderr }
    }
}

/// The answers' shapes.
mod take {
    use super::{Answer, ArtifactInfo, Location, ProbeOutcome, ProductInfo, ToolInfo};
    use crate::plugin::protocol::DistributionInfo;

    pub(super) fn bytes(answer: Answer) -> Option<Vec<u8>> {
        if let Answer::Bytes(bytes) = answer { Some(bytes) } else { None }
    }
    #[allow(clippy::needless_pass_by_value)] // the shape that all of these have
    pub(super) fn flag(answer: Answer) -> Option<bool> {
        if let Answer::Flag(flag) = answer { Some(flag) } else { None }
    }
    pub(super) fn text(answer: Answer) -> Option<String> {
        if let Answer::Text(text) = answer { Some(text) } else { None }
    }
    pub(super) fn texts(answer: Answer) -> Option<Vec<String>> {
        if let Answer::Texts(texts) = answer { Some(texts) } else { None }
    }
    pub(super) fn maybe_text(answer: Answer) -> Option<Option<String>> {
        match answer {
            Answer::Nothing => Some(None),
            Answer::Text(text) => Some(Some(text)),
            _ => None,
        }
    }
    pub(super) fn products(answer: Answer) -> Option<Vec<ProductInfo>> {
        if let Answer::Products(products) = answer { Some(products) } else { None }
    }
    pub(super) fn artifacts(answer: Answer) -> Option<Vec<ArtifactInfo>> {
        if let Answer::Artifacts(artifacts) = answer { Some(artifacts) } else { None }
    }
    pub(super) fn maybe_distribution(answer: Answer) -> Option<Option<DistributionInfo>> {
        match answer {
            Answer::Nothing => Some(None),
            Answer::Distribution(found) => Some(Some(found)),
            _ => None,
        }
    }
    pub(super) fn maybe_span(answer: Answer) -> Option<Option<(String, u32, u32)>> {
        match answer {
            Answer::Nothing => Some(None),
            Answer::Span(file, line, column) => Some(Some((file, line, column))),
            _ => None,
        }
    }
    pub(super) fn files(answer: Answer) -> Option<Vec<(String, ArtifactInfo)>> {
        if let Answer::Files(files) = answer { Some(files) } else { None }
    }
    pub(super) fn places(answer: Answer) -> Option<Vec<Location>> {
        if let Answer::Places(places) = answer { Some(places) } else { None }
    }
    pub(super) fn maybe_place(answer: Answer) -> Option<Option<Location>> {
        match answer {
            Answer::Nothing => Some(None),
            Answer::Place(place) => Some(Some(place)),
            _ => None,
        }
    }
    pub(super) fn tool(answer: Answer) -> Option<ToolInfo> {
        if let Answer::Tool(tool) = answer { Some(tool) } else { None }
    }
    pub(super) fn probe(answer: Answer) -> Option<ProbeOutcome> {
        if let Answer::Probe(outcome) = answer { Some(outcome) } else { None }
    }
}

type Fallible<T> = wasmtime::Result<Result<T, types::Failure>>;

impl types::Host for State {}

impl wit::Host for State {
    fn log(&mut self, message: String) -> wasmtime::Result<()> {
        self.count_call()?;
        self.count_text(message.len())?;
        if let Some(call) = &self.call {
            call.world.log(&self.declared.id, &message);
        }
        self.last_log = Some(message);
        Ok(())
    }

    fn has(&mut self, feature: String) -> wasmtime::Result<bool> {
        self.count_call()?;
        Ok(FEATURES.contains(&feature.as_str()))
    }
}

impl wit::HostArtifact for State {
    fn location(&mut self, it: Resource<ArtifactInfo>) -> wasmtime::Result<types::Location> {
        Ok(given(&self.table.get(&it)?.location))
    }

    fn kind(&mut self, it: Resource<ArtifactInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.kind.clone())
    }

    fn product(&mut self, it: Resource<ArtifactInfo>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&it)?.product.clone())
    }

    fn read(&mut self, it: Resource<ArtifactInfo>) -> Fallible<Vec<u8>> {
        let location = self.locate(&it)?;
        self.ask_for(Query::ReadArtifact(location), take::bytes)
    }

    fn drop(&mut self, it: Resource<ArtifactInfo>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

impl wit::HostTree for State {
    fn read(&mut self, _: Resource<Tree>, path: String) -> Fallible<Vec<u8>> {
        match below(&path, "a file of the project") {
            Ok(path) => self.ask_for(Query::ReadSource(path), take::bytes),
            Err(failure) => Ok(Err(failure)),
        }
    }

    fn exists(&mut self, _: Resource<Tree>, path: String) -> Fallible<bool> {
        match below(&path, "a file of the project") {
            Ok(path) => self.ask_for(Query::SourceExists(path), take::flag),
            Err(failure) => Ok(Err(failure)),
        }
    }

    fn glob(&mut self, _: Resource<Tree>, pattern: String) -> Fallible<Vec<String>> {
        self.ask_for(Query::Glob(pattern), take::texts)
    }

    fn file(&mut self, _: Resource<Tree>, path: String) -> Fallible<Resource<ArtifactInfo>> {
        let path = match below(&path, "a file of the project") {
            Ok(path) => path,
            Err(failure) => return Ok(Err(failure)),
        };
        match self.ask_for(Query::SourceExists(path.clone()), take::flag)? {
            Ok(true) => {}
            Ok(false) => {
                let missing =
                    Failure::user("missing-file", format!("the project has no file `{path}`"));
                return Ok(Err(missing.into()));
            }
            Err(failure) => return Ok(Err(failure)),
        }
        let location = Location::Source(path);
        let info = ArtifactInfo { location, kind: "source".to_owned(), product: None };
        Ok(Ok(self.table.push(info)?))
    }

    fn drop(&mut self, it: Resource<Tree>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

impl wit::HostTool for State {
    fn name(&mut self, it: Resource<ToolInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.name.clone())
    }

    fn program(&mut self, it: Resource<ToolInfo>) -> wasmtime::Result<String> {
        Ok(self.table.get(&it)?.program.clone())
    }

    fn probe(&mut self, it: Resource<ToolInfo>) -> wasmtime::Result<Resource<Probe>> {
        let tool = self.table.get(&it)?.name.clone();
        Ok(self.table.push(Probe { tool, ..Probe::default() })?)
    }

    fn companion(&mut self, it: Resource<ToolInfo>, path: String) -> Fallible<()> {
        self.count_text(path.len())?;
        let tool = self.table.get(&it)?.name.clone();
        Ok(self.perform(Effect::Companion { tool, path })?.map_err(Into::into))
    }

    fn version(&mut self, it: Resource<ToolInfo>, text: String) -> wasmtime::Result<()> {
        self.count_text(text.len())?;
        let tool = self.table.get(&it)?.name.clone();
        self.perform(Effect::ToolVersion { tool, text })?
            .map_err(|failure| Stopped::Misuse(format!("{failure:?}")).into())
    }

    fn drop(&mut self, it: Resource<ToolInfo>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

impl wit::HostProbe for State {
    fn argument(&mut self, it: Resource<Probe>, value: String) -> wasmtime::Result<()> {
        self.count_text(value.len())?;
        self.table.get_mut(&it)?.arguments.push(value);
        Ok(())
    }

    fn file(
        &mut self,
        it: Resource<Probe>,
        name: String,
        content: Vec<u8>,
    ) -> wasmtime::Result<()> {
        self.count_text(name.len() + content.len())?;
        RelPath::new(&name).map_err(|error| {
            Stopped::Misuse(format!("it named a probe's file by the path `{name}`: {error}"))
        })?;
        self.table.get_mut(&it)?.files.insert(name, content);
        Ok(())
    }

    fn environment(
        &mut self,
        it: Resource<Probe>,
        name: String,
        value: String,
    ) -> wasmtime::Result<()> {
        self.count_text(name.len() + value.len())?;
        self.table.get_mut(&it)?.environment.insert(name, value);
        Ok(())
    }

    fn anew(&mut self, it: Resource<Probe>) -> wasmtime::Result<()> {
        self.table.get_mut(&it)?.anew = true;
        Ok(())
    }

    fn query(&mut self, it: Resource<Probe>) -> Fallible<types::ProbeResult> {
        let probe = self.table.get(&it)?.clone();
        Ok(self.ask_for(Query::Probe(probe), take::probe)?.map(Into::into))
    }

    fn run(&mut self, it: Resource<Probe>, program: String) -> Fallible<types::ProbeResult> {
        if !self.has_capability("probe:run") {
            return Ok(Err(missing_capability("probe:run")));
        }
        if let Err(failure) = below(&program, "a probe's program") {
            return Ok(Err(failure));
        }
        let probe = Probe { run: Some(program), ..self.table.get(&it)?.clone() };
        Ok(self.ask_for(Query::Probe(probe), take::probe)?.map(Into::into))
    }

    fn drop(&mut self, it: Resource<Probe>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

fn missing_capability(name: &str) -> types::Failure {
    types::Failure::Internal(format!("it needs the capability `{name}`, which it doesn't declare"))
}
