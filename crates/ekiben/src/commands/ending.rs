//! [`Stop`]: what ends a command early whose work may fail, be refused or be interrupted.

use std::io::Write as _;

use ekiben_core::Problems;

use super::End;
use crate::cli::Global;
use crate::report;

/// What ends a command early.
pub(super) enum Stop {
    /// What was asked for is wrong, or the machine can't do it.
    Problems(Problems),
    /// A signal came.
    Interrupted,
    /// What ran has failed.
    Failed(Problems),
}

impl From<Problems> for Stop {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}

/// How a command ended; problems are shown.
pub(super) fn end(result: Result<End, Stop>) -> End {
    let (problems, end) = match result {
        Ok(end) => return end,
        Err(Stop::Interrupted) => return End::Interrupted,
        Err(Stop::Problems(problems)) => (problems, End::Refused),
        Err(Stop::Failed(problems)) => (problems, End::Failed),
    };
    report::show_problems(&problems, ".".as_ref());
    end
}

/// Whoever shows what begins.
pub(super) fn say(global: &Global) -> impl Fn(&str) + use<> {
    let is_quiet = global.quiet;
    move |text| {
        if !is_quiet {
            // Nobody is left to hear of an error on stderr.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }
}
