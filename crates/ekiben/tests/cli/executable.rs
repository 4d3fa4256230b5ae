//! `artifact = "executable"`, with a runtime whose programs print what they hold.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use crate::freeze;
use crate::support::{Project, snapshot};

const DIGEST: &str = "e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0";

/// A project with two scripts.
fn project(settings: &str) -> Project {
    let project = Project::pure();
    project.append(
        "pyproject.toml",
        &format!(
            "[project.scripts]\neggs = \"spam.cli:eggs\"\nham = \"spam.cli:ham\"\n\
             [tool.ekiben]\nartifact = \"executable\"\n[tool.ekiben.executable]\n{settings}"
        ),
    );
    project.write("src/spam/cli.py", "import sys\nimport spam\n__import__(spam.NAME)\n");
    project
}

/// Puts the runtime where a build finds it; gives its version.
fn with_runtime(project: &Project) -> String {
    let (_, python) = freeze::python();
    freeze::runtime(project);
    let folder = project.beside("cache/runtimes").join(DIGEST);
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    fs::rename(project.beside("runtime"), &folder).unwrap();
    let manifest = serde_json::json!({
        "format": 2, "ekiben": "0", "digest": DIGEST, "files": {},
        "interpreter": {
            "python": python, "version": format!("{python}.99"),
            "source": { "origin": "a test", "sha256": "" },
            "options": { "pgo": false, "lto": false, "configure": [] },
            "compiler": { "command": [], "version": "", "target": "x86_64-linux-gnu" },
            "modules": [], "left-out": [], "libraries": [],
        },
        "link": { "compile-flags": [], "python": "", "archives": [], "libraries": [], "flavours": {} },
    });
    fs::create_dir_all(folder.join("licenses/cpython")).unwrap();
    fs::write(folder.join("licenses/cpython/LICENSE"), "free\n").unwrap();
    fs::write(folder.join("runtime.json"), manifest.to_string()).unwrap();
    python
}

