//! OpenMP in every language, by gcc and by clang.

use std::path::Path;

use crate::support::{BUILD_SYSTEM, PROJECT, Project, module};

const C_TEAM: &str = "#ifndef _OPENMP\n#error no OpenMP\n#endif\n\
    static long team(void) {\n\
      long members = 0;\n\
      #pragma omp parallel num_threads(3) reduction(+ : members)\n\
      members += 1;\n\
      return members;\n\
    }";

/// The line with `!$` counts only with OpenMP.
const FORTRAN_TEAM: &str = "function fortran_team() bind(c, name='fortran_team')\n\
    use iso_c_binding\n\
    integer(c_long) :: fortran_team, members\n\
    members = 0\n\
    !$omp parallel num_threads(3) reduction(+:members)\n\
    members = members + 1\n\
    !$omp end parallel\n\
    !$ members = members + 10\n\
    fortran_team = members\n\
    end function\n";

/// A project with one module of these sources.
fn spam(sources: &[(&str, &str)], openmp: bool) -> Project {
    let paths: Vec<&str> = sources.iter().map(|(path, _)| *path).collect();
    let extension = format!(
        "[[tool.ekiben.extension]]\nname = \"spam._core\"\nopenmp = {openmp}\nsources = {paths:?}\n"
    );
    let pyproject = format!("{BUILD_SYSTEM}\n{PROJECT}\n{extension}");
    let files = [("pyproject.toml", pyproject.as_str()), ("src/spam/__init__.py", "")];
    Project::new(Path::new("python3"), &[&files, sources].concat())
}

/// What the module's function gives, and what the module needs.
fn built_by(compilers: [&str; 2], mut project: Project) -> (String, String) {
    for (variable, compiler) in ["CC", "CXX"].into_iter().zip(compilers) {
        project.variables.insert(variable.to_owned(), compiler.to_owned());
    }
    let wheel = project.build();
    let answer = project.python(&wheel, "import spam._core; print(spam._core.f())");
    assert_eq!(project.build().ran(), [""; 0]);
    (answer, wheel.dynamic_section("_core"))
}

const GCC: [&str; 2] = ["gcc", "g++"];
const CLANG: [&str; 2] = ["clang", "clang++"];

#[test]
fn c_and_cxx_run_in_threads() {
    let c = module("_core", C_TEAM, "team()");
    let cxx = c.replace("{0}", "{}");
    for (compilers, library) in [(GCC, "[libgomp.so"), (CLANG, "[libomp.so")] {
        for source in [("_core.c", c.as_str()), ("_core.cc", cxx.as_str())] {
            let (answer, section) = built_by(compilers, spam(&[source], true));
            assert_eq!(answer, "3", "{compilers:?} {source:?}");
            assert!(section.contains(library), "{section}");
        }
    }
}

/// With clang, its library serves what gfortran made too.
#[test]
fn fortran_runs_in_threads_beside_either_compiler() {
    let before = format!("{C_TEAM}\nlong fortran_team(void);");
    let source = module("_core", &before, "100 * team() + fortran_team()");
    for (compilers, library) in [(GCC, "[libgomp.so"), (CLANG, "[libomp.so")] {
        let project = spam(&[("_core.c", &source), ("team.f90", FORTRAN_TEAM)], true);
        let (answer, section) = built_by(compilers, project);
        assert_eq!(answer, "313", "{compilers:?}");
        assert!(section.contains(library), "{section}");
    }
}

#[test]
fn without_the_setting_there_is_none() {
    let source = module("_core", "long fortran_team(void);", "fortran_team()");
    let project = spam(&[("_core.c", &source), ("team.f90", FORTRAN_TEAM)], false);
    let (answer, section) = built_by(GCC, project);
    assert_eq!(answer, "1");
    assert!(!section.contains("omp.so"), "{section}");
}
