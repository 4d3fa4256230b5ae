//! Replaying a plugin's result without the plugin.
//!
//! A component has no clock, no random numbers and no file system, so a call's result follows from
//! the answers that the host gave. A [`Journal`] is the sequence of those answers (as digests) and
//! of the effects between them. When every question in it gets the same answer again, its effects
//! *are* the result, and no WebAssembly runs. This is the "constructive trace" of *Build Systems à
//! la Carte* (Mokhov, Mitchell, Peyton Jones, 2018), applied to planning.
//!
//! Effects are performed while the journal is checked, because a later question may depend on them
//! (the content of a generated file, say). When an answer differs half-way, the performed effects
//! are still right, since everything before was equal: the next journal of the same call goes on
//! from there, and in the end so does the plugin itself, whose first effects are then only compared
//! with those already performed.
//!
//! Invariant: an effect of a call is performed exactly once, whether by replay or by the plugin.

use ekiben_engine::Digest;
use serde::{Deserialize, Serialize};

use super::protocol::{Answer, Effect, Failure, Query, World};

/// How many journals are kept for one call: branches that a developer goes back and forth between.
const KEPT: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    Asked {
        query: Query,
        answer: Digest,
    },
    /// What an effect led to is an answer too: a plugin goes on from a refusal.
    Did {
        effect: Effect,
        outcome: Outcome,
    },
}

/// How an effect ended.
pub(crate) type Outcome = Result<(), Failure>;

impl Step {
    /// Whether `self` and `other` ask or do the same, whatever came of it.
    fn is_same_move(&self, other: &Step) -> bool {
        match (self, other) {
            (Self::Asked { query: a, .. }, Self::Asked { query: b, .. }) => a == b,
            (Self::Did { effect: a, .. }, Self::Did { effect: b, .. }) => a == b,
            _ => false,
        }
    }

    /// The same move, made now.
    fn again(&self, world: &dyn World) -> Self {
        match self {
            Self::Asked { query, .. } => {
                Self::Asked { query: query.clone(), answer: digest_of(&world.ask(query)) }
            }
            Self::Did { effect, .. } => {
                Self::Did { effect: effect.clone(), outcome: world.perform(effect) }
            }
        }
    }
}

/// One recorded call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    steps: Vec<Step>,
}

/// What is known of one call: the journals of its latest distinct outcomes, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journals(Vec<Journal>);

/// How far a replay came.
pub(crate) enum Replay {
    /// The call's result stands.
    Complete,
    /// The plugin must run; these effects are performed already, with these outcomes.
    Partial(Vec<(Effect, Outcome)>),
}

/// The digest of an answer, by which journals compare.
pub(crate) fn digest_of(answer: &Result<Answer, Failure>) -> Digest {
    // A vector of plain data can always be encoded; an empty encoding would only miss the cache.
    Digest::of(&postcard::to_allocvec(answer).unwrap_or_default())
}

impl Journal {
    pub(crate) fn asked(&mut self, query: Query, answer: &Result<Answer, Failure>) {
        self.steps.push(Step::Asked { query, answer: digest_of(answer) });
    }

    pub(crate) fn did(&mut self, effect: Effect, outcome: Outcome) {
        self.steps.push(Step::Did { effect, outcome });
    }
}

