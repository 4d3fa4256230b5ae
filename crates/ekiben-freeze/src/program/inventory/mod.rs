//! What is in a program that was made: every module, file, setting, distribution and licence.

mod page;
mod tree;
mod treemap;

use std::collections::BTreeMap;

use ekiben_image::{FileKind, Image, MAGIC, ModuleKind};
use ekiben_object::elf;
use serde::Serialize;

use super::SECTION;

/// The setting that names libraries which were linked in for modules of packages, one a line: the name, and
/// the package of a machine that it came with.
pub(super) const LIBRARIES: &str = "linked-libraries";

/// The folder of a program with the texts of a library's licences. The runtime's libraries have theirs there
/// too.
pub(super) fn licences_of(library: &str) -> String {
    format!("licenses/{library}/")
}

/// Why a file can't be looked into.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It isn't an executable that was made for programs.
    #[error(transparent)]
    Object(#[from] ekiben_object::Error),
    /// What it carries is damaged, or of another version.
    #[error(transparent)]
    Image(#[from] ekiben_image::Error),
    /// It is an interpreter into which no program was put.
    #[error("it is an interpreter without an image: no program was put into it")]
    Empty,
}

/// What is in a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Bytes of the whole file.
    pub size: u64,
    /// Bytes of the interpreter.
    pub interpreter: u64,
    /// Bytes of the image.
    pub image: u64,
    /// Of the image, bytes of its index, and between contents.
    pub index: u64,
    /// Settings.
    pub settings: BTreeMap<String, String>,
    /// What takes the room: the standard library, libraries of the machine, and each top-level package, the largest first.
    pub parts: Vec<Part>,
    /// What is installed in it, by name.
    pub distributions: Vec<Distribution>,
    /// Libraries that were linked in for modules of packages, by name.
    pub libraries: Vec<Library>,
    /// Modules, by name.
    pub modules: Vec<Module>,
    /// Files that aren't sources, by path.
    pub files: Vec<File>,
}

/// A part of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `standard library`, or the name of a top-level package or module.
    pub name: String,
    /// How many modules it has.
    pub modules: usize,
    /// How many files that aren't sources.
    pub files: usize,
    /// Bytes of code, as it is stored.
    pub code: u64,
    /// Bytes of sources, as they are stored.
    pub sources: u64,
    /// Bytes of other files, as they are stored.
    pub other: u64,
}

/// A distribution, of which the metadata are in a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as its metadata has it.
    pub licence: Option<String>,
    /// Where texts of its licences are in the program.
    pub licence_files: Vec<String>,
}

/// A library that was linked in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Library {
    /// Its name, as in `-lNAME`.
    pub name: String,
    /// The package of a machine that it came with, with its version, if that is known.
    pub package: Option<String>,
    /// Where the texts of its licences are in the program.
    pub licence_files: Vec<String>,
}

/// A module of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Module {
    /// Its dotted name.
    pub name: String,
    /// `code`, `builtin`, `linked` (in, of a package), `namespace` or `extension`.
    pub kind: &'static str,
    /// Whether it has submodules.
    pub package: bool,
    /// What its `__file__` ends with; none for a builtin.
    pub path: Option<String>,
    /// Bytes of its code as it is stored; of one that is linked in, of its object, of which the
    /// interpreter has what is needed.
    pub code: u64,
    /// Bytes of its source as it is stored, if it was kept.
    pub source: Option<u64>,
}

/// A file of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its path in the program.
    pub path: String,
    /// `resource`, `metadata`, `licence` or `shared-object`.
    pub kind: &'static str,
    /// Its bytes.
    pub size: u64,
    /// Its bytes as they are stored.
    pub stored: u64,
}

impl Part {
    /// Bytes of all that it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.code + self.sources + self.other
    }
}

impl Inventory {
    /// Whether bytes begin as something that may have one.
    #[must_use]
    pub fn is_for(bytes: &[u8]) -> bool {
        bytes.starts_with(b"\x7fELF") || bytes.starts_with(&MAGIC)
    }

    /// Of a program, or of an image alone. With `verify`, all checksums are compared.
    ///
    /// # Errors
    /// If it is neither, or damaged.
    pub fn of(bytes: &[u8], verify: bool) -> Result<Self, Error> {
        let content = match bytes.starts_with(&MAGIC) {
            true => bytes,
            false => elf::segment_content(bytes, SECTION)?,
        };
        if content.iter().all(|byte| *byte == 0) {
            return Err(Error::Empty);
        }
        let image = Image::open(content)?;
        if verify {
            image.verify()?;
        }
        Ok(Self::read(bytes.len() as u64, &image))
    }

