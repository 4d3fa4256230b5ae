//! Plans of requests to compile, as snapshots of command lines.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::flags::tests::compiler;
use crate::plan::render;
use crate::settings::Lto;

fn source(path: &str) -> Location {
    Location::Source(path.to_owned())
}

fn spec(language: Language, files: &[(&str, &str)]) -> CompileSpec {
    let sources = files
        .iter()
        .map(|(path, text)| Source { at: source(path), text: (*text).to_owned() })
        .collect();
    CompileSpec {
        product: "spam._core".to_owned(),
        language,
        sources,
        include_directories: Vec::new(),
        definitions: Vec::new(),
        undefinitions: Vec::new(),
        standard: None,
        optimization: "3".to_owned(),
        debug: false,
        warnings: "default".to_owned(),
        position_independent: true,
        arguments: Vec::new(),
        settings: Settings::default(),
        environment: Environment::default(),
        path: "/usr/bin:/bin".to_owned(),
    }
}

fn nothing(_: &str) -> Option<String> {
    None
}

fn planned(spec: &CompileSpec, compiler: &Compiler) -> String {
    let given: Vec<Location> = spec.sources.iter().map(|source| source.at.clone()).collect();
    render(&spec.plan(compiler, &nothing).unwrap(), &given)
}

fn environment(values: &[(&str, &str)]) -> Environment {
    let values: Vec<_> = values.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
    Environment::from_values(&values).unwrap()
}

#[test]
fn c_with_everything_on_gcc() {
    let mut spec = spec(Language::C, &[("src/spam/core.c", ""), ("src/native/fft.c", "")]);
    spec.include_directories = vec![
        source("src/native"),
        source(""),
        Location::Build("gen".into()),
        Location::System("/usr/include/python3.13".into()),
    ];
    spec.definitions = vec![("FAST".into(), None), ("LEVEL".into(), Some("2".into()))];
    spec.undefinitions = vec!["SLOW".into()];
    spec.standard = Some("c11".into());
    spec.warnings = "extra".into();
    spec.arguments = vec!["-fno-math-errno".into()];
    spec.settings.visibility = Some("hidden".into());
    spec.settings.openmp = true;
    spec.settings.lto = Some(Lto::Full);
    spec.environment = environment(&[
        ("CPPFLAGS", "-D_FORTIFY_SOURCE=2"),
        ("CFLAGS", "-O2 -g"),
        ("CXXFLAGS", "-never"),
        ("ARCHFLAGS", "-arch arm64"),
        ("SOURCE_DATE_EPOCH", "1700000000"),
    ]);
    insta::assert_snapshot!(planned(&spec, &compiler(Family::Gcc, 12)));
}

#[test]
fn cxx_for_debugging_on_apple_clang() {
    let mut spec = spec(Language::Cxx, &[("src/a.cpp", ""), ("src/b.cu", "")]);
    spec.debug = true;
    spec.optimization = "0".into();
    spec.standard = Some("c++20".into());
    spec.settings.sanitizers = vec!["address".into(), "undefined".into()];
    spec.settings.visibility = Some("hidden".into());
    spec.environment = environment(&[
        ("ARCHFLAGS", "-arch arm64 -arch x86_64"),
        ("MACOSX_DEPLOYMENT_TARGET", "11.0"),
        ("CXXFLAGS", "-fcoroutines"),
    ]);
    let mut apple = compiler(Family::AppleClang, 15);
    apple.target = "arm64-apple-darwin23.4.0".into();
    insta::assert_snapshot!(planned(&spec, &apple));
}

#[test]
fn fortran_in_the_order_of_its_modules() {
    let mut spec = spec(
        Language::Fortran,
        &[
            ("src/main.f90", "subroutine s\nuse interp\nend\n"),
            ("src/old.f", "      subroutine t\n      end\n"),
            ("src/interp.F90", "module interp\nuse kinds\nend module\n"),
            ("src/kinds.f90", "module Kinds\nend module\n"),
        ],
    );
    spec.definitions = vec![("WITH_MPI".into(), None)];
    spec.standard = Some("f2008".into());
    spec.environment = environment(&[("FFLAGS", "-fbacktrace"), ("CPPFLAGS", "-DX")]);
    insta::assert_snapshot!(planned(&spec, &compiler(Family::Gcc, 12)));
}

