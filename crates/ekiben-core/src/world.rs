//! The build as a plugin's call sees it: [`World`] over the engine, the tools and the artifacts.
//!
//! One [`PluginWorld`] is made for one call. It adds to the build what the call did, and remembers
//! what artifacts the call declared, which is how a toolchain's objects find their way back.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ekiben_engine::{
    Action, ActionKind, Arg, ArtifactId, DepFile, Location, Piece, RelPath, ResponseFile, Root,
    SystemPath,
};
use ekiben_project::ProjectPath;

use crate::artifacts::Known;
use crate::build::Shared;
use crate::commands;
use crate::distributions::Distribution;
use crate::graph::{CommandName, Kind};
use crate::plugin::protocol::{
    Answer, ArtifactInfo, DependencyFormat, DistributionInfo, Effect, Failure, PlannedAction,
    PlannedArgument, Probe, Query, Role, ServicePlan, World,
};
use crate::plugin::{Plugin, ToolSpec};
use crate::probe;
use crate::problem::{Problem, Problems};
use crate::products::Product;
use crate::services::{self, Service, Surroundings};
use crate::tools::{Choice, Tool};

/// The build, to one call of one plugin.
pub(crate) struct PluginWorld {
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    /// The command on whose behalf the call is made: the plugin's own, or the core's that needs its
    /// toolchain.
    command: CommandName,
    /// Files that every action of the call depends on, because the project says so.
    depends: Vec<Location>,
    made: Mutex<Vec<Known>>,
}

impl PluginWorld {
    pub(crate) fn new(
        shared: Arc<Shared>,
        plugin: Arc<Plugin>,
        command: CommandName,
        depends: Vec<Location>,
    ) -> Self {
        Self { shared, plugin, command, depends, made: Mutex::default() }
    }

