//! `Extension()` objects, turned into settings.

use ekiben_project::{ModuleName, SearchPath};
use serde_json::Value;

use super::events::take_directives;
use super::recording::{RawExtension, Recording, STAND_IN};
use super::{strings, text_of};
use crate::flags::{add_compile_args, add_link_args, is_macro, push_new};
use crate::model::{Extension, Model, Place};

/// What a program that tells of a library is called in pkg-config's world. From the `.pc` files
/// that the libraries install.
const CONFIG_TOOLS: [(&str, &str); 10] = [
    ("xml2-config", "libxml-2.0"),
    ("xslt-config", "libxslt"),
    ("curl-config", "libcurl"),
    ("freetype-config", "freetype2"),
    ("gsl-config", "gsl"),
    ("icu-config", "icu-i18n"),
    ("libpng-config", "libpng"),
    ("nc-config", "netcdf"),
    ("pcre-config", "libpcre"),
    ("sdl2-config", "sdl2"),
];

pub(super) fn read(recording: &Recording, model: &mut Model) {
    for raw in &recording.extensions {
        let name = text_of(&raw.name);
        let built = recording.built.iter().flatten().find(|one| one.name == raw.name);
        let at = model.extensions.len();
        let mut notes = Vec::new();
        if name.parse::<ModuleName>().is_err() {
            let text = format!("the extension `{name}` has a name that can't be imported");
            model.decide(Place::Settings("extension"), text);
            continue;
        }
        let extension = convert(built.unwrap_or(raw), &mut notes, model);
        if built.is_some_and(|built| built.fields != raw.fields) {
            let class = recording.commands.iter().find(|one| one.command == "build_ext");
            let class = class.map_or("build_ext", |one| one.class.as_str());
            notes.push(format!(
                "partly set by the class {class} of setup.py, as on this machine ({})",
                recording.system
            ));
            model.extensions.push(extension);
            for note in notes {
                model.check(Place::Extension(at), note);
            }
        } else {
            model.extensions.push(extension);
            for note in notes {
                model.decide(Place::Extension(at), note);
            }
        }
        if recording.built.is_some() && built.is_none() {
            let text = "setup.py's own build_ext didn't build it here: it depends on a test";
            model.decide(Place::Extension(at), text);
        }
    }
    for strange in &recording.strange_extensions {
        let text = format!("an extension isn't carried over: {strange}");
        model.decide(Place::Settings("extension"), text);
    }
    if let Some(error) = &recording.build_ext_error {
        let class = recording.commands.iter().find(|one| one.command == "build_ext");
        let class = class.map_or("build_ext", |one| one.class.as_str());
        let text = format!("what the class {class} of setup.py does isn't known: {error}");
        model.decide(Place::Settings("extension"), text);
    }
}

