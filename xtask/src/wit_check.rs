//! `cargo xtask wit-check`: a plugin built against a released interface must keep working with
//! every later one of the same compatible version.
//!
//! `crates/ekiben-plugin/wit-released/<version>/` holds each released package. The judge is
//! `wit_component::semver_check`: a new method of a host resource is fine, a new field isn't.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use semver::{Version, VersionReq};
use wit_parser::{PackageId, Resolve};

use crate::workspace::Workspace;

const CURRENT: &str = "crates/ekiben-plugin/wit";
const RELEASED: &str = "crates/ekiben-plugin/wit-released";

/// Options of `cargo xtask wit-check`.
#[derive(Default, clap::Args)]
pub(crate) struct Args {
    /// Record the current interface as released
    #[arg(long)]
    release: bool,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        let current = Interface::read(&workspace.path(CURRENT))?;
        let released = workspace.path(RELEASED);
        if self.release {
            return record(
                &workspace.path(CURRENT),
                &released.join(current.version()?.to_string()),
            );
        }
        let mut compared = 0;
        for entry in fs::read_dir(&released).with_context(|| format!("`{RELEASED}`"))? {
            let folder = entry?.path();
            let old = Interface::read(&folder)?;
            let version = old.version()?;
            if folder.file_name().is_none_or(|name| name.to_str() != Some(&version.to_string())) {
                bail!("`{}` holds version {version}", folder.display());
            }
            let compatible = VersionReq::parse(&format!("^{version}"))?;
            if compatible.matches(&current.version()?) {
                check(&old, &current).with_context(|| format!("compared with {version}"))?;
                compared += 1;
            }
        }
        println!("{CURRENT}: compatible with {compared} released version(s)");
        Ok(())
    }
}

/// A WIT package.
struct Interface {
    resolve: Resolve,
    package: PackageId,
}

impl Interface {
    fn read(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve
            .push_dir(folder)
            .with_context(|| format!("`{}` isn't a WIT package", folder.display()))?;
        Ok(Self { resolve, package })
    }

    fn version(&self) -> Result<Version> {
        let name = &self.resolve.packages[self.package].name;
        name.version.clone().with_context(|| format!("package `{name}` states no version"))
    }
}

/// Whether components for each world of `old` work with a host of `new`.
fn check(old: &Interface, new: &Interface) -> Result<()> {
    for (name, &old_world) in &old.resolve.packages[old.package].worlds {
        let Some(&new_world) = new.resolve.packages[new.package].worlds.get(name) else {
            bail!("world `{name}` is gone");
        };
        // Both packages have one name; a version of its own keeps them apart until `semver_check`
        // drops versions.
        let mut previous = old.resolve.clone();
        let mut renamed = previous.packages[old.package].name.clone();
        renamed.version = Some(Version::parse("0.0.0-previous")?);
        previous.packages[old.package].name = renamed.clone();
        previous.package_names.clear();
        previous.package_names.insert(renamed, old.package);
        let mut both = new.resolve.clone();
        let moved = both.merge(previous)?;
        let old_world = moved.worlds[old_world.index()].context("a world was lost in merging")?;
        wit_component::semver_check(both, old_world, new_world)
            .with_context(|| format!("world `{name}` breaks plugins that exist"))?;
    }
    Ok(())
}

fn record(current: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(current)? {
        let file = entry?;
        fs::copy(file.path(), folder.join(file.file_name()))
            .with_context(|| format!("`{}` can't be copied", file.path().display()))?;
    }
    println!("recorded as {}", folder.display());
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const RELEASED: &str = "
        package ekiben:plugin@0.1.0;
        interface types { record span { line: u32 } }
        interface host {
            use types.{span};
            resource context { report: func(at: span); }
        }
        interface provider { use host.{context}; run: func(cx: borrow<context>); }
        world plugin { import host; export provider; }
    ";

    fn parse(text: &str) -> Interface {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("test.wit", text).unwrap();
        Interface { resolve, package }
    }

    fn against_released(old: &str, new: &str) -> Result<()> {
        assert!(RELEASED.contains(old));
        check(&parse(RELEASED), &parse(&RELEASED.replace(old, new)))
    }

    #[test]
    fn accepts_itself_and_what_plugins_do_not_notice() {
        against_released("", "").unwrap();
        against_released("resource context {", "resource context { more: func() -> u32;").unwrap();
        against_released("interface host {", "interface host { more: func();").unwrap();
        against_released("@0.1.0", "@0.1.7").unwrap();
        against_released("world plugin {", "world other { import host; } world plugin {").unwrap();
    }

    #[test]
    fn refuses_what_breaks_a_plugin() {
        for (old, new) in [
            ("line: u32", "line: u32, column: u32"),
            ("report: func(at: span);", ""),
            ("report: func(at: span);", "report: func(at: span, twice: bool);"),
            ("run: func(", "undo: func(); run: func("),
            ("world plugin {", "world renamed {"),
        ] {
            let refused = against_released(old, new);
            assert!(refused.is_err(), "{old:?} → {new:?} was accepted");
        }
    }
}
