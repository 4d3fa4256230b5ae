//! Static wheels: their modules are linked in, with their libraries, by every linker; what doesn't fit is
//! told before, or in words.
//!
//! The runtime is small: its CPython calls every init function of its table, which gives a text.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_freeze::program::inventory::Inventory;
use ekiben_freeze::program::{
    self, Error, Flavour, Link, Linker, Links, Need, Program, Request, StaticWheels, with_static,
};
use ekiben_image::ModuleKind;
use ekiben_static::{FORMAT, Library, Manifest, Module, Toolchain};

use crate::support::{Place, image, install};

const MAIN: &str = r#"
#include <stdio.h>
__attribute__((section(".ekiben_image"), aligned(4096), used)) const char image[16] = {0};
struct _inittab { const char *name; const char *(*init)(void); };
extern struct _inittab _PyImport_Inittab[];
int main(void)
{
    const char *volatile start = image;
    for (struct _inittab *it = _PyImport_Inittab; it->name != NULL; it++) {
        printf("%s: %s\n", it->name, it->init == NULL ? "nothing" : it->init());
    }
    printf("%.8s\n", start);
    return ferror(stdout);
}
"#;

const PYTHON: &str = r#"
const char *_Py_PackageContext;
const char *context(void) { return _Py_PackageContext; }
const char *_PyImport_SwapPackageContext(const char *name)
{
    const char *before = _Py_PackageContext;
    _Py_PackageContext = name;
    return before;
}
const char *const names[] = {"CPython's", "another's"};
const char *PyInit_time(void) { return names[context() == 0]; }
"#;

/// Says in which package it is made, by a helper of its own.
const CORE: &str = "const char *context(void);\n\
    const char *helper(void); const char *helper(void) { return context(); }\n\
    const char *PyInit__core(void) { return helper(); }\n";

/// Constructors before main, exceptions, variables of threads, run-time types.
const CXX: &str = r#"
#include <map>
#include <sstream>
#include <stdexcept>
static std::map<std::string, int> made = {{"before", 1}};
static thread_local std::string text;
extern "C" const char *PyInit__cxx()
{
    try {
        throw std::out_of_range("thrown");
    } catch (const std::logic_error &error) {
        std::ostringstream stream;
        stream << error.what() << ' ' << made["before"];
        text = stream.str();
    }
    return text.c_str();
}
"#;

/// Needs `z`.
const ZLIB: &str = "const char *zlibVersion(void);\n\
    const char *PyInit__zlib(void) { return zlibVersion(); }\n";

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// A place whose runtime can be linked with.
struct Linking {
    place: Place,
    manifest: Manifest,
}

