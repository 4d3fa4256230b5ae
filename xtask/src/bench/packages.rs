//! What packages of others cost, built by Ekiben and by what their authors build them with.
//!
//! PyWavelets is built with meson-python. bezier's `setup.py` wants its Fortran library installed;
//! that is built with CMake first, as its authors do (their `CMakeLists.txt` isn't in any source
//! distribution: ours lists the same files), and counts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::table::{Cost, Table, cost};
use super::{Bench, recreate};
use crate::python::Python;
use crate::real;
use crate::workspace::{Workspace, copy_folder};

/// The package in `tests/real`, how it is called, and the backend of its authors.
const PACKAGES: [(&str, &str, &str); 2] =
    [("pywavelets", "PyWavelets", "meson-python"), ("bezier", "bezier", "setuptools")];
const OURS: &str = "ekiben";
const THEIRS: &str = "its own backend";

/// Measures, and gives the table.
pub(super) fn table(bench: &Bench, workspace: &Workspace, rounds: usize) -> Result<String> {
    let tools = Python::find()?.tools(workspace, "frontends")?;
    let mut table = Table::default();
    for (package, name, backend) in PACKAGES {
        let scratch = bench.scratch.join(package);
        recreate(&scratch)?;
        let prepared = scratch.join("prepared");
        let ours = real::prepare_source(workspace, package, &tools, &prepared)?;
        let theirs = real::original_source(workspace, package, &tools, &scratch.join("original"))?;
        let cache = scratch.join("cache");
        for round in 0..=rounds {
            eprintln!("{name}: round {round} of {rounds}");
            let mut add = |row: &str, column: &str, cost: Cost| {
                // The first round warms the page cache, and doesn't count.
                if round > 0 {
                    table.add(&format!("{name}, {row}"), column, cost);
                }
            };
            bench.fresh_cache(&cache)?;
            let project = renew(&ours, &scratch.join("ours"))?;
            add("cold", OURS, bench.hook("ekiben", &project, &cache)?);
            add("nothing to do", OURS, bench.hook("ekiben", &project, &cache)?);
            let project = renew(&ours, &scratch.join("ours-again"))?;
            add("in a new folder afterwards", OURS, bench.hook("ekiben", &project, &cache)?);

            for (row, folder) in [("cold", "theirs"), ("in a new folder afterwards", "again")] {
                let project = renew(&theirs, &scratch.join(folder))?;
                let build = || -> Result<Cost> {
                    if package != "bezier" {
                        return bench.hook(backend, &project, &cache);
                    }
                    let (library, prefix) = fortran_library(bench, &ours, &project)?;
                    let module = bench.hook_with(backend, &project, &cache, |hook| {
                        hook.env("BEZIER_INSTALL_PREFIX", prefix);
                        hook.env("BEZIER_IGNORE_VERSION_CHECK", "1");
                    })?;
                    Ok(library.and(module))
                };
                add(row, THEIRS, build()?);
                if row == "cold" {
                    add("nothing to do", THEIRS, build()?);
                }
            }
        }
    }
    Ok(table.markdown(&[OURS, THEIRS]))
}

fn renew(source: &Path, folder: &Path) -> Result<PathBuf> {
    recreate(folder)?;
    copy_folder(source, folder)?;
    Ok(folder.to_owned())
}

/// Builds and installs bezier's library; what it cost, and where it is.
fn fortran_library(bench: &Bench, source: &Path, project: &Path) -> Result<(Cost, PathBuf)> {
    let fortran = project.join("library");
    let (build, prefix) = (fortran.join("build"), project.join("prefix"));
    if !fortran.is_dir() {
        copy_folder(&source.join("second/src/fortran"), &fortran)?;
        fs::write(fortran.join("CMakeLists.txt"), LIBRARY)?;
    }
    let cmake = || -> Result<_> {
        let mut cmake = bench.venv.program("cmake");
        cmake.env("PATH", bench.search_path()?);
        Ok(cmake)
    };
    let mut configure = cmake()?;
    configure.args(["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-S"]).arg(&fortran);
    let mut prefix_option = std::ffi::OsString::from("-DCMAKE_INSTALL_PREFIX=");
    prefix_option.push(&prefix);
    let configured = cost(configure.arg(prefix_option).arg("-B").arg(&build))?;
    let built = cost(cmake()?.arg("--build").arg(&build))?;
    let installed = cost(cmake()?.arg("--install").arg(&build))?;
    Ok((configured.and(built).and(installed), prefix))
}

const LIBRARY: &str = "\
cmake_minimum_required(VERSION 3.15)
project(bezier Fortran)
file(GLOB sources *.f90 quadpack/*.f)
add_library(bezier SHARED ${sources})
install(TARGETS bezier DESTINATION lib)
install(DIRECTORY include/ DESTINATION include)
";
