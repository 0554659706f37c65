//! Queues, stacks and priority queues: values go in one by one and come out one by one.

use isles_history::Operation;

use crate::model::{Datum, Effect, Model, Parts};
use crate::monitors;

/// First in, first out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue<V> {
    /// What is in it at first, the next to come out first.
    pub initial: Vec<V>,
}

/// Last in, first out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stack<V> {
    /// What is in it at first, the next to come out last.
    pub initial: Vec<V>,
}

/// The first by priority comes out first; of equal ones any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriorityQueue<V> {
    /// What is in it at first.
    pub initial: Vec<V>,
    /// Which comes out first.
    pub first: First,
}

/// Which value of a priority queue comes out first.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
pub enum First {
    /// The least.
    #[default]
    Least,
    /// The greatest.
    Greatest,
}

/// What is asked: enqueue, push, or insert; dequeue, pop, or delete the first; front, or top.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Op<V> {
    /// Put this in. Answered by [`Reply::Done`].
    Insert(V),
    /// Take out the one whose turn it is. Answered by [`Reply::Value`].
    Remove,
    /// Which one's turn is it? Answered by [`Reply::Value`].
    Peek,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reply<V> {
    /// It is in.
    Done,
    /// This one; none if there is nothing in it.
    Value(Option<V>),
}

/// What all three have in common: `next` is the place of the value to come out, `enter` puts one in.
fn step<V: Datum>(
    state: &[V],
    (op, reply): (&Op<V>, Option<&Reply<V>>),
    next: Option<usize>,
    enter: impl FnOnce(&V) -> Vec<V>,
    states: &mut Vec<Vec<V>>,
) {
    let fits = match reply {
        None => true,
        Some(Reply::Done) => matches!(op, Op::Insert(_)),
        Some(Reply::Value(value)) => {
            !matches!(op, Op::Insert(_)) && value.as_ref() == next.map(|place| &state[place])
        }
    };
    if !fits {
        return;
    }
    states.push(match (op, next) {
        (Op::Insert(value), _) => enter(value),
        (Op::Remove, Some(next)) => state[..next].iter().chain(&state[next + 1..]).cloned().collect(),
        (Op::Remove, None) | (Op::Peek, _) => state.to_vec(),
    });
}

/// Neither looking nor finding nothing changes anything.
const fn effect<V>(op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
    match (op, reply) {
        (Op::Peek, _) | (Op::Remove, Some(Reply::Value(None))) => Effect::Preserves,
        (Op::Insert(_), None | Some(Reply::Done)) | (Op::Remove, None) => Effect::Accepted,
        (Op::Insert(_) | Op::Remove, Some(_)) => Effect::Any,
    }
}

/// A removal that nobody saw handles no value: it may as well not have happened. What is there at first cannot be taken out.
fn values<V: Datum>(initial: &[V], op: &Op<V>, reply: Option<&Reply<V>>, values: &mut Parts) {
    if !initial.is_empty() {
        values.all();
    } else if let (Op::Insert(value), _) | (_, Some(Reply::Value(Some(value)))) = (op, reply) {
        values.add(value);
    }
}

/// An operation in the words of its collection.
fn describe<V: Datum>(op: &Op<V>, reply: Option<&Reply<V>>, words: [&str; 3]) -> String {
    let asked = match op {
        Op::Insert(value) => format!("{} {value:?}", words[0]),
        Op::Remove => words[1].to_owned(),
        Op::Peek => words[2].to_owned(),
    };
    match reply {
        Some(Reply::Done) => asked,
        Some(Reply::Value(Some(value))) => format!("{asked} → {value:?}"),
        Some(Reply::Value(None)) => asked + " → nothing",
        None => asked + ", unknown",
    }
}

impl<V: Datum> Model for Queue<V> {
    type Op = Op<V>;
    type Reply = Reply<V>;
    type State = Vec<V>;

    fn initial(&self) -> Vec<V> {
        self.initial.clone()
    }

    fn step(&self, state: &Vec<V>, op: &Op<V>, reply: Option<&Reply<V>>, next: &mut Vec<Vec<V>>) {
        let enter = |value: &V| state.iter().chain([value]).cloned().collect();
        step(state, (op, reply), (!state.is_empty()).then_some(0), enter, next);
    }

    fn effect(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
        effect(op, reply)
    }

    fn answers_alike(&self, op: &Op<V>) -> bool {
        matches!(op, Op::Insert(_))
    }

    fn values(&self, op: &Op<V>, reply: Option<&Reply<V>>, handled: &mut Parts) {
        values(&self.initial, op, reply, handled);
    }

    fn monitor(
        &self,
        operations: &[Operation<Op<V>, Reply<V>>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        if self.initial.is_empty() { monitors::queue(operations, members).told() } else { None }
    }

    fn describe(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> String {
        describe(op, reply, ["enqueue", "dequeue", "front"])
    }
}

impl<V: Datum> Model for Stack<V> {
    type Op = Op<V>;
    type Reply = Reply<V>;
    type State = Vec<V>;

    fn initial(&self) -> Vec<V> {
        self.initial.clone()
    }

    fn step(&self, state: &Vec<V>, op: &Op<V>, reply: Option<&Reply<V>>, next: &mut Vec<Vec<V>>) {
        let enter = |value: &V| state.iter().chain([value]).cloned().collect();
        step(state, (op, reply), state.len().checked_sub(1), enter, next);
    }

    fn effect(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
        effect(op, reply)
    }

    fn answers_alike(&self, op: &Op<V>) -> bool {
        matches!(op, Op::Insert(_))
    }

    fn values(&self, op: &Op<V>, reply: Option<&Reply<V>>, handled: &mut Parts) {
        values(&self.initial, op, reply, handled);
    }

    fn monitor(
        &self,
        operations: &[Operation<Op<V>, Reply<V>>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        if self.initial.is_empty() { monitors::stack(operations, members).told() } else { None }
    }

    fn describe(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> String {
        describe(op, reply, ["push", "pop", "top"])
    }
}

impl<V: Datum> Model for PriorityQueue<V> {
    type Op = Op<V>;
    type Reply = Reply<V>;
    /// In ascending order.
    type State = Vec<V>;

    fn initial(&self) -> Vec<V> {
        let mut values = self.initial.clone();
        values.sort();
        values
    }

    fn step(&self, state: &Vec<V>, op: &Op<V>, reply: Option<&Reply<V>>, next: &mut Vec<Vec<V>>) {
        let first = match self.first {
            First::Least => (!state.is_empty()).then_some(0),
            First::Greatest => state.len().checked_sub(1),
        };
        let enter = |value: &V| {
            let place = state.partition_point(|other| other <= value);
            state[..place].iter().chain([value]).chain(&state[place..]).cloned().collect()
        };
        step(state, (op, reply), first, enter, next);
    }

    fn effect(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> Effect {
        effect(op, reply)
    }

    fn answers_alike(&self, op: &Op<V>) -> bool {
        matches!(op, Op::Insert(_))
    }

    fn values(&self, op: &Op<V>, reply: Option<&Reply<V>>, handled: &mut Parts) {
        values(&self.initial, op, reply, handled);
    }

    fn monitor(
        &self,
        operations: &[Operation<Op<V>, Reply<V>>],
        members: &[u32],
    ) -> Option<Result<Vec<u32>, Vec<u32>>> {
        if self.initial.is_empty() {
            monitors::priority_queue(operations, members, self.first).told()
        } else {
            None
        }
    }

    fn describe(&self, op: &Op<V>, reply: Option<&Reply<V>>) -> String {
        describe(op, reply, ["insert", "remove", "first"])
    }
}
