//! Who a compiler is, by one run of its driver.
//!
//! `-###` prints the commands that the driver would start, without starting them, and all gcc-like
//! drivers know it. So one cheap probe gives the family, the version, the target, and the programs
//! that do the work and so belong to the compiler's identity (`cc1`, `as`, `collect2`, `ld`).

use ekiben_plugin::Diagnostic;

use crate::program::{Language, Program};

/// Whose options and habits a compiler has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Gcc,
    Clang,
    /// Has version numbers of its own.
    AppleClang,
    /// Intel's, made of clang.
    Icx,
    /// LLVM's Fortran compiler.
    Flang,
}

/// What is known of a compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiler {
    pub(crate) family: Family,
    /// Major and minor.
    pub(crate) version: (u32, u32),
    /// The line that says so.
    pub(crate) title: String,
    /// Such as `x86_64-linux-gnu`.
    pub(crate) target: String,
    /// Programs that it starts, by absolute path.
    pub(crate) helpers: Vec<String>,
    /// Programs that it starts and looks for on `PATH`.
    pub(crate) bare_helpers: Vec<String>,
}

impl Compiler {
    pub(crate) fn is_gcc(&self) -> bool {
        self.family == Family::Gcc
    }

    pub(crate) fn is_apple(&self) -> bool {
        self.target.contains("-apple-") || self.target.contains("darwin")
    }

    /// Whether it is at least gcc `gcc`, or clang `clang` (major versions).
    pub(crate) fn at_least(&self, gcc: u32, clang: u32) -> bool {
        match self.family {
            Family::Gcc => self.version.0 >= gcc,
            // Intel numbers by year; Apple's numbers run some releases ahead of LLVM's.
            Family::Icx => true,
            Family::AppleClang => self.version.0 >= clang + 2,
            Family::Clang | Family::Flang => self.version.0 >= clang,
        }
    }
}

/// A file for `-###`, in the language that a program compiles.
pub(crate) fn sample(program: Program) -> &'static str {
    match program {
        Program::Cxx => "x.cc",
        Program::Fc => "x.f90",
        Program::Cc | Program::Ar => "x.c",
    }
}

/// Reads what a driver said to `-###`; nothing if it isn't gcc-like.
pub(crate) fn parse(report: &str) -> Option<Compiler> {
    const TITLES: [(&str, Family); 6] = [
        ("Apple clang version ", Family::AppleClang),
        ("flang-new version ", Family::Flang),
        ("flang version ", Family::Flang),
        ("Intel(R) oneAPI DPC++/C++ Compiler ", Family::Icx),
        ("clang version ", Family::Clang),
        ("gcc version ", Family::Gcc),
    ];
    // Vendors put their name before it ("Debian clang version"), but nothing else precedes it.
    let (title, family, version) = report.lines().find_map(|line| {
        let (words, family) = TITLES.iter().find(|(words, _)| line.contains(words))?;
        let (_, rest) = line.split_once(words)?;
        Some((line.trim(), *family, version(rest)?))
    })?;
    let target = report.lines().find_map(|line| line.strip_prefix("Target: "))?.trim();
    let mut compiler = Compiler {
        family,
        version,
        title: title.to_owned(),
        target: target.to_owned(),
        helpers: Vec::new(),
        bare_helpers: Vec::new(),
    };
    let commands = report.lines().filter_map(|line| shlex::split(line.strip_prefix(' ')?));
    let wrapper = report.lines().find_map(|line| line.strip_prefix("COLLECT_LTO_WRAPPER="));
    let programs = commands.filter_map(|words| words.into_iter().next());
    for program in programs.chain(wrapper.map(str::to_owned)) {
        compiler.add_helper(program);
    }
    if compiler.helpers.iter().any(|helper| helper.ends_with("/collect2")) {
        // It runs this one, which the driver doesn't show.
        compiler.add_helper("ld".to_owned());
    }
    Some(compiler)
}

impl Compiler {
    fn add_helper(&mut self, program: String) {
        const BARE: [&str; 6] = ["as", "cc1", "cc1plus", "collect2", "f951", "ld"];
        if program.starts_with('/') {
            if !self.helpers.contains(&program) {
                self.helpers.push(program);
            }
        } else if BARE.contains(&program.as_str()) && !self.bare_helpers.contains(&program) {
            self.bare_helpers.push(program);
        }
    }

