//! Static wheels as files, for other machines: a *wheelhouse* is a folder of them.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use ekiben_archive::{
    ArchivePath, Content, Entry, FileSet, Origin, TagSet, Timestamp, WheelSpec, ZipWriter,
};
use walkdir::WalkDir;

use crate::{Error, MANIFEST, StaticWheel};

/// Files that are made anew.
const MADE: [&str; 3] = ["WHEEL", "RECORD", MANIFEST];

impl StaticWheel {
    /// Writes it as a file into a folder, and gives the file's path. With `libraries` the archives of
    /// the machine that its modules need come along.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub fn export(&self, folder: &Path, libraries: bool) -> Result<PathBuf, Error> {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let unusable = |error: ekiben_archive::Error| Error::unusable(&self.site, &error);
        let mut manifest = self.manifest.clone();
        let tags = TagSet::parse(&self.tag()).map_err(unusable)?;
        let mut spec = WheelSpec::new(&manifest.name, &manifest.version, tags).map_err(unusable)?;
        spec.root_is_purelib = false;
        let info = spec.dist_info_folder();
        let mut files = FileSet::new();
        let origin = Origin::new("the static wheel");
        let mut add = |path: String, content: Content| {
            let path = ArchivePath::new(path).map_err(unusable)?;
            files.add(Entry::new(path, content, origin.clone())).map_err(unusable)
        };
        for entry in WalkDir::new(&self.site).sort_by_file_name() {
            let entry = entry.map_err(|error| Error::io("read", &self.site)(error.into()))?;
            let inner = entry.path().strip_prefix(&self.site).unwrap_or(entry.path());
            let Some(inner) = inner.to_str().filter(|_| entry.file_type().is_file()) else {
                continue;
            };
            let in_info = inner.strip_prefix(&info).and_then(|it| it.strip_prefix('/'));
            if !in_info.is_some_and(|name| MADE.contains(&name)) {
                let path = entry.path().to_owned();
                add(inner.to_owned(), Content::deferred(None, move || File::open(&path)))?;
            }
        }
        if libraries {
            for library in &mut manifest.libraries {
                let Some(archive) = library.archive.take() else { continue };
                let inner = format!("{info}/objects/lib{}.a", library.name);
                add(inner.clone(), Content::deferred(None, move || File::open(&archive)))?;
                library.inner = Some(inner);
            }
        }
        add(format!("{info}/{MANIFEST}"), manifest.text().into())?;
        let file = tempfile::Builder::new().prefix(".ekiben-").tempfile_in(folder);
        let mut file = file.map_err(Error::io("write to", folder))?;
        let mut writer = ZipWriter::new(BufWriter::new(file.as_file_mut()), Timestamp::default());
        spec.write(&files, &mut writer).map_err(unusable)?;
        let buffer = writer.finish().map_err(unusable)?;
        buffer.into_inner().map_err(|error| Error::io("write", folder)(error.into_error()))?;
        let target = folder.join(spec.file_name());
        file.persist(&target).map_err(|error| error.error).map_err(Error::io("write", &target))?;
        Ok(target)
    }

    /// Its tag: one that no installer takes, since it can't be imported where it is installed.
    fn tag(&self) -> String {
        let mut numbers = self.manifest.python.split('.');
        let series: String = numbers.by_ref().take(2).collect();
        let (system, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
        format!("cp{series}-cp{series}-ekiben_static_{system}_{architecture}")
    }
}
