//! [`Interrupt`]: how a build is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::EngineError;

/// A request to stop, shared by whoever makes it and whoever obeys it. The first asks politely, a second at once.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<u32>,
    changed: Condvar,
}

impl Interrupt {
    /// One that only [`Interrupt::trigger`] triggers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that SIGINT, SIGTERM and SIGHUP trigger, for the rest of the process's life.
    ///
    /// # Errors
    /// When the handlers or the thread that waits for them can't be set up.
    pub fn install() -> Result<Self, EngineError> {
        let interrupt = Self::new();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(EngineError::Setup)?;
        let handler = interrupt.clone();
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for _ in signals.forever() {
                    handler.trigger();
                }
            })
            .map_err(EngineError::Setup)?;
        Ok(interrupt)
    }

    /// Asks the build to stop; asked twice, it doesn't wait for anything.
    pub fn trigger(&self) {
        *self.lock() += 1;
        self.0.changed.notify_all();
    }

    /// Whether anybody asked.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.lock() > 0
    }

    /// Waits for `requests` requests in all, until `done` is set, or the time is over. Says whether they came.
    pub(crate) fn wait(&self, requests: u32, timeout: Option<Duration>, done: &AtomicBool) -> bool {
        let end = timeout.map(|timeout| Instant::now() + timeout);
        let mut count = self.lock();
        while *count < requests {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if done.load(Ordering::SeqCst) || left == Some(Duration::ZERO) {
                return false;
            }
            count = match left {
                Some(left) => {
                    self.0
                        .changed
                        .wait_timeout(count, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self.0.changed.wait(count).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }

    /// Makes everybody who waits look at `done` again, which is set here.
    pub(crate) fn release(&self, done: &AtomicBool) {
        let _count = self.lock();
        done.store(true, Ordering::SeqCst);
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, u32> {
        self.0.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
