//! An interpreter to build for, and what follows from its facts.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::tag::normalize;
use crate::{Error, Facts, FactsCache, Implementation, PythonVersion, Tag, cache, facts};

/// A supported interpreter.
#[derive(Clone, Debug)]
pub struct Interpreter {
    facts: Facts,
}

/// Which binary interface an extension module is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtensionAbi {
    /// That of exactly this interpreter.
    Full,
    /// The limited API: this interpreter and later ones (`abi3`, PEP 384).
    Limited,
}

/// How many scripts may stand between a path and an interpreter.
const MAX_SHIMS: usize = 4;

impl Interpreter {
    /// The interpreter at `path`, from `cache` if nothing has changed since it was asked.
    ///
    /// A script (a shim of pyenv or asdf, a wrapper) is asked for the interpreter that it starts,
    /// every time, since that depends on the folder and the environment.
    pub fn query(path: &Path, cache: &dyn FactsCache) -> Result<Self, Error> {
        let mut executable = absolute(path)?;
        for _ in 0..=MAX_SHIMS {
            if !is_script(&executable)? {
                return Self::query_binary(&executable, cache);
            }
            executable = absolute(&facts::ask_executable(&executable)?)?;
        }
        Err(Error::EndlessShim { python: path.to_owned() })
    }

    fn query_binary(executable: &Path, cache: &dyn FactsCache) -> Result<Self, Error> {
        let key = cache::key(executable);
        if let Some(facts) = cache::load(cache, &key) {
            return Ok(Self { facts });
        }
        let facts = facts::ask(executable)?;
        cache::store(cache, &key, &facts);
        Ok(Self { facts })
    }

    /// What the interpreter says about itself.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its major and minor version.
    pub fn version(&self) -> PythonVersion {
        self.facts.version.python()
    }

    /// `sys.executable`.
    pub fn executable(&self) -> &Path {
        &self.facts.executable
    }

    /// Whether it is in a virtual environment.
    pub fn is_virtual_environment(&self) -> bool {
        self.facts.prefix != self.facts.base_prefix
    }

    /// For messages: `CPython 3.13.0 (free-threaded)`.
    pub fn describe(&self) -> String {
        let threads = if self.facts.gil_disabled { " (free-threaded)" } else { "" };
        format!("{} {}{threads}", self.facts.implementation, self.facts.version)
    }

    /// The folders to give to a C compiler: where `Python.h` is, and where `pyconfig.h` is if that
    /// is elsewhere.
    pub fn include_folders(&self) -> Vec<&Path> {
        let (include, platform) = (&*self.facts.include, &*self.facts.platinclude);
        if include == platform { vec![include] } else { vec![include, platform] }
    }

    /// Fails, with the name of the package to install, if there is no `Python.h`.
    pub fn check_headers(&self) -> Result<(), Error> {
        let header = self.facts.include.join("Python.h");
        if header.is_file() {
            return Ok(());
        }
        Err(Error::MissingHeaders {
            python: self.facts.executable.clone(),
            implementation: self.facts.implementation,
            version: self.version(),
            header,
        })
    }

    /// The tag of a wheel without compiled code: `py3-none-any`.
    pub fn pure_tag() -> Tag {
        Tag { python: "py3".into(), abi: "none".into(), platform: "any".into() }
    }

    /// The tag of a wheel with extension modules for exactly this interpreter.
    pub fn extension_tag(&self) -> Tag {
        let version = self.version().nodot();
        let (python, abi) = match self.facts.implementation {
            Implementation::CPython => {
                let threads = if self.facts.gil_disabled { "t" } else { "" };
                let debug = if self.facts.debug { "d" } else { "" };
                (format!("cp{version}"), format!("cp{version}{threads}{debug}"))
            }
            // `.pypy310-pp73-x86_64-linux-gnu.so`: the first two parts are the ABI, the rest is the
            // platform.
            Implementation::PyPy => {
                let soabi = self.facts.ext_suffix.split('.').nth(1).unwrap_or_default();
                let abi: Vec<&str> = soabi.split('-').take(2).collect();
                (format!("pp{version}"), normalize(&abi.join("-")))
            }
        };
        Tag { python, abi, platform: self.platform_tag() }
    }

    /// The tag of a wheel whose extension modules use the limited API of `oldest`.
    pub fn abi3_tag(&self, oldest: PythonVersion) -> Result<Tag, Error> {
        self.check_limited_api()?;
        if oldest < PythonVersion::new(3, 2) || oldest > self.version() {
            return Err(Error::LimitedApiVersion { asked: oldest, python: self.describe() });
        }
        Ok(Tag {
            python: format!("cp{}", oldest.nodot()),
            abi: "abi3".into(),
            platform: self.platform_tag(),
        })
    }

