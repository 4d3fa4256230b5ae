//! [`Base`]: the files of a runtime that a program is made of.

use std::fs;
use std::path::{Path, PathBuf};

use ekiben_image::Image;
use ekiben_object::elf;

use super::Error;
use crate::glibc;

/// The files of a runtime that a program is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The interpreter that is put into programs, which has an empty image.
    pub program: PathBuf,
    /// The ordinary interpreter of the same build, which compiles.
    pub interpreter: PathBuf,
    /// The image of the standard library.
    pub stdlib: PathBuf,
    /// The version that folders are named after, such as `3.13`.
    pub python: String,
}

impl Base {
    /// The runtime in a folder, with its interpreter of a flavour, `static` or `dynamic`.
    ///
    /// # Errors
    /// If it isn't one, or hasn't that flavour.
    pub fn in_folder(folder: &Path, flavour: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::NoRuntime { folder: folder.to_owned(), why };
        let bin = folder.join("bin");
        let names = fs::read_dir(&bin).into_iter().flatten().flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (python, its) = name.strip_prefix("python")?.split_once('-')?;
            (its == flavour).then(|| python.to_owned())
        });
        let python = names.max();
        let python = python.ok_or_else(|| wrong(format!("there is no bin/python3.x-{flavour}")))?;
        let base = Self {
            program: bin.join(format!("python{python}-{flavour}")),
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

    /// The same, if this Ekiben can make programs of it: one of another version may have another image.
    ///
    /// # Errors
    /// If it can't.
    pub fn usable(self) -> Result<Self, Error> {
        let bytes = fs::read(&self.stdlib).map_err(Error::io("read", &self.stdlib))?;
        match Image::open(&bytes) {
            Ok(_) => Ok(self),
            Err(error) => {
                let folder = self.stdlib.parent().unwrap_or(&self.stdlib).to_owned();
                Err(Error::NoRuntime {
                    folder,
                    why: format!("stdlib.image can't be used: {error}"),
                })
            }
        }
    }

    /// The version of glibc that a program needs at least, such as `2.36`; none if it needs none.
    ///
    /// # Errors
    /// If the interpreter can't be read.
    pub fn glibc(&self) -> Result<Option<String>, Error> {
        let bytes = fs::read(&self.program).map_err(Error::io("read", &self.program))?;
        let object = |source| Error::Object { path: self.program.clone(), source };
        let versions = elf::needed_versions(&bytes).map_err(object)?;
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
