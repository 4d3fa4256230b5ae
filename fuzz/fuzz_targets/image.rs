//! Module images: whatever can be read of one is read.
//!
//! The mutator begins with an image that has some of everything, and puts the right checksums into what
//! it makes of it, so that what is behind them is tried.
#![no_main]

use ekiben_image::{Builder, Content, Effort, FileKind, Image, MAGIC, ModuleKind, NewModule};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use xxhash_rust::xxh3::xxh3_64;

/// Where the header has what is set right: see `docs/module-image.md`.
const HEADER: usize = 96;
const LENGTH: usize = 16;
const CHECKSUM: usize = 24;
const INDEX_CHECKSUM: usize = 32;
const INDEX_END: usize = 40;

fuzz_target!(|bytes: &[u8]| {
    let Ok(image) = Image::open(bytes) else { return };
    let _ = image.verify();
    for module in image.modules() {
        let _ = (image.module(module.stem), image.modules_in(module.stem).count());
        let _ = (module.code.read(), image.source(&module).map(|source| source.read()));
    }
    for file in image.files() {
        let _ = (image.file(file.path), image.list(file.path).count(), file.content.read());
        let _ = image.is_folder(file.path);
    }
    let _ = (image.list("").count(), image.modules_in("lib").count());
    for (key, _) in image.settings() {
        let _ = image.setting(key);
    }
    // What can be read can be a part of another.
    let _ = Builder::new().add_missing(&image);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let mut size = size;
    if !data[..size].starts_with(&MAGIC) {
        let sample = sample();
        if sample.len() <= max_size {
            data[..sample.len()].copy_from_slice(&sample);
            size = sample.len();
        }
    }
    let size = fuzzer_mutate(data, size, max_size);
    set_right(&mut data[..size]);
    size
});

/// Puts length and checksums into a header.
fn set_right(image: &mut [u8]) {
    if image.len() < HEADER {
        return;
    }
    put(image, LENGTH, image.len() as u64);
    put(image, CHECKSUM, xxh3_64(&image[HEADER..]));
    let end = image[INDEX_END..].first_chunk().copied().map(u64::from_le_bytes);
    let end = end.and_then(|end| usize::try_from(end).ok());
    if let Some(checksum) = end.and_then(|end| image.get(HEADER..end)).map(xxh3_64) {
        put(image, INDEX_CHECKSUM, checksum);
    }
}

fn put(image: &mut [u8], at: usize, value: u64) {
    image[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// An image with some of everything.
fn sample() -> Vec<u8> {
    let code = |path: &str, is_package, code| NewModule {
        kind: ModuleKind::Code,
        is_package,
        path: path.to_owned(),
        code,
    };
    let long = || b"x = 1\n".repeat(20);
    let compressed = || Content::compressed(long(), Effort::Quick);
    let plain = |text: &str| Content::plain(text.as_bytes().to_vec());
    let mut builder = Builder::new();
    let modules = [
        ("json", code("lib/json/__init__.py", true, plain("json"))),
        ("json.decoder", code("lib/json/decoder.py", false, compressed())),
        ("json.x", code("lib/json/x.abi3.so", false, plain("x"))),
    ];
    let files = [
        ("lib/json/__init__.py", FileKind::Source, compressed()),
        ("lib/data/b.txt", FileKind::Resource, plain("b")),
        ("lib/data/a/x", FileKind::Licence, plain("x")),
    ];
    let added = modules.into_iter().try_for_each(|(name, module)| builder.module(name, module));
    added.expect("modules of a sample");
    let added = files.into_iter().try_for_each(|(path, kind, it)| builder.file(path, kind, it));
    added.expect("files of a sample");
    builder.set("main", "json").expect("a setting of a sample");
    builder.build().expect("a sample")
}
