//! What of a build goes into a runtime, and where.
//!
//! `make install` isn't used: it compiles every module three times, installs scripts with the prefix
//! in them, and leaves the build folder's path in what `sysconfig` reads.

use std::path::Path;

use super::configure::PREFIX;
use super::error::Error;
use super::interpreter::{Build, Recipe};
use super::libraries::Libraries;
use super::manifest::{Library, Module};
use super::run::Runner;
use super::{Request, code, digest, files, link, lto};

/// Parts of the standard library that no runtime has: what tests CPython, what needs Tk, what
/// installs pip from wheels beside it, and what shows how freezing works.
const NOT_TAKEN: [&str; 9] = [
    "__hello__.py",
    "__phello__",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "test",
    "tkinter",
    "turtle.py",
    "turtledemo",
];
/// Folders of tests and of compiled code, wherever they are.
const NOT_TAKEN_ANYWHERE: [&str; 3] = ["__pycache__", "tests", "idle_test"];
/// What of `NOT_TAKEN` CPython's own tests are, and need.
const TAKEN_WITH_TESTS: [&str; 3] = ["__hello__.py", "__phello__", "test"];
/// Tests that 3.11 has inside its packages.
const TESTS_OF_3_11: [&str; 2] = ["ctypes/test/", "unittest/test/"];
/// The folder of modules that are shared objects.
const SHARED: &str = "lib-dynload";
/// Folders that aren't in images, and whose modules needn't be right.
pub(super) const BESIDE_IMAGES: [&str; 2] = ["lib-dynload/", "test/"];
/// The object with the table of builtin modules.
pub(super) const INITTAB: &str = "lib/inittab.o";
/// What stands for the build folder where its path was written down.
const BUILD_FOLDER: &str = "/ekiben-build";
/// Makes what `sysconfig` reads follow the place of the interpreter.
const RELOCATE: &str = include_str!("relocate.py");

/// What determines the result, besides the build.
pub(super) fn recipe(request: &Request) -> String {
    let mut words = vec![NOT_TAKEN.join(" "), NOT_TAKEN_ANYWHERE.join(" "), RELOCATE.to_owned()];
    if request.python.minor() == 11 {
        words.push(TESTS_OF_3_11.join(" "));
    }
    if request.tests {
        words.push(TAKEN_WITH_TESTS.join(" "));
    }
    if request.lto {
        words.push(lto::recipe());
    }
    digest::of_bytes((words.join("\n") + code::SCRIPT).as_bytes())
}

/// The builtin modules, from the table that CPython compiles in.
pub(super) fn modules(build: &Build, libraries: &Libraries) -> Result<Vec<Module>, Error> {
    let path = build.source.join("Modules/config.c");
    let modules = table(&files::read_text(&path)?)
        .into_iter()
        .map(|(name, init)| {
            let linked = libraries.modules.iter().find(|(module, _)| *module == name);
            let linked = linked.map(|(_, libraries)| libraries.as_slice()).unwrap_or_default();
            Module { libraries: linked.iter().map(ToString::to_string).collect(), name, init }
        })
        .collect::<Vec<_>>();
    if modules.is_empty() {
        return Err(Error::Internal(format!("{} has no table of modules", path.display())));
    }
    Ok(modules)
}

/// The entries of `_PyImport_Inittab`.
fn table(config: &str) -> Vec<(String, Option<String>)> {
    let lines = config.lines().skip_while(|line| !line.contains("_PyImport_Inittab[]"));
    let entry = |line: &str| {
        let (name, init) = line.trim().strip_prefix("{\"")?.split_once("\", ")?;
        let init = init.trim_end_matches([',', '}']);
        Some((name.to_owned(), (init != "NULL").then(|| init.to_owned())))
    };
    lines.filter_map(entry).collect()
}

