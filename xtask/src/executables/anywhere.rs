//! Programs where there is nothing else: no environment, no standard input, no files, no user.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, FLAVOURS};
use crate::workspace::{output_of, run};

/// Tells how often the collector ran while much was imported.
const STARTS: &str = "\
import asyncio, gc, http.server, sqlite3, ssl
print(gc.get_stats()[0]['collections'])
";

/// Starts itself as an interpreter, and tells what it was started as.
const RESTARTS: &str = "\
import os, subprocess, sys
if len(sys.argv) > 1:
    print('the program')
else:
    print(subprocess.check_output([sys.executable, '-c', 'print(4)'], text=True), end='', flush=True)
    os.execv(sys.executable, [sys.executable, '-c', 'print(2)'])
";

/// Has something that only an end without haste takes apart: a cycle of the main module's.
const ENDS: &str = "\
class Kept:
    def __del__(self):
        print('taken apart')
kept = Kept()
def function():
    pass
";

/// Fails unless the smallest program runs everywhere, and is the same when it is made again.
pub(super) fn test(bench: &Bench<'_>) -> Result<()> {
    let number = bench.work.join("number.json");
    fs::write(&number, "42")?;
    for flavour in FLAVOURS {
        let program = bench.work.join(flavour).join("hello");
        let mut bare = Command::new("/bin/sh");
        bare.args(["-c", "exec \"$0\" <&-"]).arg(&program).env_clear().current_dir("/");
        ensure!(output_of(&mut bare)? == "hello", "{flavour}, without environment or stdin");

        // What an interpreter starts is one, too.
        let start =
            "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(6 * 7)'])";
        let flags = "import sys; print(41 + sys.flags.warn_default_encoding)";
        let tool = format!("{}/lib/python{}/json/tool.py", program.display(), bench.version);
        let interpreted: [&[&str]; 3] = [
            &["-c", start],
            &["-X", "frozen_modules=off", "-X", "warn_default_encoding", "-c", flags],
            // A script that is in the program.
            &[&tool, number.to_str().context("its path isn't UTF-8")?],
        ];
        for arguments in interpreted {
            let mut python = Command::new(&program);
            let printed = output_of(python.arg("--ekiben-python").args(arguments))?;
            ensure!(printed == "42", "{flavour}, as an interpreter by {arguments:?}: {printed}");
        }

        // So is one that is called by the name of one, but not whatever has such arguments.
        let named = bench.work.join(format!("{flavour}-python3"));
        fs::create_dir_all(&named)?;
        std::os::unix::fs::symlink(&program, named.join("python3"))?;
        for (path, expected) in [(named.join("python3"), "42"), (program.clone(), "hello")] {
            let printed = output_of(Command::new(&path).args(["-c", "print(6 * 7)"]))?;
            ensure!(printed == expected, "`{}` prints {printed}", path.display());
        }

        let again = bench.work.join(format!("hello-again-{flavour}"));
        let mut freeze = bench.ekiben.program("ekiben");
        freeze.args(["freeze", "--quiet", "--no-cache", "--flavour", flavour]);
        freeze.args(["--runtime", bench.runtime()?]);
        freeze.arg(bench.scripts.join("hello.py")).arg("-o").arg(&again);
        run(freeze.current_dir(bench.work))?;
        ensure!(fs::read(&program)? == fs::read(&again)?, "{flavour}: made again it is another");
    }
    let script = bench.work.join("starts.py");
    fs::write(&script, STARTS)?;
    for (setting, is_quiet) in [("true", true), ("false", false)] {
        let quiet = format!("quiet-start={setting}");
        let collections: u32 = printed_with(bench, &script, &quiet)?.parse()?;
        ensure!((collections == 0) == is_quiet, "{quiet}: {collections} collections");
    }
    let script = bench.work.join("restarts.py");
    fs::write(&script, RESTARTS)?;
    for (setting, expected) in [("true", "4\n2"), ("false", "the program\nthe program")] {
        let set = format!("self-interpreter={setting}");
        let printed = printed_with(bench, &script, &set)?;
        ensure!(printed == expected, "{set}: it is {printed}");
    }
    let script = bench.work.join("apart.py");
    fs::write(&script, ENDS)?;
    for (setting, expected) in [("true", ""), ("false", "taken apart")] {
        let set = format!("fast-exit={setting}");
        let printed = printed_with(bench, &script, &set)?;
        ensure!(printed == expected, "{set}: it prints `{printed}`");
    }
    // A folder with the program alone as the root of all files, for a user that has no name.
    let root = tempfile::tempdir()?;
    fs::copy(bench.work.join("static/hello"), root.path().join("hello"))?;
    fs::copy(bench.work.join("self-interpreter=true/restarts"), root.path().join("restarts"))?;
    fs::set_permissions(root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let is_root = output_of(Command::new("id").arg("-u"))? == "0";
    if is_root {
        // Without /proc, a program knows by what its parent has told it that it is an interpreter.
        for (program, expected) in [("hello", "hello"), ("restarts", "4\n2")] {
            let mut chroot = Command::new("chroot");
            chroot.arg("--userspec=65534:65534").arg(root.path()).arg(format!("/{program}"));
            ensure!(output_of(&mut chroot)? == expected, "{program}, with no other file at all");
        }
    } else {
        println!("a program as the only file: left out, for only root can try it");
    }
    println!("hello runs with no environment, no stdin, no other file, and is made the same again");
    Ok(())
}

/// What the static program of a script prints that is made with a setting. It lies in a folder of that name.
fn printed_with(bench: &Bench<'_>, script: &Path, set: &str) -> Result<String> {
    let words = ["--runtime", bench.runtime()?, "--flavour", "static", "--set", set];
    let program = bench.freeze(script, set, &words.map(OsStr::new))?;
    output_of(&mut Command::new(program))
}
