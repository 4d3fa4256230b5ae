//! Archives as actions: a list of files, made while planning, becomes a wheel or source distribution
//! when their contents are there.
//!
//! The list is checked for conflicts while planning, and it is all that decides what is written:
//! `--list-files` prints it.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use ekiben_archive::{
    ArchivePath, Content, Entry, FileSet, ListWriter, Listed, Origin, SdistSpec, TarGzWriter,
    Timestamp, WheelSpec, ZipWriter,
};
use ekiben_engine::{Action, ActionError, ArtifactId, FunctionContext, Location, RelPath};
use serde::Serialize;

use crate::build::Shared;
use crate::graph::{CommandName, Kind};
use crate::problem::{Cause, Problem, Problems};

/// What kind of archive.
#[derive(Debug, Clone)]
pub(crate) enum Spec {
    Wheel(WheelSpec),
    Sdist(SdistSpec),
}

impl Spec {
    fn file_name(&self) -> String {
        match self {
            Self::Wheel(spec) => spec.file_name(),
            Self::Sdist(spec) => spec.file_name(),
        }
    }
}

/// A file that goes into an archive.
#[derive(Debug, Clone)]
struct Planned {
    artifact: ArtifactId,
    path: ArchivePath,
    executable: bool,
    origin: Origin,
}

/// An archive in the making.
pub(crate) struct Archive {
    spec: Spec,
    timestamp: Timestamp,
    files: Vec<Planned>,
    /// What must have succeeded before it is written.
    conditions: Vec<ArtifactId>,
    /// Only to find conflicts.
    names: FileSet,
}

/// What determines an archive besides the contents of its files.
#[derive(Serialize)]
struct Parameters {
    file_name: String,
    timestamp: u64,
    wheel: Option<String>,
    files: Vec<(String, bool, String)>,
}

impl Archive {
    pub(crate) fn new(spec: Spec, timestamp: Timestamp) -> Self {
        Self { spec, timestamp, files: Vec::new(), conditions: Vec::new(), names: FileSet::new() }
    }

    /// Adds a file; two claims on one path are an error.
    pub(crate) fn add(
        &mut self,
        artifact: ArtifactId,
        path: ArchivePath,
        executable: bool,
        origin: &Origin,
    ) -> Result<(), Problems> {
        self.names.add(Entry::new(path.clone(), Vec::new(), origin.clone()))?;
        self.files.push(Planned { artifact, path, executable, origin: origin.clone() });
        Ok(())
    }

    /// Makes a check's output a condition: the archive isn't written if it fails.
    pub(crate) fn require(&mut self, check: Option<ArtifactId>) {
        self.conditions.extend(check);
    }

    /// Emits the action that writes it, and hands the archive on as an artifact of `kind`.
    pub(crate) fn submit(
        self,
        shared: &Shared,
        command: &CommandName,
        kind: &Kind,
    ) -> Result<(), Problems> {
        let file_name = self.spec.file_name();
        let path = RelPath::new(&format!("{}/{file_name}", kind.as_str())).map_err(|error| {
            Problem::error(Cause::Internal, "path", format!("the name {file_name}: {error}"))
        })?;
        let output = shared.engine.output(path.clone());
        let parameters = Parameters {
            file_name: file_name.clone(),
            timestamp: self.timestamp.seconds(),
            wheel: match &self.spec {
                Spec::Wheel(spec) => Some(spec.wheel_metadata()),
                Spec::Sdist(_) => None,
            },
            files: self
                .files
                .iter()
                .map(|file| {
                    let from = match shared.engine.location(file.artifact) {
                        Location::Source(path) => format!("source:{path}"),
                        Location::Build(path) => format!("build:{path}"),
                        Location::System(path) => format!("system:{path}"),
                    };
                    (file.path.to_string(), file.executable, from)
                })
                .collect(),
        };
        let parameters = serde_json::to_value(parameters).unwrap_or_default();
        let archive = Arc::new(self);
        let inputs: Vec<ArtifactId> = archive
            .files
            .iter()
            .map(|file| file.artifact)
            .chain(archive.conditions.iter().copied())
            .collect();
        let name =
            if matches!(archive.spec, Spec::Wheel(_)) { "write-wheel" } else { "write-sdist" };
        let written = Arc::clone(&archive);
        let mut action = Action::function(
            command.to_string(),
            if matches!(archive.spec, Spec::Wheel(_)) { "Wheel" } else { "Sdist" },
            (name, env!("CARGO_PKG_VERSION")),
            parameters,
            move |cx| written.write(cx, output),
        )
        .describe(format!("write {file_name}"))
        .output(output);
        action.inputs = inputs;
        shared.engine.submit(action)?;
        let info = crate::plugin::protocol::ArtifactInfo {
            location: Location::Build(path),
            kind: kind.as_str().to_owned(),
            product: None,
        };
        shared.artifacts.add(info, output, command).map_err(|other| {
            let message = format!("`{command}` and `{other}` both make {file_name}");
            Problem::error(Cause::Internal, "two-producers", message)
        })?;
        shared.archives.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(archive);
        Ok(())
    }

