//! Runs programs, in a folder and with a home that are new each time.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::cases::{Program, Run, Source};
use super::outcome::{Outcome, Places};
use super::page::Page;
use super::{FOLDER, fresh};
use crate::acceptance::interpreters::PYTHON;
use crate::python::Site;
use crate::workspace::{Workspace, run_quietly};

/// How often curl tries to reach a server that starts, once a second.
const TRIES: &str = "60";

/// Where programs run.
pub(super) struct Bench<'a> {
    /// The ordinary interpreter.
    python: PathBuf,
    site: &'a Site,
    pub(super) scratch: &'a Path,
    /// What a run's folder begins as.
    files: PathBuf,
    page: Page,
}

/// What is started, before its arguments.
pub(super) struct Started {
    words: Vec<PathBuf>,
    /// What it calls itself.
    name: PathBuf,
    /// Where its modules seem to be.
    modules: PathBuf,
    is_program: bool,
}

impl Started {
    pub(super) fn program(path: &Path) -> Self {
        let modules = path.join(format!("lib/python{PYTHON}/site-packages"));
        Self { words: vec![path.to_owned()], name: path.to_owned(), modules, is_program: true }
    }
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        workspace: &Workspace,
        runtime: &Path,
        site: &'a Site,
        scratch: &'a Path,
    ) -> Result<Self> {
        let files = scratch.join("files");
        fresh(&files, &workspace.path(FOLDER).join("files"))?;
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        openssl.args(["-keyout", "key.pem", "-out", "cert.pem"]);
        run_quietly(openssl.current_dir(&files))?;
        let python = runtime.join(format!("bin/python{PYTHON}"));
        Ok(Self { python, site, scratch, files, page: Page::serve()? })
    }

    /// What a program is without Ekiben.
    pub(super) fn ordinary(&self, program: &Program, scripts: &Path) -> Started {
        let python = || self.python.clone();
        let packages = &self.site.packages;
        let (more, name, modules) = match program.source {
            Source::EntryPoint(_) => {
                let script = packages.join("bin").join(program.name);
                (vec![script.clone()], script, packages.clone())
            }
            Source::Module => {
                (["-m", program.name].map(PathBuf::from).into(), python(), packages.clone())
            }
            Source::Script => {
                let script = scripts.join(format!("{}.py", program.name));
                (vec![script], python(), scripts.to_owned())
            }
        };
        let words = std::iter::once(python()).chain(more).collect();
        Started { words, name, modules, is_program: false }
    }

    /// What comes of a run.
    pub(super) fn outcome(&self, started: &Started, run: &Run) -> Result<Outcome> {
        let (folder, home) = (self.scratch.join("folder"), self.scratch.join("home"));
        fresh(&folder, &self.files)?;
        fs::create_dir_all(&home)?;
        let port = free_port()?;
        let fill = |text: &&str| {
            text.replace("{port}", &port.to_string())
                .replace("{page}", &self.page.port().to_string())
                .replace("{wheels}", &self.site.wheels.to_string_lossy())
        };
        // A shell that started this may have it ignore the signal that ends servers.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT").args(&started.words);
        command.args(run.arguments.iter().map(fill)).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &home).env("TMPDIR", &home);
        command.envs([("LANG", "C.UTF-8"), ("TERM", "xterm-256color")]);
        command.envs([("COLUMNS", "100"), ("FORCE_COLOR", "1")]);
        if !started.is_program {
            command.env("PYTHONPATH", &self.site.packages).env("PYTHONDONTWRITEBYTECODE", "1");
        }
        command.current_dir(&folder).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let answers = match run.asked {
            None => Vec::new(),
            Some(asked) => {
                let answers = ask(asked.iter().map(fill), &folder);
                let pid = child.id().to_string();
                run_quietly(Command::new("kill").args(["-INT", &pid]))?;
                answers?
            }
        };
        let output = child.wait_with_output()?;
        fs::remove_dir_all(&home)?;
        let places = Places::new(
            &[&self.python, &started.name],
            &[&self.site.packages, &started.modules],
            &[port, self.page.port()],
        )?;
        Outcome::new(&places, &output, &answers, &folder)
    }
}

/// A port that nobody listens to.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// What curl gets from a server, which may just be starting.
fn ask(words: impl Iterator<Item = String>, folder: &Path) -> Result<Vec<u8>> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--include", "--noproxy", "*"]);
    curl.args(["--retry", TRIES, "--retry-delay", "1", "--retry-connrefused"]).args(words);
    let output = curl.env_clear().current_dir(folder).output().context("curl")?;
    // What it complains of is a part of what came.
    Ok([output.stdout, output.stderr].concat())
}
