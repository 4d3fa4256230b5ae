//! `cargo xtask test`: everything that must hold before a change is taken.
//!
//! The workspace's own tests come last, so that a log ends with their summaries.

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
        println!("== house rules and the plugin interface");
        tidy::Args::default().run(workspace)?;
        wit_check::Args::default().run(workspace)?;
        println!("== plugins and wheel");
        let ekiben = dist::build(workspace)?;
        println!("== PEP 517 hooks");
        shim::test(workspace)?;
        println!("== examples");
        examples::test(workspace, &ekiben)?;
        println!("== editable installs");
        editable::test(workspace, &ekiben)?;
        println!("== schema, templates, executables, migrated and real packages");
        if self.offline {
            println!("left out");
        } else {
            schema::test(workspace, &ekiben)?;
            templates::test(workspace, &ekiben)?;
            println!("== executables");
            executables::test(workspace, &ekiben)?;
            println!("== static wheels of real packages");
            static_table::test(workspace, &ekiben)?;
            println!("== migrated and real packages");
            real::migrated::test(workspace, &ekiben)?;
            real::test(workspace, &ekiben)?;
        }
        println!("== the workspace's tests");
        run(workspace.native_cargo().args(["test", "--workspace"]))
    }
}
