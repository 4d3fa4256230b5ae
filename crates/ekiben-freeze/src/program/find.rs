//! Modules and files of a program: `find/` holds the script that looks for them. What it found is kept
//! in the cache as an image, with what it depended on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ekiben_engine::{Cache, Digest};
use ekiben_image::{Builder, Content, Effort, FileKind, ModuleKind, NewModule};
use serde::{Deserialize, Serialize};

use super::hints::Hints;
use super::inputs::{Inputs, Names};
use super::links::Links;
use super::passing::Passing;
use super::report::{
    Distribution, Missing, Report, ReportedFile, ReportedModule, Sizes, Warning, Why,
};
use super::shared::{Collector, Module, Objects};
use super::statics::{self, Statics};
use super::{Base, Error, script};
use crate::process::Stop;

/// The kind of the cache's records.
const RECORDS: &str = "freeze";

/// What the script calls a shared object that is no module.
const LIBRARY: &str = "library";

/// The script, by file name.
pub(super) const SCRIPT: &[(&str, &str)] = &[
    ("__main__.py", include_str!("find/__main__.py")),
    ("compiled.py", include_str!("find/compiled.py")),
    ("contents.py", include_str!("find/contents.py")),
    ("linked.py", include_str!("find/linked.py")),
    ("places.py", include_str!("find/places.py")),
    ("scan.py", include_str!("find/scan.py")),
    ("walk.py", include_str!("find/walk.py")),
];

/// What is looked for, as the script reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Wanted {
    pub(crate) main: Main,
    /// Search folders, the first first.
    pub(crate) roots: Vec<PathBuf>,
    /// The folder of a script, whose modules come after the standard library's in a program.
    pub(crate) script_folder: Option<PathBuf>,
    pub(crate) includes: Vec<String>,
    /// Packages that are taken as they are installed.
    pub(crate) whole: Vec<String>,
    pub(crate) excludes: Vec<String>,
    pub(crate) traced: Vec<String>,
    pub(crate) hints: Hints,
    /// Whether to follow imports through the standard library.
    pub(crate) follow_standard: bool,
    /// Modules of the standard library that are needed in any case.
    pub(crate) standard: Vec<String>,
    /// Top-level modules of the standard library's image.
    pub(crate) library: BTreeSet<String>,
    /// Sources of modules of the standard library's image that the interpreter hasn't.
    pub(crate) scan: BTreeMap<String, String>,
    pub(crate) optimize: u8,
    /// What is linked in, and what isn't if it is there in both forms.
    pub(crate) links: Links,
    /// The series of Python.
    pub(crate) python: String,
    /// Where modules lie in the program.
    pub(crate) prefix: String,
    /// Whether sources are kept.
    pub(crate) sources: bool,
}

/// The main module.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Main {
    Script { name: String, script: PathBuf },
    Generated { name: String, generated: String },
    Module { module: String },
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) report: Report,
    /// What only a program has that can load it.
    pub(crate) objects: Objects,
    /// What is linked in.
    pub(crate) statics: Statics,
    /// Modules of the standard library that the program imports as it starts, by name.
    pub(crate) at_start: BTreeSet<String>,
    /// What ends with the image.
    bytes: Vec<u8>,
    /// Where the image begins.
    start: usize,
}

impl Found {
    /// The image of the program's modules and files.
    pub(crate) fn image(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Has another image in its place.
    pub(crate) fn replace_image(&mut self, image: Vec<u8>) {
        (self.bytes, self.start) = (image, 0);
    }
}

/// What the script says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Unusable { unusable: String, uncompilable: bool },
    Found(Box<Listed>),
}

