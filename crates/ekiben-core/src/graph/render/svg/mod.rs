//! The graph as a drawing that needs nothing else: no font, no script, no style sheet.
//!
//! [`scene`] decides what is drawn, [`layout`] where, and this module how it looks. Colours are by
//! who brought a command, and follow the reader's choice of light or dark. Pointing at anything
//! says more about it (`<title>`).

mod layout;
mod legend;
mod measure;
mod scene;
mod style;
mod write;

use std::fmt::{self, Write as _};

use self::layout::{Layout, Rect, Stretch, layout};
use self::measure::{Font, width};
use self::scene::{
    FRAME_HEAD, FRAME_PAD, Item, LABEL_SIZE, Line, NAME_SIZE, Scene, Style, Voice, What,
};
use self::style::{COLOURS, SHEET, SMALL_SIZE};
use self::write::{Px, Xml};
use super::super::name::Author;
use super::super::plan::{Plan, WhyNot};
use super::super::{Graph, Node};

const MARGIN: f64 = 36.0;
const HEADER: f64 = 62.0;
const LEGEND_ROW: f64 = 26.0;
const NOTE_ROW: f64 = 18.0;
/// A drawing is never narrower, so that the title and the legend have room.
const LEAST_WIDTH: f64 = 560.0;

/// The graph as an SVG document; with a plan, what doesn't run is faded.
#[must_use]
pub fn svg(graph: &Graph, plan: Option<&Plan>) -> String {
    let scene = Scene::new(graph, plan);
    let sizes: Vec<_> = scene.items.iter().map(|item| item.size).collect();
    let arcs: Vec<_> = scene.lines.iter().map(|line| line.arc).collect();
    let layout = layout(&sizes, &arcs);
    let mut out = String::new();
    // Writing to a string doesn't fail.
    let _ = Canvas { out: &mut out, scene: &scene, layout: &layout }.draw(graph, plan);
    out
}

struct Canvas<'a> {
    out: &'a mut String,
    scene: &'a Scene<'a>,
    layout: &'a Layout,
}

