//! What is drawn: the graph's commands as boxes, its kinds as labels between them.
//!
//! A kind that four commands make and five take would be twenty edges with one label each. It is
//! drawn as one label that four arcs reach and five leave: the same edges, and what passes along
//! them can be read. Where commands rewrite a kind, each stage gets its own label, which
//! shows who works on whose output. Constraints are drawn only where they say more than kinds and
//! other constraints do already.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::name::{Author, CommandName, Kind, PluginId};
use super::super::super::plan::{Plan, Target};
use super::super::super::spec::Relation;
use super::super::super::{Edge, Graph, Node};
use super::layout::{Arc, Size};
use super::measure::{Font, fit, width};

pub(super) const NAME_SIZE: f64 = 13.0;
pub(super) const SUMMARY_SIZE: f64 = 11.5;
pub(super) const LABEL_SIZE: f64 = 11.0;
/// The height of the strip above a box where its wrapper's name is.
pub(super) const FRAME_HEAD: f64 = 19.0;
pub(super) const FRAME_PAD: f64 = 6.0;
const SUMMARY_ROOM: f64 = 220.0;

/// A box or a label.
pub(super) struct Item<'a> {
    pub(super) what: What<'a>,
    pub(super) size: Size,
    /// Whether it has no part in the plan.
    pub(super) faded: bool,
}

pub(super) enum What<'a> {
    Command {
        node: &'a Node,
        summary: String,
        /// Its number in the order in which commands run.
        number: Option<usize>,
    },
    Anchor(&'a Node),
    Kind {
        kind: &'a Kind,
        is_target: bool,
    },
}

/// A line from one item to another.
pub(super) struct Line {
    pub(super) arc: Arc,
    pub(super) style: Style,
    pub(super) faded: bool,
    /// What to show when it is pointed at.
    pub(super) title: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Style {
    /// A kind reaches its label.
    Made,
    /// A kind goes from its label to who takes it.
    Taken,
    /// A constraint.
    Order,
    /// A required follower.
    Required,
}

impl Style {
    /// Its class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Made | Self::Taken => "flow",
            Self::Order => "order",
            Self::Required => "required",
        }
    }
}

/// All that is drawn.
pub(super) struct Scene<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) lines: Vec<Line>,
    /// The number of each author's colour.
    pub(super) colours: BTreeMap<Voice, usize>,
}

/// An author as far as colours tell them apart: not by version, and all lines of a user's file are
/// one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Voice {
    Core,
    Plugin(PluginId),
    User,
}

impl From<&Author> for Voice {
    fn from(author: &Author) -> Self {
        match author {
            Author::Core => Self::Core,
            Author::Plugin { id, .. } => Self::Plugin(id.clone()),
            Author::User { .. } => Self::User,
        }
    }
}

/// What a kind is for, besides those who take it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing.
    OfUseToTakers,
    /// It is what was asked for.
    Target,
    /// Nothing was asked for, so it may be anything.
    Open,
}

impl<'a> Scene<'a> {
    pub(super) fn new(graph: &'a Graph, plan: Option<&Plan>) -> Self {
        let mut scene = Self {
            items: graph.nodes().iter().map(|node| item(graph, node, plan)).collect(),
            lines: Vec::new(),
            colours: colours(graph),
        };
        for kind in graph.kinds() {
            scene.add_kind(graph, kind, plan);
        }
        scene.add_constraints(graph);
        scene
    }

    fn add_kind(&mut self, graph: &'a Graph, kind: &'a Kind, plan: Option<&Plan>) {
        let nodes = graph.nodes();
        let who = |makes: bool, takes: bool| -> Vec<usize> {
            let is = |node: &Node| node.makes(kind) == makes && node.takes(kind).is_some() == takes;
            (0..nodes.len()).filter(|&id| is(&nodes[id])).collect()
        };
        let end = match plan {
            Some(plan) if plan.targets.contains(&Target::Kind(kind.clone())) => End::Target,
            Some(_) => End::OfUseToTakers,
            None => End::Open,
        };
        // The graph's order of rewriters is the order in which they come.
        let mut makers = who(true, false);
        for rewriter in who(true, true) {
            self.add_label(kind, &makers, &[rewriter], End::OfUseToTakers);
            makers = vec![rewriter];
        }
        self.add_label(kind, &makers, &who(false, true), end);
    }