    /// The artifacts of a kind that the call declared, in order.
    pub(crate) fn made(&self, kind: &str) -> Vec<Known> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().filter(|known| known.info.kind == kind).cloned().collect()
    }

    fn tool_spec(&self, name: &str) -> Result<&ToolSpec, Failure> {
        let spec = self.plugin.description().tool(name);
        spec.ok_or_else(|| Failure::Internal(format!("the tool `{name}` isn't declared")))
    }

    fn tool(&self, name: &str) -> Result<Tool, Failure> {
        let spec = self.tool_spec(name)?;
        let id = &self.plugin.description().id;
        self.shared.tools.get_or_find(id, name, || {
            if spec.interpreter {
                return self.interpreter(spec);
            }
            let choice = spec.serves.iter().find_map(|language| self.choice(language));
            Tool::find(
                spec,
                choice,
                &self.shared.search_path,
                self.shared.configuration.root(),
                |variable| self.shared.environment(variable),
                self.shared.engine.file_digests(),
            )
        })
    }

    /// The interpreter that is built for, with the library that it may be but a shell of.
    fn interpreter(&self, spec: &ToolSpec) -> Result<Tool, Failure> {
        let interpreter = self.shared.configuration.interpreter();
        let interpreter = interpreter.map_err(|problems| interpreter_failure(&problems))?;
        let digests = self.shared.engine.file_digests();
        let mut tool = Tool::given(spec, interpreter.executable().to_owned(), digests)?;
        let facts = interpreter.facts();
        if let (true, Some(folder), Some(name)) =
            (facts.enable_shared, &facts.libdir, &facts.ldlibrary)
            && folder.join(name).is_file()
        {
            tool.add_companion(&folder.join(name), digests)?;
        }
        tool.set_version(&interpreter.describe());
        Ok(tool)
    }

    fn choice(&self, language: &str) -> Option<Choice> {
        let toolchain = &self.shared.configuration.project().settings().toolchain;
        let language = ekiben_project::Language::ALL.into_iter().find(|l| l.name() == language)?;
        let command = toolchain.tool(language)?.command()?;
        Some(Choice {
            command: command.to_owned(),
            place: format!("`tool.ekiben.toolchain` ({})", language.name()),
        })
    }

    fn distribution(&self, name: &str) -> Result<Answer, Failure> {
        let found = self.shared.configuration.distribution(name);
        let Some(found) = found.map_err(|problems| interpreter_failure(&problems))? else {
            return Ok(Answer::Nothing);
        };
        Ok(Answer::Distribution(DistributionInfo {
            folder: installed_at(&found.folder)?,
            name: found.name,
            version: found.version,
            digest: found.digest.to_string(),
        }))
    }

    fn installed(&self, name: &str) -> Result<Distribution, Failure> {
        let found = self.shared.configuration.distribution(name);
        found.map_err(|problems| interpreter_failure(&problems))?.ok_or_else(|| {
            Failure::user("missing-package", format!("`{name}` isn't installed for the build"))
        })
    }

    fn sources(&self, product: &str) -> Result<Answer, Failure> {
        let product = self.shared.products.iter().find(|known| known.name == product);
        let sources = product.map(|product| product.sources.as_slice()).unwrap_or_default();
        let info = |path: &ProjectPath| {
            let path = RelPath::new(path.as_str())
                .map_err(|error| Failure::Internal(format!("the path `{path}`: {error}")))?;
            Ok(ArtifactInfo {
                location: Location::Source(path),
                kind: Kind::SOURCE.as_str().to_owned(),
                product: product.map(|product| product.name.clone()),
            })
        };
        sources.iter().map(info).collect::<Result<_, _>>().map(Answer::Artifacts)
    }

    fn probe(&self, probe: &Probe) -> Result<Answer, Failure> {
        let tool = self.tool(&probe.tool)?;
        probe::ask(&tool, probe, &*self.shared.records).map(Answer::Probe)
    }

    fn read_source(&self, path: &RelPath) -> Result<Answer, Failure> {
        let file = path.under(self.shared.configuration.root());
        inside(self.shared.configuration.root(), &file, path)?;
        std::fs::read(&file).map(Answer::Bytes).map_err(|error| {
            Failure::user("unreadable-source", format!("{path} can't be read: {error}"))
        })
    }

    fn glob(&self, pattern: &str) -> Result<Answer, Failure> {
        let glob = globset::GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| Failure::Internal(format!("the pattern `{pattern}`: {error}")))?
            .compile_matcher();
        let files = self
            .shared
            .configuration
            .source_files()
            .map_err(|problems| Failure::user("unreadable-source", problems.to_string()))?;
        let fitting = files.iter().filter(|path| glob.is_match(path)).cloned();
        Ok(Answer::Texts(fitting.collect()))
    }

    fn declare(&self, info: ArtifactInfo, id: ArtifactId) -> Result<(), Failure> {
        self.shared.artifacts.add(info.clone(), id, &self.command).map_err(|other| {
            Failure::Internal(format!(
                "it made {} in `{}`, which `{other}` makes already",
                info.location, self.command
            ))
        })?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push(Known { info, id });
        Ok(())
    }

    /// The artifact at a place: one of the build's, or a file of the project or the system.
    fn artifact(&self, location: &Location) -> Result<ArtifactId, Failure> {
        if let Some(known) = self.shared.artifacts.at(location) {
            return Ok(known.id);
        }
        match location {
            Location::Build(path) => Err(Failure::Internal(format!(
                "an action names {path}, which nothing declared with `output`"
            ))),
            Location::Source(_) | Location::System(_) => {
                Ok(self.shared.engine.artifact(location.clone()))
            }
        }
    }

    fn service(&self, name: &str) -> Result<Arc<dyn Service>, Failure> {
        let service = self.shared.services.get(name).cloned();
        service.ok_or_else(|| {
            Failure::user("no-service", format!("this Ekiben has no service `{name}`"))
        })
    }

    fn ask_service(&self, name: &str, question: &str) -> Result<Answer, Failure> {
        let answer = self.service(name)?.answer(&parsed(question, "a question")?, self)?;
        Ok(Answer::Text(answer.to_string()))
    }

    fn submit_to_service(
        &self,
        planned: &PlannedAction,
        named: &ServicePlan,
    ) -> Result<(), Failure> {
        let mistake = |what: &str| {
            Failure::Internal(format!(
                "it gave an action of the service `{}` {what}",
                named.service
            ))
        };
        let service = self.service(&named.service)?;
        let plan = parsed(&named.plan, "a plan")?;
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for argument in &planned.arguments {
            match argument {
                PlannedArgument::Place { prefix, at, suffix, role } if suffix.is_empty() => {
                    match role {
                        Role::Input => {
                            inputs.push((prefix.clone(), self.artifact(at)?, at.clone()));
                        }
                        Role::Output => outputs.push((prefix.clone(), self.artifact(at)?)),
                        Role::Mentioned => {
                            return Err(mistake("a place, which belongs into the plan"));
                        }
                    }
                }
                _ => return Err(mistake("an argument, which belongs into the plan")),
            }
        }
        if !planned.environment.is_empty() || planned.worker.is_some() {
            return Err(mistake("what only processes have"));
        }
        let mut reads = planned.reads.clone();
        for path in service.reads(&plan)? {
            reads.push(installed_at(&path)?);
        }
        let mut action = services::Planned {
            owner: self.command.to_string(),
            mnemonic: planned.mnemonic.clone(),
            name: named.service.clone(),
            plan,
            inputs,
            outputs,
        }
        .action(service);
        for location in &reads {
            action = action.input(self.artifact(location)?);
        }
        for location in &planned.makes {
            action = action.output(self.artifact(location)?);
        }
        self.emit(planned, action)
    }

    /// Submits an action with what is said of every sort.
    fn emit(&self, planned: &PlannedAction, mut action: Action) -> Result<(), Failure> {
        if !planned.description.is_empty() {
            action = action.describe(planned.description.clone());
        }
        action.weight = planned.weight.unwrap_or(1).max(1);
        action.pool.clone_from(&planned.pool);
        action.properties.clone_from(&planned.properties);
        action.cacheable = !planned.anew;
        self.shared.engine.submit(action).map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(())
    }

    fn submit(&self, planned: &PlannedAction) -> Result<(), Failure> {
        if let Some(service) = &planned.service {
            return self.submit_to_service(planned, service);
        }
        let tool = self.tool(&planned.tool)?;
        let mut action =
            Action::process(self.command.to_string(), planned.mnemonic.clone(), tool.identity());
        action = action.args(tool.leading.iter().map(String::as_str));
        let dependency_file = planned.dependency_file.clone().map(Location::Build);
        for argument in &planned.arguments {
            action = match argument {
                PlannedArgument::Text(text) => action.arg(text.as_str()),
                PlannedArgument::Place { prefix, at, suffix, role } => {
                    let piece = match role {
                        Role::Mentioned if Some(at) == dependency_file.as_ref() => {
                            Piece::Artifact(self.shared.engine.artifact(at.clone()))
                        }
                        // The one place that is spelt in full: compilers put the absolute path of
                        // the folder they run in into debug information, and it must be named to
                        // be mapped away.
                        Role::Mentioned if *at == Location::Source(RelPath::root()) => {
                            Piece::Root(Root::Source)
                        }
                        Role::Mentioned => Piece::Folder(at.clone()),
                        Role::Input => Piece::Artifact(self.artifact(at)?),
                        Role::Output => {
                            let output = self.artifact(at)?;
                            action = action.output(output);
                            Piece::Artifact(output)
                        }
                    };
                    let around = [Piece::Text(prefix.clone()), piece, Piece::Text(suffix.clone())];
                    let empty =
                        |piece: &Piece| matches!(piece, Piece::Text(text) if text.is_empty());
                    action.arg(Arg(around.into_iter().filter(|piece| !empty(piece)).collect()))
                }
            };
        }
        for location in planned.reads.iter().chain(&self.depends) {
            action = action.input(self.artifact(location)?);
        }
        for location in &planned.makes {
            action = action.output(self.artifact(location)?);
        }
        for (name, value) in &planned.environment {
            action = action.env(name.clone(), value.as_str());
        }
        action.dep_file = match (dependency_file, &planned.dependencies_in_output) {
            (Some(location), _) => {
                let file = self.shared.engine.artifact(location);
                Some(match planned.dependency_format {
                    DependencyFormat::Make => DepFile::Make(file),
                    DependencyFormat::Trace => DepFile::Trace(file),
                })
            }
            (None, Some(prefix)) => Some(DepFile::Msvc { prefix: prefix.clone() }),
            (None, None) => None,
        };
        action.search_path.clone_from(&planned.search_directories);
        action.uses_jobserver = planned.takes_job_tokens;
        // The user's words after the program, such as what a launcher launches, start it too.
        action.worker = planned.worker.map(|split| split + tool.leading.len());
        action.response_file = planned.response_file.then_some(ResponseFile::Gcc);
        action.compile_source =
            planned.compiles.as_ref().map(|source| self.artifact(source)).transpose()?;
        debug_assert!(matches!(action.kind, ActionKind::Process { .. }));
        self.emit(planned, action)
    }

    fn setting_place(&self, product: &str, key: &str) -> Answer {
        let product = self.shared.products.iter().find(|known| known.name == product);
        let place =
            product.and_then(|product| product.setting_place(key, &self.shared.configuration));
        place.map_or(Answer::Nothing, |place| {
            let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
            Answer::Span(place.file, number(place.line), number(place.column))
        })
    }

    fn installed_files(&self, kinds: &[String]) -> Result<Answer, Failure> {
        let files = commands::installed_files(&self.shared, kinds);
        let files = files.map_err(|problems| Failure::user("files", problems.to_string()))?;
        Ok(Answer::Files(files))
    }
}

