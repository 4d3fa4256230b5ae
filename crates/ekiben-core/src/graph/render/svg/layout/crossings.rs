//! Who is left of whom: few crossings, by barycentre sweeps and exchanges of neighbours.

use super::Ranked;

const SWEEPS: usize = 24;

impl Ranked {
    /// Depth first from the top, so that what hangs together starts together.
    pub(super) fn first_order(&self) -> Vec<Vec<usize>> {
        let mut layers = vec![Vec::new(); self.rank.iter().max().map_or(0, |rank| rank + 1)];
        let mut seen = vec![false; self.rank.len()];
        let mut starts: Vec<usize> = (0..self.rank.len()).collect();
        starts.sort_by_key(|&id| self.rank[id]);
        for start in starts {
            let mut todo = vec![start];
            while let Some(id) = todo.pop() {
                if !seen[id] {
                    seen[id] = true;
                    layers[self.rank[id]].push(id);
                    todo.extend(self.below[id].iter().rev());
                }
            }
        }
        layers
    }

    pub(super) fn reduce_crossings(&mut self) {
        let mut best = (self.crossings(), self.layers.clone());
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let count = self.layers.len();
            for step in 1..count {
                let at = if down { step } else { count - 1 - step };
                self.sort_by_barycentre(at, down);
            }
            self.exchange_neighbours();
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.layers.clone());
            }
        }
        self.layers = best.1;
    }

    fn sort_by_barycentre(&mut self, at: usize, down: bool) {
        let fixed = if down { at - 1 } else { at + 1 };
        let place = places(&self.layers[fixed], self.rank.len());
        let neighbours = if down { &self.above } else { &self.below };
        let mut keyed: Vec<(f64, usize)> = self.layers[at]
            .iter()
            .enumerate()
            .map(|(position, &id)| {
                let near = &neighbours[id];
                let sum: f64 = near.iter().map(|&other| place[other] as f64).sum();
                // What has no neighbour there stays about where it is.
                let key = if near.is_empty() { position as f64 } else { sum / near.len() as f64 };
                (key, id)
            })
            .collect();
        keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        self.layers[at] = keyed.into_iter().map(|(_, id)| id).collect();
    }

    fn exchange_neighbours(&mut self) {
        for at in 0..self.layers.len() {
            let up = at.checked_sub(1).map(|up| places(&self.layers[up], self.rank.len()));
            let down = self.layers.get(at + 1).map(|down| places(down, self.rank.len()));
            for left in 0..self.layers[at].len().saturating_sub(1) {
                let (a, b) = (self.layers[at][left], self.layers[at][left + 1]);
                let crossings = |a: usize, b: usize| {
                    let upper = up.as_ref().map_or(0, |p| pair(&self.above[a], &self.above[b], p));
                    let lower =
                        down.as_ref().map_or(0, |p| pair(&self.below[a], &self.below[b], p));
                    upper + lower
                };
                if crossings(b, a) < crossings(a, b) {
                    self.layers[at].swap(left, left + 1);
                }
            }
        }
    }

    fn crossings(&self) -> usize {
        let mut count = 0;
        for [upper, lower] in self.layers.array_windows() {
            let place = places(lower, self.rank.len());
            for (position, &a) in upper.iter().enumerate() {
                for &b in &upper[position + 1..] {
                    count += pair(&self.below[a], &self.below[b], &place);
                }
            }
        }
        count
    }
}

/// The position of each vertex of a layer; of no meaning for other vertices.
fn places(layer: &[usize], count: usize) -> Vec<usize> {
    let mut places = vec![0; count];
    for (position, &id) in layer.iter().enumerate() {
        places[id] = position;
    }
    places
}

/// Crossings between the arcs of a left and a right vertex.
fn pair(left: &[usize], right: &[usize], place: &[usize]) -> usize {
    left.iter().map(|&l| right.iter().filter(|&&r| place[r] < place[l]).count()).sum()
}
