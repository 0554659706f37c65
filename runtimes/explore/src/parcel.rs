//! What is under way.

use isles_kernel::{Channel, OpId, ProcessId, Protocol};

use crate::ledger::Call;
use crate::scenario::Budget;
use crate::space::{OUTSIDE, Space};
use crate::symmetry::{Part, stream_key};

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

impl<P: Protocol> Space<P> {
    /// The number of something that is under way.
    pub(crate) fn parcel(&mut self, parcel: Parcel<P>) -> u32 {
        let meta = self.meta_of(&parcel);
        let id = match &parcel {
            Parcel::Stream { from, to, orphan, messages } => {
                let keys: Vec<u64> = messages.iter().map(|message| self.parcels.key(*message)).collect();
                let key = stream_key(*from, *to, *orphan, &keys);
                self.parcels.intern_keyed(parcel, key)
            }
            Parcel::Message { .. } | Parcel::Broken { .. } | Parcel::Request(_) | Parcel::Answer { .. } => {
                self.parcels.intern(parcel)
            }
        };
        if id as usize == self.meta.len() {
            if self.ranks.len() <= usize::from(meta.to) {
                self.ranks.resize(usize::from(meta.to) + 1, 0);
            }
            let rank = &mut self.ranks[usize::from(meta.to)];
            let meta = Meta { rank: *rank, ..meta };
            // What is delivered under another name needs none: streams deliver their messages.
            *rank += u32::from(!matches!(meta.kind, Kind::Stream | Kind::Orphan | Kind::Answer));
            self.meta.push(meta);
            self.arrivals.push(self.arrival_of(id, meta));
            if self.is_symmetric() {
                self.parcel_shapes.push(self.shape_of(Part::Parcel(id)));
            }
        }
        id
    }

    fn arrival_of(&self, parcel: u32, meta: Meta) -> Arrival {
        let queued = matches!(meta.kind, Kind::Stream | Kind::Orphan);
        let left = if meta.rest == NONE { 0 } else { self.parcels.key(meta.rest) };
        Arrival {
            gone: if meta.kept { 0 } else { self.parcels.key(parcel).wrapping_sub(left) },
            rank: if queued { self.meta[meta.head as usize].rank } else { meta.rank },
            to: meta.to,
            plain: !queued && meta.kind != Kind::Answer,
            queued,
        }
    }

    fn meta_of(&mut self, parcel: &Parcel<P>) -> Meta {
        let slot = |process: ProcessId| self.slot(process).unwrap_or(OUTSIDE);
        let plain = |kind: Kind, from: u8, to: u8| Meta {
            kind,
            from,
            to,
            kept: false,
            rank: 0,
            notice: NONE,
            head: NONE,
            rest: NONE,
            orphan: NONE,
        };
        match parcel {
            Parcel::Message { from, to, channel: Channel::Datagram, .. } => {
                let kept = self.scenario.faults.duplicates == Budget::Unlimited;
                Meta { kept, ..plain(Kind::Datagram, slot(*from), slot(*to)) }
            }
            Parcel::Message { from, to, channel: Channel::Stream, .. } => {
                let meta = plain(Kind::Loose, slot(*from), slot(*to));
                Meta { notice: self.notice(meta.from, meta.to), ..meta }
            }
            Parcel::Stream { from, to, orphan, messages } => {
                let (from, to, orphan) = (*from, *to, *orphan);
                let kind = if orphan { Kind::Orphan } else { Kind::Stream };
                let mut meta = plain(kind, slot(from), slot(to));
                meta.notice = self.notice(meta.from, meta.to);
                meta.head = messages[0];
                if messages.len() > 1 {
                    meta.rest =
                        self.parcel(Parcel::Stream { from, to, orphan, messages: messages[1..].to_vec() });
                }
                if self.is_breakable() && !orphan {
                    meta.orphan =
                        self.parcel(Parcel::Stream { from, to, orphan: true, messages: messages.clone() });
                }
                meta
            }
            Parcel::Broken { to, peer } => plain(Kind::Broken, slot(*peer), slot(*to)),
            Parcel::Request(call) => {
                let to = call.of_script(&self.scenario).map_or(0, |(process, _)| slot(*process));
                plain(Kind::Request, 0, to)
            }
            Parcel::Answer { .. } => plain(Kind::Answer, 0, 0),
        }
    }

    pub(crate) fn push(&mut self, stream: u32, message: u32) {
        let Meta { from, to, .. } = self.meta[message as usize];
        let (from, to) = (self.id(from), self.id(to));
        let mut messages = match stream {
            NONE => Vec::new(),
            stream => match self.parcels.get(stream) {
                Parcel::Stream { messages, .. } => messages.clone(),
                Parcel::Message { .. }
                | Parcel::Broken { .. }
                | Parcel::Request(_)
                | Parcel::Answer { .. } => {
                    unreachable!("only streams grow")
                }
            },
        };
        messages.push(message);
        let longer = self.parcel(Parcel::Stream { from, to, orphan: false, messages });
        self.pushes.insert(stream, message, (longer, 0));
    }
}
