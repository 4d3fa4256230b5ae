//! What came of a run, without what differs from run to run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{ExitStatus, Output};

use anyhow::{Context as _, Result, ensure};
use regex::Regex;
use walkdir::WalkDir;

/// What stands for a time, and what it stands for.
const TIMES: [(&str, &str); 5] = [
    ("DAY", r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d([.,]\d+)?(\+00:00)?"),
    ("DAY", r"\d\d/[A-Z][a-z]{2}/\d{4} \d\d:\d\d:\d\d"),
    ("DAY", r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
    // In colours, too, which may begin at the point.
    ("DURATION", r"\d+\.(\x1b\[[\d;]*m)*\d+ ?m?s\b"),
    ("time=\"DURATION\"", "time=\"[0-9.]+\""),
];
/// What depends on those: a line that pytest draws, and the digest of a script that pip wrote, which
/// names the interpreter.
const DEPENDENT: [(&str, &str); 2] =
    [("===", "={3,}"), ("$1,DIGEST", r"(?m)^(\.\./\.\./bin/[^,]+),sha256=[^,]+,\d+")];
/// Of folders with compiled code nothing is compared.
const LEFT_OUT: &str = "__pycache__";
/// How many lines of a text with a difference are shown.
const SHOWN: usize = 3;

/// What is replaced in texts.
pub(super) struct Places {
    texts: Vec<(String, &'static str)>,
    patterns: Vec<(Regex, &'static str)>,
}

impl Places {
    /// Of programs and interpreters, folders with modules, and ports.
    pub(super) fn new(programs: &[&Path], modules: &[&Path], ports: &[u16]) -> Result<Self> {
        let text = |path: &&Path| path.to_string_lossy().into_owned();
        let mut texts: Vec<(String, &str)> =
            modules.iter().map(|path| (text(path), "MODULES")).collect();
        texts.extend(programs.iter().map(|path| (text(path), "PROGRAM")));
        texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        let mut patterns = Vec::new();
        for port in ports {
            patterns.push((Regex::new(&format!(r"\b{port}\b"))?, "PORT"));
        }
        for (word, pattern) in TIMES.into_iter().chain(DEPENDENT) {
            patterns.push((Regex::new(pattern)?, word));
        }
        Ok(Self { texts, patterns })
    }

    fn replace(&self, bytes: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for (from, to) in &self.texts {
            text = text.replace(from, to);
        }
        for (pattern, to) in &self.patterns {
            text = pattern.replace_all(&text, *to).into_owned();
        }
        text
    }
}

/// What came of a run.
pub(super) struct Outcome {
    status: ExitStatus,
    /// What was printed, what a server answered, and the files of the run's folder, by name.
    texts: BTreeMap<String, String>,
}

impl Outcome {
    pub(super) fn new(
        places: &Places,
        output: &Output,
        answers: &[u8],
        folder: &Path,
    ) -> Result<Self> {
        let mut texts = BTreeMap::new();
        for (name, bytes) in
            [("stdout", &output.stdout[..]), ("stderr", &output.stderr), ("curl", answers)]
        {
            texts.insert(format!("<{name}>"), places.replace(bytes));
        }
        let walk = WalkDir::new(folder).into_iter();
        for entry in walk.filter_entry(|entry| entry.file_name() != LEFT_OUT) {
            let entry = entry?;
            if entry.file_type().is_file() {
                let name = entry.path().strip_prefix(folder)?.to_string_lossy().into_owned();
                let content = fs::read(entry.path()).with_context(|| name.clone())?;
                texts.insert(name, places.replace(&content));
            }
        }
        Ok(Self { status: output.status, texts })
    }

    /// Fails unless it has an exit code, and a text somewhere.
    pub(super) fn check(&self, code: i32, says: &str) -> Result<()> {
        let is_said = self.texts.values().any(|text| text.contains(says));
        let printed: Vec<_> = self.texts.iter().filter(|(name, _)| name.starts_with('<')).collect();
        ensure!(
            self.status.code() == Some(code) && is_said,
            "{} and not {code}, or `{says}` isn't said: {printed:#?}",
            self.status
        );
        Ok(())
    }

    /// How it differs from what was expected.
    pub(super) fn differences(&self, expected: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.status != expected.status {
            differences.push(format!("{} and not {}", self.status, expected.status));
        }
        let mut names: Vec<&String> = self.texts.keys().chain(expected.texts.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            match (self.texts.get(name), expected.texts.get(name)) {
                (Some(one), Some(other)) if one == other => {}
                (Some(one), Some(other)) => {
                    differences.push(format!("{name}: {}", first_difference(one, other)));
                }
                (Some(_), None) => differences.push(format!("{name} is there")),
                (None, _) => differences.push(format!("{name} isn't there")),
            }
        }
        differences
    }
}

/// The first lines that differ.
fn first_difference(one: &str, other: &str) -> String {
    let at = one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count();
    let lines = |text: &str| {
        let lines: Vec<&str> = text.lines().skip(at).take(SHOWN).collect();
        lines.join("\n  ")
    };
    format!("from line {} on it is\n  {}\nand not\n  {}", at + 1, lines(one), lines(other))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_ports_and_places_are_replaced() {
        let program = Path::new("/made/pip");
        let packages = program.join("lib/site-packages");
        let places = Places::new(&[program], &[&packages], &[8000]).unwrap();
        for (text, expected) in [
            ("pip 1.0 from /made/pip/lib/site-packages/pip", "pip 1.0 from MODULES/pip"),
            ("usage: /made/pip", "usage: PROGRAM"),
            ("127.0.0.1:8000 - 18000", "127.0.0.1:PORT - 18000"),
            ("+++ a.py\t2026-11-26 07:40:50.804162+00:00", "+++ a.py\tDAY"),
            ("[2026-11-26 07:40:50,385] ERROR", "[DAY] ERROR"),
            ("[26/Nov/2026 07:40:50] Date: Thu, 26 Nov 2026 07:40:50 GMT", "[DAY] Date: DAY"),
            ("===== 1 passed in 0.07s =====", "=== 1 passed in DURATION ==="),
            ("in \x1b[1m73.\x1b[0m1ms", "in \x1b[1mDURATION"),
            ("<testcase time=\"0.013\"", "<testcase time=\"DURATION\""),
            ("../../bin/x,sha256=a-b,17\nx.py,sha256=c,4", "../../bin/x,DIGEST\nx.py,sha256=c,4"),
            ("version 1.5.7 == 2", "version 1.5.7 == 2"),
        ] {
            assert_eq!(places.replace(text.as_bytes()), expected);
        }
    }

    #[test]
    fn differences_are_shown_where_they_begin() {
        let outcome = |code, texts: &[(&str, &str)]| Outcome {
            status: std::os::unix::process::ExitStatusExt::from_raw(code),
            texts: texts.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect(),
        };
        let expected = outcome(0, &[("<stdout>", "a\nb\n"), ("file", "x")]);
        assert_eq!(expected.differences(&expected), [""; 0]);
        assert!(expected.check(0, "b").is_ok());
        assert!(expected.check(0, "c").is_err() && expected.check(1, "b").is_err());
        let found = outcome(256, &[("<stdout>", "a\nc\n"), ("other", "x")]);
        assert_eq!(
            found.differences(&expected),
            [
                "exit status: 1 and not exit status: 0",
                "<stdout>: from line 2 on it is\n  c\nand not\n  b",
                "file isn't there",
                "other is there",
            ]
        );
    }
}
