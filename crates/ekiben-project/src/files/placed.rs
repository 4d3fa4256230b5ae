//! Files that have a place in the wheel of their own: `[tool.ekiben.wheel]` `files`, `scripts`,
//! `data`, `headers`, `purelib-files`, `platlib-files`.
//!
//! One rule for all: a path to a file names that file; a folder or pattern stands for the files
//! below it, which keep their paths below the folder, or below the part of the pattern that has
//! nothing to match. A target with a slash at its end is a folder, another one a file's place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::patterns::Patterns;
use super::select::{describe, near_file};
use super::walk::Tree;
use super::{GeneratedFile, InstalledFile, PlacedFile, Reason, Scheme};
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::settings::Placements;
use crate::values::{Glob, ProjectPath, WheelTarget};

pub(super) fn placed(
    project: &Project,
    tree: &Tree,
    errors: &mut Vec<Diagnostic>,
) -> Vec<PlacedFile> {
    let settings = &project.settings().wheel;
    let mut placer = Placer { project, tree, errors, files: Vec::new() };
    placer.table(Scheme::Root, "files", &settings.files);
    placer.placements(Scheme::Scripts, "scripts", &settings.scripts);
    placer.table(Scheme::Data, "data", &settings.data);
    placer.placements(Scheme::Headers, "headers", &settings.headers);
    placer.table(Scheme::Purelib, "purelib-files", &settings.purelib_files);
    placer.table(Scheme::Platlib, "platlib-files", &settings.platlib_files);
    placer.files
}

struct Placer<'p> {
    project: &'p Project,
    tree: &'p Tree,
    errors: &'p mut Vec<Diagnostic>,
    files: Vec<PlacedFile>,
}

impl Placer<'_> {
    fn placements(&mut self, scheme: Scheme, key: &'static str, placements: &Placements) {
        match placements {
            Placements::Targets(table) => self.table(scheme, key, table),
            Placements::Names(globs) => {
                for (at, glob) in globs.iter().enumerate() {
                    let at = at.to_string();
                    for (source, _) in self.sources(glob, &[key, &at]) {
                        let target = source.file_name().to_owned();
                        self.push(scheme, key, glob, source, target);
                    }
                }
            }
        }
    }

    fn table(&mut self, scheme: Scheme, key: &'static str, table: &BTreeMap<String, WheelTarget>) {
        for (pattern, target) in table {
            // What isn't one was reported when the settings were read.
            let Ok(glob) = pattern.parse::<Glob>() else { continue };
            let keys = [key, pattern.as_str()];
            let sources = self.sources(&glob, &keys);
            if sources.len() > 1 && !target.is_folder() {
                let message = format!(
                    "`{pattern}` stands for {} files, and `{target}` is a place for one",
                    sources.len()
                );
                let error = self.error(&keys, "file-as-folder", &message);
                self.errors.push(error.help(format!("write \"{target}/\" for a folder")));
                continue;
            }
            for (source, rest) in sources {
                let target = target.place(&rest);
                self.push(scheme, key, &glob, source, target);
            }
        }
    }

    fn error(&self, keys: &[&str], code: &'static str, message: &str) -> Diagnostic {
        let path: Vec<&str> = ["wheel"].into_iter().chain(keys.iter().copied()).collect();
        self.project.error_at(&path, code, message)
    }

    /// The files that a pattern stands for, each with the path that it keeps.
    fn sources(&mut self, glob: &Glob, keys: &[&str]) -> Vec<(ProjectPath, String)> {
        let patterns = Patterns::new(std::slice::from_ref(glob));
        let base = glob.literal_folder();
        let mut found = Vec::new();
        for file in self.tree.files.iter().filter(|file| patterns.of_path(&file.path).is_some()) {
            if let Some(trouble) = &file.trouble {
                self.errors.push(self.project.placed(describe(&file.path, trouble)));
            }
            let is_itself = file.path.as_str() == glob.as_str();
            let kept = if is_itself { None } else { file.path.strip_folder(&base) };
            let kept = kept.unwrap_or(file.path.file_name()).to_owned();
            found.push((file.path.clone(), kept));
        }
        if found.is_empty() {
            let message = format!("no file matches `{glob}`");
            let error = self.error(keys, "unmatched-include", &message);
            self.errors.push(error.helps(near_file(self.tree, glob)));
        }
        found
    }

    fn push(
        &mut self,
        scheme: Scheme,
        key: &'static str,
        glob: &Glob,
        source: ProjectPath,
        target: String,
    ) {
        let reason = Reason::Placed(key, glob.clone());
        let file = PlacedFile { source, scheme, target, reason };
        let is_same = |other: &PlacedFile| {
            (&other.source, other.scheme, &other.target) == (&file.source, scheme, &file.target)
        };
        if !self.files.iter().any(is_same) {
            self.files.push(file);
        }
    }
}

