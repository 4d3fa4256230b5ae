//! Compiling Python modules, by the interpreter that will run them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::Error;
use super::install::BESIDE_IMAGES;
use super::run::{self, Runner};
use super::{files, interpreter};

/// The script that compiles.
pub(super) const SCRIPT: &str = include_str!("compile.py");
/// What stands before the code in a `.pyc`.
const PYC_HEADER: usize = 16;

/// A module to compile.
#[derive(Debug, Serialize)]
pub(super) struct Unit {
    pub(super) source: PathBuf,
    pub(super) output: PathBuf,
    /// What tracebacks call it.
    pub(super) name: String,
    /// A statement, and what is to be compiled instead.
    pub(super) instead: Option<[&'static str; 2]>,
}

/// Compiles modules. Those of one call must be the same for the same bytes, for the interpreter
/// marshals by what else it holds.
pub(super) fn compile(
    interpreter: &Path,
    units: &[Unit],
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    for unit in units {
        if let Some(folder) = unit.output.parent() {
            files::create_folder(folder)?;
        }
    }
    let input = serde_json::to_vec(units)
        .map_err(|error| Error::Internal(format!("a list can't be written: {error}")))?;
    let mut command = run::command(interpreter);
    interpreter::reproducible(&mut command, 0);
    command.args(["-S", "-s", "-B", "-P", "-X", "utf8", "-W", "ignore", "-c", SCRIPT]);
    runner.output_of("compiling Python modules", &mut command, &input).map(drop)
}

/// Compiles every module below `root/stdlib`, to where the interpreter looks for it.
pub(super) fn compile_tree(
    interpreter: &Path,
    root: &Path,
    stdlib: &str,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    let tag = cache_tag(stdlib);
    let folder = root.join(stdlib);
    let units: Vec<Unit> = files::list(&folder)?
        .into_iter()
        .filter(|(name, _)| name.ends_with(".py"))
        .filter(|(name, _)| !BESIDE_IMAGES.iter().any(|folder| name.starts_with(folder)))
        .map(|(name, source)| {
            let output = cached(&source, &tag);
            Unit { source, output, name: format!("{stdlib}/{name}"), instead: None }
        })
        .collect();
    compile(interpreter, &units, runner)
}

/// `cpython-313` for `lib/python3.13`.
pub(super) fn cache_tag(stdlib: &str) -> String {
    let series = stdlib.rsplit('/').next().unwrap_or(stdlib).trim_start_matches("python");
    format!("cpython-{}", series.replace('.', ""))
}

/// Where the compiled form of a module lies.
pub(super) fn cached(source: &Path, tag: &str) -> PathBuf {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    source.with_file_name("__pycache__").join(format!("{stem}.{tag}.pyc"))
}

/// The marshalled code in a `.pyc`.
pub(super) fn read_pyc(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = files::read(path)?;
    if bytes.len() <= PYC_HEADER {
        return Err(Error::Internal(format!("{} is cut off", path.display())));
    }
    Ok(bytes.split_off(PYC_HEADER))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::runtime::testing;

    #[test]
    fn compiled_modules_lie_where_the_interpreter_looks() {
        let tag = cache_tag("lib/python3.13");
        let path = cached(Path::new("lib/python3.13/json/decoder.py"), &tag);
        assert_eq!(path, Path::new("lib/python3.13/json/__pycache__/decoder.cpython-313.pyc"));
    }

    #[test]
    fn a_module_is_compiled_with_another_statement_and_under_its_name() {
        let python = testing::python();
        testing::with_runner(|runner, folder| {
            let source = folder.join("site.py");
            files::write(&source, "x = {'b', 'a'}\nif x:\n    print(1)\nprint(__file__, 1 / y)\n")
                .unwrap();
            let unit = |output: &str, instead| Unit {
                source: source.clone(),
                output: folder.join(output),
                name: "lib/site.py".to_owned(),
                instead,
            };
            let part = Some(["if x:\n    print(1)", "if x:\n    y = 1"]);
            compile(&python, &[unit("whole.pyc", None), unit("part.pyc", part)], runner).unwrap();
            let code = read_pyc(&folder.join("part.pyc")).unwrap();
            files::write(&folder.join("code"), code).unwrap();
            let script = "import marshal, sys\ncode = marshal.load(open(sys.argv[1], 'rb'))\n\
                          exec(code, {'__file__': code.co_filename})";
            let run = Command::new(&python).args(["-c", script]).arg(folder.join("code")).output();
            assert_eq!(String::from_utf8(run.unwrap().stdout).unwrap(), "lib/site.py 1.0\n");

            let error = compile(&python, &[unit("x.pyc", Some(["pass", ""]))], runner).unwrap_err();
            let message = error.to_string();
            assert!(message.ends_with("lib/site.py hasn't one statement 'pass'"), "{message}");
        });
    }

    #[test]
    fn what_is_cut_off_is_no_code() {
        testing::with_runner(|_, folder| {
            let path = folder.join("x.pyc");
            files::write(&path, [0; PYC_HEADER]).unwrap();
            assert!(read_pyc(&path).unwrap_err().to_string().ends_with("x.pyc is cut off"));
        });
    }
}
