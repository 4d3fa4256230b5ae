//! Linking an interpreter anew, with only the builtin modules that a program needs. What none of them
//! needs of CPython and the C libraries is dropped by the linker.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::error::Error;
use super::install::INITTAB;
use super::link::{self, SYMBOLS};
use super::manifest::Module;
use super::run::{Progress, Runner};
use super::toolchain::Toolchain;
use super::{Flavour, Runtime, files, symbols};

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
/// The module whose users look symbols up by name.
const LOOKS_UP: &str = "_ctypes";

impl Runtime {
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

    /// Links an interpreter of the flavour `static` with only some of its builtin modules, and gives
    /// its bytes.
    ///
    /// # Errors
    /// If the runtime has no such flavour, or there is no compiler, or it fails.
    pub fn relink(
        &self,
        modules: &BTreeSet<String>,
        progress: Progress<'_>,
    ) -> Result<Vec<u8>, Error> {
        let how =
            self.manifest.link.flavours.get(&Flavour::Static).ok_or_else(|| Error::Input {
                message: format!("{} has no interpreter of the flavour `static`", self.name()),
                help: "build a runtime with it: `ekiben runtime build --flavour all`".to_owned(),
            })?;
        // The linker works in it.
        let root = self.folder.canonicalize().map_err(Error::io("read", &self.folder))?;
        let work = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
        let at = |name: &str| work.path().join(name);
        let mut runner = Runner::new(progress, &at("log"))?;
        let toolchain = Toolchain::find(&mut runner)?;
        let plan = &self.manifest.link;
        let symbols = match modules.contains(LOOKS_UP) {
            true => {
                let c = link::c_library(&toolchain, &mut runner)?;
                symbols::source(&root.join(&plan.python), &c)?
            }
            false => symbols::no_source(),
        };
        runner.step("Linking an interpreter with what the program needs")?;
        for (name, text) in [("inittab", self.inittab(modules)), ("symbols", symbols)] {
            let source = at(&format!("{name}.c"));
            files::write(&source, text)?;
            let mut compile = link::command(&toolchain, &root);
            // It declares what the compiler knows otherwise.
            compile.args(&plan.compile_flags).args(["-w", "-c"]).arg(&source);
            compile.arg("-o").arg(at(&format!("{name}.o")));
            runner.run(&format!("compiling {name}.c"), &mut compile)?;
        }
        let mut how = how.clone();
        how.objects.retain(|object| object != INITTAB && object != SYMBOLS);
        let own = ["inittab.o", "symbols.o"].map(|name| at(name).display().to_string());
        how.objects.extend(own);
        let output = at("program");
        let mut command = link::command(&toolchain, &root);
        command.args(link::arguments(plan, &how));
        command.arg("-o").arg(&output);
        runner.run("linking an interpreter", &mut command)?;
        files::read(&output)
    }

    /// The C source of the table of builtin modules.
    fn inittab(&self, modules: &BTreeSet<String>) -> String {
        let all = self.manifest.interpreter.modules.iter();
        table(all.filter(|module| modules.contains(&module.name)))
    }
}

/// As `Modules/config.c` has it.
fn table<'a>(modules: impl Iterator<Item = &'a Module>) -> String {
    let mut text = String::new();
    let mut rows = String::new();
    for module in modules {
        let init = module.init.as_deref();
        // Writing to a string can't fail.
        if let Some(init) = init {
            let _ = writeln!(text, "extern void *{init}(void);");
        }
        let _ = writeln!(rows, "    {{\"{}\", {}}},", module.name, init.unwrap_or("0"));
    }
    format!(
        "{text}struct _inittab {{ const char *name; void *(*init)(void); }};\n\
         struct _inittab _PyImport_Inittab[] = {{\n{rows}    {{0, 0}}\n}};\n"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_what_it_is_told_to() {
        let module = |name: &str, init: Option<&str>| Module {
            name: name.to_owned(),
            init: init.map(str::to_owned),
            libraries: Vec::new(),
        };
        let modules = [module("math", Some("PyInit_math")), module("sys", None)];
        insta::assert_snapshot!(table(modules.iter()), @r#"
        extern void *PyInit_math(void);
        struct _inittab { const char *name; void *(*init)(void); };
        struct _inittab _PyImport_Inittab[] = {
            {"math", PyInit_math},
            {"sys", 0},
            {0, 0}
        };
        "#);
    }
}
