//! Mach-O: symbols from the symbol table, libraries and search paths from load commands
//! (`<mach-o/loader.h>`, `<mach-o/nlist.h>`).

use object::Object as _;
use object::macho::{self, MH_TWOLEVEL, N_EXT, N_PEXT, N_STAB, N_TYPE, N_UNDF, N_WEAK_REF};
use object::read::macho::{LoadCommandVariant, MachHeader, MachOFile, Nlist as _};

use crate::binary::text;
use crate::{Binary, Error, Format, Import};

pub(crate) fn read<Mach: MachHeader>(bytes: &[u8]) -> Result<Binary, Error> {
    let header = Mach::parse(bytes, 0)?;
    let endian = header.endian()?;
    if header.filetype(endian) == macho::MH_OBJECT {
        return Err(Error::NotLinked);
    }
    let file = MachOFile::<Mach, &[u8]>::parse(bytes)?;
    let mut binary = Binary::new(Format::MachO, file.architecture());
    let mut table = None;
    let mut commands = header.load_commands(endian, bytes, 0)?;
    while let Some(command) = commands.next()? {
        match command.variant()? {
            LoadCommandVariant::IdDylib(dylib) => {
                binary.name = Some(text(command.string(endian, dylib.dylib.name)?));
            }
            LoadCommandVariant::Dylib(dylib) => {
                binary.needed.push(text(command.string(endian, dylib.dylib.name)?));
            }
            LoadCommandVariant::Rpath(rpath) => {
                binary.rpath.push(text(command.string(endian, rpath.path)?));
            }
            LoadCommandVariant::Symtab(symtab) => {
                table = Some(symtab.symbols::<Mach, _>(endian, bytes)?);
            }
            _ => {}
        }
    }
    let table = table.ok_or(Error::Stripped("symbol table"))?;
    let two_level = header.flags(endian) & MH_TWOLEVEL != 0;
    for symbol in table.iter() {
        let kind = symbol.n_type();
        if kind & N_STAB != 0 || kind & N_EXT == 0 {
            continue;
        }
        let name = text(symbol.name(endian, table.strings())?);
        let name = name.strip_prefix('_').unwrap_or(&name).to_owned();
        if kind & N_TYPE == N_UNDF {
            let description = symbol.n_desc(endian);
            let library = if two_level { library(&binary.needed, description)? } else { None };
            let weak = description & N_WEAK_REF != 0;
            binary.imports.push(Import { name, library, weak });
        } else if kind & N_PEXT == 0 {
            binary.exports.push(name);
        }
    }
    Ok(binary)
}

/// The library that a symbol is bound to. The numbers that stand for the file itself, for the
/// program, and for "wherever it is" aren't libraries.
fn library(needed: &[String], description: u16) -> Result<Option<String>, Error> {
    let ordinal = (description >> 8) as u8;
    match ordinal {
        macho::SELF_LIBRARY_ORDINAL | macho::DYNAMIC_LOOKUP_ORDINAL | macho::EXECUTABLE_ORDINAL => {
            Ok(None)
        }
        _ => match needed.get(usize::from(ordinal) - 1) {
            Some(library) => Ok(Some(library.clone())),
            None => {
                Err(Error::Damaged(format!("a symbol is of library {ordinal}, which isn't there")))
            }
        },
    }
}
