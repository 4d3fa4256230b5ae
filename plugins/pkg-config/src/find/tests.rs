//! With the real pkg-config over `.pc` files of the tests' own, and archives that aren't there.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::process::Command;

use super::*;

struct Real {
    folder: tempfile::TempDir,
    files: BTreeSet<String>,
}

impl Real {
    fn new(pc_files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in pc_files {
            let text = format!("Name: {name}\nDescription: a test\n{text}\n");
            std::fs::write(folder.path().join(format!("{name}.pc")), text).unwrap();
        }
        Self { folder, files: BTreeSet::new() }
    }

    fn with_files(mut self, files: &[&str]) -> Self {
        self.files = files.iter().map(|file| (*file).to_owned()).collect();
        self
    }

    fn find(&self, uses: &[&str], options: &Options) -> Result<Found, Failure> {
        self.find_for(uses, options, false)
    }

    fn find_for(
        &self,
        uses: &[&str],
        options: &Options,
        is_static_module: bool,
    ) -> Result<Found, Failure> {
        let words: Vec<_> = uses.iter().map(|word| Word::parse(word).unwrap().unwrap()).collect();
        find(&words, User { name: "spam._core", is_static_module }, options, self)
    }
}

impl Machine for Real {
    fn ask(&self, arguments: &[String], all_folders: bool) -> Result<Answer, Failure> {
        let mut command = Command::new("pkg-config");
        command.args(arguments).env_clear().env("PKG_CONFIG_LIBDIR", self.folder.path());
        if all_folders {
            command.env("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1");
        }
        let output = command.output().expect("`.ci/run` installs pkg-config");
        Ok(Answer {
            succeeded: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        })
    }

    fn is_file(&self, path: &str) -> Result<bool, Failure> {
        Ok(self.files.contains(path))
    }

    fn system(&self) -> Option<System> {
        Some(System::Debian)
    }
}

fn library(name: &str) -> Link {
    Link::Library(name.to_owned())
}

fn options(statics: &[&str], run_paths: &[&str]) -> Options {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Options { statics: owned(statics), run_paths: owned(run_paths) }
}

fn reports(failure: Failure) -> Vec<Diagnostic> {
    match failure {
        Failure::User(reports) => reports,
        other => panic!("{other:?}"),
    }
}

const ZLIB: (&str, &str) =
    ("zlib", "Version: 1.2.13\nLibs: -L/usr/lib/x86_64-linux-gnu -lz\nCflags: -I/usr/include");
const PNG: (&str, &str) = (
    "libpng",
    "Version: 1.6\nRequires.private: zlib\nLibs: -L/opt/png/lib -Wl,-rpath,/opt/png/lib -lpng16\nLibs.private: -lm -lz\nCflags: -I/opt/png/include -DPNG=\\\"a\\\"",
);

#[test]
fn libraries_are_found_together() {
    let machine = Real::new(&[ZLIB, PNG]);
    let found = machine.find(&["pkg-config:libpng", "pkg-config:zlib"], &Options::default());
    let found = found.unwrap();
    assert_eq!(found.cflags[0].include_directories, ["/opt/png/include"]);
    assert_eq!(found.cflags[0].definitions, [("PNG".to_owned(), Some("\"a\"".to_owned()))]);
    assert_eq!(found.library_directories, ["/opt/png/lib"]);
    assert_eq!(found.links, [library("png16"), library("z")]);
}

#[test]
fn a_run_path_is_left_out_unless_it_is_asked_for() {
    let machine = Real::new(&[ZLIB, PNG]);
    let found = machine.find(&["pkg-config:libpng"], &Options::default()).unwrap();
    assert_eq!(found.run_paths, [""; 0]);
    let note = found.reports[0].diagnostic("spam._core");
    assert_eq!(note.severity, ekiben_plugin::Severity::Note);
    assert!(note.message.contains("the run path /opt/png/lib that `libpng` asks for"), "{note:?}");
    assert!(note.help[0].contains("run-path = [\"libpng\"]"), "{note:?}");
    let kept = machine.find(&["pkg-config:libpng"], &options(&[], &["libpng"])).unwrap();
    assert_eq!((kept.run_paths, kept.reports), (vec!["/opt/png/lib".to_owned()], Vec::new()));
}

