//! [`Links`]: how compiled modules of packages become part of a program, and whether they did so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use ekiben_archive::normalize_name;
use serde::{Deserialize, Serialize};

use super::find::Found;
use super::report::Warning;
use super::{Error, Flavour};

/// Warnings of what a program lacks.
const LEFT_OUT: [&str; 3] = ["compiled-module", "missing-library", "syntax-error"];

/// How a compiled module becomes part of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// It is linked in, as a static wheel has it.
    Static,
    /// It is loaded from memory, as an ordinary wheel has it.
    Memory,
}

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "static" => Ok(Self::Static),
            "memory" => Ok(Self::Memory),
            _ => Err("write static or memory, or NAME=static or NAME=memory".to_owned()),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "static",
            Self::Memory => "memory",
        })
    }
}

/// How those of each package become part of a program. For what nothing is said of, what is there
/// decides: static wheels are linked in, and others loaded from memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Links {
    /// Those of packages that aren't named.
    pub others: Option<Link>,
    /// Those of distributions, by their names in normal form.
    packages: BTreeMap<String, Link>,
}

impl Links {
    /// Says it of a distribution, or by `*` of all that aren't named.
    pub fn set(&mut self, distribution: &str, link: Link) {
        match distribution {
            "*" => self.others = Some(link),
            _ => {
                self.packages.insert(normalize_name(distribution), link);
            }
        }
    }

    /// Has the modules of the project itself be linked in, unless it is named.
    pub fn link_own(&mut self, project: &str) {
        if self.others == Some(Link::Memory) {
            self.packages.entry(normalize_name(project)).or_insert(Link::Static);
        }
    }

    /// Takes a word of the command line, `static` or `NAME=static`.
    ///
    /// # Errors
    /// If it is none.
    pub fn take(&mut self, word: &str) -> Result<(), String> {
        match word.split_once('=') {
            Some((name, link)) => self.set(name.trim(), link.trim().parse()?),
            None => self.others = Some(word.parse()?),
        }
        Ok(())
    }

    /// What is said of a distribution.
    #[must_use]
    pub fn of(&self, distribution: &str) -> Option<Link> {
        self.packages.get(&normalize_name(distribution)).copied().or(self.others)
    }

    /// Whether anything is to be linked in that isn't there as a static wheel.
    #[must_use]
    pub fn ask_for_static(&self) -> bool {
        self.packages.values().chain(&self.others).any(|link| *link == Link::Static)
    }

    /// What was asked for by name.
    fn named(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(String::as_str)
    }

    /// Warnings of what isn't linked as it was asked for, in a program of a flavour.
    ///
    /// # Errors
    /// If something can't be.
    pub(crate) fn check(&self, found: &Found, flavour: Flavour) -> Result<Vec<Warning>, Error> {
        for module in &found.statics.modules {
            let (name, owner) = (&module.why.name, &module.distribution);
            if flavour == Flavour::Host {
                let why = "an interpreter of the machine can't be linked anew: it needs a runtime";
                return Err(Error::NotLinked { module: name.clone(), owner: owner.clone(), why });
            }
            if self.of(owner) == Some(Link::Memory) {
                let why = "it is to be loaded from memory, and is there as a static wheel only";
                return Err(Error::NotLinked { module: name.clone(), owner: owner.clone(), why });
            }
        }
        let mut warnings = Vec::new();
        let mut known = BTreeSet::new();
        for distribution in &found.report.distributions {
            known.insert(normalize_name(&distribution.name));
        }
        for module in &found.objects.modules {
            let owner = module.distribution.as_deref().unwrap_or(&module.why.name);
            if self.of(owner) == Some(Link::Static) && !module.optional {
                warnings.push(Warning {
                    code: "not-linked".to_owned(),
                    message: format!(
                        "`{}` of {owner} isn't linked in, for no static wheel of {owner} is there",
                        module.why.name
                    ),
                    file: Some(module.file.clone()),
                    line: 0,
                });
            }
        }
        for name in self.named().filter(|name| !known.contains(*name)) {
            warnings.push(Warning {
                code: "not-linked".to_owned(),
                message: format!(
                    "nothing of `{name}` is in the program, so nothing of it is linked"
                ),
                file: None,
                line: 0,
            });
        }
        Ok(warnings)
    }
}

/// What a program mustn't have that is made strictly.
pub(crate) fn strictly(warnings: &[Warning]) -> Result<(), Error> {
    let is_wrong = |code: &str| code == "not-linked" || LEFT_OUT.contains(&code);
    let wrong = warnings.iter().filter(|warning| is_wrong(&warning.code));
    let wrong: Vec<String> = wrong.map(|warning| warning.message.clone()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::Strict(wrong)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_more_than_what_is_said_of_all() {
        let mut links = Links::default();
        assert_eq!(links.of("NumPy"), None);
        for word in ["static", "Foo_Bar=memory"] {
            links.take(word).unwrap();
        }
        assert_eq!(links.of("NumPy"), Some(Link::Static));
        assert_eq!(links.of("foo-bar"), Some(Link::Memory));
        links.take("memory").unwrap();
        for project in ["spam", "foo.bar"] {
            links.link_own(project);
        }
        assert_eq!(links.of("Spam"), Some(Link::Static));
        assert_eq!([links.of("foo-bar"), links.of("numpy")], [Some(Link::Memory); 2]);
        for wrong in ["", "dynamic", "numpy=", "numpy=spam"] {
            let message = links.take(wrong).unwrap_err();
            assert!(message.starts_with("write static or memory"), "{message}");
        }
    }
}
