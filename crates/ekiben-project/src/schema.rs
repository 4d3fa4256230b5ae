//! The JSON schema of `[tool.ekiben]`, derived from [`Settings`].

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::Value as Json;

use crate::settings::Settings;

static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<Settings>();
    RecursiveTransform(for_toml).transform(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), Json::from("[tool.ekiben]"));
    }
    schema.to_value()
});

/// The schema, for editors and for checks; no references in it, and no `null`, which TOML lacks.
#[must_use]
pub fn json_schema() -> &'static Json {
    &SCHEMA
}

/// The `$id` of the published schema: the place that the catalogue of schemas gives to the part
/// of a tool in `pyproject.toml`.
const ID: &str = "https://json.schemastore.org/partial-ekiben.json";

static PUBLISHED: LazyLock<Json> = LazyLock::new(|| {
    let mut schema = SCHEMA.clone();
    to_draft_07(&mut schema);
    let Json::Object(rest) = schema else { return schema };
    let mut object = serde_json::Map::new();
    object.insert("$schema".to_owned(), Json::from("http://json-schema.org/draft-07/schema#"));
    object.insert("$id".to_owned(), Json::from(ID));
    object.extend(rest.into_iter().filter(|(key, _)| key != "$schema"));
    Json::Object(object)
});

/// The schema for others: editors and `validate-pyproject`, which all know draft 7 and not all a
/// later one. Our own formats are left out, for some tools refuse those they don't know.
#[must_use]
pub fn published_schema() -> &'static Json {
    &PUBLISHED
}

fn to_draft_07(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(to_draft_07),
        Json::Object(object) => {
            let is_schema = !matches!(object.get("format"), Some(Json::Object(_)));
            if is_schema {
                object.shift_remove("format");
            }
            if let Some(rest) = object.shift_remove("unevaluatedProperties") {
                object.insert("additionalProperties".to_owned(), rest);
            }
            object.values_mut().for_each(to_draft_07);
        }
        _ => {}
    }
}

fn for_toml(schema: &mut Schema) {
    let is_null = |schema: &Json| schema.get("type").and_then(Json::as_str) == Some("null");
    let Some(object) = schema.as_object_mut() else { return };
    // Line breaks of the comments mean nothing to an editor.
    if let Some(Json::String(text)) = object.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if object.get("default") == Some(&Json::Null) {
        object.remove("default");
    }
    if let Some(Json::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    for word in ["anyOf", "oneOf"] {
        let Some(Json::Array(list)) = object.get_mut(word) else { continue };
        list.retain(|schema| !is_null(schema));
        // An optional value of another type has that type's schema as its only alternative left.
        if let [Json::Object(only)] = &list[..] {
            let only = only.clone();
            object.remove(word);
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}
