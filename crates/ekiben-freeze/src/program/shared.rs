//! [`Objects`]: the shared objects of a program, which a program of the flavour `dynamic` loads from
//! memory: compiled modules, libraries that packages bring, and what both need.
//!
//! What a shared object needs is looked for as the C library's loader would, but once, here: in its
//! search path, and else on this machine. What belongs to the machine that the program runs on stays
//! there. The loader finds what is loaded already by the library's own name (`DT_SONAME`), so that is
//! what has to be right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use ekiben_object::{Binary, Format, elf};
use serde::{Deserialize, Serialize};

use super::inputs::Inputs;
use super::report::{Warning, Why};
use super::{Compiled, Error, Need};

/// The C library, by the names that its parts have had; its loader is named after the architecture.
const C_LIBRARY: [&str; 10] = [
    "libanl.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libmvec.so.1",
    "libnsl.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];

/// What machines have that run such programs: wheels may rely on it (PEP 600), and it belongs to the
/// compiler's run time, which others on the machine share, or to its screen.
const MACHINE: [&str; 13] = [
    "libEGL.so.1",
    "libGL.so.1",
    "libICE.so.6",
    "libSM.so.6",
    "libX11.so.6",
    "libXext.so.6",
    "libXrender.so.1",
    "libcuda.so.1",
    "libgcc_s.so.1",
    "libglib-2.0.so.0",
    "libgobject-2.0.so.0",
    "libgthread-2.0.so.0",
    "libstdc++.so.6",
];

/// Where libraries of this machine come to lie in programs.
const TAKEN: &str = "lib/ekiben.libs";

/// The shortest name that a path of a descriptor fits into, `/proc/self/fd//./1000`.
const SHORTEST: usize = 21;

/// The folders that the loader knows by itself.
const FOLDERS: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// A module that is a shared object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Module {
    pub(crate) why: Why,
    pub(crate) distribution: Option<String>,
    /// Whether the program stops without it.
    pub(crate) required: bool,
    /// Whether it is known that the program can do without it.
    pub(crate) optional: bool,
    /// Where it is in the program.
    pub(crate) path: String,
    pub(crate) package: bool,
    pub(crate) file: PathBuf,
}

/// A shared object that the program can load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) file: PathBuf,
    /// What it came with: a distribution, a package or a module.
    pub(crate) owner: String,
    /// Whether it was taken as a file of a package, not because another object needs it.
    alone: bool,
    /// What it needs itself, by where that is in the program.
    needs: Vec<String>,
    /// Why it can't be loaded.
    problem: Option<String>,
}

impl Object {
    /// What goes into the program.
    pub(crate) fn content(&self) -> Result<Vec<u8>, Error> {
        let mut content = fs::read(&self.file).map_err(Error::io("read", &self.file))?;
        // What is in memory has no folder beside which something could be found.
        elf::remove_search_paths(&mut content)
            .map_err(|source| Error::Object { path: self.file.clone(), source })?;
        Ok(content)
    }
}

/// All that a program loads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Objects {
    pub(crate) modules: Vec<Module>,
    /// By where they are in the program.
    pub(crate) objects: BTreeMap<String, Object>,
    /// Libraries that the program finds on the machine that it runs on.
    pub(crate) machine: BTreeSet<String>,
    pub(crate) warnings: Vec<Warning>,
    /// Whether something that is needed wasn't found: it may be there another time.
    pub(crate) lacks: bool,
}

impl Objects {
    /// Modules without which the program stops.
    pub(crate) fn required(&self) -> Vec<Compiled> {
        let required = self.modules.iter().filter(|module| module.required);
        required.map(Module::compiled).collect()
    }

    /// Whether the program may lack something if nothing is loaded.
    pub(crate) fn are_needed(&self) -> bool {
        self.modules.iter().any(|module| !module.optional) || self.libraries().next().is_some()
    }

