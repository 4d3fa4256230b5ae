//! What linkers complain about: GNU ld, lld and mold say it each in its own way.
//!
//! The objects of modules are in a folder [`MODULES`] by the names of modules, so that these can be
//! read off paths.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Linked;
use crate::runtime::error::Error;

/// The folder of modules' objects, in that of a link.
pub(super) const MODULES: &str = "modules-of-packages";

/// How many symbols are told of.
const SHOWN: usize = 10;

/// A symbol for which nothing can be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The symbol.
    pub symbol: String,
    /// Whether it is there too often, and not missing.
    pub is_defined: bool,
    /// What names it: modules, archives or objects.
    pub places: BTreeSet<String>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { symbol, is_defined, places } = self;
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        let places = places.join(" and ");
        match (is_defined, places.is_empty()) {
            (true, false) => write!(f, "`{symbol}` is in more than one: {places}"),
            (true, true) => write!(f, "`{symbol}` is there more than once"),
            (false, false) => write!(f, "`{symbol}` is nowhere, and needed by {places}"),
            (false, true) => write!(f, "`{symbol}` is nowhere"),
        }
    }
}

/// The error of a link by what the linker complains about, if that can be understood.
pub(super) fn understood(error: Error, modules: &[Linked]) -> Error {
    let Error::Step { log, .. } = &error else { return error };
    let text = std::fs::read(log).unwrap_or_default();
    let complaints = complaints(&String::from_utf8_lossy(&text), modules);
    match complaints.is_empty() {
        true => error,
        false => Error::Link { complaints, log: log.clone() },
    }
}

/// What is shown of complaints.
pub(in crate::runtime) fn shown(complaints: &[Complaint]) -> String {
    let shown = complaints.iter().take(SHOWN).map(|complaint| format!("\n  {complaint}"));
    let shown: String = shown.collect();
    match complaints.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}\n  and {more} more"),
    }
}

fn complaints(text: &str, modules: &[Linked]) -> Vec<Complaint> {
    // By symbol, and in the order of symbols, since linkers have orders of their own.
    let mut found: BTreeMap<(String, bool), BTreeSet<String>> = BTreeMap::new();
    // GNU ld says before in which file it is, and the others after.
    let mut within = None;
    let mut last = None;
    for line in text.lines() {
        let of = place(line, modules);
        if let Some(detail) = line.strip_prefix(">>> ") {
            let key = last.clone().filter(|_| !detail.is_empty());
            if let Some((key, place)) = key.zip(of) {
                found.entry(key).or_default().insert(place);
            }
            continue;
        }
        last = None;
        if line.contains(": in function `") {
            within = of;
            continue;
        }
        let Some((symbol, is_defined)) = symbol(line) else { continue };
        let key = (symbol, is_defined);
        let places = found.entry(key.clone()).or_default();
        places.extend(of.clone());
        if is_defined && line.contains("; ") || of.is_none() {
            places.extend(within.clone());
        }
        if let Some(other) = second_place(line, modules) {
            places.insert(other);
        }
        last = Some(key);
    }
    let complaint = |((symbol, is_defined), places)| Complaint { symbol, is_defined, places };
    found.into_iter().map(complaint).collect()
}

/// The symbol that a line complains about, and whether it is defined.
fn symbol(line: &str) -> Option<(String, bool)> {
    let quoted = |mark: &str| {
        let (_, rest) = line.split_once(mark)?;
        Some(rest.split('\'').next().unwrap_or(rest).to_owned())
    };
    let after = |mark: &str| {
        let (_, rest) = line.split_once(mark)?;
        // mold names the files first.
        Some(rest.rsplit(": ").next().unwrap_or(rest).trim().to_owned())
    };
    let missing = quoted("undefined reference to `").or_else(|| after("error: undefined symbol: "));
    let twice =
        || quoted("multiple definition of `").or_else(|| after("error: duplicate symbol: "));
    missing.map(|symbol| (symbol, false)).or_else(|| twice().map(|symbol| (symbol, true)))
}

/// What the first file of a line is to people.
fn place(line: &str, modules: &[Linked]) -> Option<String> {
    line.split([' ', '(', ')', ';']).find_map(|word| named(word, modules))
}

/// The same for the second, in a line about two.
fn second_place(line: &str, modules: &[Linked]) -> Option<String> {
    let mut places = line.split([' ', '(', ')', ';']).filter_map(|word| named(word, modules));
    places.nth(1)
}

