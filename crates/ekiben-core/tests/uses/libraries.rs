//! `uses = ["pkg-config:…"]`, and libraries that are named in the settings.

use std::path::Path;
use std::process::Command;

use crate::support::{BUILD_SYSTEM, PROJECT, Project, module, run, write};

fn pyproject(more: &str) -> String {
    let extension =
        "[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/_core.c\"]\n";
    format!("{BUILD_SYSTEM}\n{PROJECT}\n{extension}{more}")
}

fn spam(more: &str, before: &str, expression: &str) -> Project {
    Project::new(
        Path::new("python3"),
        &[
            ("pyproject.toml", &pyproject(more)),
            ("src/spam/__init__.py", ""),
            ("src/spam/_core.c", &module("_core", before, expression)),
        ],
    )
}

/// A library `egg` with a header, an archive, a shared library and a `.pc` file.
struct Egg(tempfile::TempDir);

impl Egg {
    fn new() -> Self {
        let egg = Self(tempfile::tempdir().unwrap());
        egg.make(42);
        write(
            egg.0.path(),
            "include/egg.h",
            "int egg(void);\n#ifndef EGGS\n#define EGGS 1\n#endif\n",
        );
        egg.describe("");
        egg
    }

    /// Compiles it so that it gives this number.
    fn make(&self, number: u32) {
        let folder = self.0.path();
        write(folder, "egg.c", &format!("int egg(void) {{ return {number}; }}\n"));
        std::fs::create_dir_all(folder.join("lib")).unwrap();
        let cc = |arguments: &[&str]| {
            run(Command::new("gcc").args(arguments).current_dir(folder));
        };
        cc(&["-c", "-fPIC", "egg.c", "-o", "egg.o"]);
        cc(&["-shared", "egg.o", "-o", "lib/libegg.so"]);
        let _ = std::fs::remove_file(folder.join("lib/libegg.a"));
        run(Command::new("ar").args(["rcs", "lib/libegg.a", "egg.o"]).current_dir(folder));
    }

    /// Writes its `.pc` file, with more flags for compilers.
    fn describe(&self, cflags: &str) {
        let prefix = self.0.path().display();
        let text = format!(
            "prefix={prefix}\nName: egg\nDescription: a test\nVersion: 1.5\n\
             Libs: -L${{prefix}}/lib -Wl,-rpath,${{prefix}}/lib -legg\n\
             Cflags: -I${{prefix}}/include {cflags}\n"
        );
        write(self.0.path(), "lib/pkgconfig/egg.pc", &text);
    }

    fn on_path(&self, mut project: Project) -> Project {
        let folder = self.0.path().join("lib/pkgconfig").to_str().unwrap().to_owned();
        project.variables.insert("PKG_CONFIG_PATH".to_owned(), folder);
        project
    }
}

const EGG: &str = "#include <egg.h>";
const RUNS: &str = "import spam._core; print(spam._core.f())";

#[test]
fn a_library_of_the_system_is_found() {
    let uses = "uses = [\"pkg-config:zlib>=1.2\"]\n";
    let project = spam(uses, "#include <zlib.h>", "zlibVersion()[0] - '0'");
    let wheel = project.build();
    assert_eq!(project.python(&wheel, RUNS), "1");
    let section = wheel.dynamic_section("_core");
    assert!(section.contains("[libz.so.1]"), "{section}");
    assert!(!section.contains("RUNPATH") && !section.contains("RPATH"), "{section}");
    assert_eq!(project.build().ran(), [""; 0]);
}

#[test]
fn a_static_library_is_linked_by_its_file() {
    let egg = Egg::new();
    let options =
        "uses = [\"pkg-config:egg\"]\n[tool.ekiben.options.pkg-config]\nstatic = [\"egg\"]\n";
    let project = egg.on_path(spam(options, EGG, "egg()"));
    let wheel = project.build();
    assert_eq!(project.python(&wheel, RUNS), "42");
    assert!(
        !wheel.dynamic_section("_core").contains("libegg"),
        "{}",
        wheel.dynamic_section("_core")
    );

    egg.make(43);
    let wheel = project.build();
    assert_eq!(wheel.ran().len(), 1, "only the link: {:?}", wheel.ran());
    assert_eq!(project.python(&wheel, RUNS), "43");

    std::fs::remove_file(egg.0.path().join("lib/libegg.a")).unwrap();
    let refused = project.refused().to_string();
    assert!(refused.contains("no libegg.a in"), "{refused}");
}

