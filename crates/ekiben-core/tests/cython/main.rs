//! Whole builds with the real `cython` and `gnu` plugins, real Cythons of several versions, and a
//! real compiler.
#![allow(clippy::unwrap_used)]

mod dependencies;
mod errors;
mod modules;
mod static_names;
mod support;
