//! A section whose content can be changed after linking, because it has a segment of its own.
//!
//! A program's linker puts a placeholder into the section and the section at an address with nothing
//! behind it. Filling it moves the content to the end of the file: the segment's header and the
//! section's then say where it lies and how long it is. Nothing else moves, so that no address in the
//! program changes, and `strip` keeps the content as it keeps any section.

use std::io::{Read, Seek};

use object::LittleEndian;
use object::elf::{self, FileHeader64, ProgramHeader64, SectionHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _, SectionHeader as _};
use object::read::{ReadCache, ReadRef as _};

use crate::Error;

const LE: LittleEndian = LittleEndian;

/// The smallest page of all that Linux has.
const PAGE: u64 = 4096;
/// More than any of them; old linkers align to 2 MiB.
const LARGEST_PAGE: u64 = 1 << 24;

/// Where numbers of a program header are.
mod segment_at {
    pub(super) const OFFSET: usize = 8;
    pub(super) const FILE_SIZE: usize = 32;
    pub(super) const MEMORY_SIZE: usize = 40;
}

/// Where numbers of a section header are.
mod section_at {
    pub(super) const OFFSET: usize = 24;
    pub(super) const SIZE: usize = 32;
}

/// Where the file header has the place of the section headers.
const SECTION_HEADERS: usize = 40;

/// The program with `content` in its section `section`, in place of what was there. The content
/// begins at a page, in the file and in memory. Filling a section twice gives the same bytes as
/// filling it once.
///
/// # Errors
/// If the file isn't a linked 64-bit little-endian ELF file, the section shares its segment, or there
/// isn't enough room behind it in memory.
pub fn fill_segment(program: &[u8], section: &str, content: &[u8]) -> Result<Vec<u8>, Error> {
    let place = Place::find(program, section)?;
    let refuse = |why: &str| Error::Unfillable(section.to_owned(), why.to_owned());
    let size = content.len() as u64;
    if size == 0 {
        return Err(refuse("there is nothing to put into it"));
    }
    let end = place.address.checked_add(size).ok_or_else(|| refuse("it is too large"))?;
    if let Some(next) = place.next.filter(|next| end > *next) {
        return Err(refuse(&format!(
            "{size} bytes at {:#x} would reach into the segment at {next:#x}",
            place.address
        )));
    }
    let alignment = place.alignment.max(PAGE);
    if !alignment.is_power_of_two() || alignment > LARGEST_PAGE {
        return Err(refuse("its segment isn't aligned to pages"));
    }
    if !place.address.is_multiple_of(alignment) {
        return Err(refuse("its address isn't that of a page"));
    }
    let room = content.len().saturating_add(alignment as usize);
    let (mut bytes, headers) = place.without_content(program, room);
    let offset = (bytes.len() as u64).next_multiple_of(alignment);
    bytes.resize(offset as usize, 0);
    bytes.extend_from_slice(content);
    headers.put(&mut bytes, offset, size);
    Ok(bytes)
}

/// The content of such a section.
///
/// # Errors
/// If the file isn't a 64-bit little-endian ELF file that has it, with a segment of its own.
pub fn segment_content<'a>(program: &'a [u8], section: &str) -> Result<&'a [u8], Error> {
    let place = Place::find(program, section)?;
    Ok(&program[place.start..place.end])
}

/// Whether a section of a file begins with `start`. Nothing but that is read of it, and headers.
///
/// # Errors
/// If the file can't be read, or isn't a 64-bit little-endian ELF file that has the section.
pub fn section_begins(file: impl Read + Seek, section: &str, start: &[u8]) -> Result<bool, Error> {
    let file = &ReadCache::new(file);
    let header = FileHeader64::<LittleEndian>::parse(file)?;
    let sections = header.sections(LE, file)?;
    let found = sections.section_by_name(LE, section.as_bytes());
    let (_, found) = found.ok_or_else(|| Error::NoSection(section.to_owned()))?;
    let content = file.read_bytes_at(found.sh_offset(LE), start.len() as u64);
    Ok(found.sh_type(LE) != elf::SHT_NOBITS && content.is_ok_and(|content| content == start))
}

/// Where a section and its segment are. All places were checked to be in the file.
struct Place {
    address: u64,
    alignment: u64,
    /// The content, in the file.
    start: usize,
    end: usize,
    /// Where the address space is taken again.
    next: Option<u64>,
    headers: Headers,
    /// Where the places of what follows the content in the file are written; nothing if it can't be
    /// moved.
    behind: Option<Vec<usize>>,
}

