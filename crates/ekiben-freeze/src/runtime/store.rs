//! Where runtimes are kept: `runtimes` in the user's cache folder.
//!
//! | folder | what is in it |
//! |---|---|
//! | `<digest>` | runtimes |
//! | `interpreters/<digest>` | CPython, from which runtimes are made |
//! | `sources` | source archives that came over the network |
//! | `libraries/<digest>` | C libraries from pinned sources |
//! | `locks`, `scratch`, `logs` | what builds need while they run, and logs of failed ones |
//!
//! Invariant: what has a lock is built by one process; others wait for it and take its result.

use std::fs::File;
use std::path::{Path, PathBuf};

use ekiben_engine::lock;

use super::assemble;
use super::error::Error;
use super::interpreter::{self, Recipe};
use super::libraries::Libraries;
use super::manifest::{self, FORMAT, Manifest};
use super::run::Runner;
use super::toolchain::Toolchain;
use super::{Parts, Progress, Request, files, pinned, source};

/// How much of a digest is enough for people.
const SHORT: usize = 12;
/// The first series of 3 whose test modules are built as all others are.
const TESTS_SINCE: u8 = 12;

/// A runtime on this machine.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Its folder.
    pub folder: PathBuf,
    /// What it is made of.
    pub manifest: Manifest,
}

impl Runtime {
    /// Opens the runtime in a folder.
    ///
    /// # Errors
    /// If there is none, or it is of another version of Ekiben.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let manifest: Manifest = manifest::read(&folder.join(assemble::MANIFEST))?;
        if manifest.format != FORMAT {
            return Err(Error::Damaged {
                folder: folder.to_owned(),
                message: format!("its format is {}, and {FORMAT} is known", manifest.format),
            });
        }
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// What people call it: the version and the first digits of its digest.
    #[must_use]
    pub fn name(&self) -> String {
        let digest = &self.manifest.digest;
        let short = digest.get(..SHORT).unwrap_or(digest);
        format!("{}-{short}", self.manifest.interpreter.version)
    }

    /// What it runs on, as Python names it: `x86_64`, `aarch64`.
    #[must_use]
    pub fn architecture(&self) -> &str {
        let target = &self.manifest.interpreter.compiler.target;
        match target.split('-').next().unwrap_or(target) {
            "arm" => "armv7l",
            "i386" | "i486" | "i586" => "i686",
            "powerpc64le" => "ppc64le",
            other => other,
        }
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, inner: &str) -> PathBuf {
        self.folder.join(inner)
    }

    /// The ordinary interpreter.
    #[must_use]
    pub fn interpreter(&self) -> PathBuf {
        self.path(&format!("bin/python{}", self.manifest.interpreter.python))
    }

    /// The image of the standard library.
    #[must_use]
    pub fn image(&self) -> PathBuf {
        self.path(assemble::IMAGE)
    }

    /// Copies it to a folder that isn't there yet, or is empty.
    ///
    /// # Errors
    /// If there is something, or it can't be written.
    pub fn export(&self, to: &Path) -> Result<(), Error> {
        let is_taken = match std::fs::read_dir(to) {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => to.symlink_metadata().is_ok(),
        };
        if is_taken {
            return Err(Error::Input {
                message: format!("{} is there already", to.display()),
                help: "name a new folder, or remove that one".to_owned(),
            });
        }
        let parent = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        files::create_folder(parent)?;
        let part = tempfile::Builder::new().prefix(".ekiben-").tempdir_in(parent);
        let part = part.map_err(Error::io("create a folder in", parent))?;
        let whole = part.path().join("runtime");
        files::copy_folder(&self.folder, &whole)?;
        std::fs::rename(&whole, to).map_err(Error::io("write", to))
    }
}

