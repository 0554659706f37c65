//! What every broadcast protocol of this crate has in common.

use isles_kernel::{Cx, Never, Payload, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::peers::Change;

/// A protocol that brings a payload to every process: the upper half of a [`Node`](crate::Node).
///
/// Invoking it broadcasts the payload and replies with its id. It delivers each message at most once at each
/// process, the origin included.
pub trait Broadcast: Protocol<Op = Payload, Reply = MessageId, Record = Never, Event = Event> {
    /// The membership below reports that `change` happened to the peers of this process.
    fn on_change(&mut self, cx: &mut Cx<'_, Self>, change: Change);
}

/// Names one broadcast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct MessageId {
    /// The process that broadcast it.
    pub origin: ProcessId,
    /// Counts the origin's broadcasts, from its local clock (ns) at its start, so that an origin that forgot
    /// everything does not use a number again.
    pub number: u64,
}

/// What a broadcast protocol tells the layer above.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// The first copy of a message arrived, or this process broadcast it.
    Delivered {
        /// Which message.
        id: MessageId,
        /// Hops of the copy that came first; 0 at the origin.
        hops: u16,
        /// What was broadcast.
        payload: Payload,
    },
    /// A further copy of a payload arrived: bandwidth wasted.
    Redundant {
        /// Which message.
        id: MessageId,
    },
}
