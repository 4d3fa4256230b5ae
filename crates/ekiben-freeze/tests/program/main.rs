//! Programs made of scripts, modules and entry points, with a runtime that is small enough for tests.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod beside;
mod dependencies;
mod find;
mod host;
mod linked;
mod real;
mod shared;
mod support;
mod trace;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use ekiben_freeze::program::inventory::Inventory;
use ekiben_freeze::program::{self, Flavour, Request, Target};
use ekiben_image::{FileKind, ModuleKind};

use support::{Place, code_of, image, install};

#[test]
fn a_program_holds_its_modules_and_the_standard_library() {
    let place = Place::new();
    place.write("hello.py", "import greeting\nprint(greeting.TEXT)\n");
    place.write("greeting.py", "TEXT = 'hello'\n");
    let made = place.freeze(&place.script("hello.py")).unwrap();
    let path = place.path("out/hello");
    made.write(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    install(&path, &place.path("copy"));
    let output = Command::new(place.path("copy")).output().unwrap();
    assert_eq!(output.stdout, b"EKIBENIM\n", "{output:?}");
    // Nothing else is left in the folder.
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 1);

    let image = image(&made);
    image.verify().unwrap();
    let python = &place.base.python;
    let own = image.module(&format!("lib/python{python}/site-packages/greeting")).unwrap();
    assert_eq!((own.name, own.kind, own.is_package), ("greeting", ModuleKind::Code, false));
    assert_eq!(&*image.source(&own).unwrap().read().unwrap(), b"TEXT = 'hello'\n");
    let decoder = image.module(&format!("lib/python{python}/json/decoder")).unwrap();
    assert_eq!(*decoder.code.read().unwrap(), code_of("json.decoder"));
    let settings: Vec<_> = image.settings().filter(|(key, _)| *key != "early").collect();
    assert_eq!(
        settings,
        [
            ("fast-exit", "1"),
            ("isolated", "1"),
            ("main", "hello"),
            ("optimize", "0"),
            ("python", python.as_str()),
            ("quiet-start", "1"),
            ("self-interpreter", "1"),
            ("version", "3.x"),
        ]
    );
    let sizes = made.report.sizes;
    assert_eq!((sizes.program, sizes.image), (made.bytes.len(), image.size()));
}

#[test]
fn what_is_imported_first_is_at_hand_and_the_rest_is_packed() {
    let place = Place::new();
    place.write("hello.py", "import spam\n\ndef main():\n    import ensurepip\n");
    let later = "def later():\n    import json.decoder\n";
    // The real `json` imports `json.decoder` by a statement at the beginning of a line.
    for (spam, expected) in [
        (
            format!("if spam:\n    from json import decoder\n{later}"),
            ["ensurepip", "json", "json.decoder"].as_slice(),
        ),
        ("import json\n".to_owned(), &["ensurepip", "json", "json.decoder"]),
        (later.to_owned(), &["ensurepip"]),
    ] {
        place.write("spam.py", &spam);
        for request in [
            place.script("hello.py"),
            Request { prune: true, ..place.script("hello.py") },
            Request { sources: false, ..place.script("hello.py") },
        ] {
            let made = place.freeze(&request).unwrap();
            let image = image(&made);
            let standard = image.modules().filter(|it| it.path.starts_with("lib/python"));
            // `abc` is what everything imports somewhere.
            let standard =
                standard.filter(|it| it.name != "abc" && !it.path.contains("site-packages"));
            let mut at_hand = Vec::new();
            for module in standard.filter(|it| it.kind == ModuleKind::Code) {
                assert_eq!(*module.code.read().unwrap(), code_of(module.name));
                if module.code.plain().is_some() {
                    at_hand.push(module.name);
                }
            }
            assert_eq!(at_hand, expected, "{spam}");
        }
    }
}

#[test]
fn code_is_compiled_as_asked_and_names_no_folder_of_this_machine() {
    let place = Place::new();
    place.write("hello.py", "\"\"\"Doc.\"\"\"\nassert False\n");
    let script = "import marshal, sys\ncode = marshal.loads(sys.stdin.buffer.read())\n\
                  print(code.co_filename, 'Doc.' in code.co_consts)";
    for (optimize, expected) in [(0, "True"), (2, "False")] {
        let request = Request { optimize, ..place.script("hello.py") };
        let made = place.freeze(&request).unwrap();
        let image = image(&made);
        let module = image.modules().find(|module| module.name == "hello").unwrap();
        place.write("code", "");
        fs::write(place.path("code"), module.code.read().unwrap()).unwrap();
        let stdin = fs::File::open(place.path("code")).unwrap();
        let output = Command::new(&place.base.interpreter)
            .args(["-c", script])
            .stdin(stdin)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let file = format!("lib/python{}/site-packages/hello.py", place.base.python);
        assert!(said.starts_with(&file) && said.contains(expected), "{said}");
    }
}

