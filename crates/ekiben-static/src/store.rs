//! Where static wheels are kept: `static` in the user's cache folder.
//!
//! | folder | what is in it |
//! |---|---|
//! | `<digest>/site` | a static wheel, unpacked |
//! | `<digest>/seconds` | how long it took to build it |
//! | `locks`, `logs` | what builds need while they run, and logs of failed ones |
//!
//! Invariants: a static wheel appears by a rename and never changes; what has a lock is built by one
//! process, and others wait for it and take its result.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ekiben_archive::normalize_name;
use ekiben_engine::process::{self, Stop};
use ekiben_engine::{Digest, lock};
use walkdir::WalkDir;

use crate::Error;
use crate::install::{Installer, Wanted, text};
use crate::manifest::{Manifest, Sdist, Toolchain};
use crate::recorder::Recorder;
use crate::wheel::{self, About};

/// Raise it when static wheels are made in another way.
const RECIPE: &str = "static 1";
/// Variables that builds listen to.
const HEARD: [&str; 14] = [
    "AR",
    "CC",
    "CFLAGS",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "F77",
    "FC",
    "FFLAGS",
    "LDFLAGS",
    "LDSHARED",
    "PKG_CONFIG_PATH",
    "RUSTFLAGS",
    "SETUPTOOLS_SCM_PRETEND_VERSION",
];
/// Variables that compilers get more flags by, with which the last link drops what isn't needed.
const FLAGS: [&str; 3] = ["CFLAGS", "CXXFLAGS", "FFLAGS"];
const SECTIONS: &str = "-ffunction-sections -fdata-sections";
/// The file beside `site` with the number of seconds that the build took.
const SECONDS: &str = "seconds";
/// How much of what a failed build said is shown.
const SHOWN: usize = 40;
/// Folders of a project that are no part of it.
const NOT_PROJECT: [&str; 8] =
    [".venv", "venv", ".tox", ".nox", "__pycache__", "node_modules", "build", "dist"];

/// What static wheel to build.
#[derive(Debug, Clone)]
pub struct Request {
    /// A requirement, or the path of a source distribution or of a project's folder.
    pub what: String,
    /// The SHA-256 that its source may have; any if there is none.
    pub hashes: Vec<String>,
    /// The interpreter to build for.
    pub python: PathBuf,
    /// Its release, such as `3.13.5`.
    pub version: String,
    /// What tells that interpreter from others, wherever it lies.
    pub interpreter: String,
    /// Settings of the build, `KEY=VALUE`.
    pub settings: Vec<String>,
    /// Whether objects keep their debugging information.
    pub debug: bool,
    /// The program that stands in for linkers.
    pub program: PathBuf,
}

impl Request {
    /// Whether a static wheel is of a source that is allowed.
    fn allows(&self, wheel: &Manifest) -> bool {
        let is_allowed = |sdist: &Sdist| self.hashes.contains(&sdist.sha256);
        self.hashes.is_empty() || wheel.sdist.as_ref().is_some_and(is_allowed)
    }
}

/// Who hears of a build.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Hears what is begun.
    pub step: &'a (dyn Fn(&str) + Sync),
    /// Says whether to stop.
    pub stop: Stop<'a>,
}

/// A static wheel on this machine.
#[derive(Debug, Clone)]
pub struct StaticWheel {
    /// Its files.
    pub site: PathBuf,
    /// What it is made of.
    pub manifest: Manifest,
}

impl StaticWheel {
    /// The static wheel that lies unpacked in a folder.
    ///
    /// # Errors
    /// If there is none.
    pub fn open(site: &Path) -> Result<Self, Error> {
        let manifest = Manifest::read(&wheel::manifest_path(site)?)?;
        Ok(Self { site: site.to_owned(), manifest })
    }

    /// How long it took to build it, if it was built on this machine.
    #[must_use]
    pub fn build_time(&self) -> Option<Duration> {
        let text = fs::read_to_string(self.site.with_file_name(SECONDS)).ok()?;
        text.parse().ok().map(Duration::from_secs)
    }

    /// Its `.dist-info`.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn info(&self) -> Result<PathBuf, Error> {
        Ok(self.site.join(wheel::dist_info(&self.site)?))
    }
}

