//! `# distutils:` lines: what a source asks of its compilation and linking.
//!
//! The keys and the form of lists are those of `Cython.Build.Dependencies`. Settings of a `.pxd`
//! reach whoever cimports it, if they are of those that Cython calls transitive.

use ekiben_plugin::{Diagnostic, Location};

use crate::scan::Scan;

/// What a module needs, in the order in which its files say so.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Needs {
    /// `c` or `c++`.
    pub(crate) language: Option<String>,
    /// C sources, relative to the project's folder.
    pub(crate) sources: Vec<String>,
    pub(crate) include_directories: Vec<Location>,
    pub(crate) definitions: Vec<(String, Option<String>)>,
    pub(crate) libraries: Vec<String>,
    pub(crate) library_directories: Vec<Location>,
    pub(crate) files: Vec<Location>,
    pub(crate) compile_arguments: Vec<String>,
    pub(crate) link_arguments: Vec<String>,
    /// Whether the folder of the module's source has headers that the C code includes.
    pub(crate) finds_headers_beside: bool,
}

impl Needs {
    /// Adds what the file at `path` says. `own`: it is the module's source, else one that it reads.
    /// Returns what is to be told to the user.
    pub(crate) fn add(&mut self, path: &str, scan: &Scan, own: bool) -> Vec<Diagnostic> {
        let mut reports = Vec::new();
        for (key, value, line) in &scan.distutils {
            if let Err(report) = self.add_setting(key, value, own) {
                reports.push(report.at(path, *line, 1));
            }
        }
        reports
    }

    fn add_setting(&mut self, key: &str, value: &str, own: bool) -> Result<(), Diagnostic> {
        let list = || list(value);
        match key {
            "language" => {
                if !matches!(value, "c" | "c++") {
                    let message = format!("`{value}` isn't a language that Cython makes");
                    return Err(Diagnostic::error("unknown-language", message)
                        .with_help("write `language = c` or `language = c++`"));
                }
                // Whoever uses something of C++ is C++.
                if own || value == "c++" {
                    self.language = Some(value.to_owned());
                }
            }
            "include_dirs" => {
                extend(&mut self.include_directories, list().iter().map(|p| place(p)));
            }
            "libraries" => extend(&mut self.libraries, list()),
            "library_dirs" => {
                extend(&mut self.library_directories, list().iter().map(|p| place(p)));
            }
            "runtime_library_dirs" => {
                let paths = list();
                extend(
                    &mut self.link_arguments,
                    paths.iter().map(|path| format!("-Wl,-rpath,{path}")),
                );
            }
            "extra_compile_args" => self.compile_arguments.extend(list()),
            "extra_link_args" => self.link_arguments.extend(list()),
            // Headers are noticed by themselves, and what is exported is decided elsewhere.
            "depends" | "export_symbols" | "name" => {}
            "sources" | "define_macros" | "undef_macros" | "extra_objects" if !own => {}
            "sources" => extend(&mut self.sources, list()),
            "define_macros" => extend(
                &mut self.definitions,
                list().iter().map(|macro_| match macro_.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (macro_.clone(), None),
                }),
            ),
            "undef_macros" => {
                self.compile_arguments.extend(list().iter().map(|m| format!("-U{m}")));
            }
            "extra_objects" => extend(&mut self.files, list().iter().map(|path| place(path))),
            _ => {
                let message =
                    format!("`# distutils: {key}` means nothing to Ekiben and is ignored");
                let mut report = Diagnostic::warning("unknown-distutils-setting", message);
                if key == "np_pythran" {
                    report = report.with_help("Pythran isn't supported");
                }
                return Err(report);
            }
        }
        Ok(())
    }
}

fn extend<T: PartialEq>(to: &mut Vec<T>, items: impl IntoIterator<Item = T>) {
    for item in items {
        if !to.contains(&item) {
            to.push(item);
        }
    }
}

/// A path as the comments give it: relative to the project's folder.
pub(crate) fn place(path: &str) -> Location {
    if path.starts_with('/') {
        return Location::System(path.to_owned());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            part => parts.push(part),
        }
    }
    Location::Source(parts.join("/"))
}

/// Items apart by spaces, or in square brackets and apart by commas. Quotes hold an item together.
fn list(value: &str) -> Vec<String> {
    let bracketed = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_separator = |c: char| if bracketed.is_some() { c == ',' } else { c.is_whitespace() };
    let mut items = Vec::new();
    let mut item = String::new();
    let mut quote = None;
    for character in bracketed.unwrap_or(value).chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => item.push(character),
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None if is_separator(character) => items.push(std::mem::take(&mut item)),
            None => item.push(character),
        }
    }
    items.push(item);
    items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::scan;

    #[test]
    fn lists() {
        assert_eq!(list("a b  c"), ["a", "b", "c"]);
        assert_eq!(list("[a, \"b c\", 'd,e']"), ["a", "b c", "d,e"]);
        assert_eq!(list("-DX=\"a b\" y"), ["-DX=a b", "y"]);
        assert_eq!(list(""), [""; 0]);
    }

    #[test]
    fn places() {
        assert_eq!(place("./src//x"), Location::Source("src/x".to_owned()));
        assert_eq!(place("a/../b"), Location::Source("b".to_owned()));
        assert_eq!(place("."), Location::Source(String::new()));
        assert_eq!(place("/usr/include"), Location::System("/usr/include".to_owned()));
    }

    #[test]
    fn every_setting() {
        let text = "\
# distutils: language = c++
# distutils: sources = native/a.cpp native/b.cpp
# distutils: include_dirs = native /opt/include
# distutils: define_macros = A=1 B
# distutils: undef_macros = C
# distutils: libraries = m z
# distutils: library_dirs = lib
# distutils: runtime_library_dirs = /opt/lib
# distutils: extra_objects = lib/x.o
# distutils: extra_compile_args = -O1
# distutils: extra_link_args = -s
# distutils: depends = x.h
# distutils: colour = red
";
        let mut needs = Needs::default();
        let reports = needs.add("a.pyx", &scan(text), true);
        insta::assert_debug_snapshot!((needs, reports));
    }

    #[test]
    fn what_reaches_whoever_cimports() {
        let text = "# distutils: language = c++\n# distutils: sources = a.c\n# distutils: libraries = m\n# distutils: define_macros = A\n";
        let mut needs = Needs::default();
        assert!(needs.add("a.pxd", &scan(text), false).is_empty());
        let expected = Needs {
            language: Some("c++".to_owned()),
            libraries: vec!["m".to_owned()],
            ..Needs::default()
        };
        assert_eq!(needs, expected);
        let mut needs = Needs::default();
        needs.add("a.pyx", &scan("# distutils: language = c"), true);
        needs.add("b.pxd", &scan("# distutils: language = c"), false);
        assert_eq!(needs.language.as_deref(), Some("c"));
    }

    #[test]
    fn a_wrong_language_is_an_error() {
        let reports = Needs::default().add("a.pyx", &scan("\n# distutils: language = c+"), true);
        assert_eq!(reports[0].at.as_ref().map(|at| at.line), Some(2));
    }
}
