//! The flavour `host`: programs with an ordinary interpreter of this machine, of which nothing is linked.
//!
//! The interpreter's executable, the libraries that it is linked to and its standard library, with the
//! modules of `lib-dynload`, become an image, which is kept in the cache as long as none of their files
//! changes. A small launcher takes the place of a runtime's interpreter: see `crates/ekiben-launcher`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ekiben_engine::Digest;
use ekiben_image::{Builder, Content, Effort, FileKind, ModuleKind, NewModule};
use ekiben_object::elf;
use serde::{Deserialize, Serialize};

use super::inputs::{Inputs, Names};
use super::report::Why;
use super::shared::{Collector, Module};
use super::{Base, Error, Flavour, script};
use crate::runtime::{CHANGES, Change, LICENCES, is_early, stdlib_recipe};

/// The script that reads a standard library.
const SCRIPT: &[(&str, &str)] = &[("__main__.py", include_str!("host/library.py"))];
/// In the folder of a base: the launcher, and what interpreter it was made of.
const LAUNCHER: &str = "launcher";
const RECORD: &str = "interpreter.json";
/// Where the interpreter and Ekiben's library are in an image.
const INTERPRETER: &str = "bin/python";
const LIBRARY: &str = "lib/ekiben_host.so";
/// The first and the last version (3.x) whose start is known: see `ekiben-runtime`'s `host/config.rs`.
const VERSIONS: std::ops::RangeInclusive<u32> = 11..=13;
/// Under the GPL, which would bind whoever passes a program on.
const GPL: [&str; 3] = ["libreadline.so", "libgdbm", "libdb-"];
/// Asks an interpreter for its version and its path.
const QUESTION: &str = "import os, sys; print(sys.version_info[0], sys.version_info[1], \
    os.path.realpath(getattr(sys, '_base_executable', sys.executable)), sep='\\n')";

/// What of Ekiben's own goes into such programs.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The launcher.
    pub launcher: &'a [u8],
    /// The library that takes over the interpreter's start.
    pub library: &'a [u8],
    /// Modules, by file name.
    pub python: &'a [(&'a str, &'a str)],
    /// The licences of what is in the library and the launcher.
    pub licences: &'a str,
}

/// An ordinary interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// Its executable; that of a virtual environment's base.
    pub path: PathBuf,
    /// Its version, such as `3.13`.
    pub python: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Request<'a> {
    prefix: String,
    parts: BTreeMap<&'a str, &'a str>,
    changes: [Change; CHANGES.len()],
}

#[derive(Deserialize)]
struct Answer {
    executable: PathBuf,
    version: String,
    odd: Vec<String>,
    builtins: Vec<String>,
    modules: Vec<StandardModule>,
    extensions: Vec<Extension>,
    files: Vec<DataFile>,
    inputs: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct StandardModule {
    name: String,
    path: String,
    package: bool,
    code: (usize, usize),
    source: (usize, usize),
}

#[derive(Deserialize)]
struct Extension {
    name: String,
    path: String,
    file: PathBuf,
}

#[derive(Deserialize)]
struct DataFile {
    path: String,
    file: PathBuf,
}

impl Interpreter {
    /// The interpreter of a version, or at a path.
    ///
    /// # Errors
    /// If there is none, or such programs can't be made of it.
    pub fn find(wanted: &str) -> Result<Self, Error> {
        let is_version = wanted.strip_prefix("3.").is_some_and(|it| it.parse::<u32>().is_ok());
        let candidates = match is_version {
            true => vec![format!("python{wanted}"), "python3".to_owned()],
            false => vec![wanted.to_owned()],
        };
        let found = candidates
            .iter()
            .filter_map(|name| Self::ask(name))
            .find(|it| !is_version || it.python == wanted);
        let Some(found) = found else {
            return Err(Error::NoInterpreter { wanted: wanted.to_owned() });
        };
        let minor = found.python.strip_prefix("3.").and_then(|minor| minor.parse().ok());
        match minor {
            Some(minor) if VERSIONS.contains(&minor) => Ok(found),
            _ => {
                let why = format!(
                    "it is Python {}, and programs of the flavour `host` can be made of 3.{} to 3.{}",
                    found.python,
                    VERSIONS.start(),
                    VERSIONS.end()
                );
                Err(Error::Host { path: found.path, why })
            }
        }
    }

