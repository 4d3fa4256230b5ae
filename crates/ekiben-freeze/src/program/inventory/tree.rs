//! [`Node`]: what a program is made of as a tree, by where things lie.

use std::collections::BTreeMap;

use super::Inventory;

/// A folder or a file, with what it takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) size: u64,
    /// What it is, of a file.
    pub(super) kind: Option<&'static str>,
    pub(super) children: BTreeMap<String, Node>,
}

impl Node {
    /// All of a program.
    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut root = Self::default();
        root.add(&["interpreter"], "interpreter", inventory.interpreter);
        root.add(&["index"], "index", inventory.index);
        for module in &inventory.modules {
            if let Some(path) = &module.path {
                let size = module.code + module.source.unwrap_or(0);
                root.add(&parts(path), "code", size);
            }
        }
        for file in &inventory.files {
            root.add(&parts(&file.path), file.kind, file.stored);
        }
        root
    }

    fn add(&mut self, path: &[&str], kind: &'static str, size: u64) {
        self.size += size;
        match path {
            [] => self.kind = Some(kind),
            [first, rest @ ..] => {
                self.children.entry((*first).to_owned()).or_default().add(rest, kind, size);
            }
        }
    }

    /// Children that take any room, the largest first.
    pub(super) fn largest_first(&self) -> Vec<(&str, &Self)> {
        let sized = self.children.iter().filter(|(_, child)| child.size > 0);
        let mut children: Vec<_> = sized.map(|(name, child)| (name.as_str(), child)).collect();
        children.sort_by_key(|(name, child)| (u64::MAX - child.size, *name));
        children
    }
}

/// The parts of a path, below one name for the standard library and one for the rest.
fn parts(path: &str) -> Vec<&str> {
    let (first, rest) = match path.split_once("/site-packages/") {
        Some((_, rest)) => ("packages", rest),
        None => {
            let below = path.strip_prefix("lib/").and_then(|rest| rest.split_once('/'));
            ("standard library", below.map_or(path, |(_, rest)| rest))
        }
    };
    std::iter::once(first).chain(rest.split('/')).collect()
}
