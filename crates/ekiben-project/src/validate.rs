//! What a schema can't say about `[tool.ekiben]`: how its values go together.

use std::collections::HashMap;
use std::str::FromStr;

use pep440_rs::Version;

use crate::check::at_node;
use crate::diagnostic::{Diagnostic, Report};
use crate::overrides::settings_path;
use crate::settings::{
    BuildOptions, Executable, FileList, LIMITED_API_MACRO, Placements, Settings, Tool,
};
use crate::standard::Standard;
use crate::tree::{KeyPath, Node, Step};
use crate::values::{CommandName, Glob, MacroName, ProjectPath};

struct Validator<'v, 's> {
    tree: &'v Node,
    report: &'v mut Report<'s>,
}

pub(crate) fn validate(
    settings: &Settings,
    standard: Option<&Standard>,
    tree: &Node,
    report: &mut Report<'_>,
) {
    let mut validator = Validator { tree, report };
    validator.minimum_version(settings);
    validator.build_dir(settings);
    validator.packages(settings);
    validator.version(settings);
    validator.dynamic(settings);
    validator.wheel(settings);
    validator.build_options(&settings.defaults, &KeyPath::of(&["defaults"]));
    validator.extensions(settings, standard);
    validator.executable(settings, standard);
    validator.toolchain(settings);
    validator.plugins(settings);
    validator.commands(settings);
}

impl Validator<'_, '_> {
    /// Reports at `path` below `[tool.ekiben]`, or at the nearest thing above it that is there.
    fn error(&mut self, code: &'static str, message: String, path: &KeyPath, help: String) {
        self.push(Diagnostic::error(code, message).help(help), path);
    }

    fn push(&mut self, diagnostic: Diagnostic, path: &KeyPath) {
        let full = KeyPath(settings_path().0.into_iter().chain(path.0.clone()).collect());
        let node = (0..=path.0.len()).rev().find_map(|length| self.tree.find(&path.0[..length]));
        let diagnostic = diagnostic.key(full);
        self.report.push(match node {
            Some(node) => at_node(diagnostic, node),
            None => diagnostic,
        });
    }

    /// Reports at a key, rather than at its value.
    fn error_at_key(&mut self, code: &'static str, message: String, path: &KeyPath, help: String) {
        let full = KeyPath(settings_path().0.into_iter().chain(path.0.clone()).collect());
        let mut diagnostic = Diagnostic::error(code, message).help(help).key(full);
        if let Some((Step::Key(key), above)) = path.0.split_last()
            && let Some(entry) =
                self.tree.find(above).and_then(Node::as_table).and_then(|table| table.entry(key))
        {
            diagnostic = at_node(diagnostic, &entry.node);
            if diagnostic.span.is_some() {
                diagnostic.span.clone_from(&entry.key_span);
            }
        }
        self.report.push(diagnostic);
    }

    fn minimum_version(&mut self, settings: &Settings) {
        let Some(wanted) = &settings.minimum_version else { return };
        let Ok(running) = Version::from_str(env!("CARGO_PKG_VERSION")) else { return };
        if wanted.version() > running {
            let message =
                format!("the project needs Ekiben {wanted} or newer, and this is {running}");
            let help = format!(
                "write `requires = [\"ekiben>={wanted}\"]` in [build-system], or update Ekiben"
            );
            self.error("ekiben-too-old", message, &KeyPath::of(&["minimum-version"]), help);
        }
    }

