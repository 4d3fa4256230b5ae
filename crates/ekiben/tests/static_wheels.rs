//! Static wheels from real sources, by a real installer and build backend.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_object::elf;
use ekiben_static::{Error, MANIFEST, Manifest, Progress, Request, StaticWheel, Store};

fn python() -> PathBuf {
    let python = which::which("python3").unwrap();
    // A shim's own place says nothing.
    let code = "import sys; print(sys.executable)";
    let output = Command::new(python).args(["-c", code]).output().unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

fn request(what: &str) -> Request {
    Request {
        what: what.to_owned(),
        hashes: Vec::new(),
        python: python(),
        version: "3.0.0".to_owned(),
        interpreter: "the tests'".to_owned(),
        settings: Vec::new(),
        debug: false,
        program: PathBuf::from(env!("CARGO_BIN_EXE_ekiben")),
    }
}

fn build(cache: &Path, request: &Request) -> Result<StaticWheel, Error> {
    Store::new(cache).build(request, Progress { step: &|_| {}, stop: None })
}

/// A project of setuptools with a module in a package, a library of its own, and data.
fn project(folder: &Path, link: &str) {
    let package = folder.join("src/spam/inner");
    fs::create_dir_all(&package).unwrap();
    fs::write(
        folder.join("pyproject.toml"),
        "[build-system]\nrequires = [\"setuptools==80.9.0\"]\n\
        build-backend = \"setuptools.build_meta\"\n",
    )
    .unwrap();
    fs::write(
        folder.join("setup.py"),
        format!(
            "import os, subprocess\nfrom setuptools import setup, Extension\n\
             here = os.path.dirname(os.path.abspath(__file__))\n\
             lib = os.path.join(here, 'src/spam/libown.so')\n\
             subprocess.check_call(['gcc', '-shared', '-fPIC', '-o', lib, os.path.join(here, 'own.c')])\n\
             setup(name='Spam.Eggs', version='1.0', package_dir={{'': 'src'}},\n\
             packages=['spam', 'spam.inner'], package_data={{'spam': ['libown.so', 'data.txt']}},\n\
             ext_modules=[Extension('spam.inner._c', ['c.c'], libraries=['z'],\n\
             extra_link_args=['-L' + os.path.dirname(lib), '-lown', *{link:?}.split()])])\n"
        ),
    )
    .unwrap();
    fs::write(folder.join("own.c"), "int own(void) { return 7; }\n").unwrap();
    fs::write(
        folder.join("c.c"),
        "#include <Python.h>\n#include <zlib.h>\nint own(void);\n\
         static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, \"_c\" };\n\
         PyMODINIT_FUNC PyInit__c(void) { PyObject *m = PyModule_Create(&def);\n\
         PyModule_AddIntConstant(m, \"own\", own()); \n\
         PyModule_AddStringConstant(m, \"z\", zlibVersion()); return m; }\n",
    )
    .unwrap();
    for file in ["spam/__init__.py", "spam/inner/__init__.py", "spam/data.txt"] {
        fs::write(folder.join("src").join(file), "").unwrap();
    }
}

#[test]
fn a_package_becomes_objects_and_what_else_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    project(&source, "");
    let cache = folder.path().join("cache");
    let wheel = build(&cache, &request(source.to_str().unwrap())).unwrap();
    let manifest = &wheel.manifest;
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("Spam.Eggs", "1.0"));
    let [module] = &manifest.modules[..] else { panic!("{manifest:?}") };
    assert_eq!(module.name, "spam.inner._c");
    assert_eq!(module.init, "ekiben_init_spam__inner___1c");
    assert!(module.object.starts_with("spam/inner/_c.") && module.object.ends_with(".o"));
    let object = fs::read(wheel.site.join(&module.object)).unwrap();
    assert_eq!(elf::defined(&object).unwrap(), std::slice::from_ref(&module.init));

    // The library that the package made for itself is an object, and no shared object any more.
    let [own, z] = &module.libraries[..] else { panic!("{module:?}") };
    assert_eq!((own.as_str(), z.as_str()), ("spam_eggs-1.0.dist-info:own", "z"));
    let own = manifest.libraries.iter().find(|library| library.name == *own).unwrap();
    let object = fs::read(wheel.site.join(own.inner.as_ref().unwrap())).unwrap();
    assert_eq!(elf::defined(&object).unwrap(), ["own.spam-eggs.own"]);
    assert!(!wheel.site.join("spam/libown.so").exists());
    // Of the machine's, it says what they are and under which licence.
    let z = manifest.libraries.iter().find(|library| library.name == "z").unwrap();
    assert!(z.package.as_ref().unwrap().starts_with("zlib1g-dev "), "{z:?}");
    assert_eq!(z.licence_files, ["spam_eggs-1.0.dist-info/libraries/z/copyright"]);
    let licence = fs::read_to_string(wheel.site.join(&z.licence_files[0])).unwrap();
    assert!(licence.contains("Jean-loup Gailly"), "{licence}");
    assert!(
        wheel.site.join("spam/data.txt").exists() && wheel.site.join("spam/__init__.py").exists()
    );

    // What is there isn't built again; what is kept, its list says.
    let again = build(&cache, &request(source.to_str().unwrap())).unwrap();
    assert_eq!(again.site, wheel.site);
    assert_eq!(fs::read_dir(cache.join("static/scratch")).unwrap().count(), 0);
    let record = fs::read_to_string(wheel.info().unwrap().join("RECORD")).unwrap();
    let mut listed: Vec<&str> = record.lines().filter_map(|line| line.split(',').next()).collect();
    listed.sort_unstable();
    let mut there = Vec::new();
    for entry in walk(&wheel.site) {
        there.push(entry.strip_prefix(&wheel.site).unwrap().to_str().unwrap().to_owned());
    }
    there.sort_unstable();
    assert_eq!(listed, there);

    // As a file, with the machine's archives.
    let file = wheel.export(&folder.path().join("house"), true).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("spam_eggs-1.0-cp30-cp30-ekiben_static_linux_"), "{name}");
    let unpacked = folder.path().join("unpacked");
    zip::ZipArchive::new(fs::File::open(file).unwrap()).unwrap().extract(&unpacked).unwrap();
    let exported = StaticWheel::open(&unpacked).unwrap();
    let z = exported.manifest.libraries.iter().find(|library| library.name == "z").unwrap();
    assert!(unpacked.join(z.inner.as_ref().unwrap()).is_file() && z.archive.is_none());
    assert!(unpacked.join(&z.licence_files[0]).is_file() && z.package.is_some());
    assert_eq!(exported.manifest.modules, manifest.modules);
}

