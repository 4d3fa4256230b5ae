//! `metadata`: the files of `.dist-info` that follow from the project alone.

use ekiben_engine::{Location, RelPath};
use ekiben_project::{Dependency, MetadataInputs, core_metadata, entry_points_txt};

use super::CommandContext;
use crate::configuration::Configuration;
use crate::contributions::Stage;
use crate::graph::Kind;
use crate::plugin::protocol::ArtifactInfo;
use crate::problem::{Cause, Problem, Problems};

/// The folder, below the build folder, whose content goes to `.dist-info`.
pub(super) const FOLDER: &str = "dist-info/";

/// The files of `.dist-info` by their paths in it. `WHEEL` and `RECORD` are the wheel's own matter.
/// `requirements` are those that plugins derived.
pub(crate) fn dist_info_files(
    configuration: &Configuration,
    requirements: Vec<Dependency>,
) -> Result<Vec<(String, Vec<u8>)>, Problems> {
    let project = configuration.project();
    let inputs = MetadataInputs { requirements, ..project.metadata_inputs()? };
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
    let mut requirements = Vec::new();
    for (by, text) in cx.shared.contributions.requirements() {
        let project = cx.shared.configuration.project();
        let (derived, said) = project.derived_requirements(&by, [text.as_str()]);
        requirements.extend(derived);
        for diagnostic in said {
            cx.shared.observer.problem(&Problem::from(diagnostic));
        }
    }
    for (name, content) in dist_info_files(&cx.shared.configuration, requirements)? {
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
