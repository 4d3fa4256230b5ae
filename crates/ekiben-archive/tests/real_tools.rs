//! Our archives in the hands of the tools that everybody else uses, each of a pinned version, in a
//! virtual environment that one run of the tests creates and a later one uses again.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use common::{metadata_of, path, sdist_files, spec, wheel_files, write_sdist, write_zip};
use ekiben_archive::{Entry, Origin, SdistSpec, Timestamp};

/// What maintainers' commands check wheels with, from the root of the workspace.
const TOOLS: &str = "xtask/requirements/checks.txt";

/// The interpreter of the tools' environment.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive-tools");
    let python = if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    };
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(TOOLS);
    let wanted = fs::read_to_string(&pinned).unwrap();
    let done = folder.join("installed.txt");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    let _ = fs::remove_dir_all(&folder);
    let base = if cfg!(windows) { "python" } else { "python3" };
    run(Command::new(base).args(["-m", "venv"]).arg(&folder));
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--require-hashes", "-r"])
        .arg(pinned));
    fs::write(done, wanted).unwrap();
    python
});

/// Runs a command that has to succeed, and gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{command:?}:\n{}", text.join("\n"));
    text.concat().replace("\r\n", "\n")
}

fn python(arguments: &[&str], folder: &Path) -> String {
    run(Command::new(&*PYTHON).args(arguments).current_dir(folder).env("PYTHONUTF8", "1"))
}

/// A folder that holds the wheel and the sdist.
fn archives() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let timestamp = Timestamp::from_epoch(1_234_567_890);
    fs::write(folder.path().join(spec().file_name()), write_zip(&wheel_files(), timestamp))
        .unwrap();
    let sdist = SdistSpec::new("Spam.Eggs", "1.2.0").unwrap().file_name();
    fs::write(folder.path().join(sdist), write_sdist(&sdist_files(), timestamp)).unwrap();
    folder
}

#[test]
fn installer_validates_and_installs_the_wheel() {
    let folder = archives();
    let wheel = spec().file_name();
    python(
        &["-m", "installer", "--validate-record", "all", "--destdir", "root", &wheel],
        folder.path(),
    );
    let installed: Vec<PathBuf> = walk(&folder.path().join("root"));
    for (file, content) in [("main.py", "def main():"), ("fry.sh", "echo eggs")] {
        let found = installed.iter().find(|path| path.ends_with(file)).unwrap();
        assert!(fs::read_to_string(found).unwrap().contains(content));
    }
    assert!(
        installed.iter().any(|path| path.file_stem().is_some_and(|stem| stem == "spam")),
        "the entry point has no script: {installed:?}"
    );
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn wheel_unpacks_and_packs_the_wheel_again() {
    let folder = archives();
    let wheel = spec().file_name();
    let output = python(&["-m", "wheel", "unpack", "--dest", "out", &wheel], folder.path());
    assert!(output.contains("OK"), "{output}");
    let unpacked = folder.path().join("out").join("spam_eggs-1.2.0");
    let record = fs::read_to_string(unpacked.join("spam_eggs-1.2.0.dist-info").join("RECORD"));
    let ours = record.unwrap();
    // Its own RECORD is made by Python's csv module: the rows have to be ours, quotes and all.
    python(&["-m", "wheel", "pack", "--dest-dir", ".", "out/spam_eggs-1.2.0"], folder.path());
    python(&["-m", "wheel", "unpack", "--dest", "again", &wheel], folder.path());
    let theirs = folder.path().join("again/spam_eggs-1.2.0/spam_eggs-1.2.0.dist-info/RECORD");
    let theirs = fs::read_to_string(theirs).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(Into::into).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&ours), sorted(&theirs));
}

#[test]
fn twine_accepts_both() {
    let folder = archives();
    let sdist = SdistSpec::new("Spam.Eggs", "1.2.0").unwrap().file_name();
    let output =
        python(&["-m", "twine", "check", "--strict", &spec().file_name(), &sdist], folder.path());
    assert_eq!(output.matches("PASSED").count(), 2, "{output}");
}

#[test]
fn check_wheel_contents_finds_nothing() {
    let folder = archives();
    let output = python(&["-m", "check_wheel_contents", &spec().file_name()], folder.path());
    assert!(output.contains("OK"), "{output}");
}

