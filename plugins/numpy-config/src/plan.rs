//! What follows from an installed NumPy and the options: macros, the requirement at run time, and
//! where its parts lie.

use ekiben_plugin::{Diagnostic, Failure, Severity};

use crate::header::Header;
use crate::release::Release;

/// The first release whose headers are laid out as this plugin expects.
const OLDEST: Release = Release::new(1, 17);

/// The oldest target that NumPy's headers support.
const OLDEST_TARGET: Release = Release::new(1, 15);

/// A word of `uses`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Numpy,
    Npymath,
    Npyrandom,
}

impl Word {
    pub(crate) const ALL: [Self; 3] = [Self::Numpy, Self::Npymath, Self::Npyrandom];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Numpy => "numpy",
            Self::Npymath => "numpy:npymath",
            Self::Npyrandom => "numpy:npyrandom",
        }
    }

    /// Static libraries that it links, in the order in which they need each other.
    pub(crate) fn libraries(self) -> &'static [&'static str] {
        match self {
            Self::Numpy => &[],
            Self::Npymath => &["npymath"],
            Self::Npyrandom => &["npyrandom", "npymath"],
        }
    }
}

/// `[tool.ekiben.options.numpy-config]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    target: Option<Release>,
    no_deprecated_api: Option<Release>,
}

impl Options {
    pub(crate) fn read(json: &str) -> Result<Self, Failure> {
        let options: serde_json::Value = serde_json::from_str(json)
            .map_err(|error| Failure::Internal(format!("the options aren't JSON: {error}")))?;
        let release = |key: &str| {
            let Some(text) = options.get(key).and_then(serde_json::Value::as_str) else {
                return Ok(None);
            };
            match Release::parse(text) {
                Some(release) => Ok(Some(release)),
                None => Err(Diagnostic::error(
                    "bad-numpy-version",
                    format!(
                        "`{key} = \"{text}\"` in [tool.ekiben.options.numpy-config] isn't a release of NumPy"
                    ),
                )
                .with_help("write its first two numbers: `1.23`")),
            }
        };
        Ok(Self { target: release("target")?, no_deprecated_api: release("no-deprecated-api")? })
    }
}

/// A NumPy that is installed for the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installed {
    pub(crate) version: String,
    pub(crate) header: Header,
}

/// The package that the C parts are in: `numpy/core` became `numpy/_core` in 2.0.
pub(crate) const CORES: [&str; 2] = ["numpy/_core", "numpy/core"];

/// Where a static library may lie, by the toolchains' habits.
pub(crate) fn library_files(library: &str) -> Vec<String> {
    let folders: &[&str] = match library {
        "npyrandom" => &["numpy/random/lib"],
        _ => &["numpy/_core/lib", "numpy/core/lib"],
    };
    let names = [format!("lib{library}.a"), format!("{library}.lib")];
    folders
        .iter()
        .flat_map(|folder| names.iter().map(move |name| format!("{folder}/{name}")))
        .collect()
}

/// What to do.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Macros and their values.
    pub(crate) definitions: Vec<(&'static str, String)>,
    /// The oldest release that the wheel works with.
    pub(crate) oldest: Release,
    /// Whether it works with no release after 1.x.
    pub(crate) before_2: bool,
    pub(crate) reports: Vec<Diagnostic>,
}

impl Plan {
    /// What the wheel needs where it is installed.
    pub(crate) fn requirement(&self) -> String {
        let below = if self.before_2 { ",<2" } else { "" };
        format!("numpy>={}{below}", self.oldest)
    }
}

fn too_old(installed: &Installed, why: &str, needed: Release) -> Diagnostic {
    Diagnostic::error(
        "numpy-too-old",
        format!("NumPy {}, which is installed for the build, is too old: {why}", installed.version),
    )
    .with_help(format!(
        "require a newer one: `requires = [\"ekiben\", \"numpy>={needed}\"]` in [build-system]; without build isolation, install it"
    ))
}

