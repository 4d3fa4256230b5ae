//! A request to link becomes one action: a compiler's driver, or the archiver.
//!
//! Nothing here puts a run path (`RPATH`) into a file unless the project asks for one: it would name a
//! folder of the machine that builds. What the environment asks for in `LDFLAGS` is its own choice.
//!
//! What isn't built for debugging is stripped of debug information, which static libraries of the
//! system bring along, but keeps its symbol table: profilers and stack traces need it, and it costs
//! little. `strip = true` drops that too. Flags of the environment that ask for debug information
//! are a packager's wish to have it, and win.

use ekiben_plugin::{Diagnostic, Failure, Location};

use crate::environment::Environment;
use crate::flags;
use crate::identify::{Compiler, Family};
use crate::plan::{Action, Argument, File, Plan};
use crate::program::{Language, Program};
use crate::settings::Settings;

/// What is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ExtensionModule,
    SharedLibrary,
    Executable,
    StaticLibrary,
    StaticModule,
}

impl Kind {
    pub(crate) fn from_name(name: &str) -> Result<Self, Failure> {
        match name {
            "extension-module" => Ok(Self::ExtensionModule),
            "shared-library" => Ok(Self::SharedLibrary),
            "executable" => Ok(Self::Executable),
            "static-library" => Ok(Self::StaticLibrary),
            "static-module" => Ok(Self::StaticModule),
            _ => Err(Failure::Unsupported(format!("linking of `{name}`"))),
        }
    }
}

/// A request to link, as data. The files that it gives are the output, then the objects, then the
/// static libraries.
#[derive(Debug, Clone)]
pub(crate) struct LinkSpec {
    pub(crate) kind: Kind,
    pub(crate) output: Location,
    /// How many objects there are.
    pub(crate) objects: usize,
    /// How many static libraries there are. An archive doesn't take them in: whoever links it gets
    /// them too.
    pub(crate) static_libraries: usize,
    /// Whose driver links.
    pub(crate) driver: Program,
    pub(crate) libraries: Vec<String>,
    pub(crate) library_directories: Vec<Location>,
    pub(crate) debug: bool,
    pub(crate) optimization: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) settings: Settings,
    pub(crate) environment: Environment,
    /// `PATH` for the driver.
    pub(crate) path: String,
    /// Fortran's run-time libraries, where the driver alone wouldn't link them, or not as it should.
    pub(crate) fortran_runtime: Option<FortranRuntime>,
}

/// gfortran's run-time libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FortranRuntime {
    /// To be found when the module is loaded.
    Shared {
        /// The folder of `libgfortran`.
        folder: String,
        /// Whether there is a `libquadmath`, which some processors' gfortran does without.
        quadmath: bool,
    },
    /// To be taken in: the archives, each before those that it needs.
    Static(Vec<String>),
}

/// The driver that knows the run-time libraries of these languages: C++'s are harder to name than
/// Fortran's.
pub(crate) fn driver(languages: &[Language]) -> Program {
    let has = |language| languages.contains(&language);
    if has(Language::Cxx) {
        Program::Cxx
    } else if has(Language::Fortran) {
        Program::Fc
    } else {
        Program::Cc
    }
}

/// Whether the driver would link with an OpenMP library that doesn't serve what clang made of C:
/// gcc's lacks what clang's code calls, while clang's has what gfortran's code calls.
pub(crate) fn may_lack_openmp(languages: &[Language], settings: &Settings) -> bool {
    settings.openmp && driver(languages) == Program::Fc && languages.contains(&Language::C)
}

/// Whether Fortran's run-time libraries must be named.
pub(crate) fn names_fortran_runtime(
    languages: &[Language],
    driver: Program,
    settings: &Settings,
) -> bool {
    let by_driver = driver == Program::Fc && !settings.static_fortran_runtime;
    languages.contains(&Language::Fortran) && !by_driver
}

