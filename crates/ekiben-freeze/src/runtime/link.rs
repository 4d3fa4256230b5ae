//! Linking interpreters that carry an image.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;
use super::install::INITTAB;
use super::manifest::{FlavourLink, Interpreter, Link};
use super::run::{self, Runner};
use super::toolchain::Toolchain;
use super::{Flavour, Parts, configure, files, interpreter, replaced, symbols};

/// The section that holds the image, and where it lies: in a segment of its own, after all others,
/// where there is room to grow.
pub(super) const SECTION: &str = ".ekiben_image";
pub(super) const ADDRESS: &str = "0x40000000";
/// Where Ekiben's object lies in a runtime.
const OBJECT: &str = "lib/ekiben_runtime.o";
/// The object with what a static program finds by name.
pub(super) const SYMBOLS: &str = "lib/symbols.o";
/// Has `main` bring tables of frozen modules of its own, and those of CPython's that they replace.
const OWN_FROZEN: &str = "-DEKIBEN_FROZEN";
pub(super) const FROZEN: [&str; 2] = ["_PyImport_FrozenStdlib", "_PyImport_FrozenTest"];
/// What a dynamic program may need: the parts of the C library, by their names of all ages.
const C_LIBRARY: [&str; 4] = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];

/// How programs are linked with this interpreter.
pub(super) fn plan(interpreter: &Interpreter, flavours: &[Flavour]) -> Link {
    let python = format!("lib/libpython{}.a", interpreter.python);
    let files = interpreter.libraries.iter().filter_map(|library| library.file.clone());
    let archives = files.filter(|archive| *archive != python).collect();
    let mut compile_flags = vec!["-O2".to_owned()];
    compile_flags.extend(configure::COMPILE_FLAGS.map(str::to_owned));
    compile_flags.push(format!("-Iinclude/python{}", interpreter.python));
    // 0.3 MB that are in the image too; CPython's tests ask for what is in them.
    if !interpreter.options.tests {
        compile_flags.push(OWN_FROZEN.to_owned());
    }
    let flavours = flavours.iter().map(|flavour| {
        let mut objects =
            vec![format!("lib/main-{flavour}.o"), OBJECT.to_owned(), INITTAB.to_owned()];
        if *flavour == Flavour::Static {
            objects.push(SYMBOLS.to_owned());
        }
        let how = FlavourLink {
            program: format!("bin/python{}-{flavour}", interpreter.python),
            compile_flags: match flavour {
                Flavour::Static => vec!["-DEKIBEN_STATIC".to_owned()],
                Flavour::Dynamic | Flavour::Host => Vec::new(),
            },
            objects,
            flags: flags(*flavour),
        };
        (*flavour, how)
    });
    Link {
        compile_flags,
        python,
        archives,
        libraries: ["-lm", "-ldl", "-lpthread"].map(str::to_owned).into(),
        flavours: flavours.collect(),
    }
}

fn flags(flavour: Flavour) -> Vec<String> {
    let mut flags: Vec<String> = [
        "-no-pie",
        // Nothing of it needs more of the compiler's own libraries at run time.
        "-static-libgcc",
        "-Wl,--gc-sections",
        "-Wl,--strip-all",
        "-Wl,--build-id=none",
    ]
    .map(str::to_owned)
    .into();
    flags.push(format!("-Wl,--section-start={SECTION}={ADDRESS}"));
    match flavour {
        Flavour::Static => flags.push("-static".to_owned()),
        Flavour::Dynamic | Flavour::Host => flags.push("-Wl,-export-dynamic".to_owned()),
    }
    flags
}

