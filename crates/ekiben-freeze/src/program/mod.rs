//! From code to a program: the modules that it needs are found, compiled, made an image, and put into
//! the interpreter of a runtime.
//!
//! | module | what it is |
//! |---|---|
//! | [`Target`] | what is to become a program |
//! | `find` | modules and files, found by a script in Python that the runtime's interpreter runs |
//! | `trace` | what a run of it imports |
//! | `hints` | what can't be seen in the code of packages |
//! | `dependencies` | what a program depends on, installed by uv or pip into a folder of the cache |
//! | [`host`] | ordinary interpreters that programs are made of, where no runtime is |
//! | `shared` | shared objects that are loaded from memory, with the libraries that they need |
//! | `statics` | modules of static wheels, which are linked in |
//! | `link` | the interpreter, which may have to be linked anew |
//! | [`Links`] | which of both is wanted |
//! | [`with_static`] | installed packages with static wheels in place of some |
//! | [`Beside`] | packages that are files beside the program |
//! | `output` | where a program may be written |
//! | `passing` | what is kept of a search where a folder was made for one program |
//! | `make` | the image, and the program |
//! | [`Report`] | what was taken and why, for people and for programs |
//! | [`inventory`] | what is in a program that was made |
//!
//! Invariants: no code of the program is run, unless it is to be traced; the same input makes the same bytes, wherever it lies;
//! what a result depended on is compared by content before it is used again.

mod base;
mod beside;
mod dependencies;
mod error;
mod find;
mod hints;
pub mod host;
mod inline;
mod inputs;
pub mod inventory;
mod link;
mod links;
mod make;
mod output;
mod passing;
mod project;
mod pylock;
mod report;
mod resolve;
mod script;
mod shared;
mod sources;
mod statics;
mod target;
mod trace;
mod wheels;

pub use base::Base;
pub use beside::{Beside, Folder};
pub use dependencies::{Installer, installed_folder};
pub use error::{Compiled, Error, Need};
pub use inline::script_dependencies;
pub use links::{Link, Links};
pub use make::{Program, Request, SWITCHES, compiled, freeze, freeze_until, version};
pub use output::check_output;
pub use project::{Modules, Project};
pub use report::{
    Distribution, Missing, Report, ReportedFile, ReportedModule, Sizes, Warning, Why,
};
pub use sources::Sources;
pub use target::Target;
pub use trace::{Trace, record, recorded, trace};
pub use wheels::{
    Installed, StaticWheels, WithStatic, installed, installed_with_modules, replace_by_static,
    with_static,
};

pub use crate::runtime::{Flavour, Linker};

/// The section that holds a program's image.
pub const SECTION: &str = ".ekiben_image";
