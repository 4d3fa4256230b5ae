//! Where a dynamic version comes from.
//!
//! In this order: the environment, the `PKG-INFO` of a source distribution, what
//! `[tool.ekiben.version]` names. `PKG-INFO` comes before the rest because the metadata of a source
//! distribution is fixed: its wheel has the same version whatever surrounds the folder.

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;
use regex::Regex;

use super::{Context, git};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::settings::VersionSettings;
use crate::tree::KeyPath;
use crate::values::{ProjectPath, parse_version};

/// The variable that gives the version of whatever is built.
const VARIABLE: &str = "EKIBEN_VERSION";

pub(super) fn compute(
    cx: &mut Context<'_, '_>,
    settings: &VersionSettings,
    name: Option<&PackageName>,
) -> Option<Version> {
    if let Some((variable, text)) = from_environment(cx, name) {
        return match parse_version(&text) {
            Ok(version) => Some(version),
            Err(error) => {
                let error = Diagnostic::error("invalid-version", error.message).helps(error.help);
                cx.report.push(error.in_override(&variable));
                None
            }
        };
    }
    if let Some(version) = name.and_then(|name| from_pkg_info(cx, name)) {
        return Some(version);
    }
    let key = |key: &str| KeyPath::of(&["version", key]);
    if let Some(attribute) = &settings.attribute {
        let (module, name) = attribute.as_str().rsplit_once('.')?;
        let (_, text) = cx.module(module, &key("attribute"))?;
        return match super::python::assigned_text(text.text.as_str(), name) {
            Ok((found, span)) => parsed(cx, &found, &text, span),
            Err(error) => {
                cx.unreadable(&text, error);
                None
            }
        };
    }
    if let Some(file) = &settings.file {
        let text = cx.text(file, &key("file"))?;
        return from_file(cx, settings, file, &text);
    }
    settings.vcs?;
    let pattern = match &settings.tag_pattern {
        Some(pattern) => pattern.regex(),
        None => Regex::new(git::TAG_PATTERN).ok(),
    }?;
    match git::version(cx.around, &pattern, settings.local) {
        Ok(version) => Some(version),
        Err(trouble) => match &settings.fallback {
            Some(fallback) if trouble.is_absent => Some(fallback.version()),
            _ => {
                let error = Diagnostic::error(trouble.code, trouble.message).helps(trouble.help);
                cx.at_setting(error, &key("vcs"));
                None
            }
        },
    }
}

fn from_environment(cx: &Context<'_, '_>, name: Option<&PackageName>) -> Option<(String, String)> {
    let own = name.map(|name| {
        format!("{VARIABLE}_FOR_{}", name.as_ref().replace('-', "_").to_ascii_uppercase())
    });
    let names = own.into_iter().chain([VARIABLE.to_owned()]);
    names.into_iter().find_map(|variable| {
        let value = cx.around.variable(&variable)?;
        Some((variable, value))
    })
}

/// The version in the `PKG-INFO` beside `pyproject.toml`, if it is this project's.
fn from_pkg_info(cx: &Context<'_, '_>, name: &PackageName) -> Option<Version> {
    let path = ProjectPath::root().join("PKG-INFO");
    let text = String::from_utf8(cx.around.read(&path).ok()??).ok()?;
    let header = |wanted: &str| {
        let mut lines = text.lines().take_while(|line| !line.is_empty());
        lines.find_map(|line| line.strip_prefix(wanted)?.strip_prefix(':')).map(str::trim)
    };
    let is_ours = PackageName::from_str(header("Name")?).is_ok_and(|found| found == *name);
    Version::from_str(header("Version")?).ok().filter(|_| is_ours)
}

fn from_file(
    cx: &mut Context<'_, '_>,
    settings: &VersionSettings,
    file: &ProjectPath,
    text: &SourceText,
) -> Option<Version> {
    let Some(pattern) = &settings.pattern else {
        let trimmed = text.text.trim_start_matches('\u{feff}').trim();
        let start = text.text.find(trimmed).unwrap_or_default();
        return parsed(cx, trimmed, text, start..start + trimmed.len());
    };
    match pattern.regex()?.captures(&text.text).and_then(|found| found.name("version")) {
        Some(found) => parsed(cx, found.as_str(), text, found.range()),
        None => {
            let message = format!("the pattern finds nothing in `{file}`");
            let help = "in a pattern `^` and `$` are the ends of the file; `(?m)` before them makes them the ends of lines";
            let error = Diagnostic::error("pattern-without-match", message).help(help);
            cx.at_setting(error, &KeyPath::of(&["version", "pattern"]));
            None
        }
    }
}

fn parsed(
    cx: &mut Context<'_, '_>,
    found: &str,
    text: &SourceText,
    span: std::ops::Range<usize>,
) -> Option<Version> {
    match parse_version(found) {
        Ok(version) => Some(version),
        Err(error) => {
            let error = Diagnostic::error("invalid-version", error.message).helps(error.help);
            cx.report.push_in(text, error.at(Some(span)));
            None
        }
    }
}