    /// Libraries that are part of packages.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = (&str, &Object)> {
        let objects = self.objects.iter().map(|(path, object)| (path.as_str(), object));
        objects.filter(|(_, object)| object.alone)
    }

    /// What is said in a program that loads nothing.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = Warning> {
        let libraries = self.libraries().map(|(path, object)| Warning {
            code: "compiled-module".to_owned(),
            message: format!("the library {path} is left out"),
            file: Some(object.file.clone()),
            line: 0,
        });
        self.modules.iter().map(Module::left_out).chain(libraries)
    }

    /// Refuses what can't be loaded.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refused =
            |object: &Object, why: String| Err(Error::Shared { path: object.file.clone(), why });
        for object in self.objects.values() {
            if let Some(why) = &object.problem {
                return refused(object, why.clone());
            }
        }
        for path in self.circles().into_iter().flatten() {
            let name = path.rsplit('/').next().unwrap_or(path);
            let object = self.objects.get(path).filter(|_| name.len() < SHORTEST);
            if let Some(object) = object {
                let why =
                    "it needs a library that needs it, and its name is too short to be replaced";
                return refused(object, why.to_owned());
            }
        }
        Ok(())
    }

    /// Takes the objects at some paths out, with those that nothing else needs. Gives the files that they
    /// are. Libraries of this machine that only they need are looked for on the machine again.
    pub(crate) fn take(&mut self, is_taken: impl Fn(&str) -> bool) -> Vec<(String, PathBuf)> {
        self.modules.retain(|module| !is_taken(&module.path));
        let mut kept = BTreeSet::new();
        let firsts = self.modules.iter().map(|module| module.path.as_str());
        let alone = self.objects.iter().filter(|(path, it)| it.alone && !is_taken(path));
        let mut open: Vec<&str> = firsts.chain(alone.map(|(path, _)| path.as_str())).collect();
        while let Some(path) = open.pop() {
            let object = self.objects.get(path).filter(|_| kept.insert(path.to_owned()));
            open.extend(object.into_iter().flat_map(|it| it.needs.iter().map(String::as_str)));
        }
        let mut taken = Vec::new();
        for (path, object) in std::mem::take(&mut self.objects) {
            if is_taken(&path) {
                taken.push((path.clone(), object.file.clone()));
            } else if !kept.contains(&path) {
                let name = path.rsplit('/').next().unwrap_or(&path);
                self.machine.insert(name.to_owned());
            }
            if kept.contains(&path) {
                self.objects.insert(path, object);
            }
        }
        taken
    }

    /// What the importer is told, by the settings' keys.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let circles = self.circles().into_iter().map(|circle| circle.join("\t"));
        let circles = circles.collect::<Vec<_>>().join("\n");
        let settings = [("libraries", self.libraries_setting()), ("library-circles", circles)];
        settings.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// For each shared object, what has to be loaded before, in order.
    fn libraries_setting(&self) -> String {
        let circles = self.circles();
        let mut lines = Vec::new();
        for path in self.objects.keys() {
            let mut order = Vec::new();
            self.visit(path, &circles, &mut BTreeSet::new(), &mut order);
            order.retain(|it| it != path);
            if !order.is_empty() {
                lines.push([&[path.as_str()], order.as_slice()].concat().join("\t"));
            }
        }
        lines.join("\n")
    }

    /// Each after what it needs itself. Those that need each other come together, for the first to be
    /// loaded brings the others.
    fn visit<'a>(
        &'a self,
        path: &'a str,
        circles: &[Vec<&'a str>],
        seen: &mut BTreeSet<&'a str>,
        order: &mut Vec<&'a str>,
    ) {
        if seen.contains(path) {
            return;
        }
        let own = [path];
        let members = circles.iter().find(|it| it.contains(&path)).map_or(&own[..], Vec::as_slice);
        seen.extend(members);
        for object in members.iter().filter_map(|path| self.objects.get(*path)) {
            for needed in &object.needs {
                self.visit(needed, circles, seen, order);
            }
        }
        order.extend(members);
    }

    /// Libraries that need each other, so that none can be loaded first.
    fn circles(&self) -> Vec<Vec<&str>> {
        let mut circles: Vec<Vec<&str>> = Vec::new();
        for path in self.objects.keys().map(String::as_str) {
            let needed = self.needed(path);
            if !needed.contains(path) || circles.iter().any(|circle| circle.contains(&path)) {
                continue;
            }
            let others = needed.into_iter().filter(|other| self.needed(other).contains(path));
            circles.push(others.collect());
        }
        circles
    }

    /// All that an object needs, and what that needs.
    fn needed<'a>(&'a self, path: &str) -> BTreeSet<&'a str> {
        let mut needed = BTreeSet::new();
        let mut rest: Vec<&str> = vec![path];
        while let Some(object) = rest.pop().and_then(|path| self.objects.get(path)) {
            let new = object.needs.iter().map(String::as_str);
            let new: Vec<&str> = new.filter(|path| needed.insert(*path)).collect();
            rest.extend(new);
        }
        needed
    }
}

impl Module {
    /// The module, for whoever can't load it.
    pub(crate) fn compiled(&self) -> Compiled {
        let need = if self.required { Need::Module } else { Need::Nothing };
        Compiled { why: self.why.clone(), distribution: self.distribution.clone(), need }
    }

