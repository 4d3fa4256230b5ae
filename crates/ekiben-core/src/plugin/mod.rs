//! Plugins: WebAssembly components that bring commands and toolchains.
//!
//! The host gives a component no ambient authority. What it can learn and do is the WIT package in
//! `ekiben-plugin`; here each of its functions becomes a [`Query`](protocol::Query) or an
//! [`Effect`](protocol::Effect), carried out by whoever implements [`World`].
//!
//! * [`PluginHost::load`] checks a component and learns what it has ([`Description`]).
//! * [`Plugin::call`] runs one command, or one request to its toolchain, in a fresh store; or
//!   replays what it gave before ([`journal`]), in which case no WebAssembly is even loaded.
//!
//! Invariants: nothing here knows what any plugin is for. A call either succeeds, or fails with an
//! error that names the plugin; it can't hang, exhaust memory or panic the host.

mod bindings;
mod component;
mod error;
mod host;
mod journal;
mod limits;
pub mod protocol;
mod records;
mod registry;

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use ekiben_engine::Digest;
use serde::Serialize;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, Store, StoreLimitsBuilder, UpdateDeadline};

pub use component::{CodeSource, INTERFACE_VERSION, Precompiled, precompile};
pub use error::PluginError;
pub use limits::Limits;
pub use records::{NoRecords, Records};
pub use registry::{CommandText, Description, LanguageSpec, ToolSpec, Translated};

use bindings::exports::ekiben::plugin as exported;
use error::Stopped;
use host::{CallContext, CallState, Kinds, State};
use journal::{Journal, Journals, Replay};
use protocol::{CompileRequest, Effect, Failure, LinkRequest, World};
use registry::Registration;

/// The format of what is kept of plugins: changes with the types that are stored.
const FORMAT: u32 = 4;

/// How often a running guest is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Loads plugins and runs them.
pub struct PluginHost {
    records: Arc<dyn Records>,
    limits: Limits,
    /// Made when the first component must really run.
    engine: OnceLock<Result<Engine, String>>,
}

/// A plugin whose description is known.
pub struct Plugin {
    origin: String,
    bytes: Cow<'static, [u8]>,
    digest: Digest,
    description: Arc<Description>,
    precompiled: Option<Precompiled>,
    ready: OnceLock<(InstancePre<State>, CodeSource)>,
}

