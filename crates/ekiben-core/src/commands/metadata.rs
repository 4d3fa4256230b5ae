//! `metadata`: the files of `.dist-info` that follow from the project alone.

use ekiben_engine::{Location, RelPath};
use ekiben_project::{MetadataInputs, core_metadata, entry_points_txt};

use super::CommandContext;
use crate::configuration::Configuration;
use crate::contributions::Stage;
use crate::distributions::required_name;
use crate::graph::Kind;
use crate::plugin::protocol::ArtifactInfo;
use crate::problem::{Cause, Problem, Problems};

/// The folder, below the build folder, whose content goes to `.dist-info`.
pub(super) const FOLDER: &str = "dist-info/";

/// What a plugin found that the wheel needs, though `dependencies` doesn't name it.
fn unlisted(configuration: &Configuration, requirement: &str) -> Option<Problem> {
    let project = configuration.project();
    let name = required_name(requirement);
    let mut listed = project.standard().dependencies.iter();
    if listed.any(|dependency| required_name(&dependency.to_string()) == name) {
        return None;
    }
    let message = format!("the wheel needs `{requirement}`, which `dependencies` doesn't name");
    let mut problem = Problem::warning(Cause::Input, "missing-dependency", message)
        .help(format!("add \"{requirement}\" to `dependencies` in [project]"));
    let place = Problem::from(project.error_at(&["dependencies"], "missing-dependency", ""));
    problem.at = place.at;
    Some(problem)
}

/// The files of `.dist-info` by their paths in it. `WHEEL` and `RECORD` are the wheel's own matter.
pub(crate) fn dist_info_files(
    configuration: &Configuration,
) -> Result<Vec<(String, Vec<u8>)>, Problems> {
    let project = configuration.project();
    let inputs: MetadataInputs = project.metadata_inputs()?;
    let mut files = vec![("METADATA".to_owned(), core_metadata(project, &inputs).into_bytes())];
    if let Some(text) = entry_points_txt(project) {
        files.push(("entry_points.txt".to_owned(), text.into_bytes()));
    }
    for path in &inputs.license_files {
        let content = std::fs::read(path.in_dir(configuration.root())).map_err(|error| {
            let message = format!("the licence file {path} can't be read: {error}");
            Problem::error(Cause::Input, "unreadable-file", message)
        })?;
        files.push((format!("licenses/{path}"), content));
    }
    Ok(files)
}

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    cx.shared.contributions.close(Stage::Metadata);
    for requirement in cx.shared.contributions.requirements() {
        if let Some(problem) = unlisted(&cx.shared.configuration, &requirement) {
            cx.shared.observer.problem(&problem);
        }
    }
    for (name, content) in dist_info_files(&cx.shared.configuration)? {
        let path = RelPath::new(&format!("{FOLDER}{name}")).map_err(|error| {
            Problem::error(Cause::Input, "path", format!("the licence file {name}: {error}"))
        })?;
        let id = cx.shared.engine.provide(cx.name.as_str(), path.clone(), &content)?;
        let info = ArtifactInfo {
            location: Location::Build(path),
            kind: Kind::METADATA.as_str().to_owned(),
            product: None,
        };
        cx.adopt(info, id)?;
    }
    Ok(())
}
