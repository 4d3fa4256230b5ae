//! Where the workspace lies, and how to run programs in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use walkdir::WalkDir;

/// The root folder of the workspace.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Asked at run time, because the binary may be built in one checkout and used in another.
    pub(crate) fn find() -> Result<Self> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => env::current_dir().context("the current folder can't be read")?,
        };
        let is_root = |folder: &&Path| {
            folder.join("xtask/Cargo.toml").is_file() && folder.join("Cargo.toml").is_file()
        };
        match start.ancestors().find(is_root) {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => bail!("`{}` isn't inside Ekiben's workspace", start.display()),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Cargo's target folder. Built components aren't in it: those have a fixed place.
    pub(crate) fn target(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if !folder.is_empty() => self.root.join(folder),
            _ => self.path("target"),
        }
    }

    /// The cargo that runs this program, with the settings of whoever started it.
    pub(crate) fn native_cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
    }

    /// The cargo that runs this program, started in the root without what `cargo xtask` and its
    /// caller set for the native build (`CARGO_TARGET_DIR`, `RUSTFLAGS`, `RUSTC_WRAPPER`, …).
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = self.native_cargo();
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(concerns_native_build) {
                cargo.env_remove(name);
            }
        }
        cargo
    }
}

/// Whole or not at all: a test may read the file meanwhile.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    let unfinished = path.with_extension(format!("tmp{}", std::process::id()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    fs::write(&unfinished, content)
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("`{}` can't be written", path.display()))
}

fn concerns_native_build(variable: &str) -> bool {
    const NAMES: [&str; 7] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
    ];
    const PREFIXES: [&str; 6] = [
        "CARGO_BIN_",
        "CARGO_BUILD_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
    ];
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// Runs a program for its standard output, without the last line break.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?} can't be started"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed with {}\n{}", output.status, errors.trim_end());
    }
    let text = String::from_utf8(output.stdout)
        .with_context(|| format!("{command:?} printed something that isn't UTF-8"))?;
    Ok(text.trim_end().to_owned())
}

/// Runs a program on this terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} can't be started"))?;
    if !status.success() {
        bail!("{command:?} failed with {status}");
    }
    Ok(())
}

/// Runs a program and shows what it prints only if it fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?} can't be started"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed with {}\n{printed}{}", output.status, errors.trim_end());
    }
    Ok(printed)
}

/// Copies a folder with all that is in it, but links only as what they point to.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in WalkDir::new(from) {
        let entry = entry.with_context(|| format!("`{}` can't be listed", from.display()))?;
        let target = to.join(entry.path().strip_prefix(from)?);
        let copied = if entry.file_type().is_dir() {
            fs::create_dir_all(&target)
        } else {
            fs::copy(entry.path(), &target).map(|_| ())
        };
        copied.with_context(|| format!("`{}` can't be made", target.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_settings_are_told_from_those_of_the_network() {
        for name in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_PROFILE_RELEASE_LTO", "CARGO_PKG_NAME"]
        {
            assert!(concerns_native_build(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_REGISTRIES_X_INDEX", "PATH"] {
            assert!(!concerns_native_build(name), "{name}");
        }
    }
}
