//! Metadata that every source states in the same words: brought into the form of `[project]`.
//!
//! What `[project]` would refuse becomes a note, so that what is written is valid.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{Requirement, VerbatimUrl};

use crate::license;
use crate::model::{Model, Person, Place, Readme};

/// The first line of a text, as a description.
pub(crate) fn set_description(model: &mut Model, text: &str) {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    model.description = Some(lines.join(" ")).filter(|text| !text.is_empty());
}

pub(crate) fn set_version(model: &mut Model, text: &str) {
    match Version::from_str(text.trim()) {
        Ok(version) => model.version = Some(version.to_string()),
        Err(_) => {
            let text = format!("{} says `{text}`, which isn't a version (PEP 440)", model.source);
            model.decide(Place::Project("version"), text);
        }
    }
}

pub(crate) fn set_requires_python(model: &mut Model, text: &str) {
    match VersionSpecifiers::from_str(text) {
        Ok(specifiers) => model.requires_python = Some(specifiers.to_string()),
        Err(_) => {
            let text = format!("`requires-python` was `{text}`, which isn't a range of versions");
            model.decide(Place::Project("requires-python"), text);
        }
    }
}

/// Requirements that can be read; others become notes.
pub(crate) fn requirements(
    model: &mut Model,
    place: Place,
    all: impl IntoIterator<Item = String>,
) -> Vec<String> {
    let mut good = Vec::new();
    for text in all {
        let text = text.trim().to_owned();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if Requirement::<VerbatimUrl>::from_str(&text).is_ok() {
            good.push(text);
        } else {
            model.decide(place, format!("`{text}` can't be read as a requirement (PEP 508)"));
        }
    }
    good
}

/// Names and addresses, which the old fields hold as lists with commas.
pub(crate) fn people(model: &mut Model, place: Place, names: &str, emails: &str) -> Vec<Person> {
    let split = |text: &str| -> Vec<String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let mut addresses = Vec::new();
    for text in split(emails) {
        let (name, email) = match text.split_once('<') {
            Some((name, email)) => (name.trim(), email.trim_end_matches('>').trim()),
            None => ("", text.as_str()),
        };
        if is_email(email) {
            let name = (!name.is_empty()).then(|| name.trim_matches('"').to_owned());
            addresses.push(Person { name, email: Some(email.to_owned()) });
        } else {
            model.decide(place, format!("`{text}` isn't an address of electronic mail"));
        }
    }
    let listed = split(names);
    let one_line = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
    if listed.len() == addresses.len() {
        for (person, name) in addresses.iter_mut().zip(&listed) {
            person.name.get_or_insert_with(|| one_line(name));
        }
        return addresses;
    }
    // Names with commas and one address, or names for which nobody can say whose the address is.
    let mut people: Vec<Person> = if addresses.len() == 1 && addresses[0].name.is_none() {
        let first = Person { name: Some(one_line(names)), ..addresses.remove(0) };
        vec![first]
    } else {
        listed.iter().map(|name| Person { name: Some(one_line(name)), email: None }).collect()
    };
    people.append(&mut addresses);
    people.retain(|person| person.name.as_deref() != Some("") || person.email.is_some());
    people
}

fn is_email(text: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c.is_control() || "<>,()\"".contains(c);
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(bad)
    })
}

pub(crate) fn add_url(model: &mut Model, label: &str, address: &str) {
    let (label, address) = (label.trim(), address.trim());
    let known = model.urls.iter().any(|(other, url)| other == label || url == address);
    if address.is_empty() || address == "UNKNOWN" || known {
        return;
    }
    let scheme = address.split_once("://").is_some_and(|(scheme, _)| !scheme.is_empty());
    let length = label.chars().count();
    let bad = |text: &str| text.chars().any(char::is_control);
    if !scheme || address.contains(' ') || bad(address) {
        model.decide(Place::Project("urls"), format!("`{address}` isn't an address in full"));
    } else if length == 0 || length > 32 || label.contains(',') || bad(label) {
        let text = format!("`{label}` can't be the label of {address}: at most 32 characters");
        model.decide(Place::Project("urls"), text);
    } else {
        model.urls.push((label.to_owned(), address.to_owned()));
    }
}