/// The static wheels of a user.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// In the user's cache folder for Ekiben.
    #[must_use]
    pub fn new(cache: &Path) -> Self {
        let cache = std::path::absolute(cache).unwrap_or_else(|_| cache.to_owned());
        Self { folder: cache.join("static") }
    }

    /// All static wheels, by name and version.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn list(&self) -> Result<Vec<StaticWheel>, Error> {
        let mut wheels = Vec::new();
        if self.folder.is_dir() {
            for entry in fs::read_dir(&self.folder).map_err(Error::io("read", &self.folder))? {
                let entry = entry.map_err(Error::io("read", &self.folder))?;
                // Those of another version of Ekiben are none of ours.
                wheels.extend(StaticWheel::open(&entry.path().join("site")));
            }
        }
        wheels.sort_by_key(|wheel| {
            let Manifest { name, version, .. } = &wheel.manifest;
            let made = wheel.site.metadata().and_then(|it| it.modified()).ok();
            (normalize_name(name), version.clone(), made)
        });
        Ok(wheels)
    }

    /// The static wheel of a name, or `NAME==VERSION`: of many the newest that was made; or the one in a
    /// folder.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(&self, name: &str) -> Result<StaticWheel, Error> {
        if Path::new(name).is_dir() {
            return StaticWheel::open(Path::new(name));
        }
        let meant = Meant::of(name);
        let mut all = self.list()?;
        match all.iter().rposition(|wheel| meant.is(wheel)) {
            Some(at) => Ok(all.swap_remove(at)),
            None => Err(Error::NoSuchWheel { name: name.to_owned(), there: self.names()? }),
        }
    }

    /// Removes the static wheels of a name, or `NAME==VERSION`, and gives what they were.
    ///
    /// # Errors
    /// If there is none, or one can't be removed.
    pub fn remove(&self, name: &str) -> Result<Vec<Manifest>, Error> {
        let mut removed = Vec::new();
        let meant = Meant::of(name);
        for wheel in self.list()?.into_iter().filter(|wheel| meant.is(wheel)) {
            let target = wheel.site.parent().unwrap_or(&wheel.site);
            // Whole or not at all, to whoever looks for it meanwhile.
            let scratch = self.folder.join("scratch");
            fs::create_dir_all(&scratch).map_err(Error::io("create", &scratch))?;
            let work = tempfile::Builder::new().prefix("removed-").tempdir_in(&scratch);
            let work = work.map_err(Error::io("write to", &scratch))?;
            fs::rename(target, work.path().join("wheel")).map_err(Error::io("remove", target))?;
            work.close().map_err(Error::io("remove", &scratch))?;
            removed.push(wheel.manifest);
        }
        match removed.is_empty() {
            true => Err(Error::NoSuchWheel { name: name.to_owned(), there: self.names()? }),
            false => Ok(removed),
        }
    }

    /// The names and versions of those that are there.
    fn names(&self) -> Result<Vec<String>, Error> {
        let name = |it: &StaticWheel| format!("{} {}", it.manifest.name, it.manifest.version);
        let mut names: Vec<String> = self.list()?.iter().map(name).collect();
        names.dedup();
        Ok(names)
    }

    /// Builds a static wheel, unless it is there.
    ///
    /// # Errors
    /// If it can't be built, or has nothing to be linked.
    pub fn build(&self, request: &Request, progress: Progress<'_>) -> Result<StaticWheel, Error> {
        let asked = Asked::of(request, progress)?;
        let toolchain = toolchain(progress.stop)?;
        let place = |hashes: &[String]| {
            let key = asked.key(request, hashes, &toolchain);
            self.folder.join(key).join("site")
        };
        // Whoever takes any source may have that of others who don't.
        let mut site = place(&[]);
        match StaticWheel::open(&site) {
            Ok(wheel) if request.allows(&wheel.manifest) => return Ok(wheel),
            Ok(_) => site = place(&request.hashes),
            Err(_) => {}
        }
        if let Ok(wheel) = StaticWheel::open(&site) {
            return Ok(wheel);
        }
        for folder in ["locks", "logs", "scratch"] {
            let folder = self.folder.join(folder);
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        }
        let target = site.parent().unwrap_or(&site);
        let name = target.file_name().unwrap_or_default();
        let path = self.folder.join("locks").join(name);
        let failed = |action, error| Error::io(action, &path)(error);
        let _lock = lock::lock(&path, failed, |is_first| {
            if progress.stop.is_some_and(|stop| stop()) {
                return Err(Error::Interrupted);
            }
            if is_first {
                (progress.step)("Waiting for another process that builds the same");
            }
            Ok(())
        })?;
        if let Some(wheel) = StaticWheel::open(&site).ok().filter(|it| request.allows(&it.manifest))
        {
            return Ok(wheel);
        }
        (progress.step)(&format!("Building {} from source", asked.what));
        let work =
            tempfile::Builder::new().prefix("build-").tempdir_in(self.folder.join("scratch"));
        let work = work.map_err(Error::io("write to", &self.folder))?;
        let whole = work.path().join("whole");
        let logs = self.folder.join("logs");
        let build = Build { request, asked: &asked, toolchain, logs, stop: progress.stop };
        build.run(work.path(), &whole)?;
        if target.exists() {
            // What another version of Ekiben has left.
            fs::remove_dir_all(target).map_err(Error::io("remove", target))?;
        }
        fs::rename(&whole, target).map_err(Error::io("write", target))?;
        StaticWheel::open(&site)
    }
}

