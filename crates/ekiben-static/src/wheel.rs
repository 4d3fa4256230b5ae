//! From an installed package and the records of its build to a static wheel.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ekiben_archive::{
    RecordEntry, Sha256Digest, escape_distribution_name, escape_version, headers, parse_record,
    write_record,
};
use ekiben_engine::Digest;
use ekiben_object::elf;

use crate::machine::{self, Package};
use crate::manifest::{FORMAT, Library, MANIFEST, Manifest, Module, Sdist, Toolchain};
use crate::own::{self, Names, Own};
use crate::recorder::{Linked, Record, code};
use crate::{Error, init};

/// Files that an installer adds, and the list that is made anew.
const INSTALLERS: [&str; 4] = ["INSTALLER", "REQUESTED", "direct_url.json", "RECORD"];

/// What is known of a build besides its records.
pub(crate) struct About {
    /// The package, for messages.
    pub(crate) what: String,
    pub(crate) sdist: Option<Sdist>,
    pub(crate) python: String,
    pub(crate) toolchain: Toolchain,
}

/// A static wheel while it is put together.
struct Maker<'a> {
    about: &'a About,
    own: Own<'a>,
    site: &'a Path,
    /// The wheel's `.dist-info`.
    info: String,
    rows: Vec<RecordEntry>,
    libraries: BTreeMap<String, Library>,
    /// Names of libraries, each after those that need it.
    order: Vec<String>,
}

/// A compiled module among the files of a package.
struct Found<'a> {
    file: &'a String,
    /// The name of its init function.
    exported: String,
    record: &'a Record,
}

/// What an installed package has.
struct Installed {
    info: String,
    name: String,
    version: String,
    /// Its files, by their paths in the wheel.
    files: Vec<String>,
}

/// Makes a static wheel in the folder `site`, which isn't there, of what is installed in `installed`.
pub(crate) fn make(
    installed: &Path,
    records: &[Record],
    site: &Path,
    about: &About,
) -> Result<Manifest, Error> {
    let package = Installed::read(installed)?;
    // Of two links with one result, the one that could be done again.
    let mut by_code: BTreeMap<Digest, &Record> = BTreeMap::new();
    for record in records {
        let known = by_code.entry(record.code).or_insert(record);
        if known.problem.is_some() {
            *known = record;
        }
    }
    let unusable = |error| Error::unusable(installed, &error);
    // Build backends differ in how they spell it.
    let info = format!(
        "{}-{}.dist-info",
        escape_distribution_name(&package.name).map_err(unusable)?,
        escape_version(&package.version).map_err(unusable)?
    );
    let mut found = Vec::new();
    let mut escaped = Vec::new();
    let mut others = Vec::new();
    for file in &package.files {
        let from = installed.join(file);
        let bytes = fs::read(&from).map_err(Error::io("read", &from))?;
        let Some(exported) = init::of(file, &bytes) else {
            others.push((file, bytes));
            continue;
        };
        let digest = code(&bytes).map_err(|error| Error::unusable(file, &error))?;
        match by_code.get(&digest).copied() {
            Some(record) => found.push(Found { file, exported, record }),
            None => escaped.push(file.clone()),
        }
    }
    if !escaped.is_empty() {
        return Err(Error::Escaped { what: about.what.clone(), modules: escaped });
    }
    if found.is_empty() {
        return Err(Error::Pure(about.what.clone()));
    }
    let of_modules: Vec<&Record> = found.iter().map(|module| module.record).collect();
    let mut maker = Maker {
        about,
        own: Own::of(&package.name, &of_modules, &by_code)?,
        site,
        info: info.clone(),
        rows: Vec::new(),
        libraries: BTreeMap::new(),
        order: Vec::new(),
    };
    let mut modules = Vec::new();
    for module in &found {
        modules.push(maker.module(module)?);
    }
    maker.own_libraries(&of_modules)?;
    maker.licences()?;
    for (file, bytes) in others {
        // A library that is linked in isn't loaded.
        let is_linked = file.contains(".so")
            && code(&bytes).is_ok_and(|digest| maker.own.get(digest).is_some());
        if !is_linked {
            let inside = file.strip_prefix(&package.info).filter(|it| it.starts_with('/'));
            let place = inside.map(|inside| format!("{info}{inside}"));
            maker.put(place.as_deref().unwrap_or(file), &bytes)?;
        }
    }
    modules.sort_by(|one: &Module, other| one.name.cmp(&other.name));
    let order = std::mem::take(&mut maker.order);
    let libraries = order.iter().rev().filter_map(|name| maker.libraries.remove(name)).collect();
    let manifest = Manifest {
        format: FORMAT,
        ekiben: env!("CARGO_PKG_VERSION").to_owned(),
        name: package.name,
        version: package.version,
        sdist: about.sdist.clone(),
        python: about.python.clone(),
        toolchain: about.toolchain.clone(),
        modules,
        libraries,
    };
    maker.put(&format!("{info}/{MANIFEST}"), manifest.text().as_bytes())?;
    maker.finish()?;
    Ok(manifest)
}