    fn version(&mut self, settings: &Settings) {
        let version = &settings.version;
        let path = |key: &str| KeyPath::of(&["version", key]);
        let sources = [
            ("attribute", version.attribute.is_some()),
            ("file", version.file.is_some()),
            ("vcs", version.vcs.is_some()),
        ];
        let given: Vec<&str> = sources.iter().filter(|(_, given)| *given).map(|s| s.0).collect();
        if let [first, second, ..] = given[..] {
            let message = format!("the version has two sources, `{first}` and `{second}`");
            self.error("two-sources", message, &path(second), "keep one of them".to_owned());
        }
        let needs = [
            ("pattern", version.pattern.is_some(), "file", version.file.is_some()),
            ("tag-pattern", version.tag_pattern.is_some(), "vcs", version.vcs.is_some()),
            ("local", !version.local, "vcs", version.vcs.is_some()),
            ("fallback", version.fallback.is_some(), "vcs", version.vcs.is_some()),
            ("template", version.template.is_some(), "write-to", version.write_to.is_some()),
        ];
        for (key, given, other, has_other) in needs {
            if given && !has_other {
                let message = format!("`{key}` means nothing without `{other}`");
                let help = format!("add `{other} = …`, or remove `{key}`");
                self.error("unused-key", message, &path(key), help);
            }
        }
        if let Some(attribute) = &version.attribute
            && attribute.parent().is_none()
        {
            let message = format!("`{attribute}` names a module and nothing in it");
            let help = format!("write `{attribute}.__version__`");
            self.error("invalid-value", message, &path("attribute"), help);
        }
        if let Some(template) = &version.template
            && !template.contains("{version}")
            && !template.contains("{version_tuple}")
        {
            let message = "the template has no place for the version".to_owned();
            let help = "write `{version}` or `{version_tuple}` in it".to_owned();
            self.error("invalid-value", message, &path("template"), help);
        }
        if let Some(file) = &version.write_to
            && version.template.is_none()
            && !matches!(file.extension(), Some("py" | "pyi"))
        {
            let message = format!("`{file}` isn't a Python file, so it needs a template");
            let help = "add `template = '…{version}…'`".to_owned();
            self.error("missing-key", message, &path("write-to"), help);
        }
    }

    fn dynamic(&mut self, settings: &Settings) {
        let path = |key: &str| KeyPath::of(&["dynamic", key]);
        if let Some(from) = &settings.dynamic.description
            && from.docstring.is_some() == from.file.is_some()
        {
            let message = "the description comes from `docstring` or from `file`".to_owned();
            let help = "give one of the two".to_owned();
            self.error("missing-key", message, &path("description"), help);
        }
        let none = FileList::default();
        let extras = settings.dynamic.optional_dependencies.iter();
        let extras = extras.map(|(extra, from)| (path("optional-dependencies").key(extra), from));
        let own = settings.dynamic.dependencies.iter().map(|from| (path("dependencies"), from));
        let empty: Vec<KeyPath> = own
            .chain(extras)
            .filter(|(_, from)| from.file == none && from.list.is_empty())
            .map(|(path, _)| path)
            .collect();
        for path in empty {
            let message = "this names no file and no requirement".to_owned();
            let help = "add `file = \"requirements.in\"`, or `list = […]`".to_owned();
            self.error("missing-key", message, &path, help);
        }
    }

    /// The paths and patterns that are keys of tables.
    fn wheel(&mut self, settings: &Settings) {
        let wheel = &settings.wheel;
        let mut tables = vec![
            ("files", &wheel.files),
            ("data", &wheel.data),
            ("purelib-files", &wheel.purelib_files),
            ("platlib-files", &wheel.platlib_files),
        ];
        for (key, placements) in [("scripts", &wheel.scripts), ("headers", &wheel.headers)] {
            if let Placements::Targets(table) = placements {
                tables.push((key, table));
            }
        }
        for (key, table) in tables {
            for pattern in table.keys() {
                if let Err(error) = Glob::from_str(pattern) {
                    let path = KeyPath::of(&["wheel", key, pattern]);
                    let help = error.help.unwrap_or_default();
                    self.error_at_key("invalid-value", error.message, &path, help);
                }
            }
        }
    }

    fn build_dir(&mut self, settings: &Settings) {
        if settings.build_dir.0 == ProjectPath::root() {
            let message = "the build folder can't be the project's own folder".to_owned();
            let help = "name a folder in it, such as `build/ekiben`".to_owned();
            self.error("invalid-build-dir", message, &KeyPath::of(&["build-dir"]), help);
        }
    }

