//! `import numpy`: as programs that have it linked in, as one that loads its wheel from memory, and in the
//! ordinary interpreter of the same build with that wheel.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::super::table::{Figure, Table, cost};
use super::{Lab, PYTHON, SET, page_cache, without_blas};
use crate::python::{clean, is_same};
use crate::strace;
use crate::workspace::{output_of, run_quietly};

/// The columns, and what a program is made by.
const PROGRAMS: [(&str, &[&str]); 4] = [
    ("static", &["--flavour", "static", "--link", "static"]),
    ("static, cut down", &["--flavour", "static", "--link", "static"]),
    ("dynamic", &["--flavour", "dynamic", "--link", "static"]),
    ("from memory", &["--flavour", "dynamic", "--link", "memory"]),
];
const CUT_DOWN: &str = "static, cut down";
const ORDINARY: &str = "python";

/// How many starts of each kind a round has, since they are short.
const STARTS: usize = 3;

/// What makes a program smaller, one after the other.
const SMALLER: [(&str, &[&str]); 3] = [
    ("`--relink`", &["--relink"]),
    ("without what NumPy imports for other purposes than computing", &EXCLUDED),
    ("`--no-sources`", &["--no-sources"]),
];
const EXCLUDED: [&str; 18] = [
    "--exclude",
    "asyncio",
    "--exclude",
    "ssl",
    "--exclude",
    "_ssl",
    "--exclude",
    "_hashlib",
    "--exclude",
    "numpy.testing",
    "--exclude",
    "unittest",
    "--exclude",
    "pydoc",
    "--exclude",
    "urllib.request",
    "--exclude",
    "_ctypes",
];
/// A setting of NumPy's build by which it has its code in one form only.
const ONE_FORM: &str = "setup-args=-Dcpu-dispatch=none";

/// What is started.
struct Form {
    column: &'static str,
    words: Vec<PathBuf>,
    /// The folder of packages that an interpreter is told of.
    site: Option<PathBuf>,
    /// What it reads.
    files: Vec<PathBuf>,
}

impl Form {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).current_dir("/");
        clean(&mut command, &[("LANG", "C.UTF-8"), ("OPENBLAS_NUM_THREADS", "1")]);
        command.envs(self.site.iter().map(|site| ("PYTHONPATH", site)));
        command
    }
}

pub(super) fn tables(lab: &Lab<'_>, rounds: usize) -> Result<String> {
    let script = lab.scratch.join("import_numpy.py");
    fs::write(&script, "import numpy\n").with_context(|| format!("`{}`", script.display()))?;
    let forms = forms(lab, &script)?;
    let columns: Vec<&str> = forms.iter().map(|form| form.column).collect();
    let mut table = Table::default();
    for round in 0..=rounds {
        eprintln!("starts, round {round} of {rounds}");
        for form in (0..STARTS).flat_map(|_| &forms) {
            let warm = cost(&mut form.command())?;
            page_cache::evict(&form.files)?;
            let cold = cost(&mut form.command())?;
            ensure!(cold.read_bytes > 0, "{}: the kernel hasn't forgotten it", form.column);
            if round > 0 {
                table.add("warm", form.column, warm);
                table.add("cold", form.column, cold);
            }
        }
    }
    let lines = [
        ("CPU time", "warm", Figure::Cpu),
        ("wall time", "warm", Figure::Wall),
        ("peak memory", "warm", Figure::Peak),
        ("page faults", "warm", Figure::Faults),
        ("cold page cache: CPU time", "cold", Figure::Cpu),
        ("cold page cache: wall time", "cold", Figure::Wall),
        ("cold page cache: read from the disk", "cold", Figure::Read),
    ];
    let mut text = format!(
        "`import numpy` ({}), medians of {} starts:\n\n{}\n",
        lab.version,
        rounds * STARTS,
        table.figures(&lines, &columns)
    );
    text.push_str(&calls(&forms)?);
    text.push_str(&sizes(lab, &script, &forms)?);
    Ok(text)
}

