//! Which packages and modules are installed, and with which data.
//!
//! setuptools takes a list of all packages and patterns of data; Ekiben takes a package with all
//! that is below it. What only Ekiben would install is excluded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use walkdir::WalkDir;

use super::extensions::normal_path;
use super::recording::Recording;
use super::{strings, text_of};
use crate::flags::push_new;
use crate::model::{Model, Place};

/// How many folders may be listed in `exclude` before the list is left to a person.
const MOST_EXCLUDES: usize = 30;

pub(super) fn read(recording: &Recording, folder: &Path, model: &mut Model) {
    let mut packages = recording.argument("packages").map(strings).unwrap_or_default();
    packages.sort();
    packages.dedup();
    let modules = recording.argument("py_modules").map(strings).unwrap_or_default();
    let dirs: BTreeMap<String, String> = recording
        .argument("package_dir")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(package, dir)| (package.clone(), text_of(dir)))
        .collect();
    if packages.is_empty() && modules.is_empty() && dirs.is_empty() {
        // setuptools looks for packages then, and so does Ekiben.
        let text = "nothing says which packages there are; see `ekiben build --list-files`";
        model.check(Place::Settings("packages"), text);
        return;
    }
    let root = package_root(&dirs, &packages, model);
    let at_root = |path: &str| match root.as_str() {
        "." => path.to_owned(),
        root => format!("{root}/{path}"),
    };
    for name in modules {
        if name.parse::<ekiben_project::ModuleName>().is_ok() {
            model.modules.push(name.replace('/', "."));
        } else {
            model.decide(Place::Settings("modules"), format!("`{name}` isn't a module's name"));
        }
    }
    let top: Vec<&String> = packages
        .iter()
        .filter(|name| {
            !packages
                .iter()
                .any(|other| name.strip_prefix(other.as_str()).is_some_and(|r| r.starts_with('.')))
        })
        .collect();
    for name in top {
        if !folder.join(at_root(&name.replace('.', "/"))).is_dir() {
            let text = format!("there is no folder for the package `{name}`");
            model.decide(Place::Settings("packages"), text);
        } else if name.parse::<ekiben_project::ModuleName>().is_ok() {
            model.packages.get_or_insert_with(Vec::new).push(name.clone());
        } else {
            model.decide(Place::Settings("packages"), format!("`{name}` can't be imported"));
        }
    }
    if model.packages.is_none() && (!model.modules.is_empty() || !model.extensions.is_empty()) {
        model.packages = Some(Vec::new());
    }
    if root != "src" || !folder.join("src").is_dir() {
        model.package_root = (root != "." || folder.join("src").is_dir()).then(|| root.clone());
    }
    exclude(recording, folder, &root, &packages, model);
}

fn package_root(dirs: &BTreeMap<String, String>, packages: &[String], model: &mut Model) -> String {
    let mut root = dirs.get("").and_then(|dir| normal_path(dir)).unwrap_or_else(|| ".".to_owned());
    for (package, dir) in dirs.iter().filter(|(package, _)| !package.is_empty()) {
        let dir = normal_path(dir).unwrap_or_else(|| dir.clone());
        let path = package.replace('.', "/");
        let above = if dir == path { Some(".") } else { dir.strip_suffix(&format!("/{path}")) };
        match above {
            Some(above) if packages.len() <= 1 || dirs.len() == 1 => above.clone_into(&mut root),
            Some(above) if above == root => {}
            _ => {
                let text = format!(
                    "the package `{package}` lies in `{dir}`: move it to `{root}/{path}`, for a package's folder has its name"
                );
                model.decide(Place::Settings("packages"), text);
            }
        }
    }
    root
}

/// Whether setuptools was told to install no data.
fn no_data(recording: &Recording) -> bool {
    recording.arguments.get("include_package_data") == Some(&Value::Bool(false))
        && recording.argument("package_data").is_none()
}

