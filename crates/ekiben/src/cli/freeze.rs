//! The arguments of `ekiben freeze`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ekiben_freeze::program::{Flavour, Linker, Links, SWITCHES};

use super::ListFormat;

#[derive(Debug, Clone, Args)]
pub(crate) struct Freeze {
    /// A script, a module or package, an entry point (package.module:function), or the folder of a
    /// project
    #[arg(
        value_name = "SCRIPT|MODULE|MODULE:FUNCTION|PROJECT",
        required_unless_present = "interpreter"
    )]
    pub(crate) target: Option<String>,
    /// Make an interpreter, which takes the arguments of python; it has the target's modules
    #[arg(long)]
    pub(crate) interpreter: bool,
    /// A folder, from the program's own on, in which it looks for modules that aren't in it
    #[arg(long, value_name = "DIR", value_parser = parse_folder)]
    pub(crate) path: Vec<String>,
    /// A package that is to be files, in a folder `PROGRAM.lib` beside the program, rather than a part
    /// of it
    #[arg(long, value_name = "PACKAGE", value_parser = parse_package)]
    pub(crate) beside: Vec<String>,
    /// The program to write [default: named after the target, in this folder, or in the folder dist of
    /// a project]
    #[arg(short, long, value_name = "PROGRAM")]
    pub(crate) output: Option<PathBuf>,
    /// The version of Python, or an interpreter for the flavour host [default: 3.13]
    #[arg(long, value_name = "VERSION|INTERPRETER")]
    pub(crate) python: Option<String>,
    /// What the program needs of the machine [default: static, or dynamic if it has to load something;
    /// host without a runtime]
    #[arg(long, value_enum, value_name = "FLAVOUR")]
    pub(crate) flavour: Option<FreezeFlavour>,
    /// The runtime: its folder, its name or its version [default: one of the version of --python]
    #[arg(long, value_name = "RUNTIME")]
    pub(crate) runtime: Option<PathBuf>,
    /// The script of [project.scripts] that a project's program is
    #[arg(long, value_name = "NAME")]
    pub(crate) script: Option<String>,
    /// A virtual environment, or a folder of installed packages [default: the environment that is
    /// active]. Several may be given
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Vec<PathBuf>,
    /// What to install for the program: requirements with hashes, or a pylock.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) requirements: Option<PathBuf>,
    /// Resolve and install again what was installed before
    #[arg(long)]
    pub(crate) refresh: bool,
    /// A module to take besides; `package.*` for all below a package
    #[arg(long, value_name = "MODULE")]
    pub(crate) include: Vec<String>,
    /// A module to leave out, with all below it; `*` stands for anything
    #[arg(long, value_name = "MODULE")]
    pub(crate) exclude: Vec<String>,
    /// Run the program once by the ordinary interpreter, with the arguments after `--`, and take what
    /// it imports besides
    #[arg(long)]
    pub(crate) trace: bool,
    /// A file of recorded imports, which are taken besides; with --trace, it grows by those of the run
    #[arg(long, value_name = "FILE")]
    pub(crate) trace_file: Option<PathBuf>,
    /// A folder with hints on what packages import and read
    #[arg(long, value_name = "DIR")]
    pub(crate) hints: Vec<PathBuf>,
    /// Leave out what nothing reaches of the standard library
    #[arg(long)]
    pub(crate) prune: bool,
    /// As --prune, and link an interpreter with only the builtin modules that are needed. For this
    /// alone a C compiler is needed
    #[arg(long)]
    pub(crate) relink: bool,
    /// Whether compiled modules are linked in or loaded from memory: of one package, or of all that
    /// aren't named [default: static where there is a static wheel]
    #[arg(long, value_name = "[NAME=]static|memory", value_parser = parse_link)]
    pub(crate) link: Vec<String>,
    /// A static wheel, or a folder with some; they replace installed packages of the same version
    #[arg(long, value_name = "PATH")]
    pub(crate) static_wheels: Vec<PathBuf>,
    /// A setting for the build of a package that is linked in: numpy:setup-args=-Dblas=none
    #[arg(long, value_name = "NAME:KEY=VALUE", value_parser = parse_static_config)]
    pub(crate) static_config: Vec<(String, String)>,
    /// The linker for what is linked in: bfd, lld or mold [default: the compiler's]
    #[arg(long, value_name = "LINKER")]
    pub(crate) linker: Option<Linker>,
    /// Fail if something would be left out, or not be linked as --link asks for
    #[arg(long)]
    pub(crate) strict: bool,
    /// As python -O and -OO: 1 takes assertions away, 2 docstrings too
    #[arg(long, value_name = "LEVEL", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub(crate) optimize: u8,
    /// Leave out sources, so that tracebacks show no lines
    #[arg(long)]
    pub(crate) no_sources: bool,
    /// A setting of the program: isolated, fast-exit, quiet-start or self-interpreter, each true or false
    #[arg(long, value_name = "SETTING=VALUE", value_parser = parse_switch)]
    pub(crate) set: Vec<(String, bool)>,
    /// How to say what was taken
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
    /// The arguments of the run that is traced
    #[arg(last = true, requires = "trace", value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<OsString>,
}

