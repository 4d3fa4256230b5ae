//! Makes the list of built-in plugins: every component in the folder that `cargo xtask plugins`
//! fills, with its bytes. `EKIBEN_PRECOMPILED_DIR` may name a folder that `ekiben plugin precompile`
//! filled; then their machine code becomes part of the program too. `cargo xtask dist` does that.
//!
//! And tells where the files are that go into programs, with their licences, which `cargo xtask plugins`
//! makes as well.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=EKIBEN_PLUGINS_DIR");
    let folder = folder()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let precompiled = precompiled()?;
    let components = components(&folder);
    if components.is_empty() {
        println!("cargo::error=no plugin in {}: run `cargo xtask plugins` first", folder.display());
        return Ok(());
    }
    for (variable, file) in [
        ("OBJECT", "ekiben_runtime.o"),
        ("HOST", "ekiben_host.so"),
        ("LAUNCHER", "ekiben_launcher"),
        ("LICENCES", "ekiben_runtime.licences"),
    ] {
        let path = target()?.join("runtime").join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        if !path.is_file() {
            println!(
                "cargo::error=there is no {}: run `cargo xtask plugins` first",
                path.display()
            );
            return Ok(());
        }
        println!("cargo::rustc-env=EKIBEN_RUNTIME_{variable}={}", path.display());
    }
    let mut code = String::from("&[\n");
    for (id, path) in components {
        println!("cargo::rerun-if-changed={path}");
        let made = match precompiled.get(&id) {
            Some((digest, path)) => {
                println!("cargo::rerun-if-changed={path}");
                format!("precompiled!({digest:?}, {path:?})")
            }
            None => "None".to_owned(),
        };
        writeln!(code, "    BuiltIn {{")?;
        writeln!(code, "        id: {id:?},")?;
        writeln!(code, "        component: include_bytes!({path:?}),")?;
        writeln!(code, "        precompiled: {made},")?;
        writeln!(code, "    }},")?;
    }
    code.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    std::fs::write(Path::new(&out).join("built_in.rs"), code)?;
    Ok(())
}

fn folder() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(given) = std::env::var_os("EKIBEN_PLUGINS_DIR") {
        return Ok(std::path::absolute(given)?);
    }
    Ok(target()?.join("plugins"))
}

/// Where xtask puts what it makes.
fn target() -> Result<PathBuf, Box<dyn Error>> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?;
    let workspace = Path::new(&package).ancestors().nth(2).ok_or("the package has no workspace")?;
    Ok(workspace.join("target"))
}

/// Ids and paths, sorted. Names that aren't UTF-8 are no plugins' names.
fn components(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let id = path.file_stem()?.to_str()?.to_owned();
            let is_component = path.extension().is_some_and(|suffix| suffix == "wasm");
            is_component.then(|| Some((id, path.to_str()?.to_owned())))?
        })
        .collect();
    found.sort();
    found
}

/// Digest of the component and path of its machine code, by id: `<id>.<digest>.cwasm`. Whether the
/// component is that one, the program checks.
fn precompiled() -> Result<BTreeMap<String, (String, String)>, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=EKIBEN_PRECOMPILED_DIR");
    let Some(folder) = std::env::var_os("EKIBEN_PRECOMPILED_DIR") else {
        return Ok(BTreeMap::new());
    };
    let folder = std::path::absolute(folder)?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let Some(path) = path.to_str() else { continue };
        let name = path.rsplit(std::path::MAIN_SEPARATOR).next().unwrap_or(path);
        let Some((id, digest)) = name.strip_suffix(".cwasm").and_then(|n| n.rsplit_once('.'))
        else {
            continue;
        };
        found.insert(id.to_owned(), (digest.to_owned(), path.to_owned()));
    }
    Ok(found)
}
