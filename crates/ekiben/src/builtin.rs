//! The plugins that are part of the program. `build.rs` lists them.

use ekiben_core::BuiltIn;

/// Every built-in plugin, in the order of their ids.
pub(crate) const BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));
