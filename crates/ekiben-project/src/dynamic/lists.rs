//! Fields that are kept in files of their own: requirements, classifiers, the readme.

use std::str::FromStr;

use pep508_rs::ExtraName;

use super::Context;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::settings::{DynamicReadme, DynamicRequirements, FileList};
use crate::standard::{Dependency, Readme, ReadmeSource, parse_requirement, type_by_suffix};
use crate::tree::KeyPath;

/// A line that says something, and where in the text it begins.
struct Line<'t> {
    text: &'t str,
    start: usize,
}

/// The lines of a file without comments and blank ones.
fn lines(text: &SourceText) -> Vec<Line<'_>> {
    let mut all = Vec::new();
    let mut start = 0;
    for whole in text.text.split_inclusive('\n') {
        // A `#` inside a word belongs to it: the fragment of an address.
        let comment = whole
            .match_indices('#')
            .map(|(at, _)| at)
            .find(|at| *at == 0 || whole[..*at].ends_with(char::is_whitespace));
        let kept = whole[..comment.unwrap_or(whole.len())].trim_start_matches('\u{feff}');
        let trimmed = kept.trim();
        if !trimmed.is_empty() {
            let before = whole.find(trimmed).unwrap_or_default();
            all.push(Line { text: trimmed, start: start + before });
        }
        start += whole.len();
    }
    all
}

/// The requirements of the files, then those of the list. `None` if one is wrong.
pub(super) fn requirements(
    cx: &mut Context<'_, '_>,
    from: &DynamicRequirements,
    path: &KeyPath,
) -> Option<Vec<Dependency>> {
    let mut all = Some(Vec::new());
    for (file, path) in files(&from.file, &path.key("file")) {
        let Some(text) = cx.text(file, &path) else {
            all = None;
            continue;
        };
        for line in lines(&text) {
            match requirement(&line) {
                Ok(dependency) => {
                    if let Some(all) = &mut all {
                        all.push(dependency);
                    }
                }
                Err(error) => {
                    let span = line.start..line.start + line.text.len();
                    cx.report.push_in(&text, (*error).at(Some(span)));
                    all = None;
                }
            }
        }
    }
    for (at, text) in from.list.iter().enumerate() {
        match parse_requirement(text.as_str()) {
            Ok(dependency) => {
                if let Some(all) = &mut all {
                    all.push(dependency);
                }
            }
            Err(error) => {
                let error =
                    Diagnostic::error("invalid-requirement", error.message).helps(error.help);
                cx.at_setting(error, &path.key("list").index(at));
                all = None;
            }
        }
    }
    all
}

fn requirement(line: &Line<'_>) -> Result<Dependency, Box<Diagnostic>> {
    let fail = |message: String, help: Option<String>| {
        Box::new(Diagnostic::error("invalid-requirement", message).helps(help))
    };
    if line.text.starts_with('-') {
        let message = format!("`{}` is an option of pip, which metadata can't hold", line.text);
        let help =
            "keep requirements for pip in another file; name a file that `-r` names in `file` too";
        return Err(fail(message, Some(help.to_owned())));
    }
    if line.text.ends_with('\\') {
        let message = "a requirement that goes on in the next line can't be read".to_owned();
        return Err(fail(message, Some("write it on one line".to_owned())));
    }
    parse_requirement(line.text).map_err(|error| fail(error.message, error.help))
}

pub(super) fn optional_requirements<'d>(
    cx: &mut Context<'_, '_>,
    extras: impl IntoIterator<Item = (&'d String, &'d DynamicRequirements)>,
    path: &KeyPath,
) -> Option<Vec<(ExtraName, Vec<Dependency>)>> {
    let mut all: Option<Vec<(ExtraName, Vec<Dependency>)>> = Some(Vec::new());
    for (name, from) in extras {
        let path = path.key(name);
        let found = requirements(cx, from, &path);
        let extra = match ExtraName::from_str(name) {
            Ok(extra) if all.iter().flatten().any(|(other, _)| *other == extra) => {
                let message = format!("the extra `{name}` is there twice");
                let error = Diagnostic::error("duplicate-extra", message)
                    .help(format!("the names of extras are compared in the form `{extra}`"));
                cx.at_setting(error, &path);
                None
            }
            Ok(extra) => Some(extra),
            Err(_) => {
                let message = format!("`{name}` can't be the name of an extra");
                let error = Diagnostic::error("invalid-extra", message)
                    .help("use ASCII letters, digits, `-`, `_` and `.`");
                cx.at_setting(error, &path);
                None
            }
        };
        all = match (all, extra, found) {
            (Some(mut all), Some(extra), Some(found)) => {
                all.push((extra, found));
                Some(all)
            }
            _ => None,
        };
    }
    all
}

pub(super) fn classifiers(
    cx: &mut Context<'_, '_>,
    from: &FileList,
    path: &KeyPath,
) -> Option<Vec<String>> {
    let mut all = Some(Vec::new());
    for (file, path) in files(from, path) {
        match cx.text(file, &path) {
            Some(text) => {
                let found = lines(&text).into_iter().map(|line| line.text.to_owned());
                if let Some(all) = &mut all {
                    all.extend(found.collect::<Vec<_>>());
                }
            }
            None => all = None,
        }
    }
    all
}

/// The texts of the files, one after the other.
pub(super) fn readme(
    cx: &mut Context<'_, '_>,
    from: &DynamicReadme,
    path: &KeyPath,
) -> Option<Readme> {
    let mut texts = Some(Vec::new());
    let mut by_suffix = None;
    for (file, path) in files(&from.file, &path.key("file")) {
        by_suffix = by_suffix.or_else(|| type_by_suffix(file));
        match (cx.text(file, &path), &mut texts) {
            (Some(text), Some(texts)) => {
                texts.push(text.text.trim_start_matches('\u{feff}').to_owned());
            }
            _ => texts = None,
        }
    }
    let given = from.content_type.as_ref().map(|given| given.as_str().to_owned());
    let Some(content_type) = given.or(by_suffix.map(ToOwned::to_owned)) else {
        let error =
            Diagnostic::error("unknown-readme-type", "the suffix doesn't tell the readme's type")
                .help("add `content-type = \"text/markdown\"`, or `text/x-rst`, or `text/plain`");
        cx.at_setting(error, path);
        return None;
    };
    Some(Readme { source: ReadmeSource::Text(texts?.join("\n")), content_type })
}

/// The files with the places where they are named.
fn files<'l>(list: &'l FileList, path: &KeyPath) -> Vec<(&'l crate::values::ProjectPath, KeyPath)> {
    match list {
        FileList::One(file) => vec![(file, path.clone())],
        FileList::Several(files) => {
            files.iter().enumerate().map(|(at, file)| (file, path.index(at))).collect()
        }
    }
}
