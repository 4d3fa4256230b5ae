//! What is built again after which change, and what is said about it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Project, cached, compile, compile_action, link, ran, reason, rel, script};
use ekiben_engine::{
    Action, Arg, ArtifactId, DepFile, Event, Location, Outcome, Reason, ResponseFile, Status,
    SystemPath,
};

const FILES: &[(&str, &str)] = &[
    (
        "main.c",
        "#include <stdio.h>\n#include \"a.h\"\nint main(void) { printf(\"%d\\n\", f()); return 0; }\n",
    ),
    ("lib.c", "#include \"a.h\"\n#include \"b.h\"\nint f(void) { return A + B; }\n"),
    ("include/a.h", "#define A 1\nint f(void);\n"),
    ("include/b.h", "#define B 2\n"),
];

#[test]
fn a_header_rebuilds_what_reads_it() {
    let project = Project::new(FILES);
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(ran(&report).len(), 3);
    assert_eq!(reason(&report, "compile lib.c"), "not built before");
    assert_eq!(project.program_output(), "3\n");

    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(cached(&report).len(), 3);
    assert!(matches!(report.actions[0].reason, Some(Reason::CacheHit { .. })));

    project.write("include/b.h", "#define B 5\n");
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report), ["compile lib.c", "link program"]);
    assert_eq!(reason(&report, "compile lib.c"), "header include/b.h changed");
    assert_eq!(reason(&report, "link program"), "input lib.c.o changed");
    assert_eq!(project.program_output(), "6\n");

    // A comment changes no object, so nothing is linked.
    project.write("include/b.h", "#define B 5 // five\n");
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report), ["compile lib.c"]);

    // Both states are in the cache now.
    project.write("include/b.h", "#define B 2\n");
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report), [""; 0]);
    assert_eq!(project.program_output(), "3\n");

    project.write("main.c", &format!("{}\n", FILES[0].1));
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report), ["compile main.c"]);
    assert_eq!(reason(&report, "compile main.c"), "input main.c changed");
}

#[test]
fn another_folder_takes_everything_from_the_cache() {
    let first = Project::new(FILES);
    assert_eq!(ran(&first.build_program(&["main.c", "lib.c"])).len(), 3);
    let second = Project::with_cache(&first.cache, FILES);
    let report = second.build_program(&["main.c", "lib.c"]);
    assert_eq!(cached(&report).len(), 3);
    assert_eq!(second.program_output(), "3\n");
    // Nothing but the export was written.
    assert!(!second.root().join("build/lib.c.o").exists());
    // The explanation knows the project, not the folder.
    second.write("include/b.h", "#define B 7\n");
    let report = second.build_program(&["main.c", "lib.c"]);
    assert_eq!(reason(&report, "compile lib.c"), "header include/b.h changed");
}

#[test]
fn a_new_header_that_comes_first_is_noticed() {
    let project = Project::new(FILES);
    project.build_program(&["main.c", "lib.c"]);
    project.write("first/b.h", "#define B 40\n");
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report), ["compile lib.c", "link program"]);
    assert_eq!(
        reason(&report, "compile lib.c"),
        "new file first/b.h comes before one that was read"
    );
    assert_eq!(project.program_output(), "41\n");
    // So is one beside the source, which quoted includes look at first.
    project.write("b.h", "#define B 60\n");
    project.build_program(&["main.c", "lib.c"]);
    assert_eq!(project.program_output(), "61\n");
    project.remove("b.h");
    project.remove("first/b.h");
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report), [""; 0]);
    assert_eq!(project.program_output(), "3\n");
}

#[test]
fn a_removed_header_is_noticed() {
    let project = Project::new(FILES);
    project.write("first/b.h", "#define B 40\n");
    project.build_program(&["main.c", "lib.c"]);
    project.remove("first/b.h");
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(reason(&report, "compile lib.c"), "header first/b.h is gone");
    assert_eq!(project.program_output(), "3\n");
}

