//! Whether a runtime is as it was made, and works.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::Error;
use super::run::{self, Progress, Runner};
use super::{Runtime, digest, files, link, stdlib};

/// The script that imports everything.
const SCRIPT: &str = include_str!("check.py");

/// Builtin modules of other systems, for want of which modules of the library can't be imported.
const OF_OTHER_SYSTEMS: [&str; 11] = [
    "_android_support",
    "_ios_support",
    "_msi",
    "_overlapped",
    "_scproxy",
    "_winapi",
    "_wmi",
    "msvcrt",
    "nt",
    "winreg",
    "winsound",
];

/// Modules that can't be imported here, each for a reason of its own: they refuse other systems, do
/// what they are for as soon as they are imported, or load a library of the machine in place of a module
/// that is there.
const NOT_IMPORTED: [&str; 10] = [
    "_ios_support",
    "_pyrepl._minimal_curses",
    "antigravity",
    "asyncio.windows_events",
    "asyncio.windows_utils",
    "distutils.command.bdist_msi",
    "encodings.mbcs",
    "encodings.oem",
    "lib2to3.pgen2.conv",
    "this",
];

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// How many files are as they were made.
    pub files: usize,
    /// The interpreters that were started, with how many modules each imported.
    pub interpreters: BTreeMap<String, usize>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Something wrong with a runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file in the runtime.
    pub file: String,
    /// What is wrong with it.
    pub message: String,
}

/// What `check.py` says.
#[derive(Debug, Deserialize)]
struct Answer {
    failed: BTreeMap<String, String>,
    imported: usize,
    version: String,
}

impl Runtime {
    /// Checks every file against its digest, and imports every module with each interpreter.
    ///
    /// # Errors
    /// If it can't be read, or was asked to stop. What is wrong with the runtime is no error.
    pub fn check(&self, progress: Progress<'_>) -> Result<Check, Error> {
        let work = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
        let mut runner = Runner::new(progress, &work.path().join("log"))?;
        runner.step("Checking files")?;
        let mut check =
            Check { files: 0, interpreters: BTreeMap::new(), findings: self.check_files()? };
        check.files = self.manifest.files.len() - check.findings.len();

        let modules = self.modules()?;
        let interpreter = format!("bin/python{}", self.manifest.interpreter.python);
        let mut programs = vec![(interpreter, self.interpreter())];
        for how in self.manifest.link.flavours.values() {
            let name = how.program.rsplit('/').next().unwrap_or(&how.program);
            let program = work.path().join(name);
            match self.with_image(&how.program, &program) {
                Ok(()) => programs.push((how.program.clone(), program)),
                Err(error) => check.find(&how.program, error)?,
            }
        }
        for (name, program) in programs {
            runner.step(&format!("Importing {} modules with {name}", modules.len()))?;
            match self.import(&program, &modules, &mut runner) {
                Ok(answer) => {
                    let expected = &self.manifest.interpreter.version;
                    if answer.version != *expected {
                        let message = format!("it is CPython {}, not {expected}", answer.version);
                        check.findings.push(Finding { file: name.clone(), message });
                    }
                    for (module, message) in answer.failed {
                        let message = format!("`import {module}` fails: {message}");
                        check.findings.push(Finding { file: name.clone(), message });
                    }
                    check.interpreters.insert(name, answer.imported);
                }
                Err(error) => check.find(&name, error)?,
            }
        }
        Ok(check)
    }

    fn check_files(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for (name, expected) in &self.manifest.files {
            let path = self.path(name);
            let message = if !path.is_file() {
                "is missing"
            } else if digest::of_file(&path)? == *expected {
                continue;
            } else {
                "was changed"
            };
            findings.push(Finding { file: name.clone(), message: message.to_owned() });
        }
        Ok(findings)
    }

    /// Every module that is to be imported: the builtin ones and those of the library.
    fn modules(&self) -> Result<Vec<String>, Error> {
        let stdlib = self.path(&format!("lib/python{}", self.manifest.interpreter.python));
        let builtin = self.manifest.interpreter.modules.iter().map(|module| module.name.clone());
        let files = files::list(&stdlib)?.into_keys().filter(|name| stdlib::is_in_image(name));
        let library = files.filter_map(|name| stdlib::module_of(&name)).map(|(name, _)| name);
        let is_imported = |name: &String| {
            !NOT_IMPORTED.contains(&name.as_str()) && name.rsplit('.').next() != Some("__main__")
        };
        let mut modules: Vec<String> = builtin.chain(library).filter(is_imported).collect();
        modules.sort();
        modules.dedup();
        Ok(modules)
    }

    /// Writes a program that carries the image of the standard library.
    fn with_image(&self, program: &str, to: &Path) -> Result<(), Error> {
        let linked = files::read(&self.path(program))?;
        let image = files::read(&self.image())?;
        let filled = ekiben_object::elf::fill_segment(&linked, link::SECTION, &image);
        let filled = filled.map_err(|error| Error::Damaged {
            folder: self.folder.clone(),
            message: format!("{program} can't take an image: {error}"),
        })?;
        files::write(to, filled)?;
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(to, executable).map_err(Error::io("write", to))
    }

    fn import(
        &self,
        program: &PathBuf,
        modules: &[String],
        runner: &mut Runner<'_>,
    ) -> Result<Answer, Error> {
        let left_out = self.manifest.interpreter.left_out.iter().map(|module| module.name.as_str());
        let elsewhere: Vec<&str> = left_out.chain(OF_OTHER_SYSTEMS).collect();
        let task = serde_json::json!({ "modules": modules, "elsewhere": elsewhere });
        let mut command = run::command(program);
        command.args(["-S", "-s", "-B", "-c", SCRIPT]);
        let task = task.to_string();
        let printed = runner.output_of("importing modules", &mut command, task.as_bytes())?;
        let last = printed.lines().last().unwrap_or_default();
        serde_json::from_str(last)
            .map_err(|error| Error::Internal(format!("the check can't be understood: {error}")))
    }
}

impl Check {
    /// Takes an error of one interpreter as a finding, but for a stop.
    fn find(&mut self, file: &str, error: Error) -> Result<(), Error> {
        if matches!(error, Error::Interrupted) {
            return Err(error);
        }
        self.findings.push(Finding { file: file.to_owned(), message: error.to_string() });
        Ok(())
    }
}
