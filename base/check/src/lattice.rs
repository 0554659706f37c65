//! Which level implies which, and where a history stands among them.
//!
//! The table is a claim about all histories; tests and the example `lattice_campaign` try to break it with random small ones, and find for
//! each pair of levels that it does not order a history that separates them.

use isles_history::{Key, Status, Step, Transactions, Value, ValueId};
use isles_kernel::random::Stream;

use crate::transactions::{Budget, Level, Order, Violation, Witness, check};
use crate::{Progress, Verdict};

/// Each level with those that it implies directly; everything else that it implies follows from these.
pub const IMPLIES: [(Level, &[Level]); 20] = [
    (Level::StrictSerializable, &[Level::SessionSerializable, Level::StrongSnapshotIsolation]),
    (Level::SessionSerializable, &[Level::Serializable, Level::SessionSnapshotIsolation]),
    (Level::StrongSnapshotIsolation, &[Level::SessionSnapshotIsolation]),
    (Level::SessionSnapshotIsolation, &[Level::SnapshotIsolation, Level::SessionPrefix, Level::CausalMemory]),
    (Level::Serializable, &[Level::SnapshotIsolation]),
    (Level::SnapshotIsolation, &[Level::Prefix]),
    (Level::SessionPrefix, &[Level::Prefix, Level::CausalConvergence]),
    (Level::Prefix, &[Level::ReadAtomic]),
    (
        Level::CausalConvergence,
        &[
            Level::SessionReadAtomic,
            Level::Causal,
            Level::MonotonicReads,
            Level::MonotonicWrites,
            Level::WritesFollowReads,
        ],
    ),
    (Level::CausalMemory, &[Level::Causal, Level::Pram, Level::WritesFollowReads]),
    (Level::Causal, &[Level::ReadYourWrites]),
    (Level::Pram, &[Level::ReadYourWrites, Level::MonotonicReads, Level::MonotonicWrites]),
    (Level::SessionReadAtomic, &[Level::ReadAtomic, Level::SessionReadCommitted, Level::ReadYourWrites]),
    (Level::ReadAtomic, &[Level::ReadCommitted]),
    (Level::SessionReadCommitted, &[Level::ReadCommitted]),
    (Level::ReadCommitted, &[]),
    (Level::ReadYourWrites, &[]),
    (Level::MonotonicReads, &[]),
    (Level::MonotonicWrites, &[]),
    (Level::WritesFollowReads, &[]),
];

/// All that a level implies, itself included.
pub fn implied(level: Level) -> Vec<Level> {
    let mut found = vec![level];
    let mut next = 0;
    while let Some(&level) = found.get(next) {
        next += 1;
        let direct = IMPLIES.iter().find(|(of, _)| *of == level).map_or(&[][..], |(_, implied)| *implied);
        for weaker in direct {
            if !found.contains(weaker) {
                found.push(*weaker);
            }
        }
    }
    found
}

/// Where a history stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// The strongest levels that hold: no other one that holds implies them.
    pub strongest: Vec<(Level, Witness)>,
    /// The weakest levels that do not: all that they imply hold or are unknown.
    pub weakest: Vec<(Level, Violation)>,
    /// Levels that could not be decided.
    pub unknown: Vec<(Level, Progress)>,
}

/// Places a history among all levels, from one call for each that no other one decides. Levels of real time are left
/// out if no transaction says when it was.
pub fn place(history: &Transactions, budget: Budget) -> Placement {
    let is_timed = history.all().iter().any(|transaction| transaction.interval.is_some());
    let mut holds: Vec<(Level, Witness)> = Vec::new();
    let mut fails: Vec<(Level, Violation)> = Vec::new();
    let mut unknown = Vec::new();
    // The table lists stronger levels first. Those near the bottom are cheap and decide those above when they fail.
    let cheap = [Level::ReadCommitted, Level::SessionReadAtomic, Level::CausalConvergence];
    let rest = IMPLIES.iter().map(|(level, _)| *level).filter(|level| !cheap.contains(level));
    for level in cheap.into_iter().chain(rest) {
        let implied_by = |held: &(Level, Witness)| implied(held.0).contains(&level);
        let refuted_by = |failed: &(Level, Violation)| implied(level).contains(&failed.0);
        let is_left_out = level.order() == Order::RealTime && !is_timed;
        if is_left_out || holds.iter().any(implied_by) || fails.iter().any(refuted_by) {
            continue;
        }
        match check(history, level, budget) {
            Verdict::Holds(witness) => holds.push((level, witness)),
            Verdict::Violated(violation) => fails.push((level, violation)),
            Verdict::Unknown(progress) => unknown.push((level, progress)),
        }
    }
    let held: Vec<Level> = holds.iter().map(|(level, _)| *level).collect();
    holds.retain(|(level, _)| !held.iter().any(|other| other != level && implied(*other).contains(level)));
    let failed: Vec<Level> = fails.iter().map(|(level, _)| *level).collect();
    fails.retain(|(level, _)| !failed.iter().any(|other| other != level && implied(*level).contains(other)));
    Placement { strongest: holds, weakest: fails, unknown }
}

