//! Plugins that mean harm: the host stops each, says which and why, and goes on.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ekiben_core::plugin::{Limits, Outcome, PluginHost, Records};

use crate::interface::{WIT, encode};
use crate::support::{Counted, Desk, Facts, call, explain, guest, load, try_call};

/// No call may take longer, on however busy a machine; the limit itself is a fraction of it.
const PATIENCE: Duration = Duration::from_secs(40);

/// Limits that are quickly reached.
fn tight() -> PluginHost {
    let limits = Limits {
        memory: 64 << 20,
        time: Duration::from_secs(4),
        written: 40 << 20,
        read: 1 << 20,
        text: 4 << 20,
        actions: 100,
        calls: 5_000,
    };
    PluginHost::new(Arc::new(Counted::default()) as Arc<dyn Records>, limits)
}

/// What came of a command of `hostile`, and whether the host is still good.
fn attempt(host: &PluginHost, command: &str) -> String {
    let hostile = load(host, "hostile");
    let desk = Desk::new(Facts::banner(&["spam"]));
    let begun = Instant::now();
    let result = try_call(&hostile, host, command, &desk);
    assert!(begun.elapsed() < PATIENCE, "{command} took {:?}", begun.elapsed());
    let good = Desk::new(Facts::banner(&["spam"]).with_user(command));
    assert_eq!(call(&load(host, "banner"), host, "generate", &good), Outcome::Ran, "{command}");
    match result {
        Ok(outcome) => format!("{command}: {outcome:?}\n{}", desk.shown()),
        Err(error) => format!("{command}: {}\n", explain(&error)),
    }
}

fn attempts(commands: &[&str]) -> String {
    let host = tight();
    let text: String = commands.iter().map(|command| attempt(&host, command)).collect();
    // Every one of these faults has the same help.
    text.replace("\n  help: this is a fault of the plugin: report it to its authors", "")
}

#[test]
fn what_uses_too_much_is_stopped() {
    insta::assert_snapshot!(
        attempts(&[
            "bomb",
            "flood-actions",
            "flood-calls",
            "flood-handles",
            "flood-log",
            "flood-reports",
            "loop",
            "oversized-write",
        ]),
        @r"
    bomb: Limit: the plugin `hostile` 6.6.6 went beyond its limit of the memory set for plugins (forcing trap when growing memory to 118816768 bytes) in the command `bomb`
    flood-actions: Limit: the plugin `hostile` 6.6.6 went beyond its limit of 100 actions in the command `flood-actions`
    flood-calls: Limit: the plugin `hostile` 6.6.6 went beyond its limit of 5000 host calls in the command `flood-calls`
    flood-handles: Limit: the plugin `hostile` 6.6.6 went beyond its limit of open handles in the command `flood-handles`
    flood-log: Limit: the plugin `hostile` 6.6.6 went beyond its limit of 4194304 bytes of text in the command `flood-log`
    flood-reports: Limit: the plugin `hostile` 6.6.6 went beyond its limit of 5000 host calls in the command `flood-reports`
    loop: Limit: the plugin `hostile` 6.6.6 went beyond its limit of 4 s of running time in the command `loop`
    oversized-write: Limit: the plugin `hostile` 6.6.6 went beyond its limit of 41943040 bytes written in the command `oversized-write`
    "
    );
}

