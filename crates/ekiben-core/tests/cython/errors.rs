//! What is said when something is wrong.

use ekiben_core::graph::Kind;

use crate::support::Project;

#[test]
fn cythons_own_errors_are_shown_whole_and_once() {
    let cache = tempfile::tempdir().unwrap();
    let files = [("src/spam/__init__.py", ""), ("src/spam/a.pyx", "def f():\n    return (1 +\n")];
    let (built, _) = Project::new(cache.path(), &files).try_build(Kind::WHEEL).unwrap();
    assert!(!built.succeeded());
    let (_, failed) = built.report.failures().next().unwrap();
    let output = String::from_utf8_lossy(&failed.output);
    assert_eq!(output.matches("Error compiling Cython file").count(), 1, "{output}");
    assert!(
        output.contains("    return (1 +") && output.contains("src/spam/a.pyx:3:0:"),
        "{output}"
    );
}

#[test]
fn a_missing_cython_is_named_with_what_to_write() {
    let cache = tempfile::tempdir().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let mut project =
        Project::new(cache.path(), &[("src/spam/__init__.py", ""), ("src/spam/a.pyx", "")]);
    project.environment = empty.path().to_owned();
    let said = project.refused();
    assert!(said.contains("`spam.a` is written in Cython, which isn't installed"), "{said}");
}

#[test]
fn an_extension_is_one_module() {
    let cache = tempfile::tempdir().unwrap();
    let files = [("src/spam/__init__.py", ""), ("src/spam/a.pyx", ""), ("src/spam/b.pyx", "")];
    let project = Project::new(cache.path(), &files);
    project.configure(
        "[[tool.ekiben.extension]]\nname = \"spam.a\"\nsources = [\"src/spam/*.pyx\"]\n",
    );
    let said = project.refused();
    assert!(said.contains("Cython makes a module of each"), "{said}");
}

#[test]
fn wrong_options_are_found() {
    let cache = tempfile::tempdir().unwrap();
    let files = [("src/spam/__init__.py", ""), ("src/spam/a.pyx", "")];
    let project = Project::new(cache.path(), &files);
    project.configure(
        "[tool.ekiben.options.cython]\nlanguage = \"c#\"\nmodules.a = { directive = {} }\n",
    );
    let said = project.refused();
    assert!(
        said.contains("`c#` isn't one of") && said.contains("unknown key `directive`"),
        "{said}"
    );
    project.configure("[tool.ekiben.options.cython.directives]\nboundchecks = false\n");
    let (built, _) = project.try_build(Kind::WHEEL).unwrap();
    let (_, failed) = built.report.failures().next().unwrap();
    let output = String::from_utf8_lossy(&failed.output);
    assert!(
        output.contains("`boundchecks`") && output.contains("isn't a directive of Cython"),
        "{output}"
    );
}

#[test]
fn a_missing_utility_module_is_named_with_what_to_do() {
    let cache = tempfile::tempdir().unwrap();
    let files = [("src/spam/__init__.py", ""), ("src/spam/a.pyx", "")];
    let project = Project::new(cache.path(), &files);
    project.configure("[tool.ekiben.options.cython]\nshared-utility-module = \"spam._utility\"\n");
    let said = project.refused();
    assert!(said.contains("there is no module `spam._utility`"), "{said}");
}
