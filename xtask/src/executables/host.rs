//! Programs with ordinary interpreters of this machine, which run beside these.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Bench, LOCALES, scripts};
use crate::python::Python;

/// Where the distribution has its own.
const DISTRIBUTION: &str = "/usr/bin/python3";
/// What crashes ordinary interpreters: until 3.12.3 those that aren't ended as they should be.
const CRASHES: [(&str, &str); 1] = [("python3.12", "interpreters")];

/// Makes the scripts programs of each interpreter that such programs can be made of.
pub(super) fn test(bench: &Bench<'_>) -> Result<()> {
    let found = Python::find_all();
    let mut pythons: BTreeSet<PathBuf> = found
        .iter()
        .filter(|python| python.minor() >= 11)
        .map(|python| Ok(python.path().canonicalize()?))
        .collect::<Result<_>>()?;
    pythons.extend(fs::canonicalize(DISTRIBUTION).ok().filter(|path| {
        // Older ones are of no use here.
        path.ends_with("python3.11") || path.ends_with("python3.12") || path.ends_with("python3.13")
    }));
    for (number, python) in pythons.iter().enumerate() {
        println!("{}:", python.display());
        for script in scripts(&bench.scripts)? {
            let crashes = |(name, stem): &(&str, &str)| {
                python.ends_with(name) && script.file_stem() == Some(OsStr::new(stem))
            };
            if CRASHES.iter().any(crashes) {
                continue;
            }
            let place = format!("host-{number}");
            let words =
                ["--flavour".as_ref(), "host".as_ref(), "--python".as_ref(), python.as_os_str()];
            let program = bench.freeze(&script, &place, &words)?;
            bench
                .compare(&script, &[("host", program)], python, None, &LOCALES[..2])
                .with_context(|| format!("`{}`, {}", script.display(), python.display()))?;
        }
    }
    Ok(())
}