impl Linking {
    fn new() -> Self {
        let place = Place::new();
        let python = place.base.python.clone();
        let runtime = place.path("runtime");
        let object = |name: &str, source: &str| {
            let (source_file, object) = (format!("runtime/{name}.c"), format!("runtime/{name}.o"));
            place.write(&source_file, source);
            let mut cc = Command::new("cc");
            cc.args(["-O2", "-fno-pie", "-c", "-o"]);
            run(cc.arg(place.path(&object)).arg(place.path(&source_file)));
            place.path(&object)
        };
        let archive = |name: &str, object: &Path| {
            run(Command::new("ar").arg("rcD").arg(runtime.join(name)).arg(object));
        };
        fs::create_dir_all(runtime.join("lib")).unwrap();
        object("lib/main", MAIN);
        archive(&format!("lib/libpython{python}.a"), &object("python", PYTHON));
        let zlib = "const char *zlibVersion(void) { return \"the runtime's\"; }";
        archive("lib/libz.a", &object("zlib", zlib));
        let flavour = |name: &str, flag: &str| {
            serde_json::json!({
                "program": format!("bin/python{python}-{name}"),
                "compile-flags": [],
                "objects": ["lib/main.o", "lib/inittab.o"],
                "flags": [
                    "-no-pie", "-static-libgcc", "-Wl,--gc-sections", "-Wl,--strip-all",
                    "-Wl,--build-id=none", "-Wl,--section-start=.ekiben_image=0x40000000", flag,
                ],
            })
        };
        let module = |name: &str, init: Option<&str>| serde_json::json!({ "name": name, "init": init, "libraries": [] });
        let manifest = serde_json::json!({
            "format": 2,
            "ekiben": "0.0.0",
            "digest": "00".repeat(32),
            "interpreter": {
                "python": python,
                "version": format!("{python}.0"),
                "source": { "origin": "a test", "sha256": "" },
                "options": { "pgo": false, "lto": false, "configure": [] },
                "compiler": { "command": ["cc"], "version": "", "target": "" },
                "modules": [module("sys", None), module("time", Some("PyInit_time"))],
                "left-out": [],
                "libraries": [{
                    "name": "z", "file": "lib/libz.a", "licence": "Zlib", "licence-files": [],
                    "package": null,
                }],
            },
            "link": {
                "compile-flags": ["-O2", "-fno-pie"],
                "python": format!("lib/libpython{python}.a"),
                "archives": ["lib/libz.a"],
                "libraries": ["-lm", "-ldl", "-lpthread"],
                "flavours": {
                    "static": flavour("static", "-static"),
                    "dynamic": flavour("dynamic", "-Wl,-export-dynamic"),
                },
            },
            "files": {},
        });
        place.write("runtime/runtime.json", &manifest.to_string());
        let manifest = Manifest {
            format: FORMAT,
            ekiben: "0.0.0".to_owned(),
            name: "Spam".to_owned(),
            version: "1.0".to_owned(),
            sdist: None,
            python: format!("{python}.0"),
            toolchain: Toolchain { compiler: String::new(), linker: String::new() },
            modules: Vec::new(),
            libraries: Vec::new(),
        };
        Self { place, manifest }
    }

    /// A static wheel with a module of each sort, and a program that imports them.
    fn spam() -> Self {
        let mut this = Self::new();
        this.place.write("site/main.py", "import spam, spam.deep\n");
        this.place.write("site/spam/__init__.py", "from spam import _core, _cxx, _zlib\n");
        this.place.write("site/spam/data.txt", "data");
        this.module("spam._core", "spam/_core", CORE, &[]);
        this.module("spam._cxx", "spam/_cxx", CXX, &["stdc++"]);
        this.module("spam._zlib", "spam/_zlib", ZLIB, &["z"]);
        // The same helper as that of another module, in a package's own module.
        let deep = CORE.replace("PyInit__core", "PyInit_deep").replace("context()", "\"deep\"");
        this.module("spam.deep", "spam/deep/__init__", &format!("{deep}\n"), &[]);
        this.place.write("site/spam/deep/data.txt", "data");
        this.finish();
        this
    }

    /// Compiles a module, and puts its object into the static wheel.
    fn module(&mut self, name: &str, stem: &str, source: &str, libraries: &[&str]) {
        let last = name.rsplit('.').next().unwrap();
        let init = format!("init_{}", name.replace('.', "__"));
        let (file, object) = (format!("{stem}.abi3.so"), format!("{stem}.abi3.o"));
        let is_cxx = source.contains("extern \"C\"");
        let language = if is_cxx { "c++" } else { "c" };
        self.place.write("source", source);
        let to = self.place.path(&format!("site/{object}"));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let compiled = self.place.path("compiled.o");
        let mut cc = Command::new(if is_cxx { "c++" } else { "cc" });
        cc.args(["-O2", "-fPIC", "-ffunction-sections", "-x", language, "-c", "-o"]);
        run(cc.arg(&compiled).arg(self.place.path("source")));
        let mut link = Command::new("cc");
        link.args(["-r", "-nostdlib", "-Wl,--force-group-allocation", "-o"]).arg(&to);
        run(link.arg(&compiled));
        let mut objcopy = Command::new("objcopy");
        objcopy.arg(format!("--redefine-sym=PyInit_{last}={init}"));
        run(objcopy.arg(format!("--keep-global-symbol={init}")).arg(&to));
        self.manifest.modules.push(Module {
            name: name.to_owned(),
            file,
            object,
            init,
            libraries: libraries.iter().map(|name| (*name).to_owned()).collect(),
        });
    }