    fn ask(name: &str) -> Option<Self> {
        let mut command = Command::new(name);
        let output =
            command.args(["-I", "-S", "-c", QUESTION]).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        let mut lines = text.lines();
        let (major, minor, path) = (lines.next()?, lines.next()?, lines.next()?);
        Some(Self { path: PathBuf::from(path), python: format!("{major}.{minor}") })
    }

    /// What programs of this interpreter are made of, kept in a folder of the cache.
    ///
    /// # Errors
    /// If its files can't be read, or aren't what they have to be.
    pub fn base(&self, parts: Parts<'_>, cache: &Path) -> Result<Base, Error> {
        let mut key = concat!("host ", env!("CARGO_PKG_VERSION"), "\0").as_bytes().to_vec();
        key.extend_from_slice(self.path.as_os_str().as_encoded_bytes());
        for (name, text) in parts.python.iter().copied().chain(SCRIPT.iter().copied()) {
            key.extend_from_slice(name.as_bytes());
            key.extend_from_slice(Digest::of(text.as_bytes()).as_bytes());
        }
        key.extend(serde_json::to_vec(&stdlib_recipe()).unwrap_or_default());
        for bytes in [parts.launcher, parts.library] {
            key.extend_from_slice(Digest::of(bytes).as_bytes());
        }
        let folder = folder(cache, &Digest::of(&key).to_string());
        let base = self.base_in(&folder);
        let inputs = folder.join("inputs.json");
        let kept = fs::read(&inputs).ok();
        let kept = kept.and_then(|text| serde_json::from_slice::<Inputs>(&text).ok());
        let is_there = || base.stdlib.is_file() && Self::of(&folder).as_ref() == Some(self);
        if !kept.is_some_and(|kept| kept.hold() && is_there()) {
            let (content, read) = self.image(parts)?;
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
            put(&folder.join(LAUNCHER), parts.launcher)?;
            put(&base.stdlib, &content)?;
            put(&folder.join(RECORD), &serde_json::to_vec(self).unwrap_or_default())?;
            put(&inputs, &serde_json::to_vec(&read).unwrap_or_default())?;
        }
        Ok(base)
    }

    /// What [`base`](Self::base) made before, by the digest that is its folder's name.
    ///
    /// # Errors
    /// If there is none.
    pub fn kept(digest: &str, cache: &Path) -> Result<Base, Error> {
        let folder = folder(cache, digest);
        match Self::of(&folder) {
            Some(interpreter) => Ok(interpreter.base_in(&folder)),
            None => {
                let why = format!("there is no {RECORD}");
                Err(Error::NoRuntime { folder, why })
            }
        }
    }

