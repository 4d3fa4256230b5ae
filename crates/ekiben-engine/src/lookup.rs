//! Looking an action up: its manifest and key, whether a result in the cache holds now, and if none does, why.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::action::{Action, ArtifactId};
use crate::cache::{Absent, BlobError, Header, LastState, Name, OutputBlob, ResultEntry, Slot};
use crate::digest::Digest;
use crate::engine::Shared;
use crate::manifest::{Manifest, unsymbolic};
use crate::path::Location;
use crate::reason::{Change, InputChange, Reason};
use crate::report::Failure;
use crate::schedule::Job;

/// An action's manifest and what follows from it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) manifest: Manifest,
    pub(crate) key: Digest,
    /// What the action is called from build to build.
    pub(crate) slot: Digest,
}

/// What a look into the cache found.
#[derive(Debug)]
pub(crate) enum Found {
    Hit { outputs: Vec<OutputBlob>, text: Vec<u8> },
    Miss(Reason),
}

/// What the files outside the build looked like when this build first asked. A build is a snapshot: a file that is
/// edited meanwhile counts as it was, and results of actions that may have seen the edit aren't kept.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// By symbolic location. Each is taken once, even if several threads ask.
    digests: Mutex<HashMap<String, Arc<OnceLock<Option<Digest>>>>>,
    /// By symbolic folder, then the name of a file, or of a folder with its slash.
    present: Mutex<HashMap<String, HashMap<String, bool>>>,
    /// What the actions that ran reported to have read, and the folders they searched.
    reported: Mutex<(BTreeSet<Location>, BTreeSet<Location>)>,
}

impl Shared {
    /// The manifest of the job's action. Fails if an input that nothing makes isn't there.
    pub(crate) fn prepare(&self, job: &Job) -> Result<Prepared, Failure> {
        let mut digests = Vec::with_capacity(job.inputs.len());
        for input in &job.inputs {
            let digest = match input.built {
                Some(built) => built.digest,
                None => {
                    self.leaf_digest(&input.location).map_err(|error| Failure::MissingInput {
                        path: (*input.location).clone(),
                        error: error.to_string(),
                    })?
                }
            };
            digests.push((&*input.location, digest));
        }
        let manifest = Manifest::of(
            &job.action,
            |artifact| job.locate(artifact),
            |location| self.roots.symbolic(location),
            digests,
        );
        let key = manifest.key();
        let primary = job.action.outputs.first().map(|output| job.locate(*output));
        let slot = slot(&self.project, &job.action, primary);
        Ok(Prepared { manifest, key, slot })
    }

    /// The digest of a file outside the build, as of this build's first look.
    pub(crate) fn leaf_digest(&self, location: &Location) -> io::Result<Digest> {
        let path = || self.roots.path(location);
        match self.snapshot_digest(&self.roots.symbolic(location), path) {
            Some(digest) => Ok(digest),
            // For the error, or if the file has appeared by now.
            None => self.digests.digest(&path()),
        }
    }

