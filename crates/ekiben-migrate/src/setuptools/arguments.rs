//! The metadata among the arguments of `setup()`.

use std::path::Path;

use serde_json::Value;

use super::extensions::normal_path;
use super::recording::Recording;
use super::{strings, text_of};
use crate::files;
use crate::metadata::{
    add_url, keywords, people, requirements, set_description, set_license, set_readme,
    set_readme_file, set_requires_python, set_version,
};
use crate::model::{Model, Place, USE_VCS, VersionFrom, name_of};

/// Arguments that are read here or in the modules beside this one.
const READ: [&str; 38] = [
    "author",
    "author_email",
    "classifiers",
    "cmdclass",
    "description",
    "distclass",
    "download_url",
    "entry_points",
    "exclude_package_data",
    "ext_modules",
    "extras_require",
    "include_package_data",
    "install_requires",
    "keywords",
    "libraries",
    "license",
    "license_expression",
    "license_files",
    "long_description",
    "long_description_content_type",
    "maintainer",
    "maintainer_email",
    "name",
    "namespace_packages",
    "package_data",
    "package_dir",
    "packages",
    "project_urls",
    "py_modules",
    "python_requires",
    "scripts",
    "setup_requires",
    "url",
    "use_scm_version",
    "version",
    "data_files",
    "headers",
    "tests_require",
];

/// Arguments without meaning today, and why.
const MEANINGLESS: [(&str, &str); 8] = [
    ("zip_safe", "eggs aren't made any more"),
    ("platforms", "a wheel's tag says where it works"),
    ("provides", "no tool reads it"),
    ("obsoletes", "no tool reads it"),
    ("requires", "install_requires replaced it"),
    ("eager_resources", "eggs aren't made any more"),
    ("use_2to3", "Python 2 is gone"),
    ("ext_package", "it only names extensions, which are named in full"),
];

pub(super) fn read(recording: &Recording, folder: &Path, model: &mut Model) {
    names_and_texts(recording, folder, model);
    dependencies(recording, model);
    entry_points(recording, model);
    for (key, place) in [
        ("name", Place::Project("name")),
        ("version", Place::Project("version")),
        ("description", Place::Project("description")),
        ("classifiers", Place::Project("classifiers")),
        ("install_requires", Place::Project("dependencies")),
        ("extras_require", Place::Project("optional-dependencies")),
        ("python_requires", Place::Project("requires-python")),
        ("entry_points", Place::Project("scripts")),
        ("packages", Place::Settings("packages")),
        ("py_modules", Place::Settings("modules")),
    ] {
        if recording.argument(key).is_some()
            && let Some(text) = recording.computed(key)
        {
            model.check(place, text);
        }
    }
    placed_files(recording, folder, model);
    without_a_setting(recording, model);
}

fn names_and_texts(recording: &Recording, folder: &Path, model: &mut Model) {
    model.name = recording.text("name").map(str::to_owned);
    let texts = files::texts(folder);
    if let Some(text) = recording.text("version") {
        set_version(model, text);
    }
    if let Some(directive) = recording.directives.get("version") {
        // `complete` looks whether Ekiben reads the same there.
        model.version_from = version_from(directive);
        if model.version_from.is_none() {
            let text = format!("it came from `{directive}`, and is now stated here");
            model.decide(Place::Project("version"), text);
        }
    }
    if recording.argument("use_scm_version").is_some() {
        let text = format!("it came from version control, by setuptools_scm: {USE_VCS}");
        model.decide(Place::Project("version"), text);
    }
    if let Some(text) = recording.text("description") {
        set_description(model, text);
    }
    if let Some(text) = recording.text("python_requires") {
        set_requires_python(model, text);
    }
    readme(recording, &texts, model);
    model.classifiers = lines(recording.argument("classifiers"));
    model.keywords = match recording.argument("keywords") {
        Some(Value::String(text)) => keywords(text),
        Some(list) => strings(list).iter().flat_map(|word| keywords(word)).collect(),
        None => Vec::new(),
    };
    for (names, emails, is_author) in
        [("author", "author_email", true), ("maintainer", "maintainer_email", false)]
    {
        let place = Place::Project(if is_author { "authors" } else { "maintainers" });
        let (names, emails) =
            (recording.text(names).unwrap_or(""), recording.text(emails).unwrap_or(""));
        let people = people(model, place, names, emails);
        *(if is_author { &mut model.authors } else { &mut model.maintainers }) = people;
    }
    if let Some(url) = recording.text("url") {
        add_url(model, "Homepage", url);
    }
    if let Some(url) = recording.text("download_url") {
        add_url(model, "Download", url);
    }
    let urls = recording.argument("project_urls").and_then(Value::as_object);
    for (label, url) in urls.into_iter().flatten() {
        add_url(model, label, &text_of(url));
    }
    let said = recording.text("license_expression").or(recording.text("license"));
    let licenses: Vec<_> =
        texts.iter().filter(|(path, _)| files::is_license(path)).cloned().collect();
    set_license(model, said, &licenses);
    let listed = recording.argument("license_files").map(strings).unwrap_or_default();
    model.license_files = listed.into_iter().filter(|path| !path.is_empty()).collect();
}

