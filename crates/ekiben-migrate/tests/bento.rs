//! `bento.info`: the parser, and what its files become.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use ekiben_migrate::{Entry, parse_bento};
use proptest::prelude::*;
use support::migrated;

const SPAM: &str = r"# A comment
Name: spam
Version: 1.2
Summary: Makes spam
Description:
    Spam is made here.

    * with eggs \# and bacon
Url: https://example.com
Author: Ann Lee
AuthorEmail: ann@example.com
License: MIT
Classifiers:
    Programming Language :: C,
    Topic :: Software Development

HookFile: bscript
Recurse: spam/sub
AuthorEMale: ann@example.com

Flag: fast
    Description: faster: really
    Default: false

DataFiles: man
    TargetDir: $mandir/man1
    SourceDir: doc
    Files: *.1

DataFiles: tests
    TargetDir: $sitedir/spam
    SourceDir: spam
    Files: tests/*.txt

Path: sounds
    Description: Where sounds are
    if os(windows):
        Default: $prefix\sounds
    else:
        Default: $datadir/sounds

DataFiles: sounds
    TargetDir: $sounds/$pkgname
    Files: noise/**/*.wav, noise/loud/bang.wav

DataFiles: tables
    TargetDir: $sitedir/spam
    SourceDir: shared
    Files: tables/*.csv

DataFiles: tools
    TargetDir: $eprefix
    Files: bin/slice

DataFiles: settings
    TargetDir: /etc/spam
    Files: etc/spam.conf

Library:
    InstallRequires: eggs, bacon>=2
    if os(windows):
        InstallRequires:
            pywin32
    Packages:
        spam, spam.sub
        spam.tests
    Modules: single, spam/extra.py
    Extension: spam._core
        Sources: src/core.c,
            src/more.pyx, src/old.pyf
        IncludeDirs: include
    if flag(fast):
        Extension: spam._fast
            Sources: src/fast.c
    else:
        Extension: spam._slow
            Sources: src/slow.c
    CompiledLibrary: helper
        Sources: src/helper.c

Executable: spam
    Module: spam.main
    Function: run
";

#[test]
fn a_project_becomes_one_of_ours() {
    let sub = "Library:\n  Extension: _deep\n    Sources: deep.c\n";
    let files = [
        ("bento.info", SPAM),
        ("spam/__init__.py", ""),
        ("spam/sub/__init__.py", ""),
        ("spam/sub/bento.info", sub),
        ("spam/sub/deep.c", ""),
        ("include/spam.h", ""),
        ("src/core.c", ""),
        ("src/more.pyx", "import numpy\ncimport numpy as cnumpy\n"),
        ("src/old.pyf", ""),
        ("single.py", ""),
        ("doc/spam.1", ""),
        ("noise/a.wav", ""),
        ("noise/loud/bang.wav", ""),
        ("shared/tables/a.csv", ""),
        ("bin/slice", "#!/usr/bin/env python\n"),
        ("src/slow.c", ""),
    ];
    insta::assert_snapshot!(migrated(&files));
}

fn error(text: &str) -> String {
    parse_bento(text).unwrap_err().to_string()
}

#[test]
fn errors_have_line_and_column() {
    let all = [
        "Name\n",
        "Name: spam eggs\n",
        "Name:\n",
        "Library:\n\tPackages: spam\n",
        "Library:\n    Packages: a\n  Modules: b\n",
        "Sources: a.c\n",
        "Library:\n    if os windows:\n        Packages: a\n",
        "if true:\n    Name: a\n",
        "else:\n",
        "Library:\n    else:\n        Packages: a\n",
        "Extension: a\n",
        "Na me: spam\n",
        "Flag:\n    Default: true\n",
    ];
    let errors: Vec<String> = all.iter().map(|text| error(text)).collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn values_have_places_and_no_escapes() {
    let file = parse_bento("Description: one\\: two # three\nKeywords: a, b c\n").unwrap();
    let Entry::Field(text) = &file.entries[0] else { panic!("{file:?}") };
    assert_eq!(text.values[0].text, "one: two # three");
    let Entry::Field(keywords) = &file.entries[1] else { panic!("{file:?}") };
    let places: Vec<_> =
        keywords.values.iter().map(|v| (v.text.as_str(), v.position.column)).collect();
    assert_eq!(places, [("a", 11), ("b c", 14)]);
}

/// As in public files: commas at the ends of lines or none, comments between, other indentations.
#[test]
fn lists_are_read_in_all_their_shapes() {
    let text = "\
Recurse: spam,
    eggs
Classifiers:
    One :: a,
    # Not yet:
    Two :: b,

Library:
  Packages: a b,c
    d
  Extension: _core
        Sources:
            a.c
            b.c, c.c,
      # Of another place.
             d.c   # beside
        IncludeDirs: x, y
";
    let file = parse_bento(text).unwrap();
    let mut lists = Vec::new();
    fn collect(entries: &[Entry], lists: &mut Vec<String>) {
        for entry in entries {
            match entry {
                Entry::Field(field) => {
                    let values: Vec<&str> = field.values.iter().map(|v| v.text.as_str()).collect();
                    lists.push(format!("{}: {}", field.name, values.join("|")));
                }
                Entry::Section(section) => collect(&section.entries, lists),
                Entry::If(_) => lists.push("a condition".to_owned()),
            }
        }
    }
    collect(&file.entries, &mut lists);
    let expected = [
        "Recurse: spam|eggs",
        "Classifiers: One :: a|Two :: b",
        "Packages: a|b|c|d",
        "Sources: a.c|b.c|c.c|d.c",
        "IncludeDirs: x|y",
    ];
    assert_eq!(lists, expected);
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let mut text = "Library:\n".to_owned();
    for depth in 1..2000 {
        text.push_str(&format!("{}if true:\n", " ".repeat(depth)));
    }
    assert!(error(&text).ends_with("this is nested too deep"));
}

fn line() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just("Name:"),
        Just("Library:"),
        Just("Extension:"),
        Just("Sources:"),
        Just("Description:"),
        Just("if os(linux):"),
        Just("if not flag("),
        Just("else:"),
        Just("Packages: a, b"),
        Just("#"),
        Just("\\"),
        Just("\t"),
        Just("é, x"),
        Just(""),
    ];
    (0..12_usize, words, ".{0,8}")
        .prop_map(|(indent, word, rest)| format!("{}{word}{rest}\n", " ".repeat(indent)))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_in_its_bounds(lines in prop::collection::vec(line(), 0..20)) {
        let text = lines.concat();
        if let Err(error) = parse_bento(&text) {
            let line = text.lines().nth(error.position.line - 1).unwrap_or_default();
            prop_assert!(error.position.column <= line.chars().count() + 1, "{error} in {text:?}");
        }
    }
}
