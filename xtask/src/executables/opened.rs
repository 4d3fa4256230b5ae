//! What programs open, by strace: nothing but what the kernel, and the C library's loader, need.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, FLAVOURS, clean};
use crate::strace;

/// Scripts, and how many calls their programs may make that take a file's name.
const SCRIPTS: [(&str, [usize; 2]); 2] = [("hello", [3, 8]), ("imports", [8, 14])];

/// What a static program may name: itself, and what it opened already.
const STATIC: [&str; 2] = ["\"/proc/self/exe\"", "(3, \"\","];
/// What one that imports `time` and `ssl` may name besides: the machine's settings for them.
const SETTINGS: [&str; 2] = ["\"/etc/localtime\"", "/openssl.cnf\""];
/// What a dynamic one may name besides: the loader's files.
const DYNAMIC: [&str; 3] = ["\"/etc/ld.so.", "libc.so.6\"", "libm.so.6\""];

/// What one that loads wheels' code may name besides: its own copies in memory, what these need of the
/// machine, and what they ask about the processor.
const LOADED: [&str; 6] = [
    "\"/proc/self/task/",
    "(4, \"\",",
    "libpthread.so.0\"",
    "libgcc_s.so.1\"",
    "libstdc++.so.6\"",
    "\"/sys/devices/system/cpu/",
];
/// How many calls `import numpy` may make that take a file's name.
const MOST_LOADED: usize = 50;

/// Prints a table beside the ordinary interpreter, and fails if a program names another file.
pub(super) fn test(bench: &Bench<'_>) -> Result<()> {
    if !strace::is_there() {
        println!("file system calls: left out, for there is no strace");
        return Ok(());
    }
    println!("calls that take a file's name | python | {}", FLAVOURS.join(" | "));
    for (name, most) in SCRIPTS {
        let script = bench.scripts.join(format!("{name}.py"));
        let python = calls(Command::new(&bench.python).arg(&script))?.len();
        let mut row = format!("{name} | {python}");
        for (flavour, most) in FLAVOURS.into_iter().zip(most) {
            let program = bench.work.join(flavour).join(name);
            let calls = calls(&mut Command::new(&program))?;
            let own = format!("\"{}\"", program.display());
            for call in &calls {
                let names = |parts: &[&str]| parts.iter().any(|part| call.contains(*part));
                ensure!(
                    call.contains(&own)
                        || names(&STATIC)
                        || name != "hello" && names(&SETTINGS)
                        || flavour == "dynamic" && names(&DYNAMIC),
                    "the {flavour} program `{name}` makes a call that isn't on the list: {call}"
                );
            }
            ensure!(
                calls.len() <= most,
                "the {flavour} program `{name}` makes {} calls, and {most} at most are allowed:\n{}",
                calls.len(),
                calls.join("\n")
            );
            row = format!("{row} | {}", calls.len());
        }
        println!("{row}");
    }
    Ok(())
}

/// The same for a program that imports NumPy.
pub(super) fn test_wheels(bench: &Bench<'_>, site: &Path) -> Result<()> {
    if !strace::is_there() {
        return Ok(());
    }
    let script = bench.work.join("numpy-only.py");
    fs::write(&script, "import numpy\n").with_context(|| format!("`{}`", script.display()))?;
    let mut programs = bench.programs(&script, &["dynamic"], Some(site))?;
    let (_, program) = programs.remove(0);
    let mut ordinary = Command::new(&bench.python);
    ordinary.args(["-c", "import sys; sys.path.append(sys.argv[1]); import numpy"]).arg(site);
    let python = calls(&mut ordinary)?.len();
    let calls = calls(&mut Command::new(&program))?;
    // With 3.14 something asks for `os.path.realpath` of a module's file, which looks at the folders above.
    let own: Vec<String> =
        program.ancestors().map(|path| format!("\"{}\"", path.display())).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let allowed: Vec<&str> = [&STATIC[..], &SETTINGS, &DYNAMIC, &LOADED, &own].concat();
    for call in &calls {
        let is_allowed = allowed.iter().any(|part| call.contains(part));
        ensure!(is_allowed, "`import numpy` makes a call that isn't on the list: {call}");
    }
    ensure!(calls.len() <= MOST_LOADED, "`import numpy` makes {} calls", calls.len());
    println!("import numpy | {python} | | {}", calls.len());
    Ok(())
}

/// The same for programs whose modules are linked in: what they name isn't more than without these.
pub(super) fn test_linked(bench: &Bench<'_>, script: &Path, site: &Path) -> Result<()> {
    if !strace::is_there() {
        return Ok(());
    }
    let (_, most) = SCRIPTS[0];
    for ((flavour, program), most) in
        bench.programs(script, &FLAVOURS, Some(site))?.iter().zip(most)
    {
        let calls = calls(&mut Command::new(program))?;
        let own = format!("\"{}\"", program.display());
        let of_flavour: &[&str] = if *flavour == "dynamic" { &DYNAMIC } else { &[] };
        let allowed: Vec<&str> = [&STATIC[..], of_flavour, &[&own]].concat();
        for call in &calls {
            let is_allowed = allowed.iter().any(|part| call.contains(part));
            ensure!(
                is_allowed,
                "the {flavour} program makes a call that isn't on the list: {call}"
            );
        }
        ensure!(
            calls.len() <= most,
            "modules linked in: the {flavour} program makes {} calls",
            calls.len()
        );
        println!("modules linked in, {flavour} | | {}", calls.len());
    }
    Ok(())
}

/// The calls of a command in a locale that every machine has.
fn calls(command: &mut Command) -> Result<Vec<String>> {
    strace::file_calls(clean(command, &[("LANG", "C.UTF-8")]))
}