/// The shared library of two packages: they differ in `START`. What it offers: a function that remembers,
/// another of an old version and a new one, one that is chosen at start, a variable of threads, what it
/// throws, and what C++ has in every object.
const SHARED: &str = r#"
#include "shared.h"
static int calls = START;
extern "C" {
int count() { return ++calls; }
int old_sum(int a, int b) { return START + a - b; }
int new_sum(int a, int b) { return START + a + b; }
__asm__(".symver old_sum, sum@OLD");
__asm__(".symver new_sum, sum@@NEW");
static int plain() { return START + 5; }
static int (*choose())() { return plain; }
int chosen() __attribute__((ifunc("choose")));
thread_local int here = START;
void hidden_away() {}
}
void fail() { throw Failure(START); }
int of_library() { once() += 1; return base(); }
"#;
/// A library that the other one needs.
const BASE: &str = r#"
#include "shared.h"
int base() { return once() += 1; }
"#;
const HEADER: &str = r#"
#include <stdexcept>
struct Failure : std::runtime_error {
    int code;
    explicit Failure(int code) : std::runtime_error("failed"), code(code) {}
};
template <class T> struct Shared { static int value; };
template <class T> int Shared<T>::value = START;
inline int &once() { static int value = Shared<int>::value; return value; }
extern "C" {
int count();
int sum(int, int);
int chosen();
extern thread_local int here;
}
void fail();
int of_library();
int base();
"#;
/// A module. Its `helper` is that of the other one too.
const USER: &str = r#"
#include <cstdio>
#include <cstring>
#include "shared.h"
int helper() { return once() += 1; }
static char text[200];
extern "C" const char *PyInit_NAME()
{
    int caught = 0;
    try { fail(); } catch (const Failure &failure) { caught = failure.code; }
    int library = of_library(), module = helper();
    std::snprintf(text, sizeof text, "count %d, sum %d, chosen %d, here %d, caught %d, once %d %d",
        count(), sum(2, 1), chosen(), here++, caught, library, module);
    return text;
}
"#;

