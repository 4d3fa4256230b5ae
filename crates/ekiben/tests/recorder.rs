//! The link recorder among real compilers and build tools.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_object::elf;
use ekiben_static::Library;
use ekiben_static::recorder::{Linked, Record, Recorder};
use tempfile::TempDir;

/// A folder in which something is built, watched by a recorder.
struct Build {
    folder: TempDir,
    recorder: Recorder,
}

impl Build {
    fn new() -> Self {
        Self::with(false)
    }

    fn with(debug: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("recorder");
        fs::create_dir_all(&place).unwrap();
        let own = folder.path().join("own");
        fs::create_dir_all(&own).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_ekiben"));
        let recorder = Recorder::new(&place, program, &own, debug).unwrap();
        Self { folder, recorder }
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("own")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.own().join(name), text).unwrap();
    }

    /// Runs a line of a shell in the build's folder, and gives what it printed.
    fn sh(&self, script: &str) -> String {
        let mut sh = Command::new("sh");
        sh.args(["-e", "-c", script]).current_dir(self.own());
        self.recorder.watch(&mut sh);
        let output = sh.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("link recorder"), "{script}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The records by the names of their outputs.
    fn records(&self) -> BTreeMap<String, Record> {
        let records = self.recorder.records().unwrap().into_iter();
        let name =
            |record: &Record| record.output.file_name().unwrap().to_str().unwrap().to_owned();
        records.map(|record| (name(&record), record)).collect()
    }

    /// The record of one output, whose object links: it defines the symbol.
    fn record(&self, output: &str, symbol: &str) -> Record {
        let record = self.records().remove(output).unwrap();
        assert_eq!(record.problem, None);
        let object = fs::read(&record.object).unwrap();
        let defined = elf::defined(&object).unwrap();
        assert!(defined.iter().any(|it| it == symbol), "{defined:?}");
        record
    }
}

fn machine(record: &Record) -> Vec<&Library> {
    let libraries = record.libraries.iter().filter_map(|library| match library {
        Linked::Machine(library) => Some(library),
        Linked::Own { .. } => None,
    });
    libraries.collect()
}

const MODULE: &str = "#include <zlib.h>\n#include <math.h>\n\
    extern int helper(int);\n\
    const char *PyInit_spam(void) { return helper(sqrt(2)) ? zlibVersion() : 0; }\n";
const HELPER: &str = "int helper(int x) { return x + 1; }\nint unused(void) { return 0; }\n";

#[test]
fn a_link_is_recorded_and_its_result_is_what_it_was() {
    let build = Build::new();
    build.write("spam.c", MODULE);
    build.write("helper.c", HELPER);
    let script = "gcc -c -fPIC helper.c && ar rc libhelper.a helper.o\n\
        gcc -shared -fPIC spam.c -o $1 -L. -lhelper -lz -lbz2 -lm -Wl,--as-needed,-soname,x\n";
    build.sh(&script.replace("$1", "spam.so"));
    let recorded = fs::read(build.own().join("spam.so")).unwrap();
    let mut plain = Command::new("sh");
    let plain =
        plain.args(["-e", "-c", &script.replace("$1", "plain.so")]).current_dir(build.own());
    assert!(plain.status().unwrap().success());
    assert_eq!(recorded, fs::read(build.own().join("plain.so")).unwrap());

    let records = build.records();
    assert_eq!(records.keys().collect::<Vec<_>>(), ["spam.so"]);
    let record = build.record("spam.so", "PyInit_spam");
    assert_eq!(record.output, build.own().canonicalize().unwrap().join("spam.so"));
    // The package's own archive is in the object; of the machine's libraries, what is needed is named.
    assert!(elf::defined(&fs::read(&record.object).unwrap()).unwrap().contains(&"helper".into()));
    let libraries = machine(&record);
    assert_eq!(libraries.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["z"]);
    assert!(libraries[0].archive.as_ref().unwrap().ends_with("libz.a"));
}

#[test]
fn what_is_linked_otherwise_is_not_recorded() {
    let build = Build::new();
    build.write("main.c", "int main(void) { return 0; }\n");
    build.sh("gcc main.c -o main && ./main\n\
        gcc -c main.c && ld -r main.o -o again.o && ld --version >/dev/null\n\
        ! gcc -shared -fPIC nothing.c -o nothing.so 2>/dev/null");
    assert!(build.records().is_empty());
    // The linker's own status is passed on.
    assert_eq!(build.sh("ld nothing.o 2>/dev/null || echo $?").trim(), "1");
}