/// What to call.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// One of the plugin's commands, by its name without the prefix.
    Command(&'a str),
    /// Its toolchain, to compile.
    Compile(&'a CompileRequest),
    /// Its toolchain, to link.
    Link(&'a LinkRequest),
}

/// How a call's result came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The component ran.
    Ran,
    /// Its recorded result was replayed.
    Replayed,
}

impl PluginHost {
    /// A host that keeps compiled code and results in `records`.
    #[must_use]
    pub fn new(records: Arc<dyn Records>, limits: Limits) -> Self {
        Self { records, limits, engine: OnceLock::new() }
    }

    /// Checks a component, and learns from it, or from the record of an earlier time, what it has.
    ///
    /// # Errors
    /// When it is no component for this host's interface, or its `describe` fails or makes no sense.
    pub fn load(&self, origin: &str, bytes: Cow<'static, [u8]>) -> Result<Plugin, PluginError> {
        self.load_with(origin, bytes, None)
    }

    /// As [`load`](Self::load), with machine code that is used if it is of this component and fits.
    ///
    /// # Errors
    /// As there.
    pub fn load_with(
        &self,
        origin: &str,
        bytes: Cow<'static, [u8]>,
        precompiled: Option<Precompiled>,
    ) -> Result<Plugin, PluginError> {
        let digest = Digest::of(&bytes);
        let key = Digest::of(format!("describe {FORMAT} {digest}").as_bytes());
        let mut plugin = Plugin {
            origin: origin.to_owned(),
            bytes,
            digest,
            description: Arc::default(),
            precompiled,
            ready: OnceLock::new(),
        };
        let known = self.records.get("description", &key);
        if let Some(description) = known.and_then(|record| postcard::from_bytes(&record).ok()) {
            plugin.description = Arc::new(description);
            return Ok(plugin);
        }
        let description = plugin.describe(self)?;
        if let Ok(record) = postcard::to_allocvec(&description) {
            self.records.put("description", &key, &record);
        }
        plugin.description = Arc::new(description);
        Ok(plugin)
    }

    fn engine(&self) -> Result<&Engine, PluginError> {
        self.engine
            .get_or_init(|| component::engine().map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|problem| PluginError::Engine(problem.clone()))
    }

    fn state(&self, declared: Arc<Description>) -> State {
        State {
            table: ResourceTable::new(),
            store_limits: StoreLimitsBuilder::new()
                .memory_size(self.limits.memory)
                .table_elements(1 << 20)
                .instances(64)
                .tables(64)
                .memories(16)
                .trap_on_grow_failure(true)
                .build(),
            limits: self.limits,
            spent: limits::Spent::default(),
            started: Instant::now(),
            waited: Duration::ZERO,
            declared,
            description: None,
            call: None,
            last_log: None,
            abandoned: None,
        }
    }
}

impl Plugin {
    /// What it says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The digest of its component.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its id and version, as errors name it.
    #[must_use]
    pub fn title(&self) -> String {
        if self.description.id.is_empty() {
            format!("`{}`", self.origin)
        } else {
            format!("`{}` {}", self.description.id, self.description.version)
        }
    }

    /// Where its machine code came from; none if this run hasn't needed it.
    #[must_use]
    pub fn code(&self) -> Option<CodeSource> {
        self.ready.get().map(|(_, source)| *source)
    }

    /// Gets the component's machine code and links it to the host: what the first call that runs it
    /// pays.
    ///
    /// # Errors
    /// When it is no component for this host.
    pub fn prepare(&self, host: &PluginHost) -> Result<(), PluginError> {
        self.ready(host).map(|_| ())
    }

    /// Gives the effects of `call` to `world`.
    ///
    /// # Errors
    /// When the plugin fails, by its fault or the user's.
    pub fn call(
        &self,
        host: &PluginHost,
        call: Call<'_>,
        world: Arc<dyn World + Send + Sync>,
    ) -> Result<Outcome, PluginError> {
        let key = call.key(&self.digest);
        let known = host.records.get("journal", &key);
        let mut journals = known.map(|record| Journals::decode(&record)).unwrap_or_default();
        let performed = match journals.replay(&*world) {
            Replay::Complete => return Ok(Outcome::Replayed),
            Replay::Partial(performed) => performed,
        };
        let journal = self.run(host, call, world, performed.into())?;
        journals.remember(journal);
        if let Some(record) = journals.encode() {
            host.records.put("journal", &key, &record);
        }
        Ok(Outcome::Ran)
    }

    fn run(
        &self,
        host: &PluginHost,
        call: Call<'_>,
        world: Arc<dyn World + Send + Sync>,
        performed: VecDeque<(Effect, journal::Outcome)>,
    ) -> Result<Journal, PluginError> {
        let mut state = host.state(Arc::clone(&self.description));
        let kinds = self.kinds(call);
        state.call = Some(CallState { world, kinds, journal: Journal::default(), performed });
        let (mut store, result) = self.enter(host, &call.to_string(), state, |pre, store| {
            let instance = pre.instantiate(&mut *store)?;
            let context = store.data_mut().table.push(CallContext)?;
            match call {
                Call::Command(name) => {
                    provider(pre, store, &instance)?.call_run(store, name, context)
                }
                Call::Compile(request) => {
                    let request = store.data_mut().table.push(request.clone())?;
                    toolchain(pre, store, &instance)?.call_compile(store, context, request)
                }
                Call::Link(request) => {
                    let request = store.data_mut().table.push(request.clone())?;
                    toolchain(pre, store, &instance)?.call_link(store, context, request)
                }
            }
        })?;
        result.map_err(|failure| self.failed(call, failure.into()))?;
        if let Some(mnemonic) = &store.data().abandoned {
            let problem = format!("it described an action ({mnemonic}) but never submitted it");
            return Err(self.failed(call, Failure::Internal(problem)));
        }
        let state = store.data_mut().call.take();
        if let Some((effect, _)) = state.as_ref().and_then(|state| state.performed.front()) {
            let problem = format!(
                "it isn't deterministic: with the same answers it once did {effect:?} and now ended before"
            );
            return Err(self.failed(call, Failure::Internal(problem)));
        }
        Ok(state.map(|call| call.journal).unwrap_or_default())
    }

    fn describe(&self, host: &PluginHost) -> Result<Description, PluginError> {
        let mut state = host.state(Arc::default());
        state.description = Some(Description::default());
        let (mut store, ()) = self.enter(host, "describe", state, |pre, store| {
            let instance = pre.instantiate(&mut *store)?;
            let registration = store.data_mut().table.push(Registration)?;
            provider(pre, store, &instance)?.call_describe(store, registration)
        })?;
        let mut description = store.data_mut().description.take().unwrap_or_default();
        let component = self.ready(host)?.component();
        description.toolchain = component::exports(host.engine()?, component, "toolchain");
        match description.problem() {
            Some(problem) => {
                Err(PluginError::BadDescription { origin: self.origin.clone(), problem })
            }
            None => Ok(description),
        }
    }

    fn ready(&self, host: &PluginHost) -> Result<&InstancePre<State>, PluginError> {
        if let Some((ready, _)) = self.ready.get() {
            return Ok(ready);
        }
        let engine = host.engine()?;
        let (component, source) = component::compile(
            engine,
            &self.origin,
            &self.bytes,
            &self.digest,
            self.precompiled,
            &*host.records,
        )?;
        let pre = link(engine, &component).map_err(|error| PluginError::NotAComponent {
            origin: self.origin.clone(),
            problem: format!("{error:#}"),
        })?;
        Ok(&self.ready.get_or_init(|| (pre, source)).0)
    }

    /// Runs `body` in a fresh store, within the limits.
    fn enter<T>(
        &self,
        host: &PluginHost,
        call: &str,
        state: State,
        body: impl FnOnce(&InstancePre<State>, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<(Store<State>, T), PluginError> {
        let pre = self.ready(host)?;
        let engine = host.engine()?;
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.store_limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            let state = store.data();
            let used = state.started.elapsed().saturating_sub(state.waited);
            if used > state.limits.time {
                return Err(Stopped::Time(state.limits.time).into());
            }
            Ok(UpdateDeadline::Continue(1))
        });
        store.data_mut().started = Instant::now();
        let result = ticking(engine, || body(pre, &mut store));
        match result {
            Ok(value) => Ok((store, value)),
            Err(error) => Err(self.trapped(call, &error, store.data().last_log.as_deref())),
        }
    }

    fn kinds(&self, call: Call<'_>) -> Kinds {
        let Call::Command(name) = call else { return Kinds::Any };
        let declared = self.description.command(name);
        let plain = |kinds: &[String]| -> BTreeSet<String> {
            kinds.iter().map(|kind| kind.trim_end_matches('?').to_owned()).collect()
        };
        Kinds::Declared {
            consumes: declared.map(|command| plain(&command.consumes)).unwrap_or_default(),
            produces: declared.map(|command| plain(&command.produces)).unwrap_or_default(),
        }
    }

    fn failed(&self, call: Call<'_>, failure: Failure) -> PluginError {
        let plugin = self.title();
        match failure {
            Failure::Unsupported(what) => PluginError::Unsupported { plugin, what },
            Failure::User(reports) => PluginError::User { plugin, reports },
            Failure::Internal(problem) => {
                PluginError::Mistake { plugin, call: call.to_string(), problem }
            }
        }
    }

    fn trapped(&self, call: &str, error: &wasmtime::Error, last_log: Option<&str>) -> PluginError {
        let (plugin, call) = (self.title(), call.to_owned());
        match error.downcast_ref::<Stopped>() {
            Some(limit @ (Stopped::Time(_) | Stopped::Quota(_))) => {
                return PluginError::Limit { plugin, call, limit: limit.to_string() };
            }
            Some(Stopped::Misuse(problem)) => {
                return PluginError::Mistake { plugin, call, problem: problem.clone() };
            }
            None => {}
        }
        let mut problem = error.root_cause().to_string();
        if error.root_cause().downcast_ref::<std::io::Error>().is_some_and(out_of_memory) {
            return PluginError::Engine(format!("no memory is left for {plugin} in {call}"));
        }
        if problem.contains("forcing trap when growing memory") {
            let limit = format!("the memory set for plugins ({problem})");
            return PluginError::Limit { plugin, call, limit };
        }
        if problem.contains("handle limit exceeded") {
            return PluginError::Limit { plugin, call, limit: "open handles".to_owned() };
        }
        if let Some(log) = last_log {
            problem = format!("{problem}; its last words: {log}");
        }
        PluginError::Trap { plugin, call, problem }
    }
}

impl Call<'_> {
    /// What identifies the call besides the answers it gets.
    fn key(self, component: &Digest) -> Digest {
        #[derive(Serialize)]
        enum Key<'a> {
            Command(&'a str),
            Compile(&'a CompileRequest),
            Link(&'a LinkRequest),
        }
        let key = match self {
            Self::Command(name) => Key::Command(name),
            Self::Compile(request) => Key::Compile(request),
            Self::Link(request) => Key::Link(request),
        };
        let encoded = postcard::to_allocvec(&(FORMAT, component.as_bytes(), key));
        Digest::of(&encoded.unwrap_or_default())
    }
}

impl std::fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(name) => write!(f, "the command `{name}`"),
            Self::Compile(request) => {
                write!(f, "`toolchain.compile` ({}, {})", request.product, request.language)
            }
            Self::Link(request) => write!(f, "`toolchain.link` ({})", request.product),
        }
    }
}

/// The machine's limit, such as `ulimit -v`, which is no fault of a plugin.
fn out_of_memory(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::OutOfMemory
}

fn link(engine: &Engine, component: &Component) -> wasmtime::Result<InstancePre<State>> {
    let mut linker = Linker::new(engine);
    bindings::ToolchainPlugin::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    linker.instantiate_pre(component)
}

fn provider(
    pre: &InstancePre<State>,
    store: &mut Store<State>,
    instance: &wasmtime::component::Instance,
) -> wasmtime::Result<exported::provider::Guest> {
    exported::provider::GuestIndices::new(pre)?.load(store, instance)
}

fn toolchain(
    pre: &InstancePre<State>,
    store: &mut Store<State>,
    instance: &wasmtime::component::Instance,
) -> wasmtime::Result<exported::toolchain::Guest> {
    exported::toolchain::GuestIndices::new(pre)?.load(store, instance)
}

/// Advances the engine's epoch while `body` runs, so that a guest which never calls the host is
/// looked at too.
fn ticking<T>(engine: &Engine, body: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (done, over) = mpsc::channel::<()>();
        scope.spawn(move || {
            while over.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        });
        let result = body();
        drop(done);
        result
    })
}
