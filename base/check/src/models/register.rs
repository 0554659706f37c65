//! A register that is read, written, and compared and set.

use isles_history::Operation;

use crate::linearizability::zones::{self, Access};
use crate::model::{Datum, Effect, Model, Parts};

/// A register. A compare-and-set that is answered `false` says that the register held something else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register<V> {
    /// What it holds at first.
    pub initial: V,
}

/// What is asked of a register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op<V> {
    /// What does it hold?
    Read,
    /// Hold this.
    Write(V),
    /// If it holds the first, hold the second.
    CompareAndSet(V, V),
}

/// What a register answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply<V> {
    /// It held this.
    Value(V),
    /// It is written.
    Done,
    /// Whether it held what was expected, and was set.
    Set(bool),
}

impl<V: Datum> Model for Register<V> {
    type Op = Op<V>;
    type Reply = Reply<V>;
    type State = V;

    fn initial(&self) -> V {
        self.initial.clone()
    }

    fn step(&self, state: &V, op: &Op<V>, reply: Option<&Reply<V>>, next: &mut Vec<V>) {
        match (op, reply) {
            (Op::Read, None) => next.push(state.clone()),
            (Op::Read, Some(Reply::Value(value))) if value == state => next.push(state.clone()),
            (Op::Write(value), None | Some(Reply::Done)) => next.push(value.clone()),
            (Op::CompareAndSet(expected, new), None) => {
                next.push(if state == expected { new } else { state }.clone());
            }
            (Op::CompareAndSet(expected, new), Some(Reply::Set(set))) if *set == (state == expected) => {
                next.push(if *set { new } else { state }.clone());
            }
            (Op::Read | Op::Write(_) | Op::CompareAndSet(..), Some(_)) => {}
        }
    }

    fn effect(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
        match (op, reply) {
            (Op::Read, _) | (_, Some(Reply::Set(false))) => Effect::Preserves,
            (Op::Write(_), None | Some(Reply::Done)) => Effect::Overwrites,
            (Op::Write(_) | Op::CompareAndSet(..), _) => Effect::Any,
        }
    }

    fn answers_alike(&self, op: &Op<V>) -> bool {
        matches!(op, Op::Write(_))
    }

    fn values(&self, op: &Op<V>, reply: Option<&Reply<V>>, values: &mut Parts) {
        match (op, reply) {
            (Op::Write(value), _) | (Op::Read, Some(Reply::Value(value))) => values.add(value),
            (Op::CompareAndSet(expected, new), None | Some(Reply::Set(true))) => {
                values.add(expected);
                values.add(new);
            }
            _ => values.all(),
        }
    }

    fn can_lead(&self, state: &V, op: &Op<V>, reply: &Reply<V>) -> bool {
        needed(op, reply).is_none_or(|value| value == state)
    }

    fn supplies(&self, (by, told): (&Op<V>, Option<&Reply<V>>), op: &Op<V>, reply: &Reply<V>) -> bool {
        let written = match by {
            Op::Write(value) => value,
            Op::CompareAndSet(_, value) if told != Some(&Reply::Set(false)) => value,
            Op::CompareAndSet(..) | Op::Read => return false,
        };
        needed(op, reply).is_none_or(|value| value == written)
    }

    /// Zones, if no value is written twice and nothing is compared.
    fn monitor(
        &self,
        operations: &[Operation<Op<V>, Reply<V>>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        let access = |name: &u32| {
            let operation = &operations[*name as usize];
            let (value, is_write) = match (&operation.op, operation.reply()) {
                (Op::Read, Some(Reply::Value(value))) => (value, false),
                (Op::Write(value), None | Some(Reply::Done)) => (value, true),
                _ => return None,
            };
            let (invoked, returned) = (operation.invoked, operation.returned());
            Some(Access { value, is_write, invoked, returned, name: *name })
        };
        let is_idle = |name: &u32| {
            let operation = &operations[*name as usize];
            operation.op == Op::Read && operation.reply().is_none()
        };
        zones::judge(&self.initial, members.iter().filter(|name| !is_idle(name)).map(access))
    }

    fn describe(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> String {
        match (op, reply) {
            (Op::Read, Some(Reply::Value(value))) => format!("read → {value:?}"),
            (Op::Write(value), Some(Reply::Done)) => format!("write {value:?}"),
            (Op::CompareAndSet(expected, new), Some(Reply::Set(true))) => format!("cas {expected:?} {new:?}"),
            (Op::CompareAndSet(expected, new), Some(Reply::Set(false))) => {
                format!("cas {expected:?} {new:?}, refused")
            }
            (Op::Read, _) => "read, unknown".to_owned(),
            (Op::Write(value), _) => format!("write {value:?}, unknown"),
            (Op::CompareAndSet(expected, new), _) => format!("cas {expected:?} {new:?}, unknown"),
        }
    }
}

/// What the register must hold for this answer.
const fn needed<'a, V>(op: &'a Op<V>, reply: &'a Reply<V>) -> Option<&'a V> {
    match (op, reply) {
        (Op::Read, Reply::Value(value)) | (Op::CompareAndSet(value, _), Reply::Set(true)) => Some(value),
        _ => None,
    }
}
