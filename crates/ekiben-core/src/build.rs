//! A build from beginning to end: configuration, command graph, planning, execution, results.
//!
//! [`Session::open`] does what needs no action: it reads the project, loads plugins and sorts the
//! commands. [`Session::build`] runs the commands that the targets need. Each plans in the calling
//! thread while the engine already runs what was planned before; results leave the build folder
//! only when everything has succeeded.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use ekiben_archive::{Listed, Timestamp};
use ekiben_engine::{
    ActionId, Cache, CacheLimits, Digest, Engine, EngineOptions, Interrupt, Jobserver, Report,
    Status,
};

use crate::archive::Archive;
use crate::artifacts::Artifacts;
use crate::commands::{self, Command, CommandContext};
use crate::configuration::{Configuration, Request};
use crate::contributions::Contributions;
use crate::distributions::required_name;
use crate::editable::{Inputs, Placed, Placement, rebuild};
use crate::graph::{CommandName, Graph, Kind, Plan, Target};
use crate::observer::{Observer, Sink};
use crate::plugin::{Limits, Plugin, PluginHost, Records};
use crate::plugins::{self, BuiltIn};
use crate::problem::{Cause, Problem, Problems};
use crate::products::{self, Product};
use crate::services::Services;
use crate::tools::Tools;

/// What a build runs in.
pub struct Environment {
    /// The user's cache folder for Ekiben.
    pub cache_dir: PathBuf,
    /// How large the cache may become, in bytes.
    pub cache_bytes: u64,
    /// How many actions run at once.
    pub jobs: u32,
    /// Whether to go on after a failure with what doesn't depend on it.
    pub keep_going: bool,
    /// What stops the build.
    pub interrupt: Interrupt,
    /// Who hears what happens.
    pub observer: Arc<dyn Observer>,
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// `PATH`.
    pub search_path: OsString,
    /// Folders whose place changes from build to build, such as the front end's isolated
    /// environment, by a name for them.
    pub movable: BTreeMap<String, PathBuf>,
    /// What carries out the plans of plugins.
    pub services: Services,
}

/// What every command and plugin call of a build shares.
pub(crate) struct Shared {
    pub(crate) configuration: Configuration,
    pub(crate) products: Vec<Product>,
    pub(crate) engine: Engine,
    pub(crate) artifacts: Artifacts,
    pub(crate) contributions: Contributions,
    pub(crate) archives: Mutex<Vec<Arc<Archive>>>,
    placements: Mutex<Vec<Placement>>,
    /// When the project was read.
    began: SystemTime,
    pub(crate) tools: Tools,
    pub(crate) host: Arc<PluginHost>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) search_path: OsString,
    variables: BTreeMap<String, String>,
    /// The variables that something asked for.
    asked: Mutex<BTreeSet<String>>,
    pub(crate) cache: Cache,
    pub(crate) services: Services,
}

impl Shared {
    /// The extension modules among the products.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &Product> {
        self.products.iter().filter(|product| product.is_module())
    }

    /// Says what is to be placed in the project when the build has succeeded.
    pub(crate) fn set_placements(&self, placements: Vec<Placement>) {
        *self.placements.lock().unwrap_or_else(PoisonError::into_inner) = placements;
    }

    /// An environment variable.
    pub(crate) fn environment(&self, name: &str) -> Option<String> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.contains(name) {
            asked.insert(name.to_owned());
        }
        self.variables.get(name).cloned()
    }

    /// The environment variables that something asked for, with their values.
    pub(crate) fn asked_environment(&self) -> BTreeMap<String, Option<String>> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(|name| (name.clone(), self.variables.get(name).cloned())).collect()
    }

    /// The time that archives give their members.
    pub(crate) fn timestamp(&self) -> Result<Timestamp, Problems> {
        let epoch = self.environment("SOURCE_DATE_EPOCH");
        Ok(Timestamp::from_source_date_epoch(epoch.as_deref())?)
    }

    /// The plugins that may compile and link `language`: the project's choice, or all that say so.
    pub(crate) fn toolchains(&self, language: &str) -> Vec<Arc<Plugin>> {
        let settings = &self.configuration.project().settings().toolchain;
        let known = ekiben_project::Language::ALL.into_iter().find(|l| l.name() == language);
        let chosen = known.and_then(|l| settings.tool(l)).and_then(|tool| tool.plugin());
        let plugins = self.configuration.plugins().toolchains(language);
        let fits = |plugin: &&Arc<Plugin>| chosen.is_none_or(|id| plugin.description().id == id);
        plugins.filter(fits).cloned().collect()
    }
}

/// The cache as a store of records.
struct CacheRecords(Cache);

