//! Relocatable objects whose symbols are nobody's business: what `objcopy --keep-global-symbol` and
//! `--redefine-sym` do, and besides symbols of GNU's binding "unique", which `objcopy` leaves global.
//!
//! Symbols are put into another order, since local ones come first in a table (gABI, "Symbol Table"),
//! and everything that names a symbol by its number follows: relocations, groups, the table of section
//! numbers. Nothing else of the file moves. New names go to its end.
//!
//! Linkers offer the bounds of a section whose name is one in C, as `__start_NAME` and `__stop_NAME`, for
//! lists to which each file adds: they would join those of all objects, as they join their sections. So a
//! section of which an object asks for the bounds gets a name of its own too.

use std::collections::{BTreeMap, BTreeSet};

use object::elf::{self, FileHeader64, Sym64};
use object::read::elf::{
    FileHeader as _, ProgramHeader as _, SectionHeader as _, SectionTable, Sym as _, SymbolTable,
};
use object::{LittleEndian, SectionIndex};

use crate::Error;
use crate::binary::text;

const LE: LittleEndian = LittleEndian;

/// Where numbers of a section header are.
mod section_at {
    pub(super) const NAME: usize = 0;
    pub(super) const FLAGS: usize = 8;
    pub(super) const OFFSET: usize = 24;
    pub(super) const SIZE: usize = 32;
    pub(super) const INFO: usize = 44;
}

/// Where a relocation has the number of its symbol, and how long one is, by the sections' type.
const SYMBOL_AT: usize = 12;
const REL: usize = 16;
const RELA: usize = 24;

/// What the symbols of a section's bounds begin with.
const BOUNDS: [&str; 2] = ["__start_", "__stop_"];

/// The section whose relocations these are, or groups: what names symbols by their number.
const LLVM_ADDRSIG: u32 = 0x6fff_4c03;

