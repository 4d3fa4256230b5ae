//! `cargo xtask plugins`: every folder in `plugins/` becomes `target/plugins/<folder>.wasm`, every
//! folder in `tests/guests/` `target/guests/<folder>.wasm`. And what else the program carries is built:
//! [`runtime_object`].
//!
//! The folder's name is the plugin's id. A component is rewritten only if its content changed, so
//! that what depends on it by time isn't built again.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::component;
use crate::runtime_object;
use crate::wasm_toolchain::{TARGET, WasmToolchain};
use crate::workspace::{self, Workspace};

const GROUPS: [(&str, &str); 2] =
    [("plugins", "target/plugins"), ("tests/guests", "target/guests")];

/// A profile of the workspace that makes small modules.
const PROFILE: &str = "plugin";

/// Options of `cargo xtask plugins`.
#[derive(Default, clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail if a component is missing or differs from its sources
    #[arg(long)]
    check: bool,
}

/// A crate that becomes a component.
struct Guest {
    id: String,
    package: String,
    component: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        if !self.check {
            runtime_object::build(workspace)?;
        }
        let guests = find_guests(workspace)?;
        let modules = build(workspace, &guests)?;
        let mut outdated = Vec::new();
        for guest in &guests {
            let module = modules.join(format!("{}.wasm", guest.package.replace('-', "_")));
            let module = fs::read(&module)
                .with_context(|| format!("cargo built no `{}`", module.display()))?;
            let component =
                component::encode(&module).with_context(|| format!("plugin `{}`", guest.id))?;
            if fs::read(&guest.component).is_ok_and(|current| current == component) {
                continue;
            }
            if self.check {
                outdated.push(guest.id.as_str());
            } else {
                workspace::write(&guest.component, &component)?;
                let name = guest.component.strip_prefix(workspace.root())?;
                println!("{} ({} KiB)", name.display(), component.len().div_ceil(1024));
            }
        }
        if !outdated.is_empty() {
            bail!("out of date: {}. Run `cargo xtask plugins`", outdated.join(", "));
        }
        Ok(())
    }
}

fn find_guests(workspace: &Workspace) -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for (sources, components) in GROUPS {
        let Ok(entries) = fs::read_dir(workspace.path(sources)) else { continue };
        for entry in entries {
            let folder = entry.with_context(|| format!("`{sources}` can't be listed"))?;
            let manifest = folder.path().join("Cargo.toml");
            let Ok(text) = fs::read_to_string(&manifest) else { continue };
            let id = folder.file_name().to_string_lossy().into_owned();
            let manifest: toml::Table =
                text.parse().with_context(|| format!("`{}` can't be read", manifest.display()))?;
            let package = manifest
                .get("package")
                .and_then(|package| package.get("name"))
                .and_then(toml::Value::as_str)
                .with_context(|| format!("`{sources}/{id}/Cargo.toml` has no package name"))?
                .to_owned();
            let component = workspace.path(components).join(format!("{id}.wasm"));
            guests.push(Guest { id, package, component });
        }
    }
    guests.sort_by(|a, b| a.component.cmp(&b.component));
    Ok(guests)
}

/// Returns the folder of the core modules.
fn build(workspace: &Workspace, guests: &[Guest]) -> Result<PathBuf> {
    let target = workspace.target().join("wasm");
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--lib", "--profile", PROFILE, "--target-dir"]).arg(&target);
    for guest in guests {
        cargo.args(["-p", &guest.package]);
    }
    WasmToolchain::find_or_install()?.configure(&mut cargo, workspace.root())?;
    workspace::run(&mut cargo)?;
    Ok(target.join(TARGET).join(PROFILE))
}
