//! Putting commands in an order, or showing why there is none.
//!
//! Nodes come in the order of their names, so that a [`NodeId`] compares as a name does. Kahn's
//! algorithm then takes, among the commands that wait for nothing, always the first by name: the
//! order is a function of the graph alone.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use super::error::{Cycle, GraphError};
use super::{Edge, EdgeMap, Node, NodeId, Reason};

/// All nodes, each after everything that has an edge to it.
pub(super) fn sort(nodes: &[Node], edges: &EdgeMap) -> Result<Vec<NodeId>, GraphError> {
    let mut waits_for = vec![0_usize; nodes.len()];
    let mut followers: Vec<Vec<NodeId>> = vec![Vec::new(); nodes.len()];
    for &(from, to) in edges.keys() {
        waits_for[to] += 1;
        followers[from].push(to);
    }
    let mut ready: BinaryHeap<Reverse<NodeId>> =
        (0..nodes.len()).filter(|&id| waits_for[id] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id);
        for &next in &followers[id] {
            waits_for[next] -= 1;
            if waits_for[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    if order.len() == nodes.len() {
        return Ok(order);
    }

    let stuck: BTreeSet<NodeId> = (0..nodes.len()).filter(|&id| waits_for[id] > 0).collect();
    let shortest = stuck
        .iter()
        .filter_map(|&start| shortest_cycle(start, &stuck, &followers))
        .min_by_key(Vec::len)
        .unwrap_or_default();
    let ends = shortest.iter().zip(shortest.iter().cycle().skip(1));
    Err(GraphError::Cycle(Box::new(Cycle {
        edges: ends.map(|(&from, &to)| edge(nodes, from, to, &edges[&(from, to)])).collect(),
        authors: shortest.iter().map(|&id| nodes[id].spec.author.clone()).collect(),
    })))
}

/// The nodes of a shortest way from `start` back to itself, by breadth-first search.
fn shortest_cycle(
    start: NodeId,
    among: &BTreeSet<NodeId>,
    followers: &[Vec<NodeId>],
) -> Option<Vec<NodeId>> {
    let mut came_from: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(id) = queue.pop_front() {
        for &next in followers[id].iter().filter(|next| among.contains(next)) {
            if next == start {
                let mut way = vec![id];
                while let Some(&before) = came_from.get(&way[way.len() - 1]) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if let Entry::Vacant(unseen) = came_from.entry(next) {
                unseen.insert(id);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The number of edges on the longest way to each node.
pub(super) fn layers(order: &[NodeId], edges: &EdgeMap) -> Vec<usize> {
    let rank = positions(order);
    let mut by_target: Vec<(NodeId, NodeId)> = edges.keys().copied().collect();
    by_target.sort_by_key(|&(from, _)| rank[from]);
    let mut layers = vec![0; order.len()];
    for (from, to) in by_target {
        layers[to] = layers[to].max(layers[from] + 1);
    }
    layers
}

/// Where each node is in the order.
pub(super) fn positions(order: &[NodeId]) -> Vec<usize> {
    let mut positions = vec![0; order.len()];
    for (position, &id) in order.iter().enumerate() {
        positions[id] = position;
    }
    positions
}

pub(super) fn edge(nodes: &[Node], from: NodeId, to: NodeId, reasons: &BTreeSet<Reason>) -> Edge {
    Edge {
        from: nodes[from].name().clone(),
        to: nodes[to].name().clone(),
        reasons: reasons.iter().cloned().collect(),
    }
}
