//! CPython, from its source archive to a folder with the interpreter, its library and its headers.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::configure::{self, ARCHIVES, PINNED};
use super::error::{self, Error};
use super::libraries::Libraries;
use super::manifest::{Interpreter, LeftOut, Options};
use super::run::{self, Runner};
use super::source::Archive;
use super::toolchain::Toolchain;
use super::{Request, digest, files, install, lto, unpack};

/// The file in the folder that says what is in it.
pub(super) const MANIFEST: &str = "interpreter.json";

/// What is built, and with what.
pub(super) struct Recipe<'a> {
    pub(super) request: &'a Request,
    pub(super) archive: &'a Archive,
    pub(super) toolchain: &'a Toolchain,
    pub(super) libraries: &'a Libraries,
}

impl Recipe<'_> {
    /// The digest of all that determines the result.
    pub(super) fn digest(&self) -> Result<String, Error> {
        let mut archives = Vec::new();
        for library in &self.libraries.found {
            archives.push((&library.name, digest::of_file(&library.path)?, &library.package));
        }
        let request = self.request;
        digest::of_value(&(
            // Raise it when the way of building changes, beyond what follows.
            "interpreter 3",
            (&self.archive.of.sha256, request.python.series(), request.pgo, request.lto),
            configure::arguments(request, self.libraries),
            &self.toolchain.compiler,
            archives,
            self.libraries.left_out(),
            install::recipe(request),
        ))
    }
}

/// The folders of a build, and what processes in it get.
pub(super) struct Build {
    pub(super) source: PathBuf,
    pub(super) result: PathBuf,
    epoch: u64,
    has_pinned: bool,
}

impl Build {
    /// A command in the source folder.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = run::command(program);
        command.current_dir(&self.source);
        reproducible(&mut command, self.epoch);
        if self.has_pinned {
            // Relative to the source folder, so that they say nothing about this machine.
            command.env("CPATH", format!("../{PINNED}/include"));
            command.env("LIBRARY_PATH", format!("../{PINNED}/lib"));
        }
        command
    }
}

/// Takes time and chance from a command.
pub(super) fn reproducible(command: &mut Command, epoch: u64) {
    command
        .env("SOURCE_DATE_EPOCH", epoch.to_string())
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1");
}

