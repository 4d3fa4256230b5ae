//! The state machine of a build: what waits for what, what may start, what became of it. No I/O, no threads; the
//! engine holds it in a lock.
//!
//! ```text
//!            inputs built            miss               picked
//! Waiting ───────────────▶ Queued ─────────▶ Runnable ─────────▶ Running ──▶ Done
//!    ▲                       │ hit ────────────────────────────────────────▶ Done
//!    └──── an input's content vanished: its producer becomes Runnable again ◀───┘
//! ```
//!
//! Invariants:
//! - An action is Queued or later only when each of its generated inputs was built at that moment; this is looked at
//!   again when it is picked.
//! - What is picked next depends on the queues only, which are ordered by weight, then submission.
//! - Looking up takes no slot: it is quick, and what it finds may make running unnecessary.
//! - An action that waits for a worker is Runnable, and takes no slot either.

mod crew;
mod ending;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use crew::CrewId;
pub(crate) use ending::Standing;

use self::crew::Crews;

use crate::action::{Action, ActionId, ArtifactId, DepFile};
use crate::child::Usage;
use crate::digest::Digest;
use crate::error::EngineError;
use crate::lookup::Prepared;
use crate::path::Location;
use crate::reason::Reason;
use crate::report::{ActionReport, Failed, Outcome};
use crate::tokens::Tokens;

/// A built artifact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Built {
    pub(crate) digest: Digest,
    pub(crate) executable: bool,
    /// Whether the build folder has it; else only the cache does.
    pub(crate) on_disk: bool,
}

#[derive(Debug)]
struct Artifact {
    location: Arc<Location>,
    producer: Option<ActionId>,
    built: Option<Built>,
    /// Actions that wait for it.
    waiting: Vec<ActionId>,
    /// Running actions that read it.
    readers: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Waiting { missing: usize },
    Queued,
    LookingUp,
    Runnable,
    Running,
    Done(Outcome),
}

/// What an action needed and used, for the report.
#[derive(Debug, Default, Clone)]
pub(crate) struct Account {
    pub(crate) reason: Option<Reason>,
    pub(crate) lookup: Duration,
    pub(crate) run: Duration,
    pub(crate) usage: Option<Usage>,
    /// The process id of the worker that did it.
    pub(crate) worker: Option<u32>,
}

#[derive(Debug)]
struct Node {
    action: Arc<Action>,
    inputs: Vec<ArtifactId>,
    crew: Option<CrewId>,
    /// Whether the worker that it occupies is fit for another.
    worker_kept: bool,
    phase: Phase,
    prepared: Option<Arc<Prepared>>,
    account: Account,
}

impl Node {
    fn name(&self) -> String {
        title(&self.action)
    }
}

/// How errors name an action.
pub(crate) fn title(action: &Action) -> String {
    format!("{} ({}, {})", action.owner, action.mnemonic, action.description)
}

/// An action with all that a thread needs to work on it without the lock.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: ActionId,
    pub(crate) action: Arc<Action>,
    pub(crate) inputs: Vec<JobInput>,
    pub(crate) names: HashMap<ArtifactId, Arc<Location>>,
    /// Whose workers can do it.
    pub(crate) crew: Option<CrewId>,
}

#[derive(Debug)]
pub(crate) struct JobInput {
    pub(crate) artifact: ArtifactId,
    pub(crate) location: Arc<Location>,
    /// None for a leaf.
    pub(crate) built: Option<Built>,
}

impl Job {
    pub(crate) fn locate(&self, artifact: ArtifactId) -> &Location {
        &self.names[&artifact]
    }
}

/// The next thing to do.
#[derive(Debug)]
pub(crate) enum Task {
    LookUp(Job),
    Run(Job, Arc<Prepared>, Reason),
}

type Order = (Reverse<u32>, ActionId);

/// See the module.
#[derive(Debug)]
pub(crate) struct Schedule {
    artifacts: Vec<Artifact>,
    by_location: HashMap<Arc<Location>, ArtifactId>,
    /// Who writes which dependency file.
    dep_files: HashMap<ArtifactId, ActionId>,
    nodes: Vec<Node>,
    queued: BTreeSet<Order>,
    /// Without those that need a worker, which wait in their crews.
    runnable: BTreeSet<Order>,
    crews: Crews,
    jobs: u32,
    keep_going: bool,
    pool_sizes: BTreeMap<String, u32>,
    pools: HashMap<String, u32>,
    slots_used: u32,
    tokens_used: usize,
    /// Whether something could run if there were more tokens.
    short_of_tokens: bool,
    running: u32,
    looking_up: u32,
    first_failure: Option<ActionId>,
    interrupted: bool,
    pub(crate) closed: bool,
    pub(crate) shutdown: bool,
    pub(crate) tokens: Tokens,
}

