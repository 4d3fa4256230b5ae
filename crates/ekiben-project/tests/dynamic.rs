//! Fields of `[project]` that are computed: from files, from the environment, from git.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Output;

use ekiben_project::{Overrides, Project, ProjectPath, Surroundings, core_metadata};

/// Files and variables, without a disk or an environment.
#[derive(Default)]
struct Given {
    files: BTreeMap<String, Vec<u8>>,
    variables: BTreeMap<String, String>,
}

impl Given {
    fn files<const N: usize>(files: [(&str, &str); N]) -> Self {
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        Self { files: files.into(), variables: BTreeMap::new() }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl Surroundings for Given {
    fn read(&self, path: &ProjectPath) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.get(path.as_str()).cloned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn git(&self, _: &[&str]) -> io::Result<Output> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn now(&self) -> u64 {
        0
    }
}

fn load(dynamic: &str, settings: &str, given: &Given) -> Result<Project, String> {
    let text = format!(
        "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n\n[project]\nname = \"Spam-Eggs\"\n{dynamic}\n\n{settings}"
    );
    Project::parse_in(&text, Path::new("pyproject.toml"), &Overrides::new(), given).map_err(
        |error| {
            let lines = error.into_diagnostics().into_iter().map(|d| {
                let help =
                    d.help.iter().map(|help| format!("\n  help: {help}")).collect::<String>();
                format!("{d}{help}")
            });
            lines.collect::<Vec<_>>().join("\n")
        },
    )
}

fn version(settings: &str, given: &Given) -> Result<String, String> {
    let settings = format!("[tool.ekiben.version]\n{settings}");
    load("dynamic = [\"version\"]", &settings, given).map(|p| p.standard().version.to_string())
}

#[test]
fn an_attribute_is_read_where_the_module_is() {
    let settings = "attribute = \"spam.__version__\"";
    for file in ["src/spam/__init__.py", "src/spam.py", "spam/__init__.py", "spam.py"] {
        let given = Given::files([(file, "\"\"\"Doc.\"\"\"\n__version__: str = '1.2.0-RC1'\n")]);
        assert_eq!(version(settings, &given).as_deref(), Ok("1.2.0rc1"), "{file}");
    }
    let given = Given::files([("src/spam/about.py", "VERSION = (1, 2, 3)\n")]);
    assert_eq!(version("attribute = \"spam.about.VERSION\"", &given).as_deref(), Ok("1.2.3"));
    let given = Given::files([("lib/spam.py", "v = '3'"), ("src/spam.py", "v = '4'")]);
    let moved = "[tool.ekiben]\npackage-root = \"lib\"\nversion.attribute = \"spam.v\"";
    let project = load("dynamic = [\"version\"]", moved, &given).unwrap();
    assert_eq!(project.standard().version.to_string(), "3");
}

#[test]
fn a_file_holds_it_alone_or_where_a_pattern_says() {
    let given = Given::files([
        ("VERSION", "\u{feff} 2.1 \n"),
        ("CMakeLists.txt", "cmake_minimum_required(VERSION 3.20)\nproject(spam VERSION 4.5.6)\n"),
    ]);
    assert_eq!(version("file = \"VERSION\"", &given).as_deref(), Ok("2.1"));
    let settings =
        "file = \"CMakeLists.txt\"\npattern = 'project\\(spam VERSION (?P<version>[\\d.]+)\\)'";
    assert_eq!(version(settings, &given).as_deref(), Ok("4.5.6"));
}

#[test]
fn the_environment_wins_and_its_own_name_before_all() {
    let given = Given::files([("VERSION", "1")]).variable("EKIBEN_VERSION", "2");
    assert_eq!(version("file = \"VERSION\"", &given).as_deref(), Ok("2"));
    let given = given.variable("EKIBEN_VERSION_FOR_SPAM_EGGS", "3");
    assert_eq!(version("file = \"VERSION\"", &given).as_deref(), Ok("3"));
    let given = given.variable("EKIBEN_VERSION_FOR_SPAM_EGGS", "three");
    insta::assert_snapshot!(version("file = \"VERSION\"", &given).unwrap_err());
}

#[test]
fn a_source_distribution_keeps_its_version() {
    let info = "Metadata-Version: 2.4\nName: spam.eggs\nVersion: 7.0\n\nVersion: 9\n";
    let given = Given::files([("PKG-INFO", info), ("VERSION", "1")]);
    assert_eq!(version("vcs = \"git\"", &given).as_deref(), Ok("7.0"));
    assert_eq!(version("file = \"VERSION\"", &given).as_deref(), Ok("7.0"));
    let other = Given::files([("PKG-INFO", "Name: ham\nVersion: 7.0\n"), ("VERSION", "1")]);
    assert_eq!(version("file = \"VERSION\"", &other).as_deref(), Ok("1"));
}

#[test]
fn a_fallback_stands_in_where_there_is_no_git() {
    let settings = "vcs = \"git\"\nfallback = \"0.0.1\"";
    assert_eq!(version(settings, &Given::default()).as_deref(), Ok("0.0.1"));
}

const FIELDS: &str = "version = \"1\"\ndynamic = [\"dependencies\", \"optional-dependencies\", \"readme\", \"description\", \"classifiers\"]";

const SOURCES: &str = r#"
[tool.ekiben.dynamic]
description = { docstring = "spam" }
readme = { file = ["README.md", "CHANGES.md"] }
classifiers = { file = "classifiers.txt" }
dependencies = { file = ["requirements.in"], list = ["six"] }
[tool.ekiben.dynamic.optional-dependencies]
test = { file = "requirements-test.in" }
docs = { list = ["sphinx>=7"] }
"#;

#[test]
fn other_fields_come_from_files() {
    let given = Given::files([
        ("spam.py", "\"\"\"\nWhat it is for.\n\nMore.\n\"\"\"\n"),
        ("README.md", "# Spam\n"),
        ("CHANGES.md", "# Changes\n"),
        ("classifiers.txt", "Private :: Do Not Upload\n# comment\n\n"),
        (
            "requirements.in",
            "# ours\nnumpy>=2 # why\r\n\nurl @ https://example.org/a.zip#sha256=00\n",
        ),
        ("requirements-test.in", "pytest; python_version<'3.13'\n"),
    ]);
    let project = load(FIELDS, SOURCES, &given).unwrap();
    let inputs = project.metadata_inputs().unwrap();
    insta::assert_snapshot!(core_metadata(&project, &inputs));
}

#[test]
fn all_mistakes_are_told_at_once_in_their_files() {
    let given = Given::files([
        ("spam.py", "x = 1\n"),
        ("requirements.in", "numpy>=2\n-r other.in\nspam eggs\n"),
        ("requirements-test.in", "a=1"),
        ("CHANGES.md", ""),
        ("classifiers.txt", ""),
    ]);
    insta::assert_snapshot!(load(FIELDS, SOURCES, &given).unwrap_err());
}

#[test]
fn mistakes_of_versions_have_places() {
    let given = Given::files([
        (
            "src/spam/__init__.py",
            "import os\n\nfrom ._version import __version__\nv = x()\nw = 'one'\n",
        ),
        ("VERSION", "\n1.x\n"),
    ]);
    let cases = [
        "attribute = \"spam.__version__\"",
        "attribute = \"spam.v\"",
        "attribute = \"spam.w\"",
        "attribute = \"spam.missing\"",
        "attribute = \"ham.v\"",
        "attribute = \"ham\"",
        "file = \"VERSION\"",
        "file = \"version.txt\"",
        "file = \"VERSION\"\npattern = 'v(?P<version>.+)'",
        "file = \"VERSION\"\npattern = 'v(.+)'",
        "file = \"VERSION\"\npattern = 'v('",
        "file = \"VERSION\"\nvcs = \"git\"",
        "vcs = \"git\"",
        "vcs = \"hg\"",
        "pattern = '(?P<version>1)'\nlocal = false\ntag-pattern = '(?P<version>1)'\nfallback = \"1\"\ntemplate = \"x\"",
        "write-to = \"src/spam/version.h\"",
    ];
    let all: Vec<String> = cases
        .iter()
        .map(|settings| format!("--- {settings}\n{}", version(settings, &given).unwrap_err()))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_is_listed_must_be_given_and_the_other_way_round() {
    let given = Given::files([("VERSION", "1")]);
    let cases = [
        ("dynamic = [\"version\", \"readme\", \"dependencies\", \"urls\"]", ""),
        (
            "version = \"1\"",
            "[tool.ekiben]\nversion.file = \"VERSION\"\ndynamic.readme.file = \"x\"",
        ),
        (
            "version = \"1\"\ndynamic = [\"version\"]\ndependencies = []",
            "[tool.ekiben]\nversion.file = \"VERSION\"\ndynamic.dependencies.list = []",
        ),
    ];
    let all: Vec<String> = cases
        .iter()
        .map(|(fields, settings)| load(fields, settings, &given).unwrap_err())
        .collect();
    insta::assert_snapshot!(all.join("\n---\n"));
}

#[test]
fn derived_requirements_need_a_dynamic_field() {
    let uses =
        "[[tool.ekiben.extension]]\nname = \"spam.a\"\nsources = [\"a.c\"]\nuses = [\"numpy\"]\n";
    let fields = "version = \"1\"\ndynamic = [\"dependencies\"]";
    let project = load(fields, uses, &Given::default()).unwrap();
    let (derived, told) = project.derived_requirements("numpy-config", ["numpy>=1.25,<3"]);
    assert_eq!(told, []);
    let mut inputs = project.metadata_inputs().unwrap();
    inputs.requirements = derived;
    let metadata = core_metadata(&project, &inputs);
    assert!(metadata.contains("\nRequires-Dist: numpy>=1.25,<3\n"), "{metadata}");
    assert!(metadata.contains("\nDynamic: Requires-Dist\n"), "{metadata}");

    let fields = "version = \"1\"\ndependencies = [\"NumPy>=2\"]";
    let project = load(fields, uses, &Given::default()).unwrap();
    let (derived, told) = project.derived_requirements("x", ["numpy>=1.25", "scipy", "a b"]);
    assert_eq!(derived, []);
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_programs_hold_is_no_requirement_of_their_wheel() {
    let told = |executable: &str| {
        let settings = format!(
            "[tool.ekiben]\nartifact = \"executable\"\n[tool.ekiben.executable]\n{executable}\n"
        );
        let project = load("version = \"1\"", &settings, &Given::default()).unwrap();
        project.derived_requirements("numpy-config", ["numpy>=1.25"]).1.len()
    };
    assert_eq!(told(""), 1);
    assert_eq!(told("requirements = \"requirements.txt\""), 0);
    let group = "dependency-groups = [\"bundle\"]\n[dependency-groups]\nbundle = []";
    assert_eq!(told(group), 0);
}
