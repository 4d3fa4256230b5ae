//! The `ekiben` command: a thin layer over `ekiben-core`.
//!
//! | module | what it is |
//! |---|---|
//! | `cli` | the command line, every flag in one place |
//! | `settings` | what a front end gives besides |
//! | `commands` | what each subcommand does |
//! | `report` | what people and programs hear of a build |
//! | `environment` | folders, processors and variables of this machine |
//! | `builtin` | the plugins that are part of the program |
//! | `services` | what plugins plan and native code carries out |
//! | `statics` | packages that are built from source to be linked in |
//! | `parts` | what of Ekiben's own goes into runtimes |
//!
//! Exit status: 0 done, 1 the build failed, 2 the project or what was asked for is wrong, 101 a bug
//! in Ekiben, 130 interrupted.
//!
//! Invariant: nothing is set up before the command line is read.

mod builtin;
mod cli;
mod commands;
mod environment;
mod parts;
mod report;
mod result;
mod services;
mod settings;
mod statics;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Color, Command, Plugin, Runtime, Static};
use crate::commands::End;
use crate::result::ResultSink;
use crate::settings::FrontEnd;

/// The variable with words for the command line of builds.
const ARGS_VARIABLE: &str = "EKIBEN_ARGS";

fn main() -> ExitCode {
    // Before anything else: a build starts many linkers.
    if let Some(end) = ekiben_static::recorder::stand_in() {
        return end;
    }
    std::panic::set_hook(Box::new(report_bug));
    let end = run().unwrap_or_else(|message| {
        complain(&message);
        End::Refused
    });
    ExitCode::from(end.exit_code())
}

fn run() -> Result<End, String> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let words = words_of_variable(&args)?;
    let from_variable = cli::count_settings(&words, ARGS_VARIABLE)?;
    let cli = Cli::parse_from(with_words(&args, &words));
    let cli = match &cli.command {
        Command::Pep517(hook) => {
            let sink = match (hook.result_fd, &hook.result_file) {
                (Some(number), _) => ResultSink::descriptor(number)
                    .map_err(|error| format!("--result-fd {number} can't be used: {error}"))?,
                (None, Some(path)) => ResultSink::file(path)
                    .map_err(|error| format!("{} can't be created: {error}", path.display()))?,
                (None, None) => return Err("give --result-fd or --result-file".to_owned()),
            };
            return run_hook(&args, &words, from_variable, &hook.config_settings, sink);
        }
        _ => cli,
    };
    choose_colors(cli.global.color);
    let global = &cli.global;
    Ok(match &cli.command {
        Command::Build(build) => commands::build::run(build, global, from_variable),
        Command::Config(config) => commands::config::run(config),
        Command::Graph(graph) => commands::graph::run(graph, global),
        Command::Clean(clean) => commands::clean::run(clean, global),
        Command::Migrate(migrate) => commands::migrate::run(migrate, global),
        Command::New(new) => commands::new::run(new, global),
        Command::Freeze(freeze) => commands::freeze::run(freeze, global),
        Command::Inspect(inspect) => commands::inspect::run(inspect),
        Command::Plugin(Plugin::List(list)) => commands::plugin::list(list, global),
        Command::Plugin(Plugin::Precompile(to)) => commands::plugin::precompile(to),
        Command::Runtime(Runtime::Build(build)) => commands::runtime::build(build, global),
        Command::Runtime(Runtime::List(list)) => commands::runtime::list(list, global),
        Command::Runtime(Runtime::Show(show)) => commands::runtime::show(show, global),
        Command::Runtime(Runtime::Check(check)) => commands::runtime::check(check, global),
        Command::Runtime(Runtime::Wheel(wheel)) => commands::runtime::wheel(wheel, global),
        Command::Runtime(Runtime::Remove(remove)) => commands::runtime::remove(remove, global),
        Command::Static(Static::Build(build)) => commands::static_wheels::build(build, global),
        Command::Static(Static::List(list)) => commands::static_wheels::list(list, global),
        Command::Static(Static::Show(show)) => commands::static_wheels::show(show, global),
        Command::Static(Static::Check(check)) => commands::static_wheels::check(check, global),
        Command::Static(Static::Remove(remove)) => commands::static_wheels::remove(remove, global),
        Command::Static(Static::Export(export)) => commands::static_wheels::export(export, global),
        // Answered above.
        Command::Pep517(_) => End::Done,
    })
}

/// Runs a hook, whose command line has the front end's words too.
fn run_hook(
    args: &[OsString],
    words: &[String],
    from_variable: usize,
    config_settings: &str,
    sink: ResultSink,
) -> Result<End, String> {
    let front_end = match FrontEnd::parse(config_settings) {
        Ok(front_end) => front_end,
        Err(message) => {
            complain(&message);
            let answer = serde_json::json!({ "error": message });
            sink.send(&answer).map_err(|error| format!("the result can't be sent: {error}"))?;
            return Ok(End::Refused);
        }
    };
    let all: Vec<String> = words.iter().chain(&front_end.words).cloned().collect();
    let cli = Cli::parse_from(with_words(args, &all));
    choose_colors(cli.global.color);
    match &cli.command {
        Command::Pep517(hook) => {
            Ok(commands::pep517::run(hook, &cli.global, from_variable, front_end, sink))
        }
        _ => Err("words from outside can't choose another command".to_owned()),
    }
}

fn words_of_variable(args: &[OsString]) -> Result<Vec<String>, String> {
    match std::env::var(ARGS_VARIABLE) {
        Ok(text) if cli::place_for_words(args).is_some() => settings::split(&text, ARGS_VARIABLE),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("{ARGS_VARIABLE} isn't UTF-8")),
        _ => Ok(Vec::new()),
    }
}

/// The command line with `words` right after the subcommand.
fn with_words(args: &[OsString], words: &[String]) -> Vec<OsString> {
    let mut all = args.to_vec();
    if let Some(at) = cli::place_for_words(args) {
        all.splice(at..at, words.iter().map(OsString::from));
    }
    all
}

fn choose_colors(color: Color) {
    match color {
        // The streams look at the terminal, NO_COLOR and CLICOLOR_FORCE by themselves.
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

fn complain(message: &str) {
    // Nobody is left to hear of an error on stderr.
    let _ = writeln!(anstream::stderr(), "error: {message}");
}

fn report_bug(panic: &std::panic::PanicHookInfo<'_>) {
    let mut stderr = anstream::stderr().lock();
    let version = env!("CARGO_PKG_VERSION");
    // Nobody is left to hear of an error on stderr.
    let _ = writeln!(stderr, "error: this is a bug in Ekiben {version}: {panic}");
    let _ = writeln!(stderr, "help: please report it, with what you did and the build.log");
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        let _ = writeln!(stderr, "{}", std::backtrace::Backtrace::force_capture());
    }
}
