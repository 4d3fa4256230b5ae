//! What modules of packages are linked with: each library as an archive, found before linking.
//!
//! An archive in the static wheel comes first, then the runtime's own of that name, then the one that
//! was recorded, then what the compiler finds.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use ekiben_static::{Library, machine};

use super::Linker;
use crate::runtime::error::Error;
use crate::runtime::manifest::{FlavourLink, Link};
use crate::runtime::run::{Progress, Runner};
use crate::runtime::toolchain::Toolchain;
use crate::runtime::{Flavour, Runtime};

/// Parts of the C library. A dynamic program takes them from the machine.
const C_LIBRARY: [&str; 9] = ["anl", "c", "dl", "m", "mvec", "pthread", "resolv", "rt", "util"];
/// What the compiler links every program with by itself.
const COMPILER: [&str; 4] = ["gcc", "gcc_eh", "gcc_s", "c_nonshared"];
/// Libraries of compilers, with what they need themselves where there is such.
const IMPLIED: [(&str, &str); 1] = [("gfortran", "quadmath")];

/// What a module is linked with, as `static.json` says it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The module.
    pub module: &'a str,
    /// The distribution that it is from.
    pub owner: &'a str,
    /// The folder of the static wheel.
    pub wheel: &'a Path,
    /// The libraries that it names.
    pub names: &'a [String],
    /// All of its wheel.
    pub libraries: &'a [Library],
}

/// Where the libraries of a program are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Libraries {
    /// Archives and objects.
    pub archives: Vec<Archive>,
    /// Parts of the C library, by name.
    c: BTreeSet<String>,
    /// What links: the compiler, and its linker, as they name themselves.
    pub tools: Vec<String>,
    /// Whether a program with them is loaded by the machine's loader.
    is_dynamic: bool,
}

/// A library that is linked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is an object, all of which is taken.
    pub is_object: bool,
    /// The package of a machine that it came with, if that is known.
    pub package: Option<String>,
    /// The texts of its licences. Those of objects are the distribution's, which made them.
    pub licences: Vec<PathBuf>,
}

/// A library that can't be linked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoArchive {
    /// Its name.
    pub name: String,
    /// The module that needs it.
    pub module: String,
    /// The distribution that this is from.
    pub owner: String,
    /// What there is instead.
    pub shared: Option<PathBuf>,
    /// The package of the machine that this came with.
    pub package: Option<String>,
}

impl fmt::Display for NoArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, module, owner, .. } = self;
        write!(f, "lib{name}.a, for `{module}` of {owner}: ")?;
        match (&self.shared, &self.package) {
            (Some(shared), Some(package)) => {
                write!(f, "{package} has only {}", shared.display())
            }
            (Some(shared), None) => write!(f, "there is only {}", shared.display()),
            (None, Some(package)) => {
                write!(f, "{package} is there, and lib{name}-dev may have it")
            }
            (None, None) => write!(f, "lib{name}-dev may have it"),
        }
    }
}

impl Libraries {
    /// What the keys of links have of them: names, and content by `digest`.
    pub fn describe<E>(
        &self,
        digest: impl Fn(&Path) -> Result<String, E>,
    ) -> Result<Vec<String>, E> {
        let archive = |archive: &Archive| {
            let Archive { name, path, is_object, .. } = archive;
            Ok(format!("library {name} {is_object} {}", digest(path)?))
        };
        let mut lines = self.archives.iter().map(archive).collect::<Result<Vec<_>, E>>()?;
        lines.extend(self.c.iter().map(|name| format!("c {name}")));
        lines.extend(self.tools.iter().map(|tool| format!("tool {tool}")));
        Ok(lines)
    }

    /// Says of which packages archives are, where that isn't known and they are this machine's.
    fn name_packages(&mut self) {
        let unknown = |it: &&mut Archive| !it.is_object && it.package.is_none();
        let archives: Vec<&mut Archive> = self.archives.iter_mut().filter(unknown).collect();
        let paths: Vec<PathBuf> = archives.iter().map(|archive| archive.path.clone()).collect();
        let packages = machine::packages(paths.iter().map(PathBuf::as_path));
        for (archive, path) in archives.into_iter().zip(&paths) {
            if let Some(package) = packages.get(path.as_path()) {
                archive.package = Some(package.name.clone());
                archive.licences.extend(package.licences.clone());
            }
        }
    }

    /// Adds them to a link.
    pub(super) fn add_to(&self, plan: &mut Link, how: &mut FlavourLink) {
        for Archive { path, is_object, .. } in &self.archives {
            let text = path.display().to_string();
            if *is_object {
                how.objects.push(text);
                continue;
            }
            plan.archives.push(text);
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            // What is loaded has its own, and mustn't find these: of C++, or of another version.
            if self.is_dynamic {
                how.flags.push(format!("-Wl,--exclude-libs,{file}"));
            }
        }
        let known = &plan.libraries;
        let c = self.c.iter().map(|name| format!("-l{name}")).filter(|it| !known.contains(it));
        let c: Vec<String> = c.collect();
        plan.libraries.splice(0..0, c);
    }
}

