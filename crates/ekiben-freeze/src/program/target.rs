//! [`Target`]: what is to become a program.

use std::path::{Path, PathBuf};

use super::Error;

/// What is to become a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of Python.
    Script(PathBuf),
    /// A module that is run as by `python -m`, with a folder to look for it if one was named.
    Module {
        /// Its dotted name.
        name: String,
        /// The folder that holds it.
        within: Option<PathBuf>,
    },
    /// A function that is called, whose result is the exit status.
    EntryPoint {
        /// The module that it is in.
        module: String,
        /// The function, which may be an attribute of something.
        function: String,
        /// The folder that holds the module, if one was named.
        within: Option<PathBuf>,
    },
    /// The folder of a project, with a `pyproject.toml`.
    Project(PathBuf),
}

impl Target {
    /// What a word of the command line stands for: what is there comes first, then what is spelt so.
    ///
    /// # Errors
    /// If it can't be any of these.
    pub fn parse(word: &str) -> Result<Self, Error> {
        let path = Path::new(word);
        if path.is_dir() && (word.contains(['/', '.']) || path.join("pyproject.toml").is_file()) {
            return Self::folder(path);
        }
        if path.extension().is_some_and(|extension| extension == "py" || extension == "pyw") {
            return Ok(Self::Script(path.to_owned()));
        }
        if let Some((module, function)) = word.split_once(':')
            && is_dotted(module)
            && is_dotted(function)
        {
            return Ok(Self::EntryPoint {
                module: module.to_owned(),
                function: function.to_owned(),
                within: within(module),
            });
        }
        if is_dotted(word) {
            return Ok(Self::Module { name: word.to_owned(), within: within(word) });
        }
        if path.is_file() {
            return Ok(Self::Script(path.to_owned()));
        }
        Err(Error::Target(format!("`{word}` can't be made a program: there is no such file")))
    }

    fn folder(path: &Path) -> Result<Self, Error> {
        if path.join("pyproject.toml").is_file() {
            return Ok(Self::Project(path.to_owned()));
        }
        let full = std::path::absolute(path).map_err(Error::io("resolve", path))?;
        let name = full.file_name().map(|name| name.to_string_lossy().into_owned());
        let is_package = path.join("__main__.py").is_file();
        match (name, full.parent()) {
            (Some(name), Some(parent)) if is_package && is_identifier(&name) => {
                Ok(Self::Module { name, within: Some(parent.to_owned()) })
            }
            _ => Err(Error::Target(format!(
                "the folder {} can't be made a program: it has neither pyproject.toml nor __main__.py",
                path.display()
            ))),
        }
    }
}

/// The current folder, if a module, or the package that it is in, lies there.
fn within(module: &str) -> Option<PathBuf> {
    let first = module.split('.').next().unwrap_or(module);
    let is_here = Path::new(first).is_dir() || Path::new(&format!("{first}.py")).is_file();
    is_here.then(|| PathBuf::from("."))
}

pub(super) fn is_dotted(word: &str) -> bool {
    word.split('.').all(is_identifier)
}

fn is_identifier(word: &str) -> bool {
    word.chars().all(|it| it == '_' || it.is_alphanumeric())
        && word.chars().next().is_some_and(|first| !first.is_numeric())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn words_are_told_apart() {
        let module = |name: &str| Target::Module { name: name.to_owned(), within: None };
        assert_eq!(Target::parse("http.server").unwrap(), module("http.server"));
        // Tests run in the folder of this crate.
        for word in ["src", "src.lib", "src.lib:main"] {
            let (Target::Module { within, .. } | Target::EntryPoint { within, .. }) =
                Target::parse(word).unwrap()
            else {
                panic!("{word}");
            };
            assert_eq!(within, Some(".".into()), "{word}");
        }
        assert_eq!(Target::parse("hello.py").unwrap(), Target::Script("hello.py".into()));
        let (module, function) = ("a.b".into(), "c.d".into());
        let entry = Target::EntryPoint { module, function, within: None };
        assert_eq!(Target::parse("a.b:c.d").unwrap(), entry);
        for wrong in ["", "no-such-file", "a..b", "a:", "1a"] {
            assert!(matches!(Target::parse(wrong), Err(Error::Target(_))), "{wrong}");
        }
    }

    #[test]
    fn folders_are_projects_or_packages() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("spam");
        fs::create_dir(&package).unwrap();
        let word = package.to_str().unwrap();
        let message = Target::parse(word).unwrap_err().to_string();
        assert!(message.contains("neither pyproject.toml nor __main__.py"), "{message}");
        fs::write(package.join("__main__.py"), "").unwrap();
        let expected = Target::Module { name: "spam".into(), within: Some(folder.path().into()) };
        assert_eq!(Target::parse(word).unwrap(), expected);
        fs::write(package.join("pyproject.toml"), "").unwrap();
        assert_eq!(Target::parse(word).unwrap(), Target::Project(package.clone()));
    }
}
