//! Running an action and keeping what it made.
//!
//! Invariants:
//! - An action starts with its outputs gone and its inputs there, and leaves either all outputs or none.
//! - A result is kept only if no file it depends on can have changed since its digest was taken: else the next build
//!   would take the new content for what the old result was made of.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use crate::action::{Action, ActionError, ActionKind, ArtifactId, DepFile, Function};
use crate::cache::{Absent, BlobError, Header, Name, OutputBlob, ResultEntry, Stamp};
use crate::child::{self, Usage};
use crate::depfile::{parse_make, parse_plain, parse_trace, split_msvc};
use crate::digest::Digest;
use crate::engine::Shared;
use crate::function::FunctionContext;
use crate::lookup::{Discovered, Prepared, named_inputs, shadow_candidates};
use crate::path::Location;
use crate::reason::Reason;
use crate::render::{CommandLine, RESPONSE_FILE_LIMIT, ShellLine, response_file};
use crate::report::{Failed, Failure};
use crate::schedule::{Built, Job};
use crate::worker::Served;

/// What became of a run.
#[derive(Debug)]
pub(crate) enum Ended {
    Ran {
        outputs: Vec<Built>,
        output: Vec<u8>,
        used: Used,
    },
    /// The content of this input is gone; it has to be made again first.
    InputGone {
        artifact: ArtifactId,
        reason: Reason,
    },
    Failed(Failed, Used),
    Cancelled,
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) usage: Option<Usage>,
    /// The process id of the worker, if one did it.
    pub(crate) worker: Option<u32>,
}

/// What the process or function did.
struct Done {
    output: Vec<u8>,
    used: Used,
    result: Result<(), Failure>,
}

impl Shared {
    /// Runs the job's action.
    pub(crate) fn execute(&self, job: &Job, prepared: &Prepared) -> Ended {
        if let Err(ended) = self.materialise_inputs(job) {
            return *ended;
        }
        let ended = self.attempt(job, prepared);
        if !matches!(ended, Ended::Ran { .. }) {
            // What can't be deleted now is deleted, or found in the way, before the next run.
            let _ = self.delete_outputs(job);
        }
        match ended {
            Ended::Failed(..) if self.interrupt.is_triggered() => Ended::Cancelled,
            ended => ended,
        }
    }

    fn failed(&self, job: &Job, failure: Failure) -> Ended {
        Ended::Failed(self.failed_with(job, failure, Vec::new()), Used::default())
    }

    pub(crate) fn failed_with(&self, job: &Job, failure: Failure, output: Vec<u8>) -> Failed {
        Failed { failure, output, command_line: self.shell_line(job).to_string() }
    }

    pub(crate) fn shell_line<'a>(&'a self, job: &'a Job) -> ShellLine<'a> {
        ShellLine { action: &job.action, names: &job.names, roots: &self.roots }
    }

    /// Brings generated inputs from the cache into the build folder.
    fn materialise_inputs(&self, job: &Job) -> Result<(), Box<Ended>> {
        for input in &job.inputs {
            let Some(built) = input.built.filter(|built| !built.on_disk) else { continue };
            let path = self.roots.path(&input.location);
            match self.materialise(&built, &path) {
                Ok(()) => self.schedule().set_on_disk(input.artifact),
                Err(BlobError::Io(error)) => {
                    return Err(Box::new(self.failed(job, Failure::io("write", &path, &error))));
                }
                Err(error) => {
                    let reason = loss(&error, built.digest);
                    let artifact = input.artifact;
                    return Err(Box::new(Ended::InputGone { artifact, reason }));
                }
            }
        }
        Ok(())
    }

    /// Puts a built artifact at `path`, unless it is there from an earlier build.
    pub(crate) fn materialise(&self, built: &Built, path: &Path) -> Result<(), BlobError> {
        let there = self.digests.digest(path).is_ok_and(|digest| digest == built.digest)
            && is_executable(path).is_ok_and(|executable| executable == built.executable);
        if there { Ok(()) } else { self.cache.copy_blob(built.digest, path, built.executable) }
    }

