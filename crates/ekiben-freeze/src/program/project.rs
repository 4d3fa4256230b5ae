//! [`Project`]: what a project's `pyproject.toml` says of its program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Error, Target};

/// What a project's `pyproject.toml` says of its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name.
    pub name: String,
    /// `project.dependencies`.
    pub dependencies: Vec<String>,
    /// Whether its wheels hold programs that Ekiben makes, and not its modules.
    pub(crate) is_executable: bool,
    /// `project.scripts`, and `project.gui-scripts`.
    scripts: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct File {
    project: Option<Table>,
    #[serde(default)]
    tool: Tool,
}

#[derive(Default, Deserialize)]
struct Tool {
    #[serde(default)]
    ekiben: Ekiben,
}

#[derive(Default, Deserialize)]
struct Ekiben {
    artifact: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Table {
    name: String,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    scripts: BTreeMap<String, String>,
    #[serde(default)]
    gui_scripts: BTreeMap<String, String>,
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// If there is none, or its `[project]` isn't right.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("pyproject.toml");
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let wrong = |message: String| Error::Text { path: path.clone(), message };
        let file: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let table = file.project.ok_or_else(|| wrong("there is no [project]".to_owned()))?;
        let mut scripts = table.scripts;
        scripts.extend(table.gui_scripts);
        Ok(Self {
            folder: folder.to_owned(),
            name: table.name,
            dependencies: table.dependencies,
            is_executable: file.tool.ekiben.artifact.as_deref() == Some("executable"),
            scripts,
        })
    }

    /// The entry point of a script, which needs no name if there is only one, or one that is named
    /// like the project.
    ///
    /// # Errors
    /// If there is none, or it isn't clear which is meant.
    pub fn entry_point(&self, script: Option<&str>) -> Result<Target, Error> {
        let path = self.folder.join("pyproject.toml");
        let wrong = |message: String| Error::Text { path: path.clone(), message };
        let names = self.scripts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let name = match (script, self.scripts.len()) {
            (Some(name), _) => name,
            (None, 0) => {
                let message = "[project.scripts] names no script that could be the program";
                return Err(wrong(message.to_owned()));
            }
            (None, 1) => names.as_str(),
            (None, _) if self.scripts.contains_key(&self.name) => &self.name,
            (None, _) => {
                return Err(wrong(format!(
                    "there are several scripts: choose by --script one of {names}"
                )));
            }
        };
        let Some(entry) = self.scripts.get(name) else {
            return Err(wrong(format!("[project.scripts] has no `{name}`, but {names}")));
        };
        // Extras after the function mean nothing any more.
        let entry = entry.split('[').next().unwrap_or(entry).trim();
        match entry.split_once(':') {
            Some((module, function)) => Ok(Target::EntryPoint {
                module: module.trim().to_owned(),
                function: function.trim().to_owned(),
            }),
            None => Err(wrong(format!("the script `{name}` names no function: {entry}"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn project(text: &str) -> Result<Project, Error> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pyproject.toml"), text).unwrap();
        Project::read(folder.path())
    }

    #[test]
    fn the_script_is_chosen() {
        let one = "[project]\nname = \"spam\"\n[project.scripts]\neggs = \"spam.cli:main.run\"\n";
        let spam = project(one).unwrap();
        let expected =
            Target::EntryPoint { module: "spam.cli".into(), function: "main.run".into() };
        assert_eq!(spam.entry_point(None).unwrap(), expected);
        let message = spam.entry_point(Some("ham")).unwrap_err().to_string();
        assert!(message.ends_with("[project.scripts] has no `ham`, but eggs"), "{message}");

        let several = project(&format!("{one}ham = \"spam:ham\"\n")).unwrap();
        let message = several.entry_point(None).unwrap_err().to_string();
        assert!(message.ends_with("choose by --script one of eggs, ham"), "{message}");
        let named = project(&format!("{one}spam = \"spam:spam\"\n")).unwrap();
        let expected = Target::EntryPoint { module: "spam".into(), function: "spam".into() };
        assert_eq!(named.entry_point(None).unwrap(), expected);

        let none = project("[project]\nname = \"spam\"\n").unwrap();
        assert!(none.entry_point(None).unwrap_err().to_string().contains("names no script"));
        assert!(project("[tool]\n").unwrap_err().to_string().ends_with("there is no [project]"));
        assert!(project("[project]\n").unwrap_err().to_string().contains("missing field `name`"));
    }
}
