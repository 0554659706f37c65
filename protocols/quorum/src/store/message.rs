//! What nodes send each other, keep on disk, wait for, and tell.

use std::sync::Arc;

use isles_kernel::{Payload, ProcessId, Time, random};
use serde::{Deserialize, Serialize};

use super::command::{Entry, TransactionId, Version};

/// A write of one key; without an entry the key is deleted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Write {
    /// Which key.
    pub key: Payload,
    /// What it holds from then on.
    pub entry: Option<Entry>,
    /// The write's version.
    pub version: Version,
}

/// What a replica knows of a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct State {
    /// The version of the newest write that it knows. If it knows none, the highest version of those that it has forgotten, of whatever
    /// key.
    pub version: Version,
    /// Whether it knows no write of the key.
    pub is_absent: bool,
    /// What the key holds; none if it was deleted.
    pub entry: Option<Entry>,
}

/// How a key is locked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Mode {
    /// For reading, together with others.
    Shared,
    /// For writing, alone.
    Exclusive,
}

/// How old a transaction is: it stays so when it tries again under another number. The older ones come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Birth {
    /// When it began, by its coordinator's clock.
    pub at: Time,
    /// The first number that it had.
    pub first: TransactionId,
}

/// What nodes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// To a replica: what is known of a key?
    Read {
        /// The asker's name for this.
        request: u64,
        /// The key.
        key: Payload,
    },
    /// From a replica.
    Value {
        /// What it answers.
        request: u64,
        /// What it knows.
        state: State,
    },
    /// To a replica: lock these keys for a transaction.
    Lock {
        /// Which.
        id: TransactionId,
        /// How old it is.
        birth: Birth,
        /// Whether it has no other key, here or elsewhere.
        is_only: bool,
        /// The keys, each once, in order.
        keys: Vec<(Payload, Mode)>,
    },
    /// From a replica: these are locked now.
    Granted {
        /// For whom.
        id: TransactionId,
        /// The keys, and what is known of them.
        states: Vec<(Payload, State)>,
    },
    /// From a replica: it holds no lock for the transaction, and will not.
    Lost {
        /// Which.
        id: TransactionId,
    },
    /// To a replica that granted something: does it hold all of it still, and will it write this when it is told to? It keeps the locks
    /// of what it is to write, and gives back the others.
    Prepare {
        /// Which transaction.
        id: TransactionId,
        /// What it will write there; if nothing, the vote is the last that the replica has to do with it.
        writes: Arc<[Write]>,
        /// Who else is asked.
        participants: Arc<[ProcessId]>,
    },
    /// The answer.
    Vote {
        /// Which transaction.
        id: TransactionId,
        /// Whether it can commit.
        yes: bool,
    },
    /// It is committed.
    Commit {
        /// Which transaction.
        id: TransactionId,
        /// Everything that it writes at the receiver.
        writes: Arc<[Write]>,
        /// Not for the first time: only who is prepared writes.
        again: bool,
    },
    /// It is aborted, or needs its locks no longer.
    Abort {
        /// Which transaction.
        id: TransactionId,
    },
    /// The receiver of a commit has it on disk.
    Acknowledge {
        /// Which transaction.
        id: TransactionId,
    },
    /// From a prepared participant: what became of it?
    Ask {
        /// Which transaction.
        id: TransactionId,
    },
    /// The answer, from who knows.
    Outcome {
        /// Which transaction.
        id: TransactionId,
        /// Whether it was committed.
        committed: bool,
    },
    /// A committed write that the receiver seems not to know.
    Repair(Write),
    /// Which keys are there from this place on?
    Scan {
        /// The asker's name for this.
        request: u64,
        /// The place.
        cursor: u64,
        /// How many, about.
        count: u32,
    },
    /// The answer, in the order of their hashes.
    Keys {
        /// What it answers.
        request: u64,
        /// The keys.
        keys: Vec<Payload>,
        /// Where to go on; none if there are no more.
        next: Option<u64>,
    },
    /// Are these keys deleted, with these versions, and not locked?
    Deleted {
        /// The asker's name for this.
        request: u64,
        /// Keys and the versions of their deletions.
        keys: Vec<(Payload, Version)>,
    },
    /// The answer: for each whether it is.
    AreDeleted {
        /// What it answers.
        request: u64,
        /// In the order of the question.
        yes: Vec<bool>,
    },
    /// All replicas know that these are deleted: they need not be known any longer.
    Forget {
        /// Keys and the versions of their deletions.
        keys: Vec<(Payload, Version)>,
    },
}

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Record {
    /// The node starts for the n-th time; in its name all numbers that it gives until the next.
    Boot(u64),
    /// A committed write.
    Write(Write),
    /// Committed writes of one transaction.
    Writes(Arc<[Write]>),
    /// Voted yes.
    Prepared {
        /// On which transaction.
        id: TransactionId,
        /// How old it is.
        birth: Birth,
        /// What is to be written.
        writes: Arc<[Write]>,
        /// Who else was asked.
        participants: Arc<[ProcessId]>,
    },
    /// What became of a transaction on which it voted.
    Decided {
        /// Which.
        id: TransactionId,
        /// Whether it was committed.
        committed: bool,
    },
    /// As the coordinator: committed.
    Committed {
        /// Which.
        id: TransactionId,
        /// What it writes.
        writes: Arc<[Write]>,
        /// Who may be prepared.
        participants: Arc<[ProcessId]>,
    },
    /// As the coordinator: all who may have been prepared have acknowledged.
    End(TransactionId),
    /// A deleted key is no longer known.
    Forgotten(Payload, Version),
    /// The highest version of all that was forgotten.
    Floor(Version),
}

