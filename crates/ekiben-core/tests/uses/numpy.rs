//! `uses = ["numpy"]` with real wheels of NumPy, old and new.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use ekiben_core::graph::Kind;

use crate::support::{BUILD_SYSTEM, PROJECT, Project, module, run};

/// An interpreter of this version, of pyenv or on PATH.
fn python(minor: u32) -> Option<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(std::env::home_dir()?.join(".pyenv")))?;
    let versions = std::fs::read_dir(root.join("versions")).into_iter().flatten().flatten();
    let of_pyenv = versions.map(|entry| entry.path().join("bin/python3"));
    let candidates = of_pyenv.chain([format!("python3.{minor}").into(), "python3".into()]);
    let question = "import os, sys, sysconfig; \
        assert os.path.exists(sysconfig.get_path('include') + '/Python.h'); \
        print(sys.version_info[1], sys.executable)";
    candidates.into_iter().find_map(|candidate| {
        let output =
            Command::new(candidate).args(["-c", question]).current_dir("/").output().ok()?;
        let answer = String::from_utf8(output.stdout).ok()?;
        let (found, path) = answer.trim().split_once(' ')?;
        (found == minor.to_string()).then(|| path.into())
    })
}

/// An environment with this NumPy, in a folder with this name; made once a target folder.
fn environment(python: &Path, numpy: &str, name: &str) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("environments").join(name);
    let stamp = root.join("ekiben-stamp.txt");
    let requirements =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/requirements/numpy-{numpy}.txt"));
    let pinned = std::fs::read_to_string(&requirements).unwrap();
    let wanted = format!("# {}\n{pinned}", python.display());
    if std::fs::read_to_string(&stamp).is_ok_and(|present| present == wanted) {
        return root.join("bin/python");
    }
    run(Command::new(python).args(["-m", "venv", "--clear", "--without-pip"]).arg(&root));
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--ignore-installed", "--only-binary", ":all:", "--no-warn-script-location"]);
    pip.args(["--require-hashes", "--prefix"]).arg(&root).arg("-r").arg(&requirements);
    run(&mut pip);
    std::fs::write(&stamp, wanted).unwrap();
    root.join("bin/python")
}

const ARRAY: &str = "#include <numpy/arrayobject.h>\n\
    static long elements(void) {\n\
      npy_intp shape[1] = {6};\n\
      if (PyArray_ImportNumPyAPI() < 0) return -1;\n\
      PyObject *array = PyArray_ZEROS(1, shape, NPY_DOUBLE, 0);\n\
      long size = (long)PyArray_SIZE((PyArrayObject *)array);\n\
      Py_DECREF(array);\n\
      return size;\n\
    }";

/// `PyArray_ImportNumPyAPI` came with 2.0; older headers have `_import_array`.
const OLD_ARRAY: &str = "#include <numpy/arrayobject.h>\n\
    static long elements(void) {\n\
      npy_intp shape[1] = {6};\n\
      if (_import_array() < 0) return -1;\n\
      PyObject *array = PyArray_ZEROS(1, shape, NPY_DOUBLE, 0);\n\
      long size = (long)PyArray_SIZE((PyArrayObject *)array);\n\
      Py_DECREF(array);\n\
      return size;\n\
    }";

fn pyproject(project: &str, extensions: &str) -> String {
    format!("{BUILD_SYSTEM}\n{PROJECT}{project}\n{extensions}")
}

const EXTENSION: &str = "[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/_core.c\"]\nuses = [\"numpy\"]\n";

const UNBOUND: &str = "dependencies = [\"numpy\"]\n";

fn spam(python: &Path, pyproject: &str, source: &str) -> Project {
    Project::new(
        python,
        &[
            ("pyproject.toml", pyproject),
            ("src/spam/__init__.py", ""),
            ("src/spam/_core.c", source),
        ],
    )
}

/// A Python that is there, for tests that any will do for.
fn any() -> PathBuf {
    [12, 11, 13].into_iter().find_map(python).expect("one of Python 3.11 to 3.13 must be there")
}

