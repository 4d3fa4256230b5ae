//! What actions made: under an action's key, a few results, each for one set of headers it was seen to read.
//!
//! The key can't hold the headers, since which ones there are is known only after running. So there are two levels, as
//! in ccache's direct mode: the key finds a list, and an entry of it holds if every header in it has the digest it had,
//! and no file has appeared where the action would have found it first.

use serde::{Deserialize, Serialize};

use super::{Cache, read_used};
use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::path::Location;

/// Results kept under one key: enough to go back and forth between branches, few enough to check quickly.
const MAX_ENTRIES: usize = 16;

/// A file that an action was seen to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Header {
    #[serde(flatten)]
    pub(crate) at: Location,
    pub(crate) digest: Digest,
}

/// Files that have to be absent from a folder, since the action would find them before ones that it read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Absent {
    pub(crate) folder: Location,
    pub(crate) names: Vec<String>,
}

/// An output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutputBlob {
    pub(crate) digest: Digest,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) executable: bool,
}

/// One result of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResultEntry {
    pub(crate) headers: Vec<Header>,
    pub(crate) absent: Vec<Absent>,
    /// In the order in which the action declares its outputs.
    pub(crate) outputs: Vec<OutputBlob>,
    /// What it printed, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Digest>,
}

/// What an action of a project looked like when it was last built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) manifest: Manifest,
    pub(crate) headers: Vec<Header>,
    pub(crate) absent: Vec<Absent>,
}

impl Cache {
    /// The results under `key`, the latest first. Empty if there are none or they can't be read.
    pub(crate) fn results(&self, key: Digest) -> Vec<ResultEntry> {
        read_used(&self.entry("actions", key))
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// Adds a result under `key`. Of two builds that do this at the same time one may lose its entry, and builds again.
    pub(crate) fn add_result(&self, key: Digest, entry: ResultEntry) -> std::io::Result<()> {
        let mut entries = self.results(key);
        entries.retain(|old| old.headers != entry.headers || old.absent != entry.absent);
        entries.insert(0, entry);
        entries.truncate(MAX_ENTRIES);
        self.write(&self.entry("actions", key), &serde_json::to_vec(&entries)?, 0o644)
    }

    /// The last state of the slot.
    pub(crate) fn slot(&self, slot: Digest) -> Option<Slot> {
        let text = read_used(&self.entry("slots", slot))?;
        let body = text.iter().position(|byte| *byte == b'\n')?;
        serde_json::from_slice(&text[body + 1..]).ok()
    }

    /// Records the state of the slot, unless it is there already: `version` names the state, and is all that is
    /// compared, so that a build with nothing to do parses and writes nothing here.
    pub(crate) fn put_slot(
        &self,
        slot: Digest,
        version: Digest,
        state: impl FnOnce() -> Slot,
    ) -> std::io::Result<()> {
        let path = self.entry("slots", slot);
        let mut text = format!("{version}\n").into_bytes();
        if read_used(&path).is_some_and(|old| old.starts_with(&text)) {
            return Ok(());
        }
        serde_json::to_writer(&mut text, &state())?;
        self.write(&path, &text, 0o644)
    }
}
