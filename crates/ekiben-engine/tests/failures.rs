//! What happens when something goes wrong, or is told to stop.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Log, Project, ran, rel, script, with_outcome};
use ekiben_engine::{
    Action, DepFile, EngineError, Event, EventSink, Failed, Failure, Interrupt, Location, Outcome,
    Report, Status,
};

fn failed<'a>(report: &'a Report, description: &str) -> &'a Failed {
    let (_, failed) =
        report.failures().find(|(action, _)| action.description == description).unwrap();
    failed
}

/// Plugins may plan in several threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<ekiben_engine::Engine>();
};

fn build(path: &str) -> Location {
    Location::Build(rel(path))
}

/// A graph in which `bad` fails, `after` needs it, and `good` doesn't.
fn with_failure(keep_going: bool) -> (Report, Project) {
    let project = Project { keep_going, jobs: 1, ..Project::new(&[]) };
    let engine = project.engine();
    let text = "echo to stdout; echo to stderr >&2; echo half > \"$1\"; exit 3";
    let (action, bad) = script(&engine, "bad", &[], text);
    let bad_id = engine.submit(action).unwrap();
    let (action, after) = script(&engine, "after", &[bad], "cp \"$2\" \"$1\"");
    engine.submit(action).unwrap();
    let (action, _) = script(&engine, "last", &[after], "cp \"$2\" \"$1\"");
    engine.submit(action).unwrap();
    let error = engine.wait(after).unwrap_err();
    assert!(matches!(error, EngineError::NotBuilt { .. }), "{error}");
    let (action, _) = script(&engine, "good", &[], "echo > \"$1\"");
    engine.submit(action).unwrap();
    let (action, _) = script(&engine, "late", &[bad], "cp \"$2\" \"$1\"");
    engine.submit(action).unwrap();
    let report = engine.finish();
    assert_eq!(report.status, Status::Failed);
    let skipped = Outcome::Skipped { because: bad_id };
    for name in ["after", "last", "late"] {
        assert!(with_outcome(&report, |outcome| *outcome == skipped).contains(&name));
    }
    (report, project)
}

#[test]
fn a_failure_tells_everything() {
    let (report, project) = with_failure(true);
    let failed = failed(&report, "bad");
    assert_eq!(failed.failure, Failure::Exit { code: 3 });
    assert_eq!(failed.output, b"to stdout\nto stderr\n");
    let rerun =
        std::process::Command::new("sh").arg("-c").arg(&failed.command_line).output().unwrap();
    assert_eq!(rerun.status.code(), Some(3), "{}", failed.command_line);
    assert_eq!(rerun.stdout, b"to stdout\n");
    assert!(project.log.has("finished after: skipped"));
}

#[test]
fn keep_going_runs_what_can_run() {
    let (report, project) = with_failure(true);
    assert_eq!(ran(&report), ["good"]);
    assert!(!project.root().join("build/bad").exists(), "half an output must not stay");
}

#[test]
fn without_keep_going_nothing_new_starts() {
    let (report, _) = with_failure(false);
    assert_eq!(ran(&report), [""; 0]);
    assert_eq!(
        with_outcome(&report, |outcome| matches!(outcome, Outcome::Skipped { .. })).len(),
        4
    );
}

#[test]
fn what_runs_beside_a_failure_is_kept() {
    let project = Project::new(&[]);
    let run = || {
        let engine = project.engine();
        let mark = project.folder.path().join("started");
        let waits =
            format!("touch {0}; while [ -e {0} ]; do :; done; echo done > \"$1\"", mark.display());
        let (action, _) = script(&engine, "slow", &[], &waits);
        engine.submit(action).unwrap();
        // Fails once the other runs, and lets it go.
        let fails = format!("until [ -e {0} ]; do :; done; rm {0}; exit 1", mark.display());
        let (mut action, _) = script(&engine, "bad", &[], &fails);
        action.cacheable = false;
        engine.submit(action).unwrap();
        engine.finish()
    };
    let report = run();
    assert_eq!((report.status, ran(&report)), (Status::Failed, vec!["slow"]));
    let engine = project.engine();
    let mark = project.folder.path().join("started");
    let waits =
        format!("touch {0}; while [ -e {0} ]; do :; done; echo done > \"$1\"", mark.display());
    let (action, slow) = script(&engine, "slow", &[], &waits);
    engine.submit(action).unwrap();
    assert_eq!(engine.read(slow).unwrap(), b"done\n");
    assert_eq!(engine.finish().cached(), 1);
}

