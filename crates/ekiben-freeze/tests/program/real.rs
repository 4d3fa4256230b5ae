//! Real packages, from the registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_freeze::program::{Report, Request};

use crate::support::{Place, interpreter};

const PACKAGES: &str = include_str!("../requirements/programs.txt");

/// A folder with the packages, made once for each target folder, set of versions and interpreter.
fn site() -> PathBuf {
    let (python, version) = interpreter();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("programs-{version}"));
    let (site, ready) = (folder.join("site"), folder.join("ready"));
    if fs::read_to_string(&ready).is_ok_and(|text| text == PACKAGES) {
        return site;
    }
    let _ = fs::remove_dir_all(&folder);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements/programs.txt");
    let output = Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"])
        .args(["--require-hashes", "--target"])
        .args([&site, Path::new("-r"), &file])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::write(&ready, PACKAGES).unwrap();
    site
}

fn report(place: &Place, main: &str) -> Report {
    let request = Request { site: vec![site()], ..place.module(main) };
    let made = place.freeze(&request).unwrap();
    crate::support::image(&made).verify().unwrap();
    made.report
}

#[test]
fn programs_of_the_registry_are_found_whole() {
    let place = Place::new();
    place.write("site/nothing", "");
    // A module of each that only hints lead to, and a file.
    for (main, hidden, file) in [
        ("httpie", "pygments.lexers.data", "certifi/cacert.pem"),
        ("black", "blib2to3.pgen2.driver", "blib2to3/Grammar.txt"),
        ("rich", "rich._unicode_data.unicode9-0-0", "rich/py.typed"),
        ("flask", "jinja2.ext", "werkzeug/debug/shared/debugger.js"),
        ("pytest", "_pytest.cacheprovider", "_pytest/py.typed"),
        ("pip", "pip._internal.commands.wheel", "pip/_vendor/certifi/cacert.pem"),
    ] {
        let report = report(&place, main);
        let has = |name: &str| report.modules.iter().any(|module| module.why.name == name);
        assert!(has(hidden), "{main} lacks {hidden}");
        assert!(report.files.iter().any(|it| it.path.ends_with(file)), "{main} lacks {file}");
        let missing: Vec<_> =
            report.warnings.iter().filter(|it| it.code == "missing-module").collect();
        assert!(missing.is_empty(), "{main}: {missing:?}");
        assert!(report.distributions.iter().any(|it| it.name.eq_ignore_ascii_case(main)), "{main}");
    }
}
