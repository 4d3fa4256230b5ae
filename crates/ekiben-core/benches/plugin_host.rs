//! What plugins cost a build: `cargo bench -p ekiben-core --bench plugin_host`, after
//! `cargo xtask plugins`. Prints medians.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/plugin_host/support.rs"]
#[allow(dead_code)]
mod support;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ekiben_core::plugin::{Outcome, Plugin, PluginHost};
use support::{Counted, Desk, Facts, call, host, load, read_component};

/// Median, after a first round that isn't counted.
fn measure(what: &str, rounds: usize, mut work: impl FnMut()) {
    work();
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        work();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!("{what}: {:.3} ms", times[rounds / 2].as_secs_f64() * 1000.0);
}

fn main() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins/gnu.wasm");
    let gnu: &'static [u8] = Box::leak(read_component(&file).into_boxed_slice());
    println!("gnu.wasm: {} KiB", gnu.len() / 1024);
    let load_gnu = |host: &PluginHost| -> Plugin { host.load("gnu", Cow::Borrowed(gnu)).unwrap() };

    measure("cold: compile gnu, describe", 15, || {
        load_gnu(&host(&Arc::default()));
    });
    let records = Arc::default();
    load_gnu(&host(&records)).prepare(&host(&records)).unwrap();
    measure("description of gnu from its record", 200, || {
        load_gnu(&host(&records));
    });
    measure("warm: engine, compiled gnu from its record, link", 100, || {
        let host = host(&records);
        load_gnu(&host).prepare(&host).unwrap();
    });

    let records = Arc::new(Counted::default());
    let host = host(&records);
    let banner = load(&host, "banner");
    call(&banner, &host, "generate", &Desk::new(Facts::banner(&["spam"])));
    measure("replayed call", 500, || {
        let desk = Desk::new(Facts::banner(&["spam"]));
        assert_eq!(call(&banner, &host, "generate", &desk), Outcome::Replayed);
    });
    let mut round = 0;
    measure("call in a fresh store", 500, || {
        round += 1;
        let desk = Desk::new(Facts::banner(&[&format!("spam{round}")]));
        assert_eq!(call(&banner, &host, "generate", &desk), Outcome::Ran);
    });
}
