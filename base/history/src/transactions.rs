//! Transactions: what checkers of isolation levels judge.

use std::ops::Range;

use crate::{Moment, Value};

/// Names a key of a [`Transactions`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(pub u32);

/// Names a value, or an element of a list, of a [`Transactions`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ValueId(pub u32);

impl ValueId {
    /// What every key holds before anybody writes it.
    pub const INITIAL: Self = Self(0);
}

/// What became of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// It took effect.
    Committed,
    /// It took no effect: nobody may see what it wrote.
    Aborted,
    /// Nobody knows: committed if somebody saw what it wrote.
    Unknown,
}

/// One step of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// Read a register.
    Read {
        /// Of which key.
        key: Key,
        /// What it held.
        value: ValueId,
    },
    /// Wrote a register.
    Write {
        /// Of which key.
        key: Key,
        /// What it holds now.
        value: ValueId,
    },
    /// Appended to a list.
    Append {
        /// Of which key.
        key: Key,
        /// To its end.
        element: ValueId,
    },
    /// Read a whole list.
    ReadList {
        /// Of which key.
        key: Key,
        /// Where its elements begin; see [`Transactions::list`].
        start: u32,
        /// How many there were.
        count: u32,
    },
}

/// One transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Transaction {
    /// Transactions of a session follow one another, in the order of the history.
    pub session: u32,
    /// What became of it.
    pub status: Status,
    /// Its steps; see [`Transactions::steps`].
    pub steps: Range<u32>,
    /// When it began and ended, where that was recorded; a transaction without an end has [`Moment::MAX`].
    pub interval: Option<(Moment, Moment)>,
}

/// A history of transactions over keys, laid out flat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transactions {
    /// In the order of their beginning; within a session always so.
    transactions: Vec<Transaction>,
    steps: Vec<Step>,
    elements: Vec<ValueId>,
    keys: Vec<Value>,
    /// Invariant: the first is the initial value.
    values: Vec<Value>,
}

impl Default for Transactions {
    fn default() -> Self {
        Self {
            transactions: Vec::new(),
            steps: Vec::new(),
            elements: Vec::new(),
            keys: Vec::new(),
            values: vec![Value::Nil],
        }
    }
}

impl Transactions {
    /// All of them.
    pub fn all(&self) -> &[Transaction] {
        &self.transactions
    }

    /// What a transaction did, in order.
    pub fn steps(&self, transaction: &Transaction) -> &[Step] {
        &self.steps[transaction.steps.start as usize..transaction.steps.end as usize]
    }

    /// The elements of a list that was read, those of a [`Step::ReadList`].
    pub fn list(&self, start: u32, count: u32) -> &[ValueId] {
        &self.elements[start as usize..start as usize + count as usize]
    }

    /// How many keys there are: they are `Key(0)` and so on.
    pub fn keys(&self) -> u32 {
        self.keys.len() as u32
    }

    /// How many values there are, the initial one included.
    pub fn values(&self) -> u32 {
        self.values.len() as u32
    }

    /// What a key is called.
    pub fn key_name(&self, key: Key) -> &Value {
        &self.keys[key.0 as usize]
    }

    /// What a value is.
    pub fn value_name(&self, value: ValueId) -> &Value {
        &self.values[value.0 as usize]
    }

    /// A new key of this name; whoever builds sees to it that names differ.
    pub fn add_key(&mut self, name: Value) -> Key {
        self.keys.push(name);
        Key(self.keys.len() as u32 - 1)
    }

    /// A new value of this name; whoever builds sees to it that names differ.
    pub fn add_value(&mut self, name: Value) -> ValueId {
        self.values.push(name);
        ValueId(self.values.len() as u32 - 1)
    }

    /// A list that was read, as a step.
    pub fn read_list(&mut self, key: Key, elements: impl IntoIterator<Item = ValueId>) -> Step {
        let start = self.elements.len() as u32;
        self.elements.extend(elements);
        Step::ReadList { key, start, count: self.elements.len() as u32 - start }
    }

    /// Adds the next transaction.
    pub fn push(
        &mut self,
        session: u32,
        status: Status,
        interval: Option<(Moment, Moment)>,
        steps: impl IntoIterator<Item = Step>,
    ) {
        let start = self.steps.len() as u32;
        self.steps.extend(steps);
        let steps = start..self.steps.len() as u32;
        self.transactions.push(Transaction { session, status, steps, interval });
    }

    /// All steps, to correct what is known at the end only.
    pub(crate) fn steps_mut(&mut self) -> impl Iterator<Item = &mut Step> {
        self.steps.iter_mut()
    }

    /// Puts the transactions into the order of their beginning, where that was recorded of all of them.
    pub(crate) fn sort(&mut self) {
        if self.transactions.iter().all(|transaction| transaction.interval.is_some()) {
            self.transactions.sort_by_key(|transaction| transaction.interval);
        }
    }

    /// Puts the transactions into the order of these keys, one for each.
    pub(crate) fn sort_by(&mut self, keys: &[u64]) {
        let mut keyed: Vec<(u64, Transaction)> =
            keys.iter().copied().zip(self.transactions.drain(..)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        self.transactions.extend(keyed.into_iter().map(|(_, transaction)| transaction));
    }
}