    fn add_label(&mut self, kind: &'a Kind, makers: &[usize], takers: &[usize], end: End) {
        if makers.is_empty() {
            return;
        }
        let runs = |items: &[Item<'_>], ids: &[usize]| ids.iter().any(|&id| !items[id].faded);
        let made = runs(&self.items, makers);
        let used = runs(&self.items, takers) || end != End::OfUseToTakers;
        let label = self.items.len();
        let text = width(kind.as_str(), Font::Mono, LABEL_SIZE);
        self.items.push(Item {
            what: What::Kind { kind, is_target: end == End::Target },
            size: Size { width: text + 22.0, height: 21.0 },
            faded: !(made && used),
        });
        let ends = makers.iter().map(|&id| (id, label, Style::Made));
        let ends = ends.chain(takers.iter().map(|&id| (label, id, Style::Taken)));
        for (from, to, style) in ends {
            let command = if style == Style::Made { from } else { to };
            let verb = if style == Style::Made { "makes" } else { "takes" };
            self.lines.push(Line {
                arc: Arc { from, to, span: 1 },
                style,
                faded: !(made && used) || self.items[command].faded,
                title: format!("{} {verb} {kind}", self.items[command].name()),
            });
        }
    }

    fn add_constraints(&mut self, graph: &Graph) {
        let ids: BTreeMap<&CommandName, usize> =
            graph.nodes().iter().enumerate().map(|(id, node)| (node.name(), id)).collect();
        let ends = |edge: &Edge| (ids[&edge.from], ids[&edge.to]);
        let all: BTreeSet<(usize, usize)> = graph.edges().iter().map(ends).collect();
        for edge in graph.edges() {
            let (from, to) = ends(edge);
            let said = edge.reasons.iter().filter_map(|reason| reason.stated());
            let is_push = |relation| relation == Relation::RequiredAfter;
            let required = said.clone().any(|said| is_push(said.relation));
            let only_stated = edge.reasons.iter().all(|reason| reason.kind().is_none());
            let says_more = said.clone().next().is_some() && only_stated;
            if !required && (!says_more || implied(from, to, &all)) {
                continue;
            }
            self.lines.push(Line {
                arc: Arc { from, to, span: 2 },
                style: if required { Style::Required } else { Style::Order },
                faded: [from, to].iter().any(|&id| {
                    self.items[id].faded && !matches!(self.items[id].what, What::Anchor(_))
                }),
                title: said.map(ToString::to_string).collect::<Vec<_>>().join("; "),
            });
        }
    }
}

impl Item<'_> {
    pub(super) fn name(&self) -> &str {
        match self.what {
            What::Command { node, .. } | What::Anchor(node) => node.name().as_str(),
            What::Kind { kind, .. } => kind.as_str(),
        }
    }
}

fn item<'a>(graph: &Graph, node: &'a Node, plan: Option<&Plan>) -> Item<'a> {
    let name = width(node.name().as_str(), Font::Mono, NAME_SIZE);
    if node.spec.anchor {
        let size = Size { width: name + 34.0, height: 26.0 };
        return Item { what: What::Anchor(node), size, faded: false };
    }
    let number = match plan {
        Some(plan) => plan.commands.iter().position(|command| command.name == *node.name()),
        None => {
            let mut commands = graph.nodes().iter().filter(|node| !node.spec.anchor);
            commands.position(|other| other.name() == node.name())
        }
    };
    let summary = fit(&node.spec.summary, Font::Sans, SUMMARY_SIZE, SUMMARY_ROOM);
    let text = width(&summary, Font::Sans, SUMMARY_SIZE).max(name);
    let mut size =
        Size { width: text + 40.0, height: if summary.is_empty() { 34.0 } else { 50.0 } };
    for wrapper in &node.wrapped_by {
        let label = width(wrapper.name.as_str(), Font::Mono, LABEL_SIZE) + 24.0;
        size.width = (size.width + 2.0 * FRAME_PAD).max(label);
        size.height += FRAME_HEAD + FRAME_PAD;
    }
    Item {
        what: What::Command { node, summary, number: number.map(|at| at + 1) },
        size,
        faded: number.is_none(),
    }
}

/// Core first, then plugins by name: the same graph always has the same colours.
fn colours(graph: &Graph) -> BTreeMap<Voice, usize> {
    let parts = graph.nodes().iter().flat_map(|node| node.wrapped_by.iter().chain([&node.spec]));
    let voices: BTreeSet<Voice> = parts.map(|spec| Voice::from(&spec.author)).collect();
    let others = voices.iter().filter(|voice| **voice != Voice::Core).cloned();
    std::iter::once(Voice::Core)
        .chain(others)
        .enumerate()
        .map(|(nth, voice)| (voice, nth))
        .collect()
}

/// Whether a longer way says the same.
fn implied(from: usize, to: usize, edges: &BTreeSet<(usize, usize)>) -> bool {
    let next = |id: usize| edges.range((id, 0)..=(id, usize::MAX)).map(|&(_, next)| next);
    let mut seen = BTreeSet::new();
    let mut todo: Vec<usize> = next(from).filter(|&id| id != to).collect();
    while let Some(id) = todo.pop() {
        if id == to {
            return true;
        }
        if seen.insert(id) {
            todo.extend(next(id));
        }
    }
    false
}
