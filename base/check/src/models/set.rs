//! A set.

use std::collections::BTreeSet;

use crate::model::{Datum, Effect, Model, Parts};

/// A set of elements. Elements are independent objects unless somebody reads them all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Set<V> {
    /// What is in it at first.
    pub initial: BTreeSet<V>,
}

/// What is asked of a set.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op<V> {
    /// Put it in. The answer tells whether it was new ([`Reply::Is`]), or only that it is there now ([`Reply::Done`]).
    Add(V),
    /// Take it out. The answer tells whether it was there ([`Reply::Is`]), or only that it is gone ([`Reply::Done`]).
    Remove(V),
    /// Is it there?
    Contains(V),
    /// What is there?
    Read,
}

/// What a set answers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply<V> {
    /// It is done.
    Done,
    /// Whether the set was changed, or the element is there.
    Is(bool),
    /// All that is there.
    All(BTreeSet<V>),
}

impl<V: Datum> Model for Set<V> {
    type Op = Op<V>;
    type Reply = Reply<V>;
    type State = BTreeSet<V>;

    fn initial(&self) -> BTreeSet<V> {
        self.initial.clone()
    }

    fn step(&self, state: &BTreeSet<V>, op: &Op<V>, reply: Option<&Reply<V>>, next: &mut Vec<BTreeSet<V>>) {
        let fits = |is: bool| match reply {
            None => true,
            Some(Reply::Is(told)) => *told == is,
            Some(Reply::Done) => matches!(op, Op::Add(_) | Op::Remove(_)),
            Some(Reply::All(_)) => false,
        };
        match op {
            Op::Add(element) if fits(!state.contains(element)) => {
                next.push(state.iter().chain([element]).cloned().collect());
            }
            Op::Remove(element) if fits(state.contains(element)) => {
                next.push(state.iter().filter(|other| *other != element).cloned().collect());
            }
            Op::Contains(element) if fits(state.contains(element)) => next.push(state.clone()),
            Op::Read if reply.is_none_or(|reply| matches!(reply, Reply::All(all) if all == state)) => {
                next.push(state.clone());
            }
            Op::Add(_) | Op::Remove(_) | Op::Contains(_) | Op::Read => {}
        }
    }

    fn effect(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
        match (op, reply) {
            (Op::Contains(_) | Op::Read, _) | (_, Some(Reply::Is(false))) => Effect::Preserves,
            (Op::Add(_) | Op::Remove(_), None | Some(Reply::Done)) => Effect::Accepted,
            (Op::Add(_) | Op::Remove(_), Some(_)) => Effect::Any,
        }
    }

    fn objects(&self, op: &Op<V>, objects: &mut Parts) {
        match op {
            Op::Add(element) | Op::Remove(element) | Op::Contains(element) => objects.add(element),
            Op::Read => objects.all(),
        }
    }

    fn describe(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> String {
        let asked = match op {
            Op::Add(element) => format!("add {element:?}"),
            Op::Remove(element) => format!("remove {element:?}"),
            Op::Contains(element) => format!("contains {element:?}"),
            Op::Read => "read".to_owned(),
        };
        match reply {
            Some(Reply::Done) => asked,
            Some(Reply::Is(is)) => format!("{asked} → {is}"),
            Some(Reply::All(all)) => format!("{asked} → {all:?}"),
            None => asked + ", unknown",
        }
    }
}