impl Installed {
    pub(crate) fn plan(&self, options: &Options, limited_api: bool) -> Result<Plan, Failure> {
        let Some(release) = Release::of_version(&self.version) else {
            return Err(Diagnostic::error(
                "bad-numpy-version",
                format!(
                    "the installed NumPy says that it is `{}`, which is no version",
                    self.version
                ),
            )
            .with_help("install NumPy anew")
            .into());
        };
        if release < OLDEST {
            let why = format!("{OLDEST} is the oldest that this plugin works with");
            return Err(too_old(self, &why, OLDEST).into());
        }
        let mut definitions = Vec::new();
        if let Some(wanted) = options.no_deprecated_api {
            let value = self.version_macro("no-deprecated-api", wanted, release)?;
            definitions.push(("NPY_NO_DEPRECATED_API", value));
        }
        let oldest = match (options.target, self.header.default_target) {
            (None, Some(default)) => default,
            (None, None) => release,
            (Some(target), None) => {
                self.check_target(target, release)?;
                if target < release {
                    return Err(reaches_no_further(self, target, release).into());
                }
                release
            }
            (Some(target), Some(_)) => {
                self.check_target(target, release)?;
                let value = self.version_macro("target", target, release)?;
                definitions.push(("NPY_TARGET_VERSION", value));
                target
            }
        };
        let before_2 = release.major < 2;
        let mut reports = Vec::new();
        if limited_api && before_2 {
            reports.push(
                Diagnostic::warning(
                    "numpy-limited-api",
                    format!("NumPy {} isn't made for Python's limited API", self.version),
                )
                .with_help("build with NumPy 2: `requires = [\"ekiben\", \"numpy>=2.0.1\"]`"),
            );
        }
        if before_2 {
            let message = format!(
                "the wheel works with NumPy {oldest} to 1.26 and not with 2, because it is built with {}",
                self.version
            );
            let note = Diagnostic::warning("numpy-1-only", message)
                .with_help("what is built with NumPy 2 works with 1.x too");
            reports.push(Diagnostic { severity: Severity::Note, ..note });
        }
        Ok(Plan { definitions, oldest, before_2, reports })
    }

    fn check_target(&self, target: Release, release: Release) -> Result<(), Diagnostic> {
        if target > release {
            let why = format!("`target = \"{target}\"` asks for what came after it");
            return Err(too_old(self, &why, target));
        }
        if target < OLDEST_TARGET {
            return Err(Diagnostic::error(
                "bad-numpy-version",
                format!("`target = \"{target}\"` in [tool.ekiben.options.numpy-config]: NumPy {} makes nothing for releases before {OLDEST_TARGET}", self.version),
            )
            .with_help(format!("write `target = \"{OLDEST_TARGET}\"` or a later one")));
        }
        Ok(())
    }

    fn version_macro(
        &self,
        key: &str,
        wanted: Release,
        release: Release,
    ) -> Result<String, Diagnostic> {
        if wanted > release {
            let why = format!("`{key} = \"{wanted}\"` names a release after it");
            return Err(too_old(self, &why, wanted));
        }
        self.header.macro_of(wanted).ok_or_else(|| {
            Diagnostic::error(
                "bad-numpy-version",
                format!(
                    "`{key} = \"{wanted}\"` in [tool.ekiben.options.numpy-config] is before all that NumPy {} knows",
                    self.version
                ),
            )
            .with_help("write 1.7 or a later release")
        })
    }
}

fn reaches_no_further(installed: &Installed, target: Release, release: Release) -> Diagnostic {
    Diagnostic::error(
        "numpy-target",
        format!(
            "`target = \"{target}\"`: a module built with NumPy {} works with {release} and later",
            installed.version
        ),
    )
    .with_help("build with NumPy 1.25 or later, which can make modules for older releases")
    .with_help(format!("or with NumPy {target}: `requires = [\"ekiben\", \"numpy=={target}.*\"]`"))
}

/// The error about a NumPy that isn't there.
pub(crate) fn not_installed(product: &str, word: &str) -> Diagnostic {
    Diagnostic::error(
        "missing-numpy",
        format!("`uses = [\"{word}\"]` of `{product}`: NumPy isn't installed for the build"),
    )
    .with_help(
        "frontends install it by themselves; without build isolation, `pip install numpy` before",
    )
}

/// The error about a NumPy without headers.
pub(crate) fn no_headers(version: &str) -> Diagnostic {
    Diagnostic::error(
        "numpy-without-headers",
        format!("NumPy {version} is installed for the build, but without its headers"),
    )
    .with_help("install it from a wheel or with its development files (Debian: `apt-get install python3-numpy`; Fedora: `dnf install python3-numpy`)")
}