/// Makes the programs, and has NumPy's modules compiled.
fn forms(lab: &Lab<'_>, script: &Path) -> Result<Vec<Form>> {
    let mut forms = Vec::new();
    for (column, words) in PROGRAMS {
        let program = lab.scratch.join(column.replace([',', ' '], ""));
        let one_form: &[&str] = if column == CUT_DOWN { &[ONE_FORM] } else { &[] };
        let settings = without_blas(one_form);
        let smaller = SMALLER.iter().flat_map(|(_, words)| *words).filter(|_| column == CUT_DOWN);
        let words: Vec<&OsStr> = words
            .iter()
            .chain(smaller)
            .map(OsStr::new)
            .chain(settings.iter().map(OsString::as_os_str))
            .collect();
        lab.freeze(script, &program, &words)?;
        let words = vec![program.clone()];
        forms.push(Form { column, words, site: None, files: vec![program] });
    }
    let python = lab.interpreter();
    let library = lab.runtime.join(format!("lib/python{PYTHON}"));
    // The runtime's own are compiled, and must stay as its manifest has them.
    run_quietly(Command::new(&python).args(["-m", "compileall", "-q"]).arg(&lab.site))?;
    forms.push(Form {
        column: ORDINARY,
        words: vec![python.clone(), script.to_owned()],
        site: Some(lab.site.clone()),
        files: vec![python, library, lab.site.clone(), script.to_owned()],
    });
    Ok(forms)
}

/// How many calls take a file's name, and which those of the static program are.
fn calls(forms: &[Form]) -> Result<String> {
    if !strace::is_there() {
        return Ok("Calls with a file's name: there is no strace.\n\n".to_owned());
    }
    let mut header = String::from("| |");
    let mut row = String::from("| calls with a file's name |");
    let mut named = String::new();
    for form in forms {
        let calls = strace::file_calls(&form.command())?;
        // Writing to a string can't fail.
        let _ = write!(header, " {} |", form.column);
        let _ = write!(row, " {} |", calls.len());
        if form.column == PROGRAMS[0].0 {
            let own = form.words[0].display().to_string();
            for call in calls {
                let _ = writeln!(named, "- `{}`", call.replace(&own, "PROGRAM"));
            }
        }
    }
    let line = "---|".repeat(forms.len());
    Ok(format!("{header}\n|---|{line}\n{row}\n\nThose of the static program:\n\n{named}\n"))
}

/// How large programs are, as they come and cut down.
fn sizes(lab: &Lab<'_>, script: &Path, forms: &[Form]) -> Result<String> {
    let mut text = String::from("Size:\n\n| | MB |\n|---|---|\n");
    let mut line = |label: &str, program: &Path| -> Result<()> {
        let bytes = fs::metadata(program).with_context(|| format!("`{}`", program.display()))?;
        // Writing to a string can't fail.
        let _ = writeln!(text, "| {label} | {:.1} |", bytes.len() as f64 / 1e6);
        Ok(())
    };
    for form in forms.iter().filter(|form| form.site.is_none() && form.column != CUT_DOWN) {
        line(form.column, &form.words[0])?;
    }
    let program = lab.scratch.join("of-some-size");
    let whole = || PROGRAMS[0].1.iter().map(OsStr::new);
    let settings = without_blas(&[]);
    let mut words: Vec<&OsStr> = whole().collect();
    words.extend(settings.iter().map(OsString::as_os_str));
    for (label, more) in SMALLER {
        words.extend(more.iter().map(OsStr::new));
        lab.freeze(script, &program, &words)?;
        line(&format!("static, {label}"), &program)?;
    }
    let cut_down = forms.iter().find(|form| form.column == CUT_DOWN);
    let cut_down = cut_down.context("no program is cut down")?;
    line("static, NumPy's code in one form", &cut_down.words[0])?;
    if let Some(wheel) = with_openblas(lab)? {
        let mut words: Vec<&OsStr> = whole().collect();
        words.extend([OsStr::new("--static-wheels"), wheel.as_os_str()]);
        lab.freeze(script, &program, &words)?;
        line("static, with OpenBLAS", &program)?;
        words.extend(SMALLER.iter().flat_map(|(_, words)| *words).map(OsStr::new));
        lab.freeze(script, &program, &words)?;
        line("static, with OpenBLAS, all of these options", &program)?;
    }
    text.push('\n');
    Ok(text)
}

/// The last static wheel of NumPy that was made with OpenBLAS, if there is one.
fn with_openblas(lab: &Lab<'_>) -> Result<Option<PathBuf>> {
    let listed = output_of(&mut lab.ekiben(&["static", "list", "--format", "json"]))?;
    let listed: Vec<Value> = serde_json::from_str(&listed).context("`static list`")?;
    let is_it = |wheel: &&Value| {
        let modules = wheel["modules"].as_array().into_iter().flatten();
        let mut libraries = modules.filter_map(|module| module["libraries"].as_array()).flatten();
        wheel["name"].as_str().is_some_and(|name| is_same(name, SET))
            && wheel["version"] == lab.version
            && libraries.any(|library| library == "openblas")
    };
    let wheel = listed.iter().rev().find(is_it);
    Ok(wheel.and_then(|wheel| wheel["folder"].as_str()).map(PathBuf::from))
}
