//! Which plugins a build has: those that are part of Ekiben, and those that the project names.
//!
//! Both come through the same door. The difference is trust: a built-in plugin gets what it declares,
//! a project's plugin only what `capabilities` in `pyproject.toml` grants it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ekiben_engine::Digest;
use ekiben_project::{Project, validate_options};

use crate::graph::{CommandSpec, UserRules};
use crate::plugin::{CommandText, Plugin, PluginError, PluginHost, Precompiled, Translated};
use crate::problem::{Cause, Problem, Problems};
use crate::products::Product;

/// A plugin that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its id.
    pub id: &'static str,
    /// Its component.
    pub component: &'static [u8],
    /// Its machine code, if that was made with the program.
    pub precompiled: Option<Precompiled>,
}

/// The plugins of a build, in the order of their ids.
pub struct Plugins {
    plugins: BTreeMap<String, Arc<Plugin>>,
    /// Options as JSON, checked and with defaults, by plugin.
    options: BTreeMap<String, String>,
}

impl Plugins {
    /// Loads the built-in plugins and those of `project`, and checks the options it has for them.
    ///
    /// # Errors
    /// All that is wrong with any of them.
    pub fn load(
        host: &PluginHost,
        built_in: &[BuiltIn],
        project: Option<&Project>,
    ) -> Result<Self, Problems> {
        let mut plugins = BTreeMap::new();
        for BuiltIn { id, component, precompiled } in built_in {
            let plugin = host.load_with(id, Cow::Borrowed(component), *precompiled)?;
            plugins.insert((*id).to_owned(), Arc::new(plugin));
        }
        let mut loaded = Self { plugins, options: BTreeMap::new() };
        if let Some(project) = project {
            loaded.add_project(host, project)?;
            loaded.check_options(project)?;
        }
        Ok(loaded)
    }

