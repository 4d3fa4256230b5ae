//! CPython's stable ABI: which symbols a module built for the limited API may use (PEP 384, PEP 652).
//!
//! The facts are in `data/abi3.txt`, which `cargo xtask abi3` writes: a line a symbol, sorted by
//! name. [`check`] compares with them what a binary takes from others. That a header declared it
//! doesn't matter, and neither does a symbol that only lies in the file: what the loader must find
//! counts.

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

use crate::{Binary, Import};

const DATA: &str = include_str!("../data/abi3.txt");

/// A version of Python 3 and so of the limited API: its minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u8);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.0)
    }
}

/// A symbol of the stable ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: &'static str,
    /// The version that brought it.
    pub added: Version,
    /// Whether it is data rather than a function.
    pub is_data: bool,
    /// Whether only macros and inline functions of the headers may use it; a binary that does is fine.
    pub abi_only: bool,
    /// The macro with which CPython must have been built to have it.
    pub needs: Option<&'static str>,
}

/// Builds of CPython for debugging have these macros, and what depends on them is in no other.
const DEBUG_MACROS: [&str; 2] = ["Py_REF_DEBUG", "Py_TRACE_REFS"];

/// Why a symbol can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It came with a later version.
    AddedIn(Version),
    /// Only builds of CPython for debugging have it.
    DebugBuild,
    /// It is in no version of the limited API.
    NotLimited,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddedIn(version) => write!(f, "added in {version}"),
            Self::DebugBuild => f.write_str("only in debug builds of Python"),
            Self::NotLimited => f.write_str("not in the limited API"),
        }
    }
}

/// What in a binary ties it to fewer Pythons than it is meant for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Symbols, sorted by name.
    pub symbols: Vec<(String, Reason)>,
    /// Libraries that one version of Python brings.
    pub libraries: Vec<String>,
}

impl Findings {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty() && self.libraries.is_empty()
    }

    /// The oldest version whose limited API has all symbols, if there is one.
    #[must_use]
    pub fn sufficient(&self) -> Option<Version> {
        let versions = self.symbols.iter().map(|(_, reason)| match reason {
            Reason::AddedIn(version) => Some(*version),
            Reason::DebugBuild | Reason::NotLimited => None,
        });
        versions.collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

fn table() -> &'static [Symbol] {
    static TABLE: OnceLock<Vec<Symbol>> = OnceLock::new();
    TABLE.get_or_init(|| DATA.lines().filter_map(parse).collect())
}

/// A line of the data; none if it is a comment.
fn parse(line: &'static str) -> Option<Symbol> {
    let mut words = line.split(' ').filter(|_| !line.starts_with('#'));
    let name = words.next()?;
    let added = Version(words.next()?.strip_prefix("3.")?.parse().ok()?);
    let mut symbol = Symbol { name, added, is_data: false, abi_only: false, needs: None };
    for word in words {
        match word {
            "data" => symbol.is_data = true,
            "abi-only" => symbol.abi_only = true,
            _ => symbol.needs = word.strip_prefix("if="),
        }
    }
    Some(symbol)
}

/// What the data says of a symbol.
#[must_use]
pub fn lookup(name: &str) -> Option<Symbol> {
    let table = table();
    table.binary_search_by(|symbol| symbol.name.cmp(name)).ok().map(|at| table[at])
}

/// Names the data: who changes it changes what [`check`] finds.
#[must_use]
pub fn data_version() -> &'static str {
    DATA.lines().find_map(|line| line.strip_prefix("# Source: ")).unwrap_or_default()
}

/// The newest version that the data knows.
#[must_use]
pub fn newest() -> Version {
    table().iter().map(|symbol| symbol.added).max().unwrap_or(Version(2))
}

/// Finds what in `binary` isn't in the limited API of `version`.
///
/// A weak symbol may be missing when the module is loaded, and the module must look before it uses
/// it: it isn't found fault with.
#[must_use]
pub fn check(binary: &Binary, version: Version) -> Findings {
    let strong = binary.imports.iter().filter(|import| !import.weak && is_pythons(import));
    let mut symbols: Vec<(String, Reason)> = strong
        .filter_map(|import| Some((import.name.clone(), fault(&import.name, version)?)))
        .collect();
    symbols.dedup();
    let libraries = binary.needed.iter().filter(|library| is_of_one_version(library));
    Findings { symbols, libraries: libraries.cloned().collect() }
}

fn fault(name: &str, version: Version) -> Option<Reason> {
    let Some(symbol) = lookup(name) else { return Some(Reason::NotLimited) };
    if symbol.needs.is_some_and(|needed| DEBUG_MACROS.contains(&needed)) {
        return Some(Reason::DebugBuild);
    }
    (symbol.added > version).then_some(Reason::AddedIn(symbol.added))
}

