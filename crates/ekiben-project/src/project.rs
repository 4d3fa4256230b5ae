//! The project: one `pyproject.toml`, read once, valid as a whole.
//!
//! The order is: text → tree → overrides laid over → names and types checked against the schema →
//! typed settings → what the schema can't say ([`crate::validate`]). Each step goes on after a
//! mistake as long as what follows would make sense, so that one run reports all of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::build_system::{self, BuildSystem};
use crate::check::{self, Checker};
use crate::dependency_groups;
use crate::diagnostic::{Diagnostic, Report, SourceName, SourceText};
use crate::dynamic::{self, Dynamic, Nothing, Surroundings, System};
use crate::error::ProjectError;
use crate::files;
use crate::metadata::MetadataInputs;
use crate::options::OptionTable;
use crate::overrides::{self, Overrides, settings_path};
use crate::schema::json_schema;
use crate::settings::{Artifact, Extension, Settings};
use crate::standard::{self, Dependency, License, ReadmeSource, Sources, Standard};
use crate::tree::{self, KeyPath, Node, Origin, Step, Table, Value};
use crate::validate;

/// The file every project has.
pub const PYPROJECT: &str = "pyproject.toml";

/// A valid project.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
    standard: Standard,
    build_system: BuildSystem,
    settings: Settings,
    extensions: Vec<Extension>,
    groups: BTreeMap<String, Vec<Dependency>>,
    warnings: Vec<Diagnostic>,
    pub(crate) source: SourceText,
    /// `[tool.ekiben]` with the overrides laid over it.
    pub(crate) tree: Node,
    /// `[project]`, for pointing at what is found wrong later, when files are looked at.
    pub(crate) standard_tree: Node,
}

impl Project {
    /// Reads `pyproject.toml` in `dir`.
    pub fn load(dir: &Path) -> Result<Self, ProjectError> {
        Self::load_with(dir, &Overrides::new())
    }

    /// Reads `pyproject.toml` in `dir`, with settings from outside laid over it.
    pub fn load_with(dir: &Path, overrides: &Overrides) -> Result<Self, ProjectError> {
        let path = dir.join(PYPROJECT);
        let text = read_pyproject(dir, &path)?;
        Self::parse_in(&text, &path, overrides, &System::new(dir))
    }