    fn library(&mut self, name: &str, inner: Option<&str>, needs: &[&str]) {
        self.manifest.libraries.push(Library {
            name: name.to_owned(),
            inner: inner.map(str::to_owned),
            needs: needs.iter().map(|name| (*name).to_owned()).collect(),
            ..Library::default()
        });
    }

    /// Writes the metadata.
    fn finish(&self) {
        let Manifest { name, version, .. } = &self.manifest;
        let folder = format!("site/Spam-{version}.dist-info");
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        self.place.write(&format!("{folder}/METADATA"), &metadata);
        self.place.write(&format!("{folder}/static.json"), &self.manifest.text());
        let objects = self.manifest.modules.iter().map(|module| format!("{},,\n", module.object));
        let others = "spam/__init__.py,,\nspam/data.txt,,\nspam/deep/data.txt,,\n";
        let record = objects.collect::<String>() + others;
        self.place.write(&format!("{folder}/RECORD"), &record);
    }

    fn request(&self, flavour: Flavour) -> Request {
        Request { flavour: Some(flavour), ..self.place.module("main") }
    }

    fn refused(&self) -> String {
        self.refused_as(&self.request(Flavour::Static))
    }

    fn refused_as(&self, request: &Request) -> String {
        let error = self.place.freeze(request).unwrap_err().to_string();
        error.replace(&self.place.path("").display().to_string(), "[PLACE]/")
    }

