//! Projects of setuptools: `setup.py`, `setup.cfg` and `[tool.setuptools]`.
//!
//! setup.py is a program, so it is run, in a copy of the project and a world of recorders
//! (the Python package `record`); setup.cfg and `[tool.setuptools]` are brought into the same words there, with
//! setuptools' precedence. It runs once for this machine, and once more as if on each other system,
//! so that what depends on the system shows.

mod arguments;
mod events;
mod extensions;
mod libraries;
mod packages;
mod platforms;
mod recording;

use std::path::Path;

use serde_json::Value;

use crate::error::Error;
use crate::model::{Model, Place};
use recording::Recording;

/// Learns what a project of setuptools is.
pub(crate) fn read(folder: &Path, python: &Path, tool_setuptools: &Value) -> Result<Model, Error> {
    let has_script = folder.join("setup.py").is_file();
    let mut stand_ins = Vec::new();
    let recording = recording::record(python, folder, "", tool_setuptools, &mut stand_ins)?;
    if let Some(problem) = &recording.error
        && recording.calls == 0
    {
        return Err(Error::SetupFailed {
            place: problem.place.clone().unwrap_or_else(|| "setup.py".to_owned()),
            message: problem.message.clone(),
        });
    }
    if has_script && recording.calls == 0 && recording.arguments.is_empty() {
        return Err(Error::SetupFailed {
            place: "setup.py".to_owned(),
            message: "it never called setup()".to_owned(),
        });
    }
    let mut model = Model {
        source: if has_script { "setup.py" } else { "setup.cfg" }.to_owned(),
        ..Model::default()
    };
    arguments::read(&recording, folder, &mut model);
    packages::read(&recording, folder, &mut model);
    extensions::read(&recording, &mut model);
    libraries::read(&recording, &mut model);
    events::read(&recording, &stand_ins, &mut model);
    if has_script {
        platforms::compare(&recording, &mut model, |platform| {
            recording::record(python, folder, platform, tool_setuptools, &mut stand_ins)
        });
    }
    if let Some(problem) = &recording.error {
        let place = problem.place.as_deref().unwrap_or("setup.py");
        let text = format!("after setup(), {place} failed: {}", problem.message);
        model.check(Place::Build, text);
    }
    if recording.calls > 1 {
        let text = format!("setup.py calls setup() {} times; the first counts", recording.calls);
        model.decide(Place::Build, text);
    }
    Ok(model)
}

impl Recording {
    /// An argument of `setup()` that isn't empty.
    fn argument(&self, key: &str) -> Option<&Value> {
        self.arguments.get(key).filter(|value| !is_empty(value))
    }

    /// A text, without what stand-ins made of it.
    fn text(&self, key: &str) -> Option<&str> {
        let text = self.argument(key)?.as_str()?.trim();
        (!text.is_empty() && !text.contains(recording::STAND_IN)).then_some(text)
    }

    /// The note on a value that setup.py computes, if it does.
    fn computed(&self, key: &str) -> Option<String> {
        self.computed
            .iter()
            .any(|computed| computed == key)
            .then(|| format!("computed by setup.py on this machine ({})", self.system))
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Number(_) => false,
    }
}

/// The strings of a list, or the one string; others in their JSON form.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text_of).collect(),
        Value::Null => Vec::new(),
        one => vec![text_of(one)],
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