    fn write(&self, cx: &FunctionContext, output: ArtifactId) -> Result<(), ActionError> {
        let paths = self
            .files
            .iter()
            .map(|file| Ok((file.artifact, cx.input_path(file.artifact)?.to_owned())))
            .collect::<Result<HashMap<_, _>, ActionError>>()?;
        let files = self.contents(&paths).map_err(|error| failed(&error))?;
        let scratch = cx.scratch().join("archive");
        let file = File::create_new(&scratch)?;
        match &self.spec {
            Spec::Wheel(spec) => {
                let mut writer = ZipWriter::new(std::io::BufWriter::new(file), self.timestamp);
                spec.write(&files, &mut writer).map_err(|error| failed(&error))?;
                finish(writer.finish().map_err(|error| failed(&error))?)?;
            }
            Spec::Sdist(spec) => {
                let mut writer = TarGzWriter::new(std::io::BufWriter::new(file), self.timestamp);
                spec.write(&files, &mut writer).map_err(|error| failed(&error))?;
                finish(writer.finish().map_err(|error| failed(&error))?)?;
            }
        }
        cx.place(output, &scratch)
    }

    fn contents(
        &self,
        paths: &HashMap<ArtifactId, PathBuf>,
    ) -> Result<FileSet, ekiben_archive::Error> {
        let mut files = FileSet::new();
        for file in &self.files {
            let path = paths.get(&file.artifact).cloned().unwrap_or_default();
            let content = Content::deferred(None, move || File::open(&path));
            let entry = Entry::new(file.path.clone(), content, file.origin.clone());
            files.add(entry.executable(file.executable))?;
        }
        Ok(files)
    }

    /// What the archive holds: the lines of `--list-files`. Everything must have been built.
    pub(crate) fn list(&self, shared: &Shared) -> Result<Vec<Listed>, Problems> {
        let mut files = FileSet::new();
        for file in &self.files {
            let content = shared.engine.read(file.artifact)?;
            let entry = Entry::new(file.path.clone(), content, file.origin.clone());
            files.add(entry.executable(file.executable))?;
        }
        let mut writer = ListWriter::new();
        match &self.spec {
            Spec::Wheel(spec) => spec.write(&files, &mut writer)?,
            Spec::Sdist(spec) => spec.write(&files, &mut writer)?,
        }
        Ok(writer.finish())
    }
}

fn failed(error: &ekiben_archive::Error) -> ActionError {
    ActionError { message: error.to_string(), hint: error.hint().map(ToOwned::to_owned) }
}

fn finish(writer: std::io::BufWriter<File>) -> Result<(), ActionError> {
    writer.into_inner().map_err(|error| ActionError::from(error.into_error()))?;
    Ok(())
}
