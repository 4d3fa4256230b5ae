//! Compiled modules and libraries: what is taken, in which order it is loaded, and what is refused.

use std::fs;
use std::path::Path;
use std::process::Command;

use ekiben_freeze::program::{Flavour, Program, Request};
use ekiben_image::{FileKind, ModuleKind};

use crate::support::{Place, image};

/// Links a shared object, from the folder that `name` is in.
pub(crate) fn link(place: &Place, name: &str, source: &str, flags: &[&str]) {
    place.write(name, "");
    let path = place.path(name);
    place.write("source.c", source);
    let linked = Command::new("cc")
        .current_dir(path.parent().unwrap())
        .args(["-shared", "-fPIC", "-Wl,--no-as-needed", "-o"])
        .args([&path, &place.path("source.c")])
        .args(flags)
        .output()
        .unwrap();
    assert!(linked.status.success(), "{linked:?}");
}

pub(crate) fn library(place: &Place, name: &str, flags: &[&str]) {
    let soname = format!("-Wl,-soname,{}", Path::new(name).file_name().unwrap().to_str().unwrap());
    link(place, name, "", &[&[soname.as_str()], flags].concat());
}

/// A package with a compiled module that needs two libraries, one of which needs the other.
fn spam(place: &Place) {
    place.write("site/spam/__init__.py", "from spam import _core\n");
    place.write("site/main.py", "import spam\n");
    library(place, "site/spam.libs/libdeep.so.1", &[]);
    library(place, "site/spam.libs/libhigh.so", &["-Wl,-rpath,$ORIGIN", "-l:libdeep.so.1", "-L."]);
    let libraries = "-L../spam.libs";
    let search = "-Wl,-rpath,$ORIGIN/../spam.libs";
    // It is found by the other's search path.
    let more = "-Wl,-rpath-link,../spam.libs";
    let flags = [libraries, search, more, "-l:libhigh.so", "-lm"];
    link(place, "site/spam/_core.abi3.so", "int PyInit__core;", &flags);
}

fn dynamic(place: &Place, name: &str) -> Request {
    Request { flavour: Some(Flavour::Dynamic), ..place.module(name) }
}

