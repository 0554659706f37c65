//! The smallest part of a history that has no order, for violations that are no cycle.

use isles_history::{Step, Transactions, ValueId};

use super::facts::Facts;
use super::level::Level;
use super::saturate::Kind;
use super::{Budget, Decision, decide};

/// Transactions without which there would be an order, each of them: leaving out a transaction leaves out the reads from it. A
/// part without an order proves that the whole has none, since an order of the whole is one of each part.
pub(super) fn core(history: &Transactions, facts: &Facts, level: Level, budget: Budget) -> Vec<u32> {
    let mut core: Vec<u32> = facts.original[1..].to_vec();
    let mut size = core.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        let mut shrunk = false;
        while from < core.len() {
            let to = (from + size).min(core.len());
            let rest: Vec<u32> = core[..from].iter().chain(&core[to..]).copied().collect();
            if has_no_order(&part(history, &rest), level, budget) {
                core = rest;
                shrunk = true;
            } else {
                from = to;
            }
        }
        if !shrunk {
            size /= 2;
        }
    }
    core
}

fn has_no_order(history: &Transactions, level: Level, budget: Budget) -> bool {
    let facts = Facts::new(history, false);
    let kind = match level {
        Level::Prefix | Level::SessionPrefix => Kind::Prefix,
        Level::Serializable | Level::SessionSerializable | Level::StrictSerializable => Kind::Serial,
        _ => Kind::Snapshot,
    };
    let steps = budget.steps.min(1_000_000);
    matches!(decide(&facts, kind, level.order(), steps), Decision::Cycle(_) | Decision::NoOrder)
}

/// Some transactions of a history; reads of what others wrote are left out, also from lists.
pub(crate) fn part(history: &Transactions, kept: &[u32]) -> Transactions {
    let mut part = Transactions::default();
    for key in 0..history.keys() {
        part.add_key(history.key_name(isles_history::Key(key)).clone());
    }
    for value in 1..history.values() {
        part.add_value(history.value_name(ValueId(value)).clone());
    }
    let mut written: Vec<(u32, u32)> = Vec::new();
    for transaction in kept {
        let steps = history.steps(&history.all()[*transaction as usize]);
        written.extend(steps.iter().filter_map(super::sources::written).map(|(key, value)| (key.0, value.0)));
    }
    written.sort_unstable();
    let is_there = |key: u32, value: ValueId| {
        value == ValueId::INITIAL || written.binary_search(&(key, value.0)).is_ok()
    };
    for transaction in kept {
        let transaction = &history.all()[*transaction as usize];
        let mut steps = Vec::new();
        for step in history.steps(transaction) {
            match *step {
                Step::Read { key, value } if !is_there(key.0, value) => {}
                Step::ReadList { key, start, count } => {
                    let list = history.list(start, count).iter().copied();
                    let list: Vec<ValueId> = list.filter(|element| is_there(key.0, *element)).collect();
                    steps.push(part.read_list(key, list));
                }
                Step::Read { .. } | Step::Write { .. } | Step::Append { .. } => steps.push(*step),
            }
        }
        part.push(transaction.session, transaction.status, transaction.interval, steps);
    }
    part
}