/// The object in which only the symbols of `kept` are global, under the names that it gives them.
/// What is in `taken` the object takes from others by the names that it says there, and so it does with
/// what C++ has in every object that uses it, but once in a process (see [`repeated`]). All else that it
/// takes from others is as it was. Lists that are sections of their own get names after the first symbol
/// that is kept.
///
/// # Errors
/// If it isn't a 64-bit little-endian relocatable ELF file, one of the symbols isn't defined in it, or
/// one is a common block that has no place yet (`ld -d` gives it one).
pub fn isolate(
    object: &[u8],
    kept: &BTreeMap<&str, String>,
    taken: &BTreeMap<&str, String>,
) -> Result<Vec<u8>, Error> {
    let header = parse(object)?;
    let sections = header.sections(LE, object)?;
    let table = sections.symbols(LE, object, elf::SHT_SYMTAB)?;
    if table.is_empty() {
        return Err(Error::Stripped("symbol table"));
    }
    let mut bytes = object.to_vec();
    let mut names = sections.section(table.string_section())?.data(LE, object)?.to_vec();

    let bounded = bounded(&sections, &table)?;
    // What nobody else has, as a name of C.
    let unique = kept
        .values()
        .min()
        .map_or_else(String::new, |name| name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    let renamed = |section: &str| format!("{section}_{unique}");

    // Local ones in front, each as it was; then what is global.
    let mut symbols: Vec<(usize, Sym64<LittleEndian>)> = Vec::with_capacity(table.len());
    let mut global = Vec::new();
    let mut found = BTreeSet::new();
    for (index, symbol) in table.enumerate() {
        let mut symbol = *symbol;
        let name = symbol.name(LE, table.strings())?;
        if symbol.is_local() {
            symbols.push((index.0, symbol));
            continue;
        }
        let named = std::str::from_utf8(name).ok();
        let is_taken = is_undefined(&symbol) || is_repeated(&symbol, name);
        let kept = named.and_then(|name| kept.get_key_value(name));
        let taken = named.and_then(|name| taken.get(name)).filter(|_| is_taken);
        match (kept, taken) {
            (Some((name, new)), _) if !is_undefined(&symbol) => {
                found.insert(*name);
                symbol.st_name.set(LE, append(&mut names, new)?);
                symbol.set_st_info(elf::STB_GLOBAL, symbol.st_type());
                symbol.st_other = elf::STV_DEFAULT;
                global.push((index.0, symbol));
            }
            (_, Some(new)) => {
                symbol.st_name.set(LE, append(&mut names, new)?);
                if !is_undefined(&symbol) {
                    symbol.set_st_info(elf::STB_GLOBAL, symbol.st_type());
                    symbol.st_shndx.set(LE, elf::SHN_UNDEF);
                    symbol.st_value.set(LE, 0);
                    symbol.st_size.set(LE, 0);
                }
                global.push((index.0, symbol));
            }
            _ if is_undefined(&symbol) => {
                let bound = named.and_then(|name| {
                    BOUNDS.iter().find_map(|start| Some((start, name.strip_prefix(start)?)))
                });
                if let Some((start, section)) = bound.filter(|(_, it)| bounded.contains_key(*it)) {
                    let new = format!("{start}{}", renamed(section));
                    symbol.st_name.set(LE, append(&mut names, &new)?);
                }
                global.push((index.0, symbol));
            }
            _ if symbol.st_shndx(LE) == elf::SHN_COMMON => {
                return Err(Error::Common(String::from_utf8_lossy(name).into_owned()));
            }
            _ => {
                symbol.set_st_info(elf::STB_LOCAL, symbol.st_type());
                symbol.st_other = elf::STV_DEFAULT;
                symbols.push((index.0, symbol));
            }
        }
    }
    if let Some(missing) = kept.keys().find(|name| !found.contains(*name)) {
        return Err(Error::NoSymbol((*missing).to_owned()));
    }
    let locals = symbols.len();
    symbols.extend(global);

    let mut places = vec![0_u32; symbols.len()];
    for (new, (old, _)) in symbols.iter().enumerate() {
        // Their number is that of the table, which is counted in 32 bits wherever it is named.
        places[*old] = new as u32;
    }
    let moved = |old: u32| places.get(old as usize).copied().unwrap_or(old);

    let table_section = table.section();
    let (start, _) = place(&sections, table_section.0, object)?;
    for (new, (_, symbol)) in symbols.iter().enumerate() {
        let at = start + new * size_of::<Sym64<LittleEndian>>();
        bytes[at..at + size_of::<Sym64<LittleEndian>>()]
            .copy_from_slice(object::pod::bytes_of(symbol));
    }
    let headers = header.e_shoff(LE) as usize;
    let entry = usize::from(header.e_shentsize(LE));
    let header_at = |index: usize| headers + index * entry;
    put32(&mut bytes, header_at(table_section.0) + section_at::INFO, locals as u32);

    for (index, section) in sections.enumerate() {
        if section.sh_link(LE) as usize != table_section.0 {
            continue;
        }
        let (start, end) = match section.sh_type(LE) {
            elf::SHT_REL | elf::SHT_RELA | elf::SHT_SYMTAB_SHNDX => {
                place(&sections, index.0, object)?
            }
            elf::SHT_GROUP => {
                let at = header_at(index.0) + section_at::INFO;
                put32(&mut bytes, at, moved(section.sh_info(LE)));
                continue;
            }
            LLVM_ADDRSIG => {
                // Numbers of varying length; an empty list says nothing.
                bytes[header_at(index.0) + section_at::SIZE..][..8].fill(0);
                continue;
            }
            _ => continue,
        };
        if section.sh_type(LE) == elf::SHT_SYMTAB_SHNDX {
            let old = object[start..end].to_vec();
            for (new, (from, _)) in symbols.iter().enumerate() {
                if let (Some(word), true) =
                    (old.get(from * 4..from * 4 + 4), start + new * 4 + 4 <= end)
                {
                    bytes[start + new * 4..start + new * 4 + 4].copy_from_slice(word);
                }
            }
            continue;
        }
        let size = if section.sh_type(LE) == elf::SHT_RELA { RELA } else { REL };
        for at in (start..end).step_by(size).filter(|at| at + size <= end) {
            let symbol = read32(&bytes, at + SYMBOL_AT);
            put32(&mut bytes, at + SYMBOL_AT, moved(symbol));
        }
    }

    let strings = table.string_section().0;
    if !bounded.is_empty() {
        let of_sections = header.shstrndx(LE, object)? as usize;
        let mut other = match of_sections == strings {
            true => std::mem::take(&mut names),
            false => sections.section(SectionIndex(of_sections))?.data(LE, object)?.to_vec(),
        };
        for (name, places) in &bounded {
            let new = append(&mut other, &renamed(name))?;
            for place in places {
                put32(&mut bytes, header_at(*place) + section_at::NAME, new);
            }
        }
        match of_sections == strings {
            true => names = other,
            false => replace(&mut bytes, header_at(of_sections), &other),
        }
    }
    replace(&mut bytes, header_at(strings), &names);
    Ok(bytes)
}

/// Puts a section's new content at the end of the file.
fn replace(bytes: &mut Vec<u8>, header: usize, content: &[u8]) {
    let offset = bytes.len() as u64;
    bytes.extend_from_slice(content);
    put64(bytes, header + section_at::OFFSET, offset);
    put64(bytes, header + section_at::SIZE, content.len() as u64);
}

/// The sections of which an object asks for the bounds, by name.
fn bounded(
    sections: &SectionTable<'_, FileHeader64<LittleEndian>>,
    table: &SymbolTable<'_, FileHeader64<LittleEndian>>,
) -> Result<BTreeMap<String, Vec<usize>>, Error> {
    let mut asked = BTreeSet::new();
    for symbol in table.iter().filter(|symbol| is_undefined(symbol)) {
        let name = text(symbol.name(LE, table.strings())?);
        let section = BOUNDS.iter().find_map(|start| name.strip_prefix(start));
        asked.extend(section.map(str::to_owned));
    }
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, section) in sections.enumerate() {
        let name = text(sections.section_name(LE, section)?);
        if asked.contains(&name) {
            found.entry(name).or_default().push(index.0);
        }
    }
    Ok(found)
}

