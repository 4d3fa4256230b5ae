//! The command graph: which commands there are, why one comes before another, and which of them a
//! target needs.
//!
//! The idea is Bento's: the order of commands is stated *outside* the commands, by whoever has an
//! interest in it, and computed when the build runs. So anyone can put a command before, after,
//! around or in the place of another without the other knowing. Data in, data out: nothing here
//! runs a command, reads a file or writes one.
//!
//! ```text
//! CommandSpec… + UserRules ──build──▶ Graph ──plan(targets)──▶ Plan
//!                                       └──────── render ────────┘
//! ```
//!
//! # Edges
//! An edge from one command to another says that the first comes earlier, and carries every
//! [`Reason`] for it:
//! - **Kinds.** Whatever produces a kind comes before whatever consumes it. A command that consumes
//!   *and* produces one kind rewrites it (renaming the symbols of generated sources, say), and sits
//!   between: commands that only produce the kind, then those that rewrite it, then those that only
//!   consume it. Constraints order the rewriters among themselves; where they leave a choice, names
//!   decide, and an edge records the outcome. So rewriting never makes a cycle.
//! - **Constraints.** `before` and `after`, from a command's author or from the user; and
//!   `required_after`.
//!
//! # Invariants
//! - The result depends on the set of commands and rules, never on the order in which they arrive:
//!   commands that nothing orders are ordered by name.
//! - Constraints only order. What runs is decided by targets, kinds (pull) and `required_after`
//!   (push) alone.
//! - A command has one place. What a replaced or wrapping command's name means is settled before
//!   any edge is made (see `places.rs`), and an edge joins two different places, unless a command
//!   states that it precedes itself.

mod edges;
mod error;
mod name;
mod order;
mod places;
mod plan;
pub mod render;
mod spec;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use error::{AnchorMisuse, Cycle, GraphError, NothingProduces, ReplaceLoses};
pub use name::{Author, CommandName, Kind, NameError, NameProblem, PluginId, Ref};
pub use places::Absence;
pub use plan::{Plan, PlannedCommand, Target, Why, WhyNot};
pub use spec::{CommandSpec, Disable, OrderConstraint, Relation, Replace, Statement, UserRules};

use places::Places;

/// A place in the graph: a command with all that is wrapped around it, or an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The command that the place is called by.
    pub spec: CommandSpec,
    /// Commands around it, outermost first. The runner starts the first, each goes on to the next,
    /// the last to `spec`.
    pub wrapped_by: Vec<CommandSpec>,
    /// Kinds that the command or a wrapper takes, in the order of names. Required wins over
    /// optional.
    pub consumes: Vec<Ref<Kind>>,
    /// Kinds that the command or a wrapper makes, in the order of names.
    pub produces: Vec<Kind>,
    /// The number of edges on the longest way here: commands in one layer don't wait for each
    /// other.
    pub layer: usize,
}

impl Node {
    /// The name of its place.
    #[must_use]
    pub fn name(&self) -> &CommandName {
        &self.spec.name
    }

    fn takes(&self, kind: &Kind) -> Option<&Ref<Kind>> {
        self.consumes.iter().find(|taken| taken.name == *kind)
    }

    fn makes(&self, kind: &Kind) -> bool {
        self.produces.binary_search(kind).is_ok()
    }

    /// Whether the kind exists once this has run, whatever else there is. What must be given a kind
    /// to rewrite it is not where the kind comes from.
    fn originates(&self, kind: &Kind) -> bool {
        self.makes(kind) && self.takes(kind).is_none_or(|taken| taken.optional)
    }
}

/// One command comes before another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The earlier.
    pub from: CommandName,
    /// The later.
    pub to: CommandName,
    /// Why, in a fixed order: at least one.
    pub reasons: Vec<Reason>,
}

/// Why one command comes before another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The first makes what the second takes.
    Kind {
        /// What it is.
        kind: Kind,
    },
    /// Both rewrite a kind, so one must be first. Constraints decide which, else names.
    Rewrites {
        /// What they rewrite.
        kind: Kind,
    },
    /// Somebody said so.
    Stated(Statement),
}

impl Reason {
    /// What was said, if the reason is that somebody said something.
    #[must_use]
    pub fn stated(&self) -> Option<&Statement> {
        match self {
            Self::Stated(statement) => Some(statement),
            Self::Kind { .. } | Self::Rewrites { .. } => None,
        }
    }

