//! How far to the right: alternately between layers, each solved exactly for the places that are
//! nearest to its neighbours' and keep their distance; then long arcs are made straight.

use super::{GAP, Ranked};

/// The least space between an arc that passes and what is beside it, in pixels.
const ARC_GAP: f64 = 15.0;
const RELAXATIONS: usize = 60;
const STRAIGHTENINGS: usize = 8;
const ARC_GIVES_WAY: f64 = 0.05;
const ARC_STAYS: f64 = 1e6;

/// The vertices to the left and to the right.
type Beside = (Option<usize>, Option<usize>);

impl Ranked {
    /// The distance that the centres of two neighbours in a layer must have.
    fn apart(&self, left: usize, right: usize) -> f64 {
        let gap = if self.is_virtual(left) || self.is_virtual(right) { ARC_GAP } else { GAP };
        (self.sizes[left].width + self.sizes[right].width) / 2.0 + gap
    }

    /// The centre of each vertex.
    pub(super) fn place(&self) -> Vec<f64> {
        let mut x = vec![0.0; self.sizes.len()];
        for layer in &self.layers {
            for &[left, right] in layer.array_windows() {
                x[right] = x[left] + self.apart(left, right);
            }
        }
        for round in 0..RELAXATIONS {
            // The first rounds follow one side at a time, which spreads the graph out; the rest
            // settle.
            let (look_up, look_down) = match round {
                0..20 => (round % 2 == 0, round % 2 == 1),
                _ => (true, true),
            };
            let count = self.layers.len();
            for step in 0..count {
                let at = if round % 2 == 0 { step } else { count - 1 - step };
                self.place_layer(&self.layers[at], look_up, look_down, ARC_GIVES_WAY, &mut x);
            }
        }
        for _ in 0..STRAIGHTENINGS {
            self.straighten(&mut x);
            for layer in self.layers.iter().chain(self.layers.iter().rev()) {
                self.place_layer(layer, true, true, ARC_STAYS, &mut x);
            }
        }
        self.hang(&mut x);
        self.straighten(&mut x);
        let left =
            (0..x.len()).map(|id| x[id] - self.sizes[id].width / 2.0).fold(f64::MAX, f64::min);
        x.iter().map(|x| x - left).collect()
    }

    /// Moves long arcs onto as few verticals as the room between their neighbours allows.
    fn straighten(&self, x: &mut [f64]) {
        let beside = self.beside();
        let mut longest_first: Vec<&Vec<usize>> = self.chains.iter().collect();
        longest_first.sort_by_key(|chain| std::cmp::Reverse(chain.len()));
        for chain in longest_first {
            let [start, virtuals @ .., end] = chain.as_slice() else { continue };
            let mut rest = virtuals;
            while !rest.is_empty() {
                let (mut least, mut most) = self.room(rest[0], &beside, x);
                let mut count = 1;
                while let Some(&id) = rest.get(count) {
                    let (low, high) = self.room(id, &beside, x);
                    let (low, high) = (low.max(least), high.min(most));
                    if low > high {
                        break;
                    }
                    (least, most) = (low, high);
                    count += 1;
                }
                let (run, after) = rest.split_at(count);
                let mean = run.iter().map(|&id| x[id]).sum::<f64>() / count as f64;
                let fits = |place: &f64| *place >= least && *place <= most;
                let place = [x[*start], x[*end]].into_iter().find(fits).unwrap_or(mean);
                // A layer that is full to rounding errors has no room, and stays.
                if least <= most {
                    run.iter().for_each(|&id| x[id] = place.max(least).min(most));
                }
                rest = after;
            }
        }
    }

    /// Puts what hangs on one thing alone right below it, where there is room.
    fn hang(&self, x: &mut [f64]) {
        let beside = self.beside();
        for &id in self.layers.iter().flatten().filter(|&&id| !self.is_virtual(id)) {
            if let [upper] = self.above[id][..]
                && self.below[upper].len() == 1
            {
                let (least, most) = self.room(id, &beside, x);
                if least <= most {
                    x[id] = x[upper].max(least).min(most);
                }
            }
        }
    }

    /// The neighbours of each vertex in its layer.
    fn beside(&self) -> Vec<Beside> {
        let mut beside = vec![(None, None); self.sizes.len()];
        for layer in &self.layers {
            for &[left, right] in layer.array_windows() {
                beside[left].1 = Some(right);
                beside[right].0 = Some(left);
            }
        }
        beside
    }

    /// The least and the greatest place that the neighbours leave.
    fn room(&self, id: usize, beside: &[Beside], x: &[f64]) -> (f64, f64) {
        let (left, right) = beside[id];
        let least = left.map_or(f64::MIN, |left| x[left] + self.apart(left, id));
        (least, right.map_or(f64::MAX, |right| x[right] - self.apart(id, right)))
    }

    /// Places a layer nearest to its neighbours above, below or both. `stiffness` is how much its
    /// virtual vertices insist on where they are.
    fn place_layer(
        &self,
        layer: &[usize],
        look_up: bool,
        look_down: bool,
        stiffness: f64,
        x: &mut [f64],
    ) {
        let mut offset = 0.0;
        let mut wishes = Vec::with_capacity(layer.len());
        let mut offsets = Vec::with_capacity(layer.len());
        for (position, &id) in layer.iter().enumerate() {
            if position > 0 {
                offset += self.apart(layer[position - 1], id);
            }
            let (mut sum, mut weight) = (0.0, 0.0);
            let mut pull = |other: usize, upper: usize, lower: usize| {
                let only = self.below[upper].len() == 1 && self.above[lower].len() == 1;
                let pull = match (self.is_virtual(id), self.is_virtual(other)) {
                    // Long arcs want to be straight more than short ones do.
                    (true, true) => 8.0,
                    // What has nobody else stays together.
                    _ if only => 20.0,
                    (false, false) => 2.0,
                    _ => 3.0,
                };
                sum += pull * x[other];
                weight += pull;
            };
            if look_up {
                self.above[id].iter().for_each(|&other| pull(other, other, id));
            }
            if look_down {
                self.below[id].iter().for_each(|&other| pull(other, id, other));
            }
            let inertia = if self.is_virtual(id) { stiffness } else { 0.05 };
            sum += inertia * x[id];
            weight += inertia;
            wishes.push((sum / weight - offset, weight));
            offsets.push(offset);
        }
        for ((place, offset), &id) in isotonic(&wishes).into_iter().zip(offsets).zip(layer) {
            x[id] = place + offset;
        }
    }
}

/// The non-decreasing sequence nearest to the wishes, by weighted squares: pool adjacent violators.
fn isotonic(wishes: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(wishes.len());
    for &(wish, weight) in wishes {
        let mut pool = (wish, weight, 1);
        while let Some(&(before, before_weight, count)) = pools.last() {
            if before <= pool.0 {
                break;
            }
            pools.pop();
            let sum = before_weight + pool.1;
            pool = ((before * before_weight + pool.0 * pool.1) / sum, sum, count + pool.2);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(place, _, count)| std::iter::repeat_n(place, count)).collect()
}
