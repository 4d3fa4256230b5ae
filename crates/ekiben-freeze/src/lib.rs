//! Programs in one file.
//!
//! [`runtime`] makes and keeps *runtimes*: an interpreter with all that is needed to put it into a
//! program. [`program`] finds the modules of a program, and puts them into such an interpreter.

mod glibc;
pub mod program;
pub mod runtime;

use ekiben_engine::process;
pub use ekiben_engine::process::Stop;
