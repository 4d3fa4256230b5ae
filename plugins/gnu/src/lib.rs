//! Toolchain for C, C++, Fortran and assembler by compilers with a GNU-style driver: gcc, g++,
//! gfortran, clang, clang++, and those that take their options.
//!
//! Planning is pure. The request becomes a [`CompileSpec`](compile::CompileSpec) or a
//! [`LinkSpec`](link::LinkSpec), that a [`Plan`](plan::Plan), and only `emit` speaks to the host
//! again; so command lines are tested without a host and without a compiler.
//!
//! Order of the arguments, later ones winning: what the request asks for, the project's own
//! arguments, then the environment's (`CPPFLAGS`, `CFLAGS`, …). It is automake's order, where
//! whoever builds a package has the last word over whoever wrote it.

mod compile;
mod emit;
mod environment;
mod flags;
mod fortran;
mod identify;
mod link;
mod modules;
mod plan;
mod program;
#[cfg(test)]
mod real_compilers;
mod runtime;
mod settings;
mod static_module;

use ekiben_plugin::{
    CompileRequest, Context, Failure, LinkRequest, Plugin, Registration, Toolchain,
};

use crate::environment::Environment;
use crate::program::{Language, Program};

/// The plugin.
pub struct Gnu;

impl Plugin for Gnu {
    fn describe(to: &Registration) {
        to.identity(
            "gnu",
            env!("CARGO_PKG_VERSION"),
            "C, C++, Fortran and assembler with gcc, gfortran or clang",
        );
        to.capability("read:source");
        to.capability("read:distributions");
        to.capability("find:files");
        for variable in environment::VARIABLES {
            to.capability(&format!("env:{variable}"));
        }
        for program in Program::ALL {
            let tool = to.tool(program.name());
            tool.environment(program.variable());
            for language in program.serves() {
                tool.serves(language.name());
            }
            for candidate in program.candidates() {
                tool.candidate(candidate);
            }
        }
        for language in Language::ALL {
            let declaration = to.language(language.name());
            for suffix in language.suffixes() {
                declaration.suffix(suffix);
            }
        }
    }

    fn run(command: &str, _: &Context) -> Result<(), Failure> {
        Err(Failure::Internal(format!("there is no command `{command}`")))
    }
}

impl Toolchain for Gnu {
    fn compile(cx: &Context, request: &CompileRequest) -> Result<(), Failure> {
        let language = Language::from_name(&request.language())?;
        let environment = Environment::read(cx)?;
        let tool = emit::identified(cx, language.compiler(), &environment)?;
        emit::compile(cx, request, language, &tool, environment)
    }

    fn link(cx: &Context, request: &LinkRequest) -> Result<(), Failure> {
        emit::link(cx, request, Environment::read(cx)?)
    }
}

ekiben_plugin::export_toolchain_plugin!(Gnu);
