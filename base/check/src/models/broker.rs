//! A message queue with acknowledgements: at-least-once delivery.

use crate::model::{Datum, Effect, Model, Parts};

/// A broker's queue. A message that was sent is delivered, once or more, until it is acknowledged: then never again. Whoever
/// received it may have crashed, so that a message that was delivered and not acknowledged may be delivered again at any time,
/// to anybody. With [`Order::Fifo`], messages are delivered for the first time in the order of sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker<V> {
    /// In which order messages are delivered for the first time.
    pub order: Order,
    /// Messages that wait at first, the next to be delivered first.
    pub initial: Vec<V>,
}

/// In which order messages are delivered for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
pub enum Order {
    /// As they were sent.
    #[default]
    Fifo,
    /// In any.
    Any,
}

/// What is asked of a broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op<V> {
    /// Keep this message for somebody. Answered by [`Reply::Done`].
    Send(V),
    /// Give me a message. Answered by [`Reply::Message`].
    Receive,
    /// This message need not be delivered again. Answered by [`Reply::Acknowledged`].
    Acknowledge(V),
}

/// What a broker answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply<V> {
    /// It is kept.
    Done,
    /// This one; none if there is none that was never delivered.
    Message(Option<V>),
    /// Whether it was waiting for that; nobody else acknowledges it then.
    Acknowledged(bool),
}

/// Messages that are not acknowledged, in the order of sending, and whether each was delivered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct State<V>(Vec<(V, bool)>);

impl<V: Datum> Model for Broker<V> {
    type Op = Op<V>;
    type Reply = Reply<V>;
    type State = State<V>;

    fn initial(&self) -> State<V> {
        State(self.initial.iter().map(|message| (message.clone(), false)).collect())
    }

    fn step(&self, state: &State<V>, op: &Op<V>, reply: Option<&Reply<V>>, next: &mut Vec<State<V>>) {
        match (op, reply) {
            (Op::Send(message), None | Some(Reply::Done)) => {
                let mut after = state.clone();
                after.0.push((message.clone(), false));
                next.push(after);
            }
            (Op::Receive, Some(Reply::Message(Some(message)))) => self.deliver(state, Some(message), next),
            // A delivery that nobody saw may have been of anything, or of nothing new.
            (Op::Receive, None) => {
                next.push(state.clone());
                self.deliver(state, None, next);
            }
            (Op::Receive, Some(Reply::Message(None))) if state.0.iter().all(|(_, delivered)| *delivered) => {
                next.push(state.clone());
            }
            (Op::Acknowledge(message), None | Some(Reply::Acknowledged(_))) => {
                let place = state.0.iter().position(|(other, delivered)| *delivered && other == message);
                if reply.is_none_or(|told| *told == Reply::Acknowledged(place.is_some())) {
                    let mut after = state.clone();
                    if let Some(place) = place {
                        after.0.remove(place);
                    }
                    next.push(after);
                }
            }
            (Op::Send(_) | Op::Receive | Op::Acknowledge(_), Some(_)) => {}
        }
    }

    fn effect(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
        match (op, reply) {
            (_, Some(Reply::Message(None) | Reply::Acknowledged(false))) => Effect::Preserves,
            (_, None) | (Op::Send(_), Some(Reply::Done)) => Effect::Accepted,
            (Op::Send(_) | Op::Receive | Op::Acknowledge(_), Some(_)) => Effect::Any,
        }
    }

    fn answers_alike(&self, op: &Op<V>) -> bool {
        matches!(op, Op::Send(_))
    }

    /// A delivery that nobody saw handles no message: it may as well not have happened. What waits at first cannot be taken out.
    fn values(&self, op: &Op<V>, reply: Option<&Reply<V>>, values: &mut Parts) {
        if !self.initial.is_empty() {
            values.all();
        } else if let (Op::Send(message) | Op::Acknowledge(message), _)
        | (_, Some(Reply::Message(Some(message)))) = (op, reply)
        {
            values.add(message);
        }
    }

    fn describe(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> String {
        let asked = match op {
            Op::Send(message) => format!("send {message:?}"),
            Op::Receive => "receive".to_owned(),
            Op::Acknowledge(message) => format!("acknowledge {message:?}"),
        };
        match reply {
            Some(Reply::Done | Reply::Acknowledged(true)) => asked,
            Some(Reply::Message(Some(message))) => format!("{asked} → {message:?}"),
            Some(Reply::Message(None)) => asked + " → nothing",
            Some(Reply::Acknowledged(false)) => asked + ", refused",
            None => asked + ", unknown",
        }
    }
}

impl<V: Datum> Broker<V> {
    /// The states after a delivery of this message, or of any.
    fn deliver(&self, state: &State<V>, message: Option<&V>, next: &mut Vec<State<V>>) {
        let is_it = |other: &V| message.is_none_or(|message| message == other);
        // Once more.
        if message.is_some() && state.0.iter().any(|(other, delivered)| *delivered && is_it(other)) {
            next.push(state.clone());
        }
        for (place, (other, delivered)) in state.0.iter().enumerate() {
            if *delivered {
                continue;
            }
            if is_it(other) {
                let mut after = state.clone();
                after.0[place].1 = true;
                next.push(after);
            }
            if self.order == Order::Fifo {
                break;
            }
        }
    }
}
