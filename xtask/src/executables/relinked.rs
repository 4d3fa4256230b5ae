//! Programs whose interpreter was linked anew: they do what they did, and hold no more than they need.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, clean};
use crate::workspace::{output_of, run};

/// Scripts, and a builtin module that their programs are made without.
const SCRIPTS: [(&str, &str); 2] = [("hello", "_sqlite3"), ("imports", "_elementtree")];

/// Compares with the programs that were made of these scripts before.
pub(super) fn test(bench: &Bench<'_>) -> Result<()> {
    for (name, without) in SCRIPTS {
        let whole = bench.work.join("static").join(name);
        let program = relink(bench, name)?;
        let answer = |program: &Path| output_of(clean(&mut Command::new(program), &[]));
        ensure!(
            answer(&program)? == answer(&whole)?,
            "`{name}` says something else when it is linked anew"
        );
        let has = format!("import sys; print({without:?} in sys.builtin_module_names)");
        let mut ask = Command::new(&program);
        let has = output_of(clean(&mut ask, &[]).args(["--ekiben-python", "-c", &has]))?;
        ensure!(has == "False", "`{name}` has `{without}`, which nothing needs");
        ensure!(
            fs::read(&program)? == fs::read(relink(bench, name)?)?,
            "`{name}` isn't the same when it is linked again"
        );
        let megabytes = |path: &Path| Ok::<_, std::io::Error>(path.metadata()?.len() as f64 / 1e6);
        println!(
            "{name}: {:.1} MB, linked anew {:.1} MB",
            megabytes(&whole)?,
            megabytes(&program)?
        );
    }
    Ok(())
}

fn relink(bench: &Bench<'_>, name: &str) -> Result<PathBuf> {
    let program = bench.work.join(format!("{name}-relinked"));
    let mut freeze = bench.ekiben.program("ekiben");
    freeze.args(["freeze", "--quiet", "--relink", "--no-cache", "--runtime", bench.runtime()?]);
    freeze.arg("-o").arg(&program).arg(bench.scripts.join(format!("{name}.py")));
    run(freeze.current_dir(bench.work)).with_context(|| format!("`{name}`"))?;
    Ok(program)
}
