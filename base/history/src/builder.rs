//! Builds [`Transactions`] from names: keys and values get their numbers in the order in which they are met.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::{Key, Moment, Status, Step, Transactions, Value, ValueId};

/// Numbers for things by their names. Small whole numbers, which most files have for names, are looked up in a table.
#[derive(Clone, Debug)]
struct Index {
    /// The number of `Int(n)` at `n`, or [`Index::NONE`]. Invariant: at most [`Index::ROOM`] rows for each thing.
    small: Vec<u32>,
    others: HashMap<Value, u32, FxBuildHasher>,
    /// How many things there are.
    count: u32,
}

impl Index {
    const NONE: u32 = u32::MAX;
    const ROOM: usize = 8;

    fn new() -> Self {
        Self { small: Vec::new(), others: HashMap::default(), count: 0 }
    }

    fn fresh(&mut self) -> u32 {
        let number = self.count;
        self.count = self.count.checked_add(1).expect("memory ends before 2^32 names");
        number
    }

    /// The number of a whole number, and whether it is new.
    fn int(&mut self, int: i64) -> (u32, bool) {
        let room = Self::ROOM * (self.count as usize + 64);
        let row = usize::try_from(int).unwrap_or(usize::MAX);
        let Some(found) = self.small.get(row).copied() else {
            if row >= room {
                return self.other(&Value::Int(int));
            }
            self.small.resize((row + 1).max(self.small.len() * 2).min(room.max(row + 1)), Self::NONE);
            return self.small_new(row, int);
        };
        if found != Self::NONE { (found, false) } else { self.small_new(row, int) }
    }

    /// A whole number whose row of the table is empty. It may have been met when the table was smaller.
    fn small_new(&mut self, row: usize, int: i64) -> (u32, bool) {
        let known = if self.others.is_empty() { None } else { self.others.get(&Value::Int(int)).copied() };
        let number = known.unwrap_or_else(|| self.fresh());
        self.small[row] = number;
        (number, known.is_none())
    }

    fn other(&mut self, value: &Value) -> (u32, bool) {
        if let Some(number) = self.others.get(value) {
            return (*number, false);
        }
        let number = self.fresh();
        self.others.insert(value.clone(), number);
        (number, true)
    }

    fn get(&mut self, value: &Value) -> (u32, bool) {
        if let Value::Int(int) = value { self.int(*int) } else { self.other(value) }
    }
}

/// Builds [`Transactions`] from keys and values by their names.
///
/// ```
/// use isles_history::{Builder, Status, Value};
///
/// let mut builder = Builder::default();
/// let write = builder.write(&Value::Int(7), &Value::Int(1));
/// builder.push(0, Status::Committed, None, [write]);
/// let read = builder.read(&Value::Int(7), &Value::Nil);
/// builder.push(1, Status::Committed, None, [read]);
/// let transactions = builder.finish();
/// assert_eq!((transactions.all().len(), transactions.keys(), transactions.values()), (2, 1, 2));
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    transactions: Transactions,
    keys: Index,
    values: Index,
    /// Whether a key was ever appended to.
    appended: Vec<bool>,
    /// The number that stands for the initial value, where a format has one.
    zero: Option<ValueId>,
    /// Whether that number was written to a key.
    zero_written: Vec<bool>,
}

impl Default for Builder {
    fn default() -> Self {
        let mut values = Index::new();
        values.other(&Value::Nil);
        Self {
            transactions: Transactions::default(),
            keys: Index::new(),
            values,
            appended: Vec::new(),
            zero: None,
            zero_written: Vec::new(),
        }
    }
}

impl Builder {
    /// One for formats in which `0` is what every key holds before anybody writes it, unless somebody writes `0` to it.
    pub fn with_initial_zero() -> Self {
        let mut builder = Self::default();
        builder.zero = Some(builder.value(&Value::Int(0)));
        builder
    }

    /// The key of this name.
    pub fn key(&mut self, name: &Value) -> Key {
        let (number, new) = self.keys.get(name);
        if new {
            self.transactions.add_key(name.clone());
            self.appended.push(false);
            self.zero_written.push(false);
        }
        Key(number)
    }