impl Records for CacheRecords {
    fn get(&self, kind: &str, key: &Digest) -> Option<Vec<u8>> {
        self.0.record_get(kind, key.as_bytes())
    }

    fn put(&self, kind: &str, key: &Digest, record: &[u8]) {
        // What can't be kept is asked again next time; the engine warns of an unusable cache.
        let _ = self.0.record_put(kind, key.as_bytes(), record);
    }
}

/// A project, ready to be built.
pub struct Session {
    environment: Environment,
    configuration: Configuration,
    graph: Graph,
    host: Arc<PluginHost>,
    records: Arc<dyn Records>,
    cache: Cache,
    began: Instant,
    opened: Instant,
}

/// What a build made.
pub struct Built {
    shared: Arc<Shared>,
    /// How it went, action by action.
    pub report: Report,
    /// The commands that planned it.
    pub plan: Plan,
}

/// Opens the cache of `environment`.
///
/// # Errors
/// When neither it nor a private one below `private` can be used.
pub fn open_cache(environment: &Environment, private: &Path) -> Result<Cache, Problems> {
    let limits = CacheLimits::new(environment.cache_bytes);
    let (cache, trouble) = Cache::open_or_private(&environment.cache_dir, private, limits)?;
    if let Some(trouble) = trouble {
        let mut problem = Problem::warning(Cause::Environment, "cache", trouble.to_string());
        problem.help.extend(trouble.hint());
        environment.observer.problem(&problem);
    }
    Ok(cache)
}

/// A plugin host over `cache`.
#[must_use]
pub fn plugin_host(cache: &Cache) -> (Arc<PluginHost>, Arc<dyn Records>) {
    let records: Arc<dyn Records> = Arc::new(CacheRecords(cache.clone()));
    (Arc::new(PluginHost::new(Arc::clone(&records), Limits::default())), records)
}

impl Session {
    /// Reads the project, loads its plugins and sorts the commands.
    ///
    /// # Errors
    /// All that is wrong with the project, its plugins, or the order of commands.
    pub fn open(
        request: Request,
        environment: Environment,
        built_in: &[BuiltIn],
    ) -> Result<Self, Problems> {
        let began = Instant::now();
        let private = request.project.join("build").join("ekiben").join("cache");
        let cache = open_cache(&environment, &private)?;
        let (host, records) = plugin_host(&cache);
        let configuration = Configuration::resolve(request, built_in, &host, Arc::clone(&records))?;
        for warning in configuration.project().warnings() {
            environment.observer.problem(&Problem::from(warning.clone()));
        }
        let specs = commands::all().into_iter().map(|command| command.spec);
        let specs = specs.chain(configuration.plugins().command_specs()?);
        let graph = Graph::build(specs, &plugins::user_rules(configuration.project())?)?;
        let opened = Instant::now();
        Ok(Self { environment, configuration, graph, host, records, cache, began, opened })
    }

    /// The project as configured.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The commands.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Writes all of the `.dist-info` of a wheel of that kind but `RECORD` into
    /// `<folder>/<name>-<version>.dist-info`, and gives that folder's name.
    ///
    /// # Errors
    /// When the project's files can't be read, the products can't be found, there is no interpreter
    /// to make the wheel for, or the folder can't be written.
    pub fn prepare_metadata(self, kind: &Kind, folder: &Path) -> Result<String, Problems> {
        let standard = self.configuration.project().standard();
        let version = ekiben_archive::escape_version(&standard.version.to_string())?;
        let name = format!("{}-{version}.dist-info", standard.name.in_file_names());
        let target = folder.join(&name);
        let is_dynamic = standard.dynamic.iter().any(|field| field == "dependencies");
        let mut files = Vec::new();
        let wheel = if *kind == Kind::WHEEL && self.configuration.makes_programs() {
            // What they run on is the plugins' to say.
            let built =
                self.build(&[Target::Kind(Kind::METADATA), Target::Kind(Kind::PLATFORM)])?;
            built.export_metadata(&target)?;
            commands::wheel_of_programs(&built.shared)?
        } else {
            let wheel = commands::wheel_of_modules(
                &self.configuration,
                &self.find_products(&self.kind_of_modules())?,
            )?;
            if is_dynamic {
                // Plugins may have something to say: they say it when they are asked for the wheel.
                self.build(&[Target::Kind(Kind::METADATA)])?.export_metadata(&target)?;
            } else {
                files.extend(commands::dist_info_files(&self.configuration, Vec::new())?);
            }
            wheel
        };
        files.push(("WHEEL".to_owned(), wheel.wheel_metadata().into_bytes()));
        for (path, content) in files {
            let file = target.join(&path);
            let write = || {
                if let Some(folder) = file.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(&file, &content)
            };
            write().map_err(|error| unwritable(&file, &error))?;
        }
        Ok(name)
    }

