//! Linking an interpreter anew: with only those of its own modules that a program needs, with modules
//! of packages besides, or both. What nothing needs of all that is dropped by the linker.
//!
//! | module | what it is |
//! |---|---|
//! | [`libraries`] | what modules of packages are linked with, found before anything is linked |
//! | `table` | the C source of the table of builtin modules |
//! | `linker` | what differs between linkers |
//! | [`said`] | what linkers complain about |
//!
//! Invariants: a library of which there is no archive is an error before linking; the same modules and
//! libraries give the same bytes, wherever they lie.

mod libraries;
mod linker;
mod said;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ekiben_engine::Cache;

use super::error::Error;
use super::install::INITTAB;
use super::link::{self, SYMBOLS};
use super::manifest::{FlavourLink, Module};
use super::run::{Progress, Runner};
use super::toolchain::Toolchain;
use super::{Flavour, Runtime, files, symbols};

pub use libraries::{Archive, Libraries, NoArchive, Wanted};
pub use linker::Linker;
pub use said::Complaint;
pub(super) use said::shown;

/// Modules that the interpreter needs to start and to end, or that its own C code imports: those of
/// `Modules/Setup.bootstrap.in` of CPython.
const ALWAYS: [&str; 22] = [
    "_abc",
    "_codecs",
    "_collections",
    "_functools",
    "_io",
    "_locale",
    "_operator",
    "_signal",
    "_sre",
    "_stat",
    "_suggestions",
    "_symtable",
    "_thread",
    "_tracemalloc",
    "_typing",
    "_weakref",
    "atexit",
    "errno",
    "faulthandler",
    "itertools",
    "posix",
    "time",
];
/// Modules of the core, which are written by hand in `Modules/config.c.in`.
const CORE: [&str; 9] =
    ["_ast", "_imp", "_string", "_tokenize", "_warnings", "builtins", "gc", "marshal", "sys"];
/// The kind of the cache's records of objects that are compiled for a link.
const COMPILED: &str = "compiled-for-link";
/// The module whose users look symbols up by name.
const LOOKS_UP: &str = "_ctypes";

/// A module of a package that is to be linked in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Linked {
    /// Its dotted name.
    pub name: String,
    /// The distribution that it is from.
    pub owner: String,
    /// The function that makes it, which only its object has.
    pub init: String,
    /// Its object.
    pub object: PathBuf,
}

/// What interpreter to link.
#[derive(Debug, Clone, Copy)]
pub struct Relink<'a> {
    /// What it needs of the machine.
    pub flavour: Flavour,
    /// The builtin modules of CPython that it has.
    pub builtins: &'a BTreeSet<String>,
    /// Modules of packages.
    pub modules: &'a [Linked],
    /// What those are linked with.
    pub libraries: &'a Libraries,
    /// The linker; the compiler's own, if none is named.
    pub linker: Option<Linker>,
    /// Where objects are kept that the next link may have too.
    pub cache: Option<&'a Cache>,
}

impl Runtime {
    /// All of its builtin modules.
    #[must_use]
    pub fn builtins(&self) -> BTreeSet<String> {
        self.manifest.interpreter.modules.iter().map(|module| module.name.clone()).collect()
    }

    /// The builtin modules that a program has which needs some of them.
    #[must_use]
    pub fn builtins_for(&self, needed: &BTreeSet<&str>) -> BTreeSet<String> {
        let is_kept = |module: &&Module| {
            let name = module.name.as_str();
            needed.contains(name) || ALWAYS.contains(&name) || CORE.contains(&name)
        };
        let kept = self.manifest.interpreter.modules.iter().filter(is_kept);
        kept.map(|module| module.name.clone()).collect()
    }

