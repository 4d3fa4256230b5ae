//! `[project]`.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use super::comments::{Comments, before_key, before_table};
use super::{list, lost};
use crate::model::{Model, Person, Place, Readme};

/// The keys in the order in which they are written.
const KEYS: [&str; 17] = [
    "name",
    "version",
    "dynamic",
    "description",
    "readme",
    "requires-python",
    "license",
    "license-files",
    "authors",
    "maintainers",
    "keywords",
    "classifiers",
    "dependencies",
    "optional-dependencies",
    "urls",
    "scripts",
    "gui-scripts",
];

/// What may be written of the model.
pub(super) enum Keep {
    /// There was no `[project]`.
    All,
    /// `[project]` stays as it is, but for what it called dynamic.
    Dynamic(Vec<String>),
}

impl Keep {
    fn has(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Dynamic(keys) => {
                let key = if key == "dynamic" { "version" } else { key };
                keys.iter().any(|other| other == key)
            }
        }
    }
}

/// Decides what is to be written, and completes what must be there.
pub(super) fn prepare(model: &mut Model, document: &mut DocumentMut) -> Keep {
    let project = document.get_mut("project").and_then(Item::as_table_like_mut);
    let keep = match project {
        None => Keep::All,
        Some(table) => {
            let dynamic = table.remove("dynamic");
            for comment in dynamic.iter().flat_map(lost::comments) {
                model.dropped(format!("a comment in `dynamic` of [project]: {comment}"));
            }
            let dynamic = dynamic.as_ref().and_then(Item::as_array).into_iter().flatten();
            Keep::Dynamic(dynamic.filter_map(Value::as_str).map(str::to_owned).collect())
        }
    };
    if let Keep::Dynamic(_) = keep {
        // What [project] states is as it was, whatever else was found.
        model.notes.retain(|note| match note.place {
            Place::Project(key) => key.is_empty() || keep.has(key) || !is_metadata(key),
            _ => true,
        });
    }
    if keep.has("version") && model.version.is_none() {
        model.version = Some("0.0.0".to_owned());
        model.decide(Place::Project("version"), "the version isn't known");
    }
    if keep.has("name") && model.name.is_none() {
        model.name = Some("unnamed".to_owned());
        model.decide(Place::Project("name"), "the name isn't known");
    }
    if let Keep::Dynamic(keys) = &keep {
        for key in keys.clone() {
            if !has_value(model, &key) {
                let text = format!("`{key}` was dynamic, and no value for it was found");
                model.decide(Place::Project(""), text);
            }
        }
    }
    keep
}

/// Whether a key says what the project is, rather than what it brings.
fn is_metadata(key: &str) -> bool {
    !matches!(key, "dependencies" | "optional-dependencies" | "scripts" | "gui-scripts")
}

fn has_value(model: &Model, key: &str) -> bool {
    match key {
        "scripts" => model.entry_points.contains_key("console_scripts"),
        "gui-scripts" => model.entry_points.contains_key("gui_scripts"),
        "entry-points" => true,
        "version" => true,
        "dependencies" | "optional-dependencies" => true,
        key => item_of(model, key).is_some(),
    }
}

pub(super) fn write(
    model: &Model,
    document: &mut DocumentMut,
    keep: &Keep,
    comments: &Comments<'_>,
) {
    if !document.contains_key("project") {
        document.insert("project", Item::Table(Table::new()));
    }
    let Some(table) = document.get_mut("project").and_then(Item::as_table_mut) else { return };
    for key in KEYS {
        if keep.has(key)
            && !table.contains_key(key)
            && let Some(item) = item_of(model, key)
        {
            table.insert(key, item);
        }
    }
    if keep.has("entry-points") {
        let mut groups = Table::new();
        groups.set_implicit(true);
        for (group, entries) in &model.entry_points {
            if !matches!(group.as_str(), "console_scripts" | "gui_scripts") {
                groups.insert(group, entries_of(entries));
            }
        }
        if !groups.is_empty() {
            table.insert("entry-points", Item::Table(groups));
        }
    }
    let mut homeless = String::new();
    let mut done: Vec<Place> = Vec::new();
    for key in KEYS {
        let place = Place::Project(key);
        done.push(place);
        let text = comments.lines(|other| other == place);
        match table.get_mut(key) {
            Some(Item::Table(sub)) => before_table(sub, &text),
            Some(_) => before_key(table, key, &text),
            None => homeless.push_str(&text),
        }
    }
    homeless.push_str(
        &comments.lines(|place| matches!(place, Place::Project(_)) && !done.contains(&place)),
    );
    before_table(table, &homeless);
}

fn item_of(model: &Model, key: &str) -> Option<Item> {
    let text = |value: &Option<String>| value.as_deref().map(toml_edit::value);
    let texts = |values: &Vec<String>| (!values.is_empty()).then(|| list(values, key));
    match key {
        "name" => text(&model.name),
        "version" if model.version_from.is_some() => None,
        "version" => text(&model.version),
        "dynamic" => {
            let version = ["version".to_owned()];
            model.version_from.is_some().then(|| list(&version, key))
        }
        "description" => text(&model.description),
        "readme" => model.readme.as_ref().map(readme),
        "requires-python" => text(&model.requires_python),
        "license" => text(&model.license),
        "license-files" => texts(&model.license_files),
        "authors" => people(&model.authors),
        "maintainers" => people(&model.maintainers),
        "keywords" => texts(&model.keywords),
        "classifiers" => texts(&model.classifiers),
        "dependencies" => texts(&model.dependencies),
        "optional-dependencies" => {
            let mut table = Table::new();
            for (extra, requirements) in &model.optional_dependencies {
                table.insert(extra, list(requirements, extra));
            }
            (!table.is_empty()).then_some(Item::Table(table))
        }
        "urls" => {
            let mut table = Table::new();
            for (label, address) in &model.urls {
                table.insert(label, toml_edit::value(address));
            }
            (!table.is_empty()).then_some(Item::Table(table))
        }
        "scripts" => model.entry_points.get("console_scripts").map(|all| entries_of(all)),
        "gui-scripts" => model.entry_points.get("gui_scripts").map(|all| entries_of(all)),
        _ => None,
    }
}

fn readme(readme: &Readme) -> Item {
    let (key, text, content_type) = match readme {
        Readme::File { path, content_type: None } => return toml_edit::value(path),
        Readme::File { path, content_type: Some(content_type) } => ("file", path, content_type),
        Readme::Text { text, content_type } => ("text", text, content_type),
    };
    let mut table = InlineTable::new();
    table.insert(key, text.as_str().into());
    table.insert("content-type", content_type.as_str().into());
    toml_edit::value(table)
}

fn people(people: &[Person]) -> Option<Item> {
    if people.is_empty() {
        return None;
    }
    let mut array = Array::new();
    for person in people {
        let mut table = InlineTable::new();
        if let Some(name) = &person.name {
            table.insert("name", name.as_str().into());
        }
        if let Some(email) = &person.email {
            table.insert("email", email.as_str().into());
        }
        array.push(table);
    }
    if people.len() > 1 {
        for item in array.iter_mut() {
            item.decor_mut().set_prefix("\n    ");
        }
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
    Some(toml_edit::value(array))
}

fn entries_of(entries: &[(String, String)]) -> Item {
    let mut table = Table::new();
    for (name, object) in entries {
        table.insert(name, toml_edit::value(object));
    }
    Item::Table(table)
}
