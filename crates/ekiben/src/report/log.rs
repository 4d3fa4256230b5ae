//! `build.log`: everything that happened, written as it happens, so that it survives any end.
//!
//! What happens before the build folder is known waits in memory.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ekiben_core::{Cause, Problem, Problems};
use ekiben_engine::{Event, Outcome};

/// The log of a build.
#[derive(Default)]
pub(super) struct Log {
    waiting: String,
    file: Option<(PathBuf, File)>,
}

impl Log {
    /// Begins the file.
    pub(super) fn open(&mut self, path: &Path, title: &str) -> Result<(), Problems> {
        let create = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            File::create(path)
        };
        let file = create().map_err(|error| {
            let message = format!("{} can't be written: {error}", path.display());
            Problem::error(Cause::Environment, "unwritable", message)
                .help("choose another build folder with --build-dir")
        })?;
        self.file = Some((path.to_owned(), file));
        let waiting = std::mem::take(&mut self.waiting);
        self.line(title);
        self.write(&waiting);
        Ok(())
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    pub(super) fn line(&mut self, line: &str) {
        self.write(&format!("{line}\n"));
    }

    pub(super) fn command_line(&mut self, description: &str, line: &str) {
        self.write(&format!("$ # {description}\n{line}\n"));
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { action, reason, .. } => {
                self.line(&format!("start {}: {reason}", action.description));
            }
            Event::Finished { action, outcome, output, duration, .. } => {
                let took = duration.as_secs_f64();
                self.line(&format!("end {}: {outcome} ({took:.3} s)", action.description));
                self.output(output);
                if let Outcome::Failed(failed) = outcome {
                    self.output(&failed.output);
                    self.command_line(&action.description, &failed.command_line);
                }
            }
            Event::Replayed { action, output, .. } => {
                self.line(&format!("{} printed, when it ran:", action.description));
                self.output(output);
            }
            Event::Warning { message, .. } => self.line(&format!("warning: {message}")),
            _ => {}
        }
    }

    fn output(&mut self, output: &[u8]) {
        if !output.is_empty() {
            let text = String::from_utf8_lossy(output);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            self.write(&format!("{text}{end}"));
        }
    }

    fn write(&mut self, text: &str) {
        match &mut self.file {
            // A full disk stops the build by itself; the log needn't.
            Some((_, file)) => drop(file.write_all(text.as_bytes())),
            None => self.waiting.push_str(text),
        }
    }
}
