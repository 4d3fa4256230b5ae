//! What a static library offers to whoever is linked with it.

use std::collections::{BTreeMap, BTreeSet};

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

/// The objects in an archive, with their names, of which several may be the same.
///
/// # Errors
/// If it isn't an archive.
pub fn members(bytes: &[u8]) -> Result<Vec<(String, &[u8])>, Error> {
    let mut members = Vec::new();
    for member in ArchiveFile::parse(bytes)?.members() {
        let member = member?;
        members.push((text(member.name()), member.data(bytes)?));
    }
    Ok(members)
}

/// What an object gives to others that it is linked with, and what it takes from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linkage {
    /// What it defines, and whether that is for files outside too.
    pub given: BTreeMap<String, bool>,
    /// What it uses and doesn't define.
    pub taken: BTreeSet<String>,
}

/// Reads what an object gives and takes.
///
/// # Errors
/// If it is damaged or isn't ELF.
pub fn linkage(object: &[u8]) -> Result<Linkage, Error> {
    match FileKind::parse(object).map_err(|_| Error::UnknownFormat)? {
        FileKind::Elf32 => linkage_of::<FileHeader32<Endianness>>(object),
        FileKind::Elf64 => linkage_of::<FileHeader64<Endianness>>(object),
        _ => Err(Error::UnknownFormat),
    }
}

fn linkage_of<Elf: FileHeader>(object: &[u8]) -> Result<Linkage, Error> {
    let header = Elf::parse(object)?;
    let endian = header.endian()?;
    let symbols = header.sections(endian, object)?.symbols(endian, object, elf::SHT_SYMTAB)?;
    let mut linkage = Linkage::default();
    for symbol in symbols.iter().filter(|symbol| symbol.st_bind() != elf::STB_LOCAL) {
        let name = text(symbol.name(endian, symbols.strings())?);
        if symbol.is_undefined(endian) {
            linkage.taken.insert(name);
        } else {
            let is_shown = [elf::STV_DEFAULT, elf::STV_PROTECTED].contains(&symbol.st_visibility());
            linkage.given.insert(name, is_shown);
        }
    }
    Ok(linkage)
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
