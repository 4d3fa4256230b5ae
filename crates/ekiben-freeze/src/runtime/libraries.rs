//! The C libraries that modules of the standard library need: this machine's static archives of them,
//! or archives that are made of [pinned] sources.
//!
//! What isn't here on purpose: GNU readline and gdbm (GPL) and Berkeley DB (AGPL), which would bind
//! whoever passes a program on; editline serves for the first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ekiben_static::machine;

use super::error::Error;
use super::manifest::LeftOut;
use super::run::Runner;
use super::store::Store;
use super::toolchain::Toolchain;
use super::version::PythonVersion;
use super::{Flavour, LibrarySource, Request, pinned};

/// A library: its name, Debian's package of its archive, its licence.
struct Known {
    name: &'static str,
    package: &'static str,
    licence: &'static str,
    /// Only some distributions need it beside others.
    is_optional: bool,
}

const fn known(name: &'static str, package: &'static str, licence: &'static str) -> Known {
    Known { name, package, licence, is_optional: false }
}

const fn maybe(name: &'static str, package: &'static str, licence: &'static str) -> Known {
    Known { name, package, licence, is_optional: true }
}

const LIBRARIES: [Known; 16] = [
    maybe("bsd", "libbsd-dev", "BSD-3-Clause AND BSD-2-Clause AND ISC AND MIT"),
    known("bz2", "libbz2-dev", "bzip2-1.0.6"),
    known("crypt", "libcrypt-dev", "LGPL-2.1-or-later"),
    known("crypto", "libssl-dev", "Apache-2.0"),
    known("edit", "libedit-dev", "BSD-3-Clause"),
    known("ffi", "libffi-dev", "MIT"),
    known("lzma", "liblzma-dev", "0BSD"),
    maybe("md", "libmd-dev", "BSD-3-Clause AND BSD-2-Clause AND ISC"),
    known("ncursesw", "libncurses-dev", "X11-distribute-modifications-variant"),
    known("panelw", "libncurses-dev", "X11-distribute-modifications-variant"),
    known("sqlite3", "libsqlite3-dev", "blessing"),
    known("ssl", "libssl-dev", "Apache-2.0"),
    maybe("tinfo", "libncurses-dev", "X11-distribute-modifications-variant"),
    known("uuid", "uuid-dev", "BSD-3-Clause"),
    known("z", "zlib1g-dev", "Zlib"),
    known("zstd", "libzstd-dev", "BSD-3-Clause"),
];

/// What modules need.
struct Need {
    modules: &'static [&'static str],
    header: &'static str,
    /// In the order of a link.
    libraries: &'static [&'static str],
    since: u8,
    until: u8,
}

const fn need(
    modules: &'static [&'static str],
    header: &'static str,
    libraries: &'static [&'static str],
) -> Need {
    Need { modules, header, libraries, since: 0, until: u8::MAX }
}

const NEEDS: [Need; 12] = [
    need(&["_bz2"], "bzlib.h", &["bz2"]),
    Need { until: 12, ..need(&["_crypt"], "crypt.h", &["crypt"]) },
    need(&["_ctypes"], "ffi.h", &["ffi"]),
    need(&["_curses"], "curses.h", &["ncursesw", "tinfo"]),
    need(&["_curses_panel"], "panel.h", &["panelw", "ncursesw", "tinfo"]),
    need(&["_lzma"], "lzma.h", &["lzma"]),
    need(&["_sqlite3"], "sqlite3.h", &["sqlite3"]),
    need(&["_ssl", "_hashlib"], "openssl/ssl.h", &["ssl", "crypto"]),
    need(&["_uuid"], "uuid/uuid.h", &["uuid"]),
    Need { since: 14, ..need(&["_zstd"], "zstd.h", &["zstd"]) },
    need(&["readline"], "editline/readline.h", &["edit", "bsd", "md", "tinfo"]),
    need(&["zlib"], "zlib.h", &["z"]),
];

/// Modules that no runtime has, and the last series that has them.
const NEVER: [(&str, u8, &str); 4] = [
    (
        "_dbm",
        u8::MAX,
        "its libraries are under the GPL or the AGPL; dbm.dumb and, from 3.13, dbm.sqlite3 are there",
    ),
    ("_gdbm", u8::MAX, "gdbm is under the GPL; dbm.dumb and, from 3.13, dbm.sqlite3 are there"),
    ("_tkinter", u8::MAX, "Tcl and Tk read their own scripts as files"),
    ("nis", 12, "its libraries exist only as shared ones"),
];

/// A library's archive on this machine.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) licence: String,
    /// Name and version.
    pub(super) package: Option<String>,
    pub(super) licence_text: Option<PathBuf>,
    /// Those it is part of, if not of all.
    pub(super) flavours: Vec<Flavour>,
    /// Whether the compiler finds it by itself.
    pub(super) is_of_compiler: bool,
    /// Whether it was made of a pinned source.
    pub(super) is_pinned: bool,
}

