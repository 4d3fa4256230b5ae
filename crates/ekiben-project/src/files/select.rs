//! Applies the rules to the walked tree: what is installed, what is in the source distribution.

use std::collections::{BTreeMap, BTreeSet};

use super::generated::generated;
use super::packages::{self, Found};
use super::patterns::Patterns;
use super::placed::{conflicts, placed};
use super::walk::{Tree, Trouble, Walked};
use super::{ExtensionFiles, InstalledFile, ProjectFile, ProjectFiles, Reason, Scheme};
use crate::check::at_node;
use crate::diagnostic::Diagnostic;
use crate::error::ProjectError;
use crate::project::{PYPROJECT, Project};
use crate::standard::{DEFAULT_LICENSE_FILES, License, ReadmeSource};
use crate::suggest::nearest;
use crate::tree::KeyPath;
use crate::values::{Glob, ModuleName, ProjectPath};

/// Files in packages that only serve version control and editors.
const NOT_INSTALLED: &[&str] =
    &[".gitignore", ".gitattributes", ".gitkeep", ".gitmodules", ".hgignore", ".editorconfig"];

type Files = BTreeMap<ProjectPath, Reason>;

/// Walks the project's folder and finds what belongs to it.
pub fn discover_files(project: &Project) -> Result<ProjectFiles, ProjectError> {
    discover_files_without(project, &BTreeSet::new())
}

/// As [`discover_files`], as if the files in `built`, which builds have put into the project, weren't
/// there.
pub fn discover_files_without(
    project: &Project,
    built: &BTreeSet<ProjectPath>,
) -> Result<ProjectFiles, ProjectError> {
    let mut tree = Tree::walk(project.root(), &project.settings().build_dir.0)?;
    tree.files.retain(|file| !built.contains(&file.path));
    let mut errors = Vec::new();
    let package_root = packages::package_root(project, &tree);
    let found = packages::find(project, &tree, &package_root, &mut errors);
    let warnings = unusable_names(project, &tree, &found, &mut errors);
    let extensions = extension_files(project, &tree, &mut errors);
    let licenses = match_licenses(project, &tree, &mut errors);
    let selector = Selector { project, tree: &tree, root: &package_root, extensions: &extensions };
    let generated = generated(project, &package_root, &mut errors);
    let is_generated = |path: &ProjectPath| generated.iter().any(|file| file.path == *path);
    let mut installed = selector.installed(&found, &mut errors);
    installed.retain(|file| !is_generated(&file.source));
    let mut sdist = selector.sdist(&licenses, &mut errors)?;
    sdist.retain(|path, _| !is_generated(path));
    let mut placed = placed(project, &tree, &mut errors);
    // What is in its place by rule needs no other.
    placed.retain(|file| {
        let here = (&file.source, file.target.as_str());
        file.scheme != Scheme::Root
            || !installed.iter().any(|f| f.in_wheel && (&f.source, f.target.as_str()) == here)
    });
    errors.extend(conflicts(project, &installed, &generated, &placed));
    for path in installed.iter().map(|file| &file.source).chain(sdist.keys()) {
        let Some(trouble) = tree.get(path).and_then(|file| file.trouble.as_ref()) else { continue };
        let error = project.placed(describe(path, trouble));
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.span.as_ref().map(|span| span.start));
        return Err(ProjectError::Invalid(errors));
    }
    Ok(ProjectFiles {
        package_root: package_root.clone(),
        packages: found.packages,
        installed,
        placed,
        generated,
        licenses: listing(licenses),
        sdist: listing(sdist),
        extensions,
        warnings,
    })
}

/// File names that no archive can hold: an error in a package, a warning elsewhere.
fn unusable_names(
    project: &Project,
    tree: &Tree,
    found: &Found,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for path in &tree.unusable {
        let in_package =
            found.packages.iter().any(|package| path.starts_with(package.dir.as_str()));
        let message = format!("the file name {path:?} can't be in an archive");
        let diagnostic = if in_package {
            Diagnostic::error("unusable-file-name", message)
        } else {
            Diagnostic::warning("unusable-file-name", format!("{message}: the file is left out"))
        };
        let help =
            "rename it: file names must be UTF-8, without backslashes and control characters";
        let diagnostic = project.placed(diagnostic.help(help));
        if in_package { errors.push(diagnostic) } else { warnings.push(diagnostic) }
    }
    warnings
}

