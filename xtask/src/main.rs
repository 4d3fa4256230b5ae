//! Maintainers' commands: `cargo xtask <command>`.
//!
//! One module a command. Each has an `Args` type with a `run` method, or, if all it is told is which
//! wheel of Ekiben to test, a function `test`; a new command is a module, a line in [`Command`] and an
//! arm in [`main`].
//!
//! Invariant: nothing here is needed to use Ekiben, and nothing of Ekiben is linked in, so that
//! these commands work while the other crates don't compile.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod abi3;
mod acceptance;
mod bench;
mod checks;
mod component;
mod demo;
mod dist;
mod editable;
mod examples;
mod executables;
mod frontend;
mod plugins;
mod python;
mod real;
mod runtime;
mod runtime_object;
mod schema;
mod shim;
mod static_table;
mod strace;
mod templates;
mod test;
mod tidy;
mod wasm_toolchain;
mod wit_check;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Maintainers' commands")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the table of CPython's stable ABI from the package that has it
    Abi3(abi3::Args),
    /// Run CPython's own tests in interpreters that are one file, and compare
    Acceptance(acceptance::Args),
    /// Measure what builds cost, beside other backends
    Bench(bench::Args),
    /// Build an example as its users would, and run it
    Demo(demo::Args),
    /// Build Ekiben's wheel into `dist/`
    Dist(dist::Args),
    /// Install a project as its folder, edit it and import it
    Editable(dist::Wheel),
    /// Build the examples, test them, and check what builds make with others' tools
    Examples(dist::Wheel),
    /// Make programs, and compare them with the ordinary interpreter
    Executables(executables::Args),
    /// Migrate real packages that have a setup.py, build them and run their own tests
    Migrate(dist::Wheel),
    /// Build the plugins, and the guests of the tests, as WebAssembly components
    Plugins(plugins::Args),
    /// Build real packages through real frontends and run their own tests
    Real(real::Args),
    /// Build a runtime and check it
    Runtime(runtime::Args),
    /// Check settings by their schema with validate-pyproject
    Schema(dist::Wheel),
    /// Build packages from source, link them into programs and run these; write the table of it
    StaticTable(static_table::Args),
    /// Make a project of each template, build it and run its tests
    Templates(dist::Wheel),
    /// Run all checks and tests
    Test(test::Args),
    /// Check the house rules
    Tidy(tidy::Args),
    /// Check that the plugin interface is compatible with its released versions
    WitCheck(wit_check::Args),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let done = Workspace::find().and_then(|workspace| match command {
        Command::Abi3(args) => args.run(&workspace),
        Command::Acceptance(args) => args.run(&workspace),
        Command::Bench(args) => args.run(&workspace),
        Command::Demo(args) => args.run(&workspace),
        Command::Dist(args) => args.run(&workspace),
        Command::Editable(wheel) => editable::test(&workspace, &wheel.get(&workspace)?),
        Command::Examples(wheel) => examples::test(&workspace, &wheel.get(&workspace)?),
        Command::Executables(args) => args.run(&workspace),
        Command::Migrate(wheel) => real::migrated::test(&workspace, &wheel.get(&workspace)?),
        Command::Plugins(args) => args.run(&workspace),
        Command::Real(args) => args.run(&workspace),
        Command::Runtime(args) => args.run(&workspace),
        Command::Schema(wheel) => schema::test(&workspace, &wheel.get(&workspace)?),
        Command::StaticTable(args) => args.run(&workspace),
        Command::Templates(wheel) => templates::test(&workspace, &wheel.get(&workspace)?),
        Command::Test(args) => args.run(&workspace),
        Command::Tidy(args) => args.run(&workspace),
        Command::WitCheck(args) => args.run(&workspace),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
