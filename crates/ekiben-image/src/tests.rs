//! Images as wholes.

use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::layout::{HEADER, at};
use crate::{Builder, Content, Effort, Entry, Error, FileKind, Image, ModuleKind, NewModule};

fn code(path: &str, is_package: bool, code: &[u8]) -> NewModule {
    let code = Content::plain(code.to_vec());
    NewModule { kind: ModuleKind::Code, is_package, path: path.to_owned(), code }
}

fn sample() -> Vec<u8> {
    let mut builder = Builder::new();
    let source = "x = 1\n".repeat(100);
    builder.module("json.decoder", code("lib/json/decoder.py", false, b"d")).unwrap();
    builder.module("json", code("lib/json/__init__.py", true, b"json")).unwrap();
    builder.module("json-like", code("lib/j.py", false, b"")).unwrap();
    builder.module("json.tool.deep", code("lib/json/tool/deep.abi3.so", false, b"t")).unwrap();
    let long = Content::compressed(source.clone().into_bytes(), Effort::Thorough);
    let new = NewModule { code: long, ..code("lib/long.py", false, b"") };
    builder.module("long", new).unwrap();
    let source = Content::compressed(source.into_bytes(), Effort::Quick);
    builder.file("lib/json/__init__.py", FileKind::Source, source).unwrap();
    builder
        .file("lib/j.py", FileKind::Source, Content::compressed(Vec::new(), Effort::Quick))
        .unwrap();
    for (path, kind) in [
        ("lib/data/b.txt", FileKind::Resource),
        ("lib/data/a/x", FileKind::SharedObject),
        ("lib/data/a/y", FileKind::Resource),
        ("lib/data-2", FileKind::Licence),
    ] {
        builder.file(path, kind, Content::plain(path.as_bytes().to_vec())).unwrap();
    }
    builder.set("entry", "hello").unwrap();
    builder.build().unwrap()
}

#[test]
fn what_was_written_is_read() {
    let bytes = sample();
    let image = Image::open(&bytes).unwrap();
    image.verify().unwrap();
    let json = image.module("lib/json").unwrap();
    assert_eq!(
        (json.code.plain(), json.is_package, json.path),
        (Some(&b"json"[..]), true, "lib/json/__init__.py")
    );
    let long = image.module("lib/long").unwrap().code;
    assert!(long.stored_len() < long.len() && long.plain().is_none());
    assert_eq!(long.read().unwrap(), "x = 1\n".repeat(100).as_bytes());
    let source = image.source(&json).unwrap();
    assert!(source.stored_len() < source.len() && source.plain().is_none());
    assert_eq!(source.read().unwrap().len(), 600);
    assert_eq!(image.file("lib/j.py").unwrap().content.plain(), Some(&b""[..]));
    assert!(image.source(&image.module("lib/json/decoder").unwrap()).is_none());
    assert!(image.module("lib/jso").is_none() && image.module("").is_none());
    assert_eq!(image.setting("entry"), Some("hello"));
    assert_eq!(image.setting("other"), None);
    let shared = image.file("lib/data/a/x").unwrap();
    assert_eq!(shared.content.plain(), Some(&b"lib/data/a/x"[..]));
    let offset = shared.content.plain().unwrap().as_ptr() as usize - bytes.as_ptr() as usize;
    assert_eq!(offset % 4096, 0, "a shared object begins at a page");
}

