//! The C code of executables, with the headers of every CPython that is here.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::process::Command;

use ekiben_python::{NoCache, find_interpreter};

/// All that runtimes can be made of.
const SERIES: [&str; 4] = ["3.11", "3.12", "3.13", "3.14"];

#[test]
fn it_compiles_without_a_warning_for_each_cpython() {
    let main_c = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ekiben-runtime/c/main.c");
    let mut compiled = Vec::new();
    for series in SERIES {
        let found = find_interpreter(Some(series), None, &NoCache);
        let Some(python) = found.ok().filter(|python| python.check_headers().is_ok()) else {
            println!("CPython {series} isn't here with its headers");
            continue;
        };
        for flavour in ["-DEKIBEN_STATIC", "-UEKIBEN_STATIC"] {
            let mut cc = Command::new("cc");
            // What static analysis knows needs optimisation.
            cc.args(["-O2", "-Wall", "-Wextra", "-Werror", flavour, "-c", "-o", "/dev/null"]);
            for folder in python.include_folders() {
                // Theirs may have warnings.
                cc.arg("-isystem").arg(folder);
            }
            let output = cc.arg(&main_c).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{series}, {flavour}:\n{said}");
        }
        compiled.push(series);
    }
    assert!(!compiled.is_empty(), "no CPython of {SERIES:?} with headers was found");
}
