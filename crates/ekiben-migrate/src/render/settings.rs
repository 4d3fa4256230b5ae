//! `[tool.ekiben]`.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use super::comments::{Comments, before_key, before_table};
use super::list;
use crate::model::{Extension, Model, Place, VersionFrom};

/// How many macros are written in one line.
const INLINE_MACROS: usize = 3;

pub(super) fn write(
    model: &Model,
    document: &mut DocumentMut,
    comments: &Comments<'_>,
    translated: Vec<&'static str>,
) {
    let mut table = Table::new();
    let text = |value: &Option<String>| value.as_deref().map(toml_edit::value);
    if let Some(root) = text(&model.package_root) {
        table.insert("package-root", root);
    }
    if let Some(packages) = &model.packages {
        table.insert("packages", list(packages, "packages"));
    }
    for (key, items) in [("modules", &model.modules), ("exclude", &model.exclude)] {
        if !items.is_empty() {
            table.insert(key, list(items, key));
        }
    }
    let mut homeless = String::new();
    for name in translated {
        homeless
            .push_str(&format!("# [tool.{name}] stood here; what it said is below and above.\n"));
    }
    for key in ["package-root", "packages", "modules", "exclude"] {
        let text = comments.lines(|place| place == Place::Settings(key));
        if table.contains_key(key) {
            before_key(&mut table, key, &text);
        } else {
            homeless.push_str(&text);
        }
    }
    homeless.push_str(&comments.lines(|place| {
        matches!(place, Place::Settings(key)
            if !matches!(key, "package-root" | "packages" | "modules" | "exclude"))
    }));
    let below = below(model);
    let mut extensions = ArrayOfTables::new();
    for (at, extension) in model.extensions.iter().enumerate() {
        let mut table = written(extension);
        before_table(&mut table, &comments.lines(|place| place == Place::Extension(at)));
        extensions.push(table);
    }
    if table.is_empty() && extensions.is_empty() && below.is_empty() && homeless.is_empty() {
        return;
    }
    before_table(&mut table, &homeless);
    if table.is_empty() && homeless.is_empty() {
        table.set_implicit(true);
    }
    for (key, item) in below {
        table.insert(key, item);
    }
    if !extensions.is_empty() {
        table.insert("extension", Item::ArrayOfTables(extensions));
    }
    if !document.contains_key("tool") {
        let mut tool = Table::new();
        tool.set_implicit(true);
        document.insert("tool", Item::Table(tool));
    }
    if let Some(tool) = document.get_mut("tool").and_then(Item::as_table_like_mut) {
        tool.insert("ekiben", Item::Table(table));
    }
}

/// The tables below `[tool.ekiben]` but for the extensions.
fn below(model: &Model) -> Vec<(&'static str, Item)> {
    let mut all = Vec::new();
    if let Some(from) = &model.version_from {
        let (key, text) = match from {
            VersionFrom::Attribute(text) => ("attribute", text),
            VersionFrom::File(text) => ("file", text),
        };
        let mut table = Table::new();
        table.insert(key, toml_edit::value(text));
        all.push(("version", Item::Table(table)));
    }
    let mut wheel = Table::new();
    wheel.set_implicit(true);
    for (key, files) in [("scripts", &model.scripts), ("headers", &model.headers)] {
        if !files.is_empty() {
            wheel.insert(key, list(files, key));
        }
    }
    for (key, files) in [("files", &model.files), ("data", &model.data)] {
        if !files.is_empty() {
            let mut table = Table::new();
            for (file, target) in files {
                table.insert(file, toml_edit::value(target));
            }
            wheel.insert(key, Item::Table(table));
        }
    }
    if !wheel.is_empty() {
        all.push(("wheel", Item::Table(wheel)));
    }
    if !model.directives.is_empty() {
        let mut directives = InlineTable::new();
        for (name, value) in &model.directives {
            let value = match value {
                serde_json::Value::Bool(flag) => Value::from(*flag),
                serde_json::Value::Number(number) => Value::from(number.as_i64().unwrap_or(0)),
                other => Value::from(other.as_str().unwrap_or_default()),
            };
            directives.insert(name, value);
        }
        let mut cython = Table::new();
        cython.insert("directives", toml_edit::value(directives));
        let mut options = Table::new();
        options.set_implicit(true);
        options.insert("cython", Item::Table(cython));
        all.push(("options", Item::Table(options)));
    }
    all
}

fn written(extension: &Extension) -> Table {
    let mut table = Table::new();
    table.insert("name", toml_edit::value(&extension.name));
    let mut lists = |items: &[(&str, &Vec<String>)]| {
        for (key, items) in items {
            if !items.is_empty() {
                table.insert(key, list(items, key));
            }
        }
    };
    lists(&[
        ("sources", &extension.sources),
        ("depends", &extension.depends),
        ("uses", &extension.uses),
        ("include-dirs", &extension.include_dirs),
        ("undefine", &extension.undefine),
        ("libraries", &extension.libraries),
        ("library-dirs", &extension.library_dirs),
        ("compile-args", &extension.compile_args),
        ("link-args", &extension.link_args),
        ("sanitizers", &extension.sanitizers),
    ]);
    let texts = [
        ("limited-api", &extension.limited_api),
        ("language", &extension.language),
        ("c-std", &extension.c_std),
        ("cxx-std", &extension.cxx_std),
        ("fortran-std", &extension.fortran_std),
        ("fortran-runtime", &extension.fortran_runtime),
        ("optimization", &extension.optimization),
        ("warnings", &extension.warnings),
        // Hidden is the default.
        ("visibility", &extension.visibility.clone().filter(|text| text != "hidden")),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            table.insert(key, toml_edit::value(value));
        }
    }
    let flags = [
        ("openmp", extension.openmp),
        ("debug", extension.debug),
        ("lto", extension.lto),
        ("strip", extension.strip),
    ];
    for (key, flag) in flags {
        if let Some(flag) = flag {
            table.insert(key, toml_edit::value(flag));
        }
    }
    define(extension, &mut table);
    table
}

fn define(extension: &Extension, table: &mut Table) {
    let value = |value: &Option<String>| match value {
        None => Value::from(true),
        Some(text) => Value::from(text.as_str()),
    };
    if extension.define.is_empty() {
    } else if extension.define.len() <= INLINE_MACROS {
        let mut inline = InlineTable::new();
        for (name, text) in &extension.define {
            inline.insert(name, value(text));
        }
        table.insert("define", toml_edit::value(inline));
    } else {
        let mut sub = Table::new();
        sub.decor_mut().set_prefix("");
        for (name, text) in &extension.define {
            sub.insert(name, toml_edit::value(value(text)));
        }
        table.insert("define", Item::Table(sub));
    }
}
