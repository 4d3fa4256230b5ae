//! Running programs: with an environment of our own, their output in a log, until they end or we
//! are asked to stop.
//!
//! Invariant: a program that was started, and what it started in its process group, has ended when
//! these functions return.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::Error;
use crate::process::{IMPATIENCE, PATIENCE, end};

/// How much of a log an error shows.
const TAIL_LINES: usize = 20;
/// The variables that programs get from ours: how to find programs and the network.
const KEPT: [&str; 13] = [
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "FTP_PROXY",
    "HOME",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Who hears of what happens, and says when to stop.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Hears what begins, in a few words.
    pub step: &'a dyn Fn(&str),
    /// Hears what isn't as one might expect.
    pub note: &'a dyn Fn(&str),
    /// Becomes true when it should stop.
    pub stop: &'a AtomicBool,
}

impl Progress<'_> {
    /// An error, if we are asked to stop.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::SeqCst) { Err(Error::Interrupted) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("stop", self.stop).finish_non_exhaustive()
    }
}

/// A log, and whom to tell.
pub(super) struct Runner<'a> {
    pub(super) progress: Progress<'a>,
    log: File,
    log_path: PathBuf,
}

impl<'a> Runner<'a> {
    /// Begins a log, after what was in it.
    pub(super) fn new(progress: Progress<'a>, log_path: &Path) -> Result<Self, Error> {
        let log = OpenOptions::new().create(true).append(true).open(log_path);
        let log = log.map_err(Error::io("write", log_path))?;
        Ok(Self { progress, log, log_path: log_path.to_owned() })
    }

    pub(super) fn step(&mut self, what: &str) -> Result<(), Error> {
        self.progress.check()?;
        (self.progress.step)(what);
        self.write(&format!("\n# {what}\n"))
    }

    pub(super) fn note(&mut self, what: &str) -> Result<(), Error> {
        (self.progress.note)(what);
        self.write(&format!("# note: {what}\n"))
    }

    /// Runs a program, with its output in the log.
    pub(super) fn run(&mut self, what: &str, command: &mut Command) -> Result<(), Error> {
        let start = self.announce(command)?;
        let clone = || self.log.try_clone().map_err(Error::io("write", &self.log_path));
        command.stdin(Stdio::null()).stdout(clone()?).stderr(clone()?);
        let status = self.wait(command)?;
        self.judge(what, status, start)
    }

    /// Runs a program for what it prints.
    pub(super) fn output(&mut self, what: &str, command: &mut Command) -> Result<String, Error> {
        self.output_of(what, command, b"")
    }

    /// Runs a program that reads `input`, for what it prints.
    pub(super) fn output_of(
        &mut self,
        what: &str,
        command: &mut Command,
        input: &[u8],
    ) -> Result<String, Error> {
        let start = self.announce(command)?;
        let (status, text) = self.answer_of(what, command, input)?;
        if !status.success() {
            self.write(&text)?;
        }
        self.judge(what, status, start)?;
        Ok(text)
    }

    fn answer_of(
        &self,
        what: &str,
        command: &mut Command,
        input: &[u8],
    ) -> Result<(ExitStatus, String), Error> {
        let io = |error| Error::io("use", Path::new("a temporary file"))(error);
        let (mut stdin, mut stdout) =
            (tempfile::tempfile().map_err(io)?, tempfile::tempfile().map_err(io)?);
        stdin.write_all(input).map_err(io)?;
        io::Seek::rewind(&mut stdin).map_err(io)?;
        let log = self.log.try_clone().map_err(Error::io("write", &self.log_path))?;
        command.stdin(stdin).stdout(stdout.try_clone().map_err(io)?).stderr(log);
        let status = self.wait(command)?;
        let mut text = String::new();
        io::Seek::rewind(&mut stdout).map_err(io)?;
        io::Read::read_to_string(&mut stdout, &mut text)
            .map_err(|error| Error::Internal(format!("{what} printed no text: {error}")))?;
        Ok((status, text))
    }

    fn announce(&mut self, command: &Command) -> Result<u64, Error> {
        let start = self.log.metadata().map_err(Error::io("read", &self.log_path))?.len();
        self.write(&format!("$ {}\n", shown(command)))?;
        Ok(start)
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        self.log.write_all(text.as_bytes()).map_err(Error::io("write", &self.log_path))
    }

    fn wait(&self, command: &mut Command) -> Result<ExitStatus, Error> {
        self.progress.check()?;
        let mut child = command.process_group(0).spawn().map_err(|source| Error::Program {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
            help: "install it, or put its folder into PATH".to_owned(),
        })?;
        let mut pause = IMPATIENCE;
        loop {
            let path = Path::new(command.get_program());
            match child.try_wait().map_err(Error::io("wait for", path))? {
                Some(status) => return Ok(status),
                None if self.progress.stop.load(Ordering::SeqCst) => {
                    end(&mut child);
                    return Err(Error::Interrupted);
                }
                None => std::thread::sleep(pause),
            }
            pause = PATIENCE.min(pause * 2);
        }
    }

