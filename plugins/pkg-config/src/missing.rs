//! Why pkg-config found nothing, read from what it said, and what the user can do about it.
//!
//! pkg-config and pkgconf say the same in different words; neither can be asked for the reason in
//! any other way.

use ekiben_plugin::Diagnostic;

use crate::packages::{System, how_to_install};
use crate::word::Word;

/// What is wrong with a library.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    /// There is no `.pc` file of this name.
    Missing(String),
    /// It is there in this version, which won't do.
    Version { name: String, present: String },
    /// Something else, in pkg-config's words.
    Other(String),
}

/// What stands between the first two quotation marks, and what follows.
fn quoted(line: &str) -> Option<(&str, &str)> {
    line.split_once('\'')?.1.split_once('\'')
}

fn read(said: &str) -> Trouble {
    for line in said.lines() {
        let Some((first, rest)) = quoted(line) else { continue };
        // `Package 'x', required by 'y', not found`, or `No package 'x' found`.
        if rest.ends_with("not found") || line.starts_with("No package") {
            return Trouble::Missing(first.to_owned());
        }
        // `Package 'x' has version '1', required version is '>= 2'`
        if rest.starts_with(" has version")
            && let Some((present, _)) = quoted(rest)
        {
            return Trouble::Version { name: first.to_owned(), present: present.to_owned() };
        }
        // `Requested 'x >= 2' but version of x is 1`
        if let Some((_, named)) = rest.split_once("version of ")
            && let Some((name, present)) = named.rsplit_once(" is ")
        {
            return Trouble::Version { name: name.to_owned(), present: present.to_owned() };
        }
    }
    Trouble::Other(said.trim().to_owned())
}

/// A warning about folders in a variable that pkg-config wouldn't find: it runs elsewhere.
pub(crate) fn relative_folders(variable: &str, value: &str) -> Option<Diagnostic> {
    if !["PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"].contains(&variable) {
        return None;
    }
    let relative: Vec<&str> =
        value.split(':').filter(|folder| !folder.is_empty() && !folder.starts_with('/')).collect();
    (!relative.is_empty()).then(|| {
        let message = format!(
            "{variable} names {}, which isn't looked in: the folder it is relative to isn't known",
            relative.join(", ")
        );
        Diagnostic::warning("relative-search-path", message)
            .with_help(format!("write absolute folders into {variable}"))
    })
}

/// The error about a library that a product uses and pkg-config doesn't find.
pub(crate) fn explain(word: &Word, product: &str, said: &str, here: Option<System>) -> Diagnostic {
    let needed_by = |name: &str| {
        let by = if name == word.name { "" } else { ", which it needs," };
        format!("`uses = [\"{}\"]` of `{product}`: the library `{name}`{by}", word.text)
    };
    let with_all =
        |error: Diagnostic, help: Vec<String>| help.into_iter().fold(error, Diagnostic::with_help);
    match read(said) {
        Trouble::Missing(name) => {
            let message =
                format!("{} isn't installed, or not with its development files", needed_by(&name));
            with_all(Diagnostic::error("missing-library", message), how_to_install(&name, here))
                .with_help(format!(
                    "if it is installed elsewhere, name the folder of its {name}.pc in PKG_CONFIG_PATH"
                ))
        }
        Trouble::Version { name, present } => {
            let wanted = match word.wanted() {
                Some(wanted) if name == word.name => format!("{wanted} is wanted"),
                _ => "another one is wanted".to_owned(),
            };
            let message = format!("{} has the version {present}, and {wanted}", needed_by(&name));
            Diagnostic::error("library-version", message).with_help(
                "install a fitting version, and name the folder of its .pc file in PKG_CONFIG_PATH if pkg-config doesn't look there",
            )
        }
        Trouble::Other(said) => {
            let message = format!("`uses = [\"{}\"]` of `{product}`: pkg-config failed", word.text);
            Diagnostic::error("pkg-config-failed", message).with_help(format!("it says: {said}"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word::parse(text).unwrap().unwrap()
    }

    #[test]
    fn both_programs_are_understood() {
        let missing = Trouble::Missing("bar".into());
        assert_eq!(
            read(
                "Package bar was not found in the pkg-config search path.\nPerhaps you should add the directory containing `bar.pc'\nto the PKG_CONFIG_PATH environment variable\nPackage 'bar', required by 'foo', not found\n"
            ),
            missing
        );
        assert_eq!(
            read(
                "Package bar was not found in the pkg-config search path.\nPerhaps you should add the directory containing `bar.pc'\nto the PKG_CONFIG_PATH environment variable\nNo package 'bar' found\n"
            ),
            missing
        );
        let version = Trouble::Version { name: "zlib".into(), present: "1.2.13".into() };
        assert_eq!(
            read(
                "Package dependency requirement 'zlib >= 9' could not be satisfied.\nPackage 'zlib' has version '1.2.13', required version is '>= 9'\n"
            ),
            version
        );
        assert_eq!(read("Requested 'zlib >= 9' but version of zlib is 1.2.13\n"), version);
        assert_eq!(read("it burns\n"), Trouble::Other("it burns".into()));
    }

    #[test]
    fn a_missing_library_is_named_with_the_package_that_brings_it() {
        let said = "Package 'zlib', required by 'virtual:world', not found";
        let error = explain(&word("pkg-config:zlib"), "spam._core", said, Some(System::Debian));
        insta::assert_snapshot!(format!("{}\n{}", error.message, error.help.join("\n")), @r#"
        `uses = ["pkg-config:zlib"]` of `spam._core`: the library `zlib` isn't installed, or not with its development files
        install it: `apt-get install zlib1g-dev`
        if it is installed elsewhere, name the folder of its zlib.pc in PKG_CONFIG_PATH
        "#);
        let said = "Package 'zlib', required by 'libpng', not found";
        let error = explain(&word("pkg-config:libpng"), "spam._core", said, Some(System::Debian));
        assert!(error.message.contains("the library `zlib`, which it needs, isn't"), "{error:?}");
    }

    #[test]
    fn folders_must_be_absolute() {
        assert!(relative_folders("PKG_CONFIG_PATH", "/a:/b:").is_none());
        assert!(relative_folders("CPATH", "a").is_none());
        let warning = relative_folders("PKG_CONFIG_PATH", "/a:lib/pkgconfig").unwrap();
        assert!(warning.message.contains("names lib/pkgconfig, which"), "{warning:?}");
    }

    #[test]
    fn a_wrong_version_is_named_beside_the_wanted_one() {
        let said = "Package 'zlib' has version '1.2.13', required version is '>= 9'";
        let error = explain(&word("pkg-config:zlib>=9"), "spam._core", said, None);
        assert!(error.message.ends_with("has the version 1.2.13, and >= 9 is wanted"), "{error:?}");
    }
}
