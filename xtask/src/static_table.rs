//! `cargo xtask static-table`: packages of the index as static wheels.
//!
//! Each is built from its source distribution, linked into a program of the flavour `static` with a script
//! that uses its compiled code (`tests/static/smoke`), and run. The script has to print what it prints in
//! the ordinary interpreter of the same build with the package's wheel. `--write` makes
//! `docs/static-packages.md` of what came out.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::examples::copy_into;
use crate::frontend::Frontends;
use crate::python::{Python, installed_version, is_same};
use crate::workspace::{self, Workspace, copy_folder, output_of, run};
use crate::{real, runtime};

/// The version of Python that programs are of.
const PYTHON: &str = "3.13";
/// The set of `xtask/requirements`.
const SET: &str = "static";
/// Where the scripts are.
const SCRIPTS: &str = "tests/static/smoke";
const PAGE: &str = "docs/static-packages.md";

/// A package.
struct Package {
    name: &'static str,
    /// Settings of its build.
    settings: &'static [&'static str],
    /// Packages of Debian that its build needs besides compilers and Rust.
    needs: &'static [&'static str],
    /// Whether it takes many minutes.
    is_slow: bool,
    /// Why it can't work on Debian, if that is known.
    lacks: Option<&'static str>,
    origin: Origin,
}

/// Where a package is from.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    /// It is in the set.
    Set,
    /// Another version than the set's, or one that the set can't have, for the index has no wheels of it.
    Version(&'static str),
    /// The project that `tests/real` makes of it: its own source distribution can't be built by itself.
    Real,
}

const fn package(name: &'static str) -> Package {
    Package { name, settings: &[], needs: &[], is_slow: false, lacks: None, origin: Origin::Set }
}

/// NumPy without BLAS, whose own code does its work.
pub(crate) const NO_BLAS: &[&str] =
    &["setup-args=-Dblas=none", "setup-args=-Dlapack=none", "setup-args=-Dallow-noblas=true"];

const PACKAGES: [Package; 26] = [
    package("aiohttp"),
    package("bcrypt"),
    Package { origin: Origin::Real, ..package("bezier") },
    package("cffi"),
    package("contourpy"),
    Package { needs: &["libssl-dev"], ..package("cryptography") },
    package("greenlet"),
    package("kiwisolver"),
    Package {
        needs: &["libxml2-dev", "libxslt1-dev"],
        lacks: Some("Debian has no archives of libxslt"),
        ..package("lxml")
    },
    package("lz4"),
    package("markupsafe"),
    package("msgpack"),
    Package { settings: NO_BLAS, is_slow: true, ..package("numpy") },
    Package {
        settings: NO_BLAS,
        is_slow: true,
        origin: Origin::Version("2.4.6"),
        ..package("numpy")
    },
    Package { needs: &["libjpeg-dev", "zlib1g-dev"], ..package("pillow") },
    package("psutil"),
    package("pydantic"),
    Package { needs: &["libyaml-dev"], ..package("pyyaml") },
    package("rapidfuzz"),
    package("regex"),
    package("rpds-py"),
    Package { needs: &["libopenblas-dev"], is_slow: true, ..package("scipy") },
    Package {
        needs: &["libopenblas-dev"],
        is_slow: true,
        origin: Origin::Version("0.7.1"),
        ..package("slycot")
    },
    package("ujson"),
    package("wrapt"),
    package("zstandard"),
];

/// Options of `cargo xtask static-table`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these packages
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Without those that take many minutes
    #[arg(long)]
    quick: bool,
    /// Write docs/static-packages.md
    #[arg(long)]
    write: bool,
}

/// What came of a package.
struct Row {
    name: &'static str,
    version: String,
    needs: &'static [&'static str],
    lacks: Option<&'static str>,
    outcome: Outcome,
}

enum Outcome {
    Works {
        /// How many modules are linked in, and their objects' bytes.
        modules: usize,
        objects: u64,
        /// How many seconds all the builds took.
        seconds: u64,
        program: u64,
    },
    Fails(String),
}

