//! What the inputs of a link are: the package's own, which go into its object, or libraries of the
//! machine, of which a program that is linked statically has one copy.
//!
//! An archive doesn't say what it needs. The shared library of the same name does (`DT_NEEDED`), and the
//! names of those lead to further archives: `libopenblas.so` needs `libgfortran.so.5`, so
//! `libopenblas.a` needs `libgfortran.a`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::arguments::{Arguments, Input};
use super::record::{self, Linked};
use crate::Library;

/// Libraries that are part of any program: the C library, and the compiler's own.
const EVERYWHERE: [&str; 9] =
    ["c", "dl", "gcc", "gcc_eh", "gcc_s", "m", "mvec", "pthread", "ssp_nonshared"];

/// Objects of the C library and the compiler that begin and end shared objects and programs. One of
/// them, which `-ffast-math` brings, changes how the whole program computes.
const STARTUP: [&str; 13] = [
    "crt1.o",
    "Scrt1.o",
    "rcrt1.o",
    "gcrt1.o",
    "crti.o",
    "crtn.o",
    "crtbegin.o",
    "crtbeginS.o",
    "crtbeginT.o",
    "crtend.o",
    "crtendS.o",
    "crtfastmath.o",
    "crtprec80.o",
];

/// Where linkers look that weren't told.
const FOLDERS: [&str; 6] =
    ["/usr/local/lib", "/usr/local/lib64", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// What the inputs of a link are.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// What goes into the object, in order.
    pub(super) own: Vec<OsString>,
    pub(super) libraries: Vec<Linked>,
}

/// Sorts the inputs of a link that has succeeded. `needed` is what its result says that it needs, and
/// `own` the build's folder.
pub(super) fn sort(arguments: &Arguments, needed: &[String], own: &Path) -> Sorted {
    let mut sorter = Sorter {
        own,
        needed,
        folders: arguments
            .folders
            .iter()
            .map(PathBuf::as_path)
            .chain(FOLDERS.iter().map(Path::new))
            .map(Path::to_owned)
            .collect(),
        machine: BTreeMap::new(),
        order: Vec::new(),
        sorted: Sorted::default(),
    };
    for input in &arguments.inputs {
        match input {
            Input::How(word) => sorter.sorted.own.push(word.clone()),
            Input::File(path) => sorter.file(path, None),
            Input::Library { name, archive } => {
                if EVERYWHERE.contains(&name.as_str()) {
                    continue;
                }
                if let Some(path) = sorter.find(name, *archive) {
                    let name = (!name.starts_with(':')).then_some(name.as_str());
                    sorter.file(&path, name);
                }
            }
        }
    }
    sorter.finish()
}

struct Sorter<'a> {
    own: &'a Path,
    needed: &'a [String],
    folders: Vec<PathBuf>,
    machine: BTreeMap<String, Library>,
    /// The names of `machine`, each after those that need it.
    order: Vec<String>,
    sorted: Sorted,
}

/// What a file is, by how it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Archive,
    Shared,
    /// A linker's script, which names others.
    Script,
    /// An object, of whatever compiler.
    Object,
}

