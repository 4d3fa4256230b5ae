//! The target interpreter: which one it is, what it says about itself, and what follows for tags,
//! file names and headers.
//!
//! The idea: the interpreter is asked once, by a small script, for a flat record of [`Facts`];
//! everything else is computed from the facts, so that it can be tested for platforms that aren't
//! here. Facts are cached in a [`FactsCache`] that the caller gives, with the files they were read
//! from, and a warm query starts no process.
//!
//! Invariants:
//! - Cached facts are used only while every file they depend on is unchanged.
//! - An [`Interpreter`] is always one that Ekiben supports: CPython or PyPy, 3.8 or later.
//! - Nothing here writes a file.

mod cache;
mod error;
mod facts;
mod find;
mod interpreter;
mod tag;

pub use cache::{FactsCache, NoCache};
pub use error::{Attempt, Error};
pub use facts::{Facts, Implementation, Paths, Version};
pub use find::find_interpreter;
pub use interpreter::{ExtensionAbi, Interpreter};
pub use tag::{PythonVersion, Tag};
