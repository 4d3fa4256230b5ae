//! What is written, as seen from outside: the list, the bytes, the fields of the formats.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Cursor, Read};

use common::{file_set, path, sdist_files, spec, wheel_files, write_sdist, write_to, write_zip};
use ekiben_archive::{
    BuildTag, Content, Entry, Error, FileSet, FolderWriter, ListWriter, Origin, SdistSpec,
    Sha256Digest, TagSet, Timestamp, WheelReader, WheelSpec, ZipWriter,
};

fn listed(files: &FileSet) -> Vec<String> {
    let mut writer = ListWriter::new();
    write_to(files, &mut writer);
    writer.finish().iter().map(|file| file.to_string().replace('\t', " | ")).collect()
}

#[test]
fn the_list_of_a_wheel() {
    insta::assert_snapshot!(listed(&wheel_files()).join("\n"), @r#"
    spam_eggs-1.2.0.data/scripts/fry.sh | 20 | 0755 | source spam_eggs-1.2.0.data/scripts/fry.sh
    spam_eggs/__init__.py | 0 | 0644 | source spam_eggs/__init__.py
    spam_eggs/a,b "c".txt | 29 | 0644 | source spam_eggs/a,b "c".txt
    spam_eggs/größe.py | 65 | 0644 | source spam_eggs/größe.py
    spam_eggs/main.py | 30 | 0644 | source spam_eggs/main.py
    spam_eggs-1.2.0.dist-info/METADATA | 211 | 0644 | source spam_eggs-1.2.0.dist-info/METADATA
    spam_eggs-1.2.0.dist-info/WHEEL | 101 | 0644 | the wheel's own metadata
    spam_eggs-1.2.0.dist-info/entry_points.txt | 45 | 0644 | source spam_eggs-1.2.0.dist-info/entry_points.txt
    spam_eggs-1.2.0.dist-info/licenses/LICENSE | 16 | 0644 | source spam_eggs-1.2.0.dist-info/licenses/LICENSE
    spam_eggs-1.2.0.dist-info/RECORD | 798 | 0644 | the wheel's own metadata
    "#);
}

#[test]
fn the_list_is_what_the_wheel_holds() {
    let wheel = WheelReader::open(Cursor::new(write_zip(&wheel_files(), Timestamp::default())));
    let held: Vec<String> = wheel
        .unwrap()
        .members()
        .iter()
        .map(|file| format!("{} | {} | {:04o}", file.path, file.size, file.mode.unwrap() & 0o777))
        .collect();
    let listed = listed(&wheel_files());
    assert_eq!(held.len(), listed.len());
    for (held, listed) in held.iter().zip(&listed) {
        assert!(listed.starts_with(&format!("{held} | ")), "{held} isn't {listed}");
    }
}

#[test]
fn record_and_wheel_metadata() {
    let bytes = write_zip(&wheel_files(), Timestamp::default());
    let mut wheel = WheelReader::open(Cursor::new(bytes)).unwrap();
    let record = wheel.dist_info("RECORD").unwrap();
    insta::assert_snapshot!(wheel.read_text(&record).unwrap(), @r#"
    spam_eggs-1.2.0.data/scripts/fry.sh,sha256=04lIahjz6U341SjVZ4ZBWigJQClO4rAiBEmS0ijy1N8,20
    spam_eggs/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0
    "spam_eggs/a,b ""c"".txt",sha256=tjzTxKxJWHN0s4piv5_NNURp2kfIuaEuqTgxJeJTsm4,29
    spam_eggs/größe.py,sha256=RY0FihH8J052EY6HQph4FVpkqUFgabBkrjVkmFwz7zI,65
    spam_eggs/main.py,sha256=n1Y2aWqPQ643mfRZBL2uLMInfw732H1FkubkPs-5XHE,30
    spam_eggs-1.2.0.dist-info/METADATA,sha256=WfspsCiKMiMImtCLL_cTteX9Sy_bwqA5Gb-X9LE8iQg,211
    spam_eggs-1.2.0.dist-info/WHEEL,sha256=qpi-TCXJ96I392M-1OdruXHcNgKJjGGGLJl6tNsPoTQ,101
    spam_eggs-1.2.0.dist-info/entry_points.txt,sha256=vN2gdpD4urSfjSBEcMWYdVKl64xTElUrVbZPe3TDyH8,45
    spam_eggs-1.2.0.dist-info/licenses/LICENSE,sha256=9OGQdCXNbLfdhE--GNqLt3GhmR9uL68FRp9jSr96Gx8,16
    spam_eggs-1.2.0.dist-info/RECORD,,
    "#);
    let metadata = wheel.dist_info("WHEEL").unwrap();
    insta::assert_snapshot!(wheel.read_text(&metadata).unwrap(), @r"
    Wheel-Version: 1.0
    Generator: ekiben 0.0.0
    Root-Is-Purelib: true
    Tag: py2-none-any
    Tag: py3-none-any
    ");
    assert_eq!(wheel.verify_record().unwrap(), []);
}

/// Another digest means other bytes for the same input: every user's next wheel changes. A new
/// version of zlib-rs may do that; nothing else should.
#[test]
fn the_bytes_are_these() {
    let timestamp = Timestamp::from_epoch(1_234_567_890);
    let wheel = Sha256Digest::of(&write_zip(&wheel_files(), timestamp));
    let sdist = Sha256Digest::of(&write_sdist(&sdist_files(), timestamp));
    insta::assert_snapshot!(format!("{wheel}\n{sdist}"), @r"
    95c5a63c10009029c3e957bd170a97c751f10edac9577147503c119e9f902215
    bb28bfead7b898d6e6cb4ead3e465f37a7783b0530a9dba08665dc069e22b86f
    ");
}

#[test]
fn file_names() {
    let mut spec = WheelSpec::new(
        "Spam.Eggs",
        "1.0+local.1",
        TagSet::new(["cp313-abi3-musllinux_1_2_x86_64", "cp313-abi3-manylinux_2_17_x86_64"])
            .unwrap(),
    )
    .unwrap();
    spec.build = Some(BuildTag::new("2").unwrap());
    assert_eq!(
        spec.file_name(),
        "spam_eggs-1.0+local.1-2-cp313-abi3-manylinux_2_17_x86_64.musllinux_1_2_x86_64.whl"
    );
    assert!(!spec.root_is_purelib);
    assert_eq!(
        spec.data("scripts", "run").unwrap().as_str(),
        "spam_eggs-1.0+local.1.data/scripts/run"
    );
    let sdist = SdistSpec::new("Spam.Eggs", "1.0+local.1").unwrap();
    assert_eq!(sdist.file_name(), "spam_eggs-1.0+local.1.tar.gz");
}

#[test]
fn what_is_missing_or_made_here_is_an_error() {
    let write = |files: &[(&str, &str)]| {
        spec().write(&file_set(files), &mut ListWriter::new()).unwrap_err().to_string()
    };
    assert_eq!(write(&[]), "the wheel has no `spam_eggs-1.2.0.dist-info/METADATA`");
    let metadata = ("spam_eggs-1.2.0.dist-info/METADATA", "x");
    assert_eq!(
        write(&[metadata, ("spam_eggs-1.2.0.dist-info/RECORD", "x")]),
        "`spam_eggs-1.2.0.dist-info/RECORD` is claimed by source \
         spam_eggs-1.2.0.dist-info/RECORD, but it is made when the wheel is written"
    );
    assert!(write(&[metadata, ("spam_eggs-1.2.0.dist-info/wheel", "x")]).contains("only in case"));
    let sdist = SdistSpec::new("a", "1").unwrap();
    let error = sdist.write(&file_set(&[("PKG-INFO", "")]), &mut ListWriter::new()).unwrap_err();
    assert_eq!(error.to_string(), "the sdist has no `pyproject.toml`");
}

#[test]
fn every_member_is_a_regular_file_of_unix_with_the_given_time() {
    let bytes = write_zip(&wheel_files(), Timestamp::from_epoch(1_234_567_890));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    for index in 0..archive.len() {
        let member = archive.by_index(index).unwrap();
        let name = member.name().unwrap().into_owned();
        let mode = if name.ends_with(".sh") { 0o100_755 } else { 0o100_644 };
        assert_eq!(member.unix_mode(), Some(mode), "{name}");
        assert_eq!(member.system(), zip::System::Unix);
        let time = member.last_modified().unwrap();
        assert_eq!((time.year(), time.month(), time.day()), (2009, 2, 13));
        assert_eq!((time.hour(), time.minute(), time.second()), (23, 31, 30));
        assert_eq!(member.extra_data().unwrap_or_default(), b"", "{name}");
        assert_eq!(member.comment(), "");
    }
}

#[test]
fn deferred_content_gives_the_same_wheel_whatever_pieces_it_comes_in() {
    struct Drip(Cursor<Vec<u8>>, usize);
    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let end = buffer.len().min(self.1);
            self.0.read(&mut buffer[..end])
        }
    }
    let text: Vec<u8> =
        (0..400_000_u32).flat_map(|i| (i.wrapping_mul(i) % 977).to_le_bytes()).collect();
    let wheel = |content: Content| {
        let mut files = wheel_files();
        files.add(Entry::new(path("spam_eggs/data.bin"), content, Origin::new("x"))).unwrap();
        write_zip(&files, Timestamp::default())
    };
    let whole = wheel(Content::from(text.clone()));
    for step in [7, 4096, 65_537] {
        let text = text.clone();
        let size = (step == 4096).then_some(text.len() as u64);
        let drip = Content::deferred(size, move || Ok(Drip(Cursor::new(text.clone()), step)));
        assert!(wheel(drip) == whole, "pieces of {step} bytes changed the wheel");
    }
}

#[test]
fn a_folder_holds_the_same_files() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = FolderWriter::new(root.path());
    write_to(&wheel_files(), &mut folder);
    let written = folder.finish();
    let bytes = write_zip(&wheel_files(), Timestamp::default());
    let mut wheel = WheelReader::open(Cursor::new(bytes)).unwrap();
    let members = wheel.members().to_vec();
    assert_eq!(written.len(), members.len());
    for (written, member) in written.iter().zip(&members) {
        assert!(written.ends_with(member.path.as_str()));
        assert_eq!(std::fs::read(written).unwrap(), wheel.read(&member.path).unwrap());
    }
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    struct Full(Cursor<Vec<u8>>);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0.position() > 500 {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.0.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl std::io::Seek for Full {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    let mut writer = ZipWriter::new(Full(Cursor::new(Vec::new())), Timestamp::default());
    let error = spec().write(&wheel_files(), &mut writer).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
}