/// Puts all parts into the result's folder. Gives its libraries.
pub(super) fn install(
    build: &Build,
    recipe: &Recipe<'_>,
    runner: &mut Runner<'_>,
) -> Result<Vec<Library>, Error> {
    let python = format!("python{}", recipe.request.python.series());
    let (source, result) = (&build.source, &build.result);
    let interpreter = result.join("bin").join(&python);
    files::copy(&source.join("python"), &interpreter)?;
    let found = recipe.libraries.found.iter().filter(|library| !library.is_of_compiler);
    refuse_shared(&interpreter, &found.map(|library| library.name.as_str()).collect::<Vec<_>>())?;
    let stdlib = result.join("lib").join(&python);
    copy_stdlib(&source.join("Lib"), &stdlib, recipe.request.tests)?;
    // The interpreter looks for this folder, which stays empty but for modules of tests.
    files::create_folder(&stdlib.join(SHARED))?;
    let include = result.join("include").join(&python);
    files::copy_folder(&source.join("Include"), &include)?;
    files::copy(&source.join("pyconfig.h"), &include.join("pyconfig.h"))?;

    let libraries = install_libraries(build, recipe, runner)?;
    for (from, to) in [("LICENSE", "LICENSE"), ("Doc/license.rst", "incorporated-software.rst")] {
        files::copy(&source.join(from), &result.join("licenses/cpython").join(to))?;
    }
    relocate(build, &interpreter, &stdlib, runner)?;
    runner.step("Compiling the standard library")?;
    code::compile_tree(&interpreter, result, &format!("lib/{python}"), runner)?;
    Ok(libraries)
}

/// An error, if the interpreter takes a library from the machine that there is an archive of.
fn refuse_shared(interpreter: &Path, archives: &[&str]) -> Result<(), Error> {
    for needed in link::needed(interpreter, &files::read(interpreter)?)? {
        let name = needed.strip_prefix("lib").and_then(|rest| rest.split_once(".so"));
        if name.is_some_and(|(name, _)| archives.contains(&name)) {
            return Err(Error::Internal(format!(
                "the interpreter needs {needed}, of which there is an archive"
            )));
        }
    }
    Ok(())
}

fn copy_stdlib(from: &Path, to: &Path, with_tests: bool) -> Result<(), Error> {
    for (name, path) in files::list(from)? {
        let first = name.split('/').next().unwrap_or_default();
        let is_left = NOT_TAKEN.contains(&first)
            && !(with_tests && TAKEN_WITH_TESTS.contains(&first))
            || name.split('/').any(|part| NOT_TAKEN_ANYWHERE.contains(&part))
            || TESTS_OF_3_11.iter().any(|tests| name.starts_with(tests));
        if !is_left {
            files::copy(&path, &to.join(name))?;
        }
    }
    Ok(())
}

fn install_libraries(
    build: &Build,
    recipe: &Recipe<'_>,
    runner: &mut Runner<'_>,
) -> Result<Vec<Library>, Error> {
    let (source, result) = (&build.source, &build.result);
    let python = format!("python{}", recipe.request.python.series());
    let own = format!("lib{python}.a");
    let archive = result.join("lib").join(&own);
    files::copy(&source.join(&own), &archive)?;
    // A program may have another table.
    files::copy(&source.join("Modules/config.o"), &result.join(INITTAB))?;
    let mut command = build.command(recipe.toolchain.program("ar", runner)?);
    runner
        .run("taking the table of modules out", command.arg("dD").arg(&archive).arg("config.o"))?;
    let cpython = ["licenses/cpython/LICENSE", "licenses/cpython/incorporated-software.rst"];
    let part_of_cpython = |name: &str, file: &str, licence: &str| Library {
        name: name.to_owned(),
        file: Some(format!("lib/{file}")),
        licence: licence.to_owned(),
        licence_files: cpython.map(str::to_owned).into(),
        package: None,
        flavours: Vec::new(),
    };
    let mut libraries = vec![part_of_cpython(&python, &own, "PSF-2.0")];
    // What comes with CPython and is built as archives of its own.
    for (name, path) in files::list(&source.join("Modules"))? {
        let file = name.rsplit('/').next().unwrap_or(&name);
        if let Some(stem) = file.strip_prefix("lib").and_then(|rest| rest.strip_suffix(".a")) {
            files::copy(&path, &result.join("lib").join(file))?;
            let licence = match stem {
                "expat" => "MIT",
                "mpdec" => "BSD-2-Clause",
                _ if stem.starts_with("Hacl") => "MIT",
                _ => "PSF-2.0",
            };
            libraries.push(part_of_cpython(stem, file, licence));
        }
    }
    if recipe.request.lto {
        let own = libraries.iter().filter_map(|library| library.file.as_deref());
        for file in own.chain([INITTAB]) {
            lto::make_native(result, file, recipe.toolchain, runner)?;
        }
    }
    for found in &recipe.libraries.found {
        let file = (!found.is_of_compiler).then(|| format!("lib/lib{}.a", found.name));
        if let Some(file) = &file {
            files::copy(&found.path, &result.join(file))?;
            drop_unwind_tables(build, recipe, &result.join(file), runner)?;
        }
        let mut licence_files = Vec::new();
        if let Some(text) = &found.licence_text {
            let licence = format!("licenses/{}/copyright", found.name);
            files::copy(text, &result.join(&licence))?;
            licence_files.push(licence);
        }
        libraries.push(Library {
            name: found.name.clone(),
            file,
            licence: found.licence.clone(),
            licence_files,
            package: found.package.clone(),
            flavours: found.flavours.clone(),
        });
    }
    libraries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(libraries)
}