    /// The kind that passes along the edge, if that is the reason.
    #[must_use]
    pub fn kind(&self) -> Option<&Kind> {
        match self {
            Self::Kind { kind } | Self::Rewrites { kind } => Some(kind),
            Self::Stated(_) => None,
        }
    }
}

/// Where a node is in [`Graph::nodes`]. While a graph is built, where its name is among all names.
type NodeId = usize;

/// Reasons by edge. Keyed so that going through it is deterministic.
type EdgeMap = BTreeMap<(NodeId, NodeId), BTreeSet<Reason>>;

/// Commands in an order that respects every edge.
#[derive(Debug, Clone)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    places: Places,
}

impl Graph {
    /// Settles who has a place, adds the edges, and finds the order.
    ///
    /// # Errors
    /// When the commands contradict each other, or refer to what isn't there.
    pub fn build(
        commands: impl IntoIterator<Item = CommandSpec>,
        user: &UserRules,
    ) -> Result<Self, GraphError> {
        let places = Places::resolve(commands, user)?;
        let mut nodes: Vec<Node> = places.present().map(|spec| node(spec, &places)).collect();
        let mut edges = edges::collect(&nodes, &places, user)?;
        let order = order::sort(&nodes, &edges)?;
        edges::chain_rewriters(&nodes, &order, &mut edges);
        for (id, layer) in order::layers(&order, &edges).into_iter().enumerate() {
            nodes[id].layer = layer;
        }

        let rank = order::positions(&order);
        let mut edges: Vec<((NodeId, NodeId), Edge)> = edges
            .into_iter()
            .map(|((from, to), reasons)| {
                let edge = order::edge(&nodes, from, to, &reasons);
                ((rank[from], rank[to]), edge)
            })
            .collect();
        edges.sort_by_key(|(ranks, _)| *ranks);
        let mut nodes: Vec<(NodeId, Node)> = rank.into_iter().zip(nodes).collect();
        nodes.sort_by_key(|(rank, _)| *rank);
        Ok(Self {
            nodes: nodes.into_iter().map(|(_, node)| node).collect(),
            edges: edges.into_iter().map(|(_, edge)| edge).collect(),
            places,
        })
    }

    /// All places, in the order in which they would run.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All edges, in the order of their ends.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The place that a name means: a replaced command's name means its replacement, a wrapper's
    /// what it wraps. None for a name that is unknown or disabled.
    #[must_use]
    pub fn node(&self, name: &CommandName) -> Option<&Node> {
        self.position(name).map(|id| &self.nodes[id])
    }

    fn position(&self, name: &CommandName) -> Option<NodeId> {
        let place = self.places.place(name)?;
        self.nodes.iter().position(|node| node.name() == place)
    }

    /// A command as its author described it, whether or not it has a place.
    #[must_use]
    pub fn spec(&self, name: &CommandName) -> Option<&CommandSpec> {
        self.places.specs.get(name)
    }

    /// Commands that were brought and have no place, in the order of names.
    pub fn absent(&self) -> impl Iterator<Item = (&CommandName, &Absence)> {
        self.places.absent.iter()
    }

    /// Every kind that a command with a place takes or makes, in the order of names.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<&Kind> {
        self.nodes
            .iter()
            .flat_map(|node| {
                node.produces.iter().chain(node.consumes.iter().map(|taken| &taken.name))
            })
            .collect()
    }
}

fn node(spec: &CommandSpec, places: &Places) -> Node {
    let wrapped_by: Vec<CommandSpec> = places
        .wrappers
        .get(&spec.name)
        .into_iter()
        .flatten()
        .map(|wrapper| places.specs[wrapper].clone())
        .collect();
    let mut consumes: BTreeMap<&Kind, bool> = BTreeMap::new();
    let mut produces: BTreeSet<&Kind> = BTreeSet::new();
    for part in wrapped_by.iter().chain([spec]) {
        for taken in &part.consumes {
            *consumes.entry(&taken.name).or_insert(true) &= taken.optional;
        }
        produces.extend(&part.produces);
    }
    Node {
        consumes: consumes
            .into_iter()
            .map(|(kind, optional)| Ref { name: kind.clone(), optional })
            .collect(),
        produces: produces.into_iter().cloned().collect(),
        spec: spec.clone(),
        wrapped_by,
        layer: 0,
    }
}
