//! Plans of requests to link, as snapshots of command lines.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::flags::tests::compiler;
use crate::plan::render;
use crate::settings::Lto;

fn spec(kind: Kind, output: &str, languages: &[Language]) -> LinkSpec {
    LinkSpec {
        kind,
        output: Location::Build(output.to_owned()),
        objects: 2,
        static_libraries: 1,
        driver: driver(languages),
        libraries: Vec::new(),
        library_directories: Vec::new(),
        debug: false,
        optimization: "3".to_owned(),
        arguments: Vec::new(),
        settings: Settings::default(),
        environment: Environment::default(),
        path: "/usr/bin:/bin".to_owned(),
        fortran_runtime: None,
    }
}

fn given(spec: &LinkSpec) -> Vec<Location> {
    let build = |path: &str| Location::Build(path.to_owned());
    vec![spec.output.clone(), build("obj/a.o"), build("obj/b.o"), Location::Source("libx.a".into())]
}

fn planned(spec: &LinkSpec, compiler: &Compiler) -> String {
    render(&spec.plan(compiler).unwrap(), &given(spec))
}

fn environment(values: &[(&str, &str)]) -> Environment {
    let values: Vec<_> = values.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
    Environment::from_values(&values).unwrap()
}

fn apple() -> Compiler {
    let mut apple = compiler(Family::AppleClang, 15);
    apple.target = "arm64-apple-darwin23.4.0".into();
    apple
}

#[test]
fn the_driver_follows_from_the_languages() {
    use Language::{Assembler, C, Cxx, Fortran};
    assert_eq!(driver(&[C, Assembler]), Program::Cc);
    assert_eq!(driver(&[C, Fortran]), Program::Fc);
    assert_eq!(driver(&[Fortran, Cxx, C]), Program::Cxx);
    assert_eq!(driver(&[]), Program::Cc);
    let shared = Settings::default();
    let names = |languages: &[Language], settings: &Settings| {
        names_fortran_runtime(languages, driver(languages), settings)
    };
    assert!(names(&[Fortran, Cxx], &shared));
    assert!(!names(&[Fortran, C], &shared));
    assert!(names_fortran_runtime(&[Fortran, C], Program::Cc, &shared));
    let taken_in = Settings { static_fortran_runtime: true, ..Settings::default() };
    assert!(names(&[Fortran, C], &taken_in));
    assert!(!names(&[Cxx, C], &taken_in));
    let openmp = Settings { openmp: true, ..Settings::default() };
    assert!(may_lack_openmp(&[C, Fortran], &openmp));
    assert!(!may_lack_openmp(&[C, Fortran], &shared) && !may_lack_openmp(&[Fortran], &openmp));
}

#[test]
fn static_runtime_libraries_of_fortran_stay_inside() {
    let gcc = compiler(Family::Gcc, 12);
    let mut spec = spec(Kind::ExtensionModule, "spam/_core.so", &[Language::Fortran]);
    spec.static_libraries = 0;
    spec.objects = 3;
    spec.settings.visibility = Some("default".into());
    let archives = ["/gcc/12/libgfortran.a", "/gcc/12/libquadmath.a"].map(str::to_owned);
    spec.fortran_runtime = Some(FortranRuntime::Static(archives.to_vec()));
    let plan = planned(&spec, &gcc);
    assert!(plan.contains("  -Wl,--exclude-libs,libgfortran.a:libquadmath.a\n"), "{plan}");
    let expected =
        "  -static-libgfortran\n  /gcc/12/libgfortran.a\n  /gcc/12/libquadmath.a\n  -lm\n";
    assert!(plan.contains(expected), "{plan}");
    spec.driver = Program::Cxx;
    let plan = planned(&spec, &gcc);
    assert!(!plan.contains("-static-libgfortran") && plan.contains("/libgfortran.a\n"), "{plan}");
    assert!(!planned(&spec, &apple()).contains("exclude-libs"));
}

#[test]
fn extension_module_with_everything_on_gcc() {
    let mut spec =
        spec(Kind::ExtensionModule, "spam/_core.so", &[Language::Cxx, Language::Fortran]);
    spec.libraries = vec!["blas".into(), "m".into()];
    spec.library_directories =
        vec![Location::Source("vendor".into()), Location::System("/opt/lib".into())];
    spec.arguments = vec!["-Wl,--version-script=src/x.map".into()];
    spec.settings.lto = Some(Lto::Thin);
    spec.settings.openmp = true;
    spec.environment = environment(&[("CXXFLAGS", "-m64"), ("LDFLAGS", "-Wl,-z,now -L/x")]);
    spec.fortran_runtime =
        Some(FortranRuntime::Shared { folder: "/gcc/12".into(), quadmath: true });
    insta::assert_snapshot!(planned(&spec, &compiler(Family::Gcc, 12)));
}

