//! Packages beside programs: what reads its files by path works, wherever both are moved to, and
//! whatever name the program is called by.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, FLAVOURS, clean};
use crate::workspace::output_of;

const SCRIPT: &str = "import reader\nprint(reader.TEXT, reader.__cached__.endswith('.pyc'))\n";
const READER: &str = "import os\n\
    TEXT = open(os.path.join(os.path.dirname(__file__), 'text.txt')).read()\n";

/// Makes such programs in both flavours.
pub(super) fn test(bench: &Bench<'_>) -> Result<()> {
    let site = bench.work.join("beside/site");
    let folder = site.join("reader");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("__init__.py"), READER)?;
    fs::write(folder.join("text.txt"), "from a file")?;
    let script = bench.work.join("beside/reads.py");
    fs::write(&script, SCRIPT)?;
    for flavour in FLAVOURS {
        let words =
            ["--runtime", bench.runtime()?, "--flavour", flavour, "--beside", "reader", "--site"];
        let words = [&words.map(OsStr::new)[..], &[site.as_os_str()]].concat();
        let made = bench.freeze(&script, &format!("beside/{flavour}"), &words)?;
        let moved = bench.work.join(format!("beside/moved to {flavour}"));
        fs::rename(made.parent().context("a program is in a folder")?, &moved)?;
        let link = bench.work.join(format!("beside/{flavour}.link"));
        symlink(moved.join("reads"), &link)?;
        for program in [moved.join("reads"), link] {
            let said = output_of(clean(&mut Command::new(&program), &[]))?;
            ensure!(said == "from a file True", "{} says {said}", program.display());
        }
        let written = fs::read_dir(moved.join("reads.lib/reader/__pycache__"))?.count();
        ensure!(written == 1, "something was written beside the {flavour} program");
    }
    println!("beside: a package that reads its files works as files, {}", FLAVOURS.join(" and "));
    Ok(())
}