impl Journals {
    /// Journals from a stored record; one of another version is as good as none.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        postcard::from_bytes(bytes).unwrap_or_default()
    }

    /// The record to store, unless it can't be encoded.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        postcard::to_allocvec(self).ok()
    }

    /// Puts `journal` first and forgets the oldest beyond the limit.
    pub(crate) fn remember(&mut self, journal: Journal) {
        self.0.retain(|known| *known != journal);
        self.0.insert(0, journal);
        self.0.truncate(KEPT);
    }

    /// Replays against `world` whichever journal fits it.
    pub(crate) fn replay(&self, world: &dyn World) -> Replay {
        // The steps that are true of `world`.
        let mut done: Vec<Step> = Vec::new();
        // The true step after them, once a journal was wrong about it.
        let mut next: Option<Step> = None;
        for journal in &self.0 {
            if !journal.steps.starts_with(&done) {
                continue;
            }
            let mut complete = true;
            for step in &journal.steps[done.len()..] {
                let actual = match next.take() {
                    Some(known) if known.is_same_move(step) => known,
                    // A deterministic plugin makes the same move after the same steps, so this
                    // journal is another component's, or damaged.
                    Some(known) => {
                        next = Some(known);
                        complete = false;
                        break;
                    }
                    None => step.again(world),
                };
                if actual != *step {
                    next = Some(actual);
                    complete = false;
                    break;
                }
                done.push(actual);
            }
            if complete {
                return Replay::Complete;
            }
        }
        let performed = done.into_iter().chain(next).filter_map(|step| match step {
            Step::Did { effect, outcome } => Some((effect, outcome)),
            Step::Asked { .. } => None,
        });
        Replay::Partial(performed.collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;
    use crate::plugin::protocol::{Report, Severity};

    /// Facts that can change, and the effects performed on it.
    #[derive(Default)]
    struct Facts {
        facts: BTreeMap<String, String>,
        done: RefCell<Vec<String>>,
        asked: RefCell<Vec<String>>,
    }

    impl Facts {
        fn new(facts: &[(&str, &str)]) -> Self {
            let facts = facts.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            Self { facts, ..Self::default() }
        }
    }

    impl World for Facts {
        fn ask(&self, query: &Query) -> Result<Answer, Failure> {
            let Query::Fact(name) = query else { return Err(Failure::Internal("?".into())) };
            self.asked.borrow_mut().push(name.clone());
            Ok(self.facts.get(name).map_or(Answer::Nothing, |v| Answer::Text(v.clone())))
        }

        fn perform(&self, effect: &Effect) -> Result<(), Failure> {
            let Effect::Report(report) = effect else { return Err(Failure::Internal("?".into())) };
            self.done.borrow_mut().push(report.message.clone());
            Ok(())
        }

        fn log(&self, _: &str, _: &str) {}
    }

    fn note(text: &str) -> Effect {
        Effect::Report(Report {
            severity: Severity::Note,
            code: "n".into(),
            message: text.into(),
            at: None,
            help: vec![],
        })
    }

    /// A call that reports `first`, asks `a`, reports its value, asks `b` and reports that.
    fn record(a: &str, b: &str) -> Journal {
        let mut journal = Journal::default();
        journal.did(note("first"), Ok(()));
        journal.asked(Query::Fact("a".into()), &Ok(Answer::Text(a.into())));
        journal.did(note(a), Ok(()));
        journal.asked(Query::Fact("b".into()), &Ok(Answer::Text(b.into())));
        journal.did(note(b), Ok(()));
        journal
    }

    fn journals(of: &[Journal]) -> Journals {
        let mut journals = Journals::default();
        for journal in of {
            journals.remember(journal.clone());
        }
        Journals::decode(&journals.encode().unwrap())
    }

    #[test]
    fn equal_answers_replay_everything_once() {
        let world = Facts::new(&[("a", "1"), ("b", "2")]);
        let replay = journals(&[record("1", "2")]).replay(&world);
        assert!(matches!(replay, Replay::Complete));
        assert_eq!(*world.done.borrow(), ["first", "1", "2"]);
    }

    #[test]
    fn a_different_answer_keeps_what_went_before() {
        let world = Facts::new(&[("a", "1"), ("b", "changed")]);
        let Replay::Partial(done) = journals(&[record("1", "2")]).replay(&world) else {
            panic!("the answer to b changed");
        };
        assert_eq!(done, [(note("first"), Ok(())), (note("1"), Ok(()))]);
        assert_eq!(*world.done.borrow(), ["first", "1"]);
    }

    #[test]
    fn another_journal_goes_on_where_the_first_was_wrong() {
        let world = Facts::new(&[("a", "1"), ("b", "3")]);
        let known = journals(&[record("1", "3"), record("1", "2"), record("9", "9")]);
        assert!(matches!(known.replay(&world), Replay::Complete));
        assert_eq!(*world.done.borrow(), ["first", "1", "3"], "no effect is performed twice");
        assert_eq!(*world.asked.borrow(), ["a", "b"], "no question is asked twice");
    }

    #[test]
    fn an_effect_with_another_outcome_is_a_difference_and_is_not_repeated() {
        let world = Facts::new(&[("a", "1"), ("b", "2")]);
        let mut refused = Journal::default();
        refused.did(note("first"), Err(Failure::Internal("no".into())));
        refused.did(note("second"), Ok(()));
        let Replay::Partial(done) = journals(&[refused]).replay(&world) else {
            panic!("the effect was refused before");
        };
        assert_eq!(done, [(note("first"), Ok(()))]);
        assert_eq!(*world.done.borrow(), ["first"]);
    }

    #[test]
    fn only_the_newest_journals_are_kept() {
        let all: Vec<_> = (0..20).map(|n| record(&n.to_string(), "x")).collect();
        let known = journals(&all);
        assert_eq!(known.0.len(), KEPT);
        assert_eq!(known.0[0], record("19", "x"));
    }

    #[test]
    fn a_damaged_record_is_no_record() {
        assert_eq!(Journals::decode(b"\xff\xff\xffgarbage"), Journals::default());
    }
}