/// Drops from an archive of C code what CPython is compiled without.
fn drop_unwind_tables(
    build: &Build,
    recipe: &Recipe<'_>,
    archive: &Path,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    let mut command = build.command(recipe.toolchain.program("objcopy", runner)?);
    command.arg("--enable-deterministic-archives");
    command.args(["--remove-section=.eh_frame", "--remove-section=.rela.eh_frame"]);
    runner.run("dropping unwind tables", command.arg(archive))
}

/// Installs what `sysconfig` reads, without the places of the build.
fn relocate(
    build: &Build,
    interpreter: &Path,
    stdlib: &Path,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    let source = build.source.to_str().ok_or_else(|| Error::Input {
        message: format!("{} isn't UTF-8", build.source.display()),
        help: "choose another folder with --cache-dir".to_owned(),
    })?;
    let built = build.source.join(files::read_text(&build.source.join("pybuilddir.txt"))?.trim());
    for (name, path) in files::list(&built)? {
        if name.ends_with(".so") {
            files::copy(&path, &stdlib.join(SHARED).join(&name))?;
        }
    }
    for (name, path) in files::list(&built)? {
        if name.starts_with("_sysconfigdata_") && name.ends_with(".py") {
            let mut command = build.command(interpreter);
            command.args(["-S", "-s", "-B", "-c", RELOCATE]).arg(&path);
            command.args([source, BUILD_FOLDER, PREFIX]);
            let text = runner.output("reading the settings of the build", &mut command)?;
            files::write(&stdlib.join(&name), text)?;
            let platform = name.trim_end_matches(".py").rsplit('_').next().unwrap_or_default();
            let series = stdlib.file_name().unwrap_or_default().to_string_lossy();
            let series = series.trim_start_matches("python");
            let folder = stdlib.join(format!("config-{series}-{platform}"));
            let makefile = files::read_text(&build.source.join("Makefile"))?;
            files::write(&folder.join("Makefile"), makefile.replace(source, BUILD_FOLDER))?;
            return Ok(());
        }
    }
    Err(Error::Internal(format!("{} has no _sysconfigdata", built.display())))
}