/// Files that would be installed in one place, each an error that names both.
pub(super) fn conflicts(
    project: &Project,
    installed: &[InstalledFile],
    generated: &[GeneratedFile],
    placed: &[PlacedFile],
) -> Vec<Diagnostic> {
    let mut places: BTreeMap<(Option<&str>, &str), (&ProjectPath, &Reason)> = BTreeMap::new();
    for file in installed.iter().filter(|file| file.in_wheel) {
        places.insert((None, &file.target), (&file.source, &file.reason));
    }
    for file in generated {
        places.insert((None, &file.target), (&file.path, &file.reason));
    }
    let mut errors = Vec::new();
    for file in placed {
        let folder = match file.scheme {
            // These are one folder on most systems.
            Scheme::Root | Scheme::Purelib | Scheme::Platlib => None,
            other => other.data_folder(),
        };
        let claim = (&file.source, &file.reason);
        let Some((other, reason)) = places.insert((folder, &file.target), claim) else { continue };
        let message = format!(
            "two files go to `{}`: `{other}` ({reason}) and `{}` ({})",
            file.target, file.source, file.reason
        );
        let key = match &file.reason {
            Reason::Placed(key, _) => *key,
            _ => "files",
        };
        let error = project.error_at(&["wheel", key], "two-sources", &message);
        errors.push(error.help("give one of them another target, or leave it out"));
    }
    errors
}

/// A script as it must be in a wheel: a first line that names some Python becomes `#!python`, which
/// installers replace by the interpreter they install for.
#[must_use]
pub fn script_for_wheel(content: &[u8]) -> Cow<'_, [u8]> {
    let end = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
    let (first, rest) = content.split_at(end);
    let Some(line) = std::str::from_utf8(first).ok().and_then(|line| line.strip_prefix("#!"))
    else {
        return Cow::Borrowed(content);
    };
    let mut words = line.split_whitespace();
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let mut program = words.next().map(name);
    if program.as_deref() == Some("env") {
        program = words.next().map(name);
    }
    let stem =
        program.as_deref().map(|p| p.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'));
    let python = match stem {
        Some("python" | "pypy") => "python",
        Some("pythonw") => "pythonw",
        _ => return Cow::Borrowed(content),
    };
    let arguments: String = words.map(|word| format!(" {word}")).collect();
    let mut changed = format!("#!{python}{arguments}").into_bytes();
    changed.extend_from_slice(rest);
    Cow::Owned(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installers_find_the_line_they_replace() {
        let changed = |text: &str| String::from_utf8(script_for_wheel(text.as_bytes()).to_vec());
        for (line, wanted) in [
            ("#!/usr/bin/env python3\nx", "#!python\nx"),
            ("#! /usr/local/bin/python3.11 -E -s\r\nx", "#!python -E -s\nx"),
            ("#!python\n", "#!python\n"),
            ("#!/usr/bin/env pythonw", "#!pythonw"),
            ("#!/bin/sh\npython", "#!/bin/sh\npython"),
            ("#!/usr/bin/env ipython\n", "#!/usr/bin/env ipython\n"),
            ("print(1)\n", "print(1)\n"),
        ] {
            assert_eq!(changed(line).as_deref(), Ok(wanted), "{line:?}");
        }
        assert_eq!(script_for_wheel(b"#!\xff\n"), &b"#!\xff\n"[..]);
    }
}