    fn products(&self, modules_are: &Kind) -> Result<Vec<Product>, Problems> {
        let files = self.configuration.files()?;
        for warning in &files.warnings {
            self.environment.observer.problem(&Problem::from(warning.clone()));
        }
        self.find_products(modules_are)
    }

    /// Without warnings about files, which are the build's to give.
    fn find_products(&self, modules_are: &Kind) -> Result<Vec<Product>, Problems> {
        let (project, plugins) = (self.configuration.project(), self.configuration.plugins());
        products::find(project, self.configuration.files()?, plugins, modules_are)
    }

    /// What the project's extension modules are in its wheel.
    fn kind_of_modules(&self) -> Kind {
        match self.configuration.links_modules() {
            true => Kind::STATIC_MODULE,
            false => Kind::EXTENSION_MODULE,
        }
    }

    /// What must be installed to build the wheel, besides what `build-system.requires` names
    /// (PEP 517's `get_requires_for_build_wheel`). A name that is there already isn't repeated: the
    /// project may have its reasons for another version.
    ///
    /// # Errors
    /// When the products can't be found.
    pub fn requirements(&self) -> Result<Vec<String>, Problems> {
        let listed = &self.configuration.project().build_system().requires;
        let listed: Vec<String> =
            listed.iter().map(|have| required_name(&have.to_string())).collect();
        let mut wanted = self
            .configuration
            .plugins()
            .requirements(&self.find_products(&self.kind_of_modules())?);
        wanted.retain(|requirement| !listed.contains(&required_name(requirement)));
        Ok(wanted)
    }

    /// Runs the commands that `targets` need, and waits for all actions.
    ///
    /// # Errors
    /// When planning fails. Actions that fail are in the report.
    pub fn build(self, targets: &[Target]) -> Result<Built, Problems> {
        let plan = self.graph.plan(targets)?;
        let needs_products = plan.commands.iter().any(|planned| {
            planned.name.plugin().is_some() || planned.name == CommandName::literal("discover")
        });
        let is_editable =
            plan.commands.iter().any(|planned| planned.name == CommandName::literal("editable"));
        let products = match (needs_products, is_editable) {
            (false, _) => Vec::new(),
            // It has the project's own files, which are imported as those of any environment.
            (true, true) => self.products(&Kind::EXTENSION_MODULE)?,
            (true, false) => self.products(&self.kind_of_modules())?,
        };
        let engine = self.engine()?;
        engine.trace_span("open the project", self.began, self.opened);
        let shared = Arc::new(Shared {
            configuration: self.configuration,
            products,
            engine,
            artifacts: Artifacts::default(),
            contributions: Contributions::default(),
            archives: Mutex::default(),
            placements: Mutex::default(),
            began: SystemTime::now() - self.began.elapsed(),
            tools: Tools::default(),
            host: self.host,
            records: self.records,
            observer: self.environment.observer,
            search_path: self.environment.search_path,
            variables: self.environment.variables,
            asked: Mutex::default(),
            cache: self.cache,
            services: self.environment.services,
        });
        let planned = run_commands(&shared, &plan, &self.graph);
        if planned.is_err() {
            // What runs is stopped, and what was finished stays in the cache.
            self.environment.interrupt.trigger();
        }
        let report = shared.engine.finish();
        planned?;
        Ok(Built { shared, report, plan })
    }

    fn engine(&self) -> Result<Engine, Problems> {
        let build_root = self.configuration.build_dir().to_owned();
        ignore_in_version_control(&build_root)?;
        Ok(Engine::new(EngineOptions {
            source_root: self.configuration.root().to_owned(),
            build_root,
            movable: self.environment.movable.clone(),
            cache: self.cache.clone(),
            jobs: self.environment.jobs,
            keep_going: self.environment.keep_going,
            jobserver: Jobserver::Inherit,
            pools: BTreeMap::new(),
            sink: Arc::new(Sink(Arc::clone(&self.environment.observer))),
            project: self.configuration.project().standard().name.normalized().to_string(),
            interrupt: self.environment.interrupt.clone(),
        })?)
    }
}

fn run_commands(shared: &Arc<Shared>, plan: &Plan, graph: &Graph) -> Result<(), Problems> {
    let core: BTreeMap<String, Command> =
        commands::all().into_iter().map(|c| (c.spec.name.to_string(), c)).collect();
    for planned in &plan.commands {
        let name = graph.node(&planned.name).map_or(&planned.name, |node| node.name()).clone();
        shared.observer.command(&name);
        let begun = Instant::now();
        let cx = CommandContext { shared: Arc::clone(shared), name: name.clone() };
        match name.plugin() {
            None => {
                let command = core.get(name.as_str()).ok_or_else(|| unknown(&name))?;
                (command.run)(&cx)?;
            }
            Some(id) => {
                let plugin =
                    shared.configuration.plugins().get(id).ok_or_else(|| unknown(&name))?;
                let declared = plugin.description().command(name.short());
                if declared.is_none_or(|command| plugins::is_needed(command, &shared.products)) {
                    commands::run_plugin(&cx, plugin)?;
                }
            }
        }
        shared.engine.trace_span(&format!("plan {name}"), begun, Instant::now());
    }
    Ok(())
}