#[test]
fn options_environment_and_tools_are_explained() {
    let project = Project::new(FILES);
    let build = |change: &dyn Fn(Action) -> Action| {
        let engine = project.engine();
        let (action, _) = compile_action(&engine, "lib.c", &["-O1"]);
        engine.submit(change(action)).unwrap();
        let report = engine.finish();
        assert_eq!(report.status, Status::Succeeded);
        report.actions[0].reason.as_ref().unwrap().to_string()
    };
    assert_eq!(build(&|action| action), "not built before");
    assert_eq!(build(&|action| action.arg("-DX")), "arguments added: -DX");
    assert_eq!(build(&|action| action), "unchanged; taken from the cache");
    assert_eq!(build(&|action| action.env("LC_ALL", "C")), "variable LC_ALL=`C` is new");
    assert_eq!(build(&|action| action), "unchanged; taken from the cache");
    let newer = |mut action: Action| {
        let ekiben_engine::ActionKind::Process { program, .. } = &mut action.kind else {
            return action;
        };
        if let ekiben_engine::Program::Tool(tool) = program {
            tool.version = "2".into();
        }
        action
    };
    assert_eq!(build(&newer), "gcc went from 1 to 2");
    let weighty = |mut action: Action| {
        (action.weight, action.pool) = (2, Some("heavy".into()));
        action.uses_jobserver = true;
        action
    };
    // Not in the key.
    assert_eq!(build(&weighty), "unchanged; taken from the cache");
}

#[test]
fn warnings_come_again() {
    let project = Project::new(&[("lib.c", "int f(void) { int unused; return 1; }\n")]);
    let build = || {
        let engine = project.engine();
        let object = compile(&engine, "lib.c", &["-Wall"]);
        engine.wait(object).unwrap();
        engine.finish()
    };
    build();
    assert!(project.log.lines().iter().any(|line| {
        line.starts_with("finished compile lib.c: built: ") && line.contains("unused variable")
    }));
    let report = build();
    assert_eq!(cached(&report), ["compile lib.c"]);
    assert!(project.log.lines().iter().any(|line| {
        line.starts_with("replayed compile lib.c: ") && line.contains("unused variable")
    }));
}

#[test]
fn generated_headers() {
    let project = Project::new(&[
        ("lib.c", "#include \"gen.h\"\nint main(void) { return GEN; }\n"),
        ("gen.txt", "#define GEN 0\n"),
    ]);
    let build = |declare: bool| {
        let engine = project.engine();
        let text = engine.source(rel("gen.txt"));
        let (generate, header) = script(&engine, "include/gen.h", &[text], "cp \"$2\" \"$1\"");
        engine.submit(generate).unwrap();
        let (mut action, object) = compile_action(&engine, "lib.c", &[]);
        if declare {
            action.inputs.push(header);
        } else {
            engine.wait(header).unwrap();
        }
        engine.submit(action).unwrap();
        link(&engine, &[object]);
        let report = engine.finish();
        assert_eq!(report.status, Status::Succeeded, "{:?}", project.log.lines());
        report
    };
    build(true);
    assert_eq!(ran(&build(true)), [""; 0]);
    project.write("gen.txt", "#define GEN 1\n");
    let report = build(true);
    assert_eq!(reason(&report, "compile lib.c"), "input include/gen.h changed");
    assert!(!project.log.has("without declaring"));

    build(false);
    assert!(project.log.has("lib.c read include/gen.h, which this build makes, without declaring"));
    assert_eq!(ran(&build(false)), [""; 0]);
    project.write("gen.txt", "#define GEN 2\n");
    let report = build(false);
    assert_eq!(reason(&report, "compile lib.c"), "header include/gen.h changed");
}

#[test]
fn planning_goes_on_while_actions_run() {
    let project = Project::new(&[("list.txt", "x y\n")]);
    let engine = project.engine();
    let list = engine.source(rel("list.txt"));
    let (action, generated) = script(&engine, "list", &[list], "cat \"$2\" > \"$1\"");
    engine.submit(action).unwrap();
    let names = String::from_utf8(engine.read(generated).unwrap()).unwrap();
    let parts: Vec<ArtifactId> = names
        .split_whitespace()
        .map(|name| {
            let (action, part) = script(&engine, name, &[], &format!("echo {name} > \"$1\""));
            engine.submit(action).unwrap();
            part
        })
        .collect();
    // The consumer is submitted before the producer of one of its inputs.
    let late = engine.output(rel("late"));
    let inputs = [&parts[..], &[late]].concat();
    let (join, joined) = script(&engine, "joined", &inputs, "out=$1; shift; cat \"$@\" > \"$out\"");
    engine.submit(join).unwrap();
    let (action, same) = script(&engine, "late", &[], "echo late > \"$1\"");
    assert_eq!(same, late);
    engine.submit(action).unwrap();
    assert_eq!(engine.read(joined).unwrap(), b"x\ny\nlate\n");
    assert_eq!(engine.finish().status, Status::Succeeded);
}

