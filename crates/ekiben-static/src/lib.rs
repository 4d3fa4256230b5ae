//! Static wheels: wheels with objects, to be linked into a program, in place of their shared objects.
//!
//! A static wheel has the files that the ordinary wheel has, but for each compiled module there is a
//! relocatable object of the same name that ends in `.o` instead of `.so`. Its `.dist-info` holds
//! `static.json` besides: see [`Manifest`].

mod error;
mod export;
mod init;
mod install;
pub mod installer;
pub mod machine;
mod manifest;
mod own;
pub mod recorder;
mod store;
mod wheel;

pub use error::Error;
pub use init::symbol;
pub use manifest::{FORMAT, Library, MANIFEST, Manifest, Module, Sdist, Toolchain};
pub use store::{Progress, Request, StaticWheel, Store};
