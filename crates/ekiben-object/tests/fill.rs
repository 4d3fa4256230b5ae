//! Content put into linked programs: they are run, as they are and stripped.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_object::elf::{
    fill_segment, only_loaded, remove_search_paths, section_begins, segment_content,
};
use ekiben_object::{Binary, Error};
use proptest::prelude::*;
use tempfile::TempDir;

const SECTION: &str = ".ekiben_image";

/// Prints what is in its section, up to a zero; the placeholder begins with one.
const SOURCE: &str = r#"
#include <stdio.h>
#include <stdlib.h>
__attribute__((section(".ekiben_image"), aligned(16), used)) const char image[16] = {0};
#ifdef BEHIND
__attribute__((section(".behind"), used)) const char behind[16] = {1};
#endif
static int zeros[1000];
int main(void) {
    /* Its address is known to the linker alone. */
    const char *volatile start = image;
    char *heap = malloc(1 << 20);
    heap[0] = 'h';
    printf("%p %s %d %c\n", (const void *)start, start, zeros[7], heap[0]);
    return 0;
}
"#;

fn link(folder: &Path, arguments: &[&str]) -> PathBuf {
    let source = folder.join("program.c");
    fs::write(&source, SOURCE).unwrap();
    let out = folder.join("program");
    let mut cc = Command::new("cc");
    cc.args(["-no-pie", "-o"]).arg(&out).arg(&source).args(arguments);
    let done = cc.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    out
}

const ALONE: &str = "-Wl,--section-start=.ekiben_image=0x40000000";

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let (content, path) = (folder.join("content"), folder.join(name));
    fs::write(&content, bytes).unwrap();
    // Written by another process: one that a test starts meanwhile would inherit the open file, and
    // what is open for writing can't be run.
    let done =
        Command::new("install").args(["-m", "755"]).args([&content, &path]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    path
}

fn says(program: &Path) -> String {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", program.display());
    String::from_utf8(output.stdout).unwrap()
}

