//! Which installed packages have compiled modules.

use std::fs;
use std::path::Path;

use ekiben_archive::parse_record;

use crate::{Error, init};

/// An installed package with compiled modules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compiled {
    /// Its name, as its metadata has it.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The packages in a folder of installed packages that have compiled modules, by name.
///
/// # Errors
/// If the folder, or the list of a package's files, can't be read.
pub fn compiled(site: &Path) -> Result<Vec<Compiled>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(site).map_err(Error::io("read", site))? {
        let info = entry.map_err(Error::io("read", site))?.path();
        let record = info.join("RECORD");
        if info.extension().is_none_or(|it| it != "dist-info") || !record.is_file() {
            continue;
        }
        let text = fs::read_to_string(&record).map_err(Error::io("read", &record))?;
        let rows = parse_record(&text)
            .map_err(|(line, why)| Error::unusable(&record, &format!("line {line}: {why}")))?;
        let is_module = |file: &str| {
            let is_candidate = file.contains(".so") && !file.starts_with("..");
            is_candidate
                && fs::read(site.join(file)).is_ok_and(|bytes| init::of(file, &bytes).is_some())
        };
        if rows.iter().any(|row| is_module(&row.path)) {
            let (name, version) = crate::wheel::named(&info)?;
            found.push(Compiled { name, version });
        }
    }
    found.sort();
    Ok(found)
}
