//! Where everything goes: a layered drawing from top to bottom, after Sugiyama.
//!
//! Layers by longest way, then shortened; long arcs cut by virtual vertices; crossings reduced by
//! barycentre sweeps and exchanges of neighbours; horizontal places by alternating between layers
//! and, within one, solving exactly for the places that are nearest to the neighbours' and keep
//! their distance (isotonic regression). Only `+ - * /` and comparisons, so that every machine
//! computes the same bits.
//!
//! Invariants: vertices of a layer keep [`GAP`] between them, and an arc crosses a layer only
//! through a place of its own. So boxes never overlap, and no arc runs over a box.

/// The least space between two boxes side by side, in pixels.
pub(super) const GAP: f64 = 26.0;
/// The least space between an arc that passes and what is beside it.
const ARC_GAP: f64 = 15.0;
const SWEEPS: usize = 24;
const RELAXATIONS: usize = 60;
const STRAIGHTENINGS: usize = 8;
const ARC_GIVES_WAY: f64 = 0.05;
const ARC_STAYS: f64 = 1e6;

/// The size of something to be placed, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Something that goes down from one vertex to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The least number of layers between its ends.
    pub(super) span: usize,
}

/// A box on the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    pub(super) fn centre(&self) -> f64 {
        self.x + self.width / 2.0
    }
}

/// A vertical stretch of an arc. Between stretches it curves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) x: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// The drawing without its looks; its top left corner is the origin.
#[derive(Debug)]
pub(super) struct Layout {
    /// In step with the sizes given.
    pub(super) boxes: Vec<Rect>,
    /// In step with the arcs given.
    pub(super) routes: Vec<Vec<Stretch>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Places vertices. The arcs must not form a cycle.
pub(super) fn layout(sizes: &[Size], arcs: &[Arc]) -> Layout {
    let mut ranked = Ranked::new(sizes, arcs);
    ranked.reduce_crossings();
    let x = ranked.place();
    let (tops, heights) = ranked.rows(&x);
    let boxes: Vec<Rect> = sizes
        .iter()
        .enumerate()
        .map(|(id, size)| {
            let rank = ranked.rank[id];
            Rect {
                x: x[id] - size.width / 2.0,
                y: tops[rank] + (heights[rank] - size.height) / 2.0,
                width: size.width,
                height: size.height,
            }
        })
        .collect();
    let routes = ranked.routes(&x, &boxes, &tops, &heights);
    Layout {
        width: boxes.iter().map(|b| b.x + b.width).chain(x).fold(0.0, f64::max),
        height: tops.last().zip(heights.last()).map_or(0.0, |(top, height)| top + height),
        boxes,
        routes,
    }
}

/// Vertices in layers, with virtual ones wherever an arc passes a layer.
struct Ranked {
    /// Of all vertices, the virtual ones last.
    sizes: Vec<Size>,
    rank: Vec<usize>,
    /// The number of vertices that aren't virtual.
    real: usize,
    /// For each arc given, the vertices that it goes through, its ends among them.
    chains: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    /// The vertices of each layer from left to right.
    layers: Vec<Vec<usize>>,
}

/// The vertices to the left and to the right.
type Beside = (Option<usize>, Option<usize>);

impl Ranked {
    fn new(sizes: &[Size], arcs: &[Arc]) -> Self {
        let mut rank = ranks(sizes.len(), arcs);
        let mut all = sizes.to_vec();
        let mut chains = Vec::with_capacity(arcs.len());
        for arc in arcs {
            let mut chain = vec![arc.from];
            for passed in rank[arc.from] + 1..rank[arc.to] {
                chain.push(all.len());
                all.push(Size { width: 2.0, height: 0.0 });
                rank.push(passed);
            }
            chain.push(arc.to);
            chains.push(chain);
        }
        let mut above = vec![Vec::new(); all.len()];
        let mut below = vec![Vec::new(); all.len()];
        for chain in &chains {
            for &[upper, lower] in chain.array_windows() {
                below[upper].push(lower);
                above[lower].push(upper);
            }
        }
        let mut ranked =
            Self { sizes: all, rank, real: sizes.len(), chains, above, below, layers: Vec::new() };
        ranked.layers = ranked.first_order();
        ranked
    }