fn strip(program: &Path) {
    let output = Command::new("strip").arg(program).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn filled_and_stripped(arguments: &[&str]) {
    let folder = TempDir::new().unwrap();
    let program = link(folder.path(), &[&[ALONE], arguments].concat());
    assert_eq!(says(&program), "0x40000000  0 h\n");
    for first_stripped in [false, true] {
        if first_stripped {
            strip(&program);
        }
        let linked = fs::read(&program).unwrap();
        assert_eq!(segment_content(&linked, SECTION).unwrap(), [0; 16]);
        // More than what lies between the program and its heap, if that were where it is.
        let mut content = b"a boxed meal".to_vec();
        content.resize(5_000_001, 0);
        let once = fill_segment(&linked, SECTION, &content).unwrap();
        assert_eq!(segment_content(&once, SECTION).unwrap(), content);
        let begins = |start: &[u8]| section_begins(Cursor::new(&once), SECTION, start);
        assert!(begins(&content[..8]).unwrap());
        assert!(!begins(&content[1..9]).unwrap());
        assert!(section_begins(Cursor::new(&once), ".none", b"").is_err());
        assert!(section_begins(Cursor::new(b"text"), SECTION, b"").is_err());
        let path = written(folder.path(), "once", &once);
        assert_eq!(says(&path), "0x40000000 a boxed meal 0 h\n");

        // Again, and with less.
        assert!(fill_segment(&once, SECTION, &content).unwrap() == once);
        let other = fill_segment(&once, SECTION, b"tea\0").unwrap();
        assert!(other == fill_segment(&linked, SECTION, b"tea\0").unwrap());
        assert_eq!(says(&written(folder.path(), "other", &other)), "0x40000000 tea 0 h\n");

        // What strip leaves has the content in the middle.
        strip(&path);
        assert_eq!(says(&path), "0x40000000 a boxed meal 0 h\n");
        let stripped = fs::read(&path).unwrap();
        assert!(segment_content(&stripped, SECTION).unwrap() == content);
        let anew = fill_segment(&stripped, SECTION, b"soup\0").unwrap();
        assert!(anew.len() < linked.len() + 20_000, "{} of {}", anew.len(), linked.len());
        let path = written(folder.path(), "anew", &anew);
        assert_eq!(says(&path), "0x40000000 soup 0 h\n");
        strip(&path);
        assert_eq!(says(&path), "0x40000000 soup 0 h\n");
    }
}

#[test]
fn a_dynamic_program() {
    filled_and_stripped(&[]);
}

#[test]
fn a_static_program() {
    filled_and_stripped(&["-static"]);
}

#[test]
fn what_cant_be_filled_is_refused() {
    let folder = TempDir::new().unwrap();
    let refused = |program: &[u8], section: &str, content: &[u8]| {
        fill_segment(program, section, content).unwrap_err().to_string()
    };
    let shared = fs::read(link(folder.path(), &[])).unwrap();
    assert_eq!(
        refused(&shared, SECTION, b"x"),
        "its section `.ekiben_image` can't be filled: it isn't alone in its segment"
    );
    let behind = ["-DBEHIND", ALONE, "-Wl,--section-start=.behind=0x40100000"];
    let behind = fs::read(link(folder.path(), &behind)).unwrap();
    assert_eq!(
        refused(&behind, SECTION, &vec![1; 2 << 20]),
        "its section `.ekiben_image` can't be filled: 2097152 bytes at 0x40000000 would reach into \
         the segment at 0x40100000"
    );
    let filled = fill_segment(&behind, SECTION, b"tea\0").unwrap();
    assert_eq!(says(&written(folder.path(), "filled", &filled)), "0x40000000 tea 0 h\n");

    let alone = fs::read(link(folder.path(), &[ALONE])).unwrap();
    assert_eq!(refused(&alone, ".other", b"x"), "it has no section `.other`");
    assert_eq!(
        refused(&alone, ".bss", b"x"),
        "its section `.bss` can't be filled: it isn't loaded from the file"
    );
    assert_eq!(
        refused(&alone, SECTION, b""),
        "its section `.ekiben_image` can't be filled: there is nothing to put into it"
    );
    assert_eq!(fill_segment(b"MZ", SECTION, b"x"), Err(Error::UnknownFormat));
    let mut cut = alone.clone();
    cut.truncate(3000);
    assert!(matches!(fill_segment(&cut, SECTION, b"x"), Err(Error::Damaged(_))));
}

#[test]
fn no_program_makes_it_panic() {
    let folder = TempDir::new().unwrap();
    let program = link(folder.path(), &[ALONE]);
    strip(&program);
    let program = fs::read(program).unwrap();
    let filled = fill_segment(&program, SECTION, &[7; 9000]).unwrap();
    let headers = u64::from_le_bytes(program[40..48].try_into().unwrap()) as usize;
    proptest!(ProptestConfig::with_cases(2000), |(
        changes in proptest::collection::vec((any::<bool>(), 0usize..2000, any::<u8>()), 1..6),
    )| {
        let mut bytes = filled.clone();
        for (in_header, at, value) in changes {
            let at = if in_header { at } else { headers + at };
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let begins = section_begins(Cursor::new(&bytes), SECTION, &[7; 8]);
        if let Ok(content) = segment_content(&bytes, SECTION) {
            prop_assert_eq!(begins.ok(), Some(content.starts_with(&[7; 8])));
            prop_assert!(content.len() <= bytes.len());
        }
        let _ = fill_segment(&bytes, SECTION, b"content");
        let _ = only_loaded(&bytes);
        let _ = remove_search_paths(&mut bytes);
    });
}

#[test]
fn search_paths_go_and_everything_else_stays() {
    let folder = TempDir::new().unwrap();
    for kind in ["-Wl,--enable-new-dtags", "-Wl,--disable-new-dtags"] {
        let program = link(folder.path(), &[kind, "-Wl,-rpath,/one:$ORIGIN/two", "-lm"]);
        let before = fs::read(&program).unwrap();
        let mut after = before.clone();
        remove_search_paths(&mut after).unwrap();
        let (before, facts) = (one(&before), one(&after));
        assert_eq!(
            [before.rpath.clone(), before.runpath.clone()].concat(),
            ["/one", "$ORIGIN/two"]
        );
        let without = Binary { rpath: Vec::new(), runpath: Vec::new(), ..before };
        assert_eq!(facts, without);
        assert!(says(&written(folder.path(), "without", &after)).contains("0 h"));
    }
    assert_eq!(remove_search_paths(&mut b"text".to_vec()), Err(Error::UnknownFormat));
}

#[test]
fn what_isnt_loaded_goes() {
    let folder = TempDir::new().unwrap();
    let program = fs::read(link(folder.path(), &["-g"])).unwrap();
    let loaded = only_loaded(&program).unwrap();
    assert!(loaded.len() < program.len());
    assert_eq!(one(&program).needed, ["libc.so.6"]);
    assert_eq!(
        ekiben_object::read(&loaded).unwrap_err(),
        Error::Stripped("section headers"),
        "nothing is taken for an answer"
    );
    assert!(says(&written(folder.path(), "loaded", &loaded)).contains("0 h"));
    assert!(matches!(only_loaded(&program[..4096]), Err(Error::Damaged(_))));
}

fn one(bytes: &[u8]) -> Binary {
    ekiben_object::read(bytes).unwrap().remove(0)
}
