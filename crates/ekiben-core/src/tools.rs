//! Programs that plugins use: found once, identified by content.
//!
//! A tool's *identity* is what an action's key holds in place of its path: the digest of the
//! program, those of its companions (gcc's driver does little by itself), and the words of the user
//! that come with it (`ccache gcc`). So the same compiler gives cache hits wherever it lies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ekiben_engine::{Digest, FileDigests, ToolIdentity};

use crate::plugin::ToolSpec;
use crate::plugin::protocol::{Failure, ToolInfo};

/// A program that was found.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    /// The name that the plugin calls it by.
    pub(crate) name: String,
    /// The name that it was found by.
    pub(crate) program: String,
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Words of the user between the program and its arguments.
    pub(crate) leading: Vec<String>,
    digest: Digest,
    /// What a launcher such as ccache launches.
    launched: BTreeMap<String, Digest>,
    version: String,
    companions: BTreeMap<String, Digest>,
}

/// A tool that someone named, and where.
pub(crate) struct Choice {
    /// What the user wrote.
    pub(crate) command: String,
    /// Where: `CC`, or `tool.ekiben.toolchain.c`.
    pub(crate) place: String,
}

impl Tool {
    /// Finds the tool: environment variables, then the project's choice, then candidates on PATH.
    /// The environment comes first so that a packager can override the project.
    ///
    /// # Errors
    /// When what the user chose isn't there, or nothing is.
    pub(crate) fn find(
        spec: &ToolSpec,
        choice: Option<Choice>,
        search_path: &std::ffi::OsStr,
        base: &Path,
        environment: impl Fn(&str) -> Option<String>,
        digests: &FileDigests,
    ) -> Result<Self, Failure> {
        let from_environment = || {
            spec.environment.iter().find_map(|variable| {
                let command = environment(variable).filter(|value| !value.trim().is_empty())?;
                Some(Choice { command, place: format!("the environment variable `{variable}`") })
            })
        };
        if let Some(choice) = from_environment().or(choice) {
            return Self::chosen(spec, &choice, search_path, base, digests);
        }
        for candidate in &spec.candidates {
            if let Ok(path) = which::which_in(candidate, Some(search_path), base) {
                return Self::at(spec, candidate, path, Vec::new(), digests);
            }
        }
        Err(Failure::user(
            "missing-tool",
            format!(
                "no {} was found on PATH (looked for {})",
                if spec.serves.is_empty() {
                    format!("`{}`", spec.name)
                } else {
                    format!("compiler for {}", spec.serves.join(", "))
                },
                spec.candidates.join(", ")
            ),
        )
        .with_help(match spec.environment.first() {
            Some(variable) => format!("install one of them, or name yours in `{variable}`"),
            None => "install one of them".to_owned(),
        }))
    }

    /// The tool at a known place.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn given(
        spec: &ToolSpec,
        path: PathBuf,
        digests: &FileDigests,
    ) -> Result<Self, Failure> {
        let program = path.to_string_lossy().into_owned();
        Self::at(spec, &program, path, Vec::new(), digests)
    }

    fn chosen(
        spec: &ToolSpec,
        choice: &Choice,
        search_path: &std::ffi::OsStr,
        base: &Path,
        digests: &FileDigests,
    ) -> Result<Self, Failure> {
        let broken = |problem: String| {
            Failure::user(
                "missing-tool",
                format!("{} names `{}`: {problem}", choice.place, choice.command),
            )
            .with_help("give the name of a program on PATH, or its absolute path")
        };
        let words = shlex::split(&choice.command)
            .ok_or_else(|| broken("its quotes aren't closed".to_owned()))?;
        let Some((program, leading)) = words.split_first() else {
            return Err(broken("it is empty".to_owned()));
        };
        let find = |program: &str| which::which_in(program, Some(search_path), base);
        let path = find(program).map_err(|_| broken(format!("there is no program `{program}`")))?;
        let mut tool = Self::at(spec, program, path, leading.to_vec(), digests)?;
        // `ccache gcc`: what the launcher launches matters as much as the launcher.
        for (at, word) in leading.iter().enumerate() {
            if let Ok(path) = find(word) {
                let digest = digests.digest(&path).map_err(|error| unreadable(&path, &error))?;
                tool.launched.insert(word.clone(), digest);
                tool.program.clone_from(word);
                // Absolute, since the launcher is given no PATH of the user's.
                tool.leading[at] = path.to_string_lossy().into_owned();
            }
        }
        Ok(tool)
    }

    fn at(
        spec: &ToolSpec,
        program: &str,
        path: PathBuf,
        leading: Vec<String>,
        digests: &FileDigests,
    ) -> Result<Self, Failure> {
        let digest = digests.digest(&path).map_err(|error| unreadable(&path, &error))?;
        let program = Path::new(program)
            .file_name()
            .map_or(program.to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(Self {
            name: spec.name.clone(),
            program,
            path,
            leading,
            digest,
            launched: BTreeMap::new(),
            version: String::new(),
            companions: BTreeMap::new(),
        })
    }

    /// Makes another program part of the identity.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn add_companion(
        &mut self,
        path: &Path,
        digests: &FileDigests,
    ) -> Result<(), Failure> {
        let digest = digests.digest(path).map_err(|error| unreadable(path, &error))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.companions.insert(name.unwrap_or_default(), digest);
        Ok(())
    }

    /// Names the version, for messages.
    pub(crate) fn set_version(&mut self, text: &str) {
        text.clone_into(&mut self.version);
    }

    /// What plugins see of it. Companions are left out: they are what a plugin makes of this answer.
    #[must_use]
    pub(crate) fn info(&self) -> ToolInfo {
        let mut identity = format!("{}\n{}\n", self.digest, self.leading.join("\0"));
        for (name, digest) in &self.launched {
            identity.push_str(&format!("{name} {digest}\n"));
        }
        ToolInfo {
            name: self.name.clone(),
            program: self.program.clone(),
            digest: Digest::of(identity.as_bytes()).to_string(),
        }
    }

    /// What goes into actions' keys.
    #[must_use]
    pub(crate) fn identity(&self) -> ToolIdentity {
        ToolIdentity {
            name: self.program.clone(),
            path: self.path.clone(),
            digest: self.digest,
            version: self.version.clone(),
            companions: self
                .launched
                .iter()
                .chain(&self.companions)
                .map(|(n, d)| (n.clone(), *d))
                .collect(),
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::user("unreadable-tool", format!("{} can't be read: {error}", path.display()))
}

/// The tools of a build, by plugin and name, each found once.
#[derive(Debug, Default)]
pub(crate) struct Tools(std::sync::Mutex<BTreeMap<(String, String), Tool>>);

impl Tools {
    fn table(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), Tool>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn get_or_find(
        &self,
        plugin: &str,
        name: &str,
        find: impl FnOnce() -> Result<Tool, Failure>,
    ) -> Result<Tool, Failure> {
        let key = (plugin.to_owned(), name.to_owned());
        if let Some(tool) = self.table().get(&key) {
            return Ok(tool.clone());
        }
        let tool = find()?;
        Ok(self.table().entry(key).or_insert(tool).clone())
    }

    /// Changes a tool that has been found.
    pub(crate) fn change(
        &self,
        plugin: &str,
        name: &str,
        change: impl FnOnce(&mut Tool) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.table().get_mut(&(plugin.to_owned(), name.to_owned())) {
            Some(tool) => change(tool),
            None => Err(Failure::Internal(format!("the tool `{name}` wasn't asked for yet"))),
        }
    }
}
