//! One link: as it was asked for, and once more to an object.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use ekiben_object::elf;

use super::arguments::{Arguments, Kind};
use super::libraries::{self, Sorted};
use super::record::{self, Record};
use super::{NOT_FOUND, Place, complain, find};
use crate::Error;

/// The linker that makes objects: the others lack `--force-group-allocation`, without which functions
/// of C++ that many files have can't be linked again.
const LINKER: &str = "ld.bfd";
/// Where gcc tells its linker's plugin what it was told itself.
const GCC_OPTIONS: &str = "COLLECT_GCC_OPTIONS";

/// Runs the linker `real`, and records what it did. Gives its exit status.
pub(super) fn run(real: &Path, words: &[OsString], place: &Place) -> ExitCode {
    let status = match Command::new(real).args(words).status() {
        Ok(status) => status,
        Err(error) => {
            complain(&format!("{} can't be run: {error}", real.display()));
            return ExitCode::from(NOT_FOUND);
        }
    };
    if !status.success() {
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        return ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1));
    }
    // Whatever goes wrong from here on isn't the build's business: what isn't recorded is missed later,
    // by a message that names it.
    if let Ok(Some(arguments)) = Arguments::parse(words)
        && arguments.kind == Kind::Shared
        && let Err(error) = record(&arguments, place)
    {
        complain(&format!("{} isn't recorded: {error}", arguments.output.display()));
    }
    ExitCode::SUCCESS
}

fn record(arguments: &Arguments, place: &Place) -> Result<(), Error> {
    let records = place.folder.join("records");
    let output = std::path::absolute(&arguments.output);
    let output = output.map_err(Error::io("find", &arguments.output))?;
    let bytes = fs::read(&output).map_err(Error::io("read", &output))?;
    let unusable = |error: ekiben_object::Error| Error::unusable(&output, &error);
    let mut needed = Vec::new();
    let mut exports = Vec::new();
    for binary in ekiben_object::read(&bytes).map_err(unusable)? {
        needed.extend(binary.needed);
        exports.extend(binary.exports);
    }
    let code = record::code(&bytes).map_err(unusable)?;
    let sorted = libraries::sort(arguments, &needed, &place.settings.own);
    let object = tempfile::Builder::new().prefix("link-").suffix(".o").tempfile_in(&records);
    let object = object.map_err(Error::io("write to", &records))?;
    let (_, object) =
        object.keep().map_err(|error| Error::io("write to", &records)(error.error))?;
    let linked =
        link_again(arguments, &sorted, &object, place).and_then(
            |()| match elf::has_executable_stack(&bytes) {
                Ok(false) => close_stack(&object),
                _ => Ok(()),
            },
        );
    let problem = linked.err();
    Record { output, code, object, problem, exports, libraries: sorted.libraries }.write(&records)
}

/// Has the object ask for no more than the shared object did.
fn close_stack(object: &Path) -> Result<(), String> {
    let mut bytes = fs::read(object).map_err(|error| error.to_string())?;
    elf::close_stack(&mut bytes).map_err(|error| error.to_string())?;
    fs::write(object, bytes).map_err(|error| error.to_string())
}

/// Links what is the package's own to one object. An error is what the linker says.
fn link_again(
    arguments: &Arguments,
    sorted: &Sorted,
    object: &Path,
    place: &Place,
) -> Result<(), String> {
    let linker = find(LINKER, &place.folder).or_else(|| find("ld", &place.folder));
    let linker = linker.ok_or("there is no GNU ld on the PATH")?;
    let mut command = Command::new(&linker);
    // `-d`: common blocks, which Fortran has, get their place.
    command.args(["-r", "-d", "--force-group-allocation"]);
    if !place.settings.debug {
        command.arg("--strip-debug");
    }
    if let Some(emulation) = &arguments.emulation {
        command.arg("-m").arg(emulation);
    }
    let resolution = object.with_extension("resolution");
    // Options of lld, which is its own plugin, are nothing to GNU ld.
    let has_plugin = arguments.plugin.iter().any(|word| word.as_bytes().starts_with(b"-plugin="));
    for word in arguments.plugin.iter().filter(|_| has_plugin) {
        let text = word.to_string_lossy();
        if text.contains("-pass-through=") {
            // Libraries that are no part of an object.
        } else if text.contains("-fresolution=") {
            command.arg(format!("-plugin-opt=-fresolution={}", resolution.display()));
        } else {
            command.arg(word);
        }
    }
    command.args(&sorted.own).arg("-o").arg(object).stdin(Stdio::null());
    let options = std::env::var_os(GCC_OPTIONS).filter(|_| has_plugin);
    if options.is_some() {
        command.arg("-plugin-opt=-linker-output-known");
    }
    let mut run = |more: &str| {
        if let Some(mut options) = options.clone() {
            options.push(" '-flinker-output=nolto-rel'");
            options.push(more);
            command.env(GCC_OPTIONS, options);
        }
        let output = command.output();
        // There is one only where there was something to optimise.
        let _ = fs::remove_file(&resolution);
        output.map_err(|error| format!("{} can't be run: {error}", linker.display()))
    };
    let mut output = run("")?;
    if !output.status.success() && options.is_some() {
        // gcc 12 can't divide every program into parts for a relocatable object (RapidFuzz's
        // ends in lto-partition.cc, add_symbol_to_partition_1); as one part it can.
        output = run(" '-flto-partition=none'")?;
    }
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.trim_end().to_owned())
}
