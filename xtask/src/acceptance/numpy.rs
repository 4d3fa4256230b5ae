//! NumPy's own tests in an interpreter that is one file with NumPy linked in.
//!
//! The tests lie in a folder of their own, so that NumPy itself comes from the interpreter. The ordinary
//! interpreter of the same build runs them too, with NumPy's wheel. Each case must come out the same, unless
//! `numpy.toml` tells why it can't; an explanation that explains nothing is an error too. Before, the example
//! with NumPy is made as its README says.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::interpreters::PYTHON;
use super::report::{self, Made};
use crate::examples::{copy_into, run_tests};
use crate::frontend::Frontends;
use crate::python::{Python, installed_version};
use crate::static_table::{self, NO_BLAS};
use crate::workspace::{Workspace, copy_folder, output_of};
use crate::{dist, runtime};

/// The set of `xtask/requirements`.
const SET: &str = "numpy-tests";
/// A project whose program has NumPy and a module of its own that uses NumPy's C API.
const EXAMPLE: &str = "examples/numpy-executable";
const EXPLANATIONS: &str = "xtask/src/acceptance/numpy.toml";
/// The package that the tests become.
const TESTS: &str = "nptests";
/// Modules of NumPy that only tests import.
const FOR_TESTS: [&str; 6] = [
    "_multiarray_tests",
    "_operand_flag_tests",
    "_rational_tests",
    "_simd",
    "_struct_ufunc_tests",
    "_umath_tests",
];

/// Why results may differ.
#[derive(Deserialize)]
struct Explanations {
    explanation: Vec<Explanation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explanation {
    reason: String,
    /// Cases, or classes and modules with all their cases.
    tests: Vec<String>,
}

/// What came of cases, by name: `passed`, `skipped`, `failure` or `error`.
type Results = BTreeMap<String, String>;

/// Makes the interpreter, runs the tests in it and in the ordinary one, and compares.
pub(super) fn test(workspace: &Workspace, write: bool) -> Result<()> {
    let ekiben = super::build_ekiben(workspace)?;
    let runtime = runtime::build(&mut Command::new(&ekiben), PYTHON, &[])?;
    let path = static_table::path_with_pip(workspace)?;
    example(workspace, &path)?;
    let packages = static_table::install(workspace, SET, &runtime, &path)?;
    let scratch = tempfile::tempdir()?;
    let program = scratch.path().join("python");
    let mut freeze = Command::new(&ekiben);
    static_table::without_cargo(&mut freeze).env("PATH", &path);
    freeze.args(["freeze", "pytest", "--interpreter", "--quiet", "--flavour", "static"]);
    freeze.args(["--link", "numpy=static", "--runtime"]).arg(&runtime);
    freeze.arg("--site").arg(&packages).arg("-o").arg(&program);
    for package in ["numpy", "pytest", "_pytest", "hypothesis"] {
        freeze.args(["--include", &format!("{package}.*")]);
    }
    for module in FOR_TESTS {
        freeze.args(["--include", &format!("numpy._core.{module}")]);
    }
    for setting in NO_BLAS {
        freeze.args(["--static-config", &format!("numpy:{setting}")]);
    }
    output_of(&mut freeze)?;
    let tests = scratch.path().join("tests");
    collect(&packages.join("numpy"), &tests.join(TESTS))?;

    println!("NumPy's tests in the ordinary interpreter (minutes)");
    let mut ordinary = Command::new(runtime.join(format!("bin/python{PYTHON}")));
    ordinary.env("PYTHONPATH", &packages);
    let expected = run(&mut ordinary, &tests)?;
    println!("NumPy's tests in the interpreter that has it linked in (minutes)");
    let found = run(&mut Command::new(&program), &tests)?;

    let text = fs::read_to_string(workspace.path(EXPLANATIONS)).context(EXPLANATIONS)?;
    let explanations: Explanations = toml::from_str(&text).context(EXPLANATIONS)?;
    let comparison = Comparison::new(&expected, &found, &explanations);
    print!("{}", comparison.text());
    if write {
        let version = installed_version(&packages, "numpy")?;
        report::write_part(workspace, &comparison.part(&Made::now(workspace)?, &version))?;
    }
    ensure!(comparison.unexplained.is_empty(), "there are differences that nothing explains");
    ensure!(comparison.idle.is_empty(), "there are explanations of nothing");
    Ok(())
}

/// Copies the tests of a package, whose folders become packages.
fn collect(package: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    fs::write(to.join("__init__.py"), "")?;
    fs::copy(package.join("conftest.py"), to.join("conftest.py"))?;
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(package.join(&inner))? {
            let entry = entry?;
            let inner = inner.join(entry.file_name());
            if !entry.file_type()?.is_dir() {
                continue;
            }
            if entry.file_name() != "tests" {
                folders.push(inner);
                continue;
            }
            copy_folder(&entry.path(), &to.join(&inner))?;
            for folder in inner.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::write(to.join(folder).join("__init__.py"), "")?;
            }
        }
    }
    Ok(())
}

