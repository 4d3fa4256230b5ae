//! A build of `examples/numpy-executable` after a change of its own C module: that is compiled, and the
//! program is linked anew, by each linker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::super::table::{Figure, Table, cost};
use super::Lab;
use crate::workspace::copy_folder;

const EXAMPLE: &str = "examples/numpy-executable";
/// The linkers, by their words for `linker`.
const LINKERS: [&str; 3] = ["bfd", "lld", "mold"];
/// The module, and what is changed of it: a text that gets into the program.
const MODULE: &str = "src/modes/_window.c";
const TEXT: &str = "a Hann window";

pub(super) fn table(lab: &Lab<'_>, rounds: usize) -> Result<String> {
    let mut table = Table::default();
    let mut projects = Vec::new();
    for linker in LINKERS {
        eprintln!("relinking: a first build, by {linker}");
        let project = lab.scratch.join(format!("relink-{linker}"));
        copy_folder(&lab.workspace.path(EXAMPLE), &project)?;
        cost(&mut build(lab, &project, linker))?;
        projects.push((linker, project));
    }
    let original = fs::read_to_string(lab.workspace.path(EXAMPLE).join(MODULE))?;
    ensure!(original.contains(TEXT), "{EXAMPLE}/{MODULE} doesn't say `{TEXT}`");
    for round in 0..=rounds {
        eprintln!("relinking, round {round} of {rounds}");
        for (linker, project) in &projects {
            let idle = cost(&mut build(lab, project, linker))?;
            let before = made(project)?;
            // Another text each time, and in each run: the cache may know those of earlier ones.
            let text = format!("window {round} of {}", std::process::id());
            fs::write(project.join(MODULE), original.replace(TEXT, &text))?;
            let relinked = cost(&mut build(lab, project, linker))?;
            ensure!(made(project)? != before, "{linker}: the program is as it was");
            if round > 0 {
                table.add("idle", linker, idle);
                table.add("relinked", linker, relinked);
            }
        }
    }
    let lines = [
        ("C module changed: CPU time", "relinked", Figure::Cpu),
        ("C module changed: wall time", "relinked", Figure::Wall),
        ("C module changed: peak memory", "relinked", Figure::Peak),
        ("nothing changed: CPU time", "idle", Figure::Cpu),
        ("nothing changed: wall time", "idle", Figure::Wall),
    ];
    Ok(format!(
        "`ekiben build` of {EXAMPLE}, with warm caches, by linker:\n\n{}\n",
        table.figures(&lines, &LINKERS)
    ))
}

fn build(lab: &Lab<'_>, project: &Path, linker: &str) -> Command {
    let mut build = lab.ekiben(&["build", "--quiet", "--python"]);
    build.arg(lab.bench.venv.path("python"));
    build.args(["-C", &format!("executable.linker={linker}")]).current_dir(project);
    build
}

/// The wheel that a build has made.
fn made(project: &Path) -> Result<Vec<u8>> {
    let folder = project.join("dist");
    let wheels: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("`{}`", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    let wheel = wheels.first().filter(|_| wheels.len() == 1);
    let wheel = wheel.with_context(|| format!("{} wheels, not one", wheels.len()))?;
    fs::read(wheel).with_context(|| format!("`{}`", wheel.display()))
}
