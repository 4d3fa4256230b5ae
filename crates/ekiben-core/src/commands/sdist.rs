//! `sdist`: the project's files and `PKG-INFO`, as a source distribution.

use ekiben_archive::{ArchivePath, Origin, SdistSpec};
use ekiben_project::core_metadata;

use super::CommandContext;
use super::discover::{build_path, place};
use super::wheel::is_executable;
use crate::archive::{Archive, Spec};
use crate::graph::Kind;
use crate::problem::Problems;

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    let configuration = &cx.shared.configuration;
    let standard = configuration.project().standard();
    let spec = SdistSpec::new(standard.name.as_str(), &standard.version.to_string())?;
    let mut archive = Archive::new(Spec::Sdist(spec), cx.shared.timestamp()?);
    for file in &configuration.files()?.sdist {
        let id = cx.shared.engine.artifact(place(&file.path)?);
        let executable = is_executable(&file.path.in_dir(configuration.root()));
        let path = ArchivePath::new(file.path.as_str())?;
        archive.add(id, path, executable, &Origin::new(file.reason.to_string()))?;
    }
    for file in &configuration.files()?.generated {
        let path = build_path(&format!("sdist-entry/{}", file.path))?;
        let content = file.content.as_bytes();
        let id = cx.shared.engine.provide(cx.name.as_str(), path, content)?;
        let origin = Origin::new(file.reason.to_string());
        archive.add(id, ArchivePath::new(file.path.as_str())?, false, &origin)?;
    }
    // Not what `metadata` makes: what plugins derive for a wheel follows from where it is built.
    let info = configuration.project().metadata_inputs()?;
    let info = core_metadata(configuration.project(), &info);
    let id =
        cx.shared.engine.provide(cx.name.as_str(), build_path("PKG-INFO")?, info.as_bytes())?;
    let origin = Origin::new("the project's metadata");
    archive.add(id, ArchivePath::new("PKG-INFO")?, false, &origin)?;
    archive.submit(&cx.shared, &cx.name, &Kind::SDIST)
}