    /// Links an interpreter, and gives its bytes.
    ///
    /// # Errors
    /// If the runtime has no such flavour, or there is no compiler, or it fails.
    pub fn relink(&self, what: &Relink<'_>, progress: Progress<'_>) -> Result<Vec<u8>, Error> {
        let flavour = what.flavour;
        let how = self.manifest.link.flavours.get(&flavour).ok_or_else(|| Error::Input {
            message: format!("{} has no interpreter of the flavour `{flavour}`", self.name()),
            help: "build a runtime with it: `ekiben runtime build --flavour all`".to_owned(),
        })?;
        let work = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
        let linked = self.relink_in(work.path(), what, how, progress);
        if linked.is_err() {
            // The error names the log.
            let _ = work.keep();
        }
        linked
    }

    fn relink_in(
        &self,
        work: &Path,
        what: &Relink<'_>,
        how: &FlavourLink,
        progress: Progress<'_>,
    ) -> Result<Vec<u8>, Error> {
        // The linker works in it.
        let root = self.folder.canonicalize().map_err(Error::io("read", &self.folder))?;
        let at = |name: &str| work.join(name);
        let mut runner = Runner::new(progress, &at("log"))?;
        let toolchain = Toolchain::find(&mut runner)?;
        let plan = &self.manifest.link;
        runner.step("Linking an interpreter with what the program needs")?;
        let mut own = vec![("inittab", self.table(what))];
        if what.flavour == Flavour::Static {
            let symbols = match what.builtins.contains(LOOKS_UP) {
                true => {
                    let c = link::c_library(&toolchain, &mut runner)?;
                    symbols::source(&root.join(&plan.python), &c)?
                }
                false => symbols::no_source(),
            };
            own.push(("symbols", symbols));
        }
        let mut how = how.clone();
        how.objects.retain(|object| object != INITTAB && object != SYMBOLS);
        for (name, source) in own {
            let object = at(&format!("{name}.o"));
            let key = [&toolchain.compiler.version, &plan.compile_flags.join(" "), &source];
            let key = key.map(String::as_str).join("\n");
            let kept = what.cache.and_then(|cache| cache.record_get(COMPILED, key.as_bytes()));
            if let Some(kept) = kept {
                files::write(&object, kept)?;
            } else {
                let file = at(&format!("{name}.c"));
                files::write(&file, source)?;
                let mut compile = link::command(&toolchain, &root);
                // It includes nothing, and declares what the compiler knows otherwise.
                compile.args(&plan.compile_flags).args(["-w", "-c"]).arg(&file);
                runner.run(&format!("compiling {name}.c"), compile.arg("-o").arg(&object))?;
                if let Some(cache) = what.cache {
                    // A cache that can't be written to costs the next run some time.
                    let _ = cache.record_put(COMPILED, key.as_bytes(), &files::read(&object)?);
                }
            }
            how.objects.push(object.display().to_string());
        }
        // By names that the linker's complaints can be understood by.
        std::fs::create_dir(at(said::MODULES)).map_err(Error::io("create", work))?;
        for module in what.modules {
            let object = at(said::MODULES).join(format!("{}.o", module.name));
            let target = absolute(&module.object)?;
            std::os::unix::fs::symlink(&target, &object).map_err(Error::io("create", &object))?;
            how.objects.push(object.display().to_string());
        }
        let mut plan = plan.clone();
        what.libraries.add_to(&mut plan, &mut how);
        if let Some(linker) = what.linker {
            linker.adapt(&mut how, work)?;
        }
        let output = at("program");
        let mut command = link::command(&toolchain, &root);
        command.args(link::arguments(&plan, &how));
        command.arg("-o").arg(&output);
        let linked = runner.run("linking an interpreter", &mut command);
        linked.map_err(|error| said::understood(error, what.modules))?;
        files::read(&output)
    }

    /// The C source of the table of builtin modules.
    fn table(&self, what: &Relink<'_>) -> String {
        let interpreter = &self.manifest.interpreter;
        let builtins = interpreter.modules.iter();
        let builtins = builtins.filter(|module| what.builtins.contains(&module.name));
        table::source(builtins, what.modules, &interpreter.python)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::io("resolve", path))
}
