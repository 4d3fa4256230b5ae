//! The inventory as a page of HTML.

use std::fmt::Write as _;

use super::Inventory;
use super::tree::Node;
use super::treemap::{Area, areas};

/// Of the map, in units of the drawing.
const MAP: Area = Area { x: 0.0, y: 0.0, width: 1200.0, height: 720.0 };
/// The height of a folder's title.
const TITLE: f64 = 14.0;
/// Smaller areas aren't drawn.
const SMALLEST: f64 = 6.0;
/// About the width of a letter.
const LETTER: f64 = 6.2;

const STYLE: &str = "\
:root{color-scheme:light dark;font:15px/1.4 system-ui,sans-serif}\
body{max-width:76rem;margin:1.5rem auto;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\
table{border-collapse:collapse}\
th,td{text-align:left;padding:.1rem .8rem .1rem 0;vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
svg{width:100%;height:auto;font:11px system-ui,sans-serif}\
rect{stroke:#fff;stroke-width:.6}rect.folder{fill:#8883}\
text{fill:#111;pointer-events:none}text.t{fill:currentColor}\
.interpreter{fill:#c9b8e8}.index{fill:#ccc}.code{fill:#9fc5e8}.resource{fill:#f6c28b}\
.metadata{fill:#b7d7a8}.licence{fill:#8fbc8f}.shared-object{fill:#ea9999}\
summary{cursor:pointer}";

pub(super) fn render(inventory: &Inventory, name: &str, bytes: fn(u64) -> String) -> String {
    let name = escape(name);
    let mut page = Page { text: String::new(), bytes };
    page.put(format_args!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{name}</title>\n<style>{STYLE}</style>\n\
         <h1>{name}: {}</h1>\n",
        bytes(inventory.size)
    ));
    page.summary(inventory);
    page.map(inventory);
    page.parts(inventory);
    page.distributions(inventory);
    page.libraries(inventory);
    page.modules(inventory);
    page.files(inventory);
    page.text.push_str("</html>\n");
    page.text
}

struct Page {
    text: String,
    bytes: fn(u64) -> String,
}

impl Page {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string doesn't fail.
        let _ = self.text.write_fmt(text);
    }

    fn size(&self, size: u64) -> String {
        format!("<td class=\"n\">{}</td>", (self.bytes)(size))
    }

    fn summary(&mut self, inventory: &Inventory) {
        let (interpreter, image) = (self.size(inventory.interpreter), self.size(inventory.image));
        self.put(format_args!(
            "<table>\n<tr><td>interpreter</td>{interpreter}</tr>\n\
             <tr><td>image</td>{image}</tr>\n"
        ));
        for (key, value) in inventory.settings.iter().filter(|(_, value)| !value.contains('\n')) {
            let (key, value) = (escape(key), escape(value));
            self.put(format_args!("<tr><td>{key}</td><td class=\"n\">{value}</td></tr>\n"));
        }
        self.text.push_str("</table>\n");
    }

    fn map(&mut self, inventory: &Inventory) {
        self.put(format_args!(
            "<h2>What takes the room</h2>\n<svg viewBox=\"0 0 {} {}\" role=\"img\">\n",
            MAP.width, MAP.height
        ));
        self.draw(&Node::of(inventory), "", MAP);
        self.text.push_str("</svg>\n");
    }

    fn draw(&mut self, node: &Node, path: &str, area: Area) {
        let children = node.largest_first();
        let sizes: Vec<u64> = children.iter().map(|(_, child)| child.size).collect();
        for ((name, child), area) in children.into_iter().zip(areas(&sizes, area)) {
            if area.surface() < SMALLEST {
                continue;
            }
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            let class =
                if child.children.is_empty() { child.kind.unwrap_or("code") } else { "folder" };
            let (title, size) = (escape(&path), (self.bytes)(child.size));
            let Area { x, y, width, height } = area;
            self.put(format_args!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
                 height=\"{height:.1}\"><title>{title}: {size}</title></rect>"
            ));
            let letters = ((width - 4.0) / LETTER).max(0.0) as usize;
            let has_title = height >= TITLE && letters >= 3;
            if has_title {
                let shown = escape(&name.chars().take(letters).collect::<String>());
                let class = if class == "folder" { " class=\"t\"" } else { "" };
                let (x, y) = (x + 2.0, y + TITLE - 3.0);
                self.put(format_args!("<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{shown}</text>"));
            }
            self.text.push('\n');
            if !child.children.is_empty() {
                let top = if has_title { TITLE } else { 0.0 };
                self.draw(child, &path, area.inside(1.0, top));
            }
        }
    }

    fn parts(&mut self, inventory: &Inventory) {
        self.text.push_str(
            "<h2>Parts</h2>\n<table>\n<tr><th>part<th class=\"n\">all<th class=\"n\">modules\
             <th class=\"n\">code<th class=\"n\">sources<th class=\"n\">files</tr>\n",
        );
        for part in &inventory.parts {
            let name = escape(&part.name);
            let [all, code, sources, other] =
                [part.size(), part.code, part.sources, part.other].map(|size| self.size(size));
            let modules = part.modules;
            self.put(format_args!(
                "<tr><td>{name}</td>{all}<td class=\"n\">{modules}</td>{code}{sources}{other}</tr>\n"
            ));
        }
        self.text.push_str("</table>\n");
    }

    fn distributions(&mut self, inventory: &Inventory) {
        if inventory.distributions.is_empty() {
            return;
        }
        self.text.push_str(
            "<h2>Distributions</h2>\n<table>\n<tr><th>name<th>version<th>licence<th>texts</tr>\n",
        );
        for it in &inventory.distributions {
            let licence = escape(it.licence.as_deref().unwrap_or_default());
            let (name, version) = (escape(&it.name), escape(&it.version));
            let files = lines(&it.licence_files);
            self.put(format_args!(
                "<tr><td>{name}</td><td>{version}</td><td>{licence}</td><td>{files}</td></tr>\n"
            ));
        }
        self.text.push_str("</table>\n");
    }

    fn libraries(&mut self, inventory: &Inventory) {
        if inventory.libraries.is_empty() {
            return;
        }
        self.text.push_str(
            "<h2>Libraries linked in</h2>\n<table>\n<tr><th>name<th>package<th>texts</tr>\n",
        );
        for it in &inventory.libraries {
            let package = escape(it.package.as_deref().unwrap_or_default());
            let (name, files) = (escape(&it.name), lines(&it.licence_files));
            self.put(format_args!("<tr><td>{name}</td><td>{package}</td><td>{files}</td></tr>\n"));
        }
        self.text.push_str("</table>\n");
    }

    fn modules(&mut self, inventory: &Inventory) {
        let count = inventory.modules.len();
        self.put(format_args!(
            "<h2>Modules</h2>\n<details><summary>{count} modules</summary>\n<table>\n\
             <tr><th>name<th>kind<th class=\"n\">code<th class=\"n\">source</tr>\n"
        ));
        for module in &inventory.modules {
            let (name, kind) = (escape(&module.name), module.kind);
            let (code, source) = (self.size(module.code), self.size(module.source.unwrap_or(0)));
            self.put(format_args!("<tr><td>{name}</td><td>{kind}</td>{code}{source}</tr>\n"));
        }
        self.text.push_str("</table>\n</details>\n");
    }

    fn files(&mut self, inventory: &Inventory) {
        let count = inventory.files.len();
        self.put(format_args!(
            "<h2>Files</h2>\n<details><summary>{count} files</summary>\n<table>\n\
             <tr><th>path<th>kind<th class=\"n\">size<th class=\"n\">stored</tr>\n"
        ));
        for file in &inventory.files {
            let (path, kind) = (escape(&file.path), file.kind);
            let (size, stored) = (self.size(file.size), self.size(file.stored));
            self.put(format_args!("<tr><td>{path}</td><td>{kind}</td>{size}{stored}</tr>\n"));
        }
        self.text.push_str("</table>\n</details>\n");
    }
}

/// Paths, each in a line of a cell.
fn lines(paths: &[String]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| escape(path)).collect();
    paths.join("<br>")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
