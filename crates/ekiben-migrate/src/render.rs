//! A [`Model`] written as `pyproject.toml`: a new one, or worked into the one that is there.
//!
//! What isn't ours to change keeps its bytes: other tools' tables, and all of `[project]` but what
//! setuptools was to fill in. Notes become comments at what they are about.

mod comments;
mod lost;
mod project;
mod settings;

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use crate::model::{Model, Place, USE_VCS, name_of};
use comments::Comments;

/// The longest line that a list may make before it takes a line for each item.
const WIDTH: usize = 96;

/// Writes the model into `document`, which may be empty.
pub(crate) fn render(model: &mut Model, mut document: DocumentMut) -> String {
    let dropped = remove_setuptools(&mut document, model);
    build_system(model, &mut document);
    let keep = project::prepare(model, &mut document);
    let comments = Comments::new(&model.notes);
    project::write(model, &mut document, &keep, &comments);
    settings::write(model, &mut document, &comments, dropped);
    comments::attach_to_build_system(&mut document, &comments);
    let text = document.to_string();
    format!("{}\n", text.trim())
}

/// Removes `[tool.setuptools]` and its extensions; says which were there.
fn remove_setuptools(document: &mut DocumentMut, model: &mut Model) -> Vec<&'static str> {
    let mut gone = Vec::new();
    let Some(tool) = document.get_mut("tool").and_then(Item::as_table_like_mut) else {
        return gone;
    };
    for name in ["setuptools", "setuptools_scm", "setuptools-git-versioning", "distutils"] {
        if let Some(item) = tool.remove(name) {
            gone.push(name);
            for comment in lost::comments(&item) {
                model.dropped(format!("a comment in [tool.{name}]: {comment}"));
            }
        }
    }
    if gone.iter().any(|name| !matches!(*name, "setuptools" | "distutils")) {
        let text = format!("the version came from version control: {USE_VCS}");
        model.decide(Place::Project("version"), text);
    }
    if tool.is_empty() {
        document.remove("tool");
    }
    gone
}

fn build_system(model: &mut Model, document: &mut DocumentMut) {
    let old = document.get("build-system").and_then(Item::as_table_like);
    let requires = old.and_then(|table| table.get("requires")).and_then(Item::as_array);
    let requires: Vec<String> =
        requires.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut stated = Vec::new();
    for requirement in requires {
        match name_of(&requirement).as_str() {
            "setuptools" | "wheel" | "ekiben" => {}
            "setuptools-scm" | "setuptools-git-versioning" | "versioneer" | "versioningit" => {
                let text = format!("the version came from version control: {USE_VCS}");
                model.decide(Place::Project("version"), text);
            }
            _ => stated.push(requirement),
        }
    }
    let is_stated = |other: &String| stated.iter().any(|one| name_of(one) == name_of(other));
    model.build_requires.retain(|other| !is_stated(other));
    let mut all = vec!["ekiben".to_owned()];
    all.append(&mut stated);
    all.extend(model.build_requires.iter().cloned());
    if !document.contains_key("build-system") {
        document.insert("build-system", Item::Table(Table::new()));
    }
    if let Some(table) = document.get_mut("build-system").and_then(Item::as_table_like_mut) {
        for key in ["requires", "build-backend", "backend-path"] {
            for comment in table.get(key).iter().flat_map(|item| lost::comments(item)) {
                model.dropped(format!("a comment in `{key}` of [build-system]: {comment}"));
            }
        }
        table.insert("requires", list(&all, "requires"));
        table.insert("build-backend", toml_edit::value("ekiben"));
        table.remove("backend-path");
    }
}

/// A list on one line, or with a line for each item if that is too long.
fn list(items: &[String], key: &str) -> Item {
    let mut array: Array = items.iter().map(String::as_str).collect();
    if key.len() + 3 + array.to_string().len() > WIDTH {
        for item in array.iter_mut() {
            item.decor_mut().set_prefix("\n    ");
        }
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    toml_edit::value(array)
}