/// What this machine has, for a version of CPython.
#[derive(Debug)]
pub(super) struct Libraries {
    /// In the order of their names.
    pub(super) found: Vec<Found>,
    /// Modules with the libraries they are linked with.
    pub(super) modules: Vec<(&'static str, Vec<&'static str>)>,
    /// Modules that can't be built here.
    pub(super) missing: Vec<LeftOut>,
    /// Modules that are never built.
    pub(super) never: Vec<LeftOut>,
    /// Folders with `lib` and `include` of those that come from pinned sources.
    pub(super) pinned: Vec<PathBuf>,
}

impl Libraries {
    /// Looks for them, and builds those that are to come from pinned sources.
    pub(super) fn find(
        request: &Request,
        store: &Store,
        toolchain: &Toolchain,
        runner: &mut Runner<'_>,
    ) -> Result<Self, Error> {
        let python = request.python;
        let mut of_machine = BTreeMap::new();
        for library in &LIBRARIES {
            if let Some(path) = toolchain.archive(library.name, runner)? {
                of_machine.insert(library.name, path);
            }
        }
        let mut headers = BTreeSet::new();
        for need in needs(python) {
            if toolchain.has_header(need.header, runner)? {
                headers.insert(need.header);
            }
        }
        let (_, missing) = decide(python, &|library| of_machine.contains_key(library), &|header| {
            headers.contains(header)
        });
        let mut pinned = Vec::new();
        for need in needs(python).filter(|need| need.is_pinned(request.libraries, &missing)) {
            let Some(source) = pinned::source(need.libraries) else { continue };
            match source.build(request, store, toolchain, runner) {
                Ok(built) => {
                    headers.insert(need.header);
                    pinned.push(built);
                }
                // It can do without, as before.
                Err(error) if request.libraries == LibrarySource::Auto && error.is_of_machine() => {
                    runner.note(&error.to_string())?;
                }
                Err(error) => return Err(error),
            }
        }
        let pinned_archive =
            |library: &str| pinned.iter().find_map(|built| Some((built, built.archive(library)?)));
        let has_archive =
            |library: &str| of_machine.contains_key(library) || pinned_archive(library).is_some();
        let (modules, missing) = decide(python, &has_archive, &|header| headers.contains(header));
        let is_used = |name: &str| modules.iter().any(|(_, libraries)| libraries.contains(&name));
        let mut found = Vec::new();
        for library in LIBRARIES.iter().filter(|library| is_used(library.name)) {
            if let Some((built, path)) = pinned_archive(library.name) {
                found.push(Found {
                    package: Some(built.package.clone()),
                    licence_text: built.licence_text.clone(),
                    is_pinned: true,
                    ..Found::new(library.name, library.licence, path)
                });
            } else if let Some(path) = of_machine.remove(library.name) {
                found.push(Found::new(library.name, library.licence, path));
            }
        }
        // They belong to the compiler, but their licences are a program's business.
        for (name, licence, flavours) in [
            ("c", "LGPL-2.1-or-later", vec![Flavour::Static]),
            ("gcc", "GPL-3.0-or-later WITH GCC-exception-3.1", Vec::new()),
        ] {
            if let Some(path) = toolchain.archive(name, runner)? {
                let library = Found::new(name, licence, path);
                found.push(Found { flavours, is_of_compiler: true, ..library });
            }
        }
        ask_packages(&mut found);
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let pinned = pinned.into_iter().map(|built| built.folder).collect();
        Ok(Self { found, modules, missing, never: never(python), pinned })
    }

    /// Every module that isn't built, by name.
    pub(super) fn left_out(&self) -> Vec<LeftOut> {
        let mut all: Vec<LeftOut> = self.missing.iter().chain(&self.never).cloned().collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// The flags for a module's libraries, if it is built.
    pub(super) fn flags(&self, module: &str) -> Option<String> {
        let (_, libraries) = self.modules.iter().find(|(name, _)| *name == module)?;
        let flags: Vec<String> = libraries.iter().map(|library| format!("-l{library}")).collect();
        Some(flags.join(" "))
    }
}

impl Need {
    /// Whether its libraries are to come from pinned sources, if there are such.
    fn is_pinned(&self, from: LibrarySource, missing: &[LeftOut]) -> bool {
        match from {
            LibrarySource::System => false,
            LibrarySource::Pinned => true,
            LibrarySource::Auto => {
                missing.iter().any(|left_out| self.modules.contains(&left_out.name.as_str()))
            }
        }
    }
}

fn needs(python: PythonVersion) -> impl Iterator<Item = &'static Need> {
    NEEDS.iter().filter(move |need| (need.since..=need.until).contains(&python.minor()))
}

fn never(python: PythonVersion) -> Vec<LeftOut> {
    let here = NEVER.iter().filter(|(_, until, _)| python.minor() <= *until);
    here.map(|(name, _, reason)| LeftOut {
        name: (*name).to_owned(),
        reason: (*reason).to_owned(),
        packages: Vec::new(),
    })
    .collect()
}

