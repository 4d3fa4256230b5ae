//! gnu
use ekiben_plugin::*;
struct Gnu;
impl Plugin for Gnu { fn describe(to: &Registration) { to.identity("gnu","0.1.0","x"); } fn run(_: &str, _: &Context) -> Result<(), Failure> { Ok(()) } }
impl Toolchain for Gnu { fn compile(_: &Context, r: &CompileRequest) -> Result<(), Failure> { Err(Failure::Unsupported(r.language())) } fn link(_: &Context, _: &LinkRequest) -> Result<(), Failure> {Ok(())} }
export_toolchain_plugin!(Gnu);
