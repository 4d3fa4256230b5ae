//! What differs between interpreters, and why it may.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::regrtest::{Case, Results, State};
use crate::workspace::Workspace;

/// Where explanations are.
const EXPLANATIONS: &str = "xtask/src/acceptance/differences.toml";
/// What a case is that wasn't run, or of which a part failed.
const ABSENT: &str = "failed in part, or not run";

/// Why results may differ.
#[derive(Deserialize)]
pub(super) struct Explanations {
    #[serde(rename = "explanation")]
    all: Vec<Explanation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explanation {
    reason: String,
    /// The interpreters that it holds for; all, if none is named.
    #[serde(default)]
    flavours: Vec<String>,
    /// Files or cases, with `*` for anything.
    tests: Vec<String>,
}

impl Explanations {
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        let text = fs::read_to_string(workspace.path(EXPLANATIONS)).context(EXPLANATIONS)?;
        toml::from_str(&text).context(EXPLANATIONS)
    }

    /// The pattern and the reason that hold for a test.
    fn of(&self, flavour: &str, test: &str) -> Option<(&str, &str)> {
        let holds = |it: &&Explanation| {
            it.flavours.is_empty() || it.flavours.iter().any(|holds| holds == flavour)
        };
        self.all.iter().filter(holds).find_map(|it| {
            let pattern = it.tests.iter().find(|pattern| matches(pattern, test))?;
            Some((pattern.as_str(), it.reason.as_str()))
        })
    }

    /// The patterns that explain nothing, though their test file was run.
    pub(super) fn idle(&self, tests: &[String], comparisons: &[Comparison]) -> Vec<&str> {
        let explained =
            |pattern: &str| comparisons.iter().any(|it| it.patterns.iter().any(|it| it == pattern));
        let was_run = |pattern: &str| {
            let pattern = pattern.strip_prefix("test.").unwrap_or(pattern);
            tests.iter().any(|test| {
                let rest = pattern.strip_prefix(test.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        let concerns = |it: &Explanation| {
            let compared = |flavour: &String| comparisons.iter().any(|it| it.flavour == flavour);
            it.flavours.iter().all(compared)
        };
        let patterns = self.all.iter().filter(|it| concerns(it)).flat_map(|it| &it.tests);
        patterns.map(String::as_str).filter(|it| was_run(it) && !explained(it)).collect()
    }
}

/// Whether a text is as a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| matches(after, &rest[at..]))
        }),
    }
}

/// A test that came out in another way.
pub(super) struct Difference {
    /// Its file.
    file: String,
    expected: String,
    found: String,
    why: String,
    /// Whether it was there again when its file was run a second time.
    is_certain: bool,
    reason: Option<String>,
}

/// The results of one interpreter beside the expected ones.
pub(super) struct Comparison {
    pub(super) flavour: &'static str,
    /// How many files and cases there are, and how many cases are as expected.
    pub(super) files: usize,
    pub(super) cases: usize,
    pub(super) same: usize,
    /// By the name of the file or the case.
    differences: BTreeMap<String, Difference>,
    /// The patterns that explain something.
    patterns: Vec<String>,
}

impl Comparison {
    pub(super) fn new(
        flavour: &'static str,
        tests: &[String],
        expected: &Results,
        found: &Results,
    ) -> Self {
        let mut comparison = Self {
            flavour,
            files: tests.len(),
            cases: 0,
            same: 0,
            differences: BTreeMap::new(),
            patterns: Vec::new(),
        };
        for test in tests {
            comparison.add_file(test, expected, found);
        }
        comparison
    }

    fn add_file(&mut self, test: &str, expected: &Results, found: &Results) {
        let (Some(expected), Some(found)) = (expected.tests.get(test), found.tests.get(test))
        else {
            return;
        };
        self.cases += expected.cases.len();
        let before = self.differences.len();
        let is_whole = |state: &str| state == "passed" || state == "failed";
        if is_whole(&expected.state) && is_whole(&found.state) {
            let names = expected.cases.keys().chain(found.cases.keys());
            let names: std::collections::BTreeSet<&String> = names.collect();
            for name in names {
                let (one, other) = (expected.cases.get(name), found.cases.get(name));
                let state = |case: Option<&Case>| case.map(|case| case.state);
                if state(one) == state(other) {
                    self.same += usize::from(one.is_some());
                    continue;
                }
                let word = |case| state(case).map_or(ABSENT, State::as_str).to_owned();
                let why = other.map(|case| case.why.clone()).unwrap_or_default();
                self.add(name, test, word(one), word(other), why);
            }
        } else if expected.state == found.state {
            self.same += expected.cases.len();
        }
        if expected.state != found.state && self.differences.len() == before {
            // Nothing in it tells: it wasn't run to its end, or at all.
            self.add(test, test, expected.state.clone(), found.state.clone(), String::new());
        }
    }

    fn add(&mut self, name: &str, file: &str, expected: String, found: String, why: String) {
        let (file, reason) = (file.to_owned(), None);
        let difference = Difference { file, expected, found, why, is_certain: true, reason };
        self.differences.insert(name.to_owned(), difference);
    }

