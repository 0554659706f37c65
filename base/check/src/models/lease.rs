//! A lease: a lock that its holder may lose without being told, with tokens that fence off whoever lost it.

use crate::model::{Effect, Model};

/// A lease. It may end at any time, since the model knows no durations: what is judged is that tokens grow with each grant, that
/// nothing is renewed or released with a token that is not the current one, and that it is refused only while it is held.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Lease {
    /// The greatest token that was granted before; the first grant has a greater one.
    pub token: u64,
}

/// What is asked of a lease.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op {
    /// Give it to me. Answered by [`Reply::Granted`] or `Is(false)`.
    Acquire,
    /// I hold it by this token and want to keep it. Answered by [`Reply::Is`].
    Renew(u64),
    /// I held it by this token and give it back. Answered by [`Reply::Is`].
    Release(u64),
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply {
    /// It is yours, by this token.
    Granted(u64),
    /// Whether it was done.
    Is(bool),
}

/// What a lease remembers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct State {
    /// The greatest token that anybody was told.
    token: u64,
    holder: Holder,
}

/// Who has a lease.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Holder {
    Nobody,
    /// Whoever was told the greatest token.
    Told,
    /// Somebody whose grant got lost.
    Untold,
}

impl Model for Lease {
    type Op = Op;
    type Reply = Reply;
    type State = State;

    fn initial(&self) -> State {
        State { token: self.token, holder: Holder::Nobody }
    }

    fn step(&self, state: &State, op: &Op, reply: Option<&Reply>, next: &mut Vec<State>) {
        let current = |token: u64| state.holder == Holder::Told && token == state.token;
        let with = |holder: Holder| State { holder, ..*state };
        match (op, reply) {
            (Op::Acquire, Some(Reply::Granted(token))) if *token > state.token => {
                next.push(State { token: *token, holder: Holder::Told });
            }
            (Op::Acquire, Some(Reply::Is(false))) if state.holder != Holder::Nobody => next.push(*state),
            (Op::Acquire, None) => next.extend([*state, with(Holder::Untold)]),
            (Op::Renew(token), Some(Reply::Is(true))) if current(*token) => next.push(*state),
            // It had ended, or it ends now.
            (Op::Renew(token) | Op::Release(token), Some(Reply::Is(false))) if current(*token) => {
                next.push(with(Holder::Nobody));
            }
            (Op::Release(token), Some(Reply::Is(true))) if current(*token) => next.push(with(Holder::Nobody)),
            (Op::Renew(token) | Op::Release(token), None) if current(*token) => {
                next.extend([*state, with(Holder::Nobody)]);
            }
            (Op::Renew(_) | Op::Release(_), None | Some(Reply::Is(false))) => next.push(*state),
            (Op::Acquire | Op::Renew(_) | Op::Release(_), Some(_)) => {}
        }
    }

    fn effect(&self, op: &Op, reply: Option<&Reply>) -> Effect {
        match (op, reply) {
            (Op::Acquire, Some(Reply::Is(false))) | (Op::Renew(_), Some(Reply::Is(true))) => {
                Effect::Preserves
            }
            _ => Effect::Any,
        }
    }

    fn describe(&self, op: &Op, reply: Option<&Reply>) -> String {
        let asked = match op {
            Op::Acquire => "acquire".to_owned(),
            Op::Renew(token) => format!("renew {token}"),
            Op::Release(token) => format!("release {token}"),
        };
        match reply {
            Some(Reply::Granted(token)) => format!("{asked} → token {token}"),
            Some(Reply::Is(true)) => asked,
            Some(Reply::Is(false)) => asked + ", refused",
            None => asked + ", unknown",
        }
    }
}
