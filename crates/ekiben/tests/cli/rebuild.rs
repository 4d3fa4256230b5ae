//! `editable.rebuild`: what an import does after sources have changed.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::editable::{install, members, wheel};
use crate::support::{Project, Said};

const SETTING: &str = "\n[tool.ekiben.editable]\nrebuild = true\n";

/// A module whose `answer` is what the header says.
const SOURCE: &str = r#"#include <Python.h>
#include "core.h"

static int fill(PyObject *module) { return PyModule_AddIntConstant(module, "answer", ANSWER); }
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)fill},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL}
};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", NULL, 0, NULL, slots};
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&module); }
"#;

/// A project that is installed with `editable.rebuild`.
struct Installed {
    project: Project,
    site: PathBuf,
}

impl Installed {
    fn new() -> Self {
        let project = Project::with_c();
        project.write("src/spam/_core.c", SOURCE);
        project.append("pyproject.toml", SETTING);
        let site = install(&project, &wheel(&project, "{}"));
        Self { project, site }
    }

    fn python(&self, code: &str) -> Command {
        let start = format!("import site; site.addsitedir({:?})\n{code}", self.site.display());
        let mut python = Command::new("python3");
        // Not by what tests share: the command that is started has to know where its cache is.
        python.args(["-c", &start]).current_dir(self.project.beside(""));
        python.env_remove("EKIBEN_ARGS").env_remove("EKIBEN_REBUILD").env_remove("MAKEFLAGS");
        python
    }

    fn run(&self, code: &str) -> Said {
        Said::from(&self.python(code).output().unwrap(), &self.project.beside(""))
    }

    fn answer(&self) -> Said {
        self.run("import spam._core; print(spam._core.answer)")
    }

    /// The log of the last build, which an import that builds writes.
    fn log(&self) -> PathBuf {
        self.project.root().join("build/ekiben/editable/rebuild.json")
    }

    /// Whether `code` made it build.
    fn builds(&self, code: &str) -> bool {
        let _ = std::fs::remove_file(self.log());
        let said = self.run(code);
        assert_eq!(said.code, Some(0), "{said}");
        self.log().exists()
    }
}

fn set_answer(project: &Project, text: &str) {
    project.write("src/spam/core.h", &format!("#define ANSWER {text}\n"));
}