/// A small random history, the same for the same seed: at most `transactions` of at most three steps in at most four sessions
/// over at most four registers, each with an interval. Some seeds give serial executions with a few reads made stale, others reads from
/// anywhere, so that all levels are met.
pub fn sample(seed: u64, transactions: u32) -> Transactions {
    let mut random = Stream::new(seed, &[]);
    let mut history = Transactions::default();
    let keys: Vec<_> = (0..1 + random.below(4)).map(|key| history.add_key(Value::Int(key.into()))).collect();
    let count = 1 + random.below(transactions);
    let sessions = 1 + random.below(4);
    // Out of eight reads so many are of anything.
    let stale = [0, 1, 2, 8][random.below(4) as usize];
    let mut last = vec![ValueId::INITIAL; keys.len()];
    let plan: Vec<Vec<(usize, Option<ValueId>)>> = (0..count)
        .map(|_| {
            let steps = 1 + random.below(3);
            let step = |_| {
                let key = random.below(keys.len() as u32) as usize;
                (key, (random.below(2) == 0).then(|| history.add_value(Value::Int(0))))
            };
            (0..steps).map(step).collect()
        })
        .collect();
    let values = history.values();
    let mut began = 0;
    for steps in &plan {
        let mut own = vec![None; keys.len()];
        let mut done = Vec::new();
        for (key, value) in steps {
            let of = |value: ValueId| {
                value == ValueId::INITIAL || plan.iter().flatten().any(|step| *step == (*key, Some(value)))
            };
            if let Some(value) = value {
                own[*key] = Some(*value);
                done.push(Step::Write { key: keys[*key], value: *value });
                continue;
            }
            let mut value = own[*key].unwrap_or(last[*key]);
            if own[*key].is_none() && random.below(8) < stale {
                let others: Vec<ValueId> = (0..values).map(ValueId).filter(|value| of(*value)).collect();
                value = others[random.below(others.len() as u32) as usize];
            }
            done.push(Step::Read { key: keys[*key], value });
        }
        for key in 0..keys.len() {
            last[key] = own[key].unwrap_or(last[key]);
        }
        began += u64::from(1 + random.below(4));
        let interval = Some((began, began + u64::from(1 + random.below(6))));
        history.push(random.below(sessions), Status::Committed, interval, done);
    }
    history
}

/// A small random history of lists, the same for the same seed: at most `transactions` of at most three steps, at least two if that many are
/// allowed, in at most four sessions over at most two lists. Each list has an order of elements, mostly that of time, and reads show
/// beginnings of it.
pub fn sample_lists(seed: u64, transactions: u32) -> Transactions {
    let mut random = Stream::new(seed, &[2]);
    let mut history = Transactions::default();
    let keys: Vec<Key> =
        (0..1 + random.below(2)).map(|key| history.add_key(Value::Int(key.into()))).collect();
    let (count, sessions) = (2 + random.below(transactions.max(2) - 1), 1 + random.below(4));
    let (stale, mixed) = ([0, 1, 4][random.below(3) as usize], random.below(3));
    // For each transaction its steps: a key, and the element if it appends.
    let mut orders: Vec<Vec<(u32, ValueId)>> = vec![Vec::new(); keys.len()];
    let plan: Vec<Vec<(usize, Option<ValueId>)>> = (0..count)
        .map(|of| {
            (0..1 + random.below(3))
                .map(|_| {
                    let key = random.below(keys.len() as u32) as usize;
                    let element = (random.below(2) == 0).then(|| history.add_value(Value::Int(0)));
                    orders[key].extend(element.map(|element| (of, element)));
                    (key, element)
                })
                .collect()
        })
        .collect();
    for order in &mut orders {
        for place in 1..order.len() {
            if random.below(6) < mixed {
                order.swap(place - 1, place);
            }
        }
    }
    for (of, steps) in (0..).zip(&plan) {
        let mut own: Vec<(usize, ValueId)> = Vec::new();
        let mut done = Vec::new();
        for &(key, element) in steps {
            if let Some(element) = element {
                own.push((key, element));
                done.push(Step::Append { key: keys[key], element });
                continue;
            }
            let order = &orders[key];
            let limit = order.iter().position(|(by, _)| *by == of).unwrap_or(order.len());
            let mut length = order[..limit].iter().take_while(|(by, _)| *by < of).count();
            if random.below(8) < stale {
                length = random.below(limit as u32 + 1) as usize;
            }
            let mine = own.iter().filter(|(at, _)| *at == key).map(|(_, element)| *element);
            let list: Vec<ValueId> =
                order[..length].iter().map(|(_, element)| *element).chain(mine).collect();
            done.push(history.read_list(keys[key], list));
        }
        let begin = u64::from(of * 3 + random.below(4));
        let interval = Some((begin, begin + u64::from(1 + random.below(6))));
        history.push(random.below(sessions), Status::Committed, interval, done);
    }
    history
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_in_the_table_once() {
        let mut listed: Vec<Level> = IMPLIES.iter().map(|(level, _)| *level).collect();
        listed.sort_unstable();
        assert!(listed.into_iter().eq(Level::all()));
    }
}
