//! `[dependency-groups]` (PEP 735): the requirements of those groups that settings name.
//!
//! A group is read only if something needs it: what is wrong with others is no business of a build.

use std::collections::BTreeMap;
use std::str::FromStr;

use pep508_rs::ExtraName;

use crate::diagnostic::{Diagnostic, Report};
use crate::standard::{Dependency, parse_requirement};
use crate::suggest::did_you_mean;
use crate::tree::{KeyPath, Node, Table};

/// The table, and the groups that lead to the one that is read.
struct Reader<'r, 's> {
    table: &'r Table,
    report: &'r mut Report<'s>,
    around: Vec<String>,
}

/// The requirements of `names`, each with the place where it is named; by the name in the settings.
pub(crate) fn read<'n>(
    document: &Table,
    names: impl IntoIterator<Item = (&'n str, Option<&'n Node>, KeyPath)>,
    report: &mut Report<'_>,
) -> BTreeMap<String, Vec<Dependency>> {
    let none = Table::default();
    let table = document.get("dependency-groups").and_then(Node::as_table).unwrap_or(&none);
    let mut groups = BTreeMap::new();
    for (name, at, key) in names {
        let mut reader = Reader { table, report: &mut *report, around: Vec::new() };
        let error = Diagnostic::error("unknown-group", String::new()).key(&key);
        let error = match at {
            Some(node) => crate::check::at_node(error, node),
            None => error,
        };
        let mut found = Vec::new();
        reader.group(name, error, &mut found);
        groups.insert(name.to_owned(), found);
    }
    groups
}

impl Reader<'_, '_> {
    /// Adds the requirements of a group; `error` has the place that names it.
    fn group(&mut self, name: &str, error: Diagnostic, found: &mut Vec<Dependency>) {
        let normal = normalized(name);
        if self.around.contains(&normal) {
            let circle = self.around.iter().chain([&normal]).map(|name| format!("`{name}`"));
            let circle = circle.collect::<Vec<_>>().join(", ");
            let message = format!("dependency groups include each other without end: {circle}");
            let code = "circular-groups";
            self.report
                .push(Diagnostic { code, message, ..error }.help("remove one of the includes"));
            return;
        }
        let entries = &self.table.entries;
        let Some(entry) = entries.iter().find(|entry| normalized(&entry.key) == normal) else {
            let known: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
            let message = format!("there is no dependency group `{name}`");
            let help = match known.is_empty() {
                true => Some(format!("add `[dependency-groups]`, and there `{name} = […]`")),
                false => did_you_mean(name, &known),
            };
            self.report.push(Diagnostic { message, ..error }.helps(help));
            return;
        };
        let table = self.table;
        let Some(entry) = table.entry(&entry.key) else { return };
        let path = KeyPath::of(&["dependency-groups"]).key(&entry.key);
        let Some(items) = entry.node.as_array() else {
            let message = format!("expected an array, found {}", entry.node.type_name());
            let error = Diagnostic::error("wrong-type", message).at(entry.node.span()).key(path);
            self.report.push(error.help("write requirements: `[\"attrs>=25\"]`"));
            return;
        };
        self.around.push(normal);
        for (at, item) in items.iter().enumerate() {
            self.item(item, &path.index(at), found);
        }
        self.around.pop();
    }

    fn item(&mut self, item: &Node, path: &KeyPath, found: &mut Vec<Dependency>) {
        let error =
            |code, message: String| Diagnostic::error(code, message).at(item.span()).key(path);
        if let Some(text) = item.as_str() {
            match parse_requirement(text) {
                Ok(dependency) => found.push(dependency),
                Err(wrong) => {
                    let error = error("invalid-requirement", wrong.message);
                    self.report.push(error.helps(wrong.help));
                }
            }
            return;
        }
        let included = item.as_table().and_then(|table| table.get("include-group")?.as_str());
        match included {
            Some(name) => self.group(name, error("unknown-group", String::new()), found),
            None => {
                let message = "this is neither a requirement nor a group".to_owned();
                let error = error("wrong-type", message);
                self.report.push(error.help("write `{ include-group = \"…\" }` for a group"));
            }
        }
    }
}

/// Names of groups are compared as those of extras are.
fn normalized(name: &str) -> String {
    ExtraName::from_str(name).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use crate::project::Project;

    fn project(groups: &str, names: &str) -> Result<Project, String> {
        let text = format!(
            "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n\
             [project]\nname = \"spam\"\nversion = \"1\"\n\
             [dependency-groups]\n{groups}\n[tool.ekiben.executable]\ndependency-groups = {names}\n"
        );
        Project::parse(&text, Path::new("pyproject.toml")).map_err(|error| {
            let all = error.into_diagnostics();
            let shown = |it: &crate::Diagnostic| format!("{it} {:?}\n", it.help);
            all.iter().map(shown).collect()
        })
    }

    #[test]
    fn groups_include_others() {
        let groups =
            "bundle = [\"attrs\", {include-group = \"Web_Parts\"}]\nweb-parts = [\"flask>=3\"]";
        let project = project(groups, "[\"bundle\"]").unwrap();
        let texts: Vec<String> =
            project.dependency_group("bundle").unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["attrs", "flask>=3"]);
        assert!(project.dependency_group("web-parts").is_none(), "nothing names it");
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        let groups = "a = [{include-group = \"b\"}]\nb = [{include-group = \"a\"}]\n\
                      c = [\"!\", 1, {include-group = \"d\"}]\ne = 1";
        let told = project(groups, "[\"a\", \"bb\", \"c\", \"e\"]").unwrap_err();
        insta::assert_snapshot!(told, @r#"
        pyproject.toml:9:6: error[circular-groups]: dependency groups include each other without end: `a`, `b`, `a` ["remove one of the includes"]
        pyproject.toml:10:6: error[invalid-requirement]: `!` isn't a dependency: expected package name starting with an alphanumeric character, found `!` ["dependencies look like `numpy>=2,<3; python_version < \"3.13\"` (PEP 508)"]
        pyproject.toml:10:11: error[wrong-type]: this is neither a requirement nor a group ["write `{ include-group = \"…\" }` for a group"]
        pyproject.toml:10:14: error[unknown-group]: there is no dependency group `d` ["known here: `a`, `b`, `c`, `e`"]
        pyproject.toml:11:5: error[wrong-type]: expected an array, found an integer ["write requirements: `[\"attrs>=25\"]`"]
        pyproject.toml:13:27: error[unknown-group]: there is no dependency group `bb` ["did you mean `b`?"]
        "#);
        let none = project("", "[\"a\"]").unwrap_err();
        assert!(none.contains("add `[dependency-groups]`, and there `a = […]`"), "{none}");
    }
}
