//! `docs/acceptance.md`.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::Result;

use super::compare::Comparison;
use super::interpreters::Interpreters;
use super::regrtest::{Results, State};
use crate::workspace::{self, Workspace, output_of};

const PAGE: &str = "docs/acceptance.md";
/// How wide the list of test files is.
const WIDTH: usize = 110;

/// Writes the page.
pub(super) fn write(
    workspace: &Workspace,
    interpreters: &Interpreters,
    tests: &[String],
    expected: &Results,
    comparisons: &[Comparison],
) -> Result<()> {
    let mut git = Command::new("git");
    let commit =
        output_of(git.args(["rev-parse", "--short=12", "HEAD"]).current_dir(workspace.root()))?;
    let date = output_of(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let page = page(interpreters, &commit, &date, tests, expected, comparisons);
    workspace::write(&workspace.path(PAGE), page.as_bytes())
}

fn page(
    interpreters: &Interpreters,
    commit: &str,
    date: &str,
    tests: &[String],
    expected: &Results,
    comparisons: &[Comparison],
) -> String {
    let count = |state| {
        let files = expected.tests.iter().filter(|(name, _)| tests.contains(name));
        files.flat_map(|(_, file)| file.cases.values()).filter(|case| case.state == state).count()
    };
    let [passed, skipped, failed] = [State::Passed, State::Skipped, State::Failed].map(count);
    let mut text = format!(
        "# CPython's own tests\n\n\
         An interpreter that is one file is still CPython. So CPython's own regression tests run in it, as \
         they do in the ordinary interpreter of the same build, and the result of each test case is compared. \
         This page is written by `cargo xtask acceptance --write`; every difference has its reason in \
         `xtask/src/acceptance/differences.toml`, and one without a reason is an error.\n\n\
         CPython {}, commit {commit} of Ekiben, {date}. The tests lie beside the interpreters on the disk \
         (`ekiben runtime build --tests`, `ekiben freeze --interpreter --path`), while the standard library is \
         inside. What nothing explains is run a second time: *by chance* is what was as expected then.\n\n\
         The ordinary interpreter: {} files, {} cases, of which {passed} passed, {skipped} were skipped and \
         {failed} failed.\n\n\
         | | cases | the same | explained | by chance | unexplained |\n|---|---:|---:|---:|---:|---:|\n",
        interpreters.version,
        tests.len(),
        passed + skipped + failed,
    );
    // Writing to a string can't fail.
    for it in comparisons {
        let (reasons, by_chance) = it.by_reason();
        let (flavour, cases, same) = (it.flavour, it.cases, it.same);
        let explained: usize = reasons.values().sum();
        let unexplained = it.unexplained();
        let _ = writeln!(
            text,
            "| {flavour} | {cases} | {same} | {explained} | {by_chance} | {unexplained} |"
        );
    }
    text.push_str("\nA difference may be a whole file, whose cases then count neither as the same nor one by one.\n");
    for it in comparisons {
        let _ = write!(
            text,
            "\n## What differs in `{}`, and why\n\n| tests | reason |\n|---:|---|\n",
            it.flavour
        );
        let (reasons, _) = it.by_reason();
        let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        for (reason, count) in reasons {
            let _ = writeln!(text, "| {count} | {reason} |");
        }
    }
    text.push_str("\n## What was run\n\n```\n");
    let mut line = String::new();
    for test in tests {
        if line.len() + test.len() >= WIDTH {
            let _ = writeln!(text, "{}", line.trim_end());
            line.clear();
        }
        let _ = write!(line, "{test} ");
    }
    let _ = writeln!(text, "{}\n```", line.trim_end());
    text
}
