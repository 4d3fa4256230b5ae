//! Unpacking a source archive.
//!
//! Invariant: nothing is written outside the folder, whatever the archive says.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use lzma_rust2::XzReader;
use tar::EntryType;

use super::error::Error;
use super::files;
use super::run::Progress;

/// More than any release of CPython has.
const MOST_BYTES: u64 = 2 << 30;

/// Unpacks `archive` into `folder`, without the folder at its top. Gives the time of its newest
/// file, in seconds since 1970.
pub(super) fn unpack(archive: &Path, folder: &Path, progress: Progress<'_>) -> Result<u64, Error> {
    let bad = |message: String| Error::Archive { path: archive.to_owned(), message };
    let file = BufReader::new(File::open(archive).map_err(Error::io("open", archive))?);
    let reader: Box<dyn Read> = match archive.to_str() {
        Some(name) if name.ends_with(".xz") || name.ends_with(".txz") => {
            Box::new(XzReader::new(file, true))
        }
        Some(name) if name.ends_with(".gz") || name.ends_with(".tgz") => {
            Box::new(GzDecoder::new(file))
        }
        _ => return Err(bad("it is neither a .tar.xz nor a .tar.gz".to_owned())),
    };
    let mut newest = 0;
    let mut bytes: u64 = 0;
    let mut tar = tar::Archive::new(reader);
    let entries = tar.entries().map_err(|error| bad(error.to_string()))?;
    for entry in entries {
        progress.check()?;
        let mut entry = entry.map_err(|error| bad(error.to_string()))?;
        let name = entry.path().map_err(|error| bad(error.to_string()))?.into_owned();
        let Some(inner) = below_top(&name).map_err(&bad)? else { continue };
        let target = folder.join(inner);
        match entry.header().entry_type() {
            EntryType::Directory => files::create_folder(&target)?,
            EntryType::Regular => {
                bytes = bytes.saturating_add(entry.size());
                if bytes > MOST_BYTES {
                    return Err(bad("it holds more than 2 GiB".to_owned()));
                }
                newest = newest.max(entry.header().mtime().unwrap_or(0));
                if let Some(parent) = target.parent() {
                    files::create_folder(parent)?;
                }
                entry.unpack(&target).map_err(|error| bad(error.to_string()))?;
            }
            EntryType::XGlobalHeader => {}
            _ => {
                let message = format!("`{}` is neither a file nor a folder", name.display());
                return Err(bad(message));
            }
        }
    }
    if newest == 0 {
        return Err(bad("there are no files in it".to_owned()));
    }
    Ok(newest)
}

/// A path without its first part; nothing if there is only one.
fn below_top(path: &Path) -> Result<Option<PathBuf>, String> {
    let mut parts = path.components().filter(|part| *part != Component::CurDir);
    let top = parts.next();
    let is_name = |part: &Component<'_>| matches!(part, Component::Normal(_));
    let inner: PathBuf = parts.clone().collect();
    if top.iter().chain(&parts.collect::<Vec<_>>()).any(|part| !is_name(part)) {
        return Err(format!("`{}` would lie outside of it", path.display()));
    }
    Ok((!inner.as_os_str().is_empty()).then_some(inner))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn header(kind: EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o755);
        header.set_mtime(1_234_567);
        header
    }

    fn archive(fill: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        fill(&mut builder);
        builder.into_inner().unwrap()
    }

    fn gz(tar: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Result<u64, Error>) {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let stop = AtomicBool::new(false);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
        let result = unpack(&path, &work.path().join("in/to"), progress);
        (work, result)
    }

    #[test]
    fn the_top_folder_goes() {
        let tar = archive(|tar| {
            tar.append_data(&mut header(EntryType::Directory, 0), "P/", &[][..]).unwrap();
            tar.append_data(&mut header(EntryType::Regular, 2), "P/a/configure", &b"hi"[..])
                .unwrap();
        });
        let (work, newest) = unpacked("x.tar.gz", &gz(&tar));
        assert_eq!(newest.unwrap(), 1_234_567);
        assert_eq!(std::fs::read(work.path().join("in/to/a/configure")).unwrap(), b"hi");
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let tar = archive(|tar| {
            let mut header = header(EntryType::Regular, 2);
            header.as_old_mut().name[..9].copy_from_slice(b"P/../../x");
            header.set_cksum();
            tar.append(&header, &b"hi"[..]).unwrap();
        });
        let (work, result) = unpacked("x.tgz", &gz(&tar));
        let message = result.unwrap_err().to_string();
        assert!(message.ends_with("`P/../../x` would lie outside of it"), "{message}");
        assert!(!work.path().join("x").exists());

        let tar = archive(|tar| {
            tar.append_link(&mut header(EntryType::Symlink, 0), "P/x", "/tmp").unwrap();
        });
        let (_work, result) = unpacked("x.tgz", &gz(&tar));
        let message = result.unwrap_err().to_string();
        assert!(message.ends_with("`P/x` is neither a file nor a folder"), "{message}");
    }

    #[test]
    fn what_is_no_archive_is_said_to_be_none() {
        for (name, bytes) in [
            ("x.zip", &b"PK"[..]),
            ("x.tar.xz", b"no xz, whatever its name says"),
            ("x.tar.gz", b"no gz"),
        ] {
            let (_work, result) = unpacked(name, bytes);
            assert!(matches!(result, Err(Error::Archive { .. })), "{name}: {result:?}");
        }
        let (_work, result) = unpacked("x.tar.gz", &gz(&archive(|_| {})));
        assert!(result.unwrap_err().to_string().ends_with("there are no files in it"));
    }
}