impl Canvas<'_> {
    fn draw(&mut self, graph: &Graph, plan: Option<&Plan>) -> fmt::Result {
        let (title, subtitle) = heading(graph, plan);
        let notes = notes(graph, plan);
        let notes_width = notes
            .iter()
            .map(|note| width(note, Font::Sans, SMALL_SIZE))
            .chain([width(&title, Font::Sans, 21.0), width(&subtitle, Font::Sans, 13.0)])
            .fold(LEAST_WIDTH, f64::max);
        let inner = self.layout.width.max(notes_width);
        let legend = self.legend(inner);
        let legend_rows = legend.last().map_or(0, |entry| entry.row + 1);
        let legend_top = HEADER + self.layout.height + 34.0;
        let notes_top = legend_top + LEGEND_ROW * legend_rows as f64 + 10.0;
        let (whole_width, whole_height) = (
            (inner + 2.0 * MARGIN).ceil(),
            (notes_top + NOTE_ROW * notes.len() as f64 + 2.0 * MARGIN - 20.0).ceil(),
        );
        writeln!(
            self.out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole_width} {whole_height}" width="{whole_width}" height="{whole_height}" role="img">"#
        )?;
        writeln!(self.out, "<title>{}: {}</title>", Xml(&title), Xml(&subtitle))?;
        writeln!(self.out, "<style>{SHEET}</style>")?;
        writeln!(self.out, r#"<rect class="paper" width="100%" height="100%"/>"#)?;
        writeln!(self.out, r#"<g transform="translate({MARGIN} {MARGIN})">"#)?;
        writeln!(self.out, r#"<text class="title" x="0" y="18">{}</text>"#, Xml(&title))?;
        writeln!(self.out, r#"<text class="note" x="0" y="40">{}</text>"#, Xml(&subtitle))?;

        let left = (inner - self.layout.width) / 2.0;
        writeln!(self.out, r#"<g class="canvas" transform="translate({} {HEADER})">"#, Px(left))?;
        // What is faded lies below what isn't.
        for faded in [true, false] {
            for (line, route) in self.scene.lines.iter().zip(&self.layout.routes) {
                if line.faded == faded {
                    self.line(line, route)?;
                }
            }
        }
        for (item, rect) in self.scene.items.iter().zip(&self.layout.boxes) {
            self.item(item, rect, plan)?;
        }
        self.out.push_str("</g>\n");

        writeln!(
            self.out,
            r#"<path class="rule" d="M0 {0}H{1}"/>"#,
            Px(legend_top - 14.0),
            Px(inner)
        )?;
        for entry in &legend {
            let y = legend_top + LEGEND_ROW * entry.row as f64;
            self.legend_entry(entry, y)?;
        }
        for (nth, note) in notes.iter().enumerate() {
            let y = notes_top + NOTE_ROW * nth as f64 + 10.0;
            writeln!(self.out, r#"<text class="small" x="0" y="{}">{}</text>"#, Px(y), Xml(note))?;
        }
        self.out.push_str("</g>\n</svg>\n");
        Ok(())
    }

    fn colour(&self, author: &Author) -> usize {
        self.scene.colours.get(&Voice::from(author)).map_or(0, |nth| nth % COLOURS)
    }

    fn line(&mut self, line: &Line, route: &[Stretch]) -> fmt::Result {
        let class = line.style.class();
        let faded = if line.faded { " faded" } else { "" };
        write!(self.out, r#"<g class="line {class}{faded}"><title>{}</title>"#, Xml(&line.title))?;
        write!(self.out, r#"<path d=""#)?;
        let arrow = line.style != Style::Made;
        for (nth, at) in route.iter().enumerate() {
            let last = nth + 1 == route.len();
            match nth.checked_sub(1).map(|before| route[before]) {
                None => write!(self.out, "M{} {}", Px(at.x), Px(at.top))?,
                Some(before) => {
                    let middle = (before.bottom + at.top) / 2.0;
                    let (a, b, m) = (Px(before.x), Px(at.x), Px(middle));
                    write!(self.out, "C{a} {m} {b} {m} {b} {}", Px(at.top))?;
                }
            }
            // The line ends inside its arrow's head, which would otherwise look blunt.
            let bottom = if last && arrow { at.bottom - 5.0 } else { at.bottom };
            if bottom > at.top || last {
                write!(self.out, "V{}", Px(bottom))?;
            }
        }
        self.out.push_str(r#""/>"#);
        if let Some(end) = route.last().filter(|_| arrow) {
            let (x, y) = (end.x, end.bottom);
            write!(
                self.out,
                r#"<path class="head" d="M{} {}L{} {}L{} {}Z"/>"#,
                Px(x - 4.0),
                Px(y - 7.5),
                Px(x),
                Px(y - 0.5),
                Px(x + 4.0),
                Px(y - 7.5)
            )?;
        }
        self.out.push_str("</g>\n");
        Ok(())
    }

    fn item(&mut self, item: &Item<'_>, rect: &Rect, plan: Option<&Plan>) -> fmt::Result {
        let faded = if item.faded { " faded" } else { "" };
        match &item.what {
            What::Command { node, summary, number } => {
                let tip = tip(node, plan);
                write!(self.out, r#"<g class="command{faded}"><title>{}</title>"#, Xml(&tip))?;
                let mut inside = *rect;
                for wrapper in &node.wrapped_by {
                    let colour = self.colour(&wrapper.author);
                    self.rect(&format!("frame c{colour}"), &inside, 12.0)?;
                    write!(
                        self.out,
                        r#"<text class="label t{colour}" x="{}" y="{}">{}</text>"#,
                        Px(inside.x + 12.0),
                        Px(inside.y + 14.0),
                        Xml(wrapper.name.as_str())
                    )?;
                    inside = Rect {
                        x: inside.x + FRAME_PAD,
                        y: inside.y + FRAME_HEAD,
                        width: inside.width - 2.0 * FRAME_PAD,
                        height: inside.height - FRAME_HEAD - FRAME_PAD,
                    };
                }
                let colour = self.colour(&node.spec.author);
                self.rect(&format!("box c{colour}"), &inside, 9.0)?;
                let (x, middle) = (inside.centre(), inside.y + inside.height / 2.0);
                let name_at = if summary.is_empty() { middle + 4.5 } else { middle - 3.0 };
                self.text("name", x, name_at, node.name().as_str())?;
                if !summary.is_empty() {
                    self.text("summary", x, middle + 14.5, summary)?;
                }
                if let Some(number) = number {
                    let class = format!("number t{colour}");
                    self.text(&class, inside.x + 12.0, inside.y + 14.0, &number.to_string())?;
                }
            }
            What::Anchor(node) => {
                let tip = tip(node, plan);
                write!(self.out, r#"<g class="anchor{faded}"><title>{}</title>"#, Xml(&tip))?;
                self.rect("point", rect, rect.height / 2.0)?;
                let y = rect.y + rect.height / 2.0 + NAME_SIZE * 0.34;
                self.text("name", rect.centre(), y, node.name().as_str())?;
            }
            What::Kind { kind, is_target } => {
                let target = if *is_target { " target" } else { "" };
                write!(self.out, r#"<g class="kind{target}{faded}">"#)?;
                self.rect("pill", rect, rect.height / 2.0)?;
                let y = rect.y + rect.height / 2.0 + LABEL_SIZE * 0.34;
                self.text("label", rect.centre(), y, kind.as_str())?;
            }
        }
        self.out.push_str("</g>\n");
        Ok(())
    }

    fn rect(&mut self, class: &str, rect: &Rect, radius: f64) -> fmt::Result {
        let Rect { x, y, width, height } = *rect;
        let (x, y, width, height, radius) = (Px(x), Px(y), Px(width), Px(height), Px(radius));
        write!(
            self.out,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>"#
        )
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) -> fmt::Result {
        write!(self.out, r#"<text class="mid {class}" x="{}" y="{}">"#, Px(x), Px(y))?;
        write!(self.out, "{}</text>", Xml(text))
    }
}

fn heading(graph: &Graph, plan: Option<&Plan>) -> (String, String) {
    let work = graph.nodes().iter().filter(|node| !node.spec.anchor).count();
    match plan {
        Some(plan) => (
            format!("Commands for {}", super::targets(plan)),
            format!("{} of {work} run", plan.commands.len()),
        ),
        None => ("Commands".to_owned(), format!("{work}, in the order in which they run")),
    }
}

/// Commands that the drawing doesn't have, and why.
fn notes(graph: &Graph, plan: Option<&Plan>) -> Vec<String> {
    match plan {
        Some(plan) => plan
            .skipped
            .iter()
            .filter(|(_, why)| matches!(why, WhyNot::Absent(_)))
            .map(|(name, why)| format!("{name}: {}", super::why_not(why)))
            .collect(),
        None => {
            graph.absent().map(|(name, why)| format!("{name}: {}", super::absence(why))).collect()
        }
    }
}

fn tip(node: &Node, plan: Option<&Plan>) -> String {
    let mut tip = format!("{} ({})", node.name(), node.spec.author);
    if !node.spec.summary.is_empty() {
        let _ = write!(tip, "\n{}", node.spec.summary);
    }
    if let Some(plan) = plan {
        for why in plan.get(node.name()).map_or(&[][..], |planned| &planned.why) {
            let _ = write!(tip, "\nruns {}", super::because(why));
        }
        if let Some(why) = plan.why_not(node.name()) {
            let _ = write!(tip, "\n{}", super::why_not(why));
        }
    }
    tip
}