#[test]
fn what_is_below_a_name_is_found() {
    let bytes = sample();
    let image = Image::open(&bytes).unwrap();
    let below = |folder| image.modules_in(folder).map(|it| it.name).collect::<Vec<_>>();
    assert_eq!(below("lib"), ["json-like", "json", "long"]);
    assert_eq!(below("lib/json"), ["json.decoder"]);
    assert_eq!(below("lib/json/tool"), ["json.tool.deep"]);
    assert_eq!(below("lib/json/decoder"), [""; 0]);
    assert_eq!(below("nothing"), [""; 0]);
    assert_eq!(image.modules_in("").count(), 0);
    assert_eq!(image.module("lib/json/tool/deep").unwrap().name, "json.tool.deep");
    assert!(
        ["", "lib", "lib/json", "lib/json/tool", "lib/data"].map(|it| image.is_folder(it))
            == [true; 5]
    );
    assert!(
        ["li", "lib/j", "lib/json/decoder", "lib/data-2"].map(|it| image.is_folder(it))
            == [false; 4]
    );
    let list = |folder| image.list(folder).collect::<Vec<_>>();
    let entry = |name, is_folder| Entry { name, is_folder };
    assert_eq!(list("lib/data"), [entry("a", true), entry("b.txt", false)]);
    assert_eq!(list(""), [entry("lib", true)]);
    let lib = [("data", true), ("data-2", false), ("j.py", false), ("json", true)];
    assert_eq!(list("lib"), lib.map(|(name, is_folder)| entry(name, is_folder)));
    assert_eq!(list("lib/data/b.txt"), []);
    assert_eq!(list("li"), []);
}

#[test]
fn the_order_of_adding_makes_no_difference() {
    let build = |names: &[&str]| {
        let mut builder = Builder::new();
        for name in names {
            builder.module(name, code(&format!("{name}.py"), false, name.as_bytes())).unwrap();
        }
        builder.build().unwrap()
    };
    assert_eq!(build(&["a", "b", "c.d"]), build(&["c.d", "b", "a"]));
}

#[test]
fn another_image_fills_in_what_is_missing() {
    let bytes = sample();
    let mut builder = Builder::new();
    builder.module("json", code("lib/json/__init__.py", true, b"mine")).unwrap();
    builder.set("entry", "mine").unwrap();
    builder.add_missing(&Image::open(&bytes).unwrap()).unwrap();
    let merged = builder.build().unwrap();
    let image = Image::open(&merged).unwrap();
    image.verify().unwrap();
    assert_eq!(image.module("lib/json").unwrap().code.plain(), Some(&b"mine"[..]));
    assert_eq!(image.module("lib/json/decoder").unwrap().code.plain(), Some(&b"d"[..]));
    assert_eq!((image.setting("entry"), image.files().count()), (Some("mine"), 6));
}

#[test]
fn what_cant_be_in_an_image_is_refused() {
    let mut builder = Builder::new();
    let module = || code("a.py", false, b"");
    builder.module("a", module()).unwrap();
    assert_eq!(builder.module("a", module()).unwrap_err(), Error::Twice("a".to_owned()));
    for name in ["", "a..b", ".a", "a\0"] {
        assert!(matches!(builder.module(name, module()), Err(Error::Name(..))), "{name}");
    }
    let nameless = builder.module("b", code("b/.py", false, b"")).map(|()| "b/");
    assert_eq!(nameless, Ok("b/"), "only a package has to have a folder");
    assert!(matches!(builder.module("b", code("__init__.py", true, b"")), Err(Error::Name(..))));
    let builtin = NewModule { kind: ModuleKind::Builtin, path: String::new(), ..module() };
    builder.module("sys", builtin).unwrap();
    let content = || Content::plain(Vec::new());
    for path in ["/a", "a//b", "a/../b", "."] {
        let added = builder.file(path, FileKind::Resource, content());
        assert!(matches!(added, Err(Error::Name(..))), "{path}");
    }
    builder.file("a", FileKind::Resource, content()).unwrap();
    builder.file("a/b", FileKind::Resource, content()).unwrap();
    assert!(matches!(builder.build(), Err(Error::Name(..))));
}

#[test]
fn what_is_compressed_stays_so_in_another_image() {
    let bytes = sample();
    let image = Image::open(&bytes).unwrap();
    let mut builder = Builder::new();
    builder.take_module(&image.module("lib/long").unwrap()).unwrap();
    let taken = builder.build().unwrap();
    let long = Image::open(&taken).unwrap().module("lib/long").unwrap().code;
    assert!(long.plain().is_none());
    assert_eq!(long.read().unwrap().len(), 600);
}

