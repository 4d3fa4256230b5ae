//! What a plugin says of itself: its [`Description`], collected from the calls that its `describe`
//! makes, and stored with the component's digest so that a component is asked only once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasmtime::component::Resource;

use super::bindings::ekiben::plugin::registry::{
    Host, HostCommandDeclaration, HostLanguageDeclaration, HostRegistration, HostToolDeclaration,
};
use super::error::Stopped;
use super::host::State;
use crate::graph::{Author, CommandName, CommandSpec, Kind, PluginId, Ref};

/// The handle behind `registration`.
#[derive(Debug)]
#[allow(unreachable_pub)] // the bindings re-export it
pub struct Registration;

/// The handle behind a declaration: its place in the description.
#[derive(Debug)]
#[allow(unreachable_pub)] // the bindings re-export it
pub struct Declaration(usize);

/// All that a plugin says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The prefix of its commands and the key of its options.
    pub id: String,
    /// Its version, as semver.
    pub version: String,
    /// One line on what it is.
    pub summary: String,
    /// The JSON schema of its options.
    pub options: Option<String>,
    /// The rights it asks for.
    pub capabilities: Vec<String>,
    /// The programs it uses.
    pub tools: Vec<ToolSpec>,
    /// Its commands.
    pub commands: Vec<CommandText>,
    /// The languages it compiles.
    pub languages: Vec<LanguageSpec>,
    /// Whether it exports the toolchain interface.
    pub toolchain: bool,
}

/// A program that a plugin uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name the plugin calls it by.
    pub name: String,
    /// The languages for which the user may choose it.
    pub serves: Vec<String>,
    /// Environment variables that may name it.
    pub environment: Vec<String>,
    /// Names to look for on PATH.
    pub candidates: Vec<String>,
    /// Whether it is the interpreter that is built for.
    pub interpreter: bool,
}

/// A language and the suffixes of its sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageSpec {
    /// Its name, such as `c++`.
    pub name: String,
    /// Suffixes with their dot.
    pub suffixes: Vec<String>,
}

/// A command as the plugin spelt it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandText {
    /// Its name without the plugin's id.
    pub name: String,
    /// One line on what it does.
    pub summary: String,
    /// The kinds it reads.
    pub consumes: Vec<String>,
    /// The kinds it makes.
    pub produces: Vec<String>,
    /// Commands that it must come before.
    pub before: Vec<String>,
    /// Commands that it must come after.
    pub after: Vec<String>,
    /// The commands whose place it takes.
    pub replaces: Vec<String>,
    /// The commands it removes.
    pub disables: Vec<String>,
    /// The commands that it always follows.
    pub required_after: Vec<String>,
    /// The suffixes of the sources that it translates.
    pub translates: Vec<Translated>,
    /// The words of `uses` that it answers; one that ends in `*` stands for all that begin so.
    pub answers: Vec<String>,
    /// The kinds of products that it makes.
    pub makes: Vec<String>,
    /// What must be installed for the build where it has something to do.
    pub requires: Vec<String>,
}

/// Sources that a command translates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translated {
    /// Their suffix with its dot.
    pub suffix: String,
    /// Whether one that lies in a package is an extension module where none is configured.
    pub discovered: bool,
}

impl CommandText {
    /// Whether it translates a source of that name.
    #[must_use]
    pub fn translates(&self, file_name: &str) -> Option<&Translated> {
        self.translates.iter().find(|translated| file_name.ends_with(&translated.suffix))
    }

    /// Whether it answers a word of `uses`.
    #[must_use]
    pub fn answers(&self, word: &str) -> bool {
        self.answers.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == pattern,
        })
    }
}

impl Description {
    /// The commands for the graph.
    ///
    /// # Errors
    /// A sentence on the first name that isn't one.
    pub fn command_specs(&self) -> Result<Vec<CommandSpec>, String> {
        self.commands.iter().map(|command| self.command_spec(command)).collect()
    }

    fn command_spec(&self, text: &CommandText) -> Result<CommandSpec, String> {
        let author =
            Author::Plugin { id: parse::<PluginId>(&self.id)?, version: self.version.clone() };
        let name = parse::<CommandName>(&format!("{}:{}", self.id, text.name))?;
        if text.replaces.len() > 1 {
            return Err(format!("the command `{name}` replaces more than one other"));
        }
        let mut spec = CommandSpec::new(name, author).summary(text.summary.clone());
        for kind in &text.consumes {
            spec = spec.consumes(parse::<Ref<Kind>>(kind)?);
        }
        for kind in &text.produces {
            spec = spec.produces(parse::<Kind>(kind)?);
        }
        for other in &text.before {
            spec = spec.before(self.command_ref(other)?);
        }
        for other in &text.after {
            spec = spec.after(self.command_ref(other)?);
        }
        for other in &text.replaces {
            spec = spec.replaces(self.command_ref(other)?);
        }
        for other in &text.disables {
            spec = spec.disables(self.command_ref(other)?);
        }
        for other in &text.required_after {
            spec = spec.required_after(self.command_ref(other)?);
        }
        Ok(spec)
    }

    /// A command that another one names: without a prefix, one of the plugin's own if it has one of
    /// that name, else the core's.
    fn command_ref(&self, name: &str) -> Result<Ref<CommandName>, String> {
        if self.command(name.trim_end_matches('?')).is_some() {
            return parse(&format!("{}:{name}", self.id));
        }
        parse(name)
    }

