//! A module that becomes a part of programs: all its objects as one, which leaves undefined what the
//! program has: CPython, the C library, and libraries of the machine, of which a program needs one only.
//! Those that lie in the project, or in packages that are installed for the build, are the module's own
//! as they are in a shared object, and are taken in.
//!
//! That nothing but its init function is seen from outside is for whoever makes the program to see to.

use std::fmt::Write as _;

use ekiben_plugin::{Diagnostic, Failure, Location};

use crate::flags;
use crate::identify::{Compiler, Family};
use crate::link::{Kind, LinkSpec};
use crate::plan::{Action, Argument, File, Plan};
use crate::program::Language;
use crate::settings::Settings;

/// What can be learnt of files.
pub(crate) trait Files {
    fn is_file(&self, at: &Location) -> Result<bool, Failure>;
    /// Whether a folder is one of packages that are installed for the build.
    fn is_installed_for_build(&self, folder: &str) -> bool;
}

/// What a module needs besides its objects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Archives that become a part of its object.
    pub(crate) taken_in: Vec<Location>,
    /// Libraries that the program is linked with.
    pub(crate) linked: Vec<Linked>,
}

/// A library that a program is linked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) name: String,
    /// The file, if the project says where it is.
    pub(crate) archive: Option<String>,
    /// Whether gfortran knows where it is.
    pub(crate) is_fortrans: bool,
}

/// What an object is made with.
#[derive(Debug)]
pub(crate) struct Toolchain {
    pub(crate) compiler: String,
    pub(crate) linker: String,
}

/// What compilers bring for the code that they make. A library comes before those that it needs.
fn of_languages(languages: &[Language], compiler: &Compiler, openmp: bool) -> Vec<&'static str> {
    let mut names = Vec::new();
    if languages.contains(&Language::Cxx) {
        names.push("stdc++");
    }
    if languages.contains(&Language::Fortran) {
        names.extend(["gfortran", "quadmath"]);
    }
    if openmp {
        names.push(if compiler.family == Family::Gcc { "gomp" } else { "omp" });
    }
    names.push("m");
    names
}

/// What `spec` asks to be linked with.
///
/// # Errors
/// If a file can't be looked for.
pub(crate) fn needs(
    spec: &LinkSpec,
    languages: &[Language],
    compiler: &Compiler,
    files: &dyn Files,
) -> Result<Needs, Failure> {
    let mut names: Vec<String> = Vec::new();
    let mut folders = spec.library_directories.clone();
    let asked = spec.settings.static_libraries.iter().chain(&spec.libraries).cloned();
    let given = spec.arguments.iter().chain(&spec.environment.link);
    let (by_argument, more_folders) = arguments(given);
    folders.extend(more_folders);
    let languages = of_languages(languages, compiler, spec.settings.openmp);
    for name in asked.chain(by_argument).chain(languages.iter().map(|name| (*name).to_owned())) {
        // `-l:libham.a` is a way to ask for the archive, which is what there is to take.
        let file = name.strip_prefix(":lib").and_then(|file| file.strip_suffix(".a"));
        let name = file.map_or(name.clone(), str::to_owned);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut needs = Needs::default();
    for name in names {
        let mut found = None;
        for folder in &folders {
            let archive = inside(folder, &format!("lib{name}.a"));
            if files.is_file(&archive)? {
                found = Some((folder, archive));
                break;
            }
        }
        let is_fortrans = ["gfortran", "quadmath"].contains(&name.as_str());
        match found {
            Some((Location::System(folder), Location::System(archive))) => {
                if files.is_installed_for_build(folder) {
                    needs.taken_in.push(Location::System(archive));
                } else {
                    needs.linked.push(Linked { name, archive: Some(archive), is_fortrans });
                }
            }
            Some((_, archive)) => needs.taken_in.push(archive),
            None => needs.linked.push(Linked { name, archive: None, is_fortrans }),
        }
    }
    Ok(needs)
}

/// The libraries and folders that arguments name. Others are about shared objects.
fn arguments<'a>(given: impl Iterator<Item = &'a String>) -> (Vec<String>, Vec<Location>) {
    let (mut names, mut folders) = (Vec::new(), Vec::new());
    let mut given = given;
    while let Some(argument) = given.next() {
        let mut value = |option: &str| match argument.strip_prefix(option)? {
            "" => given.next().cloned(),
            joined => Some(joined.to_owned()),
        };
        if let Some(name) = value("-l") {
            names.push(name);
        } else if let Some(folder) = value("-L") {
            folders.push(match folder.starts_with('/') {
                true => Location::System(folder),
                false => Location::Source(folder),
            });
        }
    }
    (names, folders)
}

