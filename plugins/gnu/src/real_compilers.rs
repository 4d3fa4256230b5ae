//! Plans carried out with the compilers of this machine, as the engine would: in the project's
//! folder, with nothing of the caller's environment.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output as Finished};

use ekiben_plugin::Location;
use tempfile::TempDir;

use crate::compile::{CompileSpec, Source};
use crate::environment::Environment;
use crate::identify::{self, Compiler};
use crate::link::{self, FortranRuntime, Kind, LinkSpec};
use crate::plan::{Argument, File, Plan};
use crate::program::{Language, Program};
use crate::settings::{Lto, Settings};

/// The path at which a program is installed, if it is.
fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn identify(program: Program, path: &Path) -> Compiler {
    let folder = TempDir::new().unwrap();
    let sample = identify::sample(program);
    fs::write(folder.path().join(sample), "").unwrap();
    let answer = Command::new(path)
        .args(["-###", sample])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    identify::parse(&String::from_utf8_lossy(&answer.stderr)).unwrap()
}

/// The compilers of a language that are installed, by path.
fn compilers(language: Language, names: &[&str]) -> Vec<(PathBuf, Compiler)> {
    let found: Vec<_> = names
        .iter()
        .filter_map(|name| installed(name))
        .map(|path| (path.clone(), identify(language.compiler(), &path)))
        .collect();
    assert!(!found.is_empty(), "install one of {names:?}");
    found
}

/// A project with its build folder in it.
struct Project {
    root: TempDir,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { root: TempDir::new().unwrap() };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.path().join(path)).ok()
    }

    fn render(&self, at: &Location) -> String {
        match at {
            Location::Source(path) if path.is_empty() => self.root.path().display().to_string(),
            Location::Source(path) | Location::System(path) => path.clone(),
            Location::Build(path) if path.is_empty() => "build".to_owned(),
            Location::Build(path) => format!("build/{path}"),
        }
    }

    /// Runs a plan and returns the locations of its outputs.
    fn run(&self, compiler: &Path, plan: &Plan, given: &[Location]) -> Vec<Location> {
        let file = |file: &File| match file {
            File::Given(at) => self.render(&given[*at]),
            File::Made(at) => format!("build/{}", plan.outputs[*at].path),
            File::Source(path) => path.clone(),
        };
        for action in &plan.actions {
            let mut expected = Vec::new();
            let mut command = Command::new(compiler);
            command.current_dir(self.root.path()).env_clear();
            command.envs(action.environment.iter().map(|(name, value)| (name, value)));
            for argument in &action.arguments {
                command.arg(match argument {
                    Argument::Text(value) => value.clone(),
                    Argument::Input(input) => file(input),
                    Argument::Output(prefix, output) => {
                        expected.push(file(output));
                        format!("{prefix}{}", file(output))
                    }
                    Argument::Place(prefix, at, suffix) => {
                        format!("{prefix}{}{suffix}", self.render(at))
                    }
                    Argument::DependencyFile(prefix, path) => {
                        expected.push(format!("build/{path}"));
                        format!("{prefix}build/{path}")
                    }
                });
            }
            expected.extend(action.makes.iter().map(file));
            for path in &expected {
                let folder = self.root.path().join(path);
                fs::create_dir_all(folder.parent().unwrap()).unwrap();
            }
            succeeded(&command.output().unwrap(), &format!("{command:?}"));
            for path in expected {
                assert!(self.root.path().join(&path).is_file(), "{command:?} made no {path}");
            }
        }
        plan.outputs.iter().map(|output| Location::Build(output.path.clone())).collect()
    }

    /// Compiles all sources and returns the objects.
    fn compile(&self, compiler: &(PathBuf, Compiler), spec: &CompileSpec) -> Vec<Location> {
        let plan = spec.plan(&compiler.1, &|path| self.read(path)).unwrap();
        let given: Vec<_> = spec.sources.iter().map(|source| source.at.clone()).collect();
        let mut made = self.run(&compiler.0, &plan, &given);
        made.truncate(spec.sources.len());
        made
    }

    fn link(
        &self,
        compiler: &(PathBuf, Compiler),
        spec: &LinkSpec,
        objects: &[Location],
    ) -> PathBuf {
        let plan = if spec.kind == Kind::StaticLibrary {
            spec.plan_archive(compiler.1.is_apple())
        } else {
            spec.plan(&compiler.1).unwrap()
        };
        let mut given = vec![spec.output.clone()];
        given.extend_from_slice(objects);
        self.run(&compiler.0, &plan, &given);
        self.root.path().join(self.render(&spec.output))
    }

    fn spec(&self, language: Language, paths: &[&str]) -> CompileSpec {
        let sources = paths
            .iter()
            .map(|path| Source {
                at: Location::Source((*path).to_owned()),
                text: self.read(path).unwrap(),
            })
            .collect();
        CompileSpec {
            product: "spam._core".to_owned(),
            language,
            sources,
            include_directories: vec![Location::Source("include".to_owned())],
            definitions: vec![("LEVEL".to_owned(), Some("2".to_owned()))],
            undefinitions: vec!["SLOW".to_owned()],
            standard: None,
            optimization: "2".to_owned(),
            debug: false,
            warnings: "error".to_owned(),
            position_independent: true,
            arguments: Vec::new(),
            settings: Settings::default(),
            environment: Environment::default(),
            path: "/usr/bin:/bin".to_owned(),
        }
    }
}

