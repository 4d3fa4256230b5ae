//! Which commands there are, once everybody who disables, replaces or wraps has been heard, and
//! what each name means.
//!
//! The idea: a *place* is a node of the graph, and a name is a way to say which. Replacing and
//! wrapping make a name mean another's place; nothing else about the commands changes. Rules, none
//! of which depends on the order in which commands arrive:
//! - A command that the user disabled has no voice. All other commands disable at once: two that
//!   disable each other are both gone, whatever their names.
//! - A disabled command replaces and wraps nothing. A replaced command wraps nothing, but what *it*
//!   replaced stays replaced (so chains work), and what it disabled stays disabled.
//! - A replaced name means its replacement's place, even where the replaced command is disabled as
//!   well. A wrapper's name means the place of what it wraps. A name that is only disabled means
//!   nothing, and constraints with it fall away.
//! - Wrappers of one command are nested in the order of their names, the first outermost; a
//!   wrapper's own wrappers are directly around it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::error::{AnchorMisuse, GraphError, ReplaceLoses};
use super::name::{Author, CommandName, Kind, Ref};
use super::spec::{CommandSpec, Relation, Statement, UserRules};

/// Why a command that somebody brought has no place of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Absence {
    /// It was disabled.
    Disabled {
        /// By whom: at least one statement.
        by: Vec<Statement>,
    },
    /// Another has its place.
    Replaced {
        /// The one that replaced it (which may have been replaced in turn).
        by: CommandName,
        /// Who said so.
        statement: Statement,
    },
    /// It wraps a command that isn't there.
    NothingToWrap {
        /// What it would wrap.
        wrapped: CommandName,
        /// Who disabled that; empty where no such command ever was.
        disabled_by: Vec<Statement>,
    },
}

/// A name that means another's place: that of its replacement, or of what it wraps.
#[derive(Debug, Clone)]
struct Link {
    to: CommandName,
    /// Who said so. Its relation tells replacing from wrapping.
    said: Statement,
}

/// The outcome: places, and what names mean.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// Everything that was brought, by name.
    pub(super) specs: BTreeMap<CommandName, CommandSpec>,
    /// Names that mean another's place.
    links: BTreeMap<CommandName, Link>,
    /// The wrappers of each place, outermost first.
    pub(super) wrappers: BTreeMap<CommandName, Vec<CommandName>>,
    pub(super) absent: BTreeMap<CommandName, Absence>,
}

impl Places {
    pub(super) fn resolve(
        commands: impl IntoIterator<Item = CommandSpec>,
        user: &UserRules,
    ) -> Result<Self, GraphError> {
        let specs = by_name(commands)?;
        let mut places = Self {
            specs,
            links: BTreeMap::new(),
            wrappers: BTreeMap::new(),
            absent: BTreeMap::new(),
        };
        let disabled = places.disabled(user)?;
        places.link_replacements(user, &disabled)?;
        places.link_wrappers(&disabled)?;
        places.reject_loops()?;
        places.check_anchors(&disabled)?;
        places.nest_wrappers();
        places.note_absences(disabled);
        Ok(places)
    }

    /// Who has a place, in the order of names.
    pub(super) fn present(&self) -> impl Iterator<Item = &CommandSpec> {
        self.specs.values().filter(|spec| self.place(&spec.name) == Some(&spec.name))
    }

    /// Whose constraints count: those who have a place, and their wrappers.
    pub(super) fn speakers(&self) -> impl Iterator<Item = &CommandSpec> {
        self.specs.values().filter(|spec| {
            !self.absent.contains_key(&spec.name) && self.place(&spec.name).is_some()
        })
    }

    /// The place that a name means, if it means any.
    pub(super) fn place(&self, name: &CommandName) -> Option<&CommandName> {
        let (name, _) = self.specs.get_key_value(self.links_end(name))?;
        (!self.absent.contains_key(name)).then_some(name)
    }

    /// The place that a reference means: none where it is optional or disabled, an error where it
    /// names nothing.
    pub(super) fn refer(
        &self,
        reference: &Ref<CommandName>,
        statement: impl FnOnce() -> Statement,
    ) -> Result<Option<&CommandName>, GraphError> {
        self.known(reference, statement)?;
        Ok(self.place(&reference.name))
    }

    /// Whether a reference names a command that was brought, be it disabled or not.
    fn known(
        &self,
        reference: &Ref<CommandName>,
        statement: impl FnOnce() -> Statement,
    ) -> Result<bool, GraphError> {
        let known = self.specs.contains_key(&reference.name);
        if known || reference.optional {
            return Ok(known);
        }
        Err(GraphError::unknown(&reference.name, statement(), self.specs.keys().cloned()))
    }

