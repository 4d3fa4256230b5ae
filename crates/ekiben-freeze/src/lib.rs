//! Programs in one file.
//!
//! [`runtime`] makes and keeps *runtimes*: an interpreter with all that is needed to put it into a
//! program.

pub mod runtime;
