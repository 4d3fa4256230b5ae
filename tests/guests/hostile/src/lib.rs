//! A plugin that means harm: every command tries something else that the host must survive and
//! explain. What a command wants to happen stands beside it; none of it may.
//!
//! The attempts of `escape-*` that the host answers with a failure are reported as notes with the
//! code `refused`; one that succeeds makes the command fail with `got through`.

use std::hint::black_box;

use ekiben_plugin::{Action, Context, Diagnostic, Failure, Location, Plugin, Registration};

/// The plugin.
pub struct Hostile;

/// The kind of all that it makes, so that nothing of a normal build asks for it.
const KIND: &str = "hostile-file";

/// The commands, by what they try.
const COMMANDS: [(&str, &str); 27] = [
    ("abandon", "describe an action and never submit it"),
    ("bomb", "take all memory there is"),
    ("deadlock", "wait for a file that nothing makes"),
    ("escape", "read and write outside the project and the build folder"),
    ("escape-dependency-file", "have a dependency file written outside the build folder"),
    ("escape-place", "name a place outside the project as one inside"),
    ("flood-actions", "emit ten million actions"),
    ("flood-calls", "ask without end"),
    ("flood-handles", "hold ten million handles"),
    ("flood-log", "write a terabyte of log"),
    ("flood-reports", "report without end"),
    ("internal", "fail by its own fault"),
    ("loop", "never finish"),
    ("lying-path", "make one file twice"),
    ("other-output", "take what another action makes as its own output"),
    ("oversized-write", "write a gigabyte in pieces"),
    ("shadow-stack", "recurse without end, with variables in memory"),
    ("stack", "recurse without end"),
    ("trap", "panic"),
    ("undeclared-artifacts", "look at a kind that it doesn't consume"),
    ("undeclared-environment", "read a variable that it may not"),
    ("undeclared-kind", "make a kind that it doesn't produce"),
    ("undeclared-run", "run what a probe built, without the right to"),
    ("undeclared-tool", "use a program that it didn't declare"),
    ("unsupported", "say that it can't serve"),
    ("user", "fail by the user's fault, at a place in a file"),
    ("wrong-span", "report a place in a file that doesn't exist"),
];

impl Plugin for Hostile {
    fn describe(to: &Registration) {
        to.identity("hostile", "6.6.6", "Tries what a plugin must not be able to do");
        to.capability("read:source");
        to.tool("shell").candidate("sh");
        for (name, summary) in COMMANDS {
            to.command(name, summary).produces(KIND);
        }
    }

    fn run(command: &str, cx: &Context) -> Result<(), Failure> {
        match command {
            "abandon" => {
                let action = cx.action("Nothing", &cx.tool("shell")?);
                action.text("-c");
                Ok(())
            }
            "bomb" => bomb(),
            "deadlock" => cx.output("hostile/never", KIND, None)?.read().map(drop),
            "escape" => escape(cx),
            "escape-dependency-file" => {
                let action = cx.action("Escape", &cx.tool("shell")?);
                action.dependency_file("-MF", "../../escaped.d", "make");
                Action::submit(action)
            }
            "escape-place" => {
                let action = cx.action("Escape", &cx.tool("shell")?);
                action.place("", &Location::Source("../../etc".into()), "");
                Action::submit(action)
            }
            "flood-actions" => flood_actions(cx),
            "flood-calls" => loop {
                black_box(cx.fact("target.system"));
            },
            "flood-handles" => {
                let shell = cx.tool("shell")?;
                let handles: Vec<_> = (0..10_000_000).map(|_| shell.probe()).collect();
                black_box(handles);
                Ok(())
            }
            "flood-log" => {
                let megabyte = "x".repeat(1 << 20);
                (0..1 << 20).for_each(|_| ekiben_plugin::log(&megabyte));
                Ok(())
            }
            "flood-reports" => loop {
                cx.report(&Diagnostic::warning("noise", "and another thing"));
            },
            "internal" => Err(Failure::Internal("it took a wrong turn".into())),
            "loop" => loop {
                black_box(());
            },
            "lying-path" => {
                cx.output("hostile/twice", KIND, None)?;
                cx.output("hostile/twice", KIND, None).map(drop)
            }
            "other-output" => other_output(cx),
            "oversized-write" => {
                let piece = vec![b'x'; 16 << 20];
                (0..64).try_for_each(|at| {
                    cx.write(&format!("hostile/{at}"), KIND, None, &piece).map(drop)
                })
            }
            "shadow-stack" => {
                black_box(deep_in_memory(0));
                Ok(())
            }
            "stack" => {
                black_box(deep(0));
                Ok(())
            }
            "trap" => panic!("a plugin that panics"),
            "undeclared-artifacts" => cx.artifacts("object").map(drop),
            "undeclared-environment" => cx.environment("HOME").map(drop),
            "undeclared-kind" => cx.output("hostile/wheel", "wheel", None).map(drop),
            "undeclared-run" => {
                let probe = cx.tool("shell")?.probe();
                probe.argument("-c");
                probe.argument("echo '#!/bin/sh' > x; chmod +x x");
                probe.run("x").map(drop)
            }
            "undeclared-tool" => cx.tool("curl").map(drop),
            "unsupported" => Err(Failure::Unsupported("anything".into())),
            "user" => Err(Diagnostic::error("bad-spam", "this spam is off")
                .at("pyproject.toml", 2, 5)
                .with_help("eat something else")
                .into()),
            "wrong-span" => {
                cx.report(&Diagnostic::warning("nowhere", "over there").at(
                    "/no/such",
                    0,
                    u32::MAX,
                ));
                Ok(())
            }
            _ => Err(Failure::Internal(format!("there is no command `{command}`"))),
        }
    }
}

