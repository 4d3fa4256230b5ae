//! The commands that Ekiben itself brings. None knows a compiler, a language or a platform: those are
//! the plugins' matter.

mod compile;
mod discover;
mod editable;
mod link;
mod metadata;
mod sdist;
mod wheel;

use std::sync::Arc;

use ekiben_engine::{ArtifactId, Location};

use crate::artifacts::Known;
use crate::build::Shared;
use crate::graph::{Author, CommandName, CommandSpec, Kind};
use crate::plugin::protocol::ArtifactInfo;
use crate::plugin::{Call, Plugin, PluginError};
use crate::problem::{Cause, Problem, Problems};
use crate::world::PluginWorld;

pub(crate) use metadata::dist_info_files;
pub(crate) use wheel::{installed_files, wheel_metadata, wheel_of_modules, wheel_of_programs};

/// What a command can reach while it plans.
pub(crate) struct CommandContext {
    pub(crate) shared: Arc<Shared>,
    pub(crate) name: CommandName,
}

impl CommandContext {
    /// Adds an artifact that lies somewhere already, or that a submitted action makes.
    fn add(&self, location: Location, kind: &Kind, product: Option<&str>) -> Result<(), Problems> {
        let id = self.shared.engine.artifact(location.clone());
        let product = product.map(ToOwned::to_owned);
        self.adopt(ArtifactInfo { location, kind: kind.as_str().to_owned(), product }, id)
    }

    /// Adds an artifact that the engine knows.
    fn adopt(&self, info: ArtifactInfo, id: ArtifactId) -> Result<(), Problems> {
        let location = info.location.clone();
        self.shared.artifacts.add(info, id, &self.name).map_err(|other| {
            let message = format!("`{}` and `{other}` both bring {location}", self.name);
            Problem::error(Cause::Input, "two-producers", message).into()
        })
    }

    /// The artifacts of a kind.
    fn of(&self, kind: &Kind, product: Option<&str>) -> Vec<Known> {
        self.shared.artifacts.of(kind.as_str(), product)
    }

    /// Calls a plugin in this command's name.
    fn call(&self, plugin: &Arc<Plugin>, call: Call<'_>) -> Result<Arc<PluginWorld>, PluginError> {
        self.call_with(plugin, call, Vec::new())
    }

    /// As [`call`](Self::call), with files that every action of the call depends on.
    fn call_with(
        &self,
        plugin: &Arc<Plugin>,
        call: Call<'_>,
        depends: Vec<Location>,
    ) -> Result<Arc<PluginWorld>, PluginError> {
        let (shared, plugin_too) = (Arc::clone(&self.shared), Arc::clone(plugin));
        let world = Arc::new(PluginWorld::new(shared, plugin_too, self.name.clone(), depends));
        let outcome = plugin.call(&self.shared.host, call, Arc::<PluginWorld>::clone(&world))?;
        self.shared.observer.log(&format!("{}: {call}: {outcome:?}", plugin.title()));
        Ok(world)
    }
}

/// A command of the core.
pub(crate) struct Command {
    pub(crate) spec: CommandSpec,
    pub(crate) run: fn(&CommandContext) -> Result<(), Problems>,
}

fn spec(name: &'static str, summary: &str) -> CommandSpec {
    CommandSpec::new(CommandName::literal(name), Author::Core).summary(summary)
}

/// The kind of Python modules and data files that are installed as they are.
pub(crate) const MODULE_FILE: Kind = Kind::literal("module-file");

/// All commands of the core.
pub(crate) fn all() -> Vec<Command> {
    vec![
        Command {
            spec: spec("discover", "find sources, modules and data files")
                .produces(Kind::SOURCE)
                .produces(MODULE_FILE),
            run: discover::run,
        },
        Command {
            spec: spec("compile", "compile sources to objects")
                .consumes(Kind::SOURCE)
                .consumes(Kind::GENERATED_SOURCE.optional())
                .consumes(Kind::STATIC_SOURCE.optional())
                .consumes(Kind::USAGE.optional())
                .produces(Kind::OBJECT),
            run: compile::run,
        },
        Command {
            spec: spec("link", "link objects to extension modules")
                .consumes(Kind::OBJECT)
                .consumes(Kind::STATIC_LIBRARY.optional())
                .produces(Kind::EXTENSION_MODULE)
                .produces(Kind::STATIC_MODULE)
                .produces(Kind::LINKED_LIBRARIES),
            run: link::run,
        },
        Command {
            spec: spec("metadata", "write the distribution's metadata")
                .consumes(Kind::USAGE.optional())
                .produces(Kind::METADATA),
            run: metadata::run,
        },
        Command {
            spec: spec("wheel", "write the wheel")
                .consumes(MODULE_FILE)
                .consumes(Kind::EXTENSION_MODULE)
                .consumes(Kind::EXECUTABLE.optional())
                .consumes(Kind::PLATFORM.optional())
                .consumes(Kind::WHEEL_ENTRY.optional())
                .consumes(Kind::METADATA)
                .produces(Kind::WHEEL),
            run: wheel::run,
        },
        Command {
            spec: spec("editable", "write the wheel of an editable install")
                .consumes(MODULE_FILE)
                .consumes(Kind::EXTENSION_MODULE)
                .consumes(Kind::WHEEL_ENTRY.optional())
                .consumes(Kind::METADATA)
                .produces(Kind::EDITABLE_WHEEL),
            run: editable::run,
        },
        Command {
            spec: spec("sdist", "write the source distribution").produces(Kind::SDIST),
            run: sdist::run,
        },
    ]
}

/// Runs a command of a plugin.
pub(crate) fn run_plugin(cx: &CommandContext, plugin: &Arc<Plugin>) -> Result<(), Problems> {
    cx.call(plugin, Call::Command(cx.name.short()))?;
    Ok(())
}
