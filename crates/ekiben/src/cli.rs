//! The command line: every flag, documented where it is declared.
//!
//! `EKIBEN_ARGS` and the `--config-settings` of a front end become words of the same command line,
//! before those that a person typed. So each flag has one meaning and one parser, and what comes
//! later wins.

mod freeze;
mod static_wheels;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ekiben_freeze::runtime::{Flavours, LibrarySource, PythonVersion};

pub(crate) use freeze::{Freeze, FreezeFlavour};
pub(crate) use static_wheels::{
    Static, StaticBuild, StaticCheck, StaticExport, StaticList, StaticRemove, StaticShow,
};

/// Build Python projects with compiled code.
#[derive(Debug, Parser)]
#[command(name = "ekiben", version, args_override_self = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Say more: -v shows cached actions and reasons, -vv command lines too
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Say nothing but problems
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub(crate) color: Color,
    /// The folder for results of earlier builds [default: `ekiben` in the user's cache folder]
    #[arg(long, env = "EKIBEN_CACHE_DIR", value_name = "DIR", global = true)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// How large that folder may become, such as 5GiB
    #[arg(
        long,
        env = "EKIBEN_CACHE_SIZE",
        value_name = "SIZE",
        value_parser = parse_size,
        default_value = "10GiB",
        global = true
    )]
    pub(crate) cache_size: u64,
    /// Neither use results of earlier builds nor keep any
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set; anywhere if CLICOLOR_FORCE is
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a wheel, or a source distribution
    Build(Build),
    /// Show the settings of a project
    Config(Config),
    /// Show the commands of a build and their order
    Graph(Graph),
    /// Remove what builds left behind
    Clean(Clean),
    /// Make a pyproject.toml from setup.py, setup.cfg or bento.info
    Migrate(Migrate),
    /// Start a project with a compiled module
    New(New),
    /// Make a program: one file that holds Python and all that the code needs
    Freeze(Freeze),
    /// See what is in a program or a wheel
    Inspect(Inspect),
    /// See which plugins there are
    #[command(subcommand)]
    Plugin(Plugin),
    /// Make the interpreters that executables are made of
    #[command(subcommand)]
    Runtime(Runtime),
    /// Build packages as static wheels, whose compiled modules are linked into programs
    #[command(subcommand)]
    Static(Static),
    /// Run a hook of PEP 517 or PEP 660
    #[command(hide = true)]
    Pep517(Pep517),
}

/// How a build is done, whoever asks for it.
#[derive(Debug, Clone, Args)]
pub(crate) struct BuildOptions {
    /// A setting laid over the project's, as in [tool.ekiben]: defaults.debug=true
    #[arg(short = 'C', long = "config-setting", value_name = "KEY=VALUE")]
    pub(crate) config_setting: Vec<String>,
    /// The folder for what the build makes on its way [default: the project's `build-dir`]
    #[arg(long, value_name = "DIR")]
    pub(crate) build_dir: Option<PathBuf>,
    /// How many actions run at once [default: one for each processor]
    #[arg(short, long, env = "EKIBEN_JOBS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) jobs: Option<u32>,
    /// After a failure, go on with what doesn't depend on it
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Say for each action why it ran
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print the commands that ran as a shell script
    #[arg(long)]
    pub(crate) what_ran: bool,
    /// Print what the archive holds
    #[arg(long)]
    pub(crate) list_files: bool,
    /// Write a trace of the build, for Perfetto or chrome://tracing
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The project's folder
    #[arg(default_value = ".", value_name = "PROJECT")]
    pub(crate) project: PathBuf,
    /// Make a wheel; this is the default
    #[arg(long)]
    pub(crate) wheel: bool,
    /// Make a source distribution
    #[arg(long)]
    pub(crate) sdist: bool,
    /// Where to put what is made [default: `dist` in the project]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out_dir: Option<PathBuf>,
    /// The interpreter to build for: a path, a name or a version
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,
    /// How to say what happens
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) message_format: MessageFormat,
    #[command(flatten)]
    pub(crate) options: BuildOptions,
}

/// How to say what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum MessageFormat {
    /// For people
    #[default]
    Human,
    /// For programs: JSON, one event a line, on stdout
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    /// The project's folder
    #[arg(default_value = ".", value_name = "PROJECT")]
    pub(crate) project: PathBuf,
    /// Show every setting, where its value comes from and what it is for
    #[arg(long)]
    pub(crate) explain: bool,
    /// How to show them
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ConfigFormat,
    /// A setting laid over the project's, as in [tool.ekiben]: defaults.debug=true
    #[arg(short = 'C', long = "config-setting", value_name = "KEY=VALUE")]
    pub(crate) config_setting: Vec<String>,
}

/// How to show settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ConfigFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// The JSON schema of [tool.ekiben], for editors
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The project's folder
    #[arg(default_value = ".", value_name = "PROJECT")]
    pub(crate) project: PathBuf,
    /// How to show it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: GraphFormat,
    /// What is to be made: a kind of artifact or a command. Several may be given
    #[arg(long = "target", value_name = "TARGET", default_value = "wheel")]
    pub(crate) targets: Vec<String>,
    /// The file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How to show the command graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// A drawing
    Svg,
}