/// Keywords with commas between, or with blanks.
pub(crate) fn keywords(text: &str) -> Vec<String> {
    let parts: Vec<&str> = if text.contains(',') {
        text.split(',').collect()
    } else {
        text.split_whitespace().collect()
    };
    parts.into_iter().map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The licence, from a free text, classifiers and the project's licence files.
pub(crate) fn set_license(model: &mut Model, text: Option<&str>, files: &[(String, String)]) {
    match license::derive(text, &model.classifiers, files) {
        license::Derived::Known { expression, from } => {
            model.license = Some(expression);
            if let Some(from) = from {
                model.check(Place::Project("license"), format!("derived from {from}"));
            }
            model.classifiers.retain(|classifier| !classifier.starts_with("License ::"));
        }
        license::Derived::Unknown(why) => {
            model.decide(Place::Project("license"), why);
        }
        license::Derived::Nothing => {}
    }
}

/// The long description: a file of the project if its text is one's, else the text.
pub(crate) fn set_readme(
    model: &mut Model,
    text: &str,
    content_type: Option<&str>,
    files: &[(String, String)],
) {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = plain(text);
    if wanted.is_empty() {
        return;
    }
    let same = files.iter().find(|(_, content)| plain(content) == wanted);
    let start = || {
        files
            .iter()
            .filter(|(_, content)| !content.trim().is_empty())
            .find(|(_, content)| wanted.contains(&plain(content)))
    };
    if let Some((path, _)) = same {
        set_readme_file(model, path, content_type);
    } else if let Some((path, _)) = start() {
        set_readme_file(model, path, content_type);
        let text = format!("{} adds other texts to `{path}`", model.source);
        model.decide(Place::Project("readme"), text);
    } else if text.lines().count() == 1 && model.description.as_deref() == Some(text.trim()) {
        model.dropped("the long description is the description");
    } else {
        let content_type = content_type.unwrap_or("text/x-rst").to_owned();
        model.readme = Some(Readme::Text { text: text.to_owned(), content_type });
        model.check(Place::Project("readme"), "move the text to a file, and name it here");
    }
}

pub(crate) fn set_readme_file(model: &mut Model, path: &str, content_type: Option<&str>) {
    let by_suffix = match path.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("md") => Some("text/markdown"),
        Some("rst") => Some("text/x-rst"),
        Some("txt") => Some("text/plain"),
        _ => None,
    };
    // Without a type, an index takes the text for reStructuredText (core metadata).
    let wanted = content_type.map(|text| text.split(';').next().unwrap_or(text).trim());
    let content_type = match (by_suffix, wanted) {
        (Some(known), Some(wanted)) if known == wanted => None,
        (Some(_), None) => None,
        (_, Some(wanted)) => Some(wanted.to_owned()),
        (None, None) => Some("text/x-rst".to_owned()),
    };
    model.readme = Some(Readme::File { path: path.to_owned(), content_type });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_matched_with_addresses() {
        let mut model = Model::default();
        let mut of = |names, emails| {
            let people = people(&mut model, Place::Project("authors"), names, emails);
            let shown = people.into_iter().map(|person| {
                format!("{}<{}>", person.name.unwrap_or_default(), person.email.unwrap_or_default())
            });
            shown.collect::<Vec<_>>()
        };
        assert_eq!(of("Ann, Bob", "a@x.io, b@x.io"), ["Ann<a@x.io>", "Bob<b@x.io>"]);
        assert_eq!(of("Ann Lee, MPI", "a@x.io"), ["Ann Lee, MPI<a@x.io>"]);
        assert_eq!(of("", "Ann <a@x.io>"), ["Ann<a@x.io>"]);
        assert_eq!(of("Ann", "nowhere"), ["Ann<>"]);
        assert_eq!(model.notes.len(), 1);
    }

    #[test]
    fn a_readme_is_found_by_its_text() {
        let files = [("README.md".to_owned(), "# Spam\n\nIs good.\n".to_owned())];
        let mut model = Model::default();
        set_readme(&mut model, "# Spam\nIs good.", Some("text/markdown"), &files);
        let file = Readme::File { path: "README.md".to_owned(), content_type: None };
        assert_eq!(model.readme, Some(file.clone()));
        assert!(model.notes.is_empty());
        set_readme(&mut model, "# Spam\nIs good.\nChanges: none", Some("text/markdown"), &files);
        assert_eq!(model.readme, Some(file));
        assert_eq!(model.notes.len(), 1);
    }
}
