//! The command graph, the plugin host and the run of a build.

pub mod graph;
pub mod plugin;
