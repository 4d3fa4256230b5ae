//! [`Project`]: what a project's `pyproject.toml` says of its program.

use std::path::{Path, PathBuf};

use ekiben_project::{Artifact, EntryPoint, Executable, FunctionRef, PYPROJECT, Standard};

use super::{Error, Target};

/// Ekiben, as projects name their backend.
const BACKEND: &str = "ekiben";

/// The artifact that has objects of modules.
const STATIC: &str = "static-extension";

/// What a project's `pyproject.toml` says of its program, whichever backend the project has.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    standard: Standard,
    /// What it says to Ekiben.
    ekiben: Option<ekiben_project::Project>,
}

/// What of a project's modules is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modules {
    /// Shared objects, which are loaded.
    Shared,
    /// Objects, which are linked in; shared ones if another backend than Ekiben builds it.
    Static,
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// If there is none, or its `[project]` isn't right.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let standard = Standard::load(folder).map_err(Error::Project)?;
        // What isn't right by Ekiben's settings is another backend's, or is told when it is built.
        let ekiben = ekiben_project::Project::load(folder).ok();
        Ok(Self { folder: folder.to_owned(), standard, ekiben })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.standard.name.as_str()
    }

    /// `[tool.ekiben.executable]`.
    #[must_use]
    pub fn settings(&self) -> Option<&Executable> {
        self.ekiben.as_ref().map(|project| &project.settings().executable)
    }

    /// `project.dependencies`, and those of groups that `[tool.ekiben.executable]` names.
    ///
    /// # Errors
    /// If only the project's backend knows them.
    pub fn dependencies(&self) -> Result<Vec<String>, Error> {
        if self.standard.dynamic.iter().any(|field| field == "dependencies") {
            let message = "`dependencies` is dynamic: say by --requirements what the program needs";
            return Err(self.wrong(message.to_owned()));
        }
        let groups = self.ekiben.iter().flat_map(|project| {
            let names = &project.settings().executable.dependency_groups;
            names.iter().filter_map(|name| project.dependency_group(name.as_str())).flatten()
        });
        Ok(self.standard.dependencies.iter().chain(groups).map(ToString::to_string).collect())
    }

    /// Whether its own compiled modules can be linked in, without a build by others' means.
    #[must_use]
    pub fn links_modules(&self) -> bool {
        self.artifact(Modules::Static) == Some(STATIC)
    }

    /// The artifact that a build has to be asked for so that its wheel holds these modules; none if it
    /// is what the project makes anyhow.
    pub(crate) fn artifact(&self, modules: Modules) -> Option<&'static str> {
        let project = self.ekiben.as_ref()?;
        let artifact = project.settings().artifact;
        let is_ekibens = project.build_system().build_backend.as_deref() == Some(BACKEND);
        match modules {
            Modules::Static if is_ekibens => Some(STATIC),
            _ => (artifact != Artifact::Extension).then_some("extension"),
        }
    }

    /// What its program is called: as in a wheel, like the script that it is, or like the project if
    /// that names an entry point.
    ///
    /// # Errors
    /// If there is no script, or it isn't clear which is meant.
    pub fn program_name(&self, script: Option<&str>) -> Result<&str, Error> {
        match (script, self.chosen()) {
            (None, Some(_)) => Ok(self.name()),
            _ => self.script(script).map(|script| script.name.as_str()),
        }
    }

    /// The entry point of a script, which needs no name if there is only one, or one that is named
    /// like the project.
    ///
    /// # Errors
    /// If there is none, or it isn't clear which is meant.
    pub fn entry_point(&self, script: Option<&str>) -> Result<Target, Error> {
        if let (None, Some(chosen)) = (script, self.chosen()) {
            let (module, function) = chosen.split_once(':').unwrap_or((chosen, ""));
            let (module, function) = (module.to_owned(), function.to_owned());
            return Ok(Target::EntryPoint { module, function, within: None });
        }
        let script = self.script(script)?;
        if script.object.attributes.is_empty() {
            let (name, module) = (&script.name, &script.object.module);
            return Err(self.wrong(format!("the script `{name}` names no function: {module}")));
        }
        Ok(Target::EntryPoint {
            module: script.object.module.to_string(),
            function: script.object.attributes.join("."),
            within: None,
        })
    }

    /// The setting `entry-point`.
    fn chosen(&self) -> Option<&str> {
        self.settings()?.entry_point.as_ref().map(FunctionRef::as_str)
    }

    fn script(&self, script: Option<&str>) -> Result<&EntryPoint, Error> {
        let groups = ["console_scripts", "gui_scripts"];
        let scripts: Vec<&EntryPoint> =
            groups.iter().flat_map(|group| self.standard.entry_points(group)).collect();
        let names: Vec<&str> = scripts.iter().map(|script| script.name.as_str()).collect();
        let project = self.standard.name.as_str();
        let name = match (script, names.as_slice()) {
            (Some(name), _) => name,
            (None, []) => {
                let message = "[project.scripts] names no script that could be the program";
                return Err(self.wrong(message.to_owned()));
            }
            (None, [name]) => name,
            (None, _) if names.contains(&project) => project,
            (None, _) => {
                let names = names.join(", ");
                let message =
                    format!("there are several scripts: choose by --script one of {names}");
                return Err(self.wrong(message));
            }
        };
        scripts.iter().find(|script| script.name == name).copied().ok_or_else(|| {
            let names = names.join(", ");
            self.wrong(format!("[project.scripts] has no `{name}`, but {names}"))
        })
    }

    fn wrong(&self, message: String) -> Error {
        Error::Text { path: self.folder.join(PYPROJECT), message }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    fn project(text: &str) -> Result<Project, Error> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(PYPROJECT), text).unwrap();
        Project::read(folder.path())
    }

    #[test]
    fn the_script_is_chosen() {
        let one = "[project]\nname = \"spam\"\ndynamic = [\"version\"]\n[project.scripts]\n\
                   eggs = \"spam.cli:main.run\"\n";
        let spam = project(one).unwrap();
        let expected = Target::EntryPoint {
            module: "spam.cli".into(),
            function: "main.run".into(),
            within: None,
        };
        assert_eq!(spam.entry_point(None).unwrap(), expected);
        assert_eq!(spam.program_name(None).unwrap(), "eggs");
        let message = spam.entry_point(Some("ham")).unwrap_err().to_string();
        assert!(message.ends_with("[project.scripts] has no `ham`, but eggs"), "{message}");

        let several = project(&format!("{one}ham = \"spam:ham\"\n")).unwrap();
        let message = several.entry_point(None).unwrap_err().to_string();
        assert!(message.ends_with("choose by --script one of eggs, ham"), "{message}");
        let named = project(&format!("{one}spam = \"spam:spam\"\n")).unwrap();
        let expected =
            Target::EntryPoint { module: "spam".into(), function: "spam".into(), within: None };
        assert_eq!(named.entry_point(None).unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let spam = "[project]\nname = \"spam\"\nversion = \"1\"\n";
        let none = project(spam).unwrap();
        assert!(none.entry_point(None).unwrap_err().to_string().contains("names no script"));
        for (text, expected) in [
            ("[tool]\n", "there is no [project] table"),
            ("[project]\nversion = \"1\"\n", "`project` has no `name`"),
            (&format!("{spam}dependencies = [\"a b\"]\n"), ":4:20: error[invalid-requirement]"),
        ] {
            let Err(Error::Project(error)) = project(text) else { panic!("{text}") };
            let diagnostic = error.into_diagnostics().remove(0);
            let said = format!("{diagnostic}");
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn dependencies_are_those_that_are_known() {
        let text = "[project]\nname = \"spam\"\nversion = \"1\"\n";
        let given = project(&format!("{text}dependencies = [\"rich >=13\"]\n")).unwrap();
        assert_eq!(given.dependencies().unwrap(), ["rich >=13"]);
        assert!(project(text).unwrap().dependencies().unwrap().is_empty());
        let dynamic = project(&format!("{text}dynamic = [\"dependencies\"]\n")).unwrap();
        let message = dynamic.dependencies().unwrap_err().to_string();
        assert!(message.contains("`dependencies` is dynamic"), "{message}");
    }
}
