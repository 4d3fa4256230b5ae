//! The service `program`: makes programs of runtimes, as the plugin `freeze` plans them.
//!
//! It finds a runtime, resolves requirements, and freezes. A runtime is named by its digest in plans, so
//! that keys don't tell where it lies; the files of it that go into a program are inputs by content.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use ekiben_archive::{headers, normalize_name};
use ekiben_core::plugin::protocol::Failure;
use ekiben_core::{Service, ServiceFiles, Surroundings};
use ekiben_engine::{ActionError, Cache, CacheLimits, RelPath};
use ekiben_freeze::program::host::Interpreter;
use ekiben_freeze::program::{
    self, Base, Error, Installer, Link, Links, Program, Request, Sources, StaticWheels, Target,
    Warning,
};
use ekiben_freeze::runtime::{self, DISTRIBUTION, Flavour, Progress, Runtime, Store};
use serde::Deserialize;
use serde_json::{Value, json};

use super::static_modules;
use crate::parts::HOST_PARTS;
use crate::statics::{Failed, Statics};

/// How many warnings of a kind are told.
const SHOWN: usize = 5;

/// The service.
pub(crate) struct Programs {
    runtimes: Store,
    cache: PathBuf,
    cache_bytes: u64,
    /// What was answered of ordinary interpreters, by version.
    hosts: Mutex<BTreeMap<String, Value>>,
}

/// What a plugin may ask.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Question {
    /// What the runtime is like of which programs are made: the one that is installed for the build, or
    /// else one that is kept. If nobody asks for a version, the first may have any; if nobody asks for a
    /// flavour and there is none, an ordinary interpreter takes its place.
    Runtime { python: Option<String>, otherwise: String, flavour: Option<Flavour> },
}

/// What a plugin may plan.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Plan {
    /// To find what `requirements` stands for, all of it.
    Resolve { runtime: String, flavour: Flavour },
    /// To make a program.
    Freeze(Freeze),
    /// To leave of what the object of a module defines only its init function to be seen.
    Isolate(static_modules::Isolate),
    /// To say what a static wheel holds.
    Describe(static_modules::Describe),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Freeze {
    /// The digest of a runtime, or of what an ordinary interpreter became.
    runtime: String,
    flavour: Flavour,
    entry_point: String,
    include: Vec<String>,
    exclude: Vec<String>,
    prune: bool,
    relink: bool,
    /// Whether there are modules to be linked in.
    links: bool,
    /// Whether there may be, as packages that are built from source.
    may_link: bool,
    link: Option<PlannedLink>,
    static_config: BTreeMap<String, Vec<String>>,
    linker: Option<String>,
    strict: bool,
    optimize: u8,
    sources: bool,
    set: BTreeMap<String, bool>,
    /// Whether the requirements are what a plan to resolve gave, or a file of a person's.
    resolved: bool,
}

/// How compiled modules become part of a program: one way for all, or by package.
#[derive(Deserialize)]
#[serde(untagged)]
enum PlannedLink {
    All(Link),
    PerPackage(BTreeMap<String, Link>),
}

impl PlannedLink {
    fn links(&self) -> Links {
        let mut links = Links::default();
        match self {
            Self::All(link) => links.others = Some(*link),
            Self::PerPackage(packages) => {
                packages.iter().for_each(|(name, link)| links.set(name, *link));
            }
        }
        links
    }
}

impl Programs {
    pub(crate) fn new(runtimes: &Path, cache: &Path, cache_bytes: u64) -> Self {
        let (runtimes, cache) = (Store::new(runtimes), cache.to_owned());
        Self { runtimes, cache, cache_bytes, hosts: Mutex::default() }
    }

