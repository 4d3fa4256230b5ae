//! How far down: the layer of each vertex.

use std::cmp::Ordering;

use super::Arc;

/// The layer of each vertex: as high as its predecessors allow, then moved wherever that makes arcs
/// shorter.
pub(super) fn ranks(count: usize, arcs: &[Arc]) -> Vec<usize> {
    let mut rank = vec![0; count];
    let mut changed = true;
    while changed {
        changed = false;
        for arc in arcs {
            let least = rank[arc.from] + arc.span;
            if rank[arc.to] < least {
                rank[arc.to] = least;
                changed = true;
            }
        }
    }
    changed = true;
    while changed {
        changed = false;
        for id in 0..count {
            let (mut arriving, mut leaving) = (0, 0);
            let (mut highest, mut lowest) = (0, usize::MAX);
            for arc in arcs {
                if arc.to == id {
                    arriving += 1;
                    highest = highest.max(rank[arc.from] + arc.span);
                }
                if arc.from == id {
                    leaving += 1;
                    lowest = lowest.min(rank[arc.to] - arc.span);
                }
            }
            // Each move makes all arcs together shorter, so this ends.
            let better = match leaving.cmp(&arriving) {
                Ordering::Greater => lowest,
                Ordering::Less => highest,
                Ordering::Equal => rank[id],
            };
            changed |= better != rank[id];
            rank[id] = better;
        }
    }
    rank
}
