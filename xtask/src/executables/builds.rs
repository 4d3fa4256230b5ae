//! pip as a program: it builds a project, for which it starts itself as an interpreter with an
//! environment of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, FLAVOURS, clean};
use crate::python::Python;
use crate::workspace::{Workspace, output_of, run_quietly};

const PROJECT: &str = "\
[build-system]
requires = [\"ekiben\"]
build-backend = \"ekiben\"

[project]
name = \"greeting\"
version = \"1.0\"
";

/// Builds a project that has Ekiben's wheel as its backend.
pub(super) fn test(bench: &Bench<'_>, workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let project = bench.work.join("builds/greeting");
    fs::create_dir_all(project.join("greeting"))?;
    fs::write(project.join("pyproject.toml"), PROJECT)?;
    fs::write(project.join("greeting/__init__.py"), "TEXT = 'hello'\n")?;
    let tools = Python::find()?.tools(workspace, "frontends")?;
    let ask = "import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__)))";
    let site = output_of(tools.program("python").args(["-c", ask]))?;
    let wheels = ekiben.parent().context("a wheel is in a folder")?;
    for flavour in FLAVOURS {
        let words =
            ["--runtime", bench.runtime()?, "--flavour", flavour, "--set", "isolated=false"];
        let words = [&words.map(OsStr::new)[..], &["--site".as_ref(), site.trim().as_ref()]];
        let program =
            bench.freeze("pip".as_ref(), &format!("builds/{flavour}"), &words.concat())?;
        let out = bench.work.join(format!("builds/out-{flavour}"));
        let mut pip = Command::new(&program);
        clean(&mut pip, &[]).args(["wheel", "--quiet", "--no-index", "--find-links"]).arg(wheels);
        run_quietly(pip.arg(&project).arg("--wheel-dir").arg(&out))?;
        ensure!(out.join("greeting-1.0-py3-none-any.whl").exists(), "{flavour}: pip made no wheel");
    }
    println!("pip as a program builds a project, {}", FLAVOURS.join(" and "));
    Ok(())
}
