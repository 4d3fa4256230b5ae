//! Who hears what happens in a build: progress, logs, problems that don't stop it.

use std::sync::Arc;

use ekiben_engine::{Event, EventSink};

use crate::graph::CommandName;
use crate::problem::Problem;

/// Hears what happens. Calls come from several threads, and must be quick.
pub trait Observer: Send + Sync {
    /// A command begins to plan.
    fn command(&self, _name: &CommandName) {}
    /// Something happened to an action.
    fn action(&self, _event: &Event<'_>) {}
    /// Something that doesn't stop the build.
    fn problem(&self, _problem: &Problem) {}
    /// A line for the log only.
    fn log(&self, _line: &str) {}
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// Passes the engine's events on.
pub(crate) struct Sink(pub(crate) Arc<dyn Observer>);

impl EventSink for Sink {
    fn event(&self, event: Event<'_>) {
        self.0.action(&event);
    }
}
