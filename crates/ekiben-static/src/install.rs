//! Running pip or uv: they get a package's source, what its build needs, and run the build.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ekiben_engine::process::{self, Stop};

use crate::{Error, Sdist, installer};

/// pip or uv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Installer {
    Pip(PathBuf),
    Uv(PathBuf),
}

/// What is installed.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    /// `NAME==VERSION`, or a path.
    pub(crate) requirement: String,
    /// The name, unless it is a path.
    pub(crate) name: Option<&'a str>,
    /// The SHA-256 that the source may have; any if there is none.
    pub(crate) hashes: &'a [String],
    /// Settings of the build.
    pub(crate) settings: &'a [String],
}

impl Installer {
    /// pip if it is there, since it says what it has downloaded; else uv. `python` is the release that is
    /// built for, in which pip runs: an old one can't run in a new Python.
    pub(crate) fn find(python: &str, stop: Stop<'_>) -> Result<Self, Error> {
        let pip = installer::pip(python, stop).map_err(Error::io("run", "pip"))?;
        if let Some(pip) = pip {
            return Ok(Self::Pip(pip));
        }
        which::which("uv").map(Self::Uv).map_err(|_| Error::NoInstaller)
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Pip(_) => "pip",
            Self::Uv(_) => "uv",
        }
    }

    fn command(&self, python: &Path) -> Command {
        match self {
            Self::Pip(pip) => {
                let mut command = installer::command(pip);
                command.arg("--python").arg(python);
                command.args(["install", "--disable-pip-version-check", "--no-input"]);
                // A warning of running as root would be all that many logs end with.
                command.args(["--root-user-action", "ignore"]);
                command
            }
            Self::Uv(uv) => {
                let mut command = installer::command(uv);
                command.args(["pip", "install", "--no-progress", "--python"]).arg(python);
                command
            }
        }
    }

    /// The name and version of what a requirement stands for today.
    pub(crate) fn resolve(
        &self,
        python: &Path,
        requirement: &str,
        stop: Stop<'_>,
    ) -> Result<(String, String), Error> {
        let failed = |said: String| Error::Resolve {
            requirement: requirement.to_owned(),
            installer: self.name().to_owned(),
            said,
        };
        let file = tempfile::NamedTempFile::new();
        let file = file.map_err(Error::io("create a file in", std::env::temp_dir()))?;
        fs::write(file.path(), requirement).map_err(Error::io("write", file.path()))?;
        let mut command = match self {
            Self::Pip(_) => {
                let mut command = self.command(python);
                command.args(["--quiet", "--dry-run", "--ignore-installed", "--no-deps"]);
                command.args(["--report", "-", "-r"]).arg(file.path());
                command
            }
            Self::Uv(uv) => {
                let mut command = Command::new(uv);
                command.args(["pip", "compile", "--quiet", "--no-progress", "--no-deps"]);
                command.args(["--no-header", "--no-annotate", "--python"]).arg(python);
                command.arg(file.path());
                command
            }
        };
        let output = run(&mut command, self.name(), stop)?;
        if !output.status.success() {
            return Err(failed(text(&output.stderr)));
        }
        let found = match self {
            Self::Pip(_) => {
                let reported = installer::reported(&output.stdout)
                    .map_err(|error| failed(format!("its report can't be read: {error}")))?;
                reported.into_iter().next().map(|it| (it.name, it.version))
            }
            Self::Uv(_) => text(&output.stdout).lines().find_map(|line| {
                let (name, rest) = line.split_once("==")?;
                let version = rest.split([' ', ';', '\\']).next()?;
                Some((name.to_owned(), version.to_owned()))
            }),
        };
        found.ok_or_else(|| failed("it says nothing of what it would install".to_owned()))
    }

    /// Builds from source and installs into `target`, with all that is temporary in `work`. `prepare`
    /// gets the command before it runs. Gives the source, if it was an archive.
    pub(crate) fn install(
        &self,
        python: &Path,
        wanted: &Wanted<'_>,
        target: &Path,
        work: &Path,
        prepare: &dyn Fn(&mut Command),
        stop: Stop<'_>,
    ) -> Result<(Option<Sdist>, Output), Error> {
        let mut command = self.command(python);
        let temporary = work.join("tmp");
        fs::create_dir_all(&temporary).map_err(Error::io("create", &temporary))?;
        command.env("TMPDIR", &temporary);
        let report = work.join("report.json");
        command.args(["--no-deps", "--target"]).arg(target);
        // What was built before wasn't recorded.
        match self {
            Self::Pip(_) => {
                command.args(["--no-cache-dir", "--no-compile", "--report"]).arg(&report);
            }
            Self::Uv(_) => {
                command.args(["--no-cache", "--link-mode", "copy"]);
            }
        }
        if let Some(name) = wanted.name {
            command.args(["--no-binary", name]);
        }
        for setting in wanted.settings {
            command.arg("--config-settings").arg(setting);
        }
        let listed = work.join("requirements.txt");
        match (&wanted.name, wanted.hashes) {
            (Some(_), hashes) if !hashes.is_empty() => {
                let hashes = hashes.iter().map(|hash| format!(" --hash=sha256:{hash}"));
                let line = format!("{}{}\n", wanted.requirement, hashes.collect::<String>());
                fs::write(&listed, line).map_err(Error::io("write", &listed))?;
                command.args(["--require-hashes", "-r"]).arg(&listed);
            }
            _ => {
                command.arg(&wanted.requirement);
            }
        }
        prepare(&mut command);
        let output = run(&mut command, self.name(), stop)?;
        if !output.status.success() {
            return Ok((None, output));
        }
        if matches!(self, Self::Uv(_)) {
            // It doesn't say what it has downloaded; with one digest given it was that.
            let sdist = match (wanted.hashes, wanted.requirement.split_once("==")) {
                ([sha256], Some((name, version))) => Some(Sdist {
                    file: format!("{}-{version}.tar.gz", name.replace('-', "_")),
                    sha256: sha256.clone(),
                }),
                _ => None,
            };
            return Ok((sdist, output));
        }
        let bytes = fs::read(&report).map_err(Error::io("read", &report))?;
        let reported =
            installer::reported(&bytes).map_err(|error| Error::unusable(&report, &error))?;
        let sdist = reported.into_iter().next().and_then(|it| {
            let file = it.url.rsplit('/').next().unwrap_or(&it.url).to_owned();
            Some(Sdist { file, sha256: it.sha256? })
        });
        Ok((sdist, output))
    }
}

fn run(command: &mut Command, name: &str, stop: Stop<'_>) -> Result<Output, Error> {
    process::output(command, stop).map_err(Error::io("run", OsString::from(name)))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