fn named(word: &str, modules: &[Linked]) -> Option<String> {
    if let Some((_, rest)) = word.split_once(&format!("/{MODULES}/")) {
        let of = |module: &&Linked| rest.starts_with(&format!("{}.o", module.name));
        let module = modules.iter().find(of)?;
        return Some(format!("`{}` of {}", module.name, module.owner));
    }
    let file = word.split(':').next().unwrap_or(word).rsplit('/').next()?;
    let is_linked = [".a", ".o"].iter().any(|end| file.ends_with(end));
    // Archives name their members too, which say little.
    (is_linked && word.contains('/')).then(|| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let linked = |name: &str| Linked {
            name: name.to_owned(),
            owner: name.split('.').next().unwrap_or(name).to_owned(),
            init: String::new(),
            object: std::path::PathBuf::new(),
        };
        let modules = ["pkg._a", "pkg.b", "c"].map(linked);
        shown(&complaints(&text.replace("MODULES", MODULES), &modules))
    }

    #[test]
    fn missing_and_double_symbols_are_understood_whoever_links() {
        let bfd = "/usr/bin/ld.bfd: /tmp/x/MODULES/pkg.b.o: in function `dup':\n\
            b.cc:(.text+0x0): multiple definition of `dup'; /tmp/x/MODULES/pkg._a.o:/home/a.c:1: first defined here\n\
            /usr/bin/ld.bfd: /tmp/x/MODULES/pkg._a.o: in function `f':\n\
            /home/a.c:1: undefined reference to `nothere'\n\
            /usr/bin/ld.bfd: /tmp/x/MODULES/pkg.b.o: in function `dup':\n\
            b.cc:(.text+0xa): undefined reference to `q::gone(int)'\n\
            /usr/bin/ld.bfd: /usr/lib/libzz.a(zz.o):(.data.rel+0x0): undefined reference to `alsonot'\n\
            collect2: error: ld returned 1 exit status\n";
        let lld = "ld.lld: error: duplicate symbol: dup\n\
            >>> defined at a.c:1 (/home/a.c:1)\n\
            >>>            /tmp/x/MODULES/pkg._a.o:(dup)\n\
            >>> defined at b.cc\n\
            >>>            /tmp/x/MODULES/pkg.b.o:(.text+0x0)\n\n\
            ld.lld: error: undefined symbol: nothere\n\
            >>> referenced by a.c\n\
            >>>               /tmp/x/MODULES/pkg._a.o:(f)\n\n\
            ld.lld: error: undefined symbol: q::gone(int)\n\
            >>> referenced by b.cc\n\
            >>>               /tmp/x/MODULES/pkg.b.o:(dup)\n\n\
            ld.lld: error: undefined symbol: alsonot\n\
            >>> referenced by a.c\n\
            >>>               zz.o:(p) in archive /usr/lib/libzz.a\n";
        let mold = "mold: error: duplicate symbol: /tmp/x/MODULES/pkg.b.o: /tmp/x/MODULES/pkg._a.o: dup\n\
            mold: error: undefined symbol: nothere\n\
            >>> referenced by a.c\n\
            >>>               /tmp/x/MODULES/pkg._a.o:(f)\n\
            mold: error: undefined symbol: q::gone(int)\n\
            >>> referenced by b.cc\n\
            >>>               /tmp/x/MODULES/pkg.b.o:(dup)\n\
            mold: error: undefined symbol: alsonot\n\
            >>> referenced by a.c\n\
            >>>               /usr/lib/libzz.a(zz.o):(f)>>> referenced by a.c\n";
        for said in [bfd, lld, mold] {
            assert_eq!(
                told(said),
                "\n  `alsonot` is nowhere, and needed by libzz.a\
                 \n  `dup` is in more than one: `pkg._a` of pkg and `pkg.b` of pkg\
                 \n  `nothere` is nowhere, and needed by `pkg._a` of pkg\
                 \n  `q::gone(int)` is nowhere, and needed by `pkg.b` of pkg",
                "{said}"
            );
        }
        assert_eq!(told("collect2: fatal error: cannot find 'ld'\n"), "");
    }

    #[test]
    fn many_complaints_are_cut() {
        let line = |at: usize| format!("x.c:(.text): undefined reference to `s{at:02}'\n");
        let said: String = (0..12).map(line).collect();
        let told = told(&said);
        assert!(told.starts_with("\n  `s00` is nowhere\n"), "{told}");
        assert!(told.ends_with("\n  `s09` is nowhere\n  and 2 more"), "{told}");
    }
}
