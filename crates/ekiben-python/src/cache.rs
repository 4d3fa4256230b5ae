//! Facts kept from one run to the next.
//!
//! A cached answer has two safeguards. Its *key* is made of all that is known before the answer:
//! the executable's path and state, the virtual environment's configuration, the variables that
//! change what `sysconfig` says, the script. Its *witnesses* are files that only the answer names,
//! with their states: the base interpreter, the file that `sysconfig` reads, the headers. If one of
//! them has changed, an interpreter was rebuilt in place, and it is asked again.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Facts;
use crate::facts::SCRIPT;

/// Where facts are kept, by key. A cache may forget at any time; it needn't report failures.
pub trait FactsCache {
    /// What was last put under `key`.
    fn get(&self, key: &str) -> Option<Vec<u8>>;
    /// Keeps `value` under `key`, which consists of lower-case letters, digits and `-`.
    fn put(&self, key: &str, value: &[u8]);
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCache;

impl FactsCache for NoCache {
    fn get(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn put(&self, _: &str, _: &[u8]) {}
}

/// Variables that change what an interpreter says about itself.
pub(crate) const VARIABLES: [&str; 8] = [
    "ARCHFLAGS",
    "DEB_PYTHON_INSTALL_LAYOUT",
    "MACOSX_DEPLOYMENT_TARGET",
    "PYTHONHOME",
    "PYTHONPLATLIBDIR",
    "_PYTHON_HOST_PLATFORM",
    "_PYTHON_PROJECT_BASE",
    "_PYTHON_SYSCONFIGDATA_NAME",
];

/// An answer and what must not have changed since.
#[derive(Serialize, Deserialize)]
struct Kept {
    witnesses: Vec<Witness>,
    facts: Facts,
}

/// A file and the state it was in; no state if there was no such file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Witness {
    path: PathBuf,
    state: Option<State>,
}

/// Changes when a file is written or replaced, even by one of the same size and time.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct State {
    size: u64,
    modified_ns: u128,
    changed: (i64, i64),
}

impl Witness {
    fn of(path: PathBuf) -> Self {
        let state = fs::metadata(&path).ok().map(|metadata| State {
            size: metadata.len(),
            modified_ns: metadata
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .map_or(0, |since| since.as_nanos()),
            changed: changed(&metadata),
        });
        Self { path, state }
    }

    fn still_holds(&self) -> bool {
        Self::of(self.path.clone()).state == self.state
    }
}

#[cfg(unix)]
fn changed(metadata: &fs::Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &fs::Metadata) -> (i64, i64) {
    (0, 0)
}

/// The key for the facts of `executable`, an absolute path that isn't made canonical, since a
/// virtual environment's interpreter is a link.
pub(crate) fn key(executable: &Path) -> String {
    key_with(executable, |name| env::var_os(name))
}

fn key_with(executable: &Path, variable: impl Fn(&str) -> Option<OsString>) -> String {
    let real = fs::canonicalize(executable).unwrap_or_else(|_| executable.to_owned());
    let beside = executable.parent();
    let configuration =
        |folder: Option<&Path>| folder.and_then(|folder| fs::read(folder.join("pyvenv.cfg")).ok());
    let identity = (
        executable,
        Witness::of(real),
        configuration(beside),
        configuration(beside.and_then(Path::parent)),
        VARIABLES.map(variable),
        SCRIPT,
    );
    // `Debug` rather than JSON, which can't hold every path.
    let digest = Sha256::digest(format!("{identity:?}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("python-facts-{hex}")
}

/// What is kept under `key`, if it still holds.
pub(crate) fn load(cache: &dyn FactsCache, key: &str) -> Option<Facts> {
    let kept: Kept = serde_json::from_slice(&cache.get(key)?).ok()?;
    kept.witnesses.iter().all(Witness::still_holds).then_some(kept.facts)
}

/// Keeps `facts` under `key`.
pub(crate) fn store(cache: &dyn FactsCache, key: &str, facts: &Facts) {
    let files = [
        Some(facts.executable.clone()),
        Some(facts.base_executable.clone()),
        facts.sysconfigdata.clone(),
        Some(facts.include.join("Python.h")),
        Some(facts.include.join("patchlevel.h")),
        Some(facts.platinclude.join("pyconfig.h")),
    ];
    let witnesses = files.into_iter().flatten().map(Witness::of).collect();
    if let Ok(bytes) = serde_json::to_vec(&Kept { witnesses, facts: facts.clone() }) {
        cache.put(key, &bytes);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::facts::tests::example;
    use std::cell::RefCell;
    use std::collections::HashMap;

    #[derive(Default)]
    struct Memory(RefCell<HashMap<String, Vec<u8>>>);

    impl FactsCache for Memory {
        fn get(&self, key: &str) -> Option<Vec<u8>> {
            self.0.borrow().get(key).cloned()
        }

        fn put(&self, key: &str, value: &[u8]) {
            self.0.borrow_mut().insert(key.into(), value.into());
        }
    }

    /// Facts whose files are all in `folder`.
    fn facts_in(folder: &Path) -> Facts {
        let mut facts = example();
        facts.executable = folder.join("python");
        facts.base_executable = folder.join("base");
        facts.include = folder.into();
        facts.platinclude = folder.into();
        facts.sysconfigdata = Some(folder.join("_sysconfigdata.py"));
        facts
    }

    #[test]
    fn facts_hold_until_a_witness_changes() {
        let witnesses =
            ["python", "base", "_sysconfigdata.py", "Python.h", "patchlevel.h", "pyconfig.h"];
        for changed in witnesses {
            let folder = tempfile::tempdir().unwrap();
            for witness in witnesses {
                fs::write(folder.path().join(witness), "old").unwrap();
            }
            let cache = Memory::default();
            let facts = facts_in(folder.path());
            store(&cache, "key", &facts);
            assert_eq!(load(&cache, "key").as_ref(), Some(&facts));
            assert_eq!(load(&cache, "other"), None);
            fs::write(folder.path().join(changed), "newer").unwrap();
            assert_eq!(load(&cache, "key"), None, "{changed} changed");
        }
    }

    #[test]
    fn a_header_that_appears_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Memory::default();
        store(&cache, "key", &facts_in(folder.path()));
        assert!(load(&cache, "key").is_some());
        fs::write(folder.path().join("Python.h"), "").unwrap();
        assert!(load(&cache, "key").is_none());
    }

    #[test]
    fn what_is_damaged_is_forgotten() {
        let cache = Memory::default();
        cache.put("key", b"{\"witnesses\": [], \"facts\": {}}");
        assert!(load(&cache, "key").is_none());
    }

    #[test]
    fn the_key_changes_with_each_variable() {
        let python = Path::new("/no/such/python");
        let plain = key_with(python, |_| None);
        let mut keys: Vec<String> = VARIABLES
            .iter()
            .map(|set| key_with(python, |name| (name == *set).then(|| "x".into())))
            .collect();
        keys.push(plain);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), VARIABLES.len() + 1);
    }

    #[test]
    fn the_key_changes_with_the_executable_and_its_environment() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("bin").join("python");
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::write(&python, "old").unwrap();
        let first = key(&python);
        assert_eq!(key(&python), first);
        fs::write(folder.path().join("pyvenv.cfg"), "home = /usr/bin").unwrap();
        let second = key(&python);
        fs::write(&python, "newer").unwrap();
        let third = key(&python);
        assert!(first != second && second != third && first != third);
        assert!(first.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
    }
}
