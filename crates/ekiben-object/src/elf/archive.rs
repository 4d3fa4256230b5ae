//! What a static library offers to whoever is linked with it.

use std::collections::BTreeSet;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, Sym as _};
use object::{Endianness, FileKind};

use crate::Error;
use crate::binary::text;

/// The functions and variables that objects in an archive define for all, sorted. Variables of threads
/// aren't among them, for they have no address of their own.
///
/// # Errors
/// If it isn't an archive, or an object in it is damaged or isn't ELF.
pub fn archive_symbols(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let archive = ArchiveFile::parse(bytes)?;
    let mut names = BTreeSet::new();
    for member in archive.members() {
        let object = member?.data(bytes)?;
        match FileKind::parse(object).map_err(|_| Error::UnknownFormat)? {
            FileKind::Elf32 => defined::<FileHeader32<Endianness>>(object, &mut names)?,
            FileKind::Elf64 => defined::<FileHeader64<Endianness>>(object, &mut names)?,
            _ => return Err(Error::UnknownFormat),
        }
    }
    Ok(names.into_iter().collect())
}

fn defined<Elf: FileHeader>(object: &[u8], names: &mut BTreeSet<String>) -> Result<(), Error> {
    let header = Elf::parse(object)?;
    let endian = header.endian()?;
    let symbols = header.sections(endian, object)?.symbols(endian, object, elf::SHT_SYMTAB)?;
    for symbol in symbols.iter() {
        let is_offered = symbol.st_bind() != elf::STB_LOCAL
            && !symbol.is_undefined(endian)
            && [elf::STV_DEFAULT, elf::STV_PROTECTED].contains(&symbol.st_visibility())
            && [elf::STT_FUNC, elf::STT_OBJECT, elf::STT_GNU_IFUNC].contains(&symbol.st_type());
        if is_offered {
            names.insert(text(symbol.name(endian, symbols.strings())?));
        }
    }
    Ok(())
}
