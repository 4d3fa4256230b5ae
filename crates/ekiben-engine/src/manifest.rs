//! [`Manifest`]: everything that determines an action's outputs, as a list of entries.
//!
//! The key is the digest of the list, and an explanation is the difference between two lists. Because nothing reaches
//! the key except through an entry, an explanation can't miss what changed a key. (The idea is n2's.)
//!
//! Entries are symbolic: paths name their root, never where it lies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::action::{Action, ActionKind, Arg, ArtifactId, DepFile, Piece, Program};
use crate::digest::Digest;
use crate::path::{Location, Root};
use crate::reason::{Change, InputChange};

/// Changes whenever the encoding, or what an entry means, changes: old results must not match then.
const ENCODING: &[u8] = b"ekiben action 1\n";

/// What an entry is about. The discriminant is part of the encoding: numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Field {
    Mnemonic = 1,
    Program = 2,
    ToolVersion = 3,
    ToolDigest = 4,
    Companion = 5,
    Argument = 6,
    Variable = 7,
    Function = 8,
    Params = 9,
    Property = 10,
    DepFormat = 11,
    SearchFolder = 12,
    Input = 13,
    Output = 14,
}

/// One fact that the outputs depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) field: Field,
    /// Which of several: a variable's name, an input's location; empty where there is one only or a sequence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) value: String,
}

/// See the module. Serialisable, because the last one of each action is kept for explanations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Manifest {
    entries: Vec<Entry>,
}

impl Manifest {
    /// The manifest of `action`, whose artifacts are where `locate` says, whose locations `spell` writes, and whose
    /// inputs have these digests.
    pub(crate) fn of<'a>(
        action: &Action,
        locate: impl Fn(ArtifactId) -> &'a Location,
        spell: impl Fn(&Location) -> String,
        inputs: impl IntoIterator<Item = (&'a Location, Digest)>,
    ) -> Self {
        let mut manifest = Self::default();
        let mut add = |field, name: &str, value: String| {
            manifest.entries.push(Entry { field, name: name.to_owned(), value });
        };
        add(Field::Mnemonic, "", action.mnemonic.clone());
        match &action.kind {
            ActionKind::Process { program, argv, env } => {
                match program {
                    Program::Tool(tool) => {
                        add(Field::ToolVersion, &tool.name, tool.version.clone());
                        add(Field::ToolDigest, &tool.name, tool.digest.to_string());
                        for (name, digest) in &tool.companions {
                            add(Field::Companion, name, digest.to_string());
                        }
                    }
                    Program::Artifact(program) => {
                        add(Field::Program, "", spell(locate(*program)));
                    }
                }
                for arg in argv {
                    add(Field::Argument, "", symbolic(arg, &locate, &spell));
                }
                for (name, value) in env {
                    add(Field::Variable, name, symbolic(value, &locate, &spell));
                }
            }
            ActionKind::Function(function) => {
                add(Field::Function, &function.name, function.version.clone());
                add(Field::Params, "", sorted(&function.params).to_string());
            }
        }
        for (name, value) in &action.properties {
            add(Field::Property, name, value.clone());
        }
        match &action.dep_file {
            None => {}
            Some(DepFile::Make(_)) => add(Field::DepFormat, "make", String::new()),
            Some(DepFile::Plain(_)) => add(Field::DepFormat, "plain", String::new()),
            Some(DepFile::Trace(_)) => add(Field::DepFormat, "trace", String::new()),
            Some(DepFile::Msvc { prefix }) => add(Field::DepFormat, "msvc", prefix.clone()),
        }
        for folder in &action.search_path {
            add(Field::SearchFolder, "", spell(folder));
        }
        let inputs: BTreeMap<_, _> =
            inputs.into_iter().map(|(location, digest)| (spell(location), digest)).collect();
        for (location, digest) in inputs {
            add(Field::Input, &location, digest.to_string());
        }
        for output in &action.outputs {
            add(Field::Output, "", spell(locate(*output)));
        }
        manifest
    }

