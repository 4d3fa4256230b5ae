//! What a build makes: its [`Product`]s. Extension modules are those of `[[tool.ekiben.extension]]` or,
//! without any, of the sources that lie in packages; executables are those of `[project.scripts]`, where
//! the project's artifact is such.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use ekiben_engine::{Location, RelPath, SystemPath};
use ekiben_project::{
    Artifact, BuildOptions, DefineValue, Extension, Glob, InstalledFile, Language, ObjectRef,
    Project, ProjectFiles, ProjectPath, SearchPath,
};

use crate::configuration::Configuration;
use crate::graph::Kind;
use crate::plugin::protocol::ProductInfo;
use crate::plugins::Plugins;
use crate::problem::{Cause, Place, Problem, Problems};

/// An extension module, or an executable.
#[derive(Debug, Clone)]
pub struct Product {
    /// The kind of artifact it is.
    pub kind: Kind,
    /// A module's dotted name, or a program's.
    pub name: String,
    /// Its sources, in the order in which their objects are linked.
    pub sources: Vec<ProjectPath>,
    /// Other files whose change makes it out of date.
    pub depends: Vec<ProjectPath>,
    build: BuildOptions,
    /// All settings as JSON, by key.
    settings: serde_json::Value,
    /// The table of `[tool.ekiben]` that they are from; empty if they stand nowhere.
    table: Vec<String>,
}

/// Settings that mean something to a toolchain only.
const PASSED_ON: &[&str] =
    &["lto", "openmp", "sanitizers", "assertions", "strip", "run-paths", "fortran-runtime"];

impl Product {
    fn new(
        extension: &Extension,
        sources: Vec<ProjectPath>,
        depends: Vec<ProjectPath>,
        table: Vec<String>,
    ) -> Self {
        Self {
            kind: Kind::EXTENSION_MODULE,
            name: extension.name.to_string(),
            sources,
            depends,
            build: extension.build.clone(),
            settings: serde_json::to_value(extension).unwrap_or_default(),
            table,
        }
    }

    /// The program of this name that calls `entry_point`, with the settings of all programs.
    fn executable(name: &str, entry_point: &str, settings: &serde_json::Value) -> Self {
        let mut settings = settings.clone();
        if let Some(settings) = settings.as_object_mut() {
            settings.insert("entry-point".to_owned(), entry_point.into());
        }
        Self {
            kind: Kind::EXECUTABLE,
            name: name.to_owned(),
            sources: Vec::new(),
            depends: Vec::new(),
            build: BuildOptions::default(),
            settings,
            table: vec!["executable".to_owned()],
        }
    }

    /// Whether it is an extension module, whatever becomes of it.
    pub(crate) fn is_module(&self) -> bool {
        self.kind == Kind::EXTENSION_MODULE || self.is_static_module()
    }

    /// Whether it is an extension module that becomes a part of programs.
    pub(crate) fn is_static_module(&self) -> bool {
        self.kind == Kind::STATIC_MODULE
    }

    /// How plugins see it.
    #[must_use]
    pub fn info(&self) -> ProductInfo {
        ProductInfo { name: self.name.clone(), kind: self.kind.to_string() }
    }

