//! Taking out of a library what nobody needs who loads it from memory: the folders in which its own
//! libraries are searched for, and all that isn't loaded.

use object::LittleEndian;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::segment::parse;
use crate::Error;

/// Bytes of an entry of `.dynamic`, of which the tag takes half.
const ENTRY: usize = 16;

/// Removes `DT_RPATH` and `DT_RUNPATH` from a linked 64-bit little-endian ELF file: the entries after
/// them move up. All else stays where it is.
///
/// # Errors
/// If it is another file, or damaged.
pub fn remove_search_paths(bytes: &mut [u8]) -> Result<(), Error> {
    let header: &FileHeader64<LittleEndian> = parse(bytes)?;
    let segments = header.program_headers(LittleEndian, &*bytes)?;
    let dynamic = segments.iter().find(|it| it.p_type(LittleEndian) == elf::PT_DYNAMIC);
    let Some(dynamic) = dynamic else { return Ok(()) };
    let (start, size) = (dynamic.p_offset(LittleEndian), dynamic.p_filesz(LittleEndian));
    let range = usize::try_from(start).ok().zip(usize::try_from(size).ok());
    let range = range.and_then(|(start, size)| Some(start..start.checked_add(size)?));
    let entries = range.and_then(|range| bytes.get_mut(range));
    let entries =
        entries.ok_or_else(|| Error::Damaged("its .dynamic isn't inside it".to_owned()))?;
    let (mut from, mut to) = (0, 0);
    while let Some(tag) = entries.get(from..from + ENTRY).and_then(|it| it.first_chunk::<8>()) {
        let tag = i64::from_le_bytes(*tag);
        if ![elf::DT_RPATH, elf::DT_RUNPATH].contains(&tag) {
            entries.copy_within(from..from + ENTRY, to);
            to += ENTRY;
        }
        from += ENTRY;
    }
    // DT_NULL.
    entries[to..from].fill(0);
    Ok(())
}

/// A linked 64-bit little-endian ELF file without what isn't loaded: symbols for debuggers, and the
/// headers of sections.
///
/// # Errors
/// If it is another file, or damaged.
pub fn only_loaded(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let header: &FileHeader64<LittleEndian> = parse(bytes)?;
    let segments = header.program_headers(LittleEndian, bytes)?;
    let end = |it: &object::elf::ProgramHeader64<LittleEndian>| {
        it.p_offset(LittleEndian).saturating_add(it.p_filesz(LittleEndian))
    };
    let headers = header.e_phoff(LittleEndian) as usize + std::mem::size_of_val(segments);
    let end = segments.iter().map(end).max().unwrap_or(0);
    let end = usize::try_from(end).unwrap_or(usize::MAX).max(headers);
    let mut loaded = bytes
        .get(..end)
        .ok_or_else(|| Error::Damaged("a segment isn't inside it".to_owned()))?
        .to_vec();
    // Where section headers are, and how many.
    for field in [40..48, 60..64] {
        if let Some(field) = loaded.get_mut(field) {
            field.fill(0);
        }
    }
    Ok(loaded)
}
