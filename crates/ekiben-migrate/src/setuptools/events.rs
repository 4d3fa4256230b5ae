//! What happened while setup.py ran, as far as a person must know.

use std::collections::BTreeSet;

use serde_json::Value;

use super::recording::{Event, Recording};
use crate::model::{Model, Place, USE_VCS};

/// Packages to build with, by the module that setup.py imports.
const BUILD_REQUIRES: [(&str, &str); 7] = [
    ("Cython", "Cython"),
    ("numpy", "numpy"),
    ("cppy", "cppy"),
    ("pybind11", "pybind11"),
    ("cffi", "cffi"),
    ("pkgconfig", ""),
    ("wheel", ""),
];

pub(super) fn read(recording: &Recording, stand_ins: &[String], model: &mut Model) {
    let mut environment = BTreeSet::new();
    let mut programs = BTreeSet::new();
    for event in &recording.events {
        match event {
            Event::Needs { module } => needs(module, model),
            Event::Program { argv } => {
                programs.insert(argv.join(" "));
            }
            Event::Environment { name } => {
                environment.insert(format!("`{name}`"));
            }
            Event::CompilerTest { what, answer } => {
                let text = format!(
                    "setup.py asks the compiler: {what}? It was told `{answer}`, and nothing was compiled"
                );
                model.decide(Place::Settings("extension"), text);
            }
            Event::Cythonize { options } => {
                for (key, value) in options {
                    if take_directives(key, value, model) {
                        continue;
                    }
                    let text = format!(
                        "cythonize() was given `{key} = {value}`, which isn't carried over"
                    );
                    model.decide(Place::Settings("extension"), text);
                }
            }
            Event::StandIn { what } => {
                let text = format!("setup.py used `{what}`, which isn't known here");
                model.decide(Place::Settings("extension"), text);
            }
            Event::NumpyDistutils { what } => {
                let text = format!("numpy.distutils: {what}");
                model.decide(Place::Settings("extension"), text);
            }
            Event::VcsVersion { what } => {
                let text = format!("the version came from version control, by {what}: {USE_VCS}");
                model.decide(Place::Project("version"), text);
            }
            Event::MissingFile { name, key } => {
                let text = format!("`{key}` is to be read from `{name}`, which isn't there");
                model.decide(Place::Project(""), text);
            }
            Event::Attribute { key, what } => {
                let text = format!("`{key}` is to be read from an attribute, which failed: {what}");
                model.decide(Place::Project(""), text);
            }
            Event::ToolSetuptools { what } => {
                let text = format!("[tool.setuptools] can't be understood: {what}");
                model.decide(Place::Build, text);
            }
            Event::SetupCfg { what } => {
                model.decide(Place::Build, format!("setup.cfg can't be read: {what}"));
            }
            Event::Distclass { what } => {
                let text = format!("the project's own Distribution class couldn't be made: {what}");
                model.decide(Place::Build, text);
            }
            // Both lead to settings of the extensions that use what they answered.
            Event::PkgConfig { .. } | Event::ConfigTool { .. } | Event::Which { .. } => {}
        }
    }
    for program in programs {
        let text = format!("setup.py wants to run `{program}`, which was refused");
        model.decide(Place::Build, text);
    }
    if !environment.is_empty() {
        let names: Vec<String> = environment.into_iter().collect();
        let text = format!(
            "setup.py looks at environment variables, which were as they are here: {}",
            names.join(", ")
        );
        model.decide(Place::Build, text);
    }
    for module in stand_ins {
        let text = format!(
            "setup.py imports `{module}`, which isn't installed: what it would have done is unknown"
        );
        model.decide(Place::Build, text);
    }
}

/// Carries compiler directives over, if none differs from what was carried over before.
pub(super) fn take_directives(key: &str, value: &Value, model: &mut Model) -> bool {
    let all: Vec<(&str, &Value)> = match (key, value) {
        ("language_level", level) => vec![(key, level)],
        ("compiler_directives", Value::Object(all)) => {
            all.iter().map(|(name, value)| (name.as_str(), value)).collect()
        }
        _ => return false,
    };
    let fits = |(name, value): &(&str, &Value)| {
        (value.is_string() || value.is_i64() || value.is_boolean())
            && model.directives.get(*name).is_none_or(|other| other == *value)
    };
    if !all.iter().all(fits) {
        return false;
    }
    for (name, value) in all {
        model.directives.insert(name.to_owned(), value.clone());
    }
    true
}

fn needs(module: &str, model: &mut Model) {
    match BUILD_REQUIRES.iter().find(|(name, _)| *name == module) {
        Some((_, "")) | None => {}
        Some((_, requirement)) => model.build_require(requirement),
    }
    if module == "cffi" {
        let text = "the extensions that cffi makes are not carried over";
        model.decide(Place::Settings("extension"), text);
    }
}