#[test]
fn scripts_become_programs_in_a_wheel() {
    let project = project("");
    let python = with_runtime(&project);
    project.append("pyproject.toml", &format!("python = \"{python}\"\n"));
    let listed = project.run(&["build", "--list-files"]).to_string();
    // Sizes differ from Python to Python.
    let lines = listed.lines().map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            [path, _, mode, origin] => [path, mode, origin].join(" "),
            // How long something took is told only if it was long.
            _ if line.ends_with(" s)") => line.rsplit_once(" (").unwrap().0.to_owned(),
            _ => line.to_owned(),
        }
    });
    snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    exit 0
    --- stdout
    spam-1.0.data/scripts/eggs 0755 program `eggs`
    spam-1.0.data/scripts/ham 0755 program `ham`
    spam-1.0.dist-info/METADATA 0644 the project's metadata
    spam-1.0.dist-info/WHEEL 0644 the wheel's own metadata
    spam-1.0.dist-info/RECORD 0644 the wheel's own metadata
    --- stderr
    [N/M] freeze eggs
    output of freeze eggs:
    src/spam/cli.py:3: warning: what `spam.cli` imports here is only known when it runs: __import__(spam.NAME) [dynamic-import]
    [N/M] freeze ham
    output of freeze ham:
    src/spam/cli.py:3: warning: what `spam.cli` imports here is only known when it runs: __import__(spam.NAME) [dynamic-import]
    [N/M] write spam-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl
    Built dist/spam-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl ([SIZE]) in [TIME]: 3 actions, 0 cached
    ");
    snapshot!(project.run(&["build", "--explain"]), @r"
    exit 0
    --- stdout
    freeze eggs  cached     unchanged
    freeze ham  cached     unchanged
    write spam-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl  cached     unchanged
    Built dist/spam-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl ([SIZE]) in [TIME]: 3 actions, 3 cached
    --- stderr
    output of freeze eggs (from the cache):
    src/spam/cli.py:3: warning: what `spam.cli` imports here is only known when it runs: __import__(spam.NAME) [dynamic-import]
    output of freeze ham (from the cache):
    src/spam/cli.py:3: warning: what `spam.cli` imports here is only known when it runs: __import__(spam.NAME) [dynamic-import]
    ");
    let wheel = project.only("dist", ".whl");
    let unpacked = project.beside("unpacked");
    let status = Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .args([&wheel, &unpacked])
        .status()
        .unwrap();
    assert!(status.success());
    let inspected = project.run(&["inspect", "../unpacked/spam-1.0.data/scripts/ham"]);
    let text = inspected.stdout;
    for part in ["main = _ekiben_main", "spam.cli", "spam-1.0.dist-info/METADATA", "spam (2)"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    project.write("src/spam/cli.py", "import spam\n");
    let again = project.run(&["build", "--explain"]);
    assert!(again.stdout.contains("input src/spam/cli.py changed"), "{again}");
}

#[test]
fn what_is_missing_is_told_where_it_is_asked_for() {
    let none = project("python = \"3.98\"\n");
    snapshot!(none.run(&["build"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[no-runtime]: there is no runtime for Python 3.98
      --> pyproject.toml:14:10
       |
    14 | python = "3.98"
       |          ^^^^^^
       |
       = note: says the plugin `freeze` 0.1.0
       = help: `ekiben runtime build --python 3.98` makes one
       = help: or require `ekiben-runtime==3.98.*` in [build-system], where wheels of runtimes are
    the build failed
    The whole log is in build/ekiben/build.log
    "#);
    let lock = project("requirements = \"pylock.toml\"\n");
    let python = with_runtime(&lock);
    lock.append("pyproject.toml", &format!("python = \"{python}\"\n"));
    snapshot!(lock.run(&["build"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[missing-file]: there is no file `pylock.toml` that says what goes into the program
      --> pyproject.toml:14:16
       |
    14 | requirements = "pylock.toml"
       |                ^^^^^^^^^^^^^
       |
       = note: says the plugin `freeze` 0.1.0
       = help: `uv export --format pylock.toml`, or `uv pip compile --generate-hashes`, makes one
    the build failed
    The whole log is in build/ekiben/build.log
    "#);
    let missing = project("entry-point = \"spam.other:main\"\n");
    let python = with_runtime(&missing);
    missing.append("pyproject.toml", &format!("python = \"{python}\"\n"));
    snapshot!(missing.run(&["build"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: can't freeze spam: there is no module `spam.other`
    help: what the program imports must be the project's own, or named by `project.dependencies` or `dependency-groups` in [tool.ekiben.executable]
    command: [COMMAND LINE]
    the build failed: 1 action failed, 1 skipped
    The whole log is in build/ekiben/build.log
    ");
    missing.append("pyproject.toml", "flavour = \"dynamic\"\n");
    snapshot!(missing.run(&["build"]).to_string().replace(&python, "[PYTHON]"), @r#"
    exit 2
    --- stdout
    --- stderr
    error[no-runtime]: there is no runtime in [BASE]/cache/runtimes/e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0: there is no bin/python[PYTHON]-dynamic
      --> pyproject.toml:15:10
       |
    15 | python = "[PYTHON]"
       |          ^^^^^^
       |
       = note: says the plugin `freeze` 0.1.0
       = help: `ekiben runtime build --python [PYTHON]` makes one, with `--flavour dynamic`
       = help: or require `ekiben-runtime==[PYTHON].*` in [build-system], where wheels of runtimes are
    the build failed
    The whole log is in build/ekiben/build.log
    "#);
}

#[test]
fn how_packages_are_linked_is_a_word_or_a_table() {
    for (settings, message) in [
        ("link = \"dynamic\"\n", "`link` is `static` or `memory`, or a table of these by packages"),
        ("link = { numpy = \"dynamic\" }\n", "`dynamic` isn't one of `static`, `memory`"),
        ("linker = \"gold\"\n", "`gold` isn't one of `bfd`, `lld`, `mold`"),
    ] {
        let said = project(settings).run(&["build"]);
        assert_eq!(said.code, Some(2), "{settings}: {said}");
        assert!(said.stderr.contains(message), "{settings}: {said}");
    }
}

#[test]
fn a_runtime_becomes_a_wheel_and_is_removed() {
    let project = project("");
    let python = with_runtime(&project);
    let made = project.run(&["runtime", "wheel", &python, "-o", "wheels"]);
    assert_eq!(made.code, Some(0), "{made}");
    let wheel = project.only("wheels", ".whl");
    let name = wheel.file_name().unwrap().to_str().unwrap();
    let start = format!("ekiben_runtime-{python}.99.2+e0e0e0e0e0e0-py3-none-");
    assert!(name.starts_with(&start) && made.stdout.contains(name), "{made}");

    let removed = project.run(&["runtime", "remove", &python]);
    assert_eq!(removed.stdout, format!("Removed {python}.99-e0e0e0e0e0e0\n"));
    assert_eq!(project.run(&["runtime", "list"]).stdout, "");
    snapshot!(project.run(&["runtime", "remove", "3.13"]), @r"
    exit 2
    --- stdout
    --- stderr
    error[no-such-runtime]: there is no runtime `3.13`
     |
     = help: there is none yet: make one with `ekiben runtime build --python 3.13`
    ");
}