    /// The platform part of tags: `linux_x86_64`, `macosx_11_0_arm64`, `win_amd64`.
    pub fn platform_tag(&self) -> String {
        let platform = normalize(&self.facts.platform);
        let narrow = self.facts.pointer_size == 4;
        match platform.as_str() {
            // The kernel is wider than the interpreter: what `packaging` calls these.
            "linux_x86_64" if narrow => "linux_i686".into(),
            "linux_aarch64" if narrow => "linux_armv8l".into(),
            _ if self.facts.platform.starts_with("macosx-") => self.macos_tag().unwrap_or(platform),
            _ => platform,
        }
    }

    /// `macosx-11.0-universal2`, changed by `MACOSX_DEPLOYMENT_TARGET` and `ARCHFLAGS`, which are
    /// how macOS builds choose what they are for.
    fn macos_tag(&self) -> Option<String> {
        let (_, rest) = self.facts.platform.split_once('-')?;
        let (built_for, built_arch) = rest.split_once('-')?;
        let arch = self.facts.requested_archflags.as_deref().and_then(requested_arch);
        let arch = arch.unwrap_or(built_arch);
        let target = self.facts.requested_macos_deployment_target.as_deref().unwrap_or(built_for);
        let mut numbers = target.split('.').map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next().and_then(Result::ok).unwrap_or(0);
        // From 11 on, installers know whole versions only; before it, nothing ran on arm64.
        let (major, minor) = match (major, minor) {
            (11.., _) => (major, 0),
            _ if arch == "arm64" => (11, 0),
            older => older,
        };
        Some(format!("macosx_{major}_{minor}_{arch}"))
    }

    /// The file of an extension module, relative to where packages lie, with `/` between its parts:
    /// `spam._x` is `spam/_x.cpython-313-x86_64-linux-gnu.so`, or `spam/_x.abi3.so`.
    pub fn extension_file_name(&self, module: &str, abi: ExtensionAbi) -> Result<String, Error> {
        if !module.split('.').all(is_identifier) {
            return Err(Error::InvalidModuleName(module.to_owned()));
        }
        let suffix = match abi {
            ExtensionAbi::Full => self.facts.ext_suffix.as_str(),
            ExtensionAbi::Limited => {
                self.check_limited_api()?;
                match (self.facts.os.as_str(), self.facts.debug) {
                    ("win32", false) => ".pyd",
                    ("win32", true) => "_d.pyd",
                    ("cygwin", _) => ".abi3.dll",
                    _ => ".abi3.so",
                }
            }
        };
        Ok(format!("{}{suffix}", module.replace('.', "/")))
    }

    /// PyPy has no stable ABI; a free-threaded CPython up to 3.14 has none either (PEP 703), and
    /// later ones have another (PEP 803).
    fn check_limited_api(&self) -> Result<(), Error> {
        if self.facts.implementation == Implementation::CPython && !self.facts.gil_disabled {
            Ok(())
        } else {
            Err(Error::NoLimitedApi { python: self.describe() })
        }
    }
}

/// What `-arch x86_64 -arch arm64` asks for.
fn requested_arch(flags: &str) -> Option<&'static str> {
    let words: Vec<&str> = flags.split_whitespace().collect();
    let has = |arch| words.windows(2).any(|pair| pair == ["-arch", arch]);
    match (has("x86_64"), has("arm64")) {
        (true, true) => Some("universal2"),
        (true, false) => Some("x86_64"),
        (false, true) => Some("arm64"),
        (false, false) => None,
    }
}

fn is_identifier(part: &str) -> bool {
    let mut characters = part.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|character| character == '_' || character.is_alphanumeric())
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::CannotRun { python: path.to_owned(), source })
}