    /// The digest of the canonical encoding: each entry is the field's number, then name and value, each preceded by
    /// its length in bytes as a little-endian `u64`.
    pub(crate) fn key(&self) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(ENCODING);
        for Entry { field, name, value } in &self.entries {
            hasher.update([*field as u8]);
            for text in [name, value] {
                hasher.update((text.len() as u64).to_le_bytes());
                hasher.update(text);
            }
        }
        Digest::from_bytes(hasher.finalize().into())
    }

    fn values(&self, field: Field) -> BTreeMap<&str, &str> {
        self.entries
            .iter()
            .filter(|entry| entry.field == field)
            .map(|entry| (&*entry.name, &*entry.value))
            .collect()
    }

    fn sequence(&self, field: Field) -> Vec<&str> {
        self.entries
            .iter()
            .filter(|entry| entry.field == field)
            .map(|entry| &*entry.value)
            .collect()
    }

    /// What a person should hear about the way from `old` to `self`. Empty only if the two are the same.
    pub(crate) fn changes_since(&self, old: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        self.tool_changes(old, &mut changes);
        let (added, removed) =
            difference(&self.sequence(Field::Argument), &old.sequence(Field::Argument));
        if self.sequence(Field::Argument) != old.sequence(Field::Argument) {
            changes.push(Change::Argv { added, removed });
        }
        let named = |field| keyed(&old.values(field), &self.values(field));
        for (name, old, new) in named(Field::Variable) {
            changes.push(Change::Env { name, old, new });
        }
        for (name, old, new) in named(Field::Property) {
            changes.push(Change::Property { name, old, new });
        }
        if self.values(Field::Params) != old.values(Field::Params) {
            changes.push(Change::Params);
        }
        for (location, old, new) in named(Field::Input) {
            let kind = match (old, new) {
                (None, _) => InputChange::Added,
                (_, None) => InputChange::Removed,
                _ => InputChange::Content,
            };
            changes.push(Change::Input { location: unsymbolic(&location), kind });
        }
        let outline = [Field::Mnemonic, Field::DepFormat, Field::SearchFolder, Field::Output];
        let outline_differs = |field: &Field| {
            self.entries
                .iter()
                .filter(|entry| entry.field == *field)
                .ne(old.entries.iter().filter(|entry| entry.field == *field))
        };
        if changes.is_empty() || outline.iter().any(outline_differs) {
            let (added, removed) =
                difference(&self.sequence(Field::Output), &old.sequence(Field::Output));
            if self != old {
                changes.push(Change::Declaration {
                    added: added.iter().map(|text| unsymbolic(text)).collect(),
                    removed: removed.iter().map(|text| unsymbolic(text)).collect(),
                });
            }
        }
        changes
    }

    fn tool_changes(&self, old: &Self, changes: &mut Vec<Change>) {
        let version_of = |manifest: &Self| {
            manifest
                .entries
                .iter()
                .find(|entry| {
                    matches!(entry.field, Field::ToolVersion | Field::Function | Field::Program)
                })
                .map(|entry| (entry.name.clone(), entry.value.clone()))
        };
        let content = |manifest: &Self| {
            manifest
                .entries
                .iter()
                .filter(|entry| matches!(entry.field, Field::ToolDigest | Field::Companion))
                .map(|entry| (entry.name.clone(), entry.value.clone()))
                .collect::<Vec<_>>()
        };
        let (was, is) = (version_of(old), version_of(self));
        let digest_changed = content(old) != content(self);
        if was == is && !digest_changed {
            return;
        }
        let (old_name, old_version) = was.unwrap_or_default();
        let (name, new_version) = is.unwrap_or_default();
        let old_version =
            if old_name == name { old_version } else { format!("{old_name} {old_version}") };
        changes.push(Change::Tool { name, old_version, new_version, digest_changed });
    }
}

