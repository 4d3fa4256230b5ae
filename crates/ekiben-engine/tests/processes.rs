//! Several processes: builds that share a cache, builds that are killed, and builds under make.
//!
//! The processes are this test program, which is told by a variable to run [`a_build_of_its_own`] in a given folder.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{Project, compile, link, script};
use ekiben_engine::{
    Cache, CacheLimits, Engine, EngineOptions, Interrupt, Jobserver, NoEvents, Status,
};

/// `<kind> <tree> <cache>`, with spaces in none of them.
const TOLD: &str = "EKIBEN_ENGINE_TEST_BUILD";
const SOURCES: [&str; 6] = ["main.c", "p0.c", "p1.c", "p2.c", "p3.c", "p4.c"];

fn write_tree(tree: &Path, summand: u32) {
    std::fs::create_dir_all(tree).unwrap();
    let main = "#include <stdio.h>\nint p0(void), p1(void), p2(void), p3(void), p4(void);\n\
        int main(void) { printf(\"%d\\n\", p0() + p1() + p2() + p3() + p4()); return 0; }\n";
    std::fs::write(tree.join("main.c"), main).unwrap();
    for n in 0..5u32 {
        let part = format!("#include <math.h>\nint p{n}(void) {{ return {}; }}\n", summand + n);
        std::fs::write(tree.join(format!("p{n}.c")), part).unwrap();
    }
}

fn engine(tree: &Path, cache: &Path, jobs: u32) -> Engine {
    Engine::new(EngineOptions {
        source_root: tree.to_owned(),
        build_root: tree.join("build"),
        movable: std::collections::BTreeMap::new(),
        cache: Cache::open(cache, CacheLimits::new(1 << 30)).unwrap(),
        jobs,
        keep_going: false,
        jobserver: Jobserver::Inherit,
        pools: std::collections::BTreeMap::new(),
        sink: std::sync::Arc::new(NoEvents),
        project: "demo".into(),
        interrupt: Interrupt::install().unwrap(),
    })
    .unwrap()
}

fn build(tree: &Path, cache: &Path) {
    let engine = engine(tree, cache, 2);
    let objects: Vec<_> = SOURCES.iter().map(|source| compile(&engine, source, &[])).collect();
    let program = link(&engine, &objects);
    engine.export(program, &tree.join("program")).unwrap();
    assert_eq!(engine.finish().status, Status::Succeeded);
}

/// Two actions that each take a while, and write how many of their kind they saw.
fn crowd(tree: &Path, cache: &Path) {
    let engine = engine(tree, cache, 4);
    std::fs::create_dir_all(tree.join("running")).unwrap();
    let text = "touch running/$$; for i in 1 2 3 4 5 6 7 8 9; do ls running | wc -l; done \
        | sort -n | tail -1 > \"$1\"; rm running/$$";
    let outputs: Vec<_> = (0..8)
        .map(|n| {
            let (mut action, output) = script(&engine, &format!("x{n}"), &[], text);
            action.cacheable = false;
            engine.submit(action).unwrap();
            output
        })
        .collect();
    let seen = outputs.into_iter().map(|output| {
        String::from_utf8(engine.read(output).unwrap()).unwrap().trim().parse::<u32>().unwrap()
    });
    let most = seen.max().unwrap();
    // What a tool that takes tokens by itself is told.
    let (mut action, flags) = script(&engine, "flags", &[], "echo \"$MAKEFLAGS\" > \"$1\"");
    (action.cacheable, action.uses_jobserver) = (false, true);
    engine.submit(action).unwrap();
    let flags = String::from_utf8(engine.read(flags).unwrap()).unwrap();
    std::fs::write(tree.join("crowd"), format!("{most} {}", flags.contains("--jobserver")))
        .unwrap();
    assert_eq!(engine.finish().status, Status::Succeeded);
}

/// Says in a file when it runs, and expects to be interrupted.
fn interrupted(tree: &Path, cache: &Path) {
    let engine = engine(tree, cache, 2);
    let text = "trap '' TERM; sleep 1000 & echo $! > pid.tmp; mv pid.tmp pid; wait";
    let (action, _) = script(&engine, "slow", &[], text);
    engine.submit(action).unwrap();
    assert_eq!(engine.finish().status, Status::Interrupted);
}

