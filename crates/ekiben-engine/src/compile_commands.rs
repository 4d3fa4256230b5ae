//! `compile_commands.json`: how each source is compiled, for editors. Written from the actions themselves, so that a
//! build that took everything from the cache has all of it too.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::action::{Action, ArtifactId};
use crate::path::Location;
use crate::render::CommandLine;
use crate::roots::Roots;

/// One entry of the compilation database, as clang's documentation defines it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CompileCommand {
    /// The folder that the compiler runs in, absolute.
    pub directory: String,
    /// The source, relative to it or absolute.
    pub file: String,
    /// What it makes.
    pub output: String,
    /// The compiler and its arguments.
    pub arguments: Vec<String>,
}

pub(crate) fn entry(
    action: &Action,
    names: &HashMap<ArtifactId, Arc<Location>>,
    roots: &Roots,
) -> Option<CompileCommand> {
    let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    let spell = |artifact: &ArtifactId| Some(text(&roots.spell(names.get(artifact)?)));
    let line = CommandLine::of(action, roots, |artifact| &names[&artifact])?;
    Some(CompileCommand {
        directory: text(roots.source().as_os_str()),
        file: spell(action.compile_source.as_ref()?)?,
        output: spell(action.outputs.first()?)?,
        arguments: std::iter::once(&line.program).chain(&line.args).map(|arg| text(arg)).collect(),
    })
}
