//! What a source distribution is beyond its files: its name and its one top folder (PEP 625, source
//! distribution format).

use crate::{
    ArchivePath, ArchiveWriter, Error, FileSet, Member, escape_distribution_name, escape_version,
};

/// A source distribution to write.
#[derive(Clone, Debug)]
pub struct SdistSpec {
    /// `name-version`, escaped.
    stem: String,
}

impl SdistSpec {
    /// A sdist of the distribution `name`, in any spelling, at `version`, in PEP 440's normal form.
    pub fn new(name: &str, version: &str) -> Result<Self, Error> {
        Ok(Self {
            stem: format!("{}-{}", escape_distribution_name(name)?, escape_version(version)?),
        })
    }

    /// `name-version.tar.gz`.
    pub fn file_name(&self) -> String {
        format!("{}.tar.gz", self.stem)
    }

    /// The folder that holds all of the sdist's files, without a slash.
    pub fn top_folder(&self) -> &str {
        &self.stem
    }

    /// Writes the files in the order of their paths, below the top folder.
    ///
    /// The paths of `files` are relative to that folder; `PKG-INFO` and `pyproject.toml` have to be
    /// among them.
    pub fn write(&self, files: &FileSet, writer: &mut dyn ArchiveWriter) -> Result<(), Error> {
        for required in ["PKG-INFO", "pyproject.toml"] {
            let path = ArchivePath::new(required)?;
            if !files.contains(&path) {
                return Err(Error::MissingFile { archive: "sdist", path });
            }
        }
        let top = ArchivePath::new(self.stem.as_str())?;
        for entry in files.iter() {
            writer.write(&Member {
                path: &top.join(entry.path.as_str())?,
                content: &entry.content,
                executable: entry.executable,
                origin: &entry.origin,
            })?;
        }
        Ok(())
    }
}
