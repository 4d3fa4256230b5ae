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

mod across;
mod crossings;
mod ranks;

use self::ranks::ranks;

/// The least space between two boxes side by side, in pixels.
const GAP: f64 = 26.0;
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

    fn is_virtual(&self, id: usize) -> bool {
        id >= self.real
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