/// The licence files alone, for metadata.
pub(crate) fn license_files(project: &Project) -> Result<Vec<ProjectPath>, ProjectError> {
    let tree = Tree::walk(project.root(), &project.settings().build_dir.0)?;
    let mut errors = Vec::new();
    let licenses = match_licenses(project, &tree, &mut errors);
    for path in licenses.keys() {
        if let Some(trouble) = tree.get(path).and_then(|file| file.trouble.as_ref()) {
            errors.push(project.placed(describe(path, trouble)));
        }
    }
    if errors.is_empty() {
        Ok(licenses.into_keys().collect())
    } else {
        Err(ProjectError::Invalid(errors))
    }
}

fn listing(files: Files) -> Vec<ProjectFile> {
    files.into_iter().map(|(path, reason)| ProjectFile { path, reason }).collect()
}

pub(super) fn describe(path: &ProjectPath, trouble: &Trouble) -> Diagnostic {
    let (message, help) = match trouble {
        Trouble::LeadsOut(target) => (
            format!("the link `{path}` leads out of the project, to `{}`", target.display()),
            "put the file into the project, or name the link in `exclude` and `sdist.exclude`",
        ),
        Trouble::Dangling => (
            format!("the link `{path}` leads to nothing"),
            "mend or remove it, or name it in `exclude` and `sdist.exclude`",
        ),
        Trouble::Loop => (
            format!("the link `{path}` leads to a folder that it lies in itself"),
            "remove it, or name it in `exclude` and `sdist.exclude`",
        ),
    };
    Diagnostic::error("bad-link", message).help(help)
}

fn match_licenses(project: &Project, tree: &Tree, errors: &mut Vec<Diagnostic>) -> Files {
    let standard = project.standard();
    let mut files = Files::new();
    match &standard.license_files {
        Some(globs) => {
            for (at, glob) in globs.iter().enumerate() {
                let one = std::slice::from_ref(glob);
                let patterns = Patterns::new(one);
                let matched = tree.files.iter().filter(|f| patterns.of_file(&f.path).is_some());
                let before = files.len();
                let mut any = false;
                for file in matched {
                    any = true;
                    files.entry(file.path.clone()).or_insert_with(|| Reason::License(glob.clone()));
                }
                if !any && files.len() == before {
                    let path = KeyPath::of(&["license-files"]).index(at);
                    let message = format!("no file matches `{glob}`");
                    let error = at_standard(project, &path, "missing-license-file", &message);
                    errors.push(error.helps(near_file(tree, glob)));
                }
            }
        }
        None => {
            for name in DEFAULT_LICENSE_FILES {
                let Ok(glob) = name.parse::<Glob>() else { continue };
                let one = std::slice::from_ref(&glob);
                let patterns = Patterns::new(one);
                for file in tree.files.iter().filter(|f| patterns.of_file(&f.path).is_some()) {
                    let reason = || Reason::UsualLicense(glob.clone());
                    files.entry(file.path.clone()).or_insert_with(reason);
                }
            }
        }
    }
    if let Some(License::File(path)) = &standard.license {
        if tree.contains(path) {
            files.insert(path.clone(), Reason::LicenseTable);
        } else {
            let key = KeyPath::of(&["license", "file"]);
            let message = format!("there is no file `{path}`");
            errors.push(at_standard(project, &key, "missing-license-file", &message));
        }
    }
    files
}

/// An error about a key of `[project]`.
pub(crate) fn at_standard(
    project: &Project,
    path: &KeyPath,
    code: &'static str,
    message: &str,
) -> Diagnostic {
    let full = KeyPath(KeyPath::of(&["project"]).0.into_iter().chain(path.0.clone()).collect());
    let error = Diagnostic::error(code, message).key(full);
    project.placed(match project.standard_tree.find(&path.0) {
        Some(node) => at_node(error, node),
        None => error,
    })
}

/// "Did you mean" for a pattern that is a plain path, and a reminder for others.
pub(super) fn near_file(tree: &Tree, glob: &Glob) -> Option<String> {
    if !glob.is_literal() {
        return Some("patterns are matched against paths from the project's folder".to_owned());
    }
    let near = nearest(glob.as_str(), tree.files.iter().map(|file| file.path.as_str()));
    near.map(|near| format!("did you mean `{near}`?"))
}

