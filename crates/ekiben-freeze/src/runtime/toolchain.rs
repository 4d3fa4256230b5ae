//! The C compiler, and what it finds.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::Error;
use super::manifest::Compiler;
use super::relink::Linker;
use super::run::{self, Progress, Runner};

/// The compiler of this machine.
pub(super) struct Toolchain {
    pub(super) compiler: Compiler,
}

/// What to do where there is none.
const NO_COMPILER: &str = "install a C compiler (on Debian and its kin: apt-get install build-essential), \
    or name one in CC";

/// Programs that the compiler starts to compile C and to link.
const PROGRAMS: [&str; 4] = ["as", "cc1", "collect2", "ld"];

/// What of the C library and the compiler becomes part of what is linked.
const FILES: [&str; 7] =
    ["crt1.o", "crti.o", "crtn.o", "libc.a", "libc.so.6", "libgcc.a", "libgcc_eh.a"];

/// The files of the compiler that links interpreters anew, by a linker that may be another than its own:
/// they decide on what comes of it.
///
/// # Errors
/// If there is none.
pub fn compiler_files(
    linker: Option<Linker>,
    progress: Progress<'_>,
) -> Result<Vec<PathBuf>, Error> {
    let work = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
    let mut runner = Runner::new(progress, &work.path().join("log"))?;
    let toolchain = Toolchain::find(&mut runner)?;
    let driver = toolchain.compiler.command.iter().filter_map(|word| which::which(word).ok());
    let mut files: Vec<PathBuf> = driver.collect();
    let linker = linker.map(|linker| format!("ld.{linker}"));
    for name in PROGRAMS.into_iter().chain(linker.as_deref()) {
        // The compiler repeats the name of what it leaves to the search path.
        files.extend(which::which(toolchain.program(name, &mut runner)?));
    }
    for name in FILES {
        files.extend(toolchain.file(name, &mut runner)?);
    }
    Ok(files)
}

impl Toolchain {
    /// The compiler that `CC` names, or gcc, or cc.
    pub(super) fn find(runner: &mut Runner<'_>) -> Result<Self, Error> {
        let words: Vec<String> = match std::env::var("CC") {
            Ok(text) if !text.trim().is_empty() => {
                text.split_whitespace().map(str::to_owned).collect()
            }
            _ => {
                let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
                vec![["gcc", "cc"].iter().find(|name| is_there(name)).unwrap_or(&"gcc").to_string()]
            }
        };
        let mut found = Self {
            compiler: Compiler { command: words, version: String::new(), target: String::new() },
        };
        let mut ask = |question: &str| {
            let asked = runner.output("asking the compiler", found.command().arg(question));
            asked.map_err(|error| error.if_missing(NO_COMPILER))
        };
        let version = ask("--version")?;
        let target = ask("-dumpmachine")?;
        found.compiler.version = version.lines().next().unwrap_or_default().trim().to_owned();
        found.compiler.target = target.trim().to_owned();
        Ok(found)
    }

    pub(super) fn command(&self) -> Command {
        let mut words = self.compiler.command.iter();
        let mut command = run::command(words.next().map_or("gcc", String::as_str));
        command.args(words);
        command
    }

    /// The archive that `-lNAME` means in a static link.
    pub(super) fn archive(
        &self,
        name: &str,
        runner: &mut Runner<'_>,
    ) -> Result<Option<PathBuf>, Error> {
        self.file(&format!("lib{name}.a"), runner)
    }

    /// The shared library that `-lNAME` means otherwise.
    pub(super) fn shared(
        &self,
        name: &str,
        runner: &mut Runner<'_>,
    ) -> Result<Option<PathBuf>, Error> {
        self.file(&format!("lib{name}.so"), runner)
    }

    /// A file that is found by its name in a link.
    fn file(&self, name: &str, runner: &mut Runner<'_>) -> Result<Option<PathBuf>, Error> {
        let question = format!("-print-file-name={name}");
        let answer = runner.output("looking for a library", self.command().arg(question))?;
        let path = Path::new(answer.trim());
        // What it doesn't find, it repeats.
        Ok(path.is_absolute().then(|| path.canonicalize().ok()).flatten())
    }

    /// The program of that name that belongs to the compiler.
    pub(super) fn program(&self, name: &str, runner: &mut Runner<'_>) -> Result<String, Error> {
        let question = format!("-print-prog-name={name}");
        let answer = runner.output("looking for a program", self.command().arg(question))?;
        Ok(answer.trim().to_owned())
    }

    /// Whether a header can be included.
    pub(super) fn has_header(&self, header: &str, runner: &mut Runner<'_>) -> Result<bool, Error> {
        let mut command = self.command();
        command.args(["-E", "-x", "c", "-o", "/dev/null", "-"]);
        let source = format!("#include <stdio.h>\n#include <{header}>\n");
        match runner.output_of("looking for a header", &mut command, source.as_bytes()) {
            Ok(_) => Ok(true),
            Err(Error::Step { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
