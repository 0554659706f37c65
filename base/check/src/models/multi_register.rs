//! Several registers, of which one operation reads and writes some.

use std::collections::BTreeMap;

use crate::model::{Datum, Effect, Model, Parts};

/// Registers by their keys. An operation is a list of steps that take effect together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MultiRegister<K, V> {
    /// What registers hold at first; one that is missing here holds nothing, and a read of it answers nothing.
    pub initial: BTreeMap<K, V>,
}

/// What is asked: these steps, in order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Op<K, V>(pub Vec<Step<K, V>>);

/// One step of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step<K, V> {
    /// What does it hold?
    Read(K),
    /// Hold this.
    Write(K, V),
}

/// What is answered: for each step what was read; nothing for a write, and for a read whose answer is not recorded.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reply<V>(pub Vec<Option<V>>);

impl<K: Datum, V: Datum> Model for MultiRegister<K, V> {
    type Op = Op<K, V>;
    type Reply = Reply<V>;
    type State = BTreeMap<K, V>;

    fn initial(&self) -> BTreeMap<K, V> {
        self.initial.clone()
    }

    fn step(
        &self,
        state: &BTreeMap<K, V>,
        op: &Op<K, V>,
        reply: Option<&Reply<V>>,
        next: &mut Vec<BTreeMap<K, V>>,
    ) {
        if reply.is_some_and(|reply| reply.0.len() != op.0.len()) {
            return;
        }
        let mut state = state.clone();
        for (index, step) in op.0.iter().enumerate() {
            match step {
                Step::Read(key) => {
                    let seen = reply.and_then(|reply| reply.0[index].as_ref());
                    if seen.is_some() && seen != state.get(key) {
                        return;
                    }
                }
                Step::Write(key, value) => {
                    state.insert(key.clone(), value.clone());
                }
            }
        }
        next.push(state);
    }

    fn effect(&self, op: &Op<K, V>, _: Option<&Reply<V>>) -> Effect {
        let reads = op.0.iter().all(|step| matches!(step, Step::Read(_)));
        if reads { Effect::Preserves } else { Effect::Any }
    }

    fn objects(&self, op: &Op<K, V>, objects: &mut Parts) {
        for step in &op.0 {
            let (Step::Read(key) | Step::Write(key, _)) = step;
            objects.add(key);
        }
    }

    fn values(&self, op: &Op<K, V>, reply: Option<&Reply<V>>, values: &mut Parts) {
        for (index, step) in op.0.iter().enumerate() {
            match step {
                Step::Read(key) => {
                    if let Some(value) = reply.and_then(|reply| reply.0.get(index)?.as_ref()) {
                        values.add(&(key, value));
                    }
                }
                Step::Write(key, value) => values.add(&(key, value)),
            }
        }
    }

    fn describe(&self, op: &Op<K, V>, reply: Option<&Reply<V>>) -> String {
        let steps = op.0.iter().enumerate().map(|(index, step)| match step {
            Step::Read(key) => match reply.and_then(|reply| reply.0.get(index)?.as_ref()) {
                Some(value) => format!("read {key:?} → {value:?}"),
                None => format!("read {key:?}"),
            },
            Step::Write(key, value) => format!("write {key:?} {value:?}"),
        });
        let text = steps.collect::<Vec<_>>().join(", ");
        if reply.is_some() { text } else { text + ", unknown" }
    }
}
