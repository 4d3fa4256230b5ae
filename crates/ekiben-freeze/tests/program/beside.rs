//! Packages beside a program.

use std::fs;

use ekiben_freeze::program::{Beside, Flavour, Request};

use crate::shared::{library, link};
use crate::support::{Place, image};

fn request(place: &Place, packages: &[&str]) -> Request {
    let packages = packages.iter().map(|name| (*name).to_owned()).collect();
    Request { beside: Some(Beside { packages, folder: "main.lib".into() }), ..place.module("main") }
}

fn listed(place: &Place) -> Vec<String> {
    let root = place.path("out/main.lib");
    let mut names: Vec<String> = walkdir::WalkDir::new(&root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(&root).unwrap().display().to_string())
        .map(|name| name.replace(&place.base.python.replace('.', ""), "[TAG]"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_package_is_files_that_its_interpreter_runs() {
    let place = Place::new();
    place.write("site/main.py", "import spam.part\nimport eggs\n");
    place.write("site/eggs.py", "");
    place.write("site/spam/__init__.py", "");
    place.write(
        "site/spam/part.py",
        "import os\nTEXT = open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()\n",
    );
    place.write("site/spam/data.txt", "a text");
    place.write("site/spam/by_name.py", "");
    place.write("site/spam-1.dist-info/METADATA", "Name: spam\nVersion: 1\n");
    place.write("site/spam-1.dist-info/RECORD", "spam/__init__.py,,\nspam/part.py,,\n");
    let made = place.freeze(&request(&place, &["spam"])).unwrap();
    assert!(made.report.warnings.is_empty(), "{:?}", made.report.warnings);
    made.write(&place.path("out/main")).unwrap();
    insta::assert_debug_snapshot!(listed(&place), @r#"
    [
        "README.txt",
        "spam/__init__.py",
        "spam/__pycache__/__init__.cpython-[TAG].pyc",
        "spam/__pycache__/by_name.cpython-[TAG].pyc",
        "spam/__pycache__/part.cpython-[TAG].pyc",
        "spam/by_name.py",
        "spam/data.txt",
        "spam/part.py",
    ]
    "#);
    let content = image(&made);
    assert_eq!(content.setting("path"), Some("main.lib"));
    let names: Vec<_> = content.modules().map(|module| module.name).collect();
    assert!(names.contains(&"eggs") && !names.iter().any(|name| name.starts_with("spam")));
    assert!(content.files().any(|file| file.path.ends_with("spam-1.dist-info/METADATA")));

    // Compiled code is taken, for its source isn't looked at.
    let source = place.path("out/main.lib/spam/part.py");
    fs::write(&source, "raise SystemExit('this is compiled anew')\n").unwrap();
    let mut python = std::process::Command::new(&place.base.interpreter);
    let code =
        "import sys; sys.path.insert(0, sys.argv[1]); import spam.part; print(spam.part.TEXT)";
    let output = python.args(["-I", "-B", "-c", code]).arg(place.path("out/main.lib")).output();
    assert_eq!(String::from_utf8_lossy(&output.unwrap().stdout), "a text\n");

    // Made again, the folder is replaced.
    let plain = Request { sources: false, ..request(&place, &["spam"]) };
    place.freeze(&plain).unwrap().write(&place.path("out/main")).unwrap();
    let again =
        ["README.txt", "spam/__init__.pyc", "spam/by_name.pyc", "spam/data.txt", "spam/part.pyc"];
    assert_eq!(listed(&place), again);
}

#[test]
fn compiled_modules_are_taken_as_they_are_with_their_libraries() {
    let place = Place::new();
    place.write("site/main.py", "import spam.fast\n");
    place.write("site/spam/__init__.py", "");
    library(&place, "site/spam.libs/libham.so", &[]);
    let flags = ["-Wl,-rpath,$ORIGIN/../spam.libs", "-L../spam.libs", "-lham"];
    let code = "int PyInit_fast(void) { return 0; }";
    link(&place, "site/spam/fast.so", code, &flags);
    let dynamic = Request { flavour: Some(Flavour::Dynamic), ..request(&place, &["spam"]) };
    let made = place.freeze(&dynamic).unwrap();
    assert!(image(&made).files().all(|file| !file.path.ends_with(".so")));
    made.write(&place.path("out/main")).unwrap();
    for name in ["spam/fast.so", "spam.libs/libham.so"] {
        let [from, to] = ["site", "out/main.lib"].map(|it| place.path(&format!("{it}/{name}")));
        assert_eq!(fs::read(from).unwrap(), fs::read(to).unwrap(), "{name}");
    }
    place.write(
        "site/main.py",
        "try:\n    import spam.fast\nexcept ImportError:\n    import spam\n",
    );
    let fixed = Request { flavour: Some(Flavour::Static), ..request(&place, &["spam"]) };
    let message = place.refused(&fixed);
    assert!(
        message.contains("spam/fast.so would be left out, so that its package can't"),
        "{message}"
    );
}

#[test]
fn what_cant_lie_beside_is_refused() {
    let place = Place::new();
    place.write("site/main.py", "import spam\n");
    place.write("site/spam.py", "");
    let message = place.refused(&request(&place, &["spam", "gone"]));
    assert_eq!(message, "there is no package `gone` in the program that could lie beside it");
    // Somebody else's folder stays.
    place.write("out/main.lib/kept.txt", "kept");
    let made = place.freeze(&request(&place, &["spam"])).unwrap();
    let message = made.write(&place.path("out/main")).unwrap_err().to_string();
    assert!(message.ends_with("main.lib, where something is that Ekiben didn't make"), "{message}");
    assert_eq!(listed(&place), ["kept.txt"]);
    assert!(!place.path("out/main").exists());
}
