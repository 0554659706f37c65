//! Who wrote which value.

use isles_history::{Key, Status, Step, Transactions, ValueId};

/// Where a value that was read comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// One transaction, at this step.
    Step {
        /// Which transaction of the history.
        transaction: u32,
        /// Which of its steps.
        step: u32,
        /// Whether it wrote this key for the last time with it.
        last: bool,
    },
    /// Several transactions that may have committed.
    Several,
    /// Nobody.
    Nobody,
}

/// One write or append.
#[derive(Clone, Copy)]
struct Entry {
    key: u32,
    transaction: u32,
    step: u32,
    last: bool,
}

/// All writes and appends by value, then by key.
pub(super) struct Sources {
    /// Where the entries of each value begin.
    start: Vec<u32>,
    entries: Vec<Entry>,
}

/// The key and the value that a step writes.
pub(super) const fn written(step: &Step) -> Option<(Key, ValueId)> {
    match step {
        Step::Write { key, value } => Some((*key, *value)),
        Step::Append { key, element } => Some((*key, *element)),
        Step::Read { .. } | Step::ReadList { .. } => None,
    }
}

impl Sources {
    /// Looks at every transaction, whatever became of it. O(steps), and a sort where keys share a value.
    pub(super) fn new(history: &Transactions) -> Self {
        let mut start = vec![0u32; history.values() as usize + 1];
        let steps = |transaction| history.steps(transaction).iter();
        for (_, value) in history.all().iter().flat_map(steps).filter_map(written) {
            start[value.0 as usize + 1] += 1;
        }
        for value in 1..start.len() {
            start[value] += start[value - 1];
        }
        let nothing = Entry { key: 0, transaction: 0, step: 0, last: false };
        let mut entries = vec![nothing; start.last().map_or(0, |end| *end as usize)];
        let mut next = start.clone();
        let mut stamp = vec![u32::MAX; history.keys() as usize];
        for (number, transaction) in (0..).zip(history.all()) {
            for (step, done) in history.steps(transaction).iter().enumerate().rev() {
                let Some((key, value)) = written(done) else { continue };
                let last = std::mem::replace(&mut stamp[key.0 as usize], number) != number;
                let place = &mut next[value.0 as usize];
                entries[*place as usize] = Entry { key: key.0, transaction: number, step: step as u32, last };
                *place += 1;
            }
        }
        for value in 1..start.len() {
            let group = &mut entries[start[value - 1] as usize..start[value] as usize];
            if group.len() > 1 {
                group.sort_by_key(|entry| (entry.key, entry.transaction));
            }
        }
        Self { start, entries }
    }

    /// Where a value of a key comes from: a transaction that aborted only if there is no other.
    pub(super) fn of(&self, history: &Transactions, key: Key, value: ValueId) -> Source {
        let group =
            &self.entries[self.start[value.0 as usize] as usize..self.start[value.0 as usize + 1] as usize];
        let from = group.partition_point(|entry| entry.key < key.0);
        let mut found = Source::Nobody;
        let mut is_aborted = true;
        for entry in group[from..].iter().take_while(|entry| entry.key == key.0) {
            let aborted = history.all()[entry.transaction as usize].status == Status::Aborted;
            let source = Source::Step { transaction: entry.transaction, step: entry.step, last: entry.last };
            found = match found {
                Source::Nobody => source,
                // Within one transaction the later step comes first here, and counts.
                Source::Step { transaction, .. } if transaction == entry.transaction => found,
                _ if aborted => found,
                _ if is_aborted => source,
                Source::Step { .. } | Source::Several => Source::Several,
            };
            is_aborted &= aborted;
        }
        found
    }
}
