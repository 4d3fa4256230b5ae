//! What a thread does: it takes the next task from the schedule, carries it out without the lock, and tells the
//! schedule and the sink how it went.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::action::{Action, ActionId};
use crate::engine::Shared;
use crate::events::Event;
use crate::execute::{Ended, Used};
use crate::lookup::{Found, Prepared};
use crate::reason::Reason;
use crate::report::Outcome;
use crate::schedule::{Built, Job, Task};

impl Shared {
    /// A thread's life.
    pub(crate) fn work(&self, thread: usize) {
        let mut schedule = self.schedule();
        while !schedule.shutdown {
            let Some(task) = schedule.next() else {
                schedule = self.sleep(schedule);
                continue;
            };
            let running = schedule.running();
            drop(schedule);
            match task {
                Task::LookUp(job) => self.work_look_up(&job, thread),
                Task::Run(job, prepared, reason) => {
                    self.trace.running(running);
                    self.work_run(&job, &prepared, &reason, thread);
                    self.trace.running(self.schedule().running());
                }
            }
            self.changed.notify_all();
            schedule = self.schedule();
        }
    }

    fn work_look_up(&self, job: &Job, thread: usize) {
        let start = Instant::now();
        let prepared = match self.prepare(job) {
            Ok(prepared) => Arc::new(prepared),
            Err(failure) => {
                let failed = self.failed_with(job, failure, Vec::new());
                let over = self.schedule().fail(job.id, failed);
                self.announce_unrun(&over);
                return;
            }
        };
        let found = self.look_up(job, &prepared);
        let duration = start.elapsed();
        match found {
            Found::Miss(reason) => {
                let mut schedule = self.schedule();
                let account = schedule.account(job.id);
                // Content found to be damaged has been removed, so that now it seems to be evicted.
                let known = account.reason.take().filter(|known| {
                    reason == Reason::Evicted && matches!(known, Reason::CorruptBlob { .. })
                });
                (account.reason, account.lookup) = (Some(known.unwrap_or(reason)), duration);
                schedule.miss(job.id, prepared);
            }
            Found::Hit { outputs, text } => {
                let reason = Reason::CacheHit { key: prepared.key };
                let args =
                    json!({"key": prepared.key, "reason": reason.to_string(), "cached": true});
                self.trace.work(&job.action.description, thread, start, args);
                if !text.is_empty() {
                    let (id, action) = (job.id, &*job.action);
                    self.sink.event(Event::Replayed { id, action, output: &text });
                }
                self.measured(job, &prepared, duration, None);
                self.finished(job.id, &job.action, &Outcome::Cached, Some(&reason), &[], duration);
                let mut schedule = self.schedule();
                let account = schedule.account(job.id);
                (account.reason, account.lookup) = (Some(reason), duration);
                let built = outputs.iter().map(|output| Built {
                    digest: output.digest,
                    executable: output.executable,
                    on_disk: false,
                });
                schedule.hit(job.id, prepared, built);
            }
        }
    }

    fn work_run(&self, job: &Job, prepared: &Prepared, reason: &Reason, thread: usize) {
        self.sink.event(Event::Started { id: job.id, action: &job.action, reason });
        let start = Instant::now();
        let ended = self.execute(job, prepared);
        let duration = start.elapsed();
        let mut args = json!({"key": prepared.key, "reason": reason.to_string(), "cached": false});
        if let Ended::Ran { used, .. } | Ended::Failed(_, used) = &ended
            && let Some(worker) = used.worker
        {
            args["worker"] = worker.into();
        }
        self.trace.work(&job.action.description, thread, start, args);
        // Told before the schedule knows, so that nobody hears of what follows first.
        let tell = |outcome: &Outcome, output: &[u8]| {
            self.finished(job.id, &job.action, outcome, Some(reason), output, duration);
        };
        let measure = |used: Used| {
            let lookup = self.schedule().account(job.id).lookup;
            self.measured(job, prepared, lookup, Some((duration, used)));
        };
        let schedule = |used: Used| {
            let mut schedule = self.schedule();
            let account = schedule.account(job.id);
            account.run += duration;
            (account.usage, account.worker) = (used.usage, used.worker);
            schedule
        };
        match ended {
            Ended::Ran { outputs, output, used } => {
                measure(used);
                tell(&Outcome::Ran, &output);
                let mut schedule = schedule(used);
                schedule.ran(job.id, outputs);
            }
            Ended::InputGone { artifact, reason } => {
                schedule(Used::default()).again(job.id, artifact, reason);
            }
            Ended::Failed(failed, used) => {
                let outcome = Outcome::Failed(failed.clone());
                measure(used);
                tell(&outcome, &[]);
                let mut schedule = schedule(used);
                let over = schedule.fail(job.id, failed);
                drop(schedule);
                self.announce_unrun(&over[1..]);
            }
            Ended::Cancelled => {
                tell(&Outcome::Cancelled, &[]);
                let mut schedule = schedule(Used::default());
                if self.interrupt.is_triggered() {
                    // A function can hear of it before the warden does, and whoever waits for the
                    // action must be told the reason, not that the action wasn't built.
                    schedule.interrupt();
                }
                schedule.cancelled(job.id);
            }
        }
    }

    /// Tells of actions that ended without having run.
    pub(crate) fn announce_unrun(&self, ids: &[ActionId]) {
        for id in ids {
            let schedule = self.schedule();
            let (action, outcome) = (schedule.action(*id), schedule.outcome(*id));
            drop(schedule);
            if let Some(outcome) = outcome {
                self.finished(*id, &action, &outcome, None, &[], Duration::ZERO);
            }
        }
        self.changed.notify_all();
    }

    fn measured(
        &self,
        job: &Job,
        prepared: &Prepared,
        lookup: Duration,
        ran: Option<(Duration, Used)>,
    ) {
        let (run, used) = ran.unzip();
        let Used { usage, worker } = used.unwrap_or_default();
        let (id, action, key) = (job.id, &*job.action, prepared.key);
        let command_line = self.shell_line(job);
        self.sink.event(Event::Measured {
            id,
            action,
            key,
            lookup,
            run,
            usage,
            worker,
            command_line,
        });
    }

    fn finished(
        &self,
        id: ActionId,
        action: &Action,
        outcome: &Outcome,
        reason: Option<&Reason>,
        output: &[u8],
        duration: Duration,
    ) {
        self.sink.event(Event::Finished { id, action, outcome, reason, output, duration });
    }
}
