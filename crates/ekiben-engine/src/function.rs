//! [`FunctionContext`]: all that an in-process function can see and do.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::action::{ActionError, ArtifactId};
use crate::cache::write_atomically;
use crate::interrupt::Interrupt;

/// What a function works with: declared inputs and outputs, a scratch folder, and a log.
#[derive(Debug)]
pub struct FunctionContext {
    pub(crate) inputs: HashMap<ArtifactId, PathBuf>,
    pub(crate) outputs: HashMap<ArtifactId, PathBuf>,
    pub(crate) source_root: PathBuf,
    pub(crate) scratch: PathBuf,
    pub(crate) log: Mutex<Vec<u8>>,
    pub(crate) interrupt: Interrupt,
    pub(crate) over: Arc<AtomicBool>,
}

impl FunctionContext {
    /// Where a declared input is.
    ///
    /// # Errors
    /// When it isn't declared.
    pub fn input_path(&self, input: ArtifactId) -> Result<&Path, ActionError> {
        self.inputs.get(&input).map(PathBuf::as_path).ok_or_else(|| {
            ActionError::new("a function asked for a file that isn't among its inputs")
        })
    }

    /// The content of a declared input.
    ///
    /// # Errors
    /// When it isn't declared or can't be read.
    pub fn read(&self, input: ArtifactId) -> Result<Vec<u8>, ActionError> {
        let path = self.input_path(input)?;
        std::fs::read(path).map_err(|error| failed("read", path, &error))
    }

    /// Where a declared output, or the dependency file, goes. Its folder exists.
    ///
    /// # Errors
    /// When it isn't declared.
    pub fn output_path(&self, output: ArtifactId) -> Result<&Path, ActionError> {
        self.outputs.get(&output).map(PathBuf::as_path).ok_or_else(|| {
            ActionError::new("a function tried to write a file that isn't among its outputs")
        })
    }

    /// Writes a declared output.
    ///
    /// # Errors
    /// When it isn't declared or can't be written.
    pub fn write(&self, output: ArtifactId, content: &[u8]) -> Result<(), ActionError> {
        let path = self.output_path(output)?;
        write_atomically(path, content, false).map_err(|error| failed("write", path, &error))
    }

    /// Writes a declared output that is a program.
    ///
    /// # Errors
    /// When it isn't declared or can't be written.
    pub fn write_executable(&self, output: ArtifactId, content: &[u8]) -> Result<(), ActionError> {
        let path = self.output_path(output)?;
        write_atomically(path, content, true).map_err(|error| failed("write", path, &error))
    }

    /// Moves a file from the scratch folder to where a declared output goes.
    ///
    /// # Errors
    /// When it isn't declared or can't be moved.
    pub fn place(&self, output: ArtifactId, file: &Path) -> Result<(), ActionError> {
        let path = self.output_path(output)?;
        std::fs::rename(file, path).map_err(|error| failed("write", path, &error))
    }

    /// The source root, which is where dependency files' relative paths start.
    #[must_use]
    pub fn source_root(&self) -> &Path {
        &self.source_root
    }

    /// A folder for temporary files, empty at first, and removed afterwards.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Adds `text` to what the action prints.
    pub fn log(&self, text: &str) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text.as_bytes());
    }

    /// Whether the build is to stop. A function that takes long looks now and then, and returns an error.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.is_triggered() || self.over.load(Ordering::SeqCst)
    }
}

fn failed(action: &str, path: &Path, error: &io::Error) -> ActionError {
    ActionError::new(format!("can't {action} {}: {error}", path.display()))
}