/// Builds into `scratch`, and gives the folder in it that holds the result.
pub(super) fn build(
    recipe: &Recipe<'_>,
    scratch: &Path,
    runner: &mut Runner<'_>,
) -> Result<PathBuf, Error> {
    let Recipe { request, archive, toolchain, libraries } = recipe;
    let source = scratch.join("source");
    let result = scratch.join("result");
    if request.lto {
        lto::try_out(toolchain, scratch, runner)?;
    }
    runner.step(&format!("Unpacking {}", archive.of.origin))?;
    let epoch = unpack::unpack(&archive.path, &source, runner.progress)?;
    let version = release(&source)?;
    if !request.python.matches(&version) {
        return Err(Error::Input {
            message: format!(
                "{} holds CPython {version}, not {}",
                archive.of.origin, request.python
            ),
            help: format!("ask for --python {version}, or give another archive"),
        });
    }
    let build = Build { source, result, epoch, has_pinned: !libraries.pinned.is_empty() };
    for library in libraries.found.iter().filter(|library| !library.is_of_compiler) {
        let link = scratch.join(ARCHIVES).join(format!("lib{}.a", library.name));
        files::create_folder(&scratch.join(ARCHIVES))?;
        std::os::unix::fs::symlink(&library.path, &link).map_err(Error::io("create", &link))?;
    }
    for folder in &libraries.pinned {
        for part in ["include", "lib"] {
            files::copy_folder(&folder.join(part), &scratch.join(PINNED).join(part))?;
        }
    }

    runner.step(&format!("Configuring CPython {version}"))?;
    let arguments = configure::arguments(request, libraries);
    let mut command = build.command("./configure");
    command.args(&arguments);
    // The compiler that was asked what it is.
    command.env("CC", toolchain.compiler.command.join(" "));
    runner.run("configuring CPython", &mut command)?;
    if request.python.minor() == 11 {
        let stdlib = files::read_text(&build.source.join("Modules/Setup.stdlib"))?;
        let local = configure::setup_local(&stdlib, libraries);
        files::write(&build.source.join("Modules/Setup.local"), local)?;
    }

    let how = match request.pgo {
        true => " twice, with its tests in between (many minutes)",
        false => " (minutes)",
    };
    runner.step(&format!("Compiling CPython {version}{how}"))?;
    let make = || {
        let mut make = build.command("make");
        make.arg(format!("-j{}", request.jobs));
        make.args(configure::make_variables(&toolchain.compiler.command.join(" "), request));
        make
    };
    if request.pgo {
        runner.run("compiling CPython", make().arg("profile-opt"))?;
    }
    let library = format!("libpython{}.a", request.python.series());
    let mut targets = vec!["python", &library, "pybuilddir.txt"];
    if request.tests {
        // A few test loading itself: they can't be compiled in.
        targets.push("sharedmods");
    }
    runner.run("compiling CPython", make().args(targets)).map_err(with_make)?;
    if request.lto {
        runner.step("Optimising CPython as a whole (minutes)")?;
        lto::join(&build.source, &library, toolchain, runner)?;
        let relinked = ["python".to_owned(), format!("LINK_PYTHON_OBJS={library}")];
        runner.run("linking CPython", make().args(relinked))?;
    }

    runner.step("Collecting the interpreter and its library")?;
    let modules = install::modules(&build, libraries)?;
    let is_there = |name: &str| modules.iter().any(|there| there.name == name);
    let refused: Vec<LeftOut> = libraries
        .modules
        .iter()
        .filter(|(name, _)| !is_there(name))
        .map(|(name, _)| LeftOut {
            name: (*name).to_owned(),
            reason: "CPython's configure refused it".to_owned(),
            packages: Vec::new(),
        })
        .collect();
    if request.strict && !refused.is_empty() {
        return Err(Error::LeftOut(refused));
    }
    for module in &refused {
        runner.note(&format!("`{}` is left out: {}", module.name, module.reason))?;
    }
    let mut left_out = libraries.left_out();
    left_out.extend(refused);
    let libraries = install::install(&build, recipe, runner)?;
    let interpreter = Interpreter {
        python: request.python.series(),
        version,
        source: archive.of.clone(),
        options: Options {
            pgo: request.pgo,
            lto: request.lto,
            tests: request.tests,
            configure: arguments,
        },
        compiler: toolchain.compiler.clone(),
        modules,
        left_out,
        libraries,
    };
    super::manifest::write(&build.result.join(MANIFEST), &interpreter)?;
    install::refuse_paths(&build.result, &[scratch])?;
    Ok(build.result)
}

pub(super) fn with_make(error: Error) -> Error {
    error.if_missing("install it (on Debian and its kin: apt-get install make)")
}

/// The modules that can't be built here: an error if that is asked for, else notes.
pub(super) fn report_left_out(
    request: &Request,
    libraries: &Libraries,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    if libraries.missing.is_empty() {
        return Ok(());
    }
    if request.strict {
        return Err(Error::LeftOut(libraries.missing.clone()));
    }
    for module in &libraries.missing {
        runner.note(&format!("`{}` is left out: {}", module.name, module.reason))?;
    }
    match error::install_help(&libraries.missing) {
        Some(help) => runner.note(&help),
        None => Ok(()),
    }
}

/// The release that a source tree is of, from `Include/patchlevel.h`.
fn release(source: &Path) -> Result<String, Error> {
    let header = source.join("Include/patchlevel.h");
    let text = files::read_text(&header)?;
    version_in(&text).ok_or_else(|| Error::Archive {
        path: header,
        message: "it names no version of CPython".to_owned(),
    })
}

fn version_in(header: &str) -> Option<String> {
    let line = header.lines().find_map(|line| line.strip_prefix("#define PY_VERSION"))?;
    let version = line.trim().trim_matches('"');
    let is_version =
        version.starts_with("3.") && version.bytes().all(|byte| byte.is_ascii_graphic());
    is_version.then(|| version.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_the_header() {
        let header = "#define PY_MAJOR_VERSION 3\n/* x */\n#define PY_VERSION      \"3.13.5\"\n";
        assert_eq!(version_in(header).unwrap(), "3.13.5");
        for other in ["", "#define PY_VERSION", "#define PY_VERSION \"four\""] {
            assert_eq!(version_in(other), None, "{other}");
        }
    }
}
