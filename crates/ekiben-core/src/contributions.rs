//! What plugins add to products and to the metadata, while the commands that use it haven't run yet.
//!
//! The configuration can't change once it is read, so these additions lie beside it, and each
//! remembers nobody's options: `compile`, `link` and `metadata` join the two when they make their
//! requests. Invariant: nothing is added after the command that would have used it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ekiben_engine::Location;

use crate::plugin::protocol::{Contribution, Failure};

/// What was added to one product, in the order in which it was added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Added {
    pub(crate) include_directories: Vec<Location>,
    pub(crate) definitions: Vec<(String, Option<String>)>,
    /// Arguments with the language that they are for, if not for all.
    compile_arguments: Vec<(Option<String>, String)>,
    pub(crate) libraries: Vec<String>,
    pub(crate) files: Vec<Location>,
    pub(crate) library_directories: Vec<Location>,
    pub(crate) link_arguments: Vec<String>,
    pub(crate) answered: BTreeSet<String>,
    pub(crate) platforms: Vec<String>,
}

impl Added {
    /// The arguments for one language's compiler.
    pub(crate) fn compile_arguments(&self, language: &str) -> Vec<String> {
        let fits = |meant: &Option<String>| meant.as_deref().is_none_or(|meant| meant == language);
        let meant = self.compile_arguments.iter().filter(|(meant, _)| fits(meant));
        meant.map(|(_, argument)| argument.clone()).collect()
    }
}

/// A command that uses what was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Compile,
    Link,
    Metadata,
    Wheel,
}

impl Stage {
    fn command(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Link => "link",
            Self::Metadata => "metadata",
            Self::Wheel => "wheel",
        }
    }
}

#[derive(Debug, Default)]
struct State {
    products: BTreeMap<String, Added>,
    /// Requirements, each with the plugin that found it.
    requirements: Vec<(String, String)>,
    closed: BTreeSet<Stage>,
}

/// All that plugins have added so far.
#[derive(Debug, Default)]
pub(crate) struct Contributions(Mutex<State>);

impl Contributions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to a product.
    ///
    /// # Errors
    /// When the command that would use it has run already: the plugin's mistake.
    pub(crate) fn add(&self, product: &str, contribution: &Contribution) -> Result<(), Failure> {
        let mut state = self.state();
        state.open(contribution.stage())?;
        let added = state.products.entry(product.to_owned()).or_default();
        match contribution.clone() {
            Contribution::IncludeDirectory(at) => push(&mut added.include_directories, at),
            Contribution::Define(name, value) => push(&mut added.definitions, (name, value)),
            Contribution::CompileArgument(language, value) => {
                added.compile_arguments.push((language, value));
            }
            Contribution::LinkLibrary(name) => added.libraries.push(name),
            Contribution::LinkFile(at) => added.files.push(at),
            Contribution::LibraryDirectory(at) => push(&mut added.library_directories, at),
            Contribution::LinkArgument(value) => added.link_arguments.push(value),
            Contribution::Answer(word) => {
                added.answered.insert(word);
            }
            Contribution::Platform(tag) => push(&mut added.platforms, tag),
        }
        Ok(())
    }

    /// Adds a requirement to the metadata.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn require(&self, by: &str, requirement: &str) -> Result<(), Failure> {
        let mut state = self.state();
        state.open(Stage::Metadata)?;
        push(&mut state.requirements, (by.to_owned(), requirement.to_owned()));
        Ok(())
    }

    /// What was added to a product.
    pub(crate) fn of(&self, product: &str) -> Added {
        self.state().products.get(product).cloned().unwrap_or_default()
    }

    /// The requirements for the metadata, each with the plugin that found it.
    pub(crate) fn requirements(&self) -> Vec<(String, String)> {
        self.state().requirements.clone()
    }

    /// Says that `stage` begins: what it uses can't grow any more.
    pub(crate) fn close(&self, stage: Stage) {
        self.state().closed.insert(stage);
    }
}

impl State {
    fn open(&self, stage: Stage) -> Result<(), Failure> {
        if !self.closed.contains(&stage) {
            return Ok(());
        }
        let command = stage.command();
        Err(Failure::Internal(format!(
            "it adds something that `{command}` would have used, and `{command}` has run; its command must come before"
        )))
    }
}

impl Contribution {
    fn stage(&self) -> Stage {
        match self {
            Self::IncludeDirectory(_)
            | Self::Define(..)
            | Self::CompileArgument(..)
            | Self::Answer(_) => Stage::Compile,
            Self::LinkLibrary(_)
            | Self::LinkFile(_)
            | Self::LibraryDirectory(_)
            | Self::LinkArgument(_) => Stage::Link,
            Self::Platform(_) => Stage::Wheel,
        }
    }
}

/// Adds what isn't there yet.
fn push<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn additions_keep_their_order_and_folders_come_once() {
        let all = Contributions::default();
        let library = |name: &str| Contribution::LinkLibrary(name.to_owned());
        for name in ["b", "a", "b"] {
            all.add("spam", &library(name)).unwrap();
        }
        let define = Contribution::Define("X".to_owned(), None);
        all.add("spam", &define).unwrap();
        all.add("spam", &define).unwrap();
        // The linker reads libraries in order, and a second mention can be needed.
        assert_eq!(all.of("spam").libraries, ["b", "a", "b"]);
        assert_eq!(all.of("spam").definitions.len(), 1);
        assert!(all.of("eggs").libraries.is_empty());
    }

    #[test]
    fn arguments_are_for_one_language_or_all() {
        let all = Contributions::default();
        for (language, value) in [(Some("c"), "-1"), (None, "-2"), (Some("c++"), "-3")] {
            let argument =
                Contribution::CompileArgument(language.map(ToOwned::to_owned), value.to_owned());
            all.add("spam", &argument).unwrap();
        }
        let of = |language| all.of("spam").compile_arguments(language);
        assert_eq!(of("c"), ["-1", "-2"]);
        assert_eq!(of("fortran"), ["-2"]);
    }

    #[test]
    fn what_comes_too_late_is_refused() {
        let all = Contributions::default();
        all.close(Stage::Compile);
        let late = all.add("spam", &Contribution::Define("X".to_owned(), None)).unwrap_err();
        insta::assert_debug_snapshot!(late, @r#"
        Internal(
            "it adds something that `compile` would have used, and `compile` has run; its command must come before",
        )
        "#);
        all.add("spam", &Contribution::LinkLibrary("z".to_owned())).unwrap();
        all.require("numpy-config", "numpy>=2").unwrap();
        all.close(Stage::Metadata);
        assert!(all.require("numpy-config", "scipy").is_err());
        assert_eq!(all.requirements(), [("numpy-config".to_owned(), "numpy>=2".to_owned())]);
    }
}