#[test]
fn two_producers_are_named() {
    let project = Project::new(&[]);
    let engine = project.engine();
    let (first, _) = script(&engine, "x", &[], "echo > \"$1\"");
    engine.submit(first).unwrap();
    let (mut second, _) = script(&engine, "x", &[], "echo > \"$1\"");
    (second.owner, second.mnemonic) = ("build_ext".into(), "Link".into());
    let error = engine.submit(second).unwrap_err();
    assert_eq!(error.to_string(), "two actions make x: test (Script, x) and build_ext (Link, x)");
    assert!(error.hint().is_some());
    assert_eq!(engine.finish().status, Status::Succeeded);
}

#[test]
fn actions_that_cannot_be() {
    let project = Project::new(&[]);
    let engine = project.engine();
    let (action, _) = script(&engine, "x", &[], "");
    let source = engine.source(rel("src"));
    let error = engine.submit(action.output(source)).unwrap_err();
    assert!(matches!(error, EngineError::OutsideBuild { .. }), "{error}");
    let (action, output) = script(&engine, "x", &[], "");
    let error = engine.submit(action.input(output)).unwrap_err();
    assert!(matches!(error, EngineError::InputIsOutput { .. }), "{error}");
    let (action, output) = script(&engine, "twice", &[], "");
    let error = engine.submit(action.output(output)).unwrap_err();
    assert!(matches!(error, EngineError::TwoProducers { .. }), "{error}");
    let shared = DepFile::Plain(engine.output(rel("deps")));
    let (action, _) = script(&engine, "first", &[], "echo > $1; echo > build/deps");
    engine.submit(action.dep_file(shared.clone())).unwrap();
    let (action, _) = script(&engine, "second", &[], "");
    let error = engine.submit(action.dep_file(shared)).unwrap_err().to_string();
    assert_eq!(error, "two actions make deps: test (Script, first) and test (Script, second)");
    let (mut action, _) = script(&engine, "x", &[], "");
    action.outputs.clear();
    let error = engine.submit(action).unwrap_err();
    assert!(matches!(error, EngineError::NoOutput { .. }), "{error}");
    engine.finish();
    let (action, _) = script(&engine, "x", &[], "");
    assert!(matches!(engine.submit(action), Err(EngineError::Finished)));
}

#[test]
fn an_output_that_isnt_made() {
    let project = Project::new(&[]);
    let engine = project.engine();
    let (action, _) = script(&engine, "x", &[], "echo said something");
    engine.submit(action).unwrap();
    let report = engine.finish();
    let failed = failed(&report, "x");
    assert_eq!(failed.failure, Failure::MissingOutput { paths: vec![build("x")] });
    assert_eq!(failed.failure.to_string(), "x was not created");
    assert_eq!(failed.output, b"said something\n");
}

#[test]
fn inputs_that_arent_there() {
    let project = Project { keep_going: true, ..Project::new(&[]) };
    let engine = project.engine();
    let source = engine.source(rel("gone.c"));
    let (action, _) = script(&engine, "of source", &[source], "");
    engine.submit(action).unwrap();
    let nothing = engine.output(rel("nothing"));
    let (action, orphan) = script(&engine, "of nothing", &[nothing], "");
    engine.submit(action).unwrap();
    let (action, behind) = script(&engine, "behind", &[orphan], "");
    engine.submit(action).unwrap();
    assert!(matches!(engine.wait(source), Err(EngineError::NoProducer { .. })));
    assert!(matches!(engine.wait(nothing), Err(EngineError::NoProducer { .. })));
    let error = engine.wait(behind).unwrap_err().to_string();
    assert_eq!(error, "behind wasn't built: needs nothing, which no action makes");
    let report = engine.finish();
    let Failure::MissingInput { path, .. } = &failed(&report, "of source").failure else {
        panic!("{report:?}")
    };
    assert_eq!(path.to_string(), "gone.c");
    let failure = &failed(&report, "of nothing").failure;
    assert_eq!(*failure, Failure::NoProducer { paths: vec![build("nothing")] });
    assert_eq!(with_outcome(&report, |o| matches!(o, Outcome::Skipped { .. })), ["behind"]);
}

