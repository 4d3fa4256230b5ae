//! A project as its `pyproject.toml` describes it: typed, valid, with a place for every error.
//!
//! - [`Project::load`] reads the file and checks all of it: `[project]` ([`Standard`]),
//!   `[build-system]` ([`BuildSystem`]) and `[tool.ekiben]` ([`Settings`]). What is wrong comes
//!   back as [`Diagnostic`]s, all at once.
//! - [`Overrides`] are settings from outside, [`explain`] says where each value comes from, and
//!   [`validate_options`] checks a plugin's options against the plugin's schema.
//!
//! Nothing here builds, and nothing decides what the plugins decide: which suffix is whose, which
//! compiler there is.

mod build_system;
mod check;
mod dependency_groups;
mod diagnostic;
mod dynamic;
mod error;
mod explain;
mod files;
mod metadata;
mod options;
mod overrides;
mod project;
mod schema;
mod settings;
mod standard;
mod suggest;
mod tree;
mod validate;
mod values;

pub use build_system::BuildSystem;
pub use diagnostic::{Diagnostic, Severity, SourceName};
pub use dynamic::{Surroundings, System};
pub use error::ProjectError;
pub use explain::{ExplainRow, explain};
pub use files::{
    ExtensionFiles, GeneratedFile, InstalledFile, Package, PlacedFile, ProjectFile, ProjectFiles,
    Reason, Scheme, discover_files, discover_files_without, script_for_wheel,
};
pub use metadata::{MetadataInputs, core_metadata, entry_points_txt};
pub use options::{OptionTable, validate_options};
pub use overrides::{Override, Overrides};
pub use project::{PYPROJECT, Project};
pub use schema::{json_schema, published_schema};
pub use settings::*;
pub use standard::*;
pub use tree::Origin;
pub use values::*;