type Linked = Vec<(&'static str, Vec<&'static str>)>;

/// Which modules can be built, with their libraries, and which can't.
fn decide(
    python: PythonVersion,
    has_archive: &dyn Fn(&str) -> bool,
    has_header: &dyn Fn(&str) -> bool,
) -> (Linked, Vec<LeftOut>) {
    let (mut linked, mut left_out) = (Vec::new(), Vec::new());
    for need in needs(python) {
        let known = |name: &&str| LIBRARIES.iter().find(|library| library.name == *name);
        let mut reasons = Vec::new();
        let mut packages: Vec<String> = Vec::new();
        for library in need.libraries.iter().filter_map(known) {
            if !has_archive(library.name) && !library.is_optional {
                reasons.push(format!("there is no lib{}.a", library.name));
                packages.push(library.package.to_owned());
            }
        }
        if !has_header(need.header) {
            reasons.push(format!("there is no <{}>", need.header));
            // The first library is the one that the header is of.
            packages.extend(need.libraries.first().and_then(known).map(|it| it.package.to_owned()));
        }
        packages.dedup();
        for module in need.modules {
            if reasons.is_empty() {
                let there = need.libraries.iter().copied().filter(|name| has_archive(name));
                linked.push((*module, there.collect()));
            } else {
                let reason = reasons.join(" and ");
                let packages = packages.clone();
                left_out.push(LeftOut { name: (*module).to_owned(), reason, packages });
            }
        }
    }
    (linked, left_out)
}

impl Found {
    pub(super) fn new(name: &str, licence: &str, path: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            path,
            licence: licence.to_owned(),
            package: None,
            licence_text: None,
            flavours: Vec::new(),
            is_of_compiler: false,
            is_pinned: false,
        }
    }
}

/// Asks the machine's package manager what it knows of libraries.
fn ask_packages(libraries: &mut [Found]) {
    let paths: Vec<PathBuf> = libraries.iter().map(|library| library.path.clone()).collect();
    let packages = machine::packages(paths.iter().map(PathBuf::as_path));
    for library in libraries.iter_mut().filter(|library| !library.is_pinned) {
        if let Some(package) = packages.get(library.path.as_path()) {
            library.package = Some(package.name.clone());
            library.licence_text.clone_from(&package.licences);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn decided(series: &str, lacking: &[&str]) -> (Linked, Vec<LeftOut>) {
        let has = |name: &str| !lacking.contains(&name);
        decide(series.parse().unwrap(), &has, &has)
    }

    #[test]
    fn modules_have_what_their_series_has() {
        let names = |series| {
            let (linked, left_out) = decided(series, &[]);
            assert_eq!(left_out, []);
            linked.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert!(names("3.11").contains(&"_crypt") && !names("3.13").contains(&"_crypt"));
        assert!(names("3.14").contains(&"_zstd") && !names("3.13").contains(&"_zstd"));
        let never = |series: &str| never(series.parse().unwrap()).len();
        assert_eq!((never("3.11"), never("3.13")), (4, 3));
    }

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let (linked, left_out) = decided("3.13", &["crypto", "editline/readline.h", "bsd"]);
        let expected = [
            ("_ssl", "there is no libcrypto.a", "libssl-dev"),
            ("_hashlib", "there is no libcrypto.a", "libssl-dev"),
            ("readline", "there is no <editline/readline.h>", "libedit-dev"),
        ];
        let expected = expected.map(|(name, reason, package)| LeftOut {
            name: name.to_owned(),
            reason: reason.to_owned(),
            packages: vec![package.to_owned()],
        });
        assert_eq!(left_out, expected);
        assert!(linked.contains(&("_curses", vec!["ncursesw", "tinfo"])));
        let help = super::super::error::install_help(&left_out).unwrap();
        assert_eq!(help, "on Debian and its kin: apt-get install libedit-dev libssl-dev");
    }

    #[test]
    fn optional_libraries_may_lack() {
        let (linked, left_out) = decided("3.13", &["tinfo", "md", "bsd"]);
        assert_eq!(left_out, []);
        assert!(linked.contains(&("readline", vec!["edit"])));
    }

    #[test]
    fn pinned_sources_stand_in_for_what_is_missing() {
        let (_, missing) = decided("3.14", &["crypto", "zstd.h", "uuid"]);
        let built = |from| {
            let needs = needs("3.14".parse().unwrap());
            let asked = needs.filter(|need| need.is_pinned(from, &missing));
            asked.filter(|need| pinned::source(need.libraries).is_some()).count()
        };
        assert_eq!(built(LibrarySource::System), 0);
        // Of uuid there is no source.
        assert_eq!(built(LibrarySource::Auto), 2);
        assert_eq!(built(LibrarySource::Pinned), 7);
    }

    #[test]
    fn every_library_is_known() {
        for need in &NEEDS {
            for name in need.libraries {
                assert!(LIBRARIES.iter().any(|library| library.name == *name), "{name}");
            }
        }
    }
}