/// A build of one static wheel.
struct Build<'a> {
    request: &'a Request,
    asked: &'a Asked,
    toolchain: Toolchain,
    /// The folder for the log if it fails.
    logs: PathBuf,
    stop: Stop<'a>,
}

impl Build<'_> {
    /// Builds in the folder `work`, and makes the folder `whole` of what comes of it.
    fn run(self, work: &Path, whole: &Path) -> Result<(), Error> {
        let Self { request, asked, stop, .. } = self;
        let installer = Installer::find(&request.version, stop)?;
        let records = work.join("recorder");
        let own = work.join("own");
        for folder in [&records, &own] {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        let recorder = Recorder::new(&records, &request.program, &own, request.debug)?;
        let source = Path::new(&asked.requirement);
        let requirement = match asked.name.is_none() && source.is_dir() {
            true => {
                // A build writes where its source is, and what it makes there is its own.
                let copy = own.join("source");
                copy_tree(source, &copy)?;
                copy.display().to_string()
            }
            false => asked.requirement.clone(),
        };
        let wanted = Wanted {
            requirement,
            name: asked.name.as_deref(),
            hashes: &request.hashes,
            settings: &request.settings,
        };
        let prepare = |command: &mut Command| {
            recorder.watch(command);
            for name in FLAGS {
                let old = std::env::var(name).unwrap_or_default();
                command.env(name, format!("{old} {SECTIONS}").trim_start());
            }
        };
        let installed = own.join("installed");
        let start = Instant::now();
        let (sdist, output) =
            installer.install(&request.python, &wanted, &installed, &own, &prepare, stop)?;
        if !output.status.success() {
            let (what, hashes) = (asked.what.clone(), request.hashes.clone());
            return Err(match !hashes.is_empty() && is_of_hashes(&text(&output.stderr)) {
                true => Error::Hash { what, hashes },
                false => self.failed(&what, &output),
            });
        }
        let about = About {
            what: asked.what.clone(),
            sdist: sdist.or_else(|| asked.sdist.clone()),
            python: request.version.clone(),
            toolchain: self.toolchain,
        };
        wheel::make(&installed, &recorder.records()?, &whole.join("site"), &about)?;
        let path = whole.join(SECONDS);
        fs::write(&path, start.elapsed().as_secs().to_string()).map_err(Error::io("write", path))
    }

    /// The error of a failed build, whose log is kept.
    fn failed(&self, what: &str, output: &std::process::Output) -> Error {
        let all = format!("{}\n{}\n", text(&output.stdout), text(&output.stderr));
        let name: String = what
            .chars()
            .map(|it| if it.is_alphanumeric() || it == '.' { it } else { '-' })
            .collect();
        let log = self.logs.join(format!("{name}-{}.log", std::process::id()));
        let log = fs::write(&log, &all).is_ok().then_some(log);
        let lines: Vec<&str> = all.trim_end().lines().collect();
        let said = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        Error::Build { what: what.to_owned(), said, log }
    }
}

/// Whether pip or uv says that what it got hasn't the digest that it should.
fn is_of_hashes(said: &str) -> bool {
    said.contains("DO NOT MATCH THE HASHES") || said.contains("Hash mismatch")
}

/// Which static wheels are meant by a name, or `NAME==VERSION`.
struct Meant<'a> {
    name: String,
    version: Option<&'a str>,
}

impl<'a> Meant<'a> {
    fn of(text: &'a str) -> Self {
        match text.split_once("==") {
            Some((name, version)) => {
                Self { name: normalize_name(name.trim()), version: Some(version.trim()) }
            }
            None => Self { name: normalize_name(text), version: None },
        }
    }

    fn is(&self, wheel: &StaticWheel) -> bool {
        let Manifest { name, version, .. } = &wheel.manifest;
        normalize_name(name) == self.name && self.version.is_none_or(|it| it == version)
    }
}