    /// Of the runtimes for a version that are kept, the last that was made, if possible one of the flavour.
    fn runtime(&self, python: &str, flavour: Flavour) -> Result<(Runtime, Base), Failure> {
        let all = self.runtimes.list();
        let all = all.map_err(|error| Failure::user(error.code(), error.to_string()))?;
        let build = format!("`ekiben runtime build --python {python}` makes one");
        let missing = |message: String, build: String| {
            Failure::user("no-runtime", message).with_help(build).with_help(format!(
                "or require `{DISTRIBUTION}=={python}.*` in [build-system], where wheels of runtimes are"
            ))
        };
        let mut why = None;
        for runtime in all.iter().rev() {
            let interpreter = &runtime.manifest.interpreter;
            // One with CPython's own tests is for those alone.
            if is_of(&interpreter.version, python) && !interpreter.options.tests {
                let base = Base::in_folder(&runtime.folder);
                match base.and_then(|base| base.usable(flavour)) {
                    Ok(base) => return Ok((runtime.clone(), base)),
                    Err(error) => why = why.or(Some(error)),
                }
            }
        }
        if let Some(error) = why {
            return Err(missing(error.to_string(), format!("{build}, with `--flavour {flavour}`")));
        }
        let mut others: Vec<&str> =
            all.iter().map(|it| it.manifest.interpreter.python.as_str()).collect();
        others.dedup();
        let failure = missing(format!("there is no runtime for Python {python}"), build);
        Err(match others.is_empty() {
            true => failure,
            false => failure.with_help(format!(
                "or give `python` in [tool.ekiben.executable]: there is {}",
                others.join(", ")
            )),
        })
    }

    /// The runtime that is installed for the build, which must be of the version that is asked for.
    fn installed(
        &self,
        folder: &Path,
        python: Option<&str>,
        flavour: Flavour,
    ) -> Result<(Runtime, Base), Failure> {
        let failed = |error: &runtime::Error| {
            let failure = Failure::user(error.code(), error.to_string());
            failure.with_help(format!("install another `{DISTRIBUTION}` for the build"))
        };
        let never = AtomicBool::new(false);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &never };
        let runtime = self.runtimes.adopt(folder, progress).map_err(|error| failed(&error))?;
        let version = &runtime.manifest.interpreter.version;
        if let Some(python) = python.filter(|python| !is_of(version, python)) {
            let message = format!(
                "the `{DISTRIBUTION}` that is installed for the build is of Python {version}, not {python}"
            );
            return Err(Failure::user("no-runtime", message).with_help(format!(
                "require `{DISTRIBUTION}=={python}.*` in [build-system], or leave `python` out"
            )));
        }
        let base = Base::in_folder(&runtime.folder).and_then(|base| base.usable(flavour));
        let base = base.map_err(|error| {
            Failure::user(error.code(), error.to_string()).with_help(format!(
                "a `{DISTRIBUTION}` of both flavours comes from `ekiben runtime build --flavour all`"
            ))
        })?;
        Ok((runtime, base))
    }

    fn installer(&self, base: &Base) -> Installer {
        Installer { python: base.interpreter.clone(), cache: self.cache.clone(), refresh: false }
    }

    /// What a digest stands for.
    fn base(&self, digest: &str, flavour: Flavour) -> Result<Base, Error> {
        if flavour == Flavour::Host {
            return Interpreter::kept(digest, &self.cache);
        }
        Base::in_folder(&self.runtimes.by_digest(digest)?.folder)
    }

    /// What the plugin hears of the ordinary interpreter of a version, for which it asks with each
    /// program.
    fn host(&self, python: &str) -> Result<Value, Failure> {
        // Of a release its series counts: which one is there is the machine's affair.
        let series = python.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        let mut known = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(&series) {
            return Ok(answer.clone());
        }
        let base = Interpreter::find(&series).and_then(|it| it.base(HOST_PARTS, &self.cache));
        let base = base
            .map_err(|error| error.help().into_iter().fold(refused(&error), Failure::with_help))?;
        let answer = json!({
            "name": base.interpreter,
            "digest": base.digest(),
            "flavour": Flavour::Host,
            "architecture": std::env::consts::ARCH,
            "glibc": base.glibc(Flavour::Host).map_err(|error| refused(&error))?,
            "version": base.python,
            "suffix": "",
        });
        known.insert(series, answer.clone());
        Ok(answer)
    }

    fn resolve(&self, base: &Base, files: &ServiceFiles<'_>) -> Result<(), ActionError> {
        let requirements = read_text(files.input("requirements")?)?;
        let installer = self.installer(base);
        let stop = || files.is_interrupted();
        let resolved = installer.resolve(&requirements, Some(&stop)).map_err(|it| failed(&it))?;
        files.write("resolved", resolved.as_bytes())
    }

    fn freeze(&self, plan: &Freeze, files: &ServiceFiles<'_>) -> Result<(), ActionError> {
        let base = self.base(&plan.runtime, plan.flavour).map_err(|error| failed(&error))?;
        let staged = Staged::new(files)?;
        let stop = || files.is_interrupted();
        let mut site = vec![staged.site.clone()];
        if let Some(requirements) = &staged.requirements {
            let installer = self.installer(&base);
            let installed = match plan.resolved {
                true => installer.resolved(&read_text(requirements)?, Some(&stop)),
                false => installer.requirements_until(requirements, Some(&stop)),
            };
            site.push(installed.map_err(|error| failed(&error))?);
        }
        let mut links = plan.link.as_ref().map(PlannedLink::links).unwrap_or_default();
        if let Some(project) = &staged.project {
            links.link_own(project);
        }
        let wheels = StaticWheels {
            places: &staged.static_wheels,
            links: &links,
            without: &BTreeSet::new(),
            python: &base.python,
            cache: &self.cache,
        };
        let warnings = match staged.static_wheels.is_empty() {
            true => Vec::new(),
            // The first folder has the project's own files.
            false => {
                program::replace_by_static(&mut site[1..], &wheels).map_err(|it| failed(&it))?
            }
        };
        let linker = plan.linker.as_deref().map(str::parse).transpose();
        let (module, function) =
            plan.entry_point.split_once(':').unwrap_or((&plan.entry_point, ""));
        let (module, function) = (module.to_owned(), function.to_owned());
        let target = Target::EntryPoint { module, function, within: None };
        let mut request = Request {
            site,
            passing: Some(staged.folder.clone()),
            includes: plan.include.clone(),
            excludes: plan.exclude.clone(),
            traced: staged.traced()?,
            hints: staged.hints.clone(),
            prune: plan.prune || plan.relink,
            relink: plan.relink,
            warnings,
            link: links.clone(),
            linker: linker.map_err(ActionError::new)?,
            strict: plan.strict,
            optimize: plan.optimize,
            sources: plan.sources,
            flavour: Some(plan.flavour),
            switches: plan.set.clone(),
            ..Request::new(target)
        };
        // Without one for what was found and linked, all is done again.
        let cache = Cache::open(&self.cache, CacheLimits::new(self.cache_bytes)).ok();
        let say = |text: &str| files.log(&format!("{text}\n"));
        // What was resolved is of any source: pip says nothing of those that it doesn't take.
        let sources = match staged.requirements.as_ref().filter(|_| !plan.resolved) {
            Some(file) => Sources::of(file).map_err(|error| failed(&error))?,
            None => Sources::default(),
        };
        let settings = plan.static_config.iter();
        let settings = settings.map(|(name, its)| (normalize_name(name), its.clone())).collect();
        let statics = Statics {
            base: &base,
            cache: &self.cache,
            links: &links,
            settings: &settings,
            sources: &sources,
            say: &say,
            stop: Some(&stop),
        };
        // The first folder has the project's own files.
        let made = statics.make(&mut request, 1, cache.as_ref()).map_err(unbuilt)?;
        files.log(&told(&made, &staged, &request.site));
        files.write_executable("program", &made.bytes)
    }
}

