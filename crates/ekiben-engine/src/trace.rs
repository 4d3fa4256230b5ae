//! [`Trace`]: what ran when, in Chrome's trace-event format, which Perfetto opens. One lane a thread, spans of the
//! caller's, and a counter of running actions.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

/// Lane of spans that the caller adds.
const CALLER: usize = 0;

/// Collects spans and counters.
#[derive(Debug)]
pub(crate) struct Trace {
    start: Instant,
    events: Mutex<Vec<TraceEvent>>,
}

#[derive(Debug)]
enum TraceEvent {
    Span { name: String, lane: usize, start: Instant, end: Instant, args: Value },
    Running { at: Instant, count: u32 },
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), events: Mutex::default() }
    }

    /// What a thread did; its lane is its number, counted from 0.
    pub(crate) fn work(&self, name: &str, thread: usize, start: Instant, args: Value) {
        let (name, lane, end) = (name.to_owned(), thread + 1, Instant::now());
        self.lock().push(TraceEvent::Span { name, lane, start, end, args });
    }

    /// What the caller did.
    pub(crate) fn span(&self, name: &str, start: Instant, end: Instant) {
        let (name, args) = (name.to_owned(), json!({}));
        self.lock().push(TraceEvent::Span { name, lane: CALLER, start, end, args });
    }

    pub(crate) fn running(&self, count: u32) {
        self.lock().push(TraceEvent::Running { at: Instant::now(), count });
    }

    /// The trace so far. Times are microseconds since the engine was made.
    pub(crate) fn to_json(&self) -> Value {
        let at = |time: Instant| time.saturating_duration_since(self.start).as_micros() as u64;
        let events = self.lock();
        let mut lanes: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                TraceEvent::Span { lane, .. } => Some(*lane),
                TraceEvent::Running { .. } => None,
            })
            .collect();
        lanes.sort_unstable();
        lanes.dedup();
        let names = lanes.into_iter().map(|lane| {
            let name = if lane == CALLER { "plan".to_owned() } else { format!("thread {lane}") };
            json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": lane, "args": {"name": name}})
        });
        let events = events.iter().map(|event| match event {
            TraceEvent::Span { name, lane, start, end, args } => json!({
                "ph": "X", "name": name, "pid": 1, "tid": lane, "ts": at(*start),
                "dur": at(*end).saturating_sub(at(*start)), "args": args,
            }),
            TraceEvent::Running { at: time, count } => json!({
                "ph": "C", "name": "running", "pid": 1, "ts": at(*time), "args": {"actions": count},
            }),
        });
        json!({"displayTimeUnit": "ms", "traceEvents": names.chain(events).collect::<Vec<_>>()})
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TraceEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_and_counters() {
        let trace = Trace::new();
        let start = Instant::now();
        trace.span("plan", start, start);
        trace.running(1);
        trace.work("compile a.c", 0, start, json!({"cached": false}));
        let json = trace.to_json();
        let events = json["traceEvents"].as_array().map_or(&[][..], Vec::as_slice);
        let kinds: Vec<_> = events.iter().map(|event| event["ph"].as_str()).collect();
        assert_eq!(kinds, [Some("M"), Some("M"), Some("X"), Some("C"), Some("X")]);
        assert_eq!(events[1]["args"]["name"], "thread 1");
        assert_eq!(events[4]["args"]["cached"], false);
        assert_eq!(events[3]["args"]["actions"], 1);
    }
}