#[test]
fn cycles_are_named() {
    let project = Project::new(&[]);
    let engine = project.engine();
    let [a, b, c] = ["a", "b", "c"].map(|name| engine.output(rel(name)));
    for (name, input) in [("a", b), ("b", c), ("c", a)] {
        let (action, _) = script(&engine, name, &[input], "");
        engine.submit(action).unwrap();
    }
    let error = engine.wait(b).unwrap_err().to_string();
    assert_eq!(error, "b wasn't built: needs its own output: b → c → a → b");
    let report = engine.finish();
    let failure = &failed(&report, "a").failure;
    assert_eq!(failure.to_string(), "needs its own output: a → b → c → a");
}

#[test]
fn programs_that_cannot_run() {
    let project = Project { keep_going: true, ..Project::new(&[("script", "no program")]) };
    let engine = project.engine();
    let program = engine.source(rel("script"));
    let output = engine.output(rel("x"));
    let action = Action::built_process("test", "Run", program).output(output);
    engine.submit(action).unwrap();
    let (action, _) = script(&engine, "killed", &[], "kill -SEGV $$");
    engine.submit(action).unwrap();
    let panics = Action::function("test", "Panic", ("panic", "1"), serde_json::json!({}), |_| {
        panic!("on purpose")
    });
    engine.submit(panics.output(engine.output(rel("y")))).unwrap();
    let report = engine.finish();
    assert!(matches!(failed(&report, "Run").failure, Failure::Spawn { .. }));
    assert_eq!(failed(&report, "killed").failure, Failure::Signal { signal: 11 });
    let failed = failed(&report, "Panic");
    assert_eq!(failed.failure.to_string(), "panic 1 panicked");
    assert!(failed.failure.hint().is_some());
    assert_eq!(failed.command_line, "# panic 1 {}");
}

#[test]
fn failures_are_not_cached() {
    let project = Project::new(&[]);
    let mark = project.folder.path().join("mark");
    let run = || {
        let engine = project.engine();
        let (action, _) =
            script(&engine, "x", &[], &format!("[ -e {} ] && echo > \"$1\"", mark.display()));
        engine.submit(action).unwrap();
        engine.finish()
    };
    assert_eq!(run().status, Status::Failed);
    std::fs::write(&mark, "").unwrap();
    assert_eq!(ran(&run()), ["x"]);
}

/// Interrupts as soon as something that runs has made `mark`.
struct WhenMarked {
    log: Log,
    interrupt: Interrupt,
    mark: std::path::PathBuf,
}

impl EventSink for WhenMarked {
    fn event(&self, event: Event<'_>) {
        if let Event::Started { .. } = event {
            let (mark, interrupt) = (self.mark.clone(), self.interrupt.clone());
            std::thread::spawn(move || {
                while !mark.exists() {
                    std::thread::yield_now();
                }
                interrupt.trigger();
            });
        }
        self.log.event(event);
    }
}

/// Whether the process, which has been killed, is gone. The kernel may take a moment over it.
fn dies(pid: &str) -> bool {
    let stat = format!("/proc/{}/stat", pid.trim());
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        let stat = std::fs::read_to_string(&stat).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ") {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let project = Project::new(&[]);
    let mark = project.folder.path().join("mark");
    let pids = project.folder.path().join("pids");
    let sink = Arc::new(WhenMarked {
        log: Log::default(),
        interrupt: project.interrupt.clone(),
        mark: mark.clone(),
    });
    let engine =
        project.engine_with_sink(project.open_cache(), Arc::clone(&sink) as Arc<dyn EventSink>);
    let text = format!(
        "echo half > \"$1\"; sleep 1000 & echo $! > {0}; sleep 1000 & echo $! >> {0}; touch {1}; wait",
        pids.display(),
        mark.display()
    );
    let (action, output) = script(&engine, "slow", &[], &text);
    engine.submit(action).unwrap();
    let (action, _) = script(&engine, "next", &[output], "cp \"$2\" \"$1\"");
    engine.submit(action).unwrap();
    let start = Instant::now();
    assert!(matches!(engine.wait(output), Err(EngineError::Interrupted)));
    let report = engine.finish();
    assert!(start.elapsed() < Duration::from_secs(100));
    assert_eq!(report.status, Status::Interrupted);
    assert_eq!(with_outcome(&report, |o| *o == Outcome::Cancelled), ["slow", "next"]);
    assert!(!project.root().join("build/slow").exists());
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2);
    assert!(pids.lines().all(dies), "{pids}");
    assert!(sink.log.has("finished slow: cancelled"));
}

