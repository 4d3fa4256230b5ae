//! Shared libraries that a package builds for itself and links its modules with.
//!
//! Each becomes one object, which all modules of the package share: what a library remembers, it remembers
//! for all of them. What it offers is called `SYMBOL.PACKAGE.LIBRARY` in there and wherever the package
//! takes it, so that another package may have the same library, of whatever version.
//!
//! Who takes a symbol of which library is decided as the dynamic linker does it: a module asks those that
//! it needs, then those that these need, and so on; a library asks itself, then what it needs, then what
//! the modules need that need it. Unlike there, no module and no other library takes the place of what a
//! library has itself. What C++ has in every object, but once in a process (variables of templates, types),
//! is the library's in modules too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;

use ekiben_archive::normalize_name;
use ekiben_engine::Digest;
use ekiben_object::elf;

use crate::Error;
use crate::recorder::{Linked, Record};

/// New names by old ones.
pub(crate) type Names<'a> = BTreeMap<&'a str, String>;

/// The libraries of one package, each after those that it needs.
pub(crate) struct Own<'a> {
    package: String,
    libraries: Vec<Library<'a>>,
    places: BTreeMap<Digest, usize>,
}

/// One of them.
pub(crate) struct Library<'a> {
    pub(crate) record: &'a Record,
    /// Its name without `lib` and `.so`, unless another one has that; no dots are in it.
    pub(crate) stem: String,
    /// The symbols of its object that others see, with the names that they get.
    kept: BTreeMap<String, String>,
    /// What it offers to others, by the name that they know, with that under which it is there.
    offers: BTreeMap<String, String>,
}

impl<'a> Own<'a> {
    /// The libraries that modules lead to.
    ///
    /// # Errors
    /// If one of them was made by none of the linkers that were watched, or can't be read.
    pub(crate) fn of(
        package: &str,
        modules: &[&'a Record],
        records: &BTreeMap<Digest, &'a Record>,
    ) -> Result<Self, Error> {
        let package = normalize_name(package);
        let mut this = Self { package, libraries: Vec::new(), places: BTreeMap::new() };
        let mut escaped = Vec::new();
        let mut seen = BTreeSet::new();
        for module in modules {
            this.visit(module, records, &mut seen, &mut escaped);
        }
        if !escaped.is_empty() {
            return Err(Error::Escaped { what: this.package, modules: escaped });
        }
        for at in 0..this.libraries.len() {
            this.offer(at)?;
        }
        Ok(this)
    }

    fn visit(
        &mut self,
        record: &'a Record,
        records: &BTreeMap<Digest, &'a Record>,
        seen: &mut BTreeSet<Digest>,
        escaped: &mut Vec<String>,
    ) {
        for linked in &record.libraries {
            let Linked::Own { path, code } = linked else { continue };
            if !seen.insert(*code) {
                continue;
            }
            let Some(library) = records.get(code).copied() else {
                escaped.push(path.display().to_string());
                continue;
            };
            self.visit(library, records, seen, escaped);
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let stem = self.stem(&file);
            let (kept, offers) = (BTreeMap::new(), BTreeMap::new());
            self.places.insert(*code, self.libraries.len());
            self.libraries.push(Library { record: library, stem, kept, offers });
        }
    }

    /// A name for the library in a file that none has yet.
    fn stem(&self, file: &str) -> String {
        let stem = file.split(".so").next().unwrap_or(file);
        let stem = stem.strip_prefix("lib").unwrap_or(stem).replace('.', "_");
        let is_new = |name: &String| self.libraries.iter().all(|library| library.stem != *name);
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        std::iter::once(stem.clone()).chain(numbered).find(is_new).unwrap_or(stem)
    }

    /// Finds out what a library offers; those that it needs come before.
    fn offer(&mut self, at: usize) -> Result<(), Error> {
        let Library { record, stem, .. } = &self.libraries[at];
        if record.problem.is_some() {
            // There is no object, which is told when it is asked for.
            return Ok(());
        }
        let path = &record.object;
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let unusable = |error| Error::unusable(path, &error);
        let defined: BTreeSet<String> =
            elf::defined(&bytes).map_err(unusable)?.into_iter().collect();
        let repeated: BTreeSet<String> =
            elf::repeated(&bytes).map_err(unusable)?.into_iter().collect();
        let exports: BTreeSet<&str> = record.exports.iter().map(String::as_str).collect();
        let needed = self.reached(record);
        let (mut kept, mut offers) = (BTreeMap::new(), BTreeMap::new());
        for symbol in &defined {
            let (plain, version) = symbol.split_once('@').unwrap_or((symbol, ""));
            if !exports.contains(plain) {
                continue;
            }
            let mut others = needed.iter().filter(|needed| **needed != at);
            let of_another = others.find_map(|needed| self.libraries[*needed].offers.get(symbol));
            if let Some(name) = of_another.filter(|_| repeated.contains(symbol)) {
                offers.insert(symbol.clone(), name.clone());
                continue;
            }
            let name =
                format!("{}.{}.{stem}", symbol.replace("@@", ".").replace('@', "."), self.package);
            if let Some(version) = version.strip_prefix('@') {
                // What is the default is also there for those who ask for no version.
                offers.insert(format!("{plain}@{version}"), name.clone());
                offers.entry(plain.to_owned()).or_insert_with(|| name.clone());
            }
            offers.insert(symbol.clone(), name.clone());
            kept.insert(symbol.clone(), name);
        }
        let library = &mut self.libraries[at];
        (library.kept, library.offers) = (kept, offers);
        Ok(())
    }

    /// The places of the libraries that something needs, in the order in which they are asked.
    fn reached(&self, record: &Record) -> Vec<usize> {
        let mut places = Vec::new();
        let mut ask = VecDeque::from([record]);
        while let Some(record) = ask.pop_front() {
            for linked in &record.libraries {
                let Linked::Own { code, .. } = linked else { continue };
                let Some(at) = self.places.get(code).copied() else { continue };
                if !places.contains(&at) {
                    places.push(at);
                    ask.push_back(self.libraries[at].record);
                }
            }
        }
        places
    }

    /// The libraries, each after those that it needs.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &Library<'a>> {
        self.libraries.iter()
    }

    /// The one with that code.
    pub(crate) fn get(&self, code: Digest) -> Option<&Library<'a>> {
        self.libraries.get(*self.places.get(&code)?)
    }

    /// What a module takes of libraries, by the names under which it is there.
    pub(crate) fn taken(&self, module: &Record) -> Names<'_> {
        self.first_of(&self.reached(module))
    }

    /// What a library keeps, and what it takes of itself and others. `modules` are all of the package.
    pub(crate) fn names(
        &self,
        library: &Library<'_>,
        modules: &[&Record],
    ) -> (Names<'_>, Names<'_>) {
        let at = self.places.get(&library.record.code).copied();
        let mut ask: Vec<usize> = at.into_iter().collect();
        ask.extend(self.reached(library.record));
        for module in modules {
            let reached = self.reached(module);
            if at.is_some_and(|at| reached.contains(&at)) {
                ask.extend(reached);
            }
        }
        let kept = at.into_iter().flat_map(|at| &self.libraries[at].kept);
        let kept = kept.map(|(symbol, name)| (symbol.as_str(), name.clone())).collect();
        (kept, self.first_of(&ask))
    }

    fn first_of(&self, places: &[usize]) -> Names<'_> {
        let mut names = BTreeMap::new();
        for at in places {
            for (symbol, name) in &self.libraries[*at].offers {
                names.entry(symbol.as_str()).or_insert_with(|| name.clone());
            }
        }
        names
    }
}
