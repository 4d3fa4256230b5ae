//! Packages that lie beside a program, in a folder, because they have to be files: they open their own
//! by path, or have compiled code that looks for others beside it.
//!
//! What was found of them is taken out of what goes into the image, and written as an interpreter would
//! have it: with compiled code that is taken as it is, whatever the files' times are. The program has
//! the folder on its `sys.path`, from its own folder on.
//!
//! Invariant: a folder is only replaced if Ekiben made it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_image::{Builder, FileKind, Image, ModuleKind};

use super::find::Found;
use super::{Base, Error, Flavour};

/// What says in a folder that it may be replaced.
const MARK: &str = "README.txt";
const MARK_TEXT: &str = "Packages of a program that `ekiben freeze --beside` made: they belong beside it.\n\
                         What is written here is lost when the program is made again.\n";
/// Asks an interpreter how its compiled code begins.
const QUESTION: &str = "import _frozen_importlib_external as it; print(it.MAGIC_NUMBER.hex())";
/// That compiled code is taken without a look at its source (PEP 552), and the source's digest, which
/// nothing looks at then.
const UNCHECKED: [u8; 12] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// What is to lie beside a program.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Top-level packages and modules.
    pub packages: Vec<String>,
    /// The name of the folder.
    pub folder: String,
}

/// A folder beside a program.
#[derive(Debug)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// Its files.
    files: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    /// The number of its files, and of their bytes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.files.len(), self.files.values().map(Vec::len).sum())
    }

    /// Refuses to replace what somebody else has put there.
    pub(super) fn check(&self, parent: &Path) -> Result<(), Error> {
        let path = parent.join(&self.name);
        let is_ours = || fs::read(path.join(MARK)).is_ok_and(|text| text == MARK_TEXT.as_bytes());
        if path.symlink_metadata().is_ok() && !is_ours() {
            return Err(Error::Beside(format!(
                "packages would lie in {}, where something is that Ekiben didn't make",
                path.display()
            )));
        }
        Ok(())
    }

    /// Writes it, in place of the one that was there.
    pub(super) fn write(&self, parent: &Path) -> Result<(), Error> {
        let part = tempfile::Builder::new().prefix(".ekiben-").tempdir_in(parent);
        let part = part.map_err(Error::io("write to", parent))?;
        let new = part.path().join("new");
        for (name, content) in &self.files {
            let path = new.join(name);
            let folder = path.parent().unwrap_or(&new);
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
            fs::write(&path, content).map_err(Error::io("write", &path))?;
        }
        let path = parent.join(&self.name);
        if path.is_dir() {
            // What was there goes with the temporary folder.
            let old = part.path().join("old");
            fs::rename(&path, old).map_err(Error::io("replace", &path))?;
        }
        fs::rename(&new, &path).map_err(Error::io("write", &path))
    }
}