impl Schedule {
    pub(crate) fn new(jobs: u32, keep_going: bool, pool_sizes: BTreeMap<String, u32>) -> Self {
        Self {
            artifacts: Vec::new(),
            by_location: HashMap::new(),
            dep_files: HashMap::new(),
            nodes: Vec::new(),
            queued: BTreeSet::new(),
            runnable: BTreeSet::new(),
            crews: Crews::default(),
            jobs,
            keep_going,
            pool_sizes,
            pools: HashMap::new(),
            slots_used: 0,
            tokens_used: 0,
            short_of_tokens: false,
            running: 0,
            looking_up: 0,
            first_failure: None,
            interrupted: false,
            closed: false,
            shutdown: false,
            tokens: Tokens::new(),
        }
    }

    /// The artifact at `location`, made up if it isn't known yet.
    pub(crate) fn intern(&mut self, location: Location) -> ArtifactId {
        if let Some(id) = self.by_location.get(&location) {
            return *id;
        }
        let id = ArtifactId::from_index(self.artifacts.len());
        let location = Arc::new(location);
        self.artifacts.push(Artifact {
            location: Arc::clone(&location),
            producer: None,
            built: None,
            waiting: Vec::new(),
            readers: 0,
        });
        self.by_location.insert(location, id);
        id
    }

    pub(crate) fn location(&self, artifact: ArtifactId) -> Arc<Location> {
        Arc::clone(&self.artifacts[artifact.index()].location)
    }

    /// What is known of a file that an action was seen to read: none if this build doesn't make it, else its digest
    /// once it is built.
    pub(crate) fn generated(&self, location: &Location) -> Option<Option<Digest>> {
        let artifact = &self.artifacts[self.by_location.get(location)?.index()];
        if artifact.producer.is_none() && artifact.built.is_none() {
            return None;
        }
        Some(artifact.built.map(|built| built.digest))
    }

