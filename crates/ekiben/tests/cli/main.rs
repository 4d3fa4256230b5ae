//! The command from outside: small projects, real compilers, the whole output.
//!
//! Every project has a folder and a cache of its own, so tests don't know of each other.

#![allow(clippy::unwrap_used)]

mod build;
mod commands;
mod editable;
mod executable;
mod failures;
mod freeze;
mod migrate;
mod new;
mod pep517;
mod rebuild;
mod runtime;
mod static_modules;
mod support;
