//! One worker's process: a request and its answer, what it says meanwhile, and its end.
//!
//! A thread per worker listens to its stdout and another waits for its exit; both tell whoever uses the worker, which is
//! one thread at a time. stderr goes to a file, in which all that was said before an answer is once the answer is here,
//! and which no amount of it can clog.
//!
//! Invariants:
//! - When a [`Process`] is dropped, the process and all that stayed in its group are dead, and it is reaped.
//! - What the worker wrote to stderr before it answered belongs to that answer.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tempfile::TempDir;
use wait4::Wait4;

use super::protocol;
use crate::child::{Capture, Children, OUTPUT_LIMIT, Usage, spawn, wait_unreaped};

/// How long a worker that closed a pipe may take to exit, which tells more than the closing, and how long its stdout may
/// be held open after its exit.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a worker's threads tell.
#[derive(Debug)]
enum News {
    /// This came on stdout.
    Said(Vec<u8>),
    /// stdout is at its end.
    Closed,
    /// The process has exited, and nothing in its group is alive.
    Exited,
}

/// How a worker stopped being one.
#[derive(Debug)]
pub(super) enum Breakdown {
    /// It exited, or was killed.
    Ended,
    /// It closed its stdin or stdout.
    Closed(&'static str),
    /// It said what it shouldn't: `answered …`.
    Misspoke(String),
    /// The system refused something.
    Io(io::Error),
}

impl From<io::Error> for Breakdown {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// An answer, and what it took.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: i32,
    /// The text for the user, then what came on stderr.
    pub(super) output: Vec<u8>,
    pub(super) usage: Option<Usage>,
}

/// How a worker ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) status: Option<ExitStatus>,
    /// What it said since its last answer, on stdout and then on stderr.
    pub(super) output: Vec<u8>,
    /// What it used in its whole life.
    usage: Option<Usage>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Process {
    /// Its command line, for people.
    name: String,
    pid: Pid,
    /// With the thread that waits for its exit; none once it is reaped.
    unreaped: Option<(Child, JoinHandle<io::Result<()>>)>,
    children: Arc<Children>,
    stdin: Option<ChildStdin>,
    news: Receiver<News>,
    closed: bool,
    exited: bool,
    /// What came on stdout and isn't dealt with.
    heard: Vec<u8>,
    stderr: File,
    /// How much of stderr is dealt with.
    stderr_read: u64,
    requests: u64,
    /// What it had used by its last answer; none if the system doesn't tell.
    used: Option<Usage>,
    /// Its temporary folder, removed after it.
    _scratch: TempDir,
}

impl Process {
    pub(super) fn start(
        mut command: Command,
        scratch: TempDir,
        children: &Arc<Children>,
    ) -> io::Result<Self> {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let name = words.map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
        let path = scratch.path().join("stderr");
        let stderr = File::options().append(true).read(true).create(true).open(path)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr.try_clone()?);
        let (sender, news) = mpsc::channel();
        let mut child = spawn(command.process_group(0))?;
        let pid = Pid::from_child(&child);
        children.add(pid);
        let threads =
            child.stdout.take().map(|stdout| start_threads(pid, stdout, children, sender));
        let (Some(Ok(waiter)), Some(stdin)) = (threads, child.stdin.take()) else {
            children.end(pid);
            child.wait()?;
            return Err(io::Error::other("no thread or pipe is left"));
        };
        Ok(Self {
            name,
            pid,
            unreaped: Some((child, waiter)),
            children: Arc::clone(children),
            stdin: Some(stdin),
            news,
            closed: false,
            exited: false,
            heard: Vec::new(),
            stderr,
            stderr_read: 0,
            requests: 0,
            used: Some(Usage::default()),
            _scratch: scratch,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether an idle worker is alive and silent.
    pub(super) fn check(&mut self) -> Result<(), Breakdown> {
        while let Ok(news) = self.news.try_recv() {
            self.note(news);
        }
        if !self.heard.is_empty() {
            let excerpt = protocol::excerpt(&self.heard);
            return Err(Breakdown::Misspoke(format!("spoke unasked: {excerpt}")));
        }
        let gone = waitid(
            WaitId::Pid(self.pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG,
        );
        match gone {
            Ok(None) if !self.closed => Ok(()),
            _ => self.line(true).map(drop).and(Err(Breakdown::Ended)),
        }
    }

    /// Has the worker do what `arguments` ask for.
    pub(super) fn serve(&mut self, arguments: &[&str]) -> Result<Answer, Breakdown> {
        self.requests += 1;
        reset_peak(self.pid);
        let request = protocol::request(self.requests, arguments).map_err(io::Error::from)?;
        let Some(stdin) = &mut self.stdin else { return Err(Breakdown::Closed("input")) };
        // All of it, since what the worker says meanwhile clogs nothing.
        let broken = match stdin.write_all(&request) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => true,
            result => result.map(|()| false)?,
        };
        let line = self.line(broken)?;
        let response = protocol::response(self.requests, &line).map_err(Breakdown::Misspoke)?;
        let now = usage_of(self.pid);
        let usage = now.zip(self.used).map(|(now, before)| since(now, before));
        self.used = now;
        let mut output = response.output.into_bytes();
        output.extend(self.stderr()?);
        Ok(Answer { status: response.status, output, usage })
    }

    /// Waits for a line on stdout, not for long if the worker is `ending`.
    fn line(&mut self, ending: bool) -> Result<Vec<u8>, Breakdown> {
        let mut deadline = ending.then(|| Instant::now() + PATIENCE);
        let mut searched = 0;
        loop {
            if let Some(end) = self.heard[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.heard.split_off(searched + end + 1);
                return Ok(std::mem::replace(&mut self.heard, rest));
            }
            searched = self.heard.len();
            if self.heard.len() > OUTPUT_LIMIT {
                let excerpt = protocol::excerpt(&self.heard);
                return Err(Breakdown::Misspoke(format!("answered without end: {excerpt}")));
            }
            if self.exited && self.closed {
                return Err(Breakdown::Ended);
            }
            if self.exited || self.closed {
                deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
            }
            if !self.hear(deadline) {
                let pipe = if self.closed { "output" } else { "input" };
                return Err(if self.exited { Breakdown::Ended } else { Breakdown::Closed(pipe) });
            }
        }
    }

    /// Waits for news. False if there are none until the deadline.
    fn hear(&mut self, deadline: Option<Instant>) -> bool {
        let news = match deadline {
            None => self.news.recv().ok(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.news.recv_timeout(left).ok()
            }
        };
        news.map(|news| self.note(news)).is_some()
    }

    fn note(&mut self, news: News) {
        match news {
            News::Said(bytes) => self.heard.extend(bytes),
            News::Closed => self.closed = true,
            News::Exited => self.exited = true,
        }
    }

    /// What came on stderr since the last time.
    fn stderr(&mut self) -> io::Result<Vec<u8>> {
        let length = self.stderr.metadata()?.len();
        if length < self.stderr_read {
            // The worker has truncated the file, as `> /dev/stderr` does in a shell.
            self.stderr_read = 0;
        }
        let mut said = Capture::default();
        let mut buffer = [0; 16 * 1024];
        while self.stderr_read < length {
            match self.stderr.read_at(&mut buffer, self.stderr_read)? {
                0 => break,
                read => {
                    said.push(&buffer[..read]);
                    self.stderr_read += read as u64;
                }
            }
        }
        Ok(said.take())
    }

    /// Tells it to exit.
    pub(super) fn dismiss(&mut self) {
        self.stdin = None;
    }

    /// Waits for its exit until `deadline`. False if it is still up then.
    pub(super) fn wait(&mut self, deadline: Instant) -> bool {
        while !self.exited && self.hear(Some(deadline)) {}
        self.exited
    }

    /// Ends a worker that broke down. Says in words how it did, what it had said, and what it had used for the request.
    pub(super) fn fail(self, breakdown: Breakdown) -> (String, Vec<u8>, Option<Usage>) {
        let before = self.used;
        let end = self.end();
        let problem = match breakdown {
            Breakdown::Misspoke(problem) => problem,
            Breakdown::Io(error) => format!("can't be spoken to: {error}"),
            Breakdown::Closed(pipe) => format!("closed its {pipe} without an answer"),
            Breakdown::Ended => {
                format!("ended without an answer: {}", describe_status(end.status))
            }
        };
        let usage = end.usage.zip(before).map(|(end, before)| since(end, before));
        (problem, end.output, usage)
    }

    /// Kills what is left of it.
    pub(super) fn end(mut self) -> End {
        let (status, usage) = self.reap().unzip();
        let mut output = std::mem::take(&mut self.heard);
        output.extend(self.stderr().unwrap_or_default());
        End { status, output, usage }
    }

    fn reap(&mut self) -> Option<(ExitStatus, Usage)> {
        let (child, waiter) = self.unreaped.take()?;
        self.stdin = None;
        self.children.end(self.pid);
        // The waiter has the group's number as long as the leader isn't reaped.
        let _ = waiter.join();
        let result = child.wait4().ok()?;
        Some((result.status, Usage::of(&result.rusage)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.reap();
    }
}

/// Starts the threads that listen to stdout and wait for the exit. Returns the latter.
fn start_threads(
    pid: Pid,
    mut stdout: ChildStdout,
    children: &Arc<Children>,
    sender: Sender<News>,
) -> io::Result<JoinHandle<io::Result<()>>> {
    let listener = sender.clone();
    let listen = move || {
        let mut buffer = [0; 16 * 1024];
        loop {
            let news = match stdout.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => News::Closed,
                Ok(read) => News::Said(buffer[..read].to_vec()),
            };
            let is_last = matches!(news, News::Closed);
            // Nobody listens to a worker that is given up.
            if listener.send(news).is_err() || is_last {
                return;
            }
        }
    };
    std::thread::Builder::new().name("listener".into()).spawn(listen)?;
    let children = Arc::clone(children);
    let wait = move || {
        let result = wait_unreaped(pid);
        children.end(pid);
        let _ = sender.send(News::Exited);
        result
    };
    std::thread::Builder::new().name("waiter".into()).spawn(wait)
}

/// `exit status 3`, `killed by signal 9`.
pub(super) fn describe_status(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("exit status {code}"),
        Some((None, Some(signal))) => format!("killed by signal {signal}"),
        _ => "unknown status".to_owned(),
    }
}

/// The part of `now` that came after `before`.
fn since(now: Usage, before: Usage) -> Usage {
    Usage {
        user: now.user.saturating_sub(before.user),
        system: now.system.saturating_sub(before.system),
        peak_memory: now.peak_memory,
    }
}

/// What a running process has used, with the children it waited for. The format is that of proc(5).
#[cfg(target_os = "linux")]
fn usage_of(pid: Pid) -> Option<Usage> {
    let folder = format!("/proc/{}", pid.as_raw_nonzero());
    let stat = std::fs::read_to_string(format!("{folder}/stat")).ok()?;
    // The name before may hold anything. utime is field 14; the first after the name is 3.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let per_second = rustix::param::clock_ticks_per_second();
    let time = |index: usize| {
        let ticks: u64 = fields.get(index)?.parse().ok()?;
        Some(Duration::from_nanos(ticks.checked_mul(1_000_000_000)?.checked_div(per_second)?))
    };
    let status = std::fs::read_to_string(format!("{folder}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(Usage {
        user: time(11)? + time(13)?,
        system: time(12)? + time(14)?,
        peak_memory: kibibytes * 1024,
    })
}

#[cfg(not(target_os = "linux"))]
fn usage_of(_: Pid) -> Option<Usage> {
    None
}

/// From now on the peak of memory is that of the request. Where the system can't do that, it stays that of the
/// worker's life.
fn reset_peak(pid: Pid) {
    if cfg!(target_os = "linux") {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", pid.as_raw_nonzero()), "5");
    }
}
