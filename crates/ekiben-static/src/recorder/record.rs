//! What is kept of a link.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ekiben_engine::Digest;
use ekiben_object::elf;
use serde::{Deserialize, Serialize};

use crate::{Error, Library};

/// A shared object that was linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where it was put.
    pub output: PathBuf,
    /// What tells it from others, when it has been stripped or its search path been changed: the digest
    /// of its code.
    pub code: Digest,
    /// The same inputs as one relocatable object.
    pub object: PathBuf,
    /// Why there is no such object.
    pub problem: Option<String>,
    /// The symbols that it offers to others.
    pub exports: Vec<String>,
    /// What it was linked with.
    pub libraries: Vec<Linked>,
}

/// A library that a shared object was linked with, or that one of these needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Linked {
    /// One of the machine.
    Machine(Library),
    /// A shared library that the same build had made: where it was, and the digest of its code.
    Own {
        /// Where it was.
        path: PathBuf,
        /// The digest of its code.
        code: Digest,
    },
}

/// The digest by which a shared object is known again. Modules may have the same code and differ in their
/// names and constants: those that mypyc makes do.
///
/// # Errors
/// If it isn't one.
pub(crate) fn code(bytes: &[u8]) -> Result<Digest, ekiben_object::Error> {
    let code = elf::code(bytes)?;
    if code.is_empty() {
        // One that is only data has nothing else that stays.
        return Ok(Digest::of(bytes));
    }
    let mut key = Digest::of(code).as_bytes().to_vec();
    key.extend_from_slice(Digest::of(elf::constants(bytes)?).as_bytes());
    for binary in ekiben_object::read(bytes)? {
        let exports: BTreeSet<&str> = binary.exports.iter().map(String::as_str).collect();
        for symbol in exports {
            key.extend_from_slice(symbol.as_bytes());
            key.push(0);
        }
    }
    Ok(Digest::of(&key))
}

impl Record {
    /// Writes it beside its object, whole or not at all.
    pub(super) fn write(&self, records: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        let mut file =
            tempfile::NamedTempFile::new_in(records).map_err(Error::io("write to", records))?;
        file.write_all(&text).map_err(Error::io("write", file.path()))?;
        let path = self.object.with_extension("json");
        file.persist(&path).map_err(|error| error.error).map_err(Error::io("write", &path))?;
        Ok(())
    }
}

pub(super) fn read_all(records: &Path) -> Result<Vec<Record>, Error> {
    let mut all = Vec::new();
    for entry in fs::read_dir(records).map_err(Error::io("read", records))? {
        let path = entry.map_err(Error::io("read", records))?.path();
        if path.extension().is_some_and(|it| it == "json") {
            let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
            let record = serde_json::from_slice(&bytes);
            all.push(record.map_err(|error| Error::unusable(&path, &error))?);
        }
    }
    Ok(all)
}
