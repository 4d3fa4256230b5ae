//! `examples/executable`: programs that come out of `pip wheel .`, as they are built and installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::checks::Checks;
use crate::examples::{copy_into, run_tests};
use crate::frontend::{Frontend, Frontends, Product};
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, copy_folder, run_quietly};

const EXAMPLE: &str = "examples/executable";

/// Builds the example with every front end, with an empty cache each but for the runtime, and from its
/// source distribution: the wheels must be the same. Others' tools check it, and its tests run what it
/// installs.
pub(super) fn test(
    workspace: &Workspace,
    ekiben: &Path,
    (program, runtime): (&Venv, &Path),
    work: &Path,
) -> Result<()> {
    let python = Python::find()?;
    let checks = Checks::new(workspace, &python)?;
    let wheels = work.join("wheels-of-requirements");
    copy_into(ekiben, &wheels)?;
    let frontends = Frontends::new(workspace, &python, &wheels)?;
    let requirements = workspace.path(EXAMPLE).join("requirements.txt");
    frontends.download(&requirements, &wheels)?;
    let bench = Bench { workspace, frontends: &frontends, runtime, work };
    let mut first: Option<PathBuf> = None;
    for frontend in Frontend::ALL {
        let project = work.join(format!("{frontend}/measures"));
        copy_folder(&workspace.path(EXAMPLE), &project)?;
        let wheel = bench.build(frontend, Product::Wheel, &project)?;
        match &first {
            Some(first) => checks.same(first, &wheel)?,
            None => first = Some(wheel),
        }
    }
    let wheel = first.context("no front end")?;
    checks.programs(&wheel)?;
    let checkout = work.join("checkout");
    copy_folder(&workspace.path(EXAMPLE), &checkout)?;
    checks.checkout(&frontends, &checkout, &work.join("checkout-cache"))?;
    let sdist = bench.build(Frontend::Uv, Product::Sdist, &checkout)?;
    checks.archive(&sdist)?;
    checks.same(&wheel, &bench.build(Frontend::Pip, Product::Wheel, &sdist)?)?;
    let venv = frontends.install(&wheel, &work.join("measures-venv"))?;
    let folder = work.join("measures-tests");
    copy_folder(&workspace.path(EXAMPLE), &folder.join("project"))?;
    run_tests(&venv, &folder)?;
    let name = wheel.file_name().context("a wheel has a name")?.to_string_lossy();
    println!("{EXAMPLE}: pip, build and uv make the same {name}, whose programs pass its tests");
    bench.editable()?;
    bench.host()?;

    let mut pack = program.program("ekiben");
    run_quietly(pack.args(["runtime", "wheel"]).arg(runtime).arg("--out-dir").arg(&wheels))?;
    let project = work.join("required/measures");
    copy_folder(&workspace.path(EXAMPLE), &project)?;
    let settings = project.join("pyproject.toml");
    let text = fs::read_to_string(&settings)?;
    // The version of Python that the programs have is that of the runtime.
    let requires = "requires = [\"ekiben\", \"ekiben-runtime==3.13.*\"]";
    let text = text
        .replace("requires = [\"ekiben\"]", requires)
        .replace("python = \"3.13\"", "")
        .replace("requirements = \"requirements.txt\"", "dependency-groups = [\"bundle\"]");
    fs::write(&settings, text)?;
    let out = work.join("required/out");
    fs::create_dir_all(&out)?;
    let cache = work.join("required/cache");
    let built = frontends.build(Frontend::Pip, Product::Wheel, &project, &out, &cache)?;
    checks.same(&wheel, &built)?;
    println!(
        "{EXAMPLE}: the same of a runtime that pip installs, and requirements that it resolves"
    );
    Ok(())
}

struct Bench<'a> {
    workspace: &'a Workspace,
    frontends: &'a Frontends,
    runtime: &'a Path,
    work: &'a Path,
}

impl Bench<'_> {
    fn build(&self, frontend: Frontend, product: Product, project: &Path) -> Result<PathBuf> {
        let name = project.file_name().context("a project has a name")?.to_string_lossy();
        let folder = self.work.join(format!("out-{frontend}-{name}"));
        let out = folder.join("out");
        fs::create_dir_all(&out)?;
        self.frontends.build(frontend, product, project, &out, &self.cache(&folder)?)
    }

    /// A cache in which there is nothing but the runtime.
    fn cache(&self, folder: &Path) -> Result<PathBuf> {
        let cache = folder.join("cache");
        let runtimes = cache.join("ekiben/runtimes");
        fs::create_dir_all(&runtimes)?;
        let name = self.runtime.file_name().context("a runtime has a name")?;
        std::os::unix::fs::symlink(self.runtime, runtimes.join(name))?;
        Ok(cache)
    }

    /// Where there is no runtime and none is asked for, an ordinary interpreter takes its place.
    fn host(&self) -> Result<()> {
        let folder = self.work.join("measures-host");
        let project = folder.join("measures");
        copy_folder(&self.workspace.path(EXAMPLE), &project)?;
        let settings = project.join("pyproject.toml");
        let text = fs::read_to_string(&settings)?;
        fs::write(&settings, text.replace("python = \"3.13\"", ""))?;
        let (out, cache) = (folder.join("out"), folder.join("cache"));
        fs::create_dir_all(&out)?;
        let wheel = self.frontends.build(Frontend::Pip, Product::Wheel, &project, &out, &cache)?;
        let name = wheel.file_name().context("a wheel has a name")?.to_string_lossy();
        ensure!(name.contains("-py3-none-manylinux_2_"), "{name} doesn't say which glibc it needs");
        let venv = self.frontends.install(&wheel, &folder.join("venv"))?;
        run_quietly(venv.program("lapse").arg("1"))?;
        println!("{EXAMPLE}: without a runtime, {name} has programs of an ordinary interpreter");
        Ok(())
    }

    /// Installed as its folder, the project has ordinary scripts and needs no runtime.
    fn editable(&self) -> Result<()> {
        let folder = self.work.join("measures-editable");
        let project = folder.join("project");
        copy_folder(&self.workspace.path(EXAMPLE), &project)?;
        let venv = self.frontends.venv(&folder.join("venv"))?;
        let isolation = crate::frontend::Isolation::Full;
        let cache = folder.join("cache");
        self.frontends.install_editable(Frontend::Pip, &project, isolation, &[], &venv, &cache)?;
        self.frontends.install_named(&venv, &["humanize"])?;
        let script = venv.path("lapse");
        let first = fs::read(&script)?;
        ensure!(first.starts_with(b"#!"), "`{}` isn't a script", script.display());
        run_quietly(venv.program("lapse").arg("1"))?;
        println!("{EXAMPLE}: installed as its folder, its scripts run its sources");
        Ok(())
    }
}