/// A build backend that needs nothing, so that no time goes by with installing it.
const BACKEND: &str = r#"
import subprocess, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    def link(output, *words):
        command = ["g++", "-O1", "-DSTART=NUMBER", "-shared", "-fPIC", "-o", output, *words]
        subprocess.check_call(command)
    link("libbase.so", "base.cc")
    link("libshared.so", "shared.cc", "-L.", "-lbase", "-Wl,--version-script=versions")
    info = "NAME-1.0.dist-info"
    files = {
        "NAME/__init__.py": "",
        info + "/METADATA": "Metadata-Version: 2.1\nName: NAME\nVersion: 1.0\n",
        info + "/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
        "libbase.so": open("libbase.so", "rb").read(),
        "libshared.so": open("libshared.so", "rb").read(),
    }
    for module in ["a", "b"]:
        link(module + ".so", module + ".cc", "-L.", "-lshared", "-Wl,-rpath-link,.")
        files[f"NAME/{module}.so"] = open(module + ".so", "rb").read()
    files[info + "/RECORD"] = "".join(file + ",,\n" for file in [*files, info + "/RECORD"])
    name = "NAME-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for file, content in files.items():
            wheel.writestr(file, content)
    return name
"#;

/// A package whose modules `a` and `b` share a library that it builds for itself.
fn sharing(folder: &Path, name: &str, start: u32) -> PathBuf {
    let source = folder.join(name);
    let write = |file: &str, text: &str| {
        let path = source.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let system =
        "[build-system]\nrequires = []\nbackend-path = [\".\"]\nbuild-backend = \"backend\"\n";
    write("pyproject.toml", system);
    let backend = BACKEND.replace("NAME", name).replace("NUMBER", &start.to_string());
    write("backend.py", &backend);
    write("versions", "OLD { global: *; local: hidden_away; };\nNEW {} OLD;\n");
    write("shared.cc", SHARED);
    write("base.cc", BASE);
    write("shared.h", HEADER);
    for module in ["a", "b"] {
        write(&format!("{module}.cc"), &USER.replace("NAME", module));
    }
    source
}

#[test]
fn packages_with_the_same_library_each_have_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut objects = Vec::new();
    let mut functions = Vec::new();
    for (name, start) in [("one", 10), ("two", 20)] {
        let source = sharing(folder, name, start);
        let wheel = build(&folder.join("cache"), &request(source.to_str().unwrap())).unwrap();
        let Manifest { modules, libraries, .. } = &wheel.manifest;
        let inner = libraries.iter().filter_map(|library| library.inner.as_ref());
        let inner: Vec<_> = inner.map(|inner| wheel.site.join(inner)).collect();
        // Each before what it needs.
        let [library, base] = &inner[..] else { panic!("{libraries:?}") };
        assert!(libraries[0].needs.contains(&libraries[1].name), "{libraries:?}");
        assert!(!wheel.site.join("libbase.so").exists());
        let offered = elf::defined(&fs::read(library).unwrap()).unwrap();
        let end = format!(".{name}.shared");
        assert!(offered.iter().all(|symbol| symbol.ends_with(&end)), "{offered:?}");
        for (symbol, is_there) in [("count", true), ("sum.OLD", true), ("hidden_away", false)] {
            assert_eq!(offered.contains(&format!("{symbol}{end}")), is_there, "{offered:?}");
        }
        functions.extend(modules.iter().map(|module| module.init.clone()));
        objects.extend(modules.iter().map(|module| wheel.site.join(&module.object)));
        objects.extend([library.clone(), base.clone()]);
    }
    let declared = functions.iter().map(|name| format!("const char *{name}(void);\n"));
    let called = functions.iter().map(|name| format!("    puts({name}());\n"));
    let main = format!(
        "#include <stdio.h>\n{}int main(void)\n{{\n{}    return 0;\n}}\n",
        declared.collect::<String>(),
        called.collect::<String>()
    );
    fs::write(folder.join("main.c"), main).unwrap();
    let run = |command: &mut Command| {
        let output = command.current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(Command::new("gcc").args(["-c", "main.c"]));
    for how in ["-static", "-Wl,--gc-sections", "-fuse-ld=lld", "-fuse-ld=mold"] {
        let mut link = Command::new("g++");
        run(link.args([how, "-o", "program", "main.o"]).args(&objects));
        insta::allow_duplicates! {
            insta::assert_snapshot!(run(&mut Command::new("./program")), @"
            count 11, sum 13, chosen 15, here 10, caught 10, once 12 13
            count 12, sum 13, chosen 15, here 11, caught 10, once 15 16
            count 21, sum 23, chosen 25, here 20, caught 20, once 22 23
            count 22, sum 23, chosen 25, here 21, caught 20, once 25 26
            ");
        }
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn what_cannot_become_a_static_wheel_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let cache = at("cache");
    let fails = |what: &Path| build(&cache, &request(what.to_str().unwrap())).unwrap_err();

    // A linker that is named by its folder isn't ours.
    project(&at("escapes"), "-B/usr/bin/");
    let error = fails(&at("escapes"));
    assert!(matches!(&error, Error::Escaped { modules, .. } if modules.len() == 1), "{error}");
    assert!(error.to_string().contains("spam/inner/_c."), "{error}");

    project(&at("pure"), "");
    let setup = fs::read_to_string(at("pure/setup.py")).unwrap();
    let (setup, _) = setup.split_once("ext_modules").unwrap();
    fs::write(at("pure/setup.py"), format!("{})\n", setup.trim_end().trim_end_matches(',')))
        .unwrap();
    let error = fails(&at("pure"));
    assert!(matches!(error, Error::Pure(_)), "{error}");

    project(&at("broken"), "");
    fs::write(at("broken/c.c"), "#error no such machine\n").unwrap();
    let error = fails(&at("broken"));
    let Error::Build { said, log: Some(log), .. } = &error else { panic!("{error}") };
    assert!(said.contains("no such machine"), "{said}");
    assert!(fs::read_to_string(log).unwrap().contains("no such machine"));
    assert!(Store::new(&cache).list().unwrap().is_empty());

    let error = build(&cache, &request("markupsafe==0.0.0.1")).unwrap_err();
    assert!(matches!(&error, Error::Build { what, .. } if what == "markupsafe 0.0.0.1"), "{error}");
    let error = build(&cache, &request("markupsafe<0")).unwrap_err();
    assert!(matches!(error, Error::Resolve { .. }), "{error}");
}

#[test]
fn a_package_of_the_index_is_the_one_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let sha256 = "ee55d3edf80167e48ea11a923c7386f4669df67d7994554387f84e7d8b0a2bf0";
    let wanted =
        |sha256: &str| Request { hashes: vec![sha256.to_owned()], ..request("MarkupSafe==3.0.2") };
    let wheel = build(folder.path(), &wanted(sha256)).unwrap();
    let manifest = Manifest::read(&wheel.info().unwrap().join(MANIFEST)).unwrap();
    assert_eq!(manifest, wheel.manifest);
    assert_eq!(manifest.sdist.unwrap().sha256, sha256);
    assert_eq!(manifest.modules[0].name, "markupsafe._speedups");
    let error = build(folder.path(), &wanted(&"0".repeat(64))).unwrap_err();
    let Error::Hash { what, hashes } = &error else { panic!("{error}") };
    assert_eq!((what.as_str(), hashes.len()), ("MarkupSafe 3.0.2", 1));
    // Whoever takes any source takes that one.
    let any = build(folder.path(), &request("MarkupSafe==3.0.2")).unwrap();
    assert_eq!(any.site, wheel.site);
    let found = Store::new(folder.path()).find("markupsafe==3.0.2").unwrap();
    assert_eq!(found.site, wheel.site);
    let store = Store::new(folder.path());
    let error = store.remove("markupsafe==3.0.1").unwrap_err().to_string();
    assert_eq!(error, "there is no static wheel of markupsafe==3.0.1; there is MarkupSafe 3.0.2");
    assert_eq!(store.remove("markupsafe").unwrap(), [wheel.manifest]);
    assert!(store.list().unwrap().is_empty() && !wheel.site.exists());
}