    /// What is said of a module that is left out.
    fn left_out(&self) -> Warning {
        let (name, why) = (&self.why.name, self.why.text());
        Warning {
            code: "compiled-module".to_owned(),
            message: format!("the compiled module `{name}` is left out; it is {why}"),
            file: Some(self.file.clone()),
            line: 0,
        }
    }
}

/// Collects shared objects.
pub(crate) struct Collector<'a> {
    inputs: &'a mut Inputs,
    /// Search folders, and where their modules are in the program.
    roots: &'a [PathBuf],
    prefix: &'a str,
    /// Libraries of this machine by name, once they were asked for.
    machine: Option<BTreeMap<String, Vec<PathBuf>>>,
    /// Whether what is collected now may need the interpreter's library.
    has_libpython: bool,
    found: Objects,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(inputs: &'a mut Inputs, roots: &'a [PathBuf], prefix: &'a str) -> Self {
        Self {
            inputs,
            roots,
            prefix,
            machine: None,
            has_libpython: false,
            found: Objects::default(),
        }
    }

    pub(crate) fn finish(self) -> Objects {
        self.found
    }

    /// Takes a module, with what it needs.
    pub(crate) fn module(&mut self, module: Module) -> Result<(), Error> {
        let bytes = self.inputs.read(&module.file)?;
        let binary = facts(&bytes);
        let owner = module.distribution.as_ref().unwrap_or(&module.why.name);
        self.object(&module.path, &module.file, owner, binary, &[])?;
        self.found.modules.push(module);
        Ok(())
    }

    /// Takes an executable, with what it needs, and gives the paths of the latter, all of which has to be
    /// loaded with it.
    pub(crate) fn executable(&mut self, path: &str, file: &Path) -> Result<Vec<String>, Error> {
        let bytes = self.inputs.read(file)?;
        self.has_libpython = true;
        self.object(path, file, "interpreter", facts(&bytes), &[])?;
        self.has_libpython = false;
        Ok(self.found.needed(path).into_iter().map(str::to_owned).collect())
    }

    /// Takes a file of a package if it is a library rather than a module that nothing imports.
    pub(crate) fn library(&mut self, path: &str, file: &Path, owner: &str) -> Result<(), Error> {
        if self.found.objects.contains_key(path) {
            return Ok(());
        }
        let bytes = self.inputs.read(file)?;
        let Ok(binary) = facts(&bytes) else { return Ok(()) };
        let name = path.rsplit('/').next().unwrap_or(path);
        let start = format!("PyInit_{}", name.split('.').next().unwrap_or(name));
        if binary.exports.contains(&start) {
            return Ok(());
        }
        self.object(path, file, owner, Ok(binary), &[])?;
        if let Some(object) = self.found.objects.get_mut(path) {
            object.alone = true;
        }
        Ok(())
    }

    fn object(
        &mut self,
        path: &str,
        file: &Path,
        owner: &str,
        binary: Result<Binary, String>,
        inherited: &[PathBuf],
    ) -> Result<(), Error> {
        if self.found.objects.contains_key(path) {
            return Ok(());
        }
        let mut object = Object {
            file: file.to_owned(),
            owner: owner.to_owned(),
            alone: false,
            needs: Vec::new(),
            problem: None,
        };
        // Libraries may need each other.
        self.found.objects.insert(path.to_owned(), object.clone());
        match binary {
            Ok(binary) => self.needs(&mut object, &binary, inherited)?,
            Err(why) => object.problem = Some(why),
        }
        self.found.objects.insert(path.to_owned(), object);
        Ok(())
    }

    /// Takes what an object needs.
    fn needs(
        &mut self,
        object: &mut Object,
        binary: &Binary,
        inherited: &[PathBuf],
    ) -> Result<(), Error> {
        let origin = object.file.parent().unwrap_or(Path::new("/")).to_owned();
        let folders = |paths: &[String]| -> Vec<PathBuf> {
            let place = |path: &String| {
                let rest = ["$ORIGIN", "${ORIGIN}"].iter().find_map(|it| path.strip_prefix(it));
                match rest {
                    Some(rest) => normalized(&origin.join(rest.trim_start_matches('/'))),
                    None => PathBuf::from(path),
                }
            };
            paths.iter().filter(|path| !path.is_empty()).map(place).collect()
        };
        // DT_RPATH counts for what the libraries need too, unless there is DT_RUNPATH.
        let (own, passed) = if binary.runpath.is_empty() {
            let own = [folders(&binary.rpath), inherited.to_vec()].concat();
            (own.clone(), own)
        } else {
            (folders(&binary.runpath), Vec::new())
        };
        for name in &binary.needed {
            if C_LIBRARY.contains(&name.as_str()) || name.starts_with("ld-linux") {
                continue;
            }
            if MACHINE.contains(&name.as_str()) {
                self.found.machine.insert(name.clone());
                continue;
            }
            if name.starts_with("libpython") && !self.has_libpython {
                let why = format!("it is linked to {name}, which would be another interpreter");
                object.problem = Some(why);
                continue;
            }
            let bundled = own.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
            let (file, path) = match bundled {
                Some(file) => {
                    let path = self.in_program(&file, name);
                    (file, path)
                }
                None => {
                    let Some(file) = self.on_machine(name) else {
                        self.found.lacks = true;
                        let message = format!("it needs {name}, which isn't on this machine");
                        self.warn("missing-library", message, &object.file);
                        continue;
                    };
                    (file, format!("{TAKEN}/{name}"))
                }
            };
            if !self.found.objects.contains_key(&path) {
                let binary = facts(&self.inputs.read(&file)?);
                self.tell_of(&file, &path, name, object, &binary);
                self.object(&path, &file, &object.owner, binary, &passed)?;
            }
            object.needs.push(path);
        }
        Ok(())
    }

    /// Says what is odd about a library that `object` needs.
    fn tell_of(
        &mut self,
        file: &Path,
        path: &str,
        name: &str,
        object: &Object,
        binary: &Result<Binary, String>,
    ) {
        if path.starts_with(TAKEN) {
            let message =
                format!("it needs {name}, which is taken from this machine: {}", file.display());
            self.warn("library", message, &object.file);
        }
        let its = binary.as_ref().ok().map(|binary| binary.name.as_deref().unwrap_or_default());
        if its.is_some_and(|its| its != name) {
            let message = format!(
                "it is needed as {name}, which isn't its own name (DT_SONAME), so that it isn't found in \
                 memory"
            );
            self.warn("library", message, file);
        }
    }

    fn warn(&mut self, code: &str, message: String, file: &Path) {
        let file = Some(file.to_owned());
        self.found.warnings.push(Warning { code: code.to_owned(), message, file, line: 0 });
    }

    /// Where a library that lies beside modules is in the program.
    fn in_program(&self, file: &Path, name: &str) -> String {
        // An environment may be inside a script's folder.
        let inners = self.roots.iter().filter_map(|root| file.strip_prefix(root).ok()?.to_str());
        let inner = inners.min_by_key(|inner| inner.len());
        let path = format!("{}/{}", self.prefix, inner.unwrap_or_default());
        let is_other =
            |path: &String| self.found.objects.get(path).is_some_and(|it| it.file != file);
        match inner {
            Some(_) if !is_other(&path) => path,
            _ => format!("{TAKEN}/{name}"),
        }
    }

    /// The library of a name that the loader would take on this machine.
    fn on_machine(&mut self, name: &str) -> Option<PathBuf> {
        let known = self.machine.get_or_insert_with(machine_libraries);
        let folders = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
        let all = known.get(name).cloned().unwrap_or_default().into_iter().chain(folders);
        let mut all = all.filter(|file| file.is_file());
        // Those of other architectures have the same names.
        all.find(|file| fs::read(file).is_ok_and(|bytes| facts(&bytes).is_ok()))
    }
}

