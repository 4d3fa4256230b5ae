//! Abstract options to flags.

use ekiben_plugin::Diagnostic;

use crate::identify::{Compiler, Family};
use crate::program::Language;
use crate::settings::{Lto, Settings};

/// A language standard, and what a compiler calls it that came before its final name.
struct Standard {
    name: &'static str,
    /// The older name, and the gcc and clang versions from which the final one is known.
    before: Option<(&'static str, u32, u32)>,
}

const fn plain(name: &'static str) -> Standard {
    Standard { name, before: None }
}

const fn late(name: &'static str, older: &'static str, gcc: u32, clang: u32) -> Standard {
    Standard { name, before: Some((older, gcc, clang)) }
}

const C: [Standard; 14] = [
    plain("c89"),
    plain("c90"),
    plain("c99"),
    plain("c11"),
    plain("c17"),
    plain("c18"),
    late("c23", "c2x", 14, 18),
    plain("gnu89"),
    plain("gnu90"),
    plain("gnu99"),
    plain("gnu11"),
    plain("gnu17"),
    plain("gnu18"),
    late("gnu23", "gnu2x", 14, 18),
];

const CXX: [Standard; 16] = [
    plain("c++98"),
    plain("c++03"),
    plain("c++11"),
    plain("c++14"),
    plain("c++17"),
    late("c++20", "c++2a", 10, 10),
    late("c++23", "c++2b", 11, 17),
    late("c++26", "c++2c", 14, 20),
    plain("gnu++98"),
    plain("gnu++03"),
    plain("gnu++11"),
    plain("gnu++14"),
    plain("gnu++17"),
    late("gnu++20", "gnu++2a", 10, 10),
    late("gnu++23", "gnu++2b", 11, 17),
    late("gnu++26", "gnu++2c", 14, 20),
];

const FORTRAN: [Standard; 7] = [
    plain("f95"),
    plain("f2003"),
    plain("f2008"),
    plain("f2018"),
    plain("f2023"),
    plain("gnu"),
    plain("legacy"),
];

/// `-std=…`.
pub(crate) fn standard(
    language: Language,
    compiler: &Compiler,
    asked: &str,
) -> Result<String, Diagnostic> {
    let known: &[Standard] = match language {
        Language::C => &C,
        Language::Cxx => &CXX,
        Language::Fortran => &FORTRAN,
        Language::Assembler => &[],
    };
    let Some(standard) = known.iter().find(|standard| standard.name == asked) else {
        let names: Vec<_> = known.iter().map(|standard| standard.name).collect();
        let title = language.title();
        let unknown =
            Diagnostic::error("unknown-standard", format!("`{asked}` isn't a standard of {title}"));
        return Err(if names.is_empty() {
            unknown.with_help(format!("{title} has none: leave it out"))
        } else {
            unknown.with_help(format!("the standards of {title} are {}", names.join(", ")))
        });
    };
    let name = match standard.before {
        Some((older, gcc, clang)) if !compiler.at_least(gcc, clang) => older,
        _ => standard.name,
    };
    Ok(format!("-std={name}"))
}

/// The level of optimisation.
///
/// `fast` isn't `-Ofast`: at link time that would add code that changes the arithmetic of the whole
/// Python process.
pub(crate) fn optimization(level: &str) -> Result<Vec<String>, Diagnostic> {
    match level {
        "0" | "1" | "2" | "3" | "s" => Ok(vec![format!("-O{level}")]),
        "fast" => Ok(vec!["-O3".to_owned(), "-ffast-math".to_owned()]),
        _ => Err(Diagnostic::error(
            "unknown-optimization",
            format!("`{level}` isn't a level of optimisation"),
        )
        .with_help("the levels are 0, 1, 2, 3, s (small) and fast")),
    }
}

/// How much to warn. Each word includes what stands before it.
pub(crate) fn warnings(amount: &str) -> Result<&'static [&'static str], Diagnostic> {
    match amount {
        "none" => Ok(&["-w"]),
        "default" => Ok(&[]),
        "all" => Ok(&["-Wall"]),
        "extra" => Ok(&["-Wall", "-Wextra"]),
        "error" => Ok(&["-Wall", "-Wextra", "-Werror"]),
        _ => Err(Diagnostic::error(
            "unknown-warnings",
            format!("`{amount}` isn't an amount of warnings"),
        )
        .with_help("the amounts are none, default, all, extra and error")),
    }
}

/// What must be said both to the compiler and to the linker's driver.
pub(crate) fn common(settings: &Settings, compiler: &Compiler, linking: bool) -> Vec<String> {
    let mut flags = Vec::new();
    if let Some(lto) = settings.lto {
        flags.push(match (compiler.family, lto) {
            // Takes tokens of make's jobserver, and without one as many processors as there are.
            (Family::Gcc, _) if linking && compiler.version.0 >= 10 => "-flto=auto".to_owned(),
            (Family::Gcc, _) | (_, Lto::Full) => "-flto".to_owned(),
            (_, Lto::Thin) => "-flto=thin".to_owned(),
        });
    }
    if !settings.sanitizers.is_empty() {
        flags.push(format!("-fsanitize={}", settings.sanitizers.join(",")));
    }
    if settings.openmp {
        flags.push("-fopenmp".to_owned());
    }
    flags
}

