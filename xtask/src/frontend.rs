//! Builds projects with Ekiben's wheel as their users do: through pip, build and uv.
//!
//! A build sees no index, only a folder of wheels: what the tests prove doesn't change with what
//! others publish, and no package of our name elsewhere can be taken for ours.

use std::env;
use std::fmt;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::python::{Python, Venv};
use crate::workspace::{Workspace, run_quietly};

/// A program that calls the hooks of a build backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frontend {
    Pip,
    Build,
    Uv,
}

impl Frontend {
    pub(crate) const ALL: [Self; 3] = [Self::Pip, Self::Build, Self::Uv];
}

impl fmt::Display for Frontend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pip => "pip",
            Self::Build => "build",
            Self::Uv => "uv",
        })
    }
}

/// Where a build finds what it requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// In an environment that the front end makes, and removes afterwards.
    Full,
    /// Where it installs.
    None,
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "isolated",
            Self::None => "not isolated",
        })
    }
}

/// What a build makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Wheel,
    Sdist,
}

/// The frontends for one interpreter.
pub(crate) struct Frontends {
    python: Python,
    tools: Venv,
    wheels: PathBuf,
}

impl Frontends {
    /// `wheels` is the folder that builds take their requirements from. pip and uv split a list of
    /// folders at spaces and commas: it should have neither in its name, as temporary folders do.
    pub(crate) fn new(workspace: &Workspace, python: &Python, wheels: &Path) -> Result<Self> {
        let tools = python.tools(workspace, "frontends")?;
        Ok(Self { python: python.clone(), tools, wheels: wheels.to_owned() })
    }

    /// Builds a folder, or an archive by pip, into `out`, which must be empty. `cache` is where
    /// Ekiben and uv keep what they reuse.
    pub(crate) fn build(
        &self,
        frontend: Frontend,
        product: Product,
        project: &Path,
        out: &Path,
        cache: &Path,
    ) -> Result<PathBuf> {
        let mut command = match frontend {
            Frontend::Pip => self.python_module(&["pip", "wheel", "--no-deps", "--wheel-dir"]),
            Frontend::Build => self.python_module(&["build", "--outdir"]),
            Frontend::Uv => {
                let mut uv = self.tools.program("uv");
                uv.arg("build").arg("--python").arg(self.python.path()).arg("--out-dir");
                uv
            }
        };
        command.arg(out);
        match (frontend, product) {
            (Frontend::Pip, Product::Wheel) => {}
            (Frontend::Pip, Product::Sdist) => bail!("pip makes no source distributions"),
            (_, Product::Wheel) => drop(command.arg("--wheel")),
            (_, Product::Sdist) => drop(command.arg("--sdist")),
        }
        self.isolate(&mut command, frontend, cache);
        run_quietly(command.arg(project).current_dir(out.parent().unwrap_or(out)))
            .with_context(|| format!("{frontend} on {}", self.python))?;
        only_archive(out, product)
    }

    /// Makes an environment and installs a wheel, and nothing else, into it.
    pub(crate) fn install(&self, wheel: &Path, root: &Path) -> Result<Venv> {
        let venv = self.python.make_bare_venv(root)?;
        let mut install = self.pip_into(&venv);
        run_quietly(install.args(["--no-index", "--no-deps"]).arg(wheel))
            .with_context(|| format!("installing `{}`", wheel.display()))?;
        Ok(venv)
    }

    /// Installs a folder as itself (PEP 660), by pip or uv, with settings for the backend.
    pub(crate) fn install_editable(
        &self,
        frontend: Frontend,
        project: &Path,
        isolation: Isolation,
        settings: &[&str],
        venv: &Venv,
        cache: &Path,
    ) -> Result<()> {
        let mut command = match frontend {
            Frontend::Pip => self.pip_into(venv),
            Frontend::Uv => {
                let mut uv = self.tools.program("uv");
                uv.args(["pip", "install", "--quiet", "--python"]).arg(venv.path("python"));
                uv
            }
            Frontend::Build => bail!("build doesn't install"),
        };
        self.isolate(&mut command, frontend, cache);
        if isolation == Isolation::None {
            command.arg("--no-build-isolation");
        }
        for setting in settings {
            command.args(["-C", setting]);
        }
        run_quietly(command.arg("--editable").arg(project)).map(drop)
    }

    /// Makes an environment with nothing in it.
    pub(crate) fn venv(&self, root: &Path) -> Result<Venv> {
        self.python.make_bare_venv(root)
    }

    /// Adds what a file asks for, by hash, to a folder of wheels.
    pub(crate) fn download(&self, requirements: &Path, wheels: &Path) -> Result<()> {
        let mut pip = self.python_module(&["pip", "--disable-pip-version-check", "download"]);
        pip.args(["--quiet", "--require-hashes", "--no-deps", "--dest"]).arg(wheels);
        run_quietly(pip.arg("-r").arg(requirements)).map(drop)
    }

