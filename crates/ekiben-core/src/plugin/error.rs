//! What can go wrong with a plugin, each error naming it.

use std::time::Duration;

use super::protocol::Report;

/// A plugin could not be loaded, or a call of it came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The file isn't a component.
    #[error("the plugin `{origin}` can't be loaded: {problem}")]
    NotAComponent {
        /// Where the plugin came from.
        origin: String,
        /// What is wrong with its bytes.
        problem: String,
    },
    /// The component wants an interface that this host doesn't have.
    #[error("the plugin `{origin}` imports `{import}`, which Ekiben doesn't offer: {problem}")]
    ForeignImport {
        /// Where the plugin came from.
        origin: String,
        /// The import's name.
        import: String,
        /// Why not.
        problem: String,
    },
    /// The component was built for another version of the interface.
    #[error(
        "the plugin `{origin}` is built for version {wanted} of the plugin interface, but this Ekiben has {offered}"
    )]
    WrongVersion {
        /// Where the plugin came from.
        origin: String,
        /// The version in its imports.
        wanted: String,
        /// The version of this host.
        offered: String,
    },
    /// The component lacks an export.
    #[error("the plugin `{origin}` doesn't export `{export}`")]
    MissingExport {
        /// Where the plugin came from.
        origin: String,
        /// The interface that is missing.
        export: String,
    },
    /// What the plugin says of itself makes no sense.
    #[error("the plugin `{origin}` describes itself wrongly: {problem}")]
    BadDescription {
        /// Where the plugin came from.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file isn't the one that the project pinned.
    #[error("the plugin `{origin}` has the SHA-256 {actual}, but the project expects {expected}")]
    WrongDigest {
        /// Where the plugin came from.
        origin: String,
        /// What the project says.
        expected: String,
        /// What the file has.
        actual: String,
    },
    /// It asks for rights that the project didn't grant.
    #[error("the plugin `{plugin}` asks for {}, which the project doesn't grant", quoted(.missing))]
    NotGranted {
        /// The plugin's id.
        plugin: String,
        /// The capabilities.
        missing: Vec<String>,
    },
    /// A call trapped.
    #[error("the plugin {plugin} failed in {call}: {problem}")]
    Trap {
        /// The plugin's id and version.
        plugin: String,
        /// The call.
        call: String,
        /// What happened.
        problem: String,
    },
    /// A call went beyond a limit.
    #[error("the plugin {plugin} went beyond its limit of {limit} in {call}")]
    Limit {
        /// The plugin's id and version.
        plugin: String,
        /// The call.
        call: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// The plugin says that it is wrong itself, or broke a rule of the interface.
    #[error("the plugin {plugin} made a mistake in {call}: {problem}")]
    Mistake {
        /// The plugin's id and version.
        plugin: String,
        /// The call.
        call: String,
        /// What it is.
        problem: String,
    },
    /// The plugin can't do what was asked.
    #[error("the plugin {plugin} doesn't support this: {what}")]
    Unsupported {
        /// The plugin's id and version.
        plugin: String,
        /// What it said.
        what: String,
    },
    /// The user can mend it.
    #[error("{}", first_message(.reports))]
    User {
        /// The plugin's id and version.
        plugin: String,
        /// What the plugin has to say.
        reports: Vec<Report>,
    },
    /// WebAssembly can't run on this machine at all.
    #[error("WebAssembly plugins can't run here: {0}")]
    Engine(String),
}

impl PluginError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> Vec<String> {
        match self {
            Self::NotAComponent { .. } => {
                vec!["a plugin is a WebAssembly component; `docs/plugins.md` says how to build one".into()]
            }
            Self::ForeignImport { .. } => vec![
                "build it for `wasm32-unknown-unknown`, or without the standard library's operating-system parts"
                    .into(),
            ],
            Self::WrongVersion { wanted, offered, .. } => {
                let newer = version(wanted) > version(offered);
                vec![if newer {
                    "use a newer Ekiben, or an older release of the plugin".into()
                } else {
                    "use a newer release of the plugin, or an older Ekiben".into()
                }]
            }
            Self::WrongDigest { origin, actual, .. } => vec![format!(
                "if the change is meant, set `sha256 = \"{actual}\"` where pyproject.toml names `{origin}`"
            )],
            Self::NotGranted { plugin, missing } => vec![format!(
                "if you trust it with that, add {} to `capabilities` in `[tool.ekiben.plugins.{plugin}]`",
                quoted(missing)
            )],
            Self::Trap { .. } | Self::Limit { .. } | Self::Mistake { .. } => {
                vec!["this is a fault of the plugin: report it to its authors".into()]
            }
            Self::User { reports, .. } => {
                reports.first().map(|report| report.help.clone()).unwrap_or_default()
            }
            Self::MissingExport { .. }
            | Self::BadDescription { .. }
            | Self::Unsupported { .. }
            | Self::Engine(_) => Vec::new(),
        }
    }
}

fn version(text: &str) -> Option<semver::Version> {
    semver::Version::parse(text).ok()
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn first_message(reports: &[Report]) -> &str {
    reports.first().map_or("the plugin reported a failure without saying which", |r| &r.message)
}

/// Why the host stopped a guest; travels through wasmtime as the trap's cause.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("{} s of running time", .0.as_secs_f32())]
    Time(Duration),
    #[error("{0}")]
    Quota(String),
    #[error("{0}")]
    Misuse(String),
}
