//! A counter.

use crate::model::{Effect, Model};

/// A counter. Sums stop at the ends of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counter {
    /// What it shows at first.
    pub initial: i64,
}

/// What is asked of a counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op {
    /// What does it show?
    Read,
    /// Add this. It may be answered by the sum ([`Reply::Value`]) or not ([`Reply::Done`]).
    Add(i64),
}

/// What a counter answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply {
    /// It shows this, after the addition if there was one.
    Value(i64),
    /// It is added.
    Done,
}

impl Model for Counter {
    type Op = Op;
    type Reply = Reply;
    type State = i64;

    fn initial(&self) -> i64 {
        self.initial
    }

    fn step(&self, state: &i64, op: &Op, reply: Option<&Reply>, next: &mut Vec<i64>) {
        let (after, quiet) = match op {
            Op::Read => (*state, false),
            Op::Add(amount) => (state.saturating_add(*amount), true),
        };
        let fits = match reply {
            None => true,
            Some(Reply::Value(value)) => *value == after,
            Some(Reply::Done) => quiet,
        };
        next.extend(fits.then_some(after));
    }

    fn effect(&self, op: &Op, reply: Option<&Reply>) -> Effect {
        match (op, reply) {
            (Op::Read | Op::Add(0), _) => Effect::Preserves,
            (Op::Add(_), None | Some(Reply::Done)) => Effect::Accepted,
            (Op::Add(_), Some(Reply::Value(_))) => Effect::Any,
        }
    }

    fn can_lead(&self, state: &i64, op: &Op, reply: &Reply) -> bool {
        match (op, reply) {
            (Op::Read, Reply::Value(value)) => state <= value,
            (Op::Add(amount), Reply::Value(value)) => state.saturating_add(*amount) <= *value,
            (Op::Read | Op::Add(_), Reply::Done) => true,
        }
    }

    fn supplies(&self, (by, _): (&Op, Option<&Reply>), _: &Op, _: &Reply) -> bool {
        matches!(by, Op::Add(amount) if *amount < 0)
    }

    fn describe(&self, op: &Op, reply: Option<&Reply>) -> String {
        let asked = match op {
            Op::Read => "read".to_owned(),
            Op::Add(amount) => format!("add {amount}"),
        };
        match reply {
            Some(Reply::Value(value)) => format!("{asked} → {value}"),
            Some(Reply::Done) => asked,
            None => asked + ", unknown",
        }
    }
}