/// What makes and runs programs.
struct Bench<'a> {
    workspace: &'a Workspace,
    ekiben: PathBuf,
    runtime: PathBuf,
    /// The packages as wheels, installed.
    site: PathBuf,
    /// The folders of tools, first of all pip's.
    path: OsString,
    /// Packages that aren't in there, each in a folder of its own.
    apart: PathBuf,
    scripts: PathBuf,
    scratch: tempfile::TempDir,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        if let Some(name) =
            self.names.iter().find(|name| PACKAGES.iter().all(|it| it.name != **name))
        {
            bail!("there is no package `{name}` in the table");
        }
        run(workspace.native_cargo().args(["build", "--workspace", "--quiet"]))?;
        let ekiben = workspace.target().join("debug/ekiben");
        let bench = Bench::new(workspace, &ekiben)?;
        let is_chosen = |package: &&Package| match self.names.is_empty() {
            true => !(self.quick && package.is_slow),
            false => self.names.iter().any(|name| name == package.name),
        };
        let mut rows = Vec::new();
        for package in PACKAGES.iter().filter(is_chosen) {
            let row = bench.row(package)?;
            println!("{}", row.text());
            rows.push(row);
        }
        if self.write {
            workspace::write(&workspace.path(PAGE), page(&rows)?.as_bytes())?;
        }
        let is_unexpected = |row: &&Row| row.works() == row.lacks.is_some();
        let failed: Vec<&str> = rows.iter().filter(is_unexpected).map(|row| row.name).collect();
        ensure!(failed.is_empty(), "these aren't as they should be: {}", failed.join(", "));
        Ok(())
    }
}

/// Tests a few packages with an Ekiben: one in C, one in Rust, one in C++.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let wheels = work.path().join("wheels");
    copy_into(ekiben, &wheels)?;
    let frontends = Frontends::new(workspace, &Python::find()?, &wheels)?;
    let program = frontends.install(ekiben, &work.path().join("ekiben"))?.program("ekiben");
    let bench = Bench::new(workspace, Path::new(program.get_program()))?;
    for package in
        PACKAGES.iter().filter(|it| ["markupsafe", "rpds-py", "kiwisolver"].contains(&it.name))
    {
        let row = bench.row(package)?;
        println!("{}", row.text());
        if let Outcome::Fails(why) = row.outcome {
            bail!("{} {}: {why}", row.name, row.version);
        }
    }
    let mut check = Command::new(&bench.ekiben);
    without_cargo(&mut check).env("PATH", &bench.path);
    let said = output_of(check.args(["static", "check", "--quiet", "greenlet==3.5.6"]))?;
    let expected = "greenlet._greenlet: imported\n\
        greenlet.tests._test_extension: not tried, for it needs psutil, which the package does not require\n\
        greenlet.tests._test_extension_cpp: not tried, for it needs psutil, which the package does not require";
    ensure!(said.trim_end() == expected, "`static check` says\n{said}");
    Ok(())
}

impl<'a> Bench<'a> {
    fn new(workspace: &'a Workspace, ekiben: &Path) -> Result<Self> {
        let runtime = runtime::build(&mut Command::new(ekiben), PYTHON, &[])?;
        let path = path_with_pip(workspace)?;
        let site = install(workspace, SET, &runtime, &path)?;
        Ok(Self {
            workspace,
            ekiben: ekiben.to_owned(),
            runtime,
            site,
            path,
            apart: workspace.target().join("venvs/static-apart"),
            scripts: workspace.path(SCRIPTS),
            scratch: tempfile::tempdir()?,
        })
    }

    fn row(&self, package: &Package) -> Result<Row> {
        let sites = self.sites(package)?;
        let version = installed_in(&sites, package.name)?;
        let outcome = match self.outcome(package, &sites) {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Fails(format!("{error:#}")),
        };
        let Package { name, needs, lacks, .. } = *package;
        Ok(Row { name, version, needs, lacks, outcome })
    }

