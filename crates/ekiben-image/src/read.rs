//! [`Image`]: an image, read where it lies.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::hash;
use crate::layout::{
    COMPRESSED, FILE, FileKind, HEADER, MAGIC, MODULE, ModuleKind, PACKAGE, PATHLESS, SETTING,
    VERSION, at, compare, rest_below,
};
use crate::pack;

/// A module image.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    modules: Table<'a>,
    files: Table<'a>,
    settings: &'a [u8],
    strings: &'a str,
    seed: u32,
}

/// Records, sorted by name, and their hash.
#[derive(Debug, Clone, Copy)]
struct Table<'a> {
    records: &'a [u8],
    width: usize,
    displacements: &'a [u8],
    slots: &'a [u8],
}

/// A module of an image.
#[derive(Debug, Clone, Copy)]
pub struct Module<'a> {
    /// Its dotted name.
    pub name: &'a str,
    /// What it is looked up by: its path without suffix, of a package the folder; `:` and the name if
    /// it has no path.
    pub stem: &'a str,
    /// What it is made of.
    pub kind: ModuleKind,
    /// Whether it has submodules.
    pub is_package: bool,
    /// The path that its `__file__` ends with, such as `lib/python3.13/json/decoder.py`; of a
    /// namespace package the folder. Empty for a builtin that has none.
    pub path: &'a str,
    /// Marshalled code; empty unless the module is made of it.
    pub code: Blob<'a>,
}

/// A file of an image.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its path, with `/` between parts.
    pub path: &'a str,
    /// What it is for.
    pub kind: FileKind,
    /// What is in it.
    pub content: Blob<'a>,
}

/// Content as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Blob<'a> {
    stored: &'a [u8],
    length: usize,
    is_compressed: bool,
}

/// What a folder of an image holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name in the folder.
    pub name: &'a str,
    /// Whether it is a folder itself.
    pub is_folder: bool,
}

