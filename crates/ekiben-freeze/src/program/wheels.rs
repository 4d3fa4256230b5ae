//! [`with_static`]: static wheels in place of what is installed.
//!
//! The folder that it makes lies in the cache and is named after what it was made of: links to the files
//! that stay, and to those of static wheels. It appears whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ekiben_archive::{WheelReader, headers, normalize_name};
use ekiben_engine::Digest;
use ekiben_static::{MANIFEST, Manifest};
use walkdir::WalkDir;

use super::dependencies::once;
use super::report::Warning;
use super::{Error, Link, Links};

/// The parts of a wheel's `.data` that are installed where its modules are.
const OF_MODULES: [&str; 2] = ["purelib", "platlib"];

/// What becomes of a folder of installed packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithStatic {
    /// The folder to search: that of installed packages itself, if nothing is replaced.
    pub folder: PathBuf,
    /// The distributions that were replaced.
    pub replaced: Vec<String>,
    /// What of the static wheels doesn't suit.
    pub warnings: Vec<Warning>,
}

/// What is to be done with static wheels.
#[derive(Debug, Clone, Copy)]
pub struct StaticWheels<'a> {
    /// Static wheels, as files or unpacked, and folders of such.
    pub places: &'a [PathBuf],
    /// Which are wanted.
    pub links: &'a Links,
    /// Distributions that are left out, as if they weren't installed, by their names in normal form.
    pub without: &'a BTreeSet<String>,
    /// The series of Python that they have to be for.
    pub python: &'a str,
    /// The folder of the cache.
    pub cache: &'a Path,
}

/// A distribution that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its name, as its metadata have it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its metadata, below the folder.
    folder: String,
}

/// A static wheel, as its place tells.
struct Wheel {
    name: String,
    version: String,
    path: PathBuf,
}

/// Makes of a folder of installed packages one in which they are replaced by their static wheels, where
/// name and version agree.
///
/// # Errors
/// If a static wheel can't be read, or the folder can't be written.
pub fn with_static(site: &Path, wheels: &StaticWheels<'_>) -> Result<WithStatic, Error> {
    let installed = installed(site)?;
    let mut result =
        WithStatic { folder: site.to_owned(), replaced: Vec::new(), warnings: Vec::new() };
    let mut chosen: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut unsuitable = BTreeMap::new();
    for wheel in all(wheels.places)? {
        let key = normalize_name(&wheel.name);
        let Some(there) = installed.get(&key) else { continue };
        if wheels.links.of(&key) == Some(Link::Memory) || chosen.contains_key(&key) {
            continue;
        }
        let (name, version) = (&wheel.name, &wheel.version);
        if there.version != *version {
            let other = &there.version;
            let why = format!("{name} {other} is installed, and the static wheel is of {version}");
            unsuitable.entry(key).or_insert((why, wheel.path));
            continue;
        }
        let folder = unpacked(&wheel.path, wheels.cache)?;
        let Some(manifest) = manifest_in(&folder)? else { continue };
        let manifest = Manifest::read(&manifest)?;
        if manifest.is_for(wheels.python) {
            chosen.insert(key, folder);
        } else {
            let (python, wanted) = (manifest.python, wheels.python);
            let why = format!("the static wheel of {name} is for CPython {python}, not {wanted}");
            unsuitable.entry(key).or_insert((why, wheel.path));
        }
    }
    unsuitable.retain(|key, _| !chosen.contains_key(key));
    let warning = |(why, path): (String, PathBuf)| Warning {
        code: "not-linked".to_owned(),
        message: why,
        file: Some(path),
        line: 0,
    };
    result.warnings.extend(unsuitable.into_values().map(warning));
    let without: Vec<&Installed> =
        wheels.without.iter().filter_map(|name| installed.get(name)).collect();
    if chosen.is_empty() && without.is_empty() {
        return Ok(result);
    }
    let replaced = chosen.keys().filter_map(|name| installed.get(name));
    let gone: Vec<&Installed> = replaced.chain(without).collect();
    result.folder = merged(site, &gone, &chosen, wheels.cache)?;
    result.replaced.extend(chosen.into_keys());
    Ok(result)
}

/// Does so with several folders, those of them that are there. Gives what of the static wheels doesn't suit.
///
/// # Errors
/// As there.
pub fn replace_by_static(
    site: &mut [PathBuf],
    wheels: &StaticWheels<'_>,
) -> Result<Vec<Warning>, Error> {
    let mut warnings = Vec::new();
    for folder in site.iter_mut().filter(|folder| folder.is_dir()) {
        let made = with_static(folder, wheels)?;
        *folder = made.folder;
        warnings.extend(made.warnings);
    }
    Ok(warnings)
}

/// What is installed in a folder and not static, by name in normal form.
///
/// # Errors
/// If the folder can't be read.
pub fn installed(site: &Path) -> Result<BTreeMap<String, Installed>, Error> {
    let mut installed = BTreeMap::new();
    for folder in names(site)? {
        let metadata = site.join(&folder);
        if !folder.ends_with(".dist-info") || metadata.join(MANIFEST).is_file() {
            continue;
        }
        let Ok(text) = fs::read_to_string(metadata.join("METADATA")) else { continue };
        let header = |key| headers(&text, key).next();
        if let (Some(name), Some(version)) = (header("Name"), header("Version")) {
            let (name, version) = (name.to_owned(), version.to_owned());
            installed.insert(normalize_name(&name), Installed { name, version, folder });
        }
    }
    Ok(installed)
}