#[test]
fn extension_module_on_apple_clang() {
    let mut spec = spec(Kind::ExtensionModule, "spam/_core.so", &[Language::C]);
    spec.environment =
        environment(&[("ARCHFLAGS", "-arch arm64"), ("MACOSX_DEPLOYMENT_TARGET", "11.0")]);
    spec.settings.strip = true;
    insta::assert_snapshot!(planned(&spec, &apple()));
}

#[test]
fn shared_libraries_know_their_names() {
    let mut spec = spec(Kind::SharedLibrary, "lib/libspam.so", &[Language::C]);
    let gcc = compiler(Family::Gcc, 12);
    assert!(planned(&spec, &gcc).contains("  -shared\n  -Wl,-soname,libspam.so\n"));
    assert!(planned(&spec, &apple()).contains("  -install_name\n  @rpath/libspam.so\n"));
    spec.settings.soname = Some("libspam.so.2".into());
    assert!(planned(&spec, &gcc).contains("  -Wl,-soname,libspam.so.2\n"));
}

#[test]
fn a_run_path_is_set_only_where_it_is_asked_for() {
    let gcc = compiler(Family::Gcc, 12);
    let mut spec = spec(Kind::ExtensionModule, "spam/_core.so", &[Language::C]);
    spec.library_directories = vec![Location::System("/opt/lib".into())];
    spec.libraries = vec!["x".into()];
    assert!(!planned(&spec, &gcc).contains("rpath"));
    spec.environment = environment(&[("LDFLAGS", "-Wl,-rpath,/theirs")]);
    assert_eq!(planned(&spec, &gcc).matches("rpath").count(), 1, "whoever builds may ask for one");
    spec.environment = Environment::default();
    spec.settings.run_paths = vec!["$ORIGIN/../spam.libs".into()];
    let expected = "  -Xlinker\n  -rpath\n  -Xlinker\n  $ORIGIN/../spam.libs\n";
    assert!(planned(&spec, &gcc).contains(expected), "{}", planned(&spec, &gcc));
    assert!(planned(&spec, &apple()).contains("  @loader_path/../spam.libs\n"));
}

#[test]
fn static_libraries_are_linked_by_file_name_and_kept_to_oneself() {
    let mut spec = spec(Kind::ExtensionModule, "spam/_core.so", &[Language::C]);
    spec.static_libraries = 0;
    spec.objects = 3;
    spec.settings.visibility = Some("hidden".into());
    let gcc = compiler(Family::Gcc, 12);
    assert!(!planned(&spec, &gcc).contains("--exclude-libs"));
    spec.settings.static_libraries = vec!["z".into()];
    let plan = planned(&spec, &gcc);
    assert!(
        plan.contains("  -l:libz.a\n") && plan.contains("  -Wl,--exclude-libs,ALL\n"),
        "{plan}"
    );
    assert!(matches!(spec.plan(&apple()), Err(Failure::User(_))));
    spec.settings.visibility = Some("default".into());
    assert!(!planned(&spec, &gcc).contains("--exclude-libs"));
}

#[test]
fn archives_are_reproducible_and_hold_objects_only() {
    let spec = spec(Kind::StaticLibrary, "libspam.a", &[Language::C]);
    insta::assert_snapshot!(render(&spec.plan_archive(false), &given(&spec)));
    let apple = render(&spec.plan_archive(true), &given(&spec));
    assert!(apple.contains("ZERO_AR_DATE=1") && apple.contains("  rcs\n"), "{apple}");
}

#[test]
fn debug_information_is_stripped_unless_wanted() {
    let strips = |spec: &LinkSpec| planned(spec, &compiler(Family::Gcc, 12)).contains("--strip-");
    let mut spec = spec(Kind::Executable, "spam", &[Language::C]);
    assert!(strips(&spec));
    spec.environment = environment(&[("CFLAGS", "-O2 -g")]);
    assert!(!strips(&spec));
    spec.environment = Environment::default();
    spec.debug = true;
    assert!(!strips(&spec));
}

#[test]
fn the_last_choice_of_a_linker_counts() {
    let arguments = ["-fuse-ld=gold".to_owned(), "-O1".to_owned(), "-fuse-ld=lld".to_owned()];
    assert_eq!(chosen_linker(arguments.iter()), Some("lld"));
    assert_eq!(chosen_linker(arguments[1..2].iter()), None);
}

#[test]
fn other_kinds_are_left_to_others() {
    assert_eq!(Kind::from_name("executable").unwrap(), Kind::Executable);
    assert!(matches!(Kind::from_name("wheel"), Err(Failure::Unsupported(_))));
}
