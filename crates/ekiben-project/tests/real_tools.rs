//! Our metadata against the reference implementations: `packaging` must accept it, field by field
//! it must be what `pyproject_metadata` makes of the same file, and `validate-pyproject` must agree
//! that the file is valid.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_project::{Project, core_metadata};

const TOOLS: &str = include_str!("requirements/metadata.txt");

/// A virtual environment with the tools, made once for each target folder and set of versions.
fn python() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("metadata-tools");
    let python = dir.join("bin/python");
    let ready = dir.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|text| text == TOOLS) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir));
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements/metadata.txt");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"]);
    run(pip.arg(pinned));
    fs::write(&ready, TOOLS).unwrap();
    python
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed:\n{err}");
    out.unwrap()
}

const CASES: &[(&str, &str)] = &[
    ("smallest", "name = \"spam\"\nversion = \"0\""),
    ("names", "name = \"Spam.Eggs_ham\"\nversion = \"1.0.0-RC.1+Local_2\""),
    (
        "full",
        r#"name = "spam"
version = "2025.1.post1"
description = "Spam, and eggs: with “quotes” and ümläuts"
readme = "README.md"
requires-python = ">=3.10, !=3.11.0,<4"
license = "mit or (apache-2.0 with llvm-exception)"
license-files = ["LICEN[CS]E*", "vendor/**/COPYING"]
authors = [
  { name = "Ann Author", email = "ann@example.org" },
  { name = "Bob" },
  { email = "team@example.org" },
  { name = "Dr. Who, \"The\"", email = "who@example.org" },
  { name = "Zoë" },
]
maintainers = [{ name = "Mia", email = "mia@example.org" }]
keywords = ["spam", "eggs and ham"]
classifiers = ["Development Status :: 4 - Beta", "Private :: Do Not Upload"]
[project.urls]
Homepage = "https://example.org/"
"Source Code" = "https://example.org/src?a=b,c"
[project.scripts]
spam = "spam.cli:main"
"#,
    ),
    (
        "dependencies",
        r#"name = "spam"
version = "1"
dependencies = [
  "numpy>=2,<3",
  "requests [security, socks] >= 2.8.1 , == 2.8.* ; python_version < '3.13'",
  "pip @ https://example.org/pip.whl ; os_name == 'nt' or sys_platform=='linux'",
  "attrs @ git+https://example.org/attrs.git@main#subdirectory=x",
  "six(>=1.0)",
  "Under_Score.dot",
  "tomli; python_version < '3.11' and (os_name == 'nt' or os_name == 'posix')",
]
[project.optional-dependencies]
Test_All = ["pytest", "tox; os_name == 'nt' or os_name == 'posix'", "coverage>=7; (python_version>='3.10')"]
docs = ["sphinx>=7; python_version >= '3.10'", "theme @ https://example.org/t.zip", "other @ https://example.org/o.zip ; os_name=='nt'"]
empty = []
"#,
    ),
    (
        "legacy licence text",
        "name = \"spam\"\nversion = \"1\"\nlicense = { text = \"\"\"One line\n\n  Name: forged\nlast\"\"\" }",
    ),
    ("legacy licence file", "name = \"spam\"\nversion = \"1\"\nlicense = { file = \"LICENSE\" }"),
    (
        "readme text",
        "name = \"spam\"\nversion = \"1\"\nreadme = { text = \"# One\\n\\nName: two\\n\", content-type = \"text/markdown; charset=UTF-8; variant=GFM\" }",
    ),
    (
        "readme table",
        "name = \"spam\"\nversion = \"1\"\nreadme = { file = \"docs/README.rst\", content-type = \"text/x-rst; charset=UTF-8\" }",
    ),
    (
        "import names",
        "name = \"spam\"\nversion = \"1\"\nimport-names = [\"spam\", \"_spam ; private\", \"ns.spam\"]\nimport-namespaces = [\"ns\"]",
    ),
    ("nothing to import", "name = \"spam\"\nversion = \"1\"\nimport-names = []"),
    (
        "custom licence",
        "name = \"spam\"\nversion = \"1\"\nlicense = \"LicenseRef-Proprietary AND GPL-2.0-or-later WITH Classpath-exception-2.0\"\nlicense-files = []",
    ),
];

#[test]
fn the_reference_tools_read_the_same() {
    let root = tempfile::tempdir().unwrap();
    let mut folders = Vec::new();
    for (name, project) in CASES {
        let dir = root.path().join(name);
        fs::create_dir_all(dir.join("vendor/zlib")).unwrap();
        fs::create_dir_all(dir.join("docs")).unwrap();
        let text = format!(
            "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n[project]\n{project}\n"
        );
        fs::write(dir.join("pyproject.toml"), text).unwrap();
        fs::write(dir.join("README.md"), "# Späm\r\n\r\n    code\r\n\r\nFrom here\r\n").unwrap();
        fs::write(dir.join("docs/README.rst"), "Spam\n====\n\n\ttab\n").unwrap();
        // Found by their usual names where nothing says otherwise, which the reference doesn't do.
        let says = project.contains("license");
        for file in ["LICENSE", "LICENCE.txt", "vendor/zlib/COPYING"].iter().filter(|_| says) {
            fs::write(dir.join(file), "Terms\n\nand conditions\n").unwrap();
        }
        if name.starts_with("legacy") {
            fs::remove_file(dir.join("LICENCE.txt")).unwrap();
        }
        if *name == "legacy licence text" {
            fs::remove_file(dir.join("LICENSE")).unwrap();
        }
        let project = Project::load(&dir).unwrap();
        let inputs = project.metadata_inputs().unwrap();
        fs::write(dir.join("METADATA"), core_metadata(&project, &inputs)).unwrap();
        folders.push(dir);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_tools/compare.py");
    let differences = run(Command::new(python()).arg(script).args(&folders));
    assert_eq!(differences, "");
}
