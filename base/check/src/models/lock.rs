//! A lock.

use crate::model::{Datum, Effect, Model};

/// A lock that one holder has at a time; nobody gets it twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lock<H> {
    /// Who holds it at first.
    pub initial: Option<H>,
    /// Whether only its holder can release it; otherwise anybody.
    pub owned: bool,
}

/// What is asked of a lock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op<H> {
    /// Give it to this one.
    Acquire(H),
    /// This one gives it back.
    Release(H),
}

/// Whether it was done. A lock that is answered by `false` was held (acquire), or not held by that one (release).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reply(pub bool);

impl<H: Datum> Model for Lock<H> {
    type Op = Op<H>;
    type Reply = Reply;
    type State = Option<H>;

    fn initial(&self) -> Option<H> {
        self.initial.clone()
    }

    fn step(&self, state: &Option<H>, op: &Op<H>, reply: Option<&Reply>, next: &mut Vec<Option<H>>) {
        let (done, after) = match op {
            Op::Acquire(holder) => (state.is_none(), Some(holder.clone())),
            Op::Release(holder) => (state.as_ref().is_some_and(|holds| !self.owned || holds == holder), None),
        };
        if reply.is_none_or(|told| told.0 == done) {
            next.push(if done { after } else { state.clone() });
        }
    }

    fn effect(&self, _: &Op<H>, reply: Option<&Reply>) -> Effect {
        match reply {
            Some(Reply(false)) => Effect::Preserves,
            Some(Reply(true)) => Effect::Any,
            None => Effect::Accepted,
        }
    }

    fn describe(&self, op: &Op<H>, reply: Option<&Reply>) -> String {
        let asked = match op {
            Op::Acquire(holder) => format!("acquire for {holder:?}"),
            Op::Release(holder) => format!("release by {holder:?}"),
        };
        match reply {
            Some(Reply(true)) => asked,
            Some(Reply(false)) => asked + ", refused",
            None => asked + ", unknown",
        }
    }
}
