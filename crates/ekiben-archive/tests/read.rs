//! Reading back: what is written reads the same, and what is wrong is found, never a panic.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use common::{path, sdist_files, spec, wheel_files, write_sdist, write_zip};
use ekiben_archive::{
    ArchivePath, Entry, Error, FileSet, FolderWriter, Limits, Origin, RecordProblem, Timestamp,
    WheelReader, read_sdist, unpack_sdist,
};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

/// A zip file with these members and no thought given to RECORD.
fn raw_zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn problems(members: &[(&str, &str)]) -> Vec<String> {
    let mut wheel = WheelReader::open(Cursor::new(raw_zip(members))).unwrap();
    wheel.verify_record().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn each_problem_with_record_is_found() {
    let hello = "sha256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ";
    let record = format!(
        "ok,{hello},5\npadded,{hello}=,5\nbad,{hello},5\nlong,{hello},6\nnone,,\nweak,md5=x,5\n\
         gone,{hello},5\nok,{hello},5\n../up,{hello},5\na.dist-info/RECORD,,\n"
    );
    let members = [
        ("ok", "hello"),
        ("padded", "hello"),
        ("bad", "changed"),
        ("long", "hello"),
        ("none", "hello"),
        ("weak", "hello"),
        ("extra", "hello"),
        ("a.dist-info/RECORD", &record),
        ("a.dist-info/RECORD.jws", "a signature"),
    ];
    insta::assert_snapshot!(problems(&members).join("\n"), @r"
    `bad` has the hash sha256=1n4ulEmUSWyNjsdu7Qz58JZ5RI1YS1Mr6_lBhSo39e0, but RECORD says sha256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ
    `long` has 5 bytes, but RECORD says 6
    RECORD has no hash for `none`
    RECORD has a hash for `weak` by `md5`, which isn't one of sha256, sha384 and sha512
    RECORD lists `gone`, but the wheel doesn't hold it
    RECORD lists `ok` twice
    RECORD lists `../up`, but the wheel doesn't hold it
    the wheel holds `extra`, but RECORD doesn't list it
    ");
}

#[test]
fn record_itself_can_be_missing_or_malformed() {
    assert_eq!(problems(&[("a.dist-info/METADATA", "")]), ["the wheel has no RECORD"]);
    assert_eq!(
        problems(&[("a.dist-info/RECORD", "a,b,c\nd\n")]),
        ["line 2 of RECORD: it has 1 fields instead of 3"]
    );
}

#[test]
fn stronger_hashes_are_understood() {
    let record = "x,sha512=m3HSJL1i83hdltRq0-o9czGb-8KJDKra4t_3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw,5\n\
                  a.dist-info/RECORD,,\n";
    assert_eq!(problems(&[("x", "hello"), ("a.dist-info/RECORD", record)]), [""; 0]);
}

#[test]
fn wheels_that_could_escape_are_refused() {
    for name in ["../evil", "/evil", "a/../../evil", "C:/evil", "a\\..\\evil"] {
        let error = WheelReader::open(Cursor::new(raw_zip(&[(name, "")]))).unwrap_err();
        assert!(matches!(error, Error::UnsafeMember { .. }), "{name}: {error}");
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let error = WheelReader::open(zip.finish().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the wheel holds `link`, which is refused: it is a symbolic link"
    );
}

#[test]
fn not_quite_wheels_are_refused() {
    let open = |bytes| WheelReader::open(Cursor::new(bytes)).unwrap_err().to_string();
    assert!(open(b"PK, or not".to_vec()).starts_with("not a readable wheel: "));
    assert_eq!(
        open(raw_zip(&[("a.py", "")])),
        "not a readable wheel: it has no `.dist-info` folder"
    );
    assert_eq!(
        open(raw_zip(&[("a.dist-info/x", ""), ("b.dist-info/x", "")])),
        "not a readable wheel: it has two metadata folders, `a.dist-info` and `b.dist-info`"
    );
    // Two members of one name: readers disagree about which of them counts.
    let twice = raw_zip(&[("a.dist-info/x", ""), ("a.dist-info/y", "")]);
    let twice = String::from_utf8_lossy(&twice).contains("a.dist-info/y").then_some(twice).unwrap();
    let patched: Vec<u8> = replace(&twice, b"a.dist-info/y", b"a.dist-info/x");
    assert_eq!(open(patched), "not a readable wheel: it has two members `a.dist-info/x`");
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

/// What one tool would read differently from another isn't read.
#[test]
fn ambiguous_archives_are_refused() {
    let bytes = raw_zip(&[("a.dist-info/x", "hello, hello, hello")]);
    let open = |bytes: &[u8]| WheelReader::open(Cursor::new(bytes.to_vec()));
    let refusal = |bytes: Vec<u8>| open(&bytes).unwrap_err().to_string();
    let before = [b"#!/bin/sh\n", &bytes[..]].concat();
    assert_eq!(
        refusal(before),
        "not a readable wheel: its directory isn't directly before its end"
    );
    assert_eq!(
        refusal([&bytes[..], b"after"].concat()),
        "not a readable wheel: it has no directory"
    );
    let count = bytes.len() - 12;
    let fewer = [&bytes[..count], &[9, 0], &bytes[count + 2..]].concat();
    assert_eq!(
        refusal(fewer),
        "not a readable wheel: its directory hasn't as many members as it says"
    );

    // The local header, which comes first, has another name than the directory.
    let mut renamed = bytes.clone();
    renamed[30] = b'b';
    let error = open(&renamed).unwrap().read(&path("a.dist-info/x")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a readable wheel: `a.dist-info/x`: a member's name isn't the one in the directory"
    );
}

#[test]
fn content_must_have_its_size_and_checksum() {
    let bytes = raw_zip(&[("a.dist-info/x", "hello, hello, hello")]);
    let directory = bytes.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let read = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[directory + at] = value;
        let mut wheel = WheelReader::open(Cursor::new(bytes)).unwrap();
        let error = wheel.read(&path("a.dist-info/x")).unwrap_err().to_string();
        error.strip_prefix("not a readable wheel: `a.dist-info/x`: ").unwrap().to_owned()
    };
    assert_eq!(read(16, 0), "its checksum is wrong");
    assert_eq!(read(24, 18), "it is longer than the directory says");
    assert_eq!(read(24, 20), "it is shorter than the directory says");
    assert_eq!(read(10, 12), "a member is compressed by method 12");
    assert_eq!(read(21, 1), "a member reaches into the directory");
}

#[test]
fn zip64_fields_and_folders_of_other_writers_are_understood() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.add_directory("a.dist-info", options).unwrap();
    zip.start_file("a.dist-info/x", options.large_file(true)).unwrap();
    zip.write_all(b"hello").unwrap();
    zip.set_comment("a comment").unwrap();
    let mut wheel = WheelReader::open(zip.finish().unwrap()).unwrap();
    assert_eq!(wheel.members().len(), 1);
    assert_eq!(wheel.read(&path("a.dist-info/x")).unwrap(), b"hello");
}

#[test]
fn a_missing_member_is_named() {
    let mut wheel = WheelReader::open(Cursor::new(raw_zip(&[("a.dist-info/x", "")]))).unwrap();
    let error = wheel.read(&path("spam.py")).unwrap_err();
    assert_eq!(error.to_string(), "the wheel holds no `spam.py`");
}

#[test]
fn a_sdist_unpacks_to_what_went_in() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = FolderWriter::new(root.path());
    let sdist = write_sdist(&sdist_files(), Timestamp::default());
    let top = unpack_sdist(&sdist[..], Limits::default(), &mut folder).unwrap();
    assert_eq!(top, "spam_eggs-1.2.0");
    assert_eq!(folder.finish().len(), sdist_files().len());
    for entry in sdist_files().iter() {
        let bytes = std::fs::read(root.path().join(&top).join(entry.path.as_str())).unwrap();
        assert_eq!(bytes, entry.content.read().unwrap(), "{}", entry.path);
    }
}

fn raw_tar(build: impl FnOnce(&mut tar::Builder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut builder = tar::Builder::new(&mut bytes);
    build(&mut builder);
    builder.finish().unwrap();
    drop(builder);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&bytes).unwrap();
    gzip.finish().unwrap()
}

fn tar_member(builder: &mut tar::Builder<&mut Vec<u8>>, kind: tar::EntryType, name: &str) {
    let mut header = tar::Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    builder.append(&header, std::io::empty()).unwrap();
}

fn refusal(members: &[(tar::EntryType, &str)], limits: Limits) -> String {
    let bytes = raw_tar(|builder| {
        for (kind, name) in members {
            tar_member(builder, *kind, name);
        }
    });
    read_sdist(&bytes[..], limits, |_, _| Ok(())).unwrap_err().to_string()
}

#[test]
fn sdists_that_could_escape_are_refused() {
    use tar::EntryType::{Char, Link, Regular, Symlink};
    let refusals: Vec<String> = [
        &[(Regular, "a/../../evil")][..],
        &[(Regular, "/evil")],
        &[(Symlink, "a/link")],
        &[(Link, "a/link")],
        &[(Char, "a/device")],
        &[(Regular, "a/x"), (Regular, "b/x")],
        &[(Regular, "a/x"), (Regular, "a/x")],
        &[(Regular, "a/x"), (Regular, "a/x/y")],
        &[(Regular, "file")],
        &[],
    ]
    .iter()
    .map(|members| refusal(members, Limits::default()))
    .collect();
    insta::assert_snapshot!(refusals.join("\n"), @r"
    the sdist holds `a/../../evil`, which is refused: it has the part `..`
    the sdist holds `/evil`, which is refused: it is absolute
    the sdist holds `a/link`, which is refused: it is a link
    the sdist holds `a/link`, which is refused: it is a link
    the sdist holds `a/device`, which is refused: it is neither a file nor a folder
    the sdist holds `b/x`, which is refused: it isn't in the folder `a`
    the sdist holds `a/x`, which is refused: `a/x` is claimed twice: by member 1 and by member 2
    the sdist holds `a/x/y`, which is refused: `a/x` (member 1) is a file, but `a/x/y` (member 2) needs a folder of that name
    the sdist holds `file`, which is refused: it isn't in a folder
    not a readable sdist: it is empty
    ");
}

#[test]
fn a_sdist_that_unpacks_to_too_much_is_refused() {
    let small = Limits { members: 2, bytes: 4096 };
    let many: Vec<String> = (0..3).map(|index| format!("a/{index}")).collect();
    let many: Vec<_> = many.iter().map(|name| (tar::EntryType::Regular, name.as_str())).collect();
    assert_eq!(refusal(&many, small), "not a readable sdist: it has more than 2 members");
    let zeros = raw_tar(|builder| {
        let mut header = tar::Header::new_ustar();
        header.set_path("a/zeros").unwrap();
        header.set_mode(0o644);
        header.set_size(1 << 20);
        header.set_cksum();
        builder.append(&header, &vec![0; 1 << 20][..]).unwrap();
    });
    let root = tempfile::tempdir().unwrap();
    let mut folder = FolderWriter::new(root.path());
    let error = unpack_sdist(&zeros[..], small, &mut folder).unwrap_err();
    assert_eq!(error.to_string(), "not a readable sdist: it unpacks to more than 4096 bytes");
}

/// A path that is new on every file system: parts from a small alphabet, so that there are many
/// near collisions, and some letters that formats must quote or encode.
fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-cA-C,\" äß.]{1,6}|[a-z]{90,120}", 1..4)
        .prop_map(|parts| parts.join("/"))
        .prop_filter("a path of an archive", |path| {
            ArchivePath::new(path.as_str()).is_ok() && !path.contains(".dist-info")
        })
}

