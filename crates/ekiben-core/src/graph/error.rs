//! What can be wrong with a set of commands.
//!
//! An error holds data, not prose: its text (`Display`) says what is wrong and who said so, and
//! [`GraphError::help`], kept apart, says what to do. Both name commands with the authors that
//! brought them, since the person who reads them wrote at most one of the parts that don't fit.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::Serialize;
use thiserror::Error;

use super::name::{Author, CommandName, Kind};
use super::spec::{Relation, Statement};
use super::{Edge, Reason};

/// Why there is no graph, or no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A reference that isn't optional names nothing.
    #[error("there is no command `{name}`: {statement}")]
    UnknownCommand {
        /// The name without an owner.
        name: CommandName,
        /// What was said with it.
        statement: Box<Statement>,
        /// A command with a similar name.
        suggestion: Option<CommandName>,
    },
    /// Two commands have one name.
    #[error("two commands are called `{name}`: one from {first}, one from {second}")]
    DuplicateCommand {
        /// The name.
        name: CommandName,
        /// Who brought the one.
        first: Author,
        /// Who brought the other.
        second: Author,
    },
    /// Two commands want one place.
    #[error("two commands replace `{replaced}`:\n  {first}\n  {second}")]
    DoubleReplace {
        /// The command whose place it is.
        replaced: CommandName,
        /// One claim.
        first: Box<Statement>,
        /// The other.
        second: Box<Statement>,
    },
    /// A replacement doesn't make all that the command made whose place it has.
    #[error("{0}")]
    ReplaceLoses(Box<ReplaceLoses>),
    /// Commands replace or wrap one another in a circle, so that none has a place.
    #[error("commands take each other's place in a circle:{}", indented(statements))]
    PlaceLoop {
        /// The claims, each about the object of the one before.
        statements: Vec<Statement>,
    },
    /// An anchor is used as if it did work.
    #[error("`{anchor}` is an anchor, which does no work, so it cannot {misuse} (says {author})")]
    AnchorMisused {
        /// The anchor.
        anchor: CommandName,
        /// Who used it so.
        author: Author,
        /// The use.
        misuse: AnchorMisuse,
    },
    /// No order exists.
    #[error("{0}")]
    Cycle(Box<Cycle>),
    /// A kind is needed that nothing makes.
    #[error("{0}")]
    NothingProduces(Box<NothingProduces>),
    /// A target is neither a kind nor a command.
    #[error("there is neither a command nor a kind called `{target}`")]
    UnknownTarget {
        /// What was asked for.
        target: String,
        /// A similar name.
        suggestion: Option<String>,
    },
    /// A target is a command that was disabled.
    #[error("`{command}` cannot be built, for it isn't there:{}", indented(disabled_by))]
    TargetDisabled {
        /// The command asked for.
        command: CommandName,
        /// Who disabled it; for a wrapper, who disabled what it wraps.
        disabled_by: Vec<Statement>,
    },
}

/// What an anchor was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnchorMisuse {
    /// It has kinds.
    #[error("consume or produce anything")]
    Kinds,
    /// Something wraps it, or it wraps something.
    #[error("be wrapped, or wrap anything")]
    Wraps,
    /// Something is required after it, or it after something.
    #[error("be followed by a required command, or be one")]
    RequiredAfter,
    /// It was asked for.
    #[error("be built")]
    Target,
}

/// A replacement that would leave kinds unmade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplaceLoses {
    /// The command that goes.
    pub replaced: CommandName,
    /// Who brought it.
    pub replaced_author: Author,
    /// The command that takes its place.
    pub by: CommandName,
    /// Who brought that.
    pub by_author: Author,
    /// Kinds that would no longer be made.
    pub kinds: Vec<Kind>,
}

impl Display for ReplaceLoses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { replaced, replaced_author, by, by_author, kinds } = self;
        let kinds = kinds.iter().map(Kind::as_str).collect::<Vec<_>>().join(", ");
        write!(f, "`{by}` ({by_author}) cannot replace `{replaced}` ({replaced_author}): ")?;
        write!(f, "it doesn't make {kinds}")
    }
}

/// Commands that wait for each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cycle {
    /// The edges, each from the command where the last one ended; the last one ends where the first
    /// began. No command comes twice, and no shorter cycle exists.
    pub edges: Vec<Edge>,
    /// Who brought each edge's `from`, in step with `edges`.
    pub authors: Vec<Author>,
}

impl Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.edges.as_slice() {
            write!(f, "a command waits for itself: `{}`", only.from)?;
        } else {
            f.write_str("commands wait for each other: ")?;
            for edge in &self.edges {
                write!(f, "{} → ", edge.from)?;
            }
            f.write_str(self.edges.first().map_or("", |edge| edge.from.as_str()))?;
        }
        for (at, edge) in self.edges.iter().enumerate() {
            let to_author = &self.authors[(at + 1) % self.authors.len()];
            write!(f, "\n  {} ({}) → {} ({to_author}): ", edge.from, self.authors[at], edge.to)?;
            for (nth, reason) in edge.reasons.iter().enumerate() {
                write!(f, "{}{}", if nth == 0 { "" } else { "; " }, Between(edge, reason))?;
            }
        }
        Ok(())
    }
}

/// A reason in a sentence that knows the edge it belongs to.
struct Between<'a>(&'a Edge, &'a Reason);

impl Display for Between<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Edge { from, to, .. }, reason) = self;
        match reason {
            Reason::Kind { kind } => write!(f, "`{to}` consumes {kind}, which `{from}` produces"),
            Reason::Rewrites { kind } => write!(f, "both rewrite {kind}"),
            Reason::Stated(statement) => statement.fmt(f),
        }
    }
}