fn inside(folder: &Location, file: &str) -> Location {
    let join = |folder: &str| match folder {
        "" => file.to_owned(),
        folder => format!("{}/{file}", folder.trim_end_matches('/')),
    };
    match folder {
        Location::Source(path) => Location::Source(join(path)),
        Location::Build(path) => Location::Build(join(path)),
        Location::System(path) => Location::System(join(path)),
    }
}

/// What whoever makes the program reads: lines of a word and what follows a tab.
pub(crate) fn text(toolchain: &Toolchain, libraries: &[Linked]) -> String {
    let mut text = format!("compiler\t{}\nlinker\t{}\n", toolchain.compiler, toolchain.linker);
    for library in libraries {
        // Writing to a string doesn't fail.
        let _ = match &library.archive {
            Some(archive) => writeln!(text, "library\t{}\t{archive}", library.name),
            None => writeln!(text, "library\t{}", library.name),
        };
    }
    text
}

impl LinkSpec {
    /// Plans the object of a static module, with as many archives taken in besides those that were
    /// given.
    pub(crate) fn plan_static_module(
        &self,
        taken_in: usize,
        compiler: &Compiler,
        path: &str,
    ) -> Result<Plan, Failure> {
        debug_assert_eq!(self.kind, Kind::StaticModule);
        if compiler.is_apple() {
            let what = "a module that becomes a part of a program, with Apple's linker";
            return Err(Failure::Unsupported(what.to_owned()));
        }
        if self.settings.lto.is_some() && !compiler.is_gcc() {
            return Err(Diagnostic::error(
                "lto-in-programs",
                format!(
                    "`{}` leaves code for the link that can't be joined to an object",
                    compiler.title
                ),
            )
            .with_help(
                "leave out `lto` for extensions that become part of programs, or build with gcc",
            )
            .into());
        }
        let description = format!("join {}", self.output_name());
        let mut action = Action::new("Join", description);
        action.environment.push(("PATH".to_owned(), path.to_owned()));
        action.environment.extend(self.environment.passed.iter().cloned());
        // Code that came in sections of which one is to be kept may be dropped by the program's link
        // only together with what needs it, and tentative definitions get a place while they are the
        // module's alone.
        for flag in ["-r", "-nostdlib", "-Wl,--force-group-allocation", "-Wl,-d"] {
            action.text(flag);
        }
        if self.settings.lto.is_some() {
            // The code is generated now, and by these.
            let lto = Settings { lto: self.settings.lto, ..Settings::default() };
            action.texts(&flags::common(&lto, compiler, true));
            action.texts(&flags::optimization(&self.optimization)?);
            action.text("-fPIC");
            action.text("-flinker-output=nolto-rel");
            action.takes_job_tokens = true;
        }
        self.add_strip(&mut action, compiler, &[]);
        action.text("-o");
        action.arguments.push(Argument::Output("", File::Given(0)));
        let mut inputs = (1..).map(|at| Argument::Input(File::Given(at)));
        action.arguments.extend(inputs.by_ref().take(self.objects));
        let archives = self.static_libraries + taken_in;
        if archives > 0 {
            action.text("-Wl,--start-group");
            action.arguments.extend(inputs.take(archives));
            action.text("-Wl,--end-group");
        }
        Ok(Plan { outputs: Vec::new(), actions: vec![action] })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::flags::tests::compiler;
    use crate::link::driver;
    use crate::plan::render;
    use crate::settings::Lto;

    struct Known(&'static [&'static str]);