/// Runs the tests, but those that NumPy itself calls slow.
fn run(python: &mut Command, tests: &Path) -> Result<Results> {
    let report = tests.join("report.xml");
    python.args(["-m", "pytest", TESTS, "-q", "--import-mode=importlib", "-m", "not slow"]);
    python.args(["-p", "no:cacheprovider", "--continue-on-collection-errors"]);
    python.arg(format!("--junitxml={}", report.display())).current_dir(tests);
    // A thread for each processor would only wait.
    python.env("OPENBLAS_NUM_THREADS", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    python.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let text = fs::read_to_string(&report).context("pytest has reported nothing")?;
    let document = roxmltree::Document::parse(&text)?;
    let mut results = Results::new();
    for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        let name = |key| case.attribute(key).unwrap_or_default();
        let name = format!("{}::{}", name("classname"), name("name"));
        let states = ["failure", "error", "skipped"];
        let state =
            case.children().find_map(|it| states.into_iter().find(|name| it.has_tag_name(*name)));
        results.insert(name, state.unwrap_or("passed").to_owned());
    }
    fs::remove_file(&report)?;
    ensure!(results.len() > 10_000, "only {} of NumPy's tests were run", results.len());
    Ok(results)
}

/// Builds the example by pip, with what the index has, installs its wheel, and runs its tests.
fn example(workspace: &Workspace, path: &OsStr) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let at = |name: &str| scratch.path().join(name);
    let wheels = at("wheels");
    copy_into(&dist::build(workspace)?, &wheels)?;
    copy_folder(&workspace.path(EXAMPLE), &at("project"))?;
    let mut pip = Command::new("pip");
    static_table::without_cargo(&mut pip).env("PATH", path);
    pip.args(["wheel", "--quiet", "--no-deps", "--find-links"]).arg(&wheels);
    output_of(pip.arg("--wheel-dir").arg(at("out")).arg(at("project")))?;
    let made = fs::read_dir(at("out"))?.next().context("pip made no wheel")??;
    let frontends = Frontends::new(workspace, &Python::find()?, &wheels)?;
    run_tests(&frontends.install(&made.path(), &at("environment"))?, scratch.path())?;
    println!("{EXAMPLE}: the program that pip makes passes its tests");
    Ok(())
}

struct Comparison {
    cases: usize,
    same: usize,
    passed: usize,
    /// What differs, by reason: the case, what is expected and what was found.
    explained: BTreeMap<String, Vec<String>>,
    unexplained: Vec<String>,
    /// Explanations of nothing.
    idle: Vec<String>,
}

impl Comparison {
    fn new(expected: &Results, found: &Results, explanations: &Explanations) -> Self {
        let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        let mut comparison = Self {
            cases: names.len(),
            same: 0,
            passed: found.values().filter(|state| *state == "passed").count(),
            explained: BTreeMap::new(),
            unexplained: Vec::new(),
            idle: Vec::new(),
        };
        let mut used = BTreeSet::new();
        for name in names {
            let (one, other) = (expected.get(name), found.get(name));
            if one == other {
                comparison.same += 1;
                continue;
            }
            let word = |state: Option<&String>| state.map_or("not run", String::as_str).to_owned();
            let line =
                format!("{name}: {}, and {} in the ordinary interpreter", word(other), word(one));
            let is_meant = |test: &&String| {
                let rest = name.strip_prefix("::").unwrap_or(name).strip_prefix(test.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '.']))
            };
            let explanation = explanations.explanation.iter().find_map(|it| {
                let test = it.tests.iter().find(is_meant)?;
                Some((&it.reason, test))
            });
            match explanation {
                Some((reason, test)) => {
                    used.insert(test.clone());
                    comparison.explained.entry(reason.clone()).or_default().push(line);
                }
                None => comparison.unexplained.push(line),
            }
        }
        let all = explanations.explanation.iter().flat_map(|it| &it.tests);
        comparison.idle.extend(all.filter(|test| !used.contains(*test)).cloned());
        comparison
    }

    fn text(&self) -> String {
        let explained: usize = self.explained.values().map(Vec::len).sum();
        let mut text = format!(
            "NumPy: {} cases, {} the same, {explained} explained, {} passed\n",
            self.cases, self.same, self.passed
        );
        for line in &self.unexplained {
            // Writing to a string can't fail.
            let _ = writeln!(text, "unexplained: {line}");
        }
        for test in &self.idle {
            let _ = writeln!(text, "numpy.toml: nothing is explained by `{test}`");
        }
        text
    }

    /// The part of `docs/acceptance.md`.
    fn part(&self, made: &Made, version: &str) -> String {
        let mut text = format!(
            "## NumPy's own tests\n\n\
             What `numpy.test()` runs, in an interpreter of the flavour `static` with NumPy {version} linked in, \
             built without BLAS, beside NumPy's wheel in the ordinary interpreter of the same build: {} cases, of \
             which {} come out the same ({} pass). Commit {} of Ekiben, {}.\n\n| why the others differ | cases |\n|---|---:|\n",
            self.cases, self.same, self.passed, made.commit, made.date
        );
        for (reason, cases) in &self.explained {
            // Writing to a string can't fail.
            let _ = writeln!(text, "| {reason} | {} |", cases.len());
        }
        if !self.unexplained.is_empty() {
            let _ = writeln!(text, "| nothing explains it | {} |", self.unexplained.len());
        }
        text.push('\n');
        for line in self.explained.values().flatten().chain(&self.unexplained) {
            let _ = writeln!(text, "- {line}");
        }
        text
    }
}
