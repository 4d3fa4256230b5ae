//! Taking the folders in which a library's own libraries are searched for out of it.

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
