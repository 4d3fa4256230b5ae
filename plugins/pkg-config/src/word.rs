//! A word of `uses`: `pkg-config:glib-2.0>=2.50,<3`.

use ekiben_plugin::Diagnostic;

/// What all words of the plugin begin with.
pub(crate) const PREFIX: &str = "pkg-config:";

/// Longer ones first, so that `>=` isn't read as `>`.
const OPERATORS: [&str; 7] = [">=", "<=", "!=", "==", "=", ">", "<"];

/// A library and the versions of it that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// As in `uses`, to say that it is answered.
    pub(crate) text: String,
    /// The name of the `.pc` file, without its suffix.
    pub(crate) name: String,
    /// Operators and versions.
    constraints: Vec<(&'static str, String)>,
}

impl Word {
    /// Nothing for a word that another plugin is meant by.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, Diagnostic> {
        let Some(rest) = text.strip_prefix(PREFIX) else { return Ok(None) };
        let bad = |why: &str| {
            Diagnostic::error("bad-library", format!("`uses = [\"{text}\"]`: {why}"))
                .with_help("write `pkg-config:` and a name, with versions if need be: `pkg-config:glib-2.0>=2.50,<3`")
        };
        let end = rest.find(['>', '<', '=', '!']).unwrap_or(rest.len());
        let (name, constraints) = rest.split_at(end);
        let name = name.trim();
        if name.is_empty() {
            return Err(bad("there is no name"));
        }
        // A word that begins with `-` would be an option, and a path another file than it says.
        let fits = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
        if name.starts_with('-') || !name.chars().all(fits) {
            return Err(bad(&format!("`{name}` can't be a library's name")));
        }
        let mut read = Vec::new();
        for constraint in constraints.split(',').filter(|_| !constraints.is_empty()) {
            let constraint = constraint.trim();
            let operator = OPERATORS.into_iter().find(|operator| constraint.starts_with(operator));
            let Some(operator) = operator else {
                return Err(bad(&format!(
                    "`{constraint}` doesn't begin with >=, <=, =, !=, > or <"
                )));
            };
            let version = constraint[operator.len()..].trim();
            let fits = |c: char| c.is_ascii_alphanumeric() || "+-._~:".contains(c);
            if version.is_empty() || !version.chars().all(fits) {
                return Err(bad(&format!("`{version}` isn't a version")));
            }
            // pkg-config knows one sign of equality.
            let operator = if operator == "==" { "=" } else { operator };
            read.push((operator, version.to_owned()));
        }
        Ok(Some(Self { text: text.to_owned(), name: name.to_owned(), constraints: read }))
    }

    /// What pkg-config is asked for, an argument each.
    pub(crate) fn arguments(&self) -> Vec<String> {
        if self.constraints.is_empty() {
            return vec![self.name.clone()];
        }
        let with =
            |(operator, version): &(&str, String)| format!("{} {operator} {version}", self.name);
        self.constraints.iter().map(with).collect()
    }

    /// The versions that will do, for people.
    pub(crate) fn wanted(&self) -> Option<String> {
        let one = |(operator, version): &(&str, String)| format!("{operator} {version}");
        let all: Vec<_> = self.constraints.iter().map(one).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arguments(text: &str) -> Vec<String> {
        Word::parse(text).unwrap().unwrap().arguments()
    }

    #[test]
    fn names_and_versions_are_told_apart() {
        assert_eq!(arguments("pkg-config:zlib"), ["zlib"]);
        assert_eq!(arguments("pkg-config:libxml++-2.6"), ["libxml++-2.6"]);
        assert_eq!(
            arguments("pkg-config:glib-2.0 >= 2.50, <3, != 2.60"),
            ["glib-2.0 >= 2.50", "glib-2.0 < 3", "glib-2.0 != 2.60"]
        );
        assert_eq!(arguments("pkg-config:x==1"), ["x = 1"]);
        assert_eq!(Word::parse("numpy").unwrap(), None);
    }

    #[test]
    fn what_is_no_library_is_refused() {
        for (text, why) in [
            ("pkg-config:", "there is no name"),
            ("pkg-config:>=2", "there is no name"),
            ("pkg-config:--version", "can't be a library's name"),
            ("pkg-config:../zlib", "can't be a library's name"),
            ("pkg-config:zlib bar", "can't be a library's name"),
            ("pkg-config:zlib>=", "isn't a version"),
            ("pkg-config:zlib>=1,2", "doesn't begin with"),
            ("pkg-config:zlib=>1", "isn't a version"),
        ] {
            let refused = Word::parse(text).unwrap_err();
            assert!(refused.message.contains(why), "{text}: {}", refused.message);
        }
    }

    proptest! {
        #[test]
        fn no_argument_is_an_option(rest in "[ -~]{0,20}") {
            if let Ok(Some(word)) = Word::parse(&format!("{PREFIX}{rest}")) {
                for argument in word.arguments() {
                    prop_assert!(!argument.starts_with('-') && !argument.contains('/'));
                }
            }
        }
    }
}
