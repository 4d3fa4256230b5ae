//! A project's own extension modules in programs: `tests/static-modules` has them of all sorts, and
//! `examples/compiled-executable` shows how it is done.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, FLAVOURS, PYTHON, clean};
use crate::examples::{copy_into, run_tests};
use crate::frontend::{Frontend, Frontends, Product};
use crate::python::Python;
use crate::real::fetch_set;
use crate::workspace::{Workspace, copy_folder, output_of, run_quietly};

const PROJECT: &str = "tests/static-modules";
const EXAMPLE: &str = "examples/compiled-executable";
/// The program of the project, and what it prints if its modules are as they should be.
const PROGRAM: &str = "mosaic";
const WELL: &str = "all is well";

/// Builds, installs and runs them.
pub(super) fn test(bench: &Bench<'_>, workspace: &Workspace, ekiben: &Path) -> Result<()> {
    let python = Python::find()?;
    let wheels = bench.work.join("wheels-of-own");
    copy_into(ekiben, &wheels)?;
    fetch_set(workspace, &python, "cython", &wheels)?;
    let frontends = Frontends::new(workspace, &python, &wheels)?;
    let cache = bench.cache("own-cache")?;
    for flavour in FLAVOURS {
        let folder = bench.work.join(format!("own-{flavour}"));
        let project = folder.join("project");
        copy_folder(&workspace.path(PROJECT), &project)?;
        let settings = project.join("pyproject.toml");
        let text = fs::read_to_string(&settings)?;
        let python = format!("python = \"{PYTHON}\"");
        let text = text.replace(&python, &format!("{python}\nflavour = \"{flavour}\""));
        fs::write(&settings, text)?;
        let out = folder.join("out");
        fs::create_dir_all(&out)?;
        let wheel = frontends.build(Frontend::Pip, Product::Wheel, &project, &out, &cache)?;
        let venv = frontends.install(&wheel, &folder.join("venv"))?;
        well(&mut venv.program(PROGRAM))?;
    }
    println!("{PROJECT}: its modules are parts of its programs, {}", FLAVOURS.join(" and "));
    frozen(bench, workspace, &frontends, (&wheels, &cache))?;

    let folder = bench.work.join("orbits");
    let project = folder.join("project");
    copy_folder(&workspace.path(EXAMPLE), &project)?;
    let out = folder.join("out");
    fs::create_dir_all(&out)?;
    let wheel = frontends.build(Frontend::Uv, Product::Wheel, &project, &out, &cache)?;
    let venv = frontends.install(&wheel, &folder.join("venv"))?;
    run_tests(&venv, &folder)?;
    println!("{EXAMPLE}: built by uv, its program passes its tests");
    Ok(())
}

/// `ekiben freeze .` links the modules too, and has an ordinary interpreter load them.
fn frozen(
    bench: &Bench<'_>,
    workspace: &Workspace,
    frontends: &Frontends,
    (wheels, cache): (&Path, &Path),
) -> Result<()> {
    // uv builds for the interpreter that the program is made of.
    let is_of = |python: &Python| PYTHON == format!("3.{}", python.minor());
    let of_program = Python::find_all().into_iter().find(is_of);
    let of_program = of_program.with_context(|| format!("there is no Python {PYTHON}"))?;
    fetch_set(workspace, &of_program, "cython", wheels)?;
    let project = bench.work.join("own-frozen/project");
    copy_folder(&workspace.path(PROJECT), &project)?;
    let elsewhere = bench.work.join("own-frozen/host");
    let host = ["--flavour".as_ref(), "host".as_ref(), "--python".as_ref(), of_program.path()];
    let host = [&host[..], &["-o".as_ref(), &elsewhere]].concat();
    // Where its wheels are, or where it is told.
    for (words, program) in [(&[][..], &project.join("dist/mosaic")), (&host[..], &elsewhere)] {
        let mut freeze = bench.ekiben.program("ekiben");
        freeze.args(["freeze", "--quiet", "."]).args(words);
        frontends.offer_uv(&mut freeze, cache)?;
        run_quietly(freeze.current_dir(&project))?;
        well(&mut Command::new(program))?;
    }
    println!("{PROJECT}: `ekiben freeze .` links them in, or has an interpreter load them");
    Ok(())
}

fn well(program: &mut Command) -> Result<()> {
    let said = output_of(clean(program, &[]))?;
    ensure!(said.trim() == WELL, "{program:?} says\n{said}");
    Ok(())
}

impl Bench<'_> {
    /// A cache in which there is nothing but the runtime.
    fn cache(&self, name: &str) -> Result<PathBuf> {
        let cache = self.work.join(name);
        let runtimes = cache.join("ekiben/runtimes");
        fs::create_dir_all(&runtimes)?;
        let runtime = self.runtime.file_name().context("a runtime has a name")?;
        std::os::unix::fs::symlink(&self.runtime, runtimes.join(runtime))?;
        Ok(cache)
    }
}
