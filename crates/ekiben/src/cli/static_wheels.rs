//! The command line of `ekiben static`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ListFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum Static {
    /// Build packages from source, unless they are there
    Build(StaticBuild),
    /// List those that are there
    List(StaticList),
    /// Show what one is made of
    Show(StaticShow),
    /// Build one, make a program with it, and import its modules there
    Check(StaticCheck),
    /// Remove those of a name
    Remove(StaticRemove),
    /// Write some as wheels into a folder, which other machines can use
    Export(StaticExport),
}

#[derive(Debug, Args)]
pub(crate) struct StaticBuild {
    /// Requirements (numpy, numpy==2.5.0), source distributions or folders of projects
    #[arg(value_name = "PACKAGE", required_unless_present = "requirements")]
    pub(crate) packages: Vec<String>,
    /// Build what has compiled modules of all that a file asks for: requirements with hashes, or a
    /// pylock.toml
    #[arg(short, long, value_name = "FILE")]
    pub(crate) requirements: Option<PathBuf>,
    /// The runtime to build for: its name, version or folder [default: the newest version]
    #[arg(long, value_name = "NAME")]
    pub(crate) runtime: Option<String>,
    /// A setting of the packages' builds, as pip's --config-settings has it
    #[arg(short = 'C', long = "config-setting", value_name = "KEY=VALUE")]
    pub(crate) config_settings: Vec<String>,
    /// Keep debugging information in the objects
    #[arg(long)]
    pub(crate) debug: bool,
    /// How to say what was built
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct StaticList {
    /// How to show them
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct StaticShow {
    /// Its name, name==version, or folder
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// How to show it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct StaticExport {
    /// Their names, or name==version [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// The folder for the wheels
    #[arg(short, long, value_name = "DIR", default_value = "dist")]
    pub(crate) out_dir: PathBuf,
    /// Put the archives of this machine that they need into them
    #[arg(long)]
    pub(crate) libraries: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StaticCheck {
    /// A requirement: numpy, or numpy==2.5.0
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: String,
    /// A script that uses it, to run instead of importing its modules
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    /// The runtime to build for: its name, version or folder [default: the newest version]
    #[arg(long, value_name = "NAME")]
    pub(crate) runtime: Option<String>,
    /// A setting of the package's build, as pip's --config-settings has it
    #[arg(short = 'C', long = "config-setting", value_name = "KEY=VALUE")]
    pub(crate) config_settings: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct StaticRemove {
    /// Its name, or name==version
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