    pub(crate) fn actions(&self) -> impl Iterator<Item = (ActionId, &Arc<Action>)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (ActionId::from_index(index), &node.action))
    }

    pub(crate) fn action(&self, id: ActionId) -> Arc<Action> {
        Arc::clone(&self.nodes[id.index()].action)
    }

    pub(crate) fn outcome(&self, id: ActionId) -> Option<Outcome> {
        match &self.nodes[id.index()].phase {
            Phase::Done(outcome) => Some(outcome.clone()),
            _ => None,
        }
    }

    pub(crate) fn account(&mut self, id: ActionId) -> &mut Account {
        &mut self.nodes[id.index()].account
    }

    pub(crate) fn running(&self) -> u32 {
        self.running
    }

    /// Whether `owner` may provide `artifact`: nobody else makes it, or provided it with other content.
    pub(crate) fn check_provided(
        &self,
        owner: &str,
        artifact: ArtifactId,
        digest: Digest,
    ) -> Result<(), EngineError> {
        let node = &self.artifacts[artifact.index()];
        if node.producer.is_some() || node.built.is_some_and(|built| built.digest != digest) {
            return Err(self.two_producers(artifact, format!("{owner} (which provides it)")));
        }
        Ok(())
    }

    /// The caller has written a file to the build folder, after [`Schedule::check_provided`].
    pub(crate) fn provide(&mut self, artifact: ArtifactId, digest: Digest) {
        self.set_built(artifact, Built { digest, executable: false, on_disk: true });
    }

    fn two_producers(&self, artifact: ArtifactId, second: String) -> EngineError {
        let node = &self.artifacts[artifact.index()];
        let producer = node.producer.or_else(|| self.dep_files.get(&artifact).copied());
        let first = match producer {
            Some(producer) => self.nodes[producer.index()].name(),
            None if node.built.is_some() => "a command that provides it".to_owned(),
            // Listed twice by one action.
            None => second.clone(),
        };
        EngineError::TwoProducers { path: (*node.location).clone(), first, second }
    }

    /// Takes an action in. It may be over at once, if an input of it failed.
    pub(crate) fn submit(&mut self, action: Action) -> Result<ActionId, EngineError> {
        if self.closed {
            return Err(EngineError::Finished);
        }
        let name = title(&action);
        let inputs = action.all_inputs();
        action.check_worker().map_err(|(split, arguments)| EngineError::WorkerSplit {
            action: name.clone(),
            split,
            arguments,
        })?;
        if action.outputs.is_empty() {
            return Err(EngineError::NoOutput { action: name });
        }
        let dep_file = action.dep_file.as_ref().and_then(DepFile::artifact);
        let mut written = HashSet::new();
        for output in action.outputs.iter().copied().chain(dep_file) {
            let artifact = &self.artifacts[output.index()];
            let path = || (*artifact.location).clone();
            if !matches!(*artifact.location, Location::Build(_)) {
                return Err(EngineError::OutsideBuild { action: name, path: path() });
            }
            let taken = artifact.producer.is_some()
                || artifact.built.is_some()
                || self.dep_files.contains_key(&output);
            if taken || !written.insert(output) {
                return Err(self.two_producers(output, name));
            }
            if action.inputs.contains(&output) {
                return Err(EngineError::InputIsOutput { action: name, path: path() });
            }
        }
        let id = ActionId::from_index(self.nodes.len());
        for output in &action.outputs {
            self.artifacts[output.index()].producer = Some(id);
        }
        self.dep_files.extend(dep_file.map(|file| (file, id)));
        let phase = self.doom(&inputs).map_or(Phase::Waiting { missing: 0 }, Phase::Done);
        let over = matches!(phase, Phase::Done(_));
        let crew = self.crews.of(&action);
        self.nodes.push(Node {
            crew,
            worker_kept: false,
            action: Arc::new(action),
            inputs,
            phase,
            prepared: None,
            account: Account::default(),
        });
        if !over {
            self.arm(id);
        }
        Ok(id)
    }

    /// Queues the action, or has it wait for what it needs.
    fn arm(&mut self, id: ActionId) {
        let node = &self.nodes[id.index()];
        let missing: Vec<_> = node
            .inputs
            .iter()
            .copied()
            .filter(|input| {
                let artifact = &self.artifacts[input.index()];
                matches!(*artifact.location, Location::Build(_)) && artifact.built.is_none()
            })
            .collect();
        let weight = node.action.weight;
        for input in &missing {
            self.artifacts[input.index()].waiting.push(id);
        }
        if missing.is_empty() {
            self.nodes[id.index()].phase = Phase::Queued;
            self.queued.insert((Reverse(weight), id));
        } else {
            self.nodes[id.index()].phase = Phase::Waiting { missing: missing.len() };
        }
    }

    fn set_built(&mut self, artifact: ArtifactId, built: Built) {
        let node = &mut self.artifacts[artifact.index()];
        node.built = Some(built);
        for id in std::mem::take(&mut node.waiting) {
            let waiter = &mut self.nodes[id.index()];
            let Phase::Waiting { missing } = &mut waiter.phase else { continue };
            *missing -= 1;
            if *missing == 0 {
                waiter.phase = Phase::Queued;
                let weight = waiter.action.weight;
                self.queued.insert((Reverse(weight), id));
            }
        }
    }

    pub(crate) fn set_on_disk(&mut self, artifact: ArtifactId) {
        if let Some(built) = &mut self.artifacts[artifact.index()].built {
            built.on_disk = true;
        }
    }

    /// Whether nothing new may start.
    pub(crate) fn is_stopped(&self) -> bool {
        self.interrupted || (self.first_failure.is_some() && !self.keep_going)
    }

    pub(crate) fn interrupt(&mut self) {
        self.interrupted = true;
        self.short_of_tokens = false;
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.first_failure.is_some()
    }

    /// Whether nothing is going on, and nothing will unless something is submitted.
    pub(crate) fn is_idle(&self) -> bool {
        let waiting = |crew: &crew::Crew| !crew.waiting.is_empty();
        let stuck = self.queued.is_empty()
            && self.runnable.is_empty()
            && !self.crews.all.iter().any(waiting);
        self.running == 0 && self.looking_up == 0 && (stuck || self.is_stopped())
    }

    /// Picks what to do next. Tokens that nothing waits for go back, since make may have use for them.
    pub(crate) fn next(&mut self) -> Option<Task> {
        let picked = if self.is_stopped() { None } else { self.pick() };
        if picked.is_none() && !self.short_of_tokens {
            self.tokens.keep(self.tokens_used);
        }
        picked
    }

    fn pick(&mut self) -> Option<Task> {
        self.short_of_tokens = false;
        while let Some((_, id)) = self.queued.pop_first() {
            if self.job_inputs_built(id) {
                self.nodes[id.index()].phase = Phase::LookingUp;
                self.looking_up += 1;
                return Some(Task::LookUp(self.job(id)));
            }
            self.arm(id);
        }
        let mut cursor = Bound::Unbounded;
        while let Some(order) = self.candidate(cursor) {
            cursor = Bound::Excluded(order);
            let id = order.1;
            if !self.job_inputs_built(id) {
                self.peers(id).remove(&order);
                self.arm(id);
                continue;
            }
            let action = Arc::clone(&self.nodes[id.index()].action);
            if self.pool_is_full(&action) || self.outputs_are_read(&action) {
                continue;
            }
            let (slots, tokens) = self.cost(&action);
            if self.slots_used > 0 && self.slots_used + slots > self.jobs {
                break;
            }
            if self.tokens_used > 0 && self.tokens_used + tokens > self.tokens.available() {
                self.tokens.want(self.tokens_used + tokens);
                self.short_of_tokens = true;
                break;
            }
            let node = &self.nodes[id.index()];
            let (Some(prepared), Some(reason)) =
                (node.prepared.clone(), node.account.reason.clone())
            else {
                break;
            };
            self.peers(id).remove(&order);
            self.start(id, &action);
            return Some(Task::Run(self.job(id), prepared, reason));
        }
        None
    }

    /// The first action after `cursor` that neither inputs nor the lack of a worker keep from running.
    fn candidate(&self, cursor: Bound<Order>) -> Option<Order> {
        let first = |set: &BTreeSet<Order>| set.range((cursor, Bound::Unbounded)).next().copied();
        let crews = self.crews.all.iter().filter(|crew| crew.has_room(self.jobs));
        first(&self.runnable).into_iter().chain(crews.filter_map(|crew| first(&crew.waiting))).min()
    }

    fn cost(&self, action: &Action) -> (u32, usize) {
        let slots = action.weight.clamp(1, self.jobs);
        // Such an action fetches its further tokens itself.
        (slots, if action.uses_jobserver { 1 } else { slots as usize })
    }

    fn pool_is_full(&self, action: &Action) -> bool {
        action.pool.as_ref().is_some_and(|pool| {
            let size = self.pool_sizes.get(pool).copied().unwrap_or(1).max(1);
            self.pools.get(pool).copied().unwrap_or(0) >= size
        })
    }

    /// Running again would delete outputs under a reader's eyes.
    fn outputs_are_read(&self, action: &Action) -> bool {
        action.outputs.iter().any(|output| self.artifacts[output.index()].readers > 0)
    }

    fn start(&mut self, id: ActionId, action: &Action) {
        let (slots, tokens) = self.cost(action);
        self.slots_used += slots;
        self.tokens_used += tokens;
        self.running += 1;
        if let Some(pool) = &action.pool {
            *self.pools.entry(pool.clone()).or_default() += 1;
        }
        self.nodes[id.index()].phase = Phase::Running;
        if let Some(crew) = self.nodes[id.index()].crew {
            self.crews.get(crew).occupy();
        }
        for input in &self.nodes[id.index()].inputs {
            self.artifacts[input.index()].readers += 1;
        }
    }

    /// Gives back what [`Schedule::next`] took for a run.
    fn stop_running(&mut self, id: ActionId) {
        let action = Arc::clone(&self.nodes[id.index()].action);
        let (slots, tokens) = self.cost(&action);
        self.slots_used -= slots;
        self.tokens_used -= tokens;
        self.running -= 1;
        let node = &mut self.nodes[id.index()];
        let kept = std::mem::take(&mut node.worker_kept);
        if let Some(crew) = node.crew {
            self.crews.get(crew).release(kept);
        }
        if let Some(count) = action.pool.as_ref().and_then(|pool| self.pools.get_mut(pool)) {
            *count -= 1;
        }
        for input in &self.nodes[id.index()].inputs {
            self.artifacts[input.index()].readers -= 1;
        }
    }

    fn job_inputs_built(&self, id: ActionId) -> bool {
        self.nodes[id.index()].inputs.iter().all(|input| {
            let artifact = &self.artifacts[input.index()];
            artifact.built.is_some() || !matches!(*artifact.location, Location::Build(_))
        })
    }

    fn job(&self, id: ActionId) -> Job {
        let node = &self.nodes[id.index()];
        let inputs = node.inputs.iter().map(|input| JobInput {
            artifact: *input,
            location: self.location(*input),
            built: self.artifacts[input.index()].built,
        });
        Job {
            id,
            inputs: inputs.collect(),
            names: self.names(&node.action),
            crew: node.crew,
            action: Arc::clone(&node.action),
        }
    }

    /// The locations of every artifact that the action names.
    pub(crate) fn names(&self, action: &Action) -> HashMap<ArtifactId, Arc<Location>> {
        action
            .all_inputs()
            .into_iter()
            .chain(action.outputs.iter().copied())
            .chain(action.dep_file.as_ref().and_then(DepFile::artifact))
            .chain(action.compile_source)
            .map(|artifact| (artifact, self.location(artifact)))
            .collect()
    }

    /// The cache had the result.
    pub(crate) fn hit(
        &mut self,
        id: ActionId,
        prepared: Arc<Prepared>,
        outputs: impl IntoIterator<Item = Built>,
    ) {
        self.looking_up -= 1;
        self.nodes[id.index()].prepared = Some(prepared);
        self.succeed(id, Outcome::Cached, outputs);
    }

    /// The cache didn't have it: it has to run.
    pub(crate) fn miss(&mut self, id: ActionId, prepared: Arc<Prepared>) {
        self.looking_up -= 1;
        let node = &mut self.nodes[id.index()];
        node.prepared = Some(prepared);
        node.phase = Phase::Runnable;
        let order = (Reverse(node.action.weight), id);
        self.peers(id).insert(order);
    }

    pub(crate) fn ran(&mut self, id: ActionId, outputs: impl IntoIterator<Item = Built>) {
        self.stop_running(id);
        self.succeed(id, Outcome::Ran, outputs);
    }

    fn succeed(&mut self, id: ActionId, outcome: Outcome, built: impl IntoIterator<Item = Built>) {
        self.nodes[id.index()].phase = Phase::Done(outcome);
        let outputs = self.nodes[id.index()].action.outputs.clone();
        for (output, built) in outputs.into_iter().zip(built) {
            self.set_built(output, built);
        }
    }

    /// A running action found that the content of an input is gone: its producer runs again first.
    pub(crate) fn again(&mut self, id: ActionId, input: ArtifactId, reason: Reason) {
        self.stop_running(id);
        self.rebuild(input, reason);
        self.arm(id);
    }

    /// Has the producer of `artifact` run again, unless it's about to.
    pub(crate) fn rebuild(&mut self, artifact: ArtifactId, reason: Reason) {
        let Some(producer) = self.artifacts[artifact.index()].producer else { return };
        let node = &mut self.nodes[producer.index()];
        if !matches!(node.phase, Phase::Done(Outcome::Cached | Outcome::Ran)) {
            return;
        }
        node.phase = Phase::Runnable;
        node.account.reason = Some(reason);
        let action = Arc::clone(&node.action);
        self.peers(producer).insert((Reverse(action.weight), producer));
        for output in &action.outputs {
            self.artifacts[output.index()].built = None;
        }
    }

    /// The action failed. Returns those that are over with it.
    pub(crate) fn fail(&mut self, id: ActionId, failed: Failed) -> Vec<ActionId> {
        match self.nodes[id.index()].phase {
            Phase::Running => self.stop_running(id),
            Phase::LookingUp => self.looking_up -= 1,
            _ => {}
        }
        self.nodes[id.index()].phase = Phase::Done(Outcome::Failed(failed));
        self.first_failure.get_or_insert(id);
        let mut over = vec![id];
        let mut next = 0;
        while let Some(failed) = over.get(next) {
            for output in self.nodes[failed.index()].action.outputs.clone() {
                for waiter in std::mem::take(&mut self.artifacts[output.index()].waiting) {
                    let phase = &mut self.nodes[waiter.index()].phase;
                    if matches!(phase, Phase::Waiting { .. }) {
                        *phase = Phase::Done(Outcome::Skipped { because: id });
                        over.push(waiter);
                    }
                }
            }
            next += 1;
        }
        over
    }

    pub(crate) fn cancelled(&mut self, id: ActionId) {
        self.stop_running(id);
        self.nodes[id.index()].phase = Phase::Done(Outcome::Cancelled);
    }

    pub(crate) fn report(&self) -> Vec<ActionReport> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let made = node.action.outputs.iter().filter_map(|output| {
                    let artifact = &self.artifacts[output.index()];
                    Some(((*artifact.location).clone(), artifact.built?.digest))
                });
                ActionReport {
                    id: ActionId::from_index(index),
                    owner: node.action.owner.clone(),
                    mnemonic: node.action.mnemonic.clone(),
                    description: node.action.description.clone(),
                    outcome: match &node.phase {
                        Phase::Done(outcome) => outcome.clone(),
                        _ => Outcome::Cancelled,
                    },
                    reason: node.account.reason.clone(),
                    key: node.prepared.as_ref().map(|prepared| prepared.key),
                    lookup: node.account.lookup,
                    run: node.account.run,
                    usage: node.account.usage,
                    worker: node.account.worker,
                    outputs: made.collect(),
                }
            })
            .collect()
    }
}