/// The error about a NumPy without one of its static libraries.
pub(crate) fn no_library(version: &str, word: Word, library: &str) -> Diagnostic {
    let error = Diagnostic::error(
        "numpy-without-library",
        format!(
            "`{}` needs the static library {library}, which NumPy {version} doesn't have",
            word.text()
        ),
    );
    if library == "npyrandom" {
        error.with_help("it comes with NumPy 1.20 and later")
    } else {
        error.with_help("install NumPy from a wheel, or with its development files")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::tests::{NUMPY_1_24, NUMPY_2_3};

    fn installed(version: &str, header: &str) -> Installed {
        Installed { version: version.to_owned(), header: Header::parse(header) }
    }

    fn options(json: &str) -> Options {
        Options::read(json).unwrap()
    }

    fn refused(installed: &Installed, json: &str) -> Diagnostic {
        match installed.plan(&options(json), false).unwrap_err() {
            Failure::User(mut reports) => reports.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_header_says_how_far_back_a_module_works() {
        let plan = installed("2.3.5", NUMPY_2_3).plan(&Options::default(), true).unwrap();
        assert_eq!(plan.requirement(), "numpy>=1.23");
        assert!(plan.definitions.is_empty() && plan.reports.is_empty(), "{plan:?}");
    }

    #[test]
    fn options_become_macros() {
        let given = options(r#"{"target": "1.26", "no-deprecated-api": "1.7"}"#);
        let plan = installed("2.3.5", NUMPY_2_3).plan(&given, false).unwrap();
        assert_eq!(
            plan.definitions,
            [
                ("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION".to_owned()),
                ("NPY_TARGET_VERSION", "NPY_1_25_API_VERSION".to_owned()),
            ]
        );
        assert_eq!(plan.requirement(), "numpy>=1.26");
    }

    #[test]
    fn what_is_built_with_1_works_with_1_only() {
        let old = installed("1.24.4", NUMPY_1_24);
        let plan = old.plan(&Options::default(), true).unwrap();
        assert_eq!(plan.requirement(), "numpy>=1.24,<2");
        let codes: Vec<_> = plan.reports.iter().map(|report| report.code.as_str()).collect();
        assert_eq!(codes, ["numpy-limited-api", "numpy-1-only"]);
        assert!(refused(&old, r#"{"target": "1.19"}"#).message.contains("1.24 and later"));
        let same = old.plan(&options(r#"{"target": "1.24"}"#), false).unwrap();
        assert_eq!(same.definitions, [], "these headers don't know of targets");
    }

    #[test]
    fn a_numpy_that_is_too_old_is_refused() {
        let error = refused(&installed("2.3.5", NUMPY_2_3), r#"{"target": "2.4"}"#);
        assert_eq!(error.code, "numpy-too-old");
        assert!(error.help[0].contains("\"numpy>=2.4\""), "{error:?}");
        assert_eq!(refused(&installed("1.16.6", ""), "{}").code, "numpy-too-old");
        let error = refused(&installed("2.3.5", NUMPY_2_3), r#"{"no-deprecated-api": "9.0"}"#);
        assert_eq!(error.code, "numpy-too-old");
        assert_eq!(refused(&installed("unknown", ""), "{}").code, "bad-numpy-version");
    }

    #[test]
    fn releases_that_no_header_supports_are_refused() {
        let new = installed("2.3.5", NUMPY_2_3);
        assert!(refused(&new, r#"{"target": "1.14"}"#).message.contains("before 1.15"));
        assert!(refused(&new, r#"{"no-deprecated-api": "1.6"}"#).message.contains("before all"));
        let Err(Failure::User(reports)) = Options::read(r#"{"target": "1.23.5"}"#) else {
            panic!()
        };
        assert!(reports[0].message.contains("`target = \"1.23.5\"`"), "{reports:?}");
    }

    #[test]
    fn libraries_are_looked_for_in_old_and_new_places() {
        assert!(library_files("npymath").contains(&"numpy/_core/lib/libnpymath.a".to_owned()));
        assert!(library_files("npymath").contains(&"numpy/core/lib/libnpymath.a".to_owned()));
        assert!(library_files("npyrandom").contains(&"numpy/random/lib/libnpyrandom.a".to_owned()));
    }
}
