//! What a program imports when it is run: in the ordinary interpreter of the runtime, which a recorder
//! (`trace/sitecustomize.py`) watches, with those of Python that it starts.
//!
//! It is what syntax can't tell: modules that are imported by names made at run time. What a run didn't
//! come to isn't in it, so it only ever adds to what analysis finds.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use super::{Base, Error, Request, Target};

const RECORDER: &str = include_str!("trace/sitecustomize.py");

/// What begins a file of recorded imports.
const HEADER: &str =
    "# What traced runs of a program have imported (ekiben freeze --trace --trace-file).\n";

/// What came of a traced run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The modules that were imported, of the standard library too.
    pub modules: BTreeSet<String>,
    /// How the program ended.
    pub status: ExitStatus,
}

/// Runs what is to become a program once, with these arguments, and notes what it imports. It reads our
/// stdin, and writes to our stderr.
///
/// # Errors
/// If it can't be started, or nothing was recorded.
pub fn trace(request: &Request, base: &Base, arguments: &[OsString]) -> Result<Trace, Error> {
    let work = tempfile::Builder::new().prefix("ekiben-trace-").tempdir();
    let work = work.map_err(Error::io("create a folder in", std::env::temp_dir()))?;
    let recorder = work.path().join("recorder");
    let record = work.path().join("record");
    fs::create_dir(&recorder).map_err(Error::io("create", &recorder))?;
    let file = recorder.join("sitecustomize.py");
    fs::write(&file, RECORDER).map_err(Error::io("write", &file))?;

    let mut command = Command::new(&base.interpreter);
    let mut site = Vec::new();
    match &request.target {
        Target::Script(script) => {
            command.arg(script);
        }
        Target::Module { name, within } => {
            site.extend(within.clone());
            command.args(["-P", "-m", name]);
        }
        Target::EntryPoint { module, function, within } => {
            site.extend(within.clone());
            let (first, _) = function.split_once('.').unwrap_or((function, ""));
            let code = format!(
                "import sys; from {module} import {first}; sys.argv[0] = {module:?}; sys.exit({function}())"
            );
            command.args(["-P", "-c", &code]);
        }
        Target::Project(folder) => {
            let message = format!("the project {} isn't installed", folder.display());
            return Err(Error::Target(message));
        }
    }
    site.extend(request.site.iter().cloned());
    let absolute = |path| std::path::absolute(path).map_err(Error::io("resolve", path));
    let site: Vec<_> = site.iter().map(absolute).collect::<Result<_, _>>()?;
    let site = std::env::join_paths(&site).map_err(|error| Error::Target(error.to_string()))?;
    for (name, _) in std::env::vars_os() {
        // Programs ignore them, unless they are told otherwise.
        if name.to_string_lossy().starts_with("PYTHON") {
            command.env_remove(name);
        }
    }
    command.args(arguments).env("PYTHONPATH", &recorder).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("EKIBEN_TRACE_TO", &record).env("EKIBEN_TRACE_SITE", site);
    command.stdout(Stdio::from(std::io::stderr()));
    let status = command.status().map_err(Error::io("start", &base.interpreter))?;
    let Ok(text) = fs::read_to_string(&record) else {
        let message = format!("the traced run ended before it imported anything: {status}");
        return Err(Error::Unusable(message));
    };
    let modules = text.lines().filter(|name| is_module(name)).map(str::to_owned).collect();
    Ok(Trace { modules, status })
}

/// Modules that are there in every run under these names, and in no program.
fn is_module(name: &str) -> bool {
    let of_runs = ["__main__", "__mp_main__", "sitecustomize", "usercustomize"];
    super::target::is_dotted(name) && !of_runs.contains(&name)
}

/// The modules that a file of recorded imports names.
///
/// # Errors
/// If it can't be read, or a line of it is no module's name.
pub fn recorded(file: &Path) -> Result<BTreeSet<String>, Error> {
    let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
    let mut modules = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        let name = line.split('#').next().unwrap_or(line).trim();
        if name.is_empty() {
            continue;
        }
        if !super::target::is_dotted(name) {
            let message = format!("line {}: `{name}` isn't the name of a module", at + 1);
            return Err(Error::Text { path: file.to_owned(), message });
        }
        modules.insert(name.to_owned());
    }
    Ok(modules)
}

/// Adds modules to a file of recorded imports, which is made if need be, and gives all that it then
/// names.
///
/// # Errors
/// If it can't be read or written.
pub fn record(file: &Path, modules: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
    let mut all = match file.exists() {
        true => recorded(file)?,
        false => BTreeSet::new(),
    };
    all.extend(modules.iter().cloned());
    let lines: String = all.iter().map(|name| format!("{name}\n")).collect();
    fs::write(file, format!("{HEADER}{lines}")).map_err(Error::io("write", file))?;
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn records_grow_and_stay_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("imports.txt");
        let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        record(&file, &some(&["spam.b", "json"])).unwrap();
        assert_eq!(record(&file, &some(&["spam.a"])).unwrap().len(), 3);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, format!("{HEADER}json\nspam.a\nspam.b\n"));
        fs::write(&file, "\n  json  # by hand\n1spam\n").unwrap();
        let error = recorded(&file).unwrap_err().to_string();
        assert!(
            error.ends_with("imports.txt: line 3: `1spam` isn't the name of a module"),
            "{error}"
        );
    }
}
