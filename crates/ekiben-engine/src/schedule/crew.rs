//! How many workers there are, and who waits for one. A worker that starts up is one that is busy.
//!
//! Invariant: the engine has at least as many idle processes of a crew as are counted here, so that whoever was let
//! through because of one finds one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Order, Schedule};
use crate::action::{Action, ActionId, ActionKind, Arg, EnvValue, Program};

/// How many requests have to wait for each worker before another is started. Starting costs as much as many jobs do, or
/// there would be no worker.
const PATIENCE: usize = 16;

/// All workers that do the same. Dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CrewId(usize);

/// What makes workers the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Likeness {
    program: Program,
    start: Vec<Arg>,
    env: BTreeMap<String, EnvValue>,
    uses_jobserver: bool,
}

#[derive(Debug, Default)]
pub(super) struct Crew {
    idle: u32,
    busy: u32,
    /// Actions that could run if there were a worker.
    pub(super) waiting: BTreeSet<Order>,
}

impl Crew {
    /// Whether one that waits may run.
    pub(super) fn has_room(&self, jobs: u32) -> bool {
        let workers = self.idle + self.busy;
        let is_long = self.waiting.len() > PATIENCE * workers as usize;
        self.idle > 0 || (is_long && workers < jobs)
    }

    pub(super) fn occupy(&mut self) {
        self.idle = self.idle.saturating_sub(1);
        self.busy += 1;
    }

    /// `kept` if the worker is still up.
    pub(super) fn release(&mut self, kept: bool) {
        self.busy -= 1;
        self.idle += u32::from(kept);
    }
}

/// Every crew.
#[derive(Debug, Default)]
pub(super) struct Crews {
    by_likeness: HashMap<Likeness, CrewId>,
    pub(super) all: Vec<Crew>,
}

impl Crews {
    /// The crew whose workers the action can use.
    pub(super) fn of(&mut self, action: &Action) -> Option<CrewId> {
        let ActionKind::Process { program, argv, env } = &action.kind else { return None };
        let likeness = Likeness {
            program: program.clone(),
            start: argv.get(..action.worker?)?.to_vec(),
            env: env.clone(),
            uses_jobserver: action.uses_jobserver,
        };
        let next = CrewId(self.all.len());
        let id = *self.by_likeness.entry(likeness).or_insert(next);
        if id == next {
            self.all.push(Crew::default());
        }
        Some(id)
    }

    pub(super) fn get(&mut self, id: CrewId) -> &mut Crew {
        &mut self.all[id.0]
    }
}

impl Schedule {
    /// Those that wait for what the action waits for: a slot, or a worker too.
    pub(super) fn peers(&mut self, id: ActionId) -> &mut BTreeSet<Order> {
        match self.nodes[id.index()].crew {
            Some(crew) => &mut self.crews.get(crew).waiting,
            None => &mut self.runnable,
        }
    }

    /// The running action's worker is still up, and free for the next as soon as the action has ended.
    pub(crate) fn keep_worker(&mut self, id: ActionId) {
        self.nodes[id.index()].worker_kept = true;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn crew(waiting: usize) -> Crew {
        let order = |index| (std::cmp::Reverse(1), ActionId::from_index(index));
        Crew { waiting: (0..waiting).map(order).collect(), ..Crew::default() }
    }

    #[test]
    fn another_only_for_a_long_queue() {
        let mut crew = crew(1 + PATIENCE);
        crew.occupy();
        assert!(crew.has_room(2));
        assert!(!crew.has_room(1), "never more than jobs");
        crew.waiting.pop_first();
        assert!(!crew.has_room(2));
        crew.release(true);
        assert!(crew.has_room(1), "the idle one");
        crew.occupy();
        crew.release(false);
        assert!(crew.has_room(1), "a new one for one that died");
        assert_eq!((crew.idle, crew.busy), (0, 0));
    }
}
