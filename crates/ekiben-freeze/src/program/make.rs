//! The image of a program, and the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ekiben_engine::{Cache, Digest};
use ekiben_image::{Builder, Content, Effort, FileKind, Image, Module, ModuleKind, NewModule};
use ekiben_object::elf;

use super::find::{self, Found, Main, Wanted};
use super::links::{self, Links};
use super::passing::Passing;
use super::report::{ReportedFile, ReportedModule, Sizes, Warning};
use super::{
    Base, Beside, Error, Flavour, Folder, Need, Report, SECTION, Target, hints, inventory, link,
    output,
};
use crate::process::Stop;
use crate::runtime::{Archive, Linker};

/// The module that is generated for an entry point.
const ENTRY: &str = "_ekiben_main";

/// Modules that an interpreter needs to start, or that C code imports by itself.
const ALWAYS: &[&str] = &[
    "_ekiben_importer",
    "_ekiben_loaders",
    "encodings",
    "encodings.*",
    "encodings.aliases",
    "encodings.utf_8",
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "importlib.machinery",
    "importlib.util",
    "io",
    "abc",
    "codecs",
    "os",
    "site",
    "stat",
    "posixpath",
    "genericpath",
    "_collections_abc",
    "collections.abc",
    "copyreg",
    "keyword",
    "linecache",
    "operator",
    "reprlib",
    "runpy",
    "threading",
    "traceback",
    "types",
    "warnings",
    "zipimport",
];

/// What the library needs that starts an ordinary interpreter.
const HOST_LIBRARY: &str = "libgcc_s.so.1";

/// Settings of programs that a person may switch off.
pub const SWITCHES: &[&str] = &["fast-exit", "isolated", "quiet-start", "self-interpreter"];

/// What program to make.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is to become one; not a project, which is installed first.
    pub target: Target,
    /// Folders of installed packages.
    pub site: Vec<PathBuf>,
    /// The folder of all that was put together for this program alone, if something was: what is found in
    /// it is found again where it is next time.
    pub passing: Option<PathBuf>,
    /// Modules to take besides, `package.*` for all of a package.
    pub includes: Vec<String>,
    /// Patterns of modules to leave out with all below them.
    pub excludes: Vec<String>,
    /// Modules that traced runs have imported, which are taken if they are there.
    pub traced: Vec<String>,
    /// Folders with hints besides Ekiben's.
    pub hints: Vec<PathBuf>,
    /// Whether to leave out what nothing reaches of the standard library.
    pub prune: bool,
    /// Whether to link an interpreter with only the builtin modules that are needed, for which `prune`
    /// has to be set.
    pub relink: bool,
    /// What is known before of what may go wrong.
    pub warnings: Vec<Warning>,
    /// How compiled modules become part of it.
    pub link: Links,
    /// The linker, where one is needed; the compiler's own, if none is named.
    pub linker: Option<Linker>,
    /// Whether what is linked otherwise than asked for, or is left out, is an error.
    pub strict: bool,
    /// How much to optimise bytecode: 0, 1 or 2.
    pub optimize: u8,
    /// Whether to keep sources, for tracebacks.
    pub sources: bool,
    /// Whether it is an interpreter, which has the target's modules, and runs what it is told to.
    pub interpreter: bool,
    /// Folders in which it looks for modules that aren't in it, from its own folder on.
    pub path: Vec<String>,
    /// What lies beside it, rather than in it.
    pub beside: Option<Beside>,
    /// What the program needs of the machine; if none is named, as little as it can.
    pub flavour: Option<Flavour>,
    /// Settings of the program, `fast-exit`, `isolated`, `quiet-start` and `self-interpreter`, which
    /// otherwise are on.
    pub switches: BTreeMap<String, bool>,
}

impl Request {
    /// A program with nothing but what its target needs.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            site: Vec::new(),
            passing: None,
            includes: Vec::new(),
            excludes: Vec::new(),
            traced: Vec::new(),
            hints: Vec::new(),
            prune: false,
            relink: false,
            warnings: Vec::new(),
            link: Links::default(),
            linker: None,
            strict: false,
            optimize: 0,
            sources: true,
            interpreter: false,
            path: Vec::new(),
            beside: None,
            flavour: None,
            switches: BTreeMap::new(),
        }
    }
}

/// A program.
pub struct Program {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they are made of.
    pub report: Report,
    /// What lies beside it.
    pub beside: Option<Folder>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.bytes.len();
        f.debug_struct("Program").field("size", &size).field("report", &self.report).finish()
    }
}

