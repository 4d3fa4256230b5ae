//! What goes into the graph: commands as their authors describe them, and the rules that a user
//! adds.
//!
//! A [`CommandSpec`] says what a command is *and* how it stands to others; [`UserRules`] state the
//! same sort of things from outside, about commands that somebody else wrote. Nothing here is
//! checked against anything else: a reference is only a name until
//! [`Graph::build`](super::Graph::build).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::{Author, CommandName, Kind, Ref};

/// One command (or anchor), as its author describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CommandSpec {
    /// Its name, which no other command may have.
    pub name: CommandName,
    /// Who brings it.
    pub author: Author,
    /// What it does, in a few words without a full stop.
    #[serde(default)]
    pub summary: String,
    /// An anchor is a fixed point that others put themselves before or after. It does no work and
    /// is never planned.
    #[serde(default)]
    pub anchor: bool,
    /// Kinds it takes. All producers of a kind run before its consumers. A kind marked optional is
    /// taken if anything makes it; any other must be made by something when this command runs.
    #[serde(default)]
    pub consumes: Vec<Ref<Kind>>,
    /// Kinds it makes.
    #[serde(default)]
    pub produces: Vec<Kind>,
    /// Commands and anchors that come later than this one, if both run.
    #[serde(default)]
    pub before: Vec<Ref<CommandName>>,
    /// Commands and anchors that come earlier than this one, if both run.
    #[serde(default)]
    pub after: Vec<Ref<CommandName>>,
    /// The command whose place this one takes.
    #[serde(default)]
    pub replaces: Option<Ref<CommandName>>,
    /// Commands that don't exist where this one does.
    #[serde(default)]
    pub disables: Vec<Ref<CommandName>>,
    /// The command that this one is put around: it runs in its place and decides when, and whether,
    /// to go on to it.
    #[serde(default)]
    pub wraps: Option<Ref<CommandName>>,
    /// When one of these runs, this command must run too, after it, whether or not anything needs
    /// what it makes.
    #[serde(default)]
    pub required_after: Vec<Ref<CommandName>>,
}

impl CommandSpec {
    /// A command that has nothing to do with any other yet.
    #[must_use]
    pub fn new(name: CommandName, author: Author) -> Self {
        Self {
            name,
            author,
            summary: String::new(),
            anchor: false,
            consumes: Vec::new(),
            produces: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            replaces: None,
            disables: Vec::new(),
            wraps: None,
            required_after: Vec::new(),
        }
    }

    /// A fixed point in the order that does no work.
    #[must_use]
    pub fn anchor(name: CommandName, author: Author) -> Self {
        Self { anchor: true, ..Self::new(name, author) }
    }

    /// Sets the summary.
    #[must_use]
    pub fn summary(mut self, text: impl Into<String>) -> Self {
        self.summary = text.into();
        self
    }

    /// Adds a kind that it takes.
    #[must_use]
    pub fn consumes(mut self, kind: impl Into<Ref<Kind>>) -> Self {
        self.consumes.push(kind.into());
        self
    }

    /// Adds a kind that it makes.
    #[must_use]
    pub fn produces(mut self, kind: Kind) -> Self {
        self.produces.push(kind);
        self
    }

    /// Adds a command that comes later.
    #[must_use]
    pub fn before(mut self, command: impl Into<Ref<CommandName>>) -> Self {
        self.before.push(command.into());
        self
    }

    /// Adds a command that comes earlier.
    #[must_use]
    pub fn after(mut self, command: impl Into<Ref<CommandName>>) -> Self {
        self.after.push(command.into());
        self
    }

    /// Takes another's place.
    #[must_use]
    pub fn replaces(mut self, command: impl Into<Ref<CommandName>>) -> Self {
        self.replaces = Some(command.into());
        self
    }

    /// Removes another.
    #[must_use]
    pub fn disables(mut self, command: impl Into<Ref<CommandName>>) -> Self {
        self.disables.push(command.into());
        self
    }

    /// Puts this one around another.
    #[must_use]
    pub fn wraps(mut self, command: impl Into<Ref<CommandName>>) -> Self {
        self.wraps = Some(command.into());
        self
    }

    /// Makes this one run whenever `command` does.
    #[must_use]
    pub fn required_after(mut self, command: impl Into<Ref<CommandName>>) -> Self {
        self.required_after.push(command.into());
        self
    }
}

/// What the project's configuration says about commands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UserRules {
    /// Which command comes before or after which.
    #[serde(default)]
    pub order: Vec<OrderConstraint>,
    /// Which commands aren't wanted.
    #[serde(default)]
    pub disable: Vec<Disable>,
    /// Which command takes which other's place.
    #[serde(default)]
    pub replace: Vec<Replace>,
}

/// A user's "this before those and after these". It orders; it never makes anything run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OrderConstraint {
    /// The command or anchor that is being put somewhere.
    pub command: Ref<CommandName>,
    /// What comes later.
    #[serde(default)]
    pub before: Vec<Ref<CommandName>>,
    /// What comes earlier.
    #[serde(default)]
    pub after: Vec<Ref<CommandName>>,
    /// Where it is written.
    pub author: Author,
}

/// A user's "without this one".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Disable {
    /// The command that goes.
    pub command: Ref<CommandName>,
    /// Where it is written.
    pub author: Author,
}

/// A user's "this one in the place of that".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Replace {
    /// The command that goes.
    pub command: Ref<CommandName>,
    /// The command that takes its place.
    pub with: Ref<CommandName>,
    /// Where it is written.
    pub author: Author,
}

/// How one command stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The subject comes earlier.
    Before,
    /// The subject comes later.
    After,
    /// The subject must run, later, when the object does.
    RequiredAfter,
    /// The subject has the object's place.
    Replaces,
    /// The object goes.
    Disables,
    /// The subject is around the object.
    Wraps,
}

/// One thing that somebody said: the unit in which edges, errors and drawings give their reasons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Statement {
    /// Who said it.
    pub author: Author,
    /// Whom it is about, with the name that was used. Absent where a user disables something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<CommandName>,
    /// What it says.
    pub relation: Relation,
    /// The other, with the name that was used: what has that name's place may be called something
    /// else.
    pub object: CommandName,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { author, subject, relation, object } = self;
        let verb = match relation {
            Relation::Before => "runs before",
            Relation::After => "runs after",
            Relation::RequiredAfter => "is required after",
            Relation::Replaces => "replaces",
            Relation::Disables => "disables",
            Relation::Wraps => "wraps",
        };
        match subject {
            Some(subject) => write!(f, "`{subject}` {verb} `{object}`, says {author}"),
            None => write!(f, "{author} {verb} `{object}`"),
        }
    }
}
