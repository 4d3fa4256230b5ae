//! What `pkg-config --cflags` and `--libs` print, taken apart.
//!
//! Each flag that has a meaning of its own becomes what it means, so that the build sees folders and
//! files in it; what is left is passed on as it is. Run paths are kept apart: they would put a
//! folder of this machine into the module.

use ekiben_plugin::Diagnostic;

/// Flags for compilers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cflags {
    pub(crate) include_directories: Vec<String>,
    pub(crate) definitions: Vec<(String, Option<String>)>,
    pub(crate) arguments: Vec<String>,
}

/// Something to link with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// A library by its name.
    Library(String),
    /// A file by its absolute path.
    File(String),
    /// Any other argument.
    Argument(String),
}

/// Flags for linkers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Libs {
    pub(crate) library_directories: Vec<String>,
    /// In order, which matters to static libraries.
    pub(crate) links: Vec<Link>,
    pub(crate) run_paths: Vec<String>,
}

/// Folders that a compiler searches unasked. Named with `-I` they would come before others of that
/// kind, and `#include_next` in C++'s own headers would miss its target.
const SYSTEM_INCLUDES: [&str; 1] = ["/usr/include"];

fn words(text: &str) -> Result<Vec<String>, Diagnostic> {
    shlex::split(text).ok_or_else(|| {
        Diagnostic::error(
            "bad-pc-file",
            format!("pkg-config printed an unfinished quotation: {}", text.trim()),
        )
        .with_help("mend the Cflags or Libs of the library's .pc file")
    })
}

/// The value of an option that stands in the same word, or in the next.
fn value(word: &str, option: &str, rest: &mut std::vec::IntoIter<String>) -> Option<String> {
    match word.strip_prefix(option)? {
        "" => rest.next(),
        joined => Some(joined.to_owned()),
    }
}

impl Cflags {
    pub(crate) fn parse(text: &str) -> Result<Self, Diagnostic> {
        let mut flags = Self::default();
        let mut rest = words(text)?.into_iter();
        while let Some(word) = rest.next() {
            let folder = ["-I", "-isystem", "-idirafter"]
                .into_iter()
                .find_map(|option| value(&word, option, &mut rest));
            if let Some(folder) = folder {
                push(&mut flags.include_directories, plain(folder));
            } else if let Some(definition) = value(&word, "-D", &mut rest) {
                let definition = match definition.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (definition, None),
                };
                push(&mut flags.definitions, definition);
            } else if ["-U", "-include", "-framework", "-F"].contains(&word.as_str()) {
                flags.arguments.push(word);
                flags.arguments.extend(rest.next());
            } else {
                push(&mut flags.arguments, word);
            }
        }
        flags.include_directories.retain(|folder| !SYSTEM_INCLUDES.contains(&folder.as_str()));
        Ok(flags)
    }
}

impl Libs {
    pub(crate) fn parse(text: &str) -> Result<Self, Diagnostic> {
        let (left, run_paths) = split_run_paths(words(text)?);
        let mut libs = Self { run_paths, ..Self::default() };
        let mut rest = left.into_iter();
        while let Some(word) = rest.next() {
            if let Some(folder) = value(&word, "-L", &mut rest) {
                push(&mut libs.library_directories, plain(folder));
            } else if let Some(name) = value(&word, "-l", &mut rest) {
                libs.links.push(Link::Library(name));
            } else if word.starts_with('/') {
                libs.links.push(Link::File(word));
            } else if ["-framework", "-weak_framework", "-F", "-u", "-z"].contains(&word.as_str()) {
                libs.links.push(Link::Argument(word));
                libs.links.extend(rest.next().map(Link::Argument));
            } else {
                libs.links.push(Link::Argument(word));
            }
        }
        Ok(libs)
    }

    /// The names of the libraries.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.links.iter().filter_map(|link| match link {
            Link::Library(name) => Some(name.as_str()),
            Link::File(_) | Link::Argument(_) => None,
        })
    }
}