impl Program {
    /// Puts the program at `path`, whole or not at all; everybody may run it. What lies beside it is
    /// written first.
    ///
    /// # Errors
    /// If that can't be written, or something else than programs and their packages is there.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        output::check_replaceable(path)?;
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => path,
        };
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        if let Some(beside) = &self.beside {
            beside.check(folder)?;
            beside.write(folder)?;
        }
        let file = tempfile::Builder::new().prefix(".ekiben-").tempfile_in(folder);
        let mut file = file.map_err(Error::io("write to", folder))?;
        file.write_all(&self.bytes).map_err(Error::io("write", path))?;
        let mode = fs::Permissions::from_mode(0o755);
        file.as_file().set_permissions(mode).map_err(Error::io("write", path))?;
        // Where the file system must not lose what a rename replaces, it writes everything to the disk
        // first. An exchange is as atomic, and what was replaced goes with the temporary file.
        if exchange(file.path(), path).is_err() {
            file.persist(path).map_err(|error| error.error).map_err(Error::io("write", path))?;
        }
        Ok(())
    }
}

fn exchange(one: &Path, other: &Path) -> rustix::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags};

    rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
}

/// What programs depend on besides what they are asked for and made of: another Ekiben, with another
/// search for modules or other hints, may make others.
#[must_use]
pub fn version() -> String {
    let mut parts = Vec::new();
    for (name, text) in find::SCRIPT.iter().chain(hints::KNOWN) {
        parts.extend_from_slice(name.as_bytes());
        parts.extend_from_slice(Digest::of(text.as_bytes()).as_bytes());
    }
    let digest = Digest::of(&parts).to_string();
    format!("{}+{}", env!("CARGO_PKG_VERSION"), digest.get(..8).unwrap_or(&digest))
}

/// Makes a program. What was found, and interpreters that were linked anew, are kept in the cache for the
/// next one.
///
/// # Errors
/// If its modules can't be found or compiled, some can't be part of a program, or the runtime can't be
/// used.
pub fn freeze(request: &Request, base: &Base, cache: Option<&Cache>) -> Result<Program, Error> {
    freeze_until(request, base, cache, None)
}

/// As [`freeze`], unless it is to stop before.
///
/// # Errors
/// As there; one of the kind `Interrupted` if it was stopped.
pub fn freeze_until(
    request: &Request,
    base: &Base,
    cache: Option<&Cache>,
    stop: Stop<'_>,
) -> Result<Program, Error> {
    let stdlib = fs::read(&base.stdlib).map_err(Error::io("read", &base.stdlib))?;
    let standard = standard(base, &stdlib)?;
    let wanted = wanted(request, base, &standard)?;
    let passing = Passing::new(request.passing.as_deref());
    let mut found = find::find(&wanted, &passing, base, cache, stop)?;
    if let (Some(beside), Some(flavour)) = (&request.beside, request.flavour) {
        beside.refuse_compiled(&found, flavour, base)?;
    }
    let flavour = choose(request, base, &found)?;
    let take = |beside: &Beside| beside.take(&mut found, base, flavour, request.optimize);
    let beside = request.beside.as_ref().map(take).transpose()?;
    let program = base.program(flavour)?;
    let mut report = found.report.clone();
    report.flavour = Some(flavour);
    report.warnings.extend(request.warnings.iter().cloned());
    report.warnings.extend(request.link.check(&found, flavour)?);
    let mut builder = Builder::new();
    let own = found.image().len() + add_objects(&mut builder, flavour, &found, &mut report)?;
    if request.strict {
        links::strictly(&report.warnings)?;
    }
    let interpreter = link::interpreter(request, flavour, base, &found, cache)?;
    add_libraries(&mut builder, &interpreter.libraries)?;
    let builtins = interpreter.builtins.as_ref();
    let image = image(builder, request, &found, &standard, builtins)?;
    let object = |source| Error::Object { path: program.to_owned(), source };
    let bytes = elf::fill_segment(&interpreter.bytes, SECTION, &image).map_err(object)?;
    report.sizes = Sizes {
        program: bytes.len(),
        interpreter: bytes.len() - image.len(),
        image: image.len(),
        own,
    };
    Ok(Program { bytes, report, beside })
}

