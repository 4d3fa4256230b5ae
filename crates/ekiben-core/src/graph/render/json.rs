//! The graph for other programs.
//!
//! The document, whose `schema` is [`JSON_SCHEMA`] and grows when a member is removed or changes
//! its meaning (new members may appear at any time):
//!
//! ```text
//! schema    1
//! targets   [{"kind": …} | {"command": …}]   only with a plan
//! commands  in the order in which they run, of:
//!   name, author, summary
//!   anchor       true for a fixed point that does no work
//!   consumes     kinds, "name?" if it can do without
//!   produces     kinds
//!   wrapped-by   [{name, author, summary}], outermost first
//!   layer        edges on the longest way here
//!   runs         only with a plan
//!   why          [{"because": "target" | "makes" | "required-after", …}], only where it runs
//! edges     [{from, to, reasons: [{"reason": "kind" | "rewrites", kind}
//!                              | {"reason": "stated", author, subject, relation, object}]}]
//! absent    [{name, author, "state": "disabled" | "replaced" | "nothing-to-wrap", …}]
//! author    {"by": "core"} | {"by": "plugin", id, version} | {"by": "user", file, line}
//! ```

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::name::{Author, CommandName, Kind, Ref};
use super::super::places::Absence;
use super::super::plan::{Plan, Target, Why};
use super::super::spec::CommandSpec;
use super::super::{Edge, Graph, Node};

/// The number of the document's schema.
pub const JSON_SCHEMA: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    schema: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<&'a BTreeSet<Target>>,
    commands: Vec<Command<'a>>,
    edges: &'a [Edge],
    absent: Vec<Absent<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Command<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    anchor: bool,
    consumes: &'a [Ref<Kind>],
    produces: &'a [Kind],
    wrapped_by: Vec<Head<'a>>,
    layer: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a [Why]>,
}

#[derive(Serialize)]
struct Head<'a> {
    name: &'a CommandName,
    author: &'a Author,
    summary: &'a str,
}

#[derive(Serialize)]
struct Absent<'a> {
    name: &'a CommandName,
    author: Option<&'a Author>,
    #[serde(flatten)]
    absence: &'a Absence,
}

/// The graph as JSON, with what runs for a plan and why, if there is one. Ends with a line break.
#[must_use]
pub fn json(graph: &Graph, plan: Option<&Plan>) -> String {
    let document = Document {
        schema: JSON_SCHEMA,
        targets: plan.map(|plan| &plan.targets),
        commands: graph.nodes().iter().map(|node| command(node, plan)).collect(),
        edges: graph.edges(),
        absent: graph
            .absent()
            .map(|(name, absence)| Absent {
                name,
                author: graph.spec(name).map(|spec| &spec.author),
                absence,
            })
            .collect(),
    };
    // Strings, numbers and lists, with string keys: there is nothing in it that JSON cannot say.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn command<'a>(node: &'a Node, plan: Option<&'a Plan>) -> Command<'a> {
    let planned = plan.and_then(|plan| plan.get(node.name()));
    Command {
        head: head(&node.spec),
        anchor: node.spec.anchor,
        consumes: &node.consumes,
        produces: &node.produces,
        wrapped_by: node.wrapped_by.iter().map(head).collect(),
        layer: node.layer,
        runs: plan.map(|_| planned.is_some()),
        why: planned.map(|planned| planned.why.as_slice()),
    }
}

fn head(spec: &CommandSpec) -> Head<'_> {
    Head { name: &spec.name, author: &spec.author, summary: &spec.summary }
}
