//! An SPDX expression (PEP 639) from what older metadata says of a licence.

use ekiben_project::SpdxExpression;

/// What was found out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Derived {
    /// The expression, and what it follows from if that isn't the field itself.
    Known { expression: String, from: Option<String> },
    /// Something is said, and it isn't clear.
    Unknown(String),
    /// Nothing is said.
    Nothing,
}

/// Free texts that people write, in lowercase, where only one licence can be meant.
const TEXTS: [(&str, &str); 28] = [
    ("mit license", "MIT"),
    ("the mit license", "MIT"),
    ("mit licence", "MIT"),
    ("expat", "MIT"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache-2", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license, version 2.0", "Apache-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("apache software license 2.0", "Apache-2.0"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("3-clause bsd", "BSD-3-Clause"),
    ("bsd 3-clause license", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("new bsd license", "BSD-3-Clause"),
    ("modified bsd", "BSD-3-Clause"),
    ("modified bsd license", "BSD-3-Clause"),
    ("bsd 2-clause", "BSD-2-Clause"),
    ("2-clause bsd", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("lgplv3+", "LGPL-3.0-or-later"),
    ("gplv3", "GPL-3.0-only"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("mpl 2.0", "MPL-2.0"),
    ("mozilla public license 2.0", "MPL-2.0"),
];

/// Classifiers that mean one licence, by what follows `License :: OSI Approved :: ` (the list of
/// classifiers of the index).
const CLASSIFIERS: [(&str, &str); 20] = [
    ("MIT License", "MIT"),
    ("MIT No Attribution License (MIT-0)", "MIT-0"),
    ("Apache Software License", "Apache-2.0"),
    ("Boost Software License 1.0 (BSL-1.0)", "BSL-1.0"),
    ("ISC License (ISCL)", "ISC"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("Mozilla Public License 1.1 (MPL 1.1)", "MPL-1.1"),
    ("GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
    ("GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"),
    ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
    ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("GNU Lesser General Public License v2 (LGPLv2)", "LGPL-2.0-only"),
    ("GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"),
    ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
    ("GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
    ("GNU Affero General Public License v3", "AGPL-3.0-only"),
    ("GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"),
    ("The Unlicense (Unlicense)", "Unlicense"),
    ("zlib/libpng License", "Zlib"),
    ("Python Software Foundation License", "PSF-2.0"),
];

/// Phrases of licences' texts that no other licence has, those that say more first.
const PHRASES: [(&str, &str); 8] = [
    ("Apache License Version 2.0, January 2004", "Apache-2.0"),
    ("Mozilla Public License Version 2.0", "MPL-2.0"),
    ("Boost Software License - Version 1.0", "BSL-1.0"),
    ("Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
    ("Permission to use, copy, modify, and/or distribute this software for any purpose", "ISC"),
    ("may be used to endorse or promote products derived", "BSD-3-Clause"),
    ("Redistributions in binary form must reproduce", "BSD-2-Clause"),
    ("This is free and unencumbered software released into the public domain", "Unlicense"),
];

/// Derives the expression. `files` are the licence files with their texts.
pub(crate) fn derive(
    text: Option<&str>,
    classifiers: &[String],
    files: &[(String, String)],
) -> Derived {
    let said = text.map(str::trim).filter(|text| !text.is_empty() && *text != "UNKNOWN");
    if let Some(said) = said {
        if let Ok(expression) = said.parse::<SpdxExpression>() {
            return Derived::Known { expression: expression.to_string(), from: None };
        }
        let lower = said.to_lowercase();
        if let Some((_, id)) = TEXTS.iter().find(|(text, _)| *text == lower) {
            let from = Some(format!("`{said}`"));
            return Derived::Known { expression: (*id).to_owned(), from };
        }
    }
    let named: Vec<&str> =
        classifiers.iter().filter_map(|c| c.strip_prefix("License :: ")).collect();
    let of_classifier = |name: &&str| {
        let name = name.strip_prefix("OSI Approved :: ").unwrap_or(name);
        CLASSIFIERS.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
    };
    if let [one] = named[..]
        && let Some(id) = of_classifier(&one)
    {
        let from = Some(format!("the classifier `License :: {one}`"));
        return Derived::Known { expression: id.to_owned(), from };
    }
    let found: Vec<(&str, &str)> = files
        .iter()
        .filter_map(|(path, text)| of_text(text).map(|id| (path.as_str(), id)))
        .collect();
    if let [(path, id)] = found[..]
        && named.len() <= 1
    {
        return Derived::Known {
            expression: id.to_owned(),
            from: Some(format!("the text of `{path}`")),
        };
    }
    match (said, &named[..]) {
        (None, []) => Derived::Nothing,
        (Some(said), _) => Derived::Unknown(format!(
            "name the licence with an SPDX expression (PEP 639); it was `{}`",
            said.chars().take(80).collect::<String>()
        )),
        (None, named) => Derived::Unknown(format!(
            "name the licence with an SPDX expression (PEP 639); the classifiers say {}",
            named.join(", ")
        )),
    }
}

fn of_text(text: &str) -> Option<&'static str> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    PHRASES.iter().find(|(phrase, _)| words.contains(phrase)).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: Option<&str>, classifiers: &[&str], files: &[(&str, &str)]) -> Option<String> {
        let classifiers: Vec<String> = classifiers.iter().map(|c| (*c).to_owned()).collect();
        let files: Vec<_> = files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect();
        match derive(text, &classifiers, &files) {
            Derived::Known { expression, .. } => Some(expression),
            Derived::Unknown(_) | Derived::Nothing => None,
        }
    }

    #[test]
    fn every_identifier_is_one_of_spdx() {
        let all = TEXTS.iter().chain(&CLASSIFIERS).chain(&PHRASES);
        for (_, id) in all {
            assert!(spdx::license_id(id).is_some(), "{id}");
        }
    }

    #[test]
    fn expressions_are_derived_where_only_one_can_be_meant() {
        let osi = "License :: OSI Approved :: ";
        let (mit, bsd) = (format!("{osi}MIT License"), format!("{osi}BSD License"));
        assert_eq!(known(Some("MIT"), &[], &[]).as_deref(), Some("MIT"));
        assert_eq!(
            known(Some("mit or apache-2.0"), &[], &[]).as_deref(),
            Some("MIT OR Apache-2.0")
        );
        assert_eq!(known(Some("Apache 2.0"), &[], &[]).as_deref(), Some("Apache-2.0"));
        assert_eq!(known(None, &[&mit], &[]).as_deref(), Some("MIT"));
        assert_eq!(known(None, &[&mit, &bsd], &[]), None);
        assert_eq!(known(Some("BSD"), &[&bsd], &[]), None);
        let text = "Redistributions in binary form\nmust reproduce the above";
        assert_eq!(
            known(Some("BSD"), &[&bsd], &[("LICENSE", text)]).as_deref(),
            Some("BSD-2-Clause")
        );
        assert_eq!(derive(None, &[], &[]), Derived::Nothing);
    }
}
