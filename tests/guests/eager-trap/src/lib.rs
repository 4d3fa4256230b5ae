//! A plugin that panics while it describes itself, after it has said its name.

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct EagerTrap;

impl Plugin for EagerTrap {
    fn describe(to: &Registration) {
        to.identity("eager-trap", "0.1.0", "Traps");
        panic!("nothing to say");
    }

    fn run(command: &str, _: &Context) -> Result<(), Failure> {
        Err(Failure::Internal(format!("there is no command `{command}`")))
    }
}

ekiben_plugin::export_plugin!(EagerTrap);
