//! A small project's wheel and sdist, in several ways of writing them.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::Cursor;

use ekiben_archive::{
    ArchivePath, ArchiveWriter, Entry, FileSet, Origin, SdistSpec, TagSet, TarGzWriter, Timestamp,
    WheelSpec, ZipWriter,
};

pub(crate) fn path(text: &str) -> ArchivePath {
    ArchivePath::new(text).unwrap()
}

pub(crate) fn file_set(files: &[(&str, &str)]) -> FileSet {
    let mut set = FileSet::new();
    for (name, content) in files {
        let origin = Origin::new(format!("source {name}"));
        set.add(Entry::new(path(name), *content, origin).executable(name.ends_with(".sh")))
            .unwrap();
    }
    set
}

pub(crate) fn spec() -> WheelSpec {
    let tags = TagSet::new(["py2.py3-none-any"]).unwrap();
    let mut spec = WheelSpec::new("Spam.Eggs", "1.2.0", tags).unwrap();
    spec.generator = "ekiben 0.0.0".into();
    spec
}

const METADATA: &str = "Metadata-Version: 2.4\nName: Spam.Eggs\nVersion: 1.2.0\n\
    Summary: Breakfast.\nLicense-Expression: MIT\nLicense-File: LICENSE\n\
    Description-Content-Type: text/markdown\n\nSpam, spam, eggs and spam, which is a description.\n";

/// The least that a wheel can be.
pub(crate) fn metadata_of(spec: &WheelSpec) -> FileSet {
    file_set(&[(spec.dist_info("METADATA").unwrap().as_str(), METADATA)])
}

pub(crate) fn wheel_files() -> FileSet {
    file_set(&[
        ("spam_eggs/__init__.py", ""),
        ("spam_eggs/a,b \"c\".txt", "a name that RECORD must quote"),
        (
            "spam_eggs/größe.py",
            "# This comment is here to be compressed. Spam, spam, spam, spam.\n",
        ),
        ("spam_eggs/main.py", "def main():\n    print('spam')\n"),
        ("spam_eggs-1.2.0.data/scripts/fry.sh", "#!/bin/sh\necho eggs\n"),
        ("spam_eggs-1.2.0.dist-info/METADATA", METADATA),
        (
            "spam_eggs-1.2.0.dist-info/entry_points.txt",
            "[console_scripts]\nspam = spam_eggs.main:main\n",
        ),
        ("spam_eggs-1.2.0.dist-info/licenses/LICENSE", "Do as you like.\n"),
    ])
}

pub(crate) fn sdist_files() -> FileSet {
    let long = format!("src/{}/{}.py", "d".repeat(60), "f".repeat(80));
    let longest = format!("src/{}.py", "f".repeat(180));
    file_set(&[
        ("PKG-INFO", METADATA),
        ("pyproject.toml", "[build-system]\nrequires = []\nbuild-backend = \"ekiben\"\n"),
        ("src/größe.py", "SIZE = 3\n"),
        ("src/run.sh", "#!/bin/sh\n"),
        (&long, "split = True\n"),
        (&longest, "pax = True\n"),
    ])
}

pub(crate) fn write_zip(files: &FileSet, timestamp: Timestamp) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()), timestamp);
    spec().write(files, &mut writer).unwrap();
    writer.finish().unwrap().into_inner()
}

pub(crate) fn write_to(files: &FileSet, writer: &mut dyn ArchiveWriter) {
    spec().write(files, writer).unwrap();
}

pub(crate) fn write_sdist(files: &FileSet, timestamp: Timestamp) -> Vec<u8> {
    let mut writer = TarGzWriter::new(Vec::new(), timestamp);
    SdistSpec::new("Spam.Eggs", "1.2.0").unwrap().write(files, &mut writer).unwrap();
    writer.finish().unwrap()
}
