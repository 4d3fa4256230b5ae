//! What the link recorder adds to the build of a package: `ekiben static build`, beside pip alone with the
//! same compiler flags, each from the source distribution.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::super::recreate;
use super::super::table::{Cost, Figure, Table, cost};
use super::{Lab, SET};
use crate::static_table::{NO_BLAS, without_cargo};

/// A package in C with many modules, which doesn't take long.
const PACKAGE: &str = "pillow";
/// How many rounds are enough for builds of so many seconds.
const MOST_ROUNDS: usize = 3;
/// The set of `xtask/requirements` that says of which version.
const VERSIONS: &str = "xtask/requirements/static.txt";
/// What static wheels are compiled with besides, and by which variables.
const SECTIONS: &str = "-ffunction-sections -fdata-sections";
const FLAGS: [&str; 3] = ["CFLAGS", "CXXFLAGS", "FFLAGS"];

const COLUMNS: [&str; 2] = ["static build", "pip alone"];

/// Measures a package, and where `numpy` is set NumPy without BLAS, once.
pub(super) fn table(lab: &Lab<'_>, rounds: usize, numpy: bool) -> Result<String> {
    let mut table = Table::default();
    let rounds = rounds.min(MOST_ROUNDS);
    let package = format!("{PACKAGE}=={}", version(lab, PACKAGE)?);
    let mut lines = vec![
        (format!("{package}: CPU time"), package.clone(), Figure::Cpu),
        (format!("{package}: wall time"), package.clone(), Figure::Wall),
    ];
    for round in 0..=rounds {
        eprintln!("{package} from source, round {round} of {rounds}");
        let costs = [recorded(lab, &package, &[])?, alone(lab, &package, &[])?];
        if round > 0 {
            for (column, cost) in COLUMNS.into_iter().zip(costs) {
                table.add(&package, column, cost);
            }
        }
    }
    if numpy {
        let numpy = format!("{SET}=={}", lab.version);
        eprintln!("{numpy} from source, twice");
        table.add(&numpy, COLUMNS[0], recorded(lab, &numpy, NO_BLAS)?);
        table.add(&numpy, COLUMNS[1], alone(lab, &numpy, NO_BLAS)?);
        lines.push((format!("{numpy}: CPU time, once"), numpy.clone(), Figure::Cpu));
        lines.push((format!("{numpy}: wall time, once"), numpy, Figure::Wall));
    }
    let lines: Vec<_> =
        lines.iter().map(|(label, row, figure)| (label.as_str(), row.as_str(), *figure)).collect();
    Ok(format!("The link recorder:\n\n{}\n", table.figures(&lines, &COLUMNS)))
}

/// The version of a package that is tested.
fn version(lab: &Lab<'_>, name: &str) -> Result<String> {
    let text = fs::read_to_string(lab.workspace.path(VERSIONS)).context(VERSIONS)?;
    let pinned = text.lines().find_map(|line| line.strip_prefix(&format!("{name}==")));
    let version = pinned.and_then(|rest| rest.split_whitespace().next());
    Ok(version.with_context(|| format!("{VERSIONS} has no {name}"))?.to_owned())
}

/// A static build, with a cache in which there is nothing but the runtime.
fn recorded(lab: &Lab<'_>, package: &str, settings: &[&str]) -> Result<Cost> {
    let cache = lab.scratch.join("recorder-cache");
    recreate(&cache)?;
    let runtimes = cache.join("runtimes");
    fs::create_dir(&runtimes)?;
    let name = lab.runtime.file_name().context("a runtime has a name")?;
    symlink(&lab.runtime, runtimes.join(name))?;
    let mut build = lab.ekiben(&["static", "build", "--quiet", package, "--runtime"]);
    build.arg(&lab.runtime).env("EKIBEN_CACHE_DIR", &cache);
    build.args(settings.iter().flat_map(|setting| ["-C", setting]));
    cost(flagless(&mut build))
}

/// The same by pip, for the runtime's ordinary interpreter.
fn alone(lab: &Lab<'_>, package: &str, settings: &[&str]) -> Result<Cost> {
    let target = lab.scratch.join("recorder-target");
    recreate(&target)?;
    let name = package.split("==").next().unwrap_or(package);
    let mut pip = Command::new("pip");
    without_cargo(&mut pip).env("PATH", &lab.path).arg("--python").arg(lab.interpreter());
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]);
    pip.args(["--root-user-action", "ignore", "--no-cache-dir", "--no-compile"]);
    pip.args(["--no-binary", name, "--target"]).arg(&target);
    pip.args(settings.iter().flat_map(|setting| ["--config-settings", setting])).arg(package);
    flagless(&mut pip).envs(FLAGS.map(|name| (name, SECTIONS)));
    cost(pip.current_dir(Path::new("/")))
}

/// Without flags of the user's.
fn flagless(command: &mut Command) -> &mut Command {
    FLAGS.iter().fold(command, |command, name| command.env_remove(name))
}