    fn judge(&self, what: &str, status: ExitStatus, start: u64) -> Result<(), Error> {
        if status.success() {
            return Ok(());
        }
        self.progress.check()?;
        let log = std::fs::read(&self.log_path).unwrap_or_default();
        let from = usize::try_from(start).unwrap_or(0).min(log.len());
        let text = String::from_utf8_lossy(&log[from..]).into_owned();
        Err(Error::Step { what: what.to_owned(), tail: tail(&text), log: self.log_path.clone() })
    }
}

/// A command whose environment is the same everywhere, but for what finds programs.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("LC_ALL", "C").env("TZ", "UTC");
    command
}

/// As a person would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<OsString> = words.map(OsStr::to_owned).collect();
    words.iter().map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    // A script is one of ours, and would hide what it prints.
    if word.trim().contains('\n') {
        return "'…'".to_owned();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The end of what a program printed, without the linker's warnings of what every static link has.
fn tail(text: &str) -> String {
    const OF_STATIC_LINKS: &str = "in statically linked applications requires at runtime";
    let is_shown = |line: &&str| !line.trim().is_empty() && !line.contains(OF_STATIC_LINKS);
    let lines: Vec<&str> = text.lines().filter(is_shown).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn with_runner<T>(stop: bool, test: impl FnOnce(&mut Runner<'_>, &Path) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let stop = AtomicBool::new(stop);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
        test(&mut Runner::new(progress, &log).unwrap(), &log)
    }

    fn sh(script: &str) -> Command {
        let mut sh = command("sh");
        sh.args(["-c", script]);
        sh
    }

    #[test]
    fn a_failure_shows_the_end_of_what_was_printed() {
        with_runner(false, |runner, log| {
            runner.run("First", &mut sh("echo fine")).unwrap();
            let script = "for i in $(seq 40); do echo line $i; done; exit 3";
            let error = runner.run("Counting", &mut sh(script)).unwrap_err();
            let message = error.to_string();
            assert!(message.starts_with("Counting failed:\nline 21\n"), "{message}");
            assert!(message.ends_with("line 40") && !message.contains("fine"), "{message}");
            assert!(std::fs::read_to_string(log).unwrap().contains("fine\n"));
        });
    }

    #[test]
    fn commands_are_shown_as_they_are_typed_but_for_scripts() {
        let mut command = sh("one\ntwo");
        command.args(["", "it's", "-DX=1"]);
        assert_eq!(shown(&command), r"sh -c '…' '' 'it'\''s' -DX=1");
    }

    #[test]
    fn output_is_apart_from_complaints() {
        with_runner(false, |runner, log| {
            let printed = runner.output_of("Echo", &mut sh("cat; echo bad >&2"), b"good").unwrap();
            assert_eq!(printed, "good");
            assert!(std::fs::read_to_string(log).unwrap().ends_with("bad\n"));
        });
    }

    #[test]
    fn nothing_starts_after_a_stop_or_without_a_program() {
        with_runner(true, |runner, _| {
            assert!(matches!(runner.run("Never", &mut sh("exit 1")), Err(Error::Interrupted)));
        });
        with_runner(false, |runner, _| {
            let error = runner.run("Never", &mut command("no-such-program")).unwrap_err();
            assert!(error.to_string().starts_with("`no-such-program` can't be started: "));
        });
    }

    #[test]
    fn a_stop_ends_what_runs_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let stop = AtomicBool::new(false);
        let progress = Progress { step: &|_| {}, note: &|_| {}, stop: &stop };
        let mut runner = Runner::new(progress, &folder.path().join("log")).unwrap();
        let pids = folder.path().join("pids");
        let script = format!(
            "cat /dev/zero > /dev/null & echo $! > {0}.new; mv {0}.new {0}; wait",
            pids.display()
        );
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !pids.exists() {
                    std::thread::yield_now();
                }
                stop.store(true, Ordering::SeqCst);
            });
            runner.run("Waiting", &mut sh(&script))
        });
        assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
        let pid = std::fs::read_to_string(&pids).unwrap();
        // Gone, or nobody has taken its status yet; a busy kernel ends it some time after the signal.
        let runs = || {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            state.is_ok_and(|state| !state.contains(") Z "))
        };
        let start = Instant::now();
        while runs() && start.elapsed() < Duration::from_secs(30) {
            std::thread::yield_now();
        }
        assert!(!runs(), "{pid} runs");
    }
}