#[test]
fn provided_files() {
    let project =
        Project::new(&[("lib.c", "#include \"config.h\"\nint main(void) { return X; }\n")]);
    let build = |content: &str| {
        let engine = project.engine();
        let config =
            engine.provide("configure", rel("include/config.h"), content.as_bytes()).unwrap();
        let (action, object) = compile_action(&engine, "lib.c", &[]);
        engine.submit(action.input(config)).unwrap();
        engine.wait(object).unwrap();
        assert_eq!(engine.read(config).unwrap(), content.as_bytes());
        let error = engine.provide("other", rel("include/config.h"), b"else").unwrap_err();
        assert!(error.to_string().contains("other (which provides it)"), "{error}");
        engine.finish()
    };
    assert_eq!(ran(&build("#define X 0\n")), ["compile lib.c"]);
    assert_eq!(ran(&build("#define X 0\n")), [""; 0]);
    let report = build("#define X 1\n");
    assert_eq!(reason(&report, "compile lib.c"), "input include/config.h changed");
}

#[test]
fn functions() {
    let project = Project::new(&[("in.txt", "one")]);
    let build = |version: &str, suffix: &'static str| {
        let engine = project.engine();
        let (input, output) = (engine.source(rel("in.txt")), engine.output(rel("out/x")));
        let params = serde_json::json!({"suffix": suffix});
        let action =
            Action::function("test", "Append", ("append", version), params, move |context| {
                let mut content = context.read(input)?;
                content.extend_from_slice(suffix.as_bytes());
                std::fs::write(context.scratch().join("x"), &content)?;
                context.log("appended\n");
                assert!(context.read(output).is_err() && context.write(input, b"").is_err());
                context.place(output, &context.scratch().join("x"))
            });
        engine.submit(action.input(input).output(output)).unwrap();
        let content = engine.read(output).unwrap();
        let report = engine.finish();
        (
            String::from_utf8(content).unwrap(),
            report.actions[0].reason.as_ref().unwrap().to_string(),
        )
    };
    assert_eq!(build("1", "!"), ("one!".into(), "not built before".into()));
    assert_eq!(build("1", "!").1, "unchanged; taken from the cache");
    assert!(project.log.has("replayed Append: appended"));
    assert_eq!(build("1", "?"), ("one?".into(), "parameters changed".into()));
    assert_eq!(build("2", "?").1, "append went from 1 to 2");
}

#[test]
fn msvc_and_plain_dependencies() {
    let project = Project::new(&[("in.txt", "1"), ("seen.h", "1"), ("other.h", "1")]);
    let build = || {
        let engine = project.engine();
        let input = engine.source(rel("in.txt"));
        let text = "cp $2 $1; echo 'Note: including file:  seen.h'; echo shown";
        let (mut action, _) = script(&engine, "msvc", &[input], text);
        action.dep_file = Some(DepFile::Msvc { prefix: "Note: including file:".into() });
        engine.submit(action).unwrap();
        let list = engine.output(rel("plain.list"));
        let (mut action, _) = script(&engine, "plain", &[input], "cp $2 $1; echo other.h > $3");
        action = action.arg(list).dep_file(DepFile::Plain(list));
        // `$3` is the list: it comes after output and input.
        engine.submit(action).unwrap();
        let report = engine.finish();
        assert_eq!(report.status, Status::Succeeded, "{:?}", project.log.lines());
        report
    };
    assert_eq!(ran(&build()), ["msvc", "plain"]);
    assert_eq!(ran(&build()), [""; 0]);
    project.write("seen.h", "2");
    assert_eq!(ran(&build()), ["msvc"]);
    project.write("other.h", "2");
    assert_eq!(ran(&build()), ["plain"]);
    assert!(project.log.has("finished msvc: built: shown\n"));
    assert!(!project.log.has("including file"));
}

#[test]
fn a_file_that_changes_meanwhile_isnt_trusted() {
    let project = Project::new(&[("in.txt", "1")]);
    let build = || {
        let engine = project.engine();
        let input = engine.source(rel("in.txt"));
        let edit = "cp $2 $1; if [ $(cat $2) = 1 ]; then echo 2 > $2; fi";
        let (action, output) = script(&engine, "out", &[input], edit);
        engine.submit(action).unwrap();
        let content = engine.read(output).unwrap();
        engine.finish();
        content
    };
    assert_eq!(build(), b"1");
    assert!(project.log.has("in.txt changed while it ran; its result isn't kept"));
    assert_eq!(build(), b"2\n");
    project.write("in.txt", "1");
    assert_eq!(build(), b"1");
}

