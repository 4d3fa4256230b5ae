//! Running one process: its own group, its output in one buffer, what it used, and its end together with everything it
//! started.
//!
//! Invariants:
//! - A group is signalled only while its leader is running or unreaped, so the number can't mean anybody else.
//! - When [`run`] returns, every process that stayed in the group has been killed.

use std::collections::HashSet;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use std::os::unix::process::CommandExt;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde::Serialize;
use wait4::Wait4;

/// What is kept of an action's output.
pub(crate) const OUTPUT_LIMIT: usize = 64 << 20;
/// How long a process that left its group may hold the pipe after its parent's end before it is let go.
const LEAVER_PATIENCE: Duration = Duration::from_secs(2);

/// What a process used, with the children it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Usage {
    /// CPU time in user mode.
    pub user: Duration,
    /// CPU time in the kernel.
    pub system: Duration,
    /// The largest resident set, in bytes.
    pub peak_memory: u64,
}

impl Usage {
    pub(crate) fn of(rusage: &wait4::ResourceUsage) -> Self {
        Self { user: rusage.utime, system: rusage.stime, peak_memory: rusage.maxrss }
    }
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) status: ExitStatus,
    /// stdout and stderr in the order in which they arrived.
    pub(crate) output: Vec<u8>,
    pub(crate) usage: Usage,
}

/// The groups of all running children.
#[derive(Debug, Default)]
pub(crate) struct Children {
    state: Mutex<Groups>,
}

#[derive(Debug, Default)]
struct Groups {
    running: HashSet<Pid>,
    stopped: bool,
}

impl Children {
    /// From now on, whatever starts is killed; what runs gets `signal`.
    pub(crate) fn stop(&self, signal: Signal) {
        let mut groups = self.lock();
        groups.stopped = true;
        for pid in &groups.running {
            // Fails only for a group that is ending.
            let _ = kill_process_group(*pid, signal);
        }
    }

    /// Puts a group on the list.
    pub(crate) fn add(&self, pid: Pid) {
        let mut groups = self.lock();
        if groups.stopped {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        groups.running.insert(pid);
    }

    /// Takes the group off the list and kills what remains of it. Its leader must be unreaped.
    pub(crate) fn end(&self, pid: Pid) {
        let mut groups = self.lock();
        groups.running.remove(&pid);
        let _ = kill_process_group(pid, Signal::KILL);
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `command` to its end.
pub(crate) fn run(mut command: Command, children: &Children) -> io::Result<Exit> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = spawn(&mut command)?;
    // The command holds the writing ends.
    drop(command);
    let pid = Pid::from_child(&child);
    children.add(pid);
    let captured = Arc::new(Mutex::new(Capture::default()));
    let (end, ended) = mpsc::channel::<()>();
    let capture = Arc::clone(&captured);
    let drained = std::thread::Builder::new().name("output".into()).spawn(move || {
        drain(reader, &capture);
        drop(end);
    });
    let exited = wait_unreaped(pid);
    children.end(pid);
    let result = child.wait4()?;
    exited?;
    drained?;
    // An error either way: nothing is ever sent. What a leaver prints later is lost.
    let _ = ended.recv_timeout(LEAVER_PATIENCE);
    let output = captured.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Exit { status: result.status, output, usage: Usage::of(&result.rusage) })
}

/// Starts the process. A program that this process has just written may be "busy" for a moment: a child that another
/// thread is starting holds the writer's descriptor until it executes its own program. There is no way to wait for
/// that, so it is tried again, for up to a second.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut pause = Duration::from_millis(1);
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && pause < Duration::from_millis(500) =>
            {
                std::thread::sleep(pause);
                pause *= 2;
            }
            result => return result,
        }
    }
}

/// Waits for the process, and leaves its number taken.
pub(crate) fn wait_unreaped(pid: Pid) -> io::Result<()> {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What was said, up to a limit.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    output: Vec<u8>,
    dropped: u64,
}

impl Capture {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(OUTPUT_LIMIT - self.output.len());
        self.output.extend_from_slice(&bytes[..kept]);
        self.dropped += (bytes.len() - kept) as u64;
    }

    /// What was kept since the last time.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut output = std::mem::take(&mut self.output);
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let note = format!("\n[{dropped} more bytes of output aren't kept]\n");
            output.extend_from_slice(note.as_bytes());
        }
        output
    }
}

fn drain(mut reader: io::PipeReader, captured: &Mutex<Capture>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => {
                captured.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..read]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Exit {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script);
        run(command, &Children::default()).unwrap()
    }

    #[test]
    fn output_is_interleaved() {
        let exit = shell("echo a; echo b >&2; echo c; exit 3");
        assert_eq!(exit.output, b"a\nb\nc\n");
        assert_eq!(exit.status.code(), Some(3));
        assert!(exit.usage.peak_memory > 0);
    }

    #[test]
    fn leftovers_are_killed() {
        let exit = shell("sleep 1000 & echo $!");
        let pid: i32 = std::str::from_utf8(&exit.output).unwrap().trim().parse().unwrap();
        // Dead, though perhaps not yet reaped by whoever inherited it, or still on its way out of the kernel.
        let end = std::time::Instant::now() + Duration::from_secs(10);
        let dead = std::iter::repeat_with(|| {
            std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default()
        })
        .take_while(|_| std::time::Instant::now() < end)
        .any(|stat| stat.is_empty() || stat.contains(") Z ") || stat.contains(") X "));
        assert!(dead);
    }

    #[test]
    fn output_is_bounded() {
        let mut capture = Capture::default();
        capture.push(&vec![b'x'; OUTPUT_LIMIT - 1]);
        capture.push(b"abc");
        let output = capture.take();
        assert!(output.ends_with(b"xa\n[2 more bytes of output aren't kept]\n"));
    }

    #[test]
    fn nothing_starts_after_a_stop() {
        let children = Children::default();
        children.stop(Signal::TERM);
        let mut command = Command::new("/bin/sleep");
        command.arg("1000");
        let exit = run(command, &children).unwrap();
        assert!(!exit.status.success());
    }
}
