//! The plugin host from outside: built components, run against a build in memory.
#![allow(clippy::unwrap_used)]

mod hostile;
mod interface;
mod project;
mod replay;
mod support;