/// A needed kind without a producer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NothingProduces {
    /// The kind.
    pub kind: Kind,
    /// The commands in the plan that need it, with their authors. None where the kind itself was
    /// the target.
    pub consumers: Vec<(CommandName, Author)>,
    /// What would have made it, and who disabled that.
    pub disabled: Vec<(CommandName, Statement)>,
    /// A similar kind that something makes.
    pub suggestion: Option<Kind>,
}

impl Display for NothingProduces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing makes {}", self.kind)?;
        for (nth, (name, author)) in self.consumers.iter().enumerate() {
            write!(
                f,
                "{} `{name}` ({author})",
                if nth == 0 { ", which is needed by" } else { "," }
            )?;
        }
        for (name, statement) in &self.disabled {
            write!(f, "\n  `{name}` would make it, but {statement}")?;
        }
        Ok(())
    }
}

impl GraphError {
    /// What to do about it, where something can be said.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnknownCommand { name, suggestion, statement } => {
                let optional = format!(
                    "write `{name}?` if `{}` may be absent, or add the plugin that brings it",
                    statement.object
                );
                match suggestion {
                    Some(similar) => format!("did you mean `{similar}`? Otherwise {optional}"),
                    None => optional,
                }
            }
            Self::DuplicateCommand { first, second, .. } => match (first, second) {
                (Author::Plugin { id: a, .. }, Author::Plugin { id: b, .. }) if a == b => {
                    format!("use only one version of the plugin {a}")
                }
                _ => "rename one of them, or use only one of the plugins".to_owned(),
            },
            Self::DoubleReplace { first, second, .. } => {
                let mut claims = [first, second].map(|claim| claim.subject.as_ref());
                claims.sort();
                match claims {
                    [Some(a), Some(b)] => format!("disable `{a}` or `{b}`"),
                    _ => "take back one of the two".to_owned(),
                }
            }
            Self::ReplaceLoses(loss) => {
                let ReplaceLoses { replaced, by, .. } = loss.as_ref();
                format!("let `{by}` produce every kind that `{replaced}` does, or let both run")
            }
            Self::PlaceLoop { .. } => "take back one of these statements".to_owned(),
            Self::AnchorMisused { misuse: AnchorMisuse::Target, .. } => {
                "ask for a kind of artifact, such as `wheel`, or for a command".to_owned()
            }
            Self::AnchorMisused { .. } => {
                "use an anchor with before and after only, or make it a command".to_owned()
            }
            Self::Cycle(cycle) => cycle.help(),
            Self::NothingProduces(missing) => missing.help(),
            Self::UnknownTarget { suggestion, .. } => match suggestion {
                Some(similar) => format!("did you mean `{similar}`?"),
                None => "`ekiben graph` lists all commands and kinds".to_owned(),
            },
            Self::TargetDisabled { command, .. } => {
                format!("enable it again, or leave `{command}` out of the targets")
            }
        })
    }
}

impl Cycle {
    fn help(&self) -> String {
        let statements =
            self.edges.iter().flat_map(|edge| &edge.reasons).filter_map(Reason::stated);
        let of_user: Vec<String> = statements
            .clone()
            .filter(|said| matches!(said.author, Author::User { .. }))
            .map(|said| format!("the constraint at {}", said.author))
            .collect();
        if !of_user.is_empty() {
            return format!("remove {}", of_user.join(" or "));
        }
        let order: BTreeSet<String> = statements
            .filter(|said| matches!(said.relation, Relation::Before | Relation::After))
            .map(|said| said.author.to_string())
            .collect();
        if order.is_empty() {
            return "disable one of these commands, or let it produce or consume another kind"
                .to_owned();
        }
        let authors = order.into_iter().collect::<Vec<_>>().join(" or ");
        format!("disable one of these commands, or change what {authors} says about their order")
    }
}

impl NothingProduces {
    fn help(&self) -> String {
        let Self { kind, consumers, disabled, suggestion } = self;
        if let Some((_, Statement { author, object, .. })) = disabled.first() {
            let take_back = format!("take back what {author} says about `{object}`");
            return match consumers.first() {
                Some((consumer, _)) => format!(
                    "{take_back}, disable `{consumer}` too, or add a plugin that makes {kind}"
                ),
                None => take_back,
            };
        }
        match suggestion {
            Some(similar) => {
                format!("did you mean {similar}? Otherwise add a plugin that makes {kind}")
            }
            None => format!("add a plugin that makes {kind}"),
        }
    }
}

fn indented<T: Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

/// The candidate that `wanted` is most likely a slip of the pen for. `translate` finds
/// `cython:translate`.
pub(super) fn similar<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const CLOSE_ENOUGH: f64 = 0.84;
    let last_part = |text: &'a str| text.rsplit(':').next().unwrap_or(text);
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let whole = strsim::jaro_winkler(wanted, candidate);
        // A missing prefix is a likelier slip than a letter, yet `gnu:link` for `gnu:lnk` beats
        // `zig:lnk`.
        let part = 0.98 * strsim::jaro_winkler(wanted, last_part(candidate));
        let score = whole.max(part);
        if score >= CLOSE_ENOUGH && best.is_none_or(|(so_far, _)| score > so_far) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

impl GraphError {
    pub(super) fn unknown(
        name: &CommandName,
        statement: Statement,
        known: impl IntoIterator<Item = CommandName>,
    ) -> Self {
        let known: Vec<CommandName> = known.into_iter().collect();
        let suggestion = similar(name.as_str(), known.iter().map(CommandName::as_str))
            .and_then(|text| known.iter().find(|name| name.as_str() == text).cloned());
        Self::UnknownCommand { name: name.clone(), statement: Box::new(statement), suggestion }
    }
}
