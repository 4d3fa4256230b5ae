//! CPython's source archive: from a path, a URL or the distribution.
//!
//! Archives that came over the network are kept, so that the next build needs none.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::manifest::SourceOf;
use super::run::{self, Runner};
use super::version::PythonVersion;
use super::{Source, apt, digest, files};

/// A source archive on this machine.
pub(super) struct Archive {
    pub(super) path: PathBuf,
    pub(super) of: SourceOf,
}

/// What is kept beside the distribution's archive.
#[derive(Serialize, Deserialize)]
struct Kept {
    file: String,
    #[serde(flatten)]
    of: SourceOf,
}

/// Fetches the archive, or finds the one that was fetched before, in `folder`.
pub(super) fn fetch(
    source: &Source,
    python: PythonVersion,
    folder: &Path,
    runner: &mut Runner<'_>,
) -> Result<Archive, Error> {
    match source {
        Source::Distribution => from_distribution(python, folder, runner),
        Source::Archive { place, sha256 } => {
            let sha256 = sha256.to_ascii_lowercase();
            if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Error::Input {
                    message: format!("`{sha256}` isn't a SHA-256: that is 64 hexadecimal digits"),
                    help: "give the one that is published beside the archive".to_owned(),
                });
            }
            if place.contains("://") {
                from_url(place, sha256, folder, runner)
            } else {
                let path = PathBuf::from(place);
                check(&path, place, &sha256)?;
                Ok(Archive { of: SourceOf { origin: file_name(place).to_owned(), sha256 }, path })
            }
        }
    }
}

fn from_distribution(
    python: PythonVersion,
    folder: &Path,
    runner: &mut Runner<'_>,
) -> Result<Archive, Error> {
    let record = folder.join(format!("distribution-{}.json", python.series()));
    if let Ok(text) = files::read_text(&record)
        && let Ok(kept) = serde_json::from_str::<Kept>(&text)
    {
        let path = folder.join(&kept.file);
        if digest::of_file(&path).is_ok_and(|found| found == kept.of.sha256) {
            return Ok(Archive { path, of: kept.of });
        }
    }
    if !apt::is_there() {
        let message = "this machine has no apt to fetch the distribution's source with".to_owned();
        return Err(Error::Distribution { message });
    }
    let (path, origin) = apt::fetch(python, folder, runner)?;
    let of = SourceOf { origin, sha256: digest::of_file(&path)? };
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = serde_json::to_string_pretty(&Kept { file, of: of.clone() })
        .map_err(|error| Error::Internal(format!("a record can't be written: {error}")))?;
    files::write(&record, text)?;
    Ok(Archive { path, of })
}

fn from_url(
    url: &str,
    sha256: String,
    folder: &Path,
    runner: &mut Runner<'_>,
) -> Result<Archive, Error> {
    let name = file_name(url.split(['?', '#']).next().unwrap_or(url));
    let path = folder.join(format!("{sha256}-{name}"));
    let of = SourceOf { origin: url.to_owned(), sha256 };
    if digest::of_file(&path).is_ok_and(|found| found == of.sha256) {
        return Ok(Archive { path, of });
    }
    runner.step(&format!("Fetching {url}"))?;
    let part = tempfile::Builder::new().suffix(&format!("-{name}")).tempfile_in(folder);
    let part = part.map_err(Error::io("create a file in", folder))?;
    let mut curl = run::command("curl");
    curl.args(["--fail", "--location", "--silent", "--show-error", "--output"]).arg(part.path());
    let fetched = runner.run(&format!("fetching {url}"), curl.args(["--", url]));
    fetched.map_err(|error| {
        error.if_missing("install curl, or fetch the archive yourself and give its path")
    })?;
    check(part.path(), url, &of.sha256)?;
    part.persist(&path).map_err(|error| Error::io("write", &path)(error.error))?;
    Ok(Archive { path, of })
}

fn check(path: &Path, place: &str, expected: &str) -> Result<(), Error> {
    let found = digest::of_file(path)?;
    if found == expected {
        return Ok(());
    }
    Err(Error::Sha256 { place: place.to_owned(), expected: expected.to_owned(), found })
}

fn file_name(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or(place)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::runtime::Progress;

    fn fetched(place: &str, sha256: &str, folder: &Path) -> Result<Archive, Error> {
        let stop = AtomicBool::new(false);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
        let mut runner = Runner::new(progress, &folder.join("log")).unwrap();
        let source = Source::Archive { place: place.to_owned(), sha256: sha256.to_owned() };
        fetch(&source, "3.13".parse().unwrap(), folder, &mut runner)
    }

    #[test]
    fn an_archive_must_be_the_one_that_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Python.tar.xz");
        std::fs::write(&path, "abc").unwrap();
        let place = path.to_str().unwrap();
        let sha256 = digest::of_bytes(b"abc");
        let archive = fetched(place, &sha256.to_uppercase(), folder.path()).unwrap();
        // Where it lay on this machine is nobody's business.
        assert_eq!((archive.of.origin.as_str(), archive.of.sha256), ("Python.tar.xz", sha256));
        let message = fetched(place, &"0".repeat(64), folder.path()).err().unwrap().to_string();
        assert!(message.starts_with(&format!("{place} has the SHA-256 ba7816bf")), "{message}");
        let message = fetched(place, "abc", folder.path()).err().unwrap().to_string();
        assert_eq!(message, "`abc` isn't a SHA-256: that is 64 hexadecimal digits");
    }

    #[test]
    fn what_came_by_url_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("P.tar.gz");
        std::fs::write(&path, "abc").unwrap();
        let url = format!("file://{}", path.display());
        let sha256 = digest::of_bytes(b"abc");
        let archive = fetched(&url, &sha256, folder.path()).unwrap();
        assert_eq!(std::fs::read(&archive.path).unwrap(), b"abc");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(fetched(&url, &sha256, folder.path()).unwrap().path, archive.path);
        let error = fetched(&url, &"0".repeat(64), folder.path()).err().unwrap();
        assert!(matches!(error, Error::Step { .. }), "{error}");
    }
}
