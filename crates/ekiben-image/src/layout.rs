//! Numbers of the format: `docs/module-image.md` explains them.

use std::cmp::Ordering;

/// The first bytes of an image.
pub const MAGIC: [u8; 8] = *b"EKIBENIM";
/// The version of the format that this crate reads and writes.
pub const VERSION: u32 = 2;

/// Bytes of the header.
pub(crate) const HEADER: usize = 96;
/// Bytes of a module's record.
pub(crate) const MODULE: usize = 48;
/// Bytes of a file's record.
pub(crate) const FILE: usize = 40;
/// Bytes of a setting's record.
pub(crate) const SETTING: usize = 16;
/// Groups of blobs begin at multiples of this.
pub(crate) const PAGE: usize = 4096;
/// Blobs begin at multiples of this.
pub(crate) const ALIGNMENT: usize = 16;
/// How many names share a displacement, on average.
pub(crate) const BUCKET: u32 = 4;

/// Where numbers of the header are.
pub(crate) mod at {
    pub(crate) const VERSION: usize = 8;
    pub(crate) const LENGTH: usize = 16;
    pub(crate) const CHECKSUM: usize = 24;
    pub(crate) const INDEX_CHECKSUM: usize = 32;
    pub(crate) const INDEX_END: usize = 40;
    pub(crate) const MODULES: usize = 48;
    pub(crate) const MODULE_BUCKETS: usize = 52;
    pub(crate) const FILES: usize = 56;
    pub(crate) const FILE_BUCKETS: usize = 60;
    pub(crate) const SETTINGS: usize = 64;
    pub(crate) const SEED: usize = 68;
    pub(crate) const MODULE_RECORDS: usize = 72;
    pub(crate) const MODULE_HASH: usize = 76;
    pub(crate) const FILE_RECORDS: usize = 80;
    pub(crate) const FILE_HASH: usize = 84;
    pub(crate) const SETTING_RECORDS: usize = 88;
    pub(crate) const STRINGS: usize = 92;
}

/// What is before the name of a module without a path, in place of its path.
pub(crate) const PATHLESS: char = ':';

/// The code or content is a frame of Zstandard (RFC 8878).
pub(crate) const COMPRESSED: u8 = 1;
/// The module is a package.
pub(crate) const PACKAGE: u8 = 2;

/// What a module is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ModuleKind {
    /// Marshalled code.
    Code,
    /// An entry of the interpreter's inittab.
    Builtin,
    /// A package without code, which has only a path.
    Namespace,
    /// A shared object, which is a file of the image at the module's path.
    Extension,
}

impl ModuleKind {
    pub(crate) const ALL: [Self; 4] = [Self::Code, Self::Builtin, Self::Namespace, Self::Extension];

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Code => 0,
            Self::Builtin => 1,
            Self::Namespace => 2,
            Self::Extension => 3,
        }
    }
}

/// What a file is for. Files of one kind lie beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FileKind {
    /// Data that a package reads.
    Resource,
    /// A file of a distribution's `.dist-info` folder.
    Metadata,
    /// The text of a licence.
    Licence,
    /// A shared object, whose content begins at a page.
    SharedObject,
    /// The source of a module, at the module's path.
    Source,
}

impl FileKind {
    /// In the order in which their contents lie: sources are read last, if ever.
    pub(crate) const ALL: [Self; 5] =
        [Self::Resource, Self::Metadata, Self::Licence, Self::SharedObject, Self::Source];

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Resource => 0,
            Self::Metadata => 1,
            Self::Licence => 2,
            Self::SharedObject => 3,
            Self::Source => 4,
        }
    }
}

/// Compares names part by part, so that everything below a name comes right after it.
pub(crate) fn compare(separator: u8, one: &str, other: &str) -> Ordering {
    let rank = |byte: u8| if byte == separator { 0 } else { u16::from(byte) + 1 };
    one.bytes().map(rank).cmp(other.bytes().map(rank))
}

/// Whether `name` is below `above`, and then the rest of it.
pub(crate) fn rest_below<'a>(separator: u8, name: &'a str, above: &str) -> Option<&'a str> {
    if above.is_empty() {
        return Some(name);
    }
    let rest = name.strip_prefix(above)?;
    (rest.bytes().next()? == separator).then(|| &rest[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_comes_right_after() {
        let mut names = ["a-b", "a.b.c", "a", "a.b", "ab", "a.c"];
        names.sort_by(|one, other| compare(b'.', one, other));
        assert_eq!(names, ["a", "a.b", "a.b.c", "a.c", "a-b", "ab"]);
        assert_eq!(rest_below(b'.', "a.b.c", "a.b"), Some("c"));
        assert_eq!(rest_below(b'.', "a.bc", "a.b"), None);
        assert_eq!(rest_below(b'.', "a.b", "a.b"), None);
        assert_eq!(rest_below(b'.', "a.b", ""), Some("a.b"));
    }
}
