//! Native libraries by pkg-config: `uses = ["pkg-config:zlib", "pkg-config:glib-2.0>=2.50"]`.
//!
//! Deciding is pure: [`word`] reads what the project wrote, [`flags`] what pkg-config printed, [`find`]
//! puts the two together, [`missing`] and [`packages`] explain what wasn't found. Only `emit` speaks to
//! the host.
//!
//! pkg-config is asked anew in each build, which takes it about a millisecond: its answer depends on
//! files that nobody can list beforehand, such as a `.pc` file that comes to lie before another. When
//! it answers as before, all the rest is replayed.

mod emit;
mod find;
mod flags;
mod missing;
mod packages;
mod word;

use ekiben_plugin::{Context, Failure, Plugin, Registration};

/// The plugin.
pub struct PkgConfig;

impl Plugin for PkgConfig {
    fn describe(to: &Registration) {
        to.identity(
            "pkg-config",
            env!("CARGO_PKG_VERSION"),
            "Native libraries, found by pkg-config",
        );
        to.options(OPTIONS);
        for variable in emit::PASSED {
            to.capability(&format!("env:{variable}"));
        }
        to.capability("find:files");
        let tool = to.tool(emit::TOOL);
        tool.environment("PKG_CONFIG");
        tool.candidate("pkg-config");
        tool.candidate("pkgconf");
        let command = to.command("find", "find native libraries with pkg-config");
        command.answers(&format!("{}*", word::PREFIX));
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
        "static": {
            "type": "array", "items": { "type": "string" }, "default": [],
            "description": "Libraries to link statically, by their pkg-config names; `*` for all."
        },
        "run-path": {
            "type": "array", "items": { "type": "string" }, "default": [],
            "description": "Libraries whose .pc file may put a run path (RPATH) into the module; `*` for all."
        }
    },
    "additionalProperties": false
}"#;

/// A JSON array of strings.
fn texts(list: &serde_json::Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

ekiben_plugin::export_plugin!(PkgConfig);