    impl Files for Known {
        fn is_file(&self, at: &Location) -> Result<bool, Failure> {
            Ok(self.0.contains(&crate::plan::show(at).as_str()))
        }

        fn is_installed_for_build(&self, folder: &str) -> bool {
            folder.starts_with("/env/")
        }
    }

    fn spec(languages: &[Language]) -> LinkSpec {
        LinkSpec {
            kind: Kind::StaticModule,
            output: Location::Build("modules/spam/_core.o".to_owned()),
            objects: 2,
            static_libraries: 1,
            driver: driver(languages),
            libraries: Vec::new(),
            library_directories: Vec::new(),
            debug: false,
            optimization: "2".to_owned(),
            arguments: Vec::new(),
            settings: Settings::default(),
            environment: Environment::default(),
            path: String::new(),
            fortran_runtime: None,
        }
    }

    fn planned(spec: &LinkSpec, taken_in: usize) -> String {
        let names = ["modules/spam/_core.o", "obj/a.o", "obj/b.o", "libx.a", "liby.a"];
        let given = names.map(|name| Location::Build(name.to_owned()));
        let plan = spec.plan_static_module(taken_in, &compiler(Family::Gcc, 12), "/bin").unwrap();
        render(&plan, &given)
    }

    #[test]
    fn all_objects_become_one() {
        let mut spec = spec(&[Language::C]);
        insta::assert_snapshot!(planned(&spec, 1), @r"
        Join: join modules/spam/_core.o
          PATH=/bin
          -r
          -nostdlib
          -Wl,--force-group-allocation
          -Wl,-d
          -Wl,--strip-debug
          -o
          >{build}/modules/spam/_core.o
          <{build}/obj/a.o
          <{build}/obj/b.o
          -Wl,--start-group
          <{build}/libx.a
          <{build}/liby.a
          -Wl,--end-group
        ");
        spec.static_libraries = 0;
        spec.debug = true;
        spec.settings.lto = Some(Lto::Full);
        let plan = planned(&spec, 0);
        assert!(
            plan.contains("  -flto=auto\n  -O2\n  -fPIC\n  -flinker-output=nolto-rel\n"),
            "{plan}"
        );
        assert!(!plan.contains("group\n") && !plan.contains("strip"), "{plan}");
        let clang = compiler(Family::Clang, 14);
        let Err(Failure::User(refused)) = spec.plan_static_module(0, &clang, "/bin") else {
            panic!("clang's intermediate code is joined");
        };
        assert_eq!(refused[0].code, "lto-in-programs");
    }

    #[test]
    fn what_lies_in_the_project_is_taken_in_and_what_is_the_machines_is_linked_once() {
        let mut spec = spec(&[Language::Cxx, Language::Fortran]);
        spec.libraries = ["z", "egg", "npymath"].map(str::to_owned).to_vec();
        spec.settings.static_libraries = vec!["ham".to_owned()];
        spec.arguments = ["-pthread", "-lz", "-l", ":libbacon.a", "-L/opt/egg", "-Wl,-O1"]
            .map(str::to_owned)
            .to_vec();
        spec.library_directories = vec![
            Location::Source("vendor".to_owned()),
            Location::System("/env/site/numpy/lib".to_owned()),
        ];
        let files =
            Known(&["vendor/libham.a", "/env/site/numpy/lib/libnpymath.a", "/opt/egg/libegg.a"]);
        let languages = [Language::Cxx, Language::Fortran];
        let needs = needs(&spec, &languages, &compiler(Family::Gcc, 12), &files).unwrap();
        let npymath = Location::System("/env/site/numpy/lib/libnpymath.a".to_owned());
        assert_eq!(needs.taken_in, [Location::Source("vendor/libham.a".to_owned()), npymath]);
        let toolchain = Toolchain { compiler: "gcc 12".to_owned(), linker: "ld 2".to_owned() };
        insta::assert_snapshot!(text(&toolchain, &needs.linked).replace('\t', " "), @r"
        compiler gcc 12
        linker ld 2
        library z
        library egg /opt/egg/libegg.a
        library bacon
        library stdc++
        library gfortran
        library quadmath
        library m
        ");
    }
}
