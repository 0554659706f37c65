//! What a process does to the world, and who receives it.

use crate::{OpId, ProcessId, Protocol, Span};

/// The two kinds of channel between processes. They differ in what they promise.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// First in, first out, without loss or duplication as long as it holds; that it broke is reported, late
    /// or never, with [`Protocol::on_unreachable`].
    #[default]
    Stream,
    /// One message at a time, which may be lost, doubled and overtaken. Nothing is reported.
    Datagram,
}

/// One effect of a handler, as [`Cx`](crate::Cx) hands it to the runtime.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect<P: Protocol> {
    /// Send `msg` to `to`.
    Send {
        /// The receiver; may be the sender itself.
        to: ProcessId,
        /// The message.
        msg: P::Msg,
        /// Over which kind of channel.
        channel: Channel,
    },
    /// Keep a stream to `peer` and report when it breaks.
    Watch {
        /// The other end.
        peer: ProcessId,
    },
    /// Keep the stream to `peer` no longer.
    Unwatch {
        /// The other end.
        peer: ProcessId,
    },
    /// Call [`Protocol::on_timer`] with `timer` when `after` has passed on the local clock.
    Arm {
        /// The timer; if it is armed already, only the new instant counts.
        timer: P::Timer,
        /// How long from now.
        after: Span,
    },
    /// Forget `timer`, if it is armed.
    Disarm {
        /// The timer.
        timer: P::Timer,
    },
    /// Append `record` to the durable log. All later effects wait until it is on disk.
    Persist {
        /// The entry.
        record: P::Record,
    },
    /// Answer the operation `id`.
    Reply {
        /// The operation.
        id: OpId,
        /// The answer.
        reply: P::Reply,
    },
    /// Tell the layer above.
    Emit {
        /// What happened.
        event: P::Event,
    },
}

/// Where effects go: what a runtime implements.
pub trait Sink<P: Protocol> {
    /// Takes one effect of the running handler, in the order of emission.
    fn put(&mut self, effect: Effect<P>);

    /// A number in `0..bound`: the only source of nondeterminism. The simulator draws it, the explorer tries
    /// all, the network asks the system.
    ///
    /// # Panics
    /// When `bound` is zero.
    fn choose(&mut self, bound: u32) -> u32;
}

/// Keeps effects in a list and always chooses zero: for tests of single handlers.
impl<P: Protocol> Sink<P> for Vec<Effect<P>> {
    fn put(&mut self, effect: Effect<P>) {
        self.push(effect);
    }

    fn choose(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "cannot choose from nothing");
        0
    }
}