    fn outcome(&self, package: &Package, sites: &[PathBuf]) -> Result<Outcome> {
        let script = self.scripts.join(format!("use_{}.py", package.name.replace('-', "_")));
        let mut ordinary = Command::new(self.interpreter());
        ordinary.args(["-I", "-c", RUN]).arg(&script).args(sites);
        let expected = self.said(&mut ordinary).context("in the ordinary interpreter")?;

        let program = self.scratch.path().join(package.name);
        let mut freeze = Command::new(&self.ekiben);
        freeze.env("PATH", &self.path).arg("freeze").arg(&script);
        without_cargo(&mut freeze);
        freeze.args(["--quiet", "--format", "json", "--flavour", "static", "--link", "static"]);
        freeze.arg("--runtime").arg(&self.runtime);
        for site in sites {
            freeze.arg("--site").arg(site);
        }
        if package.origin == Origin::Real {
            let mut build = Command::new(&self.ekiben);
            without_cargo(&mut build).envs(self.backend()).env("PATH", &self.path);
            build.args(["static", "build", "--quiet", "--format", "json", "--runtime"]);
            let built = output_of(build.arg(&self.runtime).arg(self.project(package.name)?))?;
            let built: Value = serde_json::from_str(&built)?;
            let folder = built[0]["folder"].as_str().context("it says where it is")?;
            freeze.arg("--static-wheels").arg(folder);
        }
        freeze.arg("-o").arg(&program);
        // It is in the same folder, and others try to import it.
        if package.name != "scipy" {
            freeze.args(["--exclude", "scipy"]);
        }
        // Those that a package depends on are built as they are by themselves.
        for Package { name, settings, .. } in PACKAGES.iter().filter(|it| it.origin == Origin::Set)
        {
            for setting in *settings {
                freeze.args(["--static-config", &format!("{name}:{setting}")]);
            }
        }
        let report = output_of(&mut freeze)?;
        let report: Value =
            serde_json::from_str(&report).context("`ekiben freeze` printed no JSON")?;
        let found = self.said(&mut Command::new(&program)).context("as a program")?;
        ensure!(found == expected, "it says\n{found}and in the ordinary interpreter\n{expected}");

        let linked: Vec<&str> = report["modules"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|module| module["linked"] == true)
            .filter_map(|module| module["distribution"].as_str())
            .collect();
        ensure!(!linked.is_empty(), "nothing is linked in");
        let (mut modules, mut objects, mut seconds) = (0, 0, 0);
        for wheel in self.wheels(&linked, sites)? {
            let its = wheel["modules"].as_array().map_or(&[][..], Vec::as_slice);
            modules += its.len();
            objects += its.iter().filter_map(|module| module["size"].as_u64()).sum::<u64>();
            seconds += wheel["seconds"].as_u64().unwrap_or_default();
        }
        let program = fs::metadata(&program)?.len();
        Ok(Outcome::Works { modules, objects, seconds, program })
    }

    /// The folders of packages, that of a package which is apart first.
    fn sites(&self, package: &Package) -> Result<Vec<PathBuf>> {
        let name = package.name;
        let (folder, wanted) = match package.origin {
            Origin::Set => return Ok(vec![self.site.clone()]),
            Origin::Version(version) => {
                let wanted = format!("{name}=={version}");
                (self.apart.join(&wanted), OsString::from(wanted))
            }
            Origin::Real => (self.apart.join(name), self.project(name)?.into_os_string()),
        };
        if !folder.is_dir() {
            let mut pip = Command::new("pip");
            without_cargo(&mut pip).env("PATH", &self.path).envs(self.backend());
            pip.arg("--python").arg(self.interpreter());
            pip.args(["install", "--quiet", "--no-deps", "--no-compile", "--target"]).arg(&folder);
            output_of(pip.arg(wanted))?;
        }
        Ok(vec![folder, self.site.clone()])
    }

    /// The project that `tests/real` makes of a package.
    fn project(&self, name: &str) -> Result<PathBuf> {
        let folder = self.workspace.target().join("venvs/static-projects").join(name);
        if !folder.is_dir() {
            let work = tempfile::tempdir()?;
            let tools = Python::find()?.tools(self.workspace, "frontends")?;
            let source = real::prepare_source(self.workspace, name, &tools, work.path())?;
            copy_folder(&source, &folder)?;
        }
        Ok(folder)
    }