#[test]
fn response_files() {
    let names: Vec<String> =
        (0..3000).map(|n| format!("-DA_RATHER_LONG_NAME_{n}=\"a b\\{n}\"")).collect();
    let project = Project::new(&[("lib.c", "int x = sizeof(A_RATHER_LONG_NAME_2999);\n")]);
    let engine = project.engine();
    let (mut action, object) = compile_action(&engine, "lib.c", &[]);
    action = action.args(names.iter().map(String::as_str));
    action.response_file = Some(ResponseFile::Gcc);
    engine.submit(action).unwrap();
    engine.wait(object).unwrap();
    assert_eq!(engine.finish().status, Status::Succeeded);
    // The same arguments one by one, and the file itself, are seen by the tool as they were given.
    let engine = project.engine();
    let (mut action, output) = script(&engine, "args", &[], "exit 1");
    let ekiben_engine::ActionKind::Process { program, argv, .. } = &mut action.kind else {
        unreachable!()
    };
    *program = ekiben_engine::Program::Tool(common::tool("cp"));
    let long = "x".repeat(ekiben_engine::RESPONSE_FILE_LIMIT);
    *argv = vec![Arg::from(long)];
    action.response_file = Some(ResponseFile::Gcc);
    engine.submit(action).unwrap();
    engine.wait(output).unwrap_err();
    let report = engine.finish();
    let Outcome::Failed(failed) = &report.actions[0].outcome else { panic!("{report:?}") };
    assert!(String::from_utf8_lossy(&failed.output).contains("arguments.rsp'"), "{failed:?}");
}

#[test]
fn compile_commands_and_command_lines() {
    let project = Project::new(FILES);
    project.build_program(&["main.c", "lib.c"]);
    let engine = project.engine();
    let objects = ["main.c", "lib.c"].map(|source| compile(&engine, source, &["-DX=a b"]));
    link(&engine, &objects);
    let commands = engine.compile_commands();
    let files: Vec<_> = commands.iter().map(|entry| (&*entry.file, &*entry.output)).collect();
    assert_eq!(files, [("lib.c", "build/lib.c.o"), ("main.c", "build/main.c.o")]);
    assert_eq!(commands[0].directory, project.root().to_str().unwrap());
    assert!(commands[0].arguments.contains(&"-DX=a b".to_owned()));
    let report = engine.finish();
    let object = project.root().join("build/lib.c.o");
    let before = std::fs::read(&object).unwrap();
    std::fs::remove_file(&object).unwrap();
    let line = engine.command_line(report.actions[1].id);
    let status = std::process::Command::new("sh").arg("-c").arg(&line).status().unwrap();
    assert!(status.success(), "{line}");
    assert_eq!(std::fs::read(&object).unwrap(), before);
    let trace = project.root().join("trace.json");
    engine.trace_span("plan", std::time::Instant::now(), std::time::Instant::now());
    engine.write_trace(&trace).unwrap();
    let trace: serde_json::Value = serde_json::from_slice(&std::fs::read(trace).unwrap()).unwrap();
    let named = |name: &str| {
        trace["traceEvents"].as_array().unwrap().iter().any(|event| event["name"] == name)
    };
    assert!(named("plan") && named("link program") && named("compile lib.c"), "{trace}");
    let database = project.root().join("compile_commands.json");
    engine.write_compile_commands(&database).unwrap();
    let written = std::fs::metadata(&database).unwrap().modified().unwrap();
    engine.write_compile_commands(&database).unwrap();
    assert_eq!(std::fs::metadata(&database).unwrap().modified().unwrap(), written);
    let read: serde_json::Value =
        serde_json::from_slice(&std::fs::read(database).unwrap()).unwrap();
    assert_eq!(read[1]["file"], "main.c");
}

#[test]
fn system_inputs() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("file");
    std::fs::write(&file, "1").unwrap();
    let project = Project::new(&[]);
    let build = || {
        let engine = project.engine();
        let input = engine.system(SystemPath::new(&file).unwrap());
        assert_eq!(engine.location(input), Location::System(SystemPath::new(&file).unwrap()));
        let (action, output) = script(&engine, "out", &[input], "cp $2 $1");
        engine.submit(action).unwrap();
        (engine.read(output).unwrap(), engine.finish())
    };
    assert_eq!(build().0, b"1");
    assert_eq!(cached(&build().1), ["out"]);
    std::fs::write(&file, "2").unwrap();
    let (content, report) = build();
    assert_eq!(
        (&content[..], &*reason(&report, "out")),
        (&b"2"[..], &*format!("input {} changed", file.display()))
    );
}

