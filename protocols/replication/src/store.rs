//! What all protocols of this chapter replicate: a memory of numbered objects, each of which holds a number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a client asks.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// What does this object hold?
    Read {
        /// Which object.
        object: u32,
    },
    /// Let this object hold this value.
    Write {
        /// Which object.
        object: u32,
        /// What it shall hold.
        value: i64,
    },
    /// Add to what this object holds.
    Add {
        /// Which object.
        object: u32,
        /// How much; sums wrap.
        amount: i64,
    },
    /// What do all objects hold, at one moment?
    Snapshot,
}

/// What a client is answered.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// What the object holds.
    Value(i64),
    /// The update was done, as far as the protocol's configuration asks.
    Done,
    /// What every object holds that does not hold 0, in the order of their numbers.
    Values(Vec<(u32, i64)>),
}

/// A change of one object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Update {
    /// The object holds this value from now on.
    Set {
        /// Which object.
        object: u32,
        /// Its new value.
        value: i64,
    },
    /// The object holds so much more. It does not commute with [`Update::Set`].
    Add {
        /// Which object.
        object: u32,
        /// How much; sums wrap.
        amount: i64,
    },
}

impl Update {
    /// Which object it changes.
    pub const fn object(self) -> u32 {
        match self {
            Self::Set { object, .. } | Self::Add { object, .. } => object,
        }
    }
}

impl Op {
    /// The change that the operation asks for, if any.
    pub const fn update(&self) -> Option<Update> {
        match *self {
            Self::Write { object, value } => Some(Update::Set { object, value }),
            Self::Add { object, amount } => Some(Update::Add { object, amount }),
            Self::Read { .. } | Self::Snapshot => None,
        }
    }
}

/// The objects; each holds 0 in the beginning.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Store {
    /// Invariant: no value is 0, so that equal memories are equal values.
    values: BTreeMap<u32, i64>,
}

impl Store {
    /// What an object holds.
    pub fn get(&self, object: u32) -> i64 {
        self.values.get(&object).copied().unwrap_or(0)
    }

    /// Does a change.
    pub fn apply(&mut self, update: Update) {
        let (object, value) = match update {
            Update::Set { object, value } => (object, value),
            Update::Add { object, amount } => (object, self.get(object).wrapping_add(amount)),
        };
        if value == 0 {
            self.values.remove(&object);
        } else {
            self.values.insert(object, value);
        }
    }

    /// The answer to a question; to an update, that it is done.
    pub fn answer(&self, op: &Op) -> Reply {
        match op {
            Op::Read { object } => Reply::Value(self.get(*object)),
            Op::Snapshot => {
                Reply::Values(self.values.iter().map(|(object, value)| (*object, *value)).collect())
            }
            Op::Write { .. } | Op::Add { .. } => Reply::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_that_hold_the_same_are_equal() {
        let (mut a, b) = (Store::default(), Store::default());
        a.apply(Update::Set { object: 1, value: 5 });
        assert_eq!((a.get(1), a.answer(&Op::Snapshot)), (5, Reply::Values(vec![(1, 5)])));
        a.apply(Update::Add { object: 1, amount: -5 });
        assert_eq!(a, b);
    }

    #[test]
    fn setting_and_adding_do_not_commute() {
        let (set, add) = (Update::Set { object: 0, value: 3 }, Update::Add { object: 0, amount: 4 });
        let run = |updates: [Update; 2]| {
            let mut store = Store::default();
            updates.into_iter().for_each(|update| store.apply(update));
            store
        };
        assert_ne!(run([set, add]), run([add, set]));
        let more = Update::Add { object: 0, amount: 9 };
        assert_eq!(run([add, more]), run([more, add]));
    }
}
