//! A set.

use std::collections::BTreeSet;

use isles_history::Operation;

use crate::model::{Datum, Effect, Model, Parts};
use crate::monitors;

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

    /// What is in it at first cannot be taken out.
    fn values(&self, op: &Op<V>, _: Option<&Reply<V>>, values: &mut Parts) {
        match op {
            Op::Add(element) | Op::Remove(element) | Op::Contains(element) if self.initial.is_empty() => {
                values.add(element);
            }
            Op::Add(_) | Op::Remove(_) | Op::Contains(_) | Op::Read => values.all(),
        }
    }

    fn narrowed(&self, op: &Op<V>, reply: &Reply<V>, without: &Parts) -> Option<Reply<V>> {
        match (op, reply) {
            (Op::Read, Reply::All(all)) if self.initial.is_empty() => {
                Some(Reply::All(all.iter().filter(|element| !without.has(element)).cloned().collect()))
            }
            _ => None,
        }
    }

    fn can_lead(&self, state: &BTreeSet<V>, op: &Op<V>, reply: &Reply<V>) -> bool {
        match (needed(op, reply), reply) {
            (Some((element, is)), _) => state.contains(element) == is,
            (None, Reply::All(all)) => state.is_subset(all),
            (None, Reply::Done | Reply::Is(_)) => true,
        }
    }

    fn supplies(&self, (by, told): (&Op<V>, Option<&Reply<V>>), op: &Op<V>, reply: &Reply<V>) -> bool {
        let (changed, adds) = match by {
            _ if told == Some(&Reply::Is(false)) => return false,
            Op::Add(element) => (element, true),
            Op::Remove(element) => (element, false),
            Op::Contains(_) | Op::Read => return false,
        };
        match (needed(op, reply), reply) {
            (Some(needed), _) => needed == (changed, adds),
            (None, Reply::All(all)) => !adds && !all.contains(changed),
            (None, Reply::Done | Reply::Is(_)) => false,
        }
    }

    /// A chain, if it only grows and is read as a whole.
    fn monitor(
        &self,
        operations: &[Operation<Op<V>, Reply<V>>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        let is_read = |name: &u32| operations[*name as usize].op == Op::Read;
        if !self.initial.is_empty() || !members.iter().any(is_read) {
            return None;
        }
        monitors::set(operations, members).told()
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

/// The element that must be there, or must not, for this answer.
const fn needed<'a, V>(op: &'a Op<V>, reply: &Reply<V>) -> Option<(&'a V, bool)> {
    match (op, reply) {
        (Op::Add(element), Reply::Is(new)) => Some((element, !*new)),
        (Op::Remove(element) | Op::Contains(element), Reply::Is(is)) => Some((element, *is)),
        _ => None,
    }
}
