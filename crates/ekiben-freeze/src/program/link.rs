//! The interpreter of a program: the runtime's, or one that is linked anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use ekiben_engine::{Cache, Digest};

use super::find::Found;
use super::{Base, Error, Flavour, Request};
use crate::runtime::{Archive, Linked, Progress, Relink, Runtime, WantedLibraries};

/// The kind of the cache's records of interpreters that were linked anew.
const RELINKED: &str = "relinked";

/// An interpreter without an image.
pub(super) struct Interpreter {
    pub(super) bytes: Vec<u8>,
    /// Its builtin modules of CPython, if these aren't all.
    pub(super) builtins: Option<BTreeSet<String>>,
    /// Libraries that modules of packages brought into it.
    pub(super) libraries: Vec<Archive>,
}

/// The interpreter that a program needs.
pub(super) fn interpreter(
    request: &Request,
    flavour: Flavour,
    base: &Base,
    found: &Found,
    cache: Option<&Cache>,
) -> Result<Interpreter, Error> {
    let program = base.program(flavour)?;
    let read = |path: &Path| fs::read(path).map_err(Error::io("read", path));
    if !request.relink && found.statics.modules.is_empty() {
        let libraries = Vec::new();
        return Ok(Interpreter { bytes: read(program)?, builtins: None, libraries });
    }
    if request.relink && flavour != Flavour::Static {
        let message = "only an interpreter of the flavour `static` can be linked with less in it: \
                       shared objects may need all of a `dynamic` one";
        return Err(Error::Target(message.to_owned()));
    }
    let runtime = Runtime::open(base.folder())?;
    let needed = || found.report.standard.iter().map(|why| why.name.as_str()).collect();
    let builtins = match request.relink {
        true => runtime.builtins_for(&needed()),
        false => runtime.builtins(),
    };
    let stop = AtomicBool::new(false);
    let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
    let statics = &found.statics;
    let wanted = statics.modules.iter().map(|module| WantedLibraries {
        module: &module.why.name,
        owner: &module.distribution,
        wheel: module.wheel(),
        names: &module.libraries,
        libraries: statics.libraries_of(module),
    });
    let wanted: Vec<_> = wanted.collect();
    let libraries = runtime.libraries(&wanted, flavour, request.linker, progress)?;
    let modules = statics.modules.iter().map(|module| Linked {
        name: module.why.name.clone(),
        owner: module.distribution.clone(),
        init: module.init.clone(),
        object: module.object.clone(),
    });
    let modules: Vec<_> = modules.collect();

    // All that decides, by content.
    let digest = |path: &Path| Ok::<_, Error>(Digest::of(&read(path)?).to_string());
    let mut key = vec![runtime.manifest.digest.clone(), flavour.to_string()];
    key.extend(builtins.iter().cloned());
    for Linked { name, init, object, .. } in &modules {
        key.push(format!("module {name} {init} {}", digest(object)?));
    }
    key.extend(libraries.describe(digest)?);
    let key = key.join("\n");
    let kept = cache.and_then(|cache| cache.record_get(RELINKED, key.as_bytes()));
    let bytes = match kept {
        Some(bytes) => bytes,
        None => {
            let what = Relink {
                flavour,
                builtins: &builtins,
                modules: &modules,
                libraries: &libraries,
                linker: request.linker,
                cache,
            };
            let bytes = runtime.relink(&what, progress)?;
            if let Some(cache) = cache {
                // A cache that can't be written to costs the next run some time.
                let _ = cache.record_put(RELINKED, key.as_bytes(), &bytes);
            }
            bytes
        }
    };
    let builtins = request.relink.then_some(builtins);
    let mut libraries = libraries.archives;
    libraries.retain(|library| !library.is_object);
    Ok(Interpreter { bytes, builtins, libraries })
}