    /// Reads a text as the `pyproject.toml` at `path`, touching no file: what is dynamic has
    /// nothing it could be computed from.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ProjectError> {
        Self::parse_with(text, path, &Overrides::new())
    }

    /// As [`parse`](Self::parse), with settings from outside laid over it.
    pub fn parse_with(
        text: &str,
        path: &Path,
        overrides: &Overrides,
    ) -> Result<Self, ProjectError> {
        Self::parse_in(text, path, overrides, &Nothing)
    }

    /// Reads a text as the `pyproject.toml` at `path`, with settings from outside laid over it;
    /// what is dynamic is computed from `around`.
    pub fn parse_in(
        text: &str,
        path: &Path,
        overrides: &Overrides,
        around: &dyn Surroundings,
    ) -> Result<Self, ProjectError> {
        let source = SourceText::new(path, text);
        let mut report = Report::new(&source);
        let document = tree::parse(&source, &mut report);
        if report.error_count() > 0 {
            return Err(ProjectError::Invalid(sorted(report.diagnostics)));
        }
        let build_system = build_system::read(&document, &mut report);
        let tree = settings_tree(&document, &mut report);
        let (tree, settings) = read_settings(tree, overrides, &mut report);
        let dynamic = settings
            .as_ref()
            .map(|settings| dynamic::compute(&document, settings, &tree, around, &mut report));
        let plugins_derive = settings.as_ref().is_some_and(Settings::may_derive_dependencies);
        let sources = Sources { dynamic: dynamic.as_ref(), plugins_derive };
        let standard = standard::read(&document, sources, &mut report);
        let mut groups = BTreeMap::new();
        if let Some(settings) = &settings {
            validate::validate(settings, standard.as_ref(), &tree, &mut report);
            let key = KeyPath::of(&["executable", "dependency-groups"]);
            let names =
                settings.executable.dependency_groups.iter().enumerate().map(|(at, name)| {
                    let key = key.index(at);
                    let full =
                        KeyPath(settings_path().0.into_iter().chain(key.0.clone()).collect());
                    (name.as_str(), tree.find(&key.0), full)
                });
            groups = dependency_groups::read(&document, names, &mut report);
        }
        let failed = report.error_count() > 0;
        let diagnostics = sorted(report.diagnostics);
        match (standard, settings) {
            (Some(standard), Some(settings)) if !failed => {
                let merged = |extension: &Extension| Extension {
                    build: extension.build.over(&settings.defaults),
                    ..extension.clone()
                };
                let extensions = settings.extension.iter().map(merged).collect();
                let root = path.parent().unwrap_or(Path::new("")).to_owned();
                let standard_tree = match document.get("project") {
                    Some(node) => node.clone(),
                    None => empty_table(),
                };
                Ok(Self {
                    root,
                    standard,
                    build_system,
                    settings,
                    extensions,
                    groups,
                    warnings: diagnostics,
                    source,
                    tree,
                    standard_tree,
                })
            }
            _ => Err(ProjectError::Invalid(diagnostics)),
        }
    }

    /// The folder of `pyproject.toml`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of `pyproject.toml`.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.source.path
    }

    /// The text of `pyproject.toml`, which spans refer to.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.source.text
    }

    /// `[project]`.
    #[must_use]
    pub fn standard(&self) -> &Standard {
        &self.standard
    }

    /// `[build-system]`.
    #[must_use]
    pub fn build_system(&self) -> &BuildSystem {
        &self.build_system
    }

    /// `[tool.ekiben]`.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The extensions, with `[tool.ekiben.defaults]` worked into their build options.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The requirements of a group of `[dependency-groups]` that the settings name; `None` for others.
    #[must_use]
    pub fn dependency_group(&self, name: &str) -> Option<&[Dependency]> {
        self.groups.get(name).map(Vec::as_slice)
    }

    /// What isn't wrong but should be looked at.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The options given for a plugin, empty if there are none.
    #[must_use]
    pub fn options(&self, plugin: &str) -> OptionTable {
        let path = settings_path().key("options").key(plugin);
        let given =
            self.tree.find(&[Step::Key("options".to_owned()), Step::Key(plugin.to_owned())]);
        OptionTable::new(plugin, given.cloned().unwrap_or_else(empty_table), path, &self.source)
    }

    /// Where a key of `[tool.ekiben]` comes from, such as `["defaults", "debug"]`.
    #[must_use]
    pub fn origin(&self, key: &[&str]) -> Origin {
        let path = KeyPath::of(key);
        self.tree.find(&path.0).map_or(Origin::Default, |node| node.origin.clone())
    }

    /// An error about a key of `[tool.ekiben]`, pointing to its place in the file; for what only
    /// shows later, such as an artifact that can't be built. Numbers are indices of arrays:
    /// `["extension", "0", "sources"]`.
    #[must_use]
    pub fn error_at(&self, key: &[&str], code: &'static str, message: &str) -> Diagnostic {
        let path = KeyPath::of(key).with_indices();
        let full = KeyPath(settings_path().0.into_iter().chain(path.0.clone()).collect());
        let error = Diagnostic::error(code, message).key(full);
        let error = match self.tree.find(&path.0) {
            Some(node) => check::at_node(error, node),
            None => error,
        };
        self.placed(error)
    }

    /// Reads what the metadata needs besides `pyproject.toml`: readme and licence files.
    pub fn metadata_inputs(&self) -> Result<MetadataInputs, ProjectError> {
        let mut inputs =
            MetadataInputs { license_files: files::license_files(self)?, ..Default::default() };
        if let Some(License::File(path)) = &self.standard.license {
            inputs.license_text = Some(read_text(&path.in_dir(&self.root))?);
        }
        if let Some(ReadmeSource::File(path)) = self.standard.readme.as_ref().map(|r| &r.source) {
            let file = path.in_dir(&self.root);
            if !file.is_file() {
                return Err(ProjectError::Invalid(vec![files::missing_readme(self, path)]));
            }
            inputs.readme = Some(read_text(&file)?);
        }
        Ok(inputs)
    }

    /// The requirements that something derives while it builds, such as a plugin's, for
    /// [`MetadataInputs::requirements`]; and what to tell about them.
    ///
    /// They count only if `dependencies` is dynamic, for what stands in `[project]` is all there
    /// may be. Where it isn't, and no dependency of that name is there, that is a warning.
    #[must_use]
    pub fn derived_requirements<'t>(
        &self,
        by: &str,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> (Vec<Dependency>, Vec<Diagnostic>) {
        let is_dynamic = self.standard.dynamic.iter().any(|field| field == "dependencies");
        // Programs hold what a lock or a group names, and their wheels depend on nothing.
        let Settings { artifact, executable, .. } = self.settings();
        let is_held = *artifact == Artifact::Executable
            && (executable.requirements.is_some() || !executable.dependency_groups.is_empty());
        let (mut derived, mut diagnostics) = (Vec::new(), Vec::new());
        for text in texts {
            let dependency = match standard::parse_requirement(text) {
                Ok(dependency) => dependency,
                Err(error) => {
                    let help = error.help;
                    let error = Diagnostic::error("invalid-requirement", error.message);
                    diagnostics.push(error.in_plugin(by).helps(help));
                    continue;
                }
            };
            let name = &dependency.requirement().name;
            let stated = &self.standard.dependencies;
            if is_dynamic {
                derived.push(dependency);
            } else if !is_held && !stated.iter().any(|other| other.requirement().name == *name) {
                let message = format!(
                    "`{by}` finds that the package needs `{dependency}` when it runs, and `dependencies` doesn't say so"
                );
                let warning = Diagnostic::warning("unstated-requirement", message)
                    .key("project.dependencies")
                    .help(format!("add `\"{dependency}\"` to `dependencies`"))
                    .help("or let it be derived: `dynamic = [\"dependencies\"]`, with the others in `dependencies = { list = […] }` of [tool.ekiben.dynamic]");
                let node = self.standard_tree.find(&KeyPath::of(&["dependencies"]).0);
                let node = node.unwrap_or(&self.standard_tree);
                diagnostics.push(self.placed(check::at_node(warning, node)));
            }
        }
        (derived, diagnostics)
    }

    /// The diagnostic with its file, line and column filled in.
    pub(crate) fn placed(&self, diagnostic: Diagnostic) -> Diagnostic {
        let mut report = Report::new(&self.source);
        report.push(diagnostic.clone());
        report.diagnostics.pop().unwrap_or(diagnostic)
    }
}

