//! `discover`: the files that the build starts from become artifacts.

use ekiben_engine::{Location, RelPath};
use ekiben_project::ProjectPath;

use super::{CommandContext, MODULE_FILE};
use crate::graph::Kind;
use crate::plugin::protocol::ArtifactInfo;
use crate::problem::{Cause, Problem, Problems};

pub(super) fn run(cx: &CommandContext) -> Result<(), Problems> {
    let mut sources = std::collections::HashSet::new();
    for product in &cx.shared.products {
        for source in &product.sources {
            // A source of two products is compiled for each of them, with each one's settings.
            if sources.insert(source) {
                cx.add(place(source)?, &Kind::SOURCE, None)?;
            }
        }
    }
    for file in &cx.shared.configuration.files()?.installed {
        // A module that is compiled may be there as a source, too, as it is with other back ends.
        if !sources.contains(&file.source) || file.source.file_name().ends_with(".py") {
            cx.add(place(&file.source)?, &MODULE_FILE, None)?;
        }
    }
    for file in &cx.shared.configuration.files()?.generated {
        // Where plugins put what belongs into the wheel.
        let path = build_path(&format!("{}{}", super::wheel::ENTRIES, file.target))?;
        let id =
            cx.shared.engine.provide(cx.name.as_str(), path.clone(), file.content.as_bytes())?;
        let kind = MODULE_FILE.as_str().to_owned();
        cx.adopt(ArtifactInfo { location: Location::Build(path), kind, product: None }, id)?;
    }
    Ok(())
}

/// A path below the build folder.
pub(super) fn build_path(path: &str) -> Result<RelPath, Problems> {
    RelPath::new(path).map_err(|error| {
        Problem::error(Cause::Input, "path", format!("the path `{path}`: {error}")).into()
    })
}

/// The location of a file of the project.
pub(super) fn place(path: &ProjectPath) -> Result<Location, Problems> {
    RelPath::new(path.as_str()).map(Location::Source).map_err(|error| {
        Problem::error(Cause::Input, "path", format!("the path `{path}`: {error}")).into()
    })
}