/// Compiles `main` and links the interpreters, in the runtime's folder. Gives the plan with the flags
/// that `main` asks for.
pub(super) fn link(
    root: &Path,
    mut link: Link,
    parts: Parts<'_>,
    toolchain: &Toolchain,
    runner: &mut Runner<'_>,
) -> Result<Link, Error> {
    let main_c = root.join("main.c");
    files::write(&main_c, parts.main_c)?;
    files::write(&root.join(OBJECT), parts.object)?;
    let command = || command(toolchain, root);
    if link.compile_flags.iter().any(|flag| flag == OWN_FROZEN) {
        let mut yields = run::command(toolchain.program("objcopy", runner)?);
        yields.current_dir(root).arg("--enable-deterministic-archives");
        yields.args(FROZEN.map(|table| format!("--weaken-symbol={table}"))).arg(&link.python);
        runner.run("having frozen modules replaced", &mut yields)?;
    }
    let members = replaced::members(&[&root.join(&link.python), &root.join(INITTAB)])?;
    for (flavour, how) in &mut link.flavours {
        runner.step(&format!("Linking {}", how.program))?;
        let object = format!("lib/main-{flavour}.o");
        let mut compile = command();
        compile.args(&link.compile_flags).args(&how.compile_flags);
        compile.args(["-c", "main.c", "-o", &object]);
        runner.run("compiling main.c", &mut compile)?;
        for name in replaced::names(&files::read(&root.join(&object))?) {
            replaced::check(&name, &members)?;
            how.flags.push(format!("-Wl,--wrap={name}"));
        }
    }
    std::fs::remove_file(&main_c).map_err(Error::io("remove", &main_c))?;
    if link.flavours.contains_key(&Flavour::Static) {
        let source = root.join("symbols.c");
        let python = root.join(&link.python);
        files::write(&source, symbols::source(&python, &c_library(toolchain, runner)?)?)?;
        let mut compile = command();
        // It declares what the compiler knows otherwise.
        compile.args(&link.compile_flags).args(["-w", "-c", "symbols.c", "-o", SYMBOLS]);
        runner.run("compiling symbols.c", &mut compile)?;
        std::fs::remove_file(&source).map_err(Error::io("remove", &source))?;
    }
    for (flavour, how) in &link.flavours {
        let mut command = command();
        command.args(arguments(&link, how)).args(["-o", &how.program]);
        runner.run(&format!("linking {}", how.program), &mut command)?;
        check(&root.join(&how.program), *flavour)?;
    }
    Ok(link)
}

/// The compiler, in a runtime's folder.
pub(super) fn command(toolchain: &Toolchain, root: &Path) -> Command {
    let mut command = toolchain.command();
    // Relative names, so that nothing written down depends on the place.
    command.current_dir(root);
    interpreter::reproducible(&mut command, 0);
    command
}

/// The archives of the C library.
pub(super) fn c_library(
    toolchain: &Toolchain,
    runner: &mut Runner<'_>,
) -> Result<Vec<PathBuf>, Error> {
    let mut archives = Vec::new();
    for name in ["c", "m"] {
        archives.extend(toolchain.archive(name, runner)?);
    }
    Ok(archives)
}

/// The arguments of a link in the runtime's folder.
pub(super) fn arguments(link: &Link, how: &FlavourLink) -> Vec<String> {
    let mut arguments = how.flags.clone();
    arguments.extend(how.objects.iter().cloned());
    for (before, names, after) in [
        ("-Wl,--whole-archive", std::slice::from_ref(&link.python), "-Wl,--no-whole-archive"),
        ("-Wl,--start-group", link.archives.as_slice(), "-Wl,--end-group"),
    ] {
        arguments.push(before.to_owned());
        arguments.extend(names.iter().cloned());
        arguments.push(after.to_owned());
    }
    arguments.extend(link.libraries.iter().cloned());
    arguments
}

/// The libraries that a program takes from the machine.
pub(super) fn needed(program: &Path, bytes: &[u8]) -> Result<Vec<String>, Error> {
    let binaries = ekiben_object::read(bytes).map_err(|error| {
        Error::Internal(format!("{} can't be read: {error}", program.display()))
    })?;
    Ok(binaries.into_iter().flat_map(|binary| binary.needed).collect())
}

/// What a program must have to carry an image, and what it may need.
fn check(program: &Path, flavour: Flavour) -> Result<(), Error> {
    let wrong = |message: &str| Err(Error::Internal(format!("{} {message}", program.display())));
    let bytes = files::read(program)?;
    if memchr::memmem::find(&bytes, SECTION.as_bytes()).is_none() {
        return wrong("has no section for an image: main.c must read it");
    }
    if flavour == Flavour::Static {
        return Ok(());
    }
    for library in needed(program, &bytes)? {
        // The loader is named after the architecture.
        if !C_LIBRARY.contains(&library.as_str()) && !library.starts_with("ld-linux") {
            return wrong(&format!("needs {library}, of which there is no archive"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_python_is_linked_and_archives_may_need_each_other() {
        let link = Link {
            compile_flags: Vec::new(),
            python: "lib/libpython3.13.a".into(),
            archives: vec!["lib/libssl.a".into(), "lib/libcrypto.a".into()],
            libraries: vec!["-lm".into()],
            flavours: std::collections::BTreeMap::new(),
        };
        let how = FlavourLink {
            program: "bin/x".into(),
            compile_flags: Vec::new(),
            objects: vec!["lib/main.o".into()],
            flags: vec!["-static".into()],
        };
        assert_eq!(
            arguments(&link, &how).join(" "),
            "-static lib/main.o -Wl,--whole-archive lib/libpython3.13.a -Wl,--no-whole-archive \
             -Wl,--start-group lib/libssl.a lib/libcrypto.a -Wl,--end-group -lm"
        );
    }
}
