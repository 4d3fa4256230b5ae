//! Helper libraries: the argument `libraries` of `setup()`, each of which setuptools compiles once.
//!
//! They are static, so that each extension that names one gets its own copy of what is in it. Ekiben
//! makes the same of the extension if their sources are among its own.

use serde_json::Value;

use super::extensions::normal_path;
use super::recording::Recording;
use super::{is_empty, strings, text_of};
use crate::flags::{is_macro, push_new};
use crate::model::{Extension, Model, Place};

/// What is understood of a library's description.
const READ: [&str; 5] = ["sources", "depends", "include_dirs", "macros", "obj_deps"];

pub(super) fn read(recording: &Recording, model: &mut Model) {
    let all = recording.argument("libraries").and_then(Value::as_array);
    for library in all.into_iter().flatten() {
        let name = library.get(0).map(text_of).unwrap_or_default();
        let Some(described) = library.get(1) else { continue };
        let list = |key: &str| described.get(key).map(strings).unwrap_or_default();
        let sources: Vec<String> = list("sources").iter().filter_map(|p| normal_path(p)).collect();
        let mut is_used = false;
        for at in 0..model.extensions.len() {
            let extension = &mut model.extensions[at];
            if !extension.libraries.contains(&name) || sources.is_empty() {
                continue;
            }
            is_used = true;
            extension.libraries.retain(|other| *other != name);
            let conflicts = merge(extension, &sources, described);
            let place = Place::Extension(at);
            let text = format!(
                "the sources of the helper library `{name}` are among its own, so they are compiled with its flags"
            );
            model.check(place, text);
            for conflict in conflicts {
                let text = format!("the helper library `{name}` had another `{conflict}`");
                model.decide(place, text);
            }
        }
        if !is_used {
            let text = format!(
                "the helper library `{name}` isn't named by an extension, and isn't carried over: {}",
                sources.join(", ")
            );
            model.decide(Place::Settings("extension"), text);
        }
        for (key, value) in described.as_object().into_iter().flatten() {
            if !READ.contains(&key.as_str()) && !is_empty(value) {
                let text = format!("`{key} = {value}` of `{name}` isn't carried over");
                model.decide(Place::Settings("extension"), text);
            }
        }
    }
}

/// Makes a library's sources those of an extension; returns macros that the two define differently.
fn merge(extension: &mut Extension, sources: &[String], described: &Value) -> Vec<String> {
    let list = |key: &str| described.get(key).map(strings).unwrap_or_default();
    for source in sources {
        push_new(&mut extension.sources, source.clone());
    }
    for path in list("depends").iter().filter_map(|path| normal_path(path)) {
        push_new(&mut extension.depends, path);
    }
    let own = &extension.sources;
    extension.depends.retain(|path| !own.contains(path));
    // Those outside the project are the interpreter's, which are found anyway.
    for folder in list("include_dirs").iter().filter_map(|path| normal_path(path)) {
        push_new(&mut extension.include_dirs, folder);
    }
    let mut conflicts = Vec::new();
    for pair in described.get("macros").and_then(Value::as_array).into_iter().flatten() {
        let name = pair.get(0).map(text_of).unwrap_or_default();
        let value = pair.get(1).filter(|value| !value.is_null()).map(text_of);
        match extension.define.get(&name) {
            Some(other) if *other == value => {}
            None if is_macro(&name) => drop(extension.define.insert(name, value)),
            _ => conflicts.push(name),
        }
    }
    conflicts
}
