//! `ekiben freeze` and `ekiben inspect`, with a runtime of which the program prints what it holds.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use ekiben_image::{Builder, Content, ModuleKind, NewModule};

use crate::support::{Project, Said, snapshot};

const PROGRAM: &str = r#"
#include <stdio.h>
__attribute__((section(".ekiben_image"), aligned(16), used)) const char image[16] = {0};
int main(void) {
    const char *volatile start = image;
    return printf("%.8s\n", start) == 9 ? 0 : 1;
}
"#;

/// The first Python of 3.11 or later.
pub(crate) fn python() -> (String, String) {
    let ask = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2], sep='\\n')";
    let names = ["python3.13", "python3.12", "python3.14", "python3.11", "python3"];
    let mut answers = names.iter().filter_map(|name| {
        let output = Command::new(name).args(["-c", ask]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        let (path, version) = text.trim().split_once('\n')?;
        let minor: u32 = version.strip_prefix("3.")?.parse().ok()?;
        (minor >= 11).then(|| (path.to_owned(), version.to_owned()))
    });
    answers.next().unwrap()
}

/// Makes a runtime beside the project.
pub(crate) fn runtime(project: &Project) {
    let (interpreter, python) = python();
    let folder = project.beside("runtime");
    fs::create_dir_all(folder.join("bin")).unwrap();
    symlink(interpreter, folder.join(format!("bin/python{python}"))).unwrap();
    fs::write(folder.join("program.c"), PROGRAM).unwrap();
    let linked = Command::new("cc")
        .args(["-no-pie", "-Wl,--section-start=.ekiben_image=0x40000000", "-o"])
        .args([folder.join(format!("bin/python{python}-static")), folder.join("program.c")])
        .output()
        .unwrap();
    assert!(linked.status.success(), "{linked:?}");
    let mut builder = Builder::new();
    builder.set("python", &python).unwrap();
    let path = format!("lib/python{python}/abc.py");
    let code = Content::plain(b"code".to_vec());
    let module = NewModule { kind: ModuleKind::Code, is_package: false, path, code };
    builder.module("abc", module).unwrap();
    let (kind, path, code) = (ModuleKind::Builtin, String::new(), Content::default());
    builder.module("sys", NewModule { kind, is_package: false, path, code }).unwrap();
    fs::write(folder.join("stdlib.image"), builder.build().unwrap()).unwrap();
}

fn freeze(project: &Project, words: &[&str]) -> Said {
    freeze_words(project, &[&["freeze"], words].concat())
}

fn freeze_words(project: &Project, words: &[&str]) -> Said {
    let words = [&[words[0], "--runtime", "../runtime"], &words[1..]].concat();
    let output = project.command(&words).env_remove("VIRTUAL_ENV").output().unwrap();
    Said::from(&output, &project.beside(""))
}

#[test]
fn a_script_becomes_a_program() {
    let project = Project::pure();
    runtime(&project);
    project.write("hello.py", "import greeting\n__import__(greeting.NAME)\n");
    project.write("greeting.py", "NAME = 'abc'\n");
    snapshot!(freeze(&project, &["hello.py"]), @r#"
    exit 0
    --- stdout
    Made hello: [SIZE]; interpreter [SIZE], image [SIZE], in which 2 modules and 0 files of its own take [SIZE]
    --- stderr
    warning[dynamic-import]: what `hello` imports here is only known when it runs: __import__(greeting.NAME)
     --> hello.py:2:1
      |
    2 | __import__(greeting.NAME)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: name what it imports by --include, or in a file of --hints
    "#);
    let output = Command::new(project.root().join("hello")).output().unwrap();
    assert_eq!(output.stdout, b"EKIBENIM\n");

    let verbose = freeze(&project, &["-v", "hello.py", "-o", "../out/program"]);
    assert!(verbose.stdout.contains("imported by hello, line 1"), "{verbose}");
    assert!(project.beside("out/program").is_file());

    let json =
        freeze(&project, &["hello.py", "--format", "json", "--optimize", "2", "--no-sources"]);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["program"], "hello");
    assert_eq!(report["modules"][0]["name"], "greeting");
    assert_eq!(report["modules"][0]["by"], "hello");
    assert_eq!(report["warnings"][0]["code"], "dynamic-import");
}