    /// Notes what an action that ran has read, and which folders it searched.
    pub(crate) fn report_seen<'a>(
        &self,
        files: impl Iterator<Item = &'a Location>,
        folders: impl Iterator<Item = &'a Location>,
    ) {
        let mut reported = self.snapshot.reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.0.extend(files.cloned());
        reported.1.extend(folders.cloned());
    }

    /// The files outside the build that decided on results so far, and the folders that were searched for them.
    pub(crate) fn seen(&self) -> (BTreeSet<Location>, BTreeSet<Location>) {
        let lock = self.snapshot.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut files, mut folders) = lock.clone();
        drop(lock);
        let digests = self.snapshot.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = |digest: &OnceLock<Option<Digest>>| matches!(digest.get(), Some(Some(_)));
        let there = digests.iter().filter(|(_, digest)| is_there(digest));
        files.extend(there.filter_map(|(symbolic, _)| self.roots.parse_symbolic(symbolic)));
        drop(digests);
        let present = self.snapshot.present.lock().unwrap_or_else(PoisonError::into_inner);
        folders.extend(present.keys().filter_map(|symbolic| self.roots.parse_symbolic(symbolic)));
        drop(present);
        for locations in [&mut files, &mut folders] {
            locations.retain(|location| !matches!(location, Location::Build(_)));
        }
        (files, folders)
    }

    fn snapshot_digest(&self, symbolic: &str, path: impl FnOnce() -> PathBuf) -> Option<Digest> {
        let mut known = self.snapshot.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = match known.get(symbolic) {
            Some(digest) => Arc::clone(digest),
            None => Arc::clone(known.entry(symbolic.to_owned()).or_default()),
        };
        drop(known);
        *digest.get_or_init(|| self.digests.digest(&path()).ok())
    }

    /// The digest that a file an action was seen to read has now; none if it isn't there.
    fn header_digest(&self, symbolic: &str) -> Option<Digest> {
        if symbolic.starts_with("build:") {
            let generated = self.schedule().generated(&self.roots.parse_symbolic(symbolic)?);
            if let Some(generated) = generated {
                return generated;
            }
        }
        let path = || self.roots.parse_symbolic(symbolic).map(|at| self.roots.path(&at));
        self.snapshot_digest(symbolic, || path().unwrap_or_default())
    }

    /// Files that are where none was. In the build folder only what this build makes counts.
    fn intruders(&self, absent: &[Absent<'_>]) -> Vec<Location> {
        let mut found = Vec::new();
        for Absent { folder: symbolic, names } in absent {
            let folder = self.roots.parse_symbolic(symbolic);
            let at = |name: &Name<'_>| folder.as_ref()?.join(&name.0).ok();
            if symbolic.starts_with("build:") {
                let schedule = self.schedule();
                found.extend(
                    names.iter().filter_map(at).filter(|at| schedule.generated(at).is_some()),
                );
                continue;
            }
            let mut known = self.snapshot.present.lock().unwrap_or_else(PoisonError::into_inner);
            let known = known.entry(symbolic.to_string()).or_default();
            // Names are sorted, so those in one folder come together; a folder that isn't there answers for all.
            let (mut parent, mut parent_is_there) = (None, false);
            for name in names {
                // With its slash, which no file's name ends in.
                let within = &name.0[..name.0.rfind('/').map_or(0, |slash| slash + 1)];
                if parent != Some(within) {
                    parent = Some(within);
                    parent_is_there =
                        note(known, within, || self.is_folder(folder.as_ref(), within));
                }
                if parent_is_there
                    && note(known, &name.0, || {
                        at(name).is_some_and(|at| self.roots.path(&at).is_file())
                    })
                {
                    found.extend(at(name));
                }
            }
        }
        found
    }

    fn is_folder(&self, folder: Option<&Location>, within: &str) -> bool {
        folder.is_some_and(|folder| self.roots.path(folder).join(within).is_dir())
    }

    /// Looks for a result that holds now.
    pub(crate) fn look_up(&self, job: &Job, prepared: &Prepared) -> Found {
        if !job.action.cacheable {
            return Found::Miss(Reason::NotCacheable);
        }
        let results = self.cache.results(prepared.key);
        for entry in results.entries() {
            let holds = entry.outputs.len() == job.action.outputs.len()
                && entry
                    .headers
                    .iter()
                    .all(|header| self.header_digest(&header.at) == Some(header.digest))
                && self.intruders(&entry.absent).is_empty();
            if !holds {
                continue;
            }
            let text = match entry.text.map(|text| self.cache.get_bytes(text)) {
                None => Vec::new(),
                Some(Ok(text)) => text,
                Some(Err(BlobError::Corrupt)) => {
                    let digest = entry.text.unwrap_or(prepared.key);
                    return Found::Miss(Reason::CorruptBlob { digest });
                }
                Some(Err(_)) => return Found::Miss(Reason::Evicted),
            };
            if !entry.outputs.iter().all(|output| self.cache.has_blob(output.digest)) {
                return Found::Miss(Reason::Evicted);
            }
            self.remember(prepared, &entry);
            return Found::Hit { outputs: entry.outputs, text };
        }
        Found::Miss(self.explain(prepared))
    }

    /// Notes the state of the action, for the explanation of its next run.
    pub(crate) fn remember(&self, prepared: &Prepared, entry: &ResultEntry<'_>) {
        let mut version = prepared.key.as_bytes().to_vec();
        for header in &entry.headers {
            version.extend_from_slice(header.digest.as_bytes());
        }
        let kept = self.cache.put_slot(prepared.slot, Digest::of(&version), || Slot {
            manifest: Cow::Borrowed(&prepared.manifest),
            headers: entry.headers.clone(),
            absent: entry.absent.clone(),
        });
        self.note_cache_failure(kept);
    }

    /// Why there is no result, from the last state of the action.
    fn explain(&self, prepared: &Prepared) -> Reason {
        let state = self.cache.slot(prepared.slot);
        let Some(last) = state.as_ref().and_then(LastState::slot) else { return Reason::New };
        let mut changes = prepared.manifest.changes_since(&last.manifest);
        for header in &last.headers {
            let kind = match self.header_digest(&header.at) {
                Some(digest) if digest == header.digest => continue,
                Some(_) => InputChange::Content,
                None => InputChange::Removed,
            };
            let location = unsymbolic(&header.at);
            changes.push(Change::Header { location, kind });
        }
        let intruders = self.intruders(&last.absent);
        changes.extend(
            intruders.into_iter().map(|at| Change::NewShadowingFile { path: at.to_string() }),
        );
        if changes.is_empty() { Reason::Evicted } else { Reason::Changed { changes } }
    }
}

