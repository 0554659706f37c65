//! What clients ask of a store, key by key, and what it does to a key.

use isles_kernel::{Payload, ProcessId, Time};
use serde::{Deserialize, Serialize};

/// Names one committed write of a key: later writes have greater versions, and no two writes the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Version(pub u64);

/// What a key holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The value.
    pub value: Payload,
    /// When it ceases to be there, by the clock of whoever looks; none if never.
    pub expires: Option<Time>,
}

/// One command on one key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Command {
    /// Read.
    Get {
        /// Of which key.
        key: Payload,
    },
    /// Write.
    Set {
        /// Which key.
        key: Payload,
        /// The value.
        value: Payload,
        /// Only if this holds.
        condition: Condition,
        /// When it expires.
        expiry: Expiry,
        /// Answer with what was there before.
        get: bool,
    },
    /// Take away.
    Delete {
        /// Which key.
        key: Payload,
    },
    /// Read the value as a decimal number of 64 bits, absent as 0, add, and write.
    Increment {
        /// Which key.
        key: Payload,
        /// How much; may be negative.
        by: i64,
    },
    /// Write at the end of the value.
    Append {
        /// Which key.
        key: Payload,
        /// What.
        value: Payload,
    },
    /// Change when a key that is there expires.
    Expire {
        /// Which key.
        key: Payload,
        /// When; an instant that has passed takes the key away.
        expiry: Expiry,
    },
}

/// On what a write depends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Condition {
    /// On nothing.
    #[default]
    Always,
    /// The key is absent (`NX`).
    Absent,
    /// The key is there (`XX`).
    Present,
}

/// What becomes of a key's expiry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Expiry {
    /// It never expires.
    #[default]
    Never,
    /// What it was.
    Keep,
    /// It expires at this instant.
    At(Time),
}

/// What one command is answered.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The entry and the version of its last write; none, if the key is absent. For a write with `get`, what was there before.
    Entry(Option<Entry>, Version),
    /// Written.
    Done,
    /// Not written: the condition did not hold, or the key to be changed was absent.
    Unchanged,
    /// How many keys were there and are gone: 0 or 1.
    Deleted(u64),
    /// The number, after an increment.
    Number(i64),
    /// How many bytes the value has, after an append.
    Length(u64),
    /// The value is no decimal number of 64 bits; nothing was changed.
    NotANumber,
    /// The number would leave 64 bits; nothing was changed.
    Overflow,
    /// The value would be longer than the store takes; nothing was changed.
    TooLong,
}

/// Who a transaction is: whoever coordinates it, and its number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TransactionId {
    /// Its number at the coordinator, never used again, not even after a crash.
    pub number: u64,
    /// The coordinator.
    pub coordinator: ProcessId,
}

impl Command {
    /// The key that the command is about.
    pub const fn key(&self) -> &Payload {
        match self {
            Self::Get { key }
            | Self::Set { key, .. }
            | Self::Delete { key }
            | Self::Increment { key, .. }
            | Self::Append { key, .. }
            | Self::Expire { key, .. } => key,
        }
    }

    /// The key alone.
    pub(super) fn into_key(self) -> Payload {
        match self {
            Self::Get { key }
            | Self::Set { key, .. }
            | Self::Delete { key }
            | Self::Increment { key, .. }
            | Self::Append { key, .. }
            | Self::Expire { key, .. } => key,
        }
    }

    /// Whether the command may write.
    pub const fn is_write(&self) -> bool {
        !matches!(self, Self::Get { .. })
    }
}
