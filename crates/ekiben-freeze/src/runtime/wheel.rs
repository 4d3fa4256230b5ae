//! Runtimes as wheels, `ekiben_runtime-….whl`, so that pip resolves and installs them.
//!
//! The wheel installs one package, `ekiben_runtime`, with `runtime.json` and an archive of the runtime.
//! An archive, since files of Python would be compiled by installers, which are in vain there and take
//! long. A build that finds the package unpacks it into the store, once on a machine.
//!
//! The version is that of CPython, the format of runtimes ([`FORMAT`]), and as a local version the
//! beginning of the digest: `3.13.5.2+81b1d1c43e5f`. So `ekiben-runtime==3.13.*` asks for any runtime of
//! 3.13, the newest that there is, and all of it for exactly one.
//!
//! Invariants: one runtime makes the same bytes wherever and whenever; what is unpacked has the digests
//! that its manifest states.

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ekiben_archive::{
    ArchivePath, Content, Entry, FileSet, Origin, TagSet, Timestamp, WheelSpec, ZipWriter,
};
use ekiben_object::elf;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use walkdir::WalkDir;

use super::assemble::MANIFEST;
use super::error::Error;
use super::manifest::{self, FORMAT, Manifest};
use super::run::{Progress, Runner};
use super::unpack::unpack;
use super::{Runtime, Store, files};
use crate::glibc;

/// The name of the distribution.
pub const DISTRIBUTION: &str = "ekiben-runtime";
/// The package in it.
const PACKAGE: &str = "ekiben_runtime";
/// The archive in the package, and the folder at its top.
const ARCHIVE: &str = "runtime.tar.gz";
const TOP: &str = "runtime";
/// How much of a digest is enough to tell runtimes apart.
const SHORT: usize = 12;

const MODULE: &str =
    "\"\"\"A runtime, of which Ekiben makes programs: see `runtime.json` beside this file.\"\"\"\n";

impl Runtime {
    /// Writes it as a wheel into a folder, and gives the wheel's path.
    ///
    /// # Errors
    /// If it can't be read, or the wheel can't be written.
    pub fn wheel(&self, folder: &Path) -> Result<PathBuf, Error> {
        files::create_folder(folder)?;
        let work = tempfile::Builder::new().prefix(".ekiben-").tempdir_in(folder);
        let work = work.map_err(Error::io("write to", folder))?;
        let archive = work.path().join(ARCHIVE);
        self.pack(&archive)?;
        let tags = TagSet::parse(&format!("py3-none-{}", self.platform()?)).map_err(unwritable)?;
        let mut spec = WheelSpec::new(DISTRIBUTION, &self.version(), tags).map_err(unwritable)?;
        spec.root_is_purelib = false;
        let mut wheel = FileSet::new();
        let origin = Origin::new("the runtime");
        let mut add = |path: Result<ArchivePath, ekiben_archive::Error>, content: Content| {
            let path = path.map_err(unwritable)?;
            wheel.add(Entry::new(path, content, origin.clone())).map_err(unwritable)
        };
        let within = |name: &str| ArchivePath::new(format!("{PACKAGE}/{name}"));
        add(within("__init__.py"), MODULE.into())?;
        add(within(MANIFEST), files::read(&self.path(MANIFEST))?.into())?;
        add(within(ARCHIVE), Content::deferred(None, move || File::open(&archive)))?;
        add(spec.dist_info("METADATA"), self.metadata().into())?;
        for (name, path) in files::list(&self.path("licenses"))? {
            add(spec.dist_info(&format!("licenses/{name}")), files::read(&path)?.into())?;
        }
        let path = work.path().join("wheel");
        let file = File::create(&path).map_err(Error::io("write", &path))?;
        let mut writer = ZipWriter::new(BufWriter::new(file), Timestamp::default());
        spec.write(&wheel, &mut writer).map_err(unwritable)?;
        let file = writer.finish().map_err(unwritable)?;
        file.into_inner().map_err(|error| Error::io("write", &path)(error.into_error()))?;
        let target = folder.join(spec.file_name());
        fs::rename(&path, &target).map_err(Error::io("write", &target))?;
        Ok(target)
    }

    /// The version of the wheel.
    fn version(&self) -> String {
        let Manifest { interpreter, digest, .. } = &self.manifest;
        format!("{}.{FORMAT}+{}", interpreter.version, digest.get(..SHORT).unwrap_or(digest))
    }