/// An argument with its paths in symbolic form: `-o{build:obj/a.o}`. An opening brace in the text is doubled and a brace
/// in a path encoded, so that neither can pass for the other.
fn symbolic<'a>(
    arg: &Arg,
    locate: impl Fn(ArtifactId) -> &'a Location,
    spell: impl Fn(&Location) -> String,
) -> String {
    let encode = |location: &Location| {
        let path = spell(location).replace('%', "%25").replace('{', "%7B").replace('}', "%7D");
        format!("{{{path}}}")
    };
    let mut text = String::new();
    for piece in &arg.0 {
        match piece {
            Piece::Text(literal) => text.push_str(&literal.replace('{', "{{")),
            Piece::Artifact(artifact) => text.push_str(&encode(locate(*artifact))),
            Piece::Folder(folder) => text.push_str(&encode(folder)),
            Piece::Root(Root::Source) => text.push_str("{source}"),
            Piece::Root(Root::Build) => text.push_str("{build}"),
        }
    }
    text
}

/// The path part of a symbolic location.
pub(crate) fn unsymbolic(symbolic: &str) -> String {
    symbolic.split_once(':').map_or(symbolic, |(_, path)| path).to_owned()
}

/// `value` with the keys of every object in order, since parameters that are equal must have one encoding.
fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let ordered: BTreeMap<_, _> = map.iter().collect();
            ordered.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        serde_json::Value::Array(values) => values.iter().map(sorted).collect(),
        value => value.clone(),
    }
}

/// What `new` has more often than `old`, and the other way round, each in its order.
fn difference(new: &[&str], old: &[&str]) -> (Vec<String>, Vec<String>) {
    let surplus = |of: &[&str], over: &[&str]| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in over {
            *counts.entry(text).or_default() += 1;
        }
        let mut rest = Vec::new();
        for text in of {
            match counts.get_mut(text) {
                Some(count) if *count > 0 => *count -= 1,
                _ => rest.push((*text).to_owned()),
            }
        }
        rest
    };
    (surplus(new, old), surplus(old, new))
}