#[test]
fn what_ignores_an_interrupt_is_killed() {
    let project = Project::new(&[]);
    let mark = project.folder.path().join("mark");
    let sink = Arc::new(WhenMarked {
        log: Log::default(),
        interrupt: project.interrupt.clone(),
        mark: mark.clone(),
    });
    let engine = project.engine_with_sink(project.open_cache(), sink);
    let text = format!("trap '' TERM; touch {}; while :; do sleep 1000; done", mark.display());
    let (action, _) = script(&engine, "stubborn", &[], &text);
    engine.submit(action).unwrap();
    assert_eq!(engine.finish().status, Status::Interrupted);
}

#[test]
fn a_dropped_engine_stops_its_children() {
    let project = Project::new(&[]);
    let mark = project.folder.path().join("mark");
    let engine = project.engine();
    let (action, _) = script(
        &engine,
        "slow",
        &[],
        &format!("echo $$ > {0}.tmp; mv {0}.tmp {0}; sleep 1000", mark.display()),
    );
    engine.submit(action).unwrap();
    while !mark.exists() {
        std::thread::yield_now();
    }
    drop(engine);
    assert!(dies(&std::fs::read_to_string(&mark).unwrap()));
}

#[test]
fn functions_learn_of_an_end() {
    let project = Project::new(&[]);
    let (running, runs) = std::sync::mpsc::channel();
    let engine = project.engine();
    let output = engine.output(rel("x"));
    let waits = move |context: &ekiben_engine::FunctionContext| {
        running.send(()).unwrap();
        while !context.is_interrupted() {
            std::thread::yield_now();
        }
        Err(ekiben_engine::ActionError::new("stopped"))
    };
    let action = Action::function("test", "Wait", ("wait", "1"), serde_json::json!({}), waits);
    engine.submit(action.output(output)).unwrap();
    runs.recv().unwrap();
    project.interrupt.trigger();
    assert!(matches!(engine.wait(output), Err(EngineError::Interrupted)));
    assert_eq!(engine.finish().status, Status::Interrupted);
}

#[test]
fn pools_and_weights_bound_what_runs() {
    let project = Project { jobs: 4, ..Project::new(&[]) };
    let engine = project.engine();
    let counter = project.folder.path().join("running");
    std::fs::create_dir(&counter).unwrap();
    // Each leaves its most crowded moment as its output.
    let text = format!(
        "touch {0}/$$; for i in 1 2 3 4 5 6 7 8; do ls {0} | wc -l; done | sort -n | tail -1 > \"$1\"; rm {0}/$$",
        counter.display()
    );
    let outputs: Vec<_> = (0..4)
        .map(|n| {
            let (mut action, output) = script(&engine, &format!("pool{n}"), &[], &text);
            action.pool = Some("link".into());
            engine.submit(action).unwrap();
            output
        })
        .collect();
    for output in outputs {
        assert_eq!(engine.read(output).unwrap().trim_ascii(), b"1");
    }
    let outputs: Vec<_> = (0..6)
        .map(|n| {
            let (mut action, output) = script(&engine, &format!("heavy{n}"), &[], &text);
            action.weight = 2;
            engine.submit(action).unwrap();
            output
        })
        .collect();
    for output in outputs {
        let crowd = String::from_utf8(engine.read(output).unwrap()).unwrap();
        assert!(crowd.trim().parse::<u32>().unwrap() <= 2, "{crowd}");
    }
    assert_eq!(engine.finish().status, Status::Succeeded);
}
