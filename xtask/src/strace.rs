//! What programs name of the file system, by strace.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::run_quietly;

/// Whether there is an strace.
pub(crate) fn is_there() -> bool {
    Command::new("strace").arg("--version").output().is_ok()
}

/// The calls of a command, and of the processes that it starts, that take a file's name, as strace prints
/// them.
pub(crate) fn file_calls(command: &Command) -> Result<Vec<String>> {
    let log = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace.arg("-o").arg(log.path()).args(["-f", "-e", "trace=%file"]);
    strace.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        strace.current_dir(folder);
    }
    run_quietly(&mut strace)?;
    let text = fs::read_to_string(log.path()).context("strace's log")?;
    // A process id comes first, and lines of signals and exits are none of calls.
    let calls = text.lines().filter_map(|line| line.split_once(' ')).map(|(_, call)| call.trim());
    let calls = calls.filter(|call| !call.starts_with("+++") && !call.starts_with("---"));
    Ok(calls.map(str::to_owned).collect())
}
