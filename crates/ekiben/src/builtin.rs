//! The plugins that are part of the program. `build.rs` lists them.

use ekiben_core::BuiltIn;

/// Machine code that is part of the program.
#[allow(unused_macros)] // a build for development has none
macro_rules! precompiled {
    ($component:literal, $path:literal) => {{
        // SAFETY: whoever set `EKIBEN_PRECOMPILED_DIR` when the program was built vouches for what
        // is in it; `cargo xtask dist` has it filled by the same sources' own `plugin precompile`.
        Some(unsafe { ekiben_core::plugin::Precompiled::new($component, include_bytes!($path)) })
    }};
}

/// Every built-in plugin, in the order of their ids. A constant's bytes would be in the program once
/// for each use.
#[allow(unsafe_code)]
pub(crate) static BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));