    /// The interpreter that a folder was made of.
    fn of(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(RECORD)).ok()?).ok()
    }

    fn base_in(&self, folder: &Path) -> Base {
        Base {
            programs: BTreeMap::from([(Flavour::Host, folder.join(LAUNCHER))]),
            interpreter: self.path.clone(),
            stdlib: folder.join("stdlib.image"),
            python: self.python.clone(),
        }
    }

    /// The image of the standard library, and what it depended on.
    fn image(&self, parts: Parts<'_>) -> Result<(Vec<u8>, Inputs), Error> {
        let prefix = format!("lib/python{}", self.python);
        let request = Request {
            prefix: prefix.clone(),
            parts: parts.python.iter().copied().collect(),
            changes: CHANGES,
        };
        let request = serde_json::to_vec(&request).unwrap_or_default();
        let said = script::run::<Answer>(SCRIPT, &request, &self.path, None)?;
        let content = said.content()?;
        let answer = said.answer;
        if !answer.odd.is_empty() {
            let why = format!("it was built with {}", answer.odd.join(", "));
            return Err(Error::Host { path: self.path.clone(), why });
        }
        let wrong = |path: &str| {
            let path = PathBuf::from(path);
            move |source| Error::Image { path, source }
        };
        let mut inputs = Inputs::default();
        for folder in &answer.folders {
            inputs.folder(folder, Names::All);
        }
        for path in &answer.inputs {
            inputs.read(path)?;
        }
        let mut builder = Builder::new();
        let part =
            |range: (usize, usize)| content.get(range.0..range.1).unwrap_or_default().to_vec();
        let mut early = Vec::new();
        for module in answer.modules {
            let StandardModule { name, path, package, code, source } = module;
            let is_early = is_early(&name);
            if is_early {
                let stem = if package { path.rsplit_once('/') } else { path.rsplit_once('.') };
                early.extend(stem.map(|(stem, _)| stem.to_owned()));
            }
            let source = Content::compressed(part(source), Effort::Quick);
            // What is early is read where it lies.
            let code = match is_early {
                true => Content::plain(part(code)),
                false => Content::compressed(part(code), Effort::Quick),
            };
            builder.file(&path, FileKind::Source, source).map_err(wrong(&path))?;
            let kind = ModuleKind::Code;
            let new = NewModule { kind, is_package: package, path: path.clone(), code };
            builder.module(&name, new).map_err(wrong(&path))?;
        }
        for name in &answer.builtins {
            let (kind, path) = (ModuleKind::Builtin, String::new());
            let new = NewModule { kind, is_package: false, path, code: Content::default() };
            builder.module(name, new).map_err(wrong(name))?;
        }
        for file in answer.files {
            let path = format!("{prefix}/{}", file.path);
            let content = inputs.read(&file.file)?;
            let (kind, content) = match file.path.as_str() {
                "LICENSE.txt" => (FileKind::Licence, Content::compressed(content, Effort::Quick)),
                _ => (FileKind::Resource, Content::plain(content)),
            };
            builder.file(&path, kind, content).map_err(wrong(&path))?;
        }

        let mut collector = Collector::new(&mut inputs, &[], "lib");
        let mut extensions = Vec::new();
        for Extension { name, path, file } in answer.extensions {
            let bytes = fs::read(&file).map_err(Error::io("read", &file))?;
            let binaries = ekiben_object::read(&bytes).unwrap_or_default();
            let needed = binaries.iter().flat_map(|binary| &binary.needed);
            if needed.into_iter().any(|needed| GPL.iter().any(|it| needed.starts_with(it))) {
                continue;
            }
            extensions.push((name.clone(), path.clone()));
            let (how, package) = ("import".to_owned(), false);
            let why = Why { name, by: None, line: 0, how };
            let module = Module {
                why,
                distribution: None,
                required: false,
                optional: false,
                path,
                package,
                file,
            };
            collector.module(module)?;
        }
        let first = collector.executable(INTERPRETER, &answer.executable)?;
        let objects = collector.finish();
        objects.check()?;
        for (name, path) in extensions {
            let kind = ModuleKind::Extension;
            let new = NewModule { kind, is_package: false, path, code: Content::default() };
            builder.module(&name, new).map_err(wrong(&name))?;
        }
        let host = [&[INTERPRETER.to_owned()], first.as_slice(), &[LIBRARY.to_owned()]].concat();
        builder
            .file(LIBRARY, FileKind::SharedObject, Content::plain(parts.library.to_vec()))
            .map_err(wrong(LIBRARY))?;
        for (key, value) in objects.settings() {
            builder.set(key, &value).map_err(wrong(key))?;
        }
        for (path, object) in &objects.objects {
            let wrong_object = |source| Error::Object { path: object.file.clone(), source };
            // Interpreters are often installed with all that debuggers need.
            let content = elf::only_loaded(&object.content()?).map_err(wrong_object)?;
            let content = Content::plain(content);
            builder.file(path, FileKind::SharedObject, content).map_err(wrong(path))?;
        }
        let licences = Content::compressed(parts.licences.as_bytes().to_vec(), Effort::Quick);
        builder.file(LICENCES, FileKind::Licence, licences).map_err(wrong(LICENCES))?;
        early.sort();
        for (key, value) in [
            ("python", self.python.as_str()),
            ("version", &answer.version),
            ("early", &early.join("\n")),
            ("host", &host.join("\n")),
        ] {
            builder.set(key, value).map_err(wrong(key))?;
        }
        let image = builder.build().map_err(wrong("the standard library"))?;
        Ok((image, inputs))
    }
}

/// Where a base is kept.
fn folder(cache: &Path, digest: &str) -> PathBuf {
    cache.join("host").join(digest)
}

/// Writes a file, whole or not at all.
fn put(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let file = tempfile::NamedTempFile::new_in(folder).map_err(Error::io("write to", folder))?;
    fs::write(file.path(), content).map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| error.error).map_err(Error::io("write", path))?;
    Ok(())
}
