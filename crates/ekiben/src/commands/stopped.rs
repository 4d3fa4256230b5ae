//! [`Stopped`]: whether a signal asked this process to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ekiben_core::{Cause, Problem, Problems};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether a signal asked this process to stop; an `Interrupt` of the engine says so after any failure
/// too.
pub(crate) struct Stopped(Arc<AtomicBool>);

impl Stopped {
    /// From now on SIGINT, SIGTERM and SIGHUP only ask.
    pub(crate) fn watch() -> Result<Self, Problems> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(|error| {
                let message = format!("can't listen to signals: {error}");
                Problem::error(Cause::Environment, "signals", message)
            })?;
        }
        Ok(Self(flag))
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// For whoever looks by itself.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }
}
