//! `cargo xtask test`: everything that must hold before a change is taken.
//!
//! The workspace's own tests come last, so that a log ends with their summaries.

use std::time::Instant;

use anyhow::Result;

use crate::workspace::{Workspace, run};
use crate::{
    dist, editable, examples, executables, real, schema, shim, static_table, templates, tidy,
    wit_check,
};

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out the real packages, which are downloaded the first time
    #[arg(long)]
    offline: bool,
}

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        let start = Instant::now();
        let step = |name: &str| println!("== {name} ({} s)", start.elapsed().as_secs());
        step("house rules and the plugin interface");
        tidy::Args::default().run(workspace)?;
        wit_check::Args::default().run(workspace)?;
        step("plugins and wheel");
        let ekiben = dist::build(workspace)?;
        step("PEP 517 hooks");
        shim::test(workspace)?;
        step("examples");
        examples::test(workspace, &ekiben)?;
        step("editable installs");
        editable::test(workspace, &ekiben)?;
        if self.offline {
            step("schema, templates, executables, migrated and real packages: left out");
        } else {
            step("schema and templates");
            schema::test(workspace, &ekiben)?;
            templates::test(workspace, &ekiben)?;
            step("executables");
            executables::test(workspace, &ekiben)?;
            step("static wheels of real packages");
            static_table::test(workspace, &ekiben)?;
            step("migrated and real packages");
            real::migrated::test(workspace, &ekiben)?;
            real::test(workspace, &ekiben)?;
        }
        step("the workspace's tests");
        run(workspace.native_cargo().args(["test", "--workspace"]))
    }
}
