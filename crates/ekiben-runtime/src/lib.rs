//! The native part of what lives inside an executable.
//!
//! `c/main.c` starts the interpreter, and is compiled for each CPython. This library is compiled once:
//! it keeps to the stable ABI. It opens the module image ([`start`]), and offers it to the importer,
//! which is written in Python (`python/`), as the builtin module `_ekiben` ([`module`]). Shared objects of
//! the image are loaded from memory ([`shared`]). A program is an interpreter too ([`role`]).
//!
//! With the feature `host` it is a shared object instead, which does for an ordinary interpreter what
//! `main.c` does for one that was linked with it (`host`).
//!
//! Invariants: the image is opened once, before the interpreter starts, and lives as long as the
//! process; nothing here allocates for a look-up that finds nothing.

// The C API, and C's own calls of this library.
#![allow(unsafe_code)]

#[cfg(feature = "host")]
mod host;
mod module;
mod role;
mod shared;
mod start;
