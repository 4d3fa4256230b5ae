//! Which files are found, in real folders.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use ekiben_project::{
    Project, ProjectError, ProjectFiles, ProjectPath, core_metadata, discover_files,
    entry_points_txt,
};
use tempfile::TempDir;

const HEAD: &str = "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n\n[project]\nname = \"spam-eggs\"\nversion = \"1\"\n";

fn folder(pyproject: &str, files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "pyproject.toml", pyproject);
    for file in files {
        write(dir.path(), file, "");
    }
    dir
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn found(dir: &TempDir) -> Result<ProjectFiles, String> {
    let project = Project::load(dir.path()).unwrap();
    discover_files(&project).map_err(|error| {
        let root = format!("{}/", dir.path().display());
        let lines = error.into_diagnostics().into_iter().map(|d| {
            let help = d.help.iter().map(|help| format!("\n  help: {help}")).collect::<String>();
            format!("{d}{help}")
        });
        lines.collect::<Vec<_>>().join("\n").replace(&root, "")
    })
}

fn paths(files: &[ekiben_project::ProjectFile]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

fn installed(files: &ProjectFiles) -> String {
    let line =
        |f: &ekiben_project::InstalledFile| format!("{} <- {} ({})", f.target, f.source, f.reason);
    files.installed.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn sdist(files: &ProjectFiles) -> String {
    let line = |f: &ekiben_project::ProjectFile| format!("{} ({})", f.path, f.reason);
    files.sdist.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn everything_below_src_is_installed() {
    let text = format!(
        "{HEAD}readme = \"README.md\"\n[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/*.c\", \"src/native/x.c\"]\n"
    );
    let dir = folder(
        &text,
        &[
            "README.md",
            "LICENSE",
            "setup.cfg",
            ".gitignore",
            ".git/HEAD",
            "PKG-INFO",
            "src/spam/__init__.py",
            "src/spam/py.typed",
            "src/spam/_core.pyi",
            "src/spam/core.c",
            "src/spam/core.h",
            "src/spam/data/table.csv",
            "src/spam/.gitignore",
            "src/spam/_core.cpython-313-x86_64-linux-gnu.so",
            "src/spam/libother.so",
            "src/spam/__pycache__/__init__.cpython-313.pyc",
            "src/spam/sub/mod.py",
            "src/company/plugins/one.py",
            "src/native/x.c",
            "src/single.py",
            "src/spam_eggs.egg-info/PKG-INFO",
            "tests/test_spam.py",
            "build/ekiben/x.o",
            "build/tool.sh",
            "dist/spam.whl",
            ".tox/a",
            "env/pyvenv.cfg",
            "env/lib/x.py",
            ".venv/unfinished.py",
            ".DS_Store",
            ".DS_Store?",
            ".Trashes/x",
            "src/spam/._table.csv",
            "src/spam/data/ehthumbs.db",
        ],
    );
    let files = found(&dir).unwrap();
    insta::assert_snapshot!(installed(&files), @r#"
    company/plugins/one.py <- src/company/plugins/one.py (module of package `company.plugins`)
    single.py <- src/single.py (module `single`)
    spam/__init__.py <- src/spam/__init__.py (module of package `spam`)
    spam/_core.pyi <- src/spam/_core.pyi (data of package `spam`)
    spam/core.h <- src/spam/core.h (data of package `spam`)
    spam/data/table.csv <- src/spam/data/table.csv (data of package `spam.data`)
    spam/libother.so <- src/spam/libother.so (data of package `spam`)
    spam/py.typed <- src/spam/py.typed (data of package `spam`)
    spam/sub/mod.py <- src/spam/sub/mod.py (module of package `spam.sub`)
    "#);
    insta::assert_snapshot!(sdist(&files), @r#"
    .gitignore (in the project's folder)
    LICENSE (licence file (`LICEN[CS]E*`))
    README.md (`project.readme`)
    build/tool.sh (in the project's folder)
    pyproject.toml (every project has it)
    setup.cfg (in the project's folder)
    src/company/plugins/one.py (in the project's folder)
    src/native/x.c (in the project's folder)
    src/single.py (in the project's folder)
    src/spam/.gitignore (in the project's folder)
    src/spam/__init__.py (in the project's folder)
    src/spam/_core.pyi (in the project's folder)
    src/spam/core.c (in the project's folder)
    src/spam/core.h (in the project's folder)
    src/spam/data/table.csv (in the project's folder)
    src/spam/libother.so (in the project's folder)
    src/spam/py.typed (in the project's folder)
    src/spam/sub/mod.py (in the project's folder)
    tests/test_spam.py (in the project's folder)
    "#);
    let packages: Vec<String> =
        files.packages.iter().map(|p| format!("{} {} {}", p.name, p.dir, p.is_namespace)).collect();
    assert_eq!(packages, ["company src/company true", "spam src/spam false"]);
    let sources: Vec<&str> = files.extensions[0].sources.iter().map(ProjectPath::as_str).collect();
    assert_eq!(sources, ["src/spam/core.c", "src/native/x.c"]);
}

#[test]
fn a_flat_project_is_known_by_its_name() {
    let dir = folder(
        HEAD,
        &["Spam_Eggs/__init__.py", "Spam_Eggs/a.py", "tests/__init__.py", "setup.py", "other/x.py"],
    );
    let files = found(&dir).unwrap();
    assert_eq!(files.package_root.as_str(), ".");
    insta::assert_snapshot!(installed(&files), @r#"
    Spam_Eggs/__init__.py <- Spam_Eggs/__init__.py (module of package `Spam_Eggs`)
    Spam_Eggs/a.py <- Spam_Eggs/a.py (module of package `Spam_Eggs`)
    "#);

    let module = folder(HEAD, &["spam_eggs.py", "spam_eggs.pyi", "conftest.py"]);
    insta::assert_snapshot!(installed(&found(&module).unwrap()), @r#"
    spam_eggs.py <- spam_eggs.py (module `spam_eggs`)
    spam_eggs.pyi <- spam_eggs.pyi (module `spam_eggs`)
    "#);
}

#[test]
fn the_only_package_needs_no_name() {
    let dir = folder(HEAD, &["breakfast/__init__.py", "tests/__init__.py", "docs/conf.py"]);
    let files = found(&dir).unwrap();
    assert_eq!(files.packages[0].name.as_str(), "breakfast");
}

#[test]
fn import_names_say_what_the_packages_are() {
    let text = format!("{HEAD}import-names = [\"yaml\"]\n");
    let dir = folder(&text, &["yaml/__init__.py", "spam_eggs/__init__.py"]);
    let files = found(&dir).unwrap();
    let names: Vec<&str> = files.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["yaml"]);
}

#[test]
fn unclear_layouts_are_explained() {
    let two = folder(HEAD, &["one/__init__.py", "two/__init__.py"]);
    let none = folder(HEAD, &["main.py", "one/helper.py"]);
    let empty = folder(HEAD, &[]);
    let all = [two, none, empty].map(|dir| found(&dir).unwrap_err());
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    pyproject.toml: error[ambiguous-packages]: which package is the project's? None is named `spam_eggs`, and there are `one`, `two`
      help: name those to install: `packages = ["one", "two"]` in [tool.ekiben]
      help: or move them into a folder `src`

    pyproject.toml: error[no-packages]: there is no package and no module to install in the project's folder
      help: put the package into `src/spam_eggs/`, with an `__init__.py`
      help: if single files are to be installed, name them: `modules = ["main"]` in [tool.ekiben]
      help: or name folders to install: `packages = ["one"]`

    pyproject.toml: error[no-packages]: there is no package and no module to install in the project's folder
      help: put the package into `src/spam_eggs/`, with an `__init__.py`
    "#);
}

#[test]
fn include_and_exclude_change_the_lists() {
    let text = format!(
        "{HEAD}[tool.ekiben]\npackages = [\"spam\"]\nmodules = [\"extra\"]\ninclude = [\"shared/*.dat\"]\nexclude = [\"spam/tests\", \"**/*.tmp\"]\n[tool.ekiben.sdist]\ninclude = [\"dist/keep.txt\"]\nexclude = [\"docs\"]\n"
    );
    let dir = folder(
        &text,
        &[
            "spam/a.py",
            "spam/tests/t.py",
            "spam/x.tmp",
            "extra.py",
            "shared/a.dat",
            "shared/b.txt",
            "docs/index.md",
            "dist/keep.txt",
            "dist/other.txt",
        ],
    );
    let files = found(&dir).unwrap();
    insta::assert_snapshot!(installed(&files), @r#"
    extra.py <- extra.py (module `extra`)
    shared/a.dat <- shared/a.dat (`tool.ekiben.include` (`shared/*.dat`))
    spam/a.py <- spam/a.py (module of package `spam`)
    "#);
    insta::assert_snapshot!(sdist(&files), @r#"
    dist/keep.txt (`tool.ekiben.sdist.include` (`dist/keep.txt`))
    extra.py (in the project's folder)
    pyproject.toml (every project has it)
    shared/a.dat (in the project's folder)
    shared/b.txt (in the project's folder)
    spam/a.py (in the project's folder)
    spam/tests/t.py (in the project's folder)
    spam/x.tmp (in the project's folder)
    "#);
}

#[test]
fn what_is_named_must_be_there() {
    let text = format!(
        "{HEAD}readme = \"READM.md\"\nlicense = \"MIT\"\nlicense-files = [\"LICENCE\"]\n[tool.ekiben]\npackages = [\"spam_egg\", \"single\"]\nmodules = [\"nothing\"]\ninclude = [\"data/*.csv\"]\n[[tool.ekiben.extension]]\nname = \"spam_eggs._x\"\nsources = [\"spam_eggs/y.c\"]\n"
    );
    let dir =
        folder(&text, &["README.md", "LICENSE", "spam_eggs/x.c", "spam_eggs/a.py", "single.py"]);
    insta::assert_snapshot!(found(&dir).unwrap_err(), @r#"
    pyproject.toml:8:10: error[missing-readme]: there is no file `READM.md`
      help: write the readme, or remove the key
    pyproject.toml:10:18: error[missing-license-file]: no file matches `LICENCE`
      help: did you mean `LICENSE`?
    pyproject.toml:12:13: error[missing-package]: the package `spam_egg` has no files: `spam_egg` is missing or empty
      help: did you mean `spam_eggs`?
    pyproject.toml:12:25: error[missing-package]: the package `single` has no files: `single` is missing or empty
      help: `single` is a single file: write `modules = ["single"]`
    pyproject.toml:13:12: error[missing-module]: the module `nothing` has no file: there is no `nothing.py`
      help: known here: `single`
    pyproject.toml:14:12: error[unmatched-include]: no file matches `data/*.csv`
      help: patterns are matched against paths from the project's folder
    pyproject.toml:17:12: error[missing-source]: there is no file `spam_eggs/y.c`
      help: did you mean `spam_eggs/x.c`?
    "#);
}

#[test]
fn licences_and_readme_go_into_the_metadata() {
    let text = format!("{HEAD}readme = \"README.md\"\nlicense = \"MIT\"\n");
    let dir =
        folder(&text, &["LICENSE.txt", "NOTICE", "AUTHORS.md", "sub/LICENSE", "spam_eggs.py"]);
    write(dir.path(), "README.md", "# Spam\r\nand eggs\r\n");
    let project = Project::load(dir.path()).unwrap();
    let inputs = project.metadata_inputs().unwrap();
    insta::assert_snapshot!(core_metadata(&project, &inputs), @r#"
    Metadata-Version: 2.4
    Name: spam-eggs
    Version: 1
    License-Expression: MIT
    License-File: AUTHORS.md
    License-File: LICENSE.txt
    License-File: NOTICE
    Description-Content-Type: text/markdown

    # Spam
    and eggs
    "#);
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_and_refused_outside() {
    use std::os::unix::fs::symlink;
    let outside = folder(HEAD, &["secret.py"]);
    let dir = folder(HEAD, &["src/spam/__init__.py", "shared/data.csv", "notes/n.md"]);
    symlink("../../shared", dir.path().join("src/spam/shared")).unwrap();
    symlink("../../../shared/data.csv", dir.path().join("src/spam/data.csv")).unwrap();
    symlink("..", dir.path().join("src/spam/up")).unwrap();
    symlink(outside.path().join("secret.py"), dir.path().join("src/spam/secret.py")).unwrap();
    let error = found(&dir).unwrap_err().replace(&outside.path().display().to_string(), "OUTSIDE");
    insta::assert_snapshot!(error, @r#"
    pyproject.toml: error[bad-link]: the link `src/spam/data.csv` leads to nothing
      help: mend or remove it, or name it in `exclude` and `sdist.exclude`
    pyproject.toml: error[bad-link]: the link `src/spam/secret.py` leads out of the project, to `OUTSIDE/secret.py`
      help: put the file into the project, or name the link in `exclude` and `sdist.exclude`
    pyproject.toml: error[bad-link]: the link `src/spam/up` leads to a folder that it lies in itself
      help: remove it, or name it in `exclude` and `sdist.exclude`
    "#);

    for link in ["up", "secret.py", "data.csv"] {
        fs::remove_file(dir.path().join("src/spam").join(link)).unwrap();
    }
    let files = found(&dir).unwrap();
    insta::assert_snapshot!(installed(&files), @r#"
    spam/__init__.py <- src/spam/__init__.py (module of package `spam`)
    spam/shared/data.csv <- src/spam/shared/data.csv (data of package `spam.shared`)
    "#);
}

#[test]
fn what_only_an_editable_install_has_is_marked() {
    let text = format!("{HEAD}[tool.ekiben.wheel]\nexclude = [\"src/spam/testing\"]\n");
    let dir = folder(&text, &["src/spam/__init__.py", "src/spam/testing/data.txt"]);
    let files = found(&dir).unwrap();
    let marks: Vec<(&str, bool)> =
        files.installed.iter().map(|file| (file.target.as_str(), file.in_wheel)).collect();
    assert_eq!(marks, [("spam/__init__.py", true), ("spam/testing/data.txt", false)]);
}

#[cfg(unix)]
#[test]
fn names_that_no_archive_can_hold_are_refused_in_packages() {
    let dir = folder(HEAD, &["src/spam/__init__.py", "notes/a\nb.txt"]);
    let files = found(&dir).unwrap();
    assert_eq!(files.warnings.len(), 1);
    assert_eq!(paths(&files.sdist), ["pyproject.toml", "src/spam/__init__.py"]);

    write(dir.path(), "src/spam/a\\b.txt", "");
    let error = found(&dir).unwrap_err();
    assert!(error.contains("error[unusable-file-name]"), "{error}");
}

#[test]
fn the_build_folder_is_never_part_of_the_project() {
    let text = format!("{HEAD}[tool.ekiben]\nbuild-dir = \"out\"\n");
    let dir = folder(&text, &["spam_eggs.py", "out/a.o", "build/ekiben/b.o", "build/c.sh"]);
    let files = found(&dir).unwrap();
    assert_eq!(paths(&files.sdist), ["build/c.sh", "pyproject.toml", "spam_eggs.py"]);
}

#[test]
fn entry_points_are_written_by_group() {
    let text = format!(
        "{HEAD}[project.entry-points.\"spam.plugins\"]\nmod = \"spam.mod\"\nobj = \"spam.mod:Class.method [extra]\"\n[project.scripts]\nspam = \"spam.cli : main\"\n"
    );
    let project = Project::parse(&text, Path::new("pyproject.toml")).unwrap();
    insta::assert_snapshot!(entry_points_txt(&project).unwrap(), @r#"
    [console_scripts]
    spam = spam.cli:main

    [spam.plugins]
    mod = spam.mod
    obj = spam.mod:Class.method [extra]
    "#);
    assert_eq!(project.standard().entry_points("console_scripts").len(), 1);
    let none = Project::parse(HEAD, Path::new("pyproject.toml")).unwrap();
    assert_eq!(entry_points_txt(&none), None);
}

#[test]
fn a_folder_without_a_project_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = Project::load(dir.path()).unwrap_err();
    assert!(matches!(&error, ProjectError::Missing(missing) if missing == dir.path()));
    assert_eq!(error.into_diagnostics()[0].code, "missing-pyproject");

    fs::write(dir.path().join("pyproject.toml"), b"name = \"\xff\"").unwrap();
    let error = Project::load(dir.path()).unwrap_err();
    assert!(matches!(error, ProjectError::NotUtf8 { offset: 8, .. }), "{error}");
}