#[test]
fn pip_installs_the_wheel() {
    let folder = archives();
    python(
        &[
            "-m",
            "pip",
            "install",
            "--no-index",
            "--no-deps",
            "--quiet",
            "--target",
            "target",
            "--disable-pip-version-check",
            &spec().file_name(),
        ],
        folder.path(),
    );
    assert!(folder.path().join("target/spam_eggs/größe.py").is_file());
}

#[test]
fn python_reads_every_member_of_the_wheel() {
    let folder = archives();
    let script = r"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    for info in archive.infolist():
        kind = 'deflated' if info.compress_type == zipfile.ZIP_DEFLATED else 'stored'
        mode = oct(info.external_attr >> 16)
        date = '%04d-%02d-%02dT%02d:%02d:%02d' % info.date_time
        print(info.filename, info.file_size, kind, mode, date, info.create_system, len(info.extra))
";
    insta::assert_snapshot!(python(&["-c", script, &spec().file_name()], folder.path()), @r#"
    spam_eggs-1.2.0.data/scripts/fry.sh 20 stored 0o100755 2009-02-13T23:31:30 3 0
    spam_eggs/__init__.py 0 stored 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs/a,b "c".txt 29 stored 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs/größe.py 65 deflated 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs/main.py 30 stored 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs-1.2.0.dist-info/METADATA 211 deflated 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs-1.2.0.dist-info/WHEEL 101 deflated 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs-1.2.0.dist-info/entry_points.txt 45 stored 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs-1.2.0.dist-info/licenses/LICENSE 16 stored 0o100644 2009-02-13T23:31:30 3 0
    spam_eggs-1.2.0.dist-info/RECORD 798 deflated 0o100644 2009-02-13T23:31:30 3 0
    "#);
}

#[test]
fn python_reads_every_member_of_the_sdist() {
    let folder = archives();
    let script = r"
import sys, tarfile
with open(sys.argv[1], 'rb') as raw:
    print('gzip', raw.read(10).hex())
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        assert member.isreg() and archive.extractfile(member).read()
        owner = (member.uid, member.gid, member.uname, member.gname)
        name = member.name if len(member.name) < 60 else '%d characters' % len(member.name)
        print(name, member.size, oct(member.mode), member.mtime, owner, sorted(member.pax_headers))
    archive.extractall('out', filter='data')
";
    let sdist = SdistSpec::new("Spam.Eggs", "1.2.0").unwrap().file_name();
    insta::assert_snapshot!(python(&["-c", script, &sdist], folder.path()), @r"
    gzip 1f8b08000000000000ff
    spam_eggs-1.2.0/PKG-INFO 211 0o644 1234567890 (0, 0, '', '') []
    spam_eggs-1.2.0/pyproject.toml 54 0o644 1234567890 (0, 0, '', '') []
    164 characters 13 0o644 1234567890 (0, 0, '', '') []
    203 characters 11 0o644 1234567890 (0, 0, '', '') ['path']
    spam_eggs-1.2.0/src/größe.py 9 0o644 1234567890 (0, 0, '', '') ['path']
    spam_eggs-1.2.0/src/run.sh 10 0o755 1234567890 (0, 0, '', '') []
    ");
    for entry in sdist_files().iter() {
        let file = folder.path().join("out/spam_eggs-1.2.0").join(entry.path.as_str());
        assert_eq!(fs::read(file).unwrap(), entry.content.read().unwrap(), "{}", entry.path);
    }
}

/// A wheel that has 70,000 files needs Zip64 for its directory.
#[test]
fn python_reads_a_wheel_of_very_many_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = metadata_of(&spec());
    for index in 0..70_000 {
        let name = path(&format!("spam_eggs/{index}.txt"));
        files.add(Entry::new(name, format!("{index}"), Origin::new("many"))).unwrap();
    }
    let wheel = folder.path().join(spec().file_name());
    fs::write(&wheel, write_zip(&files, Timestamp::default())).unwrap();
    let script = "import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))";
    let output = python(&["-c", script, wheel.to_str().unwrap()], folder.path());
    assert_eq!(output.trim(), "70003");
}