#[test]
fn an_environment_that_moves_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let build = |name: &str, value: u32| {
        let include = folder.path().join(name).join("lib/include");
        std::fs::create_dir_all(&include).unwrap();
        std::fs::write(include.join("env.h"), format!("#define E {value}\n")).unwrap();
        let environment = folder.path().join(name);
        let project = Project {
            movable: [("environment".to_owned(), environment.clone())].into(),
            ..Project::with_cache(&cache, &[("lib.c", "#include <env.h>\nint x = E;\n")])
        };
        let engine = project.engine();
        let (mut action, _) = compile_action(&engine, "lib.c", &[]);
        let include = Location::System(SystemPath::new(&include).unwrap());
        action.search_path.push(include.clone());
        let environment = Location::System(SystemPath::new(&environment).unwrap());
        let mut map = Arg::folder("-ffile-prefix-map=", environment);
        map.0.push(ekiben_engine::Piece::Text("=env".into()));
        engine.submit(action.arg(map).arg(Arg::folder("-I", include))).unwrap();
        let report = engine.finish();
        assert_eq!(report.status, Status::Succeeded);
        reason(&report, "compile lib.c")
    };
    assert_eq!(build("one", 1), "not built before");
    assert_eq!(build("two", 1), "unchanged; taken from the cache");
    assert_eq!(build("three", 2), "header lib/include/env.h changed");
    assert_eq!(build("one", 1), "unchanged; taken from the cache");
}

#[test]
fn a_folder_shadows_no_header() {
    let project = Project::new(&[("one/vec", "1"), ("two/vec/x.h", "1"), ("first/vec/y.h", "1")]);
    let build = || {
        let engine = project.engine();
        let list = engine.output(rel("list"));
        let text = "echo > $1; printf 'one/vec\\ntwo/vec/x.h\\n' > $2";
        let (mut action, _) = script(&engine, "vec", &[], text);
        action = action.arg(list).dep_file(DepFile::Plain(list));
        action.search_path = ["first", "one", "two"].map(|f| Location::Source(rel(f))).to_vec();
        engine.submit(action).unwrap();
        engine.finish()
    };
    assert_eq!(ran(&build()), ["vec"]);
    assert_eq!(cached(&build()), ["vec"]);
    project.write("first/vec/x.h", "1");
    assert_eq!(ran(&build()), ["vec"]);
}

#[test]
fn what_was_looked_for_in_vain() {
    let project = Project::new(&[("found.h", "1")]);
    let build = || {
        let engine = project.engine();
        let list = engine.output(rel("list"));
        let text = "echo > $1; printf 'read found.h\\nabsent first/found.h\\n' > $2";
        let (mut action, _) = script(&engine, "look", &[], text);
        action = action.arg(list).dep_file(DepFile::Trace(list));
        engine.submit(action).unwrap();
        engine.finish()
    };
    assert_eq!(ran(&build()), ["look"]);
    assert_eq!(cached(&build()), ["look"]);
    project.write("first/other.h", "1");
    assert_eq!(cached(&build()), ["look"]);
    project.write("first/found.h", "1");
    assert_eq!(ran(&build()), ["look"]);
}

#[test]
fn odd_names() {
    let header = "include/with \"quotes\" and $ and #.h";
    let project = Project::new(&[("in.txt", "1"), (header, "1")]);
    let build = || {
        let engine = project.engine();
        let input = engine.source(rel("in.txt"));
        let list = engine.output(rel("list"));
        let (mut action, _) = script(
            &engine,
            "odd {name}",
            &[input],
            "cp \"$2\" \"$1\"; printf '%s\\n' \"$4\" > \"$3\"",
        );
        action = action.arg(list).arg(header).dep_file(DepFile::Plain(list));
        engine.submit(action).unwrap();
        engine.finish()
    };
    assert_eq!(ran(&build()), ["odd {name}"]);
    assert_eq!(cached(&build()), ["odd {name}"]);
    project.write(header, "2");
    assert_eq!(reason(&build(), "odd {name}"), format!("header {header} changed"));
}

#[test]
fn events_come_in_order() {
    struct Order(std::sync::Mutex<Vec<&'static str>>);
    impl ekiben_engine::EventSink for Order {
        fn event(&self, event: Event<'_>) {
            self.0.lock().unwrap().push(match event {
                Event::Queued { .. } => "queued",
                Event::Started { .. } => "started",
                Event::Measured { .. } => "measured",
                Event::Finished { .. } => "finished",
                _ => "other",
            });
        }
    }
    let project = Project { jobs: 0, ..Project::new(&[]) };
    let sink = std::sync::Arc::new(Order(std::sync::Mutex::default()));
    let sent = std::sync::Arc::clone(&sink) as std::sync::Arc<dyn ekiben_engine::EventSink>;
    let engine = project.engine_with_sink(project.open_cache(), sent);
    let (action, _) = script(&engine, "x", &[], "echo > $1");
    engine.submit(action).unwrap();
    engine.finish();
    assert_eq!(*sink.0.lock().unwrap(), ["queued", "started", "measured", "finished"]);
}