    fn disabled(
        &self,
        user: &UserRules,
    ) -> Result<BTreeMap<CommandName, Vec<Statement>>, GraphError> {
        let mut disabled: BTreeMap<CommandName, Vec<Statement>> = BTreeMap::new();
        for rule in &user.disable {
            let said = Statement {
                author: rule.author.clone(),
                subject: None,
                relation: Relation::Disables,
                object: rule.command.name.clone(),
            };
            if self.known(&rule.command, || said.clone())? {
                disabled.entry(said.object.clone()).or_default().push(said);
            }
        }
        let without_voice: BTreeSet<CommandName> = disabled.keys().cloned().collect();
        for spec in self.specs.values().filter(|spec| !without_voice.contains(&spec.name)) {
            for reference in &spec.disables {
                let said = spec.says(Relation::Disables, reference);
                if self.known(reference, || said.clone())? {
                    disabled.entry(said.object.clone()).or_default().push(said);
                }
            }
        }
        for statements in disabled.values_mut() {
            statements.sort();
            statements.dedup();
        }
        Ok(disabled)
    }

    fn link_replacements(
        &mut self,
        user: &UserRules,
        disabled: &BTreeMap<CommandName, Vec<Statement>>,
    ) -> Result<(), GraphError> {
        let mut claims = BTreeSet::new();
        for spec in self.specs.values().filter(|spec| !disabled.contains_key(&spec.name)) {
            if let Some(reference) = &spec.replaces {
                let said = spec.says(Relation::Replaces, reference);
                if self.known(reference, || said.clone())? {
                    claims.insert(said);
                }
            }
        }
        for rule in &user.replace {
            let said = Statement {
                author: rule.author.clone(),
                subject: Some(rule.with.name.clone()),
                relation: Relation::Replaces,
                object: rule.command.name.clone(),
            };
            let both = self.known(&rule.command, || said.clone())?
                & self.known(&rule.with, || said.clone())?;
            if both && !disabled.contains_key(&rule.with.name) {
                claims.insert(said);
            }
        }
        for said in claims {
            let Some(by) = &said.subject else { continue };
            self.check_covers(by, &said.object)?;
            match self.links.get(&said.object) {
                Some(other) if other.to != *by => {
                    return Err(GraphError::DoubleReplace {
                        replaced: said.object.clone(),
                        first: Box::new(other.said.clone()),
                        second: Box::new(said),
                    });
                }
                Some(_) => {}
                None => {
                    let link = Link { to: by.clone(), said: said.clone() };
                    self.links.insert(said.object, link);
                }
            }
        }
        Ok(())
    }

    fn check_covers(&self, by: &CommandName, replaced: &CommandName) -> Result<(), GraphError> {
        let (by, replaced) = (&self.specs[by], &self.specs[replaced]);
        let lost: BTreeSet<&Kind> =
            replaced.produces.iter().filter(|kind| !by.produces.contains(kind)).collect();
        if lost.is_empty() {
            return Ok(());
        }
        Err(GraphError::ReplaceLoses(Box::new(ReplaceLoses {
            replaced: replaced.name.clone(),
            replaced_author: replaced.author.clone(),
            by: by.name.clone(),
            by_author: by.author.clone(),
            kinds: lost.into_iter().cloned().collect(),
        })))
    }

    fn link_wrappers(
        &mut self,
        disabled: &BTreeMap<CommandName, Vec<Statement>>,
    ) -> Result<(), GraphError> {
        let mut links = Vec::new();
        for spec in self.specs.values() {
            let silent = disabled.contains_key(&spec.name) || self.links.contains_key(&spec.name);
            let Some(reference) = spec.wraps.as_ref().filter(|_| !silent) else { continue };
            let said = spec.says(Relation::Wraps, reference);
            self.known(reference, || said.clone())?;
            links.push((spec.name.clone(), Link { to: reference.name.clone(), said }));
        }
        self.links.extend(links);
        Ok(())
    }

    fn reject_loops(&self) -> Result<(), GraphError> {
        for start in self.links.keys() {
            let mut way = vec![start];
            while let Some(link) = self.links.get(way[way.len() - 1]) {
                if let Some(entry) = way.iter().position(|name| **name == link.to) {
                    let statements = way[entry..].iter().map(|name| self.links[*name].said.clone());
                    return Err(GraphError::PlaceLoop { statements: statements.collect() });
                }
                way.push(&link.to);
            }
        }
        Ok(())
    }

