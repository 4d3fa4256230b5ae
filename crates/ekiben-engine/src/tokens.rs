//! [`Tokens`]: the GNU make jobserver, as a client or as the server.
//!
//! A process that runs under make owns one token by being started; each action beyond the first that runs at the same
//! time needs one more. Tokens arrive on a thread of their own ([`jobserver::HelperThread`]), so that nobody who could
//! be doing something else blocks for one.

use std::io;

use jobserver::{Acquired, Client, FromEnvErrorKind, HelperThread};

/// Where tokens come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jobserver {
    /// The one that `MAKEFLAGS` names, else an own one.
    #[default]
    Inherit,
    /// An own one.
    Create,
}

/// Connects to a jobserver. The second part is a warning.
pub(crate) fn connect(mode: Jobserver, jobs: u32) -> io::Result<(Client, Option<String>)> {
    let mut warning = None;
    if mode == Jobserver::Inherit {
        // SAFETY: the descriptors in MAKEFLAGS are make's, which opened them for us before this process started; with
        // `check_pipe` any that isn't a pipe is refused. Nothing here closes descriptors it didn't open.
        #[allow(unsafe_code)]
        let inherited = unsafe { Client::from_env_ext(true) };
        match inherited.client {
            Ok(client) => return Ok((client, None)),
            Err(error) => match error.kind() {
                FromEnvErrorKind::NoEnvVar | FromEnvErrorKind::NoJobserver => {}
                _ => {
                    warning = Some(format!(
                        "make's jobserver can't be used ({error}), so up to {jobs} jobs run besides \
                         make's own; put + before the recipe's command to share it"
                    ));
                }
            },
        }
    }
    // One token is implicit.
    Ok((Client::new(jobs.saturating_sub(1) as usize)?, warning))
}

/// The tokens at hand.
#[derive(Debug)]
pub(crate) struct Tokens {
    helper: Option<HelperThread>,
    held: Vec<Acquired>,
    requested: usize,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        Self { helper: None, held: Vec::new(), requested: 0 }
    }

    /// Sets the thread that calls [`Tokens::arrived`].
    pub(crate) fn set_helper(&mut self, helper: HelperThread) {
        self.helper = Some(helper);
    }

    /// Takes the thread away, to be dropped without the lock it needs.
    pub(crate) fn take_helper(&mut self) -> Option<HelperThread> {
        self.held.clear();
        self.helper.take()
    }

    /// How many actions may run at once now.
    pub(crate) fn available(&self) -> usize {
        1 + self.held.len()
    }

    /// Asks for as many as `total` actions at once need. They come later.
    pub(crate) fn want(&mut self, total: usize) {
        let Some(helper) = &self.helper else { return };
        while self.available() + self.requested < total {
            helper.request_token();
            self.requested += 1;
        }
    }

    /// A token came, or the jobserver broke.
    pub(crate) fn arrived(&mut self, token: io::Result<Acquired>) {
        self.requested = self.requested.saturating_sub(1);
        // A broken jobserver leaves the implicit token, with which the build goes on.
        self.held.extend(token);
    }

    /// Gives back what `total` actions at once don't need.
    pub(crate) fn keep(&mut self, total: usize) {
        self.held.truncate(total.saturating_sub(1));
    }
}