#[test]
fn the_same_input_makes_the_same_bytes_wherever_it_lies() {
    let programs: Vec<_> = (0..2)
        .map(|_| {
            let place = Place::new();
            place
                .write("hello.py", "import spam\nfrom spam import eggs\nNAMES = {'a', 'b', 'c'}\n");
            place.write("spam/__init__.py", "X = frozenset(('x', 'y', 'z'))\n");
            place.write("spam/eggs.py", "def f(spam, eggs): return spam in {'p', 'q', 'r'}\n");
            place.write("spam/data.txt", "data");
            let made = place.freeze(&place.script("hello.py")).unwrap();
            image(&made).verify().unwrap();
            made.bytes
        })
        .collect();
    assert!(programs[0] == programs[1]);
}

#[test]
fn what_was_found_is_used_again_until_something_changes() {
    let place = Place::new();
    place.write("hello.py", "try:\n    import spam.eggs\nexcept ImportError:\n    pass\n");
    let cache = place.cache();
    let request = place.script("hello.py");
    let freeze = || program::freeze(&request, &place.base, Some(&cache)).unwrap();
    let first = freeze();
    let second = freeze();
    assert!(first.bytes == second.bytes);
    assert_eq!(first.report, second.report);
    assert_eq!(place.runs(), 1);

    // What an import looked for appears, a module, data, and then other content.
    place.write("spam/__init__.py", "");
    assert_eq!(freeze().report.modules.len(), 2);
    place.write("spam/eggs.py", "A = 1\n");
    assert_eq!(freeze().report.modules.len(), 3);
    place.write("spam/data.txt", "1");
    assert_eq!(freeze().report.files.len(), 1);
    assert_eq!(place.runs(), 4);
    place.write("spam/data.txt", "2");
    let made = freeze();
    let data = image(&made).files().find(|file| file.path.ends_with("spam/data.txt")).unwrap();
    assert_eq!(&*data.content.read().unwrap(), b"2");
    assert_eq!(place.runs(), 5);
    freeze();
    assert_eq!(place.runs(), 5);
    program::freeze(&Request { optimize: 1, ..request.clone() }, &place.base, Some(&cache))
        .unwrap();
    assert_eq!(place.runs(), 6);
}

#[test]
fn sources_and_the_standard_library_can_be_left_out() {
    let place = Place::new();
    place.write("hello.py", "import json\n");
    let whole = place.freeze(&place.script("hello.py")).unwrap();
    let names = |made: &program::Program| {
        let image = image(made);
        let modules = image.modules().filter(|module| module.kind != ModuleKind::Builtin);
        modules.map(|module| module.name.to_owned()).collect::<Vec<_>>()
    };
    assert!(names(&whole).contains(&"ensurepip".to_owned()));
    assert!(image(&whole).files().any(|file| file.path.ends_with("ensurepip/data.txt")));

    let request = Request { prune: true, ..place.script("hello.py") };
    let pruned = place.freeze(&request).unwrap();
    // `abc` and `site` are needed by every interpreter, and `json` imports `json.decoder`.
    assert_eq!(names(&pruned), ["abc", "json", "json.decoder", "site", "hello"]);
    assert!(image(&pruned).files().all(|file| file.kind == FileKind::Source));

    let request = Request { sources: false, ..place.script("hello.py") };
    let without = place.freeze(&request).unwrap();
    assert_eq!(names(&without), names(&whole));
    assert!(image(&without).files().all(|file| file.kind != FileKind::Source));
}

