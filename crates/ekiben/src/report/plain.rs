//! Lines about actions, for people.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use ekiben_engine::{Failed, Reason};

use super::Counts;

pub(super) const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const HELP: Style = AnsiColor::Cyan.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// Durations up to this aren't worth saying.
const SHORT: Duration = Duration::from_secs(1);

/// `[3/20] compile src/a.c (1.2 s)`
pub(super) fn ran(
    description: &str,
    reason: Option<&Reason>,
    duration: Duration,
    counts: Counts,
    verbose: u8,
) -> String {
    let mut line = start(description, counts);
    if duration > SHORT {
        let _ = write!(line, " ({})", seconds(duration));
    }
    if verbose > 0
        && let Some(reason) = reason
    {
        let _ = write!(line, "{FAINT}: {reason}{FAINT:#}");
    }
    line.push('\n');
    line
}

/// `[3/20] compile src/a.c (cached)`
pub(super) fn cached(description: &str, counts: Counts) -> String {
    format!("{} {FAINT}(cached){FAINT:#}\n", start(description, counts))
}

fn start(description: &str, counts: Counts) -> String {
    format!("{FAINT}[{}/{}]{FAINT:#} {description}", counts.finished, counts.queued)
}

/// What an action that did well printed; compilers' warnings.
pub(super) fn output(description: &str, output: &[u8], cached: bool) -> String {
    let from = if cached { " (from the cache)" } else { "" };
    let mut text = format!("{WARNING}output{WARNING:#} of {description}{from}:\n");
    push_output(&mut text, output);
    text
}

/// A failed action, whole.
pub(super) fn failure(description: &str, failed: &Failed) -> String {
    let mut text = format!("{ERROR}error{ERROR:#}: can't {description}: {}\n", failed.failure);
    push_output(&mut text, &failed.output);
    if let Some(hint) = failed.failure.hint() {
        let _ = writeln!(text, "{HELP}help{HELP:#}: {hint}");
    }
    if !failed.command_line.is_empty() {
        let _ = writeln!(text, "{FAINT}command{FAINT:#}: {}", failed.command_line);
    }
    text
}

pub(super) fn warning(description: Option<&str>, message: &str) -> String {
    let about = description.map(|description| format!("{description}: ")).unwrap_or_default();
    format!("{WARNING}warning{WARNING:#}: {about}{message}\n")
}

fn push_output(text: &mut String, output: &[u8]) {
    text.push_str(&String::from_utf8_lossy(output));
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// `0.4 s`, `83 s`
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

/// `512 B`, `12 KB`, `3.4 MB`
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut amount, mut unit) = (bytes as f64 / 1000.0, 0);
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(amount < 9.95);
    format!("{amount:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1234), "1.2 KB");
        assert_eq!(bytes(9_970), "10 KB");
        assert_eq!(bytes(999_900), "1.0 MB");
        assert_eq!(bytes(123_456_789), "123 MB");
        assert_eq!(seconds(Duration::from_millis(440)), "0.4 s");
        assert_eq!(seconds(Duration::from_millis(83_400)), "83 s");
    }
}
