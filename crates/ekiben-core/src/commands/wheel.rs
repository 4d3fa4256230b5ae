//! `wheel`: gathers all that goes into the wheel, and emits the action that writes it.

use std::borrow::Cow;
use std::collections::HashMap;

use ekiben_archive::{ArchivePath, Origin, TagSet, WheelSpec};
use ekiben_engine::Location;
use ekiben_project::{InstalledFile, ProjectPath, Reason, Scheme, script_for_wheel};
use ekiben_python::Interpreter;

use super::discover::{build_path, place};
use super::{CommandContext, MODULE_FILE, editable, link, metadata};
use crate::archive::{Archive, Spec};
use crate::artifacts::Known;
use crate::build::Shared;
use crate::configuration::Configuration;
use crate::contributions::Stage;
use crate::graph::Kind;
use crate::limited_api;
use crate::plugin::protocol::ArtifactInfo;
use crate::problem::{Cause, Problem, Problems};
use crate::products::Product;

/// The folder, below the build folder, whose content goes into the wheel as it is: how a plugin says
/// where an artifact of kind `wheel-entry` belongs.
pub(super) const ENTRIES: &str = "wheel-entry/";

/// The file of the metadata that names functions of modules.
const ENTRY_POINTS: &str = "entry_points.txt";

/// A file of a wheel, where packages are installed.
struct Importable {
    known: Known,
    path: ArchivePath,
    executable: bool,
    origin: Origin,
}

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    cx.shared.contributions.close(Stage::Wheel);
    let configuration = &cx.shared.configuration;
    let makes_programs = configuration.makes_programs();
    let spec = match makes_programs {
        true => wheel_of_programs(&cx.shared)?,
        false => wheel_of_modules(configuration, &cx.shared.products)?,
    };
    let mut archive = Archive::new(Spec::Wheel(spec.clone()), cx.shared.timestamp()?);
    if makes_programs {
        programs(cx, &spec, &mut archive)?;
    } else {
        let kinds = [MODULE_FILE, Kind::WHEEL_ENTRY];
        for file in importable(&cx.shared, &kinds.map(|kind| kind.to_string()))? {
            archive.add(file.known.id, file.path, file.executable, &file.origin)?;
        }
        modules(cx, &mut archive)?;
    }
    elsewhere(cx, &spec, &mut archive)?;
    for (path, known) in wheel_metadata(&cx.shared) {
        let path = spec.dist_info(&path)?;
        archive.add(known.id, path, false, &Origin::new("the project's metadata"))?;
    }
    archive.submit(&cx.shared, &cx.name, &Kind::WHEEL)
}

/// The name of a wheel with these extension modules, or none, and what its `WHEEL` says.
pub(crate) fn wheel_of_modules(
    configuration: &Configuration,
    products: &[Product],
) -> Result<WheelSpec, Problems> {
    let tag = match products.iter().any(Product::is_module) {
        // Objects of the limited API aren't checked, and programs have the Python that they are for.
        true if configuration.makes_static_wheel() => configuration.interpreter()?.extension_tag(),
        true => limited_api::wheel_tag(configuration, products)?,
        false => Interpreter::pure_tag(),
    };
    wheel_spec(configuration, TagSet::parse(&tag.to_string())?)
}

/// The name of a wheel with programs, which need no Python but run on certain platforms only.
pub(crate) fn wheel_of_programs(shared: &Shared) -> Result<WheelSpec, Problems> {
    let mut common: Option<Vec<String>> = None;
    for product in shared.products.iter().filter(|product| product.kind == Kind::EXECUTABLE) {
        let platforms = shared.contributions.of(&product.name).platforms;
        match &mut common {
            Some(common) => common.retain(|platform| platforms.contains(platform)),
            None => common = Some(platforms),
        }
    }
    let common = common.unwrap_or_default();
    if common.is_empty() {
        let message = "no plugin says on which platform the project's programs run";
        return Err(Problem::error(Cause::Input, "no-platform", message)
            .help("`ekiben graph` shows whether its command was disabled or replaced")
            .into());
    }
    let tags = TagSet::parse(&format!("py3-none-{}", common.join(".")))?;
    wheel_spec(&shared.configuration, tags)
}

