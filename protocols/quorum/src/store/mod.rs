//! A store of keys, each on several replicas: read and write quorums, and transactions over many keys.

mod command;

pub use command::{Answer, Command, Condition, Entry, Expiry, TransactionId, Version};

use std::sync::Arc;

use isles_kernel::Payload;
use serde::{Deserialize, Serialize};

/// What a client asks of any node of the store.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// One command.
    One(Command),
    /// All commands in order, at one instant, or none.
    All {
        /// The commands.
        commands: Arc<[Command]>,
        /// Keys, and the versions that they must still have (`WATCH`); otherwise [`Reply::Changed`].
        unchanged: Arc<[(Payload, Version)]>,
    },
    /// Keys that are there, in an order of the store's own, from a place in it on. A key that is there all the time from the first
    /// page to the last is on one of them.
    Scan {
        /// The place: 0, or [`Reply::Page`]'s.
        cursor: u64,
        /// How many keys to look at, about.
        count: u32,
    },
}

/// What the store answers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Op::One`].
    One(Answer),
    /// To [`Op::All`]: the answers, in order.
    All(Vec<Answer>),
    /// To [`Op::All`]: a key has another version; nothing was done.
    Changed,
    /// To [`Op::Scan`].
    Page {
        /// Where the next page begins; 0 if this was the last one.
        cursor: u64,
        /// Keys.
        keys: Vec<Payload>,
    },
    /// Nothing was done, and never will be: no quorum answered in time, or too many transactions want the same keys.
    Refused,
    /// It is not known whether it was done or will be: the decision did not come in time.
    Unknown,
}