/// Which of the distributions that are installed in a folder have compiled modules.
///
/// # Errors
/// If the folder can't be read.
pub fn installed_with_modules(site: &Path) -> Result<Vec<Installed>, Error> {
    let mut found = Vec::new();
    for distribution in installed(site)?.into_values() {
        if files_of(site, &distribution)?.iter().any(|file| file.ends_with(".so")) {
            found.push(distribution);
        }
    }
    Ok(found)
}

/// The files of a distribution.
fn files_of(site: &Path, installed: &Installed) -> Result<Vec<String>, Error> {
    let record = site.join(&installed.folder).join("RECORD");
    let text = fs::read_to_string(&record).map_err(Error::io("read", &record))?;
    let entries = ekiben_archive::parse_record(&text).map_err(|(line, why)| Error::Text {
        path: record.clone(),
        message: format!("line {line}: {why}"),
    })?;
    Ok(entries.into_iter().map(|entry| entry.path).collect())
}

/// The static wheels in these places, in order.
fn all(places: &[PathBuf]) -> Result<Vec<Wheel>, Error> {
    let mut wheels = Vec::new();
    for place in places {
        let inner = match place.is_dir() && manifest_in(place)?.is_none() {
            true => names(place)?.into_iter().map(|name| place.join(name)).collect(),
            false => vec![place.clone()],
        };
        for path in inner {
            if path.is_dir() {
                if let Some(manifest) = manifest_in(&path)? {
                    let Manifest { name, version, .. } = Manifest::read(&manifest)?;
                    wheels.push(Wheel { name, version, path });
                }
                continue;
            }
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut parts = file.strip_suffix(".whl").into_iter().flat_map(|it| it.split('-'));
            match (parts.next(), parts.next()) {
                (Some(name), Some(version)) => {
                    let (name, version) = (name.to_owned(), version.to_owned());
                    wheels.push(Wheel { name, version, path });
                }
                _ if path == *place => {
                    let message = "it is neither a static wheel nor a folder with some".to_owned();
                    return Err(Error::Text { path, message });
                }
                _ => {}
            }
        }
    }
    Ok(wheels)
}

/// The manifest of a static wheel that is unpacked, if it is one.
fn manifest_in(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let manifests = names(folder)?.into_iter().filter(|name| name.ends_with(".dist-info"));
    let mut manifests = manifests.map(|name| folder.join(name).join(MANIFEST));
    Ok(manifests.find(|path| path.is_file()))
}

/// Names in a folder, sorted.
fn names(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// The folder of a wheel's files.
fn unpacked(wheel: &Path, cache: &Path) -> Result<PathBuf, Error> {
    if wheel.is_dir() {
        return std::path::absolute(wheel).map_err(Error::io("resolve", wheel));
    }
    let wrong = |error: ekiben_archive::Error| Error::Text {
        path: wheel.to_owned(),
        message: error.to_string(),
    };
    let bytes = fs::read(wheel).map_err(Error::io("read", wheel))?;
    let key = [b"static wheel 1\0".as_slice(), Digest::of(&bytes).as_bytes()].concat();
    once(&key, cache, |folder| {
        let mut reader = WheelReader::open(std::io::Cursor::new(&bytes)).map_err(wrong)?;
        let paths: Vec<_> = reader.members().iter().map(|member| member.path.clone()).collect();
        for path in paths {
            let Some(inner) = installed_path(path.as_str()) else { continue };
            let content = reader.read(&path).map_err(wrong)?;
            let to = folder.join(inner);
            make_parent(&to)?;
            fs::write(&to, content).map_err(Error::io("write", &to))?;
        }
        Ok(())
    })
}

/// Where a file of a wheel comes to lie beside its modules, if it does.
fn installed_path(path: &str) -> Option<&str> {
    let Some((_, rest)) = path.split_once('/').filter(|(first, _)| first.ends_with(".data")) else {
        return Some(path);
    };
    let (scheme, inner) = rest.split_once('/')?;
    OF_MODULES.contains(&scheme).then_some(inner)
}

/// The folder with what is installed, without some of it, and with static wheels.
fn merged(
    site: &Path,
    without: &[&Installed],
    chosen: &BTreeMap<String, PathBuf>,
    cache: &Path,
) -> Result<PathBuf, Error> {
    let site = std::path::absolute(site).map_err(Error::io("resolve", site))?;
    let mut gone = BTreeSet::new();
    for distribution in without {
        gone.extend(files_of(&site, distribution)?);
    }
    let mut files = BTreeMap::new();
    for path in files_in(&site)? {
        if !gone.contains(&path) {
            files.insert(path.clone(), site.join(path));
        }
    }
    for folder in chosen.values() {
        for path in files_in(folder)? {
            files.insert(path.clone(), folder.join(path));
        }
    }
    let mut key = b"with static wheels 1\0".to_vec();
    for (path, from) in &files {
        key.extend_from_slice(path.as_bytes());
        key.push(0);
        key.extend_from_slice(from.as_os_str().as_encoded_bytes());
        key.push(0);
    }
    once(&key, cache, |to| {
        for (path, from) in &files {
            let link = to.join(path);
            make_parent(&link)?;
            symlink(from, &link).map_err(Error::io("create", &link))?;
        }
        Ok(())
    })
}

/// Paths of files below a folder.
fn files_in(folder: &Path) -> Result<Vec<String>, Error> {
    let mut files = Vec::new();
    let is_read = |entry: &walkdir::DirEntry| entry.file_name() != "__pycache__";
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(is_read) {
        let entry = entry.map_err(|error| Error::Io {
            action: "read",
            path: folder.to_owned(),
            source: error.into(),
        })?;
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path()).to_str();
        if let Some(path) = path.filter(|_| entry.file_type().is_file()) {
            files.push(path.to_owned());
        }
    }
    Ok(files)
}

fn make_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(Error::io("create", parent))
}
