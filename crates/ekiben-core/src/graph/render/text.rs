//! The graph on a terminal: one paragraph for each command, in the order in which they run.

use std::fmt::{self, Write as _};

use super::super::name::CommandName;
use super::super::plan::Plan;
use super::super::{Graph, Node};

/// The graph as text, with what runs for a plan and why, if there is one.
#[must_use]
pub fn text(graph: &Graph, plan: Option<&Plan>) -> String {
    let mut out = String::new();
    // Writing to a string doesn't fail.
    let _ = write(&mut out, graph, plan);
    out
}

fn write(out: &mut String, graph: &Graph, plan: Option<&Plan>) -> fmt::Result {
    let nodes = graph.nodes();
    match plan {
        Some(plan) => {
            let (running, all) = (plan.commands.len(), nodes.len());
            writeln!(out, "For {}, {running} of {all} commands run.", super::targets(plan))?;
        }
        None => writeln!(out, "{} commands, in the order in which they run.", nodes.len())?,
    }
    let width = nodes.iter().map(|node| node.name().as_str().len()).max().unwrap_or_default();
    let runs = |node: &&Node| plan.is_none_or(|plan| plan.get(node.name()).is_some());
    for (position, node) in nodes.iter().filter(runs).enumerate() {
        let (name, layer, author) = (node.name(), node.layer, &node.spec.author);
        writeln!(out, "\n{:>3}  {name:width$}  layer {layer:<2}  {author}", position + 1)?;
        details(out, graph, node)?;
        for why in plan.and_then(|plan| plan.get(name)).map_or(&[][..], |entry| &entry.why) {
            writeln!(out, "       runs   {}", super::because(why))?;
        }
    }

    let skipped = plan.map_or(&[][..], |plan| &plan.skipped);
    let absent: Vec<(&CommandName, String)> = match plan {
        Some(_) => skipped.iter().map(|(name, why)| (name, super::why_not(why))).collect(),
        None => graph.absent().map(|(name, why)| (name, super::absence(why))).collect(),
    };
    if !absent.is_empty() {
        let width = absent.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or_default();
        writeln!(out, "\nNot run:")?;
        for (name, why) in absent {
            writeln!(out, "     {name:width$}  {why}")?;
        }
    }
    Ok(())
}

fn details(out: &mut String, graph: &Graph, node: &Node) -> fmt::Result {
    let mut line = |what: &str, items: Vec<String>| match items.is_empty() {
        true => Ok(()),
        false => writeln!(out, "       {what:<6} {}", items.join(", ")),
    };
    let spec = &node.spec;
    line("does", Some(spec.summary.clone()).filter(|text| !text.is_empty()).into_iter().collect())?;
    line("takes", node.consumes.iter().map(ToString::to_string).collect())?;
    line("makes", node.produces.iter().map(ToString::to_string).collect())?;
    for wrapper in &node.wrapped_by {
        line("inside", vec![format!("{} ({})", wrapper.name, wrapper.author)])?;
    }
    for edge in graph.edges().iter().filter(|edge| edge.to == *node.name()) {
        for said in edge.reasons.iter().filter_map(|reason| reason.stated()) {
            line("after", vec![format!("{}: {said}", edge.from)])?;
        }
    }
    Ok(())
}