/// Whether a symbol is Python's: by its prefix, which CPython keeps for itself, unless it is known
/// to come from another library.
fn is_pythons(import: &Import) -> bool {
    let from_python = |library: &String| library.to_ascii_lowercase().contains("python");
    (import.name.starts_with("Py") || import.name.starts_with("_Py"))
        && import.library.as_ref().is_none_or(from_python)
}

/// Whether a library is that of one version of Python, such as `libpython3.12.so.1.0`: where another
/// runs, it is missing, or is a second interpreter in the process. `libpython3.so` and `python3.dll`
/// are for all.
fn is_of_one_version(library: &str) -> bool {
    if library.contains("/Python.framework/Versions/") {
        return true;
    }
    let name = Path::new(library).file_name().and_then(|name| name.to_str()).unwrap_or(library);
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("lib").unwrap_or(&name);
    let version = name.strip_prefix("python3").map(|rest| rest.strip_prefix('.').unwrap_or(rest));
    version.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Format;

    fn import(name: &str) -> Import {
        Import { name: name.to_owned(), library: None, weak: false }
    }

    fn binary(imports: Vec<Import>) -> Binary {
        Binary { imports, ..Binary::new(Format::Elf, object::Architecture::X86_64) }
    }

    #[test]
    fn the_data_is_sorted_and_read_whole() {
        let table = table();
        assert!(table.windows(2).all(|pair| pair[0].name < pair[1].name));
        let lines = DATA.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), table.len());
        assert!(table.len() > 900, "{}", table.len());
        assert!(data_version().starts_with("abi3info "), "{}", data_version());
        assert!(newest() >= Version(15));
        assert!(table.iter().any(|s| s.needs.is_some_and(|name| DEBUG_MACROS.contains(&name))));
    }

    #[test]
    fn symbols_are_known_with_what_matters_about_them() {
        let list = lookup("PyList_New").unwrap();
        assert_eq!((list.added, list.is_data, list.abi_only), (Version(2), false, false));
        assert_eq!(lookup("PyType_GetName").unwrap().added, Version(11));
        let none = lookup("_Py_NoneStruct").unwrap();
        assert!(none.is_data && none.abi_only);
        let windows = lookup("PyErr_SetExcFromWindowsErr").unwrap();
        assert_eq!(windows.needs, Some("MS_WINDOWS"));
        assert_eq!(lookup("PyList_GetItemRef").map(|s| s.added), Some(Version(13)));
        assert_eq!(lookup("_PyObject_GC_New").map(|s| s.added), Some(Version(2)));
        assert!(lookup("PyCode_New").is_none());
        assert!(lookup("").is_none());
    }

    #[test]
    fn what_is_newer_or_nowhere_is_found() {
        let imports = ["PyCode_New", "PyList_New", "PyType_GetName", "malloc", "_Py_RefTotal"];
        let found = check(&binary(imports.map(import).to_vec()), Version(9));
        let texts: Vec<_> = found.symbols.iter().map(|(n, r)| format!("{n}: {r}")).collect();
        insta::assert_snapshot!(texts.join("\n"), @r"
        PyCode_New: not in the limited API
        PyType_GetName: added in 3.11
        _Py_RefTotal: only in debug builds of Python
        ");
        assert_eq!(found.sufficient(), None);
        let newer = ["PyList_GetItemRef", "PyList_New", "PyType_GetName"];
        let found = check(&binary(newer.map(import).to_vec()), Version(9));
        assert_eq!(found.sufficient(), Some(Version(13)));
        assert!(check(&binary(newer.map(import).to_vec()), Version(13)).is_empty());
    }

    #[test]
    fn weak_symbols_and_those_of_other_libraries_are_no_fault() {
        let weak = Import { weak: true, ..import("PyCode_New") };
        let other = Import { library: Some("libpygments.dylib".into()), ..import("PyGments_Run") };
        assert!(check(&binary(vec![weak, other]), Version(9)).is_empty());
        let ours = Import { library: Some("python313.dll".into()), ..import("PyCode_New") };
        assert_eq!(check(&binary(vec![ours]), Version(9)).symbols.len(), 1);
    }

    #[test]
    fn libraries_of_one_version_are_found() {
        for one in [
            "libpython3.12.so.1.0",
            "/opt/lib/libpython3.9.dylib",
            "python313.dll",
            "python39_d.dll",
            "PYTHON313t.dll",
            "libpython3.11.dll",
            "/Library/Frameworks/Python.framework/Versions/3.12/Python",
        ] {
            assert!(is_of_one_version(one), "{one}");
        }
        for all in ["libpython3.so", "python3.dll", "python3t.dll", "libc.so.6", "libpythonic.so"] {
            assert!(!is_of_one_version(all), "{all}");
        }
    }
}
