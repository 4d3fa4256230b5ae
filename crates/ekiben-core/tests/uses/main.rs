//! Whole builds of extensions that use NumPy and native libraries: real wheels of NumPy, real
//! libraries, real compilers.
#![allow(clippy::unwrap_used)]

mod fortran;
mod libraries;
mod numpy;
mod openmp;
mod support;
