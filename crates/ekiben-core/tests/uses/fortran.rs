//! Fortran's own run-time libraries, as parts of a module and apart from it.

use std::path::Path;

use ekiben_core::graph::Kind;

use crate::support::{BUILD_SYSTEM, PROJECT, Project, module};

/// Both libraries are needed: `libgfortran` for the power, `libquadmath` for the sine. Neither takes
/// what, in the archives of many distributions, only programs can have: input and output.
const POWER: &str = "function power(n) bind(c, name='power')\n\
    use iso_c_binding\n\
    integer(c_long), value :: n\n\
    integer(c_long) :: power\n\
    real(16) :: x\n\
    x = real(n, 16)\n\
    power = n ** n + int(sin(x) ** 2 + cos(x) ** 2 + 0.5_16)\n\
    end function\n";

fn spam(runtime: &str, more_sources: &str) -> Project {
    let extension = format!(
        "[[tool.ekiben.extension]]\nname = \"spam._core\"\nfortran-runtime = \"{runtime}\"\n\
         sources = [\"src/spam/_core.c\", \"native/power.f90\"{more_sources}]\n"
    );
    Project::new(
        Path::new("python3"),
        &[
            ("pyproject.toml", &format!("{BUILD_SYSTEM}\n{PROJECT}\n{extension}")),
            ("src/spam/__init__.py", ""),
            ("src/spam/_core.c", &module("_core", "long power(long);", "power(3)")),
            ("native/power.f90", POWER),
            ("native/more.cc", "int more() { return 1; }\n"),
        ],
    )
}

const RUNS: &str = "import spam._core; print(spam._core.f())";

#[test]
fn static_libraries_are_a_part_of_the_module() {
    for more_sources in ["", ", \"native/more.cc\""] {
        let project = spam("static", more_sources);
        let wheel = project.build();
        let section = wheel.dynamic_section("_core");
        assert!(!section.contains("gfortran") && !section.contains("quadmath"), "{section}");
        assert_eq!(project.python(&wheel, RUNS), "28");
        assert_eq!(project.build().ran(), [""; 0]);
    }
}

#[test]
fn shared_libraries_stay_apart() {
    for more_sources in ["", ", \"native/more.cc\""] {
        let project = spam("shared", more_sources);
        let wheel = project.build();
        let section = wheel.dynamic_section("_core");
        assert!(section.contains("[libgfortran.so."), "{section}");
        assert_eq!(project.python(&wheel, RUNS), "28");
    }
}

/// What can be had depends on the distribution; that one is told doesn't.
#[test]
fn where_only_a_part_can_be_static_there_is_a_warning() {
    let project = spam("static", "");
    let print = POWER.replace("power = n", "print *, x\npower = n");
    project.write("native/power.f90", &print);
    let (built, ears) = project.start(&Kind::WHEEL).unwrap();
    let is_warned = ears.0.lock().unwrap().iter().any(|it| it.code == "fortran-runtime-in-part");
    assert_eq!(built.succeeded(), !is_warned, "{:#?}", built.report);
}

#[test]
fn another_linkage_is_refused() {
    let refused = spam("dynamic", "").refused().to_string();
    assert!(refused.contains("`shared`") && refused.contains("`static`"), "{refused}");
}