impl Runtime {
    /// Finds what modules of packages are linked with.
    ///
    /// # Errors
    /// If there is no compiler, or no archive of a library.
    pub fn libraries(
        &self,
        wanted: &[Wanted<'_>],
        flavour: Flavour,
        linker: Option<Linker>,
        progress: Progress<'_>,
    ) -> Result<Libraries, Error> {
        let work = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
        let mut runner = Runner::new(progress, &work.path().join("log"))?;
        let toolchain = Toolchain::find(&mut runner)?;
        let of_runtime = self.manifest.interpreter.libraries.iter();
        let of_runtime = of_runtime.filter(|library| library.file.is_some());
        let mut search = Search {
            known: of_runtime.map(|library| library.name.as_str()).collect(),
            toolchain: &toolchain,
            runner: &mut runner,
            seen: BTreeSet::new(),
            found: Libraries { is_dynamic: flavour == Flavour::Dynamic, ..Libraries::default() },
            lacking: Vec::new(),
        };
        for module in wanted {
            for name in module.names {
                search.take(name, *module)?;
            }
        }
        let Search { mut found, lacking, .. } = search;
        if !lacking.is_empty() {
            return Err(Error::NoArchives(lacking));
        }
        found.name_packages();
        found.tools.push(toolchain.compiler.version.clone());
        found.tools.push(linker_version(&toolchain, linker, &mut runner)?);
        Ok(found)
    }
}

/// The first line of what the linker says of itself.
fn linker_version(
    toolchain: &Toolchain,
    linker: Option<Linker>,
    runner: &mut Runner<'_>,
) -> Result<String, Error> {
    let mut command = toolchain.command();
    command.args(linker.map(|linker| format!("-fuse-ld={linker}"))).arg("-Wl,--version");
    let said = runner.output("asking the linker", &mut command).map_err(|error| match linker {
        Some(linker) if matches!(error, Error::Step { .. }) => Error::Input {
            message: format!("the compiler has no linker `{linker}`"),
            help: format!(
                "install it (on Debian and its kin: apt-get install {}), or leave out --linker",
                match linker {
                    Linker::Bfd => "binutils",
                    Linker::Lld => "lld",
                    Linker::Mold => "mold",
                }
            ),
        },
        _ => error,
    })?;
    Ok(said.lines().next().unwrap_or_default().trim().to_owned())
}

struct Search<'a, 'r, 'p> {
    /// Names of the runtime's own.
    known: BTreeSet<&'a str>,
    toolchain: &'a Toolchain,
    runner: &'r mut Runner<'p>,
    /// By name, and for those in wheels by the wheel too.
    seen: BTreeSet<(PathBuf, String)>,
    found: Libraries,
    lacking: Vec<NoArchive>,
}

impl Search<'_, '_, '_> {
    fn take(&mut self, name: &str, by: Wanted<'_>) -> Result<(), Error> {
        let library = by.libraries.iter().find(|library| library.name == name);
        let inner = library.and_then(|library| library.inner.as_ref());
        let place = if inner.is_some() { by.wheel.to_owned() } else { PathBuf::new() };
        // CPython's own is the runtime's.
        let is_there = COMPILER.contains(&name) || name.starts_with("python3");
        if is_there || !self.seen.insert((place, name.to_owned())) {
            return Ok(());
        }
        if let Some(inner) = inner {
            let path = by.wheel.join(inner);
            self.add(name, path, library.map(|library| (library, by.wheel)));
        } else if C_LIBRARY.contains(&name) {
            self.found.c.insert(name.to_owned());
        } else if !self.known.contains(name) {
            let recorded = library.and_then(|it| it.archive.as_deref());
            match self.archive(name, recorded)? {
                Some(path) => {
                    let library = library.filter(|_| recorded == Some(&path));
                    self.add(name, path, library.map(|library| (library, by.wheel)));
                }
                None => {
                    let lacking = self.lacking(name, by)?;
                    self.lacking.push(lacking);
                }
            }
        }
        for needed in library.map_or(&[][..], |library| &library.needs) {
            self.take(needed, by)?;
        }
        for (_, implied) in IMPLIED.iter().filter(|(of, _)| *of == name) {
            let is_new = self.seen.insert((PathBuf::new(), (*implied).to_owned()));
            if let Some(path) = self.archive(implied, None)?.filter(|_| is_new) {
                self.add(implied, path, None);
            }
        }
        Ok(())
    }

    /// Adds a library, of which a static wheel may know more.
    fn add(&mut self, name: &str, path: PathBuf, known: Option<(&Library, &Path)>) {
        let is_object = path.extension().is_some_and(|extension| extension == "o");
        let package = known.and_then(|(library, _)| library.package.clone());
        let licences = known
            .into_iter()
            .flat_map(|(library, wheel)| library.licence_files.iter().map(|file| wheel.join(file)));
        let (name, licences) = (name.to_owned(), licences.collect());
        self.found.archives.push(Archive { name, path, is_object, package, licences });
    }

    fn archive(&mut self, name: &str, recorded: Option<&Path>) -> Result<Option<PathBuf>, Error> {
        match recorded.filter(|path| path.is_file()) {
            Some(path) => Ok(Some(path.to_owned())),
            None => self.toolchain.archive(name, self.runner),
        }
    }

    fn lacking(&mut self, name: &str, by: Wanted<'_>) -> Result<NoArchive, Error> {
        let shared = self.toolchain.shared(name, self.runner)?;
        let package = match &shared {
            Some(shared) => machine::owner(&shared.display().to_string()),
            None => machine::owner(&format!("*/lib{name}.so.*")),
        };
        Ok(NoArchive {
            name: name.to_owned(),
            module: by.module.to_owned(),
            owner: by.owner.to_owned(),
            shared,
            package,
        })
    }
}
