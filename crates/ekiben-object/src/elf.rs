//! ELF: symbols from `.dynsym`, libraries and search paths from `.dynamic` (System V ABI, chapter 5).

mod archive;
mod loaded;
mod relocatable;
mod segment;
mod versions;

pub use archive::{Linkage, archive_symbols, linkage, members};
pub use loaded::{only_loaded, remove_search_paths};
pub use relocatable::{
    close_stack, code, constants, defined, has_executable_stack, isolate, repeated,
};
pub use segment::{fill_segment, section_begins, segment_content};
pub use versions::needed_versions;

use object::elf::{self, STB_WEAK, STV_HIDDEN, STV_INTERNAL};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, Sym as _};

use crate::binary::text;
use crate::{Binary, Error, Format, Import};

pub(crate) fn read<Elf: FileHeader>(bytes: &[u8]) -> Result<Binary, Error> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    if header.e_type(endian) == elf::ET_REL {
        return Err(Error::NotLinked);
    }
    let sections = header.sections(endian, bytes)?;
    let mut binary = Binary::new(Format::Elf, architecture(header.e_machine(endian)));
    let segments = header.program_headers(endian, bytes)?;
    let is_dynamic = segments.iter().any(|segment| segment.p_type(endian) == elf::PT_DYNAMIC);

    if let Some((entries, link)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, link)?;
        for entry in entries {
            let string = || entry.string(endian, strings).map(text);
            let paths =
                || string().map(|paths| paths.split(':').map(str::to_owned).collect::<Vec<_>>());
            match entry.tag(endian) {
                elf::DT_NULL => break,
                elf::DT_SONAME => binary.name = Some(string()?),
                elf::DT_NEEDED => binary.needed.push(string()?),
                elf::DT_RPATH => binary.rpath.extend(paths()?),
                elf::DT_RUNPATH => binary.runpath.extend(paths()?),
                _ => {}
            }
        }
    } else if is_dynamic {
        return Err(Error::Stripped("section headers"));
    }

    let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
    if is_dynamic && symbols.is_empty() {
        return Err(Error::Stripped("dynamic symbol table"));
    }
    let versions = sections.versions(endian, bytes)?;
    for (index, symbol) in symbols.enumerate() {
        let name = symbol.name(endian, symbols.strings())?;
        if name.is_empty() || symbol.is_local() {
            continue;
        }
        if symbol.is_undefined(endian) {
            let version = versions.as_ref().map(|table| {
                table
                    .version(table.version_index(endian, index))
                    .map(|version| version.and_then(object::read::elf::Version::file).map(text))
            });
            let library = version.transpose()?.flatten();
            let weak = symbol.st_bind() == STB_WEAK;
            binary.imports.push(Import { name: text(name), library, weak });
        } else if ![STV_HIDDEN, STV_INTERNAL].contains(&symbol.st_visibility()) {
            binary.exports.push(text(name));
        }
    }
    Ok(binary)
}

fn architecture(machine: u16) -> object::Architecture {
    use object::Architecture as A;

    match machine {
        elf::EM_386 => A::I386,
        elf::EM_X86_64 => A::X86_64,
        elf::EM_ARM => A::Arm,
        elf::EM_AARCH64 => A::Aarch64,
        elf::EM_PPC64 => A::PowerPc64,
        elf::EM_S390 => A::S390x,
        elf::EM_RISCV => A::Riscv64,
        elf::EM_LOONGARCH => A::LoongArch64,
        _ => A::Unknown,
    }
}
