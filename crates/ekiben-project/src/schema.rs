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
