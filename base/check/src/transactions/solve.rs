//! Decides the order of two versions where nothing demands one, and sees what follows.
//!
//! The frontier search goes astray where an early choice shows to be wrong only late. Here nodes are put into some order that contains
//! all arcs; where a read in it does not find what it read, one of two arcs is missing, and each is tried: the writer in between comes
//! earlier, or later. All that follows from either is derived before the next order is looked at (Tan et al., Cobra, OSDI 2020, prune the same way
//! before they hand the rest to a solver).

use super::arcs::{Arc, Arcs, Why};
use super::facts::{Facts, INITIAL};
use super::saturate::{Kind, saturate};
use super::search::Found;

/// A choice between two arcs, of which the first was made.
struct Choice {
    arcs: usize,
    rounds: usize,
    other: Option<Arc>,
}

/// Looks for an order, with at most so many rounds of derivation.
pub(super) fn solve(facts: &Facts, arcs: &mut Arcs, kind: Kind, sessions: bool, rounds: u64) -> Found {
    let rank = ranks(facts);
    let mut choices: Vec<Choice> = Vec::new();
    let (mut size, mut spent) = (usize::MAX, 0);
    let mut conflicts: Vec<[Arc; 2]> = Vec::new();
    while spent < rounds {
        spent += 1;
        if saturate(facts, arcs, kind, sessions).is_some()
            && let Some(order) = arcs.topological_by(&rank)
        {
            conflicts = conflicts_in(facts, arcs, kind, &order);
            if conflicts.is_empty() {
                return Found::Order(
                    order.into_iter().filter(|node| arcs.transaction(*node).is_some()).collect(),
                );
            }
            size = conflicts.len();
        } else if size > 1 && conflicts.len() >= size {
            // Too much at once: the first half of the same choices.
            let first = choices.len() - size;
            undo(arcs, &choices[first]);
            choices.truncate(first);
            size /= 2;
        } else {
            // The last choice was wrong, and so are all whose other arc was tried.
            size = 0;
            loop {
                let Some(mut choice) = choices.pop() else { return Found::None };
                undo(arcs, &choice);
                if let Some(other) = choice.other.take() {
                    arcs.all.push(other);
                    choices.push(choice);
                    break;
                }
            }
        }
        for [arc, other] in conflicts.iter().take(size) {
            choices.push(Choice { arcs: arcs.all.len(), rounds: arcs.rounds.len(), other: Some(*other) });
            arcs.all.push(*arc);
        }
    }
    Found::Unknown(0, choices.len())
}

fn undo(arcs: &mut Arcs, choice: &Choice) {
    arcs.all.truncate(choice.arcs);
    arcs.rounds.truncate(choice.rounds);
}

/// When each transaction was, by its interval or else by how far its session had come.
pub(super) fn ranks(facts: &Facts) -> Vec<u64> {
    let is_timed = facts.intervals[1..].iter().any(|interval| interval.0 > 0);
    let rank = |transaction: u32| {
        let at = transaction as usize;
        if is_timed {
            return facts.intervals[at].0;
        }
        let length = facts.in_session(facts.session[at] as usize).len() as u64;
        (u64::from(facts.place[at]) << 32) / length
    };
    std::iter::once(0).chain((1..facts.count()).map(rank)).collect()
}

/// For each read that does not find in this order what it read, and each pair of writers that overlap, the two arcs one of which is missing.
fn conflicts_in(facts: &Facts, arcs: &Arcs, kind: Kind, order: &[u32]) -> Vec<[Arc; 2]> {
    let mut current = vec![INITIAL; facts.keys()];
    let mut open = vec![INITIAL; facts.keys()];
    let mut found = Vec::new();
    for &node in order {
        let Some(transaction) = arcs.transaction(node).filter(|transaction| *transaction != INITIAL) else {
            continue;
        };
        if !arcs.split || arcs.is_begin(node) {
            for read in facts.reads(transaction) {
                let between = current[read.key as usize];
                if between != read.writer && between != INITIAL {
                    let why = Why::ReadBefore { key: read.key, writer: read.writer };
                    let later = Arc { from: node, to: arcs.commit(between), why };
                    let why = Why::Overwritten { key: read.key, reader: transaction };
                    let earlier = Arc { from: arcs.commit(between), to: arcs.commit(read.writer), why };
                    found.push([later, earlier]);
                }
            }
            for &key in facts.writes(transaction).iter().filter(|_| kind == Kind::Snapshot) {
                let other = std::mem::replace(&mut open[key as usize], transaction);
                if other != INITIAL {
                    let apart =
                        |a, b| Arc { from: arcs.commit(a), to: arcs.begin(b), why: Why::NoOverlap(key) };
                    found.push([apart(other, transaction), apart(transaction, other)]);
                }
            }
        }
        if !arcs.is_begin(node) {
            for &key in facts.writes(transaction) {
                current[key as usize] = transaction;
                if open[key as usize] == transaction {
                    open[key as usize] = INITIAL;
                }
            }
        }
    }
    found
}
