//! From `bento.info`, and those that it names in `Recurse`, to a model.
//!
//! Settings have no conditions: what depends on a flag is taken as the flag's default has it, what
//! depends on the system as it is on Linux, and each such place is noted. Requirements keep their
//! condition as a marker.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ekiben_project::ModuleName;

use super::data_files::{self, DataFiles};
use super::parse::{BentoFile, Conditional, Entry, Field, Section, Test, parse};
use crate::error::Error;
use crate::files;
use crate::flags::push_new;
use crate::metadata::{
    add_url, keywords, people, requirements, set_description, set_license, set_readme,
    set_readme_file, set_version,
};
use crate::model::{Extension, Model, Place, Readme};

const FILE: &str = "bento.info";

/// What holds for the entries that are being read.
#[derive(Debug, Clone, Default)]
struct Scope {
    /// The folder of the file, with `/` at its end, or nothing.
    folder: String,
    /// The package that the folder is, with `.` at its end, or nothing.
    package: String,
    /// The condition, as a marker if it has such a form, and in words.
    marker: Option<String>,
    condition: Option<String>,
    /// Whether the condition holds here; if not, what it brings is noted and not taken.
    holds: bool,
}

struct Converter<'f> {
    root: &'f Path,
    model: Model,
    flags: BTreeMap<String, bool>,
    seen: BTreeSet<String>,
    packages: Vec<String>,
    authors: [String; 2],
    maintainers: [String; 2],
    license: Option<String>,
    hooks: Vec<String>,
    data_files: Vec<DataFiles>,
    /// The values of `Path` options.
    options: BTreeMap<String, String>,
}

pub(super) fn read(root: &Path) -> Result<Model, Error> {
    let model = Model { source: FILE.to_owned(), ..Model::default() };
    let mut converter = Converter {
        root,
        model,
        flags: BTreeMap::new(),
        seen: BTreeSet::new(),
        packages: Vec::new(),
        authors: Default::default(),
        maintainers: Default::default(),
        license: None,
        hooks: Vec::new(),
        data_files: Vec::new(),
        options: BTreeMap::new(),
    };
    converter.file(&Scope { holds: true, ..Scope::default() })?;
    Ok(converter.finish())
}

fn words(field: &Field) -> Vec<String> {
    field.values.iter().map(|value| value.text.clone()).collect()
}

fn joined(field: &Field) -> String {
    words(field).join(" ")
}

