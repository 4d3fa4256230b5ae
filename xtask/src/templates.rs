//! `cargo xtask templates`: the projects that `ekiben new` makes, built by a frontend, installed, and
//! their own tests run.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::checks::Checks;
use crate::examples::copy_into;
use crate::frontend::{Frontend, Frontends, Product};
use crate::python::Python;
use crate::real::fetch_set;
use crate::workspace::{Workspace, run_quietly};

/// The templates, and the sets of `xtask/requirements` that their builds need, of which NumPy's is
/// needed by the built module too.
const TEMPLATES: [(&str, &[&str]); 5] = [
    ("c", &[]),
    ("c++", &[]),
    ("fortran", &[]),
    ("cython", &["cython"]),
    ("cython-numpy", &["cython", "numpy"]),
];

/// Fails unless a file is YAML and has this key.
const YAML: &str = "import sys, yaml; assert sys.argv[2] in yaml.safe_load(open(sys.argv[1]))";

/// Tests all templates with Ekiben's wheel.
pub(crate) fn test(workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let python = Python::find()?;
    let work = tempfile::tempdir()?;
    let wheels = work.path().join("wheels");
    copy_into(ekiben, &wheels)?;
    let frontends = Frontends::new(workspace, &python, &wheels)?;
    let program = frontends.install(ekiben, &work.path().join("ekiben"))?;
    let checks = Checks::new(workspace, &python)?;
    for (turn, (template, sets)) in TEMPLATES.into_iter().enumerate() {
        for set in sets {
            fetch_set(workspace, &python, set, &wheels)?;
        }
        let folder = work.path().join(template);
        let project = folder.join("egg-box");
        fs::create_dir_all(&folder)?;
        let (ci, file, key) = match turn % 2 {
            0 => ("github", ".github/workflows/test.yml", "jobs"),
            _ => ("gitlab", ".gitlab-ci.yml", "test"),
        };
        let mut new = program.program("ekiben");
        new.args(["new", "--quiet", "--template", template, "--ci", ci]).arg(&project);
        run_quietly(&mut new)?;
        let mut parse = checks.program("python");
        run_quietly(parse.args(["-c", YAML]).arg(project.join(file)).arg(key))?;

        let frontend = Frontend::ALL[turn % Frontend::ALL.len()];
        let out = folder.join("out");
        fs::create_dir_all(&out)?;
        let cache = folder.join("cache");
        let wheel = frontends.build(frontend, Product::Wheel, &project, &out, &cache)?;
        let out = folder.join("sdist");
        let sdist = frontends.build(Frontend::Uv, Product::Sdist, &project, &out, &cache)?;
        checks.archive(&wheel)?;
        checks.archive(&sdist)?;
        checks.checkout(&frontends, &project, &cache)?;
        let venv = frontends.install(&wheel, &folder.join("venv"))?;
        if sets.contains(&"numpy") {
            frontends.install_set(workspace, &venv, "numpy")?;
        }
        let mut tests = venv.program("python");
        tests.args(["-m", "unittest", "discover", "--start-directory"]);
        tests.arg(project.join("tests"));
        run_quietly(tests.current_dir(&folder))
            .with_context(|| format!("tests of the template {template}"))?;
        println!("template {template}: built by {frontend}, its tests pass");
    }
    Ok(())
}
