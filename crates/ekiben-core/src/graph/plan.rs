//! What runs for a target, and why.
//!
//! *Pull*: a target needs a command, and a command needs every producer of every kind that it
//! takes. *Push*: a command that is required after one that runs, runs too, and pulls in turn.
//! Constraints of order have no part in this.
//!
//! Invariants: the plan is the smallest set closed under pull and push that has the targets; it is
//! in the graph's order; anchors aren't in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::error::{AnchorMisuse, GraphError, NothingProduces, similar};
use super::name::{Author, CommandName, Kind};
use super::places::Absence;
use super::spec::Statement;
use super::{Graph, Node};

/// Something to be made or done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Everything of this kind.
    Kind(Kind),
    /// This command, or what has its place.
    Command(CommandName),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Command(command) => command.fmt(f),
        }
    }
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What it is for, in the order of names.
    pub targets: BTreeSet<Target>,
    /// Commands in the order in which they run.
    pub commands: Vec<PlannedCommand>,
    /// All other commands that somebody brought, in the order of names.
    pub skipped: Vec<(CommandName, WhyNot)>,
}

impl Plan {
    /// The entry of a command that runs.
    #[must_use]
    pub fn get(&self, name: &CommandName) -> Option<&PlannedCommand> {
        self.commands.iter().find(|command| command.name == *name)
    }

    /// Why a command doesn't run.
    #[must_use]
    pub fn why_not(&self, name: &CommandName) -> Option<&WhyNot> {
        self.skipped.iter().find(|(skipped, _)| skipped == name).map(|(_, why)| why)
    }
}

/// A command that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedCommand {
    /// Its name.
    pub name: CommandName,
    /// Commands around it, outermost first.
    pub wrapped_by: Vec<CommandName>,
    /// All that makes it run: at least one reason, in a fixed order.
    pub why: Vec<Why>,
}

/// Why a command runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "because", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Why {
    /// It, or a kind that it makes, is a target.
    Target {
        /// The target.
        target: Target,
    },
    /// Commands that run take what it makes.
    Makes {
        /// What it makes.
        kind: Kind,
        /// Who takes it, in the order in which they run.
        #[serde(rename = "for")]
        consumers: Vec<CommandName>,
    },
    /// It is required after a command that runs.
    RequiredAfter {
        /// That command.
        command: CommandName,
    },
}

/// Why a command doesn't run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WhyNot {
    /// Nothing that runs needs what it makes.
    NotNeeded,
    /// It is a fixed point for others to refer to.
    Anchor,
    /// It has no place in the graph.
    Absent(Absence),
}

impl Graph {
    /// What a user means by a word: the kind of that name if a command makes it, else the command.
    ///
    /// # Errors
    /// When the word is neither. That the target can be *made* is for [`Graph::plan`] to find out.
    pub fn target(&self, word: &str) -> Result<Target, GraphError> {
        if let Some(kind) = self.kinds().into_iter().find(|kind| kind.as_str() == word) {
            return Ok(Target::Kind(kind.clone()));
        }
        match self.places.specs.get_key_value(word) {
            Some((command, _)) => Ok(Target::Command(command.clone())),
            None => Err(self.unknown_target(word)),
        }
    }

    fn unknown_target(&self, word: &str) -> GraphError {
        let kinds = self.kinds();
        let commands = self.places.specs.keys().map(CommandName::as_str);
        let known = kinds.iter().map(|kind| kind.as_str()).chain(commands);
        let suggestion = similar(word, known).map(str::to_owned);
        GraphError::UnknownTarget { target: word.to_owned(), suggestion }
    }

