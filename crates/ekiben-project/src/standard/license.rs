//! `license` and `license-files` (PEP 639), and the forms that came before.

use std::fmt;
use std::str::FromStr;

use spdx::{Expression, ParseMode, error::Reason};

use super::read::Reader;
use super::readme::read_path;
use crate::suggest::nearest;
use crate::tree::{KeyPath, Node, Table};
use crate::values::{Glob, InvalidValue, ProjectPath};

/// The names under which licence files usually go (PEP 639 suggests them).
pub(crate) const DEFAULT_LICENSE_FILES: &[&str] =
    &["LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"];

/// What `license` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum License {
    /// An SPDX expression (PEP 639).
    Expression(SpdxExpression),
    /// Deprecated: a free text.
    Text(String),
    /// Deprecated: a file with the text.
    File(ProjectPath),
}

/// An SPDX licence expression in its canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpdxExpression(String);

impl SpdxExpression {
    /// The expression's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpdxExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SpdxExpression {
    type Err = InvalidValue;

    /// Identifiers and operators are taken in any case and brought into SPDX's own.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let spelled = canonical_spelling(text);
        let mode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };
        let fail = |error: spdx::ParseError| {
            let part = spelled.get(error.span.clone()).unwrap_or_default();
            let word = word_at(&spelled, error.span.start);
            let name = if word.is_empty() { part } else { word };
            let reason = match error.reason {
                Reason::UnknownLicense | Reason::UnknownTerm | Reason::UnknownException => {
                    format!("SPDX has no `{name}`")
                }
                Reason::UnclosedParens => "a `(` isn't closed".to_owned(),
                Reason::UnopenedParens => "a `)` was never opened".to_owned(),
                Reason::Empty => "it is empty".to_owned(),
                Reason::Unexpected(_) if part.is_empty() => "it ends too early".to_owned(),
                Reason::Unexpected(_) => format!("`{part}` can't stand here"),
                other => other.to_string(),
            };
            InvalidValue::new(format!("`{text}` isn't a licence expression: {reason}"))
                .help(license_help(text, name))
        };
        let expression = Expression::parse_mode(&spelled, mode).map_err(fail)?;
        if expression.requirements().any(|r| r.req.to_string().contains("DocumentRef-")) {
            return Err(InvalidValue::new(format!(
                "`{text}` isn't a licence expression: it refers to another document"
            ))
            .help("use `LicenseRef-` and a name of your own"));
        }
        Ok(Self(spelled))
    }
}

fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    rest.split([' ', '(', ')']).next().unwrap_or_default()
}

fn license_help(text: &str, name: &str) -> String {
    let known = spdx::identifiers::LICENSES.iter().map(|license| license.name);
    let common = |wanted: &str| match wanted.to_ascii_lowercase().as_str() {
        "bsd" | "new bsd" | "bsd license" => Some("BSD-3-Clause"),
        "apache" | "apache 2.0" | "apache2" | "apache license 2.0" => Some("Apache-2.0"),
        "gpl" | "gplv3" | "gpl3" => Some("GPL-3.0-or-later"),
        "lgpl" | "lgplv3" => Some("LGPL-3.0-or-later"),
        "mit license" | "the mit license" => Some("MIT"),
        "psf" => Some("PSF-2.0"),
        "mpl" => Some("MPL-2.0"),
        _ => None,
    };
    let near = common(text).or_else(|| common(name)).or_else(|| nearest(name, known));
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "use an identifier of https://spdx.org/licenses/, or `LicenseRef-` and a name of your own".to_owned(),
    }
}

/// Brings identifiers and operators into SPDX's own spelling; what it doesn't know stays.
fn canonical_spelling(text: &str) -> String {
    let padded = text.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<String> = padded
        .split_whitespace()
        .map(|word| {
            let (base, plus) = word.strip_suffix('+').map_or((word, ""), |base| (base, "+"));
            let license = spdx::identifiers::LICENSES
                .iter()
                .map(|license| license.name)
                .find(|name| name.eq_ignore_ascii_case(base));
            let exception = spdx::identifiers::EXCEPTIONS
                .iter()
                .map(|exception| exception.name)
                .find(|name| name.eq_ignore_ascii_case(base));
            if ["and", "or", "with"].iter().any(|op| op.eq_ignore_ascii_case(word)) {
                word.to_ascii_uppercase()
            } else if let Some(name) = license.or(exception) {
                format!("{name}{plus}")
            } else if word.get(..11).is_some_and(|p| p.eq_ignore_ascii_case("LicenseRef-")) {
                format!("LicenseRef-{}", &word[11..])
            } else {
                word.to_owned()
            }
        })
        .collect();
    words.join(" ").replace("( ", "(").replace(" )", ")")
}

