//! The engine of Ekiben: it runs actions, in parallel, each only if its result isn't known yet.
//!
//! An [`Action`] is a process or a function with declared inputs and outputs. Its `Manifest` is everything
//! that determines the outputs; the manifest's digest is the key under which a [`Cache`] keeps them, wherever the
//! source tree lies. For every action the engine can say why it ran, as data ([`Reason`]).
//!
//! Nothing here knows about Python, commands, plugins or configuration.
//!
//! ```
//! # use std::{collections::BTreeMap, sync::Arc};
//! # use ekiben_engine::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("ekiben-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # std::fs::write(folder.join("name.txt"), "bento")?;
//! let engine = Engine::new(EngineOptions {
//!     source_root: folder.clone(),
//!     build_root: folder.join("build"),
//!     movable: BTreeMap::new(),
//!     cache: Cache::open(&folder.join("cache"), CacheLimits::new(1 << 30))?,
//!     jobs: 2,
//!     keep_going: false,
//!     jobserver: Jobserver::Inherit,
//!     pools: BTreeMap::new(),
//!     sink: Arc::new(NoEvents),
//!     project: "demo".into(),
//!     interrupt: Interrupt::new(),
//! })?;
//! let name = engine.source(RelPath::new("name.txt")?);
//! let shout = engine.output(RelPath::new("shout.txt")?);
//! let params = serde_json::json!({"mark": "!"});
//! let action = Action::function("demo", "Shout", ("shout", "1"), params, move |context| {
//!     let text = [&context.read(name)?[..], b"!"].concat();
//!     context.write(shout, &text)
//! });
//! engine.submit(action.input(name).output(shout))?;
//! assert_eq!(engine.read(shout)?, b"bento!");
//! assert_eq!(engine.finish().status, Status::Succeeded);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`action`](Action) | the model |
//! | [`path`](Location) | symbolic paths; `roots` turns them into real ones |
//! | `manifest`, [`reason`](Reason) | keys and explanations, from the same entries |
//! | [`cache`](Cache) | content, results, records; garbage collection |
//! | `schedule` | the state machine, without I/O |
//! | `thread`, `lookup`, `execute` | what the threads do |
//! | `worker` | processes that stay up and serve many actions |
//! | [`engine`](Engine) | the interface |
//! | [`depfile`] | readers of compilers' dependency files |
//! | [`lock`] | a file that one process at a time has, for others than the engine |
//! | [`process`] | a program for what it prints, for others than the engine |

mod action;
mod cache;
mod child;
mod compile_commands;
pub mod depfile;
mod digest;
mod engine;
mod error;
mod events;
mod execute;
mod function;
mod interrupt;
pub mod lock;
mod lookup;
mod manifest;
mod path;
pub mod process;
mod reason;
mod render;
mod report;
mod roots;
mod schedule;
mod thread;
mod tokens;
mod trace;
mod worker;

pub use action::{
    Action, ActionError, ActionId, ActionKind, Arg, ArtifactId, DepFile, EnvValue, Function,
    FunctionBody, Piece, Program, ResponseFile, ToolIdentity,
};
pub use cache::{Cache, CacheLimits, CacheStats, CleanScope, Cleaned, FileDigests};
pub use child::Usage;
pub use compile_commands::CompileCommand;
pub use digest::{Digest, ParseDigestError};
pub use engine::{Engine, EngineOptions};
pub use error::EngineError;
pub use events::{Event, EventSink, NoEvents};
pub use function::FunctionContext;
pub use interrupt::Interrupt;
pub use path::{Location, PathError, RelPath, Root, SystemPath};
pub use reason::{Change, InputChange, Reason};
pub use render::{RESPONSE_FILE_LIMIT, ShellLine};
pub use report::{ActionReport, Failed, Failure, Outcome, Report, Status};
pub use tokens::Jobserver;
