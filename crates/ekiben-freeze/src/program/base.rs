//! [`Base`]: the files of a runtime, or an ordinary interpreter, that a program is made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ekiben_image::{FileKind, Image};
use ekiben_object::elf;

use super::Error;
use crate::glibc;
use crate::runtime::{Flavour, Runtime};

/// The files of a runtime, or an ordinary interpreter, that a program is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The interpreters that are put into programs, which have an empty image.
    pub programs: BTreeMap<Flavour, PathBuf>,
    /// The ordinary interpreter of the same build, which compiles.
    pub interpreter: PathBuf,
    /// The image of the standard library.
    pub stdlib: PathBuf,
    /// The version that folders are named after, such as `3.13`.
    pub python: String,
}

impl Base {
    /// The runtime in a folder.
    ///
    /// # Errors
    /// If it isn't one.
    pub fn in_folder(folder: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::NoRuntime { folder: folder.to_owned(), why };
        let bin = folder.join("bin");
        let names = std::fs::read_dir(&bin).into_iter().flatten().flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (python, flavour) = name.strip_prefix("python")?.split_once('-')?;
            Flavour::ALL.iter().any(|it| it.as_str() == flavour).then(|| python.to_owned())
        });
        let python = names.max();
        let python = python.ok_or_else(|| wrong("there is no bin/python3.x-static".to_owned()))?;
        let program = |flavour| bin.join(format!("python{python}-{flavour}"));
        let programs = Flavour::ALL.map(|flavour| (flavour, program(flavour)));
        let base = Self {
            programs: programs.into_iter().filter(|(_, path)| path.is_file()).collect(),
            interpreter: bin.join(format!("python{python}")),
            stdlib: folder.join("stdlib.image"),
            python,
        };
        for path in [&base.interpreter, &base.stdlib] {
            if !path.is_file() {
                let inner = path.strip_prefix(folder).unwrap_or(path);
                return Err(wrong(format!("there is no {}", inner.display())));
            }
        }
        Ok(base)
    }

    /// The runtime's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.stdlib.parent().unwrap_or(&self.stdlib)
    }

    /// Whether it is an ordinary interpreter, of which nothing can be linked anew.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.programs.contains_key(&Flavour::Host)
    }

    /// The runtime that it is of.
    ///
    /// # Errors
    /// If it is an ordinary interpreter.
    pub fn runtime(&self) -> Result<Runtime, Error> {
        Ok(Runtime::open(self.folder())?)
    }

    /// The interpreter of a flavour.
    ///
    /// # Errors
    /// If the runtime has none.
    pub fn program(&self, flavour: Flavour) -> Result<&Path, Error> {
        self.programs.get(&flavour).map(PathBuf::as_path).ok_or_else(|| Error::NoRuntime {
            folder: self.folder().to_owned(),
            why: format!("there is no bin/python{}-{flavour}", self.python),
        })
    }

    /// The same, if this Ekiben can make programs of a flavour of it: one of another version may have
    /// another image.
    ///
    /// # Errors
    /// If it can't.
    pub fn usable(self, flavour: Flavour) -> Result<Self, Error> {
        self.program(flavour)?;
        let bytes = std::fs::read(&self.stdlib).map_err(Error::io("read", &self.stdlib))?;
        match Image::open(&bytes) {
            Ok(_) => Ok(self),
            Err(error) => {
                let why = format!("stdlib.image can't be used: {error}");
                Err(Error::NoRuntime { folder: self.folder().to_owned(), why })
            }
        }
    }

    /// The digest of all that it depends on, after which its folder is named.
    #[must_use]
    pub fn digest(&self) -> String {
        self.folder().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The version of glibc that a program needs at least, such as `2.36`; none if it needs none.
    ///
    /// # Errors
    /// If the interpreter can't be read.
    pub fn glibc(&self, flavour: Flavour) -> Result<Option<String>, Error> {
        let program = self.program(flavour)?;
        let needed = |path: &Path, bytes: &[u8]| {
            let object = |source| Error::Object { path: path.to_owned(), source };
            elf::needed_versions(bytes).map_err(object)
        };
        let bytes = std::fs::read(program).map_err(Error::io("read", program))?;
        let mut versions = needed(program, &bytes)?;
        if flavour == Flavour::Host {
            // The launcher needs nothing of what it loads.
            let bytes = std::fs::read(&self.stdlib).map_err(Error::io("read", &self.stdlib))?;
            let wrong = |source| Error::Image { path: self.stdlib.clone(), source };
            let image = Image::open(&bytes).map_err(wrong)?;
            for file in image.files().filter(|file| file.kind == FileKind::SharedObject) {
                let content = file.content.read().map_err(wrong)?;
                versions.extend(needed(Path::new(file.path), &content)?);
            }
        }
        let newest = glibc::newest(&versions);
        Ok(newest.map(|(major, minor)| format!("{major}.{minor}")))
    }

    /// The folder of installed packages that a word of the command line stands for, which may be a
    /// virtual environment.
    #[must_use]
    pub fn site(&self, folder: &Path) -> PathBuf {
        if folder.join("pyvenv.cfg").is_file() {
            folder.join(self.prefix())
        } else {
            folder.to_owned()
        }
    }

    /// Where modules that aren't the standard library's lie in programs.
    pub(crate) fn prefix(&self) -> String {
        format!("lib/python{}/site-packages", self.python)
    }
}