/// What a request comes to.
struct Asked {
    /// For people.
    what: String,
    /// For an installer.
    requirement: String,
    /// None for a path.
    name: Option<String>,
    /// What the source is, as far as that is known.
    source: String,
    sdist: Option<Sdist>,
}

impl Asked {
    fn of(request: &Request, progress: Progress<'_>) -> Result<Self, Error> {
        let path = Path::new(&request.what);
        let is_path = request.what.contains('/') || request.what.ends_with(".tar.gz");
        if is_path || path.is_file() {
            let path = std::path::absolute(path).map_err(Error::io("find", path))?;
            let (source, sdist) = match path.is_dir() {
                true => (tree_digest(&path)?, None),
                false => {
                    let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
                    let sha256 = Digest::of(&bytes).to_string();
                    let file = path.file_name().unwrap_or_default().to_string_lossy();
                    (sha256.clone(), Some(Sdist { file: file.into_owned(), sha256 }))
                }
            };
            let requirement = path.display().to_string();
            let is_other = |sdist: &Sdist| !request.hashes.contains(&sdist.sha256);
            if !request.hashes.is_empty() && sdist.as_ref().is_none_or(is_other) {
                let hashes = request.hashes.clone();
                return Err(Error::Hash { what: requirement, hashes });
            }
            return Ok(Self { what: requirement.clone(), requirement, name: None, source, sdist });
        }
        let pinned =
            request.what.split_once("==").map(|(name, version)| (name.trim(), version.trim()));
        let (name, version) =
            match pinned.filter(|(name, version)| is_plain(name) && is_plain(version)) {
                Some((name, version)) => (name.to_owned(), version.to_owned()),
                None => {
                    (progress.step)(&format!("Looking for {}", request.what));
                    let installer = Installer::find(&request.version, progress.stop)?;
                    installer.resolve(&request.python, &request.what, progress.stop)?
                }
            };
        let requirement = format!("{}=={version}", normalize_name(&name));
        Ok(Self {
            what: format!("{name} {version}"),
            source: requirement.clone(),
            requirement,
            name: Some(normalize_name(&name)),
            sdist: None,
        })
    }

    /// The digest of all that determines the result.
    fn key(&self, request: &Request, hashes: &[String], toolchain: &Toolchain) -> String {
        let heard: BTreeMap<&str, String> =
            HEARD.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))).collect();
        let source = match self.name {
            Some(_) => format!("{} {}", self.source, hashes.join(" ")),
            None => self.source.clone(),
        };
        let all = (
            RECIPE,
            source,
            &request.interpreter,
            &request.settings,
            request.debug,
            toolchain,
            heard,
        );
        Digest::of(&serde_json::to_vec(&all).unwrap_or_default()).to_string()
    }
}

/// Whether a name or version is one, and no pattern or more.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+!".contains(&byte))
}

/// The files of a project, by their paths in it.
fn tree(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let is_part = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !entry.file_type().is_dir() || !NOT_PROJECT.contains(&name.as_ref())
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(is_part) {
        let entry = entry.map_err(|error| Error::io("read", folder)(error.into()))?;
        if !entry.file_type().is_dir() {
            let inner = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            files.push(inner.to_owned());
        }
    }
    Ok(files)
}

/// The digest of the files of a project; its history counts for nothing.
fn tree_digest(folder: &Path) -> Result<String, Error> {
    let mut key = Vec::new();
    for inner in tree(folder)? {
        let path = folder.join(&inner);
        if path.is_file() && !inner.starts_with(".git") {
            let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
            key.extend_from_slice(inner.as_os_str().as_encoded_bytes());
            key.push(0);
            key.extend_from_slice(Digest::of(&bytes).as_bytes());
        }
    }
    Ok(Digest::of(&key).to_string())
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    for inner in tree(from)? {
        let (from, to) = (from.join(&inner), to.join(&inner));
        // A link to nothing is nothing.
        if from.is_file() {
            let folder = to.parent().unwrap_or(&to);
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            fs::copy(&from, &to).map_err(Error::io("copy", &from))?;
        }
    }
    Ok(())
}

/// What compiles and what makes objects, by what they say of themselves.
fn toolchain(stop: Stop<'_>) -> Result<Toolchain, Error> {
    let first_line = |program: &str| {
        let output = process::output(Command::new(program).arg("--version"), stop);
        let output = output.map_err(Error::io("run", program))?;
        Ok::<_, Error>(text(&output.stdout).lines().next().unwrap_or_default().to_owned())
    };
    Ok(Toolchain { compiler: first_line("cc")?, linker: first_line("ld.bfd")? })
}
