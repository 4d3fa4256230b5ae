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
    // An interpreter that is named by its path is no runtime's.
    let is_path = options.python.as_ref().is_some_and(|python| python.contains('/'));
    laid.flavour = laid.flavour.or(settings.flavour.filter(|_| !is_path).map(flavour));
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

fn flavour(flavour: ProgramFlavour) -> FreezeFlavour {
    match flavour {
        ProgramFlavour::Static => FreezeFlavour::Static,
        ProgramFlavour::Dynamic => FreezeFlavour::Dynamic,
        ProgramFlavour::Host => FreezeFlavour::Host,
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    const SETTINGS: &str = r#"
[build-system]
requires = ["ekiben"]
build-backend = "ekiben"
[project]
name = "spam"
version = "1.0"
[project.scripts]
spam = "spam:main"
[tool.ekiben.executable]
python = "3.12"
flavour = "dynamic"
include = ["spam.a"]
hints = ["hints"]
relink = true
optimize = 1
sources = false
link = { "*" = "memory", numpy = "static" }
linker = "mold"
set = { isolated = false }
"#;

    fn laid(words: &[&str]) -> (Freeze, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pyproject.toml"), SETTINGS).unwrap();
        let project = Project::read(folder.path()).unwrap();
        let words = ["ekiben", "freeze", "."].iter().chain(words);
        let Command::Freeze(options) = Cli::try_parse_from(words).unwrap().command else {
            panic!("`freeze` is another command");
        };
        (laid_over(&options, &project), folder.path().to_owned())
    }

    #[test]
    fn settings_count_where_no_option_is_given() {
        let (laid, folder) = laid(&[]);
        assert_eq!(laid.python.as_deref(), Some("3.12"));
        assert_eq!(laid.flavour, Some(FreezeFlavour::Dynamic));
        assert_eq!(laid.hints, [folder.join("hints")]);
        assert_eq!((laid.relink, laid.prune, laid.no_sources), (true, false, true));
        assert_eq!((laid.optimize, laid.linker), (1, Some(Linker::Mold)));
        let mut link = laid.link;
        link.sort();
        assert_eq!(link, ["*=memory", "numpy=static"]);
        assert!(laid.set.contains(&("isolated".to_owned(), false)), "{:?}", laid.set);
    }

    #[test]
    fn options_count_more_and_lists_grow() {
        let words = "--python 3.13 --flavour static --include spam.b --optimize 2 --link static \
                     --linker lld --set isolated=true";
        let (laid, _) = laid(&words.split_whitespace().collect::<Vec<_>>());
        assert_eq!(laid.python.as_deref(), Some("3.13"));
        assert_eq!(laid.flavour, Some(FreezeFlavour::Static));
        assert_eq!(laid.include, ["spam.b", "spam.a"]);
        assert_eq!((laid.optimize, laid.linker), (2, Some(Linker::Lld)));
        assert_eq!(laid.link.last().map(String::as_str), Some("static"));
        assert_eq!(laid.set.last(), Some(&("isolated".to_owned(), true)));
    }

    #[test]
    fn an_interpreter_that_is_named_is_of_no_runtime() {
        assert_eq!(laid(&["--python", "/usr/bin/python3"]).0.flavour, None);
    }
}