#[test]
fn what_traps_is_explained() {
    insta::with_settings!({ filters => vec![(r"src/lib\.rs:\d+:\d+", "src/lib.rs:[PLACE]")] }, {
        insta::assert_snapshot!(attempts(&["shadow-stack", "stack", "trap"]), @r"
        shadow-stack: Trap: the plugin `hostile` 6.6.6 failed in the command `shadow-stack`: wasm trap: out of bounds memory access
        stack: Trap: the plugin `hostile` 6.6.6 failed in the command `stack`: wasm trap: call stack exhausted
        trap: Trap: the plugin `hostile` 6.6.6 failed in the command `trap`: wasm trap: wasm `unreachable` instruction executed; its last words: panicked at tests/guests/hostile/src/lib.rs:[PLACE]:
        a plugin that panics
        ");
    });
}

#[test]
fn what_was_not_declared_is_refused() {
    insta::assert_snapshot!(
        attempts(&[
            "undeclared-artifacts",
            "undeclared-environment",
            "undeclared-kind",
            "undeclared-run",
            "undeclared-tool",
        ]),
        @r"
    undeclared-artifacts: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `undeclared-artifacts`: it asked for artifacts of kind `object`, which the command doesn't declare to consume
    undeclared-environment: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `undeclared-environment`: it needs the capability `env:HOME`, which it doesn't declare
    undeclared-kind: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `undeclared-kind`: it made an artifact of kind `wheel`, which the command doesn't declare to produce
    undeclared-run: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `undeclared-run`: it needs the capability `probe:run`, which it doesn't declare
    undeclared-tool: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `undeclared-tool`: it asked for the tool `curl`, which it doesn't declare
    "
    );
}

#[test]
fn no_path_leads_out() {
    insta::assert_snapshot!(
        attempts(&["escape", "escape-dependency-file", "escape-place"]),
        @r#"
    escape: Ran
    Note refused: read "../../etc/passwd" None []
    Note refused: exists "../../etc/passwd" None []
    Note refused: file "../../etc/passwd" None []
    Note refused: output "../../etc/passwd" None []
    Note refused: write "../../etc/passwd" None []
    Note refused: read "/etc/passwd" None []
    Note refused: exists "/etc/passwd" None []
    Note refused: file "/etc/passwd" None []
    Note refused: output "/etc/passwd" None []
    Note refused: write "/etc/passwd" None []
    Note refused: read "a/../../x" None []
    Note refused: exists "a/../../x" None []
    Note refused: file "a/../../x" None []
    Note refused: output "a/../../x" None []
    Note refused: write "a/../../x" None []
    Note refused: read ".." None []
    Note refused: exists ".." None []
    Note refused: file ".." None []
    Note refused: output ".." None []
    Note refused: write ".." None []
    Note refused: read "a\0b" None []
    Note refused: exists "a\0b" None []
    Note refused: file "a\0b" None []
    Note refused: output "a\0b" None []
    Note refused: write "a\0b" None []
    Note refused: read "" None []
    Note refused: exists "" None []
    Note refused: file "" None []
    Note refused: output "" None []
    Note refused: write "" None []
    escape-dependency-file: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `escape-dependency-file`: it named a place by the path `../../escaped.d`: `../../escaped.d` leads out of its folder through `..`
    escape-place: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `escape-place`: it named a place by the path `../../etc`: `../../etc` leads out of its folder through `..`
    "#
    );
}

#[test]
fn broken_rules_are_named() {
    insta::assert_snapshot!(
        attempts(&["abandon", "deadlock", "internal", "lying-path", "no-such-command"]),
        @r#"
    abandon: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `abandon`: it described an action (Nothing) but never submitted it
    deadlock: User: ReadArtifact(Build("hostile/never"))
    internal: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `internal`: it took a wrong turn
    lying-path: User: `hostile/twice` is made twice
    no-such-command: Mistake: the plugin `hostile` 6.6.6 made a mistake in the command `no-such-command`: there is no command `no-such-command`
    "#
    );
}

/// The host carries these on: the build judges them.
#[test]
fn what_the_build_must_judge_reaches_it() {
    insta::assert_snapshot!(attempts(&["other-output", "wrong-span"]), @r#"
    other-output: Ran
    output hostile/contested: hostile-file of -
    Contest:  runs shell
      text "-c"
      text "echo mine >\"$1\""
      text "contest"
      Output "" hostile/contested ""
    Contest:  runs shell
      text "-c"
      text "echo no, mine >\"$1\""
      text "contest"
      Output "" hostile/contested ""
    wrong-span: Ran
    Warning nowhere: over there Some(("/no/such", 0, 4294967295)) []
    "#);
}

#[test]
fn failures_are_told_apart() {
    insta::assert_snapshot!(attempts(&["unsupported", "user"]), @r"
    unsupported: Unsupported: the plugin `hostile` 6.6.6 doesn't support this: anything
    user: User: this spam is off
      help: eat something else
    ");
}

#[test]
fn describing_itself_is_bounded_too() {
    let host = tight();
    let mut told = String::new();
    for name in ["eager-loop", "eager-trap"] {
        let begun = Instant::now();
        let Err(error) = host.load(name, Cow::Owned(guest(name))) else {
            panic!("{name} described itself");
        };
        assert!(begun.elapsed() < PATIENCE);
        told.push_str(&explain(&error));
        told.push('\n');
    }
    insta::with_settings!({ filters => vec![(r"src/lib\.rs:\d+:\d+", "src/lib.rs:[PLACE]")] }, {
        insta::assert_snapshot!(told, @r"
        Limit: the plugin `eager-loop` went beyond its limit of 4 s of running time in describe
          help: this is a fault of the plugin: report it to its authors
        Trap: the plugin `eager-trap` failed in describe: wasm trap: wasm `unreachable` instruction executed; its last words: panicked at tests/guests/eager-trap/src/lib.rs:[PLACE]:
        nothing to say
          help: this is a fault of the plugin: report it to its authors
        ");
    });
    let desk = Desk::new(Facts::banner(&["spam"]));
    assert_eq!(call(&load(&host, "banner"), &host, "generate", &desk), Outcome::Ran);
}

/// Grows its memory by 16 MiB at a time while it describes itself.
const GLUTTON: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "ekiben:plugin/provider@0.1.0#describe") (param i32)
        (loop
            (drop (memory.grow (i32.const 256)))
            (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
            (br 0)))
    (func (export "ekiben:plugin/provider@0.1.0#run") (param i32 i32 i32) (result i32) unreachable))"#;

/// Growing must not copy the memory so often that the time is up first.
#[test]
fn memory_in_small_pieces_is_still_memory() {
    let module = wat::parse_str(GLUTTON).unwrap();
    let component = encode(module, WIT, &[]);
    let limits = Limits { time: Duration::from_secs(20), ..Limits::default() };
    let host = PluginHost::new(Arc::new(Counted::default()) as Arc<dyn Records>, limits);
    let Err(error) = host.load("glutton", Cow::Owned(component)) else {
        panic!("glutton described itself");
    };
    let told = explain(&error);
    assert!(
        told.starts_with("Limit: the plugin `glutton` went beyond its limit of the memory"),
        "{told}"
    );
}

/// Stopping one call must not touch another that runs at the same time.
#[test]
fn calls_in_parallel_do_not_disturb_each_other() {
    let host = tight();
    let (banner, hostile) = (load(&host, "banner"), load(&host, "hostile"));
    std::thread::scope(|scope| {
        let looping = scope.spawn(|| {
            let desk = Desk::new(Facts::banner(&[]));
            try_call(&hostile, &host, "loop", &desk)
        });
        let mut calls = 0;
        while !looping.is_finished() || calls == 0 {
            let facts = Facts::banner(&["spam"]).with_user(&calls.to_string());
            assert_eq!(call(&banner, &host, "generate", &Desk::new(facts)), Outcome::Ran);
            calls += 1;
        }
        assert!(looping.join().unwrap().is_err());
    });
}