#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// The project's folder
    #[arg(default_value = ".", value_name = "PROJECT")]
    pub(crate) project: PathBuf,
    /// The build folder [default: the project's `build-dir`]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["cache", "cache_to_limit"])]
    pub(crate) build_dir: Option<PathBuf>,
    /// Empty the cache instead, which all projects share
    #[arg(long, conflicts_with = "cache_to_limit")]
    pub(crate) cache: bool,
    /// Remove from the cache what wasn't used for longest, until it is within its size
    #[arg(long)]
    pub(crate) cache_to_limit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The project's folder
    #[arg(default_value = ".", value_name = "PROJECT")]
    pub(crate) project: PathBuf,
    /// What to start from [default: the first that is there]
    #[arg(long, value_enum, value_name = "FILE")]
    pub(crate) from: Option<MigrateFrom>,
    /// The interpreter that runs setup.py: a path, a name or a version
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,
    /// Print the new pyproject.toml, and write nothing
    #[arg(long, conflicts_with = "check")]
    pub(crate) stdout: bool,
    /// Write nothing; exit with 1 if pyproject.toml would change
    #[arg(long)]
    pub(crate) check: bool,
}

/// What to migrate from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MigrateFrom {
    /// setup.py, with setup.cfg if there is one
    #[value(name = "setup.py")]
    SetupPy,
    /// setup.cfg, or [tool.setuptools] alone
    #[value(name = "setup.cfg")]
    SetupCfg,
    /// bento.info
    #[value(name = "bento.info")]
    Bento,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The new project's folder
    #[arg(value_name = "PATH", required_unless_present = "list")]
    pub(crate) path: Option<PathBuf>,
    /// List the templates, and make nothing
    #[arg(long, conflicts_with_all = ["path", "name"])]
    pub(crate) list: bool,
    /// What the compiled module is written in
    #[arg(long, value_enum, default_value = "c", value_name = "TEMPLATE")]
    pub(crate) template: Template,
    /// The project's name, made lower case with `-` between words [default: the folder's]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The host whose continuous integration is to run the tests
    #[arg(long, value_enum, default_value = "github", value_name = "HOST")]
    pub(crate) ci: Ci,
}

/// What a new project starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// A module in C
    C,
    /// A module in C++
    #[value(name = "c++")]
    Cxx,
    /// A module in Fortran, with a little C
    Fortran,
    /// A module in Cython
    Cython,
    /// A module in Cython that takes NumPy's arrays
    CythonNumpy,
}

/// Whose continuous integration a new project has a file for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ci {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// None
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A program, a wheel, or a module image
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to show what is in it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: InspectFormat,
    /// Compare all checksums first
    #[arg(long)]
    pub(crate) verify: bool,
    /// The file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How to show what is in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum InspectFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// A page with a map of what takes the room
    Html,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// List the plugins that a build here would have
    List(PluginList),
    /// Compile the built-in plugins, for a build of Ekiben itself
    #[command(hide = true)]
    Precompile(PluginPrecompile),
}