    /// Which commands the targets need.
    ///
    /// # Errors
    /// When a target doesn't exist, or a command would have to run without a kind that it requires.
    pub fn plan(&self, targets: &[Target]) -> Result<Plan, GraphError> {
        let targets: BTreeSet<Target> = targets.iter().cloned().collect();
        let mut needed =
            Needed { graph: self, in_plan: vec![false; self.nodes.len()], todo: Vec::new() };
        for target in &targets {
            match target {
                Target::Kind(kind) => {
                    self.check_target_kind(kind)?;
                    needed.add_producers(kind);
                }
                Target::Command(command) => needed.add(self.target_command(command)?),
            }
        }
        let in_plan = needed.close();
        let planned: Vec<&Node> = self
            .nodes
            .iter()
            .zip(&in_plan)
            .filter(|(_, planned)| **planned)
            .map(|(node, _)| node)
            .collect();
        self.check_supply(&planned)?;

        let commands = planned.iter().map(|node| PlannedCommand {
            name: node.name().clone(),
            wrapped_by: node.wrapped_by.iter().map(|spec| spec.name.clone()).collect(),
            why: self.why(node, &planned, &targets),
        });
        let mut skipped: Vec<(CommandName, WhyNot)> = self
            .nodes
            .iter()
            .zip(&in_plan)
            .filter(|(_, planned)| !**planned)
            .map(|(node, _)| {
                let why = if node.spec.anchor { WhyNot::Anchor } else { WhyNot::NotNeeded };
                (node.name().clone(), why)
            })
            .chain(self.absent().map(|(name, why)| (name.clone(), WhyNot::Absent(why.clone()))))
            .collect();
        skipped.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Plan { commands: commands.collect(), skipped, targets })
    }

    fn check_target_kind(&self, kind: &Kind) -> Result<(), GraphError> {
        if self.originates(kind) {
            return Ok(());
        }
        let disabled = self.disabled_producers(kind);
        if !self.kinds().contains(kind) && disabled.is_empty() {
            return Err(self.unknown_target(kind.as_str()));
        }
        Err(self.nothing_produces(kind, Vec::new(), disabled))
    }

    fn target_command(&self, command: &CommandName) -> Result<usize, GraphError> {
        let Some(id) = self.position(command) else {
            let disabled_by = match self.places.absent.get(command) {
                Some(Absence::Disabled { by }) => by.clone(),
                Some(Absence::NothingToWrap { disabled_by, .. }) => disabled_by.clone(),
                Some(Absence::Replaced { .. }) | None => {
                    return Err(self.unknown_target(command.as_str()));
                }
            };
            return Err(GraphError::TargetDisabled { command: command.clone(), disabled_by });
        };
        let node = &self.nodes[id];
        if node.spec.anchor {
            return Err(GraphError::AnchorMisused {
                anchor: node.name().clone(),
                author: node.spec.author.clone(),
                misuse: AnchorMisuse::Target,
            });
        }
        Ok(id)
    }

    /// Whether anything makes the kind out of something else.
    fn originates(&self, kind: &Kind) -> bool {
        self.nodes.iter().any(|node| node.originates(kind))
    }

    /// Every command that runs must get every kind that it requires.
    fn check_supply(&self, planned: &[&Node]) -> Result<(), GraphError> {
        let mut unmet: BTreeMap<&Kind, Vec<(CommandName, Author)>> = BTreeMap::new();
        for node in planned {
            for taken in node.consumes.iter().filter(|taken| !taken.optional) {
                if !self.originates(&taken.name) {
                    let consumer = (node.name().clone(), node.spec.author.clone());
                    unmet.entry(&taken.name).or_default().push(consumer);
                }
            }
        }
        match unmet.into_iter().next() {
            Some((kind, consumers)) => {
                Err(self.nothing_produces(kind, consumers, self.disabled_producers(kind)))
            }
            None => Ok(()),
        }
    }

    fn nothing_produces(
        &self,
        kind: &Kind,
        consumers: Vec<(CommandName, Author)>,
        disabled: Vec<(CommandName, Statement)>,
    ) -> GraphError {
        let made: BTreeSet<&Kind> = self.nodes.iter().flat_map(|node| &node.produces).collect();
        let others = made.iter().filter(|made| **made != kind).map(|made| made.as_str());
        let suggestion = similar(kind.as_str(), others)
            .and_then(|text| made.iter().find(|made| made.as_str() == text))
            .map(|&similar| similar.clone());
        let kind = kind.clone();
        GraphError::NothingProduces(Box::new(NothingProduces {
            kind,
            consumers,
            disabled,
            suggestion,
        }))
    }

    /// Commands that would make the kind, if they weren't disabled, each with one who disabled it.
    fn disabled_producers(&self, kind: &Kind) -> Vec<(CommandName, Statement)> {
        let mut producers = Vec::new();
        for (name, absence) in self.absent() {
            let spec = &self.places.specs[name];
            let disabled_by = match absence {
                Absence::Disabled { by } => by,
                Absence::NothingToWrap { disabled_by, .. } => disabled_by,
                Absence::Replaced { .. } => continue,
            };
            let rewrites = spec.consumes.iter().any(|taken| taken.name == *kind && !taken.optional);
            if let Some(statement) = disabled_by.first()
                && spec.produces.contains(kind)
                && !rewrites
            {
                producers.push((name.clone(), statement.clone()));
            }
        }
        producers
    }

    fn why(&self, node: &Node, planned: &[&Node], targets: &BTreeSet<Target>) -> Vec<Why> {
        let mut why = Vec::new();
        for target in targets {
            let is_meant = match target {
                Target::Kind(kind) => node.makes(kind),
                Target::Command(command) => self.places.place(command) == Some(node.name()),
            };
            if is_meant {
                why.push(Why::Target { target: target.clone() });
            }
        }
        for kind in &node.produces {
            let consumers: Vec<CommandName> = planned
                .iter()
                .filter(|other| other.name() != node.name() && other.takes(kind).is_some())
                .map(|other| other.name().clone())
                .collect();
            if !consumers.is_empty() {
                why.push(Why::Makes { kind: kind.clone(), consumers });
            }
        }
        for command in self.required_after(node) {
            if planned.iter().any(|other| other.name() == command) {
                why.push(Why::RequiredAfter { command: command.clone() });
            }
        }
        why
    }

    /// The places after which this one must run, in the order of names.
    fn required_after(&self, node: &Node) -> BTreeSet<&CommandName> {
        node.wrapped_by
            .iter()
            .chain([&node.spec])
            .flat_map(|part| &part.required_after)
            .filter_map(|reference| self.places.place(&reference.name))
            .filter(|place| *place != node.name())
            .collect()
    }
}

/// The set of commands that are needed, growing.
struct Needed<'a> {
    graph: &'a Graph,
    /// By position in the graph's order.
    in_plan: Vec<bool>,
    /// Needed commands whose own needs haven't been looked at.
    todo: Vec<usize>,
}

impl Needed<'_> {
    fn add(&mut self, id: usize) {
        if !self.in_plan[id] {
            self.in_plan[id] = true;
            self.todo.push(id);
        }
    }

    fn add_producers(&mut self, kind: &Kind) {
        for (id, node) in self.graph.nodes.iter().enumerate() {
            if node.makes(kind) {
                self.add(id);
            }
        }
    }

    fn close(mut self) -> Vec<bool> {
        let graph = self.graph;
        let mut followers: BTreeMap<&CommandName, Vec<usize>> = BTreeMap::new();
        for (id, node) in graph.nodes.iter().enumerate() {
            for place in graph.required_after(node) {
                followers.entry(place).or_default().push(id);
            }
        }
        while let Some(id) = self.todo.pop() {
            let node = &graph.nodes[id];
            for taken in &node.consumes {
                self.add_producers(&taken.name);
            }
            for &follower in followers.get(node.name()).into_iter().flatten() {
                self.add(follower);
            }
        }
        self.in_plan
    }
}
