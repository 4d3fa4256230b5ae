//! What pip and uv are started with, and what pip says of what it does, for whoever has them install.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What changes where Python finds modules: pip sets it for builds in isolation, in which pip itself
/// isn't to be found.
const OF_ISOLATION: [&str; 3] = ["PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH"];

/// The command of uv or pip, as if started by a person.
#[must_use]
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for name in OF_ISOLATION {
        command.env_remove(name);
    }
    command
}

/// A distribution in pip's installation report, version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Its name, as its metadata have it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it is from.
    pub url: String,
    /// The SHA-256 of the archive that it is from, in hexadecimal digits, if it is from one.
    pub sha256: Option<String>,
}

/// What a report of pip says that was installed, or would be.
///
/// # Errors
/// If it isn't one.
pub fn reported(report: &[u8]) -> Result<Vec<Reported>, serde_json::Error> {
    let report: Report = serde_json::from_slice(report)?;
    let reported = |Installed { download_info: download, metadata }| {
        let Download { url, archive_info } = download;
        let sha256 = archive_info.and_then(|archive: Archive| {
            // As pip before 23 has it: `sha256=…`.
            let old = archive.hash.as_deref().and_then(|hash| hash.strip_prefix("sha256="));
            archive.hashes.sha256.or(old.map(str::to_owned))
        });
        let Metadata { name, version } = metadata;
        Reported { name, version, url, sha256 }
    };
    Ok(report.install.into_iter().map(reported).collect())
}

#[derive(Deserialize)]
struct Report {
    install: Vec<Installed>,
}

#[derive(Deserialize)]
struct Installed {
    download_info: Download,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Download {
    url: String,
    archive_info: Option<Archive>,
}

#[derive(Deserialize)]
struct Archive {
    #[serde(default)]
    hashes: Hashes,
    hash: Option<String>,
}

#[derive(Default, Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
}
