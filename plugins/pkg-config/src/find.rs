//! From words to what a product is compiled and linked with.
//!
//! Words that are treated alike are asked for together: pkg-config then joins their flags, without
//! repetitions and in an order that links. Static libraries are linked by file, so that the linker
//! has no choice, and a changed file is noticed.

use ekiben_plugin::{Diagnostic, Failure};

use crate::flags::{Cflags, Libs, Link};
use crate::missing;
use crate::packages::System;
use crate::word::Word;

/// The options of the plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Libraries to link statically: names, or `*`.
    pub(crate) statics: Vec<String>,
    /// Libraries whose run paths stay: names, or `*`.
    pub(crate) run_paths: Vec<String>,
}

impl Options {
    pub(crate) fn read(json: &str) -> Result<Self, Failure> {
        let broken = |what: &str| Failure::Internal(format!("the options aren't {what}: {json}"));
        let options: serde_json::Value =
            serde_json::from_str(json).map_err(|error| broken(&error.to_string()))?;
        let names = |key: &str| match options.get(key) {
            None => Ok(Vec::new()),
            Some(list) => crate::texts(list).ok_or_else(|| broken("lists of strings")),
        };
        Ok(Self { statics: names("static")?, run_paths: names("run-path")? })
    }

    fn treatment(&self, word: &Word) -> Treatment {
        let has = |list: &[String]| list.iter().any(|name| name == "*" || *name == word.name);
        Treatment { is_static: has(&self.statics), keeps_run_path: has(&self.run_paths) }
    }

    /// Names that no word has: most likely misspelt.
    pub(crate) fn unused<'a>(&'a self, words: &[Word]) -> Vec<(&'static str, &'a str)> {
        let both = [("static", &self.statics), ("run-path", &self.run_paths)];
        let names = both
            .into_iter()
            .flat_map(|(key, names)| names.iter().map(move |name| (key, name.as_str())));
        names
            .filter(|(_, name)| *name != "*" && words.iter().all(|word| word.name != *name))
            .collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Treatment {
    is_static: bool,
    keeps_run_path: bool,
}

/// What pkg-config answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The machine, as far as this plugin sees it.
pub(crate) trait Machine {
    /// Runs pkg-config. `all_folders`: so that it names the system's library folders too.
    fn ask(&self, arguments: &[String], all_folders: bool) -> Result<Answer, Failure>;
    /// Whether there is a file at an absolute path.
    fn is_file(&self, path: &str) -> Result<bool, Failure>;
    fn system(&self) -> Option<System>;
}

/// What a product is compiled and linked with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) cflags: Vec<Cflags>,
    pub(crate) library_directories: Vec<String>,
    pub(crate) links: Vec<Link>,
    pub(crate) run_paths: Vec<String>,
    pub(crate) reports: Vec<Report>,
}

/// Something for the user to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// Run paths that were left out, and the libraries that asked for them.
    DroppedRunPaths { of: Vec<String>, folders: Vec<String> },
    /// A library that one which is linked statically needs, and that isn't there as such.
    NotStatic { library: String, of: Vec<String> },
}

/// Parts of the C library and what compilers bring along. They are linked dynamically always: a
/// second copy of them in a process does harm.
const C_LIBRARIES: [&str; 14] = [
    "System", "anl", "c", "c++", "dl", "gcc_s", "m", "nsl", "pthread", "resolv", "rt", "stdc++",
    "util", "gcc",
];

/// A product that uses libraries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User<'a> {
    pub(crate) name: &'a str,
    /// Whether it becomes a part of a program, which is linked with all that the libraries need
    /// themselves.
    pub(crate) is_static_module: bool,
}

/// Finds all words of a product.
pub(crate) fn find(
    words: &[Word],
    product: User<'_>,
    options: &Options,
    machine: &dyn Machine,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut treatments: Vec<Treatment> = Vec::new();
    for word in words {
        let treatment = options.treatment(word);
        if !treatments.contains(&treatment) {
            treatments.push(treatment);
        }
    }
    for treatment in treatments {
        let alike = words.iter().filter(|word| options.treatment(word) == treatment).collect();
        Group { words: alike, treatment, product, machine }.find(&mut found)?;
    }
    Ok(found)
}

/// Words that are treated alike.
struct Group<'a> {
    words: Vec<&'a Word>,
    treatment: Treatment,
    product: User<'a>,
    machine: &'a dyn Machine,
}

