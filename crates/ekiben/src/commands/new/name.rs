//! The name of a new project, and of the package in it.

use ekiben_core::Problems;

use super::error;

/// What can't be the name of a package that is imported.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The public modules of the standard library, of all platforms and of all Pythons from 3.10 to 3.14:
/// `sys.stdlib_module_names`, and `test`. They come before what is installed.
const STANDARD_LIBRARY: &str = include_str!("stdlib.txt");

/// A project's name, and its package's.
pub(super) struct Name {
    pub(super) project: String,
    pub(super) package: String,
}

impl Name {
    pub(super) fn parse(text: &str) -> Result<Self, Problems> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if !text.chars().all(allowed) || !edge(text.chars().next()) || !edge(text.chars().last()) {
            return Err(error(
                format!("`{text}` can't be a project's name"),
                "letters, digits, `-`, `_` and `.` can be in one, letters and digits at its ends; \
                 give another with --name",
            ));
        }
        let lower = text.to_ascii_lowercase();
        let parts: Vec<&str> =
            lower.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
        let package = parts.join("_");
        if package.starts_with(|c: char| c.is_ascii_digit()) || KEYWORDS.contains(&package.as_str())
        {
            return Err(error(
                format!("`{text}` would make the package `{package}`, which can't be imported"),
                "give a name that is no keyword of Python and starts with a letter with --name",
            ));
        }
        if STANDARD_LIBRARY.lines().any(|module| module == package) {
            return Err(error(
                format!(
                    "`{text}` would make the package `{package}`, but Python's standard library has \
                     a module of that name, which would be imported instead"
                ),
                "give another name with --name",
            ));
        }
        Ok(Self { project: parts.join("-"), package })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_of_this_python_are_known() {
        let question = "import sys; print(*getattr(sys, 'stdlib_module_names', ['os', 'json']))";
        let output = std::process::Command::new("python3").args(["-c", question]).output().unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        let public: Vec<&str> =
            answer.split_whitespace().filter(|name| !name.starts_with('_')).collect();
        assert!(public.contains(&"json"), "{answer}");
        let known: Vec<&str> = STANDARD_LIBRARY.lines().collect();
        let missing: Vec<_> = public.iter().filter(|name| !known.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn words_are_joined_as_each_kind_of_name_wants_it() {
        let name = Name::parse("Egg_Box.two").unwrap();
        assert_eq!((name.project.as_str(), name.package.as_str()), ("egg-box-two", "egg_box_two"));
        assert!(Name::parse("statistics-of-eggs").is_ok());
    }
}