fn extension_files(
    project: &Project,
    tree: &Tree,
    errors: &mut Vec<Diagnostic>,
) -> Vec<ExtensionFiles> {
    let mut all = Vec::new();
    for (at, extension) in project.settings().extension.iter().enumerate() {
        let mut resolve = |key: &str, globs: &[Glob]| {
            let mut files: Vec<ProjectPath> = Vec::new();
            for (which, glob) in globs.iter().enumerate() {
                let patterns = Patterns::new(std::slice::from_ref(glob));
                let mut any = false;
                for file in tree.files.iter().filter(|f| patterns.of_file(&f.path).is_some()) {
                    any = true;
                    if let Some(trouble) = &file.trouble {
                        errors.push(project.placed(describe(&file.path, trouble)));
                    }
                    if !files.contains(&file.path) {
                        files.push(file.path.clone());
                    }
                }
                if !any {
                    let (at, which) = (at.to_string(), which.to_string());
                    let message = if glob.is_literal() {
                        format!("there is no file `{glob}`")
                    } else {
                        format!("no file matches `{glob}`")
                    };
                    let keys = ["extension", &at, key, &which];
                    let error = project.error_at(&keys, "missing-source", &message);
                    errors.push(error.helps(near_file(tree, glob)));
                }
            }
            files
        };
        let sources = resolve("sources", &extension.sources);
        let mut depends = resolve("depends", &extension.depends);
        depends.sort();
        all.push(ExtensionFiles { name: extension.name.clone(), sources, depends });
    }
    all
}

struct Selector<'s> {
    project: &'s Project,
    tree: &'s Tree,
    root: &'s ProjectPath,
    extensions: &'s [ExtensionFiles],
}