impl Place {
    fn find(program: &[u8], name: &str) -> Result<Self, Error> {
        let header = parse(program)?;
        let sections = header.sections(LE, program)?;
        if sections.is_empty() {
            return Err(Error::Stripped("section headers"));
        }
        let segments = header.program_headers(LE, program)?;
        let refuse = |why: &str| Error::Unfillable(name.to_owned(), why.to_owned());
        let Some((index, section)) = sections.section_by_name(LE, name.as_bytes()) else {
            return Err(Error::NoSection(name.to_owned()));
        };
        if section.sh_type(LE) != elf::SHT_PROGBITS
            || section.sh_flags(LE) & u64::from(elf::SHF_ALLOC) == 0
        {
            return Err(refuse("it isn't loaded from the file"));
        }
        let (address, size) = (section.sh_addr(LE), section.sh_size(LE));
        let loads = || segments.iter().enumerate().filter(|(_, it)| it.p_type(LE) == elf::PT_LOAD);
        let covers = |it: &ProgramHeader64<LittleEndian>| {
            it.p_vaddr(LE)
                .checked_add(it.p_memsz(LE))
                .is_some_and(|end| it.p_vaddr(LE) <= address && address < end)
        };
        let Some((number, segment)) = loads().find(|(_, segment)| covers(segment)) else {
            return Err(refuse("no segment loads it"));
        };
        let is_alone = segment.p_vaddr(LE) == address
            && segment.p_offset(LE) == section.sh_offset(LE)
            && segment.p_filesz(LE) == size
            && segment.p_memsz(LE) == size;
        if !is_alone {
            return Err(refuse("it isn't alone in its segment"));
        }
        let part = |at: u64, length: u64| {
            let start = usize::try_from(at).ok()?;
            let end = start.checked_add(usize::try_from(length).ok()?)?;
            (end <= program.len()).then_some((start, end))
        };
        let (start, end) = part(section.sh_offset(LE), size)
            .ok_or_else(|| Error::Damaged("a section isn't inside the file".to_owned()))?;
        let next = loads().map(|(_, it)| it.p_vaddr(LE)).filter(|it| *it > address).min();
        let segment_header =
            header.e_phoff(LE) as usize + number * size_of::<ProgramHeader64<LittleEndian>>();
        let section_headers = header.e_shoff(LE) as usize;
        let at =
            |index: usize| section_headers + index * size_of::<SectionHeader64<LittleEndian>>();

        let is_behind = |offset: u64| offset >= end as u64;
        let mut behind = Some(Vec::new());
        if is_behind(header.e_shoff(LE)) {
            behind.get_or_insert_default().push(SECTION_HEADERS);
        }
        for (other, header) in sections.enumerate() {
            // Even an empty section has a place, of which nobody takes notice.
            if other == index
                || header.sh_type(LE) == elf::SHT_NOBITS
                || !is_behind(header.sh_offset(LE))
            {
                continue;
            }
            match &mut behind {
                Some(places) if header.sh_flags(LE) & u64::from(elf::SHF_ALLOC) == 0 => {
                    places.push(at(other.0) + section_at::OFFSET);
                }
                _ => behind = None,
            }
        }
        if segments.iter().any(|it| is_behind(it.p_offset(LE)) && it.p_filesz(LE) > 0) {
            behind = None;
        }
        Ok(Self {
            address,
            alignment: segment.p_align(LE),
            start,
            end,
            next,
            headers: Headers { segment: segment_header, section: at(index.0) },
            behind,
        })
    }

    /// The file without the old content, as far as whole pages of it can go, and where the headers
    /// are in it. It has room for more.
    fn without_content(&self, program: &[u8], room: usize) -> (Vec<u8>, Headers) {
        let mut bytes = Vec::with_capacity(program.len().saturating_add(room));
        let starts_at_page = (self.start as u64).is_multiple_of(PAGE);
        let Some(places) = self.behind.as_ref().filter(|_| starts_at_page) else {
            bytes.extend_from_slice(program);
            return (bytes, self.headers);
        };
        bytes.extend_from_slice(&program[..self.start]);
        if self.end == program.len() {
            return (bytes, self.headers);
        }
        // Whole units, so that what moves stays aligned.
        let unit = self.alignment.max(PAGE) as usize;
        let gone = (self.end - self.start) / unit * unit;
        bytes.extend_from_slice(&program[self.start + gone..]);
        let moved = |place: usize| if place >= self.end { place - gone } else { place };
        for place in places {
            let place = moved(*place);
            let offset = u64::from_le_bytes(word(&bytes, place));
            put(&mut bytes, place, offset - gone as u64);
        }
        let Headers { segment, section } = self.headers;
        (bytes, Headers { segment: moved(segment), section: moved(section) })
    }
}

/// Where the headers of a segment and its section are.
#[derive(Clone, Copy)]
struct Headers {
    segment: usize,
    section: usize,
}

impl Headers {
    fn put(&self, bytes: &mut [u8], offset: u64, size: u64) {
        put(bytes, self.segment + segment_at::OFFSET, offset);
        put(bytes, self.segment + segment_at::FILE_SIZE, size);
        put(bytes, self.segment + segment_at::MEMORY_SIZE, size);
        put(bytes, self.section + section_at::OFFSET, offset);
        put(bytes, self.section + section_at::SIZE, size);
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<&FileHeader64<LittleEndian>, Error> {
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(Error::UnknownFormat);
    }
    let not_ours = "only 64-bit little-endian ELF files can be changed";
    let header = FileHeader64::<LittleEndian>::parse(bytes)
        .map_err(|_| Error::Damaged(not_ours.to_owned()))?;
    if header.e_ident().data != elf::ELFDATA2LSB {
        return Err(Error::Damaged(not_ours.to_owned()));
    }
    if header.e_type(LE) == elf::ET_REL {
        return Err(Error::NotLinked);
    }
    Ok(header)
}

/// At a place that was checked to be in the file.
fn word(bytes: &[u8], at: usize) -> [u8; 8] {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    word
}

/// To a place that was checked to be in the file.
fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}
