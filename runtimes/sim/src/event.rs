//! What is going to happen: plain data in one total order.

use std::cmp::Ordering;

use isles_kernel::Protocol;

/// The `from` of what the simulator itself does to a process.
pub(crate) const SYSTEM: u32 = u32::MAX;
/// The `from` of operations.
pub(crate) const CLIENT: u32 = u32::MAX - 1;

/// Something that happens to the process `to` at the instant `at`.
///
/// Events are totally ordered by (time, receiver, sender, sequence of the sender). No counter is shared
/// between processes, so that the order does not depend on the order in which handlers ran.
#[derive(Clone)]
pub(crate) struct Event<P: Protocol> {
    pub(crate) at: u64,
    pub(crate) to: u32,
    pub(crate) from: u32,
    pub(crate) seq: u32,
    /// How many crashes and restarts the run had seen when this was sent: what was sent before its receiver
    /// started belongs to a stream that broke.
    pub(crate) epoch: u32,
    pub(crate) body: Body<P>,
}

/// What happens.
#[derive(Clone)]
pub(crate) enum Body<P: Protocol> {
    /// A message arrives over a stream.
    Stream(P::Msg),
    /// A datagram arrives.
    Datagram(P::Msg),
    /// A timer is due, if it still is the one that was armed with this sequence number.
    Timer,
    /// The operation numbered like the event is invoked.
    Op,
    /// The stream to `from` broke.
    Unreachable,
    /// A stream to `from` was stalled a stream time-out ago; it breaks if it still is.
    Stalled,
    /// The disk has finished writing.
    Synced,
    /// Churn takes the process down.
    ChurnDown,
    /// Churn brings the process up again.
    ChurnUp,
}

/// Orders events.
pub(crate) type EventKey = (u64, u64, u32, u8);

/// The order of events: the one place that decides it.
#[inline]
pub(crate) fn key(at: u64, (to, from): (u32, u32), seq: u32, kind: u8) -> EventKey {
    // What two processes numbered alike is told apart by its kind: news of a broken stream may count with the numbers
    // of either end.
    (at, u64::from(to) << 32 | u64::from(from), seq, kind)
}

impl<P: Protocol> Event<P> {
    #[inline]
    pub(crate) fn key(&self) -> EventKey {
        key(self.at, (self.to, self.from), self.seq, self.body.kind())
    }
}

impl<P: Protocol> Body<P> {
    /// A number below 15 for each kind.
    #[inline]
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Stream(_) => 0,
            Self::Datagram(_) => 1,
            Self::Timer => 2,
            Self::Op => 3,
            Self::Unreachable => 4,
            Self::Stalled => 5,
            Self::Synced => 6,
            Self::ChurnDown => 7,
            Self::ChurnUp => 8,
        }
    }

    /// The body of this kind; none if there is no such kind, or the message is missing.
    #[inline]
    pub(crate) fn of_kind(kind: u8, msg: Option<P::Msg>) -> Option<Self> {
        Some(match kind {
            0 => Self::Stream(msg?),
            1 => Self::Datagram(msg?),
            2 => Self::Timer,
            3 => Self::Op,
            4 => Self::Unreachable,
            5 => Self::Stalled,
            6 => Self::Synced,
            7 => Self::ChurnDown,
            8 => Self::ChurnUp,
            _ => return None,
        })
    }
}

impl<P: Protocol> PartialEq for Event<P> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<P: Protocol> Eq for Event<P> {}

impl<P: Protocol> PartialOrd for Event<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reversed: the greatest event is the one that happens first, as a max-heap and a stack want it.
impl<P: Protocol> Ord for Event<P> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}