fn link_spec(kind: Kind, output: &str, languages: &[Language], objects: &[Location]) -> LinkSpec {
    LinkSpec {
        kind,
        output: Location::Build(output.to_owned()),
        objects: objects.len(),
        static_libraries: 0,
        driver: link::driver(languages),
        libraries: Vec::new(),
        library_directories: Vec::new(),
        debug: false,
        optimization: "2".to_owned(),
        arguments: Vec::new(),
        settings: Settings::default(),
        environment: Environment::default(),
        path: "/usr/bin:/bin".to_owned(),
        fortran_runtime: None,
    }
}

fn succeeded(finished: &Finished, what: &str) -> String {
    let errors = String::from_utf8_lossy(&finished.stderr);
    assert!(finished.status.success(), "{what}\n{errors}");
    assert!(errors.is_empty(), "{what}\n{errors}");
    String::from_utf8_lossy(&finished.stdout).into_owned()
}

const C_FILES: [(&str, &str); 2] = [
    (
        "src/core.c",
        "#include <assert.h>\n#include \"level.h\"\nint level(int x) { assert(x > 0); return \
         LEVEL + EXTRA + x; }\nconst char *where(void) { return __FILE__ HEADER; }\n",
    ),
    ("include/level.h", "#define EXTRA 3\n#define HEADER __FILE__\n"),
];

#[test]
fn c_is_the_same_wherever_it_is_built() {
    for compiler in compilers(Language::C, &["gcc", "clang"]) {
        let build = |lto: Option<Lto>| {
            let project = Project::new(&C_FILES);
            let mut spec = project.spec(Language::C, &["src/core.c"]);
            spec.standard = Some("c11".into());
            spec.debug = true;
            spec.settings.visibility = Some("default".into());
            spec.settings.lto = lto;
            let objects = project.compile(&compiler, &spec);
            let object = fs::read(project.root.path().join(project.render(&objects[0]))).unwrap();
            let mut link = link_spec(Kind::ExtensionModule, "_core.so", &[Language::C], &objects);
            link.settings.lto = lto;
            let module = fs::read(project.link(&compiler, &link, &objects)).unwrap();
            let folder = project.root.path().file_name().unwrap().as_encoded_bytes().to_owned();
            let holds_folder = module.windows(folder.len()).any(|part| part == folder);
            assert!(!holds_folder, "{compiler:?}");
            (object, module)
        };
        let (one, other) = (build(None), build(None));
        assert!(one == other, "{compiler:?} gives something else in another folder");
        // gcc's intermediate code holds the folder; what is linked from it doesn't.
        let (one, other) = (build(Some(Lto::Full)).1, build(Some(Lto::Full)).1);
        assert!(one == other, "{compiler:?} gives something else in another folder with LTO");
    }
}

