//! What pip and uv are started with, and what pip says of what it does, for whoever has them install.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_engine::process::{self, Stop};
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

/// The pip on PATH that runs in a release of Python, such as `3.13.5`; none if there is none that is new
/// enough.
///
/// # Errors
/// If a pip can't be started, or is stopped before it says what it is.
pub fn pip(python: &str, stop: Stop<'_>) -> io::Result<Option<PathBuf>> {
    for pip in ["pip", "pip3"].into_iter().filter_map(|name| which::which(name).ok()) {
        let said = process::output(command(&pip).arg("--version"), stop)?;
        if is_new_enough(&String::from_utf8_lossy(&said.stdout), python) {
            return Ok(Some(pip));
        }
    }
    Ok(None)
}

/// Whether pip, which says `pip 23.0.1 from …` of itself, runs in a release of Python. It has `--python`
/// since 22.3, and needs nothing that 3.12 hasn't any more since 23.1.2 (pip's news).
fn is_new_enough(said: &str, python: &str) -> bool {
    let numbers = |version: &str| -> Vec<u32> {
        version.split('.').map_while(|part| part.parse().ok()).collect()
    };
    let its = numbers(said.split_whitespace().nth(1).unwrap_or_default());
    let least = if numbers(python) >= vec![3, 12] { vec![23, 1, 2] } else { vec![22, 3] };
    its >= least
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_pip_is_passed_over() {
        for (pip, python, is_enough) in [
            ("pip 23.0.1 from /usr/lib/python3/dist-packages/pip (python 3.11)", "3.11.2", true),
            ("pip 23.0.1 from /usr/lib/python3/dist-packages/pip (python 3.11)", "3.13.5", false),
            ("pip 23.1.2 from /x", "3.12.0", true),
            ("pip 26.0 from /x", "3.14.0", true),
            ("pip 22.2.2 from /x", "3.11.2", false),
            ("", "3.11.2", false),
        ] {
            assert_eq!(is_new_enough(pip, python), is_enough, "{pip} {python}");
        }
    }
}
