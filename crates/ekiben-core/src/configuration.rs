//! The configuration of one build: all that was decided before any command runs.
//!
//! Every command can read it and none can change it. Data flows one way: `pyproject.toml` and
//! overrides, then this, then the command graph, actions, artifacts, archives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ekiben_project::{
    Artifact, Overrides, Project, ProjectFiles, ProjectPath, discover_files_without,
};
use ekiben_python::{FactsCache, Interpreter};

use crate::distributions::{Distribution, Distributions};
use crate::editable::Placed;
use crate::plugin::{PluginHost, Records};
use crate::plugins::{BuiltIn, Plugins};
use crate::problem::{Cause, Problem, Problems};

/// What a build is asked for, besides what the project says.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The project's folder.
    pub project: PathBuf,
    /// The interpreter to build for: a path, a name or a version.
    pub python: Option<String>,
    /// Settings laid over the project's.
    pub overrides: Overrides,
    /// The folder for what a build makes on its way, instead of the project's setting.
    pub build_dir: Option<PathBuf>,
    /// The environment in which the front end installed what the build requires, when it isn't the
    /// interpreter's own.
    pub build_environment: Option<PathBuf>,
    /// Whether packages are looked for in that environment alone, and not where the interpreter has
    /// its own.
    pub build_environment_alone: bool,
    /// What a later build of the same needs. Without it, there is no rebuilding on import.
    pub repetition: Option<Repetition>,
}

/// What starts a build again when nobody is there to ask.
#[derive(Debug, Clone)]
pub struct Repetition {
    /// The program that builds.
    pub program: PathBuf,
    /// The user's cache folder.
    pub cache_dir: PathBuf,
    /// What the front end was given, as a JSON object.
    pub config_settings: String,
    /// The variable with words for the command line, if it is set.
    pub arguments: Option<String>,
}

/// All that was decided before any command runs.
pub struct Configuration {
    project: Project,
    root: PathBuf,
    build_dir: PathBuf,
    plugins: Plugins,
    python: Option<String>,
    build_environment: Option<PathBuf>,
    build_environment_alone: bool,
    repetition: Option<Repetition>,
    records: Arc<dyn Records>,
    /// Found when something asks: a source distribution needs none.
    interpreter: OnceLock<Result<Interpreter, Problems>>,
    files: OnceLock<Result<ProjectFiles, Problems>>,
    distributions: OnceLock<Result<Distributions, Problems>>,
}