impl Converter<'_> {
    fn file(&mut self, scope: &Scope) -> Result<(), Error> {
        if !self.seen.insert(scope.folder.clone()) {
            return Ok(());
        }
        let path = self.root.join(&scope.folder).join(FILE);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let text = String::from_utf8_lossy(&bytes);
        let file = parse(&text).map_err(|error| Error::Bento { path: path.clone(), error })?;
        self.flags(&file);
        for entry in &file.entries {
            match entry {
                Entry::Field(field) => self.top_field(field, scope)?,
                Entry::Section(section) => self.top_section(section, scope),
                // The parser takes conditions in `Library` and `Path` only.
                Entry::If(_) => {}
            }
        }
        Ok(())
    }

    fn flags(&mut self, file: &BentoFile) {
        for entry in &file.entries {
            let Entry::Section(section) = entry else { continue };
            let (Some(name), "Flag") = (&section.name, section.kind.as_str()) else { continue };
            let default = section.entries.iter().find_map(|entry| match entry {
                Entry::Field(field) if field.name == "Default" => Some(joined(field)),
                _ => None,
            });
            self.flags.insert(name.text.clone(), default.as_deref() != Some("false"));
        }
    }

    fn top_field(&mut self, field: &Field, scope: &Scope) -> Result<(), Error> {
        let text = joined(field);
        let name = field.meant.unwrap_or(&field.name);
        if !field.known {
            let meant = field.meant.map(|meant| format!(", and was taken for `{meant}`"));
            let note = format!(
                "{FILE} has a field `{}` (line {}), which Bento doesn't know{}: {text}",
                field.name,
                field.position.line,
                meant.unwrap_or_default()
            );
            self.model.decide(Place::Build, note);
        }
        match name {
            "Name" => self.model.name = Some(text),
            "Version" => set_version(&mut self.model, &text),
            "Summary" => set_description(&mut self.model, &text),
            "Description" => {
                let readmes: Vec<_> = files::texts(self.root)
                    .into_iter()
                    .filter(|(path, _)| !files::is_license(path))
                    .collect();
                if text.lines().count() <= 1 && self.model.description.is_none() {
                    set_description(&mut self.model, &text);
                } else if self.model.readme.is_none() {
                    set_readme(&mut self.model, &text, Some("text/x-rst"), &readmes);
                }
            }
            "DescriptionFromFile" => set_readme_file(&mut self.model, &text, None),
            "Url" | "URL" => add_url(&mut self.model, "Homepage", &text),
            "DownloadUrl" | "DownloadURL" => add_url(&mut self.model, "Download", &text),
            "Author" => self.authors[0] = text,
            "AuthorEmail" | "AuthorEMail" => self.authors[1] = text,
            "Maintainer" => self.maintainers[0] = text,
            "MaintainerEmail" | "MaintainerEMail" => self.maintainers[1] = text,
            "License" => self.license = Some(text),
            "Classifiers" | "Classifier" => self.model.classifiers.extend(words(field)),
            "Keywords" => {
                self.model.keywords.extend(words(field).iter().flat_map(|word| keywords(word)));
            }
            "Platforms" => self.model.dropped("`Platforms`: a wheel's tag says where it works"),
            "UseBackends" => self.model.dropped(format!("`UseBackends: {text}`")),
            "ExtraSourceFiles" => {
                let why = "`ExtraSourceFiles`: all files of the project are in its sdist";
                self.model.dropped(why);
            }
            "HookFile" => {
                self.hooks
                    .extend(words(field).iter().map(|file| format!("{}{file}", scope.folder)));
            }
            "ConfigPy" | "MetaTemplateFile" | "MetaTemplateFiles" => {
                let note = format!(
                    "`{}: {text}`: Ekiben generates no modules; commit the file, or make it with a plugin",
                    field.name
                );
                self.model.decide(Place::Build, note);
            }
            "Recurse" => {
                for folder in words(field) {
                    let folder = folder.trim_matches('/');
                    let scope = Scope {
                        folder: format!("{}{folder}/", scope.folder),
                        package: format!("{}{}.", scope.package, folder.replace('/', ".")),
                        ..scope.clone()
                    };
                    if folder.split('/').any(|part| part == "..") {
                        let note = format!("`Recurse: {folder}` leads out of the project");
                        self.model.decide(Place::Build, note);
                    } else {
                        self.file(&scope)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn top_section(&mut self, section: &Section, scope: &Scope) {
        let name = section.name.as_ref().map(|name| name.text.clone()).unwrap_or_default();
        match section.kind.as_str() {
            "Library" => self.library(&section.entries, scope),
            "Executable" => self.executable(&name, section),
            "DataFiles" => self.data_files(&name, section, scope),
            "Flag" => {
                let value = self.flags.get(&name).copied().unwrap_or_default();
                let note = format!(
                    "the flag `{name}` is gone: what depends on it is as it was with `{value}`"
                );
                self.model.decide(Place::Settings(""), note);
            }
            "Path" => {
                let default = self.default_of(&section.entries).unwrap_or_default();
                let note = format!(
                    "the path option `{name}` is gone: files have fixed places in a wheel, and it was taken as `{default}`"
                );
                self.model.decide(Place::Settings(""), note);
                self.options.insert(name, default);
            }
            _ => {}
        }
    }

    /// The default of a path option, whose conditions are taken as they are on Linux.
    fn default_of(&self, entries: &[Entry]) -> Option<String> {
        entries.iter().find_map(|entry| match entry {
            Entry::Field(field) if field.name == "Default" => Some(joined(field)),
            Entry::If(one) => {
                self.default_of(if self.holds(&one.test) { &one.then } else { &one.otherwise })
            }
            _ => None,
        })
    }

    /// Whether a condition is true on Linux, with the flags' defaults.
    fn holds(&self, test: &Test) -> bool {
        match test {
            Test::Constant(value) => *value,
            Test::Flag { name, negated } => {
                self.flags.get(name).copied().unwrap_or_default() != *negated
            }
            Test::Os { name, negated } => {
                matches!(name.as_str(), "linux" | "linux2" | "posix") != *negated
            }
        }
    }

    fn library(&mut self, entries: &[Entry], scope: &Scope) {
        for entry in entries {
            match entry {
                Entry::Field(field) => self.library_field(field, scope),
                Entry::Section(section) => self.compiled(section, scope),
                Entry::If(conditional) => self.conditional(conditional, scope),
            }
        }
    }

    fn conditional(&mut self, conditional: &Conditional, scope: &Scope) {
        let holds = self.holds(&conditional.test);
        let (words, marker) = match &conditional.test {
            Test::Constant(_) => (None, None),
            Test::Flag { name, negated } => {
                let not = if *negated { "not " } else { "" };
                (Some(format!("{not}flag({name})")), None)
            }
            Test::Os { name, negated } => {
                let not = if *negated { "not " } else { "" };
                let marker = marker_of(name).map(|(key, value)| {
                    let sign = if *negated { "!=" } else { "==" };
                    format!("{key} {sign} '{value}'")
                });
                (Some(format!("{not}os({name})")), marker)
            }
        };
        let inner = Scope {
            holds: scope.holds && holds,
            condition: words.clone().or(scope.condition.clone()),
            marker: marker.clone(),
            ..scope.clone()
        };
        self.library(&conditional.then, &inner);
        let other = Scope {
            holds: scope.holds && !holds,
            condition: words.map(|words| format!("not {words}")).or(scope.condition.clone()),
            marker: marker.map(|marker| match marker.contains("==") {
                true => marker.replace("==", "!="),
                false => marker.replace("!=", "=="),
            }),
            ..scope.clone()
        };
        self.library(&conditional.otherwise, &other);
    }

    fn library_field(&mut self, field: &Field, scope: &Scope) {
        let is_requirement = matches!(field.name.as_str(), "InstallRequires" | "BuildRequires");
        if let Some(condition) = &scope.condition
            && !(is_requirement && scope.marker.is_some())
        {
            let taken = if scope.holds { "taken" } else { "not taken" };
            let note = format!(
                "`{}: {}` holds only if {condition}, and was {taken}",
                field.name,
                words(field).join(", ")
            );
            let place =
                Place::Settings(if field.name == "Modules" { "modules" } else { "packages" });
            self.model
                .decide(if is_requirement { Place::Project("dependencies") } else { place }, note);
            if !scope.holds {
                return;
            }
        }
        match field.name.as_str() {
            "Packages" => {
                let named = words(field).into_iter().map(|name| format!("{}{name}", scope.package));
                self.packages.extend(named);
            }
            "Modules" => {
                for module in words(field) {
                    let module = module.trim_end_matches(".py").replace('/', ".");
                    push_new(&mut self.model.modules, format!("{}{module}", scope.package));
                }
            }
            "SubDirectory" => {
                self.model.package_root = Some(format!("{}{}", scope.folder, joined(field)));
            }
            "InstallRequires" | "BuildRequires" => {
                let with_marker = words(field).into_iter().map(|requirement| match &scope.marker {
                    Some(marker) => format!("{requirement}; {marker}"),
                    None => requirement,
                });
                let build = field.name == "BuildRequires";
                let place = if build { Place::Build } else { Place::Project("dependencies") };
                let with_marker: Vec<String> = with_marker.collect();
                for requirement in requirements(&mut self.model, place, with_marker) {
                    if build {
                        self.model.build_require(&requirement);
                    } else {
                        push_new(&mut self.model.dependencies, requirement);
                    }
                }
            }
            name => {
                let note = format!(
                    "{FILE} has a field `{name}` in Library (line {}), which Bento doesn't know: {}",
                    field.position.line,
                    joined(field)
                );
                self.model.decide(Place::Settings(""), note);
            }
        }
    }

    fn compiled(&mut self, section: &Section, scope: &Scope) {
        let name = section.name.as_ref().map(|name| name.text.clone()).unwrap_or_default();
        let mut extension =
            Extension { name: format!("{}{name}", scope.package), ..Extension::default() };
        let mut notes = Vec::new();
        for entry in &section.entries {
            let Entry::Field(field) = entry else { continue };
            let paths = words(field).into_iter().map(|path| format!("{}{path}", scope.folder));
            match field.name.as_str() {
                "Sources" => paths.for_each(|path| push_new(&mut extension.sources, path)),
                "IncludeDirs" => paths.for_each(|path| push_new(&mut extension.include_dirs, path)),
                name => notes.push(format!("`{name}: {}` isn't a field of Bento", joined(field))),
            }
        }
        let sources = extension.sources.join(", ");
        if section.kind == "CompiledLibrary" {
            let note = format!(
                "the library `{}` was linked into extensions by the hook file: add its sources to those that use it: {sources}",
                extension.name
            );
            self.model.decide(Place::Settings("extension"), note);
        } else if extension.name.parse::<ModuleName>().is_err() {
            let note =
                format!("the extension `{}` has a name that can't be imported", extension.name);
            self.model.decide(Place::Settings("extension"), note);
        } else if self.model.extensions.iter().any(|other| other.name == extension.name) {
            let note =
                format!("the extension `{}` is there twice, also of {sources}", extension.name);
            self.model.decide(Place::Settings("extension"), note);
        } else if scope.holds {
            let at = self.model.extensions.len();
            if let Some(condition) = &scope.condition {
                notes.push(format!("it was built only if {condition}"));
            }
            self.model.extensions.push(extension);
            for note in notes {
                self.model.decide(Place::Extension(at), note);
            }
        } else {
            let note = format!(
                "only if {}: extension `{}` of {sources}",
                scope.condition.as_deref().unwrap_or("false"),
                extension.name
            );
            self.model.decide(Place::Settings("extension"), note);
        }
    }

    fn executable(&mut self, name: &str, section: &Section) {
        let value = |wanted: &str| {
            section.entries.iter().find_map(|entry| match entry {
                Entry::Field(field) if field.name == wanted => Some(joined(field)),
                _ => None,
            })
        };
        match (value("Module"), value("Function")) {
            (Some(module), Some(function)) => {
                let scripts = self.model.entry_points.entry("console_scripts".to_owned());
                scripts.or_default().push((name.to_owned(), format!("{module}:{function}")));
            }
            _ => {
                let note = format!("the executable `{name}` lacks its module or function");
                self.model.decide(Place::Project("scripts"), note);
            }
        }
    }

    fn data_files(&mut self, name: &str, section: &Section, scope: &Scope) {
        let value = |wanted: &str| {
            section.entries.iter().find_map(|entry| match entry {
                Entry::Field(field) if field.name == wanted => Some(words(field)),
                _ => None,
            })
        };
        let one = |wanted: &str| value(wanted).map(|words| words.join(" ")).unwrap_or_default();
        let source = format!("{}{}", scope.folder, one("SourceDir").trim_start_matches("./"));
        let source = source.trim_matches(['/', '.']).to_owned();
        let patterns = value("Files").unwrap_or_default();
        self.data_files.push(DataFiles {
            name: name.to_owned(),
            source,
            target: one("TargetDir"),
            patterns,
        });
    }

    fn finish(mut self) -> Model {
        let [names, emails] = &self.authors;
        let authors = people(&mut self.model, Place::Project("authors"), names, emails);
        let [names, emails] = &self.maintainers;
        let maintainers = people(&mut self.model, Place::Project("maintainers"), names, emails);
        (self.model.authors, self.model.maintainers) = (authors, maintainers);
        let licenses: Vec<_> = files::texts(self.root)
            .into_iter()
            .filter(|(path, _)| files::is_license(path))
            .collect();
        set_license(&mut self.model, self.license.as_deref(), &licenses);
        if !self.hooks.is_empty() {
            let note = format!(
                "the hook files aren't run: what they do to the build must become settings or a plugin: {}",
                self.hooks.join(", ")
            );
            self.model.decide(Place::Build, note);
        }
        if let Some(Readme::File { path, .. }) = &self.model.readme
            && !self.root.join(path).is_file()
        {
            let note = format!("there is no file `{path}`");
            self.model.decide(Place::Project("readme"), note);
        }
        self.packages.sort();
        self.packages.dedup();
        let top: Vec<String> = self
            .packages
            .iter()
            .filter(|name| {
                !self.packages.iter().any(|other| {
                    name.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('.'))
                })
            })
            .cloned()
            .collect();
        for name in &top {
            if name.parse::<ModuleName>().is_err() {
                let note = format!("`{name}` can't be a package's name");
                self.model.decide(Place::Settings("packages"), note);
            }
        }
        let good = top.into_iter().filter(|name| name.parse::<ModuleName>().is_ok());
        let packages: Vec<String> = good.collect();
        for name in std::mem::take(&mut self.model.modules) {
            let inside = packages.iter().find(|package| {
                name.strip_prefix(package.as_str()).is_some_and(|rest| rest.starts_with('.'))
            });
            if let Some(package) = inside {
                self.model.dropped(format!("the module `{name}` comes with `{package}`"));
            } else if name.parse::<ModuleName>().is_ok() {
                self.model.modules.push(name);
            } else {
                let note = format!("`{name}` can't be a module's name");
                self.model.decide(Place::Settings("modules"), note);
            }
        }
        self.model.packages = Some(packages);
        let root = self.model.package_root.clone().unwrap_or_else(|| ".".to_owned());
        if root == "." && self.root.join("src").is_dir() {
            self.model.package_root = Some(root);
        }
        data_files::place(&self.data_files, &self.options, &mut self.model);
        self.model
    }
}

/// The environment marker (PEP 508) of what Bento calls a system.
fn marker_of(os: &str) -> Option<(&'static str, &'static str)> {
    match os {
        "windows" | "win32" => Some(("sys_platform", "win32")),
        "linux" | "linux2" => Some(("sys_platform", "linux")),
        "darwin" | "macosx" | "osx" => Some(("sys_platform", "darwin")),
        "posix" => Some(("os_name", "posix")),
        _ => None,
    }
}
