//! Options of the command line, laid over what a project's `[tool.ekiben.executable]` says: of what can be
//! said once, the option counts, and lists grow.

use ekiben_freeze::program::Project;
use ekiben_freeze::runtime::Linker;
use ekiben_project::{
    Executable, LinkChoice, ProgramFlavour, ProgramLink, ProgramLinker, ProjectPath,
};

use crate::cli::{Freeze, FreezeFlavour};

/// The options, with the project's settings where they leave something open.
pub(super) fn laid_over(options: &Freeze, project: &Project) -> Freeze {
    let Some(settings) = project.settings() else { return options.clone() };
    let inside = |path: &ProjectPath| path.in_dir(&project.folder);
    let mut laid = options.clone();
    // A runtime that is named is of a version.
    if laid.runtime.is_none() {
        laid.python = laid.python.or_else(|| settings.python.as_ref().map(ToString::to_string));
    }
    // The other one is what programs are anyhow, unless they have something to load.
    let flavour = (settings.flavour == ProgramFlavour::Dynamic).then_some(FreezeFlavour::Dynamic);
    laid.flavour = laid.flavour.or(flavour);
    laid.requirements = laid.requirements.or_else(|| settings.requirements.as_ref().map(inside));
    laid.trace_file = laid.trace_file.or_else(|| settings.trace_file.as_ref().map(inside));
    laid.linker = laid.linker.or_else(|| settings.linker.map(linker));
    laid.include.extend(settings.include.iter().map(ToString::to_string));
    laid.exclude.extend(settings.exclude.iter().map(ToString::to_string));
    laid.hints.extend(settings.hints.iter().map(inside));
    laid.static_wheels.extend(settings.static_wheels.iter().map(inside));
    for (name, its) in &settings.static_config {
        let its = its.iter().map(|setting| (name.clone(), setting.to_string()));
        laid.static_config.extend(its);
    }
    laid.prune |= settings.prune;
    laid.relink |= settings.relink;
    laid.strict |= settings.strict;
    laid.no_sources |= !settings.sources;
    if laid.optimize == 0 {
        laid.optimize = settings.optimize;
    }
    // Of what is said twice, the later counts.
    laid.link = links(settings).into_iter().chain(laid.link).collect();
    let set = [
        ("fast-exit", settings.set.fast_exit),
        ("isolated", settings.set.isolated),
        ("quiet-start", settings.set.quiet_start),
    ];
    let set = set.into_iter().map(|(name, is_on)| (name.to_owned(), is_on));
    laid.set = set.chain(laid.set).collect();
    laid
}

/// `link` as words of the command line.
fn links(settings: &Executable) -> Vec<String> {
    let word = |choice: &LinkChoice| match choice {
        LinkChoice::Static => "static",
        LinkChoice::Memory => "memory",
    };
    match &settings.link {
        None => Vec::new(),
        Some(ProgramLink::All(choice)) => vec![word(choice).to_owned()],
        Some(ProgramLink::PerPackage(packages)) => {
            packages.iter().map(|(name, choice)| format!("{name}={}", word(choice))).collect()
        }
    }
}

fn linker(linker: ProgramLinker) -> Linker {
    match linker {
        ProgramLinker::Bfd => Linker::Bfd,
        ProgramLinker::Lld => Linker::Lld,
        ProgramLinker::Mold => Linker::Mold,
    }
}