impl Surroundings for PluginWorld {
    fn installed(&self, distribution: &str) -> Result<Option<PathBuf>, Failure> {
        let found = self.shared.configuration.distribution(distribution);
        let found = found.map_err(|problems| interpreter_failure(&problems))?;
        Ok(found.map(|found| found.folder))
    }
}

/// JSON that a plugin made.
fn parsed(text: &str, what: &str) -> Result<serde_json::Value, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Internal(format!("it made {what} that isn't JSON: {error}")))
}

/// A place outside the project.
fn installed_at(path: &Path) -> Result<Location, Failure> {
    let named = SystemPath::new(path).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Location::System(named))
}

fn interpreter_failure(problems: &Problems) -> Failure {
    Failure::user("no-interpreter", problems.to_string())
}

/// Refuses what a symbolic link makes of a path: a plugin may read the project, nothing else.
fn inside(root: &Path, file: &Path, named: &RelPath) -> Result<(), Failure> {
    let Ok(real) = file.canonicalize() else {
        // Missing; reading it says so.
        return Ok(());
    };
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    if real.starts_with(&root) {
        return Ok(());
    }
    Err(Failure::user(
        "outside-project",
        format!("{named} is a link that leads out of the project"),
    ))
}

impl World for PluginWorld {
    fn ask(&self, query: &Query) -> Result<Answer, Failure> {
        let configuration = &self.shared.configuration;
        match query {
            Query::Options => Ok(Answer::Text(
                configuration.plugins().options(&self.plugin.description().id).to_owned(),
            )),
            Query::Fact(key) => Ok(configuration.fact(key).map_or(Answer::Nothing, Answer::Text)),
            Query::Environment(name) => {
                Ok(self.shared.environment(name).map_or(Answer::Nothing, Answer::Text))
            }
            Query::ReadSource(path) => self.read_source(path),
            Query::SourceExists(path) => {
                Ok(Answer::Flag(path.under(configuration.root()).exists()))
            }
            Query::Glob(pattern) => self.glob(pattern),
            Query::Products => {
                Ok(Answer::Products(self.shared.products.iter().map(Product::info).collect()))
            }
            Query::Setting { product, key } => {
                let product = self.shared.products.iter().find(|known| known.name == *product);
                let setting = product.and_then(|product| product.setting(key));
                Ok(setting.map_or(Answer::Nothing, Answer::Text))
            }
            Query::SettingPlace { product, key } => Ok(self.setting_place(product, key)),
            Query::InstalledFiles { kinds } => self.installed_files(kinds),
            Query::Service { service, question } => self.ask_service(service, question),
            Query::IsFile(path) => {
                let path = Path::new(path);
                Ok(Answer::Flag(path.is_absolute() && path.is_file()))
            }
            Query::Artifacts { kind, product } => {
                let found = self.shared.artifacts.of(kind, product.as_deref());
                Ok(Answer::Artifacts(found.into_iter().map(|known| known.info).collect()))
            }
            Query::Distribution(name) => self.distribution(name),
            Query::PackageFolders => {
                let places = configuration.package_places();
                let places = places.map_err(|problems| interpreter_failure(&problems))?;
                let found = places.iter().filter(|place| place.is_dir());
                let found = found.map(|place| installed_at(place)).collect::<Result<_, _>>()?;
                Ok(Answer::Places(found))
            }
            Query::FindInstalled { distribution, path } => {
                let file = path.under(&self.installed(distribution)?.folder);
                match file.exists() {
                    true => installed_at(&file).map(Answer::Place),
                    false => Ok(Answer::Nothing),
                }
            }
            Query::ReadInstalled { distribution, path } => {
                let file = path.under(&self.installed(distribution)?.folder);
                std::fs::read(&file).map(Answer::Bytes).map_err(|error| {
                    let message = format!("{path} of the installed `{distribution}`: {error}");
                    Failure::user("unreadable-file", message)
                })
            }
            Query::Sources(product) => self.sources(product),
            Query::Tool(name) => Ok(Answer::Tool(self.tool(name)?.info())),
            Query::Probe(probe) => self.probe(probe),
            Query::ReadArtifact(location) => {
                let id = self.artifact(location)?;
                self.shared.engine.read(id).map(Answer::Bytes).map_err(|error| {
                    Failure::user(
                        "unreadable-artifact",
                        format!("{location} can't be read: {error}"),
                    )
                })
            }
        }
    }

