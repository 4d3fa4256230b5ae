//! `ekiben graph`: the commands of a build and their order.

use std::sync::Arc;

use ekiben_core::graph::render;
use ekiben_core::{Cause, Problem, Problems, Request, Session};

use super::End;
use super::build::print;
use crate::builtin::BUILT_IN;
use crate::cli::{Global, Graph, GraphFormat};
use crate::environment::{self, Choices};
use crate::report::{self, Reporter};

/// Runs `ekiben graph`.
pub(crate) fn run(graph: &Graph, global: &Global) -> End {
    match show(graph, global) {
        Ok(()) => End::Done,
        Err(problems) => {
            report::show_problems(&problems, &graph.project);
            End::Refused
        }
    }
}

fn show(asked: &Graph, global: &Global) -> Result<(), Problems> {
    let reporter = Arc::new(Reporter::new(global, &asked.project, false));
    let (environment, _cache) = environment::read(global, Choices::idle(reporter))?;
    let request = Request { project: asked.project.clone(), ..Request::default() };
    let session = Session::open(request, environment, BUILT_IN)?;
    let graph = session.graph();
    let targets: Result<Vec<_>, _> = asked.targets.iter().map(|word| graph.target(word)).collect();
    let plan = graph.plan(&targets?)?;
    let text = match asked.format {
        GraphFormat::Text => render::text(graph, Some(&plan)),
        GraphFormat::Json => render::json(graph, Some(&plan)),
        GraphFormat::Svg => render::svg(graph, Some(&plan)),
    };
    match &asked.output {
        None => print(&text),
        Some(file) => std::fs::write(file, text).map_err(|error| {
            let message = format!("{} can't be written: {error}", file.display());
            Problem::error(Cause::Environment, "unwritable", message)
        })?,
    }
    Ok(())
}