/// Whether a linked file's stack has to be executable.
///
/// # Errors
/// If it isn't a 64-bit little-endian ELF file.
pub fn has_executable_stack(bytes: &[u8]) -> Result<bool, Error> {
    let header = super::segment::parse(bytes)?;
    let mut segments = header.program_headers(LE, bytes)?.iter();
    let stack = segments.find(|segment| segment.p_type(LE) == elf::PT_GNU_STACK);
    Ok(stack.is_none_or(|stack| stack.p_flags(LE) & elf::PF_X != 0))
}

/// Has an object say that it needs no executable stack, if it says something of that. One of several
/// that says nothing makes GNU ld say, of what it links them to, that it may need one.
///
/// # Errors
/// If it isn't a 64-bit little-endian relocatable ELF file.
pub fn close_stack(object: &mut [u8]) -> Result<(), Error> {
    let header = parse(object)?;
    let (headers, entry) = (header.e_shoff(LE) as usize, usize::from(header.e_shentsize(LE)));
    let sections = header.sections(LE, &*object)?;
    let Some((index, section)) = sections.section_by_name(LE, b".note.GNU-stack") else {
        return Ok(());
    };
    let flags = section.sh_flags(LE) & !u64::from(elf::SHF_EXECINSTR);
    put64(object, headers + index.0 * entry + section_at::FLAGS, flags);
    Ok(())
}

/// The symbols that an object offers to whatever it is linked with into one file, and to others.
///
/// # Errors
/// If it isn't a 64-bit little-endian relocatable ELF file.
pub fn defined(object: &[u8]) -> Result<Vec<String>, Error> {
    let header = parse(object)?;
    let table = header.sections(LE, object)?.symbols(LE, object, elf::SHT_SYMTAB)?;
    let mut names = Vec::new();
    for symbol in table.iter() {
        let is_shown = [elf::STV_DEFAULT, elf::STV_PROTECTED].contains(&symbol.st_visibility());
        if is_shown && !symbol.is_local() && symbol.st_shndx(LE) != elf::SHN_UNDEF {
            names.push(text(symbol.name(LE, table.strings())?));
        }
    }
    Ok(names)
}