fn is_script(path: &Path) -> Result<bool, Error> {
    let cannot_run = |source| Error::CannotRun { python: path.to_owned(), source };
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(2).read_to_end(&mut start)).map_err(cannot_run)?;
    Ok(start == b"#!")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::facts::tests::example;

    fn with(change: impl FnOnce(&mut Facts)) -> Interpreter {
        let mut facts = example();
        change(&mut facts);
        Interpreter { facts }
    }

    fn tag(change: impl FnOnce(&mut Facts)) -> String {
        with(change).extension_tag().to_string()
    }

    fn pypy(facts: &mut Facts) {
        facts.implementation = Implementation::PyPy;
        facts.version.1 = 10;
        facts.ext_suffix = ".pypy310-pp73-x86_64-linux-gnu.so".into();
    }

    #[test]
    fn tags_of_builds() {
        assert_eq!(tag(|_| ()), "cp313-cp313-linux_x86_64");
        assert_eq!(tag(|facts| facts.gil_disabled = true), "cp313-cp313t-linux_x86_64");
        assert_eq!(tag(|facts| facts.debug = true), "cp313-cp313d-linux_x86_64");
        let both = tag(|facts| (facts.debug, facts.gil_disabled) = (true, true));
        assert_eq!(both, "cp313-cp313td-linux_x86_64");
        assert_eq!(tag(pypy), "pp310-pypy310_pp73-linux_x86_64");
        assert_eq!(Interpreter::pure_tag().to_string(), "py3-none-any");
    }

    #[test]
    fn platforms() {
        let platform = |platform: &str, pointer_size| {
            with(|facts| (facts.platform, facts.pointer_size) = (platform.into(), pointer_size))
                .platform_tag()
        };
        assert_eq!(platform("linux-x86_64", 4), "linux_i686");
        assert_eq!(platform("linux-aarch64", 4), "linux_armv8l");
        assert_eq!(platform("linux-aarch64", 8), "linux_aarch64");
        assert_eq!(platform("win-amd64", 8), "win_amd64");
        assert_eq!(platform("win32", 4), "win32");
        assert_eq!(platform("macosx-10.9-universal2", 8), "macosx_10_9_universal2");
        assert_eq!(platform("macosx-10.13-x86_64", 8), "macosx_10_13_x86_64");
        assert_eq!(platform("macosx-14.5-arm64", 8), "macosx_14_0_arm64");
        assert_eq!(platform("freebsd-14.1-RELEASE-amd64", 8), "freebsd_14_1_RELEASE_amd64");
    }

    #[test]
    fn macos_builds_choose_target_and_architecture() {
        let built = |target: Option<&str>, flags: Option<&str>| {
            with(|facts| {
                facts.platform = "macosx-10.13-universal2".into();
                facts.requested_macos_deployment_target = target.map(Into::into);
                facts.requested_archflags = flags.map(Into::into);
            })
            .platform_tag()
        };
        assert_eq!(built(None, None), "macosx_10_13_universal2");
        assert_eq!(built(Some("12.3"), None), "macosx_12_0_universal2");
        assert_eq!(built(Some("12"), None), "macosx_12_0_universal2");
        assert_eq!(built(None, Some("-arch arm64")), "macosx_11_0_arm64");
        assert_eq!(built(None, Some("-arch x86_64 -g")), "macosx_10_13_x86_64");
        assert_eq!(built(None, Some("-arch x86_64 -arch arm64")), "macosx_10_13_universal2");
        assert_eq!(built(Some("not a version"), None), "macosx_10_13_universal2");
    }

    #[test]
    fn the_limited_api() {
        let python = with(|_| ());
        let tag = python.abi3_tag(PythonVersion::new(3, 9)).unwrap();
        assert_eq!(tag.to_string(), "cp39-abi3-linux_x86_64");
        insta::assert_snapshot!(
            python.abi3_tag(PythonVersion::new(3, 14)).unwrap_err(),
            @"the limited API of 3.14 can't be built with CPython 3.13.0"
        );
        assert!(python.abi3_tag(PythonVersion::new(2, 7)).is_err());
        for other in [with(pypy), with(|facts| facts.gil_disabled = true)] {
            assert!(other.abi3_tag(PythonVersion::new(3, 9)).is_err());
            assert!(other.extension_file_name("a", ExtensionAbi::Limited).is_err());
        }
    }

    #[test]
    fn file_names_of_modules() {
        let python = with(|_| ());
        let name = |module| python.extension_file_name(module, ExtensionAbi::Full);
        assert_eq!(name("spam._x").unwrap(), "spam/_x.cpython-313-x86_64-linux-gnu.so");
        let limited = python.extension_file_name("spam._x", ExtensionAbi::Limited).unwrap();
        assert_eq!(limited, "spam/_x.abi3.so");
        let windows = with(|facts| {
            facts.os = "win32".into();
            facts.ext_suffix = ".cp313-win_amd64.pyd".into();
        });
        let limited = windows.extension_file_name("x", ExtensionAbi::Limited).unwrap();
        assert_eq!(limited, "x.pyd");
        for bad in ["", ".", "a.", ".a", "a b", "a/b", "1a", "a-b"] {
            assert!(name(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(name("größe._ü").is_ok());
    }

    #[test]
    fn missing_headers_name_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let python = with(|facts| facts.include = folder.path().join("python3.13"));
        let error = python.check_headers().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("CPython 3.13 (`/venv/bin/python`) has no headers: there is no `")
        );
        insta::assert_snapshot!(error.hint().unwrap(), @"install the package that has them: `python3.13-dev` (Debian, Ubuntu), `python3-devel` or `python3.13-devel` (Fedora, RHEL), `python313-devel` (openSUSE), `python3-dev` (Alpine); interpreters of pyenv, conda, uv and python.org always have them");
        std::fs::create_dir(folder.path().join("python3.13")).unwrap();
        std::fs::write(folder.path().join("python3.13").join("Python.h"), "").unwrap();
        assert!(python.check_headers().is_ok());
    }
}
