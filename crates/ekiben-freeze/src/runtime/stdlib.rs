//! The image of the standard library.

use std::path::Path;

use ekiben_image::{Builder, Content, Effort, FileKind, ModuleKind, NewModule};
use serde::Serialize;

use super::Parts;
use super::code::{self, Unit};
use super::error::Error;
use super::files;
use super::install::BESIDE_IMAGES;
use super::manifest::Interpreter;
use super::run::Runner;

/// What is changed of one of the library's modules.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Change {
    /// Its file.
    file: &'static str,
    /// A part of it, which is there once.
    part: &'static str,
    /// What stands there instead.
    instead: &'static str,
    /// Whether every version has the part.
    always: bool,
}

/// What is changed of the library's modules.
pub(crate) const CHANGES: [Change; 3] = [
    // It asks the disk whether a folder is the library's.
    Change {
        file: "pydoc.py",
        part: "not os.path.samefile(script_dir, stdlib_dir)",
        instead: "script_dir != stdlib_dir",
        always: true,
    },
    // When it is imported it starts its work, which Ekiben's own did. `python -m site` needs it still.
    Change {
        file: "site.py",
        part: "if not sys.flags.no_site:\n    main()",
        instead: "if __name__ == '__main__':\n    main()",
        always: true,
    },
    // It is 0.8 MB, which a small program may leave out; then wide characters count as others.
    Change {
        file: "traceback.py",
        part: "    import unicodedata\n\n",
        instead: "    try: import unicodedata\n    except ImportError: return offset\n",
        always: false,
    },
];
/// Packages, with all that is in them, and modules that may be needed before anything can be imported
/// from the image. Some CPython has frozen into it too, but not with `-X frozen_modules=off`, which
/// debuggers ask for.
const EARLY: [&str; 9] = [
    "_ekiben_importer",
    "_ekiben_loaders",
    "_ekiben_site",
    // What `warnings` is made of since 3.14.
    "_py_warnings",
    "abc",
    "codecs",
    "encodings",
    "io",
    "warnings",
];

/// What determines the image, besides the interpreter and Ekiben's parts.
pub(crate) fn recipe() -> impl serde::Serialize {
    (CHANGES, EARLY, ALWAYS_EARLY)
}

/// Of `encodings` only these are needed in an environment in UTF-8. They are read where they lie, as
/// `EARLY`'s other modules are; codecs are packed.
const ALWAYS_EARLY: [&str; 3] = ["encodings", "encodings.aliases", "encodings.utf_8"];

/// Writes the image of the interpreter in `root` to `output`.
pub(super) fn write(
    root: &Path,
    interpreter: &Interpreter,
    parts: Parts<'_>,
    output: &Path,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    runner.step("Writing the image of the standard library")?;
    let stdlib = format!("lib/python{}", interpreter.python);
    let mut builder = Builder::new();
    let work = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
    add_parts(&mut builder, root, &stdlib, parts, work.path(), runner)?;
    add_tree(&mut builder, root, &stdlib)?;
    for module in &interpreter.modules {
        let new = NewModule {
            kind: ModuleKind::Builtin,
            is_package: false,
            path: String::new(),
            code: Content::default(),
        };
        builder.module(&module.name, new).map_err(|error| wrong(&error))?;
    }
    for (name, path) in files::list(&root.join("licenses"))? {
        let content = Content::compressed(files::read(&path)?, Effort::Thorough);
        builder
            .file(&format!("licenses/{name}"), FileKind::Licence, content)
            .map_err(|error| wrong(&error))?;
    }
    let names: Vec<String> = files::list(&root.join(&stdlib))?.into_keys().collect();
    let early = early_modules(&stdlib, &names);
    for (key, value) in
        [("python", &interpreter.python), ("version", &interpreter.version), ("early", &early)]
    {
        builder.set(key, value).map_err(|error| wrong(&error))?;
    }
    files::write(output, builder.build().map_err(|error| wrong(&error))?)
}

/// Where the modules of `EARLY` lie, without their suffixes, one a line.
fn early_modules(stdlib: &str, names: &[String]) -> String {
    let modules = names.iter().filter_map(|name| module_of(name)).map(|(name, _)| name);
    let mut early: Vec<String> = EARLY.map(str::to_owned).into();
    early.extend(modules.filter(|module| is_early(module)));
    early.sort();
    early.dedup();
    let stems = early.iter().map(|module| format!("{stdlib}/{}", module.replace('.', "/")));
    stems.collect::<Vec<_>>().join("\n")
}