/// The runtimes of a user.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// In the user's cache folder for Ekiben.
    #[must_use]
    pub fn new(cache: &Path) -> Self {
        // Processes that run in its folders need the whole path.
        let cache = std::path::absolute(cache).unwrap_or_else(|_| cache.to_owned());
        Self { folder: cache.join("runtimes") }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All runtimes, the newest version last, and of one version that which was made last.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn list(&self) -> Result<Vec<Runtime>, Error> {
        let mut runtimes = Vec::new();
        if self.folder.is_dir() {
            let read = || Error::io("read", &self.folder);
            for entry in std::fs::read_dir(&self.folder).map_err(read())? {
                let folder = entry.map_err(read())?.path();
                if folder.join(assemble::MANIFEST).is_file() {
                    // One of another version of Ekiben is none of ours.
                    runtimes.extend(Runtime::open(&folder));
                }
            }
        }
        let order = |runtime: &Runtime| {
            let version = &runtime.manifest.interpreter.version;
            let numbers: Vec<u32> =
                version.split('.').map_while(|part| part.parse().ok()).collect();
            // Of one version the last made is of the newest parts.
            let made = runtime.path(assemble::MANIFEST).metadata().and_then(|it| it.modified());
            (numbers, made.ok(), runtime.name())
        };
        runtimes.sort_by_key(order);
        Ok(runtimes)
    }

    /// The runtime of a name, of a version, in a folder; without any, the one of the newest version.
    /// One with tests is meant by its name or folder only.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(&self, name: Option<&str>) -> Result<Runtime, Error> {
        if let Some(folder) = name.map(Path::new)
            && folder.join(assemble::MANIFEST).is_file()
        {
            return Runtime::open(folder);
        }
        let mut all = self.list()?;
        let there = all.iter().map(Runtime::name).collect();
        let is_meant = |runtime: &Runtime| match name {
            Some(name) => answers_to(runtime, name),
            None => !runtime.manifest.interpreter.options.tests,
        };
        match all.iter().rposition(is_meant) {
            Some(at) => Ok(all.swap_remove(at)),
            None => Err(Error::NoSuchRuntime { name: name.map(str::to_owned), there }),
        }
    }

    /// The runtime of a digest.
    ///
    /// # Errors
    /// If there is none.
    pub fn by_digest(&self, digest: &str) -> Result<Runtime, Error> {
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let folder = self.folder.join(digest);
        if is_digest && folder.join(assemble::MANIFEST).is_file() {
            return Runtime::open(&folder);
        }
        let there = self.list()?.iter().map(Runtime::name).collect();
        Err(Error::NoSuchRuntime { name: Some(digest.to_owned()), there })
    }

    /// Removes the one runtime that is meant by a name, and gives what it was called.
    ///
    /// # Errors
    /// If there is none, if it isn't clear which is meant, or it can't be removed.
    pub fn remove(&self, name: &str) -> Result<String, Error> {
        let all = self.list()?;
        let meant: Vec<&Runtime> = all.iter().filter(|it| answers_to(it, name)).collect();
        let [runtime] = meant[..] else {
            if meant.is_empty() {
                let there = all.iter().map(Runtime::name).collect();
                return Err(Error::NoSuchRuntime { name: Some(name.to_owned()), there });
            }
            let names: Vec<String> = meant.into_iter().map(Runtime::name).collect();
            return Err(Error::Input {
                message: format!("`{name}` may be each of {}", names.join(", ")),
                help: "give the whole name of the one to be removed".to_owned(),
            });
        };
        // Whole or not at all, to whoever looks for runtimes meanwhile.
        let scratch = self.folder.join("scratch");
        files::create_folder(&scratch)?;
        let work = tempfile::Builder::new().prefix("removed-").tempdir_in(&scratch);
        let work = work.map_err(Error::io("write to", &scratch))?;
        let gone = work.path().join("runtime");
        std::fs::rename(&runtime.folder, &gone).map_err(Error::io("remove", &runtime.folder))?;
        files::remove_folder(&gone)?;
        Ok(runtime.name())
    }

    /// Builds a runtime, unless it is there.
    ///
    /// # Errors
    /// If it can't be built; the log of what ran is kept then.
    pub fn build(
        &self,
        request: &Request,
        parts: Parts<'_>,
        progress: Progress<'_>,
    ) -> Result<Runtime, Error> {
        for folder in ["interpreters", pinned::FOLDER, "locks", "logs", "scratch", "sources"] {
            files::create_folder(&self.folder.join(folder))?;
        }
        let log = format!("{}-{}.log", request.python, std::process::id());
        let log = self.folder.join("logs").join(log);
        let built = self.build_logged(request, parts, &mut Runner::new(progress, &log)?);
        if !matches!(built, Err(Error::Step { .. } | Error::Internal(_))) {
            // It says nothing that the result or the error doesn't; losing the race to remove it is fine.
            let _ = std::fs::remove_file(&log);
        }
        built
    }

    fn build_logged(
        &self,
        request: &Request,
        parts: Parts<'_>,
        runner: &mut Runner<'_>,
    ) -> Result<Runtime, Error> {
        if request.tests && request.python.minor() < TESTS_SINCE {
            return Err(Error::Input {
                message: format!("the tests of CPython {} can't be taken", request.python),
                help: format!("ask for 3.{TESTS_SINCE} or later, or leave --tests away"),
            });
        }
        let toolchain = Toolchain::find(runner)?;
        let sources = self.folder.join("sources");
        let archive = source::fetch(&request.source, request.python, &sources, runner)?;
        let libraries = Libraries::find(request, self, &toolchain, runner)?;
        interpreter::report_left_out(request, &libraries, runner)?;
        let recipe =
            Recipe { request, archive: &archive, toolchain: &toolchain, libraries: &libraries };
        let interpreter_key = recipe.digest()?;
        let key = assemble::key(&interpreter_key, request.flavours, parts)?;
        let runtime = self.once(&key, "", assemble::MANIFEST, runner, |scratch, runner| {
            let python = self.once(
                &interpreter_key,
                "interpreters",
                interpreter::MANIFEST,
                runner,
                |scratch, runner| interpreter::build(&recipe, scratch, runner),
            )?;
            let flavours = request.flavours;
            assemble::assemble(&python, &key, flavours, parts, &toolchain, scratch, runner)
        })?;
        Runtime::open(&runtime)
    }

    /// The folder `<inside>/<key>`, made by `build` in a scratch folder unless it is there.
    pub(super) fn once(
        &self,
        key: &str,
        inside: &str,
        marker: &str,
        runner: &mut Runner<'_>,
        build: impl FnOnce(&Path, &mut Runner<'_>) -> Result<PathBuf, Error>,
    ) -> Result<PathBuf, Error> {
        let target = self.folder.join(inside).join(key);
        if target.join(marker).is_file() {
            return Ok(target);
        }
        let short = key.get(..SHORT).unwrap_or(key);
        let _lock = self.lock(short, runner)?;
        if target.join(marker).is_file() {
            return Ok(target);
        }
        let scratch = self.folder.join("scratch").join(short);
        // What a killed build left.
        files::remove_folder(&scratch)?;
        files::remove_folder(&target)?;
        files::create_folder(&scratch)?;
        // As compilers see it, so that a path that they wrote down is found.
        let scratch = scratch.canonicalize().map_err(Error::io("read", &scratch))?;
        let built = build(&scratch, runner).and_then(|result| {
            std::fs::rename(&result, &target).map_err(Error::io("write", &target))
        });
        let removed = files::remove_folder(&scratch);
        built.and(removed)?;
        Ok(target)
    }

    fn lock(&self, key: &str, runner: &mut Runner<'_>) -> Result<File, Error> {
        let path = self.folder.join("locks").join(key);
        let failed = |action, error| Error::io(action, &path)(error);
        lock::lock(&path, failed, |is_first| {
            runner.progress.check()?;
            match is_first {
                true => runner.step("Waiting for another process that builds the same"),
                false => Ok(()),
            }
        })
    }
}

