//! [`Reason`]: why an action ran, or didn't, as data. `Display` gives the one line a person reads.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Why an action ran, or why it didn't have to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// Its result was in the cache.
    CacheHit {
        /// The key under which it was found.
        key: Digest,
    },
    /// This project never built it with this cache.
    New,
    /// Something it depends on changed since this project built it last.
    Changed {
        /// Everything that changed.
        changes: Vec<Change>,
    },
    /// Nothing changed, but the cache no longer has the result.
    Evicted,
    /// The action's results may not be reused.
    NotCacheable,
    /// The cache had the result, but its content was damaged.
    CorruptBlob {
        /// The digest that the content should have had.
        digest: Digest,
    },
}

/// What happened to an input or header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputChange {
    /// Its content differs.
    Content,
    /// It wasn't there before.
    Added,
    /// It is gone.
    Removed,
}

/// One difference from the last build of an action. Locations are paths as a person writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A declared input.
    Input {
        /// Which.
        location: String,
        /// What happened to it.
        kind: InputChange,
    },
    /// A file that the action was seen to read.
    Header {
        /// Which.
        location: String,
        /// What happened to it.
        kind: InputChange,
    },
    /// A new file that the action would find in place of one it read.
    NewShadowingFile {
        /// Which.
        path: String,
    },
    /// The command line. Both lists empty: the order.
    Argv {
        /// New arguments.
        added: Vec<String>,
        /// Arguments that are gone.
        removed: Vec<String>,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: String,
        /// Its old value.
        old: Option<String>,
        /// Its new value.
        new: Option<String>,
    },
    /// The tool, or the function, that runs.
    Tool {
        /// Its name.
        name: String,
        /// Its version before.
        old_version: String,
        /// Its version now.
        new_version: String,
        /// Whether its program, or one that it runs, has other content.
        digest_changed: bool,
    },
    /// A platform property.
    Property {
        /// Its name.
        name: String,
        /// Its old value.
        old: Option<String>,
        /// Its new value.
        new: Option<String>,
    },
    /// The parameters of a function.
    Params,
    /// The outputs, search path or dependency format.
    Declaration {
        /// New outputs.
        added: Vec<String>,
        /// Outputs that are gone.
        removed: Vec<String>,
    },
}

impl Reason {
    /// Whether the result came from the cache.
    #[must_use]
    pub fn is_hit(&self) -> bool {
        matches!(self, Self::CacheHit { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CacheHit { .. } => f.write_str("unchanged; taken from the cache"),
            Self::New => f.write_str("not built before"),
            Self::Changed { changes } => {
                const SHOWN: usize = 3;
                for (index, change) in changes.iter().take(SHOWN).enumerate() {
                    write!(f, "{}{change}", if index == 0 { "" } else { "; " })?;
                }
                match changes.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
            Self::Evicted => f.write_str("unchanged, but no longer in the cache"),
            Self::NotCacheable => f.write_str("runs every time"),
            Self::CorruptBlob { .. } => {
                f.write_str("unchanged, but its result in the cache was damaged")
            }
        }
    }
}

impl fmt::Display for InputChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Content => "changed",
            Self::Added => "is new",
            Self::Removed => "is gone",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { location, kind } => write!(f, "input {location} {kind}"),
            Self::Header { location, kind } => write!(f, "header {location} {kind}"),
            Self::NewShadowingFile { path } => {
                write!(f, "new file {path} comes before one that was read")
            }
            Self::Argv { added, removed } if added.is_empty() && removed.is_empty() => {
                f.write_str("the order of arguments changed")
            }
            Self::Argv { added, removed } => {
                f.write_str("arguments ")?;
                write_lists(f, added, removed)
            }
            Self::Env { name, old, new } => write_value(f, "variable", name, old, new),
            Self::Property { name, old, new } => write_value(f, "property", name, old, new),
            Self::Tool { name, old_version, new_version, .. } if old_version != new_version => {
                write!(f, "{name} went from {old_version} to {new_version}")
            }
            Self::Tool { name, new_version, .. } => {
                write!(f, "{name} {new_version} has other content")
            }
            Self::Params => f.write_str("parameters changed"),
            Self::Declaration { added, removed } if added.is_empty() && removed.is_empty() => {
                f.write_str("its declaration changed")
            }
            Self::Declaration { added, removed } => {
                f.write_str("outputs ")?;
                write_lists(f, added, removed)
            }
        }
    }
}

fn write_lists(f: &mut fmt::Formatter<'_>, added: &[String], removed: &[String]) -> fmt::Result {
    let lists = [("added: ", added), ("removed: ", removed)];
    for (index, (title, list)) in lists.iter().filter(|(_, list)| !list.is_empty()).enumerate() {
        write!(f, "{}{title}{}", if index == 0 { "" } else { ", " }, list.join(" "))?;
    }
    Ok(())
}

fn write_value(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    name: &str,
    old: &Option<String>,
    new: &Option<String>,
) -> fmt::Result {
    match (old, new) {
        (Some(old), Some(new)) => write!(f, "{what} {name} went from `{old}` to `{new}`"),
        (None, Some(new)) => write!(f, "{what} {name}=`{new}` is new"),
        (_, None) => write!(f, "{what} {name} is gone"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line() {
        let header = |location: &str| Change::Header {
            location: location.to_owned(),
            kind: InputChange::Content,
        };
        let reason = Reason::Changed { changes: vec![header("a.h")] };
        assert_eq!(reason.to_string(), "header a.h changed");
        let reason = Reason::Changed { changes: ["a", "b", "c", "d"].map(header).to_vec() };
        assert_eq!(
            reason.to_string(),
            "header a changed; header b changed; header c changed; and 1 more"
        );
        let tool = Change::Tool {
            name: "gcc".into(),
            old_version: "12.2".into(),
            new_version: "13.1".into(),
            digest_changed: true,
        };
        assert_eq!(tool.to_string(), "gcc went from 12.2 to 13.1");
        let argv = Change::Argv { added: vec!["-O3".into()], removed: vec!["-O2".into()] };
        assert_eq!(argv.to_string(), "arguments added: -O3, removed: -O2");
    }
}
