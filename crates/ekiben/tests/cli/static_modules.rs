//! The project's own extension modules on their way into programs: `artifact = "static-extension"`.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::editable;
use crate::support::{Project, Said};

/// Another module with a function `helper`, which it has in a file of its own.
const OTHER: &str = r#"#include <Python.h>
int helper(void);
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_other", NULL, -1, NULL, NULL, NULL, NULL, NULL
};
PyMODINIT_FUNC PyInit__other(void) {
    PyObject *made = PyModule_Create(&module);
    if (made != NULL) PyModule_AddIntConstant(made, "HELP", helper());
    return made;
}
"#;

/// A project with `spam._core` and `spam.eggs._other`.
fn project() -> Project {
    let project = Project::with_c();
    project.append("src/spam/_core.c", "int helper(void) { return 1; }\n");
    project.write("src/spam/eggs/__init__.py", "");
    project.write("src/spam/eggs/_other.c", OTHER);
    project.write("native/helper.c", "int helper(void) { return 2; }\nint common;\n");
    project.append(
        "pyproject.toml",
        "[tool.ekiben]\nartifact = \"static-extension\"\n\
         [[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/_core.c\"]\n\
         [[tool.ekiben.extension]]\nname = \"spam.eggs._other\"\n\
         sources = [\"src/spam/eggs/_other.c\", \"native/helper.c\"]\nlibraries = [\"z\"]\n",
    );
    project
}

fn built(project: &Project) -> Said {
    let built = project.run(&["build", "--explain"]);
    assert_eq!(built.code, Some(0), "{built}");
    built
}

/// What `nm` says of an object in the wheel.
fn symbols(project: &Project, object: &str, options: &[&str]) -> Vec<String> {
    let folder = project.root().join("build/ekiben/wheel-entry").join(object);
    let found = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let paths = found.map(|entry| entry.unwrap().path());
    let is_it = |path: &std::path::PathBuf| {
        let file = path.file_name().unwrap().to_str().unwrap();
        file.starts_with(&format!("{name}.")) && file.ends_with(".o")
    };
    let paths: Vec<_> = paths.filter(is_it).collect();
    let nm = Command::new("nm").args(options).args(&paths).output().unwrap();
    assert!(nm.status.success() && paths.len() == 1, "{paths:?}: {nm:?}");
    let text = String::from_utf8(nm.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect()
}

#[test]
fn modules_become_objects_with_one_symbol_each() {
    let project = project();
    let listed = project.run(&["build", "--list-files"]);
    assert_eq!(listed.code, Some(0), "{listed}");
    for part in [
        "spam/_core.cpython-",
        "spam/eggs/_other.cpython-",
        "-linux-gnu.o\t",
        "spam-1.0.dist-info/static.json\t",
    ] {
        assert!(listed.stdout.contains(part), "{part}: {listed}");
    }
    assert!(!listed.stdout.contains(".so\t"), "{listed}");
    let global = ["--extern-only", "--defined-only"];
    assert_eq!(symbols(&project, "spam/_core", &global), ["ekiben_init_spam___1core"]);
    assert_eq!(symbols(&project, "spam/eggs/_other", &global), ["ekiben_init_spam__eggs___1other"]);
    let undefined = symbols(&project, "spam/eggs/_other", &["--undefined-only"]);
    let is_pythons = |name: &String| name.starts_with("Py") || name.starts_with('_');
    assert!(undefined.iter().all(is_pythons), "{undefined:?}");

    let manifest = project.root().join("build/ekiben/wheel-entry/spam-1.0.dist-info/static.json");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["name"], "spam");
    assert_eq!(manifest["modules"][1]["name"], "spam.eggs._other");
    assert_eq!(manifest["modules"][1]["init"], "ekiben_init_spam__eggs___1other");
    assert_eq!(manifest["modules"][1]["libraries"], serde_json::json!(["z", "m"]));
    assert_eq!(manifest["libraries"][0]["name"], "z");
    assert!(manifest["toolchain"]["linker"].as_str().unwrap().contains("ld"), "{manifest}");
}

#[test]
fn a_changed_module_is_made_anew_and_others_are_not() {
    let project = project();
    built(&project);
    project.write("src/spam/core.h", "#define ANSWER 43\n");
    let again = built(&project);
    let ran = again.stdout.lines().filter(|line| line.contains("  ran "));
    let ran: Vec<&str> = ran.filter_map(|line| line.split("  ").next()).collect();
    let [compiled, joined, isolated, written] = &ran[..] else { panic!("{again}") };
    assert_eq!((*compiled, *isolated), ("compile src/spam/_core.c", "isolate spam._core"));
    assert!(joined.starts_with("join modules/spam/_core."), "{again}");
    assert!(written.starts_with("write spam-1.0-"), "{again}");
}

#[test]
fn archives_of_the_project_become_part_of_modules() {
    let project = project();
    project.write("native/egg.c", "int helper(void) { return 3; }\n");
    let in_project = |program: &str, args: &[&str]| {
        let status = Command::new(program).args(args).current_dir(project.root()).status();
        assert!(status.unwrap().success(), "{program} {args:?}");
    };
    std::fs::create_dir_all(project.root().join("vendor")).unwrap();
    in_project("gcc", &["-fPIC", "-c", "native/egg.c", "-o", "vendor/egg.o"]);
    in_project("ar", &["rcs", "vendor/libegg.a", "vendor/egg.o"]);
    let settings = std::fs::read_to_string(project.root().join("pyproject.toml")).unwrap();
    let settings = settings.replace(", \"native/helper.c\"]\nlibraries = [\"z\"]", "]\n");
    for how in [
        "static-libraries = [\"vendor/libegg.a\"]\n",
        "libraries = [\"egg\"]\nlibrary-dirs = [\"vendor\"]\n",
    ] {
        project.write("pyproject.toml", &format!("{settings}{how}"));
        built(&project);
        let undefined = symbols(&project, "spam/eggs/_other", &["--undefined-only"]);
        assert!(!undefined.contains(&"helper".to_owned()), "{how}: {undefined:?}");
    }
}

#[test]
fn a_module_without_its_function_is_named() {
    let project = project();
    project.write("src/spam/_core.c", "int PyInit__cor(void) { return 0; }\n");
    let said = project.run(&["build"]);
    assert_eq!(said.code, Some(1), "{said}");
    let message = "can't isolate spam._core: `spam._core` has no init function `PyInit__core`";
    assert!(said.stderr.contains(message), "{said}");
    assert!(said.stderr.contains("help: one of its sources has to define it"), "{said}");
}

#[test]
fn an_editable_install_of_a_project_with_programs_has_ordinary_modules() {
    let project = project();
    let settings = std::fs::read_to_string(project.root().join("pyproject.toml")).unwrap();
    let settings = settings.replace("\"static-extension\"", "\"executable\"");
    let scripts = "[project.scripts]\neggs = \"spam:eggs\"\n[tool.ekiben]\n";
    project.write("pyproject.toml", &settings.replace("[tool.ekiben]\n", scripts));
    editable::wheel(&project, "{}");
    project.only("src/spam", ".so");
    project.only("src/spam/eggs", ".so");
}