pub(super) fn read_license(
    reader: &mut Reader<'_, '_>,
    node: &Node,
    path: &KeyPath,
) -> Option<License> {
    if node.as_str().is_some() {
        let text = reader.line(node, path)?;
        return match SpdxExpression::from_str(text) {
            Ok(expression) => Some(License::Expression(expression)),
            Err(error) => {
                reader.error("invalid-license", error.message, node, path, error.help);
                None
            }
        };
    }
    let Some(table) = node.as_table() else {
        reader.wrong_type("a string", node, path);
        return None;
    };
    for entry in &table.entries {
        const KEYS: &[&str] = &["file", "text"];
        if !KEYS.contains(&entry.key.as_str()) {
            reader.unknown_key(entry, KEYS, path);
        }
    }
    let license = match (table.get("text"), table.get("file")) {
        (Some(text), None) => match text.as_str() {
            Some(text) => License::Text(text.to_owned()),
            None => {
                reader.wrong_type("a string", text, &path.key("text"));
                return None;
            }
        },
        (None, Some(file)) => License::File(read_path(reader, file, &path.key("file"))?),
        (text, _) => {
            let (code, message) = if text.is_some() {
                ("file-and-text", "`license` has both `file` and `text`")
            } else {
                ("missing-key", "`license` has neither `file` nor `text`")
            };
            let help = "name the licence with an SPDX expression: `license = \"MIT\"`".to_owned();
            reader.error(code, message, node, path, [help]);
            return None;
        }
    };
    let help = match &license {
        License::Text(text) => match SpdxExpression::from_str(text) {
            Ok(expression) => format!("write `license = \"{expression}\"` (PEP 639)"),
            Err(_) => "write an SPDX expression, such as `license = \"MIT\"` (PEP 639)".to_owned(),
        },
        _ => "write an SPDX expression, such as `license = \"MIT\"`, and name the file in `license-files` (PEP 639)".to_owned(),
    };
    reader.warning("deprecated-license", "a table as `license` is deprecated", node, path, [help]);
    Some(license)
}

pub(super) fn read_license_files(
    reader: &mut Reader<'_, '_>,
    node: &Node,
    path: &KeyPath,
    project: &Table,
) -> Vec<Glob> {
    if project.get("license").is_some_and(|license| license.as_table().is_some()) {
        let message = "`license-files` can't stand beside a table as `license`";
        let help = "write `license` as an SPDX expression, such as `license = \"MIT\"` (PEP 639)";
        reader.error("license-files-with-table", message, node, path, [help.to_owned()]);
    }
    if let Some(paths) = node.as_table() {
        let message = "a table as `license-files` was a draft of PEP 639";
        let inner = paths.get("paths").or(paths.get("globs")).map(Node::to_json);
        let help = inner.map(|list| format!("write `license-files = {list}`"));
        reader.error("wrong-type", message, node, path, help);
        return Vec::new();
    }
    let mut globs = Vec::new();
    for (at, item) in reader.array(node, path).iter().enumerate() {
        let path = path.index(at);
        let Some(text) = reader.line(item, &path) else { continue };
        match license_glob(text) {
            Ok(glob) => globs.push(glob),
            Err(error) => reader.error("invalid-glob", error.message, item, &path, error.help),
        }
    }
    globs
}

/// PEP 639's patterns: letters, digits, `_`, `-`, `.`, `/`, and `*`, `**`, `?`, `[…]`.
fn license_glob(text: &str) -> Result<Glob, InvalidValue> {
    let mut in_set = false;
    for c in text.chars() {
        let good = match c {
            '[' => !std::mem::replace(&mut in_set, true),
            ']' => std::mem::replace(&mut in_set, false),
            '*' | '?' | '/' => !in_set,
            _ => c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '),
        };
        if !good {
            return Err(InvalidValue::new(format!("`{c}` can't stand there in `{text}`"))
                .help("patterns for licence files have letters, digits, `_-./`, and `*`, `**`, `?`, `[…]` (PEP 639)"));
        }
    }
    Glob::from_str(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn expressions_get_their_canonical_spelling() {
        for (given, canonical) in [
            ("mit", "MIT"),
            ("mit OR apache-2.0", "MIT OR Apache-2.0"),
            ("( gpl-3.0-only with gcc-exception-3.1 )", "(GPL-3.0-only WITH GCC-exception-3.1)"),
            ("licenseref-Mine and zlib", "LicenseRef-Mine AND Zlib"),
            ("GPL-2.0", "GPL-2.0"),
            ("apache-2.0+", "Apache-2.0+"),
        ] {
            assert_eq!(SpdxExpression::from_str(given).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn wrong_expressions_say_why() {
        for (given, message) in [
            ("BSD", "SPDX has no `BSD`"),
            ("MIT OR", "ends too early"),
            ("(MIT", "`(` isn't closed"),
            ("", "empty"),
        ] {
            let error = SpdxExpression::from_str(given).unwrap_err();
            assert!(error.message.contains(message), "{given}: {}", error.message);
        }
    }
}