impl Configuration {
    /// Reads the project and loads its plugins.
    ///
    /// # Errors
    /// All that is wrong with either.
    pub fn resolve(
        request: Request,
        built_in: &[BuiltIn],
        host: &PluginHost,
        records: Arc<dyn Records>,
    ) -> Result<Self, Problems> {
        let root = absolute(&request.project)?;
        let project = Project::load_with(&root, &request.overrides)?;
        let plugins = Plugins::load(host, built_in, Some(&project))?;
        let build_dir = match request.build_dir {
            Some(folder) => absolute_path(&folder)?,
            None => project.settings().build_dir.0.in_dir(&root),
        };
        if project.settings().artifact == Artifact::SharedLibrary {
            let message = "this release of Ekiben makes no shared libraries";
            return Err(Problem::from(project.error_at(
                &["artifact"],
                "unsupported-artifact",
                message,
            ))
            .help("set `artifact` to `extension`, which is the default, or `executable`")
            .into());
        }
        Ok(Self {
            project,
            root,
            build_dir,
            plugins,
            python: request.python,
            build_environment: request.build_environment,
            build_environment_alone: request.build_environment_alone,
            repetition: request.repetition,
            records,
            interpreter: OnceLock::new(),
            files: OnceLock::new(),
            distributions: OnceLock::new(),
        })
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Whether its wheel holds programs, and not what is imported.
    pub(crate) fn makes_programs(&self) -> bool {
        self.project.settings().artifact == Artifact::Executable
    }

    /// Whether its extension modules become part of programs, and aren't loaded.
    pub(crate) fn links_modules(&self) -> bool {
        self.makes_programs() || self.makes_static_wheel()
    }

    /// Whether its wheel has objects of extension modules, to be linked into programs.
    pub(crate) fn makes_static_wheel(&self) -> bool {
        self.project.settings().artifact == Artifact::StaticExtension
    }

    /// The project's folder, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for what the build makes on its way, absolute.
    #[must_use]
    pub fn build_dir(&self) -> &Path {
        &self.build_dir
    }

    /// What starts this build again, if anything can.
    pub(crate) fn repetition(&self) -> Option<&Repetition> {
        self.repetition.as_ref()
    }

    /// Whether an editable install looks for changes when it is imported.
    pub(crate) fn rebuilds(&self) -> bool {
        self.project.settings().editable.rebuild && self.repetition.is_some()
    }

    /// The environment in which the front end installed what the build requires.
    pub(crate) fn build_environment(&self) -> Option<&Path> {
        self.build_environment.as_deref()
    }

    /// Whether no package is found outside of that environment: it is the interpreter's own, or was
    /// when somebody began to repeat this build.
    pub(crate) fn is_build_environment_alone(&self) -> Result<bool, Problems> {
        let Some(environment) = &self.build_environment else { return Ok(false) };
        let prefix = &self.interpreter()?.facts().prefix;
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(self.build_environment_alone || real(environment) == real(Path::new(prefix)))
    }

    /// The plugins.
    #[must_use]
    pub fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// The interpreter to build for.
    ///
    /// # Errors
    /// When there is none, or it can't say what it is.
    pub fn interpreter(&self) -> Result<&Interpreter, Problems> {
        let found = self.interpreter.get_or_init(|| {
            let cache = Facts(&*self.records);
            ekiben_python::find_interpreter(self.python.as_deref(), Some(&self.root), &cache)
                .map_err(Problems::from)
        });
        found.as_ref().map_err(Clone::clone)
    }

    /// A folder of a package that is installed for the build.
    ///
    /// # Errors
    /// When none of the places for packages has it.
    pub fn package_folder(&self, path: &str) -> Result<PathBuf, Problems> {
        let places = self.package_places()?;
        let found = places.iter().map(|place| place.join(path)).find(|folder| folder.is_dir());
        found.ok_or_else(|| {
            let package = path.split('/').next().unwrap_or(path);
            let message = format!("no installed package has the folder `{path}`");
            Problem::error(Cause::Input, "missing-package", message)
                .help(format!("add `{package}` to `build-system.requires`, or install it where there is no build isolation"))
                .into()
        })
    }

    /// Where the packages lie that are installed for the build, best first.
    pub(crate) fn package_places(&self) -> Result<Vec<PathBuf>, Problems> {
        let facts = self.interpreter()?.facts();
        let mut places = Vec::new();
        let mut add = |place: PathBuf| {
            if !places.contains(&place) {
                places.push(place);
            }
        };
        let own = [&facts.paths.purelib, &facts.paths.platlib];
        // An isolated environment has the interpreter's layout below a prefix of its own.
        if let Some(environment) = &self.build_environment {
            for folder in own {
                if let Ok(layout) = folder.strip_prefix(&facts.prefix) {
                    add(environment.join(layout));
                }
            }
            // Debian's interpreter has a layout for its own prefix that no other prefix has.
            for name in ["site-packages", "dist-packages"] {
                let version = facts.version.python();
                add(environment.join(format!("lib/python{version}/{name}")));
                add(environment.join(format!("local/lib/python{version}/{name}")));
            }
        }
        if !self.build_environment_alone || self.build_environment.is_none() {
            for folder in own.into_iter().chain(&facts.site_packages) {
                add(folder.clone());
            }
        }
        Ok(places)
    }

    /// A distribution that is installed for the build.
    ///
    /// # Errors
    /// When there is no interpreter to ask where distributions lie.
    pub(crate) fn distribution(&self, name: &str) -> Result<Option<Distribution>, Problems> {
        let found = self
            .distributions
            .get_or_init(|| Ok(Distributions::in_places(&self.package_places()?)));
        found.as_ref().map(|all| all.get(name)).map_err(Clone::clone)
    }

    /// The project's files.
    ///
    /// # Errors
    /// What is wrong with them, such as a package that isn't there.
    pub fn files(&self) -> Result<&ProjectFiles, Problems> {
        let found = self.files.get_or_init(|| {
            discover_files_without(&self.project, &self.placed()).map_err(Problems::from)
        });
        found.as_ref().map_err(Clone::clone)
    }

    /// What editable installs have placed among the project's files.
    fn placed(&self) -> BTreeSet<ProjectPath> {
        // One with another build folder isn't known, unless it is the project's usual one.
        let usual = self.project.settings().build_dir.0.in_dir(&self.root);
        let folders: BTreeSet<&Path> = [&*self.build_dir, &*usual].into();
        let placed =
            folders.into_iter().flat_map(|folder| Placed::load(folder).present(&self.root));
        placed.filter_map(|path| path.as_str().parse().ok()).collect()
    }

    /// The paths of the project's files, sorted.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn source_files(&self) -> Result<Vec<String>, Problems> {
        Ok(self.files()?.sdist.iter().map(|file| file.path.to_string()).collect())
    }

