//! The realistic graph, whole, in each form; and what every drawing must keep to.

use super::super::render;
use super::*;

#[test]
fn text() {
    let (commands, rules) = realistic();
    let graph = Graph::build(commands, &rules).unwrap();
    insta::assert_snapshot!(render::text(&graph, Some(&plan(&graph, &["wheel"]))));
    insta::assert_snapshot!("text_without_plan", render::text(&graph, None));
}

#[test]
fn json() {
    let (commands, rules) = realistic();
    let graph = Graph::build(commands, &rules).unwrap();
    let text = render::json(&graph, Some(&plan(&graph, &["wheel"])));
    insta::assert_snapshot!(text);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["schema"], render::JSON_SCHEMA);
}

#[test]
fn svg() {
    let (commands, rules) = realistic();
    let graph = Graph::build(commands, &rules).unwrap();
    let drawing = render::svg(&graph, Some(&plan(&graph, &["wheel"])));
    check_drawing(&drawing);
    assert!(drawing.matches('V').count() > 30, "lines have vertical stretches to check");
    insta::assert_snapshot!(drawing);
}

#[test]
fn without_a_plan_nothing_is_faded_and_all_commands_are_numbered() {
    let (commands, rules) = realistic();
    let drawing = render::svg(&Graph::build(commands, &rules).unwrap(), None);
    check_drawing(&drawing);
    let document = roxmltree::Document::parse(&drawing).unwrap();
    let count = |class: &str| {
        let classes = document.descendants().filter_map(|node| node.attribute("class"));
        classes.filter(|classes| classes.split(' ').any(|one| one == class)).count()
    };
    assert_eq!((count("faded"), count("number")), (0, 15));
}

#[test]
fn a_drawing_escapes_what_authors_write() {
    let graph = graph([command("a", "-> b").summary("a < b && \"c\" > 'd'\u{1}\u{7f}\u{fffe}")]);
    let drawing = render::svg(&graph, None);
    check_drawing(&drawing);
    let document = roxmltree::Document::parse(&drawing).unwrap();
    let shown = document.descendants().find(|node| node.attribute("class") == Some("mid summary"));
    let expected = "a < b && \"c\" > 'd'\u{fffd}\u{fffd}\u{fffd}";
    assert_eq!(shown.and_then(|node| node.text()), Some(expected));
}

#[test]
fn a_long_summary_is_cut_to_fit() {
    let graph = graph([command("a", "->").summary("wide ".repeat(50))]);
    let drawing = render::svg(&graph, None);
    check_drawing(&drawing);
    assert!(drawing.contains("wide…</text>"));
}

#[test]
fn a_graph_without_commands_can_be_drawn() {
    let drawing = render::svg(&graph([]), None);
    check_drawing(&drawing);
    assert!(drawing.contains("0, in the order in which they run"));
}

/// A box or a label: left, top, right, bottom.
type Bounds = [f64; 4];

/// Asserts that a drawing is well-formed, that everything lies on the paper, that no two boxes
/// overlap unless one is around the other, and that no line's vertical stretch runs over a box.
pub(super) fn check_drawing(drawing: &str) {
    let document = roxmltree::Document::parse(drawing).unwrap();
    let root = document.root_element();
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> f64 {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let (width, height) = (number(root, "width"), number(root, "height"));
    let class = |node: &roxmltree::Node<'_, '_>, wanted: &str| {
        node.attribute("class").unwrap_or_default().split(' ').any(|class| class == wanted)
    };
    let drawn = root.descendants().find(|node| class(node, "canvas")).unwrap();
    let boxes: Vec<Bounds> = drawn
        .descendants()
        .filter(|node| ["box", "frame", "pill", "point"].iter().any(|shape| class(node, shape)))
        .map(|node| {
            let (x, y) = (number(node, "x"), number(node, "y"));
            [x, y, x + number(node, "width"), y + number(node, "height")]
        })
        .collect();
    for (nth, a) in boxes.iter().enumerate() {
        assert!(a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= width && a[3] <= height, "{a:?}");
        for b in &boxes[nth + 1..] {
            let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
            let around = a[0] < b[0] && a[1] < b[1] && b[2] < a[2] && b[3] < a[3];
            assert!(apart || around, "{a:?} and {b:?} overlap");
        }
    }
    for [x, top, bottom] in
        drawn.descendants().filter_map(|node| node.attribute("d")).flat_map(verticals)
    {
        for shape in &boxes {
            // A line touches the boxes where it begins and ends.
            let over =
                shape[0] < x && x < shape[2] && top < shape[3] - 0.2 && shape[1] + 0.2 < bottom;
            assert!(!over, "a line at {x} from {top} to {bottom} runs over {shape:?}");
        }
    }
}

/// The vertical stretches of a path as this module writes them: x, top, bottom.
fn verticals(path: &str) -> Vec<[f64; 3]> {
    let mut found = Vec::new();
    let (mut x, mut y) = (0.0, 0.0);
    for part in path.split(['M', 'C']) {
        let (curve, vertical) = part.split_once('V').unwrap_or((part, ""));
        let numbers: Vec<f64> =
            curve.split([' ', 'L', 'Z']).filter_map(|n| n.parse().ok()).collect();
        if let [.., end_x, end_y] = numbers[..] {
            (x, y) = (end_x, end_y);
        }
        if let Ok(bottom) = vertical.parse::<f64>() {
            found.push([x, y, bottom]);
        }
    }
    found
}