impl Maker<'_> {
    fn module(&mut self, module: &Found<'_>) -> Result<Module, Error> {
        let Found { file, exported, record } = module;
        let name = init::module_name(file);
        let symbol = init::symbol(&name);
        let kept = BTreeMap::from([(exported.as_str(), symbol.clone())]);
        let object = self.object(record, file, &kept, &self.own.taken(record))?;
        let path = match file.strip_suffix(".so") {
            Some(stem) => format!("{stem}.o"),
            None => format!("{file}.o"),
        };
        self.put(&path, &object)?;
        let libraries = self.linked(record);
        Ok(Module { name, file: (*file).clone(), object: path, init: symbol, libraries })
    }

    /// The object of a shared object, with other names.
    fn object(
        &self,
        record: &Record,
        file: &str,
        kept: &Names<'_>,
        taken: &Names<'_>,
    ) -> Result<Vec<u8>, Error> {
        let unlinkable = |said: String| Error::Unlinkable {
            what: self.about.what.clone(),
            file: file.to_owned(),
            said,
        };
        if let Some(said) = &record.problem {
            return Err(unlinkable(said.clone()));
        }
        let bytes = fs::read(&record.object).map_err(Error::io("read", &record.object))?;
        elf::isolate(&bytes, kept, taken).map_err(|error| unlinkable(error.to_string()))
    }

    /// The names of the libraries that a record names. Those of the machine are described where that isn't
    /// done yet.
    fn linked(&mut self, record: &Record) -> Vec<String> {
        let mut names = Vec::new();
        for linked in &record.libraries {
            match linked {
                Linked::Machine(library) => {
                    if !self.libraries.contains_key(&library.name) {
                        self.libraries.insert(library.name.clone(), library.clone());
                        self.order.insert(0, library.name.clone());
                    }
                    names.push(library.name.clone());
                }
                Linked::Own { code, .. } => {
                    names.extend(self.own.get(*code).map(|library| self.name_of(library)));
                }
            }
        }
        names
    }

    /// The name of a shared library that the build made for itself. It says of what package it is, for
    /// another one may have one of the same name.
    fn name_of(&self, library: &own::Library<'_>) -> String {
        format!("{}:{}", self.info, library.stem)
    }

    /// Adds the libraries that the package made for itself: objects that offer what the libraries did.
    fn own_libraries(&mut self, modules: &[&Record]) -> Result<(), Error> {
        let mut made = Vec::new();
        for library in self.own.libraries() {
            let file = library.record.output.file_name().unwrap_or_default().to_string_lossy();
            let (kept, taken) = self.own.names(library, modules);
            let object = self.object(library.record, &file, &kept, &taken)?;
            let inner = format!("{}/objects/lib{}.o", self.info, library.stem);
            made.push((self.name_of(library), library.record, inner, object));
        }
        for (name, record, inner, object) in made {
            self.put(&inner, &object)?;
            let needs = self.linked(record);
            let library = Library { name, inner: Some(inner), needs, ..Library::default() };
            self.order.push(library.name.clone());
            self.libraries.insert(library.name.clone(), library);
        }
        Ok(())
    }

    /// Says of which packages the machine's libraries are, and adds the texts of their licences.
    fn licences(&mut self) -> Result<(), Error> {
        let mut libraries = std::mem::take(&mut self.libraries);
        let archives: BTreeSet<PathBuf> =
            libraries.values().filter_map(|library| library.archive.clone()).collect();
        let packages = machine::packages(archives.iter().map(PathBuf::as_path));
        for library in libraries.values_mut() {
            let package = library.archive.as_deref().and_then(|archive| packages.get(archive));
            let Some(Package { name, licences }) = package else { continue };
            library.package = Some(name.clone());
            if let Some(text) = licences {
                let bytes = fs::read(text).map_err(Error::io("read", text))?;
                let path = format!("{}/libraries/{}/copyright", self.info, library.name);
                self.put(&path, &bytes)?;
                library.licence_files.push(path);
            }
        }
        self.libraries = libraries;
        Ok(())
    }

    fn put(&mut self, file: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.site.join(file);
        let folder = path.parent().unwrap_or(self.site);
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        fs::write(&path, bytes).map_err(Error::io("write", &path))?;
        self.rows.push(RecordEntry {
            path: file.to_owned(),
            hash: format!("sha256={}", Sha256Digest::of(bytes).base64()),
            size: bytes.len().to_string(),
        });
        Ok(())
    }

    /// Writes the list of all files.
    fn finish(&mut self) -> Result<(), Error> {
        self.rows.sort_by(|one, other| one.path.cmp(&other.path));
        let path = format!("{}/RECORD", self.info);
        let last = RecordEntry { path: path.clone(), hash: String::new(), size: String::new() };
        self.rows.push(last);
        let path = self.site.join(path);
        fs::write(&path, write_record(&self.rows)).map_err(Error::io("write", path))
    }
}

