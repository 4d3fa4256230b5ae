//! The module image: what an executable carries instead of files.
//!
//! [`Builder`] writes one and [`Image`] reads it where it lies, without copying: modules by
//! where they would lie, files by path, and settings by key. The format is described in `docs/module-image.md`.
//!
//! Invariants: no input and output of its own; the same content gives the same bytes, in whatever
//! order it was added; no input makes the reader panic, and whatever [`Image::open`] accepted can be
//! read without further errors, except for compressed content, which is checked when it is read.

mod error;
mod hash;
mod layout;
mod pack;
mod read;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod write;

pub use error::Error;
pub use layout::{FileKind, MAGIC, ModuleKind, VERSION};
pub use read::{Blob, Entry, File, Image, Module};
pub use write::{Builder, Content, Effort, NewModule};
