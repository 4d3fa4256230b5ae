//! How fast runtimes are that differ in how CPython was optimised: programs of the same script, made of
//! each, take turns.
//!
//! The runtimes are those that are named, or of the newest CPython in the user's cache one for each way of
//! optimising: making them takes many minutes, so the bench makes none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::table::cost;
use super::{Bench, recreate};
use crate::runtime;
use crate::workspace::{output_of, run_quietly};

const SCRIPT: &str = include_str!("runtimes/workloads.py");
/// How often a program is only started in a round, since that is short.
const STARTS: usize = 10;
const START: &str = "start";
const ALL: &str = "all, geometric mean";

/// A runtime, by how it was optimised.
struct Subject {
    optimised: String,
    folder: PathBuf,
    program: PathBuf,
}

/// Seconds by row and column.
#[derive(Default)]
struct Figures(BTreeMap<(String, String), Vec<f64>>);

/// The table of the runtimes in some folders, or of those in the user's cache.
pub(super) fn table(bench: &Bench, folders: &[PathBuf], rounds: usize) -> Result<String> {
    let scratch = bench.scratch.join("runtimes");
    recreate(&scratch)?;
    let folders = match folders {
        [] => in_cache(bench)?,
        named => named.to_vec(),
    };
    let mut subjects = Vec::new();
    for folder in folders {
        subjects.push(Subject::make(bench, &scratch, folder)?);
    }
    // The plain one first, to which all others are compared.
    subjects.sort_by_key(|subject| (subject.optimised != PLAIN, subject.optimised.clone()));
    let columns: BTreeSet<&str> = subjects.iter().map(|it| it.optimised.as_str()).collect();
    ensure!(columns.len() == subjects.len(), "two runtimes are optimised alike");
    let Some(first) = subjects.first().filter(|_| subjects.len() > 1) else {
        bail!("there are no two runtimes that differ in --pgo and --lto: build them, or name them");
    };

    let mut figures = Figures::default();
    let mut results = Value::Null;
    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        for subject in &subjects {
            let printed = output_of(&mut Command::new(&subject.program))?;
            let report: BTreeMap<String, (f64, Value)> = serde_json::from_str(&printed)
                .with_context(|| format!("{}: {printed}", subject.optimised))?;
            let came_to = report.values().map(|(_, result)| result.clone()).collect();
            if results.is_null() {
                results = came_to;
            } else {
                ensure!(results == came_to, "{} computes something else", subject.optimised);
            }
            // The first round warms the page cache, and doesn't count.
            if round == 0 {
                continue;
            }
            for (row, (seconds, _)) in report {
                figures.add(&row, &subject.optimised, seconds);
            }
            for _ in 0..STARTS {
                let started = cost(Command::new(&subject.program).arg(START))?;
                figures.add(START, &subject.optimised, started.cpu.as_secs_f64());
            }
        }
    }
    figures.markdown(first, &subjects)
}

const PLAIN: &str = "plain";

/// Of the newest CPython, that runtime of each way of optimising which was made last.
fn in_cache(bench: &Bench) -> Result<Vec<PathBuf>> {
    let list = output_of(bench.venv.program("ekiben").args(["runtime", "list", "--format=json"]))?;
    let list: Vec<Value> = serde_json::from_str(&list)?;
    // The newest is the last.
    let newest = list.last().map(|entry| entry["version"].clone());
    let mut folders = BTreeMap::new();
    for entry in &list {
        if Some(&entry["version"]) == newest.as_ref() && entry["tests"] == false {
            let folder = entry["folder"].as_str().context("an entry has its folder")?;
            folders.insert((entry["pgo"] == true, entry["lto"] == true), folder.into());
        }
    }
    Ok(folders.into_values().collect())
}

impl Subject {
    fn make(bench: &Bench, scratch: &Path, folder: PathBuf) -> Result<Self> {
        let manifest = runtime::manifest(&folder)?;
        let options = &manifest["interpreter"]["options"];
        let on = ["pgo", "lto"].into_iter().filter(|name| options[*name] == true);
        let on: Vec<String> = on.map(|name| format!("`--{name}`")).collect();
        let optimised = match on[..] {
            [] => PLAIN.to_owned(),
            _ => on.join(", "),
        };
        let place = scratch.join(optimised.replace(|c: char| !c.is_ascii_alphanumeric(), ""));
        fs::create_dir_all(&place)?;
        let script = place.join("workloads.py");
        fs::write(&script, SCRIPT)?;
        let program = place.join("workloads");
        let mut freeze = bench.venv.program("ekiben");
        freeze.args(["freeze", "--quiet", "--flavour", "static", "--runtime"]).arg(&folder);
        run_quietly(freeze.arg("-o").arg(&program).arg(&script).current_dir(&place))?;
        Ok(Self { optimised, folder, program })
    }

    /// Megabytes of its interpreter for static programs, without an image.
    fn size(&self) -> Result<f64> {
        let manifest = runtime::manifest(&self.folder)?;
        let program = manifest["link"]["flavours"]["static"]["program"].as_str();
        let program = self.folder.join(program.context("it has a static interpreter")?);
        Ok(fs::metadata(program)?.len() as f64 / 1e6)
    }
}

impl Figures {
    fn add(&mut self, row: &str, column: &str, seconds: f64) {
        self.0.entry((row.to_owned(), column.to_owned())).or_default().push(seconds);
    }

    fn median(&self, row: &str, column: &str) -> Result<f64> {
        let all = self.0.get(&(row.to_owned(), column.to_owned()));
        let mut sorted = all.with_context(|| format!("{column} didn't run {row}"))?.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().context("there are rounds")
    }

    /// Times of the first column, and what the others have in them.
    fn markdown(&self, first: &Subject, subjects: &[Subject]) -> Result<String> {
        let columns: Vec<&str> = subjects.iter().map(|it| it.optimised.as_str()).collect();
        let others = &columns[1..];
        let mut text =
            format!("| | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
        let rows: BTreeSet<&str> = self.0.keys().map(|(row, _)| row.as_str()).collect();
        let mut logarithms = vec![0.0; others.len()];
        let mut workloads = 0.0;
        let (starts, loads): (Vec<&str>, Vec<&str>) = rows.iter().partition(|row| **row == START);
        for row in loads.iter().chain(&starts) {
            let base = self.median(row, columns[0])?;
            let _ = write!(text, "| {row} | {:.1} ms |", base * 1e3);
            for (column, sum) in others.iter().zip(&mut logarithms) {
                let ratio = self.median(row, column)? / base;
                let _ = write!(text, " {ratio:.2} |");
                if *row != START {
                    *sum += ratio.ln();
                }
            }
            workloads += if *row == START { 0.0 } else { 1.0 };
            text.push('\n');
        }
        let _ = write!(text, "| {ALL} | |");
        for sum in logarithms {
            let _ = write!(text, " {:.2} |", (sum / workloads).exp());
        }
        let _ = write!(text, "\n| size of the interpreter | {:.1} MB |", first.size()?);
        for subject in &subjects[1..] {
            let _ = write!(text, " {:.1} MB |", subject.size()?);
        }
        text.push('\n');
        Ok(text)
    }
}
