//! Eventual and strong convergence.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "few of many levels, anomalies, reasons and steps matter at each place"
)]

use std::collections::BTreeMap;

use isles_history::{Key, Moment, Status, Step, Transaction, Transactions};

use crate::rules::{Rule, on};
use crate::transactions::Place;
use crate::{Progress, Verdict};

/// What all agree on once updates of a key have stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Agreement {
    /// Of which key.
    pub key: Key,
    /// When its last update had ended.
    pub quiet: Moment,
    /// A read that begins then and sees what all see.
    pub read: Place,
    /// How many sessions read it.
    pub sessions: u32,
}

/// Two sessions whose last reads of a key differ although updates had stopped before both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disagreement {
    /// Of which key.
    pub key: Key,
    /// The last read of one session.
    pub one: Place,
    /// The last read of another.
    pub other: Place,
}

/// Eventual consistency of a finite history (Vogels 2009): for each key, of the reads that begin after its last update has ended, the last
/// ones of all sessions agree. Nothing is known if an update never ended, or if no key was read by two sessions afterwards:
/// let the run go on, and read at the end.
pub fn eventual(history: &Transactions) -> Verdict<Vec<Agreement>, Disagreement> {
    let mut quiet: Vec<Moment> = vec![0; history.keys() as usize];
    let counts = |of: &&Transaction| of.status != Status::Aborted || !on(Rule::EventualAborted);
    for transaction in history.all().iter().filter(counts) {
        for step in history.steps(transaction) {
            if let Step::Write { key, .. } | Step::Append { key, .. } = step {
                let end = transaction.interval.map_or(Moment::MAX, |interval| interval.1);
                quiet[key.0 as usize] = quiet[key.0 as usize].max(end);
            }
        }
    }
    let mut last: BTreeMap<(Key, u32), Place> = BTreeMap::new();
    for (number, transaction) in (0..).zip(history.all()).filter(|(_, of)| of.status == Status::Committed) {
        for (step, done) in (0..).zip(history.steps(transaction)) {
            let (Step::Read { key, .. } | Step::ReadList { key, .. }) = done else { continue };
            let quiet = if on(Rule::EventualQuiet) { quiet[key.0 as usize] } else { 0 };
            if transaction.interval.is_some_and(|(begin, _)| begin > quiet) {
                let read = Place { transaction: number, step };
                let kept = last.entry((*key, transaction.session)).or_insert(read);
                if on(Rule::EventualLast) {
                    *kept = read;
                }
            }
        }
    }
    let reads: Vec<(Key, Place)> = last.into_iter().map(|((key, _), place)| (key, place)).collect();
    let mut agreements = Vec::new();
    for of_key in reads.chunk_by(|a, b| a.0 == b.0) {
        let (key, one) = of_key[0];
        if let Some(&(_, other)) = of_key.iter().find(|(_, other)| !same(history, one, *other)) {
            return Verdict::Violated(Disagreement { key, one, other });
        }
        if of_key.len() > 1 {
            let quiet = quiet[key.0 as usize];
            agreements.push(Agreement { key, quiet, read: one, sessions: of_key.len() as u32 });
        }
    }
    if agreements.is_empty() {
        let help = "reads of one key by two sessions that begin after its updates have ended";
        return Verdict::Unknown(Progress { decided: 0, frontier: 0, help });
    }
    Verdict::Holds(agreements)
}

/// Whether two reads saw the same.
fn same(history: &Transactions, one: Place, other: Place) -> bool {
    let step = |place: Place| history.steps(&history.all()[place.transaction as usize])[place.step as usize];
    match (step(one), step(other)) {
        (Step::Read { value: a, .. }, Step::Read { value: b, .. }) => a == b,
        (Step::ReadList { start: a, count: m, .. }, Step::ReadList { start: b, count: n, .. }) => {
            history.list(a, m) == history.list(b, n)
        }
        _ => false,
    }
}

/// What a replica did, in the order in which it did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplicaEvent<State> {
    /// It applied an update, its own or another's; a second time changes nothing.
    Delivered {
        /// Which replica.
        replica: u32,
        /// Which update, by its number.
        update: u32,
    },
    /// It was in this state.
    Observed {
        /// Which replica.
        replica: u32,
        /// The state, or a digest of it.
        state: State,
    },
}

/// Two observations of different states after the same updates, by their places among the events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// The earlier observation.
    pub one: usize,
    /// The later one.
    pub other: usize,
}