    /// gcc's driver knows all languages but each is installed apart: it finds the compiler proper
    /// in its own folders or not at all.
    pub(crate) fn missing_front_end(
        &self,
        tool: Program,
        language: Language,
        name: &str,
    ) -> Option<Diagnostic> {
        let front_end = self
            .bare_helpers
            .iter()
            .find(|helper| ["cc1", "cc1plus", "f951"].contains(&helper.as_str()))?;
        Some(
            Diagnostic::error(
                "compiler-incomplete",
                format!(
                    "`{name}` can't compile {}: its `{front_end}` is missing",
                    language.title()
                ),
            )
            .with_help(tool.how_to_install()),
        )
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let major = numbers.next()?.ok()?;
    Some((major, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

/// The folders of `PATH` that a helper is searched in.
pub(crate) fn search_path(path: Option<&str>) -> Vec<String> {
    let path = path.unwrap_or("/usr/local/bin:/usr/bin:/bin");
    path.split(':').filter(|folder| folder.starts_with('/')).map(str::to_owned).collect()
}

/// The `PATH` for actions: where the helpers are, then the system's. The user's own would do, but
/// it changes with every isolated build environment, and with it every key.
pub(crate) fn action_path(found_in: &[String]) -> String {
    let mut folders: Vec<&str> = Vec::new();
    for folder in found_in.iter().map(String::as_str).chain(["/usr/bin", "/bin"]) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders.join(":")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GCC: &str = "\
Using built-in specs.
COLLECT_GCC=g++
COLLECT_LTO_WRAPPER=/usr/lib/gcc/x86_64-linux-gnu/12/lto-wrapper
Target: x86_64-linux-gnu
Configured with: ../src/configure -v --with-pkgversion='Debian 12.2.0-14'
gcc version 12.2.0 (Debian 12.2.0-14) 
COLLECT_GCC_OPTIONS='-shared-libgcc' '-dumpdir' 'a-'
 /usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -quiet x.cc \"-mtune=generic\" -o /tmp/a.s
 as --64 -o /tmp/a.o /tmp/a.s
 /usr/lib/gcc/x86_64-linux-gnu/12/collect2 --eh-frame-hdr -m elf_x86_64
";

    #[test]
    fn gcc_and_its_helpers_are_known() {
        let gcc = parse(GCC).unwrap();
        assert_eq!((gcc.family, gcc.version), (Family::Gcc, (12, 2)));
        assert_eq!(gcc.target, "x86_64-linux-gnu");
        assert_eq!(gcc.title, "gcc version 12.2.0 (Debian 12.2.0-14)");
        let names: Vec<_> = gcc.helpers.iter().filter_map(|path| path.rsplit('/').next()).collect();
        assert_eq!(names, ["cc1plus", "collect2", "lto-wrapper"]);
        assert_eq!(gcc.bare_helpers, ["as", "ld"]);
        assert!(gcc.missing_front_end(Program::Cxx, Language::Cxx, "g++").is_none());
    }

    #[test]
    fn a_front_end_that_is_not_installed_is_named() {
        let report = GCC.replace("/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "cc1plus");
        let gcc = parse(&report).unwrap();
        let missing = gcc.missing_front_end(Program::Cxx, Language::Cxx, "gcc-12").unwrap();
        assert_eq!(missing.message, "`gcc-12` can't compile C++: its `cc1plus` is missing");
        assert!(missing.help[0].contains("apt-get install g++"));
    }

    #[test]
    fn clang_under_its_names_is_known() {
        let clang = |title: &str, target: &str| {
            let report = format!(
                "{title}\nTarget: {target}\nThread model: posix\nInstalledDir: /opt/bin\n \
                 (in-process)\n \"/opt/bin/clang\" \"-cc1\" \"-o\" \"x.o\"\n \"/usr/bin/ld\" \"x.o\"\n"
            );
            parse(&report).unwrap()
        };
        let debian = clang("Debian clang version 14.0.6", "x86_64-pc-linux-gnu");
        assert_eq!((debian.family, debian.version), (Family::Clang, (14, 0)));
        assert_eq!(debian.helpers, ["/opt/bin/clang", "/usr/bin/ld"]);
        assert!(debian.bare_helpers.is_empty() && !debian.is_apple());
        let apple =
            clang("Apple clang version 15.0.0 (clang-1500.3.9.4)", "arm64-apple-darwin23.4.0");
        assert_eq!((apple.family, apple.version.0), (Family::AppleClang, 15));
        assert!(apple.is_apple());
        let intel = clang("Intel(R) oneAPI DPC++/C++ Compiler 2024.2.0 (2024.2)", "x86_64-linux");
        assert_eq!((intel.family, intel.version), (Family::Icx, (2024, 2)));
        assert_eq!(clang("flang-new version 17.0.6", "x86_64").family, Family::Flang);
    }

    #[test]
    fn other_compilers_are_not_taken_for_one() {
        assert_eq!(parse("tcc version 0.9.28 (x86_64 Linux)\n"), None);
        assert_eq!(parse("Microsoft (R) C/C++ Optimizing Compiler Version 19.29\n"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_path_of_actions_holds_no_more_than_it_must() {
        assert_eq!(action_path(&[]), "/usr/bin:/bin");
        let found = ["/opt/binutils/bin".to_owned(), "/usr/bin".to_owned()];
        assert_eq!(action_path(&found), "/opt/binutils/bin:/usr/bin:/bin");
        assert_eq!(search_path(Some("/a:bin::/b")), ["/a", "/b"]);
    }
}
