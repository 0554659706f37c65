//! The definitions of the levels that a search decides, for histories of lists: everything is executed in every order.

use isles_history::{Key, Status, Step, Transactions, Value, ValueId};
use isles_kernel::random::Stream;

use super::{Level, Order};

/// Whether a history of lists, in which all transactions committed, executes in some order of begins and commits: a transaction finds at its
/// begin what is committed, and its own appends after it. None for levels that are not decided so.
fn executes(history: &Transactions, level: Level) -> Option<bool> {
    let (is_serial, no_overlap) = match level {
        Level::Serializable | Level::SessionSerializable | Level::StrictSerializable => (true, false),
        Level::Prefix | Level::SessionPrefix => (false, false),
        Level::SnapshotIsolation | Level::SessionSnapshotIsolation | Level::StrongSnapshotIsolation => {
            (false, true)
        }
        _ => return None,
    };
    let start = Run { history, order: level.order(), is_serial, no_overlap, begun: 0, committed: 0 };
    Some(start.goes_on(&mut vec![Vec::new(); history.keys() as usize]))
}

#[derive(Clone, Copy)]
struct Run<'a> {
    history: &'a Transactions,
    order: Order,
    is_serial: bool,
    no_overlap: bool,
    /// Sets of transactions.
    begun: u32,
    committed: u32,
}

impl Run<'_> {
    fn goes_on(self, lists: &mut Vec<Vec<ValueId>>) -> bool {
        let count = self.history.all().len() as u32;
        if self.committed.count_ones() == count {
            return true;
        }
        (0..count).any(|of| {
            if self.begun >> of & 1 == 0 {
                let next = Self { begun: self.begun | 1 << of, ..self };
                self.may_begin(of) && self.finds(of, lists) && next.goes_on(lists)
            } else if self.committed >> of & 1 == 0 {
                let mut after = lists.clone();
                self.appends(of).for_each(|(key, element)| after[key.0 as usize].push(element));
                Self { committed: self.committed | 1 << of, ..self }.goes_on(&mut after)
            } else {
                false
            }
        })
    }

    fn steps(&self, of: u32) -> &[Step] {
        self.history.steps(&self.history.all()[of as usize])
    }

    fn appends(&self, of: u32) -> impl Iterator<Item = (Key, ValueId)> {
        self.steps(of).iter().filter_map(|step| match *step {
            Step::Append { key, element } => Some((key, element)),
            _ => None,
        })
    }

    fn may_begin(&self, of: u32) -> bool {
        let open = self.begun & !self.committed;
        let keys: Vec<Key> = self.appends(of).map(|(key, _)| key).collect();
        let mut others = (0..self.history.all().len() as u32).filter(|other| *other != of);
        let is_free = |other: u32| !self.appends(other).any(|(key, _)| keys.contains(&key));
        (!self.is_serial || open == 0)
            && others.all(|other| {
                let waits = self.is_before(other, of) && self.committed >> other & 1 == 0;
                !waits && (!self.no_overlap || open >> other & 1 == 0 || is_free(other))
            })
    }

    fn is_before(&self, a: u32, b: u32) -> bool {
        let (one, two) = (&self.history.all()[a as usize], &self.history.all()[b as usize]);
        let session = self.order >= Order::Session && a < b && one.session == two.session;
        let end = one.interval.map_or(u64::MAX, |(_, end)| end);
        session || self.order == Order::RealTime && end < two.interval.map_or(0, |(begin, _)| begin)
    }

    fn finds(&self, of: u32, lists: &[Vec<ValueId>]) -> bool {
        let mut lists = lists.to_vec();
        self.steps(of).iter().all(|step| match *step {
            Step::Append { key, element } => {
                lists[key.0 as usize].push(element);
                true
            }
            Step::ReadList { key, start, count } => *self.history.list(start, count) == lists[key.0 as usize],
            Step::Read { .. } | Step::Write { .. } => false,
        })
    }
}

/// A small history of lists, nearly a serial execution: now and then a read misses the last elements, or sees two in another order.
fn sample(seed: u64) -> Transactions {
    let mut random = Stream::new(seed, &[1]);
    let mut history = Transactions::default();
    let keys: Vec<Key> =
        (0..1 + random.below(2)).map(|key| history.add_key(Value::Int(key.into()))).collect();
    let mut lists: Vec<Vec<ValueId>> = vec![Vec::new(); keys.len()];
    let (count, sessions, stale) = (2 + random.below(3), 1 + random.below(3), random.below(4));
    for number in 0..count {
        let mut steps = Vec::new();
        // Elements that this transaction may miss: others put them in.
        let theirs: Vec<usize> = lists.iter().map(Vec::len).collect();
        for _ in 0..1 + random.below(3) {
            let at = random.below(keys.len() as u32) as usize;
            if random.below(2) == 0 {
                let element = history.add_value(Value::Int(0));
                lists[at].push(element);
                steps.push(Step::Append { key: keys[at], element });
                continue;
            }
            let mut seen = lists[at].clone();
            if theirs[at] > 0 && random.below(6) < stale {
                let missed = 1 + random.below(theirs[at] as u32) as usize;
                seen.drain(theirs[at] - missed..theirs[at]);
            } else if theirs[at] > 1 && random.below(24) < stale {
                seen.swap(theirs[at] - 2, theirs[at] - 1);
            }
            steps.push(history.read_list(keys[at], seen));
        }
        let begin = u64::from(number * 3 + random.below(4));
        let interval = Some((begin, begin + u64::from(1 + random.below(6))));
        history.push(random.below(sessions), Status::Committed, interval, steps);
    }
    history
}

#[test]
fn checkers_of_lists_agree_with_executing_everything_in_every_order() {
    use crate::Verdict;
    use crate::transactions::{Budget, check};

    let mut met = vec![[0; 2]; 20];
    let others = (0..1_500).map(|seed| crate::lattice::sample_lists(seed, 4));
    for (seed, history) in (0..2_500).map(sample).chain(others).enumerate() {
        for level in Level::all() {
            let Some(expected) = executes(&history, level) else { continue };
            let verdict = check(&history, level, Budget::default());
            let found = matches!(verdict, Verdict::Holds(_));
            assert!(found == expected, "seed {seed}: {level}: {expected}: {history:?} {verdict:?}");
            let checked = crate::verify_transactions(&history, level, &verdict);
            assert_eq!(checked, Ok(()), "seed {seed}: {level} {history:?} {verdict:?}");
            met[level as usize][usize::from(expected)] += 1;
        }
    }
    let decided = met.iter().filter(|counts| counts.iter().all(|count| *count >= 100)).count();
    assert_eq!(decided, 8, "{met:?}");
}
