//! What goes into a wheel besides the packages, and what packages look like on disk.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use ekiben_project::{Project, ProjectFiles, discover_files};
use tempfile::TempDir;

const HEAD: &str = "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n\n[project]\nname = \"spam\"\nversion = \"1.2\"\n\n";

fn folder(settings: &str, files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("pyproject.toml"), format!("{HEAD}{settings}")).unwrap();
    for file in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    dir
}

fn found(dir: &Path) -> Result<ProjectFiles, String> {
    let files = Project::load(dir).and_then(|project| discover_files(&project));
    files.map_err(|error| {
        let lines = error.into_diagnostics().into_iter().map(|d| {
            let help = d.help.iter().map(|help| format!("\n  help: {help}")).collect::<String>();
            format!("{d}{help}")
        });
        let root = format!("{}/", dir.display());
        lines.collect::<Vec<_>>().join("\n").replace(&root, "")
    })
}

/// Everything that the wheel gets from the project's files.
fn wheel(files: &ProjectFiles) -> String {
    let installed = files.installed.iter().filter(|file| file.in_wheel);
    let installed = installed.map(|f| format!("{} <- {} ({})", f.target, f.source, f.reason));
    let placed = files.placed.iter().map(|f| {
        let scheme = f.scheme.data_folder().map(|folder| format!("[{folder}] "));
        format!("{}{} <- {} ({})", scheme.unwrap_or_default(), f.target, f.source, f.reason)
    });
    let generated = files.generated.iter().map(|f| format!("{} ({})", f.target, f.reason));
    installed.chain(placed).chain(generated).collect::<Vec<_>>().join("\n")
}

#[test]
fn files_get_the_places_that_the_settings_give() {
    let dir = folder(
        r#"
[tool.ekiben.wheel]
scripts = ["tools/spam-*"]
[tool.ekiben.wheel.files]
"share/spam.conf" = "spam/data/"
"share/icons" = "spam/icons/"
"share/**/*.svg" = "spam/svg/"
"README.md" = "spam/about.md"
[tool.ekiben.wheel.data]
"man/spam.1" = "share/man/man1/"
"etc/" = "."
[tool.ekiben.wheel.headers]
"include" = "."
[tool.ekiben.wheel.purelib-files]
"pth/spam.pth" = "spam.pth"
[tool.ekiben.wheel.platlib-files]
"pth/other.pth" = "."
"#,
        &[
            "src/spam/__init__.py",
            "share/spam.conf",
            "share/icons/a.png",
            "share/icons/big/b.svg",
            "README.md",
            "man/spam.1",
            "etc/spam/spam.conf",
            "include/spam.h",
            "include/detail/x.h",
            "pth/spam.pth",
            "pth/other.pth",
            "tools/spam-run",
            "tools/spam-check",
        ],
    );
    insta::assert_snapshot!(wheel(&found(dir.path()).unwrap()));
}

#[test]
fn wrong_places_are_told_at_once() {
    let dir = folder(
        r#"
[tool.ekiben.wheel]
scripts = { "tools/a" = "run", "tools/b" = "run" }
[tool.ekiben.wheel.files]
"src/spam/data.txt" = "spam/data.txt"
"more/data.txt" = "spam/data.txt"
"share/*.conf" = "spam/conf"
"share/spam.cnf" = "spam/"
[tool.ekiben.wheel.platlib-files]
"tools/a" = "spam/__init__.py"
"#,
        &[
            "src/spam/__init__.py",
            "src/spam/data.txt",
            "more/data.txt",
            "share/spam.conf",
            "share/eggs.conf",
            "tools/a",
            "tools/b",
        ],
    );
    insta::assert_snapshot!(found(dir.path()).unwrap_err());
    let dir = folder(
        "[tool.ekiben.wheel]\nfiles = { \"../x\" = \"y\", \"z\" = \"../z\", \"[\" = \"q\" }\ndata = { \"x\" = \"/etc/\" }\n",
        &["src/spam/__init__.py"],
    );
    insta::assert_snapshot!(found(dir.path()).unwrap_err());
}