#[test]
fn the_wheel_brings_a_module_only_where_it_is_asked_for() {
    let project = Project::with_c();
    let plain = members(&wheel(&project, "{}"));
    assert!(!plain.contains_key("_editable_spam.py"));
    let asked = members(&wheel(&project, r#"{"editable.rebuild": "true"}"#));
    assert!(asked["_editable_spam.pth"].ends_with("/src\nimport _editable_spam\n"));
    assert!(asked["_editable_spam.py"].contains(r#"NAMES = frozenset(["spam"])"#));
}

#[test]
fn a_changed_header_is_seen_by_the_next_import_and_nothing_else_builds() {
    let installed = Installed::new();
    assert!(!installed.builds("import spam._core"));
    set_answer(&installed.project, "7000");
    assert!(!installed.builds("import json"));
    assert!(installed.builds("import spam._core as core; assert core.answer == 7000"));
    assert!(!installed.builds("import spam._core as core; assert core.answer == 7000"));
    // A new name in a folder of sources may be a new module.
    installed.project.write("src/spam/_more.c", &SOURCE.replace("_core", "_more"));
    assert!(installed.builds("import spam._more as more; assert more.answer == 7000"));
    // A build that a person starts brings everything up to date, too.
    set_answer(&installed.project, "8");
    wheel(&installed.project, "{}");
    assert!(!installed.builds("import spam._core as core; assert core.answer == 8"));
    installed.project.run(&["clean"]);
    assert!(installed.builds("import spam._core as core; assert core.answer == 8"));
}

#[test]
fn the_finder_is_gone_after_the_first_import() {
    let installed = Installed::new();
    let code = "import sys\n\
        count = lambda: sum(type(f).__module__ == '_editable_spam' for f in sys.meta_path)\n\
        before = count(); import json; between = count(); import spam._core\n\
        print(before, between, count())";
    assert_eq!(installed.run(code).stdout, "1 1 0\n");
    let mut off = installed.python(code);
    let said = Said::from(&off.env("EKIBEN_REBUILD", "0").output().unwrap(), Path::new("/no"));
    assert_eq!(said.stdout, "0 0 0\n", "{said}");
}

#[test]
fn an_error_is_shown_and_nothing_old_is_imported() {
    let installed = Installed::new();
    set_answer(&installed.project, "oops");
    let code = "for attempt in range(2):\n    try:\n        import spam._core\n    \
        except ImportError as error:\n        print(error.name, error)";
    let said = installed.run(code);
    let message = "spam `spam` has changed since it was built, and building it again failed, with \
                   the errors above. To go on, correct them, or set EKIBEN_REBUILD=0 to import it \
                   as it is\n";
    assert_eq!(said.stdout, message.repeat(2), "{said}");
    assert!(said.stderr.contains("core.h:1:16: error") && said.stderr.contains("oops"), "{said}");
    let mut off = installed.python("import spam._core as core; print(core.answer)");
    let off = Said::from(&off.env("EKIBEN_REBUILD", "0").output().unwrap(), Path::new("/no"));
    assert_eq!(off.stdout, "42\n", "{off}");
    set_answer(&installed.project, "43");
    assert_eq!(installed.answer().stdout, "43\n");
}

#[test]
fn of_many_processes_one_builds_and_threads_wait() {
    let installed = Installed::new();
    set_answer(&installed.project, "44");
    let code = "import threading\nfound = []\n\
        def load():\n    import spam._core\n    found.append(spam._core.answer)\n\
        threads = [threading.Thread(target=load) for _ in range(4)]\n\
        for thread in threads: thread.start()\n\
        for thread in threads: thread.join()\n\
        import _editable_spam as e, os\nprint(found, os.stat(e.INPUTS).st_ino)";
    let start = |_| installed.python(code).stdout(Stdio::piped()).spawn().unwrap();
    let running: Vec<_> = (0..4).map(start).collect();
    let said: Vec<String> = running
        .into_iter()
        .map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    assert!(said[0].starts_with("[44, 44, 44, 44] "), "{said:?}");
    // Each build writes the file anew, so all saw the same one.
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
}

/// From Python 3.12 on, each has a lock of its own and they really run at once.
#[test]
fn of_many_interpreters_in_a_process_one_builds() {
    let installed = Installed::new();
    set_answer(&installed.project, "47");
    let load = format!(
        "import site; site.addsitedir({:?}); import os, _editable_spam as e, spam._core as core; \
         os.write(1, b'%d %d\\n' % (core.answer, os.stat(e.INPUTS).st_ino))",
        installed.site.display()
    );
    let code = format!(
        "import threading\n\
         try:\n    import _interpreters as interpreters\n\
         except ImportError:\n    import _xxsubinterpreters as interpreters\n\
         def load(interpreter):\n    \
             problem = interpreters.run_string(interpreter, {load:?})\n    \
             assert problem is None, problem\n\
         made = [interpreters.create() for _ in range(4)]\n\
         threads = [threading.Thread(target=load, args=[one]) for one in made]\n\
         for thread in threads: thread.start()\n\
         for thread in threads: thread.join()\n\
         for one in made: interpreters.destroy(one)"
    );
    let said = installed.run(&code);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("47 "), "{said}");
    // Each build writes the file anew, so all saw the same one.
    assert!(lines.iter().all(|line| *line == lines[0]), "{said}");
}

#[test]
fn under_pypy_it_is_the_same() {
    if Command::new("pypy3").arg("--version").output().is_err() {
        // `.ci/run` installs it; not every distribution has it.
        return;
    }
    let project = Project::with_c();
    project.write("src/spam/_core.c", SOURCE);
    project.append("pyproject.toml", SETTING);
    let result = project.beside("result.json");
    let said = project.run(&[
        "pep517",
        "build-editable",
        "--interpreter=pypy3",
        "--result-file",
        result.to_str().unwrap(),
        "--out-dir=out",
        "--config-settings={}",
    ]);
    assert_eq!(said.code, Some(0), "{said}");
    let site = install(&project, &project.only("out", ".whl"));
    let installed = Installed { project, site };
    let answer = || {
        let python = installed.python("import spam._core as core; print(core.answer)");
        let mut pypy = Command::new("pypy3");
        pypy.args(python.get_args()).current_dir(installed.project.beside(""));
        pypy.env_remove("EKIBEN_ARGS").env_remove("EKIBEN_REBUILD").env_remove("MAKEFLAGS");
        Said::from(&pypy.output().unwrap(), &installed.project.beside(""))
    };
    assert_eq!(answer().stdout, "42\n");
    set_answer(&installed.project, "49");
    let said = answer();
    assert_eq!(said.stdout, "49\n", "{said}");
    set_answer(&installed.project, "oops");
    let said = answer();
    assert!(said.stderr.contains("core.h:1:16: error") && said.stdout.is_empty(), "{said}");
}

/// Who may read the project may import it, and is told why it can't be built.
#[test]
fn a_project_that_only_others_may_change_can_be_imported_but_not_built() {
    let installed = Installed::new();
    let change_mode = |mode: &str| {
        let root = installed.project.root();
        let done = Command::new("chmod").args(["-R", mode]).arg(root).status().unwrap();
        assert!(done.success());
    };
    let answer = || {
        let python = installed.python("import spam._core as core; print(core.answer)");
        let mut restricted = Command::new("setpriv");
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            // Root may write everywhere, unless it gives that right away.
            restricted.args(["--bounding-set", "-dac_override"]);
        }
        restricted.arg(python.get_program()).args(python.get_args());
        restricted.current_dir(installed.project.beside("")).env_remove("EKIBEN_REBUILD");
        Said::from(&restricted.output().unwrap(), &installed.project.beside(""))
    };
    let mode = |path: &str| {
        let file = installed.project.root().join(path);
        std::fs::metadata(file).unwrap().permissions().mode()
    };
    let inputs = installed.project.only("build/ekiben/editable", ".inputs");
    assert_eq!(mode(inputs.to_str().unwrap()), mode("src/spam/core.h"));
    change_mode("a-w");
    assert_eq!(answer().stdout, "42\n");
    change_mode("u+w");
    set_answer(&installed.project, "48");
    change_mode("a-w");
    let said = answer();
    change_mode("u+w");
    assert!(said.stderr.contains("nothing can be written to its build folder: "), "{said}");
    assert_eq!(answer().stdout, "48\n");
}

#[test]
fn the_settings_of_the_install_are_those_of_the_rebuild() {
    let project = Project::with_c();
    project.write("src/spam/_core.c", SOURCE);
    let settings = r#"{"editable.rebuild": "true", "defaults.define.EXTRA": "500"}"#;
    let site = install(&project, &wheel(&project, settings));
    let installed = Installed { project, site };
    set_answer(&installed.project, "(EXTRA + 1)");
    assert_eq!(installed.answer().stdout, "501\n");
}

#[test]
fn what_is_in_the_way_is_named() {
    let installed = Installed::new();
    set_answer(&installed.project, "45");
    let said = installed.project.run(&["clean", "--cache"]);
    assert_eq!(said.code, Some(0), "{said}");
    let said = installed.answer();
    assert!(said.stderr.contains("/ekiben is gone. To go on, run `pip install -e "), "{said}");
    // Where nothing can be written, what is up to date can still be imported.
    let installed = Installed::new();
    let folder = installed.project.root().join("build/ekiben/editable");
    let lock = folder.join("lock");
    std::fs::create_dir(&lock).unwrap();
    assert_eq!(installed.answer().stdout, "42\n");
    set_answer(&installed.project, "46");
    let said = installed.answer();
    assert!(said.stderr.contains("nothing can be written to its build folder: "), "{said}");
}
