//! `discover`: the files that the build starts from become artifacts.

use ekiben_engine::{Location, RelPath};
use ekiben_project::ProjectPath;

use super::{CommandContext, MODULE_FILE};
use crate::graph::Kind;
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
    Ok(())
}

/// The location of a file of the project.
pub(super) fn place(path: &ProjectPath) -> Result<Location, Problems> {
    RelPath::new(path.as_str()).map(Location::Source).map_err(|error| {
        Problem::error(Cause::Input, "path", format!("the path `{path}`: {error}")).into()
    })
}