    /// What its programs, the ordinary interpreter among them, run on.
    fn platform(&self) -> Result<String, Error> {
        let architecture = self.architecture();
        let flavours = self.manifest.link.flavours.values();
        let programs = flavours.map(|flavour| self.path(&flavour.program));
        let mut newest = None;
        for program in programs.chain([self.interpreter()]) {
            let versions = elf::needed_versions(&files::read(&program)?)
                .map_err(|error| Error::Internal(format!("{}: {error}", program.display())))?;
            newest = newest.max(glibc::newest(&versions));
        }
        Ok(match newest {
            Some((major, minor)) => format!("manylinux_{major}_{minor}_{architecture}"),
            None => format!("linux_{architecture}"),
        })
    }

    fn metadata(&self) -> String {
        let Manifest { interpreter, link, .. } = &self.manifest;
        let python = &interpreter.version;
        let mut licences = vec!["PSF-2.0".to_owned()];
        for library in &interpreter.libraries {
            let licence = match library.licence.contains(" OR ") {
                true => format!("({})", library.licence),
                false => library.licence.clone(),
            };
            if !licences.contains(&licence) {
                licences.push(licence);
            }
        }
        let flavours: Vec<&str> = link.flavours.keys().map(|flavour| flavour.as_str()).collect();
        let mut text = format!(
            "Metadata-Version: 2.4\nName: {DISTRIBUTION}\nVersion: {}\n\
             Summary: CPython {python} as a part of programs, for Ekiben\n\
             License-Expression: {}\n",
            self.version(),
            licences.join(" AND "),
        );
        for (name, _) in files::list(&self.path("licenses")).unwrap_or_default() {
            text.push_str(&format!("License-File: {name}\n"));
        }
        text.push_str(&format!(
            "Description-Content-Type: text/markdown\n\n\
             CPython {python}, its standard library and the C libraries that these need, of which \
             Ekiben makes programs in one file ({}). A build finds it where it is named in \
             `build-system.requires`:\n\n\
             ```toml\nrequires = [\"ekiben\", \"{DISTRIBUTION}=={}.*\"]\n```\n",
            flavours.join(", "),
            interpreter.python,
        ));
        text
    }

    /// Writes its files as an archive.
    fn pack(&self, archive: &Path) -> Result<(), Error> {
        let file = File::create(archive).map_err(Error::io("write", archive))?;
        let gzip = GzEncoder::new(BufWriter::new(file), Compression::best());
        let mut tar = Builder::new(gzip);
        for entry in WalkDir::new(&self.folder).sort_by_file_name() {
            let entry = entry.map_err(|error| Error::io("list", &self.folder)(error.into()))?;
            let path = entry.path();
            let Ok(inner) = path.strip_prefix(&self.folder) else { continue };
            // Of what a link leads to, which goes into the archive.
            let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
            let is_folder = metadata.is_dir();
            // An interpreter that was run there may have left bytecode.
            let is_part = inner
                .to_str()
                .is_some_and(|name| name == MANIFEST || self.manifest.files.contains_key(name));
            if !is_folder && !is_part {
                continue;
            }
            let is_program = metadata.permissions().mode() & 0o100 != 0;
            let mut header = Header::new_gnu();
            header.set_entry_type(if is_folder {
                EntryType::Directory
            } else {
                EntryType::Regular
            });
            header.set_size(if is_folder { 0 } else { metadata.len() });
            header.set_mode(if is_folder || is_program { 0o755 } else { 0o644 });
            header.set_mtime(Timestamp::default().seconds());
            let name = Path::new(TOP).join(inner);
            let written = match is_folder {
                true => tar.append_data(&mut header, &name, std::io::empty()),
                false => {
                    let file = File::open(path).map_err(Error::io("read", path))?;
                    tar.append_data(&mut header, &name, file)
                }
            };
            written.map_err(Error::io("write", archive))?;
        }
        let gzip = tar.into_inner().map_err(Error::io("write", archive))?;
        let file = gzip.finish().map_err(Error::io("write", archive))?;
        file.into_inner().map_err(|error| Error::io("write", archive)(error.into_error()))?;
        Ok(())
    }
}

