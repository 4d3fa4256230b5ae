//! Static wheels for what is to be linked in and isn't there as one: they are built from source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ekiben_archive::normalize_name;
use ekiben_engine::process::Stop;
use ekiben_engine::{Cache, Digest};
use ekiben_freeze::program::{
    self, Base, Compiled, Flavour, Installed, Link, Links, Need, Program, Request, Sources,
    StaticWheels, Warning,
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
    /// Which sources packages may be built from.
    pub(crate) sources: &'a Sources,
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
            let modules = modules.map_err(Failed::Program)?;
            let mut wanted: BTreeMap<String, Need> = BTreeMap::new();
            for (owner, module) in owners(&modules).into_iter().zip(&modules) {
                let is_asked = |owner: &String| self.links.of(owner) == Some(Link::Static);
                if let Some(owner) = owner.filter(is_asked) {
                    let need = wanted.entry(owner).or_insert(module.need);
                    *need = module.need.max(*need);
                }
            }
            self.replace(request, own, &wanted)?;
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
        let wanted = owners.into_iter().map(|owner| (owner, Need::Module)).collect();
        self.replace(request, own, &wanted)?;
        program::freeze_until(request, base, cache, self.stop).map_err(Failed::Program)
    }

    /// Puts static wheels of packages in place of them, in folders of installed packages. What the program
    /// can do without may fail to be built: then a warning says what becomes of it.
    fn replace(
        &self,
        request: &mut Request,
        own: usize,
        wanted: &BTreeMap<String, Need>,
    ) -> Result<(), Failed> {
        let runtime = self.base.runtime().map_err(Failed::Program)?;
        let store = Store::new(self.cache);
        let progress = Progress { step: self.say, stop: self.stop };
        let mut places = Vec::new();
        let mut without = BTreeSet::new();
        for folder in request.site[own..].iter().filter(|folder| folder.is_dir()) {
            for (key, installed) in program::installed(folder).map_err(Failed::Program)? {
                let Some(need) = wanted.get(&key).copied() else { continue };
                let Installed { name, version, .. } = &installed;
                let built = pinned(&runtime, name, version, self.sources).and_then(|request| {
                    let settings = self.settings.get(&key).cloned().unwrap_or_default();
                    store.build(&ekiben_static::Request { settings, ..request }, progress)
                });
                match built {
                    Ok(wheel) => places.push(wheel.site),
                    Err(error) if need < Need::Module && !request.strict && is_its_own(&error) => {
                        // A dynamic program can load it.
                        let is_left = need == Need::Nothing
                            && request.flavour.is_none_or(|it| it == Flavour::Static);
                        request.warnings.push(unlinked(&installed, is_left, &error));
                        if is_left {
                            without.insert(key);
                        }
                    }
                    Err(error) => return Err(Failed::Static(error)),
                }
            }
        }
        let wheels = StaticWheels {
            places: &places,
            links: self.links,
            without: &without,
            python: &self.base.python,
            cache: self.cache,
        };
        let replaced = program::replace_by_static(&mut request.site[own..], &wheels);
        request.warnings.extend(replaced.map_err(Failed::Program)?);
        Ok(())
    }
}

/// Whether an error is about one package, rather than about the machine.
fn is_its_own(error: &ekiben_static::Error) -> bool {
    use ekiben_static::Error as E;

    !matches!(error, E::Interrupted | E::Io { .. } | E::NoInstaller)
}

/// The warning of a package that isn't linked in, for there is no static wheel of it.
fn unlinked(installed: &Installed, is_left: bool, error: &ekiben_static::Error) -> Warning {
    let Installed { name, version, .. } = installed;
    let what = match is_left {
        true => {
            "is left out as if it weren't installed, since the program imports it only where it can \
                 do without it"
        }
        false => "isn't linked in",
    };
    let said = error.to_string();
    let why = match error {
        ekiben_static::Error::Build { log: Some(log), .. } => {
            format!(
                "it can't be built from source; all that its build said is in {}",
                log.display()
            )
        }
        _ => said.lines().next().unwrap_or_default().to_owned(),
    };
    let message = format!("{name} {version} {what}: {why}");
    Warning { code: "not-linked".to_owned(), message, file: None, line: 0 }
}

/// The distributions that modules are of, by their names in normal form; none for what is of no one.
fn owners(modules: &[Compiled]) -> Vec<Option<String>> {
    modules.iter().map(|it| it.distribution.as_deref().map(normalize_name)).collect()
}

/// What to build for a runtime of a package of which that version is installed.
///
/// # Errors
/// If it is locked, and no source of it is; as [`request`].
pub(crate) fn pinned(
    runtime: &Runtime,
    name: &str,
    version: &str,
    sources: &Sources,
) -> Result<ekiben_static::Request, ekiben_static::Error> {
    let request = request(runtime, &format!("{name}=={version}"))?;
    match sources.get(name, version) {
        None => Ok(request),
        Some([]) => {
            let what = format!("{name} {version}");
            Err(ekiben_static::Error::Hash { what, hashes: Vec::new() })
        }
        Some(hashes) => Ok(ekiben_static::Request { hashes: hashes.to_vec(), ..request }),
    }
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
