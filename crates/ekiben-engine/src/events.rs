//! [`Event`]s: what happens while a build runs, for progress and logs.

use std::sync::Arc;
use std::time::Duration;

use crate::action::{Action, ActionId};
use crate::child::Usage;
use crate::digest::Digest;
use crate::reason::Reason;
use crate::render::ShellLine;
use crate::report::Outcome;

/// Takes events. Called from the engine's threads, in between their work: it must be quick, and mustn't call the
/// engine.
pub trait EventSink: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// A sink that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _: Event<'_>) {}
}

impl<S: EventSink + ?Sized> EventSink for Arc<S> {
    fn event(&self, event: Event<'_>) {
        (**self).event(event);
    }
}

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An action was submitted.
    Queued {
        /// Which.
        id: ActionId,
        /// Its data.
        action: &'a Action,
    },
    /// An action that the cache couldn't answer begins to run.
    Started {
        /// Which.
        id: ActionId,
        /// Its data.
        action: &'a Action,
        /// Why it runs.
        reason: &'a Reason,
    },
    /// What is known of an action that has just come from the cache, run or failed in running. [`Event::Finished`]
    /// follows.
    Measured {
        /// Which.
        id: ActionId,
        /// Its data.
        action: &'a Action,
        /// Its key.
        key: Digest,
        /// How long looking for its result took.
        lookup: Duration,
        /// How long it ran, if it did.
        run: Option<Duration>,
        /// What its process used, or a worker for it, where that is known.
        usage: Option<Usage>,
        /// The process id of the worker that did it, if one did.
        worker: Option<u32>,
        /// How to do the same by hand.
        command_line: ShellLine<'a>,
    },
    /// An action ended, from the cache, by running, or by never running. It starts and ends again if what it made turns
    /// out to be damaged or gone from the cache when somebody needs it.
    Finished {
        /// Which.
        id: ActionId,
        /// Its data.
        action: &'a Action,
        /// How.
        outcome: &'a Outcome,
        /// Why it ran or didn't; none if that was never found out.
        reason: Option<&'a Reason>,
        /// What it printed just now, unless it failed; the outcome has it then.
        output: &'a [u8],
        /// How long it ran or, from the cache, took to look up.
        duration: Duration,
    },
    /// An action that comes from the cache printed this when it ran.
    Replayed {
        /// Which.
        id: ActionId,
        /// Its data.
        action: &'a Action,
        /// What it printed.
        output: &'a [u8],
    },
    /// Something isn't as it should be, but the build goes on.
    Warning {
        /// The action it's about, if any.
        action: Option<&'a Action>,
        /// What, and what to do.
        message: &'a str,
    },
}
