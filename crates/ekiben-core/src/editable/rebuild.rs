//! The module that an editable wheel brings with `editable.rebuild`: `rebuild.py`, with what it has to
//! know filled in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::keep;
use crate::build::Shared;
use crate::configuration::{Configuration, Repetition};
use crate::problem::{Cause, Problem, Problems};

const TEMPLATE: &str = include_str!("rebuild.py");

/// Where the build notes what an import compares: modules of several interpreters lie side by side.
pub(crate) fn inputs_file(configuration: &Configuration) -> Result<PathBuf, Problems> {
    let tag = configuration.interpreter()?.extension_tag();
    Ok(super::folder(configuration.build_dir()).join(format!("{tag}.inputs")))
}

/// The module's text. `names` are those that the project's modules begin with.
pub(crate) fn module(
    shared: &Shared,
    repetition: &Repetition,
    names: &BTreeSet<String>,
) -> Result<String, Problems> {
    let configuration = &shared.configuration;
    let cache_dir = &std::path::absolute(&repetition.cache_dir).map_err(|error| {
        let message = format!("{} has no absolute form: {error}", repetition.cache_dir.display());
        Problem::error(Cause::Environment, "path", message)
    })?;
    let digests = shared.engine.file_digests();
    let program = keep::program(&repetition.program, cache_dir, digests)?;
    let listed = &configuration.project().build_system().requires;
    let mut requirements: Vec<String> = listed.iter().map(ToString::to_string).collect();
    requirements.extend(configuration.plugins().requirements(&shared.products));
    let packages = keep::packages(configuration, &requirements, cache_dir)?;
    let mut environment = shared.asked_environment();
    environment.insert("EKIBEN_ARGS".to_owned(), repetition.arguments.clone());
    environment.insert("PATH".to_owned(), Some(search_path(shared)?));
    let environment: Vec<String> = environment
        .iter()
        .map(|(name, value)| {
            let value = value.as_deref().map_or_else(|| "None".to_owned(), literal);
            format!("{}: {value}", literal(name))
        })
        .collect();
    let or_none = |literal: Option<String>| literal.unwrap_or_else(|| "None".to_owned());
    let packages = packages.map(|folder| path_literal(&folder)).transpose()?;
    let built_in = configuration.build_environment().map(path_literal).transpose()?;
    let is_alone = configuration.is_build_environment_alone()?;
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    let values = [
        ("NAMES", format!("[{}]", names.join(", "))),
        ("ROOT", path_literal(configuration.root())?),
        ("INPUTS", path_literal(&inputs_file(configuration)?)?),
        ("PROGRAM", path_literal(&program)?),
        ("PACKAGES", or_none(packages)),
        ("ALONE", if is_alone { "True" } else { "False" }.to_owned()),
        ("BUILT_IN", or_none(built_in)),
        ("CACHE", path_literal(cache_dir)?),
        ("SETTINGS", literal(&repetition.config_settings)),
        ("ENVIRONMENT", format!("{{{}}}", environment.join(", "))),
    ];
    Ok(filled(&values))
}

/// The template with its places filled in, each once: a value may hold what looks like a place.
fn filled(values: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (at, part) in TEMPLATE.split('@').enumerate() {
        match values.iter().find(|(name, _)| at % 2 == 1 && *name == part) {
            Some((_, value)) => text.push_str(value),
            None => text.push_str(part),
        }
    }
    text
}

/// `PATH` without the folders of the build environment, which are gone by then.
fn search_path(shared: &Shared) -> Result<String, Problems> {
    let environment = shared.configuration.build_environment();
    let folders = std::env::split_paths(&shared.search_path)
        .filter(|folder| environment.is_none_or(|gone| !folder.starts_with(gone)));
    let joined = std::env::join_paths(folders).ok();
    joined.and_then(|path| path.into_string().ok()).ok_or_else(|| {
        let message = "`PATH` isn't UTF-8, so it can't be given to a rebuild on import";
        Problem::error(Cause::Environment, "path", message).into()
    })
}

fn path_literal(path: &Path) -> Result<String, Problems> {
    path.to_str().map(literal).ok_or_else(|| {
        let message =
            format!("the path {} isn't UTF-8, so nothing can rebuild there", path.display());
        Problem::error(Cause::Environment, "path", message)
            .help("set `editable.rebuild` to false, or move it to a folder with a plainer name")
            .into()
    })
}

/// A string of JSON is one of Python too.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_places_of_the_template_are_filled() {
        let names = "NAMES ROOT INPUTS PROGRAM PACKAGES ALONE BUILT_IN CACHE SETTINGS ENVIRONMENT";
        let names: Vec<&str> = names.split(' ').collect();
        let values: Vec<_> = names.iter().map(|name| (*name, "\"@ROOT@\"".to_owned())).collect();
        let text = filled(&values);
        assert_eq!(text.matches("\"@ROOT@\"").count(), names.len());
        assert_eq!(text.matches('@').count(), 2 * names.len());
    }

    #[test]
    fn literals_are_pythons() {
        assert_eq!(literal("a\"b\\c\nü"), r#""a\"b\\c\nü""#);
    }
}
