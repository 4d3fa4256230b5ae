//! Executables and shared libraries: what is read of them, and what is made of them.
#![no_main]

use std::io::Cursor;

use ekiben_object::elf;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

/// A small library.
const SAMPLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/small.so"));
const SECTION: &str = ".ekiben_image";

fuzz_target!(|bytes: &[u8]| {
    let _ = ekiben_object::read(bytes);
    let _ = (elf::needed_versions(bytes), elf::archive_symbols(bytes));
    let _ = elf::only_loaded(bytes);
    let begins = elf::section_begins(Cursor::new(bytes), SECTION, b"\0");
    if let Ok(content) = elf::segment_content(bytes, SECTION) {
        assert_eq!(begins.ok(), Some(content.starts_with(b"\0")));
    }
    if let Ok(filled) = elf::fill_segment(bytes, SECTION, b"content") {
        assert_eq!(elf::segment_content(&filled, SECTION).ok(), Some(&b"content"[..]));
    }
    let mut changed = bytes.to_vec();
    let _ = elf::remove_search_paths(&mut changed);
    assert_eq!(changed.len(), bytes.len());
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut size = size;
    // Other formats are come to from nothing, now and then.
    let is_due = !data[..size].starts_with(b"\x7fELF") && seed % 4 != 0;
    if is_due && SAMPLE.len() <= max_size {
        data[..SAMPLE.len()].copy_from_slice(SAMPLE);
        size = SAMPLE.len();
    }
    fuzzer_mutate(data, size, max_size)
});
