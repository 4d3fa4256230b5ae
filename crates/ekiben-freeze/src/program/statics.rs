//! [`Statics`]: the compiled modules of a program that are there as objects, in static wheels, and are
//! linked in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ekiben_static::{Library, Manifest};
use serde::{Deserialize, Serialize};

use super::Error;
use super::inputs::Inputs;
use super::report::{Report, ReportedModule, Why};

/// A module that is linked in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StaticModule {
    pub(crate) why: Why,
    /// The distribution that it is from.
    pub(crate) distribution: String,
    /// Where it seems to be in the program.
    pub(crate) path: String,
    pub(crate) package: bool,
    pub(crate) object: PathBuf,
    /// The object's bytes.
    pub(crate) size: usize,
    pub(crate) init: String,
    /// The libraries that it needs, by name.
    pub(crate) libraries: Vec<String>,
    /// The manifest that it is from.
    pub(crate) manifest: PathBuf,
}

/// All that are linked in, with what they are linked with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statics {
    pub(crate) modules: Vec<StaticModule>,
    /// Libraries of each static wheel, by its manifest.
    libraries: BTreeMap<PathBuf, Vec<Library>>,
}

/// A module as the search has found it.
pub(crate) struct Found {
    pub(crate) why: Why,
    pub(crate) path: String,
    pub(crate) package: bool,
    pub(crate) manifest: PathBuf,
}

impl Statics {
    /// The setting `linked`: each module with the bytes of its object.
    pub(crate) fn setting(&self) -> String {
        let line = |module: &StaticModule| format!("{}\t{}", module.why.name, module.size);
        self.modules.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Takes the objects' sizes as they are now. What was found doesn't depend on what is in them: a
    /// module that was compiled anew is linked, and nothing else is done again.
    pub(crate) fn measure(&mut self, report: &mut Report) -> Result<(), Error> {
        for module in &mut self.modules {
            module.size = size_of(&module.object)?;
            let is_it = |it: &&mut ReportedModule| it.is_linked && it.why.name == module.why.name;
            if let Some(reported) = report.modules.iter_mut().find(is_it) {
                reported.code = module.size;
            }
        }
        Ok(())
    }

    /// The libraries of the wheel that a module is from.
    pub(crate) fn libraries_of(&self, module: &StaticModule) -> &[Library] {
        self.libraries.get(&module.manifest).map_or(&[], Vec::as_slice)
    }
}

impl StaticModule {
    /// The folder of its wheel.
    pub(crate) fn wheel(&self) -> &Path {
        wheel_of(&self.manifest)
    }
}

fn size_of(object: &Path) -> Result<usize, Error> {
    let metadata = fs::metadata(object).map_err(Error::io("read", object))?;
    Ok(usize::try_from(metadata.len()).unwrap_or(usize::MAX))
}

fn wheel_of(manifest: &Path) -> &Path {
    manifest.ancestors().nth(2).unwrap_or(manifest)
}

/// Collects modules that are linked in.
pub(crate) struct Collector<'a> {
    inputs: &'a mut Inputs,
    /// The series of Python that the program is of.
    python: &'a str,
    manifests: BTreeMap<PathBuf, Manifest>,
    found: Statics,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(inputs: &'a mut Inputs, python: &'a str) -> Self {
        Self { inputs, python, manifests: BTreeMap::new(), found: Statics::default() }
    }

    pub(crate) fn finish(mut self) -> Statics {
        self.found.modules.sort_by(|one, other| one.why.name.cmp(&other.why.name));
        self.found
    }

    /// Takes a module.
    pub(crate) fn take(&mut self, found: Found) -> Result<(), Error> {
        let Found { why, path, package, manifest } = found;
        let said = match self.manifests.get(&manifest) {
            Some(said) => said,
            None => {
                let said = self.read(&manifest)?;
                self.found.libraries.insert(manifest.clone(), said.libraries.clone());
                self.manifests.entry(manifest.clone()).or_insert(said)
            }
        };
        let Some(module) = said.modules.iter().find(|module| module.name == why.name) else {
            let message = format!(
                "its object for `{}` is said to be another module's; a folder may have been renamed",
                why.name
            );
            return Err(Error::Text { path: manifest, message });
        };
        let object = wheel_of(&manifest).join(&module.object);
        let size = size_of(&object)?;
        self.found.modules.push(StaticModule {
            why,
            distribution: said.name.clone(),
            path,
            package,
            object,
            size,
            init: module.init.clone(),
            libraries: module.libraries.clone(),
            manifest,
        });
        Ok(())
    }

    fn read(&mut self, path: &Path) -> Result<Manifest, Error> {
        self.inputs.read(path)?;
        let said = Manifest::read(path)?;
        if said.is_for(self.python) {
            return Ok(said);
        }
        let message = format!(
            "the static wheel of {} {} is for CPython {}, and the program has {}",
            said.name, said.version, said.python, self.python
        );
        Err(Error::Text { path: path.to_owned(), message })
    }
}