impl<'a> Image<'a> {
    /// Checks everything that is read without a look-up; what follows the image is ignored.
    ///
    /// # Errors
    /// If the bytes aren't an image of this format, or what it says of itself isn't right. Contents
    /// aren't looked at: that is what [`verify`](Self::verify) is for.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.starts_with(&MAGIC) {
            return Err(Error::NotAnImage);
        }
        let cut_off = |expected: u64| Error::CutOff { expected, found: bytes.len() as u64 };
        let header = bytes.get(..HEADER).ok_or_else(|| cut_off(HEADER as u64))?;
        let version = u32_at(header, at::VERSION);
        if version != VERSION {
            return Err(Error::Version { found: version, known: VERSION });
        }
        let length = u64_at(header, at::LENGTH);
        let size = usize::try_from(length).map_err(|_| cut_off(length))?;
        let bytes = bytes.get(..size).ok_or_else(|| cut_off(length))?;
        let index_end = usize::try_from(u64_at(header, at::INDEX_END)).ok();
        let index = index_end.and_then(|end| bytes.get(..end)).filter(|it| it.len() >= HEADER);
        let index = index.ok_or(Error::Damaged("its index doesn't end inside it"))?;
        if xxh3_64(&index[HEADER..]) != u64_at(header, at::INDEX_CHECKSUM) {
            return Err(Error::Checksum("index"));
        }
        let word = |at| u32_at(header, at);
        let table = |count: usize, buckets: usize, records, hash, width| {
            Table::new(index, word(count), word(buckets), word(records), word(hash), width)
        };
        let strings = index.get(word(at::STRINGS) as usize..);
        let strings = strings.and_then(|strings| std::str::from_utf8(strings).ok());
        let settings = part(index, word(at::SETTING_RECORDS), word(at::SETTINGS), SETTING);
        let image = Self {
            bytes,
            modules: table(
                at::MODULES,
                at::MODULE_BUCKETS,
                at::MODULE_RECORDS,
                at::MODULE_HASH,
                MODULE,
            )?,
            files: table(at::FILES, at::FILE_BUCKETS, at::FILE_RECORDS, at::FILE_HASH, FILE)?,
            settings: settings.ok_or(Error::Damaged("its settings aren't in its index"))?,
            strings: strings.ok_or(Error::Damaged("its names aren't text"))?,
            seed: word(at::SEED),
        };
        image.check()?;
        Ok(image)
    }

    /// Whether all records can be read.
    fn check(&self) -> Result<(), Error> {
        for number in 0..self.modules.len() {
            self.module_at(number).ok_or(Error::Damaged("a module's record"))?;
        }
        for number in 0..self.files.len() {
            self.file_at(number).ok_or(Error::Damaged("a file's record"))?;
        }
        for number in 0..self.settings.len() / SETTING {
            self.setting_at(number).ok_or(Error::Damaged("a setting's record"))?;
        }
        Ok(())
    }

    /// Compares the checksum of the whole image, and unpacks all that is compressed.
    ///
    /// # Errors
    /// If something was changed since the image was written.
    pub fn verify(&self) -> Result<(), Error> {
        if xxh3_64(&self.bytes[HEADER..]) != u64_at(self.bytes, at::CHECKSUM) {
            return Err(Error::Checksum("content"));
        }
        let codes = self.modules().map(|module| module.code);
        for blob in codes.chain(self.files().map(|file| file.content)) {
            blob.read()?;
        }
        Ok(())
    }

    /// The number of bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The module with a stem.
    #[must_use]
    pub fn module(&self, stem: &str) -> Option<Module<'a>> {
        let module = self.module_at(self.modules.find(self.seed, stem)?)?;
        (module.stem == stem).then_some(module)
    }

    /// The source of a module, if it was kept.
    #[must_use]
    pub fn source(&self, module: &Module<'a>) -> Option<Blob<'a>> {
        let file = self.file(module.path).filter(|file| file.kind == FileKind::Source)?;
        Some(file.content)
    }

    /// All modules by stem, each right before what is below it.
    pub fn modules(&self) -> impl Iterator<Item = Module<'a>> + use<'a> {
        let image = *self;
        (0..image.modules.len()).filter_map(move |number| image.module_at(number))
    }

    /// The modules directly in a folder.
    pub fn modules_in(&self, folder: &str) -> impl Iterator<Item = Module<'a>> + use<'a> {
        let image = *self;
        let first = image.modules.first_after(folder, |n| Some(image.module_at(n)?.stem));
        let folder = folder.to_owned();
        (first..image.modules.len())
            .map_while(move |number| {
                let module = image.module_at(number)?;
                let rest = rest_below(b'/', module.stem, &folder)?;
                Some((module, !rest.contains('/')))
            })
            .filter_map(|(module, is_direct)| is_direct.then_some(module))
    }

    /// The file of a path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<File<'a>> {
        let file = self.file_at(self.files.find(self.seed, path)?)?;
        (file.path == path).then_some(file)
    }

    /// All files, by path.
    pub fn files(&self) -> impl Iterator<Item = File<'a>> + use<'a> {
        let image = *self;
        (0..image.files.len()).filter_map(move |number| image.file_at(number))
    }

    /// What a folder holds, by name: files, and folders of files. The empty path is the folder of
    /// all. Nothing is in a folder that isn't there.
    pub fn list(&self, folder: &str) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let image = *self;
        let first = image.files.first_after(folder, |n| Some(image.file_at(n)?.path));
        let folder = folder.to_owned();
        let mut last = "";
        (first..image.files.len())
            .map_while(move |number| rest_below(b'/', image.file_at(number)?.path, &folder))
            .filter_map(move |rest| {
                let (name, is_folder) = match rest.split_once('/') {
                    Some((name, _)) => (name, true),
                    None => (rest, false),
                };
                let is_new = std::mem::replace(&mut last, name) != name;
                is_new.then_some(Entry { name, is_folder })
            })
    }

    /// Whether modules or files are below a path.
    #[must_use]
    pub fn is_folder(&self, path: &str) -> bool {
        let file = self.files.first_after(path, |n| Some(self.file_at(n)?.path));
        let module = self.modules.first_after(path, |n| Some(self.module_at(n)?.stem));
        let is_below = |it: Option<&str>| it.is_some_and(|it| rest_below(b'/', it, path).is_some());
        is_below(self.file_at(file).map(|it| it.path))
            || is_below(
                self.module_at(module).map(|it| it.stem).filter(|it| !it.starts_with(PATHLESS)),
            )
    }

    /// The value of a setting.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&'a str> {
        self.settings().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// All settings, by key.
    pub fn settings(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let image = *self;
        (0..image.settings.len() / SETTING).filter_map(move |number| image.setting_at(number))
    }

    fn module_at(&self, number: usize) -> Option<Module<'a>> {
        let record = self.modules.record(number)?;
        let kind = *ModuleKind::ALL.get(usize::from(record[16]))?;
        let path = self.text(record, 8)?;
        Some(Module {
            name: self.text(record, 0)?,
            stem: path.get(..u32_at(record, 20) as usize)?,
            kind,
            is_package: record[17] & PACKAGE != 0,
            path: if path.starts_with(PATHLESS) { "" } else { path },
            code: self.blob(record, 24, record[17])?,
        })
    }

    fn file_at(&self, number: usize) -> Option<File<'a>> {
        let record = self.files.record(number)?;
        Some(File {
            path: self.text(record, 0)?,
            kind: *FileKind::ALL.get(usize::from(record[8]))?,
            content: self.blob(record, 16, record[9])?,
        })
    }

    fn setting_at(&self, number: usize) -> Option<(&'a str, &'a str)> {
        let record = self.settings.get(number * SETTING..(number + 1) * SETTING)?;
        Some((self.text(record, 0)?, self.text(record, 8)?))
    }

    fn text(&self, record: &[u8], at: usize) -> Option<&'a str> {
        let start = u32_at(record, at) as usize;
        let end = start.checked_add(u32_at(record, at + 4) as usize)?;
        // C programs read names to the zero after them.
        (self.strings.as_bytes().get(end) == Some(&0)).then(|| self.strings.get(start..end))?
    }

    fn blob(&self, record: &[u8], at: usize, flags: u8) -> Option<Blob<'a>> {
        let number = |at| usize::try_from(u64_at(record, at)).ok();
        let start = number(at)?;
        let stored = self.bytes.get(start..start.checked_add(number(at + 8)?)?)?;
        let length = number(at + 16)?;
        let is_compressed = flags & COMPRESSED != 0;
        (is_compressed || length == stored.len()).then_some(Blob { stored, length, is_compressed })
    }
}

