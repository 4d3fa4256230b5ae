//! `ekiben new`: what it makes builds and passes its tests, and what it refuses.

use std::process::Command;

use crate::support::{Project, Said};

/// The new project's wheel is made, unpacked, and tested by the project's own tests.
fn builds_and_passes(template: &str) {
    let project = Project::pure();
    let made = project.run(&["new", "../Egg_Box", "--template", template, "--ci", "gitlab"]);
    assert_eq!(made.code, Some(0), "{made}");
    let folder = project.beside("Egg_Box");
    let pyproject = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap();
    assert!(pyproject.contains("name = \"egg-box\""), "{pyproject}");
    assert!(folder.join(".gitlab-ci.yml").is_file());
    assert!(!folder.join(".github").exists());

    let output = project.command_in(&folder, &["build"]).output().unwrap();
    assert!(output.status.success(), "{}", Said::from(&output, &folder));
    let wheels = std::fs::read_dir(folder.join("dist")).unwrap().map(|entry| entry.unwrap().path());
    let wheel = wheels.into_iter().find(|path| path.extension().is_some_and(|e| e == "whl"));
    let site = project.beside("site");
    zip::ZipArchive::new(std::fs::File::open(wheel.unwrap()).unwrap())
        .unwrap()
        .extract(&site)
        .unwrap();
    assert!(site.join("egg_box/py.typed").is_file());
    assert!(site.join("egg_box/_core.pyi").is_file());
    let tests = Command::new("python3")
        .args(["-m", "unittest", "discover", "tests"])
        .current_dir(&folder)
        .env("PYTHONPATH", &site)
        .output()
        .unwrap();
    let said = Said::from(&tests, &folder);
    assert!(tests.status.success() && said.stderr.contains("Ran 3 tests"), "{said}");
}

#[test]
fn a_project_in_c_builds_and_passes_its_tests() {
    builds_and_passes("c");
}

#[test]
fn a_project_in_cxx_builds_and_passes_its_tests() {
    builds_and_passes("c++");
}

#[test]
fn a_project_in_fortran_builds_and_passes_its_tests() {
    builds_and_passes("fortran");
}

/// Those are built through front ends by `cargo xtask templates`: here, Cython isn't installed.
#[test]
fn a_project_with_cython_and_numpy_says_what_it_needs() {
    let project = Project::pure();
    let made = project.run(&["new", "../arrays", "--template", "cython-numpy", "--ci", "none"]);
    assert_eq!(made.code, Some(0), "{made}");
    let text = std::fs::read_to_string(project.beside("arrays/pyproject.toml")).unwrap();
    insta::assert_snapshot!(text, @r#"
    [build-system]
    requires = ["ekiben", "Cython>=3.0"]
    build-backend = "ekiben"

    [project]
    name = "arrays"
    version = "0.1.0"
    description = "A Python package with a module in Cython"
    readme = "README.md"
    requires-python = ">=3.9"
    license = "MIT"
    license-files = ["LICENSE"]
    # Ekiben adds NumPy with the versions that the wheel works with.
    dynamic = ["dependencies"]

    [[tool.ekiben.extension]]
    name = "arrays._core"
    sources = ["src/arrays/_core.pyx"]
    uses = ["numpy"]
    "#);
    let config = project.command_in(&project.beside("arrays"), &["config"]).output().unwrap();
    assert!(config.status.success(), "{}", Said::from(&config, &project.root()));
}

#[test]
fn a_full_folder_is_left_alone() {
    let project = Project::pure();
    let said = project.run(&["new", "."]);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.stderr.contains("`pyproject.toml` is in the way"), "{said}");
    assert!(!project.root().join("README.md").exists());
}

#[test]
fn a_folder_with_a_repository_alone_is_filled() {
    let project = Project::pure();
    let folder = project.beside("eggs");
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    let output = project.command_in(&folder, &["new", "."]).output().unwrap();
    assert!(output.status.success(), "{}", Said::from(&output, &folder));
    assert!(folder.join("src/eggs/_core.c").is_file());
    let workflow = std::fs::read_to_string(folder.join(".github/workflows/test.yml")).unwrap();
    assert!(workflow.contains("python-version: ${{ matrix.python }}"), "{workflow}");
}

#[test]
fn a_name_that_cannot_be_one_is_refused() {
    let project = Project::pure();
    for (name, told) in [
        ("egg box", "--name"),
        ("class", "`class`"),
        ("Statistics", "Python's standard library has a module of that name"),
        ("concurrent", "give another name with --name"),
    ] {
        let said = project.run(&["new", "../eggs", &format!("--name={name}")]);
        assert_eq!(said.code, Some(2), "{said}");
        assert!(said.stderr.contains(told), "{said}");
        assert!(!project.beside("eggs").exists());
    }
}

#[test]
fn the_templates_are_listed() {
    let project = Project::pure();
    let said = project.run(&["new", "--list"]);
    assert_eq!(said.code, Some(0), "{said}");
    insta::assert_snapshot!(said.stdout, @r"
    c             A module in C
    c++           A module in C++
    fortran       A module in Fortran, with a little C
    cython        A module in Cython
    cython-numpy  A module in Cython that takes NumPy's arrays
    ");
    let said = project.run(&["new"]);
    assert!(said.code == Some(2) && said.stderr.contains("<PATH>"), "{said}");
}