    fn perform(&self, effect: &Effect) -> Result<(), Failure> {
        match effect {
            Effect::Output { path, kind, product } => {
                let id = self.shared.engine.output(path.clone());
                let location = Location::Build(path.clone());
                self.declare(
                    ArtifactInfo { location, kind: kind.clone(), product: product.clone() },
                    id,
                )
            }
            Effect::Write { path, kind, product, content } => {
                let id = self
                    .shared
                    .engine
                    .provide(self.command.as_str(), path.clone(), content)
                    .map_err(|error| Failure::Internal(error.to_string()))?;
                let location = Location::Build(path.clone());
                self.declare(
                    ArtifactInfo { location, kind: kind.clone(), product: product.clone() },
                    id,
                )
            }
            Effect::Companion { tool, path } => {
                self.tool(tool)?;
                let digests = self.shared.engine.file_digests();
                self.shared.tools.change(&self.plugin.description().id, tool, |tool| {
                    tool.add_companion(Path::new(path), digests)
                })
            }
            Effect::ToolVersion { tool, text } => {
                self.tool(tool)?;
                self.shared.tools.change(&self.plugin.description().id, tool, |tool| {
                    tool.set_version(text);
                    Ok(())
                })
            }
            Effect::Submit(action) => self.submit(action),
            Effect::Contribute { product, contribution } => {
                self.shared.contributions.add(product, contribution)
            }
            Effect::Require(requirement) => {
                let by = &self.plugin.description().id;
                self.shared.contributions.require(by, requirement)
            }
            Effect::Report(report) => {
                self.shared
                    .observer
                    .problem(&Problem::from_report(report.clone(), &self.plugin.title()));
                Ok(())
            }
        }
    }

    fn log(&self, plugin: &str, message: &str) {
        self.shared.observer.log(&format!("{plugin}: {message}"));
    }
}
