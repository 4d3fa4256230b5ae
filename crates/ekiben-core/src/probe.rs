//! Asking a tool: a run in an empty scratch folder, with nothing of the user's environment but what
//! the plugin set, bounded in time and output.
//!
//! Answers of success are kept across builds, under the tool's identity. Others aren't: a check that
//! failed because a library is missing must not fail any more once it is installed. Nor are those
//! that a plugin wants anew, because they depend on more than the tool. Journals hold the answers of
//! all, so that a plugin whose probes answer as before needn't run.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ekiben_engine::Digest;

use crate::plugin::Records;
use crate::plugin::protocol::{Failure, Probe, ProbeOutcome};
use crate::tools::Tool;

/// How long a tool may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most that is kept of each of stdout and stderr, in bytes.
const MOST_OUTPUT: u64 = 4 << 20;

/// Asks `tool`, or remembers what it answered.
///
/// # Errors
/// When the process can't be run at all; a failing one is an answer.
pub(crate) fn ask(
    tool: &Tool,
    probe: &Probe,
    records: &dyn Records,
) -> Result<ProbeOutcome, Failure> {
    let identity = tool.info().digest;
    let encoded = postcard::to_allocvec(&(identity, probe)).unwrap_or_default();
    let key = Digest::of(&encoded);
    if !probe.anew
        && let Some(outcome) =
            records.get("probe", &key).and_then(|r| postcard::from_bytes(&r).ok())
    {
        return Ok(outcome);
    }
    let outcome = run(tool, probe).map_err(|error| {
        Failure::user("tool-failed", format!("{} can't be run: {error}", tool.path.display()))
    })?;
    if !probe.anew
        && outcome.status == Some(0)
        && let Ok(record) = postcard::to_allocvec(&outcome)
    {
        records.put("probe", &key, &record);
    }
    Ok(outcome)
}

fn run(tool: &Tool, probe: &Probe) -> std::io::Result<ProbeOutcome> {
    let scratch = tempfile::Builder::new().prefix("ekiben-probe-").tempdir()?;
    for (name, content) in &probe.files {
        let path = scratch.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, content)?;
    }
    let mut command = Command::new(&tool.path);
    command.args(&tool.leading).args(&probe.arguments);
    let outcome = finish(command, scratch.path(), probe, &tool.path)?;
    match &probe.run {
        Some(program) if outcome.status == Some(0) => {
            let command = Command::new(scratch.path().join(program));
            finish(command, scratch.path(), probe, &tool.path)
        }
        _ => Ok(outcome),
    }
}

fn finish(
    mut command: Command,
    scratch: &Path,
    probe: &Probe,
    tool: &Path,
) -> std::io::Result<ProbeOutcome> {
    command
        .current_dir(scratch)
        .env_clear()
        // Messages that plugins read must not be translated.
        .env("LC_ALL", "C")
        .env("TMPDIR", scratch)
        .env("PATH", search_path(tool))
        .envs(&probe.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    std::thread::scope(|scope| {
        // Both pipes are read at once, or a child that fills the other one would never end.
        let stderr = scope.spawn(move || drain(stderr));
        let stdout = scope.spawn(move || drain(stdout));
        let status = wait(&mut child)?;
        let taken =
            |thread: std::thread::ScopedJoinHandle<'_, Vec<u8>>| thread.join().unwrap_or_default();
        Ok(ProbeOutcome { status, stdout: taken(stdout), stderr: taken(stderr) })
    })
}

/// Where a tool finds the programs it runs itself: beside it, and in the system's own folders.
fn search_path(tool: &Path) -> std::ffi::OsString {
    let own = tool.parent().unwrap_or(Path::new("/")).to_owned();
    let folders = [own, "/usr/bin".into(), "/bin".into()];
    std::env::join_paths(folders).unwrap_or_default()
}

fn drain(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What can't be read is missing from the answer, and the exit status still tells the truth.
        let _ = (&mut pipe).take(MOST_OUTPUT).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    }
    bytes
}

fn wait(child: &mut Child) -> std::io::Result<Option<i32>> {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}