#[test]
fn assembler_with_and_without_the_preprocessor() {
    let mut spec = spec(Language::Assembler, &[("a.s", ""), ("b.S", "")]);
    spec.definitions = vec![("X".into(), None)];
    spec.environment = environment(&[("ASFLAGS", "-Wa,--fatal-warnings")]);
    insta::assert_snapshot!(planned(&spec, &compiler(Family::Gcc, 12)));
}

#[test]
fn includes_of_fortran_become_inputs() {
    let mut spec = spec(
        Language::Fortran,
        &[("src/deep/a.f90", "subroutine s\ninclude '../common/x.inc'\nend\n")],
    );
    spec.include_directories = vec![source("include")];
    let read = |path: &str| match path {
        "src/common/x.inc" => Some("include 'y.inc'\nuse later\n".to_owned()),
        "include/y.inc" => {
            Some("include 'x/../y.inc'\ninclude '../../../../etc/passwd'\n".to_owned())
        }
        _ => None,
    };
    spec.sources.push(Source { at: source("m.f90"), text: "module later\nend module\n".into() });
    let plan = spec.plan(&compiler(Family::Gcc, 12), &read).unwrap();
    assert_eq!(plan.actions[0].description, "compile m.f90");
    assert_eq!(
        plan.actions[1].reads,
        [
            File::Made(2),
            File::Source("include/y.inc".into()),
            File::Source("src/common/x.inc".into())
        ]
    );
}

#[test]
fn macros_decide_on_what_fortran_uses() {
    let files = [
        ("a.F90", "#ifdef SERIAL\nuse serial\n#else\nuse mpi_comm\n#endif\nend\n"),
        ("b.f90", "module mpi_comm\nend module\n"),
        ("c.f90", "module serial\nend module\n"),
    ];
    let mut spec = spec(Language::Fortran, &files);
    let read_by_first = |spec: &CompileSpec| {
        let plan = spec.plan(&compiler(Family::Gcc, 12), &nothing).unwrap();
        let first = plan.actions.iter().find(|action| action.description == "compile a.F90");
        let File::Made(at) = first.unwrap().reads[0] else { panic!("{first:?}") };
        plan.outputs[at].path.clone()
    };
    assert_eq!(read_by_first(&spec), "mod/spam._core/mpi_comm.mod");
    spec.environment = environment(&[("FCFLAGS", "-DSERIAL=1")]);
    assert_eq!(read_by_first(&spec), "mod/spam._core/serial.mod");
}

#[test]
fn assertions_stay_where_they_are_wanted() {
    let has_ndebug =
        |spec: &CompileSpec| planned(spec, &compiler(Family::Gcc, 12)).contains("-DNDEBUG");
    let mut spec = spec(Language::C, &[("a.c", "")]);
    assert!(has_ndebug(&spec));
    spec.settings.assertions = true;
    assert!(!has_ndebug(&spec));
    spec.settings.assertions = false;
    spec.debug = true;
    assert!(!has_ndebug(&spec));
}

#[test]
fn mistakes_of_the_user_are_reported() {
    let mut spec = spec(Language::C, &[("a.c", "")]);
    spec.standard = Some("c13".into());
    let Err(Failure::User(reports)) = spec.plan(&compiler(Family::Gcc, 12), &nothing) else {
        panic!("planned all the same");
    };
    assert_eq!(reports[0].code, "unknown-standard");
}

#[test]
fn no_two_sources_share_an_object() {
    let all = [
        source("a.c"),
        source("a.cpp"),
        source("sub/a.c"),
        source("sub%2Fa.c"),
        source("+build/a.c"),
        Location::Build("a.c".into()),
        Location::System("/a.c".into()),
        Location::System("/../a.c".into()),
    ];
    let mut paths: Vec<String> = all.iter().map(|at| object_path("spam._core", at)).collect();
    paths.push(object_path("other", &source("a.c")));
    assert!(paths.iter().all(|path| !path.split('/').any(|part| part == "..")), "{paths:?}");
    assert_eq!(paths[0], "obj/spam._core/a.c.o");
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), all.len() + 1);
}