    /// A setting as JSON.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<String> {
        self.settings.get(key).filter(|value| !value.is_null()).map(ToString::to_string)
    }

    /// Where a setting stands in `pyproject.toml`; none if it isn't given there.
    pub(crate) fn setting_place(&self, key: &str, configuration: &Configuration) -> Option<Place> {
        if self.table.is_empty() {
            return None;
        }
        let keys: Vec<&str> = self.table.iter().map(String::as_str).chain([key]).collect();
        let place = Problem::from(configuration.project().error_at(&keys, "place", "")).at?;
        let file = Path::new(&place.file);
        let file = file.strip_prefix(configuration.root()).unwrap_or(file);
        Some(Place { file: file.to_string_lossy().into_owned(), ..place })
    }

    /// The settings that a request passes on as they are, by key.
    #[must_use]
    pub fn passed_on(&self) -> BTreeMap<String, String> {
        let mut settings: BTreeMap<String, String> = PASSED_ON
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), self.setting(key)?)))
            .collect();
        let visibility = serde_json::Value::from(self.build.visibility().as_str());
        settings.insert("visibility".to_owned(), visibility.to_string());
        let by_name = self.build.static_libraries.iter().filter(|library| library.file().is_none());
        let by_name: serde_json::Value = by_name.map(ToString::to_string).collect();
        settings.insert("static-libraries".to_owned(), by_name.to_string());
        settings
    }

    /// How it is compiled and linked.
    #[must_use]
    pub fn build(&self) -> &BuildOptions {
        &self.build
    }

    /// Macros and their values.
    #[must_use]
    pub fn definitions(&self) -> Vec<(String, Option<String>)> {
        let value = |value: &DefineValue| match value {
            DefineValue::Flag(_) => None,
            DefineValue::Integer(number) => Some(number.to_string()),
            DefineValue::Text(text) => Some(text.clone()),
        };
        let defined =
            self.build.define.iter().filter(|(_, v)| !matches!(v, DefineValue::Flag(false)));
        defined.map(|(name, v)| (name.clone(), value(v))).collect()
    }

    /// The language's standard.
    #[must_use]
    pub fn standard(&self, language: &str) -> Option<String> {
        match language {
            "c" => self.build.c_std.map(|standard| standard.as_str().to_owned()),
            "c++" => self.build.cxx_std.map(|standard| standard.as_str().to_owned()),
            "fortran" => self.build.fortran_std.map(|standard| standard.as_str().to_owned()),
            _ => None,
        }
    }

    /// The user's own arguments for a language's compiler.
    #[must_use]
    pub fn arguments(&self, language: &str) -> Vec<String> {
        let known = Language::ALL.into_iter().find(|known| known.name() == language);
        let arguments = known.map(|language| self.build.compile_args.for_language(language));
        arguments.unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    /// The language of one of its sources: the one that is given for all, else the suffix's.
    #[must_use]
    pub fn language_of<'a>(&self, source: &str, plugins: &'a Plugins) -> Option<&'a str> {
        self.build.language.map(Language::name).or_else(|| plugins.language_of(source))
    }
}

/// Search paths as locations.
///
/// # Errors
/// When one lies in a package that isn't installed.
pub(crate) fn locations(
    paths: &[SearchPath],
    configuration: &Configuration,
) -> Result<Vec<Location>, Problems> {
    let wrong = |error: &dyn std::fmt::Display| {
        Problems::from(Problem::error(Cause::Input, "path", error.to_string()))
    };
    let locate = |path: &SearchPath| {
        if let Some(in_package) = path.in_package() {
            let folder = configuration.package_folder(in_package)?;
            SystemPath::new(folder).map(Location::System).map_err(|error| wrong(&error))
        } else if Path::new(path.as_str()).is_absolute() {
            SystemPath::new(path.as_str()).map(Location::System).map_err(|error| wrong(&error))
        } else if path.as_str() == "." {
            Ok(Location::Source(RelPath::root()))
        } else {
            RelPath::new(path.as_str()).map(Location::Source).map_err(|error| wrong(&error))
        }
    };
    paths.iter().map(locate).collect()
}

/// The products of `project`. `modules_are` is the kind of its extension modules.
///
/// # Errors
/// When a configured extension has no sources, or there is no program where one is to be made.
pub(crate) fn find(
    project: &Project,
    files: &ProjectFiles,
    plugins: &Plugins,
    modules_are: &Kind,
) -> Result<Vec<Product>, Problems> {
    let mut products = modules(project, files, plugins)?;
    for product in &mut products {
        product.kind = modules_are.clone();
    }
    if project.settings().artifact == Artifact::Executable {
        products.extend(executables(project)?);
    }
    Ok(products)
}

/// The programs of a project: the one of the settings, or each of its scripts.
fn executables(project: &Project) -> Result<Vec<Product>, Problems> {
    let standard = project.standard();
    let settings = &project.settings().executable;
    let shared = serde_json::to_value(settings).unwrap_or_default();
    if let Some(entry_point) = &settings.entry_point {
        return Ok(vec![Product::executable(
            standard.name.as_str(),
            entry_point.as_str(),
            &shared,
        )]);
    }
    let groups = ["console_scripts", "gui_scripts"].map(|group| standard.entry_points(group));
    let scripts: Vec<Product> = groups
        .iter()
        .flat_map(|group| group.iter())
        .map(|script| {
            let ObjectRef { module, attributes, .. } = &script.object;
            let entry_point = format!("{module}:{}", attributes.join("."));
            Product::executable(&script.name, &entry_point, &shared)
        })
        .collect();
    if scripts.is_empty() {
        let message = "the project has no script that could become a program";
        return Err(Problem::from(project.error_at(&["artifact"], "no-scripts", message))
            .help("name one in [project.scripts]: `spam = \"spam.cli:main\"`")
            .help("or give `entry-point` in [tool.ekiben.executable]")
            .into());
    }
    Ok(scripts)
}