fn convert(raw: &RawExtension, notes: &mut Vec<String>, model: &mut Model) -> Extension {
    let list = |key: &str| raw.fields.get(key).map(strings).unwrap_or_default();
    let mut extension = Extension { name: text_of(&raw.name), ..Extension::default() };
    for source in list("sources") {
        match normal_path(&source) {
            Some(path) => push_new(&mut extension.sources, path),
            None => notes.push(format!("the source `{source}` lies outside the project")),
        }
    }
    if extension.sources.is_empty() {
        notes.push("it has no sources that are known".to_owned());
    }
    for path in list("depends") {
        match normal_path(&path) {
            Some(path) => push_new(&mut extension.depends, path),
            None => notes.push(format!("`depends` names `{path}`, outside the project")),
        }
    }
    for folder in list("include_dirs") {
        match place_of(&folder, &mut extension, notes) {
            Some(folder) => push_new(&mut extension.include_dirs, folder),
            None => continue,
        }
    }
    for folder in list("library_dirs") {
        if let Some(folder) = place_of(&folder, &mut extension, notes) {
            push_new(&mut extension.library_dirs, folder);
        }
    }
    for library in list("libraries") {
        let bare = library.strip_prefix("-l").unwrap_or(&library);
        push_new(&mut extension.libraries, bare.to_owned());
    }
    define(raw, &mut extension, notes);
    for key in ["extra_compile_args", "extra_link_args"] {
        let (stood_in, args): (Vec<String>, Vec<String>) =
            list(key).into_iter().partition(|arg| arg.contains(STAND_IN));
        for arg in stood_in {
            let at = arg.find(STAND_IN).unwrap_or_default();
            place_of(&arg[at..], &mut extension, notes);
        }
        notes.extend(if key == "extra_link_args" {
            add_link_args(&mut extension, &args)
        } else {
            add_compile_args(&mut extension, &args)
        });
    }
    let bad_undefines: Vec<String> =
        list("undef_macros").into_iter().filter(|name| !is_macro(name)).collect();
    extension.undefine.extend(list("undef_macros").into_iter().filter(|name| is_macro(name)));
    notes.extend(bad_undefines.iter().map(|name| format!("`undef_macros` names `{name}`")));
    language(raw, &mut extension, notes);
    others(raw, &mut extension, notes);
    let unknown = raw.fields.get("unknown").and_then(Value::as_object);
    for (key, value) in unknown.into_iter().flatten() {
        if key == "cython_directives" && take_directives("compiler_directives", value, model) {
            let text = format!("the directives of `{}` hold for all extensions", extension.name);
            model.check(Place::Settings("options"), text);
        } else {
            notes.push(format!("`{key} = {value}` isn't carried over"));
        }
    }
    if extension.sources.iter().any(|source| source.ends_with(".pyx")) {
        model.build_require("Cython");
    }
    extension
}

fn define(raw: &RawExtension, extension: &mut Extension, notes: &mut Vec<String>) {
    for pair in raw.fields.get("define_macros").and_then(Value::as_array).into_iter().flatten() {
        let name = pair.get(0).map(text_of).unwrap_or_default();
        let value = pair.get(1).filter(|value| !value.is_null()).map(text_of);
        if is_macro(&name) {
            extension.define.insert(name, value);
        } else if !name.is_empty() {
            let value = value.map_or(String::new(), |value| format!("={value}"));
            extension.compile_args.push(format!("-D{name}{value}"));
        } else {
            notes.push(format!("`define_macros` has an entry that isn't a pair: {pair}"));
        }
    }
}

fn language(raw: &RawExtension, extension: &mut Extension, notes: &mut Vec<String>) {
    let Some(language) = raw.fields.get("language").and_then(Value::as_str) else { return };
    match language.to_ascii_lowercase().as_str() {
        "c++" | "cxx" => {
            let is_cxx = |source: &String| {
                [".cpp", ".cc", ".cxx", ".C"].iter().any(|suffix| source.ends_with(suffix))
            };
            // The suffixes say it already.
            if !extension.sources.iter().all(is_cxx) {
                extension.language = Some("c++".to_owned());
            }
        }
        "c" => {}
        "f77" | "f90" | "fortran" => extension.language = Some("fortran".to_owned()),
        other => notes.push(format!("`language = \"{other}\"` isn't carried over")),
    }
}

fn others(raw: &RawExtension, extension: &mut Extension, notes: &mut Vec<String>) {
    let list = |key: &str| raw.fields.get(key).map(strings).unwrap_or_default();
    let set = |key: &str| raw.fields.get(key).is_some_and(|value| !super::is_empty(value));
    for folder in list("runtime_library_dirs") {
        notes.push(format!("the library folder `{folder}` at run time became `-Wl,-rpath`"));
        extension.link_args.push(format!("-Wl,-rpath,{folder}"));
    }
    if set("extra_objects") {
        notes.push(format!(
            "`extra_objects` isn't carried over: link the libraries by name: {}",
            list("extra_objects").join(", ")
        ));
    }
    if set("export_symbols") {
        notes.push(format!(
            "`export_symbols` isn't carried over: only the init function is visible: {}",
            list("export_symbols").join(", ")
        ));
    }
    if set("swig_opts") || extension.sources.iter().any(|source| source.ends_with(".i")) {
        notes.push(format!("SWIG isn't run: {}", list("swig_opts").join(" ")));
    }
    if set("optional") {
        notes.push("`optional`: with Ekiben a failure to compile it fails the build".to_owned());
    }
    if set("py_limited_api") || extension.define.contains_key("Py_LIMITED_API") {
        let value = extension.define.remove("Py_LIMITED_API").flatten();
        extension.limited_api = Some(match value.as_deref().and_then(limited_api) {
            Some(version) => version,
            None => {
                notes.push("which Python the limited API is that of isn't known".to_owned());
                "3.9".to_owned()
            }
        });
    }
    if !matches!(raw.class.as_str(), "Extension" | "Pybind11Extension") {
        notes.push(format!("it is made by the class {}, which may do more", raw.class));
    }
}

