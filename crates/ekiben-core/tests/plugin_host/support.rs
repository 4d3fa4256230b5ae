//! A build that exists in memory only, a store that counts, and the built guests.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ekiben_core::plugin::protocol::{
    Answer, ArtifactInfo, Effect, Failure, PlannedArgument, ProbeOutcome, ProductInfo, Query,
    Report, ToolInfo, World,
};
use ekiben_core::plugin::{Call, Limits, Outcome, Plugin, PluginError, PluginHost, Records};
use ekiben_engine::{Digest, Location, RelPath};

/// The component that `cargo xtask plugins` made of `tests/guests/<name>`.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("EKIBEN_GUESTS_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests"),
        PathBuf::from,
    );
    read_component(&folder.join(format!("{name}.wasm")))
}

pub(crate) fn read_component(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo xtask plugins` first", file.display())
    })
}

pub(crate) fn load(host: &PluginHost, name: &str) -> Plugin {
    host.load(name, Cow::Owned(guest(name))).unwrap()
}

/// A store in memory that tells what was asked of it.
#[derive(Default)]
pub(crate) struct Counted {
    held: Mutex<BTreeMap<(String, String), Vec<u8>>>,
    /// Kinds, in the order in which records were kept.
    kept: Mutex<Vec<String>>,
}

impl Counted {
    /// How many records of that kind were stored so far.
    pub(crate) fn kept(&self, kind: &str) -> usize {
        self.kept.lock().unwrap().iter().filter(|kept| *kept == kind).count()
    }

    pub(crate) fn forget(&self, kind: &str) {
        self.held.lock().unwrap().retain(|(held, _), _| held != kind);
    }

    /// Changes every record of that kind.
    pub(crate) fn tamper(&self, kind: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut held = self.held.lock().unwrap();
        let mut found = held.iter_mut().filter(|((held, _), _)| held == kind).peekable();
        assert!(found.peek().is_some(), "there is no record of kind {kind}");
        found.for_each(|(_, record)| change(record));
    }
}

impl Records for Counted {
    fn get(&self, kind: &str, key: &Digest) -> Option<Vec<u8>> {
        self.held.lock().unwrap().get(&(kind.to_owned(), key.to_string())).cloned()
    }

    fn put(&self, kind: &str, key: &Digest, record: &[u8]) {
        self.kept.lock().unwrap().push(kind.to_owned());
        self.held.lock().unwrap().insert((kind.to_owned(), key.to_string()), record.to_vec());
    }
}

pub(crate) fn host(records: &Arc<Counted>) -> PluginHost {
    PluginHost::new(Arc::clone(records) as Arc<dyn Records>, Limits::default())
}

/// What the build in memory has to say.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) options: String,
    pub(crate) sources: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) products: Vec<String>,
    /// Artifacts of earlier commands, with their content if they are made already.
    pub(crate) artifacts: Vec<(ArtifactInfo, Option<String>)>,
}

impl Facts {
    /// A project that `banner` can work on.
    pub(crate) fn banner(products: &[&str]) -> Self {
        Self {
            options: r#"{"greeting":"Hello","template":"banner.c.in"}"#.to_owned(),
            sources: [("banner.c.in".to_owned(), "/* @{greeting}, @{user} */\n".to_owned())].into(),
            environment: BTreeMap::new(),
            products: products.iter().map(|&name| name.to_owned()).collect(),
            artifacts: Vec::new(),
        }
    }

    pub(crate) fn with_user(mut self, user: &str) -> Self {
        self.environment.insert("BANNER_USER".to_owned(), user.to_owned());
        self
    }

    pub(crate) fn with_artifact(mut self, path: &str, kind: &str, content: Option<&str>) -> Self {
        let info = ArtifactInfo {
            location: Location::Build(RelPath::new(path).unwrap()),
            kind: kind.to_owned(),
            product: Some("spam".to_owned()),
        };
        self.artifacts.push((info, content.map(ToOwned::to_owned)));
        self
    }
}

/// One build: its facts, and what was done to it.
pub(crate) struct Desk {
    facts: Facts,
    pub(crate) effects: Mutex<Vec<Effect>>,
    pub(crate) asked: Mutex<Vec<Query>>,
    pub(crate) log: Mutex<Vec<String>>,
}

impl Desk {
    pub(crate) fn new(facts: Facts) -> Arc<Self> {
        let (effects, asked, log) = Default::default();
        Arc::new(Self { facts, effects, asked, log })
    }

    /// The effects so far, a line or block each.
    pub(crate) fn shown(&self) -> String {
        self.effects.lock().unwrap().iter().map(show).collect()
    }

    fn answer(&self, query: &Query) -> Option<Answer> {
        let facts = &self.facts;
        Some(match query {
            Query::Options => Answer::Text(facts.options.clone()),
            Query::Fact(name) if name == "target.system" => Answer::Text("linux".to_owned()),
            Query::Fact(_)
            | Query::Setting { .. }
            | Query::SettingPlace { .. }
            | Query::Distribution(_)
            | Query::FindInstalled { .. } => Answer::Nothing,
            Query::PackageFolders => Answer::Places(Vec::new()),
            Query::IsFile(_) => Answer::Flag(false),
            Query::ReadInstalled { .. } => return None,
            Query::InstalledFiles { .. } => Answer::Files(Vec::new()),
            Query::Service { service, question } => {
                Answer::Text(format!("[{service:?}, {question}]"))
            }
            Query::Sources(_) => Answer::Artifacts(Vec::new()),
            Query::Environment(name) => {
                facts.environment.get(name).map_or(Answer::Nothing, |v| Answer::Text(v.clone()))
            }
            Query::ReadSource(path) => {
                Answer::Bytes(facts.sources.get(path.as_str())?.clone().into_bytes())
            }
            Query::SourceExists(path) => Answer::Flag(facts.sources.contains_key(path.as_str())),
            Query::Glob(_) => Answer::Texts(facts.sources.keys().cloned().collect()),
            Query::Products => Answer::Products(
                facts
                    .products
                    .iter()
                    .map(|name| ProductInfo { name: name.clone(), kind: "extension-module".into() })
                    .collect(),
            ),
            Query::Artifacts { kind, product } => Answer::Artifacts(
                facts
                    .artifacts
                    .iter()
                    .map(|(info, _)| info)
                    .filter(|info| info.kind == *kind)
                    .filter(|info| product.is_none() || info.product == *product)
                    .cloned()
                    .collect(),
            ),
            Query::Tool(name) => Answer::Tool(ToolInfo {
                name: name.clone(),
                program: "sh".to_owned(),
                digest: Digest::of(b"sh").to_string(),
            }),
            Query::Probe(probe) => Answer::Probe(ProbeOutcome {
                status: Some(0),
                stdout: probe.arguments.last()?.clone().into_bytes(),
                stderr: Vec::new(),
            }),
            Query::ReadArtifact(location) => {
                let known = facts.artifacts.iter().find(|(info, _)| info.location == *location)?;
                Answer::Bytes(known.1.clone()?.into_bytes())
            }
        })
    }
}

impl World for Desk {
    fn ask(&self, query: &Query) -> Result<Answer, Failure> {
        self.asked.lock().unwrap().push(query.clone());
        self.answer(query).ok_or_else(|| Failure::user("missing-file", format!("{query:?}")))
    }

    fn perform(&self, effect: &Effect) -> Result<(), Failure> {
        let mut effects = self.effects.lock().unwrap();
        if let Some(path) = made(effect)
            && effects.iter().any(|before| made(before) == Some(path))
        {
            return Err(Failure::user("two-producers", format!("`{path}` is made twice")));
        }
        effects.push(effect.clone());
        Ok(())
    }

    fn log(&self, plugin: &str, message: &str) {
        self.log.lock().unwrap().push(format!("{plugin}: {message}"));
    }
}

fn made(effect: &Effect) -> Option<&RelPath> {
    match effect {
        Effect::Output { path, .. } | Effect::Write { path, .. } => Some(path),
        _ => None,
    }
}

fn show(effect: &Effect) -> String {
    let owner = |product: &Option<String>| product.clone().unwrap_or_else(|| "-".to_owned());
    match effect {
        Effect::Output { path, kind, product } => {
            format!("output {path}: {kind} of {}\n", owner(product))
        }
        Effect::Write { path, kind, product, content } => {
            let content = String::from_utf8_lossy(content);
            format!("write {path}: {kind} of {}: {content:?}\n", owner(product))
        }
        Effect::Companion { tool, path } => format!("companion of {tool}: {path}\n"),
        Effect::ToolVersion { tool, text } => format!("version of {tool}: {text}\n"),
        Effect::Submit(action) => {
            let mut text =
                format!("{}: {} runs {}\n", action.mnemonic, action.description, action.tool);
            for argument in &action.arguments {
                match argument {
                    PlannedArgument::Text(value) => writeln!(text, "  text {value:?}"),
                    PlannedArgument::Place { prefix, at, suffix, role } => {
                        writeln!(text, "  {role:?} {prefix:?} {at} {suffix:?}")
                    }
                }
                .unwrap();
            }
            for (name, value) in &action.environment {
                writeln!(text, "  {name}={value}").unwrap();
            }
            text
        }
        Effect::Contribute { product, contribution } => {
            format!("for {product}: {contribution:?}\n")
        }
        Effect::Require(requirement) => format!("require {requirement}\n"),
        Effect::Report(Report { severity, code, message, at, help }) => {
            format!("{severity:?} {code}: {message} {at:?} {help:?}\n")
        }
    }
}

/// Calls a command and unwraps.
pub(crate) fn call(
    plugin: &Plugin,
    host: &PluginHost,
    command: &str,
    world: &Arc<Desk>,
) -> Outcome {
    try_call(plugin, host, command, world).unwrap()
}

pub(crate) fn try_call(
    plugin: &Plugin,
    host: &PluginHost,
    command: &str,
    world: &Arc<Desk>,
) -> Result<Outcome, PluginError> {
    plugin.call(host, Call::Command(command), Arc::clone(world) as Arc<dyn World + Send + Sync>)
}

/// `Variant: message`, and the help.
pub(crate) fn explain(error: &PluginError) -> String {
    let debug = format!("{error:?}");
    let variant = debug.split([' ', '(']).next().unwrap_or_default();
    let help: String = error.help().iter().map(|help| format!("\n  help: {help}")).collect();
    format!("{variant}: {error}{help}")
}
