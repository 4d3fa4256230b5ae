//! The beginning of a program of the flavour `host`: it starts an ordinary interpreter, which is in the
//! program's image.
//!
//! The interpreter and the libraries that it is linked to are copied to anonymous files. The first is
//! executed in place of this process; the C library's loader is told to load the others before
//! anything else (`LD_PRELOAD`), and so finds them loaded when the interpreter needs them. The last of
//! them is Ekiben's own, `ekiben-runtime`: it takes over before the interpreter's `main`, and leaves
//! nothing of all this in the environment.
//!
//! It is linked statically and at a fixed address, with the image in a segment of its own.
//!
//! Invariants: nothing is written to the disk; what this process was started with is passed on as it is.

// The kernel's interfaces, and where this program is in memory.
#![allow(unsafe_code)]
// Rust's own start would ignore SIGPIPE, and open what was closed of the standard streams.
#![cfg_attr(target_os = "linux", no_main)]

#[cfg(target_os = "linux")]
mod launch;

#[cfg(not(target_os = "linux"))]
fn main() {}
