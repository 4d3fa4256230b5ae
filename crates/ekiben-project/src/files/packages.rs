//! Finds the folder that holds the packages, and the packages in it.
//!
//! With a folder `src`, everything importable below it is the project's. Without one, the
//! project's root also holds tests, docs and tools, so only what is named like the project is
//! taken, or the one package there is; anything less clear is an error that says what was found.

use std::collections::BTreeSet;
use std::str::FromStr;

use pep508_rs::PackageName;

use super::Package;
use super::walk::Tree;
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::settings::Artifact;
use crate::suggest::{did_you_mean, listed};
use crate::values::{ModuleName, ProjectPath};

/// Folders in a project's root that are never its only package.
const NOT_THE_PACKAGE: &[&str] = &[
    "test",
    "tests",
    "doc",
    "docs",
    "example",
    "examples",
    "benchmark",
    "benchmarks",
    "tool",
    "tools",
    "script",
    "scripts",
    "build",
    "dist",
    "ci",
    "tasks",
];

/// Packages and single-file modules.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) packages: Vec<Package>,
    pub(crate) modules: Vec<ModuleName>,
}

/// The folder that holds the packages.
pub(crate) fn package_root(project: &Project, tree: &Tree) -> ProjectPath {
    if let Some(root) = &project.settings().package_root {
        return root.clone();
    }
    let src = ProjectPath::root().join("src");
    let has_python = tree.below(&src).any(|(_, rest)| is_python(rest));
    let holds_extension = project.settings().extension.iter().any(|extension| {
        let top = extension.name.as_str().split('.').next().unwrap_or_default();
        extension.name.parent().is_some() && tree.below(&src.join(top)).next().is_some()
    });
    if has_python || holds_extension { src } else { ProjectPath::root() }
}

fn is_python(path: &str) -> bool {
    matches!(path.rsplit_once('.'), Some((stem, "py" | "pyi" | "pyx")) if !stem.is_empty())
}

/// Finds what the settings name, or what the rules find.
pub(crate) fn find(
    project: &Project,
    tree: &Tree,
    root: &ProjectPath,
    errors: &mut Vec<Diagnostic>,
) -> Found {
    let finder = Finder { project, tree, root };
    let settings = project.settings();
    let mut found = Found::default();
    for (at, name) in settings.modules.iter().enumerate() {
        match finder.module_file(name) {
            Some(_) => found.modules.push(name.clone()),
            None => errors.push(finder.missing_module(at, name)),
        }
    }
    if let Some(packages) = &settings.packages {
        for (at, name) in packages.iter().enumerate() {
            let dir = root.join(&name.as_path());
            if tree.below(&dir).next().is_some() {
                found.packages.push(finder.package(name.clone()));
            } else {
                errors.push(finder.missing_package(at, name, &dir));
            }
        }
        // A package inside another one of the list is part of that one's folder.
        let all: Vec<ModuleName> = found.packages.iter().map(|p| p.name.clone()).collect();
        found.packages.retain(|package| {
            let mut parents = std::iter::successors(package.name.parent(), ModuleName::parent);
            !parents.any(|parent| all.contains(&parent))
        });
        return found;
    }
    let given_modules = !found.modules.is_empty();
    if root.as_str() == "." {
        finder.flat(&mut found, errors);
    } else {
        finder.below_src(&mut found, !given_modules);
    }
    let nothing = found.packages.is_empty() && found.modules.is_empty();
    if nothing && errors.is_empty() && !finder.can_be_empty() {
        errors.push(finder.nothing_found());
    }
    found
}

struct Finder<'f> {
    project: &'f Project,
    tree: &'f Tree,
    root: &'f ProjectPath,
}

