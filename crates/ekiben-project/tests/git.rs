//! Versions from real repositories, compared with what setuptools-scm makes of the same ones.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_project::Project;
use tempfile::TempDir;

const TOOLS: &str = include_str!("requirements/scm.txt");

/// A virtual environment with the tools, made once for each target folder and set of versions.
fn python() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scm-tools");
    let python = dir.join("bin/python");
    let ready = dir.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|text| text == TOOLS) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir));
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements/scm.txt");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"]);
    run(pip.arg(pinned));
    fs::write(&ready, TOOLS).unwrap();
    python
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed:\n{out}{err}");
    out.trim().to_owned()
}

fn git(dir: &Path, words: &str) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=T", "-c", "user.email=t@example.org"]);
    // The machine's configuration decides nothing, and every commit has the same time.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command
        .env("GIT_AUTHOR_DATE", "1000000000 +0000")
        .env("GIT_COMMITTER_DATE", "1000000000 +0000");
    run(command.args(words.split(' ')).current_dir(dir))
}

fn write(dir: &Path, settings: &str) {
    let text = format!(
        "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n[project]\nname = \"spam\"\ndynamic = [\"version\"]\n[tool.ekiben.version]\nvcs = \"git\"\n{settings}\n"
    );
    fs::write(dir.join("pyproject.toml"), text).unwrap();
}

fn repository(settings: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), "init --quiet --initial-branch=main");
    write(dir.path(), settings);
    git(dir.path(), "add .");
    git(dir.path(), "commit --quiet -m one");
    dir
}

fn commit(dir: &Path) {
    git(dir, "commit --quiet --allow-empty -m more");
}

fn version(dir: &Path) -> Result<String, String> {
    let described = Project::load(dir).map(|project| project.standard().version.to_string());
    described.map_err(|error| {
        let error = error.into_diagnostics().remove(0);
        format!("{}: {}\n  {}", error.code, error.message, error.help.join("\n  "))
    })
}

/// What setuptools-scm says, with the commit as short as ours.
fn reference(dir: &Path) -> String {
    let script = "import setuptools_scm, sys; print(setuptools_scm.get_version(root=sys.argv[1]))";
    run(Command::new(python()).args(["-c", script]).arg(dir))
}

