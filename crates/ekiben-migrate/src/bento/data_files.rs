//! `DataFiles`: from Bento's folders, such as `$mandir`, to places in a wheel.
//!
//! Bento puts a file where its path below `SourceDir` says, below `TargetDir`. What lands where a
//! package has it anyway needs no setting; the rest goes to `files`, `scripts` or `data` of
//! `[tool.ekiben.wheel]`, or becomes a note.

use std::collections::BTreeMap;

use crate::flags::push_new;
use crate::model::{Model, Place};

/// Bento's folders on Linux, but for those that [`Target`] stands for.
const FOLDERS: [(&str, &str); 19] = [
    ("eprefix", "$prefix"),
    ("bindir", "$eprefix/bin"),
    ("sbindir", "$eprefix/sbin"),
    ("libexecdir", "$eprefix/libexec"),
    ("sysconfdir", "$prefix/etc"),
    ("sharedstatedir", "$prefix/com"),
    ("localstatedir", "$prefix/var"),
    ("libdir", "$eprefix/lib"),
    ("includedir", "$prefix/include"),
    ("datarootdir", "$prefix/share"),
    ("datadir", "$datarootdir"),
    ("mandir", "$datarootdir/man"),
    ("infodir", "$datarootdir/info"),
    ("localedir", "$datarootdir/locale"),
    ("docdir", "$datarootdir/doc/$pkgname"),
    ("htmldir", "$docdir"),
    ("dvidir", "$docdir"),
    ("pdfdir", "$docdir"),
    ("pkgdatadir", "$datadir/$pkgname"),
];

/// Variables inside variables; those of a file could go round in a circle.
const DEEPEST: usize = 10;

/// A section `DataFiles`, with paths from the project's root.
#[derive(Debug, Clone)]
pub(super) struct DataFiles {
    pub(super) name: String,
    /// Without slashes at its ends; empty for the root.
    pub(super) source: String,
    pub(super) target: String,
    pub(super) patterns: Vec<String>,
}

/// Where files go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// Below `$sitedir`, where packages are.
    Site(String),
    /// Below `$prefix`.
    Prefix(String),
}

/// Puts the files into the model, whose packages are known. `options` are the project's own folders,
/// by their names.
pub(super) fn place(all: &[DataFiles], options: &BTreeMap<String, String>, model: &mut Model) {
    let name = model.name.clone().unwrap_or_default();
    for data in all {
        let target = resolve(&data.target, options, &name);
        for pattern in &data.patterns {
            let pattern = pattern.trim_start_matches("./");
            let placed = target.as_ref().is_some_and(|to| place_one(data, pattern, to, model));
            if !placed {
                let text = format!(
                    "the data files `{}` (`{}`) went to `{}`: name them in [tool.ekiben.wheel]",
                    data.name,
                    joined(&data.source, pattern),
                    data.target
                );
                model.decide(Place::Settings("wheel"), text);
            }
        }
    }
}

/// Whether a place for the files was found.
fn place_one(data: &DataFiles, pattern: &str, target: &Target, model: &mut Model) -> bool {
    let from = joined(&data.source, pattern);
    let below = literal_folder(pattern);
    let (table, folder) = match target {
        Target::Site(folder) => {
            let root = model.package_root.as_deref().filter(|root| *root != ".");
            let there = joined(root.unwrap_or_default(), &joined(folder, pattern));
            let folder = joined(folder, below);
            let top = folder.split('/').next().unwrap_or_default();
            if there == from && model.packages.iter().flatten().any(|name| name == top) {
                let why = format!("`DataFiles: {}`: files in packages are installed", data.name);
                model.dropped(why);
                return true;
            }
            (&mut model.files, folder)
        }
        Target::Prefix(folder) if joined(folder, below) == "bin" => {
            push_new(&mut model.scripts, from);
            return true;
        }
        Target::Prefix(folder) => (&mut model.data, joined(folder, below)),
    };
    if folder.is_empty() || table.iter().any(|(other, _)| *other == from) {
        return false;
    }
    table.push((from, format!("{folder}/")));
    true
}

/// The place that a text with variables means; none if it isn't below a known folder.
fn resolve(text: &str, options: &BTreeMap<String, String>, name: &str) -> Option<Target> {
    let mut text = text.to_owned();
    for _ in 0..DEEPEST {
        text = text.replace("$pkgname", name);
        let rest = text.strip_prefix('$')?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (variable, after) = rest.split_at(end.unwrap_or(rest.len()));
        if after.contains('$') || after.split('/').any(|part| part == "..") {
            return None;
        }
        let folder = || after.trim_matches('/').to_owned();
        let value = match variable {
            "sitedir" => return Some(Target::Site(folder())),
            "prefix" => return Some(Target::Prefix(folder())),
            _ => match options.get(variable) {
                Some(value) => value,
                None => FOLDERS.iter().find(|(known, _)| *known == variable)?.1,
            },
        };
        text = format!("{value}{after}");
    }
    None
}

/// The part of a pattern that has nothing to match, without its last component.
fn literal_folder(pattern: &str) -> &str {
    let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    pattern.get(..wild).and_then(|start| start.rsplit_once('/')).map_or("", |(folder, _)| folder)
}

fn joined(folder: &str, path: &str) -> String {
    match (folder, path) {
        ("", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, path) => format!("{folder}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Option<Target> {
        let options = [("noise", "$datadir/noise"), ("round", "$about"), ("about", "$round")];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        resolve(text, &BTreeMap::from(options), "spam")
    }

    #[test]
    fn folders_are_below_the_prefix_or_beside_packages() {
        let prefix = |folder: &str| Some(Target::Prefix(folder.to_owned()));
        assert_eq!(resolved("$mandir/man1"), prefix("share/man/man1"));
        assert_eq!(resolved("$pkgdatadir/"), prefix("share/spam"));
        assert_eq!(resolved("$docdir/examples"), prefix("share/doc/spam/examples"));
        assert_eq!(resolved("$noise/"), prefix("share/noise"));
        assert_eq!(resolved("$eprefix"), prefix(""));
        assert_eq!(resolved("$sitedir/$pkgname/"), Some(Target::Site("spam".to_owned())));
        for unknown in ["/etc", "$nowhere/x", "$round", "$prefix/../x", "$libdir/python$py", "$"] {
            assert_eq!(resolved(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_literal_part_of_a_pattern_ends_at_a_slash() {
        for (pattern, folder) in [("a/b/*.txt", "a/b"), ("a/b*/c", "a"), ("*.1", ""), ("a/b", "a")]
        {
            assert_eq!(literal_folder(pattern), folder, "{pattern}");
        }
    }
}
