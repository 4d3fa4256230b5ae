//! `ekiben build`: what is made, what comes from the cache, and what is said of it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use crate::support::{Project, Said, snapshot};

#[test]
fn a_pure_wheel_is_one_action() {
    let project = Project::pure();
    snapshot!(project.run(&["build"]), @"
    exit 0
    --- stdout
    Built dist/spam-1.0-py3-none-any.whl ([SIZE]) in [TIME]: 1 action, 0 cached
    --- stderr
    [N/M] write spam-1.0-py3-none-any.whl
    ");
    assert!(project.root().join("dist/spam-1.0-py3-none-any.whl").exists());
}

#[test]
fn a_c_extension_is_compiled_linked_and_packed() {
    let project = Project::with_c();
    snapshot!(project.run(&["build"]), @"
    exit 0
    --- stdout
    Built dist/spam-1.0-[TAG].whl ([SIZE]) in [TIME]: 3 actions, 0 cached
    --- stderr
    [N/M] compile src/spam/_core.c
    [N/M] link modules/spam/_core.[ABI].so
    [N/M] write spam-1.0-[TAG].whl
    ");
    let log = std::fs::read_to_string(project.root().join("build/ekiben/build.log")).unwrap();
    for wanted in ["ekiben ", "start compile src/spam/_core.c: not built before", "-o build/ekiben"]
    {
        assert!(log.contains(wanted), "no {wanted:?} in {log}");
    }
}

#[test]
fn what_was_built_comes_from_the_cache_in_another_folder_too() {
    let project = Project::with_c();
    project.run(&["build"]);
    let first = std::fs::read(project.only("dist", ".whl")).unwrap();
    snapshot!(project.run(&["build", "-v"]), @"
    exit 0
    --- stdout
    Built dist/spam-1.0-[TAG].whl ([SIZE]) in [TIME]: 3 actions, 3 cached
    --- stderr
    [N/M] compile src/spam/_core.c (cached)
    [N/M] link modules/spam/_core.[ABI].so (cached)
    [N/M] write spam-1.0-[TAG].whl (cached)
    ");
    let copy = project.beside("copy");
    let status =
        Command::new("cp").arg("-r").args([project.root(), copy.clone()]).status().unwrap();
    assert!(status.success());
    std::fs::remove_dir_all(copy.join("build")).unwrap();
    std::fs::remove_dir_all(copy.join("dist")).unwrap();
    let output = project.command_in(&copy, &["build"]).output().unwrap();
    let said = Said::from(&output, &copy);
    assert!(said.stdout.trim_end().ends_with("3 actions, 3 cached"), "{said}");
    let wheel = project.only("../copy/dist", ".whl");
    assert!(std::fs::read(wheel).unwrap() == first, "the copy's wheel differs");
}

#[test]
fn both_archives_come_when_both_are_asked_for() {
    let project = Project::pure();
    snapshot!(project.run(&["build", "--wheel", "--sdist", "-o", "out"]).stdout, @"
    Built out/spam-1.0-py3-none-any.whl ([SIZE])
    Built out/spam-1.0.tar.gz ([SIZE]) in [TIME]: 2 actions, 0 cached
    ");
}

#[test]
fn explain_says_which_header_changed() {
    let project = Project::with_c();
    project.run(&["build"]);
    project.append("src/spam/core.h", "/* more */\n");
    snapshot!(project.run(&["build", "--explain", "-q"]), @"
    exit 0
    --- stdout
    compile src/spam/_core.c  ran        header src/spam/core.h changed
    link modules/spam/_core.[ABI].so  cached     unchanged
    write spam-1.0-[TAG].whl  ran        input src/spam/core.h changed
    --- stderr
    ");
}

#[test]
fn what_ran_can_be_run_again() {
    let project = Project::with_c();
    let script =
        project.run(&["build", "--what-ran", "-q"]).stdout.replace("[BASE]", &base(&project));
    let object = project.root().join("build/ekiben/obj/spam._core/src/spam/_core.c.o");
    let built = std::fs::read(&object).unwrap();
    std::fs::remove_file(&object).unwrap();
    let script_file = project.beside("what-ran.sh");
    std::fs::write(&script_file, script).unwrap();
    let output = Command::new("sh").arg("-e").arg(&script_file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read(&object).unwrap() == built, "another object");
}

#[test]
fn the_listed_files_are_the_wheels() {
    let project = Project::with_c();
    let said = project.run(&["build", "--list-files"]);
    let listed: Vec<(String, u64)> = said
        .stdout
        .lines()
        .map(|line| {
            let mut columns = line.split('\t');
            (columns.next().unwrap().to_owned(), columns.next().unwrap().parse().unwrap())
        })
        .collect();
    let wheel = File::open(project.only("dist", ".whl")).unwrap();
    let mut wheel = zip::ZipArchive::new(wheel).unwrap();
    let members: Vec<(String, u64)> = (0..wheel.len())
        .map(|at| {
            let member = wheel.by_index(at).unwrap();
            (member.name().unwrap().into_owned(), member.size())
        })
        .collect();
    assert_eq!(listed, members);
}

#[test]
fn warnings_are_shown_and_shown_again_from_the_cache() {
    let project = Project::with_c();
    project.append("src/spam/_core.c", "#warning \"mind the gap\"\n");
    snapshot!(project.run(&["build"]), @r#"
    exit 0
    --- stdout
    Built dist/spam-1.0-[TAG].whl ([SIZE]) in [TIME]: 3 actions, 0 cached
    --- stderr
    [N/M] compile src/spam/_core.c
    output of compile src/spam/_core.c:
    src/spam/_core.c:10:2: warning: #warning "mind the gap" [-Wcpp]
       10 | #warning "mind the gap"
          |  ^~~~~~~
    [N/M] link modules/spam/_core.[ABI].so
    [N/M] write spam-1.0-[TAG].whl
    "#);
    let again = project.run(&["build"]).stderr;
    assert!(again.contains("output of compile src/spam/_core.c (from the cache):"), "{again}");
    assert!(again.contains("mind the gap"), "{again}");
}

#[test]
fn settings_come_from_the_variable_and_the_command_line_wins() {
    let project = Project::with_c();
    let run = |args: &[&str]| {
        let mut command = project.command(args);
        command.env(
            "EKIBEN_ARGS",
            "-q --what-ran -C 'defaults.define.A=\"x y\"' -C defaults.define.B=1",
        );
        Said::from(&command.output().unwrap(), &project.root()).stdout
    };
    let script = run(&["build"]);
    assert!(script.contains("x y") && script.contains("-DB=1"), "{script}");
    let script = run(&["build", "-C", "defaults.define.B=2"]);
    assert!(script.contains("-DB=2"), "{script}");
}

#[test]
fn events_are_json_and_complete() {
    let project = Project::with_c();
    let said = project.run(&["build", "--message-format", "json"]);
    let events: Vec<Value> =
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names.first(), Some(&"build-started"));
    assert_eq!(names.last(), Some(&"build-finished"));
    let count = |name: &str| names.iter().filter(|have| **have == name).count();
    assert_eq!((count("action-started"), count("action-finished")), (3, 3));
    assert_eq!((count("action-summary"), count("artifact")), (3, 1));
    let of = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
    assert_eq!(of("action-finished")["outcome"], "ran");
    assert_eq!(of("action-finished")["reason"]["reason"], "new");
    assert!(of("action-summary")["cpu_ms"].as_f64().unwrap() > 0.0);
    assert!(of("action-summary")["peak_rss"].as_u64().unwrap() > 0);
    assert_eq!(of("action-summary")["key"].as_str().unwrap().len(), 64);
    assert_eq!(of("build-finished")["status"], "succeeded");
    assert!(
        std::path::Path::new(
            &of("artifact")["path"].as_str().unwrap().replace("[BASE]", &base(&project))
        )
        .exists()
    );
    assert_eq!(said.stderr, "");
}

#[test]
fn a_trace_is_written() {
    let project = Project::pure();
    let said = project.run(&["build", "--trace", "trace.json"]);
    assert_eq!(said.code, Some(0), "{said}");
    let trace = std::fs::read_to_string(project.root().join("trace.json")).unwrap();
    let trace: Value = serde_json::from_str(&trace).unwrap();
    assert!(trace.to_string().contains("write spam-1.0-py3-none-any.whl"), "{trace}");
}

#[test]
fn without_the_cache_nothing_is_kept() {
    let project = Project::pure();
    assert_eq!(project.run(&["build", "--no-cache"]).code, Some(0));
    assert!(!project.beside("cache").exists());
}

fn base(project: &Project) -> String {
    project.root().parent().unwrap().to_str().unwrap().to_owned()
}

/// A build that has said that it waits, for a lock that the test holds.
fn waiting(project: &Project) -> (File, Child, BufReader<ChildStderr>) {
    let folder = project.root().join("build/ekiben");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut build = project.command(&["build"]);
    let mut child = build.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "note[waiting]: waiting for another build in build/ekiben to end\n");
    (lock, child, stderr)
}

#[test]
fn builds_in_one_folder_wait_for_each_other() {
    let project = Project::with_c();
    let (lock, mut child, mut stderr) = waiting(&project);
    drop(lock);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success() && rest.contains("_core.c"), "{rest}");

    project.write("src/spam/core.h", "#define ANSWER 43\n");
    let start = |out| {
        let mut build = project.command(&["build", "--quiet", "--out-dir", out]);
        build.stderr(Stdio::null()).spawn().unwrap()
    };
    for mut child in ["a", "b"].map(start) {
        assert!(child.wait().unwrap().success());
    }
    let built = ["a", "b"].map(|folder| std::fs::read(project.only(folder, ".whl")).unwrap());
    assert!(built[0] == built[1], "the two wheels differ");
}

#[test]
fn a_build_that_waits_can_be_stopped() {
    let project = Project::with_c();
    let (_lock, mut child, _stderr) = waiting(&project);
    let stop = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(stop.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
