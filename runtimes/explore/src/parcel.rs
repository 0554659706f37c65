//! What is under way.

use isles_kernel::{Channel, OpId, ProcessId, Protocol};

use crate::ledger::Call;

/// One thing that is under way. A state has a set of them, in which some may be several times.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Parcel<P: Protocol> {
    /// A message that may arrive at any time.
    Message { from: ProcessId, to: ProcessId, channel: Channel, msg: P::Msg },
    /// The messages of a stream, which arrive one after the other. Never empty.
    Stream { from: ProcessId, to: ProcessId, orphan: bool, messages: Vec<u32> },
    /// The news for `to` that its stream to `peer` broke.
    Broken { to: ProcessId, peer: ProcessId },
    /// An operation on its way to its process; also the name of the operation where it needs no way.
    Request(Call),
    /// An answer on its way to its client; also its name where it needs no way.
    Answer { from: ProcessId, id: OpId, reply: P::Reply },
}

/// No parcel.
pub(crate) const NONE: u32 = u32::MAX;

/// What a search asks of a parcel again and again, without looking at its content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) kind: Kind,
    pub(crate) from: u8,
    pub(crate) to: u8,
    /// It stays when it is delivered, and there is at most one of it.
    pub(crate) kept: bool,
    /// Its number among what its receiver is sent.
    pub(crate) rank: u32,
    /// The news for the sender that this stream broke; none where no stream breaks.
    pub(crate) notice: u32,
    /// Of a stream: its first message.
    pub(crate) head: u32,
    /// Of a stream: itself without its first message.
    pub(crate) rest: u32,
    /// Of a stream: itself after the death of its sender.
    pub(crate) orphan: u32,
}

/// What the arrival of a parcel needs to know when the step it causes is known: in one half of a line of the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// What it takes from the fingerprint.
    pub(crate) gone: u64,
    /// The rank of the message that arrives.
    pub(crate) rank: u32,
    pub(crate) to: u8,
    /// It comes to a process, whether there is a partition or not.
    pub(crate) plain: bool,
    /// It comes to a process unless a partition stops it.
    pub(crate) queued: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Datagram,
    /// A message of a stream, in a scenario in which these arrive in any order, or a part of a [`Kind::Stream`].
    Loose,
    Stream,
    /// A stream whose sender has died: the rest of it may never arrive.
    Orphan,
    Broken,
    Request,
    Answer,
}
