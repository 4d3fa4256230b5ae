//! `ekiben migrate`: what it says, what it writes, and that the result builds.

use crate::support::{Project, snapshot};

const SETUP_PY: &str = r#"
from setuptools import setup, Extension

setup(
    name="spam",
    version="1.0",
    packages=["spam"],
    package_dir={"": "src"},
    zip_safe=False,
    ext_modules=[
        Extension("spam._core", ["src/spam/_core.c"], define_macros=[("EGGS", "2")],
                  extra_compile_args=["-O2"]),
    ],
)
"#;

const BENTO: &str = "\
Name: spam
Version: 1.0
HookFile: bscript

Library:
    Packages: spam
";

fn without_pyproject(project: Project) -> Project {
    std::fs::remove_file(project.root().join("pyproject.toml")).unwrap();
    project
}

#[test]
fn a_setup_script_becomes_a_project_that_builds() {
    let project = without_pyproject(Project::with_c());
    project.write("setup.py", SETUP_PY);
    let check = project.run(&["migrate", "--check"]);
    assert_eq!(check.code, Some(1), "{check}");
    assert!(!project.root().join("pyproject.toml").exists());
    snapshot!(project.run(&["migrate"]), @r#"
    exit 0
    --- stdout
    +[build-system]
    +requires = ["ekiben"]
    +build-backend = "ekiben"
    +
    +[project]
    +name = "spam"
    +version = "1.0"
    +
    +[tool.ekiben]
    +# check: all files in these folders are installed, data too, except sources of extensions; see
    +#   `ekiben build --list-files`
    +packages = ["spam"]
    +
    +[[tool.ekiben.extension]]
    +name = "spam._core"
    +sources = ["src/spam/_core.c"]
    +optimization = "2"
    +define = { EGGS = "2" }
    --- stderr
    To check (1):
      - all files in these folders are installed, data too, except sources of extensions; see `ekiben build --list-files`
    Left out, for it means nothing any more (1):
      - `zip_safe`: eggs aren't made any more
    Wrote pyproject.toml; setup.py stays until you remove it
    "#);
    let check = project.run(&["migrate", "--check"]);
    assert_eq!(check.code, Some(2), "{check}");
    assert!(check.stderr.contains("it is migrated already"), "{check}");
    let said = project.run(&["build", "--list-files"]);
    assert_eq!(said.code, Some(0), "{said}");
    let said = project.run(&["build"]);
    assert_eq!(said.code, Some(0), "{said}");
}

#[test]
fn a_bento_file_is_printed_and_nothing_written() {
    let project = without_pyproject(Project::pure());
    std::fs::create_dir(project.root().join("spam")).unwrap();
    project.write("spam/__init__.py", "");
    project.write("bento.info", BENTO);
    snapshot!(project.run(&["migrate", "--stdout"]), @r#"
    exit 0
    --- stdout
    # decide: the hook files aren't run: what they do to the build must become settings or a plugin:
    #   bscript
    [build-system]
    requires = ["ekiben"]
    build-backend = "ekiben"

    [project]
    name = "spam"
    version = "1.0"

    [tool.ekiben]
    package-root = "."
    packages = ["spam"]
    --- stderr
    To decide (1):
      - the hook files aren't run: what they do to the build must become settings or a plugin: bscript
    "#);
    assert!(!project.root().join("pyproject.toml").exists());
}

#[test]
fn what_cannot_be_migrated_is_refused() {
    let project = Project::pure();
    project.write("setup.py", "raise SystemExit('no eggs')\n");
    snapshot!(project.run(&["migrate"]), @"
    exit 2
    --- stdout
    --- stderr
    error[migrate]: `./pyproject.toml` says that `ekiben` builds the project
     |
     = help: it is migrated already
    ");
    let project = without_pyproject(Project::pure());
    snapshot!(project.run(&["migrate"]), @"
    exit 2
    --- stdout
    --- stderr
    error[migrate]: `.` has no setup.py, setup.cfg or bento.info, nor a pyproject.toml for setuptools
     |
     = help: name the folder that holds one of them; `ekiben new` starts a project
    ");
    project.write("setup.py", "raise ValueError('no eggs')\n");
    snapshot!(project.run(&["migrate"]), @"
    exit 2
    --- stdout
    --- stderr
    error[migrate]: setup.py:1: ValueError: no eggs
     |
     = help: the script ran on its own, without setuptools and compilers, to see what it asks for; try another interpreter with --python, or make the line work
    ");
    project.write("bento.info", "Library:\n\tPackages: spam\n");
    snapshot!(project.run(&["migrate", "--from", "bento.info"]), @"
    exit 2
    --- stdout
    --- stderr
    error[migrate]: ./bento.info:2:1: indentation is made of blanks only, and this isn't one
     |
     = help: mend the file, which Bento itself couldn't read either
    ");
    assert!(!project.root().join("pyproject.toml").exists());
}