/// Whether a module is one of `EARLY`, or in one.
pub(crate) fn is_early(module: &str) -> bool {
    let rest = |early: &&str| module.strip_prefix(early);
    EARLY.iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Ekiben's own modules, and what it changes of the library's.
fn add_parts(
    builder: &mut Builder<'_>,
    root: &Path,
    stdlib: &str,
    parts: Parts<'_>,
    work: &Path,
    runner: &mut Runner<'_>,
) -> Result<(), Error> {
    let interpreter = root.join("bin").join(stdlib.trim_start_matches("lib/"));
    let own = parts.python.iter().map(|(file, text)| (*file, (*text).to_owned()));
    let mut sources: Vec<(&str, String)> = own.collect();
    for change in CHANGES {
        let text = files::read_text(&root.join(stdlib).join(change.file))?;
        sources.push((change.file, change.apply(&text)?));
    }
    let mut units = Vec::new();
    for (file, text) in &sources {
        let source = work.join(file);
        files::write(&source, text)?;
        let output = work.join(format!("{file}c"));
        let name = format!("{stdlib}/{file}");
        units.push(Unit { source, output, name });
    }
    code::compile(&interpreter, &units, runner)?;
    for (unit, (file, text)) in units.iter().zip(&sources) {
        let code = code::read_pyc(&unit.output)?;
        let name = file.trim_end_matches(".py");
        add_module(builder, name, false, &unit.name, code, text.as_bytes().to_vec())?;
    }
    Ok(())
}

impl Change {
    fn apply(&self, text: &str) -> Result<String, Error> {
        match text.matches(self.part).count() {
            1 => Ok(text.replacen(self.part, self.instead, 1)),
            0 if !self.always => Ok(text.to_owned()),
            _ => Err(Error::Internal(format!(
                "{} doesn't have once what is to be changed: {}",
                self.file, self.part
            ))),
        }
    }
}

/// The library's own modules and the files beside them.
fn add_tree(builder: &mut Builder<'_>, root: &Path, stdlib: &str) -> Result<(), Error> {
    let tag = code::cache_tag(stdlib);
    for (name, source) in files::list(&root.join(stdlib))? {
        if !is_in_image(&name) {
            continue;
        }
        let path = format!("{stdlib}/{name}");
        match module_of(&name) {
            Some((_, is_package)) if builder.has_module_at(&path, is_package) => {}
            Some((module, is_package)) => {
                let code = code::read_pyc(&code::cached(&source, &tag))?;
                add_module(builder, &module, is_package, &path, code, files::read(&source)?)?;
            }
            None => {
                let content = Content::plain(files::read(&source)?);
                builder.file(&path, FileKind::Resource, content).map_err(|error| wrong(&error))?;
            }
        }
    }
    Ok(())
}

/// Whether a file of the library's folder goes into the image.
pub(super) fn is_in_image(name: &str) -> bool {
    let is_beside = BESIDE_IMAGES.iter().any(|folder| name.starts_with(folder));
    !is_beside && !name.contains("__pycache__/") && !name.starts_with("config-")
}

fn add_module(
    builder: &mut Builder<'_>,
    name: &str,
    is_package: bool,
    path: &str,
    code: Vec<u8>,
    source: Vec<u8>,
) -> Result<(), Error> {
    let is_read_in_place =
        ALWAYS_EARLY.contains(&name) || is_early(name) && !name.starts_with("encodings.");
    let code = match is_read_in_place {
        true => Content::plain(code),
        false => Content::compressed(code, Effort::Thorough),
    };
    let new = NewModule { kind: ModuleKind::Code, is_package, path: path.to_owned(), code };
    builder.module(name, new).map_err(|error| wrong(&error))?;
    let source = Content::compressed(source, Effort::Thorough);
    builder.file(path, FileKind::Source, source).map_err(|error| wrong(&error))
}

/// The module that a file is, and whether it is a package.
pub(super) fn module_of(file: &str) -> Option<(String, bool)> {
    let stem = file.strip_suffix(".py")?;
    Some(match stem.strip_suffix("/__init__") {
        Some(package) => (package.replace('/', "."), true),
        None => (stem.replace('/', "."), false),
    })
}

fn wrong(error: &ekiben_image::Error) -> Error {
    Error::Internal(format!("the image can't be written: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_are_modules_by_their_names() {
        assert_eq!(module_of("json/__init__.py").unwrap(), ("json".to_owned(), true));
        assert_eq!(module_of("json/decoder.py").unwrap(), ("json.decoder".to_owned(), false));
        let odd = "_sysconfigdata__linux_x86_64-linux-gnu";
        assert_eq!(module_of(&format!("{odd}.py")).unwrap(), (odd.to_owned(), false));
        assert_eq!(module_of("venv/scripts/common/activate"), None);
    }

    #[test]
    fn what_is_changed_has_to_be_there() {
        let change = Change { file: "x.py", part: "= 1", instead: "= 2", always: true };
        assert_eq!(change.apply("a = 1\n").unwrap(), "a = 2\n");
        for text in ["", "a = 1\nb = 1\n"] {
            let error = change.apply(text).unwrap_err().to_string();
            assert_eq!(error, "x.py doesn't have once what is to be changed: = 1");
        }
        let change = Change { always: false, ..change };
        assert_eq!(change.apply("b = 3\n").unwrap(), "b = 3\n");
        change.apply("a = 1\nb = 1\n").unwrap_err();
    }

    #[test]
    fn encodings_are_early_with_all_that_is_in_them() {
        let names = ["encodings/__init__.py", "encodings/utf_8.py", "site.py", "os.py"];
        let early = early_modules("lib/python3.13", &names.map(str::to_owned));
        let expected = [
            "_ekiben_importer",
            "_ekiben_loaders",
            "_ekiben_site",
            "_py_warnings",
            "abc",
            "codecs",
            "encodings",
            "encodings/utf_8",
            "io",
            "warnings",
        ];
        let expected = expected.map(|stem| format!("lib/python3.13/{stem}"));
        assert_eq!(early, expected.join("\n"));
    }
}