impl Sorter<'_> {
    /// The file of `-lNAME`.
    fn find(&self, name: &str, archive: bool) -> Option<PathBuf> {
        let names = match name.strip_prefix(':') {
            Some(exact) => vec![exact.to_owned()],
            None if archive => vec![format!("lib{name}.a")],
            None => vec![format!("lib{name}.so"), format!("lib{name}.a")],
        };
        let places = self.folders.iter().flat_map(|folder| names.iter().map(|it| folder.join(it)));
        places.into_iter().find(|path| path.is_file())
    }

    /// A file, of the library `name` if it was asked for by that.
    fn file(&mut self, path: &Path, name: Option<&str>) {
        let is_own = self.is_own(path);
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match what(path) {
            What::Object if !is_own && STARTUP.contains(&file.as_str()) => {}
            What::Object => self.sorted.own.push(path.into()),
            // Those of Rust are in the compiler's folder, and no other language's.
            What::Archive if is_own || file.ends_with(".rlib") => self.sorted.own.push(path.into()),
            What::Shared if is_own => {
                let Some((soname, bytes)) = shared(path) else { return };
                if let (true, Ok(code)) = (self.is_needed(&soname), record::code(&bytes)) {
                    self.sorted.libraries.push(Linked::Own { path: path.to_owned(), code });
                }
            }
            what => {
                if what == What::Shared && !shared(path).is_some_and(|it| self.is_needed(&it.0)) {
                    return;
                }
                let of_file = library_name(&file).map(str::to_owned);
                if let Some(name) = name.map(str::to_owned).or(of_file) {
                    self.machine(&name, path);
                }
            }
        }
    }

    /// Whether the result needs a shared library: with `--as-needed` it needn't.
    fn is_needed(&self, soname: &str) -> bool {
        self.needed.iter().any(|needed| needed == soname)
    }

    fn is_own(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|path| path.starts_with(self.own))
    }

    /// A library of the machine, and what it needs.
    fn machine(&mut self, name: &str, path: &Path) {
        if EVERYWHERE.contains(&name) || self.machine.contains_key(name) {
            return;
        }
        let archive = match what(path) {
            What::Archive => Some(path.to_owned()),
            _ => self.find(name, true),
        };
        let beside = path.with_file_name(format!("lib{name}.so"));
        let speaks = if what(path) == What::Archive { beside.as_path() } else { path };
        let needs: BTreeSet<String> = needs(speaks)
            .into_iter()
            .filter(|needed| needed != name && !EVERYWHERE.contains(&needed.as_str()))
            .collect();
        let needs: Vec<String> = needs.into_iter().collect();
        let library = Library {
            name: name.to_owned(),
            archive: archive.map(|path| path.canonicalize().unwrap_or(path)),
            needs: needs.clone(),
            ..Library::default()
        };
        self.machine.insert(name.to_owned(), library);
        for needed in needs {
            if let Some(path) = self.find(&needed, false) {
                self.machine(&needed, &path);
            } else if !self.machine.contains_key(&needed) {
                // It has to be found by whoever links a program.
                let library = Library { name: needed.clone(), ..Library::default() };
                self.machine.insert(needed.clone(), library);
                self.order.push(needed);
            }
        }
        self.order.push(name.to_owned());
    }

    fn finish(mut self) -> Sorted {
        for name in self.order.iter().rev() {
            let library = self.machine.remove(name).map(Linked::Machine);
            self.sorted.libraries.extend(library);
        }
        self.sorted
    }
}

fn what(path: &Path) -> What {
    let mut start = [0_u8; 18];
    let read = File::open(path).and_then(|mut file| file.read(&mut start));
    let start = &start[..read.unwrap_or_default()];
    if start.starts_with(b"!<arch>\n") || start.starts_with(b"!<thin>\n") {
        return What::Archive;
    }
    if start.starts_with(b"\x7fELF") {
        // Its type, ET_DYN.
        return if start.get(16..18) == Some(&[3, 0]) { What::Shared } else { What::Object };
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let is_library = file.ends_with(".a") || file.contains(".so");
    if is_library { What::Script } else { What::Object }
}

/// The name by which a shared library is asked for, and what is in it.
fn shared(path: &Path) -> Option<(String, Vec<u8>)> {
    let bytes = fs::read(path).ok()?;
    let name = ekiben_object::read(&bytes).ok()?.into_iter().next()?.name;
    let file = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Some((name.unwrap_or_else(file), bytes))
}

/// The names of the libraries that one needs, by its shared library or script.
fn needs(path: &Path) -> Vec<String> {
    let Ok(bytes) = fs::read(path) else { return Vec::new() };
    if let Ok(binaries) = ekiben_object::read(&bytes) {
        let needed = binaries.iter().flat_map(|binary| &binary.needed);
        return needed.filter_map(|soname| library_name(soname)).map(str::to_owned).collect();
    }
    if bytes.starts_with(b"!<") {
        return Vec::new();
    }
    // A script: `INPUT(libncurses.so.6 -ltinfo)`.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let words = text.split(|c: char| c.is_whitespace() || "(),".contains(c));
    words
        .filter_map(|word| match word.strip_prefix("-l") {
            Some(name) => Some(name),
            None => library_name(word.rsplit('/').next()?),
        })
        .map(str::to_owned)
        .collect()
}

/// `gfortran` of `libgfortran.so.5` and `libgfortran.a`.
fn library_name(file: &str) -> Option<&str> {
    let name = file.strip_prefix("lib")?;
    let end =
        name.find(".so").filter(|at| name[*at..].len() == 3 || name[*at..].starts_with(".so."));
    match end {
        Some(end) => Some(&name[..end]),
        None => name.strip_suffix(".a"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_named_as_they_are_asked_for() {
        for (file, name) in [
            ("libz.so.1", Some("z")),
            ("libstdc++.a", Some("stdc++")),
            ("libpython3.13.so.1.0", Some("python3.13")),
            ("libglib-2.0.so", Some("glib-2.0")),
            ("ld-linux-x86-64.so.2", None),
            ("libx.o", None),
        ] {
            assert_eq!(library_name(file), name, "{file}");
        }
    }
}