/// The compiled modules of a program that nothing links in: it has to load them.
///
/// # Errors
/// If its modules can't be found.
pub fn compiled(
    request: &Request,
    base: &Base,
    cache: Option<&Cache>,
    stop: Stop<'_>,
) -> Result<Vec<super::Compiled>, Error> {
    let stdlib = fs::read(&base.stdlib).map_err(Error::io("read", &base.stdlib))?;
    let wanted = wanted(request, base, &standard(base, &stdlib)?)?;
    let passing = Passing::new(request.passing.as_deref());
    let found = find::find(&wanted, &passing, base, cache, stop)?;
    let mut modules: Vec<_> =
        found.objects.modules.iter().map(super::shared::Module::compiled).collect();
    let distributions = found.report.distributions.iter();
    let required: BTreeSet<&str> =
        distributions.filter(|it| it.required).map(|it| it.name.as_str()).collect();
    for module in &mut modules {
        if module.distribution.as_deref().is_some_and(|name| required.contains(name)) {
            module.need = module.need.max(Need::Distribution);
        }
    }
    Ok(modules)
}

/// The image of a runtime's standard library.
fn standard<'a>(base: &Base, stdlib: &'a [u8]) -> Result<Image<'a>, Error> {
    let wrong = |source| Error::Image { path: base.stdlib.clone(), source };
    let standard = Image::open(stdlib).map_err(wrong)?;
    if standard.setting("python") != Some(&base.python) {
        let why = format!("stdlib.image isn't for Python {}", base.python);
        return Err(Error::NoRuntime { folder: base.folder().to_owned(), why });
    }
    Ok(standard)
}

/// The flavour that was asked for, or the one that needs less of the machine.
fn choose(request: &Request, base: &Base, found: &Found) -> Result<Flavour, Error> {
    let has = |flavour| base.programs.contains_key(&flavour);
    let flavour = match request.flavour {
        Some(flavour) => flavour,
        None if base.is_host() => Flavour::Host,
        None if found.objects.are_needed() || !has(Flavour::Static) => Flavour::Dynamic,
        None => Flavour::Static,
    };
    let required = found.objects.required();
    if flavour == Flavour::Static && !required.is_empty() {
        return Err(Error::Compiled(required));
    }
    Ok(flavour)
}

/// Adds shared objects, where the program can load them. Gives the number of their bytes.
fn add_objects(
    builder: &mut Builder<'_>,
    flavour: Flavour,
    found: &Found,
    report: &mut Report,
) -> Result<usize, Error> {
    let objects = &found.objects;
    if flavour == Flavour::Static {
        report.warnings.extend(objects.left_out());
        return Ok(0);
    }
    objects.check()?;
    report.warnings.extend(objects.warnings.iter().cloned());
    report.machine.extend(objects.machine.iter().cloned());
    if flavour == Flavour::Host && !objects.machine.contains(HOST_LIBRARY) {
        report.machine.insert(0, HOST_LIBRARY.to_owned());
    }
    let wrong = |path: &str| {
        let path = PathBuf::from(path);
        move |source| Error::Image { path, source }
    };
    let mut sizes = BTreeMap::new();
    for (path, object) in &objects.objects {
        let content = object.content()?;
        sizes.insert(path.as_str(), content.len());
        let content = Content::plain(content);
        builder.file(path, FileKind::SharedObject, content).map_err(wrong(path))?;
    }
    let all = sizes.values().sum();
    for module in &objects.modules {
        let (kind, path) = (ModuleKind::Extension, module.path.clone());
        let code = Content::default();
        let new = NewModule { kind, is_package: module.package, path, code };
        builder.module(&module.why.name, new).map_err(wrong(&module.path))?;
        report.modules.push(ReportedModule {
            why: module.why.clone(),
            distribution: module.distribution.clone(),
            code: sizes.remove(module.path.as_str()).unwrap_or_default(),
            source: 0,
            is_linked: false,
        });
    }
    report.modules.sort_by(|one, other| one.why.name.cmp(&other.why.name));
    for (path, size) in sizes {
        let owner =
            objects.objects.get(path).map(|object| object.owner.clone()).unwrap_or_default();
        let (path, kind) = (path.to_owned(), "library".to_owned());
        report.files.push(ReportedFile { path, kind, owner, size });
    }
    for (key, value) in objects.settings() {
        builder.set(key, &value).map_err(wrong(key))?;
    }
    Ok(all)
}

