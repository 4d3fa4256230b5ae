//! Progress on a terminal: a line for each action that runs, and the whole.

use std::collections::BTreeMap;

use ekiben_engine::ActionId;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Counts;

const TOTAL: &str = "{bar:24} {pos}/{len} {elapsed}";
const ACTION: &str = "  {wide_msg} {elapsed}";

/// Bars on stderr.
pub(super) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    running: BTreeMap<ActionId, ProgressBar>,
}

impl Bars {
    pub(super) fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = all.add(ProgressBar::new(0));
        total.set_style(style(TOTAL));
        Self { all, total, running: BTreeMap::new() }
    }

    pub(super) fn progress(&self, counts: Counts) {
        self.total.set_length(counts.queued as u64);
        self.total.set_position(counts.finished as u64);
    }

    pub(super) fn started(&mut self, id: ActionId, description: &str) {
        let bar = self.all.insert_before(&self.total, ProgressBar::new_spinner());
        bar.set_style(style(ACTION));
        bar.set_message(description.to_owned());
        self.running.insert(id, bar);
    }

    pub(super) fn finished(&mut self, id: ActionId, counts: Counts) {
        if let Some(bar) = self.running.remove(&id) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        self.progress(counts);
    }

    /// Prints something above the bars.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.all.suspend(print);
    }

    pub(super) fn clear(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // Only our constants come here, and a test parses each.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [TOTAL, ACTION] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