impl Finder<'_> {
    fn package(&self, name: ModuleName) -> Package {
        let dir = self.root.join(&name.as_path());
        let is_namespace = !self.is_regular(&dir);
        Package { name, dir, is_namespace }
    }

    /// Whether a folder has a module that makes it a regular package.
    fn is_regular(&self, dir: &ProjectPath) -> bool {
        let mut suffixes = ["py", "pyi", "pyx"].iter();
        suffixes.any(|suffix| self.tree.contains(&dir.join(&format!("__init__.{suffix}"))))
    }

    fn module_file(&self, name: &ModuleName) -> Option<ProjectPath> {
        let file = self.root.join(&format!("{}.py", name.as_path()));
        self.tree.contains(&file).then_some(file)
    }

    /// Whether the folder holds Python files at any depth, or an extension goes there.
    fn is_package(&self, top: &str) -> bool {
        let dir = self.root.join(top);
        self.tree.below(&dir).any(|(_, rest)| is_python(rest)) || self.is_extension_target(top)
    }

    fn is_extension_target(&self, top: &str) -> bool {
        let mut names = self.project.settings().extension.iter().map(|extension| &extension.name);
        names.any(|name| name.as_str().strip_prefix(top).is_some_and(|rest| rest.starts_with('.')))
    }

    /// The names of folders directly in the package root that can be a package's.
    fn top_folders(&self) -> BTreeSet<&str> {
        let below = self.tree.below(self.root);
        let tops = below.filter_map(|(_, rest)| rest.split_once('/').map(|(top, _)| top));
        tops.filter(|top| ModuleName::from_str(top).is_ok()).collect()
    }

    fn top_modules(&self) -> impl Iterator<Item = ModuleName> {
        let below = self.tree.below(self.root);
        let files = below.filter_map(|(_, rest)| rest.strip_suffix(".py"));
        files.filter(|stem| !stem.contains('/')).filter_map(|stem| stem.parse().ok())
    }

    fn below_src(&self, found: &mut Found, with_modules: bool) {
        for top in self.top_folders().into_iter().filter(|top| self.is_package(top)) {
            if let Ok(name) = top.parse() {
                found.packages.push(self.package(name));
            }
        }
        if with_modules {
            found.modules.extend(self.top_modules());
        }
    }

    /// Whether a top-level name belongs to the project by its name.
    fn is_named_like_project(&self, top: &str) -> bool {
        let normalized = self.project.standard().name.normalized();
        let stem = top.strip_suffix("-stubs");
        [Some(top), stem].into_iter().flatten().any(|name| {
            PackageName::from_str(name.trim_matches('_')).is_ok_and(|name| name == *normalized)
        })
    }

    fn flat(&self, found: &mut Found, errors: &mut Vec<Diagnostic>) {
        let standard = self.project.standard();
        let imports = standard.import_names.iter().chain(&standard.import_namespaces).flatten();
        let imported: BTreeSet<&str> =
            imports.filter_map(|import| import.name.as_str().split('.').next()).collect();
        let wanted = |top: &str| {
            imported.contains(top)
                || self.is_extension_target(top)
                || (imported.is_empty() && self.is_named_like_project(top))
        };
        let folders: Vec<&str> =
            self.top_folders().into_iter().filter(|top| self.is_package(top)).collect();
        let mut chosen: Vec<&str> = folders.iter().copied().filter(|top| wanted(top)).collect();
        if found.modules.is_empty() {
            let modules = self.top_modules().filter(|name| wanted(name.as_str()));
            // A package wins over a module of the same name, as it does when imported.
            found.modules.extend(modules.filter(|name| !chosen.contains(&name.as_str())));
        }
        if chosen.is_empty() && found.modules.is_empty() {
            let regular = |top: &&str| {
                !NOT_THE_PACKAGE.contains(top) && self.is_regular(&self.root.join(top))
            };
            chosen = folders.into_iter().filter(regular).collect();
            if chosen.len() > 1 {
                errors.push(self.several_found(&chosen));
                return;
            }
        }
        let names = chosen.into_iter().filter_map(|top| top.parse().ok());
        found.packages.extend(names.map(|name| self.package(name)));
    }

    /// Whether the project can go without Python files: one that only compiles something, or one
    /// that says that nothing can be imported.
    fn can_be_empty(&self) -> bool {
        let standard = self.project.standard();
        !self.project.settings().extension.is_empty()
            || !self.project.settings().include.is_empty()
            || !matches!(
                self.project.settings().artifact,
                Artifact::Extension | Artifact::StaticExtension
            )
            || standard.import_names.as_ref().is_some_and(Vec::is_empty)
    }

    fn missing_module(&self, at: usize, name: &ModuleName) -> Diagnostic {
        let file = self.root.join(&format!("{}.py", name.as_path()));
        let message = format!("the module `{name}` has no file: there is no `{file}`");
        let known: Vec<String> = self.top_modules().map(|name| name.to_string()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let at = at.to_string();
        let error = self.project.error_at(&["modules", &at], "missing-module", &message);
        error.helps(did_you_mean(name.as_str(), &known))
    }

    fn missing_package(&self, at: usize, name: &ModuleName, dir: &ProjectPath) -> Diagnostic {
        let message = format!("the package `{name}` has no files: `{dir}` is missing or empty");
        let known: Vec<&str> = self.top_folders().into_iter().collect();
        let at = at.to_string();
        let error = self.project.error_at(&["packages", &at], "missing-package", &message);
        if self.module_file(name).is_some() {
            return error
                .help(format!("`{name}` is a single file: write `modules = [\"{name}\"]`"));
        }
        error.helps(did_you_mean(name.as_str(), &known))
    }

    fn several_found(&self, found: &[&str]) -> Diagnostic {
        let name = self.project.standard().name.in_file_names();
        let message = format!(
            "which package is the project's? None is named `{name}`, and there are {}",
            listed(found.iter().copied())
        );
        let example = found.iter().map(|top| format!("\"{top}\"")).collect::<Vec<_>>().join(", ");
        self.project
            .error_at(&["packages"], "ambiguous-packages", &message)
            .help(format!("name those to install: `packages = [{example}]` in [tool.ekiben]"))
            .help("or move them into a folder `src`")
    }

    fn nothing_found(&self) -> Diagnostic {
        let name = self.project.standard().name.in_file_names();
        let place =
            if self.root.as_str() == "." { "the project's folder" } else { "the package root" };
        let message = format!("there is no package and no module to install in {place}");
        let mut error = self
            .project
            .error_at(&["packages"], "no-packages", &message)
            .help(format!("put the package into `src/{name}/`, with an `__init__.py`"));
        let modules: Vec<String> = self.top_modules().map(|m| format!("\"{m}\"")).collect();
        if !modules.is_empty() {
            error = error.help(format!(
                "if single files are to be installed, name them: `modules = [{}]` in [tool.ekiben]",
                modules.join(", ")
            ));
        }
        let folders: Vec<&str> =
            self.top_folders().into_iter().filter(|t| self.is_package(t)).collect();
        if !folders.is_empty() {
            let all = folders.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(", ");
            error = error.help(format!("or name folders to install: `packages = [{all}]`"));
        }
        error
    }
}
