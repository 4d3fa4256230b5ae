//! `bento.info`, the description that Bento built projects from.
//!
//! [`parse`] reads one file into a [`BentoFile`] and touches nothing else; `convert` follows
//! `Recurse` and brings all files into a model.

mod convert;
mod data_files;
mod fields;
mod parse;

pub use parse::{BentoFile, Conditional, Entry, Field, Section, Test, Text, parse};

use std::path::Path;

use crate::error::Error;
use crate::model::Model;

/// Learns what a project of Bento is.
pub(crate) fn read(folder: &Path) -> Result<Model, Error> {
    convert::read(folder)
}
