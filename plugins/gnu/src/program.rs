//! The programs that the plugin uses and the languages that they compile.

use ekiben_plugin::Failure;

/// A declared tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Cc,
    Cxx,
    Fc,
    Ar,
}

impl Program {
    pub(crate) const ALL: [Self; 4] = [Self::Cc, Self::Cxx, Self::Fc, Self::Ar];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cc => "cc",
            Self::Cxx => "cxx",
            Self::Fc => "fc",
            Self::Ar => "ar",
        }
    }

    /// The environment variable by which make, autoconf, CMake and Meson let it be chosen.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Cc => "CC",
            Self::Cxx => "CXX",
            Self::Fc => "FC",
            Self::Ar => "AR",
        }
    }

    pub(crate) fn serves(self) -> &'static [Language] {
        match self {
            Self::Cc => &[Language::C, Language::Assembler],
            Self::Cxx => &[Language::Cxx],
            Self::Fc => &[Language::Fortran],
            Self::Ar => &[],
        }
    }

    pub(crate) fn candidates(self) -> &'static [&'static str] {
        match self {
            Self::Cc => &["gcc", "cc", "clang"],
            Self::Cxx => &["g++", "c++", "clang++"],
            Self::Fc => &["gfortran", "flang-new", "flang"],
            Self::Ar => &["ar", "gcc-ar", "llvm-ar"],
        }
    }

    /// Where to get it.
    pub(crate) fn how_to_install(self) -> String {
        let (apt, dnf, conda, mac) = match self {
            Self::Cc => ("gcc", "gcc", "c-compiler", "xcode-select --install"),
            Self::Cxx => ("g++", "gcc-c++", "cxx-compiler", "xcode-select --install"),
            Self::Fc => ("gfortran", "gcc-gfortran", "fortran-compiler", "brew install gcc"),
            Self::Ar => ("binutils", "binutils", "binutils", "xcode-select --install"),
        };
        format!(
            "get it with `apt-get install {apt}` (Debian, Ubuntu), `dnf install {dnf}` (Fedora), \
             `conda install -c conda-forge {conda}` or `{mac}` (macOS)"
        )
    }
}

/// A language that the plugin compiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Cxx,
    Fortran,
    Assembler,
}

impl Language {
    pub(crate) const ALL: [Self; 4] = [Self::C, Self::Cxx, Self::Fortran, Self::Assembler];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Cxx => "c++",
            Self::Fortran => "fortran",
            Self::Assembler => "assembler",
        }
    }

    pub(crate) fn from_name(name: &str) -> Result<Self, Failure> {
        Self::ALL
            .into_iter()
            .find(|language| language.name() == name)
            .ok_or_else(|| Failure::Unsupported(format!("the language `{name}`")))
    }

    /// How people write it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Cxx => "C++",
            Self::Fortran => "Fortran",
            Self::Assembler => "assembler",
        }
    }

    pub(crate) fn compiler(self) -> Program {
        match self {
            Self::C | Self::Assembler => Program::Cc,
            Self::Cxx => Program::Cxx,
            Self::Fortran => Program::Fc,
        }
    }

    pub(crate) fn mnemonic(self) -> &'static str {
        match self {
            Self::C => "CompileC",
            Self::Cxx => "CompileCxx",
            Self::Fortran => "CompileFortran",
            Self::Assembler => "Assemble",
        }
    }

    /// Case matters: `.C` is C++, `.F90` goes through the preprocessor.
    pub(crate) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::C => &[".c"],
            Self::Cxx => &[".cc", ".cpp", ".cxx", ".c++", ".C"],
            Self::Fortran => &[
                ".f", ".for", ".ftn", ".f77", ".f90", ".f95", ".f03", ".f08", ".F", ".FOR", ".FTN",
                ".F77", ".F90", ".F95", ".F03", ".F08",
            ],
            Self::Assembler => &[".s", ".S"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_compiler_that_serves_it() {
        for language in Language::ALL {
            assert!(language.compiler().serves().contains(&language), "{language:?}");
        }
    }

    #[test]
    fn no_suffix_belongs_to_two_languages() {
        let mut all: Vec<_> = Language::ALL.iter().flat_map(|one| one.suffixes()).collect();
        let before = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
