//! The `ekiben` command.
fn main() {}