#[test]
fn old_and_new_releases_are_found_and_bound() {
    let mut tried = 0;
    for (minor, numpy, requirement) in [
        (9, "1.26.4", "numpy>=1.19,<2"),
        (9, "2.0.2", "numpy>=1.19"),
        (12, "1.26.4", "numpy>=1.19,<2"),
        (12, "2.2.6", "numpy>=1.21"),
        (13, "2.3.5", "numpy>=1.23"),
    ] {
        let Some(base) = python(minor) else { continue };
        tried += 1;
        let python = environment(&base, numpy, &format!("numpy-{numpy}-3.{minor}"));
        let before = if numpy.starts_with('1') { OLD_ARRAY } else { ARRAY };
        let source = module("_core", before, "elements()");
        let project = spam(&python, &pyproject(UNBOUND, EXTENSION), &source);
        let wheel = project.build();
        assert_eq!(project.python(&wheel, "import spam._core; print(spam._core.f())"), "6");
        let warning = wheel.problems.iter().find(|problem| problem.code == "numpy-bound").unwrap();
        assert!(warning.help[0].contains(&format!("\"{requirement}\"")), "{warning:?}");
        assert_eq!(wheel.codes().contains(&"numpy-1-only"), numpy.starts_with('1'));
    }
    assert!(tried > 0, "no Python that these NumPys have wheels for");
}

#[test]
fn a_derived_bound_stands_in_the_metadata_of_wheels() {
    let python = environment(&any(), "2.3.5", "numpy-2.3.5");
    let source = module("_core", ARRAY, "elements()");
    let dynamic = "dynamic = [\"dependencies\"]\n";
    let project = spam(&python, &pyproject(dynamic, EXTENSION), &source);
    let wheel = project.build();
    let file = wheel.unpacked.path().join("spam-1.0.dist-info/METADATA");
    let metadata = std::fs::read_to_string(file).unwrap();
    assert!(metadata.contains("\nRequires-Dist: numpy>=1.23\n"), "{metadata}");
    assert!(!wheel.codes().contains(&"numpy-bound"), "{:?}", wheel.problems);

    let out = tempfile::tempdir().unwrap();
    let prepared = project.open().unwrap().0.prepare_metadata(&Kind::WHEEL, out.path()).unwrap();
    let prepared = std::fs::read_to_string(out.path().join(prepared).join("METADATA")).unwrap();
    assert_eq!(prepared, metadata);

    // A source distribution is made where no NumPy is, and says that more is to come.
    let mut bare = project;
    bare.python = any();
    let (built, _) = bare.start(&Kind::SDIST).unwrap();
    assert!(built.succeeded(), "{:#?}", built.report);
    let name = built.export(&Kind::SDIST, out.path()).unwrap();
    let code = "import sys, tarfile; t = tarfile.open(sys.argv[1]); \
        print(t.extractfile(sys.argv[2]).read().decode())";
    let archive = out.path().join(name);
    let info = run(Command::new(any()).args(["-c", code]).arg(archive).arg("spam-1.0/PKG-INFO"));
    assert!(info.contains("Dynamic: Requires-Dist") && !info.contains("numpy"), "{info}");
}

#[test]
fn options_choose_the_target_and_the_api() {
    let python = environment(&any(), "2.3.5", "numpy-2.3.5");
    let options =
        "[tool.ekiben.options.numpy-config]\ntarget = \"2.0\"\nno-deprecated-api = \"1.7\"\n";
    let checks = "#if NPY_FEATURE_VERSION != NPY_2_0_API_VERSION\n#error target\n#endif\n\
                  #if NPY_NO_DEPRECATED_API != NPY_1_7_API_VERSION\n#error deprecated\n#endif\n";
    let source = module("_core", &format!("{ARRAY}\n{checks}"), "elements()");
    let listed = "dependencies = [\"numpy>=1.25\"]\n";
    let project = spam(&python, &pyproject(listed, &format!("{EXTENSION}{options}")), &source);
    let wheel = project.build();
    assert_eq!(project.python(&wheel, "import spam._core; print(spam._core.f())"), "6");
    let warning = wheel.problems.iter().find(|problem| problem.code == "numpy-bound").unwrap();
    assert!(warning.help[0].contains("\"numpy>=2.0\""), "{warning:?}");

    let new = options.replace("2.0", "2.9");
    project.write("pyproject.toml", &pyproject(listed, &format!("{EXTENSION}{new}")));
    let refused = project.refused();
    assert!(refused.to_string().contains("is too old"), "{refused}");
}