    /// What a program prints.
    fn output(&self, made: &Program) -> String {
        let (written, copy) = (self.place.path("out/program"), self.place.path("copy"));
        made.write(&written).unwrap();
        install(&written, &copy);
        let output = Command::new(&copy).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

const SAID: &str = "sys: nothing\ntime: another's\nspam._core: spam._core\nspam._cxx: thrown 1\n\
    spam._zlib: the runtime's\nspam.deep: deep\nEKIBENIM\n";

#[test]
fn modules_are_linked_in_by_every_linker_and_flavour() {
    let linking = Linking::spam();
    for flavour in Flavour::ALL {
        for linker in [None, Some(Linker::Bfd), Some(Linker::Lld), Some(Linker::Mold)] {
            let request = Request { linker, ..linking.request(flavour) };
            let made = linking.place.freeze(&request).unwrap();
            assert_eq!(linking.output(&made), SAID, "{flavour} {linker:?}");
            let again = linking.place.freeze(&request).unwrap();
            assert!(again.bytes == made.bytes, "{flavour} {linker:?}");
            let needed = ekiben_object::read(&made.bytes).unwrap().remove(0).needed;
            let of_c = ["libc.", "libm.", "ld-linux"];
            let is_c = |name: &String| of_c.iter().any(|start| name.starts_with(start));
            assert!(needed.iter().all(is_c), "{flavour} {linker:?}: {needed:?}");
        }
    }
}

#[test]
fn a_module_that_was_compiled_anew_is_linked_and_nothing_is_looked_for_again() {
    let mut linking = Linking::spam();
    let cache = linking.place.cache();
    let freeze = |linking: &Linking, site: &str| {
        let passing = linking.place.path(site);
        let request = linking.request(Flavour::Static);
        let request = Request { site: vec![passing.clone()], passing: Some(passing), ..request };
        program::freeze(&request, &linking.place.base, Some(&cache)).unwrap()
    };
    let first = freeze(&linking, "site");
    let runs = linking.place.runs();

    linking.module("spam._core", "spam/_core", &CORE.replace("context()", "\"anew\""), &[]);
    // As a folder that is made for each program, and begins as another's name does.
    fs::rename(linking.place.path("site"), linking.place.path("site-2")).unwrap();
    let second = freeze(&linking, "site-2");
    assert_eq!(linking.place.runs(), runs);
    assert_eq!(linking.output(&first), SAID);
    assert_eq!(linking.output(&second), SAID.replace("spam._core: spam._core", "spam._core: anew"));
    let request =
        Request { site: vec![linking.place.path("site-2")], ..linking.request(Flavour::Static) };
    let whole = linking.place.freeze(&request).unwrap();
    assert!(whole.bytes == second.bytes);
    assert_eq!(whole.report.modules_text(), second.report.modules_text());

    // What Python code says is looked at.
    linking.place.write("site-2/main.py", "import spam._core\n");
    freeze(&linking, "site-2");
    assert_eq!(linking.place.runs(), runs + 2);
}

#[test]
fn they_are_found_where_they_seem_to_be() {
    let linking = Linking::spam();
    let place = &linking.place;
    // Nothing has to be loaded, so it needs nothing of the machine.
    let made = place.freeze(&place.module("main")).unwrap();
    assert_eq!(made.report.flavour, Some(Flavour::Static));
    insta::assert_snapshot!(place.told(&made.report), @r#"
    main main
    main: is the program
    spam: imported by main, line 1
    spam._core: imported by spam, line 1
    spam._cxx: imported by spam, line 1
    spam._zlib: imported by spam, line 1
    spam.deep: imported by main, line 1
    metadata lib/python[PYTHON]/site-packages/Spam-1.0.dist-info/METADATA of Spam
    resource lib/python[PYTHON]/site-packages/spam/data.txt of spam
    resource lib/python[PYTHON]/site-packages/spam/deep/data.txt of spam.deep
    metadata lib/python[PYTHON]/site-packages/Spam-1.0.dist-info/RECORD of Spam
    distribution Spam 1.0
    "#);
    let python = &place.base.python;
    let image = image(&made);
    image.verify().unwrap();
    let deep = image.module(&format!("lib/python{python}/site-packages/spam/deep")).unwrap();
    assert_eq!((deep.name, deep.kind, deep.is_package), ("spam.deep", ModuleKind::Builtin, true));
    assert!(deep.path.ends_with("/spam/deep/__init__.abi3.so"), "{}", deep.path);
    let record = image.files().find(|file| file.path.ends_with("/RECORD")).unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&record.content.read().unwrap()), @r#"
    Spam-1.0.dist-info/RECORD,,
    spam/__init__.py,,
    spam/_core.abi3.so,,
    spam/_cxx.abi3.so,,
    spam/_zlib.abi3.so,,
    spam/data.txt,,
    spam/deep/__init__.abi3.so,,
    spam/deep/data.txt,,
    "#);
    let inventory = Inventory::of(&made.bytes, true).unwrap();
    let linked: Vec<_> =
        inventory.modules.iter().filter(|module| module.kind == "linked").collect();
    assert_eq!(linked.len(), 4);
    let size =
        |module: &Module| fs::metadata(place.path("site").join(&module.object)).unwrap().len();
    let sizes: Vec<_> = linking.manifest.modules.iter().map(size).collect();
    assert_eq!(linked.iter().map(|module| module.code).collect::<Vec<_>>(), sizes);
    assert!(made.report.modules_text().contains(", linked in\n"));
    // The library is Debian's, and so is the text of its licence; zlib is the runtime's own.
    let [library] = &inventory.libraries[..] else { panic!("{:?}", inventory.libraries) };
    assert_eq!(library.name, "stdc++");
    assert!(library.package.as_ref().unwrap().starts_with("libstdc++-"), "{library:?}");
    assert_eq!(library.licence_files, ["licenses/stdc++/copyright"]);
    let text = image.file("licenses/stdc++/copyright").unwrap().content.read().unwrap();
    assert!(String::from_utf8_lossy(&text).contains("GCC Runtime Library Exception"));

    // The same bytes, wherever it lies.
    let other = Linking::spam();
    assert!(other.place.freeze(&other.place.module("main")).unwrap().bytes == made.bytes);
}

#[test]
fn nothing_is_linked_again_until_something_changes() {
    let mut linking = Linking::spam();
    let cache = linking.place.cache();
    let request = linking.place.module("main");
    let freeze = |linking: &Linking| program::freeze(&request, &linking.place.base, Some(&cache));
    let first = freeze(&linking).unwrap();
    // Without this nothing can be linked.
    fs::rename(linking.place.path("runtime/lib/main.o"), linking.place.path("main.o")).unwrap();
    assert!(freeze(&linking).unwrap().bytes == first.bytes);
    linking.manifest.modules.clear();
    linking.module("spam._core", "spam/_core", &CORE.replace("context()", "\"new\""), &[]);
    assert!(matches!(freeze(&linking), Err(Error::Runtime(_))));
    fs::rename(linking.place.path("main.o"), linking.place.path("runtime/lib/main.o")).unwrap();
    let changed = linking.output(&freeze(&linking).unwrap());
    assert!(changed.contains("spam._core: new\n"), "{changed}");
}

#[test]
fn libraries_of_wheels_and_of_the_machine() {
    let mut linking = Linking::new();
    let place = &linking.place;
    place.write("site/main.py", "import _eggs\n");
    for (name, source) in [
        ("one", "const char *two(void); const char *one(void) { return two(); }"),
        ("two", "const char *three(void); const char *two(void) { return three(); }"),
        (
            "three",
            "#include <math.h>\nint zero; const char *three(void) { return cbrt(zero) == 0 ? \"deep\" : \"\"; }",
        ),
    ] {
        place.write("library.c", source);
        let object = place.path(&format!("site/{name}.o"));
        let mut cc = Command::new("cc");
        run(cc.args(["-O2", "-fPIC", "-c", "-o"]).arg(&object).arg(place.path("library.c")));
        if name != "two" {
            let archive = place.path(&format!("site/lib{name}.a"));
            run(Command::new("ar").arg("rcD").arg(archive).arg(&object));
        }
    }
    // An order that only a group makes up for, an object, and parts of the C library.
    linking.library("three", Some("libthree.a"), &["m", "c", "rt"]);
    linking.library("one", Some("libone.a"), &["two", "gcc_s"]);
    linking.library("two", Some("two.o"), &["three"]);
    let source = "const char *one(void); const char *PyInit__eggs(void) { return one(); }\n";
    linking.module("_eggs", "_eggs", source, &["one"]);
    linking.finish();
    for flavour in Flavour::ALL {
        let made = linking.place.freeze(&linking.request(flavour)).unwrap();
        assert!(linking.output(&made).contains("_eggs: deep\n"), "{flavour}");
        let files = image(&made);
        let files: Vec<_> = files.files().map(|file| file.path.to_owned()).collect();
        let is_inner = |path: &String| path.ends_with(".a") || path.ends_with(".o");
        assert!(!files.iter().any(|path| is_inner(path) || path.ends_with("static.json")));
    }
}

#[test]
fn what_cant_be_linked_is_told() {
    let mut linking = Linking::new();
    linking.place.write("site/main.py", "import _one, _two\n");
    linking.library("no-such", None, &[]);
    linking.module("_one", "_one", "const char *PyInit__one(void) { return 0; }\n", &["no-such"]);
    linking.module(
        "_two",
        "_two",
        "const char *PyInit__two(void) { return 0; }\n",
        &["other", "z"],
    );
    linking.finish();
    for flavour in Flavour::ALL {
        assert_eq!(
            linking.refused_as(&linking.request(flavour)),
            "these libraries can't be linked in, for their archives aren't there:\n  \
             libno-such.a, for `_one` of Spam: libno-such-dev may have it\n  \
             libother.a, for `_two` of Spam: libother-dev may have it"
        );
    }

    linking.manifest.modules.clear();
    let missing = "int gone(void); const char *PyInit__one(void) { return gone() ? 0 : \"\"; }\n";
    linking.module("_one", "_one", missing, &[]);
    linking.module("_two", "_two", "const char *PyInit__two(void) { return 0; }\n", &[]);
    linking.finish();
    for linker in [None, Some(Linker::Lld), Some(Linker::Mold)] {
        let request = Request { linker, ..linking.request(Flavour::Static) };
        assert_eq!(
            linking.refused_as(&request),
            "an interpreter with these modules can't be linked:\n  \
             `gone` is nowhere, and needed by `_one` of Spam"
        );
    }

    // Two that offer the same, of which mold drops one that nothing needs.
    let one = fs::read(linking.place.path("site/_two.abi3.o")).unwrap();
    fs::write(linking.place.path("site/_one.abi3.o"), one).unwrap();
    linking.manifest.modules[0].init = "init__two".to_owned();
    linking.manifest.modules[1].init = "init__two".to_owned();
    linking.finish();
    for linker in [None, Some(Linker::Lld)] {
        let request = Request { linker, ..linking.request(Flavour::Dynamic) };
        assert_eq!(
            linking.refused_as(&request),
            "an interpreter with these modules can't be linked:\n  \
             `init__two` is in more than one: `_one` of Spam and `_two` of Spam"
        );
    }

    linking.manifest.python = "3.10.1".to_owned();
    linking.finish();
    let python = &linking.place.base.python;
    assert_eq!(
        linking.refused(),
        format!(
            "[PLACE]/site/Spam-1.0.dist-info/static.json: the static wheel of Spam 1.0 is for \
             CPython 3.10.1, and the program has {python}"
        )
    );
    linking.place.write("site/Spam-1.0.dist-info/static.json", "{}");
    let refused = linking.refused();
    assert!(
        refused.starts_with("[PLACE]/site/Spam-1.0.dist-info/static.json can't be"),
        "{refused}"
    );
}

#[test]
fn who_says_how_it_is_linked_gets_it_so() {
    let linking = Linking::spam();
    let place = &linking.place;
    let links = |words: &[&str]| {
        let mut links = Links::default();
        words.iter().for_each(|word| links.take(word).unwrap());
        links
    };
    let request = |words: &[&str]| Request { link: links(words), ..place.module("main") };
    assert_eq!(
        linking.refused_as(&request(&["spam=memory"])),
        "`spam._core` of Spam can't be part of the program: it is to be loaded from memory, and is \
         there as a static wheel only"
    );
    // Where both are there.
    for name in ["spam/_core", "spam/_cxx", "spam/_zlib", "spam/deep/__init__"] {
        place.write("module.c", "int nothing;\n");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).arg(place.path(&format!("site/{name}.abi3.so")));
        run(cc.arg(place.path("module.c")));
    }
    let flavour = |words: &[&str]| {
        let made = place.freeze(&request(words)).unwrap();
        (made.report.flavour, made.report.warnings.len())
    };
    assert_eq!(flavour(&[]), (Some(Flavour::Static), 0));
    assert_eq!(flavour(&["memory"]), (Some(Flavour::Dynamic), 0));
    assert_eq!(flavour(&["memory", "SPAM=static"]), (Some(Flavour::Static), 0));
    assert_eq!(flavour(&["eggs=static"]), (Some(Flavour::Static), 1));

    // Where there is nothing to be linked.
    fs::remove_file(place.path("site/Spam-1.0.dist-info/static.json")).unwrap();
    assert_eq!(flavour(&[]), (Some(Flavour::Dynamic), 0));
    assert_eq!(flavour(&["static"]), (Some(Flavour::Dynamic), 4));
    let strict = Request { strict: true, ..request(&["static"]) };
    let refused = linking.refused_as(&strict);
    assert!(
        refused.contains("\n  `spam._core` of spam._core isn't linked in, for no static wheel"),
        "{refused}"
    );
    assert!(place.freeze(&Request { strict: true, ..request(&[]) }).is_ok());
    let linked = Link::Static;
    assert_eq!(linked.to_string(), "static");
}

#[test]
fn what_a_program_can_do_without_is_known() {
    let place = Place::new();
    place.write(
        "site/spam/__init__.py",
        "try:\n    from spam import _core\nexcept ImportError: pass\n",
    );
    place.write("site/spam/_core.abi3.so", "");
    place.write("site/spam-1.0.dist-info/METADATA", "Name: spam\nVersion: 1.0\n");
    let record = "spam/__init__.py,,\nspam/_core.abi3.so,,\n";
    place.write("site/spam-1.0.dist-info/RECORD", record);
    for (source, need) in [
        ("try:\n    import spam\nexcept ImportError: pass\n", Need::Nothing),
        ("import spam\n", Need::Distribution),
        ("import spam._core\n", Need::Module),
        ("def run():\n    import spam._core\n", Need::Module),
    ] {
        place.write("site/main.py", source);
        let modules = program::compiled(&place.module("main"), &place.base, None, None).unwrap();
        let found: Vec<_> = modules.iter().map(|it| (it.why.name.as_str(), it.need)).collect();
        assert_eq!(found, [("spam._core", need)], "{source}");
    }
}

#[test]
fn static_wheels_take_the_place_of_what_is_installed() {
    let linking = Linking::spam();
    let place = &linking.place;
    place.write("installed/main.py", "import spam\n");
    for file in ["spam/__init__.py", "spam/old.py", "spam/_core.abi3.so", "spam/other.py"] {
        place.write(&format!("installed/{file}"), "");
    }
    let metadata = "installed/spam-1.0.dist-info";
    place.write(&format!("{metadata}/METADATA"), "Name: spam\nVersion: 1.0\n");
    let record = "spam/__init__.py,,\nspam/old.py,,\nspam/_core.abi3.so,,\n\
                  spam-1.0.dist-info/METADATA,,\nspam-1.0.dist-info/RECORD,,\n";
    place.write(&format!("{metadata}/RECORD"), record);
    let cache = place.path("cache");
    let make_without = |places: &[PathBuf], words: &[&str], without: &[&str]| {
        let mut links = Links::default();
        words.iter().for_each(|word| links.take(word).unwrap());
        let without = without.iter().map(|name| (*name).to_owned()).collect();
        let (python, links, without) = (&place.base.python, &links, &without);
        let wheels = StaticWheels { places, links, without, python, cache: &cache };
        with_static(&place.path("installed"), &wheels)
    };
    let make = |places: &[PathBuf], words: &[&str]| make_without(places, words, &[]);
    let left = make_without(&[], &[], &["spam", "eggs"]).unwrap().folder;
    assert!(left.join("main.py").is_file() && left.join("spam/other.py").is_file());
    assert!(!left.join("spam/__init__.py").exists() && !left.join("spam-1.0.dist-info").exists());
    // Unpacked, and in a folder.
    fs::create_dir(place.path("wheels")).unwrap();
    std::os::unix::fs::symlink(place.path("site"), place.path("wheels/spam")).unwrap();
    let made = make(&[place.path("wheels")], &[]).unwrap();
    assert_eq!(made.replaced, ["spam"]);
    let has = |name: &str| made.folder.join(name).is_file();
    assert!(has("spam/_core.abi3.o") && has("spam/other.py") && has("main.py"));
    assert!(!has("spam/old.py") && !has("spam/_core.abi3.so"));
    assert_eq!(make(&[place.path("wheels")], &[]).unwrap(), made);
    let request = Request { site: vec![made.folder.clone()], ..place.module("main") };
    let program = linking.output(&place.freeze(&request).unwrap());
    assert!(program.contains("spam._core: spam._core\n"), "{program}");

    let whole = make(&[place.path("wheels")], &["spam=memory"]).unwrap();
    assert_eq!((whole.folder, whole.replaced), (place.path("installed"), Vec::new()));
    let other = record.replace("1.0", "1.1");
    place.write(&format!("{metadata}/RECORD"), &other);
    place.write(&format!("{metadata}/METADATA"), "Name: spam\nVersion: 1.1\n");
    let unsuitable = make(&[place.path("site")], &[]).unwrap();
    assert_eq!(unsuitable.folder, place.path("installed"));
    assert_eq!(
        unsuitable.warnings[0].message,
        "Spam 1.1 is installed, and the static wheel is of 1.0"
    );
    place.write("nothing.txt", "");
    let error = make(&[place.path("nothing.txt")], &[]).unwrap_err().to_string();
    assert!(error.ends_with("it is neither a static wheel nor a folder with some"), "{error}");
}
