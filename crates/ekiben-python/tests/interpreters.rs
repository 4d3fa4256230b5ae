//! Every supported interpreter of this machine, compared with what it and `packaging` say.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_python::{
    ExtensionAbi, FactsCache, Interpreter, NoCache, PythonVersion, find_interpreter,
};

/// Interpreters on `PATH` and below pyenv's root, one of each build, by their real paths.
fn interpreters() -> Vec<Interpreter> {
    let mut paths: Vec<PathBuf> = Vec::new();
    if let Some(root) = std::env::var_os("PYENV_ROOT") {
        let versions = Path::new(&root).join("versions").read_dir().into_iter().flatten();
        paths.extend(versions.map(|version| version.unwrap().path().join("bin").join("python")));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let commands = std::env::split_paths(&path)
        .flat_map(|folder| ["python3", "python"].map(|name| folder.join(name)))
        .map(|file| file.with_extension(std::env::consts::EXE_EXTENSION));
    paths.extend(commands);
    let found: BTreeMap<PathBuf, Interpreter> = paths
        .iter()
        .filter_map(|path| Interpreter::query(path, &NoCache).ok())
        .map(|python| (python.facts().base_executable.clone(), python))
        .collect();
    assert!(!found.is_empty(), "none of these is a supported interpreter: {paths:?}");
    found.into_values().collect()
}

fn ask(python: &Interpreter, script: &str) -> String {
    let output = Command::new(python.executable()).args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn facts_are_those_of_a_normal_start() {
    for python in interpreters() {
        let facts = python.facts();
        let script = "import json, sys, sysconfig\n\
            get, path = sysconfig.get_config_var, sysconfig.get_path\n\
            print(json.dumps([get('EXT_SUFFIX'), get('SOABI'), sysconfig.get_platform(), \
            path('include'), path('platlib'), path('scripts'), sys.prefix, sys.hexversion]))";
        let said: serde_json::Value = serde_json::from_str(&ask(&python, script)).unwrap();
        let ours = serde_json::json!([
            facts.ext_suffix,
            facts.soabi,
            facts.platform,
            facts.include,
            facts.paths.platlib,
            facts.paths.scripts,
            facts.prefix,
            facts.hexversion
        ]);
        assert_eq!(ours, said, "{}", python.describe());
        // Cached facts hold only as long as this file is unchanged, so it has to be known.
        let data = facts.sysconfigdata.as_deref().is_some_and(Path::is_file);
        assert!(data || cfg!(windows), "{}: {:?}", python.describe(), facts.sysconfigdata);
    }
}

/// `packaging` lists the tags that an interpreter accepts, best first, with manylinux before plain
/// linux: ours has to be its first of this platform.
#[test]
fn the_tag_is_the_first_that_pip_accepts() {
    let mut compared = 0;
    for python in interpreters() {
        let script = "try:\n from pip._vendor.packaging.tags import sys_tags\n\
            except ImportError:\n print('')\n\
            else:\n print(' '.join(map(str, sys_tags())))";
        let accepted = ask(&python, script);
        let platform = python.platform_tag();
        let mut ours = accepted.split(' ').filter(|tag| tag.ends_with(&platform));
        let Some(first) = ours.next() else { continue };
        assert_eq!(python.extension_tag().to_string(), first, "{}", python.describe());
        if let Ok(tag) = python.abi3_tag(PythonVersion::new(3, 8)) {
            assert!(accepted.split(' ').any(|accepted| accepted == tag.to_string()), "{tag}");
        }
        let pure = Interpreter::pure_tag().to_string();
        assert!(accepted.split(' ').any(|accepted| accepted == pure));
        compared += 1;
    }
    assert!(compared > 0, "no interpreter has pip");
}

#[test]
fn file_names_are_ones_that_the_interpreter_imports() {
    for python in interpreters() {
        let suffixes = &python.facts().extension_suffixes;
        for abi in [ExtensionAbi::Full, ExtensionAbi::Limited] {
            if let Ok(name) = python.extension_file_name("spam._x", abi) {
                let suffix = name.strip_prefix("spam/_x").unwrap();
                assert!(suffixes.iter().any(|known| known == suffix), "{name}: {suffixes:?}");
            }
        }
    }
}

#[test]
fn headers_are_where_they_are_said_to_be() {
    for python in interpreters() {
        // A distribution's interpreter may lack them; what is said has to be so either way.
        let there = python.facts().include.join("Python.h").is_file();
        assert_eq!(python.check_headers().is_ok(), there);
        for folder in python.include_folders() {
            assert!(!there || folder.is_dir(), "{}", folder.display());
        }
    }
}

#[derive(Default)]
struct Memory {
    kept: RefCell<HashMap<String, Vec<u8>>>,
    puts: RefCell<usize>,
}

impl FactsCache for Memory {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.kept.borrow().get(key).cloned()
    }

    fn put(&self, key: &str, value: &[u8]) {
        self.kept.borrow_mut().insert(key.into(), value.into());
        *self.puts.borrow_mut() += 1;
    }
}

#[test]
fn a_second_query_asks_nobody() {
    let cache = Memory::default();
    for (number, python) in interpreters().iter().enumerate() {
        let first = Interpreter::query(python.executable(), &cache).unwrap();
        let second = Interpreter::query(python.executable(), &cache).unwrap();
        assert_eq!(first.facts(), second.facts());
        assert_eq!(*cache.puts.borrow(), number + 1, "the second query wasn't served from memory");
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use ekiben_python::Error;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn script(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Takes no notice of a process that still holds the script open for writing: another test may
    /// have forked while it was written.
    fn query(path: &Path, cache: &dyn FactsCache) -> Result<Interpreter, Error> {
        loop {
            match Interpreter::query(path, cache) {
                Err(Error::CannotRun { source, .. })
                    if source.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                result => return result,
            }
        }
    }

    #[test]
    fn a_shim_is_asked_every_time() {
        let folder = tempfile::tempdir().unwrap();
        let shim = folder.path().join("python");
        let cache = Memory::default();
        for python in interpreters() {
            let target = python.executable().display();
            script(&shim, &format!("#!/bin/sh\nexec '{target}' \"$@\"\n"));
            let through = query(&shim, &cache).unwrap();
            assert_eq!(through.executable(), python.executable());
        }
    }

    #[test]
    fn scripts_that_lead_nowhere_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let shim = folder.path().join("python");
        let said = |text: &str| {
            script(&shim, text);
            let error = query(&shim, &NoCache).unwrap_err().to_string();
            error.replace(&folder.path().display().to_string(), "FOLDER")
        };
        insta::assert_snapshot!(said("#!/bin/sh\necho \"$0\"\n"), @"`FOLDER/python` is a script that never leads to an interpreter");
        insta::assert_snapshot!(said("#!/bin/sh\necho no such version >&2\nexit 127\n"), @r"
        `FOLDER/python` failed when it was asked about itself (exit status: 127):
        no such version
        ");
        insta::assert_snapshot!(said("#!/bin/sh\n"), @"`FOLDER/python` gave an answer that can't be understood: it doesn't know its own executable");
    }

    /// A virtual environment's interpreter is a link: it isn't the one that it leads to. The path has
    /// whatever must be escaped on its way back.
    #[test]
    fn an_environment_is_told_from_its_base() {
        let cache = Memory::default();
        for python in interpreters() {
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("a \"b\"\t\\ä駅😀");
            let bin = folder.join("bin");
            fs::create_dir_all(&bin).unwrap();
            let base = &python.facts().base_executable;
            symlink(base, bin.join("python")).unwrap();
            let home = base.parent().unwrap().display();
            fs::write(folder.join("pyvenv.cfg"), format!("home = {home}\n")).unwrap();

            let outside = Interpreter::query(base, &cache).unwrap();
            let inside = Interpreter::query(&bin.join("python"), &cache).unwrap();
            assert!(inside.is_virtual_environment() && !outside.is_virtual_environment());
            assert_eq!(inside.executable(), bin.join("python"));
            assert_eq!(inside.facts().include, outside.facts().include);
            assert_eq!(inside.extension_tag(), outside.extension_tag());
            let lib = fs::canonicalize(&folder).unwrap();
            assert!(fs::canonicalize(&inside.facts().prefix).unwrap() == lib);

            // The same, found as a project's own environment or by its folder.
            let named = folder.display().to_string();
            let found = find_interpreter(Some(&named), None, &cache).unwrap();
            assert_eq!(found.executable(), inside.executable());
        }
    }

    #[test]
    fn a_module_in_the_current_folder_is_not_imported() {
        let folder = tempfile::tempdir().unwrap();
        for module in ["json.py", "sysconfig.py", "os.py"] {
            fs::write(folder.path().join(module), "raise SystemExit('imported')").unwrap();
        }
        for python in interpreters() {
            // The child inherits the folder from a shell, since a test can't change its own.
            let shim = folder.path().join("python");
            let (here, target) = (folder.path().display(), python.executable().display());
            script(&shim, &format!("#!/bin/sh\ncd '{here}' && exec '{target}' \"$@\"\n"));
            assert_eq!(query(&shim, &NoCache).unwrap().facts(), python.facts());
        }
    }
}

#[test]
fn a_version_finds_that_version() {
    let python = find_interpreter(None, None, &NoCache).unwrap();
    let version = python.version().to_string();
    let suffix = if python.facts().gil_disabled { "t" } else { "" };
    let again = find_interpreter(Some(&format!("{version}{suffix}")), None, &NoCache).unwrap();
    assert_eq!(again.version(), python.version());
    let error = find_interpreter(Some("3.7"), None, &NoCache).unwrap_err().to_string();
    assert!(error.starts_with("no Python interpreter found for `3.7`\n"), "{error}");
    assert!(error.contains(&format!("is {}", python.describe())), "{error}");
}