/// Has a worker, and stays.
fn with_worker(tree: &Path, cache: &Path) {
    let engine = engine(tree, cache, 2);
    let text =
        "while read request; do echo > build/out; echo '{\"id\":1,\"status\":0}'; done; touch gone";
    let output = engine.output(common::rel("out"));
    let action = ekiben_engine::Action::process("test", "Work", common::tool("sh"))
        .env("PATH", "/usr/bin:/bin")
        .args(["-c", text])
        .output(output);
    engine.submit(action.worker(2)).unwrap();
    engine.wait(output).unwrap();
    std::fs::write(tree.join("ready"), "").unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_build_of_its_own() {
    match std::env::var(TOLD) {
        Ok(told) => {
            let words: Vec<_> = told.split(' ').collect();
            let (tree, cache) = (Path::new(words[1]), Path::new(words[2]));
            match words[0] {
                "build" => build(tree, cache),
                "crowd" => crowd(tree, cache),
                "worker" => with_worker(tree, cache),
                "interrupted" => interrupted(tree, cache),
                other => panic!("nothing is called {other}"),
            }
        }
        Err(_) => {
            let folder = tempfile::tempdir().unwrap();
            write_tree(folder.path(), 1);
            build(folder.path(), &folder.path().join("cache"));
            assert_eq!(output_of(folder.path()), "15\n");
        }
    }
}

fn told(kind: &str, tree: &Path, cache: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_build_of_its_own"]);
    command.env(TOLD, format!("{kind} {} {}", tree.display(), cache.display()));
    command.stdout(Stdio::null());
    command
}

fn output_of(tree: &Path) -> String {
    let mut command = Command::new(tree.join("program"));
    loop {
        match command.output() {
            // Another test's thread is starting a process, which has our descriptor for a moment.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
            output => return String::from_utf8(output.unwrap().stdout).unwrap(),
        }
    }
}

#[test]
fn processes_share_a_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let trees: Vec<PathBuf> = (0..4).map(|n| folder.path().join(format!("tree{n}"))).collect();
    let children: Vec<Child> = trees
        .iter()
        .enumerate()
        .map(|(n, tree)| {
            write_tree(tree, n as u32 / 2);
            told("build", tree, &cache).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for (n, tree) in trees.iter().enumerate() {
        assert_eq!(output_of(tree), format!("{}\n", 10 + 5 * (n / 2)));
    }
}

#[test]
fn a_killed_build_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let (tree, cache) = (folder.path().join("tree"), folder.path().join("cache"));
    // Killed at ever later moments, until one gets through.
    let mut kills = 0;
    for moment in 0.. {
        write_tree(&tree, moment);
        let mut child = told("build", &tree, &cache).stderr(Stdio::null()).spawn().unwrap();
        let progress = || {
            let entries = std::fs::read_dir(tree.join("build")).map_or(0, Iterator::count);
            entries as u32 + u32::from(tree.join("program").exists())
        };
        let _ = std::fs::remove_file(tree.join("program"));
        let before = progress();
        while child.try_wait().unwrap().is_none() && progress() < before + moment {
            std::thread::yield_now();
        }
        let over = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        kills += u32::from(!over);
        build(&tree, &cache);
        assert_eq!(output_of(&tree), format!("{}\n", 10 + 5 * moment));
        if over || moment > 20 {
            break;
        }
    }
    assert!(kills >= 1);
    // And in another folder, where only what the cache got counts.
    let other = Project::with_cache(&cache, &[]);
    write_tree(&other.root(), 0);
    build(&other.root(), &cache);
    assert_eq!(output_of(&other.root()), "10\n");
}

#[test]
fn signals_stop_a_build() {
    use rustix::process::{Pid, Signal, kill_process};
    for (name, signals) in [
        ("int", &[Signal::INT][..]),
        ("term", &[Signal::TERM]),
        ("twice", &[Signal::INT, Signal::INT]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join(name);
        std::fs::create_dir(&tree).unwrap();
        let mut child = told("interrupted", &tree, &folder.path().join("cache")).spawn().unwrap();
        while !tree.join("pid").exists() {
            assert!(child.try_wait().unwrap().is_none());
            std::thread::yield_now();
        }
        for signal in signals {
            kill_process(Pid::from_child(&child), *signal).unwrap();
        }
        assert!(child.wait().unwrap().success(), "{name}");
        let pid = std::fs::read_to_string(tree.join("pid")).unwrap();
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        assert!(!stat.contains(") S "), "{stat}");
    }
}

#[test]
fn a_worker_outlives_no_build() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    let mut child = told("worker", &tree, &folder.path().join("cache")).spawn().unwrap();
    while !tree.join("ready").exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    assert!(!tree.join("gone").exists());
    // SIGKILL, of which the build can tell nobody.
    child.kill().unwrap();
    child.wait().unwrap();
    while !tree.join("gone").exists() {
        std::thread::yield_now();
    }
}

#[test]
fn make_lends_its_tokens() {
    let has_make = Command::new("make").arg("--version").output().is_ok();
    let folder = tempfile::tempdir().unwrap();
    let crowd_of = |jobs: &str, recipe: &str, name: &str| {
        let (tree, cache) = (folder.path().join(name), folder.path().join("cache"));
        std::fs::create_dir_all(&tree).unwrap();
        let exe = std::env::current_exe().unwrap();
        let rule = format!(
            "all:\n\t{recipe}{TOLD}='crowd {} {}' {} --exact a_build_of_its_own\n",
            tree.display(),
            cache.display(),
            exe.display()
        );
        std::fs::write(tree.join("Makefile"), rule).unwrap();
        let mut command = Command::new("make");
        command.arg(jobs).current_dir(&tree).env_remove("MAKEFLAGS").env_remove("MFLAGS");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(tree.join("crowd")).unwrap()
    };
    if has_make {
        // Four jobs are allowed, but make lends one token besides the implicit one.
        let lent = crowd_of("-j2", "+", "lent");
        assert!(lent == "2 true" || lent == "1 true", "{lent}");
        // make closes its descriptors to a recipe without `+`; then the engine has its own tokens.
        let refused = crowd_of("-j2", "", "refused");
        assert!(refused.ends_with(" true"), "{refused}");
    }
    // Without make too.
    let (tree, cache) = (folder.path().join("own"), folder.path().join("cache"));
    std::fs::create_dir_all(&tree).unwrap();
    let mut child = told("crowd", &tree, &cache);
    child.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("CARGO_MAKEFLAGS");
    assert!(child.status().unwrap().success());
    let own = std::fs::read_to_string(tree.join("crowd")).unwrap();
    let (most, told) = own.split_once(' ').unwrap();
    assert!((1..=4).contains(&most.parse::<u32>().unwrap()) && told == "true", "{own}");
}
