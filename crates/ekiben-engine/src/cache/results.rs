//! What actions made: under an action's key, a few results, each for one set of headers it was seen to read.
//!
//! The key can't hold the headers, since which ones there are is known only after running. So there are two levels, as
//! in ccache's direct mode: the key finds a list, and an entry of it holds if every header in it has the digest it had,
//! and no file has appeared where the action would have found it first.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Cache, read_used};
use crate::digest::Digest;
use crate::manifest::Manifest;

/// Results kept under one key: enough to go back and forth between branches, few enough to check quickly.
const MAX_ENTRIES: usize = 16;

/// A file that an action was seen to read.
///
/// Locations are in their symbolic form and borrowed from the text they were read from: a build with nothing to do
/// spends most of its time here, and needs no more than to look them up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Header<'a> {
    #[serde(borrow)]
    pub(crate) at: Cow<'a, str>,
    pub(crate) digest: Digest,
}

/// Files that have to be absent from a folder, since the action would find them before ones that it read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Absent<'a> {
    #[serde(borrow)]
    pub(crate) folder: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) names: Vec<Name<'a>>,
}

/// A name in a folder. (Serde borrows into a `Cow` only where it is a field.)
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// An output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutputBlob {
    pub(crate) digest: Digest,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) executable: bool,
}

/// One result of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResultEntry<'a> {
    #[serde(borrow)]
    pub(crate) headers: Vec<Header<'a>>,
    #[serde(borrow)]
    pub(crate) absent: Vec<Absent<'a>>,
    /// In the order in which the action declares its outputs.
    pub(crate) outputs: Vec<OutputBlob>,
    /// What it printed, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Digest>,
}

/// What an action of a project looked like when it was last built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slot<'a> {
    pub(crate) manifest: Cow<'a, Manifest>,
    #[serde(borrow)]
    pub(crate) headers: Vec<Header<'a>>,
    #[serde(borrow)]
    pub(crate) absent: Vec<Absent<'a>>,
}

/// The results under a key, as they are in the cache.
#[derive(Debug, Default)]
pub(crate) struct Results(Vec<u8>);

impl Results {
    /// The latest first. Empty if they can't be understood.
    pub(crate) fn entries(&self) -> Vec<ResultEntry<'_>> {
        serde_json::from_slice(&self.0).unwrap_or_default()
    }
}

/// The last state of a slot, as it is in the cache.
#[derive(Debug)]
pub(crate) struct LastState(Vec<u8>);

impl LastState {
    pub(crate) fn slot(&self) -> Option<Slot<'_>> {
        let body = self.0.iter().position(|byte| *byte == b'\n')?;
        serde_json::from_slice(&self.0[body + 1..]).ok()
    }
}

impl Cache {
    /// The results under `key`.
    pub(crate) fn results(&self, key: Digest) -> Results {
        Results(read_used(&self.entry("actions", key)).unwrap_or_default())
    }

    /// Adds a result under `key`. Of two builds that do this at the same time one may lose its entry, and builds again.
    pub(crate) fn add_result(&self, key: Digest, entry: &ResultEntry<'_>) -> std::io::Result<()> {
        let old = self.results(key);
        let mut entries = old.entries();
        entries.retain(|old| old.headers != entry.headers || old.absent != entry.absent);
        entries.insert(0, entry.clone());
        entries.truncate(MAX_ENTRIES);
        self.write(&self.entry("actions", key), &serde_json::to_vec(&entries)?, 0o644)
    }

    /// The last state of the slot.
    pub(crate) fn slot(&self, slot: Digest) -> Option<LastState> {
        read_used(&self.entry("slots", slot)).map(LastState)
    }

    /// Records the state of the slot, unless it is there already: `version` names the state, and is all that is
    /// compared, so that a build with nothing to do parses and writes nothing here.
    pub(crate) fn put_slot<'a>(
        &self,
        slot: Digest,
        version: Digest,
        state: impl FnOnce() -> Slot<'a>,
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
