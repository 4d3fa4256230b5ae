//! A map of areas in proportion to sizes, as near to squares as can be (Bruls, Huizing and van Wijk,
//! "Squarified treemaps", 2000).

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    /// Without a border, and a strip at the top.
    pub(super) fn inside(self, border: f64, top: f64) -> Self {
        Self {
            x: self.x + border,
            y: self.y + border + top,
            width: (self.width - 2.0 * border).max(0.0),
            height: (self.height - 2.0 * border - top).max(0.0),
        }
    }

    pub(super) fn surface(self) -> f64 {
        self.width * self.height
    }
}

/// An area for each size, which are given the largest first.
pub(super) fn areas(sizes: &[u64], within: Area) -> Vec<Area> {
    let total: u64 = sizes.iter().sum();
    let mut found = Vec::with_capacity(sizes.len());
    if total == 0 {
        return vec![Area { width: 0.0, height: 0.0, ..within }; sizes.len()];
    }
    let scale = within.surface() / total as f64;
    let mut rest = within;
    let mut row: Vec<f64> = Vec::new();
    for size in sizes {
        let surface = *size as f64 * scale;
        let side = rest.width.min(rest.height);
        let better = row.is_empty() || {
            let longer = row.iter().copied().chain([surface]);
            worst(&longer.collect::<Vec<_>>(), side) <= worst(&row, side)
        };
        if !better {
            rest = lay(&row, rest, &mut found);
            row.clear();
        }
        row.push(surface);
    }
    lay(&row, rest, &mut found);
    found
}

/// How far the least square of a row is from one.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let thickness = sum / side.max(f64::MIN_POSITIVE);
    let ratio = |surface: &f64| {
        let length = surface / thickness.max(f64::MIN_POSITIVE);
        (length / thickness).max(thickness / length)
    };
    row.iter().map(ratio).fold(0.0, f64::max)
}

/// Lays a row along the shorter side, and returns what is left.
fn lay(row: &[f64], within: Area, found: &mut Vec<Area>) -> Area {
    let sum: f64 = row.iter().sum();
    let is_wide = within.width >= within.height;
    let side = if is_wide { within.height } else { within.width };
    let thickness = if side > 0.0 { sum / side } else { 0.0 };
    let mut at = 0.0;
    for surface in row {
        let length = if thickness > 0.0 { surface / thickness } else { 0.0 };
        found.push(match is_wide {
            true => Area { y: within.y + at, width: thickness, height: length, ..within },
            false => Area { x: within.x + at, width: length, height: thickness, ..within },
        });
        at += length;
    }
    match is_wide {
        true => {
            Area { x: within.x + thickness, width: (within.width - thickness).max(0.0), ..within }
        }
        false => {
            Area { y: within.y + thickness, height: (within.height - thickness).max(0.0), ..within }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_in_proportion_and_inside() {
        let within = Area { x: 10.0, y: 20.0, width: 600.0, height: 400.0 };
        let sizes = [600, 600, 400, 300, 200, 200, 100, 0];
        let areas = areas(&sizes, within);
        assert_eq!(areas.len(), sizes.len());
        let scale = within.surface() / 2400.0;
        for (area, size) in areas.iter().zip(sizes) {
            assert!((area.surface() - size as f64 * scale).abs() < 1e-6, "{area:?}");
            assert!(area.x >= 10.0 && area.x + area.width <= 610.0 + 1e-6, "{area:?}");
            assert!(area.y >= 20.0 && area.y + area.height <= 420.0 + 1e-6, "{area:?}");
        }
        // The example of the paper: no area is more than thrice as long as wide.
        for area in &areas[..7] {
            let ratio = area.width / area.height;
            assert!((1.0 / 3.0..=3.0).contains(&ratio), "{area:?}");
        }
    }

    #[test]
    fn nothing_has_no_areas() {
        let within = Area { x: 0.0, y: 0.0, width: 0.0, height: 0.0 };
        assert!(areas(&[], within).is_empty());
        assert!(areas(&[0, 0], within).iter().all(|area| area.surface() == 0.0));
        assert!(areas(&[3, 1], within).iter().all(|area| area.surface() == 0.0));
    }
}
