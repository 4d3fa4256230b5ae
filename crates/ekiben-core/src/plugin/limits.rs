//! What one call of a plugin may use up, and the counting of it.
//!
//! Memory and running time are watched by wasmtime. Everything else that a guest can pile up on the
//! host's side is counted here: bytes written, text, actions, calls.

use std::time::Duration;

use super::error::Stopped;
use super::host::State;

/// The most that one call of a plugin may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of linear memory.
    pub memory: usize,
    /// Running time, without the time in which the host works for it.
    pub time: Duration,
    /// Bytes that `write` may make.
    pub written: usize,
    /// Bytes that it may read.
    pub read: usize,
    /// Bytes of names, arguments, messages.
    pub text: usize,
    /// Actions.
    pub actions: usize,
    /// Calls of host functions that ask or do something.
    pub calls: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            time: Duration::from_secs(30),
            written: 256 << 20,
            read: 1 << 30,
            text: 64 << 20,
            actions: 200_000,
            calls: 2_000_000,
        }
    }
}

/// What a call has used so far.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    written: usize,
    read: usize,
    text: usize,
    actions: usize,
    calls: usize,
}

fn add(to: &mut usize, more: usize, limit: usize, what: &str) -> wasmtime::Result<()> {
    *to = to.saturating_add(more);
    if *to > limit {
        return Err(Stopped::Quota(format!("{limit} {what}")).into());
    }
    Ok(())
}

impl State {
    pub(crate) fn count_written(&mut self, bytes: usize) -> wasmtime::Result<()> {
        add(&mut self.spent.written, bytes, self.limits.written, "bytes written")
    }

    pub(crate) fn count_read(&mut self, bytes: usize) -> wasmtime::Result<()> {
        add(&mut self.spent.read, bytes, self.limits.read, "bytes read")
    }

    pub(crate) fn count_text(&mut self, bytes: usize) -> wasmtime::Result<()> {
        // Empty texts cost the host something too.
        add(&mut self.spent.text, bytes + 16, self.limits.text, "bytes of text")
    }

    /// Counts what the journal keeps of a question or an effect, whatever text is in it.
    pub(crate) fn count_kept(&mut self, step: &impl serde::Serialize) -> wasmtime::Result<()> {
        let bytes = postcard::to_allocvec(step).map_or(0, |encoded| encoded.len());
        self.count_text(bytes)
    }

    pub(crate) fn count_action(&mut self) -> wasmtime::Result<()> {
        add(&mut self.spent.actions, 1, self.limits.actions, "actions")
    }

    pub(crate) fn count_call(&mut self) -> wasmtime::Result<()> {
        add(&mut self.spent.calls, 1, self.limits.calls, "host calls")
    }
}
