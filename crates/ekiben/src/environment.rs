//! What a build runs in: the machine's folders, processors and variables, read once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ekiben_core::{Cause, Environment, Observer, Problem, Problems};
use ekiben_engine::Interrupt;
use etcetera::BaseStrategy as _;
use tempfile::TempDir;

use crate::cli::Global;
use crate::services;

/// What differs from build to build.
pub(crate) struct Choices {
    pub(crate) jobs: Option<u32>,
    pub(crate) keep_going: bool,
    pub(crate) interrupt: Interrupt,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) movable: BTreeMap<String, PathBuf>,
}

impl Choices {
    /// For commands that build nothing.
    pub(crate) fn idle(observer: Arc<dyn Observer>) -> Self {
        Self {
            jobs: Some(1),
            keep_going: false,
            interrupt: Interrupt::new(),
            observer,
            movable: BTreeMap::new(),
        }
    }
}

/// Reads the environment. The second part is its cache folder, if that is to go after the build.
///
/// # Errors
/// When the user has no cache folder.
pub(crate) fn read(
    global: &Global,
    choices: Choices,
) -> Result<(Environment, Option<TempDir>), Problems> {
    let passing_cache = global.no_cache.then(passing_cache).transpose()?;
    let folder = match &passing_cache {
        Some(folder) => folder.path().to_owned(),
        None => cache_dir(global)?,
    };
    // Runtimes are no results of builds: they are there with any cache.
    let runtimes = cache_dir(global).unwrap_or_else(|_| folder.clone());
    // Variables that aren't UTF-8 can't be written into keys or shown.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let environment = Environment {
        services: services::all(&runtimes, &folder, global.cache_size),
        cache_dir: folder,
        cache_bytes: global.cache_size,
        jobs: choices.jobs.unwrap_or_else(|| u32::try_from(processors()).unwrap_or(u32::MAX)),
        keep_going: choices.keep_going,
        interrupt: choices.interrupt,
        observer: choices.observer,
        variables,
        search_path: std::env::var_os("PATH").unwrap_or_default(),
        movable: choices.movable,
    };
    Ok((environment, passing_cache))
}

/// The user's cache folder for Ekiben.
///
/// # Errors
/// When there is none.
pub(crate) fn cache_dir(global: &Global) -> Result<PathBuf, Problems> {
    if let Some(folder) = &global.cache_dir {
        return Ok(folder.clone());
    }
    let base = etcetera::choose_base_strategy().map_err(|error| {
        let message = format!("there is no folder for the cache: {error}");
        Problem::error(Cause::Environment, "no-cache-folder", message)
            .help("name one with --cache-dir or EKIBEN_CACHE_DIR")
    })?;
    Ok(base.cache_dir().join("ekiben"))
}

/// A folder in place of the cache, that goes with the value.
///
/// # Errors
/// When none can be created.
pub(crate) fn passing_cache() -> Result<TempDir, Problems> {
    tempfile::Builder::new().prefix("ekiben-").tempdir().map_err(|error| {
        let message = format!("no temporary folder can be created: {error}");
        Problem::error(Cause::Environment, "unwritable", message).into()
    })
}
