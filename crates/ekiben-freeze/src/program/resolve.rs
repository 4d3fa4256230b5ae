//! Requirements become a list of all that is to be installed, by version and hash: by uv, or pip.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_static::installer::{self, Reported, command};

use super::Error;
use crate::process::{self, Stop};

/// Asks an interpreter for its version.
const QUESTION: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3])";

/// All that `file` asks for, for an interpreter, as a requirements file.
pub(crate) fn resolve(python: &Path, file: &Path, stop: Stop<'_>) -> Result<String, Error> {
    let tool = Tool::find(python, stop)?;
    let resolve = |only_wheels| match &tool {
        Tool::Uv(uv) => by_uv(uv, python, file, only_wheels, stop),
        Tool::Pip(pip) => by_pip(pip, python, file, only_wheels, stop),
    };
    // Wheels first: what an sdist needs is only known once it was built.
    let said = resolve(true);
    if said.is_ok() || stop.is_some_and(|stop| stop()) {
        return said;
    }
    resolve(false)
}

/// What resolves and installs.
pub(super) enum Tool {
    Uv(PathBuf),
    Pip(PathBuf),
}

impl Tool {
    /// uv if it is there, else a pip that runs in an interpreter.
    pub(super) fn find(python: &Path, stop: Stop<'_>) -> Result<Self, Error> {
        if let Ok(uv) = which::which("uv") {
            return Ok(Self::Uv(uv));
        }
        let mut command = Command::new(python);
        let output = process::output(command.args(["-I", "-S", "-c", QUESTION]), stop);
        let output = output.map_err(Error::io("run", python))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let pip = installer::pip(&version, stop).map_err(Error::io("run", "pip"))?;
        pip.map(Self::Pip).ok_or(Error::NoInstaller { python: version })
    }
}

fn by_uv(
    uv: &Path,
    python: &Path,
    file: &Path,
    only_wheels: bool,
    stop: Stop<'_>,
) -> Result<String, Error> {
    let mut command = command(uv);
    command.args(["pip", "compile", "--quiet", "--no-progress", "--generate-hashes"]);
    command.args(["--no-header", "--no-annotate", "--python"]).arg(python);
    printed("uv", &mut command, file, only_wheels, stop)
}

fn by_pip(
    pip: &Path,
    python: &Path,
    file: &Path,
    only_wheels: bool,
    stop: Stop<'_>,
) -> Result<String, Error> {
    let mut command = command(pip);
    command.arg("--python").arg(python);
    command.args(["install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    command.args(["--dry-run", "--ignore-installed", "--report", "-", "-r"]);
    let report = printed("pip", &mut command, file, only_wheels, stop)?;
    requirements_of(&report)
}

fn printed(
    name: &str,
    command: &mut Command,
    file: &Path,
    only_wheels: bool,
    stop: Stop<'_>,
) -> Result<String, Error> {
    command.arg(file);
    if only_wheels {
        command.args(["--only-binary", ":all:"]);
    }
    let output = process::output(command, stop).map_err(Error::io("run", name))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Error::Resolver { installer: name.to_owned(), said })
}

fn requirements_of(report: &str) -> Result<String, Error> {
    let wrong = |said: String| Error::Resolver { installer: "pip".to_owned(), said };
    let reported = installer::reported(report.as_bytes())
        .map_err(|error| wrong(format!("its report can't be read: {error}")))?;
    let mut lines = Vec::new();
    for Reported { name, version, sha256, .. } in reported {
        let hash = sha256.ok_or_else(|| {
            wrong(format!("`{name}` is no archive with a SHA-256, so it can't be pinned"))
        })?;
        let mut line = format!("{name}=={version} \\\n");
        // Writing to a string doesn't fail.
        let _ = writeln!(line, "    --hash=sha256:{hash}");
        lines.push(line);
    }
    // In an order that doesn't depend on how it was found.
    lines.sort_by_key(|line| line.to_ascii_lowercase());
    Ok(lines.concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_pip_becomes_requirements() {
        let report = r#"{"version": "1", "install": [
            {"download_info": {"url": "https://example.org/b.whl", "archive_info": {
                "hash": "sha256=bb", "hashes": {"sha256": "bb"}}},
             "metadata": {"name": "B", "version": "2"}},
            {"download_info": {"url": "https://example.org/a.whl", "archive_info": {"hash": "sha256=aa"}},
             "metadata": {"name": "a", "version": "1.0"}}]}"#;
        insta::assert_snapshot!(requirements_of(report).unwrap(), @r"
        a==1.0 \
            --hash=sha256:aa
        B==2 \
            --hash=sha256:bb
        ");
        let folder = report.replace("archive_info", "dir_info");
        let error = requirements_of(&folder).unwrap_err().to_string();
        assert!(error.contains("`B` is no archive with a SHA-256"), "{error}");
    }
}