impl Selector<'_> {
    fn installed(&self, found: &Found, errors: &mut Vec<Diagnostic>) -> Vec<InstalledFile> {
        let settings = self.project.settings();
        let exclude = Patterns::new(&settings.exclude);
        let exclude_from_wheel = Patterns::new(&settings.wheel.exclude);
        let mut files = Files::new();
        for package in &found.packages {
            for (file, rest) in self.tree.below(&package.dir) {
                if self.is_installable(file) {
                    files.insert(file.path.clone(), package_reason(&package.name, rest));
                }
            }
        }
        for name in &found.modules {
            for suffix in ["py", "pyi"] {
                let path = self.root.join(&format!("{}.{suffix}", name.as_path()));
                if self.tree.contains(&path) {
                    files.entry(path).or_insert_with(|| Reason::Module(name.clone()));
                }
            }
        }
        self.included(&mut files, errors);
        files.retain(|path, _| exclude.of_path(path).is_none());
        let target = |path: &ProjectPath| path.strip_folder(self.root).map(str::to_owned);
        files
            .into_iter()
            .filter_map(|(source, reason)| {
                let target = target(&source)?;
                let in_wheel = exclude_from_wheel.of_path(&source).is_none();
                Some(InstalledFile { source, target, reason, in_wheel })
            })
            .collect()
    }

    fn included(&self, files: &mut Files, errors: &mut Vec<Diagnostic>) {
        for (at, glob) in self.project.settings().include.iter().enumerate() {
            let patterns = Patterns::new(std::slice::from_ref(glob));
            let at = at.to_string();
            let keys = ["include", &at];
            let mut any = false;
            for file in &self.tree.files {
                if patterns.of_path(&file.path).is_none() {
                    continue;
                }
                any = true;
                if file.path.strip_folder(self.root).is_none() {
                    let root = self.root;
                    let message = format!(
                        "`{}` lies outside `{root}`, so it has no place in an installation",
                        file.path
                    );
                    let error = self.project.error_at(&keys, "include-outside-root", &message);
                    errors.push(error.help(format!("move it below `{root}`")));
                    break;
                }
                files.entry(file.path.clone()).or_insert_with(|| Reason::Include(glob.clone()));
            }
            if !any {
                let message = format!("no file matches `{glob}`");
                let error = self.project.error_at(&keys, "unmatched-include", &message);
                errors.push(error.helps(near_file(self.tree, glob)));
            }
        }
    }

    /// Leaves out sources of extensions, what an earlier build in place made of them, and files
    /// that only serve version control and editors.
    fn is_installable(&self, file: &Walked) -> bool {
        !NOT_INSTALLED.contains(&file.path.file_name())
            && !self.is_built_in_place(&file.path)
            && !self.extensions.iter().any(|extension| extension.sources.contains(&file.path))
    }

    /// Whether it is the shared object of an extension: of one that is configured, or of one whose
    /// source, by which it is found, lies beside it.
    fn is_built_in_place(&self, path: &ProjectPath) -> bool {
        if !is_library(path) {
            return false;
        }
        let configured = self.extensions.iter().any(|extension| {
            let module = self.root.join(&extension.name.as_path());
            let rest = path.as_str().strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.starts_with('.') && !rest.contains('/'))
        });
        configured || (self.extensions.is_empty() && self.is_beside_its_source(path))
    }

    /// Whether a file with the same stem defines the module's init function.
    fn is_beside_its_source(&self, path: &ProjectPath) -> bool {
        let name = path.file_name();
        let folder = path.as_str().strip_suffix(name).unwrap_or_default();
        let stem = name.split('.').next().unwrap_or(name);
        let wanted = format!("PyInit_{stem}");
        self.tree.files.iter().any(|file| {
            let rest = file.path.as_str().strip_prefix(folder).and_then(|f| f.strip_prefix(stem));
            rest.is_some_and(|rest| rest.starts_with('.') && !rest.contains('/'))
                && !is_library(&file.path)
                && std::fs::read(file.path.in_dir(self.project.root())).is_ok_and(|text| {
                    text.windows(wanted.len()).any(|window| window == wanted.as_bytes())
                })
        })
    }

    fn sdist(&self, licenses: &Files, errors: &mut Vec<Diagnostic>) -> Result<Files, ProjectError> {
        let settings = self.project.settings();
        let exclude = Patterns::new(&settings.sdist.exclude);
        let mut files = Files::new();
        for file in &self.tree.files {
            // The one at the root comes from an unpacked sdist; a new one is written.
            let is_info = file.path.as_str() == "PKG-INFO";
            let is_stale = self.is_built_in_place(&file.path);
            if !is_info && !is_stale && exclude.of_path(&file.path).is_none() {
                files.insert(file.path.clone(), Reason::InProject);
            }
        }
        if !settings.sdist.include.is_empty() {
            self.sdist_included(&mut files, errors)?;
        }
        for (path, reason) in licenses {
            files.insert(path.clone(), reason.clone());
        }
        let standard = self.project.standard();
        if let Some(ReadmeSource::File(path)) = standard.readme.as_ref().map(|r| &r.source) {
            if self.project.root().join(path.as_str()).is_file() {
                files.insert(path.clone(), Reason::Readme);
            } else {
                errors.push(missing_readme(self.project, path));
            }
        }
        files.insert(ProjectPath::root().join(PYPROJECT), Reason::Pyproject);
        Ok(files)
    }

    fn sdist_included(
        &self,
        files: &mut Files,
        errors: &mut Vec<Diagnostic>,
    ) -> Result<(), ProjectError> {
        let globs = &self.project.settings().sdist.include;
        let patterns = Patterns::new(globs);
        let all = Tree::walk_all(self.project.root())?;
        let mut used = vec![false; globs.len()];
        for file in &all.files {
            let Some((at, glob)) = patterns.of_path(&file.path) else { continue };
            used[at] = true;
            if let Some(trouble) = &file.trouble {
                errors.push(self.project.placed(describe(&file.path, trouble)));
            }
            let reason = || Reason::SdistInclude(glob.clone());
            files.entry(file.path.clone()).or_insert_with(reason);
        }
        for (at, glob) in globs.iter().enumerate().filter(|(at, _)| !used[*at]) {
            let one = Patterns::new(std::slice::from_ref(glob));
            if all.files.iter().any(|file| one.of_path(&file.path).is_some()) {
                continue;
            }
            let at = at.to_string();
            let message = format!("no file matches `{glob}`");
            let keys = ["sdist", "include", &at];
            let error = self.project.error_at(&keys, "unmatched-include", &message);
            errors.push(error.helps(near_file(&all, glob)));
        }
        Ok(())
    }
}

/// The error for a readme that isn't there.
pub(crate) fn missing_readme(project: &Project, path: &ProjectPath) -> Diagnostic {
    let key = if project.standard_tree.find(&KeyPath::of(&["readme", "file"]).0).is_some() {
        KeyPath::of(&["readme", "file"])
    } else {
        KeyPath::of(&["readme"])
    };
    let message = format!("there is no file `{path}`");
    at_standard(project, &key, "missing-readme", &message)
        .help("write the readme, or remove the key")
}

fn is_library(path: &ProjectPath) -> bool {
    matches!(path.extension(), Some("so" | "pyd" | "dylib"))
}

fn package_reason(package: &ModuleName, rest: &str) -> Reason {
    // The innermost folder is the package that a file belongs to.
    let inner = rest.rsplit_once('/').map(|(dir, _)| dir.replace('/', "."));
    let name = inner.and_then(|inner| format!("{package}.{inner}").parse().ok());
    let name = name.unwrap_or_else(|| package.clone());
    if rest.ends_with(".py") { Reason::PackageModule(name) } else { Reason::PackageData(name) }
}