fn modules(
    project: &Project,
    files: &ProjectFiles,
    plugins: &Plugins,
) -> Result<Vec<Product>, Problems> {
    if project.settings().extension.is_empty() {
        return Ok(discover(project, files, plugins));
    }
    let mut problems = Vec::new();
    let mut products = Vec::new();
    for (at, extension) in project.extensions().iter().enumerate() {
        let found = files.extensions.iter().find(|found| found.name == extension.name);
        let (sources, depends) =
            found.map(|found| (found.sources.clone(), found.depends.clone())).unwrap_or_default();
        if sources.is_empty() {
            let message = format!("the extension `{}` has no sources", extension.name);
            let problem = Problem::from(project.error_at(&["extension"], "no-sources", &message));
            problems.push(problem.help("list them: `sources = [\"src/spam/_core.c\"]`"));
        }
        for used in &extension.build.uses {
            if !plugins.answers(used.as_str()) {
                problems.push(unanswered(project, plugins, extension, used.as_str()));
            }
        }
        let table = vec!["extension".to_owned(), at.to_string()];
        products.push(Product::new(extension, sources, depends, table));
    }
    if problems.is_empty() { Ok(products) } else { Err(Problems(problems)) }
}

fn unanswered(project: &Project, plugins: &Plugins, extension: &Extension, word: &str) -> Problem {
    let message =
        format!("no plugin answers `uses = [\"{word}\"]` of the extension `{}`", extension.name);
    let problem = Problem::from(project.error_at(&["extension"], "unknown-capability", &message));
    let known = plugins.answered_words();
    let near = known.iter().map(|have| (strsim::damerau_levenshtein(have, word), have));
    match near.filter(|(distance, _)| *distance <= 2).min() {
        Some((_, near)) => problem.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => problem,
        None => problem.help(format!("what can be used: {}", known.join(", "))),
    }
}

/// Every source in a package that defines `PyInit_<its stem>` is an extension module: the only rule
/// that can't mistake a helper, or a source meant for another module, for one. So is every source
/// that a plugin translates and says so of; what an earlier translation left beside it isn't.
fn discover(project: &Project, files: &ProjectFiles, plugins: &Plugins) -> Vec<Product> {
    let dotted = |file: &InstalledFile| {
        let folder = file.target.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = file.source.file_name();
        let stem = name.split('.').next().unwrap_or(name);
        format!("{folder}/{stem}").trim_start_matches('/').replace('/', ".")
    };
    let is_discovered =
        |name: &str| plugins.translation_of(name).is_some_and(|(_, how)| how.discovered);
    let translated: HashSet<String> = files
        .installed
        .iter()
        .filter(|file| is_discovered(file.source.file_name()))
        .map(dotted)
        .collect();
    let mut products = Vec::new();
    for file in &files.installed {
        let name = file.source.file_name();
        let dotted = dotted(file);
        match plugins.translation_of(name) {
            Some((_, how)) if how.discovered => {}
            Some(_) => continue,
            None if plugins.language_of(name).is_none() || translated.contains(&dotted) => continue,
            None => {
                let text = std::fs::read(file.source.in_dir(project.root())).unwrap_or_default();
                if !defines_init(&text, dotted.rsplit('.').next().unwrap_or(&dotted)) {
                    continue;
                }
            }
        }
        let (Ok(name), Ok(source)) = (dotted.parse(), file.source.as_str().parse::<Glob>()) else {
            continue;
        };
        let extension = Extension {
            name,
            sources: vec![source],
            depends: Vec::new(),
            build: project.settings().defaults.clone(),
        };
        let sources = vec![file.source.clone()];
        products.push(Product::new(&extension, sources, Vec::new(), Vec::new()));
    }
    products
}

fn defines_init(text: &[u8], stem: &str) -> bool {
    let wanted = format!("PyInit_{stem}");
    let wanted = wanted.as_bytes();
    let ends = |at: usize| {
        text.get(at + wanted.len())
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
    };
    text.windows(wanted.len()).enumerate().any(|(at, window)| window == wanted && ends(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_function_is_found_by_its_whole_name() {
        assert!(defines_init(b"PyMODINIT_FUNC\nPyInit__speedups(void)\n{", "_speedups"));
        assert!(defines_init(b"PyInit_x", "x"));
        assert!(!defines_init(b"PyInit_xy(void)", "x"));
        assert!(!defines_init(b"int main(void)", "x"));
    }
}