    /// What the plugin said that can't be, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.id.is_empty() {
            return Some("it doesn't say its id (`registration.identity`)".into());
        }
        if parse::<PluginId>(&self.id).is_err() {
            return Some(format!("its id `{}` isn't in kebab case", self.id));
        }
        if let Err(error) = semver::Version::parse(&self.version) {
            return Some(format!(
                "its version `{}` isn't a semantic version: {error}",
                self.version
            ));
        }
        if let Some(schema) = &self.options
            && let Err(error) = serde_json::from_str::<serde_json::Value>(schema)
        {
            return Some(format!("the schema of its options isn't JSON: {error}"));
        }
        if !self.languages.is_empty() && !self.toolchain {
            return Some("it declares a language but doesn't export `toolchain`".into());
        }
        let mut names = BTreeMap::new();
        for command in &self.commands {
            if names.insert(&command.name, ()).is_some() {
                return Some(format!("it declares the command `{}` twice", command.name));
            }
        }
        self.command_specs().err()
    }

    /// The tool of that name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// The command of that name, without the plugin's prefix.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&CommandText> {
        self.commands.iter().find(|command| command.name == name)
    }
}

fn parse<T>(text: &str) -> Result<T, String>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

impl State {
    fn description(&mut self) -> wasmtime::Result<&mut Description> {
        self.description
            .as_mut()
            .ok_or_else(|| Stopped::Misuse("it used `registry` outside `describe`".into()).into())
    }

    fn tool_at(&mut self, of: &Resource<Declaration>) -> wasmtime::Result<&mut ToolSpec> {
        let at = self.table.get(of)?.0;
        self.description()?.tools.get_mut(at).ok_or_else(stale)
    }

    fn command_at(&mut self, of: &Resource<Declaration>) -> wasmtime::Result<&mut CommandText> {
        let at = self.table.get(of)?.0;
        self.description()?.commands.get_mut(at).ok_or_else(stale)
    }

    fn language_at(&mut self, of: &Resource<Declaration>) -> wasmtime::Result<&mut LanguageSpec> {
        let at = self.table.get(of)?.0;
        self.description()?.languages.get_mut(at).ok_or_else(stale)
    }
}

fn stale() -> wasmtime::Error {
    Stopped::Misuse("it used a declaration of another registration".into()).into()
}

impl Host for State {}

impl HostRegistration for State {
    fn identity(
        &mut self,
        _: Resource<Registration>,
        id: String,
        version: String,
        summary: String,
    ) -> wasmtime::Result<()> {
        self.count_text(id.len() + version.len() + summary.len())?;
        let description = self.description()?;
        (description.id, description.version, description.summary) = (id, version, summary);
        Ok(())
    }

    fn options(&mut self, _: Resource<Registration>, schema: String) -> wasmtime::Result<()> {
        self.count_text(schema.len())?;
        self.description()?.options = Some(schema);
        Ok(())
    }

    fn capability(&mut self, _: Resource<Registration>, name: String) -> wasmtime::Result<()> {
        self.count_text(name.len())?;
        self.description()?.capabilities.push(name);
        Ok(())
    }

    fn tool(
        &mut self,
        _: Resource<Registration>,
        name: String,
    ) -> wasmtime::Result<Resource<Declaration>> {
        self.count_text(name.len())?;
        let tools = &mut self.description()?.tools;
        tools.push(ToolSpec { name, ..ToolSpec::default() });
        let at = tools.len() - 1;
        Ok(self.table.push(Declaration(at))?)
    }

    fn command(
        &mut self,
        _: Resource<Registration>,
        name: String,
        summary: String,
    ) -> wasmtime::Result<Resource<Declaration>> {
        self.count_text(name.len() + summary.len())?;
        let commands = &mut self.description()?.commands;
        commands.push(CommandText { name, summary, ..CommandText::default() });
        let at = commands.len() - 1;
        Ok(self.table.push(Declaration(at))?)
    }

    fn language(
        &mut self,
        _: Resource<Registration>,
        name: String,
    ) -> wasmtime::Result<Resource<Declaration>> {
        self.count_text(name.len())?;
        let languages = &mut self.description()?.languages;
        languages.push(LanguageSpec { name, ..LanguageSpec::default() });
        let at = languages.len() - 1;
        Ok(self.table.push(Declaration(at))?)
    }

    fn drop(&mut self, it: Resource<Registration>) -> wasmtime::Result<()> {
        self.table.delete(it)?;
        Ok(())
    }
}

/// Each method of a declaration adds its text to one list of the declared thing.
macro_rules! list_methods {
    ($of:ident: $($method:ident => $field:ident),+) => {
        $(
            fn $method(&mut self, it: Resource<Declaration>, value: String) -> wasmtime::Result<()> {
                self.count_text(value.len())?;
                self.$of(&it)?.$field.push(value);
                Ok(())
            }
        )+

        fn drop(&mut self, it: Resource<Declaration>) -> wasmtime::Result<()> {
            self.table.delete(it)?;
            Ok(())
        }
    };
}

impl HostToolDeclaration for State {
    list_methods!(tool_at: serves => serves, environment => environment, candidate => candidates);

    fn interpreter(&mut self, it: Resource<Declaration>) -> wasmtime::Result<()> {
        self.count_call()?;
        self.tool_at(&it)?.interpreter = true;
        Ok(())
    }
}

impl HostCommandDeclaration for State {
    list_methods!(command_at: consumes => consumes, produces => produces, before => before,
        after => after, replaces => replaces, disables => disables,
        required_after => required_after, answers => answers, makes => makes,
        requires => requires);

    fn translates(
        &mut self,
        it: Resource<Declaration>,
        suffix: String,
        discovered: bool,
    ) -> wasmtime::Result<()> {
        self.count_text(suffix.len())?;
        self.command_at(&it)?.translates.push(Translated { suffix, discovered });
        Ok(())
    }
}

impl HostLanguageDeclaration for State {
    list_methods!(language_at: suffix => suffixes);
}
