//! Programs in one file: `artifact = "executable"`.
//!
//! This plugin decides and plans; the host's service `program` makes programs by its plans, natively.
//! What it decides: which runtime programs are made of, on which platforms they run, which files and
//! requirements go into them, and whether those requirements have to be resolved first.
//!
//! The project's extension modules become a static wheel: an object of each, and `static.json`, which
//! says what they are and need. Both are files like any others of the project to what makes programs,
//! and all there is of them in a wheel of the artifact `static-extension`.
//!
//! Deciding is pure: [`requirements`], [`platforms`] and [`libraries`]; only `emit` and `static_modules`
//! speak to the host.

mod emit;
mod libraries;
mod platforms;
mod requirements;
mod static_modules;

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct Freeze;

impl Plugin for Freeze {
    fn describe(to: &Registration) {
        to.identity("freeze", env!("CARGO_PKG_VERSION"), "Programs in one file");
        to.capability("read:source");
        to.capability("find:files");
        to.capability(&format!("service:{}", emit::SERVICE));

        let runtime = to.command("runtime", "choose the runtime that programs are made of");
        runtime.makes(emit::EXECUTABLE);
        runtime.produces("platform");
        // Modules are compiled with its headers.
        runtime.before("compile");

        let modules =
            to.command("static-modules", "make extension modules ready to be linked into programs");
        modules.makes(static_modules::MODULE);
        for kind in [static_modules::MODULE, static_modules::LIBRARIES, "metadata"] {
            modules.consumes(kind);
        }
        modules.produces("wheel-entry");
        modules.after("runtime");

        let program = to.command("program", "make programs in one file");
        program.makes(emit::EXECUTABLE);
        for kind in ["module-file", "metadata"] {
            program.consumes(kind);
        }
        program.consumes("wheel-entry?");
        program.consumes(&format!("{}?", static_modules::LIBRARIES));
        program.produces(emit::REQUIREMENTS);
        program.produces(emit::EXECUTABLE);
        program.after("runtime");
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        match command {
            "runtime" => emit::runtime(cx),
            "static-modules" => static_modules::emit(cx),
            "program" => emit::program(cx),
            _ => Err(Failure::Internal(format!("there is no command `{command}`"))),
        }
    }
}

ekiben_plugin::export_plugin!(Freeze);
