//! Cython sources become C or C++.
//!
//! For each extension with a Cython source there is one action, and one process serves them all:
//! `worker.py`, which this plugin writes into the build folder, stays up for the whole build, since
//! Cython takes longer to start than to translate. The worker says what it read (`.pxd` files,
//! includes), so a changed one leads to exactly the translations that used it.
//!
//! What must be known before anything runs is found in the sources by [`scan`]: the language, and
//! what they ask of compiler and linker by `# distutils:`. Planning is pure; only `emit` speaks to
//! the host.

mod distutils;
mod emit;
mod options;
mod plan;
mod scan;

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct Cython;

impl Plugin for Cython {
    fn describe(to: &Registration) {
        to.identity("cython", env!("CARGO_PKG_VERSION"), "Cython sources become C or C++");
        to.options(&options::schema());
        to.capability("read:source");
        to.capability("read:distributions");
        to.tool(emit::PYTHON).interpreter();

        let translate = to.command("translate", "translate Cython sources to C or C++");
        translate.consumes("source");
        for kind in emit::PRODUCED {
            translate.produces(kind);
        }
        translate.before("compile");
        translate.translates(".pyx", true);
        // Any package has `.py` files: only those that an extension lists are meant.
        translate.translates(".py", false);
        translate.requires(emit::REQUIREMENT);

        let rename = to.command("static-rename", "give modules names for a static program");
        rename.consumes("generated-source");
        for kind in emit::RENAMED {
            rename.produces(kind);
        }
        rename.makes("static-module");
        rename.after("translate");
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        match command {
            "translate" => emit::translate(cx),
            "static-rename" => emit::static_rename(cx),
            _ => Err(Failure::Internal(format!("there is no command `{command}`"))),
        }
    }
}

ekiben_plugin::export_plugin!(Cython);
