//! Runs `python -m test`, and reads what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::interpreters::Interpreter;
use crate::workspace::output_of;

/// How long one test file may take, in seconds.
const TIMEOUT: &str = "900";
/// What of this process' environment tests get.
const KEPT: [&str; 3] = ["HOME", "PATH", "TERM"];

/// What came of test files.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) tests: BTreeMap<String, File>,
}

/// What came of one test file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    /// As CPython's own report has it: `passed`, `failed`, `skipped`, `crashed`, …
    pub(super) state: String,
    pub(super) cases: BTreeMap<String, Case>,
}

/// What came of a test case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) state: State,
    /// Why it was left out, or the last line of its failure.
    pub(super) why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum State {
    Skipped,
    Passed,
    Failed,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Passed => "passed",
            Self::Failed => "failed",
        }
    }
}

impl Interpreter {
    /// All test files.
    pub(super) fn list_tests(&self) -> Result<Vec<String>> {
        let listed = output_of(self.command().args(["-m", "test", "--list-tests"]))?;
        // Some with the package's name, some without.
        Ok(listed
            .lines()
            .map(|test| test.strip_prefix("test.").unwrap_or(test).to_owned())
            .collect())
    }

    /// Runs test files, and shows how far it is.
    pub(super) fn run(&self, tests: &[String], jobs: usize) -> Result<Results> {
        let work = tempfile::tempdir()?;
        let report = work.path().join("report.xml");
        let mut command = self.command();
        command.args(["-m", "test", "--timeout", TIMEOUT, "--tempdir"]);
        command.arg(work.path()).arg(format!("-j{jobs}")).arg("--junit-xml").arg(&report);
        command.args(tests).current_dir(work.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let log = self.folder.join("log.txt");
        let mut log = fs::File::options().create(true).append(true).open(&log)?;
        let mut results = Results::default();
        let output = child.stdout.take().context("stdout")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            log.write_all(&line)?;
            log.write_all(b"\n")?;
            if let Some((name, state)) = finished(&String::from_utf8_lossy(&line)) {
                println!("{}: {name} {state}", self.name);
                let file = File { state: state.to_owned(), cases: BTreeMap::new() };
                results.tests.insert(name.to_owned(), file);
            }
        }
        child.wait()?;
        for test in tests {
            let is_there = results.tests.contains_key(test);
            ensure!(is_there, "{}: `{test}` has no result: see log.txt", self.name);
        }
        let text = fs::read_to_string(&report).context("CPython's tests wrote no report")?;
        for suite in suites(&text)? {
            let Some(test) = suite.iter().find_map(|(name, _)| file_of(name, &results)) else {
                continue;
            };
            let file = results.tests.entry(test.to_owned());
            let file =
                file.or_insert_with(|| File { state: String::new(), cases: BTreeMap::new() });
            for (name, case) in suite {
                let known = file.cases.entry(name).or_insert_with(|| case.clone());
                if case.state > known.state {
                    *known = case;
                }
            }
        }
        Ok(results)
    }

    fn command(&self) -> Command {
        // Signals that a shell has ignored in the background would be so in tests.
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP,INT,QUIT").arg(&self.program);
        command.env_clear().env("LANG", "C.UTF-8");
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }
}

/// The test file that a line says to have come to an end, and how:
/// `0:01:16 load avg: 7.49 [11/38/2] test_x failed (1 error) (33.8 sec) -- running (1): …`.
fn finished(line: &str) -> Option<(&str, &str)> {
    let (before, after) = line.split_once("] ")?;
    let (_, counts) = before.rsplit_once('[')?;
    let is_count = |part: &str| part.trim().parse::<u32>().is_ok();
    if !before.starts_with(|first: char| first.is_ascii_digit()) || !counts.split('/').all(is_count)
    {
        return None;
    }
    let (name, state) = after.strip_prefix("test.").unwrap_or(after).split_once(' ')?;
    let end = [" (", " --"].iter().filter_map(|end| state.find(end)).min();
    Some((name, state[..end.unwrap_or(state.len())].trim_end()))
}

/// The test file that a case is of, if its name tells: `test.test_a.test_b.Class.test`, or
/// `setUpClass (test.test_a.Class)`.
fn file_of<'n>(case: &'n str, results: &Results) -> Option<&'n str> {
    let name = case.split_once('(').map_or(case, |(_, name)| name).strip_prefix("test.")?;
    let ends = name.match_indices('.').map(|(at, _)| at).collect::<Vec<_>>();
    let longest = ends.into_iter().rev().map(|end| &name[..end]);
    longest.into_iter().find(|name| results.tests.contains_key(*name))
}

