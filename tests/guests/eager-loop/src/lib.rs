//! A plugin that never finishes describing itself.

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct EagerLoop;

impl Plugin for EagerLoop {
    fn describe(_: &Registration) {
        loop {
            std::hint::black_box(());
        }
    }

    fn run(command: &str, _: &Context) -> Result<(), Failure> {
        Err(Failure::Internal(format!("there is no command `{command}`")))
    }
}

ekiben_plugin::export_plugin!(EagerLoop);