/// The version in `0x03080000`, as `Py_LIMITED_API` has it (C API documentation, "Stable ABI").
fn limited_api(value: &str) -> Option<String> {
    let digits = value.trim().strip_prefix("0x").or(value.trim().strip_prefix("0X"))?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let (major, minor) = (number >> 24, (number >> 16) & 0xff);
    (major == 3).then(|| format!("{major}.{minor}"))
}

/// What an include or library folder is in the settings; `None` if it became something else.
fn place_of(folder: &str, extension: &mut Extension, notes: &mut Vec<String>) -> Option<String> {
    let Some(rest) = folder.strip_prefix(STAND_IN) else {
        let folder = if folder.is_empty() { "." } else { folder };
        let known = normal_path(folder).unwrap_or_else(|| folder.to_owned());
        if known.parse::<SearchPath>().is_err() {
            notes.push(format!("the folder `{folder}` lies outside the project"));
            return None;
        }
        if known.starts_with('/') {
            notes.push(format!("`{known}` is a folder of this machine"));
        }
        return Some(known);
    };
    match rest.split_once('/') {
        Some(("uses", capability)) => push_new(&mut extension.uses, capability.to_owned()),
        Some(("package", path)) => return Some(format!("package:{path}")),
        Some(("tool", program)) => {
            match CONFIG_TOOLS.iter().find(|(name, _)| *name == program) {
                Some((_, package)) => {
                    push_new(&mut extension.uses, format!("pkg-config:{package}"));
                }
                None => notes.push(format!(
                    "setup.py asks `{program}` for flags: name the library in `libraries`, or as `pkg-config:…` in `uses`"
                )),
            }
        }
        Some((_, what)) => {
            notes.push(format!("setup.py takes a folder from `{what}`, which isn't known here"));
        }
        None => {}
    }
    None
}

/// `./a/../b` as `b`; `None` if it leads out of the project.
pub(super) fn normal_path(path: &str) -> Option<String> {
    if path.contains(STAND_IN) || path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read_one(fields: BTreeMap<String, Value>) -> (Extension, Vec<String>) {
        let raw = RawExtension { name: "spam".into(), class: "Extension".to_owned(), fields };
        let mut notes = Vec::new();
        let extension = convert(&raw, &mut notes, &mut Model::default());
        (extension, notes)
    }

    #[test]
    fn stand_ins_become_uses_and_packages() {
        let fields = serde_json::json!({
            "sources": ["./a.c", "lib/../b.c", "../c.c"],
            "include_dirs": [
                "/ekiben-stand-in/uses/numpy", "/ekiben-stand-in/package/cppy/include",
                "/ekiben-stand-in/tool/xml2-config", "inc", "",
            ],
            "extra_link_args": ["-L/ekiben-stand-in/uses/pkg-config:zlib"],
        });
        let (extension, notes) = read_one(serde_json::from_value(fields).unwrap_or_default());
        assert_eq!(extension.sources, ["a.c", "b.c"]);
        assert_eq!(extension.uses, ["numpy", "pkg-config:libxml-2.0", "pkg-config:zlib"]);
        assert_eq!(extension.include_dirs, ["package:cppy/include", "inc", "."]);
        assert_eq!(notes, ["the source `../c.c` lies outside the project"]);
    }

    #[test]
    fn the_limited_api_is_named_by_its_version() {
        assert_eq!(limited_api("0x03080000").as_deref(), Some("3.8"));
        assert_eq!(limited_api("0x030a0000").as_deref(), Some("3.10"));
        assert_eq!(limited_api("PY_VERSION_HEX"), None);
    }
}