/// The setting of that name, of paths without what is before the packages.
fn setting(made: &Program, key: &str) -> String {
    let text = image(made).setting(key).unwrap_or_default().to_owned();
    let lines = text.lines().map(|line| {
        let paths = line.split('\t');
        let inner = paths.map(|path| path.split_once("site-packages/").unwrap().1);
        inner.collect::<Vec<_>>().join(" < ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_compiled_module_comes_with_its_libraries() {
    let place = Place::new();
    spam(&place);
    place.write("site/spam-1.0.dist-info/METADATA", "Name: spam\nVersion: 1.0\n");
    place.write("site/spam-1.0.dist-info/RECORD", "spam/_core.abi3.so,,\n");
    let made = place.freeze(&place.module("main")).unwrap();
    assert_eq!(made.report.flavour, Some(Flavour::Dynamic));
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main main
    main: is the program
    spam: imported by main, line 1
    spam._core: imported by spam, line 1
    metadata lib/python[PYTHON]/site-packages/spam-1.0.dist-info/METADATA of spam
    metadata lib/python[PYTHON]/site-packages/spam-1.0.dist-info/RECORD of spam
    library lib/python[PYTHON]/site-packages/spam.libs/libdeep.so.1 of spam
    library lib/python[PYTHON]/site-packages/spam.libs/libhigh.so of spam
    distribution spam 1.0
    "#);
    insta::assert_snapshot!(setting(&made, "libraries"), @r#"
    spam.libs/libhigh.so < spam.libs/libdeep.so.1
    spam/_core.abi3.so < spam.libs/libdeep.so.1 < spam.libs/libhigh.so
    "#);

    let image = image(&made);
    image.verify().unwrap();
    let stem = format!("lib/python{}/site-packages/spam/_core", place.base.python);
    let core = image.module(&stem).unwrap();
    assert_eq!((core.kind, core.name), (ModuleKind::Extension, "spam._core"));
    let file = image.file(core.path).unwrap();
    assert_eq!(file.kind, FileKind::SharedObject);
    let binary = ekiben_object::read(&file.content.read().unwrap()).unwrap().remove(0);
    assert_eq!(binary.needed, ["libhigh.so", "libm.so.6", "libc.so.6"]);
    assert!(binary.runpath.is_empty() && binary.rpath.is_empty(), "{binary:?}");

    // A cached result is the same, until a library changes.
    let cache = place.cache();
    let freeze = || {
        ekiben_freeze::program::freeze(&place.module("main"), &place.base, Some(&cache)).unwrap()
    };
    let runs = place.runs();
    assert!(freeze().bytes == made.bytes && freeze().bytes == made.bytes);
    assert_eq!(place.runs(), runs + 1);
    library(&place, "site/spam.libs/libdeep.so.1", &["-Wl,-rpath,/nowhere"]);
    freeze();
    assert_eq!(place.runs(), runs + 2);
}

#[test]
fn a_static_program_is_refused_what_it_would_have_to_load() {
    let place = Place::new();
    spam(&place);
    let request = Request { flavour: Some(Flavour::Static), ..place.module("main") };
    assert_eq!(
        place.refused(&request),
        "a static program can't load compiled modules, and it needs:\n  spam._core, imported by spam, line 1"
    );
    let excludes = vec!["spam._*".into()];
    let made = place.freeze(&Request { excludes, ..request }).unwrap();
    assert_eq!((made.report.flavour, made.report.modules.len()), (Some(Flavour::Static), 2));
    assert!(image(&made).files().all(|file| file.kind != FileKind::SharedObject));
}

#[test]
fn libraries_that_need_each_other_are_loaded_together() {
    let place = Place::new();
    spam(&place);
    let names = ["libspam-of-one-two.so.1", "libspam-of-two-one.so.1"];
    library(&place, &format!("site/spam.libs/{}", names[0]), &[]);
    let other = |name: &str| format!("-l:{name}");
    library(
        &place,
        &format!("site/spam.libs/{}", names[1]),
        &["-Wl,-rpath,$ORIGIN", "-L.", &other(names[0]), "-l:libdeep.so.1"],
    );
    library(
        &place,
        &format!("site/spam.libs/{}", names[0]),
        &["-Wl,-rpath,$ORIGIN", "-L.", &other(names[1])],
    );
    let flags = ["-L../spam.libs", "-Wl,-rpath,$ORIGIN/../spam.libs", &other(names[0])];
    link(&place, "site/spam/_core.abi3.so", "int PyInit__core;", &flags);
    let made = place.freeze(&dynamic(&place, "main")).unwrap();
    insta::assert_snapshot!(setting(&made, "libraries"), @r#"
    spam.libs/libspam-of-one-two.so.1 < spam.libs/libdeep.so.1 < spam.libs/libspam-of-two-one.so.1
    spam.libs/libspam-of-two-one.so.1 < spam.libs/libdeep.so.1 < spam.libs/libspam-of-one-two.so.1
    spam/_core.abi3.so < spam.libs/libdeep.so.1 < spam.libs/libspam-of-one-two.so.1 < spam.libs/libspam-of-two-one.so.1
    "#);
    insta::assert_snapshot!(setting(&made, "library-circles"), @r#"spam.libs/libspam-of-one-two.so.1 < spam.libs/libspam-of-two-one.so.1"#);

    // Names that leave no room for another.
    library(
        &place,
        "site/spam.libs/libdeep.so.1",
        &["-Wl,-rpath,$ORIGIN", "-L.", &other("libspam-of-two-one.so.1")],
    );
    assert_eq!(
        place.refused(&dynamic(&place, "main")),
        "[PLACE]/site/spam.libs/libdeep.so.1 can't be part of the program: it needs a library that \
         needs it, and its name is too short to be replaced"
    );
}

#[test]
fn what_a_compiled_module_names_is_taken() {
    let place = Place::new();
    place.write("site/main.py", "import spam._core\n");
    place.write("site/spam/__init__.py", "");
    for file in
        ["by_c.py", "_by_cython.py", "by_rust.py", "deep/__init__.py", "deep/er.py", "not.py"]
    {
        place.write(&format!("site/spam/{file}"), "");
    }
    place.write("site/other.py", "");
    place.write("site/unnamed.py", "");
    // zlib.compress(b"x" * 64 + b"some_by_cythonvalidate"), stored: what Cython makes of its names.
    let text = format!("{}some_by_cythonvalidate", "x".repeat(64));
    let adler = text.bytes().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    let length = u16::try_from(text.len()).unwrap();
    let mut stored = vec![0x78, 0x01, 1];
    stored.extend(length.to_le_bytes());
    stored.extend((!length).to_le_bytes());
    stored.extend(text.bytes());
    stored.extend((adler.1 << 16 | adler.0).to_be_bytes());
    let bytes = stored.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let source = format!(
        "const char a[] = \"\\0spam.by_c\", b[] = \"errorspam.by_rustnext\", c[] = \"\\0other\";\n\
         const char d[] = \"spam.deep.er\\0\"; const unsigned char e[] = {{{bytes}}};\n\
         int PyInit__core;"
    );
    link(&place, "site/spam/_core.abi3.so", &source, &[]);
    let made = place.freeze(&dynamic(&place, "main")).unwrap();
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main main
    main: is the program
    other: named in the compiled spam._core
    spam: imported by main, line 1
    spam._by_cython: named in the compiled spam._core
    spam._core: imported by main, line 1
    spam.by_c: named in the compiled spam._core
    spam.by_rust: named in the compiled spam._core
    spam.deep: named in the compiled spam._core
    spam.deep.er: named in the compiled spam._core
    "#);
}

#[test]
fn libraries_in_packages_and_of_the_machine() {
    let place = Place::new();
    place.write("site/main.py", "import spam\n");
    place.write("site/spam/__init__.py", "");
    library(&place, "site/spam/data/libspam.so.3", &["-l:libz.so.1", "-l:libgcc_s.so.1"]);
    // A module that nothing imports, and what is no library at all.
    link(&place, "site/spam/unused.so", "int PyInit_unused;", &[]);
    place.write("site/spam/text.so", "text");
    let made = place.freeze(&place.module("main")).unwrap();
    let told = place.told(&made.report);
    let (before, after) = told.split_once("this machine: ").unwrap();
    assert!(after.contains("/libz.so.1"), "{told}");
    insta::assert_snapshot!(before, @r#"
    main main
    main: is the program
    spam: imported by main, line 1
    library lib/ekiben.libs/libz.so.1 of spam
    library lib/python[PYTHON]/site-packages/spam/data/libspam.so.3 of spam
    library site/spam/data/libspam.so.3:0: it needs libz.so.1, which is taken from
    "#);
    assert_eq!(made.report.machine, ["libgcc_s.so.1"]);

    let request = Request { flavour: Some(Flavour::Static), ..place.module("main") };
    let told = place.told(&place.freeze(&request).unwrap().report);
    assert!(told.contains("spam/data/libspam.so.3 is left out"), "{told}");
}

#[test]
fn what_cant_be_loaded_is_told() {
    let place = Place::new();
    spam(&place);
    fs::remove_file(place.path("site/spam.libs/libdeep.so.1")).unwrap();
    library(&place, "site/spam.libs/libother.so", &[]);
    fs::rename(place.path("site/spam.libs/libother.so"), place.path("site/spam.libs/libhigh.so"))
        .unwrap();
    let flags = ["-L../spam.libs", "-Wl,-rpath,$ORIGIN/../spam.libs"];
    library(&place, "site/spam.libs/libgone.so.7", &[]);
    let gone = [&flags[..], &["-l:libgone.so.7"]].concat();
    link(&place, "site/spam/_core.abi3.so", "int PyInit__core;", &gone);
    fs::remove_file(place.path("site/spam.libs/libgone.so.7")).unwrap();
    let made = place.freeze(&dynamic(&place, "main")).unwrap();
    let told = place.told(&made.report);
    let missing = "missing-library site/spam/_core.abi3.so:0: it needs libgone.so.7, which isn't on this machine";
    assert!(told.contains(missing), "{told}");

    library(&place, "site/spam.libs/libright.so", &[]);
    link(
        &place,
        "site/spam/_core.abi3.so",
        "int PyInit__core;",
        &[&flags[..], &["-l:libright.so"]].concat(),
    );
    library(&place, "site/spam.libs/libwrong.so", &[]);
    fs::rename(place.path("site/spam.libs/libwrong.so"), place.path("site/spam.libs/libright.so"))
        .unwrap();
    let told = place.told(&place.freeze(&dynamic(&place, "main")).unwrap().report);
    assert!(told.contains("library site/spam.libs/libright.so:0: it is needed as libright.so, which isn't its own name"), "{told}");

    place.write("site/spam/_core.abi3.so", "text");
    assert_eq!(
        place.refused(&dynamic(&place, "main")),
        "[PLACE]/site/spam/_core.abi3.so can't be part of the program: it is neither ELF nor Mach-O nor PE"
    );
}