/// Whether a runtime is meant by a name, a digest or the beginning of a version.
fn answers_to(runtime: &Runtime, name: &str) -> bool {
    let version = &runtime.manifest.interpreter.version;
    let of_version = version
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && name.contains('.'));
    let is_digest = name.len() >= SHORT && runtime.manifest.digest.starts_with(name);
    let is_for_all = !runtime.manifest.interpreter.options.tests;
    runtime.name() == name || of_version && is_for_all || is_digest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::runtime::testing::manifest;

    fn store_with(versions: &[(&str, char)]) -> (tempfile::TempDir, Store) {
        let cache = tempfile::tempdir().unwrap();
        let store = Store::new(cache.path());
        for (version, digest) in versions {
            let path = store.folder.join(digest.to_string().repeat(64)).join(assemble::MANIFEST);
            manifest::write(&path, &manifest(version, *digest)).unwrap();
        }
        (cache, store)
    }

    #[test]
    fn runtimes_are_found_by_name_version_digest_and_folder() {
        let (_cache, store) = store_with(&[("3.13.5", 'a'), ("3.11.2", 'b'), ("3.13.12", 'c')]);
        let names: Vec<String> = store.list().unwrap().iter().map(Runtime::name).collect();
        assert_eq!(names, ["3.11.2-bbbbbbbbbbbb", "3.13.5-aaaaaaaaaaaa", "3.13.12-cccccccccccc"]);
        let folder = store.folder.join("b".repeat(64));
        for (asked, found) in [
            (None, 'c'),
            (Some("3.13"), 'c'),
            (Some("3.13.5"), 'a'),
            (Some("3.13.5-aaaaaaaaaaaa"), 'a'),
            (Some("3.11"), 'b'),
            (Some("bbbbbbbbbbbbbb"), 'b'),
            (folder.to_str(), 'b'),
        ] {
            let runtime = store.find(asked).unwrap();
            assert_eq!(runtime.manifest.digest, found.to_string().repeat(64), "{asked:?}");
        }
        let by_digest = |digest: &str| store.by_digest(digest).map(|it| it.name());
        assert_eq!(by_digest(&"b".repeat(64)).unwrap(), "3.11.2-bbbbbbbbbbbb");
        for other in [folder.to_str().unwrap(), "bbbbbbbbbbbb", "3.11", &"d".repeat(64)] {
            assert!(by_digest(other).is_err(), "{other}");
        }
        for other in ["3.1", "3", "3.12", "bb", "3.13.5-bbbbbbbbbbbb"] {
            let error = store.find(Some(other)).unwrap_err();
            assert_eq!(error.to_string(), format!("there is no runtime `{other}`"));
        }
    }

    #[test]
    fn a_runtime_with_tests_is_found_by_its_name_only() {
        let (_cache, store) = store_with(&[("3.13.5", 'a'), ("3.13.6", 'b')]);
        let path = store.folder.join("b".repeat(64)).join(assemble::MANIFEST);
        let mut with_tests = manifest("3.13.6", 'b');
        with_tests.interpreter.options.tests = true;
        manifest::write(&path, &with_tests).unwrap();
        assert_eq!(store.list().unwrap().len(), 2);
        for (asked, found) in [
            (None, "3.13.5-aaaaaaaaaaaa"),
            (Some("3.13"), "3.13.5-aaaaaaaaaaaa"),
            (Some("3.13.6-bbbbbbbbbbbb"), "3.13.6-bbbbbbbbbbbb"),
        ] {
            assert_eq!(store.find(asked).unwrap().name(), found);
        }
        assert!(store.find(Some("3.13.6")).is_err());
    }

    #[test]
    fn the_one_that_is_meant_is_removed() {
        let (_cache, store) = store_with(&[("3.13.5", 'a'), ("3.11.2", 'b'), ("3.13.12", 'c')]);
        let error = store.remove("3.13").unwrap_err();
        let names = "`3.13` may be each of 3.13.5-aaaaaaaaaaaa, 3.13.12-cccccccccccc";
        assert_eq!(error.to_string(), names);
        assert!(store.remove("3.12").is_err());
        assert_eq!(store.remove("3.13.5").unwrap(), "3.13.5-aaaaaaaaaaaa");
        let names: Vec<String> = store.list().unwrap().iter().map(Runtime::name).collect();
        assert_eq!(names, ["3.11.2-bbbbbbbbbbbb", "3.13.12-cccccccccccc"]);
    }

    #[test]
    fn an_export_takes_nobody_elses_place() {
        let (cache, store) = store_with(&[("3.13.5", 'a')]);
        let runtime = store.find(None).unwrap();
        let to = cache.path().join("new/runtime");
        runtime.export(&to).unwrap();
        assert_eq!(Runtime::open(&to).unwrap().manifest, runtime.manifest);
        let error = runtime.export(&to).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is there already", to.display()));
    }

    #[test]
    fn many_builds_of_the_same_build_once() {
        let (cache, store) = store_with(&[]);
        for folder in ["locks", "scratch"] {
            files::create_folder(&store.folder.join(folder)).unwrap();
        }
        let stop = AtomicBool::new(false);
        let builds = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (store, stop, builds, cache) = (&store, &stop, &builds, cache.path());
                scope.spawn(move || {
                    let progress = Progress { step: &|_| {}, note: &|_| {}, stop };
                    let log = cache.join(format!("log{number}"));
                    let mut runner = Runner::new(progress, &log).unwrap();
                    let made = store.once("key", "", "mark", &mut runner, |scratch, _| {
                        builds.fetch_add(1, Ordering::SeqCst);
                        let result = scratch.join("result");
                        files::write(&result.join("mark"), "").unwrap();
                        Ok(result)
                    });
                    assert!(made.unwrap().join("mark").is_file());
                });
            }
        });
        assert_eq!(builds.load(Ordering::SeqCst), 1);
        assert!(!store.folder.join("scratch/key").exists());
    }

    #[test]
    fn a_failed_build_leaves_nothing() {
        let (cache, store) = store_with(&[]);
        for folder in ["locks", "scratch"] {
            files::create_folder(&store.folder.join(folder)).unwrap();
        }
        let stop = AtomicBool::new(false);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
        let mut runner = Runner::new(progress, &cache.path().join("log")).unwrap();
        let failed = store.once("key", "", "mark", &mut runner, |scratch, _| {
            files::write(&scratch.join("half"), "").unwrap();
            Err(Error::Interrupted)
        });
        assert!(matches!(failed, Err(Error::Interrupted)));
        assert!(!store.folder.join("key").exists() && !store.folder.join("scratch/key").exists());
    }
}
