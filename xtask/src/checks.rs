//! What the ecosystem's own tools say of wheels and source distributions.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::abi3;
use crate::frontend::Frontends;
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, output_of, run_quietly};

/// The program that prints in what two archives differ.
const DIFFERENCE: &str = "xtask/src/difference.py";

/// What builds leave behind in a folder, and source distributions bring along: no checkout has it.
const LEFTOVERS: [&str; 6] =
    ["**/__pycache__/**", "**/*.egg-info/**", "**/*.so", "PKG-INFO", "build/**", "dist/**"];

/// The tools.
pub(crate) struct Checks<'w> {
    workspace: &'w Workspace,
    tools: Venv,
}

impl<'w> Checks<'w> {
    pub(crate) fn new(workspace: &'w Workspace, python: &Python) -> Result<Self> {
        Ok(Self { workspace, tools: python.tools(workspace, "checks")? })
    }

    /// A program of the set.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.tools.program(name)
    }

    /// Checks a wheel or a source distribution by itself.
    pub(crate) fn archive(&self, archive: &Path) -> Result<()> {
        run_quietly(self.program("twine").args(["check", "--strict"]).arg(archive))?;
        if archive.extension().is_some_and(|extension| extension == "whl") {
            self.wheel(archive, &[])?;
        }
        Ok(())
    }

    /// Checks a wheel that holds programs and no modules.
    pub(crate) fn programs(&self, wheel: &Path) -> Result<()> {
        run_quietly(self.program("twine").args(["check", "--strict"]).arg(wheel))?;
        // W007: that there is nothing to import.
        self.wheel(wheel, &["--ignore", "W007"])
    }

    fn wheel(&self, wheel: &Path, options: &[&str]) -> Result<()> {
        run_quietly(self.program("check-wheel-contents").args(options).arg(wheel))?;
        let scratch = tempfile::tempdir()?;
        let mut installer = self.program("python");
        installer.args(["-m", "installer", "--validate-record", "all", "--destdir"]);
        run_quietly(installer.arg(scratch.path().join("installed")).arg(wheel))?;
        let mut unpack = self.program("wheel");
        run_quietly(unpack.arg("unpack").arg("--dest").arg(scratch.path()).arg(wheel))?;
        if cfg!(target_os = "linux") {
            run_quietly(self.program("auditwheel").arg("show").arg(wheel))?;
        }
        if wheel.to_string_lossy().contains("-abi3-") {
            abi3::audit(self.workspace, wheel)?;
        }
        Ok(())
    }

    /// Checks by check-sdist that a project's source distribution holds what a checkout of it does,
    /// also if junk lies in the folder. The project becomes a git repository for that.
    pub(crate) fn checkout(
        &self,
        frontends: &Frontends,
        project: &Path,
        cache: &Path,
    ) -> Result<()> {
        let git = || {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]);
            forget_git(git.current_dir(project));
            git
        };
        run_quietly(git().args(["init", "--quiet"]))?;
        // What the project has git ignore is added too, since it is part of the project otherwise.
        let mut add = git();
        add.args(["add", "--all", "--force", "."]);
        run_quietly(add.args(LEFTOVERS.map(|pattern| format!(":(exclude,glob){pattern}"))))?;
        run_quietly(git().args(["commit", "--quiet", "--message", "a checkout"]))?;
        let mut check = self.program("check-sdist");
        check.args(["--inject-junk", "--installer", "uv", "--source-dir"]).arg(project);
        frontends.offer_uv(&mut check, cache)?;
        forget_git(&mut check);
        run_quietly(&mut check).map(drop)
    }

    /// Fails unless two archives are the same, and says which members differ.
    pub(crate) fn same(&self, one: &Path, other: &Path) -> Result<()> {
        if one.file_name() == other.file_name() && fs::read(one)? == fs::read(other)? {
            return Ok(());
        }
        let differences = self.differences(one, other)?.join("\n");
        let (one, other) = (one.display(), other.display());
        bail!("`{one}` and `{other}` differ:\n{differences}")
    }

    /// Fails unless two archives differ in the time that all members have, and in nothing else.
    pub(crate) fn same_but_for_time(
        &self,
        (one, first): (&Path, u64),
        (other, second): (&Path, u64),
    ) -> Result<()> {
        let differences = self.differences(one, other)?;
        let times = format!(": {first} and {second}");
        let is_time = |line: &String| line.starts_with("time of ") && line.ends_with(&times);
        ensure!(
            !differences.is_empty() && differences.iter().all(is_time),
            "`{}` and `{}` should differ only in that{times}:\n{}",
            one.display(),
            other.display(),
            differences.join("\n")
        );
        Ok(())
    }

    fn differences(&self, one: &Path, other: &Path) -> Result<Vec<String>> {
        let mut script = self.program("python");
        let printed = output_of(script.arg(self.workspace.path(DIFFERENCE)).args([one, other]))
            .context("comparing archives")?;
        Ok(printed.lines().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect())
    }
}

/// Takes away what a hook of git, in which this may run, or a user's settings tell git.
fn forget_git(command: &mut Command) {
    for variable in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(variable);
    }
    command.env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" });
}