/// Adds the names of libraries that were linked in for modules of packages, with the packages of a machine
/// that they came with, and the texts of their licences.
fn add_libraries(builder: &mut Builder<'_>, libraries: &[Archive]) -> Result<(), Error> {
    let mut lines = BTreeSet::new();
    let mut texts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for Archive { name, package, licences, .. } in libraries {
        lines.insert(format!("{name}\t{}", package.as_deref().unwrap_or_default()));
        for licence in licences {
            let text = fs::read(licence).map_err(Error::io("read", licence))?;
            let file = licence.file_name().unwrap_or_default().to_string_lossy();
            let folder = inventory::licences_of(name);
            let numbered = (2..).map(|number| format!("{folder}{number}/{file}"));
            let mut paths = std::iter::once(format!("{folder}{file}")).chain(numbered);
            // Two wheels may have brought libraries of one name, and of other versions.
            let is_free = |path: &String| texts.get(path).is_none_or(|there| *there == text);
            if let Some(path) = paths.find(is_free) {
                texts.insert(path, text);
            }
        }
    }
    let wrong = |source| Error::Image { path: PathBuf::from("the program's image"), source };
    for (path, text) in texts {
        let content = Content::compressed(text, Effort::Quick);
        builder.file(&path, FileKind::Licence, content).map_err(wrong)?;
    }
    if !lines.is_empty() {
        let lines: Vec<String> = lines.into_iter().collect();
        builder.set(inventory::LIBRARIES, &lines.join("\n")).map_err(wrong)?;
    }
    Ok(())
}

fn wanted(request: &Request, base: &Base, standard: &Image<'_>) -> Result<Wanted, Error> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io("resolve", path));
    let mut roots = Vec::new();
    let mut script_folder = None;
    let main = match &request.target {
        Target::Script(script) => {
            // A link's modules are where it leads to.
            let script = script.canonicalize().map_err(Error::io("read", script))?;
            let folder = script.parent().unwrap_or(&script).to_owned();
            roots.push(folder.clone());
            script_folder = Some(folder);
            let mut name = find::script_name(&script);
            let stems = [format!("lib/python{}/{name}", base.python), format!(":{name}")];
            if stems.iter().any(|stem| standard.module(stem).is_some()) {
                // Otherwise the standard library's module would be run.
                ENTRY.clone_into(&mut name);
            }
            Main::Script { name, script }
        }
        Target::Module { name, within } => {
            if let Some(folder) = within {
                roots.push(absolute(folder)?);
            }
            Main::Module { module: name.clone() }
        }
        Target::EntryPoint { module, function, within } => {
            if let Some(folder) = within {
                roots.push(absolute(folder)?);
            }
            let (first, _) = function.split_once('.').unwrap_or((function, ""));
            let generated = format!(
                "import sys\nfrom {module} import {first}\nif __name__ == \"__main__\":\n    \
                 sys.exit({function}())\n"
            );
            Main::Generated { name: ENTRY.to_owned(), generated }
        }
        Target::Project(folder) => {
            let message = format!("the project {} isn't installed", folder.display());
            return Err(Error::Target(message));
        }
    };
    for folder in &request.site {
        if !folder.is_dir() {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::io("read", folder)(source));
        }
        roots.push(absolute(folder)?);
    }
    let files_are_there = request.beside.as_ref().map_or(&[][..], |beside| &beside.packages);
    let mut scan = BTreeMap::new();
    if request.prune {
        // Modules of Ekiben's own, which the ordinary interpreter hasn't.
        for module in standard.modules().filter(|it| is_ours(it.name)) {
            if let Some(Ok(source)) = standard.source(&module).map(|source| source.read()) {
                let source = String::from_utf8_lossy(&source).into_owned();
                scan.insert(module.name.to_owned(), source);
            }
        }
    }
    Ok(Wanted {
        main,
        roots,
        script_folder,
        includes: request.includes.clone(),
        whole: files_are_there.to_vec(),
        excludes: request.excludes.clone(),
        traced: request.traced.clone(),
        hints: hints::load(&request.hints, files_are_there)?,
        follow_standard: request.prune,
        standard: match request.prune {
            true => ALWAYS.iter().map(|name| (*name).to_owned()).collect(),
            false => Vec::new(),
        },
        library: standard.modules().map(|it| top(it.name)).collect(),
        scan,
        optimize: request.optimize,
        links: request.link.clone(),
        python: base.python.clone(),
        prefix: base.prefix(),
        sources: request.sources,
    })
}

/// The module that a dotted name is below, or names.
fn top(module: &str) -> String {
    module.split('.').next().unwrap_or(module).to_owned()
}

fn is_ours(module: &str) -> bool {
    module.starts_with("_ekiben")
}