/// The name of a case, which may show an object with its address.
fn without_addresses(name: &str) -> String {
    let mut parts = name.split("0x");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("0x…");
        text.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
    }
    text
}

type Suite = Vec<(String, Case)>;

/// The test cases of a report in JUnit's form: a suite for each file.
fn suites(text: &str) -> Result<Vec<Suite>> {
    let case = |node: roxmltree::Node<'_, '_>| {
        let name = without_addresses(node.attribute("name").unwrap_or_default());
        let child = |tag: &str| node.children().find(|child| child.has_tag_name(tag));
        let text = |node: roxmltree::Node<'_, '_>| node.text().unwrap_or_default().to_owned();
        let failed = child("failure").or_else(|| child("error"));
        let (state, why) = match (failed, child("skipped")) {
            (Some(failed), _) => (State::Failed, text(failed)),
            (None, Some(skipped)) => (State::Skipped, text(skipped)),
            (None, None) => (State::Passed, String::new()),
        };
        let last = why.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        (name, Case { state, why: last.trim().to_owned() })
    };
    let document = roxmltree::Document::parse(text)?;
    let suites = document.descendants().filter(|node| node.has_tag_name("testsuite"));
    let cases = |suite: roxmltree::Node<'_, '_>| {
        let cases = suite.children().filter(|node| node.has_tag_name("testcase")).map(case);
        // A case of which only parts failed has no name, and so is none of those that there should be.
        cases.filter(|(name, _)| !name.is_empty()).collect()
    };
    Ok(suites.map(cases).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_of_files_that_came_to_an_end() {
        for (line, expected) in [
            ("0:00:02 load avg: 5.10 [2/3] test_runpy passed", Some(("test_runpy", "passed"))),
            (
                "0:01:16 load avg: 7.49 [ 11/438/2] test_a.test_b failed (1 error) (33.8 sec) -- running (1): test_c (35.2 sec)",
                Some(("test_a.test_b", "failed")),
            ),
            ("0:00:01 [1/9] test_x crashed (Exit code -11 (SIGSEGV))", Some(("test_x", "crashed"))),
            ("0:00:01 [1/9] test_x timed out (2 min)", Some(("test_x", "timed out"))),
            ("0:02:03 load avg: 6.57 running (2): test_x (30.0 sec)", None),
            ("  [1, 2] a b", None),
        ] {
            assert_eq!(finished(line), expected, "{line}");
        }
    }

    #[test]
    fn cases_belong_to_files() {
        let file = || File { state: "passed".to_owned(), cases: BTreeMap::new() };
        let tests = ["test_a", "test_b.test_c"].map(|name| (name.to_owned(), file())).into();
        let results = Results { tests };
        for (case, expected) in [
            ("test.test_a.Class.test_x", Some("test_a")),
            ("test.test_b.test_c.Class.test_x", Some("test_b.test_c")),
            ("setUpClass (test.test_a.Class)", Some("test_a")),
            ("collections.namedtuple", None),
        ] {
            assert_eq!(file_of(case, &results), expected, "{case}");
        }
    }

    #[test]
    fn addresses_are_no_part_of_names() {
        assert_eq!(without_addresses("a (f=<f at 0x7f1e3253dbc0>, b)"), "a (f=<f at 0x…>, b)");
        assert_eq!(without_addresses("test.test_a.C.test"), "test.test_a.C.test");
    }

    #[test]
    fn cases_are_read_from_a_report() {
        let text = "<testsuites><testsuite><testcase name=\"a\" /><testcase name=\"b\">\
            <skipped>no network</skipped></testcase><testcase name=\"c\"><failure type=\"x\">\
            Traceback:\nValueError: one\n\n</failure></testcase></testsuite></testsuites>";
        let case = |state, why: &str| Case { state, why: why.to_owned() };
        let expected = [
            ("a".to_owned(), case(State::Passed, "")),
            ("b".to_owned(), case(State::Skipped, "no network")),
            ("c".to_owned(), case(State::Failed, "ValueError: one")),
        ];
        assert_eq!(suites(text).unwrap(), [expected]);
    }
}
