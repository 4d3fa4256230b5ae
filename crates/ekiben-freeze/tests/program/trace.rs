//! What programs import when they are run.

use std::ffi::OsString;

use ekiben_freeze::program::{self, Request, Target};

use crate::support::Place;

/// Imports what its arguments name: by itself, in another process of Python, and in a fork.
const SCRIPT: &str = r#"
import importlib
import os
import subprocess
import sys

def main():
    own, other, forked = sys.argv[1:4]
    importlib.import_module(own)
    subprocess.run([sys.executable, "-c", "import " + other], check=True)
    if os.fork() == 0:
        importlib.import_module(forked)
        os.closerange(3, 100)
        os._exit(0)
    os.wait()
    try:
        importlib.import_module("nowhere")
    except ImportError:
        sys.exit(3)

if __name__ == "__main__":
    main()
"#;

const ARGUMENTS: [&str; 3] = ["plugins.one", "other", "forked"];

fn place() -> Place {
    let place = Place::new();
    place.write("hello.py", SCRIPT);
    place.write("site/hello_too.py", SCRIPT);
    for folder in ["", "site/"] {
        place.write(&format!("{folder}plugins/__init__.py"), "");
        for name in ["one", "two"] {
            place.write(&format!("{folder}plugins/{name}.py"), "from plugins import deep\n");
        }
        place.write(&format!("{folder}plugins/deep.py"), "");
    }
    for name in ["other", "forked"] {
        place.write(&format!("site/{name}.py"), "");
    }
    place
}

fn arguments() -> Vec<OsString> {
    ARGUMENTS.map(OsString::from).to_vec()
}

#[test]
fn what_runs_import_becomes_a_part_of_the_program() {
    let place = place();
    let script = Request { site: vec![place.path("site")], ..place.script("hello.py") };
    let entry = |module: &str| Target::EntryPoint {
        module: module.to_owned(),
        function: "main".to_owned(),
        within: None,
    };
    let function = Request { target: entry("hello_too"), ..script.clone() };
    let module = Target::Module { name: "hello_too".to_owned(), within: None };
    let module = Request { target: module, ..script.clone() };
    for request in [script, function, module] {
        let made = place.freeze(&request).unwrap();
        assert!(!made.report.modules.iter().any(|it| it.why.name == "plugins.one"));
        let run = program::trace(&request, &place.base, &arguments()).unwrap();
        assert_eq!(run.status.code(), Some(3), "{request:?}");
        for name in ["plugins.one", "plugins.deep", "other", "forked", "importlib"] {
            assert!(run.modules.contains(name), "{name}: {request:?}: {run:?}");
        }
        for name in ["plugins.two", "nowhere", "__main__", "sitecustomize"] {
            assert!(!run.modules.contains(name), "{name}: {request:?}");
        }

        let traced = run.modules.into_iter().collect();
        let made = place.freeze(&Request { traced, ..request }).unwrap();
        let why = |name: &str| {
            let found = made.report.modules.iter().find(|it| it.why.name == name);
            found.map(|it| it.why.text())
        };
        assert_eq!(why("plugins.one").as_deref(), Some("imported in the traced run"));
        assert!(why("other").is_some() && why("forked").is_some() && why("plugins.two").is_none());
    }
}

#[test]
fn what_was_made_at_run_time_is_no_loss() {
    let place = Place::new();
    place.write("hello.py", "import sys\nsys.modules['made'] = sys\nimport made\n");
    let request = place.script("hello.py");
    let run = program::trace(&request, &place.base, &[]).unwrap();
    assert!(run.status.success() && run.modules.contains("made"));
    let traced: Vec<String> = run.modules.into_iter().collect();
    let made = place.freeze(&Request { traced, ..request }).unwrap();
    let missing: Vec<_> = made.report.missing.iter().map(|it| it.why.text()).collect();
    assert_eq!(missing, ["imported by hello, line 3"]);
}

#[test]
fn a_program_that_cant_be_run_is_told() {
    let place = Place::new();
    let run = program::trace(&place.script("nowhere.py"), &place.base, &[]).unwrap();
    assert_eq!(run.status.code(), Some(2), "the interpreter has said why");
    let mut base = place.base.clone();
    base.interpreter = place.path("no-interpreter");
    let error = program::trace(&place.script("nowhere.py"), &base, &[]).unwrap_err();
    assert!(error.to_string().starts_with("can't start "), "{error}");
}
