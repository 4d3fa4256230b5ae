//! One worker's process: a request and its answer, what it says meanwhile, and its end.
//!
//! One thread at a time has a worker, and listens to all of its pipes while it waits, so neither side can block the other,
//! however much is said. A thread per worker waits for the process's end.
//!
//! Invariants:
//! - When a [`Process`] is dropped, the process and all that stayed in its group are dead, and it is reaped.
//! - What the worker wrote to stderr before it answered belongs to that answer.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;
use tempfile::TempDir;
use wait4::Wait4;

use super::protocol;
use crate::child::{Capture, Children, OUTPUT_LIMIT, Usage, spawn, wait_unreaped};

/// How long a worker that closed a pipe may take to exit, which tells more than the closing, before it is killed.
const EXIT_PATIENCE: Duration = Duration::from_secs(2);
/// Read at a time from one pipe, more than pipes hold: what was said before something else is read before it, yet a
/// worker that never stops talking doesn't keep us from listening to its other pipe.
const READ_AT_ONCE: usize = 1 << 20;

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
    /// None once the worker has closed it.
    stdout: Option<ChildStdout>,
    /// None once the worker has closed it, which it may.
    stderr: Option<ChildStderr>,
    /// At its end once the process has exited, after which nothing in its group is alive.
    exited: PipeReader,
    /// What came on stdout and isn't dealt with.
    heard: Vec<u8>,
    said: Capture,
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
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (exited, exit) = io::pipe()?;
        let mut child = spawn(command.process_group(0))?;
        let pid = Pid::from_child(&child);
        children.add(pid);
        let waiter = {
            let children = Arc::clone(children);
            let wait = move || {
                let result = wait_unreaped(pid);
                children.end(pid);
                drop(exit);
                result
            };
            std::thread::Builder::new().name("waiter".into()).spawn(wait)
        };
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Ok(waiter), (Some(stdin), Some(stdout), Some(stderr))) = (waiter, pipes) else {
            children.end(pid);
            child.wait()?;
            return Err(io::Error::other("no thread or pipe is left"));
        };
        let process = Self {
            name,
            pid,
            unreaped: Some((child, waiter)),
            children: Arc::clone(children),
            stdin: Some(stdin),
            stdout: Some(stdout),
            stderr: Some(stderr),
            exited,
            heard: Vec::new(),
            said: Capture::default(),
            requests: 0,
            used: Some(Usage::default()),
            _scratch: scratch,
        };
        let pipes = [
            process.stdin.as_ref().map(AsFd::as_fd),
            process.stdout.as_ref().map(AsFd::as_fd),
            process.stderr.as_ref().map(AsFd::as_fd),
        ];
        for pipe in pipes.into_iter().flatten() {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(process)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether an idle worker is alive and silent.
    pub(super) fn check(&mut self) -> Result<(), Breakdown> {
        let line = self.listen(&[], Some(Instant::now()))?;
        let heard = line.as_ref().unwrap_or(&self.heard);
        if heard.is_empty() {
            return Ok(());
        }
        Err(Breakdown::Misspoke(format!("spoke unasked: {}", protocol::excerpt(heard))))
    }

    /// Has the worker do what `arguments` ask for.
    pub(super) fn serve(&mut self, arguments: &[&str]) -> Result<Answer, Breakdown> {
        self.requests += 1;
        reset_peak(self.pid);
        let request = protocol::request(self.requests, arguments).map_err(io::Error::from)?;
        let line = self.listen(&request, None)?.unwrap_or_default();
        let response = protocol::response(self.requests, &line).map_err(Breakdown::Misspoke)?;
        let now = usage_of(self.pid);
        let usage = now.zip(self.used).map(|(now, before)| since(now, before));
        self.used = now;
        let mut output = response.output.into_bytes();
        output.extend(self.said.take());
        Ok(Answer { status: response.status, output, usage })
    }

    /// Sends what there is to send and collects what is said, until a line has come or, with a deadline, until then.
    fn listen(
        &mut self,
        mut request: &[u8],
        deadline: Option<Instant>,
    ) -> Result<Option<Vec<u8>>, Breakdown> {
        loop {
            let ready = self.poll(!request.is_empty(), deadline)?;
            self.hear()?;
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let rest = self.heard.split_off(end + 1);
                return Ok(Some(std::mem::replace(&mut self.heard, rest)));
            }
            if self.heard.len() > OUTPUT_LIMIT {
                let excerpt = protocol::excerpt(&self.heard);
                return Err(Breakdown::Misspoke(format!("answered without end: {excerpt}")));
            }
            if ready.exited {
                return Err(Breakdown::Ended);
            }
            if self.stdout.is_none() {
                return Err(Breakdown::Closed("output"));
            }
            if ready.stdin && !self.send(&mut request)? {
                return Err(Breakdown::Closed("input"));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(None);
            }
        }
    }

    /// Waits until a pipe has something for us, or the deadline.
    fn poll(&self, sending: bool, deadline: Option<Instant>) -> io::Result<Ready> {
        let exited = PollFd::new(&self.exited, PollFlags::IN);
        let mut fds = vec![exited];
        fds.extend(self.stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let stdin = self.stdin.as_ref().filter(|_| sending);
        fds.extend(stdin.map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut fds, left.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let exited = ready(&fds[0]);
        Ok(Ready { exited, stdin: stdin.is_some() && fds.last().is_some_and(ready) })
    }

    /// Takes what there is on stdout, and then what came on stderr until then.
    fn hear(&mut self) -> io::Result<()> {
        if let Some(pipe) = &mut self.stdout
            && read_some(pipe, |bytes| self.heard.extend_from_slice(bytes))?
        {
            self.stdout = None;
        }
        if let Some(pipe) = &mut self.stderr
            && read_some(pipe, |bytes| self.said.push(bytes))?
        {
            self.stderr = None;
        }
        Ok(())
    }

    /// Writes what the pipe takes. False if the worker has closed it.
    fn send(&mut self, request: &mut &[u8]) -> io::Result<bool> {
        let Some(stdin) = &mut self.stdin else { return Ok(false) };
        match stdin.write(request) {
            Ok(written) => *request = &request[written..],
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Tells it to exit.
    pub(super) fn dismiss(&mut self) {
        self.stdin = None;
    }

    /// Waits for its exit until `deadline`. False if it is still up then.
    pub(super) fn wait(&mut self, deadline: Instant) -> bool {
        loop {
            let Ok(ready) = self.poll(false, Some(deadline)) else { return false };
            if self.heard.len() > OUTPUT_LIMIT {
                self.heard.clear();
            }
            if self.hear().is_err() || ready.exited || Instant::now() >= deadline {
                return ready.exited;
            }
        }
    }

    /// Ends a worker that broke down. Says in words how it did, what it had said, and what it had used for the request.
    pub(super) fn fail(mut self, breakdown: Breakdown) -> (String, Vec<u8>, Option<Usage>) {
        let exited = match breakdown {
            Breakdown::Ended => true,
            Breakdown::Closed(_) => self.wait(Instant::now() + EXIT_PATIENCE),
            Breakdown::Misspoke(_) | Breakdown::Io(_) => false,
        };
        let before = self.used;
        let end = self.end();
        let problem = match breakdown {
            Breakdown::Misspoke(problem) => problem,
            Breakdown::Io(error) => format!("can't be spoken to: {error}"),
            Breakdown::Closed(pipe) if !exited => format!("closed its {pipe} without an answer"),
            Breakdown::Ended | Breakdown::Closed(_) => {
                format!("ended without an answer: {}", describe_status(end.status))
            }
        };
        let usage = end.usage.zip(before).map(|(end, before)| since(end, before));
        (problem, end.output, usage)
    }

    /// Kills what is left of it.
    pub(super) fn end(mut self) -> End {
        let (status, usage) = self.reap().unzip();
        // What it said until then is all in the pipe.
        let _ = self.hear();
        let mut output = std::mem::take(&mut self.heard);
        output.extend(self.said.take());
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

/// What polling found.
struct Ready {
    exited: bool,
    stdin: bool,
}

/// `exit status 3`, `killed by signal 9`.
pub(super) fn describe_status(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("exit status {code}"),
        Some((None, Some(signal))) => format!("killed by signal {signal}"),
        _ => "unknown status".to_owned(),
    }
}

/// Reads what a pipe has now. True at its end.
fn read_some(pipe: &mut impl Read, mut take: impl FnMut(&[u8])) -> io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    let mut total = 0;
    while total < READ_AT_ONCE {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(read) => {
                take(&buffer[..read]);
                total += read;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_transient(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
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