#[test]
fn static_libraries_are_linked_by_file_with_all_that_they_need() {
    let machine = Real::new(&[ZLIB, PNG])
        .with_files(&["/opt/png/lib/libpng16.a", "/usr/lib/x86_64-linux-gnu/libz.a"]);
    let uses = ["pkg-config:libpng", "pkg-config:zlib"];
    let found = machine.find(&uses, &options(&["libpng"], &[])).unwrap();
    let png = Link::File("/opt/png/lib/libpng16.a".into());
    let archive = Link::File("/usr/lib/x86_64-linux-gnu/libz.a".into());
    assert_eq!(found.links[0], png);
    assert!(found.links.contains(&archive) && found.links.contains(&library("m")), "{found:?}");
    assert_eq!(found.links.last(), Some(&library("z")), "zlib itself isn't static");
    assert_eq!(found.library_directories, ["/opt/png/lib"]);
}

#[test]
fn a_part_of_a_program_is_linked_with_all_that_its_libraries_need() {
    let machine = Real::new(&[ZLIB, PNG]);
    let found = machine.find_for(&["pkg-config:libpng"], &Options::default(), true).unwrap();
    for name in ["png16", "z", "m"] {
        assert!(found.links.contains(&library(name)), "{found:?}");
    }
    // Folders that linkers know are left to them.
    assert_eq!(found.library_directories, ["/opt/png/lib"]);
}

#[test]
fn a_missing_archive_is_an_error_and_one_that_it_needs_a_warning() {
    let machine = Real::new(&[ZLIB, PNG]);
    let uses = ["pkg-config:libpng"];
    let errors = reports(machine.find(&uses, &options(&["*"], &[])).unwrap_err());
    assert_eq!(errors[0].code, "no-static-library");
    assert!(errors[0].message.contains("no libpng16.a in /opt/png/lib"), "{errors:?}");
    let machine = machine.with_files(&["/opt/png/lib/libpng16.a"]);
    let found = machine.find(&uses, &options(&["*"], &[])).unwrap();
    let warning = Report::NotStatic { library: "z".into(), of: vec!["libpng".into()] };
    assert!(found.reports.contains(&warning), "{found:?}");
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let machine = Real::new(&[ZLIB]);
    let uses = ["pkg-config:yaml-0.1", "pkg-config:zlib>=1.2,<2", "pkg-config:zlib>=9"];
    let errors = reports(machine.find(&uses, &Options::default()).unwrap_err());
    let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["missing-library", "library-version"]);
    assert!(errors[0].help[0].contains("apt-get install libyaml-dev"), "{errors:?}");
    let dependent = Real::new(&[("a", "Version: 1\nRequires: b >= 2"), ("b", "Version: 1.5")]);
    let errors = reports(dependent.find(&["pkg-config:a"], &Options::default()).unwrap_err());
    assert!(errors[0].message.contains("`b`, which it needs, has the version 1.5"), "{errors:?}");
}

#[test]
fn options_are_read_and_checked_against_what_is_used() {
    let read = Options::read(r#"{"static": ["zlib", "*"], "run-path": ["png"]}"#).unwrap();
    assert_eq!(read, options(&["zlib", "*"], &["png"]));
    let words = [Word::parse("pkg-config:zlib").unwrap().unwrap()];
    assert_eq!(read.unused(&words), [("run-path", "png")]);
}

#[test]
fn folders_that_linkers_search_unasked_are_known() {
    for folder in ["/usr/lib", "/lib64", "/usr/lib/x86_64-linux-gnu"] {
        assert!(is_system_folder(folder), "{folder}");
    }
    for folder in [
        "/opt/lib",
        "/usr/lib/openblas",
        "/usr/local/lib",
        "/usr/lib/x86_64-linux-gnu/openblas-pthread",
    ] {
        assert!(!is_system_folder(folder), "{folder}");
    }
}
