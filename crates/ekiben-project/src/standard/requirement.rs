//! Dependency specifiers (PEP 508).
//!
//! A dependency keeps its author's own text: what ends up in the metadata is what was written,
//! once it is known to be valid. `pep508_rs` would print another, logically equal marker.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use pep508_rs::{Pep508Error, Requirement, VersionOrUrl};

use crate::diagnostic::SourceText;
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
    let fail = |message: String, help: Option<String>, part: Range<usize>| RequirementError {
        message: format!("`{text}` isn't a dependency: {message}"),
        help,
        text: text.to_owned(),
        part,
    };
    match Requirement::from_str(text) {
        Ok(requirement) => {
            if let Some(VersionOrUrl::Url(_)) = requirement.version_or_url {
                let address = text.split_once('@').map_or("", |(_, address)| address);
                if !address.contains("://") && !address.trim_start().starts_with("file:") {
                    let message = "what follows `@` isn't an address".to_owned();
                    let help = "write a full one, such as `name @ https://…`".to_owned();
                    return Err(fail(message, Some(help), 0..0));
                }
            }
            Ok(Dependency { text: text.trim().to_owned(), requirement })
        }
        Err(Pep508Error { message, start, len, .. }) => {
            let message = message.to_string();
            let message = message.lines().next().unwrap_or_default();
            Err(fail(message.to_owned(), mend(text), start..start.saturating_add(len)))
        }
    }
}

/// Other spellings that people use, turned into the right one.
fn mend(text: &str) -> Option<String> {
    let valid = |text: &str| Requirement::<pep508_rs::VerbatimUrl>::from_str(text).is_ok();
    let candidates = [
        // name=1, name 1.2, name>=1;python… and poetry's name^1.2
        text.replacen('=', "==", 1),
        text.replacen(' ', "==", 1),
        text.replacen('^', ">=", 1),
        text.replacen(['~'], "~=", 1),
        text.replace('&', ","),
    ];
    candidates
        .into_iter()
        .find(|candidate| candidate != text && valid(candidate))
        .map(|candidate| format!("did you mean `{candidate}`?"))
        .or_else(|| Some("dependencies look like `numpy>=2,<3; python_version < \"3.13\"` (PEP 508)".to_owned()))
}