/// The linker that arguments choose, such as `lld`.
pub(crate) fn chosen_linker<'a>(
    arguments: impl DoubleEndedIterator<Item = &'a String>,
) -> Option<&'a str> {
    arguments.rev().find_map(|argument| argument.strip_prefix("-fuse-ld="))
}

impl LinkSpec {
    pub(crate) fn output_name(&self) -> &str {
        let (Location::Source(path) | Location::Build(path) | Location::System(path)) =
            &self.output;
        path
    }

    fn file_name(&self) -> &str {
        self.output_name().rsplit('/').next().unwrap_or_default()
    }

    /// All arguments that aren't the plan's own.
    pub(crate) fn foreign_arguments(&self) -> impl DoubleEndedIterator<Item = &String> {
        self.environment.link.iter().chain(&self.arguments)
    }

    /// Plans a call of the archiver.
    pub(crate) fn plan_archive(&self, apple: bool) -> Plan {
        let description = format!("archive {}", self.output_name());
        let mut action = Action::new("Archive", description);
        action.environment.push(("PATH".to_owned(), self.path.clone()));
        if apple {
            // Apple's has no D: the variable makes it leave times and owners out.
            action.environment.push(("ZERO_AR_DATE".to_owned(), "1".to_owned()));
            action.text("rcs");
        } else {
            action.text("rcsD");
        }
        action.arguments.push(Argument::Output("", File::Given(0)));
        action.arguments.extend((1..=self.objects).map(|at| Argument::Input(File::Given(at))));
        Plan { outputs: Vec::new(), actions: vec![action] }
    }

    /// Plans a call of a compiler's driver.
    pub(crate) fn plan(&self, compiler: &Compiler) -> Result<Plan, Failure> {
        let description = format!("link {}", self.output_name());
        let mut action = Action::new("Link", description);
        action.environment.push(("PATH".to_owned(), self.path.clone()));
        action.environment.extend(self.environment.passed.iter().cloned());
        self.add_kind(&mut action, compiler);
        if self.settings.lto.is_some() {
            // The code is generated now, and by these.
            action.texts(&flags::optimization(&self.optimization)?);
            if self.kind != Kind::Executable {
                action.text("-fPIC");
            }
            action.takes_job_tokens = compiler.family == Family::Gcc;
        }
        action.texts(&flags::common(&self.settings, compiler, true));
        if compiler.is_apple() {
            action.texts(&self.environment.arch);
        }
        let compile_flags = match self.driver {
            Program::Cxx => &self.environment.cxx,
            Program::Fc => &self.environment.free,
            Program::Cc | Program::Ar => &self.environment.c,
        };
        self.add_strip(&mut action, compiler, compile_flags);
        self.add_hiding(&mut action, compiler);
        self.add_run_paths(&mut action, compiler);
        action.texts(compile_flags);
        action.texts(&self.environment.link);
        action.text("-o");
        action.arguments.push(Argument::Output("", File::Given(0)));
        let inputs = 1..=self.objects + self.static_libraries;
        action.arguments.extend(inputs.map(|at| Argument::Input(File::Given(at))));
        for folder in &self.library_directories {
            action.place("-L", folder.clone(), "");
        }
        for library in &self.settings.static_libraries {
            if compiler.is_apple() {
                return Err(not_by_name(library).into());
            }
            action.text(format!("-l:lib{library}.a"));
        }
        for library in &self.libraries {
            action.text(format!("-l{library}"));
        }
        self.add_fortran_runtime(&mut action, compiler);
        action.texts(&self.arguments);
        Ok(Plan { outputs: Vec::new(), actions: vec![action] })
    }

