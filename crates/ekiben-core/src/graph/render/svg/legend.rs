//! What the colours and lines of a drawing mean: only those that it has.

use std::fmt::{self, Write as _};

use super::Canvas;
use super::layout::Rect;
use super::measure::{Font, width};
use super::scene::{Style, Voice};
use super::style::{COLOURS, SMALL_SIZE};
use super::write::{Px, Xml};

/// A sample with its meaning.
pub(super) struct Entry {
    sample: Sample,
    text: String,
    x: f64,
    pub(super) row: usize,
}

/// What is explained.
enum Sample {
    Colour(usize),
    Line(Style),
    Faded,
}

impl Sample {
    fn width(&self) -> f64 {
        match self {
            Self::Colour(_) | Self::Faded => 18.0,
            Self::Line(_) => 34.0,
        }
    }
}

impl Canvas<'_> {
    /// The legend in rows no wider than `room`.
    pub(super) fn legend(&self, room: f64) -> Vec<Entry> {
        let voices = self.scene.colours.iter().map(|(voice, nth)| {
            let text = match voice {
                Voice::Core => "core".to_owned(),
                Voice::Plugin(id) => format!("plugin {id}"),
                Voice::User => "project".to_owned(),
            };
            (Sample::Colour(nth % COLOURS), text)
        });
        let styles = [
            (Style::Taken, "a kind passes on"),
            (Style::Order, "order only"),
            (Style::Required, "must follow"),
        ];
        let used = |style| self.scene.lines.iter().any(|line| line.style == style);
        let styles = styles
            .into_iter()
            .filter(|(style, _)| used(*style))
            .map(|(style, text)| (Sample::Line(style), text.to_owned()));
        let faded = self.scene.items.iter().any(|item| item.faded);
        let faded = faded.then(|| (Sample::Faded, "not needed".to_owned()));
        let (mut x, mut row) = (0.0, 0);
        let mut entries = Vec::new();
        for (sample, text) in voices.chain(styles).chain(faded) {
            let wide = sample.width() + 8.0 + width(&text, Font::Sans, SMALL_SIZE);
            if x > 0.0 && x + wide > room {
                (x, row) = (0.0, row + 1);
            }
            entries.push(Entry { sample, text, x, row });
            x += wide + 20.0;
        }
        entries
    }

    pub(super) fn legend_entry(&mut self, entry: &Entry, y: f64) -> fmt::Result {
        let wide = entry.sample.width();
        let swatch = Rect { x: entry.x, y: y + 2.0, width: wide, height: 12.0 };
        match entry.sample {
            Sample::Colour(nth) => self.rect(&format!("box c{nth}"), &swatch, 4.0)?,
            Sample::Faded => {
                self.out.push_str(r#"<g class="command faded">"#);
                self.rect("box c0", &swatch, 4.0)?;
                self.out.push_str("</g>");
            }
            Sample::Line(style) => {
                let class = style.class();
                let (end, y) = (entry.x + wide, y + 8.0);
                write!(
                    self.out,
                    r#"<g class="line {class}"><path d="M{} {y}H{}"/><path class="head" d="M{} {}L{} {y}L{} {}Z"/></g>"#,
                    Px(entry.x),
                    Px(end - 5.0),
                    Px(end - 7.0),
                    Px(y - 4.0),
                    Px(end),
                    Px(end - 7.0),
                    Px(y + 4.0),
                    y = Px(y)
                )?;
            }
        }
        let x = entry.x + wide + 8.0;
        writeln!(
            self.out,
            r#"<text class="small" x="{}" y="{}">{}</text>"#,
            Px(x),
            Px(y + 12.0),
            Xml(&entry.text)
        )
    }
}