fn readme(recording: &Recording, texts: &[(String, String)], model: &mut Model) {
    let content_type = recording.text("long_description_content_type");
    let directive = recording.directives.get("long_description");
    let named: Vec<&str> = directive
        .and_then(|text| text.strip_prefix("file:"))
        .map(|names| names.split(',').map(str::trim).collect())
        .unwrap_or_default();
    if let [first, rest @ ..] = &named[..] {
        set_readme_file(model, first, content_type);
        if !rest.is_empty() {
            let text = format!("the long description had more files: {}", rest.join(", "));
            model.decide(Place::Project("readme"), text);
        }
    } else if let Some(text) = recording.argument("long_description").and_then(Value::as_str) {
        let readmes: Vec<_> =
            texts.iter().filter(|(path, _)| !files::is_license(path)).cloned().collect();
        set_readme(model, text, content_type, &readmes);
    }
}

/// A list, or a text with one item a line.
fn lines(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        }
        Some(list) => strings(list),
        None => Vec::new(),
    }
}

fn dependencies(recording: &Recording, model: &mut Model) {
    let place = Place::Project("dependencies");
    let mut all = requirements(model, place, lines(recording.argument("install_requires")));
    let extras = recording.argument("extras_require").and_then(Value::as_object).cloned();
    for (key, value) in extras.into_iter().flatten() {
        let place = Place::Project("optional-dependencies");
        let wanted = requirements(model, place, lines(Some(&value)));
        // `extra:marker`, and `:marker` for what everyone needs (setuptools).
        let (extra, marker) =
            key.split_once(':').map_or((&*key, ""), |(e, m)| (e.trim(), m.trim()));
        let wanted = wanted.into_iter().map(|requirement| match (marker, &requirement) {
            ("", _) => requirement,
            (marker, text) if text.contains(';') => format!("{text} and ({marker})"),
            (marker, text) => format!("{text}; {marker}"),
        });
        let wanted: Vec<String> = wanted.collect();
        if extra.is_empty() {
            all.extend(wanted);
        } else if let Some((_, known)) =
            model.optional_dependencies.iter_mut().find(|(other, _)| other == extra)
        {
            known.extend(wanted);
        } else {
            model.optional_dependencies.push((extra.to_owned(), wanted));
        }
    }
    model.dependencies = all;
    let build = requirements(model, Place::Build, lines(recording.argument("setup_requires")));
    for requirement in build {
        match name_of(&requirement).as_str() {
            "setuptools" | "wheel" => {}
            "setuptools-scm" | "pytest-runner" => {
                model.dropped(format!("`{requirement}` extends setuptools"));
            }
            _ => model.build_require(&requirement),
        }
    }
    if let Some(tests) = recording.argument("tests_require") {
        let text = format!(
            "tests_require isn't carried over; [dependency-groups] is for it: {}",
            strings(tests).join(", ")
        );
        model.decide(Place::Project("optional-dependencies"), text);
    }
}