impl<'a> Table<'a> {
    fn new(
        index: &'a [u8],
        count: u32,
        buckets: u32,
        records: u32,
        hash: u32,
        width: usize,
    ) -> Result<Self, Error> {
        let damaged = Error::Damaged("a table isn't in its index");
        let Some(records) = part(index, records, count, width) else { return Err(damaged) };
        let Some(displacements) = part(index, hash, buckets, 4) else { return Err(damaged) };
        let after = hash as usize + displacements.len();
        let Some(slots) = u32::try_from(after).ok().and_then(|at| part(index, at, count, 4)) else {
            return Err(damaged);
        };
        if displacements.is_empty() {
            return Err(Error::Damaged("a hash has no buckets"));
        }
        Ok(Self { records, width, displacements, slots })
    }

    fn len(&self) -> usize {
        self.records.len() / self.width
    }

    fn record(&self, number: usize) -> Option<&'a [u8]> {
        self.records.get(number * self.width..(number + 1) * self.width)
    }

    /// The number that a name has if it is one of them.
    fn find(&self, seed: u32, name: &str) -> Option<usize> {
        let count = u32::try_from(self.len()).ok().filter(|count| *count > 0)?;
        let hash = hash::hash(seed, name);
        let bucket = hash::bucket(hash, (self.displacements.len() / 4) as u32);
        let displacement = u32_at(self.displacements, bucket as usize * 4);
        let slot = hash::slot(hash, displacement, count);
        Some(u32_at(self.slots, slot as usize * 4) as usize)
    }

    /// The number of the first record that comes after `name`.
    fn first_after(&self, name: &str, name_of: impl Fn(usize) -> Option<&'a str>) -> usize {
        if name.is_empty() {
            return 0;
        }
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let is_after = name_of(middle).is_none_or(|it| compare(b'/', it, name).is_gt());
            if is_after { high = middle } else { low = middle + 1 }
        }
        low
    }
}

impl<'a> Blob<'a> {
    /// The number of bytes of the content.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The number of bytes that it takes in the image.
    #[must_use]
    pub fn stored_len(&self) -> usize {
        self.stored.len()
    }

    pub(crate) fn stored(&self) -> &'a [u8] {
        self.stored
    }

    /// The content where it lies, unless it is compressed.
    #[must_use]
    pub fn plain(&self) -> Option<&'a [u8]> {
        (!self.is_compressed).then_some(self.stored)
    }

    /// The content.
    ///
    /// # Errors
    /// If it is compressed and damaged.
    pub fn read(&self) -> Result<Cow<'a, [u8]>, Error> {
        if let Some(plain) = self.plain() {
            return Ok(Cow::Borrowed(plain));
        }
        let unpacked = pack::unpack(self.stored, self.length);
        unpacked.map(Cow::Owned).ok_or(Error::Damaged("compressed content can't be unpacked"))
    }
}

fn part(index: &[u8], at: u32, count: u32, width: usize) -> Option<&[u8]> {
    let start = at as usize;
    index.get(start..start.checked_add((count as usize).checked_mul(width)?)?)
}

/// Of a slice that was checked to be long enough; what isn't there is 0.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..at + 8).and_then(|word| word.try_into().ok());
    word.map_or(0, u64::from_le_bytes)
}
