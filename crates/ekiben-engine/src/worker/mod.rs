//! Workers: processes that stay up for the build and do the job of many actions.
//!
//! Some tools cost far more to start than to do one job. An action says with [`Action::worker`](crate::Action::worker)
//! that the first of its arguments start a process, and that the rest are a request to it. Run plainly, the same
//! command line does the same job in one shot: that is what a key, a shown command line or another machine
//! goes by, and nothing of them tells whether a worker was used. (The idea is that of Bazel's persistent workers, and so
//! is the name of the flag; Bazel's protocol has more to it.)
//!
//! # The protocol
//!
//! The engine starts `program start-arguments --persistent-worker`, in the source root, with the action's environment
//! and nothing else. `TMPDIR`, if that isn't set, is a folder that lasts as long as the worker. Both then speak JSON,
//! a line each:
//!
//! ```text
//! to its stdin      {"id":1,"arguments":["src/a.pyx","-o","build/a.c"]}
//! from its stdout   {"id":1,"status":0,"output":"src/a.pyx:3: warning: …\n"}
//! ```
//!
//! - `arguments` are just what a process of its own would get after the start arguments. The worker writes outputs and
//!   dependency files as that process would.
//! - `status` is what that process's exit status would be. Other than 0, it fails the action. `output` is text for
//!   the user, and may be left out. Members that the engine doesn't know are ignored.
//! - One request at a time: the next comes after the answer to the last.
//! - Nothing but answers goes to stdout. What the worker writes to stderr is shown with the request that is being
//!   worked on; it must be flushed before the answer.
//! - When stdin ends, the worker exits. So it goes with its build, even if that is killed.
//!
//! # How many
//!
//! Actions whose program, start arguments and environment are equal share workers, which is a *crew*. It has one worker
//! until so many requests wait that starting another pays ([`crate::schedule`] knows). An action that waits for a worker
//! takes no slot and no token, and neither does an idle worker.
//!
//! # What goes wrong
//!
//! A worker that ends, or says what it shouldn't, fails the action it is working on, and isn't used again. The next
//! action gets a new one. No action is tried twice.

mod process;
mod protocol;

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use process::{Process, describe_status};

use crate::action::Action;
use crate::child::Usage;
use crate::engine::Shared;
use crate::render::CommandLine;
use crate::report::Failure;
use crate::schedule::{CrewId, Job};

/// The flag that asks a tool to be a worker.
const FLAG: &str = "--persistent-worker";
/// How long workers have to exit once their input has ended.
const GRACE: Duration = Duration::from_secs(2);

/// What a worker did with a request.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) output: Vec<u8>,
    pub(crate) usage: Option<Usage>,
    /// The worker's process id, if it was started.
    pub(crate) worker: Option<u32>,
    pub(crate) result: Result<(), Failure>,
}

/// The workers that have nothing to do.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    idle: Mutex<HashMap<CrewId, Vec<Process>>>,
}

impl Workers {
    fn lock(&self) -> MutexGuard<'_, HashMap<CrewId, Vec<Process>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, crew: CrewId) -> Option<Process> {
        self.lock().get_mut(&crew)?.pop()
    }

    fn put(&self, crew: CrewId, process: Process) {
        self.lock().entry(crew).or_default().push(process);
    }

    /// Ends the input of all idle workers.
    pub(crate) fn dismiss(&self) -> Leaving {
        let mut processes: Vec<_> = self.lock().drain().flat_map(|(_, idle)| idle).collect();
        processes.iter_mut().for_each(Process::dismiss);
        Leaving { processes, deadline: Instant::now() + GRACE }
    }
}

/// Workers that were told to exit.
#[derive(Debug)]
#[must_use]
pub(crate) struct Leaving {
    processes: Vec<Process>,
    deadline: Instant,
}

impl Leaving {
    /// Waits until all are gone, and kills those that take too long. Returns what isn't as it should be.
    pub(crate) fn wait(self) -> Vec<String> {
        let deadline = self.deadline;
        let problems = self.processes.into_iter().filter_map(|mut process| {
            let in_time = process.wait(deadline);
            let name = process.name().to_owned();
            let end = process.end();
            let how = match end.status {
                _ if !in_time => "didn't exit when its input ended, and was killed".to_owned(),
                Some(status) if status.success() => return None,
                status => format!("exited with {}", describe_status(status)),
            };
            let said = String::from_utf8_lossy(&end.output);
            let said = said.trim_end();
            let colon = if said.is_empty() { "" } else { ":\n" };
            Some(format!("the worker {name} {how}{colon}{said}"))
        });
        problems.collect()
    }
}

impl Shared {
    /// Has a worker do the job, whose whole command line is `line`. None if the protocol can't say it: JSON knows no
    /// arguments but Unicode.
    pub(crate) fn serve(&self, job: &Job, line: &CommandLine) -> Option<Served> {
        let (crew, split) = (job.crew?, job.action.worker?);
        let (start, rest) = line.args.split_at_checked(split)?;
        let arguments: Vec<_> = rest.iter().map(|arg| arg.to_str()).collect::<Option<_>>()?;
        let mut process = match self.idle_worker(job, crew) {
            Some(process) => process,
            None => match self.start_worker(&job.action, line, start) {
                Ok(process) => process,
                Err(failure) => {
                    let (output, usage, worker) = (Vec::new(), None, None);
                    return Some(Served { output, usage, worker, result: Err(failure) });
                }
            },
        };
        let worker = Some(process.id());
        Some(match process.serve(&arguments) {
            Ok(answer) => {
                self.workers.put(crew, process);
                self.schedule().keep_worker(job.id);
                let (output, usage) = (answer.output, answer.usage);
                let result = match answer.status {
                    0 => Ok(()),
                    code => Err(Failure::Exit { code }),
                };
                Served { output, usage, worker, result }
            }
            Err(breakdown) => {
                let (problem, output, usage) = process.fail(breakdown);
                Served { output, usage, worker, result: Err(Failure::Worker { problem }) }
            }
        })
    }

    /// An idle worker that is fit to be asked.
    fn idle_worker(&self, job: &Job, crew: CrewId) -> Option<Process> {
        loop {
            let mut process = self.workers.take(crew)?;
            let Err(breakdown) = process.check() else { return Some(process) };
            if !self.interrupt.is_triggered() {
                let name = process.name().to_owned();
                let (problem, output, _) = process.fail(breakdown);
                let said = String::from_utf8_lossy(&output);
                let message =
                    format!("the idle worker {name} {problem}; a new one takes over\n{said}");
                self.warn(Some(&job.action), message.trim_end());
            }
        }
    }

    fn start_worker(
        &self,
        action: &Action,
        line: &CommandLine,
        start: &[std::ffi::OsString],
    ) -> Result<Process, Failure> {
        let scratch = self
            .scratch("worker-")
            .map_err(|error| Failure::io("create", self.roots.build(), &error))?;
        let mut command = Command::new(&line.program);
        command.args(start).arg(FLAG);
        self.surround(&mut command, action, line, scratch.path());
        Process::start(command, scratch, &self.children).map_err(|error| Failure::Spawn {
            program: line.program.to_string_lossy().into_owned(),
            error: error.to_string(),
        })
    }
}