    fn check_anchors(
        &self,
        disabled: &BTreeMap<CommandName, Vec<Statement>>,
    ) -> Result<(), GraphError> {
        let misused = |anchor: &CommandSpec, author: &Author, misuse| {
            let (anchor, author) = (anchor.name.clone(), author.clone());
            Err(GraphError::AnchorMisused { anchor, author, misuse })
        };
        for spec in self.specs.values() {
            let replaced = self.links.get(&spec.name);
            let replaced = replaced.is_some_and(|link| link.said.relation == Relation::Replaces);
            if replaced || disabled.contains_key(&spec.name) {
                continue;
            }
            if spec.anchor && !(spec.consumes.is_empty() && spec.produces.is_empty()) {
                return misused(spec, &spec.author, AnchorMisuse::Kinds);
            }
            if spec.anchor && spec.wraps.is_some() {
                return misused(spec, &spec.author, AnchorMisuse::Wraps);
            }
            if spec.anchor && !spec.required_after.is_empty() {
                return misused(spec, &spec.author, AnchorMisuse::RequiredAfter);
            }
            let anchor_at = |reference: &Ref<CommandName>| {
                let place = self.links_end(&reference.name);
                self.specs.get(place).filter(|spec| spec.anchor)
            };
            if let Some(anchor) = spec.wraps.as_ref().and_then(anchor_at) {
                return misused(anchor, &spec.author, AnchorMisuse::Wraps);
            }
            if let Some(anchor) = spec.required_after.iter().find_map(anchor_at) {
                return misused(anchor, &spec.author, AnchorMisuse::RequiredAfter);
            }
        }
        Ok(())
    }

    /// Where the links from a name lead, whether or not a command is there.
    fn links_end<'a>(&'a self, name: &'a CommandName) -> &'a CommandName {
        let mut name = name;
        while let Some(link) = self.links.get(name) {
            name = &link.to;
        }
        name
    }

    fn nest_wrappers(&mut self) {
        let mut directly: BTreeMap<CommandName, Vec<CommandName>> = BTreeMap::new();
        for (wrapper, link) in &self.links {
            if link.said.relation != Relation::Wraps {
                continue;
            }
            let mut wrapped = &link.to;
            while let Some(next) =
                self.links.get(wrapped).filter(|next| next.said.relation == Relation::Replaces)
            {
                wrapped = &next.to;
            }
            directly.entry(wrapped.clone()).or_default().push(wrapper.clone());
        }
        fn around(
            inner: &CommandName,
            directly: &BTreeMap<CommandName, Vec<CommandName>>,
            nested: &mut Vec<CommandName>,
        ) {
            for wrapper in directly.get(inner).into_iter().flatten() {
                around(wrapper, directly, nested);
                nested.push(wrapper.clone());
            }
        }
        for innermost in directly.keys().filter(|name| !self.links.contains_key(*name)) {
            let mut nested = Vec::new();
            around(innermost, &directly, &mut nested);
            self.wrappers.insert(innermost.clone(), nested);
        }
    }

    fn note_absences(&mut self, disabled: BTreeMap<CommandName, Vec<Statement>>) {
        let mut absent = BTreeMap::new();
        for (name, link) in &self.links {
            let end = self.links_end(name);
            if link.said.relation == Relation::Replaces {
                let (by, statement) = (link.to.clone(), link.said.clone());
                absent.insert(name.clone(), Absence::Replaced { by, statement });
            } else if !self.specs.contains_key(end) || disabled.contains_key(end) {
                let wrapped = link.to.clone();
                let disabled_by = disabled.get(end).cloned().unwrap_or_default();
                absent.insert(name.clone(), Absence::NothingToWrap { wrapped, disabled_by });
            }
        }
        for (name, by) in disabled {
            absent.entry(name).or_insert(Absence::Disabled { by });
        }
        self.wrappers
            .retain(|wrapped, _| self.specs.contains_key(wrapped) && !absent.contains_key(wrapped));
        self.absent = absent;
    }
}

impl CommandSpec {
    pub(super) fn says(&self, relation: Relation, object: &Ref<CommandName>) -> Statement {
        Statement {
            author: self.author.clone(),
            subject: Some(self.name.clone()),
            relation,
            object: object.name.clone(),
        }
    }
}

fn by_name(
    commands: impl IntoIterator<Item = CommandSpec>,
) -> Result<BTreeMap<CommandName, CommandSpec>, GraphError> {
    let mut specs: Vec<CommandSpec> = commands.into_iter().collect();
    specs.sort_by(|a, b| (&a.name, &a.author).cmp(&(&b.name, &b.author)));
    if let Some([first, second]) =
        specs.array_windows().find(|[first, second]| first.name == second.name)
    {
        return Err(GraphError::DuplicateCommand {
            name: first.name.clone(),
            first: first.author.clone(),
            second: second.author.clone(),
        });
    }
    Ok(specs.into_iter().map(|spec| (spec.name.clone(), spec)).collect())
}
