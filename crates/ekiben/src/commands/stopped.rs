//! [`Stopped`]: whether a signal asked this process to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ekiben_core::{Cause, Problem, Problems};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether a signal asked this process to stop; an `Interrupt` of the engine says so after any failure
/// too.
pub(crate) struct Stopped {
    asked: Arc<AtomicBool>,
    /// Whether it was by another signal than SIGINT.
    ended: Arc<AtomicBool>,
}

impl Stopped {
    /// From now on SIGINT, SIGTERM and SIGHUP only ask.
    pub(crate) fn watch() -> Result<Self, Problems> {
        let stopped = Self { asked: Arc::default(), ended: Arc::default() };
        let Self { asked, ended } = &stopped;
        // `ended` first: see `forget_interrupts`.
        for (signal, flag) in
            [(SIGTERM, ended), (SIGHUP, ended), (SIGTERM, asked), (SIGHUP, asked), (SIGINT, asked)]
        {
            signal_hook::flag::register(signal, Arc::clone(flag)).map_err(|error| {
                let message = format!("can't listen to signals: {error}");
                Problem::error(Cause::Environment, "signals", message)
            })?;
        }
        Ok(stopped)
    }

    /// Goes on after a SIGINT: it was for a program that ran in the foreground, which has got it too.
    pub(crate) fn forget_interrupts(&self) {
        self.asked.store(false, Ordering::SeqCst);
        if self.ended.load(Ordering::SeqCst) {
            self.asked.store(true, Ordering::SeqCst);
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// For whoever looks by itself.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.asked
    }
}