#[test]
fn languages_and_link_time_optimisation() {
    let build = Build::new();
    build.write(
        "x.cc",
        "#include <map>\n#include <string>\n#include <stdexcept>\n\
         template <class T> struct One { static T value; }; template <class T> T One<T>::value;\n\
         extern \"C\" int PyInit_x() { std::map<std::string, int> m; m[\"a\"] = One<int>::value;\n\
         try { throw std::runtime_error(\"x\"); } catch (std::exception &) { return m.size(); } }\n",
    );
    build.write(
        "f.f90",
        "subroutine PyInit_f() bind(c, name='PyInit_f')\n  integer :: n\n  common /shared/ n\n\
         n = n + 1\n  print *, n\nend subroutine\n",
    );
    build.write("s.s", ".globl PyInit_s\nPyInit_s: ret\n.section .note.GNU-stack,\"\"\n");
    build.write("l1.c", "int l2(int); int PyInit_l(void) { return l2(1); }\n");
    build.write("l2.c", "int l2(int x) { return x * 2; }\n");
    build.sh("g++ -shared -fPIC x.cc -o x.so\ngfortran -shared -fPIC f.f90 -o f.so\n\
        gcc -shared s.s -o s.so\n\
        gcc -O2 -flto -fPIC -c l1.c l2.c && gcc -O2 -flto -shared l1.o l2.o -o l.so\n\
        clang -shared -fPIC l1.c l2.c -o clang.so");
    let names = |file: &str, symbol: &str| {
        let record = build.record(file, symbol);
        machine(&record).iter().map(|it| it.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("x.so", "PyInit_x"), ["stdc++"]);
    // What the archive of Fortran's library needs, its shared library says.
    assert_eq!(names("f.so", "PyInit_f"), ["gfortran", "quadmath"]);
    assert!(names("s.so", "PyInit_s").is_empty());
    assert!(names("clang.so", "PyInit_l").is_empty());
    // Machine code, and no compiler's own language.
    let record = build.record("l.so", "PyInit_l");
    let main = build.own().join("main.c");
    fs::write(&main, "int PyInit_l(void); int main(void) { return PyInit_l() != 2; }\n").unwrap();
    let object = record.object.display();
    build.sh(&format!("gcc -fno-lto main.c {object} -o main && ./main"));
}

#[test]
fn what_cannot_be_linked_again_is_noted_and_the_build_goes_on() {
    let build = Build::new();
    build.write("l.c", "int PyInit_l(void) { return 1; }\n");
    // The language of clang's optimiser, which GNU ld doesn't know.
    build.sh("clang -flto -fuse-ld=lld -shared -fPIC l.c -o l.so");
    let record = build.records().remove("l.so").unwrap();
    let problem = record.problem.unwrap();
    assert!(problem.contains("file format not recognized"), "{problem}");
}

#[test]
fn response_files_ccache_libtool_and_many_at_once() {
    let build = Build::new();
    build.write("spam.c", MODULE);
    build.write("helper.c", HELPER);
    build.write("arguments", "-shared -fPIC \"spam.c\" helper.c\n-o by-file.so -lz -lm");
    build.write(
        "Makefile",
        "all: $(foreach n,1 2 3 4 5 6 7 8,m$(n).so)\n%.so: spam.c helper.c\n\
         \tgcc -shared -fPIC spam.c helper.c -lz -lm -o $@\n",
    );
    build.sh("env -i PATH=\"$PATH\" gcc -shared -fPIC spam.c helper.c -lz -lm -o by-path.so\n\
         gcc @arguments\nmake -j8 >/dev/null\n\
         CCACHE_DIR=$PWD/ccache ccache gcc -c -fPIC helper.c spam.c 2>/dev/null || \
         { gcc -c -fPIC helper.c; gcc -c -fPIC spam.c; }\n\
         CCACHE_DIR=$PWD/ccache ccache gcc -shared helper.o spam.o -lz -lm -o by-ccache.so\n\
         libtool --quiet --mode=compile --tag=CC gcc -c helper.c -o helper.lo\n\
         libtool --quiet --mode=compile --tag=CC gcc -c spam.c -o spam.lo\n\
         libtool --quiet --mode=link --tag=CC gcc -module -avoid-version -rpath /nowhere \
             helper.lo spam.lo -lz -lm -o by-libtool.la");
    let mut names: Vec<String> = (1..=8).map(|number| format!("m{number}.so")).collect();
    names.extend(["by-file.so", "by-path.so", "by-ccache.so", "by-libtool.so"].map(str::to_owned));
    names.sort();
    assert_eq!(build.records().into_keys().collect::<Vec<_>>(), names);
    for name in names {
        let record = build.record(&name, "PyInit_spam");
        assert_eq!(machine(&record).len(), 1, "{name}");
    }
}

#[test]
fn other_linkers_are_stood_in_for_too() {
    let build = Build::new();
    build.write("spam.c", MODULE);
    build.write("helper.c", HELPER);
    for linker in ["bfd", "gold", "lld", "mold"] {
        // A build system must see which are there.
        let is_there = which::which(format!("ld.{linker}")).is_ok();
        let line = format!(
            "gcc -fuse-ld={linker} -shared -fPIC spam.c helper.c -lz -lm -o {linker}.so 2>/dev/null"
        );
        let said = build.sh(&format!("{line} && echo there || echo none"));
        assert_eq!(said.trim() == "there", is_there, "{linker}");
        assert_eq!(build.records().contains_key(&format!("{linker}.so")), is_there, "{linker}");
    }
}

#[test]
fn a_library_that_the_build_made_is_told_apart() {
    let build = Build::new();
    build.write("spam.c", MODULE);
    build.write("helper.c", HELPER);
    build.sh("gcc -shared -fPIC helper.c -o libhelper.so && strip libhelper.so\n\
        gcc -shared -fPIC spam.c -L. -lhelper -lz -lm -o spam.so");
    let record = build.record("spam.so", "PyInit_spam");
    let helper = build.record("libhelper.so", "helper");
    let own: Vec<_> = record
        .libraries
        .iter()
        .filter_map(|library| match library {
            Linked::Own { code, .. } => Some(*code),
            Linked::Machine(_) => None,
        })
        .collect();
    assert_eq!(own, [helper.code]);
}

#[test]
fn rust_has_a_linker_of_its_own() {
    let build = Build::new();
    build.write(
        "lib.rs",
        "#[unsafe(no_mangle)]\npub extern \"C\" fn PyInit_rusty() -> usize {\n\
        std::thread::spawn(|| vec![1_u8; 3].len()).join().unwrap_or(0)\n}\n",
    );
    build.write(
        "Cargo.toml",
        "[package]\nname = \"rusty\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
        [lib]\npath = \"lib.rs\"\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    );
    build.sh("CARGO_TARGET_DIR=$PWD/target cargo build --quiet --offline --release");
    let record = build.record("librusty.so", "PyInit_rusty");
    build.write(
        "main.c",
        "long PyInit_rusty(void); int main(void) { return PyInit_rusty() != 3; }\n",
    );
    let object = record.object.display();
    build.sh(&format!(
        "gcc -static main.c {object} -lgcc_eh -lpthread -o main 2>said && ./main\n\
         ! grep 'executable stack' said"
    ));
}

#[test]
fn a_stack_is_executable_only_where_it_was() {
    let build = Build::new();
    // A function in a function, whose address is taken, is code on the stack.
    let nested = "int PyInit_s(int n) { int f(int x) { return x + n; } int (*volatile g)(int) = f; \
                  return g(1); }\n";
    build.write("open.c", nested);
    build.write("closed.c", "int PyInit_s(int n) { return n; }\n");
    build.write("silent.s", ".globl silent\nsilent: ret\n");
    build.sh("gcc -O0 -shared -fPIC open.c silent.s -Wl,--no-warn-execstack -o open.so");
    build.sh("gcc -shared -fPIC closed.c silent.s -Wl,-z,noexecstack -o closed.so");
    let sections = |name: &str| {
        let object = build.record(name, "PyInit_s").object;
        build.sh(&format!("readelf -SW {} | grep GNU-stack", object.display()))
    };
    assert!(!sections("closed.so").contains(" X "));
    assert!(sections("open.so").contains(" X "));
}

#[test]
fn debugging_information_is_kept_when_that_is_asked_for() {
    let has_debug = |build: &Build| {
        build.write("l.c", "int PyInit_l(void) { return 1; }\n");
        build.sh("gcc -g -shared -fPIC l.c -o l.so");
        let object = fs::read(&build.record("l.so", "PyInit_l").object).unwrap();
        memchr::memmem::find(&object, b".debug_info").is_some()
    };
    assert!(!has_debug(&Build::new()));
    assert!(has_debug(&Build::with(true)));
}
