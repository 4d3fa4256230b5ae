//! Static wheels for what is to be linked in and isn't there as one: they are built from source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ekiben_archive::normalize_name;
use ekiben_engine::process::Stop;
use ekiben_engine::{Cache, Digest};
use ekiben_freeze::program::{
    self, Base, Compiled, Installed, Link, Links, Program, Request, StaticWheels, Warning,
};
use ekiben_freeze::runtime::Runtime;
use ekiben_static::{Progress, Store};

/// Builds static wheels for programs of a runtime.
pub(crate) struct Statics<'a> {
    /// What programs are made of.
    pub(crate) base: &'a Base,
    /// The folder of the cache.
    pub(crate) cache: &'a Path,
    /// How packages are to be linked.
    pub(crate) links: &'a Links,
    /// Settings for the builds of packages, by their names in normal form.
    pub(crate) settings: &'a BTreeMap<String, Vec<String>>,
    /// Hears what is begun.
    pub(crate) say: &'a (dyn Fn(&str) + Sync),
    /// Says whether to stop.
    pub(crate) stop: Stop<'a>,
}

/// Why there are none.
#[derive(Debug)]
pub(crate) enum Failed {
    /// One can't be built.
    Static(ekiben_static::Error),
    /// One can't be put in place of what is installed.
    Program(program::Error),
}

impl Statics<'_> {
    /// Makes a program. What it has to load, and is asked to be linked in, is built first; so is what it
    /// would stop without, if it can't load it. The first `own` folders of modules aren't packages'.
    ///
    /// # Errors
    /// If something can't be built, or the program can't be made.
    pub(crate) fn make(
        &self,
        request: &mut Request,
        own: usize,
        cache: Option<&Cache>,
    ) -> Result<Program, Failed> {
        let base = self.base;
        // An interpreter of the machine has nothing linked in: whoever asks for that is told.
        if self.links.ask_for_static() && !base.is_host() {
            let modules = program::compiled(request, base, cache, self.stop);
            let owners = owners(&modules.map_err(Failed::Program)?).into_iter().flatten();
            let owners: BTreeSet<String> =
                owners.filter(|owner| self.links.of(owner) == Some(Link::Static)).collect();
            let warnings = self.replace(&mut request.site[own..], &owners)?;
            request.warnings.extend(warnings);
        }
        let modules = match program::freeze_until(request, base, cache, self.stop) {
            Err(program::Error::Compiled(modules)) if !base.is_host() => modules,
            made => return made.map_err(Failed::Program),
        };
        let owners: Option<BTreeSet<String>> = owners(&modules).into_iter().collect();
        let is_other = |owner: &String| self.links.of(owner) == Some(Link::Memory);
        // Where one came from isn't known, or it isn't to be linked in.
        let Some(owners) = owners.filter(|owners| !owners.iter().any(is_other)) else {
            return Err(Failed::Program(program::Error::Compiled(modules)));
        };
        let warnings = self.replace(&mut request.site[own..], &owners)?;
        request.warnings.extend(warnings);
        program::freeze_until(request, base, cache, self.stop).map_err(Failed::Program)
    }

    /// Puts static wheels of packages in place of them, in folders of installed packages.
    fn replace(
        &self,
        site: &mut [PathBuf],
        owners: &BTreeSet<String>,
    ) -> Result<Vec<Warning>, Failed> {
        let runtime = self.base.runtime().map_err(Failed::Program)?;
        let store = Store::new(self.cache);
        let progress = Progress { step: self.say, stop: self.stop };
        let mut places = Vec::new();
        for folder in site.iter().filter(|folder| folder.is_dir()) {
            let mut installed = program::installed(folder).map_err(Failed::Program)?;
            installed.retain(|name, _| owners.contains(name));
            for (key, Installed { name, version, .. }) in installed {
                let request = request(&runtime, &format!("{name}=={version}"));
                let mut request = request.map_err(Failed::Static)?;
                if let Some(settings) = self.settings.get(&key) {
                    request.settings.clone_from(settings);
                }
                places.push(store.build(&request, progress).map_err(Failed::Static)?.site);
            }
        }
        let wheels = StaticWheels {
            places: &places,
            links: self.links,
            python: &self.base.python,
            cache: self.cache,
        };
        program::replace_by_static(site, &wheels).map_err(Failed::Program)
    }
}

/// The distributions that modules are of, by their names in normal form; none for what is of no one.
fn owners(modules: &[Compiled]) -> Vec<Option<String>> {
    modules.iter().map(|it| it.distribution.as_deref().map(normalize_name)).collect()
}

/// What to build for a runtime, by its own build system's defaults.
///
/// # Errors
/// If the program's own file can't be found.
pub(crate) fn request(
    runtime: &Runtime,
    what: &str,
) -> Result<ekiben_static::Request, ekiben_static::Error> {
    let program = std::env::current_exe().map_err(|source| {
        let path = PathBuf::from("the program's own file");
        ekiben_static::Error::Io { action: "find", path, source }
    })?;
    let interpreter = &runtime.manifest.interpreter;
    let header = runtime.path(&format!("include/python{}/pyconfig.h", interpreter.python));
    let header = std::fs::read(&header).map_err(|source| ekiben_static::Error::Io {
        action: "read",
        path: header,
        source,
    })?;
    // How it was optimised, and what of Ekiben's own it has, is nothing to those that use its headers.
    let identity = (&interpreter.version, &interpreter.compiler, Digest::of(&header));
    let identity = serde_json::to_vec(&identity).unwrap_or_default();
    Ok(ekiben_static::Request {
        what: what.to_owned(),
        hashes: Vec::new(),
        python: runtime.interpreter(),
        version: interpreter.version.clone(),
        interpreter: Digest::of(&identity).to_string(),
        settings: Vec::new(),
        debug: false,
        program,
    })
}