impl Installed {
    fn read(folder: &Path) -> Result<Self, Error> {
        let info = dist_info(folder)?;
        let (name, version) = named(&folder.join(&info))?;
        let path = folder.join(&info).join("RECORD");
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let rows = parse_record(&text)
            .map_err(|(line, why)| Error::unusable(&path, &format!("line {line}: {why}")))?;
        let is_part = |file: &String| {
            let inside = file.strip_prefix(&info).and_then(|it| it.strip_prefix('/'));
            // Scripts lie elsewhere, and programs don't have them.
            !file.starts_with("..")
                && !file.starts_with("bin/")
                && !Path::new(file).is_absolute()
                && !inside.is_some_and(|name| INSTALLERS.contains(&name))
                && !file.contains("__pycache__/")
        };
        let files: BTreeSet<String> = rows.into_iter().map(|it| it.path).filter(is_part).collect();
        Ok(Self { info, name, version, files: files.into_iter().collect() })
    }
}

/// Name and version, as the metadata in a `.dist-info` state them.
pub(crate) fn named(info: &Path) -> Result<(String, String), Error> {
    let path = info.join("METADATA");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let header = |key| headers(&text, key).next().map(str::to_owned);
    match (header("Name"), header("Version")) {
        (Some(name), Some(version)) => Ok((name, version)),
        _ => Err(Error::unusable(&path, &"it states no name or no version")),
    }
}

/// The name of the one `.dist-info` in a folder.
pub(crate) fn dist_info(folder: &Path) -> Result<String, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let infos: Vec<String> = names.filter(|name| name.ends_with(".dist-info")).collect();
    match <[String; 1]>::try_from(infos) {
        Ok([info]) => Ok(info),
        Err(infos) => {
            let message =
                format!("there are {} installed packages in it instead of one", infos.len());
            Err(Error::unusable(folder, &message))
        }
    }
}

/// The path of the manifest of a static wheel that lies unpacked in a folder.
pub(crate) fn manifest_path(site: &Path) -> Result<PathBuf, Error> {
    Ok(site.join(dist_info(site)?).join(MANIFEST))
}