#[test]
fn every_standard_and_setting_is_understood() {
    let project = Project::new(&[("a.cc", "int f() { return 1; }\n"), ("include/x.h", "")]);
    for compiler in compilers(Language::Cxx, &["g++", "clang++"]) {
        for standard in ["c++11", "gnu++17", "c++20", "c++23"] {
            let mut spec = project.spec(Language::Cxx, &["a.cc"]);
            spec.standard = Some(standard.into());
            spec.optimization = "fast".into();
            spec.settings.visibility = Some("hidden".into());
            spec.settings.sanitizers = vec!["address".into(), "undefined".into()];
            assert_eq!(project.compile(&compiler, &spec).len(), 1);
        }
    }
}

const FORTRAN_FILES: [(&str, &str); 7] = [
    (
        "src/main.cc",
        "#include <cstdio>\nextern \"C\" int answer(void);\nint main() { std::printf(\"%d\\n\", \
         answer()); }\n",
    ),
    (
        "src/answer.f90",
        "integer(c_int) function answer() bind(c, name='answer')\n  use, intrinsic :: \
         iso_c_binding\n  use points\n  use numbers, only: seven\n  include 'six.inc'\n  answer = \
         six * seven + origin()\nend function\n",
    ),
    (
        "src/body.f90",
        "submodule (points) body\ncontains\n  module procedure origin\n    origin = deep()\n  end \
         procedure\nend submodule\n",
    ),
    (
        "src/points.F90",
        "#ifdef LEVEL\nmodule points\n  interface\n    module integer function origin()\n    end \
         function\n    module integer function deep()\n    end function\n  end interface\nend \
         module\n#endif\n",
    ),
    (
        "src/deep.f90",
        "submodule (points:body) lower\ncontains\n  module procedure deep\n    deep = 0\n  end procedure\nend submodule\n",
    ),
    (
        "src/old.f",
        "C     fixed form\n      module numbers\n      integer, parameter ::\n     &  seven = 7\n      end module\n",
    ),
    ("src/six.inc", "  integer, parameter :: six = 6\n"),
];

#[test]
fn fortran_modules_submodules_and_cxx_make_one_program() {
    let fortran = compilers(Language::Fortran, &["gfortran"]).remove(0);
    let cxx = compilers(Language::Cxx, &["g++"]).remove(0);
    let project = Project::new(&FORTRAN_FILES);
    let paths = ["src/answer.f90", "src/body.f90", "src/points.F90", "src/deep.f90", "src/old.f"];
    let mut spec = project.spec(Language::Fortran, &paths);
    spec.include_directories.clear();
    let mut objects = project.compile(&fortran, &spec);
    let mut main = project.spec(Language::Cxx, &["src/main.cc"]);
    main.include_directories.clear();
    objects.extend(project.compile(&cxx, &main));

    let languages = [Language::Cxx, Language::Fortran];
    let mut link = link_spec(Kind::Executable, "answer", &languages, &objects);
    let library = Command::new(&fortran.0).arg("-print-file-name=libgfortran.so").output().unwrap();
    let library = PathBuf::from(succeeded(&library, "gfortran").trim());
    let folder = library.parent().unwrap().display().to_string();
    link.fortran_runtime = Some(FortranRuntime::Shared { folder, quadmath: true });
    let program = project.link(&cxx, &link, &objects);
    assert_eq!(succeeded(&Command::new(program).output().unwrap(), "answer"), "42\n");
}

