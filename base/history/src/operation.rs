//! Operations with the intervals in which they took effect: what checkers of single operations judge.

use std::collections::{BTreeMap, BTreeSet};

use isles_kernel::{OpId, Span};

use crate::{Entry, History};

/// A place in the order of all invocations and returns of a history. One that comes before another did so in real time.
pub type Moment = u64;

/// One operation of a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Operation<Op, Reply> {
    /// The client, or its session: its operations follow one another. A client whose operation never returned goes on as another.
    pub process: u32,
    /// When it was invoked.
    pub invoked: Moment,
    /// What was asked.
    pub op: Op,
    /// What came of it.
    pub outcome: Outcome<Reply>,
}

/// What came of an operation.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome<Reply> {
    /// It was answered, and took effect once between its invocation and its return.
    Returned {
        /// When. Invariant: after the invocation.
        at: Moment,
        /// The answer.
        reply: Reply,
    },
    /// Nobody knows: it took effect once after its invocation, at any time, or never.
    Unknown,
}

impl<Op, Reply> Operation<Op, Reply> {
    /// When it returned; [`Moment::MAX`] if it did not.
    pub const fn returned(&self) -> Moment {
        match &self.outcome {
            Outcome::Returned { at, .. } => *at,
            Outcome::Unknown => Moment::MAX,
        }
    }

    /// The answer, if there was one.
    pub const fn reply(&self) -> Option<&Reply> {
        match &self.outcome {
            Outcome::Returned { reply, .. } => Some(reply),
            Outcome::Unknown => None,
        }
    }
}

/// Puts operations into the order that their clocks tell, as far as those can be trusted: `clocks` has the earliest instant at
/// which each may have been invoked and the latest at which it may have returned. What may have happened at one instant overlaps.
/// The operations keep their places.
///
/// # Panics
/// When there are not as many clocks as operations.
pub fn place<Op, Reply>(operations: &mut [Operation<Op, Reply>], clocks: &[(Moment, Moment)]) {
    assert_eq!(operations.len(), clocks.len(), "each operation has its clock");
    // An invocation is `false`, and comes before the returns of its instant.
    let mut ends: Vec<(Moment, bool, usize)> = Vec::with_capacity(2 * clocks.len());
    for (index, (operation, (earliest, latest))) in operations.iter().zip(clocks).enumerate() {
        ends.push((*earliest, false, index));
        if matches!(operation.outcome, Outcome::Returned { .. }) {
            ends.push(((*latest).max(*earliest), true, index));
        }
    }
    ends.sort_unstable();
    for (moment, (_, returned, index)) in (0..).zip(ends) {
        match &mut operations[index].outcome {
            Outcome::Returned { at, .. } if returned => *at = moment,
            Outcome::Returned { .. } | Outcome::Unknown => operations[index].invoked = moment,
        }
    }
}

impl<Op: Clone, Reply: Clone> History<Op, Reply> {
    /// The operations in the order of their invocations. Whatever happened at one instant overlaps: its invocations
    /// come first. Clocks are trusted as far as the [stamps](crate::Stamp) of the entries say. Operations that failed are left out.
    ///
    /// The session of an operation is its client, or, without one, its process, which may have several operations open at a time.
    /// A session whose operation stayed unknown goes on as another.
    pub fn operations(&self) -> Vec<Operation<Op, Reply>> {
        self.operations_within(Span::ZERO)
    }

    /// The operations, if each clock may have been wrong by so much more, either way. When these are linearizable, the history is, if
    /// the clocks were that good; the least such span tells how good they must have been.
    pub fn operations_within(&self, uncertainty: Span) -> Vec<Operation<Op, Reply>> {
        let mut operations: Vec<Operation<Op, Reply>> = Vec::new();
        let mut clocks: Vec<(Moment, Moment)> = Vec::new();
        let mut places: BTreeMap<OpId, usize> = BTreeMap::new();
        let mut failed: BTreeSet<usize> = BTreeSet::new();
        let mut sessions = Sessions::default();
        for (place, entry) in self.entries().iter().enumerate() {
            let stamp = self.stamp(place);
            let doubt = stamp.uncertainty.0.saturating_add(uncertainty.0);
            match entry {
                Entry::Invoke { time, process, id, op } => {
                    places.insert(*id, operations.len());
                    clocks.push((time.0.saturating_sub(doubt), Moment::MAX));
                    let process = sessions.get(stamp.session, process.0);
                    operations.push(Operation {
                        process,
                        invoked: 0,
                        op: op.clone(),
                        outcome: Outcome::Unknown,
                    });
                }
                Entry::Return { time, id, reply, .. } => {
                    if let Some(place) = places.get(id) {
                        let at = time.0.saturating_add(doubt);
                        operations[*place].outcome = Outcome::Returned { at, reply: reply.clone() };
                        clocks[*place].1 = at;
                    }
                }
                Entry::Fail { id, .. } => failed.extend(places.get(id)),
                Entry::Unknown { id, .. } => {
                    if let Some(place) = places.get(id) {
                        sessions.retire(operations[*place].process);
                    }
                }
                Entry::Crash { .. } => {}
            }
        }
        let mut index = 0..;
        operations.retain(|_| index.next().is_some_and(|index| !failed.contains(&index)));
        let mut index = 0..;
        clocks.retain(|_| index.next().is_some_and(|index| !failed.contains(&index)));
        place(&mut operations, &clocks);
        operations.sort_by_key(|operation| operation.invoked);
        operations
    }
}

