//! A plugin whose one command stands in for the core's `sdist`.

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct Usurper;

impl Plugin for Usurper {
    fn describe(to: &Registration) {
        to.identity("usurper", "0.1.0", "Makes another sort of source distribution");
        let sdist = to.command("sdist", "write a list in the place of a source distribution");
        sdist.consumes("metadata");
        sdist.produces("sdist");
        sdist.replaces("sdist");
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        if command != "sdist" {
            return Err(Failure::Internal(format!("there is no command `{command}`")));
        }
        let count = cx.artifacts("metadata")?.len();
        let text = format!("{count} files of metadata\n");
        cx.write("usurper/sdist.txt", "sdist", None, text.as_bytes()).map(drop)
    }
}

ekiben_plugin::export_plugin!(Usurper);