const MODULE_FILES: [(&str, &str); 3] = [
    (
        "src/one.cc",
        "#include \"table.h\"\nextern \"C\" int more(void);\nint PyInit__core() { const int \
         others = more(); return table().size() + others; }\n",
    ),
    (
        "src/two.cc",
        "#include \"table.h\"\nextern \"C\" int more(void) { table()[\"two\"] = 2; return table().size(); }\n",
    ),
    (
        "include/table.h",
        "#include <map>\n#include <string>\ninline std::map<std::string, int> &table() { static \
         std::map<std::string, int> t{{\"one\", 1}}; return t; }\n",
    ),
];

#[test]
fn a_static_module_is_one_object_without_groups() {
    for compiler in compilers(Language::Cxx, &["g++", "clang++"]) {
        let ltos = [None, Some(Lto::Full)];
        // What clang leaves for the link can't be joined.
        for lto in &ltos[..if compiler.1.is_gcc() { 2 } else { 1 }] {
            let project = Project::new(&MODULE_FILES);
            let mut compile = project.spec(Language::Cxx, &["src/one.cc", "src/two.cc"]);
            compile.settings.lto = *lto;
            compile.standard = Some("c++17".into());
            let objects = project.compile(&compiler, &compile);
            let mut join = link_spec(Kind::StaticModule, "_core.o", &[Language::Cxx], &objects);
            join.settings.lto = *lto;
            let plan = join.plan_static_module(0, &compiler.1, "/usr/bin:/bin").unwrap();
            let mut given = vec![join.output.clone()];
            given.extend_from_slice(&objects);
            project.run(&compiler.0, &plan, &given);
            let object = project.root.path().join("build/_core.o");
            let groups = Command::new("readelf").arg("-gW").arg(&object).output().unwrap();
            let groups = succeeded(&groups, "readelf");
            assert!(groups.contains("There are no section groups"), "{compiler:?}: {groups}");

            project.write("main.cc", "int PyInit__core(); int main() { return PyInit__core(); }\n");
            let mut link = Command::new(&compiler.0);
            link.current_dir(project.root.path()).args(["main.cc", "build/_core.o", "-o", "main"]);
            succeeded(&link.output().unwrap(), "linking what was joined");
            let status = Command::new(project.root.path().join("main")).status().unwrap();
            assert_eq!(status.code(), Some(4), "{compiler:?} with {lto:?}");
        }
    }
}

#[test]
fn an_archive_has_no_times_in_it() {
    let archiver = installed("ar").unwrap();
    let gcc = compilers(Language::C, &["gcc"]).remove(0);
    let build = || {
        let project = Project::new(&C_FILES);
        let objects = project.compile(&gcc, &project.spec(Language::C, &["src/core.c"]));
        let link = link_spec(Kind::StaticLibrary, "libx.a", &[Language::C], &objects);
        let as_archiver = (archiver.clone(), gcc.1.clone());
        fs::read(project.link(&as_archiver, &link, &objects)).unwrap()
    };
    let archive = build();
    assert!(archive.starts_with(b"!<arch>\n"));
    assert!(archive == build(), "another archive of the same objects");
}

#[test]
fn assembler_is_assembled() {
    let project = Project::new(&[
        ("a.s", ".globl a\na: .incbin \"blob\"\n"),
        ("b.S", "#if LEVEL == 2\n.globl b\nb: .long LEVEL\n#endif\n"),
        ("blob", "x"),
        ("include/x.h", ""),
    ]);
    for compiler in compilers(Language::Assembler, &["gcc", "clang"]) {
        let mut spec = project.spec(Language::Assembler, &["a.s", "b.S"]);
        spec.warnings = "default".into();
        assert_eq!(project.compile(&compiler, &spec).len(), 2);
        let dependencies = project.read("build/obj/spam._core/a.s.d");
        assert!(!compiler.1.is_gcc() || dependencies.is_some_and(|text| text.contains("a.s")));
    }
}