/// In the order of the file; first what has no place in it, last what is about other files.
impl Standard {
    /// Reads `[project]` in `dir`, whichever backend builds the project. What is dynamic is empty, and
    /// a version that is dynamic is 0.
    pub fn load(dir: &Path) -> Result<Self, ProjectError> {
        let path = dir.join(PYPROJECT);
        let text = read_pyproject(dir, &path)?;
        let source = SourceText::new(&path, &text);
        let mut report = Report::new(&source);
        let document = tree::parse(&source, &mut report);
        let dynamic = Dynamic::of_others();
        let sources = Sources { dynamic: Some(&dynamic), plugins_derive: true };
        let standard = match report.error_count() {
            0 => standard::read(&document, sources, &mut report),
            _ => None,
        };
        match standard {
            Some(standard) if report.error_count() == 0 => Ok(standard),
            _ => Err(ProjectError::Invalid(sorted(report.diagnostics))),
        }
    }
}

fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let own = |diagnostic: &Diagnostic| match &diagnostic.file {
        SourceName::File(path) => path.ends_with(PYPROJECT),
        SourceName::Override(_) | SourceName::Plugin(_) => true,
    };
    diagnostics.sort_by_key(|diagnostic| {
        let start = diagnostic.span.as_ref().map(|span| span.start);
        (!own(diagnostic), start)
    });
    diagnostics
}

fn read_pyproject(dir: &Path, path: &Path) -> Result<String, ProjectError> {
    match read_text(path) {
        Err(ProjectError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(ProjectError::Missing(dir.to_owned()))
        }
        text => text,
    }
}

fn read_text(path: &Path) -> Result<String, ProjectError> {
    let bytes = fs::read(path).map_err(|error| ProjectError::read(path, error))?;
    String::from_utf8(bytes).map_err(|error| ProjectError::NotUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

fn empty_table() -> Node {
    Node { value: Value::Table(Table::default()), origin: Origin::Default }
}

fn settings_tree(document: &Table, report: &mut Report<'_>) -> Node {
    let tool = document.get("tool").and_then(Node::as_table);
    let Some(node) = tool.and_then(|tool| tool.get("ekiben")) else { return empty_table() };
    if node.as_table().is_none() {
        let message = format!("expected a table, found {}", node.type_name());
        let error = Diagnostic::error("wrong-type", message).at(node.span()).key(settings_path());
        report.push(error.help("write `[tool.ekiben]` and the settings below it"));
        return empty_table();
    }
    node.clone()
}

fn read_settings(
    mut tree: Node,
    overrides: &Overrides,
    report: &mut Report<'_>,
) -> (Node, Option<Settings>) {
    let schema = json_schema();
    if let Value::Table(table) = &mut tree.value {
        overrides::apply(overrides, table, schema, report);
    }
    let before = report.error_count();
    Checker { report, codes: check::SETTINGS }.check(schema, &tree, &settings_path());
    if report.error_count() > before {
        return (tree, None);
    }
    match serde_json::from_value::<Settings>(tree.to_json()) {
        Ok(settings) => (tree, Some(settings)),
        Err(error) => {
            let error = Diagnostic::error("invalid-value", error.to_string()).at(tree.span());
            report.push(error.key(settings_path()));
            (tree, None)
        }
    }
}