/// Takes what sets a run path out of a command line. There are many spellings: `-Wl,-rpath,DIR`,
/// `-Wl,-rpath=DIR`, `-Wl,-rpath -Wl,DIR`, `-Wl,-R,DIR`, `-Xlinker -rpath -Xlinker DIR`, `-R DIR`.
fn split_run_paths(words: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut left, mut found) = (Vec::new(), Vec::new());
    // Whether the folder of an option is still to come.
    let mut awaited = false;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let next_of = |words: &mut std::vec::IntoIter<String>| words.next().unwrap_or_default();
        let parts: Vec<String> = if let Some(parts) = word.strip_prefix("-Wl,") {
            parts.split(',').map(str::to_owned).collect()
        } else if word == "-Xlinker" {
            vec![next_of(&mut words)]
        } else if word == "-R" || word == "-rpath" {
            vec!["-rpath".to_owned(), next_of(&mut words)]
        } else if word.starts_with("-R/") || word.starts_with("-R$") {
            vec![word]
        } else {
            left.push(word);
            continue;
        };
        let mut kept: Vec<String> = Vec::new();
        for part in parts {
            if std::mem::take(&mut awaited) {
                push(&mut found, plain(part));
                continue;
            }
            let option = part.strip_prefix("--").or(part.strip_prefix('-')).unwrap_or_default();
            if option == "rpath" || option == "R" {
                awaited = true;
            } else if let Some(folder) = option.strip_prefix("rpath=") {
                push(&mut found, plain(folder.to_owned()));
            } else if option.starts_with("R/") || option.starts_with("R$") {
                push(&mut found, plain(option[1..].to_owned()));
            } else {
                kept.push(part);
            }
        }
        if !kept.is_empty() {
            left.push(format!("-Wl,{}", kept.join(",")));
        }
    }
    (left, found)
}

/// A folder's name without slashes at its end.
fn plain(folder: String) -> String {
    let trimmed = folder.trim_end_matches('/');
    if trimmed.is_empty() { folder } else { trimmed.to_owned() }
}

/// Adds what isn't there yet.
fn push<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn library(name: &str) -> Link {
        Link::Library(name.to_owned())
    }

    fn argument(value: &str) -> Link {
        Link::Argument(value.to_owned())
    }

    #[test]
    fn compilers_flags_become_what_they_mean() {
        let flags = Cflags::parse(
            r#"-I/opt/x/include/ -I /b -isystem /c -I/usr/include -DA -DB=\"z\" -D C=a\ b -I/b -pthread -U X"#,
        );
        let value = |value: &str| Some(value.to_owned());
        assert_eq!(
            flags.unwrap(),
            Cflags {
                include_directories: vec!["/opt/x/include".into(), "/b".into(), "/c".into()],
                definitions: vec![
                    ("A".into(), None),
                    ("B".into(), value("\"z\"")),
                    ("C".into(), value("a b")),
                ],
                arguments: vec!["-pthread".into(), "-U".into(), "X".into()],
            }
        );
    }

    #[test]
    fn linkers_flags_keep_their_order() {
        let libs = Libs::parse(
            "-L/opt/x/lib/ -lx -L /y -ly /opt/z/libz.a -pthread -framework Accelerate -Wl,--as-needed -lx\n",
        );
        assert_eq!(
            libs.unwrap(),
            Libs {
                library_directories: vec!["/opt/x/lib".into(), "/y".into()],
                links: vec![
                    library("x"),
                    library("y"),
                    Link::File("/opt/z/libz.a".into()),
                    argument("-pthread"),
                    argument("-framework"),
                    argument("Accelerate"),
                    argument("-Wl,--as-needed"),
                    library("x"),
                ],
                run_paths: Vec::new(),
            }
        );
    }

    #[test]
    fn run_paths_are_found_in_every_spelling() {
        for text in [
            "-Wl,-rpath,/r",
            "-Wl,-rpath=/r/",
            "-Wl,--rpath,/r",
            "-Wl,-rpath -Wl,/r",
            "-Wl,-R,/r",
            "-Wl,-R/r",
            "-Xlinker -rpath -Xlinker /r",
            "-R/r",
            "-R /r",
            "-rpath /r",
        ] {
            let libs = Libs::parse(&format!("-la {text} -lb")).unwrap();
            assert_eq!(libs.run_paths, ["/r"], "{text}");
            assert_eq!(libs.links, [library("a"), library("b")], "{text}");
        }
        let mixed = Libs::parse("-Wl,-O1,-rpath,/r,--as-needed -Wl,-rpath-link,/l").unwrap();
        assert_eq!(mixed.run_paths, ["/r"]);
        let kept = [argument("-Wl,-O1,--as-needed"), argument("-Wl,-rpath-link,/l")];
        assert_eq!(mixed.links, kept);
    }

    #[test]
    fn an_unfinished_quotation_is_an_error() {
        assert_eq!(Cflags::parse("-DX='a").unwrap_err().code, "bad-pc-file");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "([-IDLlRWx,='/ ]|rpath|\\$ORIGIN|-Wl,){0,12}") {
            let _ = Cflags::parse(&text);
            if let Ok(libs) = Libs::parse(&text) {
                let left = libs.links.iter().all(|link| !matches!(link, Link::Argument(a) if a.contains(",-rpath,")));
                prop_assert!(left);
            }
        }
    }
}