fn unknown(name: &CommandName) -> Problems {
    Problem::error(Cause::Internal, "unknown-command", format!("nobody can run `{name}`")).into()
}

/// Makes the build folder one that version control leaves alone, as virtual environments are.
fn ignore_in_version_control(folder: &Path) -> Result<(), Problems> {
    let file = folder.join(".gitignore");
    if file.exists() {
        return Ok(());
    }
    let write = || {
        std::fs::create_dir_all(folder)?;
        std::fs::write(&file, "*\n")
    };
    write().map_err(|error| unwritable(&file, &error))
}

pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Problems {
    let message = format!("{} can't be written: {error}", path.display());
    Problem::error(Cause::Environment, "unwritable", message).into()
}

impl Built {
    /// Whether everything was built.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.report.status == Status::Succeeded
    }

    /// Copies the artifact of `kind` into `folder`, and gives its name.
    ///
    /// # Errors
    /// When nothing made one, or it can't be written.
    pub fn export(&self, kind: &Kind, folder: &Path) -> Result<String, Problems> {
        let made = self.shared.artifacts.of(kind.as_str(), None);
        let Some(made) = made.first() else {
            let message = format!("no command made an artifact of kind `{kind}`");
            return Err(Problem::error(Cause::Internal, "no-artifact", message).into());
        };
        let path = made.info.location.to_string();
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        self.shared.engine.export(made.id, &folder.join(&name))?;
        Ok(name)
    }

    /// Places what an editable install needs in the project, and removes what earlier ones placed
    /// and the project no longer makes.
    ///
    /// # Errors
    /// When something is in the way that no build made, or a file can't be written.
    pub fn place(&self) -> Result<(), Problems> {
        let shared = &self.shared;
        let configuration = &shared.configuration;
        let placements = shared.placements.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let placed = Placed::load(configuration.build_dir());
        if placements.is_empty() && placed == Placed::default() {
            return self.note_inputs();
        }
        let interpreter = configuration.interpreter()?.extension_tag().to_string();
        let places = (configuration.root(), configuration.build_dir());
        placed.update(&placements, &interpreter, &shared.engine, &shared.cache, places)?;
        self.note_inputs()
    }

    /// Notes what an import has to compare to find out whether the modules are up to date, if the
    /// project wants that.
    fn note_inputs(&self) -> Result<(), Problems> {
        let shared = &self.shared;
        if !shared.configuration.rebuilds() {
            return Ok(());
        }
        let file = rebuild::inputs_file(&shared.configuration)?;
        Inputs::gather(&shared.configuration, &shared.engine)?.write(&file, shared.began)
    }

    /// Copies the files of `.dist-info` that the `metadata` command made into `folder`.
    fn export_metadata(&self, folder: &Path) -> Result<(), Problems> {
        for (path, made) in commands::wheel_metadata(&self.shared) {
            let file = folder.join(path);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent).map_err(|error| unwritable(parent, &error))?;
            }
            self.shared.engine.export(made.id, &file)?;
        }
        Ok(())
    }

    /// What the archives hold.
    ///
    /// # Errors
    /// When a file of theirs has vanished.
    pub fn list(&self) -> Result<Vec<Listed>, Problems> {
        let archives = self.shared.archives.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listed = Vec::new();
        for archive in archives.iter() {
            listed.extend(archive.list(&self.shared)?);
        }
        Ok(listed)
    }

    /// A shell line that repeats an action.
    #[must_use]
    pub fn command_line(&self, action: ActionId) -> String {
        self.shared.engine.command_line(action)
    }

    /// Writes `compile_commands.json` into the build folder.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_compile_commands(&self) -> Result<PathBuf, Problems> {
        let file = self.shared.configuration.build_dir().join("compile_commands.json");
        self.shared.engine.write_compile_commands(&file)?;
        Ok(file)
    }

    /// Writes a trace of the build, for Perfetto or `chrome://tracing`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_trace(&self, file: &Path) -> Result<(), Problems> {
        Ok(self.shared.engine.write_trace(file)?)
    }

    /// The build folder.
    #[must_use]
    pub fn build_dir(&self) -> &Path {
        self.shared.configuration.build_dir()
    }
}