    /// Where pip and uv find Ekiben, which builds that.
    fn backend(&self) -> [(&'static str, PathBuf); 2] {
        ["PIP_FIND_LINKS", "UV_FIND_LINKS"].map(|name| (name, self.workspace.path("dist")))
    }

    fn interpreter(&self) -> PathBuf {
        self.runtime.join(format!("bin/python{PYTHON}"))
    }

    /// The static wheels of distributions, in the versions that are installed.
    fn wheels(&self, distributions: &[&str], sites: &[PathBuf]) -> Result<Vec<Value>> {
        let mut list = Command::new(&self.ekiben);
        let all: Vec<Value> =
            serde_json::from_str(&output_of(list.args(["static", "list", "--format", "json"]))?)?;
        let name = |wheel: &Value| wheel["name"].as_str().unwrap_or_default().to_owned();
        let mut wheels: Vec<Value> = Vec::new();
        for wheel in all.into_iter().rev() {
            let its = name(&wheel);
            let version = installed_in(sites, &its).ok();
            let is_meant = distributions.iter().any(|it| is_same(it, &its))
                && wheel["version"].as_str() == version.as_deref();
            if is_meant && !wheels.iter().any(|it| is_same(&name(it), &its)) {
                wheels.push(wheel);
            }
        }
        Ok(wheels)
    }

    /// What a program prints.
    fn said(&self, command: &mut Command) -> Result<String> {
        let output = command.env("OPENBLAS_NUM_THREADS", "1").stdin(Stdio::null()).output()?;
        ensure!(
            output.status.success(),
            "it ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The version of a package in the first folder that has it.
fn installed_in(sites: &[PathBuf], name: &str) -> Result<String> {
    let found = sites.iter().find_map(|site| installed_version(site, name).ok());
    found.with_context(|| format!("{name} isn't installed"))
}

/// Runs a script with a folder of packages.
const RUN: &str =
    "import runpy, sys; sys.path += sys.argv[2:]; runpy.run_path(sys.argv[1], run_name='__main__')";

/// `PATH` with pip of an environment of its own in front, since a machine needn't have one.
pub(crate) fn path_with_pip(workspace: &Workspace) -> Result<OsString> {
    let tools = Python::find()?.tools(workspace, "frontends")?;
    let pip = tools.program("pip");
    let folder = Path::new(pip.get_program()).parent().context("pip is in a folder")?.to_owned();
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&old));
    Ok(std::env::join_paths(folders)?)
}

/// Takes from a command what cargo tells this one's own build.
pub(crate) fn without_cargo(command: &mut Command) -> &mut Command {
    for name in ["CARGO_TARGET_DIR", "PYO3_BUILD_EXTENSION_MODULE", "PYO3_NO_PYTHON"] {
        command.env_remove(name);
    }
    command
}

/// The folder with a set of `xtask/requirements`, installed once for the runtime's interpreter.
pub(crate) fn install(
    workspace: &Workspace,
    set: &str,
    runtime: &Path,
    path: &OsStr,
) -> Result<PathBuf> {
    let requirements = workspace.path(&format!("xtask/requirements/{set}.txt"));
    let wanted = fs::read_to_string(&requirements)?;
    let folder = workspace.target().join(format!("venvs/{set}-packages"));
    let (packages, stamp) = (folder.join("packages"), folder.join("ekiben-requirements.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|present| present == wanted) {
        return Ok(packages);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut pip = Command::new("pip");
    pip.env("PATH", path).arg("--python").arg(runtime.join(format!("bin/python{PYTHON}")));
    pip.args(["install", "--quiet", "--no-compile", "--only-binary", ":all:", "--require-hashes"]);
    pip.arg("--target").arg(&packages).arg("-r").arg(&requirements);
    output_of(&mut pip).with_context(|| format!("installing {set}"))?;
    fs::write(&stamp, wanted)?;
    Ok(packages)
}

impl Row {
    fn works(&self) -> bool {
        matches!(self.outcome, Outcome::Works { .. })
    }

    fn text(&self) -> String {
        let (name, version) = (self.name, &self.version);
        match &self.outcome {
            Outcome::Works { modules, objects, seconds, program } => format!(
                "{name} {version}: works; {modules} modules, {:.1} MB of objects built in {seconds} s, \
                 a program of {:.1} MB",
                *objects as f64 / 1e6,
                *program as f64 / 1e6
            ),
            Outcome::Fails(why) => format!("{name} {version}: {why}"),
        }
    }
}

fn page(rows: &[Row]) -> Result<String> {
    let date = output_of(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let works = rows.iter().filter(|row| row.works()).count();
    let mut text = format!(
        "# Packages as static wheels\n\n\
         Packages of the index, built from their source distributions by their own build systems under \
         `ekiben static build`, linked into a program of the flavour `static`, and run: {works} of {} work. \
         This page is written by `cargo xtask static-table --write`; it is of {date}. A script that uses the \
         compiled code (`tests/static/smoke`) has to print what it prints with the package's wheel in the \
         ordinary interpreter. *Built in* is for the package and those that it needs, on a machine with two \
         processors and other work; *objects* are all their modules, of which a program has what it uses.\n\n\
         | package | version | result | modules | built in | objects | program | needs to be built |\n\
         |---|---|---|---:|---:|---:|---:|---|\n",
        rows.len()
    );
    for row in rows {
        let needs = row.needs.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" ");
        // Writing to a string can't fail.
        let _ = match &row.outcome {
            Outcome::Works { modules, objects, seconds, program } => writeln!(
                text,
                "| {} | {} | works | {modules} | {seconds} s | {:.1} MB | {:.1} MB | {needs} |",
                row.name,
                row.version,
                *objects as f64 / 1e6,
                *program as f64 / 1e6
            ),
            Outcome::Fails(why) => {
                let first = why.lines().next().unwrap_or_default().replace('|', "\\|");
                let why = row.lacks.unwrap_or(&first);
                writeln!(text, "| {} | {} | {why} | | | | | {needs} |", row.name, row.version)
            }
        };
    }
    Ok(text)
}
