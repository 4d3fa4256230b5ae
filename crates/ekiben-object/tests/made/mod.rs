//! Small Mach-O and PE files, for machines whose compilers make neither.

const SYMTAB: u32 = 0x2;
const ID_DYLIB: u32 = 0xd;
const LOAD_DYLIB: u32 = 0xc;
const RPATH: u32 = 0x8000_001c;

fn words(into: &mut Vec<u8>, words: &[u32]) {
    into.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

/// A load command that is numbers and a text, padded to eight bytes.
fn command(kind: u32, numbers: &[u32], text: &str) -> Vec<u8> {
    let start = 12 + 4 * numbers.len();
    let size = (start + text.len() + 1).next_multiple_of(8);
    let mut bytes = Vec::new();
    words(&mut bytes, &[kind, size as u32, start as u32]);
    words(&mut bytes, numbers);
    bytes.extend(text.as_bytes());
    bytes.resize(size, 0);
    bytes
}

/// A 64-bit bundle that exports `PyInit_spam`, hides `PyHidden`, and takes three symbols: from the
/// program, from wherever they are, and from a library.
pub(crate) fn macho(cpu: u32) -> Vec<u8> {
    // Name, type, section, description: the library's number is the description's upper half.
    let symbols: [(&str, u8, u8, u16); 6] = [
        ("_local", 0x0e, 1, 0),
        ("_PyHidden", 0x1f, 1, 0),
        ("_PyInit_spam", 0x0f, 1, 0),
        ("_PyList_New", 0x01, 0, 0xfe00),
        ("_PyFrame_New", 0x01, 0, 0xff40),
        ("_PyCode_New", 0x01, 0, 0x0200),
    ];
    let mut commands = vec![
        command(ID_DYLIB, &[0, 0, 0], "@rpath/spam.so"),
        command(LOAD_DYLIB, &[0, 0, 0], "/usr/lib/libSystem.B.dylib"),
        command(LOAD_DYLIB, &[0, 0, 0], "@rpath/libpython3.12.dylib"),
        command(RPATH, &[], "@loader_path/../lib"),
    ];
    let mut strings = vec![0];
    let mut table = Vec::new();
    for (name, kind, section, description) in symbols {
        words(&mut table, &[strings.len() as u32]);
        table.extend([kind, section]);
        table.extend(description.to_le_bytes());
        table.extend([0; 8]);
        strings.extend(name.as_bytes());
        strings.push(0);
    }
    let after = 32 + commands.concat().len() + 24;
    let mut symtab = Vec::new();
    let (count, size) = (symbols.len() as u32, strings.len() as u32);
    words(&mut symtab, &[SYMTAB, 24, after as u32, count, (after + table.len()) as u32, size]);
    commands.push(symtab);
    let mut bytes = Vec::new();
    // A dynamic library with two-level names.
    let (count, size) = (commands.len() as u32, commands.concat().len() as u32);
    words(&mut bytes, &[0xfeed_facf, cpu, 0, 6, count, size, 0x80, 0]);
    bytes.extend(commands.concat());
    bytes.extend(table);
    bytes.extend(strings);
    bytes
}

/// Slices in one file.
pub(crate) fn universal(slices: &[Vec<u8>]) -> Vec<u8> {
    let mut header: Vec<u8> = Vec::new();
    let mut big = |word: u32| header.extend(word.to_be_bytes());
    big(0xcafe_babe);
    big(slices.len() as u32);
    let mut at = (8 + 20 * slices.len()).next_multiple_of(16);
    for slice in slices {
        let cpu = slice.get(4..8).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        for word in [cpu, 0, at as u32, slice.len() as u32, 4] {
            big(word);
        }
        at = (at + slice.len()).next_multiple_of(16);
    }
    let mut bytes = header;
    for slice in slices {
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        bytes.extend(slice);
    }
    bytes
}

/// A section at a fixed address, in which pieces find their place.
struct Section {
    bytes: Vec<u8>,
}

impl Section {
    const ADDRESS: u32 = 0x1000;

    fn put(&mut self, piece: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let address = Self::ADDRESS + self.bytes.len() as u32;
        self.bytes.extend(piece);
        address
    }

    fn put_words(&mut self, list: &[u32]) -> u32 {
        let mut bytes = Vec::new();
        words(&mut bytes, list);
        self.put(&bytes)
    }

    fn put_text(&mut self, text: &str) -> u32 {
        self.put(&[text.as_bytes(), &[0]].concat())
    }

    /// The list of names that are taken from a library: one by name, one by number.
    fn put_thunks(&mut self, symbol: &str) -> u32 {
        let name = self.put(&[&[0, 0], symbol.as_bytes(), &[0]].concat());
        self.put_words(&[name, 0, 7, 0x8000_0000, 0, 0])
    }
}

/// A 64-bit DLL that exports `PyInit_spam`, and takes a symbol from each of two libraries, the second
/// only when it is used.
pub(crate) fn pe() -> Vec<u8> {
    let mut section = Section { bytes: Vec::new() };
    let (at_once, when_used) = (section.put_thunks("PyList_New"), section.put_thunks("PyCode_New"));
    let (python3, python312) = (section.put_text("python3.dll"), section.put_text("python312.dll"));
    let imports = section.put_words(&[at_once, 0, 0, python3, at_once, 0, 0, 0, 0, 0]);
    let mut delayed = vec![1, python312, 0, when_used, when_used, 0, 0, 0];
    delayed.extend([0; 8]);
    let delayed = section.put_words(&delayed);
    // All that belongs to the export table lies behind its directory, and within its size.
    let exports = section.put(&[0; 40]);
    let (own, init) = (section.put_text("spam.pyd"), section.put_text("PyInit_spam"));
    let (functions, names) = (section.put_words(&[0x1000]), section.put_words(&[init]));
    let ordinals = section.put(&[0, 0]);
    let mut directory = Vec::new();
    words(&mut directory, &[0, 0, 0, own, 1, 1, 1, functions, names, ordinals]);
    let at = (exports - Section::ADDRESS) as usize;
    section.bytes[at..at + 40].copy_from_slice(&directory);
    let exports_size = section.bytes.len() as u32 - (exports - Section::ADDRESS);

    let mut bytes = vec![0; 0x40];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x40;
    bytes.extend(b"PE\0\0");
    // One section, optional header of 112 bytes and 16 directories.
    words(&mut bytes, &[0x0001_8664, 0, 0, 0, 0x2022_00f0]);
    let mut optional = Vec::new();
    words(&mut optional, &[0x020b, 0x200, 0, 0, 0, 0x1000, 0x1000_0000, 0, 0x1000, 0x200]);
    words(&mut optional, &[6, 0, 6, 0, 0x3000, 0x200, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16]);
    let mut directories = [(0, 0); 16];
    directories[0] = (exports, exports_size);
    directories[1] = (imports, 40);
    directories[13] = (delayed, 64);
    for (address, size) in directories {
        words(&mut optional, &[address, size]);
    }
    assert_eq!(optional.len(), 0xf0);
    bytes.extend(optional);
    bytes.extend(b".rdata\0\0");
    let size = section.bytes.len() as u32;
    words(&mut bytes, &[size, Section::ADDRESS, size, 0x200, 0, 0, 0, 0x4000_0040]);
    bytes.resize(0x200, 0);
    bytes.extend(section.bytes);
    bytes
}
