//! What programs cost: to start, two hundred at once, to make, and how large they are; beside the
//! ordinary interpreter of the same build, PyInstaller and Nuitka.
//!
//! PyInstaller and Nuitka need an interpreter with a shared library: they get the machine's own Python,
//! whatever its version. One that can't make a program has no column, and says why.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::table::{Table, cost};
use super::{Bench, recreate};
use crate::python::{Python, Venv};
use crate::runtime;
use crate::workspace::{Workspace, run_quietly};

/// CPython's version in Ekiben's programs.
const PYTHON: &str = "3.13";
/// How many are started at once.
const MANY: usize = 200;

/// The scripts of programs, and their text.
const SCRIPTS: [(&str, &str); 2] = [
    ("hello", "print(\"hello\")\n"),
    ("imports", "import asyncio, json, sqlite3, ssl\nprint(\"imported\")\n"),
];

/// Makes and measures everything.
pub(super) fn tables(bench: &Bench, workspace: &Workspace, rounds: usize) -> Result<String> {
    let scratch = bench.scratch.join("programs");
    recreate(&scratch)?;
    for (name, text) in SCRIPTS {
        fs::write(scratch.join(format!("{name}.py")), text)?;
    }
    let mut ekiben = bench.venv.program("ekiben");
    let folder = runtime::build(ekiben.current_dir(&scratch), PYTHON, &[])?;
    let interpreter = folder.join(format!("bin/python{PYTHON}"));
    let python = Python::find()?;
    let tools = python.tools(workspace, "programs")?;
    // With nothing else that pip could import.
    let packages = python.make_venv(&scratch.join("environment"))?.path("../lib");
    let packages = packages.join(format!("python3.{}/site-packages", python.minor()));
    let runtime = folder.to_str().context("the runtime's folder isn't named in UTF-8")?;
    let makers = Maker::all(bench, runtime, &tools, &scratch, &packages);

    let mut table = Table::default();
    let mut sizes = Vec::new();
    let mut columns = vec!["ekiben", "ekiben, dynamic", "python"];
    let mut runs: Vec<(&str, [Vec<PathBuf>; SCRIPTS.len()])> = Vec::new();
    for maker in &makers {
        match maker.make_all() {
            Ok(programs) => {
                sizes.push(format!("{} {:.1} MB", maker.column, maker.size(&programs[0])?));
                if !columns.contains(&maker.column) {
                    columns.push(maker.column);
                }
                runs.push((maker.column, programs.map(|program| vec![program])));
            }
            Err(error) => eprintln!("{}: {error:#}", maker.column),
        }
    }
    let script = |name: &str| scratch.join(format!("{name}.py"));
    runs.push(("python", SCRIPTS.map(|(name, _)| vec![interpreter.clone(), script(name)])));

    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        for (column, commands) in &runs {
            for ((name, _), words) in SCRIPTS.iter().zip(commands) {
                let one = cost(&mut command(words, &scratch))?;
                let many = (*name == SCRIPTS[0].0).then(|| cost(&mut at_once(words, &scratch)));
                if round > 0 {
                    table.add(name, column, one);
                    if let Some(many) = many {
                        table.add(&format!("{name}, {MANY} at once"), column, many?);
                    }
                }
            }
        }
        for maker in makers.iter().filter(|maker| maker.is_quick) {
            for target in ["hello.py", "pip"] {
                let made = cost(&mut maker.command(target))?;
                if round > 0 {
                    let name = target.trim_end_matches(".py");
                    table.add(&format!("{name} is made again"), maker.column, made);
                }
            }
        }
    }
    for maker in makers.iter().filter(|maker| !maker.is_quick) {
        // Once: it takes seconds to minutes.
        if runs.iter().any(|(column, _)| *column == maker.column) {
            table.add("hello is made again", maker.column, cost(&mut maker.command("hello.py"))?);
        }
    }
    let mut text = format!("Programs:\n\n{}\n", table.markdown(&columns));
    let _ = writeln!(text, "Size of hello: {}.\n", sizes.join(", "));
    Ok(text)
}