/// What is known about `name`, found out if need be.
fn note(known: &mut HashMap<String, bool>, name: &str, find_out: impl FnOnce() -> bool) -> bool {
    if let Some(answer) = known.get(name) {
        return *answer;
    }
    let answer = find_out();
    known.insert(name.to_owned(), answer);
    answer
}

/// The name of an action from build to build.
fn slot(project: &str, action: &Action, primary: Option<&Location>) -> Digest {
    let primary = primary.map(Location::symbolic).unwrap_or_default();
    let mut text = Vec::new();
    for part in [project, &action.owner, &action.mnemonic, &primary] {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    Digest::of(&text)
}

/// Where a file would have to appear to be read in place of one in `seen`: in a folder of the search path before the
/// one it was found in, or beside a file that may include it.
///
/// `seen` is everything the action reported, without what argv names: nothing is searched for those.
pub(crate) fn shadow_candidates(
    search_path: &[Location],
    seen: &[Location],
    includers: &[Location],
) -> BTreeMap<Location, BTreeSet<String>> {
    let mut candidates: BTreeMap<Location, BTreeSet<String>> = BTreeMap::new();
    if search_path.is_empty() {
        return candidates;
    }
    // A quoted include looks beside the file that includes. System folders are left out: their files include their
    // own, and nobody adds to them during development.
    let beside: BTreeSet<Location> = seen
        .iter()
        .chain(includers)
        .filter(|location| !matches!(location, Location::System(_)))
        .filter_map(Location::parent)
        .collect();
    let real: HashSet<&Location> = seen.iter().collect();
    for location in seen {
        for (index, folder) in search_path.iter().enumerate() {
            let Some(rest) = location.below(folder) else { continue };
            for earlier in search_path[..index].iter().chain(&beside) {
                let is_real = earlier.join(rest).is_ok_and(|at| real.contains(&at));
                if earlier != folder && !is_real {
                    candidates.entry(earlier.clone()).or_default().insert(rest.to_owned());
                }
            }
        }
    }
    candidates
}

/// What an action reported to have read, sorted out.
#[derive(Debug)]
pub(crate) struct Discovered {
    pub(crate) headers: Vec<Header<'static>>,
    pub(crate) absent: Vec<Absent<'static>>,
}

/// The artifacts that argv names, for which no search happens.
pub(crate) fn named_inputs(action: &Action) -> HashSet<ArtifactId> {
    let hidden: HashSet<_> = action.inputs.iter().copied().collect();
    action.all_inputs().into_iter().filter(|input| !hidden.contains(input)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::path::RelPath;

    fn source(path: &str) -> Location {
        Location::Source(RelPath::new(path).unwrap())
    }

    #[test]
    fn candidates() {
        let search = [source("a"), source("b"), source("c")];
        let seen = [source("b/x.h"), source("c/sub/y.h"), source("src/z.h")];
        let found = shadow_candidates(&search, &seen, &[source("src/main.c")]);
        let listed: Vec<_> = found
            .iter()
            .flat_map(|(folder, names)| names.iter().map(move |name| format!("{folder}/{name}")))
            .collect();
        assert_eq!(
            listed,
            [
                "a/sub/y.h",
                "a/x.h",
                "b/sub/y.h",
                "c/sub/sub/y.h",
                "c/sub/x.h",
                "src/sub/y.h",
                "src/x.h"
            ]
        );
        assert!(shadow_candidates(&[], &seen, &[]).is_empty());
    }
}