#[test]
fn mistakes_are_told() {
    let place = Place::new();
    place.write("hello.py", "import spam\n");
    let script = place.script("hello.py");
    let missing = place.script("other.py");
    assert!(place.refused(&missing).starts_with("can't read [PLACE]/other.py: No such file"));
    let request = Request { includes: vec!["no.such".into()], ..script.clone() };
    assert_eq!(place.refused(&request), "`no.such`, which is to be included, fits no module");
    let request = Request { switches: [("spam".to_owned(), true)].into(), ..script.clone() };
    assert_eq!(
        place.refused(&request),
        "programs have no setting `spam`, but fast-exit, isolated, quiet-start, self-interpreter"
    );
    let request = Request { site: vec![place.path("nowhere")], ..script };
    assert!(place.refused(&request).starts_with("can't read [PLACE]/nowhere: "));
    place.write("wrong.py", "a = 1\nif:\n");
    assert_eq!(place.refused(&place.script("wrong.py")), "[PLACE]/wrong.py:2: invalid syntax");
    let missing = Request::new(Target::parse("no.such").unwrap());
    assert_eq!(place.refused(&missing), "there is no module `no.such`");
}

#[test]
fn an_inventory_accounts_for_every_byte() {
    let place = Place::new();
    place.write("site/spam/__init__.py", "from . import eggs\n");
    place.write("site/spam/__main__.py", "import spam\n");
    place.write("site/spam/eggs.py", "X = 1\n");
    place.write("site/spam/<data>.txt", &"data".repeat(1000));
    place.write(
        "site/spam-1.0.dist-info/METADATA",
        "Name: Spam\nVersion: 1.0\nLicense: MIT\n\nText\n",
    );
    place.write("site/spam-1.0.dist-info/licenses/LICENSE", "Permission\n");
    place.write(
        "site/spam-1.0.dist-info/RECORD",
        "spam/__init__.py,,\nspam/__main__.py,,\nspam/eggs.py,,\n../../bin/spam,,\n",
    );
    let made = place.freeze(&place.module("spam")).unwrap();
    let inventory = Inventory::of(&made.bytes, true).unwrap();
    assert_eq!(inventory.size, made.bytes.len() as u64);
    assert_eq!(inventory.interpreter + inventory.image, inventory.size);
    let parts: u64 = inventory.parts.iter().map(program::inventory::Part::size).sum();
    assert_eq!(inventory.index + parts, inventory.image);
    let names: Vec<_> =
        inventory.parts.iter().map(|part| (part.name.as_str(), part.modules)).collect();
    let standard = image(&made).modules().count() - 3;
    assert_eq!(names, [("spam", 3), ("standard library", standard)]);
    let spam = &inventory.distributions[0];
    assert_eq!((spam.name.as_str(), spam.version.as_str()), ("Spam", "1.0"));
    assert_eq!((spam.licence.as_deref(), spam.licence_files.len()), (Some("MIT"), 1));
    assert_eq!(inventory.settings["main"], "spam.__main__");
    // The list of files is of those that are there.
    let record = image(&made).files().find(|file| file.path.ends_with("/RECORD")).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&record.content.read().unwrap()),
        "spam-1.0.dist-info/RECORD,,\nspam/__init__.py,,\nspam/__main__.py,,\nspam/eggs.py,,\n"
    );

    let page = inventory.page("a <program>", |bytes| format!("{bytes} B"));
    assert!(page.contains("<title>a &lt;program&gt;</title>"), "{page}");
    assert!(page.contains("packages/spam/&lt;data&gt;.txt: 4000 B"), "{page}");
    for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }

    let mut changed = made.bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(Inventory::of(&changed, false).is_ok());
    let damaged = Inventory::of(&changed, true).unwrap_err().to_string();
    assert!(damaged.contains("damaged"), "{damaged}");
    let empty = fs::read(&place.base.programs[&Flavour::Static]).unwrap();
    let message = Inventory::of(&empty, false).unwrap_err().to_string();
    assert_eq!(message, "it is an interpreter without an image: no program was put into it");
}

#[test]
fn a_runtime_of_another_ekiben_is_none() {
    let place = Place::new();
    assert_eq!(place.base.clone().usable(Flavour::Static).unwrap(), place.base);
    let mut image = fs::read(&place.base.stdlib).unwrap();
    // The version comes after the mark.
    image[8] = image[8].wrapping_add(1);
    fs::write(&place.base.stdlib, image).unwrap();
    let error = place.base.clone().usable(Flavour::Static).unwrap_err();
    assert!(error.to_string().contains("stdlib.image can't be used: "), "{error}");
    assert_eq!(error.code(), "no-runtime");
}
