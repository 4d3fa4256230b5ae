//! What executables and shared libraries say about themselves, and what that means to Python.
//!
//! [`read`] turns the bytes of an ELF, Mach-O or PE file into [`Binary`] facts of one shape: what it
//! takes from where, what it offers, which libraries it loads. A universal Mach-O file has several,
//! one for each architecture. [`abi3`] knows CPython's stable ABI and finds what in a binary isn't
//! part of it. [`elf::fill_segment`] puts content into a linked program, and
//! [`elf::remove_search_paths`] and [`elf::only_loaded`] take out of libraries what isn't needed, and
//! [`elf::isolate`] makes the symbols of a relocatable object local.
//!
//! Invariants: no input and output of its own, bytes in and facts out; no input makes it panic; what
//! can't be read is an error and never an empty answer.

pub mod abi3;
mod binary;
pub mod elf;
mod error;
mod macho;
mod pe;

pub use binary::{Binary, Format, Import, read};
pub use error::Error;