    /// A fact of the target, as plugins ask for it.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<String> {
        if let Some(fact) = self.project_fact(key) {
            return fact;
        }
        let facts = self.interpreter().ok()?.facts();
        let platform = facts.platform.as_str();
        let (system, rest) = platform.split_once('-').unwrap_or((platform, ""));
        Some(match key {
            "target.system" => match system {
                "macosx" => "macos".to_owned(),
                "win32" | "win" => "windows".to_owned(),
                "mingw" | "mingw_x86_64" => "windows".to_owned(),
                other => other.to_owned(),
            },
            "target.architecture" if system == "win32" => "x86".to_owned(),
            "target.architecture" => {
                rest.rsplit_once('-').map_or(rest, |(_, last)| last).to_owned()
            }
            "target.pointer-size" => facts.pointer_size.to_string(),
            "python.version" => facts.version.to_string(),
            "python.implementation" => facts.implementation.to_string(),
            "python.abi" => facts.soabi.clone().unwrap_or_default(),
            _ => return None,
        })
    }
}

impl Configuration {
    /// A fact that needs no interpreter; `None` if the key isn't one, `Some(None)` if it has no
    /// value.
    fn project_fact(&self, key: &str) -> Option<Option<String>> {
        let standard = self.project.standard();
        Some(match key {
            "project.name" => Some(standard.name.as_str().to_owned()),
            "project.requires-python" => standard.requires_python.as_ref().map(|range| {
                let range: Vec<String> = range.iter().map(ToString::to_string).collect();
                range.join(",")
            }),
            "project.dependencies" if standard.dynamic.iter().any(|f| f == "dependencies") => None,
            "project.dependencies" => {
                let texts = standard.dependencies.iter().map(ToString::to_string);
                Some(serde_json::Value::from_iter(texts).to_string())
            }
            "host.distribution" => host_distribution(),
            _ => {
                let group = key.strip_prefix("project.dependency-group.")?;
                let requirements = self.project.dependency_group(group)?;
                let texts = requirements.iter().map(ToString::to_string);
                Some(serde_json::Value::from_iter(texts).to_string())
            }
        })
    }
}

/// The machine's Linux distribution and those it is like, best first, from `os-release(5)`.
fn host_distribution() -> Option<String> {
    let text = ["/etc/os-release", "/usr/lib/os-release"]
        .into_iter()
        .find_map(|file| std::fs::read_to_string(file).ok())?;
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    let words: Vec<String> = [value("ID"), value("ID_LIKE")].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Interpreters' facts among the records.
struct Facts<'a>(&'a dyn Records);

impl FactsCache for Facts<'_> {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.get("interpreter", &ekiben_engine::Digest::of(key.as_bytes()))
    }

    fn put(&self, key: &str, value: &[u8]) {
        self.0.put("interpreter", &ekiben_engine::Digest::of(key.as_bytes()), value);
    }
}

fn absolute(folder: &Path) -> Result<PathBuf, Problems> {
    folder.canonicalize().map_err(|error| {
        let message = format!("the folder {} can't be opened: {error}", folder.display());
        Problem::error(Cause::Input, "no-project", message)
            .help("name the folder that holds the project's pyproject.toml")
            .into()
    })
}

fn absolute_path(path: &Path) -> Result<PathBuf, Problems> {
    std::path::absolute(path).map_err(|error| {
        let message = format!("the path {} has no absolute form: {error}", path.display());
        Problem::error(Cause::Environment, "path", message).into()
    })
}
