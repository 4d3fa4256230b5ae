//! What editable installs cost: when Python starts, when the project is imported, and when an import
//! finds that no source has changed.
//!
//! Wheels are made by the hooks and unpacked into environments that hold nothing else. The check is
//! timed inside the process; all else is the CPU time of a whole process tree.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::table::{Figure, cost};
use super::{Bench, recreate, write_project};
use crate::workspace::{output_of, run};

/// Ways to install: the column, the backend with its module, the hook, and its settings.
const WAYS: [(&str, &str, &str, &str, &str); 4] = [
    ("ordinary", "ekiben", "ekiben", "build_wheel", "None"),
    ("editable", "ekiben", "ekiben", "build_editable", "None"),
    ("with rebuild", "ekiben", "ekiben", "build_editable", "{'editable.rebuild': 'true'}"),
    ("meson-python's", "meson-python", "mesonpy", "build_editable", "{'build-dir': 'build'}"),
];

/// What is run, by row.
const RUNS: [(&str, &str); 2] = [("`python -c pass`", "pass"), ("`import spam`", "import spam")];

/// How many files the extension depends on, besides its source.
const DEPENDS: [usize; 2] = [50, 1000];

/// Times the check of an import.
const CHECK: &str = "\
import time, _editable_spam as e
began = time.perf_counter(); fresh = e.is_up_to_date(); took = time.perf_counter() - began
assert fresh
print(took * 1000)";

/// An environment with a project.
struct Installed {
    python: PathBuf,
    folder: PathBuf,
}

/// Measures, and gives the tables.
pub(super) fn tables(bench: &Bench, rounds: usize) -> Result<String> {
    let scratch = bench.scratch.join("editable");
    recreate(&scratch)?;
    let bare = environment(bench, &scratch.join("bare"))?;
    let mut columns = vec![("nothing", bare)];
    for way in WAYS {
        columns.push((way.0, install(bench, &scratch.join(way.0.replace('\'', "")), way, 0)?));
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = format!("| installed: | {} |\n|---|", names.join(" | "));
    let _ = writeln!(text, "{}", "---|".repeat(names.len()));
    for (row, code) in RUNS {
        let mut costs = vec![Vec::new(); columns.len()];
        for round in 0..=rounds {
            for ((name, installed), costs) in columns.iter().zip(&mut costs) {
                if *name == "nothing" && code != "pass" {
                    continue;
                }
                let spent = cost(&mut installed.run(bench, code)?)?;
                // The first round writes bytecode and warms the page cache.
                if round > 0 {
                    costs.push(Figure::Cpu.of(&spent));
                }
            }
        }
        let cells: Vec<String> = costs.into_iter().map(median).collect();
        let _ = writeln!(text, "| {row} | {} |", cells.join(" | "));
    }
    text.push_str("\n| nothing changed, of | the check takes |\n|---|---|\n");
    for depends in DEPENDS {
        let folder = scratch.join(format!("depends-{depends}"));
        let installed = install(bench, &folder, WAYS[2], depends)?;
        let mut times = Vec::new();
        for round in 0..=rounds {
            let printed = output_of(&mut installed.run(bench, CHECK)?)?;
            if round > 0 {
                times.push(printed.parse::<f64>().context(printed)?);
            }
        }
        let inputs = installed.count_inputs()?;
        let _ = writeln!(text, "| {inputs} files and folders | {} |", median(times));
    }
    Ok(text)
}

fn median(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).map_or_else(String::new, |time| format!("{time:.2} ms"))
}

fn environment(bench: &Bench, folder: &Path) -> Result<Installed> {
    let mut venv = bench.venv.program("python");
    run(venv.args(["-m", "venv", "--without-pip"]).arg(folder.join("venv")))?;
    Ok(Installed { python: folder.join("venv/bin/python"), folder: folder.to_owned() })
}

/// Writes a project whose extension depends on that many more files, and installs it.
fn install(
    bench: &Bench,
    folder: &Path,
    (_, backend, object, hook, settings): (&str, &str, &str, &str, &str),
    depends: usize,
) -> Result<Installed> {
    let project = folder.join("project");
    write_project(&project, backend, object, 1)?;
    let manifest = project.join("pyproject.toml");
    let text = fs::read_to_string(&manifest)?;
    if depends > 0 {
        fs::create_dir(project.join("tables"))?;
        for number in 0..depends {
            fs::write(project.join(format!("tables/{number}.inc")), "")?;
        }
        fs::write(&manifest, format!("{text}depends = [\"tables/*.inc\"]\n"))?;
    }
    let installed = environment(bench, folder)?;
    let out = folder.join("out");
    fs::create_dir(&out)?;
    let code = format!("import {object} as b; b.{hook}({:?}, {settings})", out.display());
    let mut build = bench.venv.program("python");
    build.args(["-c", &code]).current_dir(&project).env("PATH", bench.search_path()?);
    cost(build.env("EKIBEN_CACHE_DIR", folder.join("cache")))?;
    let wheel = fs::read_dir(&out)?.next().context("no wheel")??.path();
    let site = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let site = output_of(Command::new(&installed.python).args(["-c", site]))?;
    let mut unpack = Command::new(&installed.python);
    run(unpack.args(["-m", "zipfile", "-e"]).arg(wheel).arg(site))?;
    Ok(installed)
}

impl Installed {
    fn run(&self, bench: &Bench, code: &str) -> Result<Command> {
        let mut python = Command::new(&self.python);
        python.args(["-c", code]).current_dir(&self.folder).env("PATH", bench.search_path()?);
        Ok(python)
    }

    /// How many lines an import compares.
    fn count_inputs(&self) -> Result<usize> {
        let folder = self.folder.join("project/build/ekiben/editable");
        let mut files = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path()));
        let inputs = files.find(|path| path.extension().is_some_and(|ending| ending == "inputs"));
        let text = fs::read_to_string(inputs.context("no inputs were noted")?)?;
        Ok(text.lines().count() - 1)
    }
}
