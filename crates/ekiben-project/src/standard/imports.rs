//! `import-names` and `import-namespaces` (PEP 794): what can be imported once it is installed.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use super::read::Reader;
use crate::tree::{KeyPath, Node, Table};
use crate::values::ModuleName;

/// A name that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportName {
    /// The module or package.
    pub name: ModuleName,
    /// Whether its author calls it private.
    pub private: bool,
}

impl fmt::Display for ImportName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.private { "; private" } else { "" })
    }
}

type Names = Option<Vec<ImportName>>;

pub(super) fn read_imports(
    reader: &mut Reader<'_, '_>,
    project: &Table,
    path: &KeyPath,
) -> (Names, Names) {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    let mut field = |key: &str, reader: &mut Reader<'_, '_>| {
        let node = project.get(key)?;
        let path = path.key(key);
        let mut names = Vec::new();
        for (at, item) in reader.array(node, &path).iter().enumerate() {
            let path = path.index(at);
            let Some(name) = read_name(reader, item, &path) else { continue };
            if seen.insert(name.name.clone()) {
                all.push((name.name.clone(), item.clone(), path));
                names.push(name);
            } else {
                let message = format!("`{}` is listed twice", name.name);
                reader.error("duplicate-import", message, item, &path, ["remove one".to_owned()]);
            }
        }
        Some(names)
    };
    let names = field("import-names", reader);
    let namespaces = field("import-namespaces", reader);
    for (name, item, path) in all {
        let parents = std::iter::successors(name.parent(), ModuleName::parent);
        for parent in parents.filter(|parent| !seen.contains(parent)) {
            let message = format!("`{name}` is listed, but not `{parent}`, which it lies in");
            let help = format!("add \"{parent}\" to `import-names` or `import-namespaces`");
            reader.error("missing-import-parent", message, &item, &path, [help]);
        }
    }
    (names, namespaces)
}

fn read_name(reader: &mut Reader<'_, '_>, node: &Node, path: &KeyPath) -> Option<ImportName> {
    let text = reader.line(node, path)?;
    let (name, mark) =
        text.split_once(';').map_or((text, None), |(name, mark)| (name, Some(mark.trim())));
    if let Some(mark) = mark
        && mark != "private"
    {
        let message = format!("`{mark}` can't follow a name");
        let help = format!("write \"{}; private\", or the name alone", name.trim());
        reader.error("invalid-import", message, node, path, [help]);
        return None;
    }
    match ModuleName::from_str(name.trim()) {
        Ok(name) => Some(ImportName { name, private: mark.is_some() }),
        Err(error) => {
            reader.error("invalid-import", error.message, node, path, error.help);
            None
        }
    }
}
