//! The heart of Ekiben: the project becomes a [`Configuration`], the configuration decides on a
//! [command graph](graph), its commands plan actions, and the engine runs them.
//!
//! | module | what it is |
//! |---|---|
//! | [`graph`] | commands and their order, as pure data |
//! | [`plugin`] | the host of WebAssembly components |
//! | `configuration`, `plugins`, `products` | all that is decided before any command runs |
//! | `commands` | the commands that Ekiben itself brings |
//! | `editable` | what editable installs do in the project's own folder |
//! | `services` | native functions that carry out what plugins plan |
//! | `world` | the build, as a plugin's call sees it |
//! | `build` | the run of it all |
//! | `problem` | what went wrong, in one shape |
//!
//! Invariant: nothing here knows about Cython, NumPy, a compiler, Windows, freezing or repair.

mod archive;
mod artifacts;
mod build;
mod commands;
mod configuration;
mod contributions;
mod distributions;
mod editable;
pub mod graph;
mod limited_api;
mod observer;
pub mod plugin;
mod plugins;
mod probe;
mod problem;
mod products;
mod services;
mod tools;
mod world;

pub use build::{Built, Environment, Session, open_cache, plugin_host};
pub use configuration::{Configuration, Repetition, Request};
pub use editable::{kept_folder, remove_placed};
pub use observer::{Observer, Silent};
pub use plugins::{BuiltIn, Plugins};
pub use problem::{Cause, Place, Problem, Problems, Severity};
pub use products::Product;
pub use services::{Service, ServiceFiles, Services, Surroundings};