fn entry_points(recording: &Recording, model: &mut Model) {
    let groups: Vec<(String, Vec<String>)> = match recording.argument("entry_points") {
        Some(Value::String(text)) => {
            let mut groups: Vec<(String, Vec<String>)> = Vec::new();
            for line in text.lines().map(str::trim) {
                if let Some(group) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                    groups.push((group.trim().to_owned(), Vec::new()));
                } else if let Some((_, entries)) = groups.last_mut()
                    && !line.is_empty()
                    && !line.starts_with(['#', ';'])
                {
                    entries.push(line.to_owned());
                }
            }
            groups
        }
        Some(Value::Object(table)) => {
            table.iter().map(|(group, entries)| (group.clone(), lines(Some(entries)))).collect()
        }
        _ => Vec::new(),
    };
    for (group, entries) in groups {
        for entry in entries {
            let Some((name, object)) = entry.split_once('=') else {
                let text = format!("the entry point `{entry}` of {group} can't be read");
                model.decide(Place::Project("scripts"), text);
                continue;
            };
            let (name, object) = (name.trim().to_owned(), object.trim().to_owned());
            model.entry_points.entry(group.clone()).or_default().push((name, object));
        }
    }
}

/// What `attr: …` or `file: …` names.
fn version_from(directive: &str) -> Option<VersionFrom> {
    let (kind, what) = directive.split_once(':')?;
    let what = what.trim();
    match kind {
        "attr" if what.contains('.') => Some(VersionFrom::Attribute(what.to_owned())),
        "file" if !what.contains(',') => Some(VersionFrom::File(normal_path(what)?)),
        _ => None,
    }
}

/// Files that are installed outside packages.
fn placed_files(recording: &Recording, folder: &Path, model: &mut Model) {
    let there = |key: &str, path: &str, model: &mut Model| {
        let found = normal_path(path).filter(|path| folder.join(path).is_file());
        if found.is_none() {
            let text = format!("`{key}` names `{path}`, which isn't a file of the project");
            model.decide(Place::Settings("wheel"), text);
        }
        found
    };
    for path in recording.argument("scripts").map(strings).unwrap_or_default() {
        if let Some(path) = there("scripts", &path, model) {
            model.scripts.push(path);
        }
    }
    for path in recording.argument("headers").map(strings).unwrap_or_default() {
        if let Some(path) = there("headers", &path, model) {
            model.headers.push(path);
        }
    }
    for entry in recording.argument("data_files").and_then(Value::as_array).into_iter().flatten() {
        let (target, files) = match entry {
            Value::Array(pair) if pair.len() == 2 => (text_of(&pair[0]), strings(&pair[1])),
            one => (String::new(), strings(one)),
        };
        let below = if target.is_empty() || target == "." {
            Some(String::new())
        } else {
            normal_path(&target).map(|target| format!("{target}/"))
        };
        let Some(below) = below else {
            let text = format!(
                "`data_files` puts {} into `{target}`, which isn't below the environment's prefix",
                files.join(", ")
            );
            model.decide(Place::Settings("wheel"), text);
            continue;
        };
        for path in files {
            let Some(path) = there("data_files", &path, model) else { continue };
            let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
            let target = format!("{below}{name}");
            if model.data.iter().any(|(other, _)| *other == path) {
                let text = format!("`data_files` puts `{path}` into `{target}` as well");
                model.decide(Place::Settings("wheel"), text);
            } else {
                model.data.push((path, target));
            }
        }
    }
}

fn without_a_setting(recording: &Recording, model: &mut Model) {
    if let Some(value) = recording.argument("namespace_packages") {
        let text = format!(
            "`namespace_packages` was {value}: leave out the `__init__.py` of these packages, which makes them namespaces (PEP 420)"
        );
        model.decide(Place::Settings("packages"), text);
    }
    for own in recording.commands.iter().filter(|one| one.own && one.command != "build_ext") {
        let text = format!(
            "setup.py has its own command `{}` (class {}), which isn't carried over",
            own.command, own.class
        );
        model.decide(Place::Build, text);
    }
    if recording.has_distclass {
        let text = "setup.py has its own Distribution class, which isn't carried over";
        model.decide(Place::Build, text);
    }
    for (key, value) in &recording.arguments {
        if READ.contains(&key.as_str()) || super::is_empty(value) && !value.is_boolean() {
            continue;
        }
        match MEANINGLESS.iter().find(|(name, _)| name == key) {
            Some((_, why)) => model.dropped(format!("`{key}`: {why}")),
            None if super::is_empty(value) => {}
            None => {
                let value: String = value.to_string().chars().take(200).collect();
                model.decide(Place::Build, format!("`{key}` isn't carried over: {value}"));
            }
        }
    }
    for key in &recording.unknown {
        model.decide(Place::Build, format!("setup.cfg's `{key}` isn't known"));
    }
}
