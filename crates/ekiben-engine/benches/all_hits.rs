//! What a build costs in which nothing changed: 20 compilations against the headers of a large library, all in the
//! cache, each time with a new engine as a new process would have. Prints CPU time, since machines are shared.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::time::Duration;

use common::{Project, compile, rel};
use ekiben_engine::{Action, Cache, CacheLimits, Digest, FileDigests};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 30;

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Median, after a first round that isn't counted.
fn measure(what: &str, mut work: impl FnMut()) {
    work();
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = cpu();
            work();
            cpu() - start
        })
        .collect();
    times.sort_unstable();
    println!("{what}: {:.2} ms CPU", times[ROUNDS / 2].as_secs_f64() * 1000.0);
}

fn main() {
    let mut includes = String::new();
    let mut files: Vec<(String, String)> = Vec::new();
    for n in 0..100 {
        let body = format!("int declared_{n}(int, char *); // padding\n").repeat(200);
        files.push((format!("include/lib/h{n}.h"), body));
        writeln!(includes, "#include \"lib/h{n}.h\"").unwrap();
    }
    let sources: Vec<String> = (0..20).map(|n| format!("s{n}.c")).collect();
    for (n, source) in sources.iter().enumerate() {
        files.push((source.clone(), format!("{includes}#include <stdio.h>\nint f{n};\n")));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let project = Project::new(&files);
    let build = || {
        let engine = project.engine();
        for source in &sources {
            compile(&engine, source, &[]);
        }
        engine.finish()
    };
    assert_eq!(build().ran(), 20);
    measure("all hits, 20 actions, 100 headers each", || {
        assert_eq!(build().cached(), 20);
    });
    let many = || {
        let engine = project.engine();
        let mut last = engine.source(rel("s0.c"));
        for n in 0..2000 {
            let output = engine.output(rel(&format!("many/{n}")));
            let params = serde_json::json!({"n": n});
            let action =
                Action::function("bench", "Write", ("write", "1"), params, move |context| {
                    context.write(output, n.to_string().as_bytes())
                });
            engine.submit(action.input(last).output(output)).unwrap();
            // Half of them in a chain, half side by side.
            if n % 2 == 0 {
                last = output;
            }
        }
        engine.finish()
    };
    assert_eq!(many().ran(), 2000);
    measure("all hits, 2000 small actions", || {
        assert_eq!(many().cached(), 2000);
    });
    measure("an engine with nothing to do", || {
        project.engine().finish();
    });
    let data = vec![1; 64 << 20];
    measure("digesting 64 MiB", || {
        assert_ne!(Digest::of(&data), Digest::of(b""));
    });
    let cache = Cache::open(&project.cache, CacheLimits::new(1 << 30)).unwrap();
    measure("digests of 100 headers, new process", || {
        let digests = FileDigests::new(cache.clone());
        for n in 0..100 {
            digests.digest(&project.root().join(format!("include/lib/h{n}.h"))).unwrap();
        }
    });
}