    /// The value of this name; [`Value::Nil`] is the initial one.
    pub fn value(&mut self, name: &Value) -> ValueId {
        let (number, new) = self.values.get(name);
        if new {
            self.transactions.add_value(name.clone());
        }
        ValueId(number)
    }

    /// A read of a register, as a step.
    pub fn read(&mut self, key: &Value, value: &Value) -> Step {
        Step::Read { key: self.key(key), value: self.value(value) }
    }

    /// A write of a register, as a step.
    pub fn write(&mut self, key: &Value, value: &Value) -> Step {
        let (key, value) = (self.key(key), self.value(value));
        if self.zero == Some(value) {
            self.zero_written[key.0 as usize] = true;
        }
        Step::Write { key, value }
    }

    /// An append to a list, as a step.
    pub fn append(&mut self, key: &Value, element: &Value) -> Step {
        let (key, element) = (self.key(key), self.value(element));
        self.appended[key.0 as usize] = true;
        Step::Append { key, element }
    }

    /// A read of a whole list, as a step.
    pub fn read_list(&mut self, key: &Value, elements: &[Value]) -> Step {
        let key = self.key(key);
        let elements: Vec<ValueId> = elements.iter().map(|element| self.value(element)).collect();
        self.transactions.read_list(key, elements)
    }

    /// Adds the next transaction.
    pub fn push(
        &mut self,
        session: u32,
        status: Status,
        interval: Option<(Moment, Moment)>,
        steps: impl IntoIterator<Item = Step>,
    ) {
        self.transactions.push(session, status, interval, steps);
    }

    /// The transactions. A read of nothing from a key that somebody appends to is a read of the empty list.
    pub fn finish(mut self) -> Transactions {
        let (zero, appended, written) = (self.zero, &self.appended, &self.zero_written);
        let fix = |step: &mut Step| {
            let Step::Read { key, value } = *step else { return };
            if Some(value) == zero && !written[key.0 as usize] {
                *step = Step::Read { key, value: ValueId::INITIAL };
            } else if value == ValueId::INITIAL && appended[key.0 as usize] {
                *step = Step::ReadList { key, start: 0, count: 0 };
            }
        };
        self.transactions.steps_mut().for_each(fix);
        self.transactions.sort();
        self.transactions
    }

    /// The same, in the order of `begun`, which tells when each transaction began.
    pub(crate) fn finish_ordered(self, begun: &[u64]) -> Transactions {
        let mut transactions = self.finish();
        if !begun.is_sorted() {
            transactions.sort_by(begun);
        }
        transactions
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_those_of_a_plain_map(ints in proptest::collection::vec(prop_oneof![0i64..2000, any::<i64>(), 0i64..1_000_000], 0..400)) {
            let mut index = Index::new();
            let mut plain: BTreeMap<i64, u32> = BTreeMap::new();
            for int in ints {
                let next = plain.len() as u32;
                let new = !plain.contains_key(&int);
                let number = *plain.entry(int).or_insert(next);
                prop_assert_eq!(index.int(int), (number, new));
                prop_assert!(index.small.len() <= Index::ROOM * (plain.len() + 64));
            }
        }
    }

    #[test]
    fn zero_is_the_initial_value_of_keys_it_was_not_written_to() {
        let mut builder = Builder::with_initial_zero();
        let (zero, one) = (Value::Int(0), Value::Int(1));
        let steps = [builder.write(&one, &zero), builder.read(&one, &zero), builder.read(&zero, &zero)];
        builder.push(0, Status::Committed, None, steps);
        let transactions = builder.finish();
        let steps = transactions.steps(&transactions.all()[0]);
        let Step::Write { value, .. } = steps[0] else { panic!("the first is a write") };
        assert_eq!(steps[1], Step::Read { key: Key(0), value });
        assert_eq!(steps[2], Step::Read { key: Key(1), value: ValueId::INITIAL });
    }

    #[test]
    fn nothing_read_from_a_list_is_the_empty_list() {
        let mut builder = Builder::default();
        let steps =
            [builder.read(&Value::Int(1), &Value::Nil), builder.append(&Value::Int(1), &Value::Int(5))];
        builder.push(0, Status::Committed, None, steps);
        let transactions = builder.finish();
        let [Step::ReadList { count: 0, .. }, Step::Append { .. }] =
            transactions.steps(&transactions.all()[0])
        else {
            panic!("a list was read")
        };
    }
}