    /// Depth first from the top, so that what hangs together starts together.
    fn first_order(&self) -> Vec<Vec<usize>> {
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

    fn reduce_crossings(&mut self) {
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

    fn is_virtual(&self, id: usize) -> bool {
        id >= self.real
    }

    /// The distance that the centres of two neighbours in a layer must have.
    fn apart(&self, left: usize, right: usize) -> f64 {
        let gap = if self.is_virtual(left) || self.is_virtual(right) { ARC_GAP } else { GAP };
        (self.sizes[left].width + self.sizes[right].width) / 2.0 + gap
    }

    /// The centre of each vertex.
    fn place(&self) -> Vec<f64> {
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

    /// The top and height of each layer.
    fn rows(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let heights: Vec<f64> = self
            .layers
            .iter()
            .map(|layer| layer.iter().map(|&id| self.sizes[id].height).fold(0.0, f64::max))
            .collect();
        let mut tops = Vec::with_capacity(heights.len());
        let mut y = 0.0;
        for (rank, layer) in self.layers.iter().enumerate() {
            tops.push(y);
            // Where arcs go far to a side they need height to bend in.
            let reach = layer
                .iter()
                .flat_map(|&id| self.below[id].iter().map(move |&lower| (x[id] - x[lower]).abs()))
                .fold(0.0, f64::max);
            y += heights[rank] + (18.0 + reach * 0.07).clamp(20.0, 44.0);
        }
        (tops, heights)
    }

    fn routes(
        &self,
        x: &[f64],
        boxes: &[Rect],
        tops: &[f64],
        heights: &[f64],
    ) -> Vec<Vec<Stretch>> {
        let mut routes: Vec<Vec<Stretch>> = self
            .chains
            .iter()
            .map(|chain| {
                let stretch = |&id: &usize| {
                    let top = tops[self.rank[id]];
                    Stretch { x: x[id], top, bottom: top + heights[self.rank[id]] }
                };
                chain.iter().map(stretch).collect()
            })
            .collect();
        for (id, rect) in boxes.iter().enumerate() {
            let leaving = (0..routes.len()).filter(|&arc| self.chains[arc].first() == Some(&id));
            let leaving = spread(leaving.collect(), rect, |arc| routes[arc][1].x);
            for (arc, x) in leaving {
                routes[arc][0] = Stretch { x, top: rect.y + rect.height, ..routes[arc][0] };
            }
            let arriving = (0..routes.len()).filter(|&arc| self.chains[arc].last() == Some(&id));
            let before_last = |arc: usize| routes[arc][routes[arc].len() - 2].x;
            let arriving = spread(arriving.collect(), rect, before_last);
            for (arc, x) in arriving {
                let last = routes[arc].len() - 1;
                routes[arc][last] = Stretch { x, bottom: rect.y, ..routes[arc][last] };
            }
        }
        routes
    }
}

/// Where arcs touch an edge of a box: around its middle, in the order in which they come.
fn spread(
    mut arcs: Vec<usize>,
    rect: &Rect,
    comes_from: impl Fn(usize) -> f64,
) -> Vec<(usize, f64)> {
    arcs.sort_by(|&a, &b| comes_from(a).total_cmp(&comes_from(b)));
    let count = arcs.len() as f64;
    let step = (rect.width * 0.62 / count).min(20.0);
    let first = rect.centre() - step * (count - 1.0) / 2.0;
    arcs.into_iter().enumerate().map(|(nth, arc)| (arc, first + step * nth as f64)).collect()
}

/// The layer of each vertex: as high as its predecessors allow, then moved wherever that makes arcs
/// shorter.
fn ranks(count: usize, arcs: &[Arc]) -> Vec<usize> {
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
                std::cmp::Ordering::Greater => lowest,
                std::cmp::Ordering::Less => highest,
                std::cmp::Ordering::Equal => rank[id],
            };
            changed |= better != rank[id];
            rank[id] = better;
        }
    }
    rank
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
