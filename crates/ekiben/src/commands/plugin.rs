//! `ekiben plugin`: which plugins there are.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use ekiben_core::plugin::Plugin;
use ekiben_core::{Cause, Plugins, Problem, Problems, open_cache, plugin_host};
use ekiben_engine::Digest;
use ekiben_project::{PYPROJECT, Project};
use serde_json::{Value, json};

use super::End;
use super::build::print;
use crate::builtin::BUILT_IN;
use crate::cli::{Global, ListFormat, PluginList, PluginPrecompile};
use crate::environment::{self, Choices};
use crate::report::{self, Reporter};

/// Runs `ekiben plugin list`.
pub(crate) fn list(list: &PluginList, global: &Global) -> End {
    match listed(list, global) {
        Ok(text) => {
            print(&text);
            End::Done
        }
        Err(problems) => {
            report::show_problems(&problems, &list.project);
            End::Refused
        }
    }
}

/// Runs `ekiben plugin precompile`.
pub(crate) fn precompile(to: &PluginPrecompile) -> End {
    match write_precompiled(&to.out) {
        Ok(()) => End::Done,
        Err(problems) => {
            report::show_problems(&problems, ".".as_ref());
            End::Failed
        }
    }
}

/// Writes each built-in plugin's machine code to `<id>.<digest of its component>.cwasm`.
fn write_precompiled(folder: &Path) -> Result<(), Problems> {
    for built_in in BUILT_IN {
        let code = ekiben_core::plugin::precompile(built_in.id, built_in.component)?;
        let digest = Digest::of(built_in.component);
        let file = folder.join(format!("{}.{digest}.cwasm", built_in.id));
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, code)).map_err(
            |error| {
                let message = format!("{} can't be written: {error}", file.display());
                Problem::error(Cause::Environment, "unwritable", message)
            },
        )?;
    }
    Ok(())
}

fn listed(list: &PluginList, global: &Global) -> Result<String, Problems> {
    // Without a project there are still the built-in ones.
    let has_project = list.project.join(PYPROJECT).exists();
    let project = has_project.then(|| Project::load(&list.project)).transpose()?;
    let reporter = Arc::new(Reporter::new(global, &list.project, false));
    let (environment, _cache) = environment::read(global, Choices::idle(reporter))?;
    let private = list.project.join("build").join("ekiben").join("cache");
    let cache = open_cache(&environment, &private)?;
    let (host, _) = plugin_host(&cache);
    let plugins = Plugins::load(&host, BUILT_IN, project.as_ref())?;
    let entries = plugins.iter().map(|plugin| entry(plugin, project.as_ref()));
    Ok(match list.format {
        ListFormat::Json => format!("{:#}\n", Value::from(entries.collect::<Vec<_>>())),
        ListFormat::Text => entries.map(|entry| text(&entry)).collect::<Vec<_>>().join("\n"),
    })
}

fn entry(plugin: &Plugin, project: Option<&Project>) -> Value {
    let described = plugin.description();
    let given = project.and_then(|project| project.settings().plugins.get(&described.id));
    let path = given.and_then(|given| given.path.as_ref()).map(ToString::to_string);
    json!({
        "id": described.id,
        "version": described.version,
        "origin": path.unwrap_or_else(|| "built-in".to_owned()),
        "sha256": plugin.digest().to_string(),
        "summary": described.summary,
        "commands": described.commands.iter().map(|command| {
            json!({ "name": format!("{}:{}", described.id, command.name), "summary": command.summary })
        }).collect::<Vec<_>>(),
        "languages": described.languages.iter().map(|language| {
            json!({ "name": language.name, "suffixes": language.suffixes })
        }).collect::<Vec<_>>(),
        "tools": described.tools.iter().map(|tool| &tool.name).collect::<Vec<_>>(),
        "capabilities": described.capabilities,
        // Nothing, when earlier runs have left what there is to know.
        "code": plugin.code(),
    })
}

/// A plugin for people: the JSON entry, with a line for each list that isn't empty.
fn text(entry: &Value) -> String {
    let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let mut text = format!("{} {} ({})\n", word("id"), word("version"), word("origin"));
    let _ = writeln!(text, "    {}", word("summary"));
    for key in ["commands", "languages", "tools", "capabilities"] {
        let items = entry[key].as_array().map(Vec::as_slice).unwrap_or_default();
        let names = items.iter().filter_map(|item| item.as_str().or_else(|| item["name"].as_str()));
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            let _ = writeln!(text, "    {key}: {}", names.join(", "));
        }
    }
    text
}
