//! Programs in one file: `artifact = "executable"`.
//!
//! This plugin decides and plans; the host's service `program` makes programs by its plans, natively.
//! What it decides: which runtime programs are made of, on which platforms they run, which files and
//! requirements go into them, and whether those requirements have to be resolved first.
//!
//! Deciding is pure: [`requirements`] and [`platforms`]; only `emit` speaks to the host.

mod emit;
mod platforms;
mod requirements;

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct Freeze;

impl Plugin for Freeze {
    fn describe(to: &Registration) {
        to.identity("freeze", env!("CARGO_PKG_VERSION"), "Programs in one file");
        to.capability("read:source");
        to.capability(&format!("service:{}", emit::SERVICE));

        let runtime = to.command("runtime", "choose the runtime that programs are made of");
        runtime.makes(emit::EXECUTABLE);
        runtime.produces("platform");
        // What can't become a part of a program needn't be compiled first.
        runtime.before("compile");

        let program = to.command("program", "make programs in one file");
        program.makes(emit::EXECUTABLE);
        for kind in ["module-file", "metadata"] {
            program.consumes(kind);
        }
        program.consumes("wheel-entry?");
        program.produces(emit::REQUIREMENTS);
        program.produces(emit::EXECUTABLE);
        program.after("runtime");
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        match command {
            "runtime" => emit::runtime(cx),
            "program" => emit::program(cx),
            _ => Err(Failure::Internal(format!("there is no command `{command}`"))),
        }
    }
}

ekiben_plugin::export_plugin!(Freeze);
