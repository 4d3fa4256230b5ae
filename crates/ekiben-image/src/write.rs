//! [`Builder`]: writes an image.

use std::borrow::Cow;
use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::hash::{self, Tables};
use crate::layout::{
    ALIGNMENT, COMPRESSED, FILE, FileKind, HEADER, MAGIC, MODULE, ModuleKind, PACKAGE, PAGE,
    PATHLESS, SETTING, VERSION, at, compare,
};
use crate::pack;
use crate::read::Blob;

/// What goes into an image. What is taken from other images isn't copied before the new one is built.
#[derive(Debug, Default)]
pub struct Builder<'a> {
    /// By stem.
    modules: BTreeMap<String, (String, Stored<'a>)>,
    files: BTreeMap<String, (FileKind, Packed<'a>)>,
    settings: BTreeMap<String, String>,
}

/// A module to be written; the fields are those of [`Module`](crate::Module).
#[derive(Debug, Clone)]
pub struct NewModule {
    /// What it is made of.
    pub kind: ModuleKind,
    /// Whether it has submodules.
    pub is_package: bool,
    /// The path that its `__file__` ends with; of a namespace package its folder; empty for a builtin
    /// that is found by its name alone.
    pub path: String,
    /// Marshalled code.
    pub code: Content,
}

/// Content, and how to store it.
#[derive(Debug, Clone, Default)]
pub struct Content {
    stored: Vec<u8>,
    length: usize,
    is_compressed: bool,
}

/// How much time compressing may take. Unpacking takes the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// While somebody waits: about 100 MB a second.
    Quick,
    /// Once for many programs: about 3 MB a second, and some percent smaller.
    Thorough,
}

impl Content {
    /// To be read where it lies.
    #[must_use]
    pub fn plain(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len(), stored: bytes, is_compressed: false }
    }

    /// Compressed, if that makes it smaller.
    #[must_use]
    pub fn compressed(bytes: Vec<u8>, effort: Effort) -> Self {
        match pack::pack(&bytes, effort) {
            Some(stored) => Self { length: bytes.len(), stored, is_compressed: true },
            None => Self::plain(bytes),
        }
    }

    /// The number of bytes that it takes in an image.
    #[must_use]
    pub fn stored_len(&self) -> usize {
        self.stored.len()
    }
}

/// A module as it will be written.
#[derive(Debug)]
struct Stored<'a> {
    kind: ModuleKind,
    is_package: bool,
    path: String,
    code: Packed<'a>,
}

/// Content as it will be written.
#[derive(Debug)]
struct Packed<'a> {
    stored: Cow<'a, [u8]>,
    length: usize,
    is_compressed: bool,
}

impl From<Content> for Packed<'_> {
    fn from(content: Content) -> Self {
        let Content { stored, length, is_compressed } = content;
        Self { stored: Cow::Owned(stored), length, is_compressed }
    }
}

impl<'a> From<Blob<'a>> for Packed<'a> {
    fn from(blob: Blob<'a>) -> Self {
        Self {
            stored: Cow::Borrowed(blob.stored()),
            length: blob.len(),
            is_compressed: blob.plain().is_none(),
        }
    }
}

impl Packed<'_> {
    fn flag(&self) -> u8 {
        if self.is_compressed { COMPRESSED } else { 0 }
    }
}

/// The parts of an image after the header, while it grows.
struct Writer {
    bytes: Vec<u8>,
    strings: Vec<u8>,
    /// Where the strings of these records will lie is known before blobs are.
    known: BTreeMap<String, u32>,
}

impl<'a> Builder<'a> {
    /// With nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a module.
    ///
    /// # Errors
    /// If there is one with the same stem, or name or path can't be one.
    pub fn module(&mut self, name: &str, module: NewModule) -> Result<(), Error> {
        let NewModule { kind, is_package, path, code } = module;
        self.put_module(name, Stored { kind, is_package, path, code: code.into() })
    }

    fn put_module(&mut self, name: &str, mut module: Stored<'a>) -> Result<(), Error> {
        check(name, '.')?;
        if module.path.is_empty() {
            module.path = format!("{PATHLESS}{name}");
        } else {
            check(&module.path, '/')?;
        }
        let stem = stem(&module.path, module.is_package && module.kind != ModuleKind::Namespace);
        let stem = stem.to_owned();
        if stem.is_empty() {
            return Err(Error::Name(module.path, "a module has to have a file name"));
        }
        match self.modules.insert(stem, (name.to_owned(), module)) {
            None => Ok(()),
            Some((other, _)) => Err(Error::Twice(other)),
        }
    }

    /// Whether there is a module at that path, or another one with the same stem.
    #[must_use]
    pub fn has_module_at(&self, path: &str, is_package: bool) -> bool {
        self.modules.contains_key(stem(path, is_package))
    }

    /// Adds a file.
    ///
    /// # Errors
    /// If there is one at that path, or it can't be a path.
    pub fn file(&mut self, path: &str, kind: FileKind, content: Content) -> Result<(), Error> {
        self.put_file(path, kind, content.into())
    }

