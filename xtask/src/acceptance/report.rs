//! `docs/acceptance.md`.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::compare::Comparison;
use super::interpreters::Interpreters;
use super::regrtest::{Results, State};
use crate::workspace::{self, Workspace, output_of};

const PAGE: &str = "docs/acceptance.md";
/// What a page begins with.
const BEGINNING: &str = "# Acceptance\n\n\
    Programs and interpreters that are one file are tried with what others wrote. This page is written by \
    `cargo xtask acceptance --write`.\n";
/// What a part of the page begins with.
const PART: &str = "\n## ";
/// How wide the list of test files is.
const WIDTH: usize = 110;

/// Writes what came of CPython's own tests.
pub(super) fn write(
    workspace: &Workspace,
    interpreters: &Interpreters,
    tests: &[String],
    expected: &Results,
    comparisons: &[Comparison],
) -> Result<()> {
    let made = Made::now(workspace)?;
    write_part(workspace, &part(interpreters, &made, tests, expected, comparisons))
}

/// What a part was made of, and when.
pub(super) struct Made {
    pub(super) commit: String,
    pub(super) date: String,
}

impl Made {
    pub(super) fn now(workspace: &Workspace) -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["rev-parse", "--short=12", "HEAD"]).current_dir(workspace.root());
        let commit = output_of(&mut git)?;
        Ok(Self { commit, date: output_of(Command::new("date").args(["-u", "+%Y-%m-%d"]))? })
    }
}

/// Writes a part of the page, which begins with its heading; other parts stay.
pub(super) fn write_part(workspace: &Workspace, part: &str) -> Result<()> {
    let path = workspace.path(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("`{PAGE}`"))?;
    workspace::write(&path, with_part(&page, part).as_bytes())
}

/// A page with a part in place of what it has under that heading, or at its end.
fn with_part(page: &str, part: &str) -> String {
    let heading = |part: &str| part.lines().next().unwrap_or_default().to_owned();
    let mut parts: Vec<&str> = page.split(PART).skip(1).collect();
    let part = part.strip_prefix("## ").unwrap_or(part);
    match parts.iter_mut().find(|other| heading(other) == heading(part)) {
        Some(other) => *other = part,
        None => parts.push(part),
    }
    let mut page = BEGINNING.to_owned();
    for part in parts {
        page.push_str(PART);
        page.push_str(part.trim_end());
        page.push('\n');
    }
    page
}

fn part(
    interpreters: &Interpreters,
    made: &Made,
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
        "## CPython's own tests\n\n\
         An interpreter that is one file is still CPython. So CPython's own regression tests run in it, as \
         they do in the ordinary interpreter of the same build, and the result of each test case is compared. \
         Every difference has its reason in `xtask/src/acceptance/differences.toml`, and one without a reason is an error.\n\n\
         CPython {}, commit {} of Ekiben, {}. The tests lie beside the interpreters on the disk \
         (`ekiben runtime build --tests`, `ekiben freeze --interpreter --path`), while the standard library is \
         inside. What nothing explains is run a second time: *by chance* is what was as expected then.\n\n\
         The ordinary interpreter: {} files, {} cases, of which {passed} passed, {skipped} were skipped and \
         {failed} failed.\n\n\
         | | cases | the same | explained | by chance | unexplained |\n|---|---:|---:|---:|---:|---:|\n",
        interpreters.version,
        made.commit,
        made.date,
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
            "\n### What differs in `{}`, and why\n\n| tests | reason |\n|---:|---|\n",
            it.flavour
        );
        let (reasons, _) = it.by_reason();
        let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        for (reason, count) in reasons {
            let _ = writeln!(text, "| {count} | {reason} |");
        }
    }
    text.push_str("\n### What was run\n\n```\n");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_take_the_place_of_those_that_were_there() {
        let page = format!("{BEGINNING}\n## A\n\nold\n\n### B\n\n## C\n\nstays\n");
        let changed = format!("{BEGINNING}\n## A\n\nnew\n\n## C\n\nstays\n");
        assert_eq!(with_part(&page, "## A\n\nnew\n"), changed);
        assert_eq!(with_part(&page, "## D\n\nmore\n"), format!("{page}\n## D\n\nmore\n"));
    }
}