impl Beside {
    /// Whether a path of the program is of one of the packages, or of the libraries that a wheel brings
    /// for it (`numpy.libs`). Gives what follows site-packages.
    fn inner<'a>(&self, path: &'a str, prefix: &str) -> Option<&'a str> {
        let inner = path.strip_prefix(prefix)?.strip_prefix('/')?;
        let first = inner.split('/').next()?.split('.').next()?;
        self.packages.iter().any(|package| package == first).then_some(inner)
    }

    /// Takes the packages out of what was found.
    pub(super) fn take(
        &self,
        found: &mut Found,
        base: &Base,
        flavour: Flavour,
        optimize: u8,
    ) -> Result<Folder, Error> {
        let prefix = base.prefix();
        let wrong = |source| Error::Image { path: PathBuf::from("the program's modules"), source };
        let mut files = BTreeMap::from([(MARK.to_owned(), MARK_TEXT.as_bytes().to_vec())]);
        self.refuse_compiled(found, flavour, base)?;

        let own = Image::open(found.image()).map_err(wrong)?;
        let mut rest = Builder::new();
        let mut header = magic(base)?;
        header.extend(UNCHECKED);
        let has_source = |path: &str| own.file(path).is_some_and(|it| it.kind == FileKind::Source);
        for module in own.modules() {
            let Some(inner) = self.inner(module.path, &prefix) else {
                rest.take_module(&module).map_err(wrong)?;
                continue;
            };
            if module.kind == ModuleKind::Code {
                let name = match has_source(module.path) {
                    true => cached(inner, &base.python, optimize),
                    false => format!("{inner}c"),
                };
                let code = module.code.read().map_err(wrong)?;
                files.insert(name, [header.as_slice(), &code].concat());
            }
        }
        for file in own.files() {
            match self.inner(file.path, &prefix) {
                Some(inner) => {
                    let content = file.content.read().map_err(wrong)?;
                    files.insert(inner.to_owned(), content.into_owned());
                }
                None => rest.take_file(&file).map_err(wrong)?,
            }
        }
        let rest = rest.build().map_err(wrong)?;
        found.replace_image(rest);
        let is_beside = |path: &str| self.inner(path, &prefix).is_some();
        if flavour != Flavour::Static {
            for (path, file) in found.objects.take(is_beside) {
                let content = fs::read(&file).map_err(Error::io("read", &file))?;
                if let Some(inner) = self.inner(&path, &prefix) {
                    files.insert(inner.to_owned(), content);
                }
            }
        }
        for package in &self.packages {
            let is_of = |file: &String| file.split(['/', '.']).next() == Some(package);
            if !files.keys().any(is_of) {
                return Err(Error::Beside(format!(
                    "there is no package `{package}` in the program that could lie beside it"
                )));
            }
        }
        Ok(Folder { name: self.folder.clone(), files })
    }

    /// Compiled modules can't be loaded from files by a static program, nor be linked in and lie beside it.
    pub(super) fn refuse_compiled(
        &self,
        found: &Found,
        flavour: Flavour,
        base: &Base,
    ) -> Result<(), Error> {
        let prefix = base.prefix();
        let linked = found.statics.modules.iter().map(|module| (&module.path, "linked in"));
        let loaded = found.objects.modules.iter().map(|module| (&module.path, "left out"));
        let loaded = loaded.filter(|_| flavour == Flavour::Static);
        match linked.chain(loaded).find(|(path, _)| self.inner(path, &prefix).is_some()) {
            Some((path, how)) => Err(Error::Beside(format!(
                "{path} would be {how}, so that its package can't lie beside the program: only a \
                 program of the flavour `dynamic` or `host` loads files (--link PACKAGE=memory)"
            ))),
            None => Ok(()),
        }
    }
}

/// Where an interpreter looks for the compiled form of a source.
fn cached(source: &str, python: &str, optimize: u8) -> String {
    let (folder, file) =
        source.rsplit_once('/').map_or(("", source), |(folder, file)| (folder, file));
    let stem = file.strip_suffix(".py").unwrap_or(file);
    let level = if optimize == 0 { String::new() } else { format!(".opt-{optimize}") };
    let tag = python.replace('.', "");
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}__pycache__/{stem}.cpython-{tag}{level}.pyc")
}

/// What compiled code begins with.
fn magic(base: &Base) -> Result<Vec<u8>, Error> {
    let interpreter = &base.interpreter;
    let output = Command::new(interpreter).args(["-I", "-S", "-c", QUESTION]).output();
    let output = output.map_err(Error::io("run", interpreter))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let digits = text.trim();
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let magic: Option<Vec<u8>> = [0, 2, 4, 6].into_iter().map(byte).collect();
    magic.filter(|_| digits.len() == 8).ok_or_else(|| Error::Finder {
        interpreter: interpreter.clone(),
        said: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_code_lies_where_interpreters_look_for_it() {
        assert_eq!(cached("a/b.py", "3.13", 0), "a/__pycache__/b.cpython-313.pyc");
        assert_eq!(cached("a.py", "3.9", 2), "__pycache__/a.cpython-39.opt-2.pyc");
    }

    #[test]
    fn paths_are_of_a_package_by_its_name_alone() {
        let beside = Beside { packages: vec!["spam".into()], folder: String::new() };
        let of = |path| beside.inner(path, "lib/site");
        assert_eq!(of("lib/site/spam/x.txt"), Some("spam/x.txt"));
        assert_eq!(of("lib/site/spam.cpython-313.so"), Some("spam.cpython-313.so"));
        assert_eq!(of("lib/site/spam.libs/liba.so"), Some("spam.libs/liba.so"));
        for other in ["lib/site/spam-1.dist-info/METADATA", "lib/site/spams/x", "lib/spam/x"] {
            assert_eq!(of(other), None);
        }
    }
}
