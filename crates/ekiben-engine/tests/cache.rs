//! The cache when it is damaged, emptied, unusable, or shared.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Project, cached, compile, link, ran, reason, rel, script};
use ekiben_engine::{Cache, CacheLimits, CleanScope, Status};

const FILES: &[(&str, &str)] = &[
    (
        "main.c",
        "#include \"a.h\"\n#include <stdio.h>\nint main(void) { printf(\"%d\\n\", f()); return 0; }\n",
    ),
    ("lib.c", "#include \"a.h\"\nint f(void) { return 3; }\n"),
    ("include/a.h", "int f(void);\n"),
];

/// Every file in a table of the cache.
fn files(cache: &Path, table: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(cache.join("v1").join(table)).unwrap();
    folders
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

fn replace(path: &Path, content: &str) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn a_damaged_object_is_made_again() {
    let project = Project::new(FILES);
    project.build_program(&["main.c", "lib.c"]);
    fs::remove_dir_all(project.root().join("build")).unwrap();
    for blob in files(&project.cache, "cas") {
        replace(&blob, "damaged");
    }
    // The program is exported, so its damage shows first; running the link shows that of the objects.
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(ran(&report), ["compile main.c", "compile lib.c", "link program"]);
    let said = "unchanged, but its result in the cache was damaged";
    assert_eq!(reason(&report, "compile main.c"), said);
    assert_eq!(reason(&report, "link program"), said);
    assert_eq!(project.program_output(), "3\n");
    assert_eq!(ran(&project.build_program(&["main.c", "lib.c"])), [""; 0]);
}

#[test]
fn damaged_results_are_misses() {
    let project = Project::new(FILES);
    project.build_program(&["main.c", "lib.c"]);
    for table in ["actions", "slots"] {
        for file in files(&project.cache, table) {
            replace(&file, "{\"not\": \"what it was");
        }
    }
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report).len(), 3);
    assert_eq!(reason(&report, "link program"), "not built before");
    assert_eq!(cached(&project.build_program(&["main.c", "lib.c"])).len(), 3);
}

#[test]
fn evicted_results_are_explained() {
    let project = Project::new(FILES);
    project.build_program(&["main.c", "lib.c"]);
    fs::remove_dir_all(project.cache.join("v1/actions")).unwrap();
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(reason(&report, "compile lib.c"), "unchanged, but no longer in the cache");
    fs::remove_dir_all(project.cache.join("v1/cas")).unwrap();
    let report = project.build_program(&["main.c", "lib.c"]);
    assert_eq!(ran(&report).len(), 3);
    assert_eq!(reason(&report, "compile lib.c"), "unchanged, but no longer in the cache");
    assert_eq!(project.open_cache().clean(CleanScope::All).unwrap().entries, 9);
    assert_eq!(ran(&project.build_program(&["main.c", "lib.c"])).len(), 3);
}

#[test]
fn content_that_vanishes_under_a_build_is_made_again() {
    let project = Project::new(FILES);
    project.build_program(&["main.c", "lib.c"]);
    fs::remove_dir_all(project.root().join("build")).unwrap();
    let engine = project.engine();
    let object = compile(&engine, "lib.c", &[]);
    engine.wait(object).unwrap();
    assert!(engine.finish().cached() == 1);
    fs::remove_dir_all(project.cache.join("v1/cas")).unwrap();
    // Even after the end: whoever exports last must get what was promised.
    engine.export(object, &project.root().join("lib.o")).unwrap();
    assert!(project.root().join("lib.o").exists());
    assert!(project.log.has("started compile lib.c: unchanged, but no longer in the cache"));

    // A consumer that has to run finds its input gone.
    fs::remove_dir_all(project.root().join("build")).unwrap();
    let engine = project.engine();
    let objects = ["main.c", "lib.c"].map(|source| compile(&engine, source, &[]));
    for object in objects {
        engine.wait(object).unwrap();
    }
    fs::remove_dir_all(project.cache.join("v1/cas")).unwrap();
    let program = link(&engine, &objects);
    engine.export(program, &project.root().join("program")).unwrap();
    assert_eq!(engine.finish().status, Status::Succeeded);
    assert_eq!(project.program_output(), "3\n");
}

