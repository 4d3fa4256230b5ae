//! Programs with static wheels: a package with compiled modules of all sorts does in them what it does in
//! an ordinary interpreter that loads them from files, whichever linker made them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Bench, FLAVOURS, LOCALES, clean, opened, scripts};
use crate::workspace::{output_of, run};

/// What the package is installed as.
const METADATA: &str = "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n";
const LINKERS: [&str; 3] = ["bfd", "lld", "mold"];

/// A package, as an ordinary wheel and as a static one, each in a folder.
struct Package {
    ordinary: PathBuf,
    linked: PathBuf,
}

/// One of its modules: what `static.json` says of it.
struct Module {
    name: String,
    file: String,
    object: String,
    init: String,
    libraries: Vec<String>,
}

/// Makes and tests the programs in `tests/executables/linked`.
pub(super) fn test(bench: &Bench<'_>) -> Result<()> {
    let folder = bench.scripts.join("linked");
    let package = Package::build(&folder.join("package"), bench)?;
    for script in scripts(&folder)? {
        let programs = bench.programs(&script, &FLAVOURS, Some(&package.linked))?;
        bench
            .compare(&script, &programs, &bench.python, Some(&package.ordinary), &LOCALES[..1])
            .with_context(|| format!("`{}`", script.display()))?;
        let mut others = Vec::new();
        for linker in LINKERS {
            let words = ["--runtime", bench.runtime()?, "--relink", "--linker", linker, "--strict"];
            let mut words: Vec<_> = words.map(std::ffi::OsStr::new).into();
            words.extend([std::ffi::OsStr::new("--site"), package.linked.as_os_str()]);
            others.push((linker, bench.freeze(&script, linker, &words)?));
        }
        bench
            .compare(&script, &others, &bench.python, Some(&package.ordinary), &LOCALES[..1])
            .with_context(|| format!("`{}`, linked anew", script.display()))?;
        for (_, program) in &programs {
            inspected(bench, program)?;
        }
    }
    let script = bench.work.join("linked-only.py");
    fs::write(&script, "import _spamtop, spam._cxx, spam._zlib, spam.deep._single\n")?;
    opened::test_linked(bench, &script, &package.linked)
}

/// What is linked in is in the inventory.
fn inspected(bench: &Bench<'_>, program: &Path) -> Result<()> {
    let mut inspect = bench.ekiben.program("ekiben");
    let text = output_of(clean(inspect.arg("inspect").arg(program), &[]))?;
    let linked = text.lines().filter(|line| line.ends_with(" linked in")).count();
    ensure!(linked == 7, "{linked} modules are linked in by `ekiben inspect`:\n{text}");
    Ok(())
}

impl Package {
    /// Compiles the sources in a folder, each of which is a module.
    fn build(sources: &Path, bench: &Bench<'_>) -> Result<Self> {
        let package = Self {
            ordinary: bench.work.join("linked/ordinary"),
            linked: bench.work.join("linked/static"),
        };
        let ask = "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))";
        let suffix = output_of(clean(&mut Command::new(&bench.python), &[]).args(["-c", ask]))?;
        let mut modules = Vec::new();
        let mut others = Vec::new();
        for entry in walkdir::WalkDir::new(sources).sort_by_file_name() {
            let entry = entry?;
            let inner = entry.path().strip_prefix(sources)?;
            if entry.file_type().is_dir() {
                fs::create_dir_all(package.ordinary.join(inner))?;
                fs::create_dir_all(package.linked.join(inner))?;
            } else if inner.extension().is_some_and(|it| it == "c" || it == "cpp") {
                modules.push(package.module(entry.path(), inner, suffix.trim(), bench)?);
            } else {
                for to in [&package.ordinary, &package.linked] {
                    fs::copy(entry.path(), to.join(inner))?;
                }
                others.push(inner.display().to_string());
            }
        }
        let files = |of: fn(&Module) -> &String| {
            let files = modules.iter().map(of).chain(&others);
            files.cloned().collect::<Vec<_>>()
        };
        metadata(&package.ordinary, &files(|module| &module.file), None)?;
        let described = |module: &Module| {
            let Module { name, file, object, init, libraries } = module;
            json!({
                "name": name, "file": file, "object": object, "init": init, "libraries": libraries,
            })
        };
        let manifest = json!({
            "format": 1,
            "ekiben": env!("CARGO_PKG_VERSION"),
            "name": "spam",
            "version": "1.0",
            "sdist": null,
            "python": bench.version,
            "toolchain": { "compiler": "", "linker": "" },
            "modules": modules.iter().map(described).collect::<Vec<_>>(),
            "libraries": [{ "name": "z" }, { "name": "stdc++", "needs": ["m"] }],
        });
        metadata(&package.linked, &files(|module| &module.object), Some(&manifest))?;
        Ok(package)
    }

    /// Makes a shared object and an object of a module.
    fn module(
        &self,
        source: &Path,
        inner: &Path,
        suffix: &str,
        bench: &Bench<'_>,
    ) -> Result<Module> {
        let stem = inner.with_extension("").display().to_string();
        let name = stem.replace('/', ".");
        let name = name.strip_suffix(".__init__").unwrap_or(&name).to_owned();
        let last = name.rsplit('.').next().unwrap_or(&name);
        let is_cxx = source.extension().is_some_and(|extension| extension == "cpp");
        let compiler = if is_cxx { "g++" } else { "gcc" };
        let mut libraries = Vec::new();
        libraries.extend(is_cxx.then(|| "stdc++".to_owned()));
        libraries.extend(stem.ends_with("_zlib").then(|| "z".to_owned()));
        let object = bench.work.join("linked/module.o");
        let mut compile = Command::new(compiler);
        compile.args(["-O2", "-fPIC", "-fno-gnu-unique", "-ffunction-sections", "-c"]);
        compile.arg("-I").arg(bench.runtime.join(format!("include/python{}", bench.version)));
        run(compile.arg(source).arg("-o").arg(&object))?;
        let file = format!("{stem}{suffix}");
        let mut link = Command::new(compiler);
        link.arg("-shared").arg(&object).arg("-o").arg(self.ordinary.join(&file));
        run(link.args(libraries.iter().map(|name| format!("-l{name}"))))?;

        let init = format!("ekiben_init_{}", name.replace('_', "__").replace('.', "_"));
        let kept = format!("{}.o", file.trim_end_matches(".so"));
        let to = self.linked.join(&kept);
        let mut link = Command::new(compiler);
        link.args(["-r", "-nostdlib", "-Wl,--force-group-allocation"]).arg(&object);
        run(link.arg("-o").arg(&to))?;
        let mut objcopy = Command::new("objcopy");
        objcopy.arg(format!("--redefine-sym=PyInit_{last}={init}"));
        run(objcopy.arg(format!("--keep-global-symbol={init}")).arg(&to))?;
        Ok(Module { name, file, object: kept, init, libraries })
    }
}

fn metadata(to: &Path, files: &[String], manifest: Option<&Value>) -> Result<()> {
    let folder = to.join("spam-1.0.dist-info");
    fs::create_dir(&folder)?;
    fs::write(folder.join("METADATA"), METADATA)?;
    let mut record: String = files.iter().map(|file| format!("{file},,\n")).collect();
    record.push_str("spam-1.0.dist-info/METADATA,,\nspam-1.0.dist-info/RECORD,,\n");
    if let Some(manifest) = manifest {
        fs::write(folder.join("static.json"), manifest.to_string())?;
        record.push_str("spam-1.0.dist-info/static.json,,\n");
    }
    fs::write(folder.join("RECORD"), record)?;
    Ok(())
}
