//! Link-time optimisation: gcc optimises all of CPython at once, and what comes of it is machine code
//! like any other.
//!
//! CPython is compiled to objects that hold both machine code and what gcc optimises across files
//! (`-ffat-lto-objects`). Whatever the build links is linked of the former, in seconds. Then the members
//! of its library are joined to one object, once, and nothing that is linked with it knows of that.
//!
//! Invariants: the object gives what its members gave, each function in a section of its own, so that
//! linkers drop what nothing needs; what has another form in programs is called from other objects (see
//! [`super::replaced`]); no library of a runtime holds anything but machine code.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use ekiben_object::elf::{linkage, members};

use super::error::Error;
use super::link::{self, FROZEN};
use super::run::Runner;
use super::toolchain::Toolchain;
use super::{configure, files};

/// What C code is compiled with besides.
pub(super) const COMPILE_FLAGS: [&str; 2] = ["-flto", "-ffat-lto-objects"];
/// What has a link take machine code.
pub(super) const NATIVE: &str = "-fno-lto";
/// How objects are joined. As one partition: several would give names to what is of one file only.
const JOIN_FLAGS: [&str; 7] = [
    "-r",
    "-nostdlib",
    "-no-pie",
    "-O3",
    "-flto",
    "-flto-partition=none",
    "-flinker-output=nolto-rel",
];
/// Functions of CPython in whose place programs have their own. What calls them runs once or seldom.
const REPLACED: [&str; 5] = [
    "PyInit__curses",
    "PyInit_readline",
    "PyMarshal_ReadObjectFromString",
    "_PyConfig_InitPathConfig",
    "_PyGC_Init",
];
/// What all names of sections begin with that gcc reads again.
const SECTIONS: &str = ".gnu.lto_";
/// The object of what is joined.
const JOINED: &str = "cpython.o";
/// How many names an error shows.
const SHOWN: usize = 5;

/// What determines the result, besides flags of the compiler.
pub(super) fn recipe() -> String {
    format!("{} {} {}", JOIN_FLAGS.join(" "), REPLACED.join(" "), FROZEN.join(" "))
}

/// An error, if the compiler can't do it.
pub(super) fn try_out(
    toolchain: &Toolchain,
    scratch: &Path,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    let source = scratch.join("tried.c");
    files::write(&source, "int tried(void) { return 1; }\n")?;
    let mut compile = link::command(toolchain, scratch);
    compile.args(COMPILE_FLAGS).args(["-c", "tried.c", "-o", "tried.o"]);
    let mut join = link::command(toolchain, scratch);
    join.args(JOIN_FLAGS).args(["tried.o", "-o", "joined.o"]);
    let tried = runner
        .run("trying link-time optimisation", &mut compile)
        .and_then(|()| runner.run("trying link-time optimisation", &mut join));
    match tried {
        Err(Error::Step { .. }) => Err(Error::Input {
            message: format!("the compiler `{}` can't do --lto", toolchain.compiler.version),
            help: "name a gcc that has link-time optimisation in CC, or leave --lto away"
                .to_owned(),
        }),
        other => other,
    }
}

/// Has members of a library in `folder` optimised across files, which become one.
pub(super) fn join(
    folder: &Path,
    library: &str,
    toolchain: &Toolchain,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    // Names that are relative to it don't depend on its place.
    let work = folder.join("ekiben-lto");
    files::create_folder(&work)?;
    let path = folder.join(library);
    let bytes = files::read(&path)?;
    let damaged = |error: ekiben_object::Error| Error::Archive {
        path: path.clone(),
        message: error.to_string(),
    };
    let (mut joined, mut apart, mut given) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (at, (name, object)) in members(&bytes).map_err(damaged)?.into_iter().enumerate() {
        let linkage = linkage(object).map_err(damaged)?;
        // Several may have one name.
        let file = Path::new(&at.to_string()).join(&name);
        files::write(&work.join(&file), object)?;
        let stays = REPLACED.iter().any(|name| linkage.taken.contains(*name))
            || FROZEN.iter().any(|name| linkage.given.contains_key(*name))
            || memchr::memmem::find(object, SECTIONS.as_bytes()).is_none();
        if stays {
            apart.push(file);
        } else {
            joined.push(file);
            given.extend(linkage.given);
        }
    }
    let mut optimise = link::command(toolchain, &work);
    optimise.args(configure::COMPILE_FLAGS).args(JOIN_FLAGS).args(&joined).args(["-o", JOINED]);
    runner.run("optimising CPython as a whole", &mut optimise)?;
    let object = work.join(JOINED);
    let now = linkage(&files::read(&object)?).map_err(damaged)?.given;
    compare(&given, &now)?;

    let mut archive = in_folder(toolchain.program("ar", runner)?, &work);
    archive.args(["rcsD", library, JOINED]).args(&apart);
    runner.run("writing the library", &mut archive)?;
    make_native(&work, library, toolchain, runner)?;
    std::fs::rename(work.join(library), &path).map_err(Error::io("write", &path))?;
    files::remove_folder(&work)
}

/// Leaves nothing but machine code in an object or an archive.
pub(super) fn make_native(
    folder: &Path,
    file: &str,
    toolchain: &Toolchain,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    let mut command = in_folder(toolchain.program("objcopy", runner)?, folder);
    command.args(["--enable-deterministic-archives", &format!("--remove-section={SECTIONS}*")]);
    runner.run("dropping what link-time optimisation reads", command.arg(file))
}

