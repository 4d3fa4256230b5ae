//! What setup.py would ask for on other systems.
//!
//! It is run again with `sys.platform` and its like answering as elsewhere. Settings have no
//! conditions, so a difference becomes a note: what is written is what holds here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::recording::{RawExtension, Recording, STAND_IN};
use super::text_of;
use crate::error::Error;
use crate::model::{Model, Place};

const SYSTEMS: [(&str, &str); 2] = [("win32", "Windows"), ("darwin", "macOS")];

/// The most that a value may take in a comment.
const MOST: usize = 300;

pub(super) fn compare(
    here: &Recording,
    model: &mut Model,
    mut record: impl FnMut(&str) -> Result<Recording, Error>,
) {
    for (platform, system) in SYSTEMS {
        match record(platform) {
            Ok(there) if there.calls == 0 => {
                let problem = there.error.map_or("no call of setup()".to_owned(), |problem| {
                    format!("{} ({})", problem.message, problem.place.unwrap_or_default())
                });
                let text = format!("setup.py couldn't be run as if on {system}: {problem}");
                model.decide(Place::Settings("extension"), text);
            }
            Ok(there) => compare_one(here, &there, system, model),
            Err(error) => {
                let text = format!("setup.py couldn't be run as if on {system}: {error}");
                model.decide(Place::Settings("extension"), text);
            }
        }
    }
}

fn by_name(recording: &Recording) -> BTreeMap<String, &RawExtension> {
    let all = recording.built.as_ref().unwrap_or(&recording.extensions);
    all.iter().map(|extension| (text_of(&extension.name), extension)).collect()
}

fn compare_one(here: &Recording, there: &Recording, system: &str, model: &mut Model) {
    let (ours, theirs) = (by_name(here), by_name(there));
    for (name, extension) in &theirs {
        if !ours.contains_key(name) {
            let settings = described(extension, None);
            let text = format!("only on {system}: extension `{name}` with {settings}");
            model.decide(Place::Settings("extension"), text);
        }
    }
    for (at, extension) in model.extensions.clone().iter().enumerate() {
        let Some(raw) = ours.get(&extension.name) else { continue };
        match theirs.get(&extension.name) {
            None => {
                model.decide(Place::Extension(at), format!("setup.py has it not on {system}"));
            }
            Some(other) if other.fields != raw.fields => {
                let text = format!("on {system} setup.py gives {}", described(other, Some(raw)));
                model.decide(Place::Extension(at), text);
            }
            Some(_) => {}
        }
    }
    for (key, to) in [
        ("install_requires", "dependencies"),
        ("packages", "packages"),
        ("py_modules", "modules"),
        ("entry_points", "scripts"),
        ("scripts", "scripts"),
    ] {
        let (ours, theirs) = (here.arguments.get(key), there.arguments.get(key));
        if ours != theirs {
            let value = theirs.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            let text = format!("on {system} setup.py gives `{key} = {}`", shortened(&value));
            let place = if matches!(to, "packages" | "modules") {
                Place::Settings(to)
            } else {
                Place::Project(to)
            };
            model.decide(place, text);
        }
    }
}

/// The fields of an extension that aren't empty, or only those that differ from `other`'s.
fn described(extension: &RawExtension, other: Option<&RawExtension>) -> String {
    let mut parts = Vec::new();
    for (key, value) in &extension.fields {
        let differs = other.is_none_or(|other| other.fields.get(key) != Some(value));
        if !differs || (other.is_none() && super::is_empty(value)) {
            continue;
        }
        let value = match value {
            Value::Array(items) => {
                let items = items.iter().filter(|item| !text_of(item).contains(STAND_IN));
                Value::Array(items.cloned().collect())
            }
            other => other.clone(),
        };
        parts.push(format!("`{key} = {}`", shortened(&value.to_string())));
    }
    if parts.is_empty() { "the same".to_owned() } else { parts.join(", ") }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST).collect();
    format!("{start}…")
}
