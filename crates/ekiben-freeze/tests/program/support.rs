//! A runtime that is small enough for tests: an ordinary interpreter compiles, and the program that is
//! filled prints what it was filled with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_engine::{Cache, CacheLimits};
use ekiben_freeze::program::{self, Base, Error, Program, Report, Request, SECTION, Target};
use ekiben_image::{Builder, Content, Effort, FileKind, Image, ModuleKind, NewModule};
use ekiben_object::elf;
use tempfile::TempDir;

const PROGRAM: &str = r#"
#include <stdio.h>
__attribute__((section(".ekiben_image"), aligned(16), used)) const char image[16] = {0};
int main(void) {
    const char *volatile start = image;
    return printf("%.8s\n", start) == 9 ? 0 : 1;
}
"#;

/// Modules of the standard library that the runtime has, with what they import.
const STANDARD: &[(&str, bool)] = &[
    ("abc", false),
    ("json", true),
    ("json.decoder", false),
    ("ensurepip", true),
    ("site", false),
];

/// An interpreter that runtimes are made for, and its version.
pub(crate) fn interpreter() -> (PathBuf, String) {
    let ask = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2], sep='\\n')";
    let names = ["python3.13", "python3.12", "python3.14", "python3.11", "python3"];
    let mut answers = names.iter().filter_map(|name| {
        let output = Command::new(name).args(["-c", ask]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        let (path, version) = text.trim().split_once('\n')?;
        let minor: u32 = version.strip_prefix("3.")?.parse().ok()?;
        (minor >= 11).then(|| (PathBuf::from(path), version.to_owned()))
    });
    answers.next().expect("a Python of 3.11 or later is on PATH")
}

/// Makes an executable, in a process of its own: one that a test starts meanwhile would inherit the
/// open file, and what is open for writing can't be run.
pub(crate) fn install(from: &Path, to: &Path) {
    let done = Command::new("install").args(["-m", "755"]).args([from, to]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// A folder with a runtime, a cache and whatever a test writes.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) base: Base,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (interpreter, python) = interpreter();
        let runtime = folder.path().join("runtime");
        fs::create_dir_all(runtime.join("bin")).unwrap();
        let source = runtime.join("program.c");
        fs::write(&source, PROGRAM).unwrap();
        let program = runtime.join(format!("bin/python{python}-static"));
        let linked = Command::new("cc")
            .args(["-no-pie", "-Wl,--section-start=.ekiben_image=0x40000000", "-o"])
            .args([&program, &source])
            .output()
            .unwrap();
        assert!(linked.status.success(), "{linked:?}");
        install(&program, &runtime.join(format!("bin/python{python}-dynamic")));
        // Counts how often it is run.
        let counting = runtime.join(format!("bin/python{python}"));
        let script = format!(
            "#!/bin/sh\necho run >> '{}'\nexec '{}' \"$@\"\n",
            runtime.join("runs").display(),
            interpreter.display()
        );
        fs::write(runtime.join("counting"), script).unwrap();
        install(&runtime.join("counting"), &counting);
        fs::write(runtime.join("stdlib.image"), stdlib(&interpreter, &python)).unwrap();
        let base = Base::in_folder(&runtime).unwrap();
        Self { folder, base }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::open(&self.path("cache"), CacheLimits::new(1 << 30)).unwrap()
    }

    /// How often the interpreter was run.
    pub(crate) fn runs(&self) -> usize {
        let runs = fs::read_to_string(self.path("runtime/runs")).unwrap_or_default();
        runs.lines().count()
    }

    pub(crate) fn script(&self, name: &str) -> Request {
        Request::new(Target::Script(self.path(name)))
    }

    /// With the folder `site` searched.
    pub(crate) fn module(&self, name: &str) -> Request {
        let target = Target::parse(name).unwrap();
        Request { site: vec![self.path("site")], ..Request::new(target) }
    }

    pub(crate) fn freeze(&self, request: &Request) -> Result<Program, Error> {
        program::freeze(request, &self.base, None)
    }

    pub(crate) fn refused(&self, request: &Request) -> String {
        self.freeze(request)
            .unwrap_err()
            .to_string()
            .replace(&self.path("").display().to_string(), "[PLACE]/")
    }

    /// What was taken and what isn't there, a line each.
    pub(crate) fn told(&self, report: &Report) -> String {
        let mut lines = vec![format!("main {}", report.main)];
        for module in &report.modules {
            lines.push(format!("{}: {}", module.why.name, module.why.text()));
        }
        for file in &report.files {
            lines.push(format!("{} {} of {}", file.kind, file.path, file.owner));
        }
        for it in &report.distributions {
            lines.push(format!("distribution {} {} {}", it.name, it.version, it.licence));
        }
        for missing in &report.missing {
            let required = if missing.required { "missing" } else { "not there" };
            lines.push(format!("{required} {}: {}", missing.why.name, missing.why.text()));
        }
        for warning in &report.warnings {
            let file = warning.file.as_deref().unwrap_or(Path::new(""));
            let file = file.strip_prefix(self.folder.path()).unwrap_or(file);
            let (message, line) = (&warning.message, warning.line);
            lines.push(format!("{} {}:{line}: {message}", warning.code, file.display()));
        }
        let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
        lines.join("\n").replace(&self.base.python, "[PYTHON]")
    }
}

/// The image in a program.
pub(crate) fn image(program: &Program) -> Image<'_> {
    Image::open(elf::segment_content(&program.bytes, SECTION).unwrap()).unwrap()
}

/// What the code of a module of the standard library is here; it can be compressed.
pub(crate) fn code_of(name: &str) -> Vec<u8> {
    format!("code of {name}; ").repeat(30).into_bytes()
}

/// Modules of Python that the runtime hasn't.
const LACKING: [&str; 3] = ["tkinter", "turtle", "winreg"];

/// All that the standard library of an interpreter has.
fn names_of(interpreter: &Path) -> Vec<String> {
    let script = "import sys; print(*sys.stdlib_module_names)";
    let output = Command::new(interpreter).args(["-c", script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

fn stdlib(interpreter: &Path, python: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let prefix = format!("lib/python{python}");
    for (name, is_package) in STANDARD {
        let file = if *is_package { "/__init__.py" } else { ".py" };
        let path = format!("{prefix}/{}{file}", name.replace('.', "/"));
        let code = Content::compressed(code_of(name), Effort::Quick);
        let module = NewModule { kind: ModuleKind::Code, is_package: *is_package, path, code };
        builder.file(&module.path, FileKind::Source, Content::plain(b"pass\n".to_vec())).unwrap();
        builder.module(name, module).unwrap();
    }
    // Those that aren't looked at are as if they were builtin.
    let is_there = |name: &&String| {
        !STANDARD.iter().any(|(it, _)| it == name) && !LACKING.contains(&name.as_str())
    };
    for name in names_of(interpreter).iter().filter(is_there) {
        let (kind, path, code) = (ModuleKind::Builtin, String::new(), Content::default());
        let builtin = NewModule { kind, is_package: false, path, code };
        builder.module(name, builtin).unwrap();
    }
    let data = format!("{prefix}/ensurepip/data.txt");
    builder.file(&data, FileKind::Resource, Content::plain(b"data".to_vec())).unwrap();
    for (key, value) in
        [("python", python), ("version", "3.x"), ("early", &format!("{prefix}/abc"))]
    {
        builder.set(key, value).unwrap();
    }
    builder.build().unwrap()
}