#[test]
fn compressed_content_that_is_damaged_is_an_error() {
    let bytes = sample();
    let long = Image::open(&bytes).unwrap().module("lib/long").unwrap().code;
    let start = long.stored().as_ptr() as usize - bytes.as_ptr() as usize;
    for at in 0..long.stored_len() {
        let mut changed = bytes.clone();
        changed[start + at] ^= 0xFF;
        let image = Image::open(&changed).unwrap();
        // Not every byte of a frame decides on what is in it; its length always is right.
        let unpacked = image.module("lib/long").unwrap().code.read();
        assert!(unpacked.is_err() || unpacked.unwrap().len() == 600, "byte {at}");
        assert!(image.verify().is_err(), "byte {at}");
    }
}

#[test]
fn damage_is_found() {
    let bytes = sample();
    assert_eq!(Image::open(b"EKIB").unwrap_err(), Error::NotAnImage);
    let cut = Image::open(&bytes[..bytes.len() - 1]).unwrap_err();
    assert!(matches!(cut, Error::CutOff { .. }));
    let mut changed = bytes.clone();
    changed[HEADER + 3] ^= 1;
    assert_eq!(Image::open(&changed).unwrap_err(), Error::Checksum("index"));
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(Image::open(&changed).unwrap().verify().unwrap_err(), Error::Checksum("content"));
    let mut newer = bytes;
    newer[at::VERSION] = 9;
    assert_eq!(Image::open(&newer).unwrap_err(), Error::Version { found: 9, known: 2 });
}

/// Uses everything that can be read.
fn read_all(image: &Image<'_>) {
    let _ = image.verify();
    for module in image.modules() {
        let _ = (image.module(module.stem), image.modules_in(module.stem).count());
        let _ = (module.code.read(), image.source(&module).map(|source| source.read()));
    }
    for file in image.files() {
        let _ = (image.file(file.path), image.list(file.path).count(), file.content.read());
    }
    let _ = (image.list("").count(), image.setting("entry"));
}

proptest! {
    #[test]
    fn names_are_found_whatever_they_are(
        names in proptest::collection::btree_set("[a-z]{1,3}(\\.[a-z]{1,3}){0,3}", 0..200),
    ) {
        let mut builder = Builder::new();
        for name in &names {
            let path = format!("{}.py", name.replace('.', "/"));
            builder.module(name, code(&path, false, name.as_bytes())).unwrap();
        }
        let bytes = builder.build().unwrap();
        let image = Image::open(&bytes).unwrap();
        image.verify().unwrap();
        prop_assert_eq!(image.modules().count(), names.len());
        for name in &names {
            let stem = name.replace('.', "/");
            let module = image.module(&stem).unwrap();
            prop_assert_eq!(module.code.plain(), Some(name.as_bytes()));
            let direct = names.iter().filter(|other| {
                other.strip_prefix(&format!("{name}.")).is_some_and(|rest| !rest.contains('.'))
            });
            prop_assert_eq!(image.modules_in(&stem).count(), direct.count());
        }
    }

    /// With right checksums, so that what is behind them is tried.
    #[test]
    fn no_bytes_make_the_reader_panic(
        changes in proptest::collection::vec((0usize..4000, any::<u8>()), 1..8),
    ) {
        let mut bytes = sample();
        let end = u64::from_le_bytes(bytes[at::INDEX_END..at::INDEX_END + 8].try_into().unwrap());
        for (place, value) in changes {
            let place = place % end as usize;
            bytes[place] = value;
        }
        let end = u64::from_le_bytes(bytes[at::INDEX_END..at::INDEX_END + 8].try_into().unwrap());
        if let Some(index) = usize::try_from(end).ok().and_then(|end| bytes.get(HEADER..end)) {
            let checksum = xxh3_64(index);
            bytes[at::INDEX_CHECKSUM..at::INDEX_CHECKSUM + 8]
                .copy_from_slice(&checksum.to_le_bytes());
        }
        if let Ok(image) = Image::open(&bytes) {
            read_all(&image);
        }
    }

    #[test]
    fn nor_do_any_others(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        for (byte, magic) in bytes.iter_mut().zip(crate::MAGIC) {
            *byte = magic;
        }
        if let Ok(image) = Image::open(&bytes) {
            read_all(&image);
        }
    }
}