impl Service for Programs {
    fn version(&self) -> String {
        program::version()
    }

    fn answer(&self, question: &Value, build: &dyn Surroundings) -> Result<Value, Failure> {
        let Question::Runtime { python, otherwise, flavour } = understood(question)?;
        let installed = build.installed(DISTRIBUTION)?;
        let wanted = python.as_deref().unwrap_or(&otherwise);
        if flavour == Some(Flavour::Host) {
            return self.host(wanted);
        }
        let is_open = flavour.is_none();
        let flavour = flavour.unwrap_or(Flavour::Static);
        let found = match &installed {
            Some(folder) => self.installed(folder, python.as_deref(), flavour),
            None => self.runtime(wanted, flavour),
        };
        let (runtime, base) = match found {
            Ok(found) => found,
            // What is asked for is never replaced, and what is installed was asked for.
            Err(failure) if !is_open || installed.is_some() => return Err(failure),
            Err(failure) => {
                let Ok(mut answer) = self.host(wanted) else { return Err(failure) };
                let interpreter = answer["name"].as_str().unwrap_or_default();
                answer["note"] = format!(
                    "there is no runtime for Python {wanted} (`ekiben runtime build --python {wanted}` \
                     makes one): programs are made of {interpreter}, of the flavour `host`"
                )
                .into();
                return Ok(answer);
            }
        };
        let glibc = base.glibc(flavour).map_err(|error| refused(&error))?;
        Ok(json!({
            "name": runtime.name(),
            "digest": runtime.manifest.digest,
            "flavour": flavour,
            "architecture": runtime.architecture(),
            "glibc": glibc,
            "version": runtime.manifest.interpreter.version,
            "suffix": suffix(&runtime),
            "include": runtime.path("include").join(format!("python{}", base.python)),
        }))
    }

