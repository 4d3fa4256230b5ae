//! What process trees cost, and tables of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;

/// One process tree's cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) cpu: Duration,
    pub(super) peak_bytes: u64,
}

impl Cost {
    /// Of two, one after the other.
    pub(super) fn and(self, later: Self) -> Self {
        Self { cpu: self.cpu + later.cpu, peak_bytes: self.peak_bytes.max(later.peak_bytes) }
    }
}

/// Costs by row and column, in the order of first use.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<String>,
    cells: BTreeMap<(String, String), Vec<Cost>>,
}

impl Table {
    pub(super) fn add(&mut self, row: &str, column: &str, cost: Cost) {
        if !self.rows.iter().any(|known| known == row) {
            self.rows.push(row.to_owned());
        }
        self.cells.entry((row.to_owned(), column.to_owned())).or_default().push(cost);
    }

    fn median(&self, row: &str, column: &str) -> Option<Cost> {
        let costs = self.cells.get(&(row.to_owned(), column.to_owned()))?;
        let mut cpu: Vec<_> = costs.iter().map(|cost| cost.cpu).collect();
        let mut peak: Vec<_> = costs.iter().map(|cost| cost.peak_bytes).collect();
        cpu.sort_unstable();
        peak.sort_unstable();
        Some(Cost { cpu: cpu[cpu.len() / 2], peak_bytes: peak[peak.len() / 2] })
    }

    /// Markdown: CPU milliseconds and peak MiB, and the ratio to the best of the peers.
    pub(super) fn markdown(&self, columns: &[&str]) -> String {
        let mut text = format!("| | {} | best peer |\n", columns.join(" | "));
        let _ = writeln!(text, "|---|{}---|", "---|".repeat(columns.len()));
        for row in &self.rows {
            let _ = write!(text, "| {row} |");
            for column in columns {
                match self.median(row, column) {
                    Some(cost) => {
                        let mebibytes = cost.peak_bytes >> 20;
                        let _ = write!(text, " {:.1} ms, {mebibytes} MiB |", milliseconds(cost));
                    }
                    None => text.push_str(" |"),
                }
            }
            let ours = self.median(row, "ekiben").map(milliseconds);
            let is_peer = |c: &&&str| !c.starts_with("ekiben") && !c.ends_with("alone");
            let peers = columns.iter().filter(is_peer);
            let best = peers.filter_map(|c| self.median(row, c)).map(milliseconds).reduce(f64::min);
            match ours.zip(best) {
                Some((ours, best)) => {
                    let _ = writeln!(text, " {:.2} |", ours / best);
                }
                None => text.push_str(" |\n"),
            }
        }
        text
    }
}

pub(super) fn milliseconds(cost: Cost) -> f64 {
    cost.cpu.as_secs_f64() * 1000.0
}

/// Runs a command for what it costs; its output is shown only if it fails.
pub(super) fn cost(command: &mut Command) -> Result<Cost> {
    let log = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null());
    command.stdout(log.reopen()?).stderr(log.reopen()?);
    let child = command.spawn().with_context(|| format!("{command:?} can't be started"))?;
    let usage = child.wait4()?;
    if !usage.status.success() {
        let output = fs::read_to_string(log.path()).unwrap_or_default();
        bail!("{command:?} failed with {}\n{output}", usage.status);
    }
    Ok(Cost { cpu: usage.rusage.utime + usage.rusage.stime, peak_bytes: usage.rusage.maxrss })
}