#[test]
fn the_version_module_is_generated_and_written_nowhere() {
    let settings = "[tool.ekiben]\nversion.write-to = \"src/spam/_version.py\"\n";
    // One left by another tool isn't taken.
    let dir = folder(settings, &["src/spam/__init__.py", "src/spam/_version.py"]);
    let files = found(dir.path()).unwrap();
    insta::assert_snapshot!(format!("{}\n\n{}", wheel(&files), files.generated[0].content));
    assert!(!files.sdist.iter().any(|file| file.path.as_str() == "src/spam/_version.py"));
    assert_eq!(fs::read_to_string(dir.path().join("src/spam/_version.py")).unwrap(), "");

    let settings = "[tool.ekiben.version]\nwrite-to = \"src/spam/version.h\"\ntemplate = '#define SPAM \"{version}\"'\n";
    let dir = folder(settings, &["src/spam/__init__.py"]);
    assert_eq!(found(dir.path()).unwrap().generated[0].content, "#define SPAM \"1.2\"");
    let dir = folder("[tool.ekiben.version]\nwrite-to = \"version.py\"\n", &["src/spam/a.py"]);
    insta::assert_snapshot!(found(dir.path()).unwrap_err());
}

#[test]
fn packages_are_found_in_every_layout() {
    const EXTENSIONS: &str = "[[tool.ekiben.extension]]\nname = \"spam._a\"\nsources = [\"native/a.c\"]\n[[tool.ekiben.extension]]\nname = \"spam.sub._b\"\nsources = [\"src/spam/sub/b.c\"]\n";
    let cases: &[(&str, &str, &[&str])] = &[
        ("src", "", &["src/spam/__init__.py", "tests/test_a.py", "setup.cfg"]),
        ("flat", "", &["spam/__init__.py", "spam/sub/a.py", "tests/__init__.py", "docs/conf.py"]),
        ("several packages", "", &["src/spam/__init__.py", "src/eggs/__init__.py", "src/one.py"]),
        (
            "several extensions and a sub-package",
            EXTENSIONS,
            &["src/spam/__init__.py", "src/spam/sub/__init__.py", "src/spam/sub/b.c", "native/a.c"],
        ),
        ("namespace", "", &["src/company/spam/__init__.py", "src/company/spam/data.json"]),
        (
            "part of a namespace, flat",
            "[tool.ekiben]\npackages = [\"company.spam\"]\n",
            &["company/spam/__init__.py", "company/other/__init__.py"],
        ),
        ("single module", "", &["spam.py", "spam.pyi", "setup.py"]),
        ("named module", "[tool.ekiben]\nmodules = [\"ham\"]\n", &["ham.py", "spam_tests.py"]),
        ("stubs only", "", &["spam-stubs/__init__.pyi", "spam-stubs/sub/a.pyi", "stub_tests/a.py"]),
        ("stubs below src", "", &["src/spam-stubs/__init__.pyi"]),
        (
            "typed, with data",
            "[tool.ekiben]\nexclude = [\"**/*.psd\"]\n",
            &[
                "src/spam/__init__.py",
                "src/spam/py.typed",
                "src/spam/_c.pyi",
                "src/spam/data/a.json",
                "src/spam/data/a.psd",
                "src/spam/LICENSE.third-party",
            ],
        ),
    ];
    let all: Vec<String> = cases
        .iter()
        .map(|(name, settings, files)| {
            let dir = folder(settings, files);
            format!("--- {name}\n{}", wheel(&found(dir.path()).unwrap()))
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_version_control_ignores_plays_no_part() {
    let files = ["src/spam/__init__.py", "src/spam/generated.py", "data/x.bin"];
    let settings = "[tool.ekiben.wheel]\nfiles = { \"data/x.bin\" = \"spam/\" }\n";
    let plain = folder(settings, &files);
    let outer = tempfile::tempdir().unwrap();
    let git = |dir: &Path, words: &[&str]| {
        assert!(
            std::process::Command::new("git")
                .args(words)
                .current_dir(dir)
                .status()
                .unwrap()
                .success()
        );
    };
    git(outer.path(), &["init", "--quiet"]);
    fs::write(outer.path().join(".gitignore"), "*\n").unwrap();
    let inner = outer.path().join("vendor/spam");
    for file in files.iter().chain(&["pyproject.toml"]) {
        fs::create_dir_all(inner.join(file).parent().unwrap()).unwrap();
        fs::copy(plain.path().join(file), inner.join(file)).unwrap();
    }
    let (plain, ignored) = (found(plain.path()).unwrap(), found(&inner).unwrap());
    assert_eq!(wheel(&plain), wheel(&ignored));
    assert_eq!(plain.sdist, ignored.sdist);
    assert_eq!(ignored.installed.len(), 2);
}