    /// Uninstalls a distribution.
    pub(crate) fn uninstall(&self, venv: &Venv, name: &str) -> Result<()> {
        let mut pip = self.python_module(&["pip", "--disable-pip-version-check", "--python"]);
        pip.arg(venv.path("python")).args(["uninstall", "--quiet", "--yes", name]);
        run_quietly(&mut pip).map(drop)
    }

    /// Installs a set of `xtask/requirements` too.
    pub(crate) fn install_set(&self, workspace: &Workspace, venv: &Venv, set: &str) -> Result<()> {
        let requirements = workspace.path(&format!("xtask/requirements/{set}.txt"));
        let mut install = self.pip_into(venv);
        run_quietly(install.args(["--require-hashes", "-r"]).arg(requirements)).map(|_| ())
    }

    /// Installs distributions from the folder of wheels too.
    pub(crate) fn install_named(&self, venv: &Venv, names: &[&str]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let mut install = self.pip_into(venv);
        install.args(["--no-index", "--no-deps", "--find-links"]).arg(&self.wheels).args(names);
        run_quietly(&mut install).map(|_| ())
    }

    /// Makes a program of another environment build with uv, as [`Self::build`] does.
    pub(crate) fn offer_uv(&self, command: &mut Command, cache: &Path) -> Result<()> {
        let uv = self.tools.path("uv");
        let folder = uv.parent().context("a program without a folder")?.to_owned();
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(iter::once(folder).chain(env::split_paths(&path)))?;
        self.isolate(command.env("PATH", path), Frontend::Build, cache);
        // Arguments for uv can't be given here. Offline and with a new cache it knows the folder alone.
        command.env("UV_OFFLINE", "1").env("UV_NO_CONFIG", "1");
        command.env("UV_FIND_LINKS", &self.wheels).env("UV_CACHE_DIR", cache.join("uv"));
        Ok(())
    }

    /// A Python with `pyproject_hooks`, for a program that calls hooks itself.
    pub(crate) fn hook_caller(&self, cache: &Path) -> Command {
        let mut python = self.tools.program("python");
        self.isolate(&mut python, Frontend::Build, cache);
        python
    }

    fn python_module(&self, arguments: &[&str]) -> Command {
        let mut python = self.tools.program("python");
        python.arg("-m").args(arguments);
        python
    }

    fn pip_into(&self, venv: &Venv) -> Command {
        let mut pip = self.python_module(&["pip", "--disable-pip-version-check", "--python"]);
        pip.arg(venv.path("python")).args(["install", "--quiet"]);
        pip
    }

    /// Leaves a front end nothing to take distributions from but the folder of wheels. `build` starts
    /// pip, which has to be told by variables; uv knows no variable that does without an index.
    fn isolate(&self, command: &mut Command, frontend: Frontend, cache: &Path) {
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PIP_") || name.starts_with("UV_"))
            {
                command.env_remove(name);
            }
        }
        if frontend == Frontend::Uv {
            command.args(["--no-index", "--no-config", "--find-links"]).arg(&self.wheels);
            command.arg("--cache-dir").arg(cache.join("uv"));
        }
        command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", &self.wheels);
        command.env("PIP_CONFIG_FILE", null_device()).env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        command.env("EKIBEN_CACHE_DIR", cache.join("ekiben"));
        command.env_remove("EKIBEN_ARGS").env_remove("SOURCE_DATE_EPOCH");
    }
}

/// pip's name for no configuration file.
fn null_device() -> &'static str {
    if cfg!(windows) { "nul" } else { "/dev/null" }
}

fn only_archive(folder: &Path, product: Product) -> Result<PathBuf> {
    let suffix = match product {
        Product::Wheel => ".whl",
        Product::Sdist => ".tar.gz",
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
    match &found[..] {
        [archive] => Ok(archive.clone()),
        _ => bail!("{} `*{suffix}` in `{}`, one was expected", found.len(), folder.display()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_archive_of_the_kind_is_expected() {
        let folder = tempfile::tempdir().unwrap();
        let error = only_archive(folder.path(), Product::Wheel).unwrap_err();
        assert!(error.to_string().starts_with("0 `*.whl` in"), "{error}");
        fs::write(folder.path().join("a-1.tar.gz"), "").unwrap();
        fs::write(folder.path().join("a-1-py3-none-any.whl"), "").unwrap();
        let wheel = only_archive(folder.path(), Product::Wheel).unwrap();
        assert!(wheel.ends_with("a-1-py3-none-any.whl"));
        assert!(only_archive(folder.path(), Product::Sdist).unwrap().ends_with("a-1.tar.gz"));
    }
}
