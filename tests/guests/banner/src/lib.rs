//! x
use ekiben_plugin::{Context, Failure, Plugin, Registration};
struct Banner;
impl Plugin for Banner {
    fn describe(to: &Registration) { to.identity("banner", "1.0.0", "Writes"); }
    fn run(_: &str, _: &Context) -> Result<(), Failure> { Ok(()) }
}
ekiben_plugin::export_plugin!(Banner);
