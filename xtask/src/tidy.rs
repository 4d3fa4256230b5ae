//! x
#[derive(clap::Args)]
pub(crate) struct Args {}
impl Args { pub(crate) fn run(&self, _w: &crate::workspace::Workspace) -> anyhow::Result<()> { Ok(()) } }
