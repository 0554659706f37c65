//! Operations with the intervals in which they took effect: what checkers of single operations judge.

use std::collections::BTreeMap;

use isles_kernel::OpId;

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

impl<Op: Clone, Reply: Clone> History<Op, Reply> {
    /// The operations in the order of their invocations. Whatever happened at one instant overlaps: its invocations
    /// come first. Each process of the history is taken as one client, which may have several operations open at a time.
    pub fn operations(&self) -> Vec<Operation<Op, Reply>> {
        let mut ordered: Vec<&Entry<Op, Reply>> = self.entries().iter().collect();
        ordered.sort_by_key(|entry| (entry.time(), !matches!(entry, Entry::Invoke { .. })));
        let mut operations: Vec<Operation<Op, Reply>> = Vec::new();
        let mut places: BTreeMap<OpId, usize> = BTreeMap::new();
        for (moment, entry) in (0..).zip(ordered) {
            match entry {
                Entry::Invoke { process, id, op, .. } => {
                    places.insert(*id, operations.len());
                    operations.push(Operation {
                        process: process.0,
                        invoked: moment,
                        op: op.clone(),
                        outcome: Outcome::Unknown,
                    });
                }
                Entry::Return { id, reply, .. } => {
                    if let Some(place) = places.get(id) {
                        operations[*place].outcome = Outcome::Returned { at: moment, reply: reply.clone() };
                    }
                }
                Entry::Crash { .. } => {}
            }
        }
        operations
    }
}

#[cfg(test)]
mod tests {
    use isles_kernel::{ProcessId, Time};

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
}
