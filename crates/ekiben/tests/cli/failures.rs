//! Builds that end otherwise than they should: errors are shown once and whole, and nothing half
//! done stays.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Project, Said, snapshot};

#[test]
fn a_compile_error_is_shown_once_and_whole() {
    let project = Project::with_c();
    project.append("src/spam/_core.c", "int x = foo;\n");
    let said = project.run(&["build"]);
    snapshot!(&said, @"
    exit 1
    --- stdout
    --- stderr
    error: can't compile src/spam/_core.c: exit status 1
    src/spam/_core.c:10:9: error: 'foo' undeclared here (not in a function)
       10 | int x = foo;
          |         ^~~
    command: [COMMAND LINE]
    the build failed: 1 action failed, 2 skipped
    The whole log is in build/ekiben/build.log
    ");
    assert!(!project.root().join("dist").exists());
    let log = std::fs::read_to_string(project.root().join("build/ekiben/build.log")).unwrap();
    assert!(log.contains("int x = foo;") && log.contains("gcc"), "{log}");
}

#[test]
fn mistakes_in_the_project_are_shown_in_their_place_all_at_once() {
    let project = Project::pure();
    project.append("pyproject.toml", "\n[tool.ekiben]\ndefalts = 1\nartifact = \"extensio\"\n");
    snapshot!(project.run(&["build"]), @r#"
    exit 2
    --- stdout
    --- stderr
    error[unknown-key]: unknown key `defalts`
      --> pyproject.toml:10:1
       |
    10 | defalts = 1
       | ^^^^^^^
       |
       = help: did you mean `defaults`?
    error[invalid-value]: `extensio` isn't one of `extension`, `executable`, `static-extension`, `shared-library`
      --> pyproject.toml:11:12
       |
    11 | artifact = "extensio"
       |            ^^^^^^^^^^
       |
       = help: did you mean `extension`?
    2 errors
    "#);
    assert!(!project.root().join("build").exists());
}

#[test]
fn an_unknown_setting_says_what_was_meant() {
    let project = Project::pure();
    snapshot!(project.run(&["build", "-C", "default.debug=true"]), @"
    exit 2
    --- stdout
    --- stderr
    error[invalid-override]: unknown key `default`
     |
     = note: in `default.debug` of --config-setting
     = help: did you mean `defaults`?
    ");
}

#[test]
fn words_in_the_variable_are_checked() {
    let project = Project::pure();
    let mut command = project.command(&["build"]);
    command.env("EKIBEN_ARGS", "--sdist");
    snapshot!(Said::from(&command.output().unwrap(), &project.root()), @"
    exit 2
    --- stdout
    --- stderr
    error: EKIBEN_ARGS: unexpected argument '--sdist' found
    ");
}

#[test]
fn a_folder_without_project_is_refused() {
    let project = Project::pure();
    snapshot!(project.run(&["build", "src"]), @"
    exit 2
    --- stdout
    --- stderr
    error[missing-pyproject]: `[BASE]/project/src` has no pyproject.toml
     |
     = help: run this in a project's folder, or start one with `ekiben new`
    ");
    let said = project.run(&["build", "nowhere"]);
    assert_eq!(said.code, Some(2), "{said}");
}

#[test]
fn colours_are_used_only_where_they_are_wanted() {
    let project = Project::pure();
    let colored = |variable: Option<&str>, args: &[&str]| {
        let mut command = project.command(args);
        command.envs(variable.map(|name| (name, "1")));
        String::from_utf8(command.output().unwrap().stderr).unwrap().contains('\x1b')
    };
    let wrong = ["build", "-C", "x=1"];
    let always = ["build", "-C", "x=1", "--color", "always"];
    let never = ["build", "-C", "x=1", "--color", "never"];
    assert!(!colored(None, &wrong));
    assert!(!colored(Some("NO_COLOR"), &wrong));
    assert!(colored(None, &always));
    assert!(colored(Some("CLICOLOR_FORCE"), &wrong));
    assert!(!colored(Some("CLICOLOR_FORCE"), &never));
}

#[test]
fn a_signal_stops_the_build_and_leaves_nothing() {
    let project = Project::with_c();
    // A compiler that opens this waits for a writer, who never comes.
    let pipe = project.beside("endless.h");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    project.append("src/spam/_core.c", &format!("#include \"{}\"\n", pipe.display()));
    let mut command = project.command(&["build", "--message-format", "json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let started = lines.find(|line| line.as_ref().unwrap().contains("action-started"));
    assert!(started.is_some(), "no action started");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let last = lines.last().unwrap().unwrap();
    assert!(last.contains(r#""status":"interrupted""#), "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!project.root().join("dist").exists());
    assert!(!project.root().join("build/ekiben/wheel").exists());
    let object = project.root().join("build/ekiben/obj/spam._core/src/spam/_core.c.o");
    assert!(!object.exists());
}
