//! What can't go on: dependents of what failed, inputs that nobody makes, cycles. Separate from the state machine, since
//! it only ever looks at a build in which nothing moves.

use std::collections::BTreeSet;

use super::{Built, Phase, Schedule};
use crate::action::{ActionId, ArtifactId};
use crate::error::EngineError;
use crate::path::Location;
use crate::report::{Failed, Failure, Outcome};

/// Whether an artifact can still come to be.
#[derive(Debug)]
pub(crate) enum Standing {
    Built(Built),
    Leaf,
    Pending,
    Never(EngineError),
}

impl Schedule {
    /// How an action with these inputs ends without running, if the producer of one ended without making it.
    pub(super) fn doom(&self, inputs: &[ArtifactId]) -> Option<Outcome> {
        inputs.iter().find_map(|input| {
            let producer = self.artifacts[input.index()].producer?;
            match &self.nodes.get(producer.index())?.phase {
                Phase::Done(Outcome::Failed(_)) => Some(Outcome::Skipped { because: producer }),
                Phase::Done(outcome @ (Outcome::Skipped { .. } | Outcome::Cancelled)) => {
                    Some(outcome.clone())
                }
                _ => None,
            }
        })
    }

    /// Ends everything that can't go on once nothing is going on. Returns what ended.
    pub(crate) fn settle(&mut self) -> Vec<ActionId> {
        let open: Vec<_> = (0..self.nodes.len())
            .map(ActionId::from_index)
            .filter(|id| !matches!(self.nodes[id.index()].phase, Phase::Done(_)))
            .collect();
        if self.is_stopped() {
            self.queued.clear();
            self.runnable.clear();
            self.crews.all.iter_mut().for_each(|crew| crew.waiting.clear());
            let outcome = match self.first_failure {
                Some(because) if !self.interrupted => Outcome::Skipped { because },
                _ => Outcome::Cancelled,
            };
            for id in &open {
                self.nodes[id.index()].phase = Phase::Done(outcome.clone());
            }
            return open;
        }
        let doomed: Vec<_> = open
            .iter()
            .filter_map(|id| Some((*id, self.doom(&self.nodes[id.index()].inputs)?)))
            .collect();
        if !doomed.is_empty() {
            return doomed
                .into_iter()
                .map(|(id, outcome)| {
                    self.nodes[id.index()].phase = Phase::Done(outcome);
                    id
                })
                .collect();
        }
        let orphan = open.iter().find_map(|id| self.lack(*id).map(|failure| (*id, failure)));
        let failing = orphan.or_else(|| self.cycle(*open.first()?));
        let Some((id, failure)) = failing else { return Vec::new() };
        self.fail(id, Failed { failure, output: Vec::new(), command_line: String::new() })
    }

    /// The action's inputs that nothing makes.
    fn lack(&self, id: ActionId) -> Option<Failure> {
        let paths: Vec<_> = self.nodes[id.index()]
            .inputs
            .iter()
            .map(|input| &self.artifacts[input.index()])
            .filter(|artifact| {
                artifact.producer.is_none()
                    && artifact.built.is_none()
                    && matches!(*artifact.location, Location::Build(_))
            })
            .map(|artifact| (*artifact.location).clone())
            .collect();
        (!paths.is_empty()).then_some(Failure::NoProducer { paths })
    }

    /// Follows unbuilt inputs from `start` until an action comes again.
    fn cycle(&self, start: ActionId) -> Option<(ActionId, Failure)> {
        let mut path = vec![start];
        loop {
            let last = *path.last()?;
            let next = self.nodes[last.index()].inputs.iter().find_map(|input| {
                let artifact = &self.artifacts[input.index()];
                if artifact.built.is_some() { None } else { artifact.producer }
            })?;
            if let Some(at) = path.iter().position(|id| *id == next) {
                let mut around = path.split_off(at);
                around.push(next);
                let actions = around
                    .iter()
                    .map(|id| self.nodes[id.index()].action.description.clone())
                    .collect();
                return Some((next, Failure::Cycle { actions }));
            }
            path.push(next);
        }
    }

    /// What is known about `artifact`.
    pub(crate) fn standing(&self, artifact: ArtifactId) -> Standing {
        let node = &self.artifacts[artifact.index()];
        if let Some(built) = node.built {
            return Standing::Built(built);
        }
        let path = || (*node.location).clone();
        if !matches!(*node.location, Location::Build(_)) {
            return Standing::Leaf;
        }
        let Some(producer) = node.producer else {
            return Standing::Never(EngineError::NoProducer { path: path() });
        };
        if self.interrupted {
            return Standing::Never(EngineError::Interrupted);
        }
        let not_built = |why| Standing::Never(EngineError::NotBuilt { path: path(), why });
        let producer_node = &self.nodes[producer.index()];
        if let Phase::Done(outcome) = &producer_node.phase {
            return not_built(format!("{}: {outcome}", producer_node.action.description));
        }
        if !self.is_idle() {
            return Standing::Pending;
        }
        if let Some(failed) = self.first_failure.filter(|_| self.is_stopped()) {
            let first = &self.nodes[failed.index()];
            return not_built(format!("{} failed before it", first.action.description));
        }
        let failure = self.behind(producer);
        not_built(
            failure.map_or_else(|| "nothing can run".to_owned(), |failure| failure.to_string()),
        )
    }

    /// Why `action` can't run: the first lack, or a cycle, among what it depends on.
    fn behind(&self, action: ActionId) -> Option<Failure> {
        let mut seen = BTreeSet::from([action]);
        let mut stack = vec![action];
        while let Some(id) = stack.pop() {
            if let Some(lack) = self.lack(id) {
                return Some(lack);
            }
            for input in &self.nodes[id.index()].inputs {
                let artifact = &self.artifacts[input.index()];
                let producer = artifact.producer.filter(|_| artifact.built.is_none());
                stack.extend(producer.filter(|producer| seen.insert(*producer)));
            }
        }
        self.cycle(action).map(|(_, failure)| failure)
    }
}