    fn packages(&mut self, settings: &Settings) {
        let mut seen: HashMap<&str, KeyPath> = HashMap::new();
        let packages = settings.packages.iter().flatten().map(|name| ("packages", name));
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (key, name) in packages.chain(settings.modules.iter().map(|name| ("modules", name))) {
            let at = counts.entry(key).or_default();
            let path = KeyPath::of(&[key]).index(*at);
            *at += 1;
            if let Some(first) = seen.get(name.as_str()) {
                let message = format!("`{name}` is listed twice, first at `{first}`");
                self.error("duplicate-module", message, &path, "remove one of them".to_owned());
            } else {
                seen.insert(name.as_str(), path);
            }
        }
    }

    fn extensions(&mut self, settings: &Settings, standard: Option<&Standard>) {
        if settings.extension.is_empty() {
            self.limited_api(&settings.defaults, &KeyPath::of(&["defaults"]));
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (at, extension) in settings.extension.iter().enumerate() {
            let path = KeyPath::of(&["extension"]).index(at);
            let name = extension.name.as_str();
            if let Some(first) = seen.insert(name, at) {
                let message = format!(
                    "the extension `{name}` is there twice, first as `tool.ekiben.extension[{first}]`"
                );
                let help = "give it another name, or put all sources into one of them".to_owned();
                self.error("duplicate-extension", message, &path.key("name"), help);
            }
            if extension.sources.is_empty() {
                let message = format!("the extension `{name}` has no sources");
                let module = extension.name.as_path();
                let help =
                    format!("add `sources = [\"src/{module}.c\"]` with the files it is made of");
                self.error("no-sources", message, &path.key("sources"), help);
            }
            for (source, glob) in extension.sources.iter().enumerate() {
                let suffix = glob.as_str().rsplit('.').next().unwrap_or_default();
                if matches!(suffix, "h" | "hh" | "hpp" | "hxx" | "pxd" | "pxi") {
                    let message = format!("`{glob}` is a header, which isn't compiled by itself");
                    let help = "remove it: headers are found through `include-dirs`, and their changes are noticed".to_owned();
                    self.error(
                        "header-as-source",
                        message,
                        &path.key("sources").index(source),
                        help,
                    );
                }
            }
            self.build_options(&extension.build, &path);
            self.limited_api(&extension.build.over(&settings.defaults), &path);
            if let Some(standard) = standard
                && extension.name.parent().is_none()
                && settings.packages.as_ref().is_some_and(|all| all.contains(&extension.name))
            {
                let message = format!("`{name}` is both a package and an extension");
                let help =
                    format!("name the extension `{name}._{}`", standard.name.in_file_names());
                self.error("extension-is-package", message, &path.key("name"), help);
            }
        }
    }

    fn executable(&mut self, settings: &Settings, standard: Option<&Standard>) {
        let Executable { python, requirements, dependency_groups, .. } = &settings.executable;
        let path = |key: &str| KeyPath::of(&["executable", key]);
        if requirements.is_some() && !dependency_groups.is_empty() {
            let message = "`requirements` pins all that goes into programs, so `dependency-groups` means nothing".to_owned();
            let help = "keep one of the two".to_owned();
            self.error("unused-key", message, &path("dependency-groups"), help);
        }
        if let Some(python) = python
            && let Some(range) = standard.and_then(|standard| standard.requires_python.as_ref())
            && !range.contains(&python.version())
        {
            let message =
                format!("the project doesn't work with Python {python}: it requires {range}");
            let help = "name a version that `requires-python` allows".to_owned();
            self.error("unsuitable-python", message, &path("python"), help);
        }
    }

    fn build_options(&mut self, options: &BuildOptions, path: &KeyPath) {
        for name in options.define.keys() {
            if let Err(error) = MacroName::from_str(name) {
                let path = path.key("define").key(name);
                let help = error.help.unwrap_or_default();
                self.error_at_key("invalid-value", error.message, &path, help);
            }
        }
        for (at, library) in options.libraries.iter().enumerate() {
            let text = library.as_str();
            let bare = text.strip_prefix("-l").or_else(|| {
                let stem = text.strip_suffix(".so").or(text.strip_suffix(".a"))?;
                stem.strip_prefix("lib")
            });
            if let Some(bare) = bare {
                let message = format!("`{text}` isn't the bare name of a library");
                let help = format!("write \"{bare}\"");
                self.error("invalid-library", message, &path.key("libraries").index(at), help);
            }
        }
    }

    /// The setting defines the macro itself; two minds about it would make a wheel that lies.
    fn limited_api(&mut self, options: &BuildOptions, path: &KeyPath) {
        if options.limited_api().is_none() {
            return;
        }
        let undefined = options.undefine.iter().position(|name| name.as_str() == LIMITED_API_MACRO);
        let message = format!("`limited-api` defines `{LIMITED_API_MACRO}` already");
        let help = "remove it here".to_owned();
        if options.define.contains_key(LIMITED_API_MACRO) {
            let path = path.key("define").key(LIMITED_API_MACRO);
            self.error_at_key("limited-api-macro", message.clone(), &path, help.clone());
        }
        if let Some(at) = undefined {
            self.error("limited-api-macro", message, &path.key("undefine").index(at), help);
        }
    }

    fn toolchain(&mut self, settings: &Settings) {
        let tools = &settings.toolchain;
        for (key, tool) in [("c", &tools.c), ("c++", &tools.cxx), ("fortran", &tools.fortran)] {
            if let Some(Tool::Chosen(choice)) = tool
                && choice.plugin.is_none()
                && choice.command.is_none()
            {
                let message = format!("the tool for `{key}` is an empty table");
                let help = "give `plugin`, `command`, or both".to_owned();
                self.error("missing-key", message, &KeyPath::of(&["toolchain", key]), help);
            }
        }
    }

    fn plugins(&mut self, settings: &Settings) {
        for (id, plugin) in &settings.plugins {
            let path = KeyPath::of(&["plugins", id]);
            if CommandName::from_str(id).is_err() || id.contains(':') {
                let message = format!("`{id}` can't be the id of a plugin");
                let help = "use ASCII letters, digits, `-` and `_`".to_owned();
                self.error_at_key("invalid-value", message, &path, help);
            }
            match (&plugin.path, &plugin.sha256) {
                (Some(file), None) => {
                    let message = format!("the plugin `{id}` has a path and no digest");
                    let help = format!("add `sha256 = \"…\"`, as `sha256sum {file}` prints it");
                    self.error("plugin-without-digest", message, &path, help);
                }
                (None, Some(_)) => {
                    let message = format!("the plugin `{id}` has a digest and no path");
                    let help = "add `path = \"…\"`, or remove `sha256`: a plugin from a package is pinned by pip".to_owned();
                    self.error("plugin-without-path", message, &path, help);
                }
                _ => {}
            }
        }
    }

    fn commands(&mut self, settings: &Settings) {
        let commands = &settings.commands;
        let path = KeyPath::of(&["commands"]);
        for (at, order) in commands.order.iter().enumerate() {
            let path = path.key("order").index(at);
            if order.before.is_empty() && order.after.is_empty() {
                let message = format!("nothing is said about the order of `{}`", order.command);
                let help = "give `before`, `after`, or both".to_owned();
                self.error("empty-order", message, &path, help);
            }
            let both = order.before.iter().find(|other| order.after.contains(other));
            let itself = [&order.before, &order.after]
                .into_iter()
                .flatten()
                .find(|other| **other == order.command);
            if let Some(other) = both {
                let message =
                    format!("`{}` can't be both before and after `{other}`", order.command);
                self.error(
                    "contradictory-order",
                    message,
                    &path,
                    "remove one of the two".to_owned(),
                );
            } else if itself.is_some() {
                let message = format!("`{}` can't be before or after itself", order.command);
                self.error("contradictory-order", message, &path, "remove it".to_owned());
            }
        }
        for (name, by) in &commands.replace {
            let path = path.key("replace").key(name);
            if let Err(error) = CommandName::from_str(name) {
                let help = error.help.unwrap_or_default();
                self.error_at_key("invalid-value", error.message, &path, help);
            }
            if !by.as_str().contains(':') {
                let message = format!("`{by}` doesn't say which plugin it is of");
                let help = format!("write \"plugin:{by}\", with the plugin's id");
                self.error("invalid-replacement", message, &path, help);
            }
        }
    }
}