/// The names of data that C++ has in every object that uses them, but once in a process: variables of
/// templates and of inline functions, their guards, tables of virtual functions, types.
///
/// # Errors
/// If it isn't a 64-bit little-endian relocatable ELF file.
pub fn repeated(object: &[u8]) -> Result<Vec<String>, Error> {
    let header = parse(object)?;
    let table = header.sections(LE, object)?.symbols(LE, object, elf::SHT_SYMTAB)?;
    let mut names = Vec::new();
    for symbol in table.iter() {
        let name = symbol.name(LE, table.strings())?;
        if is_repeated(symbol, name) {
            names.push(text(name));
        }
    }
    Ok(names)
}

fn is_undefined(symbol: &Sym64<LittleEndian>) -> bool {
    symbol.st_shndx(LE) == elf::SHN_UNDEF
}

/// Whether each object that uses a symbol has it. That only holds of names of C++: in C a weak variable is
/// one that others may replace.
fn is_repeated(symbol: &Sym64<LittleEndian>, name: &[u8]) -> bool {
    !is_undefined(symbol)
        && name.starts_with(b"_Z")
        && symbol.st_visibility() == elf::STV_DEFAULT
        && [elf::STB_WEAK, elf::STB_GNU_UNIQUE].contains(&symbol.st_bind())
        && [elf::STT_OBJECT, elf::STT_TLS].contains(&symbol.st_type())
}

/// Where a name is in a table of names to which it is added.
fn append(names: &mut Vec<u8>, name: &str) -> Result<u32, Error> {
    let at = u32::try_from(names.len())
        .map_err(|_| Error::Damaged("its names take more than 4 GiB".to_owned()))?;
    names.extend_from_slice(name.as_bytes());
    names.push(0);
    Ok(at)
}

/// The machine code of a linked file: what is in its section `.text`, which stripping and changes of
/// search paths leave as it is. Nothing if it has none.
///
/// # Errors
/// If it isn't a 64-bit little-endian ELF file.
pub fn code(bytes: &[u8]) -> Result<&[u8], Error> {
    content(bytes, b".text")
}

/// The constants of a linked file: what is in its section `.rodata`, which stays as it is likewise.
///
/// # Errors
/// If it isn't a 64-bit little-endian ELF file.
pub fn constants(bytes: &[u8]) -> Result<&[u8], Error> {
    content(bytes, b".rodata")
}

fn content<'a>(bytes: &'a [u8], section: &[u8]) -> Result<&'a [u8], Error> {
    let header = super::segment::parse(bytes)?;
    let sections = header.sections(LE, bytes)?;
    match sections.section_by_name(LE, section) {
        Some((_, section)) => Ok(section.data(LE, bytes)?),
        None => Ok(&[]),
    }
}

fn parse(bytes: &[u8]) -> Result<&FileHeader64<LittleEndian>, Error> {
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(Error::UnknownFormat);
    }
    let not_ours =
        || Error::Damaged("only 64-bit little-endian ELF files can be changed".to_owned());
    let header = FileHeader64::<LittleEndian>::parse(bytes).map_err(|_| not_ours())?;
    if header.e_ident().data != elf::ELFDATA2LSB {
        return Err(not_ours());
    }
    if header.e_type(LE) != elf::ET_REL {
        return Err(Error::Linked);
    }
    if usize::from(header.e_shentsize(LE)) != size_of::<elf::SectionHeader64<LittleEndian>>() {
        return Err(Error::Damaged("its section headers have another length".to_owned()));
    }
    Ok(header)
}

/// Where a section's content begins and ends in the file.
fn place(
    sections: &SectionTable<'_, FileHeader64<LittleEndian>>,
    index: usize,
    object: &[u8],
) -> Result<(usize, usize), Error> {
    let section = sections.section(object::SectionIndex(index))?;
    // It is checked to be in the file.
    let data = section.data(LE, object)?;
    let start = section.sh_offset(LE) as usize;
    Ok((start, start + data.len()))
}

fn read32(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn put32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}