#[test]
fn versions_are_those_of_setuptools_scm() {
    let dir = repository("");
    let dir = dir.path();
    let mut seen = Vec::new();
    let mut compare = |what: &str| {
        let (ours, theirs) = (version(dir).unwrap(), reference(dir));
        let commit = git(dir, "rev-parse HEAD");
        let general = |text: &str| {
            let at = text.find("+g").map(|at| at + 2);
            let end = at.map(|at| text[at..].find('.').map_or(text.len(), |end| at + end));
            match (at, end) {
                (Some(at), Some(end)) => {
                    assert!(commit.starts_with(&text[at..end]), "{text} {commit}");
                    format!("{}COMMIT{}", &text[..at], &text[end..])
                }
                _ => text.to_owned(),
            }
        };
        assert_eq!(general(&ours), general(&theirs), "{what}");
        let date = ours.rsplit_once(".d").filter(|_| what.contains("changed"));
        seen.push(match date {
            Some((before, _)) => format!("{what}: {}.dDATE", general(before)),
            None => format!("{what}: {}", general(&ours)),
        });
    };
    compare("no tag");
    commit(dir);
    compare("no tag, two commits");
    git(dir, "tag v1.2.3");
    compare("a tag");
    git(dir, "tag latest");
    compare("another tag without a version");
    fs::write(dir.join("untracked"), "").unwrap();
    compare("an untracked file");
    fs::write(
        dir.join("pyproject.toml"),
        fs::read_to_string(dir.join("pyproject.toml")).unwrap() + "# x\n",
    )
    .unwrap();
    compare("changed on a tag");
    commit(dir);
    compare("changed after a tag");
    git(dir, "commit --quiet -a -m done");
    compare("two commits after a tag");
    git(dir, "tag -a 2.0rc1 -m candidate");
    compare("an annotated candidate");
    commit(dir);
    compare("after a candidate");
    git(dir, "tag spam-2.0.post1");
    commit(dir);
    compare("after a post-release with a prefix");
    git(dir, "tag v3.0.dev0");
    commit(dir);
    compare("after a dev0");
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn the_options_do_what_they_say() {
    let dir = repository("local = false");
    git(dir.path(), "tag v1.0");
    commit(dir.path());
    assert_eq!(version(dir.path()).as_deref(), Ok("1.1.dev1"));

    // Of several projects in a repository, each has its own tags.
    let dir = repository("local = false\ntag-pattern = '^eggs/(?P<version>.+)$'");
    git(dir.path(), "tag eggs/4.0");
    commit(dir.path());
    git(dir.path(), "tag spam/9.0");
    assert_eq!(version(dir.path()).as_deref(), Ok("4.1.dev1"));

    // The final release and its last candidate are the same commit.
    let dir = repository("");
    git(dir.path(), "tag -a v1.0rc1 -m x");
    git(dir.path(), "tag v1.0");
    assert_eq!(version(dir.path()).as_deref(), Ok("1.0"));
}

#[test]
fn a_project_below_the_top_of_its_repository_counts_if_git_knows_it() {
    let dir = repository("");
    git(dir.path(), "tag v1.0");
    let below = dir.path().join("python/spam");
    fs::create_dir_all(&below).unwrap();
    write(&below, "");
    insta::assert_snapshot!(version(&below).unwrap_err());
    git(dir.path(), "add .");
    git(dir.path(), "commit --quiet -m below");
    git(dir.path(), "tag v2.0");
    assert_eq!(version(&below).as_deref(), Ok("2.0"));
}

#[test]
fn what_stands_in_the_way_is_told_apart() {
    let outer = tempfile::tempdir().unwrap();
    write(outer.path(), "");
    let nowhere = version(outer.path()).unwrap_err();

    git(outer.path(), "init --quiet --initial-branch=main");
    let empty = version(outer.path()).unwrap_err();

    let dir = repository("");
    git(dir.path(), "tag v1.0");
    commit(dir.path());
    commit(dir.path());
    let clone = tempfile::tempdir().unwrap();
    let address = format!("file://{}", dir.path().display());
    git(clone.path(), &format!("clone --quiet --depth=1 {address} ."));
    let shallow = version(clone.path()).unwrap_err();

    git(dir.path(), "tag v2.0.dev4");
    commit(dir.path());
    let dev = version(dir.path()).unwrap_err();
    insta::assert_snapshot!([nowhere, empty, shallow, dev].join("\n"));
}

#[test]
fn a_hooks_variables_mislead_nobody() {
    let (dir, other) = (repository(""), repository(""));
    git(dir.path(), "tag v1.0");
    git(other.path(), "tag v9.0");
    // In a process of its own, for the environment belongs to all tests.
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", "says_the_version", "--nocapture"])
        .env("SAY_VERSION_OF", dir.path())
        .env("GIT_DIR", other.path().join(".git"))
        .env("GIT_WORK_TREE", other.path())
        .env("GIT_INDEX_FILE", other.path().join(".git/index"))
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("version 1.0 "), "{out}");

    let owned = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "says_the_version", "--nocapture"])
        .env("SAY_VERSION_OF", dir.path())
        .env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        .output()
        .unwrap();
    let out = String::from_utf8(owned.stdout).unwrap();
    let root = dir.path().canonicalize().unwrap();
    let advice = format!("git config --global --add safe.directory {}", root.display());
    assert!(out.contains("foreign-repository") && out.contains(&advice), "{out}");

    let missing = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "says_the_version", "--nocapture"])
        .env("SAY_VERSION_OF", dir.path())
        .env("PATH", "")
        .output()
        .unwrap();
    let out = String::from_utf8(missing.stdout).unwrap();
    assert!(out.contains("no-git: ") && out.contains("install git"), "{out}");
}

/// Run by the test above, in an environment that it made; by itself it checks the project that it
/// makes.
#[test]
#[allow(clippy::print_stdout)]
fn says_the_version() {
    match std::env::var_os("SAY_VERSION_OF") {
        Some(dir) => match version(Path::new(&dir)) {
            Ok(version) => println!("version {version} "),
            Err(error) => println!("{error}"),
        },
        None => {
            let dir = repository("");
            git(dir.path(), "tag v5.0");
            assert_eq!(version(dir.path()).as_deref(), Ok("5.0"));
        }
    }
}