    fn put_file(&mut self, path: &str, kind: FileKind, content: Packed<'a>) -> Result<(), Error> {
        check(path, '/')?;
        match self.files.insert(path.to_owned(), (kind, content)) {
            None => Ok(()),
            Some(_) => Err(Error::Twice(path.to_owned())),
        }
    }

    /// Sets a setting, anew if it was.
    ///
    /// # Errors
    /// If key or value has a zero character, which ends text in C.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        for text in [key, value] {
            if text.contains('\0') {
                return Err(Error::Name(text.to_owned(), "it has a zero character"));
            }
        }
        self.settings.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Adds what an image holds that is not here yet; settings that both have stay as they are.
    ///
    /// # Errors
    /// If the image is damaged.
    pub fn add_missing(&mut self, image: &crate::Image<'a>) -> Result<(), Error> {
        for module in image.modules() {
            if !self.modules.contains_key(module.stem) {
                self.take_module(&module)?;
            }
        }
        for file in image.files() {
            if !self.files.contains_key(file.path) {
                self.take_file(&file)?;
            }
        }
        for (key, value) in image.settings() {
            if !self.settings.contains_key(key) {
                self.set(key, value)?;
            }
        }
        Ok(())
    }

    /// Adds a module of another image.
    ///
    /// # Errors
    /// As of [`module`](Self::module).
    pub fn take_module(&mut self, module: &crate::Module<'a>) -> Result<(), Error> {
        let stored = Stored {
            kind: module.kind,
            is_package: module.is_package,
            path: module.path.to_owned(),
            code: module.code.into(),
        };
        self.put_module(module.name, stored)
    }

    /// Adds a module of another image, whose code needn't be unpacked when it is read here.
    ///
    /// # Errors
    /// As of [`module`](Self::module), or if the other image is damaged.
    pub fn take_unpacked(&mut self, module: &crate::Module<'a>) -> Result<(), Error> {
        if module.code.plain().is_some() {
            return self.take_module(module);
        }
        let code = Content::plain(module.code.read()?.into_owned());
        let (kind, is_package, path) = (module.kind, module.is_package, module.path.to_owned());
        self.module(module.name, NewModule { kind, is_package, path, code })
    }

    /// Adds a file of another image, as it is stored there.
    ///
    /// # Errors
    /// As of [`file`](Self::file).
    pub fn take_file(&mut self, file: &crate::File<'a>) -> Result<(), Error> {
        self.put_file(file.path, file.kind, file.content.into())
    }

    /// The image's bytes.
    ///
    /// # Errors
    /// If there is too much of something, or a file is where a folder is.
    pub fn build(self) -> Result<Vec<u8>, Error> {
        let mut modules: Vec<_> = self.modules.into_iter().collect();
        modules.sort_by(|(one, _), (other, _)| compare(b'/', one, other));
        let mut files: Vec<_> = self.files.into_iter().collect();
        files.sort_by(|(one, _), (other, _)| compare(b'/', one, other));
        for pair in files.windows(2) {
            if crate::layout::rest_below(b'/', &pair[1].0, &pair[0].0).is_some() {
                return Err(Error::Name(pair[0].0.clone(), "it is a file and a folder"));
            }
        }
        let module_names: Vec<&str> = modules.iter().map(|(stem, _)| stem.as_str()).collect();
        let file_names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let counts = [modules.len(), files.len(), self.settings.len()];
        if counts.iter().any(|count| u32::try_from(*count).is_err()) {
            return Err(Error::TooLarge("more than 4294967295 entries"));
        }
        // Two names of one hash are likelier to be an attack than to happen; another seed parts them.
        let (seed, module_hash, file_hash) = (0..64)
            .find_map(|seed| {
                let modules = hash::tables(seed, &module_names)?;
                Some((seed, modules, hash::tables(seed, &file_names)?))
            })
            .ok_or(Error::TooLarge("no hash parts its names"))?;

        let mut writer =
            Writer { bytes: vec![0; HEADER], strings: Vec::new(), known: BTreeMap::new() };
        let mut header = [0; HEADER];
        header[..MAGIC.len()].copy_from_slice(&MAGIC);
        let mut put = |at: usize, value: usize| -> Result<(), Error> {
            let value = u32::try_from(value).map_err(|_| Error::TooLarge("its index"))?;
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
            Ok(())
        };
        put(at::VERSION, VERSION as usize)?;
        put(at::SEED, seed as usize)?;
        put(at::MODULES, modules.len())?;
        put(at::FILES, files.len())?;
        put(at::SETTINGS, self.settings.len())?;
        put(at::MODULE_BUCKETS, module_hash.displacements.len())?;
        put(at::FILE_BUCKETS, file_hash.displacements.len())?;
        put(at::MODULE_HASH, writer.hash(&module_hash))?;
        put(at::FILE_HASH, writer.hash(&file_hash))?;
        let module_records = writer.reserve(modules.len() * MODULE);
        put(at::MODULE_RECORDS, module_records)?;
        let file_records = writer.reserve(files.len() * FILE);
        put(at::FILE_RECORDS, file_records)?;
        let setting_records = writer.reserve(self.settings.len() * SETTING);
        put(at::SETTING_RECORDS, setting_records)?;

        for (number, (stem, (name, module))) in modules.iter().enumerate() {
            let at = module_records + number * MODULE;
            writer.text(at, name)?;
            writer.text(at + 8, &module.path)?;
            let stem = u32::try_from(stem.len()).map_err(|_| Error::TooLarge("its names"))?;
            writer.put(at + 20, &stem.to_le_bytes());
        }
        for (number, (path, _)) in files.iter().enumerate() {
            writer.text(file_records + number * FILE, path)?;
        }
        for (number, (key, value)) in self.settings.iter().enumerate() {
            let at = setting_records + number * SETTING;
            writer.text(at, key)?;
            writer.text(at + 8, value)?;
        }
        put(at::STRINGS, writer.bytes.len())?;
        let strings = std::mem::take(&mut writer.strings);
        writer.bytes.extend_from_slice(&strings);
        let index_end = writer.bytes.len();
        let codes = modules.iter().map(|(_, (_, module))| module.code.stored.len());
        let contents = files.iter().map(|(_, (_, content))| content.stored.len());
        let padding = ALIGNMENT * (modules.len() + files.len()) + PAGE;
        writer.bytes.reserve_exact(codes.chain(contents).sum::<usize>() + padding);

        writer.align(PAGE);
        for (number, (_, (_, module))) in modules.iter().enumerate() {
            let at = module_records + number * MODULE;
            writer.blob(at + 24, &module.code, ALIGNMENT);
            let package = if module.is_package { PACKAGE } else { 0 };
            writer.put(at + 16, &[module.kind.number(), package | module.code.flag()]);
        }
        for kind in FileKind::ALL {
            for (number, (_, (its, content))) in files.iter().enumerate() {
                if *its == kind {
                    let alignment = if kind == FileKind::SharedObject { PAGE } else { ALIGNMENT };
                    let at = file_records + number * FILE;
                    writer.blob(at + 16, content, alignment);
                    writer.put(at + 8, &[kind.number(), content.flag()]);
                }
            }
        }
        let mut bytes = writer.bytes;
        let mut put = |at: usize, value: u64| {
            header[at..at + 8].copy_from_slice(&value.to_le_bytes());
        };
        put(at::LENGTH, bytes.len() as u64);
        put(at::INDEX_END, index_end as u64);
        put(at::INDEX_CHECKSUM, xxh3_64(&bytes[HEADER..index_end]));
        put(at::CHECKSUM, xxh3_64(&bytes[HEADER..]));
        bytes[..HEADER].copy_from_slice(&header);
        Ok(bytes)
    }
}

