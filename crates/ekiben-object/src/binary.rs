//! [`Binary`]: the facts of one executable or shared library.

use object::FileKind;
use object::macho::{FatArch32, FatArch64, MachHeader32, MachHeader64};
use object::pe::{ImageNtHeaders32, ImageNtHeaders64};
use object::read::macho::{FatArch, MachOFatFile32, MachOFatFile64};

use crate::{Error, elf, macho, pe};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Of Linux and most other Unix systems.
    Elf,
    /// Of macOS.
    MachO,
    /// Of Windows.
    Pe,
}

/// A symbol that a binary takes from elsewhere when it is loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// Its name as C has it: without the underscore that macOS puts before it.
    pub name: String,
    /// The library it must come from. ELF knows that only of symbols with versions, and macOS
    /// doesn't know it of those that are looked up everywhere.
    pub library: Option<String>,
    /// Whether the binary can be loaded without it.
    pub weak: bool,
}

/// What an executable or shared library says about itself. Names that aren't UTF-8 have replacement
/// characters in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Its format.
    pub format: Format,
    /// What it runs on, in the words of the `object` crate: `X86_64`, `Aarch64`.
    pub architecture: String,
    /// The name by which others ask for it: `DT_SONAME`, `LC_ID_DYLIB`, or the export table's.
    pub name: Option<String>,
    /// The libraries that are loaded with it, in order: `DT_NEEDED`, `LC_LOAD_DYLIB`, import tables.
    pub needed: Vec<String>,
    /// Where those are searched for: `DT_RPATH`, `LC_RPATH`.
    pub rpath: Vec<String>,
    /// Where those are searched for after `LD_LIBRARY_PATH`: `DT_RUNPATH`.
    pub runpath: Vec<String>,
    /// What it takes from others, sorted.
    pub imports: Vec<Import>,
    /// What it offers to others, sorted.
    pub exports: Vec<String>,
}

impl Binary {
    pub(crate) fn new(format: Format, architecture: object::Architecture) -> Self {
        Self {
            format,
            architecture: format!("{architecture:?}"),
            name: None,
            needed: Vec::new(),
            rpath: Vec::new(),
            runpath: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
        }
    }

    /// Puts symbols in order, each once.
    pub(crate) fn sorted(mut self) -> Self {
        self.imports.sort();
        self.imports.dedup();
        self.exports.sort();
        self.exports.dedup();
        self
    }
}

/// A name out of a file.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The facts of a file: of each architecture for a universal one, else of one.
///
/// # Errors
/// When it has another format, is damaged, or was stripped of what tells its symbols.
pub fn read(bytes: &[u8]) -> Result<Vec<Binary>, Error> {
    let one = |binary: Result<Binary, Error>| binary.map(|binary| vec![binary.sorted()]);
    match FileKind::parse(bytes).map_err(|_| Error::UnknownFormat)? {
        FileKind::Elf32 => one(elf::read::<object::elf::FileHeader32<object::Endianness>>(bytes)),
        FileKind::Elf64 => one(elf::read::<object::elf::FileHeader64<object::Endianness>>(bytes)),
        FileKind::MachO32 => one(macho::read::<MachHeader32<object::Endianness>>(bytes)),
        FileKind::MachO64 => one(macho::read::<MachHeader64<object::Endianness>>(bytes)),
        FileKind::MachOFat32 => slices::<FatArch32>(MachOFatFile32::parse(bytes)?.arches(), bytes),
        FileKind::MachOFat64 => slices::<FatArch64>(MachOFatFile64::parse(bytes)?.arches(), bytes),
        FileKind::Pe32 => one(pe::read::<ImageNtHeaders32>(bytes)),
        FileKind::Pe64 => one(pe::read::<ImageNtHeaders64>(bytes)),
        _ => Err(Error::UnknownFormat),
    }
}

/// More architectures than any universal file has: each may lie anywhere in the file, so that reading
/// them all would take as long as whoever made it likes.
const TOO_MANY_SLICES: usize = 64;

fn slices<Arch: FatArch>(arches: &[Arch], bytes: &[u8]) -> Result<Vec<Binary>, Error> {
    if arches.is_empty() || arches.len() >= TOO_MANY_SLICES {
        return Err(Error::Damaged(format!("it claims to be for {} architectures", arches.len())));
    }
    let slice = |arch: &Arch| {
        let data = arch.data(bytes)?;
        match FileKind::parse(data).map_err(|_| Error::UnknownFormat)? {
            FileKind::MachO32 => macho::read::<MachHeader32<object::Endianness>>(data),
            FileKind::MachO64 => macho::read::<MachHeader64<object::Endianness>>(data),
            _ => Err(Error::UnknownFormat),
        }
        .map(Binary::sorted)
    };
    arches.iter().map(slice).collect()
}
