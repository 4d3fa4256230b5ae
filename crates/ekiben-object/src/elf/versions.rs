//! The versions of libraries that a binary asks for (`.gnu.version_r`, LSB core, symbol versioning).

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader as _};
use object::{Endianness, FileKind};

use crate::Error;
use crate::binary::text;

/// The versions that an executable or shared library asks of others: library and version, such as
/// `libc.so.6` and `GLIBC_2.34`, sorted. None for one that asks for no library.
///
/// # Errors
/// When it is no ELF file, or damaged.
pub fn needed_versions(bytes: &[u8]) -> Result<Vec<(String, String)>, Error> {
    match FileKind::parse(bytes).map_err(|_| Error::UnknownFormat)? {
        FileKind::Elf32 => read::<FileHeader32<Endianness>>(bytes),
        FileKind::Elf64 => read::<FileHeader64<Endianness>>(bytes),
        _ => Err(Error::UnknownFormat),
    }
}

fn read<Elf: FileHeader>(bytes: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let mut found = Vec::new();
    for section in sections.iter() {
        let Some((mut libraries, link)) = section.gnu_verneed(endian, bytes)? else { continue };
        let strings = sections.strings(endian, bytes, link)?;
        while let Some((library, mut versions)) = libraries.next()? {
            let library = text(library.file(endian, strings)?);
            while let Some(version) = versions.next()? {
                found.push((library.clone(), text(version.name(endian, strings)?)));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