    fn add_project(&mut self, host: &PluginHost, project: &Project) -> Result<(), Problems> {
        let mut problems = Vec::new();
        for (id, given) in &project.settings().plugins {
            let key = ["plugins", id.as_str()];
            if self.plugins.contains_key(id) {
                let message = format!("`{id}` is a plugin of Ekiben itself");
                let error = project.error_at(&key, "plugin-taken", &message);
                problems.push(Problem::from(error).help("choose another id for yours"));
                continue;
            }
            match load_given(host, project.root(), id, given) {
                Ok(plugin) => {
                    self.plugins.insert(id.clone(), Arc::new(plugin));
                }
                Err(error) => {
                    let place = Problem::from(project.error_at(&key, "plugin", ""));
                    for problem in error.0 {
                        problems.push(Problem {
                            at: place.at.clone(),
                            key: place.key.clone(),
                            ..problem
                        });
                    }
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    fn check_options(&mut self, project: &Project) -> Result<(), Problems> {
        let mut problems = Vec::new();
        for (id, plugin) in &self.plugins {
            let table = project.options(id);
            let schema = plugin
                .description()
                .options
                .as_deref()
                .unwrap_or(r#"{"type":"object","properties":{}}"#);
            let schema = serde_json::from_str(schema).unwrap_or_default();
            match validate_options(&schema, &table) {
                Ok(options) => {
                    self.options.insert(id.clone(), options.to_string());
                }
                Err(diagnostics) => problems.extend(diagnostics.into_iter().map(Problem::from)),
            }
        }
        for id in project.settings().options.keys() {
            if !self.plugins.contains_key(id) {
                let message = format!("there is no plugin `{id}` to have options");
                let mut problem =
                    Problem::from(project.error_at(&["options", id], "unknown-plugin", &message));
                let near =
                    self.plugins.keys().map(|have| (strsim::damerau_levenshtein(have, id), have));
                if let Some((_, near)) = near.filter(|(distance, _)| *distance <= 2).min() {
                    problem = problem.help(format!("did you mean `{near}`?"));
                }
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.plugins.values()
    }

    /// The plugin of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Plugin>> {
        self.plugins.get(id)
    }

    /// A plugin's options as JSON.
    #[must_use]
    pub fn options(&self, id: &str) -> &str {
        self.options.get(id).map_or("{}", String::as_str)
    }

    /// The commands of all plugins.
    ///
    /// # Errors
    /// A plugin whose description is wrong; [`PluginHost::load`] has refused those already.
    pub fn command_specs(&self) -> Result<Vec<CommandSpec>, Problems> {
        let mut specs = Vec::new();
        for plugin in self.plugins.values() {
            specs.extend(plugin.description().command_specs().map_err(|problem| {
                PluginError::BadDescription { origin: plugin.origin().to_owned(), problem }
            })?);
        }
        Ok(specs)
    }

    /// The languages that a suffix (with its dot) may stand for, each with the plugins that compile
    /// it.
    #[must_use]
    pub fn language_of(&self, file_name: &str) -> Option<&str> {
        self.plugins.values().find_map(|plugin| {
            plugin.description().languages.iter().find_map(|language| {
                let fits =
                    language.suffixes.iter().any(|suffix| file_name.ends_with(suffix.as_str()));
                fits.then_some(language.name.as_str())
            })
        })
    }

    /// The command that translates a source of that name, and how it said so.
    #[must_use]
    pub fn translation_of(&self, file_name: &str) -> Option<(&CommandText, &Translated)> {
        self.plugin_commands().find_map(|command| Some((command, command.translates(file_name)?)))
    }

    /// Whether some command answers a word of `uses`.
    #[must_use]
    pub fn answers(&self, word: &str) -> bool {
        self.plugin_commands().any(|command| command.answers(word))
    }

    /// The words of `uses` that are answered, for messages.
    #[must_use]
    pub fn answered_words(&self) -> Vec<&str> {
        let mut words: Vec<&str> =
            self.plugin_commands().flat_map(|c| c.answers.iter().map(String::as_str)).collect();
        words.sort_unstable();
        words
    }

    /// What the build needs to have installed for `products`, besides what the project lists.
    #[must_use]
    pub fn requirements(&self, products: &[Product]) -> Vec<String> {
        let mut wanted: Vec<String> = Vec::new();
        for command in self.plugin_commands().filter(|command| is_needed(command, products)) {
            for requirement in &command.requires {
                if !wanted.contains(requirement) {
                    wanted.push(requirement.clone());
                }
            }
        }
        wanted
    }

    fn plugin_commands(&self) -> impl Iterator<Item = &CommandText> {
        self.plugins.values().flat_map(|plugin| &plugin.description().commands)
    }

    /// The plugins that compile `language`, or link it.
    pub fn toolchains<'a>(&'a self, language: &'a str) -> impl Iterator<Item = &'a Arc<Plugin>> {
        self.plugins.values().filter(move |plugin| {
            plugin.description().languages.iter().any(|known| known.name == language)
        })
    }
}

/// Whether a command has something to do for any of `products`. One that translates, answers and makes
/// nothing in particular always has.
pub(crate) fn is_needed(command: &CommandText, products: &[Product]) -> bool {
    if command.translates.is_empty() && command.answers.is_empty() && command.makes.is_empty() {
        return true;
    }
    products.iter().any(|product| {
        command.makes.iter().any(|kind| kind == product.kind.as_str())
            || product.sources.iter().any(|source| command.translates(source.file_name()).is_some())
            || product.build().uses.iter().any(|word| command.answers(word.as_str()))
    })
}

fn load_given(
    host: &PluginHost,
    root: &Path,
    id: &str,
    given: &ekiben_project::Plugin,
) -> Result<Plugin, Problems> {
    let Some(path) = &given.path else {
        return Err(Problem::error(
            Cause::Input,
            "plugin-path",
            format!("the plugin `{id}` has no `path`"),
        )
        .help("say where its component lies, relative to the project")
        .into());
    };
    let file = path.in_dir(root);
    let bytes = std::fs::read(&file).map_err(|error| {
        Problem::error(
            Cause::Input,
            "plugin-path",
            format!("the plugin `{id}` can't be read from {path}: {error}"),
        )
    })?;
    let digest = Digest::of(&bytes).to_string();
    match &given.sha256 {
        Some(expected) if !expected.as_str().eq_ignore_ascii_case(&digest) => {
            return Err(PluginError::WrongDigest {
                origin: id.to_owned(),
                expected: expected.as_str().to_owned(),
                actual: digest,
            }
            .into());
        }
        Some(_) => {}
        None => {
            return Err(Problem::error(
                Cause::Input,
                "plugin-sha256",
                format!("the plugin `{id}` isn't pinned"),
            )
            .help(format!("add `sha256 = \"{digest}\"`, so that nobody can exchange it unnoticed"))
            .into());
        }
    }
    let plugin = host.load(id, Cow::Owned(bytes))?;
    let description = plugin.description();
    if description.id != id {
        let problem =
            format!("it calls itself `{}`, but the project calls it `{id}`", description.id);
        return Err(PluginError::BadDescription { origin: id.to_owned(), problem }.into());
    }
    let tools = description.tools.iter().map(|tool| format!("tool:{}", tool.name));
    let wanted = description.capabilities.iter().cloned().chain(tools);
    let granted = |wanted: &String| given.capabilities.iter().any(|have| have.as_str() == wanted);
    let missing: Vec<String> = wanted.filter(|wanted| !granted(wanted)).collect();
    if !missing.is_empty() {
        return Err(PluginError::NotGranted { plugin: id.to_owned(), missing }.into());
    }
    Ok(plugin)
}

/// What the project's `[tool.ekiben.commands]` says about the graph.
///
/// # Errors
/// Names that aren't names.
pub(crate) fn user_rules(project: &Project) -> Result<UserRules, Problems> {
    use crate::graph::{Author, Disable, OrderConstraint, Replace};

    let commands = &project.settings().commands;
    let author = |key: &[&str]| {
        let at = Problem::from(project.error_at(key, "command-graph", "")).at;
        Author::User {
            file: ekiben_project::PYPROJECT.to_owned(),
            line: at.map_or(1, |at| u32::try_from(at.line).unwrap_or(u32::MAX)),
        }
    };
    let mut problems = Vec::new();
    let mut parse = |key: &[&str], name: &str| {
        name.parse().map_err(|error: crate::graph::NameError| {
            problems.push(Problem::from(project.error_at(key, "command-name", &error.to_string())));
        })
    };
    let mut rules = UserRules::default();
    for name in &commands.disable {
        let key = ["commands", "disable"];
        if let Ok(command) = parse(&key, name.as_str()) {
            rules.disable.push(Disable { command, author: author(&key) });
        }
    }
    for (old, new) in &commands.replace {
        let key = ["commands", "replace"];
        if let (Ok(command), Ok(with)) = (parse(&key, old.as_str()), parse(&key, new.as_str())) {
            rules.replace.push(Replace { command, with, author: author(&key) });
        }
    }
    for order in &commands.order {
        let key = ["commands", "order"];
        let Ok(command) = parse(&key, order.command.as_str()) else { continue };
        let before =
            order.before.iter().filter_map(|name| parse(&key, name.as_str()).ok()).collect();
        let after = order.after.iter().filter_map(|name| parse(&key, name.as_str()).ok()).collect();
        rules.order.push(OrderConstraint { command, before, after, author: author(&key) });
    }
    if problems.is_empty() { Ok(rules) } else { Err(Problems(problems)) }
}