impl Writer {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn reserve(&mut self, length: usize) -> usize {
        self.align(8);
        let at = self.bytes.len();
        self.bytes.resize(at + length, 0);
        at
    }

    fn align(&mut self, alignment: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
    }

    fn hash(&mut self, tables: &Tables) -> usize {
        let at = self.reserve(0);
        for word in tables.displacements.iter().chain(&tables.names) {
            self.bytes.extend_from_slice(&word.to_le_bytes());
        }
        at
    }

    /// Puts place and length of a string to `at`.
    fn text(&mut self, at: usize, text: &str) -> Result<(), Error> {
        let too_large = |_| Error::TooLarge("its names");
        let start = match self.known.get(text) {
            Some(start) => *start,
            None => {
                let start = u32::try_from(self.strings.len()).map_err(too_large)?;
                self.strings.extend_from_slice(text.as_bytes());
                self.strings.push(0);
                self.known.insert(text.to_owned(), start);
                start
            }
        };
        let length = u32::try_from(text.len()).map_err(too_large)?;
        self.put(at, &start.to_le_bytes());
        self.put(at + 4, &length.to_le_bytes());
        Ok(())
    }

    /// Appends content, and puts its place, and its length packed and unpacked, to `at`.
    fn blob(&mut self, at: usize, content: &Packed<'_>, alignment: usize) {
        self.align(alignment);
        let numbers = [self.bytes.len(), content.stored.len(), content.length];
        self.bytes.extend_from_slice(&content.stored);
        for (number, at) in numbers.into_iter().zip([at, at + 8, at + 16]) {
            self.put(at, &(number as u64).to_le_bytes());
        }
    }
}

/// What a module is looked up by: its path without `/__init__.py`, or without what follows the first
/// dot of the file's name.
fn stem(path: &str, is_package: bool) -> &str {
    let (folder, file) = path.rsplit_once('/').map_or(("", path), |(folder, file)| (folder, file));
    if path.starts_with(PATHLESS) {
        return path;
    }
    if is_package {
        return folder;
    }
    let name = file.split('.').next().unwrap_or(file);
    &path[..path.len() - file.len() + name.len()]
}

fn check(name: &str, separator: char) -> Result<(), Error> {
    let wrong = |why| Err(Error::Name(name.to_owned(), why));
    if name.contains('\0') {
        return wrong("it has a zero character");
    }
    if name.split(separator).any(str::is_empty) {
        return wrong("a part of it is empty");
    }
    if separator == '/' && name.split('/').any(|part| part == "." || part == "..") {
        return wrong("a part of it is `.` or `..`");
    }
    Ok(())
}
