//! [`Base`]: the files of a runtime that a program is made of.

use std::fs;
use std::path::{Path, PathBuf};

use ekiben_image::Image;

use super::Error;

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
        let stdlib = folder.join("stdlib.image");
        let missing = |path: &Path| Error::NoRuntime {
            folder: folder.to_owned(),
            why: format!("there is no {}", path.strip_prefix(folder).unwrap_or(path).display()),
        };
        if !stdlib.is_file() {
            return Err(missing(&stdlib));
        }
        let bytes = fs::read(&stdlib).map_err(Error::io("read", &stdlib))?;
        let wrong = |source| Error::Image { path: stdlib.clone(), source };
        let python = Image::open(&bytes).map_err(wrong)?.setting("python").map(str::to_owned);
        let python = python.ok_or_else(|| Error::NoRuntime {
            folder: folder.to_owned(),
            why: "stdlib.image doesn't say which Python it is of".to_owned(),
        })?;
        let interpreter = folder.join(format!("bin/python{python}"));
        let program = folder.join(format!("bin/python{python}-{flavour}"));
        for path in [&interpreter, &program] {
            if !path.is_file() {
                return Err(missing(path));
            }
        }
        Ok(Self { program, interpreter, stdlib, python })
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