/// An error, if what is given to others isn't what was.
fn compare(before: &BTreeMap<String, bool>, now: &BTreeMap<String, bool>) -> Result<(), Error> {
    let missing = before.iter().filter(|(name, _)| !now.contains_key(*name));
    let new = now.iter().filter(|(name, _)| !before.contains_key(*name));
    let changed =
        before.iter().filter(|(name, shown)| now.get(*name).is_some_and(|it| it != *shown));
    let mut wrong = Vec::new();
    for (what, names) in [
        ("lost", missing.collect::<Vec<_>>()),
        ("got", new.collect()),
        ("shows or hides", changed.collect()),
    ] {
        let shown: Vec<&str> = names.iter().take(SHOWN).map(|(name, _)| name.as_str()).collect();
        if !shown.is_empty() {
            wrong.push(format!("{what} {} symbols ({})", names.len(), shown.join(", ")));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::Internal(format!(
        "by link-time optimisation CPython's library {}: leave --lto away",
        wrong.join(", ")
    )))
}

fn in_folder(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = super::run::command(program);
    command.current_dir(folder);
    command
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::runtime::replaced;
    use crate::runtime::testing::{archive, compile, with_runner};

    /// As parts of CPython are to each other; `hot` and `inner` have a function of the same name.
    const SOURCES: [(&str, &str); 4] = [
        (
            "marshal",
            "int PyMarshal_ReadObjectFromString(void) { return 1; }\n\
             __attribute__((visibility(\"hidden\"))) int inner(int x) { return x + 40; }\n\
             static int own(void) { return 2; } int (*one)(void) = own;\n",
        ),
        (
            "hot",
            "int inner(int); int hot(int x) { return inner(x); }\n\
             static int own(void) { return 3; } int (*other)(void) = own;\n",
        ),
        (
            "import",
            "int PyMarshal_ReadObjectFromString(void);\n\
             int load(void) { return PyMarshal_ReadObjectFromString(); }\n",
        ),
        ("frozen", "int table[9]; int *_PyImport_FrozenStdlib = table;\n"),
    ];

    fn joined(runner: &mut Runner<'_>, folder: &Path) -> Vec<u8> {
        let flags = [&configure::COMPILE_FLAGS[..], &COMPILE_FLAGS, &["-O3"]].concat();
        let objects = SOURCES.map(|(name, source)| compile(folder, name, source, &flags));
        archive(folder, "libx.a", &objects.each_ref().map(PathBuf::as_path));
        let toolchain = Toolchain::find(runner).unwrap();
        join(folder, "libx.a", &toolchain, runner).unwrap();
        files::read(&folder.join("libx.a")).unwrap()
    }

    #[test]
    fn all_is_one_object_but_for_what_is_replaced_and_its_callers() {
        with_runner(|runner, folder| {
            let library = joined(runner, folder);
            let names: Vec<String> =
                members(&library).unwrap().into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["cpython.o", "import.o", "frozen.o"]);
            assert_eq!(memchr::memmem::find(&library, SECTIONS.as_bytes()), None);
            assert!(memchr::memmem::find(&library, b".text.hot\0").is_some());
            let members = replaced::members(&[&folder.join("libx.a")]).unwrap();
            replaced::check("PyMarshal_ReadObjectFromString", &members).unwrap();

            let main = "int load(void), hot(int); extern int (*one)(void), (*other)(void);\n\
                int __wrap_PyMarshal_ReadObjectFromString(void) { return 7; }\n\
                int main(void) { return load() + hot(1) + one() + other(); }\n";
            let main = compile(folder, "main", main, &["-fno-pie"]);
            let mut link = Command::new("gcc");
            link.args(["-no-pie", "-Wl,--wrap=PyMarshal_ReadObjectFromString"]).arg(main);
            link.arg(folder.join("libx.a")).arg("-o").arg(folder.join("program"));
            assert!(link.status().unwrap().success());
            let ended = Command::new(folder.join("program")).status().unwrap();
            assert_eq!(ended.code(), Some(7 + 41 + 2 + 3));
        });
    }

    #[test]
    fn its_place_is_of_no_account() {
        let library = || with_runner(|runner, folder| joined(runner, &folder.join("in/a/place")));
        assert_eq!(library(), with_runner(joined));
    }

    #[test]
    fn a_compiler_that_cant_is_refused_at_once() {
        with_runner(|runner, folder| {
            let mut toolchain = Toolchain::find(runner).unwrap();
            try_out(&toolchain, folder, runner).unwrap();
            toolchain.compiler.command.push("-fno-such-option".to_owned());
            toolchain.compiler.version = "other 1".to_owned();
            let error = try_out(&toolchain, folder, runner).unwrap_err();
            assert!(matches!(error, Error::Input { .. }));
            assert_eq!(error.to_string(), "the compiler `other 1` can't do --lto");
        });
    }

    #[test]
    fn what_got_lost_is_named() {
        let symbols = |names: &[(&str, bool)]| {
            names.iter().map(|(name, shown)| ((*name).to_owned(), *shown)).collect()
        };
        let before = symbols(&[("a", true), ("b", true), ("c", false)]);
        compare(&before, &before).unwrap();
        let error = compare(&before, &symbols(&[("b", false), ("c", false), ("d", true)]));
        assert_eq!(
            error.unwrap_err().to_string(),
            "by link-time optimisation CPython's library lost 1 symbols (a), got 1 symbols (d), \
             shows or hides 1 symbols (b): leave --lto away"
        );
    }
}
