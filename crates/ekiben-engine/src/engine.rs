//! [`Engine`]: the interface. Actions go in while the caller still plans; threads run them as soon as their inputs are
//! there.
//!
//! The state machine is [`crate::schedule`], which sits in one lock; what takes time ([`crate::lookup`],
//! [`crate::execute`]) happens outside of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jobserver::Client;
use rustix::process::Signal;

use crate::action::{Action, ActionId, ArtifactId};
use crate::cache::{BlobError, Cache, FileDigests, write_atomically};
use crate::child::Children;
use crate::compile_commands::{self, CompileCommand};
use crate::digest::Digest;
use crate::error::EngineError;
use crate::events::{Event, EventSink};
use crate::execute::loss;
use crate::interrupt::Interrupt;
use crate::lookup::Snapshot;
use crate::path::{Location, RelPath, SystemPath};
use crate::render::ShellLine;
use crate::report::{Report, Status};
use crate::roots::Roots;
use crate::schedule::{Built, Schedule, Standing};
use crate::tokens::{self, Jobserver};
use crate::trace::Trace;
use crate::worker::Workers;

/// How long children have after SIGTERM.
const TERMINATION: Duration = Duration::from_secs(2);

/// What an engine is made for.
pub struct EngineOptions {
    /// The project's folder, in which processes run.
    pub source_root: PathBuf,
    /// The folder for outputs; created if needed. One build at a time uses it.
    pub build_root: PathBuf,
    /// Folders of the system whose place changes from build to build, by name: the isolated environment that an
    /// installer makes. Keys name the folder instead of its place, so results hold wherever it lies.
    pub movable: BTreeMap<String, PathBuf>,
    /// The cache.
    pub cache: Cache,
    /// How many actions run at once; 0 counts as 1.
    pub jobs: u32,
    /// Whether to go on after a failure with what doesn't depend on it.
    pub keep_going: bool,
    /// Where further job tokens come from.
    pub jobserver: Jobserver,
    /// Sizes of pools other than 1.
    pub pools: BTreeMap<String, u32>,
    /// Who hears what happens.
    pub sink: Arc<dyn EventSink>,
    /// What names the project from build to build, wherever it lies.
    pub project: String,
    /// What stops the build.
    pub interrupt: Interrupt,
}

/// What every thread of an engine shares.
pub(crate) struct Shared {
    pub(crate) roots: Roots,
    pub(crate) cache: Cache,
    pub(crate) digests: FileDigests,
    pub(crate) snapshot: Snapshot,
    pub(crate) project: String,
    pub(crate) interrupt: Interrupt,
    pub(crate) children: Arc<Children>,
    pub(crate) workers: Workers,
    pub(crate) jobserver: Client,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) trace: Trace,
    schedule: Mutex<Schedule>,
    pub(crate) changed: Condvar,
    /// Tells the warden, and functions that still run, that the engine is gone.
    pub(crate) over: Arc<AtomicBool>,
}