    fn attempt(&self, job: &Job, prepared: &Prepared) -> Ended {
        if let Err((path, error)) = self.prepare_outputs(job) {
            return self.failed(job, Failure::io("prepare", &path, &error));
        }
        let scratch = match self.scratch("action-") {
            Ok(scratch) => scratch,
            Err(error) => {
                return self.failed(job, Failure::io("create", self.roots.build(), &error));
            }
        };
        // The scratch folder's own time is "now" by the clock that files' times come from.
        let started = match scratch.path().metadata() {
            Ok(metadata) => Stamp::of(&metadata),
            Err(error) => return self.failed(job, Failure::io("read", scratch.path(), &error)),
        };
        let done = match &job.action.kind {
            ActionKind::Process { .. } => self.run_process(job, scratch.path()),
            ActionKind::Function(function) => self.run_function(job, function, scratch.path()),
        };
        let (output, included) = match &job.action.dep_file {
            Some(DepFile::Msvc { prefix }) => split_msvc(&done.output, prefix),
            _ => (done.output, Vec::new()),
        };
        if let Err(failure) = done.result {
            return Ended::Failed(self.failed_with(job, failure, output), done.used);
        }
        let outputs = match self.digest_outputs(job) {
            Ok(outputs) => outputs,
            Err(failure) => {
                return Ended::Failed(self.failed_with(job, failure, output), done.used);
            }
        };
        if job.action.cacheable {
            match self.discover(job, included, &started) {
                Ok(found) => self.keep(job, prepared, found, &outputs, &output),
                Err(obstacle) => self.warn(
                    Some(&job.action),
                    &format!("{}: {obstacle}; its result isn't kept", job.action.description),
                ),
            }
        }
        Ended::Ran { outputs, output, used: done.used }
    }

    /// Where temporary files go, of which no result depends.
    fn scratch_root(&self) -> PathBuf {
        self.roots.build().join(".scratch")
    }

    pub(crate) fn scratch(&self, prefix: &str) -> io::Result<tempfile::TempDir> {
        let folder = self.scratch_root();
        fs::create_dir_all(&folder)?;
        tempfile::Builder::new().prefix(prefix).tempdir_in(folder)
    }