/// A word on how compiled modules become part of a program.
fn parse_link(text: &str) -> Result<String, String> {
    Links::default().take(text).map(|()| text.to_owned())
}

/// A folder of a program's `sys.path`, which is a line in its image.
fn parse_folder(text: &str) -> Result<String, String> {
    match text {
        "" => Err("it has no name".to_owned()),
        _ if text.contains('\n') => Err("its name has several lines".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// A top-level package or module.
fn parse_package(text: &str) -> Result<String, String> {
    let is_name = |text: &str| text.chars().all(|it| it == '_' || it.is_alphanumeric());
    match text.split_once('.') {
        Some((package, _)) => Err(format!("name the whole package: `{package}`")),
        None if text.is_empty() || !is_name(text) => {
            Err("it isn't the name of a package".to_owned())
        }
        None => Ok(text.to_owned()),
    }
}

/// What a program needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FreezeFlavour {
    /// Nothing but Linux
    Static,
    /// The C library; such a program can load shared objects
    Dynamic,
    /// The C library; an ordinary interpreter is loaded from memory
    Host,
}

impl From<FreezeFlavour> for Flavour {
    fn from(flavour: FreezeFlavour) -> Self {
        match flavour {
            FreezeFlavour::Static => Self::Static,
            FreezeFlavour::Dynamic => Self::Dynamic,
            FreezeFlavour::Host => Self::Host,
        }
    }
}

/// `isolated=false`.
fn parse_switch(text: &str) -> Result<(String, bool), String> {
    let wrong = || "write a setting, `=`, and true or false".to_owned();
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    if !SWITCHES.contains(&key) {
        return Err(format!("programs have no setting `{key}`, but {}", SWITCHES.join(", ")));
    }
    let value = value.parse().map_err(|_| wrong())?;
    Ok((key.to_owned(), value))
}

/// `numpy:setup-args=-Dblas=none`.
fn parse_static_config(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, setting)) if !name.trim().is_empty() && setting.contains('=') => {
            Ok((name.trim().to_owned(), setting.to_owned()))
        }
        _ => Err("write a package, `:`, and a setting as KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_true_or_false() {
        assert_eq!(parse_switch("isolated=false"), Ok(("isolated".to_owned(), false)));
        for bad in ["isolated", "isolated=", "isolated=no"] {
            assert!(parse_switch(bad).is_err(), "{bad}");
        }
        let error = "programs have no setting `foo`, but fast-exit, isolated, quiet-start, self-interpreter";
        assert_eq!(parse_switch("foo=true"), Err(error.to_owned()));
    }
}