#[test]
fn executables_stay_executable() {
    let project = Project::new(&[("in", "")]);
    let build = || {
        let engine = project.engine();
        let input = engine.source(rel("in"));
        let (make, tool) = script(
            &engine,
            "tool",
            &[input],
            "printf '#!/bin/sh\necho ran > $1\n' > $1; chmod +x $1",
        );
        engine.submit(make).unwrap();
        let output = engine.output(rel("out"));
        let run =
            ekiben_engine::Action::built_process("test", "Run", tool).arg(output).output(output);
        engine.submit(run).unwrap();
        let content = engine.read(output).unwrap();
        engine.export(tool, &project.root().join("copy")).unwrap();
        (content, engine.finish())
    };
    assert_eq!(build().0, b"ran\n");
    fs::remove_dir_all(project.root().join("build")).unwrap();
    fs::remove_dir_all(project.cache.join("v1/actions")).unwrap();
    assert_eq!(ran(&build().1).len(), 2);
    fs::remove_dir_all(project.root().join("build")).unwrap();
    assert_eq!(cached(&build().1).len(), 2);
    let status = std::process::Command::new(project.root().join("copy")).arg("/dev/null").status();
    assert!(status.unwrap().success());
}

#[test]
fn an_unusable_folder_gives_way_to_a_private_one() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let limits = CacheLimits::new(1 << 20);
    assert!(Cache::open(&blocked, limits).is_err());
    let private = folder.path().join("private");
    let (cache, reason) = Cache::open_or_private(&blocked, &private, limits).unwrap();
    assert!(reason.unwrap().to_string().starts_with("can't create "));
    assert_eq!(cache.folder(), private.join("v1"));
    let tag = fs::read_to_string(private.join("CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
    let (_, reason) = Cache::open_or_private(&private, &blocked, limits).unwrap();
    assert!(reason.is_none());
}

#[test]
fn a_cache_that_takes_nothing_doesnt_stop_a_build() {
    let project = Project::new(FILES);
    let cache = project.open_cache();
    for table in ["cas", "actions", "slots"] {
        fs::write(project.cache.join("v1").join(table), "in the way").unwrap();
    }
    let engine = project.engine_with(cache);
    let objects = ["main.c", "lib.c"].map(|source| compile(&engine, source, &[]));
    let program = link(&engine, &objects);
    engine.export(program, &project.root().join("program")).unwrap();
    assert_eq!(engine.finish().status, Status::Succeeded);
    assert_eq!(project.program_output(), "3\n");
    let warnings = project.log.lines();
    let warnings: Vec<_> = warnings.iter().filter(|line| line.starts_with("warning")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("results can't be kept"));
}

#[test]
fn a_limit_is_kept_at_the_end_of_a_build() {
    let project = Project {
        limits: CacheLimits { max_bytes: 40 * 4096, grace: Duration::ZERO },
        ..Project::new(&[])
    };
    for round in 0..4 {
        let engine = project.engine();
        for n in 0..10 {
            let (action, _) =
                script(&engine, &format!("x{n}"), &[], &format!("echo {round} {n} > \"$1\""));
            engine.submit(action).unwrap();
        }
        assert_eq!(engine.finish().status, Status::Succeeded);
        let bytes = project.open_cache().stats().unwrap().bytes;
        assert!(bytes <= 40 * 4096, "{bytes}");
    }
}

#[test]
fn builds_share_a_cache_that_is_being_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let limits = CacheLimits { max_bytes: 8 * 4096, grace: Duration::ZERO };
    let done = AtomicBool::new(false);
    let build = |builder: usize| {
        for round in 0..3 {
            // Two builders make the same, two something of their own.
            let result = round * 10 + builder / 2;
            let lib = format!("#include \"a.h\"\nint f(void) {{ return {result}; }}\n");
            let files = [FILES[0], ("lib.c", &*lib), FILES[2]];
            let project = Project { limits, ..Project::with_cache(&cache, &files) };
            for _ in 0..2 {
                let report = project.build_program(&["main.c", "lib.c"]);
                assert_eq!(report.status, Status::Succeeded, "{:?}", project.log.lines());
                assert_eq!(project.program_output(), format!("{result}\n"));
            }
        }
    };
    std::thread::scope(|scope| {
        let builders: Vec<_> = (0..4).map(|builder| scope.spawn(move || build(builder))).collect();
        scope.spawn(|| {
            let cache = Cache::open(&cache, limits).unwrap();
            while !done.load(Ordering::Relaxed) {
                cache.clean(CleanScope::ToLimit).unwrap();
                std::thread::yield_now();
            }
        });
        let results: Vec<_> =
            builders.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(results.iter().all(Result::is_ok));
    });
    assert_eq!(fs::read_dir(cache.join("v1/tmp")).unwrap().count(), 0);
}