type Files = Vec<(String, Vec<u8>, bool)>;

fn any_files() -> impl Strategy<Value = Files> {
    let content = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (any::<u8>(), 0..200_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    prop::collection::vec((any_path(), content, any::<bool>()), 0..12)
}

/// As many of the files as don't conflict, and what is in them.
fn collect(files: &Files, required: &[&str]) -> (FileSet, BTreeMap<String, (Vec<u8>, bool)>) {
    let mut set = FileSet::new();
    let mut kept = BTreeMap::new();
    let required = required.iter().map(|name| ((*name).to_owned(), b"x".to_vec(), false));
    for (index, (name, bytes, executable)) in required.chain(files.iter().cloned()).enumerate() {
        let entry = Entry::new(path(&name), bytes.clone(), Origin::new(index.to_string()))
            .executable(executable);
        if set.add(entry).is_ok() {
            kept.insert(name, (bytes, executable));
        }
    }
    (set, kept)
}

proptest! {
    #[test]
    fn any_wheel_reads_back_the_same(files in any_files()) {
        let metadata = spec().dist_info("METADATA").unwrap();
        let (set, kept) = collect(&files, &[metadata.as_str()]);
        let bytes = write_zip(&set, Timestamp::default());
        let mut wheel = WheelReader::open(Cursor::new(bytes)).unwrap();
        prop_assert_eq!(wheel.verify_record().unwrap(), Vec::<RecordProblem>::new());
        prop_assert_eq!(wheel.members().len(), kept.len() + 2);
        for (name, (bytes, executable)) in kept {
            let member = wheel.members().iter().find(|m| m.path.as_str() == name).unwrap().clone();
            prop_assert_eq!(member.is_executable(), executable);
            prop_assert!(wheel.read(&member.path).unwrap() == bytes);
        }
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(files in any_files()) {
        let (set, _) = collect(&files, &["spam_eggs-1.2.0.dist-info/METADATA"]);
        let mut reversed = FileSet::new();
        let entries: Vec<Entry> = set.iter().cloned().collect();
        for entry in entries.into_iter().rev() {
            reversed.add(entry).unwrap();
        }
        let timestamp = Timestamp::default();
        prop_assert!(write_zip(&set, timestamp) == write_zip(&reversed, timestamp));
    }

    #[test]
    fn any_sdist_reads_back_the_same(files in any_files()) {
        let (set, kept) = collect(&files, &["PKG-INFO", "pyproject.toml"]);
        let sdist = write_sdist(&set, Timestamp::default());
        let mut read = BTreeMap::new();
        let top = read_sdist(&sdist[..], Limits::default(), |member, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            let below = member.path.as_str().split_once('/').unwrap().1.to_owned();
            read.insert(below, (bytes, member.executable));
            Ok(())
        })
        .unwrap();
        prop_assert_eq!(top, "spam_eggs-1.2.0");
        prop_assert!(read == kept);
    }

    #[test]
    fn a_damaged_wheel_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = write_zip(&wheel_files(), Timestamp::default());
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(mut wheel) = WheelReader::open(Cursor::new(bytes)) {
            for member in wheel.members().to_vec() {
                if let Ok(content) = wheel.read(&member.path) {
                    prop_assert_eq!(content.len() as u64, member.size);
                }
            }
            let _ = wheel.verify_record();
        }
    }

    #[test]
    fn a_damaged_sdist_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        // Damage inside the compression, where a checksum of gzip wouldn't find it first.
        let sdist = write_sdist(&sdist_files(), Timestamp::default());
        let mut tar = Vec::new();
        std::io::copy(&mut flate2::read::GzDecoder::new(&sdist[..]), &mut tar).unwrap();
        for (at, value) in damage {
            let at = at.index(tar.len());
            tar[at] = value;
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).unwrap();
        let gzip = gzip.finish().unwrap();
        let result = read_sdist(&gzip[..], Limits::default(), |member, content| {
            let mut bytes = Vec::new();
            if content.read_to_end(&mut bytes).is_ok() {
                assert!(bytes.len() as u64 <= member.size);
            }
            Ok(())
        });
        if let Err(error) = result {
            prop_assert!(error.to_string().contains("sdist"));
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(WheelReader::open(Cursor::new(bytes.clone())).is_err());
        prop_assert!(read_sdist(&bytes[..], Limits::default(), |_, _| Ok(())).is_err());
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(rows) = ekiben_archive::parse_record(&text) {
            let written = ekiben_archive::write_record(&rows);
            prop_assert_eq!(ekiben_archive::parse_record(&written), Ok(rows));
        }
    }
}
