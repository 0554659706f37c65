//! Levels of transactions, and how they imply one another.

use isles_check::lattice::{implied, sample};
use isles_check::linearizability::Limits;
use isles_check::models::MultiRegister;
use isles_check::models::multi_register::{Op, Reply, Step as Asked};
use isles_check::transactions::{Anomaly, Budget, Level, check};
use isles_check::{Verdict, sequential};
use isles_history::{Key, Operation, Outcome, Status, Step, Transactions, Value, ValueId};
use isles_kernel::random::Stream;

use super::super::{Effort, Finding};

/// Whether a level holds; none if that is not decided.
fn holds(history: &Transactions, level: Level) -> Option<bool> {
    match check(history, level, Budget::default()) {
        Verdict::Holds(_) => Some(true),
        Verdict::Violated(_) => Some(false),
        Verdict::Unknown(_) => None,
    }
}

/// Two keys, and values 1 and 2.
struct Small {
    history: Transactions,
    keys: [Key; 2],
    values: [ValueId; 2],
}

impl Small {
    fn new() -> Self {
        let mut history = Transactions::default();
        let keys = [0, 1].map(|key| history.add_key(Value::Int(key)));
        let values = [1, 2].map(|value| history.add_value(Value::Int(value)));
        Self { history, keys, values }
    }

    fn read(&self, key: usize, value: Option<usize>) -> Step {
        Step::Read { key: self.keys[key], value: value.map_or(ValueId::INITIAL, |value| self.values[value]) }
    }

    fn write(&self, key: usize, value: usize) -> Step {
        Step::Write { key: self.keys[key], value: self.values[value] }
    }
}

/// Both read x and then write it: one of the updates is lost.
fn lost_update() -> Transactions {
    let mut small = Small::new();
    for value in 0..2 {
        let steps = [small.read(0, None), small.write(0, value)];
        small.history.push(value as u32, Status::Committed, None, steps);
    }
    small.history
}

/// Both read both keys, and each writes another.
fn write_skew() -> Transactions {
    let mut small = Small::new();
    for key in 0..2 {
        let steps = [small.read(0, None), small.read(1, None), small.write(key, key)];
        small.history.push(key as u32, Status::Committed, None, steps);
    }
    small.history
}

/// One sees what another wrote that was aborted.
fn dirty_read() -> Transactions {
    let mut small = Small::new();
    let (write, read) = (small.write(0, 0), small.read(0, Some(0)));
    small.history.push(0, Status::Aborted, None, [write]);
    small.history.push(1, Status::Committed, None, [read]);
    small.history
}

/// An operation of one step.
type Single = Operation<Op<u8, u32>, Reply<u32>>;

/// A random history of single operations by three clients, once as operations and once as transactions of one step.
fn single_operations(seed: u64) -> (Vec<Single>, Transactions) {
    let mut draws = Stream::new(seed, &[0x0063_6f6e_2d36]);
    let mut history = Transactions::default();
    let keys = [0, 1].map(|key| history.add_key(Value::Int(key)));
    let mut written: [Vec<ValueId>; 2] = [vec![ValueId::INITIAL], vec![ValueId::INITIAL]];
    let mut operations = Vec::new();
    for turn in 0..2 + u64::from(draws.below(6)) {
        let (process, key) = (draws.below(3), draws.below(2) as usize);
        let (asked, seen, step) = if draws.below(2) == 0 {
            let value = history.add_value(Value::Int(turn as i64 + 1));
            written[key].push(value);
            (Asked::Write(key as u8, value.0), None, Step::Write { key: keys[key], value })
        } else {
            let value = written[key][draws.below(written[key].len() as u32) as usize];
            (Asked::Read(key as u8), Some(value.0), Step::Read { key: keys[key], value })
        };
        let outcome = Outcome::Returned { at: turn * 2 + 1, reply: Reply(vec![seen]) };
        operations.push(Operation { process, invoked: turn * 2, op: Op(vec![asked]), outcome });
        history.push(process, Status::Committed, None, [step]);
    }
    (operations, history)
}

pub(super) fn con_06(effort: &Effort) -> Result<Finding, String> {
    let seeds = if effort.quick { 2_000 } else { 50_000 };
    let model = MultiRegister { initial: [(0, 0), (1, 0)].into() };
    let (mut agree, mut right) = (0, 0);
    for seed in 0..seeds {
        let (operations, history) = single_operations(seed);
        let serializable =
            holds(&history, Level::SessionSerializable).ok_or("a small history was not decided")?;
        let sequential = match sequential::check(&model, &operations, &Limits::default()) {
            Verdict::Holds(_) => true,
            Verdict::Violated(_) => false,
            Verdict::Unknown(_) => return Err("a small history was not decided".to_owned()),
        };
        agree += u64::from(serializable == sequential);
        right += u64::from(sequential);
    }
    let anomaly = |history: &Transactions| match check(history, Level::Serializable, Budget::default()) {
        Verdict::Violated(violation) => Some(violation.anomaly),
        Verdict::Holds(_) | Verdict::Unknown(_) => None,
    };
    let refused = [anomaly(&lost_update()), anomaly(&write_skew()), anomaly(&dirty_read())];
    let expected = [Anomaly::LostUpdate, Anomaly::WriteSkew, Anomaly::AbortedRead].map(Some);
    Ok(Finding {
        holds: agree == seeds && right > seeds / 20 && right < seeds - seeds / 20,
        control_fails: refused == expected,
        measured: format!(
            "of {seeds} histories of single operations, {right} are sequentially consistent, and {agree} are judged alike as \
             transactions; refused: {}",
            refused.map(|one| one.map_or_else(|| "nothing".to_owned(), |one| format!("{one:?}"))).join(", ")
        ),
        predicted: "all judged alike; lost update, write skew, aborted read".to_owned(),
        charts: Vec::new(),
    })
}

