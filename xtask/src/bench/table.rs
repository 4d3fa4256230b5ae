//! What process trees cost, and tables of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use wait4::Wait4 as _;

/// One process tree's cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) cpu: Duration,
    /// From start to end.
    pub(super) wall: Duration,
    pub(super) peak_bytes: u64,
    /// Page faults, whether something was read for them or not.
    pub(super) faults: u64,
    /// What came from the disk.
    pub(super) read_bytes: u64,
}

impl Cost {
    /// Of two, one after the other.
    pub(super) fn and(self, later: Self) -> Self {
        Self {
            cpu: self.cpu + later.cpu,
            wall: self.wall + later.wall,
            peak_bytes: self.peak_bytes.max(later.peak_bytes),
            faults: self.faults + later.faults,
            read_bytes: self.read_bytes + later.read_bytes,
        }
    }
}

/// A figure of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Cpu,
    Wall,
    Peak,
    Faults,
    Read,
}

impl Figure {
    /// Its value, without the unit.
    pub(super) fn of(self, cost: &Cost) -> f64 {
        match self {
            Self::Cpu => cost.cpu.as_secs_f64() * 1e3,
            Self::Wall => cost.wall.as_secs_f64() * 1e3,
            Self::Peak => cost.peak_bytes as f64 / f64::from(1 << 20),
            Self::Faults => cost.faults as f64,
            Self::Read => cost.read_bytes as f64 / 1e6,
        }
    }

    /// A value with its unit.
    fn shown(self, value: f64) -> String {
        match self {
            Self::Cpu | Self::Wall => format!("{value:.1} ms"),
            Self::Peak => format!("{value:.0} MiB"),
            Self::Faults => format!("{value:.0}"),
            Self::Read => format!("{value:.1} MB"),
        }
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

    /// The median of a figure.
    pub(super) fn median(&self, row: &str, column: &str, figure: Figure) -> Option<f64> {
        let costs = self.cells.get(&(row.to_owned(), column.to_owned()))?;
        let mut values: Vec<f64> = costs.iter().map(|cost| figure.of(cost)).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    /// Markdown: a line for each figure of a row, with what the first column has in that of the last.
    pub(super) fn figures(&self, lines: &[(&str, &str, Figure)], columns: &[&str]) -> String {
        let (Some(first), Some(last)) = (columns.first(), columns.last()) else {
            return String::new();
        };
        let mut text = format!("| | {} | {first} to {last} |\n", columns.join(" | "));
        let _ = writeln!(text, "|---|{}---|", "---|".repeat(columns.len()));
        for (label, row, figure) in lines {
            let value = |column: &str| self.median(row, column, *figure);
            let _ = write!(text, "| {label} |");
            for column in columns {
                let shown = value(column).map(|value| figure.shown(value)).unwrap_or_default();
                let _ = write!(text, " {shown} |");
            }
            let ratio = value(first).zip(value(last)).filter(|(_, last)| *last > 0.0);
            let ratio = ratio.map(|(first, last)| format!("{:.2}", first / last));
            let _ = writeln!(text, " {} |", ratio.unwrap_or_default());
        }
        text
    }

    /// Markdown: CPU milliseconds and peak MiB, and the ratio to the best of the peers.
    pub(super) fn markdown(&self, columns: &[&str]) -> String {
        let mut text = format!("| | {} | best peer |\n", columns.join(" | "));
        let _ = writeln!(text, "|---|{}---|", "---|".repeat(columns.len()));
        for row in &self.rows {
            let _ = write!(text, "| {row} |");
            for column in columns {
                let figures = [Figure::Cpu, Figure::Peak];
                match figures.map(|it| Some(it.shown(self.median(row, column, it)?))) {
                    [Some(cpu), Some(peak)] => {
                        let _ = write!(text, " {cpu}, {peak} |");
                    }
                    _ => text.push_str(" |"),
                }
            }
            let cpu = |column: &str| self.median(row, column, Figure::Cpu);
            let is_peer = |c: &&&str| !c.starts_with("ekiben") && !c.ends_with("alone");
            let peers = columns.iter().filter(is_peer);
            let (ours, best) = (cpu("ekiben"), peers.filter_map(|c| cpu(c)).reduce(f64::min));
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

/// Runs a command for what it costs; its output is shown only if it fails.
pub(super) fn cost(command: &mut Command) -> Result<Cost> {
    let log = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null());
    command.stdout(log.reopen()?).stderr(log.reopen()?);
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let begun = Instant::now();
    let child = command.spawn().with_context(|| format!("{command:?} can't be started"))?;
    let usage = child.wait4()?;
    let wall = begun.elapsed();
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    if !usage.status.success() {
        let output = fs::read_to_string(log.path()).unwrap_or_default();
        bail!("{command:?} failed with {}\n{output}", usage.status);
    }
    // There is one at a time, so what came to the sum is its own.
    let added = |count: fn(&Usage) -> i64| u64::try_from(count(&after) - count(&before));
    Ok(Cost {
        cpu: usage.rusage.utime + usage.rusage.stime,
        wall,
        peak_bytes: usage.rusage.maxrss,
        faults: added(|it| it.minor_page_faults() + it.major_page_faults())?,
        // In the sectors that the kernel counts by.
        read_bytes: added(Usage::block_reads)? * 512,
    })
}