/// Numbers for sessions: those of the history, until one is retired.
#[derive(Debug, Default)]
struct Sessions {
    /// The number of each session, by whether it is one of a client's and by its name.
    numbers: BTreeMap<(bool, u32), u32>,
    /// Which session has a number.
    owners: BTreeMap<u32, (bool, u32)>,
    next: u32,
}

impl Sessions {
    fn get(&mut self, session: Option<u32>, process: u32) -> u32 {
        let owner = session.map_or((false, process), |session| (true, session));
        if let Some(number) = self.numbers.get(&owner) {
            return *number;
        }
        // Its own number, as long as nobody has it.
        let number = if self.owners.contains_key(&owner.1) { self.next } else { owner.1 };
        self.next = self.next.max(number.saturating_add(1));
        self.numbers.insert(owner, number);
        self.owners.insert(number, owner);
        number
    }

    fn retire(&mut self, number: u32) {
        if let Some(owner) = self.owners.get(&number) {
            self.numbers.remove(owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use isles_kernel::{ProcessId, Time};

    use crate::Stamp;

    use super::*;

    #[test]
    fn what_happens_at_one_instant_overlaps() {
        let (time, process) = (Time(5), ProcessId(3));
        let mut history = History::<&str, u32>::default();
        for entry in [
            Entry::Invoke { time, process, id: OpId(1), op: "a" },
            Entry::Return { time, process, id: OpId(1), reply: 7 },
            Entry::Invoke { time, process, id: OpId(2), op: "b" },
            Entry::Crash { time, process },
        ] {
            history.push(entry).expect("they follow one another");
        }
        let [a, b] = &history.operations()[..] else { panic!("there are two operations") };
        assert!(b.invoked < a.returned() && a.reply() == Some(&7) && a.process == 3);
        assert_eq!((b.returned(), b.reply()), (Moment::MAX, None));
    }

    /// A write at one node and, by the clock of another, a read that began 5 later and saw nothing of it.
    fn stale(uncertainty: u64) -> History<&'static str, u32> {
        let mut history = History::default();
        let stamp = Stamp { session: None, uncertainty: Span(uncertainty) };
        let entry = |time, process, id| (Time(time), ProcessId(process), OpId(id));
        let (time, process, id) = entry(10, 0, 0);
        history.push_with(Entry::Invoke { time, process, id, op: "write" }, stamp).expect("it is the first");
        let (time, process, id) = entry(20, 0, 0);
        history.push_with(Entry::Return { time, process, id, reply: 0 }, stamp).expect("it is later");
        let (time, process, id) = entry(25, 1, 1);
        history.push_with(Entry::Invoke { time, process, id, op: "read" }, stamp).expect("it is later");
        let (time, process, id) = entry(30, 1, 1);
        history.push_with(Entry::Return { time, process, id, reply: 0 }, stamp).expect("it is later");
        history
    }

    #[test]
    fn clocks_in_doubt_make_operations_overlap() {
        let overlap =
            |operations: Vec<Operation<&str, u32>>| operations[1].invoked < operations[0].returned();
        assert!(!overlap(stale(0).operations()) && !overlap(stale(2).operations()));
        assert!(overlap(stale(3).operations()), "20 + 3 is later than 25 - 3");
        assert!(
            overlap(stale(0).operations_within(Span(3))) && !overlap(stale(0).operations_within(Span(2)))
        );
    }

    #[test]
    fn failed_operations_did_not_happen_and_unknown_ones_end_their_session() {
        let (time, process) = (Time(5), ProcessId(3));
        let mut history = History::<&str, u32>::default();
        let session = Stamp { session: Some(7), uncertainty: Span::ZERO };
        for id in [OpId(1), OpId(2), OpId(3)] {
            history.push_with(Entry::Invoke { time, process, id, op: "a" }, session).expect("they follow");
            history
                .push(match id {
                    OpId(1) => Entry::Fail { time, process, id },
                    _ => Entry::Unknown { time, process, id },
                })
                .expect("they follow");
        }
        assert_eq!(history.open().count(), 0);
        let operations = history.operations();
        assert_eq!(operations.len(), 2);
        assert_eq!(operations.iter().map(|operation| operation.process).collect::<Vec<_>>(), [7, 8]);
        assert!(operations.iter().all(|operation| operation.outcome == Outcome::Unknown));
    }
}
