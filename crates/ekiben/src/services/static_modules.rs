//! What the service `program` does for the project's own extension modules: it makes of their objects and
//! names what a static wheel holds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ekiben_core::ServiceFiles;
use ekiben_engine::ActionError;
use ekiben_object::{Error, elf};
use ekiben_static::{FORMAT, Library, Manifest, Module, Toolchain};
use serde::Deserialize;

/// What the name of a package's own module ends with, if it is said that it is one.
const PACKAGE: &str = ".__init__";

/// A plan to isolate a module.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Isolate {
    /// Its dotted name.
    module: String,
}

impl Isolate {
    pub(super) fn run(&self, files: &ServiceFiles<'_>) -> Result<(), ActionError> {
        let object = std::fs::read(files.input("module")?)?;
        let wrong =
            |error: Error| ActionError::new(format!("the object of `{}`: {error}", self.module));
        let defined = elf::defined(&object).map_err(wrong)?;
        let name = in_program(&self.module);
        let Some(function) = init_function(name, &defined) else {
            let short = name.rsplit('.').next().unwrap_or(name);
            return Err(ActionError {
                message: format!("`{}` has no init function `PyInit_{short}`", self.module),
                hint: Some("one of its sources has to define it, for all to see".to_owned()),
            });
        };
        let kept = BTreeMap::from([(function, ekiben_static::symbol(name))]);
        files.write("isolated", &elf::isolate(&object, &kept, &BTreeMap::new()).map_err(wrong)?)
    }
}

/// The function that makes a module: that of PEP 489, or one of its whole name, as generators make them
/// for programs.
fn init_function<'a>(module: &str, defined: &'a [String]) -> Option<&'a str> {
    let short = module.rsplit('.').next().unwrap_or(module);
    let known = [module.replace('.', "__"), short.to_owned(), "__init__".to_owned()];
    let known = known.map(|name| format!("PyInit_{name}"));
    let exact = known.iter().find_map(|known| defined.iter().find(|name| *name == known));
    // What isn't in ASCII is in Punycode.
    exact.or_else(|| defined.iter().find(|name| name.starts_with("PyInitU_"))).map(String::as_str)
}

/// A plan to write a static wheel's manifest.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Describe {
    name: String,
    version: String,
    /// The release of CPython.
    python: String,
    compiler: String,
    linker: String,
    modules: Vec<DescribedModule>,
    libraries: Vec<DescribedLibrary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DescribedModule {
    name: String,
    object: String,
    libraries: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DescribedLibrary {
    name: String,
    archive: Option<PathBuf>,
}

impl Describe {
    pub(super) fn run(self, files: &ServiceFiles<'_>) -> Result<(), ActionError> {
        files.write("manifest", self.manifest().text().as_bytes())
    }

    fn manifest(self) -> Manifest {
        let modules = self.modules.into_iter().map(|module| Module {
            name: in_program(&module.name).to_owned(),
            file: format!("{}.so", module.object.trim_end_matches(".o")),
            init: ekiben_static::symbol(in_program(&module.name)),
            object: module.object,
            libraries: module.libraries,
        });
        let libraries = self.libraries.into_iter().map(|library| Library {
            name: library.name,
            archive: library.archive,
            ..Library::default()
        });
        Manifest {
            format: FORMAT,
            ekiben: env!("CARGO_PKG_VERSION").to_owned(),
            name: self.name,
            version: self.version,
            sdist: None,
            python: self.python,
            toolchain: Toolchain { compiler: self.compiler, linker: self.linker },
            modules: modules.collect(),
            libraries: libraries.collect(),
        }
    }
}

/// The name that a module is imported by.
fn in_program(module: &str) -> &str {
    module.strip_suffix(PACKAGE).unwrap_or(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_functions_are_found_by_any_of_their_names() {
        let find = |module, defined: &[&str]| {
            let defined: Vec<String> = defined.iter().map(|name| (*name).to_owned()).collect();
            init_function(in_program(module), &defined).map(str::to_owned)
        };
        let both = ["PyInit__core", "PyInit_spam___core", "helper"];
        assert_eq!(find("spam._core", &both).as_deref(), Some("PyInit_spam___core"));
        assert_eq!(find("spam._core", &both[..1]).as_deref(), Some("PyInit__core"));
        assert_eq!(find("spam.__init__", &["PyInit_spam"]).as_deref(), Some("PyInit_spam"));
        let coded = "PyInitU_lanmt_2sa6t";
        assert_eq!(find("spam.lančmít", &[coded]).as_deref(), Some(coded));
        assert_eq!(find("spam._core", &["PyInit__cor", "helper"]), None);
    }

    #[test]
    fn a_manifest_names_modules_as_they_are_imported() {
        let plan = serde_json::json!({
            "name": "Spam", "version": "1.0", "python": "3.13.5",
            "compiler": "gcc version 12.2", "linker": "GNU ld 2.40",
            "modules": [{
                "name": "spam.__init__",
                "object": "spam/__init__.cpython-313-x86_64-linux-gnu.o",
                "libraries": ["z"],
            }],
            "libraries": [{ "name": "z", "archive": null }],
        });
        let described: Result<Describe, _> = serde_json::from_value(plan);
        let manifest = described.map(Describe::manifest).ok();
        let module = manifest.as_ref().and_then(|manifest| manifest.modules.first());
        let module = module.map(|it| (it.name.as_str(), it.init.as_str(), it.file.as_str()));
        let file = "spam/__init__.cpython-313-x86_64-linux-gnu.so";
        assert_eq!(module, Some(("spam", "ekiben_init_spam", file)));
    }
}