/// Patterns for all files in packages but Python's own, which setuptools always installs.
fn data_patterns(base: &Path, root: &str, model: &Model) -> BTreeSet<String> {
    let mut patterns = BTreeSet::new();
    for name in model.packages.iter().flatten() {
        let walk = WalkDir::new(base.join(name.replace('.', "/"))).into_iter();
        for entry in walk.flatten().filter(|entry| entry.file_type().is_file()) {
            let Ok(below) = entry.path().strip_prefix(base) else { continue };
            let below = below.to_string_lossy().replace('\\', "/");
            let path = if root == "." { below } else { format!("{root}/{below}") };
            let Some((folder, file)) = path.rsplit_once('/') else { continue };
            match file.rsplit_once('.') {
                Some((_, "py" | "pyi" | "typed" | "pyc")) => {}
                Some((_, suffix)) => drop(patterns.insert(format!("{folder}/*.{suffix}"))),
                None => drop(patterns.insert(path)),
            }
        }
    }
    let inside = |pattern: &String| {
        model.exclude.iter().any(|folder| {
            folder.strip_suffix("**").is_some_and(|folder| pattern.starts_with(folder))
        })
    };
    patterns.retain(|pattern| !inside(pattern));
    patterns
}

/// Folders of packages that setuptools wouldn't install, and data that it wouldn't.
fn exclude(
    recording: &Recording,
    folder: &Path,
    root: &str,
    packages: &[String],
    model: &mut Model,
) {
    let base = folder.join(root);
    let mut folders = Vec::new();
    for name in model.packages.clone().unwrap_or_default() {
        let top = base.join(name.replace('.', "/"));
        let mut walk = WalkDir::new(&top).min_depth(1).sort_by_file_name().into_iter();
        while let Some(Ok(entry)) = walk.next() {
            if !entry.file_type().is_dir() {
                continue;
            }
            let Ok(below) = entry.path().strip_prefix(&base) else { continue };
            let below = below.to_string_lossy().replace('\\', "/");
            let is_package = entry.path().join("__init__.py").is_file();
            if is_package && !packages.contains(&below.replace('/', ".")) {
                folders.push(if root == "." { below } else { format!("{root}/{below}") });
                walk.skip_current_dir();
            }
        }
    }
    if folders.len() > MOST_EXCLUDES {
        let text = format!(
            "{} sub-packages aren't in setup.py's list, yet would be installed",
            folders.len()
        );
        model.decide(Place::Settings("exclude"), text);
    } else if !folders.is_empty() {
        model.exclude.extend(folders.into_iter().map(|folder| format!("{folder}/**")));
        let text = "these sub-packages weren't in the list of packages";
        model.check(Place::Settings("exclude"), text);
    }
    if no_data(recording) {
        let patterns = data_patterns(&base, root, model);
        if patterns.len() > MOST_EXCLUDES {
            let text = "`include_package_data` is false: data in packages weren't installed";
            model.decide(Place::Settings("exclude"), text);
        } else {
            for pattern in patterns {
                push_new(&mut model.exclude, pattern);
            }
        }
    } else if recording.argument("packages").is_some() {
        model.check(
            Place::Settings("packages"),
            "all files in these folders are installed, data too, except sources of extensions; see `ekiben build --list-files`",
        );
    }
    if let Some(data) = recording.argument("exclude_package_data").and_then(Value::as_object) {
        for (package, patterns) in data {
            for pattern in strings(patterns) {
                let dir = match (package.as_str(), root) {
                    ("" | "*", ".") => "**".to_owned(),
                    ("" | "*", root) => format!("{root}/**"),
                    (package, ".") => package.replace('.', "/"),
                    (package, root) => format!("{root}/{}", package.replace('.', "/")),
                };
                let glob = format!("{dir}/{pattern}");
                if glob.parse::<ekiben_project::Glob>().is_ok() {
                    model.exclude.push(glob);
                } else {
                    let text = format!("`{pattern}` of exclude_package_data isn't a pattern");
                    model.decide(Place::Settings("exclude"), text);
                }
            }
        }
    }
    let outside = recording
        .argument("package_data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .flat_map(|(package, patterns)| strings(patterns).into_iter().map(move |p| (package, p)))
        .filter(|(_, pattern)| pattern.split('/').any(|part| part == ".."));
    for (package, pattern) in outside {
        let text = format!("package_data of `{package}` names `{pattern}`, outside the package");
        model.decide(Place::Settings("packages"), text);
    }
}
