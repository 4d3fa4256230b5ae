//! Why commands come before one another: the edges that follow from kinds, and those that somebody
//! stated.

use std::collections::BTreeMap;

use super::error::GraphError;
use super::name::{Author, CommandName, Kind, Ref};
use super::order;
use super::places::Places;
use super::spec::{Relation, Statement, UserRules};
use super::{EdgeMap, Node, NodeId, Reason};

/// Who has to do with a kind.
#[derive(Default)]
struct Traffic {
    /// Make it, without taking it.
    sources: Vec<NodeId>,
    /// Take it and make it.
    rewriters: Vec<NodeId>,
    /// Take it, without making it.
    sinks: Vec<NodeId>,
}

fn traffic(nodes: &[Node]) -> BTreeMap<&Kind, Traffic> {
    let mut kinds: BTreeMap<&Kind, Traffic> = BTreeMap::new();
    for (id, node) in nodes.iter().enumerate() {
        for kind in &node.produces {
            let traffic = kinds.entry(kind).or_default();
            if node.takes(kind).is_some() {
                traffic.rewriters.push(id);
            } else {
                traffic.sources.push(id);
            }
        }
        for kind in node.consumes.iter().map(|taken| &taken.name) {
            if !node.makes(kind) {
                kinds.entry(kind).or_default().sinks.push(id);
            }
        }
    }
    kinds
}

/// All edges but those that the order itself decides.
pub(super) fn collect(
    nodes: &[Node],
    places: &Places,
    user: &UserRules,
) -> Result<EdgeMap, GraphError> {
    let mut edges = EdgeMap::new();
    for (kind, Traffic { sources, rewriters, sinks }) in traffic(nodes) {
        let pairs = [(&sources, &rewriters), (&sources, &sinks), (&rewriters, &sinks)];
        for (earlier, later) in pairs {
            for &from in earlier {
                for &to in later {
                    let reason = Reason::Kind { kind: kind.clone() };
                    edges.entry((from, to)).or_default().insert(reason);
                }
            }
        }
    }

    let ids: BTreeMap<&CommandName, NodeId> =
        nodes.iter().enumerate().map(|(id, node)| (node.name(), id)).collect();
    for Constraint { author, subject, relation, object } in constraints(places, user) {
        let said = || Statement {
            author: author.clone(),
            subject: Some(subject.name.clone()),
            relation,
            object: object.name.clone(),
        };
        let places = (places.refer(&subject, said)?, places.refer(object, said)?);
        let (Some(subject_place), Some(object_place)) = places else { continue };
        // A replacement that says "after the old one", or a wrapper "before what I wrap", speaks of
        // one place.
        if subject_place == object_place && subject.name != object.name {
            continue;
        }
        let (subject_id, object_id) = (ids[subject_place], ids[object_place]);
        let edge = match relation {
            Relation::Before => (subject_id, object_id),
            _ => (object_id, subject_id),
        };
        edges.entry(edge).or_default().insert(Reason::Stated(said()));
    }
    Ok(edges)
}

/// A statement about order whose names haven't been looked up.
struct Constraint<'a> {
    author: &'a Author,
    subject: Ref<CommandName>,
    relation: Relation,
    object: &'a Ref<CommandName>,
}

/// Everything that counts, in an order of its own so that the first error is always the same one.
fn constraints<'a>(places: &'a Places, user: &'a UserRules) -> Vec<Constraint<'a>> {
    let mut constraints = Vec::new();
    let mut add = |author, subject: &Ref<CommandName>, relation, objects: &'a [_]| {
        constraints.extend(objects.iter().map(|object| Constraint {
            author,
            subject: subject.clone(),
            relation,
            object,
        }));
    };
    for spec in places.speakers() {
        let subject = Ref::from(spec.name.clone());
        add(&spec.author, &subject, Relation::Before, &spec.before);
        add(&spec.author, &subject, Relation::After, &spec.after);
        add(&spec.author, &subject, Relation::RequiredAfter, &spec.required_after);
    }
    for rule in &user.order {
        add(&rule.author, &rule.command, Relation::Before, &rule.before);
        add(&rule.author, &rule.command, Relation::After, &rule.after);
    }
    let key =
        |c: &Constraint<'a>| (c.author.clone(), c.subject.clone(), c.relation, c.object.clone());
    constraints.sort_by_cached_key(key);
    constraints
}

/// Adds an edge between neighbours in the order among commands that rewrite one kind. They share
/// the kind, so they may not run at the same time, whether or not somebody stated which is first.
pub(super) fn chain_rewriters(nodes: &[Node], order: &[NodeId], edges: &mut EdgeMap) {
    let rank = order::positions(order);
    for (kind, Traffic { mut rewriters, .. }) in traffic(nodes) {
        rewriters.sort_by_key(|&id| rank[id]);
        for &[from, to] in rewriters.array_windows() {
            let reason = Reason::Rewrites { kind: kind.clone() };
            edges.entry((from, to)).or_default().insert(reason);
        }
    }
}