/// What a node waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// The patience with an operation.
    Deadline(u64),
    /// The pause before an operation is tried again.
    Retry(u64),
    /// Who has not acknowledged is told again.
    Resend(TransactionId),
    /// A coordinator did not come back.
    Lease(TransactionId),
    /// A prepared participant asks.
    Ask(TransactionId),
    /// Deleted and expired keys are looked for.
    Sweep,
}

/// What happened at a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A transaction that this node coordinates was committed; those that only read, and single reads, are not told.
    Committed(TransactionId),
    /// An attempt of it was aborted.
    Aborted(TransactionId),
    /// A younger transaction lost its locks here to an older one.
    Wounded(TransactionId),
    /// A prepared participant has not heard the decision in time.
    InDoubt(TransactionId),
    /// A replica that knew an older write was sent a newer one.
    Repaired {
        /// Which replica.
        replica: ProcessId,
    },
    /// A deleted key is no longer known here.
    Forgotten,
    /// A message was dropped.
    Rejected {
        /// Who sent it.
        from: ProcessId,
        /// Why.
        why: Why,
    },
}

/// Why a message was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Why {
    /// Its sender is no node of the store.
    Stranger,
    /// Its sender does not coordinate the transaction of which it speaks.
    NotCoordinator,
    /// It speaks of a key that the receiver does not hold.
    NotHere,
    /// It has too many keys, too few, one twice, or one that is too long.
    Malformed,
    /// It was there before.
    Stale,
    /// More transactions claim keys here than all nodes together may have under way.
    TooMany,
}

/// Where a key stands among all: the order of scans. Bytes are taken eight at a time. Whoever does not know the seed cannot find keys
/// that crowd at one place.
#[inline]
pub(super) fn hash(seed: u64, key: &Payload) -> u64 {
    let bytes = key.bytes();
    let mut state = random::mix(bytes.len() as u64 ^ seed, 0x7374_6f72_6521);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        state = random::mix(state ^ u64::from_le_bytes(eight), state.rotate_left(32) ^ seed);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        state = random::mix(state ^ u64::from_le_bytes(eight), state.rotate_left(32) ^ seed);
    }
    random::mix(state, seed ^ 0x6b65_7973)
}
