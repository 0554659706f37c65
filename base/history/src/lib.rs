#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod calls;
mod event;
mod lines;
mod operation;
mod read;
mod transactions;
mod txn;
mod write;

use std::collections::BTreeMap;

use isles_kernel::{OpId, ProcessId, Span, Time};
use serde::{Deserialize, Serialize};

pub use builder::Builder;
pub use calls::{Call, Calls, FAULTS_MAX, Fault};
pub use event::{Actor, Event, Kind, Value};
pub use operation::{Moment, Operation, Outcome, place};
pub use read::{DEPTH_MAX, Events, Format, LINE_BYTES_MAX, ReadError, Reading, VALUES_MAX, read};
pub use transactions::{Key, Status, Step, Transaction, Transactions, ValueId};
pub use txn::transactions;
pub use write::{EdnWriter, LinesWriter, PlumeError, write_plume};

/// One thing that happened between a client and a process.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Entry<Op, Reply> {
    /// A client invoked an operation.
    Invoke {
        /// When.
        time: Time,
        /// At which process.
        process: ProcessId,
        /// Names the operation until its reply; used once.
        id: OpId,
        /// What was asked.
        op: Op,
    },
    /// An operation was answered.
    Return {
        /// When.
        time: Time,
        /// By which process.
        process: ProcessId,
        /// Which operation.
        id: OpId,
        /// The answer.
        reply: Reply,
    },
    /// It is known that an operation took no effect and never will.
    Fail {
        /// When that was known.
        time: Time,
        /// At which process.
        process: ProcessId,
        /// Which operation.
        id: OpId,
    },
    /// Whoever invoked an operation waits no longer: nobody will know whether it took effect.
    Unknown {
        /// When it was given up.
        time: Time,
        /// At which process.
        process: ProcessId,
        /// Which operation.
        id: OpId,
    },
    /// A process crashed: whether its open operations took effect is unknown.
    Crash {
        /// When.
        time: Time,
        /// Which process.
        process: ProcessId,
    },
}

impl<Op, Reply> Entry<Op, Reply> {
    /// When it happened.
    pub const fn time(&self) -> Time {
        match self {
            Self::Invoke { time, .. }
            | Self::Return { time, .. }
            | Self::Fail { time, .. }
            | Self::Unknown { time, .. }
            | Self::Crash { time, .. } => *time,
        }
    }
}

/// What else may be known of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
pub struct Stamp {
    /// Of an invocation: the session of the client, whose operations follow one another. Without it the process is taken for it.
    pub session: Option<u32>,
    /// By how much the clock that told the time may have been wrong, either way.
    pub uncertainty: Span,
}

/// Why an entry cannot follow those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Earlier than the entry before.
    #[error("time goes back from {0} to {1}")]
    TimeGoesBack(Time, Time),
    /// The id of an operation is used again.
    #[error("{0} is invoked a second time: ids are used once")]
    InvokedAgain(OpId),
    /// A return without an invocation, or a second one.
    #[error("{0} returns, but it is not open")]
    NotOpen(OpId),
    /// An operation is answered by another process than it was invoked at.
    #[error("{0} was invoked at {1} and returns at {2}")]
    ReturnsElsewhere(OpId, ProcessId, ProcessId),
}

/// What happened, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History<Op, Reply> {
    /// Invariant: times ascend; each id is invoked once and returns at most once, afterwards, at its process.
    entries: Vec<Entry<Op, Reply>>,
    /// Where each operation was invoked, and whether it is open.
    known: BTreeMap<OpId, (ProcessId, bool)>,
    /// Of the entries that have one, by their place.
    stamps: BTreeMap<usize, Stamp>,
}

impl<Op, Reply> Default for History<Op, Reply> {
    fn default() -> Self {
        Self { entries: Vec::new(), known: BTreeMap::new(), stamps: BTreeMap::new() }
    }
}

impl<Op, Reply> History<Op, Reply> {
    /// Adds what happened next.
    ///
    /// # Errors
    /// When it cannot have happened after what is there; nothing is added then.
    pub fn push(&mut self, entry: Entry<Op, Reply>) -> Result<(), Flaw> {
        self.push_with(entry, Stamp::default())
    }

    /// Adds what happened next, and what else is known of it.
    ///
    /// # Errors
    /// When it cannot have happened after what is there; nothing is added then.
    pub fn push_with(&mut self, entry: Entry<Op, Reply>, stamp: Stamp) -> Result<(), Flaw> {
        if let Some(last) = self.entries.last()
            && entry.time() < last.time()
        {
            return Err(Flaw::TimeGoesBack(last.time(), entry.time()));
        }
        match &entry {
            Entry::Invoke { process, id, .. } => {
                if self.known.contains_key(id) {
                    return Err(Flaw::InvokedAgain(*id));
                }
                self.known.insert(*id, (*process, true));
            }
            Entry::Return { process, id, .. }
            | Entry::Fail { process, id, .. }
            | Entry::Unknown { process, id, .. } => match self.known.get_mut(id) {
                Some((at, _)) if at != process => return Err(Flaw::ReturnsElsewhere(*id, *at, *process)),
                Some((_, open)) if *open => *open = false,
                Some(_) | None => return Err(Flaw::NotOpen(*id)),
            },
            // A process that recovers may still answer what it was asked before.
            Entry::Crash { .. } => {}
        }
        if stamp != Stamp::default() {
            self.stamps.insert(self.entries.len(), stamp);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Everything, in order.
    pub fn entries(&self) -> &[Entry<Op, Reply>] {
        &self.entries
    }

    /// What else is known of the entry at `place`.
    pub fn stamp(&self, place: usize) -> Stamp {
        self.stamps.get(&place).copied().unwrap_or_default()
    }

    /// Operations that were invoked and of which nothing more is known.
    pub fn open(&self) -> impl Iterator<Item = OpId> {
        self.known.iter().filter(|(_, (_, open))| *open).map(|(id, _)| *id)
    }
}
