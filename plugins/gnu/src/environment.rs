//! What the plugin takes from the environment: flags, and variables that compilers themselves read.
//!
//! An action inherits nothing, so what a user rightly expects to work (`CPATH`,
//! `MACOSX_DEPLOYMENT_TARGET`) must be passed on by name; it is then part of the action's key.

use ekiben_plugin::{Context, Diagnostic, Failure};

use crate::program::Language;

/// Variables that hold arguments.
const FLAGS: [&str; 8] =
    ["CPPFLAGS", "CFLAGS", "CXXFLAGS", "FFLAGS", "FCFLAGS", "ASFLAGS", "LDFLAGS", "ARCHFLAGS"];

/// Variables that the programs read.
const PASSED: [&str; 9] = [
    "COMPILER_PATH",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "C_INCLUDE_PATH",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "MACOSX_DEPLOYMENT_TARGET",
    "SDKROOT",
    "SOURCE_DATE_EPOCH",
];

/// All that the plugin may read.
pub(crate) const VARIABLES: [&str; 18] = {
    let mut all = ["PATH"; 18];
    let mut i = 0;
    while i < FLAGS.len() {
        all[i] = FLAGS[i];
        i += 1;
    }
    while i < FLAGS.len() + PASSED.len() {
        all[i] = PASSED[i - FLAGS.len()];
        i += 1;
    }
    all
};

/// The environment of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    pub(crate) cpp: Vec<String>,
    pub(crate) c: Vec<String>,
    pub(crate) cxx: Vec<String>,
    /// For the fixed form.
    pub(crate) fixed: Vec<String>,
    /// For the free form.
    pub(crate) free: Vec<String>,
    pub(crate) assembler: Vec<String>,
    pub(crate) link: Vec<String>,
    /// `-arch` options; only Apple's compilers know them.
    pub(crate) arch: Vec<String>,
    /// Names and values for the environment of every action.
    pub(crate) passed: Vec<(String, String)>,
}

impl Environment {
    pub(crate) fn read(cx: &Context) -> Result<Self, Failure> {
        let mut values = Vec::new();
        for name in FLAGS.into_iter().chain(PASSED) {
            if let Some(value) = cx.environment(name)? {
                values.push((name, value));
            }
        }
        Ok(Self::from_values(&values)?)
    }

    /// An empty variable counts as unset, as it does for make.
    pub(crate) fn from_values(values: &[(&str, String)]) -> Result<Self, Diagnostic> {
        let get = |name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_str()).filter(|value| !value.trim().is_empty())
        };
        let flags = |name: &str| words(name, get(name).unwrap_or_default());
        // Autotools knows one variable a form, Meson and CMake only the older one. Whichever is
        // set serves both forms.
        let (fixed, free) = (flags("FFLAGS")?, flags("FCFLAGS")?);
        Ok(Self {
            cpp: flags("CPPFLAGS")?,
            c: flags("CFLAGS")?,
            cxx: flags("CXXFLAGS")?,
            fixed: if fixed.is_empty() { free.clone() } else { fixed.clone() },
            free: if free.is_empty() { fixed } else { free },
            assembler: flags("ASFLAGS")?,
            link: flags("LDFLAGS")?,
            arch: flags("ARCHFLAGS")?,
            passed: PASSED
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), get(name)?.to_owned())))
                .collect(),
        })
    }

    /// The flags of a language, in which the preprocessor's aren't.
    pub(crate) fn flags(&self, language: Language, free_form: bool) -> &[String] {
        match language {
            Language::C => &self.c,
            Language::Cxx => &self.cxx,
            Language::Fortran if free_form => &self.free,
            Language::Fortran => &self.fixed,
            Language::Assembler => &self.assembler,
        }
    }
}

fn words(name: &str, value: &str) -> Result<Vec<String>, Diagnostic> {
    shlex::split(value).ok_or_else(|| {
        Diagnostic::error(
            "bad-environment-flags",
            format!("the environment variable {name} has an unfinished quotation: {value}"),
        )
        .with_help("it is split into words as a shell does; close the quotation mark")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Environment, Diagnostic> {
        let values: Vec<_> = values.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        Environment::from_values(&values)
    }

    #[test]
    fn all_variables_are_declared_once() {
        let mut sorted = VARIABLES.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), VARIABLES.len());
        assert!(sorted.contains(&"PATH"));
    }

    #[test]
    fn flags_are_split_as_a_shell_does() {
        let read = read(&[("CFLAGS", r#" -O1  "-DNAME=a b" -DX=\"y\" "#), ("CPATH", "")]).unwrap();
        assert_eq!(read.c, ["-O1", "-DNAME=a b", "-DX=\"y\""]);
        assert!(read.passed.is_empty());
    }

    #[test]
    fn one_fortran_variable_serves_both_forms() {
        let one = read(&[("FFLAGS", "-O1")]).unwrap();
        assert_eq!((one.fixed, one.free), (vec!["-O1".to_owned()], vec!["-O1".to_owned()]));
        let both = read(&[("FFLAGS", "-O1"), ("FCFLAGS", "-O2")]).unwrap();
        assert_eq!((both.fixed, both.free), (vec!["-O1".to_owned()], vec!["-O2".to_owned()]));
    }

    #[test]
    fn an_unfinished_quotation_is_named() {
        let refused = read(&[("LDFLAGS", "-L'x")]).unwrap_err();
        assert_eq!(refused.code, "bad-environment-flags");
        assert!(refused.message.contains("LDFLAGS"));
    }
}