/// What `ldconfig` knows.
fn machine_libraries() -> BTreeMap<String, Vec<PathBuf>> {
    let mut libraries: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for program in ["ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"] {
        let mut ldconfig = Command::new(program);
        let Ok(output) = ldconfig.arg("-p").stdin(Stdio::null()).output() else { continue };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Some((what, file)) = line.split_once(" => ") else { continue };
            let name = what.split_whitespace().next().unwrap_or_default();
            libraries.entry(name.to_owned()).or_default().push(PathBuf::from(file.trim()));
        }
        break;
    }
    libraries
}

/// What a shared object says of itself, or why a program of this machine can't load it.
fn facts(bytes: &[u8]) -> Result<Binary, String> {
    let binaries = ekiben_object::read(bytes).map_err(|error| error.to_string())?;
    let binary = binaries.into_iter().next().ok_or("there is nothing in it")?;
    if binary.format != Format::Elf {
        return Err("it is of another system".to_owned());
    }
    if !binary.architecture.eq_ignore_ascii_case(std::env::consts::ARCH) {
        return Err(format!("it is for {}", binary.architecture));
    }
    Ok(binary)
}

/// A path without `..`, as the loader's folders have it.
fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normalized.pop();
            }
            Component::CurDir => {}
            part => normalized.push(part),
        }
    }
    normalized
}