    fn add_fortran_runtime(&self, action: &mut Action, compiler: &Compiler) {
        match &self.fortran_runtime {
            None => return,
            Some(FortranRuntime::Shared { folder, quadmath }) => {
                action.place("-L", Location::System(folder.clone()), "");
                action.text("-lgfortran");
                if *quadmath && compiler.is_apple() {
                    action.text("-lquadmath");
                } else if *quadmath {
                    action.text("-Wl,--push-state,--as-needed");
                    action.text("-lquadmath");
                    action.text("-Wl,--pop-state");
                }
            }
            Some(FortranRuntime::Static(archives)) => {
                // gfortran's driver adds its libraries behind these, which leave them nothing to
                // give. This flag makes it drop what gives nothing; for libquadmath it has no other
                // before gcc 13.
                if self.driver == Program::Fc {
                    action.text("-static-libgfortran");
                }
                for archive in archives {
                    action.place("", Location::System(archive.clone()), "");
                }
            }
        }
        action.text("-lm");
    }

    /// Symbols of static libraries are no more anybody's business than the module's own. Those of
    /// Fortran's run-time libraries never are: another module may have others of the same names.
    fn add_hiding(&self, action: &mut Action, compiler: &Compiler) {
        let is_shared = matches!(self.kind, Kind::ExtensionModule | Kind::SharedLibrary);
        if !is_shared || compiler.is_apple() {
            return;
        }
        let has_archives = self.static_libraries > 0 || !self.settings.static_libraries.is_empty();
        if has_archives && self.settings.visibility.as_deref() == Some("hidden") {
            action.text("-Wl,--exclude-libs,ALL");
        } else if let Some(FortranRuntime::Static(archives)) = &self.fortran_runtime {
            let names = archives.iter().filter_map(|archive| archive.rsplit('/').next());
            action.text(format!("-Wl,--exclude-libs,{}", names.collect::<Vec<_>>().join(":")));
        }
    }

    fn add_run_paths(&self, action: &mut Action, compiler: &Compiler) {
        for path in &self.settings.run_paths {
            let path = match path.strip_prefix("$ORIGIN") {
                Some(rest) if compiler.is_apple() => format!("@loader_path{rest}"),
                _ => path.clone(),
            };
            // `-Wl` would split a path at its commas.
            for word in ["-Xlinker", "-rpath", "-Xlinker", &path] {
                action.text(word);
            }
        }
    }

    fn add_kind(&self, action: &mut Action, compiler: &Compiler) {
        let soname = self.settings.soname.as_deref().unwrap_or(self.file_name());
        match (self.kind, compiler.is_apple()) {
            // What it takes from Python is found in the process that loads it.
            (Kind::ExtensionModule, true) => {
                for flag in ["-bundle", "-undefined", "dynamic_lookup"] {
                    action.text(flag);
                }
            }
            (Kind::ExtensionModule, false) => action.text("-shared"),
            (Kind::SharedLibrary, true) => {
                action.text("-dynamiclib");
                action.text("-install_name");
                action.text(format!("@rpath/{soname}"));
            }
            (Kind::SharedLibrary, false) => {
                action.text("-shared");
                action.text(format!("-Wl,-soname,{soname}"));
            }
            (Kind::Executable | Kind::StaticLibrary | Kind::StaticModule, _) => {}
        }
    }

    pub(crate) fn add_strip(
        &self,
        action: &mut Action,
        compiler: &Compiler,
        compile_flags: &[String],
    ) {
        let given: Vec<String> =
            compile_flags.iter().chain(self.foreign_arguments()).cloned().collect();
        if self.debug || flags::asks_for_debug(&given) {
            return;
        }
        action.text(match (self.settings.strip, compiler.is_apple()) {
            (false, false) => "-Wl,--strip-debug",
            (true, false) => "-Wl,--strip-all",
            (false, true) => "-Wl,-S",
            (true, true) => "-Wl,-S,-x",
        });
    }
}

fn not_by_name(library: &str) -> Diagnostic {
    Diagnostic::error(
        "static-library-by-name",
        format!("`static-libraries = [\"{library}\"]`: Apple's linker finds static libraries by path only"),
    )
    .with_help(format!("give the file: `static-libraries = [\"/opt/homebrew/lib/lib{library}.a\"]`"))
}

#[cfg(test)]
mod tests;