#[derive(Debug, Deserialize)]
struct Listed {
    main: String,
    modules: Vec<ListedModule>,
    standard: Vec<Why>,
    #[serde(rename = "at-start")]
    at_start: Vec<String>,
    files: Vec<ListedFile>,
    distributions: Vec<Distribution>,
    missing: Vec<ListedMissing>,
    warnings: Vec<Warning>,
    folders: Vec<PathBuf>,
    roots: Vec<PathBuf>,
    inputs: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct ListedMissing {
    #[serde(flatten)]
    missing: Missing,
    /// That it isn't there.
    message: String,
}

#[derive(Debug, Deserialize)]
struct ListedModule {
    #[serde(flatten)]
    why: Why,
    kind: ListedKind,
    package: bool,
    path: String,
    file: Option<PathBuf>,
    distribution: Option<String>,
    required: bool,
    optional: bool,
    /// What a static wheel says of it.
    manifest: Option<PathBuf>,
    code: Option<(usize, usize)>,
    source: Option<(usize, usize)>,
    /// What is in the file, if that isn't the source.
    original: Option<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ListedKind {
    Code,
    Namespace,
    Extension,
    Static,
}

#[derive(Debug, Deserialize)]
struct ListedFile {
    path: String,
    kind: String,
    owner: String,
    file: Option<PathBuf>,
    content: Option<(usize, usize)>,
}

/// Finds what is wanted, or takes what was found before if nothing that it depended on has changed, but
/// for the place of a folder that passes.
pub(crate) fn find(
    wanted: &Wanted,
    passing: &Passing,
    base: &Base,
    cache: Option<&Cache>,
    stop: Stop<'_>,
) -> Result<Found, Error> {
    let request = serde_json::to_vec(wanted).unwrap_or_default();
    let key = key(&passing.leave_open(&request), base);
    let kept = cache.and_then(|cache| cache.record_get(RECORDS, &key));
    if let Some(found) = kept.and_then(|kept| unpack(kept, passing)) {
        return Ok(found);
    }
    let (found, inputs) = run(&request, wanted, base, stop)?;
    if let Some(cache) = cache.filter(|_| !found.objects.lacks) {
        // A cache that can't be written to costs the next run some time.
        let _ = cache.record_put(RECORDS, &key, &pack(&found, &inputs, passing));
    }
    Ok(found)
}

fn key(request: &[u8], base: &Base) -> Vec<u8> {
    let mut key = Vec::new();
    for (_, text) in SCRIPT {
        key.extend_from_slice(Digest::of(text.as_bytes()).as_bytes());
    }
    key.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
    key.push(0);
    key.extend_from_slice(base.interpreter.as_os_str().as_encoded_bytes());
    key.push(0);
    key.extend_from_slice(request);
    key
}

/// Inputs, report and shared objects, with their length before them, and the image.
fn pack(found: &Found, inputs: &Inputs, passing: &Passing) -> Vec<u8> {
    let Found { report, objects, statics, at_start, .. } = found;
    let header =
        serde_json::to_vec(&(inputs, report, objects, statics, at_start)).unwrap_or_default();
    let header = passing.leave_open(&header);
    let mut text = (header.len() as u64).to_le_bytes().to_vec();
    text.extend_from_slice(&header);
    text.extend_from_slice(found.image());
    text
}

fn unpack(kept: Vec<u8>, passing: &Passing) -> Option<Found> {
    let (length, rest) = kept.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let header: (Inputs, Report, Objects, Statics, BTreeSet<String>) =
        serde_json::from_slice(&passing.fill(rest.get(..length)?)).ok()?;
    let (inputs, mut report, objects, mut statics, at_start) = header;
    if !inputs.hold() {
        return None;
    }
    statics.measure(&mut report).ok()?;
    Some(Found { report, objects, statics, at_start, start: 8 + length, bytes: kept })
}

fn run(
    request: &[u8],
    wanted: &Wanted,
    base: &Base,
    stop: Stop<'_>,
) -> Result<(Found, Inputs), Error> {
    let said = script::run(SCRIPT, request, &base.interpreter, stop)?;
    let content = said.content();
    match said.answer {
        Answer::Unusable { unusable, uncompilable: false } => Err(Error::Unusable(unusable)),
        Answer::Unusable { unusable, .. } => Err(Error::Syntax(unusable)),
        Answer::Found(listed) => build(*listed, &content?, wanted),
    }
}

/// Makes an image of what was found.
fn build(listed: Listed, content: &[u8], wanted: &Wanted) -> Result<(Found, Inputs), Error> {
    let mut inputs = Inputs::default();
    for folder in &listed.folders {
        // A search folder may be where the program is put.
        let names = if listed.roots.contains(folder) { Names::OfModules } else { Names::All };
        inputs.folder(folder, names);
    }
    for path in &listed.inputs {
        inputs.read(path)?;
    }
    let part = |range: Option<(usize, usize)>| {
        range.and_then(|(start, end)| content.get(start..end)).unwrap_or_default()
    };
    let mut builder = Builder::new();
    let in_program = |path: &str| format!("{}/{path}", wanted.prefix);
    let wrong = |path: &str| {
        let path = PathBuf::from(path);
        move |source| Error::Image { path, source }
    };
    let mut warnings = listed.warnings;
    let mut modules = Vec::new();
    let mut compiled = Vec::new();
    let mut linked = Vec::new();
    for module in listed.modules {
        let path = in_program(&module.path);
        if module.kind == ListedKind::Extension {
            compiled.push(Module {
                why: module.why,
                distribution: module.distribution,
                required: module.required,
                optional: module.optional,
                path,
                package: module.package,
                file: module.file.unwrap_or_default(),
            });
            continue;
        }
        if module.kind == ListedKind::Static {
            let manifest = module.manifest.unwrap_or_default();
            linked.push(statics::Found {
                why: module.why,
                path,
                package: module.package,
                manifest,
            });
            continue;
        }
        // Plain: a program is started more often than it is copied.
        let code = Content::plain(part(module.code).to_vec());
        let mut reported = ReportedModule {
            why: module.why,
            distribution: module.distribution,
            code: code.stored_len(),
            source: 0,
            is_linked: false,
        };
        if module.kind == ListedKind::Code {
            let source = part(module.source);
            if let Some(file) = &module.file {
                inputs.is(file, part(module.original.or(module.source)));
            }
            if wanted.sources {
                let source = Content::compressed(source.to_vec(), Effort::Quick);
                reported.source = source.stored_len();
                builder.file(&path, FileKind::Source, source).map_err(wrong(&path))?;
            }
        }
        let kind = match module.kind {
            ListedKind::Code => ModuleKind::Code,
            _ => ModuleKind::Namespace,
        };
        let new = NewModule { kind, is_package: module.package, path: path.clone(), code };
        builder.module(&reported.why.name, new).map_err(wrong(&path))?;
        modules.push(reported);
    }
    let mut files = Vec::new();
    let (libraries, others) =
        listed.files.into_iter().partition::<Vec<_>, _>(|file| file.kind == LIBRARY);
    let mut collector = Collector::new(&mut inputs, &listed.roots, &wanted.prefix);
    for module in compiled {
        collector.module(module)?;
    }
    for library in libraries {
        let file = library.file.unwrap_or_default();
        collector.library(&in_program(&library.path), &file, &library.owner)?;
    }
    let objects = collector.finish();
    let mut collector = statics::Collector::new(&mut inputs, &wanted.python);
    for module in linked {
        collector.take(module)?;
    }
    let statics = collector.finish();
    for module in &statics.modules {
        let kind = ModuleKind::Builtin;
        let (is_package, path) = (module.package, module.path.clone());
        let new = NewModule { kind, is_package, path, code: Content::default() };
        builder.module(&module.why.name, new).map_err(wrong(&module.path))?;
        modules.push(ReportedModule {
            why: module.why.clone(),
            distribution: Some(module.distribution.clone()),
            code: module.size,
            source: 0,
            is_linked: true,
        });
    }
    modules.sort_by(|one, other| one.why.name.cmp(&other.why.name));
    for ListedFile { path, kind, owner, file, content: range } in others {
        let bytes = match &file {
            Some(file) => inputs.read(file)?,
            None => part(range).to_vec(),
        };
        let (number, content) = match kind.as_str() {
            "licence" => (FileKind::Licence, Content::compressed(bytes, Effort::Quick)),
            "metadata" => (FileKind::Metadata, Content::plain(bytes)),
            _ => (FileKind::Resource, Content::plain(bytes)),
        };
        let path = in_program(&path);
        let size = content.stored_len();
        builder.file(&path, number, content).map_err(wrong(&path))?;
        files.push(ReportedFile { path, kind, owner, size });
    }
    for ListedMissing { missing, message } in listed.missing.iter().filter(|it| it.missing.required)
    {
        warnings.push(Warning {
            code: "missing-module".to_owned(),
            message: format!("{message}, {}", missing.why.text()),
            file: None,
            line: 0,
        });
    }
    let report = Report {
        main: listed.main,
        flavour: None,
        modules,
        standard: listed.standard,
        files,
        machine: Vec::new(),
        distributions: listed.distributions,
        missing: listed.missing.into_iter().map(|it| it.missing).collect(),
        warnings,
        sizes: Sizes::default(),
    };
    let image = builder.build().map_err(wrong("the program's modules"))?;
    let at_start = listed.at_start.into_iter().collect();
    Ok((Found { report, objects, statics, at_start, bytes: image, start: 0 }, inputs))
}

/// The name that a script has as a module.
pub(crate) fn script_name(script: &Path) -> String {
    let stem = script.file_stem().unwrap_or_default().to_string_lossy();
    // What follows a dot isn't part of a module's name.
    stem.replace('.', "_")
}