#[test]
fn imports_of_a_run_are_recorded() {
    let project = Project::pure();
    runtime(&project);
    project.write("hello.py", "import sys\n__import__(sys.argv[1])\nsys.exit(len(sys.argv))\n");
    project.write("one.py", "");
    project.write("two.py", "");
    let taken = |words: &[&str]| {
        let words = [&["freeze", "hello.py", "--format", "json"], words].concat();
        let said = freeze_words(&project, &words);
        let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let modules = report["modules"].as_array().unwrap();
        let names = modules.iter().map(|it| it["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), said.stderr)
    };
    let (modules, stderr) = taken(&["--trace", "--trace-file", "imports.txt", "--", "one"]);
    assert_eq!(modules, ["hello", "one"]);
    assert_eq!(stderr, "warning[traced-run]: the traced run ended with exit status: 2\n");
    let (modules, _) = taken(&["--trace", "--trace-file", "imports.txt", "--", "two"]);
    assert_eq!(modules, ["hello", "one", "two"]);
    assert_eq!(taken(&["--trace-file", "imports.txt"]).0, modules, "with no run");
    assert_eq!(taken(&["--trace", "--", "one"]).0, ["hello", "one"]);
    assert_eq!(taken(&[]).0, ["hello"]);
    project.write("imports.txt", "one\ntwo three\n");
    snapshot!(freeze(&project, &["hello.py", "--trace-file", "imports.txt"]), @r"
    exit 2
    --- stdout
    --- stderr
    error[freeze-input]: imports.txt: line 2: `two three` isn't the name of a module
    ");
}

#[test]
fn an_interrupt_is_for_the_traced_run() {
    let project = Project::pure();
    runtime(&project);
    let script = "import sys\nos, signal = map(__import__, ('os', 'signal'))\n\
        try:\n    os.killpg(0, signal.SIGINT)\n    signal.pause()\n\
        except KeyboardInterrupt:\n    __import__(sys.argv[1])\n    raise\n";
    project.write("hello.py", script);
    project.write("one.py", "");
    let words = ["freeze", "--runtime", "../runtime", "hello.py", "--format", "json"];
    let words = [&words[..], &["--trace", "--", "one"]].concat();
    let output = project.command(&words).env_remove("VIRTUAL_ENV").process_group(0).output();
    let said = Said::from(&output.unwrap(), &project.beside(""));
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.stderr.contains("the traced run ended with signal: 2"), "{said}");
    let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["modules"][1]["name"], "one", "{said}");
    assert!(project.root().join("hello").is_file());
}

#[test]
fn without_a_runtime_an_ordinary_interpreter_serves() {
    let project = Project::pure();
    let (interpreter, python) = python();
    project.write(
        "hello.py",
        "import os, sys, zlib, json\nprint(sys.argv[1:], json.__file__ == sys.prefix + \
         '/lib/python%d.%d/json/__init__.py' % sys.version_info[:2])\n\
         print([key for key in os.environ if key in ('EKIBEN_HOST', 'LD_PRELOAD')])\n",
    );
    let words = ["freeze", "hello.py", "--python", &python];
    let made = project.command(&words).env_remove("VIRTUAL_ENV").output().unwrap();
    let made = Said::from(&made, &project.beside(""));
    assert_eq!(made.code, Some(0), "{made}");
    assert!(made.stdout.starts_with("It is of the flavour `host`, with "), "{made}");
    let program = project.root().join("hello");
    let run = || Command::new(&program).arg("word").env_remove("LD_PRELOAD").output().unwrap();
    let output = run();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "['word'] True\n[]\n", "{output:?}");
    let json = ["inspect", "hello", "--format", "json", "--verify"];
    let inventory: serde_json::Value = serde_json::from_str(&project.run(&json).stdout).unwrap();
    let host = inventory["settings"]["host"].as_str().unwrap();
    assert!(host.starts_with("bin/python\n") && host.ends_with("lib/ekiben_host.so"), "{host}");

    // An interpreter by its path, and what it made before.
    let first = fs::read(&program).unwrap();
    let again = ["freeze", "hello.py", "--python", &interpreter, "--quiet"];
    let again = project.command(&again).env_remove("VIRTUAL_ENV").output().unwrap();
    assert!(again.status.success(), "{again:?}");
    assert!(fs::read(&program).unwrap() == first);
}