/// NumPy 2's headers use nothing that isn't in the limited API, so its users can keep to it.
#[test]
fn one_wheel_of_the_limited_api_serves_many_pythons() {
    let pythons: Vec<(PathBuf, &str)> = [(11, "2.3.5"), (12, "2.2.6"), (13, "2.3.5")]
        .into_iter()
        .filter_map(|(minor, numpy)| {
            let name = format!("numpy-{numpy}-3.{minor}");
            Some((environment(&python(minor)?, numpy, &name), numpy))
        })
        .collect();
    let before = format!("#ifndef Py_LIMITED_API\n#error full API\n#endif\n{ARRAY}");
    let extension = format!("{EXTENSION}limited-api = \"3.11\"\n");
    let dynamic = pyproject("dynamic = [\"dependencies\"]\n", &extension);
    let (oldest, _) = pythons.first().expect("one of Python 3.11 to 3.13 must be there");
    let mut project = spam(oldest, &dynamic, &module("_core", &before, "elements()"));
    let wheel = project.build();
    assert!(!wheel.codes().contains(&"numpy-limited-api"), "{:?}", wheel.problems);
    let folder = wheel.unpacked.path();
    assert!(folder.join("spam/_core.abi3.so").is_file());
    let info = std::fs::read_to_string(folder.join("spam-1.0.dist-info/WHEEL")).unwrap();
    assert!(info.contains("\nTag: cp311-abi3-"), "{info}");
    let metadata = std::fs::read_to_string(folder.join("spam-1.0.dist-info/METADATA")).unwrap();
    assert!(metadata.contains("\nRequires-Dist: numpy>=1.23\n"), "{metadata}");
    let code = "import numpy, spam._core; print(spam._core.f(), numpy.__version__)";
    for (python, numpy) in &pythons {
        project.python.clone_from(python);
        assert_eq!(project.python(&wheel, code), format!("6 {numpy}"), "{}", python.display());
    }
}

#[test]
fn static_libraries_of_numpy_are_linked() {
    let python = environment(&any(), "2.3.5", "numpy-2.3.5");
    let extension = EXTENSION.replace("\"numpy\"", "\"numpy:npymath\", \"numpy:npyrandom\"");
    let before = "#include <numpy/npy_math.h>\n#include <numpy/random/distributions.h>\n\
        static uint64_t next64(void *s) { return 7; }\n\
        static uint32_t next32(void *s) { return 7; }\n\
        static double nextd(void *s) { return 0.25; }\n\
        static long number(void) {\n\
          bitgen_t gen = {0, next64, next32, nextd, next64};\n\
          return (long)npy_spacing(1.0) + (long)(8 * random_standard_uniform(&gen)); }";
    let source = module("_core", before, "number()");
    let project = spam(&python, &pyproject(UNBOUND, &extension), &source);
    let wheel = project.build();
    assert_eq!(project.python(&wheel, "import spam._core; print(spam._core.f())"), "2");
}

#[test]
fn without_numpy_the_error_says_so() {
    let base = any();
    let root = tempfile::tempdir().unwrap();
    run(Command::new(&base).args(["-m", "venv", "--without-pip"]).arg(root.path()));
    let source = module("_core", ARRAY, "elements()");
    let python = root.path().join("bin/python");
    let project = spam(&python, &pyproject(UNBOUND, EXTENSION), &source);
    let refused = project.refused().to_string();
    assert!(refused.contains("NumPy isn't installed for the build"), "{refused}");
    project.write("pyproject.toml", &pyproject("", &EXTENSION.replace("\"numpy\"", "\"nunpy\"")));
    let problems = project.refused();
    assert!(problems.0[0].help.iter().any(|help| help.contains("`numpy`")), "{problems:?}");
}

#[test]
fn an_upgrade_rebuilds_exactly_what_uses_numpy() {
    let base = any();
    let old = environment(&base, "2.2.6", "numpy-2.2.6");
    let new = environment(&base, "2.3.5", "numpy-2.3.5");
    let moved = environment(&base, "2.3.5", "elsewhere/numpy-2.3.5");
    let plain = EXTENSION.replace("_core", "_plain").replace("uses = [\"numpy\"]\n", "");
    let mut project = spam(
        &old,
        &pyproject(UNBOUND, &format!("{EXTENSION}\n{plain}")),
        &module("_core", ARRAY, "elements()"),
    );
    project.write("src/spam/_plain.c", &module("_plain", "", "1"));
    assert_eq!(project.build().ran().len(), 4, "each is compiled and linked");
    assert_eq!(project.build().ran(), [""; 0]);

    project.python = new;
    let ran: BTreeMap<bool, Vec<String>> =
        project.build().ran().into_iter().fold(BTreeMap::new(), |mut by, what| {
            by.entry(what.contains("_core")).or_default().push(what);
            by
        });
    assert!(ran.contains_key(&true) && !ran.contains_key(&false), "{ran:?}");

    project.python = moved;
    let again = project.build();
    assert_eq!(again.ran(), [""; 0], "the same NumPy in another folder");
    let at_home = again.commands();
    assert!(!at_home.contains("numpy-2.2.6"), "{at_home}");
}
