//! A graph for people and for other programs: as text, as JSON and as a drawing.
//!
//! All three are functions of the graph and the plan alone, so that the same project gives the same
//! bytes anywhere.

mod json;
mod svg;
mod text;

pub use json::{JSON_SCHEMA, json};
pub use svg::svg;
pub use text::text;

use super::name::CommandName;
use super::places::Absence;
use super::plan::{Plan, Why, WhyNot};
use super::spec::Statement;

/// Why a command has no place, as the rest of a sentence that begins with its name.
fn absence(absence: &Absence) -> String {
    let disabled = |statements: &[Statement]| {
        let by = statements.iter().map(|said| match &said.subject {
            Some(command) => format!("{command} ({})", said.author),
            None => said.author.to_string(),
        });
        format!("disabled by {}", by.collect::<Vec<_>>().join(" and by "))
    };
    match absence {
        Absence::Disabled { by } => disabled(by),
        Absence::Replaced { by, statement } => {
            format!("replaced by {by}, says {}", statement.author)
        }
        Absence::NothingToWrap { wrapped, disabled_by } if disabled_by.is_empty() => {
            format!("nothing to wrap, for there is no {wrapped}")
        }
        Absence::NothingToWrap { wrapped, disabled_by } => {
            format!("nothing to wrap, for {wrapped} is {}", disabled(disabled_by))
        }
    }
}

fn why_not(why: &WhyNot) -> String {
    match why {
        WhyNot::NotNeeded => "nothing that runs needs what it makes".to_owned(),
        WhyNot::Anchor => "an anchor: it only marks a place in the order".to_owned(),
        WhyNot::Absent(why) => absence(why),
    }
}

/// "wheel, sdist"
fn targets(plan: &Plan) -> String {
    plan.targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why a command runs, as the rest of a sentence that begins with "runs".
fn because(why: &Why) -> String {
    match why {
        Why::Target { target } => format!("because {target} is asked for"),
        Why::Makes { kind, consumers } => {
            let consumers: Vec<&str> = consumers.iter().map(CommandName::as_str).collect();
            format!("to make {kind} for {}", consumers.join(", "))
        }
        Why::RequiredAfter { command } => format!("because it is required after {command}"),
    }
}