fn command(words: &[PathBuf], folder: &Path) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder);
    command
}

/// A shell that starts many, and waits for them.
fn at_once(words: &[PathBuf], folder: &Path) -> Command {
    let script = format!("for i in $(seq {MANY}); do \"$@\" & done; wait");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh"]).args(words).current_dir(folder);
    shell
}

/// Something that makes programs.
struct Maker<'a> {
    column: &'static str,
    program: &'a Venv,
    words: Vec<String>,
    scratch: &'a Path,
    /// Where the package is that is made into a program too.
    packages: &'a Path,
    /// Where the program of `hello.py` is, in the folder that is named after the column.
    made: &'static str,
    /// Whether its folder is the program.
    is_folder: bool,
    is_quick: bool,
}

impl<'a> Maker<'a> {
    fn all(
        bench: &'a Bench,
        runtime: &str,
        tools: &'a Venv,
        scratch: &'a Path,
        packages: &'a Path,
    ) -> Vec<Self> {
        let maker = |column, program, words: &[&str], made| Self {
            column,
            program,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            scratch,
            packages,
            made,
            is_folder: false,
            is_quick: false,
        };
        let ekiben = |column, flavour: &str| Self {
            is_quick: true,
            ..maker(
                column,
                &bench.venv,
                // That of the interpreter which programs are compared with.
                &["ekiben", "freeze", "--quiet", "--runtime", runtime, "--flavour", flavour],
                "{name}",
            )
        };
        let pyinstaller = |column, kind: &str, made| {
            let words = ["pyinstaller", "--noconfirm", "--log-level", "ERROR", kind];
            maker(column, tools, &words, made)
        };
        vec![
            ekiben("ekiben", "static"),
            ekiben("ekiben, dynamic", "dynamic"),
            pyinstaller("PyInstaller, one file", "--onefile", "dist/{name}"),
            Self {
                is_folder: true,
                ..pyinstaller("PyInstaller, a folder", "--onedir", "dist/{name}/{name}")
            },
            maker(
                "Nuitka, one file",
                tools,
                &["python", "-m", "nuitka", "--onefile", "--quiet", "--assume-yes-for-downloads"],
                "{name}.bin",
            ),
        ]
    }

    fn folder(&self) -> PathBuf {
        self.scratch.join(self.column.replace([',', ' '], ""))
    }

    /// Makes the programs of all scripts.
    fn make_all(&self) -> Result<[PathBuf; SCRIPTS.len()]> {
        fs::create_dir_all(self.folder())?;
        for (name, _) in SCRIPTS {
            run_quietly(&mut self.command(&format!("{name}.py")))?;
        }
        Ok(SCRIPTS.map(|(name, _)| self.folder().join(self.made.replace("{name}", name))))
    }

    /// Makes the program of a script beside the scratch folder's, or of a package of the environment.
    fn command(&self, target: &str) -> Command {
        let mut command = self.program.program(&self.words[0]);
        command.args(&self.words[1..]).current_dir(self.folder());
        // Nuitka looks for patchelf.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.program.path("")).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap_or(path.clone()));
        match target.ends_with(".py") {
            true => command.arg(self.scratch.join(target)),
            false => command.arg(target).arg("--site").arg(self.packages),
        };
        command
    }

    /// Megabytes of a program with all that belongs to it.
    fn size(&self, program: &Path) -> Result<f64> {
        let bytes = match self.is_folder {
            true => size_of(program.parent().context("a program is in a folder")?)?,
            false => size_of(program)?,
        };
        Ok(bytes as f64 / 1e6)
    }
}

fn size_of(path: &Path) -> Result<u64> {
    let metadata = path.symlink_metadata().with_context(|| format!("`{}`", path.display()))?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut size = 0;
    for entry in fs::read_dir(path)? {
        size += size_of(&entry?.path())?;
    }
    Ok(size)
}