impl Group<'_> {
    fn names(&self) -> Vec<String> {
        self.words.iter().map(|word| word.name.clone()).collect()
    }

    fn ask(&self, options: &[&str], all_folders: bool) -> Result<String, Failure> {
        let arguments = |words: &[&Word]| -> Vec<String> {
            let options = options.iter().map(|option| (*option).to_owned());
            options.chain(words.iter().flat_map(|word| word.arguments())).collect()
        };
        let answer = self.machine.ask(&arguments(&self.words), all_folders)?;
        if answer.succeeded {
            return Ok(answer.stdout);
        }
        // One by one, to tell which it is, and all that are missing at once.
        let mut errors: Vec<Diagnostic> = Vec::new();
        for word in &self.words {
            let alone = self.machine.ask(&arguments(&[*word]), all_folders)?;
            if !alone.succeeded {
                let system = self.machine.system();
                errors.push(missing::explain(word, self.product.name, &alone.stderr, system));
            }
        }
        if errors.is_empty() {
            let said = answer.stderr;
            errors.extend(
                self.words
                    .first()
                    .map(|word| missing::explain(word, self.product.name, &said, None)),
            );
        }
        Err(Failure::User(errors))
    }

    fn find(&self, found: &mut Found) -> Result<(), Failure> {
        let statics = self.treatment.is_static;
        let cflags: &[&str] = if statics { &["--static", "--cflags"] } else { &["--cflags"] };
        found.cflags.push(Cflags::parse(&self.ask(cflags, false)?)?);
        let public = Libs::parse(&self.ask(&["--libs"], false)?)?;
        let mut libs = if statics || self.product.is_static_module {
            Libs::parse(&self.ask(&["--static", "--libs"], true)?)?
        } else {
            public.clone()
        };
        if statics {
            self.take_archives(&mut libs, &public, found)?;
        }
        if statics || self.product.is_static_module {
            libs.library_directories.retain(|folder| !is_system_folder(folder));
        }
        if !libs.run_paths.is_empty() && self.treatment.keeps_run_path {
            found.run_paths.append(&mut libs.run_paths);
        } else if !libs.run_paths.is_empty() {
            let folders = std::mem::take(&mut libs.run_paths);
            found.reports.push(Report::DroppedRunPaths { of: self.names(), folders });
        }
        found.library_directories.append(&mut libs.library_directories);
        found.links.append(&mut libs.links);
        Ok(())
    }

    /// Replaces libraries by the archives that lie in their folders.
    fn take_archives(
        &self,
        libs: &mut Libs,
        public: &Libs,
        found: &mut Found,
    ) -> Result<(), Failure> {
        for link in &mut libs.links {
            let Link::Library(name) = link else { continue };
            if C_LIBRARIES.contains(&name.as_str()) || name.starts_with(':') {
                continue;
            }
            let mut archive = None;
            for folder in &libs.library_directories {
                let path = format!("{folder}/lib{name}.a");
                if self.machine.is_file(&path)? {
                    archive = Some(path);
                    break;
                }
            }
            if let Some(path) = archive {
                *link = Link::File(path);
            } else if public.names().any(|own| own == name) {
                return Err(no_archive(name, &self.names(), &libs.library_directories).into());
            } else {
                let report = Report::NotStatic { library: name.clone(), of: self.names() };
                if !found.reports.contains(&report) {
                    found.reports.push(report);
                }
            }
        }
        Ok(())
    }
}

fn no_archive(library: &str, of: &[String], folders: &[String]) -> Diagnostic {
    Diagnostic::error(
        "no-static-library",
        format!(
            "{} is to be linked statically, and there is no lib{library}.a in {}",
            listed(of),
            folders.join(", ")
        ),
    )
    .with_help(
        "install it: some systems have it in a package of its own, such as zlib-static on Fedora",
    )
    .with_help("or take the name out of `static` in [tool.ekiben.options.pkg-config]")
}

impl Report {
    pub(crate) fn diagnostic(&self, product: &str) -> Diagnostic {
        match self {
            Self::DroppedRunPaths { of, folders } => {
                let message = format!(
                    "the run path {} that {} asks for isn't put into `{product}`: it names a folder of this machine",
                    folders.join(", "),
                    listed(of)
                );
                let names: Vec<String> = of.iter().map(|name| format!("\"{name}\"")).collect();
                let note = Diagnostic::warning("run-path-dropped", message).with_help(format!(
                    "if it is wanted, write `run-path = [{}]` under [tool.ekiben.options.pkg-config]",
                    names.join(", ")
                ));
                Diagnostic { severity: ekiben_plugin::Severity::Note, ..note }
            }
            Self::NotStatic { library, of } => Diagnostic::warning(
                "no-static-library",
                format!(
                    "`{product}` needs lib{library} when it runs: {} is linked statically, and there is no lib{library}.a for it",
                    listed(of)
                ),
            )
            .with_help(format!("install the static library, or see that lib{library} is there when the module is loaded")),
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Whether linkers search it unasked. Naming it would put it before folders that come first else.
fn is_system_folder(folder: &str) -> bool {
    let rest = folder.strip_prefix("/usr").unwrap_or(folder);
    ["/lib", "/lib32", "/lib64"].contains(&rest)
        || rest
            .strip_prefix("/lib/")
            .is_some_and(|triple| !triple.contains('/') && triple.contains("-linux-"))
}

#[cfg(test)]
mod tests;