/// Flags that follow from the settings for a compiler.
pub(crate) fn code_generation(
    settings: &Settings,
    compiler: &Compiler,
    language: Language,
    position_independent: bool,
) -> Vec<String> {
    let mut flags = Vec::new();
    if position_independent {
        flags.push("-fPIC".to_owned());
    }
    flags.extend(common(settings, compiler, false));
    if !settings.sanitizers.is_empty() {
        // Reports without it have no usable stack.
        flags.push("-fno-omit-frame-pointer".to_owned());
    }
    if let (Some(visibility), Language::C | Language::Cxx) = (&settings.visibility, language) {
        flags.push(format!("-fvisibility={visibility}"));
        if visibility != "default" && language == Language::Cxx {
            flags.push("-fvisibility-inlines-hidden".to_owned());
        }
    }
    flags
}

/// The name of the flag that replaces folders in debug information and `__FILE__`.
pub(crate) fn prefix_map(compiler: &Compiler) -> &'static str {
    if compiler.at_least(8, 10) { "-ffile-prefix-map=" } else { "-fdebug-prefix-map=" }
}

/// Whether these arguments ask for debug information.
pub(crate) fn asks_for_debug(arguments: &[String]) -> bool {
    let last = arguments.iter().rev().find(|argument| {
        argument.strip_prefix("-g").is_some_and(|rest| {
            rest.is_empty()
                || rest.starts_with(|c: char| c.is_ascii_digit())
                || ["gdb", "dwarf", "line", "split"].iter().any(|kind| rest.starts_with(kind))
        })
    });
    last.is_some_and(|argument| argument != "-g0")
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(crate) fn compiler(family: Family, major: u32) -> Compiler {
        Compiler {
            family,
            version: (major, 0),
            title: String::new(),
            target: "x86_64-linux-gnu".to_owned(),
            helpers: Vec::new(),
            bare_helpers: Vec::new(),
        }
    }

    #[test]
    fn standards_get_the_name_that_the_compiler_knows() {
        let std = |language, family, major, asked| {
            standard(language, &compiler(family, major), asked).unwrap()
        };
        assert_eq!(std(Language::C, Family::Gcc, 12, "c11"), "-std=c11");
        assert_eq!(std(Language::C, Family::Gcc, 12, "gnu23"), "-std=gnu2x");
        assert_eq!(std(Language::C, Family::Gcc, 14, "c23"), "-std=c23");
        assert_eq!(std(Language::Cxx, Family::Clang, 16, "c++23"), "-std=c++2b");
        assert_eq!(std(Language::Cxx, Family::Clang, 17, "c++23"), "-std=c++23");
        assert_eq!(std(Language::Cxx, Family::Icx, 2024, "c++20"), "-std=c++20");
        assert_eq!(std(Language::Fortran, Family::Gcc, 12, "f2008"), "-std=f2008");
    }

    #[test]
    fn an_unknown_standard_is_answered_with_those_there_are() {
        let refused = standard(Language::C, &compiler(Family::Gcc, 12), "c++17").unwrap_err();
        assert_eq!(refused.code, "unknown-standard");
        assert_eq!(refused.message, "`c++17` isn't a standard of C");
        assert!(refused.help[0].contains("c99, c11, c17"));
        let refused = standard(Language::Assembler, &compiler(Family::Gcc, 12), "c11").unwrap_err();
        assert!(refused.help[0].contains("leave it out"));
    }

    #[test]
    fn fast_changes_no_arithmetic_at_link_time() {
        assert_eq!(optimization("s").unwrap(), ["-Os"]);
        assert_eq!(optimization("fast").unwrap(), ["-O3", "-ffast-math"]);
        assert_eq!(optimization("4").unwrap_err().code, "unknown-optimization");
    }

    #[test]
    fn warnings_grow() {
        let mut before = 0;
        for amount in ["default", "all", "extra", "error"] {
            let flags = warnings(amount).unwrap();
            assert!(flags.len() >= before);
            before = flags.len();
        }
        assert_eq!(warnings("none").unwrap(), ["-w"]);
        assert_eq!(warnings("loud").unwrap_err().code, "unknown-warnings");
    }

    #[test]
    fn link_time_optimisation_is_spelt_for_the_compiler() {
        let thin = Settings { lto: Some(Lto::Thin), ..Settings::default() };
        assert_eq!(common(&thin, &compiler(Family::Clang, 14), true), ["-flto=thin"]);
        assert_eq!(common(&thin, &compiler(Family::Gcc, 12), false), ["-flto"]);
        assert_eq!(common(&thin, &compiler(Family::Gcc, 12), true), ["-flto=auto"]);
        assert_eq!(common(&thin, &compiler(Family::Gcc, 9), true), ["-flto"]);
    }

    #[test]
    fn the_last_debug_flag_counts() {
        let asks = |line: &str| {
            asks_for_debug(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        assert!(asks("-O2 -g"));
        assert!(asks("-g0 -ggdb3"));
        assert!(asks("-gdwarf-5"));
        assert!(!asks("-g -g0"));
        assert!(!asks("-O2 -grecord-gcc-switches"));
    }

    #[test]
    fn old_compilers_get_the_older_prefix_map() {
        assert_eq!(prefix_map(&compiler(Family::Gcc, 8)), "-ffile-prefix-map=");
        assert_eq!(prefix_map(&compiler(Family::Gcc, 7)), "-fdebug-prefix-map=");
        assert_eq!(prefix_map(&compiler(Family::Clang, 9)), "-fdebug-prefix-map=");
    }
}
