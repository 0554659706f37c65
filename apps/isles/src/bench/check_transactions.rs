//! The part of group `check` about transactions: histories are made by a serial execution, so that every level holds and a checker
//! has to see all of them. Making them is not measured.

use isles_check::Verdict;
use isles_check::transactions::{Budget, Level, check};
use isles_history::{Key, Status, Step, Transactions, Value, ValueId};
use isles_kernel::random::Stream;

use super::measure::{memory_growth, timed};
use super::{Bench, Effort, Group};

/// A level on a history of registers.
macro_rules! registers {
    ($seconds:literal, $bytes:literal, $about:literal, $level:expr, $transactions:literal, $sessions:literal) => {
        Bench {
            figures: &[($bytes, "B"), ($seconds, "s")],
            about: $about,
            slow: false,
            run: |effort| measured(effort, $level, || registers($transactions, $sessions)),
        }
    };
}

pub(super) const GROUP: Group = Group {
    name: "check",
    about: "verdicts on histories of transactions",
    benches: &[
        registers!(
            "read-committed-1e6-seconds",
            "read-committed-1e6-bytes",
            "session read committed, 10^6 operations: 125 000 transactions of 8, 1 000 sessions, 10 000 registers",
            Level::SessionReadCommitted,
            125_000,
            1_000
        ),
        registers!(
            "read-atomic-1e6-seconds",
            "read-atomic-1e6-bytes",
            "session read atomic on the same history",
            Level::SessionReadAtomic,
            125_000,
            1_000
        ),
        registers!(
            "causal-1e6-seconds",
            "causal-1e6-bytes",
            "causal convergence on the same history",
            Level::CausalConvergence,
            125_000,
            1_000
        ),
        registers!(
            "serializable-1e4-seconds",
            "serializable-1e4-bytes",
            "session serializability, 10^4 transactions of 8 operations, 20 sessions, 10 000 registers",
            Level::SessionSerializable,
            10_000,
            20
        ),
        Bench {
            figures: &[("list-append-1e6-bytes", "B"), ("list-append-1e6-seconds", "s")],
            about: "strict serializability, 10^6 transactions of 3 operations on lists of up to 32 elements, 20 sessions that overlap",
            slow: false,
            run: |effort| measured(effort, Level::StrictSerializable, lists),
        },
    ],
};

/// Bytes and CPU seconds; the lower of two runs unless it has to be quick. None if the answer is wrong.
fn measured(effort: Effort, level: Level, make: impl Fn() -> Transactions) -> Vec<Option<f64>> {
    let history = make();
    let judge = || matches!(check(&history, level, Budget::default()), Verdict::Holds(_));
    let mut best = f64::INFINITY;
    let bytes = memory_growth(|| {
        let (seconds, holds) = timed(judge);
        best = if holds { seconds } else { f64::NAN };
    });
    if effort == Effort::Full {
        best = best.min(timed(judge).0);
    }
    vec![bytes.map(|(bytes, ())| bytes), Some(best).filter(|seconds| seconds.is_finite())]
}

/// Half of the operations write a new value, half read; everything in some serial order.
pub(super) fn registers(transactions: u32, sessions: u32) -> Transactions {
    let (mut history, mut random) = (Transactions::default(), Stream::new(1, &[]));
    let keys: Vec<Key> = (0..10_000).map(|key| history.add_key(Value::Int(key))).collect();
    let mut current = vec![ValueId::INITIAL; keys.len()];
    for _ in 0..transactions {
        let mut steps = Vec::with_capacity(8);
        for _ in 0..8 {
            let at = random.below(keys.len() as u32) as usize;
            if random.below(2) == 0 {
                current[at] = history.add_value(Value::Nil);
                steps.push(Step::Write { key: keys[at], value: current[at] });
            } else {
                steps.push(Step::Read { key: keys[at], value: current[at] });
            }
        }
        history.push(random.below(sessions), Status::Committed, None, steps);
    }
    history
}

/// Appends and reads of one of twenty lists each, which is replaced by a new one after 32 appends. Each transaction takes effect in
/// the middle of its interval, which overlaps those of the other sessions.
fn lists() -> Transactions {
    let (mut history, mut random) = (Transactions::default(), Stream::new(2, &[]));
    let elements: Vec<ValueId> = (0..32).map(|element| history.add_value(Value::Int(element))).collect();
    let mut lists: Vec<(Key, usize)> = (0..20).map(|key| (history.add_key(Value::Int(key)), 0)).collect();
    for number in 0..1_000_000u64 {
        let mut steps = Vec::with_capacity(3);
        for _ in 0..3 {
            let list = &mut lists[random.below(20) as usize];
            if random.below(2) == 0 {
                if list.1 == elements.len() {
                    *list = (history.add_key(Value::Nil), 0);
                }
                steps.push(Step::Append { key: list.0, element: elements[list.1] });
                list.1 += 1;
            } else {
                let (key, count) = *list;
                steps.push(history.read_list(key, elements[..count].iter().copied()));
            }
        }
        history.push((number % 20) as u32, Status::Committed, Some((10 * number, 10 * number + 150)), steps);
    }
    history
}
