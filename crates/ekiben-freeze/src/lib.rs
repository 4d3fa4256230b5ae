//! Programs in one file.
//!
//! [`program`] finds the modules of a program, and puts them into the interpreter of a runtime.

pub mod program;
