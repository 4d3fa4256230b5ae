//! `ekiben inspect`: what is in a program or a wheel.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use ekiben_archive::{MemberInfo, WheelReader};
use ekiben_core::{Cause, Problem, Problems};
use ekiben_freeze::program::inventory::{self, Inventory};
use serde::Serialize;

use super::End;
use super::build::print;
use crate::cli::{Inspect, InspectFormat};
use crate::report::{self, bytes};

/// What every zip file begins with.
const ZIP: &[u8] = b"PK\x03\x04";

/// What is in a wheel.
#[derive(Serialize)]
struct Wheel {
    size: u64,
    /// Its metadata: name, version, licence, and the tags of WHEEL.
    name: String,
    version: String,
    licence: Option<String>,
    tags: Vec<String>,
    files: Vec<WheelFile>,
    /// The programs in it, by path.
    programs: Vec<(String, Inventory)>,
}

#[derive(Serialize)]
struct WheelFile {
    path: String,
    size: u64,
    compressed: u64,
    executable: bool,
}

/// Runs `ekiben inspect`.
pub(crate) fn run(inspect: &Inspect) -> End {
    match perform(inspect) {
        Ok(()) => End::Done,
        Err(problems) => {
            report::show_problems(&problems, Path::new(""));
            End::Refused
        }
    }
}

fn perform(inspect: &Inspect) -> Result<(), Problems> {
    let file = &inspect.file;
    let content = std::fs::read(file).map_err(|error| failed("read", file, &error))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = if content.starts_with(ZIP) {
        let wheel = wheel(file, content, inspect.verify)?;
        match inspect.format {
            InspectFormat::Text => wheel_text(&name, &wheel),
            InspectFormat::Json => json(&wheel),
            InspectFormat::Html => match wheel.programs.first() {
                Some((path, program)) => program.page(path, bytes),
                None => {
                    let message = format!("there is no program in {}", file.display());
                    return Err(Problem::error(Cause::Input, "inspect", message)
                        .help("only programs are shown as HTML")
                        .into());
                }
            },
        }
    } else if Inventory::is_for(&content) {
        let inventory = Inventory::of(&content, inspect.verify);
        let inventory = inventory.map_err(|error| wrong(file, &error))?;
        match inspect.format {
            InspectFormat::Text => text(&name, &inventory),
            InspectFormat::Json => json(&inventory),
            InspectFormat::Html => inventory.page(&name, bytes),
        }
    } else {
        let message = format!("{} is neither a program nor a wheel", file.display());
        return Err(Problem::error(Cause::Input, "inspect", message).into());
    };
    match &inspect.output {
        None => print(&text),
        Some(to) => std::fs::write(to, text).map_err(|error| failed("write", to, &error))?,
    }
    Ok(())
}

fn wheel(file: &Path, content: Vec<u8>, verify: bool) -> Result<Wheel, Problems> {
    let size = content.len() as u64;
    let mut reader = WheelReader::open(Cursor::new(content))?;
    if verify {
        let problems = reader.verify_record()?;
        if !problems.is_empty() {
            let of = |problem: &ekiben_archive::RecordProblem| {
                let message = format!("{}: {problem}", file.display());
                Problem::error(Cause::Input, "record", message)
            };
            return Err(Problems(problems.iter().map(of).collect()));
        }
    }
    let metadata = reader.read_text(&reader.dist_info("METADATA")?)?;
    let header = |text: &str, key: &str| headers(text, key).next();
    let about = reader.read_text(&reader.dist_info("WHEEL")?)?;
    let members: Vec<MemberInfo> = reader.members().to_vec();
    let mut programs = Vec::new();
    for member in members.iter().filter(|member| member.is_executable()) {
        let content = reader.read(&member.path)?;
        if !Inventory::is_for(&content) {
            continue;
        }
        match Inventory::of(&content, verify) {
            Ok(inventory) => programs.push((member.path.as_str().to_owned(), inventory)),
            // Other executables may be in a wheel.
            Err(inventory::Error::Object(_)) => {}
            Err(error) => return Err(wrong(Path::new(member.path.as_str()), &error)),
        }
    }
    Ok(Wheel {
        size,
        name: header(&metadata, "Name").unwrap_or_default(),
        version: header(&metadata, "Version").unwrap_or_default(),
        licence: header(&metadata, "License-Expression").or_else(|| header(&metadata, "License")),
        tags: headers(&about, "Tag").collect(),
        files: members
            .iter()
            .map(|member| WheelFile {
                path: member.path.as_str().to_owned(),
                size: member.size,
                compressed: member.compressed_size,
                executable: member.is_executable(),
            })
            .collect(),
        programs,
    })
}

