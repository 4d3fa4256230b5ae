//! `--explain`: every action, how it ended, and why it ran or didn't.

use std::fmt::Write as _;

use ekiben_engine::{Outcome, Report};

/// A table with a line an action, in the order in which they were planned.
pub(crate) fn table(report: &Report) -> String {
    let width = report.actions.iter().map(|action| action.description.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut table = String::new();
    for action in &report.actions {
        let outcome = match &action.outcome {
            Outcome::Cached => "cached",
            Outcome::Ran => "ran",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped { .. } => "skipped",
            Outcome::Cancelled => "cancelled",
        };
        let why = match (&action.outcome, &action.reason) {
            (Outcome::Cached, _) => "unchanged".to_owned(),
            (Outcome::Skipped { because }, _) => {
                let cause = report.actions.iter().find(|other| other.id == *because);
                cause.map(|cause| format!("{} failed", cause.description)).unwrap_or_default()
            }
            (_, Some(reason)) => reason.to_string(),
            (_, None) => String::new(),
        };
        let line = format!("{:width$}  {outcome:9}  {why}", action.description);
        let _ = writeln!(table, "{}", line.trim_end());
    }
    table
}