impl Store {
    /// The runtime of a wheel that is installed in `folder`; unpacked unless it is there.
    ///
    /// # Errors
    /// If it is of another version of Ekiben, or damaged, or can't be unpacked.
    pub fn adopt(&self, folder: &Path, progress: Progress<'_>) -> Result<Runtime, Error> {
        let package = folder.join(PACKAGE);
        let damaged = |message: &str| Error::Damaged {
            folder: package.to_owned(),
            message: message.to_owned(),
        };
        let stated = Runtime::open(&package)?.manifest;
        let digest = &stated.digest;
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(damaged("its digest isn't one"));
        }
        for folder in ["locks", "logs", "scratch"] {
            files::create_folder(&self.folder().join(folder))?;
        }
        let log = self.folder().join("logs").join(format!("adopt-{}.log", std::process::id()));
        let mut runner = Runner::new(progress, &log)?;
        let adopted = self.once(digest, "", MANIFEST, &mut runner, |scratch, runner| {
            let result = scratch.join("result");
            unpack(&package.join(ARCHIVE), &result, runner.progress)?;
            let unpacked: Manifest = manifest::read(&result.join(MANIFEST))?;
            let mut found = files::digests(&result)?;
            found.remove(MANIFEST);
            if unpacked != stated || found != stated.files {
                return Err(damaged("its files aren't those that its manifest names"));
            }
            // With the time of now: of runtimes of one version, that which came last is meant.
            manifest::write(&result.join(MANIFEST), &unpacked)?;
            Ok(result)
        });
        // It says nothing that the error doesn't.
        let _ = fs::remove_file(&log);
        Runtime::open(&adopted?)
    }
}

/// What the archive's own rules forbid.
#[allow(clippy::needless_pass_by_value)] // as `map_err` wants it
fn unwritable(error: ekiben_archive::Error) -> Error {
    Error::Internal(format!("the wheel can't be written: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use ekiben_archive::WheelReader;

    use super::super::testing;
    use super::*;

    /// A runtime with little in it.
    fn runtime(folder: &Path) -> Runtime {
        let mut manifest = testing::manifest("3.13.5", 'a');
        let python = std::env::current_exe().unwrap();
        files::copy(&python, &folder.join("bin/python3.13")).unwrap();
        files::write(&folder.join("lib/python3.13/os.py"), "import sys\n").unwrap();
        files::write(&folder.join("licenses/cpython/LICENSE"), "free\n").unwrap();
        files::create_folder(&folder.join("lib/python3.13/lib-dynload")).unwrap();
        manifest.files = files::digests(folder).unwrap();
        manifest::write(&folder.join(MANIFEST), &manifest).unwrap();
        Runtime::open(folder).unwrap()
    }

    /// Unpacks a wheel as installers do.
    fn install(wheel: &Path, site: &Path) {
        let mut reader = WheelReader::open(File::open(wheel).unwrap()).unwrap();
        assert!(reader.verify_record().unwrap().is_empty());
        let paths: Vec<ArchivePath> = reader.members().iter().map(|it| it.path.clone()).collect();
        for path in paths {
            files::write(&site.join(path.as_str()), reader.read(&path).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_wheel_is_installed_and_adopted_once() {
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let one = runtime(&at("one")).wheel(&at("out")).unwrap();
        let other = runtime(&at("other"));
        // As `python -OO` leaves it, but in a folder for itself.
        files::write(&other.path("lib/python3.13/os.cpython-313.opt-2.pyc"), "").unwrap();
        let other = other.wheel(&at("out2")).unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
        let name = one.file_name().unwrap().to_str().unwrap();
        let begin = format!("ekiben_runtime-3.13.5.{FORMAT}+aaaaaaaaaaaa-py3-none-");
        assert!(name.starts_with(&begin), "{name}");

        install(&one, &at("site"));
        let stop = AtomicBool::new(false);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
        let store = Store::new(&at("cache"));
        let adopted = store.adopt(&at("site"), progress).unwrap();
        assert!(adopted.path("lib/python3.13/lib-dynload").is_dir());
        let mode = adopted.interpreter().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(store.list().unwrap().len(), 1);
        // Again, the archive isn't even looked at.
        fs::remove_file(at("site").join(PACKAGE).join(ARCHIVE)).unwrap();
        assert_eq!(store.adopt(&at("site"), progress).unwrap().folder, adopted.folder);
    }

    #[test]
    fn a_damaged_one_is_refused() {
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let made = runtime(&at("one"));
        files::write(&made.path("lib/python3.13/os.py"), "import evil\n").unwrap();
        install(&made.wheel(&at("out")).unwrap(), &at("site"));
        let stop = AtomicBool::new(false);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
        let store = Store::new(&at("cache"));
        let error = store.adopt(&at("site"), progress).unwrap_err().to_string();
        assert!(error.ends_with("its files aren't those that its manifest names"), "{error}");
        assert!(store.list().unwrap().is_empty());
    }
}