ekiben_plugin::export_plugin!(Hostile);

/// By doubling: each growth of a large memory may cost the host a copy of it.
fn bomb() -> Result<(), Failure> {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(Vec::with_capacity((16 << 20) << hoard.len()));
        black_box(&mut hoard);
    }
}

/// Each step needs a frame of the engine's stack: something is left to do after the call.
fn deep(level: u64) -> u64 {
    if level == u64::MAX { 0 } else { deep(black_box(level + 1)).rotate_left(1) ^ level }
}

/// Each step needs a frame of the stack in linear memory: the array is used after the call.
fn deep_in_memory(level: u64) -> u64 {
    let frame = black_box([level; 64]);
    if frame[0] == u64::MAX {
        return 0;
    }
    deep_in_memory(level + 1).wrapping_add(black_box(frame)[63])
}

fn escape(cx: &Context) -> Result<(), Failure> {
    let tree = cx.source_tree()?;
    let ways_out = ["../../etc/passwd", "/etc/passwd", "a/../../x", "..", "a\0b", ""];
    let mut got_through = Vec::new();
    for path in ways_out {
        let attempts: [(&str, Result<(), Failure>); 5] = [
            ("read", tree.read(path).map(drop)),
            ("exists", tree.exists(path).map(drop)),
            ("file", tree.file(path).map(drop)),
            ("output", cx.output(path, KIND, None).map(drop)),
            ("write", cx.write(path, KIND, None, b"escaped").map(drop)),
        ];
        for (what, attempt) in attempts {
            match attempt {
                Ok(()) => got_through.push(format!("{what} {path:?}")),
                Err(_) => cx.report(&Diagnostic {
                    severity: ekiben_plugin::Severity::Note,
                    ..Diagnostic::error("refused", format!("{what} {path:?}"))
                }),
            }
        }
    }
    if got_through.is_empty() {
        return Ok(());
    }
    Err(Failure::Internal(format!("got through: {}", got_through.join(", "))))
}

fn flood_actions(cx: &Context) -> Result<(), Failure> {
    let shell = cx.tool("shell")?;
    for at in 0..10_000_000 {
        let action = cx.action("Flood", &shell);
        action.text("-c");
        action.text(&format!(": {at}"));
        Action::submit(action)?;
    }
    Ok(())
}

/// Two actions that both make one declared file.
fn other_output(cx: &Context) -> Result<(), Failure> {
    let shell = cx.tool("shell")?;
    let file = cx.output("hostile/contested", KIND, None)?;
    for content in ["mine", "no, mine"] {
        let action = cx.action("Contest", &shell);
        action.text("-c");
        action.text(&format!("echo {content} >\"$1\""));
        action.text("contest");
        action.output("", &file, "");
        Action::submit(action)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_declared_once_and_in_order() {
        let names: Vec<_> = COMMANDS.iter().map(|(name, _)| *name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
