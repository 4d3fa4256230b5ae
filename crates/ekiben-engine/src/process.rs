//! Running a program for what it prints, to its end or until it is to stop.

use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// Says whether to stop; none where nobody will want that.
pub type Stop<'a> = Option<&'a (dyn Fn() -> bool + Sync)>;

/// How long we wait at first until we look whether a process has ended or we are asked to stop.
pub const IMPATIENCE: Duration = Duration::from_millis(1);
/// The longest of these pauses.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// What a program prints; an error of the kind `Interrupted` if it was stopped, with all that it had
/// started in its process group.
///
/// # Errors
/// If it can't be started or waited for.
pub fn output(command: &mut Command, stop: Stop<'_>) -> io::Result<Output> {
    command.stdin(Stdio::null());
    let Some(stop) = stop else { return command.output() };
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let stdout = scope.spawn(move || all_of(stdout));
        let stderr = scope.spawn(move || all_of(stderr));
        let mut pause = IMPATIENCE;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if stop() => {
                    end(&mut child);
                    break Err(io::ErrorKind::Interrupted.into());
                }
                Ok(None) => std::thread::sleep(pause),
                Err(error) => {
                    end(&mut child);
                    break Err(error);
                }
            }
            pause = PATIENCE.min(pause * 2);
        };
        // A thread that panicked has read nothing.
        let read = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or_default();
        let (stdout, stderr) = (read(stdout), read(stderr));
        Ok(Output { status: status?, stdout, stderr })
    })
}

/// What comes through a pipe until its end; a broken one has ended.
fn all_of(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

/// Ends a child with its process group: politely, then not.
pub fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    for signal in [Signal::TERM, Signal::KILL] {
        if let Some(group) = group {
            // Fails only for a group that is gone.
            let _ = kill_process_group(group, signal);
        }
        for _ in 0..20 {
            if matches!(child.try_wait(), Ok(Some(_))) {
                if let Some(group) = group {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                return;
            }
            std::thread::sleep(PATIENCE);
        }
    }
    let _ = child.wait();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn sh(script: &str) -> Command {
        let mut sh = Command::new("sh");
        sh.args(["-c", script]);
        sh
    }

    #[test]
    fn both_streams_are_read_whatever_their_size() {
        let script = "head -c 200000 /dev/zero; head -c 100000 /dev/zero >&2; exit 3";
        for stop in [None, Some(&(|| false) as &(dyn Fn() -> bool + Sync))] {
            let output = output(&mut sh(script), stop).unwrap();
            assert_eq!((output.stdout.len(), output.stderr.len()), (200_000, 100_000));
            assert_eq!(output.status.code(), Some(3));
        }
    }

    #[test]
    fn a_stop_ends_what_runs() {
        let asked = AtomicBool::new(false);
        let stop = || asked.swap(true, Ordering::SeqCst);
        let error = output(&mut sh("cat /dev/zero >/dev/null & wait"), Some(&stop)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
