//! Ordinary interpreters in place of a runtime.

use std::collections::BTreeSet;
use std::fs;

use ekiben_freeze::program::host::{Interpreter, Parts};
use ekiben_freeze::program::{self, Flavour, Request};
use ekiben_image::{FileKind, ModuleKind};

use crate::support::{Place, image, interpreter};

const PYTHON: &[(&str, &str)] = &[
    ("_ekiben_importer.py", "IMPORTER = True\n"),
    ("_ekiben_site.py", "import _ekiben_importer\n"),
];

#[test]
fn an_interpreter_becomes_a_base_once() {
    let place = Place::new();
    let launcher = fs::read(&place.base.programs[&Flavour::Static]).unwrap();
    let parts =
        Parts { launcher: &launcher, library: b"library", python: PYTHON, licences: "ours" };
    let (path, python) = interpreter();
    let found = Interpreter::find(&python).unwrap();
    assert_eq!(found.python, python);
    assert_eq!(Interpreter::find(path.to_str().unwrap()).unwrap(), found);

    let cache = place.path("host-cache");
    let base = found.base(parts, &cache).unwrap();
    let made = fs::metadata(&base.stdlib).unwrap().modified().unwrap();
    assert_eq!(found.base(parts, &cache).unwrap(), base);
    assert_eq!(fs::metadata(&base.stdlib).unwrap().modified().unwrap(), made);
    // Other parts make another one.
    let other = found.base(Parts { library: b"other", ..parts }, &cache).unwrap();
    assert_ne!(other.stdlib, base.stdlib);

    place.write("hello.py", "import json\n");
    let made = program::freeze(&place.script("hello.py"), &base, None).unwrap();
    assert_eq!(made.report.flavour, Some(Flavour::Host));
    let image = image(&made);
    image.verify().unwrap();
    let prefix = format!("lib/python{python}");
    for (name, kind) in [("json", ModuleKind::Code), ("_lsprof", ModuleKind::Extension)] {
        assert_eq!(image.module(&format!("{prefix}/{name}")).unwrap().kind, kind, "{name}");
    }
    assert_eq!(image.module(":sys").unwrap().kind, ModuleKind::Builtin);
    for name in ["test", "site-packages", "tkinter", "_tkinter", "_gdbm"] {
        assert!(image.module(&format!("{prefix}/{name}")).is_none(), "{name}");
    }
    for (name, text) in [("_ekiben_site", "import _ekiben_importer\n"), ("site", "def ")] {
        let module = image.module(&format!("{prefix}/{name}")).unwrap();
        let source = image.source(&module).unwrap().read().unwrap();
        assert!(String::from_utf8_lossy(&source).contains(text), "{name}");
    }
    let licences = image.file("licenses/ekiben/LICENSES").unwrap();
    assert_eq!(&*licences.content.read().unwrap(), b"ours");
    let early: BTreeSet<_> = image.setting("early").unwrap().lines().collect();
    for name in ["_ekiben_importer", "_ekiben_site", "encodings", "encodings/utf_8", "warnings"] {
        assert!(early.contains(format!("{prefix}/{name}").as_str()), "{name}");
    }
    let pruned = Request { prune: true, ..place.script("hello.py") };
    let pruned = program::freeze(&pruned, &base, None).unwrap();
    let pruned = crate::support::image(&pruned);
    assert!(pruned.module(&format!("{prefix}/_lsprof")).is_none());
    assert!(pruned.files().all(|file| !file.path.contains("_lsprof")));
    assert!(pruned.file("bin/python").is_some());
    // The interpreter first, Ekiben's library last, and what the former needs between.
    let host: Vec<_> = image.setting("host").unwrap().lines().collect();
    assert_eq!((host[0], host[host.len() - 1]), ("bin/python", "lib/ekiben_host.so"));
    for path in host {
        assert_eq!(image.file(path).unwrap().kind, FileKind::SharedObject, "{path}");
    }
}

#[test]
fn interpreters_that_cant_serve_are_told() {
    let told = |wanted: &str| Interpreter::find(wanted).unwrap_err().to_string();
    assert_eq!(
        told("/no/python"),
        "`/no/python` is neither an interpreter that can be run, nor a version of Python that is on PATH"
    );
    let place = Place::new();
    place.write("old", "#!/bin/sh\nprintf '3\\n7\\n/usr/bin/old\\n'\n");
    crate::support::install(&place.path("old"), &place.path("python"));
    assert_eq!(
        told(place.path("python").to_str().unwrap()),
        "/usr/bin/old can't be made a program: it is Python 3.7, and programs of the flavour `host` can \
         be made of 3.11 to 3.13"
    );
}