fn wheel_spec(configuration: &Configuration, tags: TagSet) -> Result<WheelSpec, Problems> {
    let project = configuration.project();
    let standard = project.standard();
    let version = standard.version.to_string();
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

/// The files of the wheel's metadata, by their paths in its folder. A wheel with programs has no
/// entry points: the modules that they name aren't in it.
pub(crate) fn wheel_metadata(shared: &Shared) -> Vec<(String, Known)> {
    let makes_programs = shared.configuration.makes_programs();
    let all = shared.artifacts.of(Kind::METADATA.as_str(), None).into_iter();
    all.map(|known| (below(&known, metadata::FOLDER), known))
        .filter(|(path, _)| !makes_programs || path != ENTRY_POINTS)
        .collect()
}

/// As plugins ask for them: the files that go where packages are installed, by their paths there.
pub(crate) fn installed_files(
    shared: &Shared,
    kinds: &[String],
) -> Result<Vec<(String, ArtifactInfo)>, Problems> {
    let mut files: Vec<_> = importable(shared, kinds)?
        .into_iter()
        .map(|file| (file.path.to_string(), file.known.info))
        .collect();
    if kinds.iter().any(|kind| kind == Kind::METADATA.as_str()) {
        let folder = any_spec(&shared.configuration)?.dist_info_folder();
        for known in shared.artifacts.of(Kind::METADATA.as_str(), None) {
            files.push((format!("{folder}/{}", below(&known, metadata::FOLDER)), known.info));
        }
    }
    Ok(files)
}

/// Only for paths, which don't depend on tags.
fn any_spec(configuration: &Configuration) -> Result<WheelSpec, Problems> {
    wheel_spec(configuration, TagSet::parse(&Interpreter::pure_tag().to_string())?)
}

/// Programs go where commands are found.
fn programs(cx: &CommandContext, spec: &WheelSpec, archive: &mut Archive) -> Result<(), Problems> {
    for product in cx.shared.products.iter().filter(|it| it.kind == Kind::EXECUTABLE) {
        let made = cx.of(&Kind::EXECUTABLE, Some(&product.name));
        let [made] = &made[..] else {
            let message = format!("{} plugins make the program `{}`", made.len(), product.name);
            return Err(Problem::error(Cause::Input, "no-program", message)
                .help("`ekiben graph` shows which commands there are")
                .into());
        };
        let origin = Origin::new(format!("program `{}`", product.name));
        archive.add(made.id, spec.data("scripts", &product.name)?, true, &origin)?;
    }
    Ok(())
}

fn modules(cx: &CommandContext, archive: &mut Archive) -> Result<(), Problems> {
    for known in cx.of(&Kind::EXTENSION_MODULE, None) {
        let Some(product) = &known.info.product else { continue };
        let path = ArchivePath::new(link::target(cx, product)?)?;
        let origin = Origin::new(format!("extension module `{product}`"));
        archive.add(known.id, path, true, &origin)?;
        archive.require(limited_api::check(&cx.shared, &cx.name, product, known.id)?);
    }
    Ok(())
}

/// The files that go where packages are installed, of these kinds, but for extension modules and
/// metadata.
fn importable(shared: &Shared, kinds: &[String]) -> Result<Vec<Importable>, Problems> {
    let configuration = &shared.configuration;
    let found = configuration.files()?;
    let by_source: HashMap<&str, &InstalledFile> =
        found.installed.iter().map(|file| (file.source.as_str(), file)).collect();
    let spec = any_spec(configuration)?;
    let is_asked = |kind: &Kind| kinds.iter().any(|asked| asked == kind.as_str());
    let mut files = Vec::new();
    let own = |known, file: (&ProjectPath, &str, &Reason)| -> Result<Importable, Problems> {
        let (source, target, reason) = file;
        Ok(Importable {
            known,
            path: ArchivePath::new(target)?,
            executable: is_executable(&source.in_dir(configuration.root())),
            origin: Origin::new(reason.to_string()),
        })
    };
    if is_asked(&MODULE_FILE) {
        for known in shared.artifacts.of(MODULE_FILE.as_str(), None) {
            let source = known.info.location.to_string();
            match by_source.get(source.as_str()) {
                Some(file) if !file.in_wheel => {}
                Some(file) => files.push(own(known, (&file.source, &file.target, &file.reason))?),
                None => files.extend(generated(&spec, known)?),
            }
        }
        for file in found.placed.iter().filter(|file| file.scheme.data_folder().is_none()) {
            let location = place(&file.source)?;
            let id = shared.engine.artifact(location.clone());
            let kind = MODULE_FILE.as_str().to_owned();
            let known = Known { info: ArtifactInfo { location, kind, product: None }, id };
            files.push(own(known, (&file.source, &file.target, &file.reason))?);
        }
    }
    if is_asked(&Kind::WHEEL_ENTRY) {
        for known in shared.artifacts.of(Kind::WHEEL_ENTRY.as_str(), None) {
            files.extend(generated(&spec, known)?);
        }
    }
    Ok(files)
}

/// A plugin's file, whose place below the build folder is its place in the wheel, unless it goes
/// elsewhere than packages do.
fn generated(spec: &WheelSpec, known: Known) -> Result<Option<Importable>, Problems> {
    let path = below(&known, ENTRIES);
    if editable::importable(spec, &path)? != Some(path.as_str()) {
        return Ok(None);
    }
    let origin = made_by(&known);
    Ok(Some(Importable { known, path: ArchivePath::new(path)?, executable: false, origin }))
}

/// Files that are installed elsewhere than packages, by the settings or by a plugin.
fn elsewhere(cx: &CommandContext, spec: &WheelSpec, archive: &mut Archive) -> Result<(), Problems> {
    let configuration = &cx.shared.configuration;
    for file in &configuration.files()?.placed {
        let Some(folder) = file.scheme.data_folder() else { continue };
        let path = spec.data(folder, &file.target)?;
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
    for known in cx.of(&MODULE_FILE, None).into_iter().chain(cx.of(&Kind::WHEEL_ENTRY, None)) {
        let path = below(&known, ENTRIES);
        let is_generated = matches!(known.info.location, Location::Build(_));
        if is_generated && editable::importable(spec, &path)? != Some(path.as_str()) {
            archive.add(known.id, ArchivePath::new(path)?, false, &made_by(&known))?;
        }
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