/// Strong convergence (Shapiro et al., SSS 2011): replicas that have delivered the same set of updates are in the same state. The witness
/// counts the pairs that were compared: with none the claim is empty. Sets are grouped by a sum of random words and compared in full before
/// a divergence is told, so that no answer rests on chance. O(events) if there is none.
///
/// ```
/// use isles_check::convergence::{ReplicaEvent::{Delivered, Observed}, strong};
/// use isles_check::Verdict;
///
/// let both = [(0, 1), (0, 2), (1, 2), (1, 1)].map(|(replica, update)| Delivered { replica, update });
/// let states = |a, b| [Observed { replica: 0, state: a }, Observed { replica: 1, state: b }];
/// let judge = |a, b| strong(&both.into_iter().chain(states(a, b)).collect::<Vec<_>>());
/// assert_eq!(judge("ab", "ab"), Verdict::Holds(1));
/// assert!(matches!(judge("ab", "ba"), Verdict::Violated(_)));
/// ```
pub fn strong<State: PartialEq>(events: &[ReplicaEvent<State>]) -> Verdict<usize, Divergence> {
    let mut delivered: BTreeMap<u32, (u64, BTreeMap<u32, ()>)> = BTreeMap::new();
    let mut seen: BTreeMap<u64, Vec<(usize, u32)>> = BTreeMap::new();
    let mut compared = 0;
    for (place, event) in events.iter().enumerate() {
        match event {
            ReplicaEvent::Delivered { replica, update } => {
                let (sum, updates) = delivered.entry(*replica).or_default();
                if updates.insert(*update, ()).is_none() || !on(Rule::StrongTwice) {
                    *sum ^= isles_kernel::random::mix(u64::from(*update), 0x5EED);
                }
            }
            ReplicaEvent::Observed { replica, state } => {
                let sum = delivered.get(replica).map_or(0, |(sum, _)| *sum);
                let sum = if on(Rule::StrongSame) { sum } else { 0 };
                let group = seen.entry(sum).or_default();
                for &(other, by) in group.iter() {
                    let ReplicaEvent::Observed { state: before, .. } = &events[other] else { continue };
                    if before == state {
                        compared += 1;
                        break;
                    }
                    let is_same = updates_at(events, other, by) == updates_at(events, place, *replica);
                    if is_same || !on(Rule::StrongSame) {
                        return Verdict::Violated(Divergence { one: other, other: place });
                    }
                }
                let is_new = |(other, _): &(usize, u32)| !matches!(&events[*other], ReplicaEvent::Observed { state: before, .. } if before == state);
                if group.iter().all(is_new) {
                    group.push((place, *replica));
                }
            }
        }
    }
    Verdict::Holds(compared)
}

/// What a replica had delivered before an event, ascending.
fn updates_at<State>(events: &[ReplicaEvent<State>], place: usize, of: u32) -> Vec<u32> {
    let update = |event: &ReplicaEvent<State>| match event {
        ReplicaEvent::Delivered { replica, update } if *replica == of => Some(*update),
        _ => None,
    };
    let mut updates: Vec<u32> = events[..place].iter().filter_map(update).collect();
    updates.sort_unstable();
    updates.dedup();
    updates
}

#[cfg(test)]
mod tests {
    use isles_history::{Value, ValueId};

    use super::*;

    /// A write of two values, and reads of sessions afterwards: who read what, and when.
    fn reads(reads: &[(u32, u32, Moment)]) -> Verdict<Vec<Agreement>, Disagreement> {
        let mut history = Transactions::default();
        let key = history.add_key(Value::Int(0));
        for end in [10, 20] {
            let value = history.add_value(Value::Int(0));
            history.push(0, Status::Committed, Some((end - 5, end)), [Step::Write { key, value }]);
        }
        for (session, value, begin) in reads {
            let step = Step::Read { key, value: ValueId(*value) };
            history.push(*session, Status::Committed, Some((*begin, begin + 1)), [step]);
        }
        eventual(&history)
    }

    #[test]
    fn only_the_last_reads_after_the_last_update_count() {
        // A stale read that is followed by a right one only shows that agreement took its time.
        let Verdict::Holds(agreed) = reads(&[(1, 1, 12), (1, 1, 22), (1, 2, 25), (2, 2, 30)]) else {
            panic!()
        };
        assert_eq!((agreed[0].sessions, agreed[0].quiet), (2, 20));
        let Verdict::Violated(found) = reads(&[(1, 1, 22), (2, 2, 30)]) else { panic!() };
        assert_eq!((found.one.transaction, found.other.transaction), (2, 3));
        assert!(matches!(reads(&[(1, 1, 12), (2, 2, 13)]), Verdict::Unknown(_)));
    }
}