/// Values of a header.
fn headers(text: &str, key: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().take_while(|line| !line.is_empty());
    let values = lines.filter_map(|line| line.split_once(": "));
    values.filter(move |(name, _)| *name == key).map(|(_, value)| value.trim().to_owned())
}

fn json(value: &impl Serialize) -> String {
    // Made of text and numbers, which can always be written.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn wheel_text(name: &str, wheel: &Wheel) -> String {
    let mut out = String::new();
    // Writing to a string doesn't fail.
    let _ = writeln!(out, "{name}: {}", bytes(wheel.size));
    let licence = wheel.licence.as_deref().unwrap_or("no licence stated");
    let _ = writeln!(out, "  {} {}, {licence}", wheel.name, wheel.version);
    let _ = writeln!(out, "  for {}", wheel.tags.join(", "));
    let _ = writeln!(out, "\nFiles ({}), with their size and what they take:", wheel.files.len());
    for file in &wheel.files {
        let (size, compressed) = (bytes(file.size), bytes(file.compressed));
        let _ = writeln!(out, "  {size:>8} {compressed:>8}  {}", file.path);
    }
    for (path, program) in &wheel.programs {
        let _ = write!(out, "\n{}", text(path, program));
    }
    out
}

fn text(name: &str, inventory: &Inventory) -> String {
    let mut out = String::new();
    // Writing to a string doesn't fail.
    let _ = writeln!(out, "{name}: {}", bytes(inventory.size));
    let _ = writeln!(out, "  {:>8}  interpreter", bytes(inventory.interpreter));
    let _ = writeln!(out, "  {:>8}  image", bytes(inventory.image));
    let _ = writeln!(out, "\nSettings:");
    for (key, value) in &inventory.settings {
        let value = match value.lines().count() {
            0 | 1 => value.clone(),
            lines => format!("({lines} lines)"),
        };
        let _ = writeln!(out, "  {key} = {value}");
    }
    let _ = writeln!(out, "\nParts, with code, sources and other files:");
    for part in &inventory.parts {
        let [all, code, sources, other] =
            [part.size(), part.code, part.sources, part.other].map(bytes);
        let (name, modules) = (&part.name, part.modules);
        let _ = writeln!(out, "  {all:>8}  {code:>8} {sources:>8} {other:>8}  {name} ({modules})");
    }
    let _ = writeln!(out, "  {:>8}  index", bytes(inventory.index));
    if !inventory.distributions.is_empty() {
        let _ = writeln!(out, "\nDistributions:");
    }
    for it in &inventory.distributions {
        let licence = it.licence.as_deref().unwrap_or("no licence stated");
        let _ = writeln!(out, "  {} {}, {licence}", it.name, it.version);
        for path in &it.licence_files {
            let _ = writeln!(out, "    {path}");
        }
    }
    if !inventory.libraries.is_empty() {
        let _ = writeln!(out, "\nLibraries linked in:");
    }
    for it in &inventory.libraries {
        let package = it.package.as_deref().unwrap_or("of no known package");
        let _ = writeln!(out, "  {}, {package}", it.name);
        for path in &it.licence_files {
            let _ = writeln!(out, "    {path}");
        }
    }
    let _ = writeln!(out, "\nModules ({}), with code and source:", inventory.modules.len());
    for module in &inventory.modules {
        let source = module.source.map(bytes).unwrap_or_default();
        let kind = match module.kind {
            "code" => "",
            "linked" => "linked in",
            kind => kind,
        };
        let line = format!("  {:>8} {source:>8}  {} {kind}", bytes(module.code), module.name);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let _ = writeln!(out, "\nFiles ({}), with what they take:", inventory.files.len());
    for file in &inventory.files {
        let _ = writeln!(out, "  {:>8}  {} ({})", bytes(file.stored), file.path, file.kind);
    }
    out
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Problems {
    let message = format!("can't {what} {}: {error}", path.display());
    Problem::error(Cause::Environment, "inspect", message).into()
}

fn wrong(path: &Path, error: &inventory::Error) -> Problems {
    Problem::error(Cause::Input, "inspect", format!("{}: {error}", path.display())).into()
}
