//! The services that builds have: what plugins plan and native code carries out.

mod program;
mod static_modules;

use std::path::Path;
use std::sync::Arc;

use ekiben_core::{Service, Services};

/// All services, with the folder of runtimes, and the cache of the build with the bytes that it may hold.
pub(crate) fn all(runtimes: &Path, cache: &Path, cache_bytes: u64) -> Services {
    let program: Arc<dyn Service> = Arc::new(program::Programs::new(runtimes, cache, cache_bytes));
    Services::from([("program".to_owned(), program)])
}
