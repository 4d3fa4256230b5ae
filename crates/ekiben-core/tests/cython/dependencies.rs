//! What is translated again, and what isn't.

use crate::support::{Project, Python};

fn project(cache: &std::path::Path) -> Project {
    Project::new(
        cache,
        &[
            ("src/spam/__init__.py", ""),
            (
                "src/spam/a.pyx",
                "from .shared cimport twice\nfrom spam.sub cimport other\ninclude 'a.pxi'\ndef f(): return twice(N) + other.ONE\n",
            ),
            ("src/spam/a.pxi", "cdef int N = 2\n"),
            ("src/spam/shared.pxd", "cdef inline int twice(int x): return 2 * x\n"),
            ("src/spam/sub/__init__.py", ""),
            ("src/spam/sub/other.pxd", "cdef enum:\n    ONE = 1\n"),
            ("src/spam/b.pyx", "def f(): return 3\n"),
        ],
    )
}

/// Which modules were translated.
fn translated(project: &Project) -> Vec<String> {
    let ran = project.ran();
    let sources = ran.iter().filter_map(|what| what.strip_prefix("translate src/spam/"));
    sources.map(str::to_owned).collect()
}

#[test]
fn a_change_leads_to_what_depends_on_it() {
    let cache = tempfile::tempdir().unwrap();
    let project = project(cache.path());
    assert_eq!(translated(&project), ["a.pyx", "b.pyx"]);
    assert_eq!(project.ran(), [""; 0]);
    for (path, text) in [
        ("src/spam/shared.pxd", "cdef inline int twice(int x): return 3 * x\n"),
        ("src/spam/sub/other.pxd", "cdef enum:\n    ONE = 2\n"),
        ("src/spam/a.pxi", "cdef int N = 4\n"),
    ] {
        project.write(path, text);
        let ran = project.ran();
        assert_eq!(ran.len(), 4, "{path}: {ran:?}");
        assert!(
            ran.iter().all(|what| !what.contains("b.pyx") && !what.contains("spam.b")),
            "{ran:?}"
        );
    }
    project.write("src/spam/b.pyx", "def f(): return 4\n");
    assert_eq!(translated(&project), ["b.pyx"]);
    // C that differs in its comments only: nothing is linked.
    project.write("src/spam/shared.pxd", "cdef inline int twice(int x): return 3 * x\n\n\n");
    let ran = project.ran();
    assert!(ran.contains(&"translate src/spam/a.pyx".to_owned()), "{ran:?}");
    assert!(!ran.iter().any(|what| what.starts_with("link")), "{ran:?}");
}

#[test]
fn a_file_that_comes_first_is_noticed() {
    let cache = tempfile::tempdir().unwrap();
    let project = project(cache.path());
    project.ran();
    // Cython reads a `.pxd` of the module's own name unasked.
    project.write("src/spam/b.pxd", "cdef int hidden\n");
    assert_eq!(translated(&project), ["b.pyx"]);
    // The wheel has it, but no translation looked for it.
    project.write("src/spam/unrelated.pxd", "cdef int x\n");
    assert_eq!(translated(&project), [""; 0]);
    // A package is found before a module of that name in a later folder of the search path.
    project.write("src/spam/libc/math.pxd", "");
    assert_eq!(translated(&project), [""; 0]);
}

#[test]
fn a_declaration_of_another_package_counts() {
    let cache = tempfile::tempdir().unwrap();
    let python = Python::default();
    let environment = tempfile::tempdir().unwrap();
    let site = environment.path().join(python.site());
    std::fs::create_dir_all(site.join("eggs")).unwrap();
    let original = python.environment("3.2.9").join(python.site());
    for entry in std::fs::read_dir(original).unwrap().flatten() {
        std::os::unix::fs::symlink(entry.path(), site.join(entry.file_name())).unwrap();
    }
    std::fs::write(site.join("eggs/__init__.py"), "").unwrap();
    let declare = |text: &str| std::fs::write(site.join("eggs/size.pxd"), text).unwrap();
    declare("cdef enum:\n    SIZE = 1\n");
    let files = [
        ("src/spam/__init__.py", ""),
        ("src/spam/a.pyx", "from eggs.size cimport SIZE\ndef f(): return SIZE\n"),
        ("src/spam/b.pyx", ""),
    ];
    let project = Project::with(cache.path(), &files, python, environment.path().to_owned());
    assert_eq!(translated(&project), ["a.pyx", "b.pyx"]);
    declare("cdef enum:\n    SIZE = 2\n");
    assert_eq!(translated(&project), ["a.pyx"]);
    // One of the project comes before.
    project.write("src/eggs/__init__.pxd", "");
    project.write("src/eggs/size.pxd", "cdef enum:\n    SIZE = 3\n");
    assert_eq!(translated(&project), ["a.pyx"]);
    assert_eq!(project.run("import spam.a as a; print(a.f())"), "3");
}

#[test]
fn another_cython_translates_everything_again() {
    let cache = tempfile::tempdir().unwrap();
    let mut project = project(cache.path());
    project.ran();
    project.environment = project.python.environment("3.1.8");
    assert_eq!(translated(&project), ["a.pyx", "b.pyx"]);
}