#[test]
fn what_cant_be_frozen_is_told() {
    let project = Project::pure();
    let none = project.run(&["freeze", "hello.py", "--flavour", "static"]);
    assert_eq!(none.code, Some(2), "{none}");
    assert!(none.stderr.contains("ekiben runtime build"), "{none}");
    let words = ["freeze", "hello.py", "--python", "/no/python"];
    snapshot!(project.run(&words), @r#"
    exit 2
    --- stdout
    --- stderr
    error[no-interpreter]: `/no/python` is neither an interpreter that can be run, nor a version of Python that is on PATH
     |
     = help: name a version, or the path of another interpreter, by --python, or make a runtime by `ekiben runtime build`
    "#);
    snapshot!(project.run(&[&words[..], &["--flavour", "static"]].concat()), @r#"
    exit 2
    --- stdout
    --- stderr
    error[freeze]: --python names an interpreter by its path, which is for the flavour `host`, not `static`
     |
     = help: name a version, or leave out --flavour
    "#);
    let none = project.run(&["freeze", "hello.py", "--python", "3.99"]);
    snapshot!(none, @r"
    exit 2
    --- stdout
    --- stderr
    error[no-such-runtime]: there is no runtime `3.99`
     |
     = help: there is none yet: make one with `ekiben runtime build --python 3.99`
     = help: an ordinary interpreter doesn't serve: `3.99` is neither an interpreter that can be run, nor a version of Python that is on PATH
    ");
    let none = project.run(&["freeze", "hello.py", "--runtime", "3.14"]);
    assert!(
        none.stderr.starts_with("error[no-such-runtime]: there is no runtime `3.14`"),
        "{none}"
    );
    runtime(&project);
    let words = ["freeze", "--runtime", "../runtime", "nowhere:main"];
    let output = project.command(&words).env("VIRTUAL_ENV", "/other").output().unwrap();
    let said = Said::from(&output, &project.beside("")).to_string();
    snapshot!(said.replace(&python().1, "[PYTHON]"), @r"
    exit 2
    --- stdout
    --- stderr
    error[freeze-modules]: there is no module `nowhere`
     |
     = help: modules are looked for beside a script, and where --site or --requirements say
     = help: the active virtual environment /other isn't of Python [PYTHON], so nothing is taken from it: name its version by --python, or another folder by --site
    ");
    snapshot!(freeze(&project, &["nowhere.txt"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[freeze-modules]: there is no module `nowhere.txt`
     |
     = help: modules are looked for beside a script, and where --site or --requirements say
    "#);
    snapshot!(freeze(&project, &["."]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[freeze-input]: ./pyproject.toml: [project.scripts] names no script that could be the program
    "#);
    project.write("spam.py", "");
    snapshot!(freeze(&project, &["spam.py", "--script", "eggs"]), @r"
    exit 2
    --- stdout
    --- stderr
    error[freeze]: --script eggs chooses among the scripts of a project
     |
     = help: name the folder of the project, or leave out --script
    ");
    snapshot!(freeze(&project, &["spam.py", "-o", "src"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[freeze-output]: the program can't be written: src is a folder
     |
     = help: give the program another name by -o
    "#);
    let (_, python) = python();
    let dynamic = freeze(&project, &["spam.py", "--flavour", "dynamic"]).to_string();
    snapshot!(dynamic.replace(&python, "[PYTHON]"), @r#"
    exit 2
    --- stdout
    --- stderr
    error[no-runtime]: there is no runtime in ../runtime: there is no bin/python[PYTHON]-dynamic
     |
     = help: make one by `ekiben runtime build`
    "#);
}

#[test]
fn a_pip_that_is_too_old_is_passed_over() {
    let project = Project::pure();
    runtime(&project);
    project.write("hello.py", "");
    project.write("requirements.txt", "iniconfig\n");
    project.write("bin/pip", "#!/bin/sh\necho 'pip 22.2.2 from /nowhere (python 3.9)'\n");
    let pip = project.root().join("bin/pip");
    fs::set_permissions(&pip, fs::Permissions::from_mode(0o755)).unwrap();
    let words = ["freeze", "--runtime", "../runtime", "hello.py"];
    let words = [&words[..], &["--requirements", "requirements.txt"]].concat();
    let output = project.command(&words).env("PATH", project.root().join("bin")).output();
    let said = Said::from(&output.unwrap(), &project.beside(""));
    assert_eq!(said.code, Some(2), "{said}");
    let expected = format!("neither uv nor a pip that runs in Python {}", python().1);
    assert!(said.stderr.starts_with("error[no-installer]: "), "{said}");
    assert!(said.stderr.contains(&expected) && said.stderr.contains("23.1.2 or later"), "{said}");
}

#[test]
fn packages_of_the_current_folder_are_found() {
    let project = Project::pure();
    runtime(&project);
    for file in ["pk/__init__.py", "pk/__main__.py", "pk/part.py"] {
        project.write(file, "");
    }
    project.write("pk/cli.py", "from pk import part\ndef main(): pass\n");
    project.write("alone.py", "def main(): pass\n");
    for (word, program) in
        [("pk", "out"), ("pk.cli", "pk.1"), ("pk.cli:main", "pk.2"), ("alone:main", "alone")]
    {
        let said = freeze(&project, &[word, "-o", program]);
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{word}: {said}");
    }
}

#[test]
fn nothing_but_programs_is_replaced() {
    let project = Project::pure();
    runtime(&project);
    project.write("tool", "print()\n");
    project.write("empty", "");
    let requirements = project.beside("requirements.txt");
    fs::write(&requirements, "# none\n").unwrap();
    let tool = project.root().join("tool");
    for script in ["./tool", tool.to_str().unwrap()] {
        let said = freeze(&project, &[script]);
        assert_eq!(said.code, Some(2), "{said}");
        let expected =
            "error[freeze-output]: the program can't be written: tool is what it is made of\n";
        assert!(said.stderr.starts_with(expected) && said.stderr.contains("by -o"), "{said}");
    }
    let said = freeze(&project, &["./tool", "-o", "pyproject.toml"]);
    let expected = "pyproject.toml is there, and no program that Ekiben made";
    assert!(said.stderr.contains(expected), "{said}");
    let words = ["./tool", "--requirements", "../requirements.txt", "-o", "../requirements.txt"];
    let said = freeze(&project, &words);
    assert!(said.stderr.contains("../requirements.txt is what it is made of"), "{said}");
    assert_eq!(fs::read_to_string(&tool).unwrap(), "print()\n");
    assert_eq!(fs::read_to_string(&requirements).unwrap(), "# none\n");
    // In another folder the script's name is free; and a program may be made again.
    for _ in 0..2 {
        let words = ["freeze", "--runtime", "../../runtime", "../tool"];
        let made = project.command_in(&project.root().join("src"), &words).output().unwrap();
        assert!(made.status.success(), "{made:?}");
    }
    assert!(project.root().join("src/tool").is_file());
    let said = freeze(&project, &["./tool", "-o", "empty"]);
    assert_eq!(said.code, Some(0), "{said}");
}

#[test]
fn programs_are_inspected() {
    let project = Project::pure();
    runtime(&project);
    project.write("hello.py", "");
    let made = freeze(&project, &["hello.py"]);
    assert_eq!(made.code, Some(0), "{made}");
    let text = project.run(&["inspect", "hello", "--verify"]);
    let (_, python) = python();
    // How wide numbers are differs from Python to Python.
    let text = text.to_string().replace(&python, "[PYTHON]");
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let text = lines.collect::<Vec<_>>().join("\n");
    snapshot!(text, @r#"
    exit 0
    --- stdout
    hello: [SIZE]
    [SIZE] interpreter
    [SIZE] image

    Settings:
    fast-exit = 1
    isolated = 1
    main = hello
    optimize = 0
    python = [PYTHON]
    quiet-start = 1
    self-interpreter = 1

    Parts, with code, sources and other files:
    [SIZE] [SIZE] [SIZE] [SIZE] hello (1)
    [SIZE] [SIZE] [SIZE] [SIZE] standard library (2)
    [SIZE] index

    Modules (3), with code and source:
    [SIZE] abc
    [SIZE] [SIZE] hello
    [SIZE] sys builtin

    Files (0), with what they take:
    --- stderr
    "#);
    let json = project.run(&["inspect", "hello", "--format", "json"]);
    let inventory: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(inventory["settings"]["main"], "hello");
    assert_eq!(inventory["modules"][1]["name"], "hello");
    let page = project.run(&["inspect", "hello", "--format", "html", "-o", "hello.html"]);
    assert_eq!(page.code, Some(0), "{page}");
    let page = fs::read_to_string(project.root().join("hello.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg"), "{page}");

    let path = project.root().join("hello");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    snapshot!(project.run(&["inspect", "hello", "--verify"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[inspect]: hello: the module image is damaged: the checksum of its content is wrong
    "#);
    snapshot!(project.run(&["inspect", "hello.py"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[inspect]: hello.py is neither a program nor a wheel
    "#);
}

#[test]
fn wheels_are_inspected() {
    let project = Project::pure();
    let built = project.run(&["build"]);
    assert_eq!(built.code, Some(0), "{built}");
    let wheel = project.only("dist", ".whl");
    let wheel = wheel.to_str().unwrap();
    snapshot!(project.run(&["inspect", wheel, "--verify"]), @r#"
    exit 0
    --- stdout
    spam-1.0-py3-none-any.whl: [SIZE]
      spam 1.0, no licence stated
      for py3-none-any

    Files (4), with their size and what they take:
          [SIZE]     [SIZE]  spam/__init__.py
          [SIZE]     [SIZE]  spam-1.0.dist-info/METADATA
          [SIZE]     [SIZE]  spam-1.0.dist-info/WHEEL
         [SIZE]    [SIZE]  spam-1.0.dist-info/RECORD
    --- stderr
    "#);
    snapshot!(project.run(&["inspect", wheel, "--format", "html"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[inspect]: there is no program in [BASE]/project/dist/spam-1.0-py3-none-any.whl
     |
     = help: only programs are shown as HTML
    "#);
}
