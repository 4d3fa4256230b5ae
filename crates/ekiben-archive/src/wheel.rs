//! What a wheel is beyond its files: its name, WHEEL and RECORD, and the order of it all.

use crate::{
    ArchivePath, ArchiveWriter, BuildTag, Entry, Error, FileSet, Member, Origin, RecordEntry,
    TagSet, escape_distribution_name, escape_version, write_record,
};

/// A wheel to write (binary distribution format 1.0).
#[derive(Clone, Debug)]
pub struct WheelSpec {
    /// Escaped for file names.
    name: String,
    /// Escaped for file names.
    version: String,
    /// Orders wheels of one version.
    pub build: Option<BuildTag>,
    /// Where the wheel runs.
    pub tags: TagSet,
    /// Whether the root of the wheel goes into `purelib` rather than `platlib`.
    pub root_is_purelib: bool,
    /// Who made it: `ekiben 1.2.0`.
    pub generator: String,
}

impl WheelSpec {
    /// A wheel of the distribution `name`, in any spelling, at `version`, in PEP 440's normal form.
    /// It counts as pure if `tags` say nothing of a platform or ABI.
    pub fn new(name: &str, version: &str, tags: TagSet) -> Result<Self, Error> {
        let root_is_purelib = tags.expand().all(|tag| tag.ends_with("-none-any"));
        Ok(Self {
            name: escape_distribution_name(name)?,
            version: escape_version(version)?,
            build: None,
            root_is_purelib,
            tags,
            generator: concat!("ekiben ", env!("CARGO_PKG_VERSION")).to_owned(),
        })
    }

    /// `name-version(-build)-python-abi-platform.whl`.
    pub fn file_name(&self) -> String {
        let build = self.build.as_ref().map(|build| format!("-{build}")).unwrap_or_default();
        format!("{}-{}{build}-{}.whl", self.name, self.version, self.tags)
    }

    /// The folder of the wheel's metadata, without a slash.
    pub fn dist_info_folder(&self) -> String {
        format!("{}-{}.dist-info", self.name, self.version)
    }

    /// The path of a metadata file: `METADATA`, `licenses/LICENSE`.
    pub fn dist_info(&self, file: &str) -> Result<ArchivePath, Error> {
        ArchivePath::new(format!("{}/{file}", self.dist_info_folder()))
    }

    /// The path of a file that installs elsewhere than the root: `scheme` is `scripts`, `data`,
    /// `headers`, `purelib` or `platlib`.
    pub fn data(&self, scheme: &str, file: &str) -> Result<ArchivePath, Error> {
        ArchivePath::new(format!("{}-{}.data/{scheme}/{file}", self.name, self.version))
    }

    /// The text of WHEEL.
    pub fn wheel_metadata(&self) -> String {
        let mut text = format!(
            "Wheel-Version: 1.0\nGenerator: {}\nRoot-Is-Purelib: {}\n",
            self.generator, self.root_is_purelib
        );
        for tag in self.tags.expand() {
            text.push_str(&format!("Tag: {tag}\n"));
        }
        if let Some(build) = &self.build {
            text.push_str(&format!("Build: {build}\n"));
        }
        text
    }

    /// Writes the wheel: the files by path, then the metadata by path, RECORD last, so that a
    /// reader finds the metadata at the end as the format recommends.
    ///
    /// `files` has everything but WHEEL and RECORD, which are made here; METADATA has to be there.
    pub fn write(&self, files: &FileSet, writer: &mut dyn ArchiveWriter) -> Result<(), Error> {
        let record_path = self.dist_info("RECORD")?;
        let metadata_path = self.dist_info("METADATA")?;
        for reserved in [self.dist_info("WHEEL")?, record_path.clone()] {
            if let Some(entry) = files.get(&reserved) {
                return Err(Error::ReservedFile { path: reserved, origin: entry.origin.clone() });
            }
        }
        if !files.contains(&metadata_path) {
            return Err(Error::MissingFile { archive: "wheel", path: metadata_path });
        }
        let mut files = files.clone();
        let made_here = Origin::new("the wheel's own metadata");
        for (path, text) in [
            (self.dist_info("WHEEL")?, self.wheel_metadata()),
            // Held back below until the others are written, but it takes part in the conflicts.
            (record_path.clone(), String::new()),
        ] {
            files.add(Entry::new(path, text, made_here.clone()))?;
        }

        let prefix = format!("{}/", self.dist_info_folder());
        let is_metadata = |entry: &&Entry| entry.path.as_str().starts_with(&prefix);
        let payload = files.iter().filter(|entry| !is_metadata(entry));
        let metadata = files.iter().filter(is_metadata);
        let mut record = Vec::with_capacity(files.len());
        for entry in payload.chain(metadata).filter(|entry| entry.path != record_path) {
            let written = writer.write(&Member {
                path: &entry.path,
                content: &entry.content,
                executable: entry.executable,
                origin: &entry.origin,
            })?;
            record.push(RecordEntry {
                path: entry.path.to_string(),
                hash: format!("sha256={}", written.sha256.base64()),
                size: written.size.to_string(),
            });
        }
        record.push(RecordEntry {
            path: record_path.to_string(),
            hash: String::new(),
            size: String::new(),
        });
        writer.write(&Member {
            path: &record_path,
            content: &write_record(&record).into(),
            executable: false,
            origin: &made_here,
        })?;
        Ok(())
    }
}