    fn read(size: u64, image: &Image<'_>) -> Self {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        let mut modules = Vec::new();
        let linked = image.setting("linked").unwrap_or_default().lines();
        let linked = linked.filter_map(|line| line.split_once('\t'));
        let linked: BTreeMap<&str, u64> =
            linked.filter_map(|(name, size)| Some((name, size.parse().ok()?))).collect();
        for module in image.modules() {
            let source = image.source(&module).map(|source| source.stored_len() as u64);
            let code = module.code.stored_len() as u64;
            let part = part(&mut parts, module.path);
            part.modules += 1;
            part.code += code;
            let linked = linked.get(module.name).filter(|_| module.kind == ModuleKind::Builtin);
            modules.push(Module {
                name: module.name.to_owned(),
                kind: match module.kind {
                    ModuleKind::Code => "code",
                    ModuleKind::Builtin if linked.is_some() => "linked",
                    ModuleKind::Builtin => "builtin",
                    ModuleKind::Namespace => "namespace",
                    _ => "extension",
                },
                package: module.is_package,
                path: Some(module.path.to_owned()).filter(|path| !path.is_empty()),
                code: linked.copied().unwrap_or(code),
                source,
            });
        }
        modules.sort_by(|one, other| one.name.cmp(&other.name));
        let mut files = Vec::new();
        for file in image.files() {
            let stored = file.content.stored_len() as u64;
            let part = part(&mut parts, file.path);
            if file.kind == FileKind::Source {
                part.sources += stored;
                continue;
            }
            part.files += 1;
            part.other += stored;
            files.push(File {
                path: file.path.to_owned(),
                kind: match file.kind {
                    FileKind::Metadata => "metadata",
                    FileKind::Licence => "licence",
                    FileKind::SharedObject => "shared-object",
                    _ => "resource",
                },
                size: file.content.len() as u64,
                stored,
            });
        }
        let mut parts: Vec<Part> = parts.into_values().collect();
        parts.sort_by(|one, other| {
            other.size().cmp(&one.size()).then_with(|| one.name.cmp(&other.name))
        });
        let whole = image.size() as u64;
        Self {
            size,
            interpreter: size - whole,
            image: whole,
            index: whole.saturating_sub(parts.iter().map(Part::size).sum()),
            settings: image
                .settings()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            distributions: distributions(image),
            libraries: libraries(image),
            parts,
            modules,
            files,
        }
    }

    /// A page of HTML with a map of what takes the room, which needs nothing besides. `name` is the
    /// program's, and `bytes` writes numbers of bytes.
    #[must_use]
    pub fn page(&self, name: &str, bytes: fn(u64) -> String) -> String {
        page::render(self, name, bytes)
    }
}

/// The part that a path belongs to.
fn part<'a>(parts: &'a mut BTreeMap<String, Part>, path: &str) -> &'a mut Part {
    let name = match path.split_once("/site-packages/") {
        Some((_, rest)) => {
            let first = rest.split('/').next().unwrap_or(rest);
            match first.strip_suffix(".dist-info").and_then(|it| it.rsplit_once('-')) {
                Some((distribution, _)) => distribution.to_lowercase().replace('-', "_"),
                None => first.split('.').next().unwrap_or(first).to_owned(),
            }
        }
        None if path.starts_with("lib/ekiben.libs/") => "libraries of the machine".to_owned(),
        None => "standard library".to_owned(),
    };
    parts.entry(name.clone()).or_insert_with(|| Part { name, ..Part::default() })
}

fn libraries(image: &Image<'_>) -> Vec<Library> {
    let lines = image.setting(LIBRARIES).unwrap_or_default().lines();
    let library = |line: &str| {
        let (name, package) = line.split_once('\t').unwrap_or((line, ""));
        Library {
            name: name.to_owned(),
            package: Some(package.to_owned()).filter(|package| !package.is_empty()),
            licence_files: licences(image, &licences_of(name)),
        }
    };
    lines.map(library).collect()
}

/// The texts of licences below a folder.
fn licences(image: &Image<'_>, folder: &str) -> Vec<String> {
    let below = |file: &ekiben_image::File<'_>| {
        file.kind == FileKind::Licence && file.path.starts_with(folder)
    };
    image.files().filter(below).map(|file| file.path.to_owned()).collect()
}

fn distributions(image: &Image<'_>) -> Vec<Distribution> {
    let mut found = Vec::new();
    for file in image.files() {
        let Some(folder) = file.path.strip_suffix("/METADATA") else { continue };
        if !folder.ends_with(".dist-info") {
            continue;
        }
        let Ok(text) = file.content.read() else { continue };
        let text = String::from_utf8_lossy(&text);
        let header = |key: &str| {
            let headers = text.lines().take_while(|line| !line.is_empty());
            headers
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(_, value)| value.trim().to_owned())
        };
        found.push(Distribution {
            name: header("Name").unwrap_or_default(),
            version: header("Version").unwrap_or_default(),
            licence: header("License-Expression").or_else(|| header("License")),
            licence_files: licences(image, &format!("{folder}/")),
        });
    }
    found.sort_by_key(|one| one.name.to_lowercase());
    found
}
