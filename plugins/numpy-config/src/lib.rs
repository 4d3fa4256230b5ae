//! NumPy for extension modules: `uses = ["numpy"]`, `"numpy:npymath"`, `"numpy:npyrandom"`.
//!
//! What a NumPy needs and gives is read from the one that is installed for the build: its headers
//! say which versions they know and how far back the result works ([`header`]), so that no table of
//! releases grows old here. [`plan`] decides from that, [`bound`] compares it with what the project
//! says that it depends on; only `emit` speaks to the host.

mod bound;
mod emit;
mod header;
mod plan;
mod release;

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct NumpyConfig;

impl Plugin for NumpyConfig {
    fn describe(to: &Registration) {
        to.identity(
            "numpy-config",
            env!("CARGO_PKG_VERSION"),
            "NumPy's headers, macros and static libraries",
        );
        to.options(OPTIONS);
        to.capability("read:distributions");
        let command = to.command("find", "find NumPy's headers and libraries");
        for word in plan::Word::ALL {
            command.answers(word.text());
        }
        // What is built with NumPy 2 works with 1.x too; the other way round it doesn't.
        command.requires("numpy>=2; python_version >= \"3.9\"");
        command.requires("numpy>=1.17,<2; python_version < \"3.9\"");
        command.produces("usage");
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        match command {
            "find" => emit::find(cx),
            other => Err(Failure::Internal(format!("there is no command `{other}`"))),
        }
    }
}

const OPTIONS: &str = r#"{
    "type": "object",
    "properties": {
        "target": {
            "type": "string",
            "description": "The oldest NumPy that the wheel is to work with, such as `1.23`. When not given: the oldest that the NumPy at build time supports."
        },
        "no-deprecated-api": {
            "type": "string",
            "description": "Hides what NumPy's C API deprecated up to this version, such as `1.7` (NPY_NO_DEPRECATED_API)."
        }
    },
    "additionalProperties": false
}"#;

ekiben_plugin::export_plugin!(NumpyConfig);