#[test]
fn a_changed_description_is_noticed() {
    let egg = Egg::new();
    let project = egg.on_path(spam("uses = [\"pkg-config:egg\"]\n", EGG, "EGGS"));
    let wheel = project.build();
    assert!(wheel.codes().contains(&"run-path-dropped"), "{:?}", wheel.codes());
    assert!(!wheel.dynamic_section("_core").contains("PATH"), "{}", wheel.dynamic_section("_core"));
    assert_eq!(project.build().ran(), [""; 0]);

    egg.describe("-DEGGS=12");
    let wheel = project.build();
    assert_eq!(wheel.ran().len(), 2, "compile and link: {:?}", wheel.ran());
    write(egg.0.path(), "include/egg.h", "int egg(void);\n#define SPAM 1\n");
    assert_eq!(project.build().ran().len(), 1, "a changed header, but an equal object");
    assert_eq!(project.build().ran(), [""; 0]);
}

#[test]
fn a_run_path_is_kept_where_it_is_asked_for() {
    let egg = Egg::new();
    let options =
        "uses = [\"pkg-config:egg\"]\n[tool.ekiben.options.pkg-config]\nrun-path = [\"egg\"]\n";
    let project = egg.on_path(spam(options, EGG, "egg()"));
    let wheel = project.build();
    let section = wheel.dynamic_section("_core");
    assert!(section.contains(&format!("[{}/lib]", egg.0.path().display())), "{section}");
    assert_eq!(project.python(&wheel, RUNS), "42", "it is found by its run path");
}

#[test]
fn a_missing_library_is_named_with_what_brings_it() {
    let uses = "uses = [\"pkg-config:nosuchlibrary\", \"pkg-config:zlib>=99\"]\n";
    let problems = spam(uses, "", "1").refused();
    let codes: Vec<_> = problems.0.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["missing-library", "library-version"], "{problems}");
    assert!(problems.0[0].message.contains("nosuchlibrary"), "{problems}");
    assert!(!problems.0[0].help.is_empty(), "{problems:?}");

    let mut project = spam("uses = [\"pkg-config:zlib\"]\n", "", "1");
    let nowhere = tempfile::tempdir().unwrap();
    let folder = nowhere.path().to_str().unwrap().to_owned();
    project.variables.insert("PKG_CONFIG_LIBDIR".to_owned(), folder);
    let problems = project.refused();
    let is_debian =
        std::fs::read_to_string("/etc/os-release").is_ok_and(|text| text.contains("debian"));
    if is_debian {
        assert!(problems.0[0].help[0].contains("apt-get install zlib1g-dev"), "{problems:?}");
    }
}

#[test]
fn folders_and_static_libraries_can_be_named_in_the_settings() {
    let egg = Egg::new();
    let at = egg.0.path().display();
    for library in [
        format!("static-libraries = [\"{at}/lib/libegg.a\"]\n"),
        format!("library-dirs = [\"{at}/lib\"]\nstatic-libraries = [\"egg\"]\n"),
    ] {
        let more = format!("include-dirs = [\"{at}/include\"]\n{library}");
        let project = spam(&more, EGG, "egg()");
        let wheel = project.build();
        assert_eq!(project.python(&wheel, RUNS), "42", "{library}");
        let section = wheel.dynamic_section("_core");
        assert!(!section.contains("libegg") && !section.contains("PATH"), "{section}");
    }
}

#[test]
fn run_paths_are_set_where_the_project_or_the_builder_says_so() {
    let egg = Egg::new();
    let at = egg.0.path().display();
    let dynamic = format!(
        "include-dirs = [\"{at}/include\"]\nlibrary-dirs = [\"{at}/lib\"]\nlibraries = [\"egg\"]\n"
    );
    let section = |project: &Project| project.build().dynamic_section("_core");
    let mut project = spam(&dynamic, EGG, "egg()");
    assert!(!section(&project).contains("PATH"));
    project.write(
        "pyproject.toml",
        &pyproject(&format!("{dynamic}run-paths = [\"$ORIGIN/../spam.libs\"]\n")),
    );
    assert!(section(&project).contains("[$ORIGIN/../spam.libs]"));
    project.write("pyproject.toml", &pyproject(&dynamic));
    project.variables.insert("LDFLAGS".to_owned(), "-Wl,-rpath,/theirs".to_owned());
    assert!(section(&project).contains("[/theirs]"));
}
