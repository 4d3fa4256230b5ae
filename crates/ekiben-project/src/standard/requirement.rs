//! Dependency specifiers (PEP 508).
//!
//! A dependency keeps its author's own text: what ends up in the metadata is what was written,
//! once it is known to be valid. `pep508_rs` would print another, logically equal marker.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use pep508_rs::{Pep508Error, Requirement, VersionOrUrl};

use crate::diagnostic::SourceText;
use crate::suggest::{nearest, uncapitalised};
use crate::tree::Node;

/// A valid dependency.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependency {
    text: String,
    requirement: Requirement,
}

impl Dependency {
    /// The parsed form.
    #[must_use]
    pub fn requirement(&self) -> &Requirement {
        &self.requirement
    }

    /// The author's text up to the marker, and the marker's text if there is one.
    pub(crate) fn head_and_marker(&self) -> (&str, Option<&str>) {
        // In a URL `;` is an ordinary character; only one after a space ends it.
        let is_url = matches!(self.requirement.version_or_url, Some(VersionOrUrl::Url(_)));
        let split = if is_url { self.text.split_once(" ;") } else { self.text.split_once(';') };
        match split {
            Some((head, marker)) => (head.trim(), Some(marker.trim())),
            None => (self.text.trim(), None),
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text isn't a dependency.
#[derive(Debug, Clone)]
pub(crate) struct RequirementError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    text: String,
    part: Range<usize>,
}

impl RequirementError {
    /// The bytes at fault: the part of the string, where the string is written without escapes.
    pub(crate) fn span_in(&self, node: &Node, source: &SourceText) -> Option<Range<usize>> {
        let whole = node.span()?;
        let inner = whole.start + 1..whole.end.saturating_sub(1);
        let verbatim = source.text.get(inner.clone()) == Some(&self.text);
        if !verbatim || self.text.get(self.part.clone()).is_none_or(str::is_empty) {
            return Some(whole);
        }
        Some(inner.start + self.part.start..inner.start + self.part.end)
    }
}

/// Parses one dependency.
pub(crate) fn parse_requirement(text: &str) -> Result<Dependency, RequirementError> {
    let fail = |reason: &str, help: Option<String>, part: Range<usize>| RequirementError {
        message: format!("`{text}` isn't a dependency: {}", uncapitalised(reason)),
        help: Some(help.unwrap_or_else(|| EXAMPLE.to_owned())),
        text: text.to_owned(),
        part,
    };
    if text.matches('(').count() > MAX_PARENTHESES {
        return Err(fail("it has too many parentheses", None, 0..0));
    }
    check_names(text).map_err(|(reason, part)| fail(&reason, None, part))?;
    match Requirement::from_str(text) {
        Ok(requirement) => {
            if let Some(VersionOrUrl::Url(_)) = requirement.version_or_url {
                let address = text.split_once('@').map_or("", |(_, address)| address);
                if !address.contains("://") && !address.trim_start().starts_with("file:") {
                    let help = "write a full one, such as `name @ https://…`".to_owned();
                    return Err(fail("what follows `@` isn't an address", Some(help), 0..0));
                }
            }
            Ok(Dependency { text: text.trim().to_owned(), requirement })
        }
        Err(Pep508Error { message, start, len, .. }) => {
            let message = message.to_string();
            let reason = message.lines().next().unwrap_or_default();
            Err(fail(reason, mend(text, reason), start..start.saturating_add(len)))
        }
    }
}

/// `pep508_rs` recurses for each one; more than this nobody writes, and the stack ends somewhere.
const MAX_PARENTHESES: usize = 100;

const EXAMPLE: &str = "dependencies look like `numpy>=2,<3; python_version < \"3.13\"` (PEP 508)";

/// Checks the name and the extras, with which `pep508_rs` 0.9 panics where they end in `-`, `_`
/// or `.` and something follows.
fn check_names(text: &str) -> Result<(), (String, Range<usize>)> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends_well = |word: &str| !word.ends_with(['-', '_', '.']);
    let start = text.len() - text.trim_start().len();
    let length = text[start..].find(|c| !in_name(c)).unwrap_or(text.len() - start);
    let name = &text[start..start + length];
    if !ends_well(name) {
        let reason = format!("the name `{name}` must end with a letter or digit");
        return Err((reason, start..start + length));
    }
    let after = &text[start + length..];
    let Some(list) = after.trim_start().strip_prefix('[') else { return Ok(()) };
    let list = list.split(']').next().unwrap_or_default();
    // Words as the parser sees them: up to the first character that can't be in a name.
    match list.split(|c| !in_name(c)).find(|word| !ends_well(word)) {
        Some(word) => Err((format!("the extra `{word}` must end with a letter or digit"), 0..0)),
        None => Ok(()),
    }
}

/// The names that markers can compare (PEP 508).
const MARKERS: &[&str] = &[
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
];

/// Other spellings that people use, turned into the right one.
fn mend(text: &str, reason: &str) -> Option<String> {
    let valid = |text: &str| {
        check_names(text).is_ok() && Requirement::<pep508_rs::VerbatimUrl>::from_str(text).is_ok()
    };
    if let Some((_, found)) = reason.split_once("valid marker name, found `") {
        let near = nearest(found.trim_end_matches('`'), MARKERS.iter().copied());
        return near.map(|near| format!("did you mean `{near}`?"));
    }
    let candidates = [
        text.replacen('=', "==", 1),
        text.replacen(' ', "==", 1),
        text.replacen('^', ">=", 1),
        text.replacen('~', "~=", 1),
        text.replace('&', ","),
    ];
    let right = candidates.into_iter().find(|candidate| candidate != text && valid(candidate));
    right.map(|right| format!("did you mean `{right}`?"))
}