    fn reads(&self, plan: &Value) -> Result<Vec<PathBuf>, Failure> {
        let Plan::Freeze(plan) = understood(plan)? else { return Ok(Vec::new()) };
        let base = self.base(&plan.runtime, plan.flavour).map_err(|error| refused(&error))?;
        let program = base.program(plan.flavour).map_err(|error| refused(&error))?.to_owned();
        let mut files = vec![program, base.interpreter, base.stdlib];
        let must_link = plan.relink || plan.links;
        if must_link || plan.may_link {
            let stop = AtomicBool::new(false);
            let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
            let linker = plan.linker.as_deref().map(str::parse).transpose();
            let linker = linker.map_err(|error| Failure::user("linker", error))?;
            match runtime::compiler_files(linker, progress) {
                Ok(compiler) => files.extend(compiler),
                // Most programs need none.
                Err(_) if !must_link => {}
                Err(error) => {
                    let failure = Failure::user(error.code(), error.to_string());
                    return Err(error.help().into_iter().fold(failure, Failure::with_help));
                }
            }
        }
        Ok(files)
    }

    fn run(&self, plan: &Value, files: &ServiceFiles<'_>) -> Result<(), ActionError> {
        match Plan::deserialize(plan).map_err(|error| ActionError::new(error.to_string()))? {
            Plan::Resolve { runtime, flavour } => {
                let base = self.base(&runtime, flavour).map_err(|error| failed(&error))?;
                self.resolve(&base, files)
            }
            Plan::Freeze(plan) => self.freeze(&plan, files),
            Plan::Isolate(plan) => plan.run(files),
            Plan::Describe(plan) => plan.run(files),
        }
    }
}

/// What follows the name in the files of extension modules.
fn suffix(runtime: &Runtime) -> String {
    let interpreter = &runtime.manifest.interpreter;
    let python = interpreter.python.replace('.', "");
    format!(".cpython-{python}-{}.so", interpreter.compiler.target)
}