/// The image: the program's modules, and the standard library.
fn image<'a>(
    mut builder: Builder<'a>,
    request: &Request,
    found: &'a Found,
    standard: &Image<'a>,
    builtins: Option<&BTreeSet<String>>,
) -> Result<Vec<u8>, Error> {
    let wrong = |source| Error::Image { path: PathBuf::from("the program's image"), source };
    let own: BTreeMap<_, _> = found.objects.settings().into_iter().collect();
    for (key, value) in standard.settings() {
        // Both the interpreter and the program may have something to load.
        match own.get(key) {
            Some(own) => builder.set(key, &format!("{value}\n{own}")),
            None => builder.set(key, value),
        }
        .map_err(wrong)?;
    }
    if let Some(key) = request.switches.keys().find(|key| !SWITCHES.contains(&key.as_str())) {
        let known = SWITCHES.join(", ");
        return Err(Error::Target(format!("programs have no setting `{key}`, but {known}")));
    }
    for key in SWITCHES {
        let is_on = request.switches.get(*key).copied().unwrap_or(true);
        builder.set(key, if is_on { "1" } else { "0" }).map_err(wrong)?;
    }
    if !request.interpreter {
        builder.set("main", &found.report.main).map_err(wrong)?;
    }
    let beside = request.beside.as_ref().map(|beside| beside.folder.as_str());
    let paths: Vec<&str> =
        beside.into_iter().chain(request.path.iter().map(String::as_str)).collect();
    if !paths.is_empty() {
        builder.set("path", &paths.join("\n")).map_err(wrong)?;
    }
    let linked = found.statics.setting();
    if !linked.is_empty() {
        builder.set("linked", &linked).map_err(wrong)?;
    }
    builder.set("optimize", &request.optimize.to_string()).map_err(wrong)?;
    let own = Image::open(found.image()).map_err(wrong)?;
    builder.add_missing(&own).map_err(wrong)?;
    if request.prune || !request.sources {
        add_some(&mut builder, request, found, standard, builtins).map_err(wrong)?;
    } else {
        for module in standard.modules().filter(|module| is_at_hand(found, module)) {
            builder.take_unpacked(&module).map_err(wrong)?;
        }
        builder.add_missing(standard).map_err(wrong)?;
    }
    builder.build().map_err(wrong)
}

/// Adds of the standard library what the program needs.
fn add_some<'a>(
    builder: &mut Builder<'a>,
    request: &Request,
    found: &Found,
    standard: &Image<'a>,
    builtins: Option<&BTreeSet<String>>,
) -> Result<(), ekiben_image::Error> {
    let names = found.report.standard.iter().map(|why| why.name.as_str());
    let needed: BTreeSet<&str> = names.collect();
    let early: BTreeSet<&str> = standard.setting("early").unwrap_or_default().lines().collect();
    let mut packages = BTreeSet::new();
    let mut loaded: BTreeSet<&str> = standard.setting("host").unwrap_or_default().lines().collect();
    let is_linked = |name: &str| builtins.is_none_or(|builtins| builtins.contains(name));
    for module in standard.modules() {
        let is_needed = !request.prune
            || module.kind == ModuleKind::Builtin && is_linked(module.name)
            || is_ours(module.name)
            || early.contains(module.stem) && module.code.plain().is_some()
            || module.kind != ModuleKind::Builtin && needed.contains(module.name);
        if !is_needed {
            continue;
        }
        match is_at_hand(found, &module) {
            true => builder.take_unpacked(&module)?,
            false => builder.take_module(&module)?,
        }
        if module.kind == ModuleKind::Extension {
            let lines = standard.setting("libraries").unwrap_or_default().lines();
            let lines = lines.filter(|line| line.split('\t').next() == Some(module.path));
            loaded.extend(lines.flat_map(|line| line.split('\t')).chain([module.path]));
        }
        if module.is_package {
            packages.insert(module.stem);
        }
        let source = standard.file(module.path).filter(|file| file.kind == FileKind::Source);
        if let Some(source) = source.filter(|_| request.sources) {
            builder.take_file(&source)?;
        }
    }
    let is_package = |folder: &str| standard.module(folder).is_some_and(|module| module.is_package);
    for file in standard.files() {
        let is_needed = match file.kind {
            FileKind::Source => false,
            FileKind::SharedObject => loaded.contains(file.path),
            FileKind::Resource if request.prune => {
                let package = folders_of(file.path).find(|folder| is_package(folder));
                package.is_none_or(|package| packages.contains(package))
            }
            _ => true,
        };
        if is_needed {
            builder.take_file(&file)?;
        }
    }
    Ok(())
}

/// Whether a module of the standard library lies in the program so that reading it takes no time.
fn is_at_hand(found: &Found, module: &Module<'_>) -> bool {
    module.kind == ModuleKind::Code && found.at_start.contains(module.name)
}

/// The folders around a path, the innermost first.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        (rest, _) = rest.rsplit_once('/')?;
        Some(rest)
    })
}
