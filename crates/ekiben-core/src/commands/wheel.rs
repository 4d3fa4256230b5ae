//! `wheel`: gathers all that goes into the wheel, and emits the action that writes it.

use std::borrow::Cow;
use std::collections::HashMap;

use ekiben_archive::{ArchivePath, Origin, TagSet, WheelSpec};
use ekiben_engine::Location;
use ekiben_project::{InstalledFile, Scheme, script_for_wheel};
use ekiben_python::Interpreter;

use super::discover::{build_path, place};
use super::{CommandContext, MODULE_FILE, link, metadata};
use crate::archive::{Archive, Spec};
use crate::artifacts::Known;
use crate::configuration::Configuration;
use crate::graph::Kind;
use crate::limited_api;
use crate::problem::{Cause, Problem, Problems};
use crate::products::Product;

/// The folder, below the build folder, whose content goes into the wheel as it is: how a plugin says
/// where an artifact of kind `wheel-entry` belongs.
pub(super) const ENTRIES: &str = "wheel-entry/";

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    let spec = wheel_spec(&cx.shared.configuration, &cx.shared.products)?;
    let mut archive = Archive::new(Spec::Wheel(spec.clone()), cx.shared.timestamp()?);
    modules(cx, &mut archive)?;
    placed(cx, &spec, &mut archive)?;
    for known in cx.of(&Kind::EXTENSION_MODULE, None) {
        let Some(product) = &known.info.product else { continue };
        let path = ArchivePath::new(link::target(cx, product)?)?;
        let origin = Origin::new(format!("extension module `{product}`"));
        archive.add(known.id, path, true, &origin)?;
        archive.require(limited_api::check(&cx.shared, &cx.name, product, known.id)?);
    }
    for known in cx.of(&Kind::WHEEL_ENTRY, None) {
        let path = ArchivePath::new(below(&known, ENTRIES))?;
        archive.add(known.id, path, false, &made_by(&known))?;
    }
    for known in cx.of(&Kind::METADATA, None) {
        let path = spec.dist_info(&below(&known, metadata::FOLDER))?;
        archive.add(known.id, path, false, &Origin::new("the project's metadata"))?;
    }
    archive.submit(&cx.shared, &cx.name, &Kind::WHEEL)
}

/// The name of a wheel with these products, and what its `WHEEL` says.
pub(crate) fn wheel_spec(
    configuration: &Configuration,
    products: &[Product],
) -> Result<WheelSpec, Problems> {
    let project = configuration.project();
    let tag = if products.is_empty() {
        Interpreter::pure_tag()
    } else {
        limited_api::wheel_tag(configuration, products)?
    };
    let standard = project.standard();
    let version = standard.version.to_string();
    let tags = TagSet::parse(&tag.to_string())?;
    let mut spec = WheelSpec::new(standard.name.as_str(), &version, tags)?;
    let settings = &project.settings().wheel;
    if let Some(tag) = &settings.build_tag {
        spec.build = Some(ekiben_archive::BuildTag::new(tag.as_str())?);
    }
    if let Some(purelib) = settings.purelib {
        spec.root_is_purelib = purelib;
    }
    Ok(spec)
}

fn modules(cx: &CommandContext, archive: &mut Archive) -> Result<(), Problems> {
    let configuration = &cx.shared.configuration;
    let files = &configuration.files()?.installed;
    let by_source: HashMap<&str, &InstalledFile> =
        files.iter().map(|file| (file.source.as_str(), file)).collect();
    for known in cx.of(&MODULE_FILE, None) {
        let source = known.info.location.to_string();
        match by_source.get(source.as_str()) {
            Some(file) if file.in_wheel => {
                let executable = is_executable(&file.source.in_dir(configuration.root()));
                let path = ArchivePath::new(file.target.as_str())?;
                archive.add(known.id, path, executable, &Origin::new(file.reason.to_string()))?;
            }
            Some(_) => {}
            // A plugin's: its place below the build folder is its place in the wheel.
            None => {
                let path = ArchivePath::new(below(&known, ENTRIES))?;
                archive.add(known.id, path, false, &made_by(&known))?;
            }
        }
    }
    Ok(())
}

/// Files to which the settings give a place.
fn placed(cx: &CommandContext, spec: &WheelSpec, archive: &mut Archive) -> Result<(), Problems> {
    let configuration = &cx.shared.configuration;
    for file in &configuration.files()?.placed {
        let path = match file.scheme.data_folder() {
            Some(folder) => spec.data(folder, &file.target)?,
            None => ArchivePath::new(file.target.as_str())?,
        };
        let mut id = cx.shared.engine.artifact(place(&file.source)?);
        let on_disk = file.source.in_dir(configuration.root());
        let is_script = file.scheme == Scheme::Scripts;
        if is_script {
            let content = std::fs::read(&on_disk).map_err(|error| {
                let message = format!("the script {} can't be read: {error}", file.source);
                Problem::error(Cause::Input, "unreadable-file", message)
            })?;
            if let Cow::Owned(changed) = script_for_wheel(&content) {
                let path = build_path(&format!("scripts/{}", file.target))?;
                id = cx.shared.engine.provide(cx.name.as_str(), path, &changed)?;
            }
        }
        let executable = is_script || is_executable(&on_disk);
        archive.add(id, path, executable, &Origin::new(file.reason.to_string()))?;
    }
    Ok(())
}

pub(super) fn below(known: &Known, folder: &str) -> String {
    let path = known.info.location.to_string();
    path.strip_prefix(folder).map(ToOwned::to_owned).unwrap_or(path)
}

pub(super) fn made_by(known: &Known) -> Origin {
    match &known.info.location {
        Location::Build(path) => Origin::new(format!("generated file {path}")),
        other => Origin::new(other.to_string()),
    }
}

#[cfg(unix)]
pub(super) fn is_executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(_: &std::path::Path) -> bool {
    false
}