/// An error, if a file holds the path of one of these folders.
pub(super) fn refuse_paths(result: &Path, folders: &[&Path]) -> Result<(), Error> {
    for (name, path) in files::list(result)? {
        let content = files::read(&path)?;
        for folder in folders {
            let folder = folder.as_os_str().as_encoded_bytes();
            if memchr::memmem::find(&content, folder).is_some() {
                return Err(Error::Internal(format!("the path of the build is in {name}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_builtin_modules_is_read() {
        let config = "extern PyObject* PyInit_array(void);\n\
            struct _inittab _PyImport_Inittab[] = {\n\n    {\"array\", PyInit_array},\n\n\
            /* Module main.c lives in pythonrun.c */\n    {\"builtins\", NULL},\n\
            \x20   {\"_warnings\", _PyWarnings_Init},\n    {0, 0}\n};\n";
        let expected = [
            ("array", Some("PyInit_array")),
            ("builtins", None),
            ("_warnings", Some("_PyWarnings_Init")),
        ];
        let expected = expected.map(|(name, init)| (name.to_owned(), init.map(str::to_owned)));
        assert_eq!(table(config), expected);
    }

    #[test]
    fn tests_and_what_needs_tk_stay_behind() {
        let work = tempfile::tempdir().unwrap();
        let from = work.path().join("from");
        for name in [
            "json/__init__.py",
            "json/__pycache__/x.pyc",
            "test/x.py",
            "tkinter/__init__.py",
            "turtle.py",
            "unittest/case.py",
            "unittest/test/test_case.py",
            "venv/scripts/common/activate",
        ] {
            files::write(&from.join(name), "").unwrap();
        }
        let copied = |with_tests| {
            let to = tempfile::tempdir().unwrap();
            copy_stdlib(&from, to.path(), with_tests).unwrap();
            files::list(to.path()).unwrap().into_keys().collect::<Vec<_>>()
        };
        let plain = ["json/__init__.py", "unittest/case.py", "venv/scripts/common/activate"];
        assert_eq!(copied(false), plain);
        let tests = ["json/__init__.py", "test/x.py"];
        assert_eq!(copied(true), [&tests, &plain[1..]].concat());
    }

    #[test]
    fn the_path_of_the_build_is_found_in_binaries() {
        let work = tempfile::tempdir().unwrap();
        files::write(&work.path().join("lib/x.a"), b"\0\x01/build/folder/x.c\0").unwrap();
        refuse_paths(work.path(), &[Path::new("/other")]).unwrap();
        let error = refuse_paths(work.path(), &[Path::new("/build/folder")]).unwrap_err();
        assert_eq!(error.to_string(), "the path of the build is in lib/x.a");
    }

    #[test]
    fn what_there_is_an_archive_of_isnt_taken_from_the_machine() {
        let work = tempfile::tempdir().unwrap();
        let main = "int main(void) { return 0; }\n";
        let main = crate::runtime::testing::compile(work.path(), "main", main, &[]);
        let program = work.path().join("program");
        let mut gcc = std::process::Command::new("gcc");
        gcc.arg(&main).args(["-Wl,--no-as-needed", "-lm", "-o"]).arg(&program);
        assert!(gcc.status().unwrap().success());
        refuse_shared(&program, &["z", "crypto"]).unwrap();
        let error = refuse_shared(&program, &["z", "m"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the interpreter needs libm.so.6, of which there is an archive"
        );
    }

    #[test]
    fn settings_of_the_build_follow_the_interpreter() {
        crate::runtime::testing::with_runner(|runner, folder| {
            let path = folder.join("_sysconfigdata.py");
            let text = "build_time_vars = {'A': '/build/x', 'B': '/prefix/lib', 'C': 1}\n";
            files::write(&path, text).unwrap();
            let mut command = std::process::Command::new(crate::runtime::testing::python());
            command.args(["-c", RELOCATE]).arg(&path).args(["/build", "/else", "/prefix"]);
            let mut printed = runner.output("relocating", &mut command).unwrap();
            printed.push_str("import sys; print(build_time_vars, sys.base_prefix)");
            let mut command = std::process::Command::new(crate::runtime::testing::python());
            let said = runner.output("using it", command.args(["-c", &printed])).unwrap();
            let (said, prefix) = said.trim().rsplit_once(' ').unwrap();
            let expected = format!("{{'A': '/else/x', 'B': '{prefix}/lib', 'C': 1}}");
            assert_eq!(said, expected);
        });
    }
}