    /// Deletes stale outputs and makes the folders they go to.
    fn prepare_outputs(&self, job: &Job) -> Result<(), (std::path::PathBuf, io::Error)> {
        self.delete_outputs(job)?;
        for artifact in written(&job.action) {
            let path = self.roots.path(job.locate(artifact));
            let folder = path.parent().unwrap_or(&path);
            fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error))?;
        }
        Ok(())
    }

    fn delete_outputs(&self, job: &Job) -> Result<(), (std::path::PathBuf, io::Error)> {
        for artifact in written(&job.action) {
            let path = self.roots.path(job.locate(artifact));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err((path, error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn run_process(&self, job: &Job, scratch: &Path) -> Done {
        let failed = |failure| {
            let (output, used) = (Vec::new(), Used::default());
            Done { output, used, result: Err(failure) }
        };
        let line = CommandLine::of(&job.action, &self.roots, |artifact| job.locate(artifact));
        let Some(line) = line else { return failed(Failure::Exit { code: 0 }) };
        if let Some(Served { output, usage, worker, result }) = self.serve(job, &line) {
            return Done { output, used: Used { usage, worker }, result };
        }
        let mut command = Command::new(&line.program);
        self.surround(&mut command, &job.action, &line, scratch);
        match job.action.response_file {
            Some(style) if line.length() > RESPONSE_FILE_LIMIT => {
                let file = scratch.join("arguments.rsp");
                if let Err(error) = fs::write(&file, response_file(style, &line.args)) {
                    return failed(Failure::io("write", &file, &error));
                }
                let mut at = std::ffi::OsString::from("@");
                at.push(&file);
                command.arg(at);
            }
            _ => {
                command.args(&line.args);
            }
        }
        match child::run(command, &self.children) {
            Err(error) => failed(Failure::Spawn {
                program: line.program.to_string_lossy().into_owned(),
                error: error.to_string(),
            }),
            Ok(exit) => {
                let result = match (exit.status.code(), exit.status.signal()) {
                    (Some(0), _) => Ok(()),
                    (Some(code), _) => Err(Failure::Exit { code }),
                    (None, signal) => Err(Failure::Signal { signal: signal.unwrap_or_default() }),
                };
                let used = Used { usage: Some(exit.usage), worker: None };
                Done { output: exit.output, used, result }
            }
        }
    }

    /// Says where the action's process runs and what it sees of the world.
    pub(crate) fn surround(
        &self,
        command: &mut Command,
        action: &Action,
        line: &CommandLine,
        scratch: &Path,
    ) {
        command
            .current_dir(self.roots.source())
            .env_clear()
            .envs(line.env.iter().map(|v| (&v.0, &v.1)));
        if !line.env.iter().any(|(name, _)| name == "TMPDIR") {
            command.env("TMPDIR", scratch);
        }
        if action.uses_jobserver {
            self.jobserver.configure_make(command);
        }
    }

    fn run_function(&self, job: &Job, function: &Function, scratch: &Path) -> Done {
        let path = |artifact: ArtifactId| (artifact, self.roots.path(job.locate(artifact)));
        let context = FunctionContext {
            inputs: job.inputs.iter().map(|input| path(input.artifact)).collect(),
            outputs: written(&job.action).map(path).collect(),
            source_root: self.roots.source().to_owned(),
            scratch: scratch.to_owned(),
            log: Mutex::default(),
            interrupt: self.interrupt.clone(),
            over: Arc::clone(&self.over),
        };
        let result = catch_unwind(AssertUnwindSafe(|| (function.run)(&context)));
        let result = result.unwrap_or_else(|_| {
            Err(ActionError {
                message: format!("{} {} panicked", function.name, function.version),
                hint: Some("this is a bug in Ekiben or a plugin of it; please report it".into()),
            })
        });
        let output = context.log.into_inner().unwrap_or_else(PoisonError::into_inner);
        let result =
            result.map_err(|ActionError { message, hint }| Failure::Function { message, hint });
        Done { output, used: Used::default(), result }
    }

    fn digest_outputs(&self, job: &Job) -> Result<Vec<Built>, Failure> {
        let (mut outputs, mut absent) = (Vec::new(), Vec::new());
        for output in &job.action.outputs {
            let location = job.locate(*output);
            let path = self.roots.path(location);
            let built = self.digests.digest(&path).and_then(|digest| {
                Ok(Built { digest, executable: is_executable(&path)?, on_disk: true })
            });
            match built {
                Ok(built) => outputs.push(built),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    absent.push(location.clone());
                }
                Err(error) => return Err(Failure::io("read", &path, &error)),
            }
        }
        if absent.is_empty() { Ok(outputs) } else { Err(Failure::MissingOutput { paths: absent }) }
    }

    /// Finds out what the action read. The error says why its result can't be kept.
    fn discover(
        &self,
        job: &Job,
        included: Vec<String>,
        started: &Stamp,
    ) -> Result<Discovered, String> {
        self.check_inputs(job, started)?;
        let mut missed = Vec::new();
        let spelled = match &job.action.dep_file {
            None => return Ok(Discovered { headers: Vec::new(), absent: Vec::new() }),
            Some(DepFile::Msvc { .. }) => included,
            Some(DepFile::Make(file)) => self.read_dep_file(job, *file, parse_make)?,
            Some(DepFile::Plain(file)) => self.read_dep_file(job, *file, parse_plain)?,
            Some(DepFile::Trace(file)) => {
                let trace = self.read_dep_file(job, *file, parse_trace)?;
                missed = trace.absent;
                trace.read
            }
        };
        let named: HashSet<_> =
            named_inputs(&job.action).into_iter().map(|artifact| job.locate(artifact)).collect();
        let declared: HashSet<_> = job.inputs.iter().map(|input| &*input.location).collect();
        let outputs: HashSet<_> = job.action.outputs.iter().map(|o| job.locate(*o)).collect();
        let scratch = self.scratch_root();
        let mut seen = Vec::new();
        for spelled in spelled {
            if Path::new(&spelled).starts_with(&scratch) {
                continue;
            }
            let location = self
                .roots
                .locate(&spelled)
                .map_err(|error| format!("it read {spelled}, but {error}"))?;
            if !named.contains(&location) && !outputs.contains(&location) {
                seen.push(location);
            }
        }
        let mut headers = BTreeSet::new();
        for at in seen.iter().filter(|at| !declared.contains(at)) {
            let digest = self.discovered_digest(job, at, started)?;
            headers.insert(Header { at: self.roots.symbolic(at).into(), digest });
        }
        let includers: Vec<_> = named.into_iter().cloned().collect();
        let mut candidates = shadow_candidates(&job.action.search_path, &seen, &includers);
        for spelled in missed {
            let at = self.roots.locate(&spelled);
            let at = at.map_err(|error| format!("it looked for {spelled}, but {error}"))?;
            let Some(folder) = at.parent() else { continue };
            if let Some(name) = at.below(&folder).map(str::to_owned) {
                candidates.entry(folder).or_default().insert(name);
            }
        }
        self.report_seen(seen.iter(), candidates.keys());
        let mut absent = Vec::new();
        for (folder, names) in candidates {
            let mut kept = Vec::new();
            for name in names {
                let at = folder.join(&name).map_err(|error| error.to_string())?;
                if self.was_absent(&at, started)? {
                    kept.push(Name(name.into()));
                }
            }
            if !kept.is_empty() {
                absent.push(Absent { folder: self.roots.symbolic(&folder).into(), names: kept });
            }
        }
        Ok(Discovered { headers: headers.into_iter().collect(), absent })
    }

    /// Whether the action can't have seen a file there. In the build folder only what this build makes counts.
    fn was_absent(&self, at: &Location, started: &Stamp) -> Result<bool, String> {
        if matches!(at, Location::Build(_)) {
            return Ok(self.schedule().generated(at).is_none());
        }
        match self.roots.path(at).metadata() {
            Ok(metadata) if metadata.is_file() => {
                if Stamp::of(&metadata).is_newer_than(started) {
                    return Err(format!("{at} appeared while it ran"));
                }
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// Declared inputs must still be what the key says.
    fn check_inputs(&self, job: &Job, started: &Stamp) -> Result<(), String> {
        for input in job.inputs.iter().filter(|input| input.built.is_none()) {
            let now = self.digests.stamped(&self.roots.path(&input.location));
            let same = now.is_ok_and(|(stamp, digest)| {
                !stamp.is_newer_than(started)
                    && self.leaf_digest(&input.location).is_ok_and(|keyed| keyed == digest)
            });
            if !same {
                return Err(format!("{} changed while it ran", input.location));
            }
        }
        Ok(())
    }

    fn read_dep_file<T, E: std::fmt::Display>(
        &self,
        job: &Job,
        file: ArtifactId,
        parse: fn(&[u8]) -> Result<T, E>,
    ) -> Result<T, String> {
        let location = job.locate(file);
        let text = fs::read(self.roots.path(location))
            .map_err(|error| format!("its dependency file {location} can't be read: {error}"))?;
        parse(&text).map_err(|error| format!("its dependency file {location}: {error}"))
    }

    fn discovered_digest(
        &self,
        job: &Job,
        at: &Location,
        started: &Stamp,
    ) -> Result<Digest, String> {
        let generated = match at {
            Location::Build(_) => self.schedule().generated(at),
            _ => None,
        };
        if let Some(generated) = generated {
            self.warn(
                Some(&job.action),
                &format!(
                    "{} read {at}, which this build makes, without declaring it as an input; it may \
                     see an old one or none at all",
                    job.action.description
                ),
            );
            return generated.ok_or_else(|| format!("{at} wasn't built yet when it was read"));
        }
        match self.digests.stamped(&self.roots.path(at)) {
            Ok((stamp, _)) if stamp.is_newer_than(started) => {
                Err(format!("{at} changed while it ran"))
            }
            Ok((_, digest)) => Ok(digest),
            Err(error) => Err(format!("it read {at}, which can't be read now: {error}")),
        }
    }

    /// Puts outputs and result into the cache. That this fails doesn't matter to this build.
    fn keep(
        &self,
        job: &Job,
        prepared: &Prepared,
        found: Discovered,
        outputs: &[Built],
        output: &[u8],
    ) {
        let put = || -> io::Result<ResultEntry<'static>> {
            for (artifact, built) in job.action.outputs.iter().zip(outputs) {
                self.cache.put_file(&self.roots.path(job.locate(*artifact)), built.digest)?;
            }
            let text = if output.is_empty() { None } else { Some(self.cache.put_bytes(output)?) };
            let outputs = outputs
                .iter()
                .map(|built| OutputBlob { digest: built.digest, executable: built.executable })
                .collect();
            let Discovered { headers, absent } = found;
            let entry = ResultEntry { headers, absent, outputs, text };
            self.cache.add_result(prepared.key, &entry)?;
            Ok(entry)
        };
        match put() {
            Ok(entry) => self.remember(prepared, &entry),
            Err(error) => self.note_cache_failure(Err(error)),
        }
    }
}

/// Everything the action writes.
fn written(action: &Action) -> impl Iterator<Item = ArtifactId> {
    let dep_file = action.dep_file.as_ref().and_then(DepFile::artifact);
    action.outputs.iter().copied().chain(dep_file)
}

/// Why content that was there isn't any more.
pub(crate) fn loss(error: &BlobError, digest: Digest) -> Reason {
    match error {
        BlobError::Corrupt => Reason::CorruptBlob { digest },
        BlobError::Missing | BlobError::Io(_) => Reason::Evicted,
    }
}

fn is_executable(path: &Path) -> io::Result<bool> {
    Ok(path.metadata()?.permissions().mode() & 0o100 != 0)
}
