//! From an interpreter to a runtime: what Ekiben adds.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::manifest::{self, FORMAT, Interpreter, Manifest};
use super::run::Runner;
use super::toolchain::Toolchain;
use super::{Flavours, Parts, digest, files, install, interpreter, link, stdlib};

/// The file in a runtime that says what is in it.
pub(super) const MANIFEST: &str = "runtime.json";
/// The image of the standard library.
pub(super) const IMAGE: &str = "stdlib.image";

/// The licences of Ekiben's own object.
pub(crate) const LICENCES: &str = "licenses/ekiben/LICENSES";

/// The digest of all that determines a runtime.
pub(super) fn key(
    interpreter: &str,
    flavours: Flavours,
    parts: Parts<'_>,
) -> Result<String, Error> {
    digest::of_value(&(
        // Raise it when the way of assembling changes.
        "runtime 4",
        env!("CARGO_PKG_VERSION"),
        interpreter,
        flavours.list(),
        parts.main_c,
        parts.python,
        digest::of_bytes(parts.object),
        parts.licences,
        stdlib::recipe(),
    ))
}

/// Makes a runtime in `scratch` of the interpreter in `from`, and gives its folder.
pub(super) fn assemble(
    from: &Path,
    digest: &str,
    flavours: Flavours,
    parts: Parts<'_>,
    toolchain: &Toolchain,
    scratch: &Path,
    runner: &mut Runner<'_>,
) -> Result<PathBuf, Error> {
    let result = scratch.join("result");
    files::copy_folder(from, &result)?;
    let described = result.join(interpreter::MANIFEST);
    let interpreter: Interpreter = manifest::read(&described)?;
    std::fs::remove_file(&described).map_err(Error::io("remove", &described))?;
    let plan = link::plan(&interpreter, &flavours.list());
    let plan = link::link(&result, plan, parts, toolchain, runner)?;
    files::write(&result.join(LICENCES), parts.licences)?;
    stdlib::write(&result, &interpreter, parts, &result.join(IMAGE), runner)?;
    install::refuse_paths(&result, &[scratch])?;
    let manifest = Manifest {
        format: FORMAT,
        ekiben: env!("CARGO_PKG_VERSION").to_owned(),
        digest: digest.to_owned(),
        interpreter,
        link: plan,
        files: files::digests(&result)?,
    };
    manifest::write(&result.join(MANIFEST), &manifest)?;
    Ok(result)
}