/// A key, a value, and whether it is written; otherwise it is read.
type Deed = (usize, usize, bool);

/// Histories that random ones of few transactions hardly ever are: sessions that see two writers of x in opposite orders, though each
/// session's order is possible by itself.
fn built() -> [Transactions; 3] {
    let one_each = |parts: &[(u32, &[Deed])]| {
        let mut history = Transactions::default();
        let keys = [0, 1, 2].map(|key| history.add_key(Value::Int(key)));
        let values = [1, 2, 3, 4].map(|value| history.add_value(Value::Int(value)));
        for &(session, steps) in parts {
            let step = |&(key, value, writes): &Deed| {
                let (key, value) = (keys[key], values[value]);
                if writes { Step::Write { key, value } } else { Step::Read { key, value } }
            };
            // A write after a read, or after a write of another key, is a transaction of its own.
            for part in steps.chunk_by(|_, next| !next.2) {
                history.push(session, Status::Committed, None, part.iter().map(step));
            }
        }
        history
    };
    let (x, y, z) = (0, 1, 2);
    let mut atomic = Transactions::default();
    let keys = [0, 1, 2].map(|key| atomic.add_key(Value::Int(key)));
    let values = [1, 2].map(|value| atomic.add_value(Value::Int(value)));
    let write = |key: usize, value: usize| Step::Write { key: keys[key], value: values[value] };
    let read = |key: usize, value: usize| Step::Read { key: keys[key], value: values[value] };
    let parts = [
        [write(x, 0), write(y, 0)],
        [write(y, 1), write(z, 1)],
        [read(x, 0), read(y, 1)],
        [read(z, 1), read(y, 0)],
    ];
    for (session, steps) in (0..).zip(parts) {
        atomic.push(session, Status::Committed, None, steps);
    }
    [
        // Causal, without monotonic writes.
        one_each(&[
            (0, &[(x, 0, true), (y, 1, true)]),
            (1, &[(x, 2, true), (z, 3, true)]),
            (2, &[(y, 1, false), (x, 2, false)]),
            (2, &[(z, 3, false), (x, 0, false)]),
        ]),
        // Causal, without writes that follow reads.
        one_each(&[
            (0, &[(x, 0, true)]),
            (1, &[(x, 0, false), (y, 1, true)]),
            (2, &[(x, 2, true)]),
            (3, &[(x, 2, false), (z, 3, true)]),
            (4, &[(y, 1, false), (x, 2, false)]),
            (4, &[(z, 3, false), (x, 0, false)]),
        ]),
        // Causal memory, without read committed.
        atomic,
    ]
}

pub(super) fn con_07(effort: &Effort) -> Result<Finding, String> {
    let seeds = if effort.quick { 30_000 } else { 300_000 };
    let levels: Vec<Level> = Level::all().collect();
    // For each two levels whether the first has held where the second has not.
    let mut separated = vec![vec![false; levels.len()]; levels.len()];
    let (mut undecided, mut decided) = (0u64, 0u64);
    for history in (0..seeds).map(|seed| sample(seed, 7)).chain(built()) {
        let held: Vec<Option<bool>> = levels.iter().map(|level| holds(&history, *level)).collect();
        undecided += held.iter().filter(|one| one.is_none()).count() as u64;
        decided += held.iter().filter(|one| one.is_some()).count() as u64;
        for (first, row) in separated.iter_mut().enumerate() {
            for (second, known) in row.iter_mut().enumerate() {
                *known |= held[first] == Some(true) && held[second] == Some(false);
            }
        }
    }
    let place = |level| levels.iter().position(|other| *other == level).unwrap_or(0);
    let (mut broken, mut ordered, mut found, mut apart) = (0, 0, 0, 0);
    for &first in &levels {
        let below = implied(first);
        for &second in levels.iter().filter(|second| **second != first) {
            let seen = separated[place(first)][place(second)];
            if below.contains(&second) {
                ordered += 1;
                broken += u32::from(seen);
            } else {
                apart += 1;
                found += u32::from(seen);
            }
        }
    }
    let invented = separated[place(Level::SnapshotIsolation)][place(Level::Serializable)];
    Ok(Finding {
        holds: broken == 0 && found == apart && undecided == 0,
        control_fails: invented,
        measured: format!(
            "{seeds} random histories of up to 7 transactions and 3 built ones, {decided} verdicts on {} levels: {broken} of {ordered} implications \
             broken, {found} of {apart} pairs without one separated; snapshot isolation without serializability: {}",
            levels.len(),
            if invented { "found" } else { "not found" },
        ),
        predicted: "none broken, all separated; found".to_owned(),
        charts: Vec::new(),
    })
}