    /// The files with differences that nothing explains.
    pub(super) fn unexplained_files(&self) -> Vec<String> {
        let unexplained = self.differences.values().filter(|it| it.reason.is_none());
        let mut files: Vec<String> = unexplained.map(|it| it.file.clone()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Takes what a second run doesn't show for chance.
    pub(super) fn confirm(&mut self, second: &Self) {
        let unexplained = self.differences.iter_mut().filter(|(_, it)| it.reason.is_none());
        for (name, difference) in unexplained {
            difference.is_certain = second.differences.contains_key(name);
        }
    }

    pub(super) fn explain(&mut self, explanations: &Explanations) {
        for (name, difference) in &mut self.differences {
            if let Some((pattern, reason)) = explanations.of(self.flavour, name) {
                difference.reason = Some(reason.to_owned());
                self.patterns.push(pattern.to_owned());
            }
        }
    }

    /// How many differ without a reason.
    pub(super) fn unexplained(&self) -> usize {
        self.differences.values().filter(|it| it.is_certain && it.reason.is_none()).count()
    }

    /// How many differ for a reason, by reason, and how many by chance.
    pub(super) fn by_reason(&self) -> (BTreeMap<&str, usize>, usize) {
        let mut reasons = BTreeMap::new();
        let mut by_chance = 0;
        for difference in self.differences.values() {
            match &difference.reason {
                Some(reason) => *reasons.entry(reason.as_str()).or_default() += 1,
                None => by_chance += usize::from(!difference.is_certain),
            }
        }
        (reasons, by_chance)
    }

    /// What people see.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, it) in self.differences.iter().filter(|(_, it)| it.reason.is_none()) {
            let chance = if it.is_certain { "" } else { " (not the second time)" };
            // Writing to a string can't fail.
            let _ = writeln!(text, "  {name}: {} → {}{chance}  {}", it.expected, it.found, it.why);
        }
        let (reasons, by_chance) = self.by_reason();
        let explained: usize = reasons.values().sum();
        let unexplained = self.unexplained();
        format!(
            "{}: {} files, {} cases, {} as expected; differences: {explained} explained, \
             {by_chance} by chance, {unexplained} unexplained\n{text}",
            self.flavour, self.files, self.cases, self.same
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::acceptance::regrtest::File;

    /// A file's name, its state and its cases.
    type Listed<'a> = (&'a str, &'a str, &'a [(&'a str, State)]);

    fn results(files: &[Listed<'_>]) -> Results {
        let case = |(name, state): &(&str, State)| {
            ((*name).to_owned(), Case { state: *state, why: "why".to_owned() })
        };
        let file = |(name, state, cases): &Listed<'_>| {
            let cases = cases.iter().map(case).collect();
            ((*name).to_owned(), File { state: (*state).to_owned(), cases })
        };
        Results { tests: files.iter().map(file).collect() }
    }

    #[test]
    fn differences_are_explained_or_not() {
        use State::{Failed, Passed, Skipped};

        let stock = results(&[
            ("test_a", "passed", &[("test.test_a.C.one", Passed), ("test.test_a.C.two", Passed)]),
            ("test_b", "passed", &[("test.test_b.C.one", Passed)]),
            ("test_c", "skipped", &[]),
        ]);
        let ours = results(&[
            ("test_a", "failed", &[("test.test_a.C.one", Failed), ("test.test_a.C.two", Skipped)]),
            ("test_b", "crashed", &[]),
            ("test_c", "skipped", &[]),
        ]);
        let tests: Vec<String> = stock.tests.keys().cloned().collect();
        let mut comparison = Comparison::new("static", &tests, &stock, &ours);
        assert_eq!((comparison.cases, comparison.same), (3, 0));
        let explanations: Explanations = toml::from_str(
            "[[explanation]]\nreason = \"r\"\ntests = [\"test.test_a.*.two\", \"test_b\", \"test_c\"]\n\
             [[explanation]]\nreason = \"s\"\nflavours = [\"dynamic\"]\ntests = [\"test.test_a.*\"]\n",
        )
        .unwrap();
        assert_eq!(comparison.unexplained_files(), ["test_a", "test_b"]);
        comparison.explain(&explanations);
        assert_eq!(comparison.unexplained_files(), ["test_a"]);
        assert_eq!(comparison.unexplained(), 1);
        let text = comparison.text();
        assert!(text.contains("test.test_a.C.one: passed → failed  why"), "{text}");
        assert!(text.contains("2 explained, 0 by chance, 1 unexplained"), "{text}");
        let again = Comparison::new("static", &tests, &stock, &stock);
        comparison.confirm(&again);
        assert_eq!(comparison.unexplained(), 0);
        assert_eq!(explanations.idle(&tests, &[comparison]), ["test_c"]);
    }

    #[test]
    fn stars_stand_for_anything() {
        assert!(matches("test.*.C.*_x", "test.test_a.C.test_x"));
        assert!(matches("a", "a") && matches("*", "") && matches("a*b", "ab"));
        assert!(!matches("a", "ab") && !matches("a*b", "a") && !matches("a*b", "abc"));
    }
}