/// The names whose value differs, with both values.
fn keyed(
    old: &BTreeMap<&str, &str>,
    new: &BTreeMap<&str, &str>,
) -> Vec<(String, Option<String>, Option<String>)> {
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    names
        .into_iter()
        .filter(|name| old.get(name) != new.get(name))
        .map(|name| {
            let owned = |value: Option<&&str>| value.map(|value| (*value).to_owned());
            (name.to_owned(), owned(old.get(name)), owned(new.get(name)))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::action::ToolIdentity;
    use crate::path::RelPath;

    fn build(path: &str) -> Location {
        Location::Build(RelPath::new(path).unwrap())
    }

    /// Artifact 0 is a source, 1 an object, 2 the dependency file.
    fn locate(artifact: ArtifactId) -> &'static Location {
        static PLACES: std::sync::OnceLock<[Location; 3]> = std::sync::OnceLock::new();
        let source = || Location::Source(RelPath::new("a.c").unwrap());
        &PLACES.get_or_init(|| [source(), build("a.o"), build("a.d")])[artifact.index()]
    }

    fn compile() -> Action {
        let [source, object, dep_file] = [0, 1, 2].map(ArtifactId::from_index);
        let tool = ToolIdentity {
            name: "gcc".into(),
            path: "/somewhere/gcc".into(),
            digest: Digest::of(b"gcc"),
            version: "12.2.0".into(),
            companions: [("cc1".to_owned(), Digest::of(b"cc1"))].into(),
        };
        let mut action = Action::process("build_ext", "CompileC", tool)
            .args(["-c", "-DBRACE={source:a.c}"])
            .arg(Arg(vec![
                Piece::Text("-ffile-prefix-map=".into()),
                Piece::Root(Root::Source),
                Piece::Text("=".into()),
                Piece::Root(Root::Build),
            ]))
            .arg(Arg::folder("-I", build("include")))
            .arg(Arg::prefixed("-o", object))
            .arg(source)
            .env("LC_ALL", "C")
            .output(object)
            .dep_file(DepFile::Make(dep_file));
        action.search_path.push(build("include"));
        action.properties.insert("OSFamily".into(), "linux".into());
        action
    }

    fn manifest(action: &Action) -> Manifest {
        let inputs = [(locate(ArtifactId::from_index(0)), Digest::of(b"source"))];
        Manifest::of(action, locate, Location::symbolic, inputs)
    }

    /// A change here makes every cache in the world useless: raise the number in [`ENCODING`] with it.
    #[test]
    fn canonical_encoding() {
        let manifest = manifest(&compile());
        let lines: Vec<_> = manifest
            .entries
            .iter()
            .map(|Entry { field, name, value }| {
                let value = if value.len() == 64 { &value[..8] } else { value };
                format!("{} {name}|{value}", *field as u8)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        1 |CompileC
        3 gcc|12.2.0
        4 gcc|94f0fa7f
        5 cc1|42842171
        6 |-c
        6 |-DBRACE={{source:a.c}
        6 |-ffile-prefix-map={source}={build}
        6 |-I{build:include}
        6 |-o{build:a.o}
        6 |{source:a.c}
        7 LC_ALL|C
        10 OSFamily|linux
        11 make|
        12 |build:include
        13 source:a.c|41cf6794
        14 |build:a.o
        ");
        // Computed from the list above by another program.
        let key = "a6f145cd6657e0c9c5b6dd249cac3ec3064ec30e1adc44dcc41b21b8ccc3553f";
        assert_eq!(manifest.key().to_string(), key);
    }

    #[test]
    fn nothing_else_is_in_the_key() {
        let key = manifest(&compile()).key();
        let mut other = compile();
        other.owner = "other".into();
        other.description = "other".into();
        other.weight = 7;
        other.pool = Some("link".into());
        other.uses_jobserver = true;
        other.compile_source = Some(ArtifactId::from_index(0));
        other.response_file = Some(crate::action::ResponseFile::Gcc);
        if let ActionKind::Process { program: Program::Tool(tool), .. } = &mut other.kind {
            tool.path = "/elsewhere/gcc".into();
        }
        assert_eq!(manifest(&other).key(), key);
    }

    #[test]
    fn every_difference_is_explained() {
        let old = manifest(&compile());
        type Edit = fn(&mut Action);
        let edits: [(Edit, &str); 9] = [
            (|action| action.mnemonic = "CompileCxx".into(), "its declaration changed"),
            (|action| action.dep_file = None, "its declaration changed"),
            (|action| action.search_path.clear(), "its declaration changed"),
            (|action| action.outputs.push(ArtifactId::from_index(2)), "outputs added: a.d"),
            (
                |action| drop(action.properties.insert("OSFamily".into(), "windows".into())),
                "property OSFamily went from `linux` to `windows`",
            ),
            (
                |action| *action = action.clone().env("LC_ALL", "de").env("X", "y"),
                "variable LC_ALL went from `C` to `de`; variable X=`y` is new",
            ),
            (
                |action| {
                    if let ActionKind::Process { argv, .. } = &mut action.kind {
                        argv.swap(0, 1);
                    }
                },
                "the order of arguments changed",
            ),
            (
                |action| {
                    if let ActionKind::Process { program: Program::Tool(tool), .. } =
                        &mut action.kind
                    {
                        tool.companions.insert("cc1".into(), Digest::of(b"other"));
                    }
                },
                "gcc 12.2.0 has other content",
            ),
            (
                |action| {
                    if let ActionKind::Process { argv, .. } = &mut action.kind {
                        argv.truncate(3);
                    }
                },
                "arguments removed: -I{build:include} -o{build:a.o} {source:a.c}",
            ),
        ];
        for (edit, said) in edits {
            let mut action = compile();
            edit(&mut action);
            let new = manifest(&action);
            assert_ne!(new.key(), old.key(), "{said}");
            let changes: Vec<_> = new.changes_since(&old).iter().map(ToString::to_string).collect();
            assert_eq!(changes.join("; "), said);
        }
        assert_eq!(old.changes_since(&old), []);
    }

    #[test]
    fn parameters_are_ordered() {
        let action = |params| {
            Action::function("x", "X", ("f", "1"), params, |_| Ok(()))
                .output(ArtifactId::from_index(1))
        };
        let one = action(serde_json::json!({"a": [{"x": 1, "y": 2}], "b": null}));
        let two = action(serde_json::json!({"b": null, "a": [{"y": 2, "x": 1}]}));
        assert_eq!(manifest(&one).key(), manifest(&two).key());
    }
}