#[derive(Debug, Args)]
pub(crate) struct PluginPrecompile {
    /// The folder for their machine code, which is made
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PluginList {
    /// The project's folder
    #[arg(default_value = ".", value_name = "PROJECT")]
    pub(crate) project: PathBuf,
    /// How to show them
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runtime {
    /// Build one from CPython's source, unless it is there
    Build(RuntimeBuild),
    /// List those that are there
    List(RuntimeList),
    /// Show what one is made of
    Show(RuntimeShow),
    /// Check the files of runtimes, and import every module with their interpreters
    Check(RuntimeCheck),
    /// Write one as a wheel, which builds find where it is installed for them
    Wheel(RuntimeWheel),
    /// Remove one
    Remove(RuntimeRemove),
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeWheel {
    /// Its name, its version or its folder [default: the newest version]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The folder for the wheel
    #[arg(short, long, value_name = "DIR", default_value = "dist")]
    pub(crate) out_dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeRemove {
    /// Its name, or its version if there is one of it only
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeBuild {
    /// CPython's version: 3.13 or 3.13.5
    #[arg(long, value_name = "VERSION")]
    pub(crate) python: PythonVersion,
    /// CPython's source, a .tar.xz or .tar.gz [default: the source package of the distribution]
    #[arg(long, value_name = "PATH-OR-URL", requires = "sha256")]
    pub(crate) source: Option<String>,
    /// The SHA-256 of the source
    #[arg(long, value_name = "HEX", requires = "source")]
    pub(crate) sha256: Option<String>,
    /// How programs are bound to the C library: static, dynamic or all
    #[arg(long, default_value = "all", value_name = "FLAVOUR")]
    pub(crate) flavour: Flavours,
    /// How many processes run at once [default: one for each processor]
    #[arg(short, long, env = "EKIBEN_JOBS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) jobs: Option<u32>,
    /// Where C libraries come from: `system`, the machine's static archives, `pinned`, sources of known
    /// versions that cargo fetches, or `auto`, the second for those that the machine lacks
    #[arg(long, default_value = "auto", value_name = "WHICH")]
    pub(crate) libraries: LibrarySource,
    /// Optimise by a profile of CPython's own tests, which takes long
    #[arg(long)]
    pub(crate) pgo: bool,
    /// Optimise across files, which takes long
    #[arg(long)]
    pub(crate) lto: bool,
    /// Have CPython's own tests there, and the modules that they need: 3.12 or later
    #[arg(long)]
    pub(crate) tests: bool,
    /// Fail if a module of the standard library can't be built, rather than leave it out
    #[arg(long)]
    pub(crate) strict: bool,
    /// A new folder for a copy of the runtime
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeList {
    /// How to show them
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeShow {
    /// Its name, its version or its folder [default: the newest version]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How to show it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RuntimeCheck {
    /// Its name, its version or its folder [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// How to show a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Pep517 {
    /// The hook
    #[arg(value_enum, value_name = "HOOK")]
    pub(crate) hook: Hook,
    /// The file descriptor that takes the result
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "result_file",
        required_unless_present = "result_file",
        value_parser = clap::value_parser!(i32).range(3..)
    )]
    pub(crate) result_fd: Option<i32>,
    /// The file that takes the result
    #[arg(long, value_name = "FILE")]
    pub(crate) result_file: Option<PathBuf>,
    /// Where to put what is made
    #[arg(long, value_name = "DIR", default_value = "dist")]
    pub(crate) out_dir: PathBuf,
    /// The project's folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// What the front end was given, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) config_settings: String,
    /// The interpreter to build for
    #[arg(long, value_name = "PATH")]
    pub(crate) interpreter: Option<String>,
    /// The isolated environment that holds the build's requirements
    #[arg(long, value_name = "DIR")]
    pub(crate) build_environment: Option<PathBuf>,
    /// Look for packages nowhere else
    #[arg(long, requires = "build_environment")]
    pub(crate) build_environment_alone: bool,
    #[command(flatten)]
    pub(crate) options: BuildOptions,
}

/// The hooks of PEP 517 and PEP 660.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hook {
    BuildWheel,
    BuildEditable,
    BuildSdist,
    PrepareMetadata,
    PrepareEditableMetadata,
    GetRequiresForBuildWheel,
    GetRequiresForBuildSdist,
    GetRequiresForBuildEditable,
}

/// The options that words from outside may hold, to tell theirs from those that were typed.
#[derive(Debug, Parser)]
#[command(
    name = "ekiben",
    no_binary_name = true,
    disable_help_flag = true,
    args_override_self = true
)]
struct Words {
    #[command(flatten)]
    options: BuildOptions,
    #[command(flatten)]
    _global: Global,
}

/// How many settings `words`, which come from `carrier`, hold. They can be given anything that is
/// common to builds.
///
/// # Errors
/// The first word that isn't such.
pub(crate) fn count_settings(words: &[String], carrier: &str) -> Result<usize, String> {
    let parsed = Words::try_parse_from(words).map_err(|error| {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        format!("{carrier}: {}", first.trim_start_matches("error: "))
    })?;
    Ok(parsed.options.config_setting.len())
}

/// The place in `args` right after the subcommand that takes words from outside, if it is one that
/// does.
pub(crate) fn place_for_words(args: &[OsString]) -> Option<usize> {
    let at = args.iter().skip(1).position(|arg| arg == "build" || arg == "pep517")? + 1;
    // What stands before it must be flags of no value, or it is no subcommand.
    let before = args.get(1..at)?;
    before.iter().all(|arg| arg.to_string_lossy().starts_with('-')).then_some(at + 1)
}

/// `5GiB`, `500MB`, `1000`.
fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("b", 1),
        ("kb", 1000),
        ("mb", 1000 * 1000),
        ("gb", 1000 * 1000 * 1000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
    ];
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let number: Option<u64> = number.parse().ok();
    factor
        .zip(number)
        .and_then(|(factor, number)| number.checked_mul(factor))
        .ok_or_else(|| "write a number and a unit, such as 5GiB or 500MB".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        Words::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("5GiB"), Ok(5 << 30));
        assert_eq!(parse_size("500 MB"), Ok(500_000_000));
        assert_eq!(parse_size("12"), Ok(12));
        for bad in ["", "GiB", "5 parsecs", "99999999999999GiB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_go_after_the_subcommand() {
        let place =
            |words: &[&str]| place_for_words(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(place(&["ekiben", "build", "x"]), Some(2));
        assert_eq!(place(&["ekiben", "-v", "pep517"]), Some(3));
        assert_eq!(place(&["ekiben", "clean", "build"]), None);
        assert_eq!(place(&["ekiben"]), None);
    }

    #[test]
    fn words_from_outside_are_build_options() {
        let words = ["-v", "-C", "a=b", "--config-setting=c=d"].map(String::from);
        assert_eq!(count_settings(&words, "EKIBEN_ARGS"), Ok(2));
        let error = count_settings(&["--sdist".to_owned()], "EKIBEN_ARGS").unwrap_err();
        assert_eq!(error, "EKIBEN_ARGS: unexpected argument '--sdist' found");
    }
}