/// Whether a release is of a series, or is that release.
fn is_of(version: &str, python: &str) -> bool {
    version.strip_prefix(python).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn understood<'a, T: Deserialize<'a>>(json: &'a Value) -> Result<T, Failure> {
    T::deserialize(json)
        .map_err(|error| Failure::Internal(format!("the service `program` got {json}: {error}")))
}

/// The files of an action as modules are looked for: in folders, by their names.
struct Staged {
    /// Around all of them.
    folder: PathBuf,
    site: PathBuf,
    hints: Vec<PathBuf>,
    static_wheels: Vec<PathBuf>,
    requirements: Option<PathBuf>,
    /// The project's name.
    project: Option<String>,
    trace_file: Option<PathBuf>,
    /// Where files of the project are, by their paths in the folder of packages.
    origins: BTreeMap<PathBuf, PathBuf>,
}

impl Staged {
    fn new(files: &ServiceFiles<'_>) -> Result<Self, ActionError> {
        let scratch = files.scratch().canonicalize()?;
        let site = scratch.join("site");
        let mut staged = Self {
            folder: scratch.clone(),
            site: site.clone(),
            hints: Vec::new(),
            static_wheels: Vec::new(),
            requirements: None,
            project: None,
            trace_file: None,
            origins: BTreeMap::new(),
        };
        fs::create_dir_all(&site)?;
        let mut record = String::new();
        let mut metadata = None;
        for (name, file) in files.inputs()? {
            match name {
                "requirements" => {
                    staged.requirements = Some(file.to_owned());
                    continue;
                }
                "trace-file" => {
                    staged.trace_file = Some(file.to_owned());
                    continue;
                }
                _ => {}
            }
            // Names come from a plugin, and mustn't lead elsewhere.
            let name = RelPath::new(name).map_err(|error| {
                ActionError::new(format!("the plan names a file `{name}`: {error}"))
            })?;
            let to = name.under(&scratch);
            let folder = to.parent().unwrap_or(&scratch);
            fs::create_dir_all(folder)?;
            fs::copy(file, &to)?;
            if let Some(path) = name.as_str().strip_prefix("site/") {
                let shown = file.strip_prefix(files.source_root()).unwrap_or(file);
                staged.origins.insert(to.clone(), shown.to_owned());
                // Writing to a string doesn't fail.
                let _ = writeln!(record, "{},,", csv(path));
                if path.ends_with(".dist-info/METADATA") {
                    metadata = Some(folder.to_owned());
                }
            } else if name.as_str().starts_with("static-wheels/") {
                staged.static_wheels.push(to);
            } else if !staged.hints.iter().any(|known| known == folder) {
                staged.hints.push(folder.to_owned());
            }
        }
        // By it the project's own modules are known to be the project's.
        if let Some(metadata) = metadata {
            fs::write(metadata.join("RECORD"), record)?;
            let text = fs::read_to_string(metadata.join("METADATA"))?;
            staged.project = headers(&text, "Name").next().map(str::to_owned);
        }
        Ok(staged)
    }
}

impl Staged {
    /// The modules that the file of recorded imports names.
    fn traced(&self) -> Result<Vec<String>, ActionError> {
        let Some(file) = &self.trace_file else { return Ok(Vec::new()) };
        let modules = program::recorded(file).map_err(|error| failed(&error))?;
        Ok(modules.into_iter().collect())
    }
}

/// A path as a field of CSV.
fn csv(path: &str) -> String {
    match path.contains([',', '"']) {
        true => format!("\"{}\"", path.replace('"', "\"\"")),
        false => path.to_owned(),
    }
}

/// Why a package that was to be linked in isn't there.
fn unbuilt(why: Failed) -> ActionError {
    match why {
        Failed::Program(error) => failed(&error),
        Failed::Static(error) => ActionError { message: error.to_string(), hint: error.help() },
    }
}

/// What was made, and what may go wrong with it.
fn told(made: &Program, staged: &Staged, site: &[PathBuf]) -> String {
    let mut text = String::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for warning in &made.report.warnings {
        let count = kinds.entry(&warning.code).or_default();
        *count += 1;
        if *count <= SHOWN {
            // Writing to a string doesn't fail.
            let _ = writeln!(text, "{}", shown(warning, staged, site));
        }
    }
    for (code, count) in kinds {
        if count > SHOWN {
            let _ = writeln!(text, "warning: {} more warnings [{code}]", count - SHOWN);
        }
    }
    text
}

/// As compilers say it.
fn shown(warning: &Warning, staged: &Staged, site: &[PathBuf]) -> String {
    let place = warning.file.as_ref().map(|file| {
        let inside = || site.iter().find_map(|folder| file.strip_prefix(folder).ok());
        let file = staged.origins.get(file).map(PathBuf::as_path).or_else(inside).unwrap_or(file);
        format!("{}:{}: ", file.display(), warning.line.max(1))
    });
    format!("{}warning: {} [{}]", place.unwrap_or_default(), warning.message, warning.code)
}

fn read_text(path: &Path) -> Result<String, ActionError> {
    fs::read_to_string(path)
        .map_err(|error| ActionError::new(format!("can't read {}: {error}", path.display())))
}

/// As the plugin hears of it.
fn refused(error: &Error) -> Failure {
    Failure::user(error.code(), error.to_string())
}

/// In the words of settings, where `ekiben freeze` has options.
fn failed(error: &Error) -> ActionError {
    let hint = match error {
        Error::Compiled(_) => Some(
            "leave out what the program can do without, by `exclude` in [tool.ekiben.executable]; \
             take static wheels of others, by `static-wheels`, or `flavour = \"dynamic\"`, which loads them",
        ),
        Error::NotLinked { .. } | Error::Strict(_) => Some(
            "say by `link` in [tool.ekiben.executable] how it is to be linked, by `static-wheels` where \
             static wheels are, or leave out `strict`",
        ),
        Error::NoInstaller { .. } => Some(
            "install uv, or pip: 22.3 or later, and 23.1.2 or later for Python 3.12 and later; `ekiben` \
             starts it to install what the program needs",
        ),
        Error::Unusable(_) => Some(
            "what the program imports must be the project's own, or named by `project.dependencies` \
             or `dependency-groups` in [tool.ekiben.executable]",
        ),
        Error::Resolver { .. } => Some(
            "with `requirements` in [tool.ekiben.executable], which names a lock, nothing has to be resolved",
        ),
        other => other.help(),
    };
    ActionError { message: error.to_string(), hint: hint.map(str::to_owned) }
}