/// A build. Dropping it stops what runs.
pub struct Engine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Sets a build up. Its threads wait for actions.
    ///
    /// # Errors
    /// When the build folder can't be created, or the system refuses a thread or pipe.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let jobs = options.jobs.max(1);
        let (client, warning) =
            tokens::connect(options.jobserver, jobs).map_err(EngineError::Setup)?;
        let shared = Arc::new(Shared {
            roots: Roots::new(&options.source_root, &options.build_root, &options.movable)?,
            digests: FileDigests::new(options.cache.clone()),
            cache: options.cache,
            snapshot: Snapshot::default(),
            project: options.project,
            interrupt: options.interrupt,
            children: Arc::default(),
            workers: Workers::default(),
            jobserver: client.clone(),
            sink: options.sink,
            trace: Trace::new(),
            schedule: Mutex::new(Schedule::new(jobs, options.keep_going, options.pools)),
            changed: Condvar::new(),
            over: Arc::default(),
        });
        if let Some(warning) = warning {
            shared.warn(None, &warning);
        }
        let mut engine = Self { shared: Arc::clone(&shared), threads: Vec::new() };
        if jobs > 1 {
            let weak = Arc::downgrade(&shared);
            let helper = client.into_helper_thread(move |token| {
                if let Some(shared) = weak.upgrade() {
                    shared.schedule().tokens.arrived(token);
                    shared.changed.notify_all();
                }
            });
            shared.schedule().tokens.set_helper(helper.map_err(EngineError::Setup)?);
        }
        // One more than jobs, so that looking up goes on while all slots are taken.
        for thread in 0..=jobs as usize {
            engine.spawn(format!("thread {}", thread + 1), move |shared| shared.work(thread))?;
        }
        engine.spawn("warden".into(), Shared::watch)?;
        Ok(engine)
    }

    fn spawn(
        &mut self,
        name: String,
        body: impl FnOnce(&Shared) + Send + 'static,
    ) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name(name).spawn(move || body(&shared));
        self.threads.push(thread.map_err(EngineError::Setup)?);
        Ok(())
    }

    /// A file of the project.
    pub fn source(&self, path: RelPath) -> ArtifactId {
        self.shared.schedule().intern(Location::Source(path))
    }

    /// A file of the system.
    pub fn system(&self, path: SystemPath) -> ArtifactId {
        self.shared.schedule().intern(Location::System(path))
    }

    /// A file in the build folder, which some action makes, before or after this call.
    pub fn output(&self, path: RelPath) -> ArtifactId {
        self.shared.schedule().intern(Location::Build(path))
    }

    /// The artifact at `location`.
    pub fn artifact(&self, location: Location) -> ArtifactId {
        self.shared.schedule().intern(location)
    }

    /// Where an artifact is.
    #[must_use]
    pub fn location(&self, artifact: ArtifactId) -> Location {
        (*self.shared.schedule().location(artifact)).clone()
    }

    /// The absolute path of a location. A generated file may be in the cache only; see [`Engine::export`].
    #[must_use]
    pub fn path(&self, location: &Location) -> PathBuf {
        self.shared.roots.path(location)
    }

    /// The location of a file that a process running in the source root would call `spelled`.
    ///
    /// # Errors
    /// When the path isn't UTF-8 or holds a NUL.
    pub fn locate(&self, spelled: &str) -> Result<Location, crate::path::PathError> {
        self.shared.roots.locate(spelled)
    }

    /// Puts a file that the caller made while planning into the build folder, as an artifact like those of actions.
    ///
    /// # Errors
    /// When something else makes it too, or it can't be written.
    pub fn provide(
        &self,
        owner: &str,
        path: RelPath,
        content: &[u8],
    ) -> Result<ArtifactId, EngineError> {
        let digest = Digest::of(content);
        let location = Location::Build(path);
        let target = self.shared.roots.path(&location);
        let mut schedule = self.shared.schedule();
        let artifact = schedule.intern(location);
        // The lock is kept while writing, so that nobody reads an old file as this one.
        schedule.check_provided(owner, artifact, digest)?;
        if !self.shared.digests.digest(&target).is_ok_and(|old| old == digest) {
            write_atomically(&target, content, false).map_err(EngineError::io("write", &target))?;
        }
        schedule.provide(artifact, digest);
        drop(schedule);
        self.shared.changed.notify_all();
        Ok(artifact)
    }

    /// Takes an action in; it starts as soon as its inputs are built and there's room.
    ///
    /// # Errors
    /// When it can't be part of this build: two producers, outputs elsewhere, no outputs, or after the end.
    pub fn submit(&self, action: Action) -> Result<ActionId, EngineError> {
        let mut schedule = self.shared.schedule();
        let id = schedule.submit(action)?;
        let action = schedule.action(id);
        // In the lock, so that nobody hears of its start first.
        self.shared.sink.event(Event::Queued { id, action: &action });
        let outcome = schedule.outcome(id);
        drop(schedule);
        match outcome {
            Some(_) => self.shared.announce_unrun(&[id]),
            None => self.shared.changed.notify_all(),
        }
        Ok(id)
    }

    /// Waits until `artifact` is built, and gives its digest. For a file outside the build, that of its content.
    ///
    /// What it depends on has to be submitted by then: when nothing runs any more and something in between has no
    /// producer, that's an error, even if another thread is still planning.
    ///
    /// # Errors
    /// When it can't be built, or nothing makes it.
    pub fn wait(&self, artifact: ArtifactId) -> Result<Digest, EngineError> {
        match self.shared.wait(artifact)? {
            Some(built) => Ok(built.digest),
            None => {
                let location = self.location(artifact);
                self.shared
                    .leaf_digest(&location)
                    .map_err(|_| EngineError::NoProducer { path: location })
            }
        }
    }

    /// The content of `artifact`, once it is built.
    ///
    /// # Errors
    /// As [`Engine::wait`], or when it can't be read.
    pub fn read(&self, artifact: ArtifactId) -> Result<Vec<u8>, EngineError> {
        let location = self.location(artifact);
        let path = self.shared.roots.path(&location);
        self.shared.with_content(artifact, |built| {
            let Some(built) = built else {
                return std::fs::read(&path).map_err(BlobError::Io);
            };
            let on_disk = if built.on_disk { std::fs::read(&path).ok() } else { None };
            match on_disk.filter(|content| Digest::of(content) == built.digest) {
                Some(content) => Ok(content),
                None => self.shared.cache.get_bytes(built.digest),
            }
        })
    }

    /// Copies `artifact`, once it is built, to `target`, whole or not at all.
    ///
    /// # Errors
    /// As [`Engine::wait`], or when it can't be written.
    pub fn export(&self, artifact: ArtifactId, target: &Path) -> Result<(), EngineError> {
        let path = self.shared.roots.path(&self.location(artifact));
        self.shared.with_content(artifact, |built| {
            let Some(built) = built else {
                let content = std::fs::read(&path).map_err(BlobError::Io)?;
                return write_atomically(target, &content, false).map_err(BlobError::Io);
            };
            // Whatever else may have happened to the file since it was built never gets to `target`.
            if built.on_disk
                && let Ok(content) = std::fs::read(&path)
                && Digest::of(&content) == built.digest
                && write_atomically(target, &content, built.executable).is_ok()
            {
                return Ok(());
            }
            self.shared.cache.copy_blob(built.digest, target, built.executable)
        })
    }

    /// Waits for everything, has the workers exit, and says how it went. Nothing can be submitted afterwards; reading and exporting go on.
    pub fn finish(&self) -> Report {
        let mut schedule = self.shared.schedule();
        schedule.closed = true;
        loop {
            if !schedule.is_idle() {
                schedule = self.shared.sleep(schedule);
                continue;
            }
            let ended = schedule.settle();
            if ended.is_empty() {
                break;
            }
            drop(schedule);
            self.shared.announce_unrun(&ended);
            schedule = self.shared.schedule();
        }
        let status = if schedule.is_interrupted() {
            Status::Interrupted
        } else if schedule.has_failed() {
            Status::Failed
        } else {
            Status::Succeeded
        };
        let actions = schedule.report();
        drop(schedule);
        let leaving = self.shared.workers.dismiss();
        self.shared.cache.maintain();
        let problems = leaving.wait();
        if !self.shared.interrupt.is_triggered() {
            problems.iter().for_each(|problem| self.shared.warn(None, problem));
        }
        Report { status, actions }
    }

    /// The files outside the build folder that decided on what was built, headers that compilers found among them, and
    /// the folders that were searched for such. They are complete after [`Engine::finish`].
    #[must_use]
    pub fn seen(&self) -> (BTreeSet<Location>, BTreeSet<Location>) {
        self.shared.seen()
    }

    /// A shell line that does what the action does; for a function, a comment that names it.
    #[must_use]
    pub fn command_line(&self, action: ActionId) -> String {
        let schedule = self.shared.schedule();
        let action = schedule.action(action);
        let names = schedule.names(&action);
        drop(schedule);
        let line = ShellLine { action: &action, names: &names, roots: &self.shared.roots };
        line.to_string()
    }

    /// The compilation database of everything submitted so far, sorted.
    #[must_use]
    pub fn compile_commands(&self) -> Vec<CompileCommand> {
        let schedule = self.shared.schedule();
        let mut entries: Vec<_> = schedule
            .actions()
            .filter_map(|(_, action)| {
                compile_commands::entry(action, &schedule.names(action), &self.shared.roots)
            })
            .collect();
        entries.sort_unstable();
        entries
    }

    /// Writes [`Engine::compile_commands`] as `compile_commands.json` to `path`, whole or not at all. A file that says
    /// the same already stays as it is, so that editors don't read it again.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_compile_commands(&self, path: &Path) -> Result<(), EngineError> {
        write_json(path, &self.compile_commands())
    }

    /// Writes [`Engine::trace`] to `path`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_trace(&self, path: &Path) -> Result<(), EngineError> {
        write_json(path, &self.trace())
    }

    /// Adds a span of the caller's to the trace.
    pub fn trace_span(&self, name: &str, start: Instant, end: Instant) {
        self.shared.trace.span(name, start, end);
    }

    /// The trace so far, as Chrome trace-event JSON.
    #[must_use]
    pub fn trace(&self) -> serde_json::Value {
        self.shared.trace.to_json()
    }

    /// The digests of files that this build knows.
    #[must_use]
    pub fn file_digests(&self) -> &FileDigests {
        &self.shared.digests
    }
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), EngineError> {
    let failed = EngineError::io("write", path);
    let text = match serde_json::to_vec_pretty(value) {
        Ok(text) => text,
        Err(error) => return Err(failed(error.into())),
    };
    if std::fs::read(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    write_atomically(path, &text, false).map_err(failed)
}

impl Drop for Engine {
    fn drop(&mut self) {
        let mut schedule = self.shared.schedule();
        schedule.shutdown = true;
        let helper = schedule.tokens.take_helper();
        drop(schedule);
        self.shared.changed.notify_all();
        // Its callback takes the lock, so it is joined without.
        drop(helper);
        self.shared.children.stop(Signal::KILL);
        self.shared.interrupt.release(&self.shared.over);
        for thread in self.threads.drain(..) {
            // A panic there has been shown already.
            let _ = thread.join();
        }
        drop(self.shared.workers.dismiss());
    }
}

impl Shared {
    pub(crate) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sleep<'a>(&self, schedule: MutexGuard<'a, Schedule>) -> MutexGuard<'a, Schedule> {
        self.changed.wait(schedule).unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn warn(&self, action: Option<&Action>, message: &str) {
        self.sink.event(Event::Warning { action, message });
    }

    /// The build doesn't depend on the cache: the first failed write is told, and that's all.
    pub(crate) fn note_cache_failure(&self, result: std::io::Result<()>) {
        if let Err(error) = result
            && self.cache.first_failure()
        {
            let folder = self.cache.folder().display();
            self.warn(
                None,
                &format!("results can't be kept in the cache {folder}: {error}; building goes on"),
            );
        }
    }

    /// Waits for the artifact; none for a file outside the build.
    fn wait(&self, artifact: ArtifactId) -> Result<Option<Built>, EngineError> {
        let mut schedule = self.schedule();
        loop {
            match schedule.standing(artifact) {
                Standing::Built(built) => return Ok(Some(built)),
                Standing::Leaf => return Ok(None),
                Standing::Never(error) => return Err(error),
                Standing::Pending => schedule = self.sleep(schedule),
            }
        }
    }

    /// Gets something from a built artifact's content; if that is gone, has it made again.
    fn with_content<T>(
        &self,
        artifact: ArtifactId,
        get: impl Fn(Option<Built>) -> Result<T, BlobError>,
    ) -> Result<T, EngineError> {
        loop {
            let built = self.wait(artifact)?;
            let error = match (get(built), built) {
                (Ok(content), _) => return Ok(content),
                (Err(BlobError::Io(source)), _) => {
                    let location = self.schedule().location(artifact);
                    let path = self.roots.path(&location);
                    return Err(EngineError::Io { action: "copy", path, source });
                }
                (Err(error), built) => built.map(|built| loss(&error, built.digest)),
            };
            let Some(reason) = error else { continue };
            self.schedule().rebuild(artifact, reason);
            self.changed.notify_all();
        }
    }

    /// Waits for an interrupt, and carries it out.
    fn watch(&self) {
        if !self.interrupt.wait(1, None, &self.over) {
            return;
        }
        self.schedule().interrupt();
        self.changed.notify_all();
        self.children.stop(Signal::TERM);
        // A second request ends the wait, and so does the engine once all children are gone.
        self.interrupt.wait(2, Some(TERMINATION), &self.over);
        self.children.stop(Signal::KILL);
    }
}
