//! The realistic graph, whole, in each form.

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
    insta::assert_snapshot!(drawing);
}
