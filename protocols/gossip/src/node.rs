//! A membership protocol below, a broadcast protocol above: the process that runs.

use std::fmt::Debug;

use isles_kernel::{Cx, Never, OpId, Payload, ProcessId, Protocol, Slot, Upcall, Upcalls};
use serde::{Deserialize, Serialize};

use crate::broadcast::{self, Broadcast, MessageId};
use crate::peers::{Change, Membership};

/// One process: any [`Membership`] with any [`Broadcast`] on it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Node<M: Membership, B: Broadcast> {
    /// Whom to talk to.
    pub membership: M,
    /// What is said.
    pub broadcast: B,
}

/// The configuration of both layers.
#[derive(Clone, Debug)]
pub struct Config<M: Membership, B: Broadcast> {
    /// The membership's.
    pub membership: M::Config,
    /// The broadcast's.
    pub broadcast: B::Config,
}

/// Something of either layer: a message, a timer or an operation.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Layer<M, B> {
    /// The membership's.
    Membership(M),
    /// The broadcast's.
    Broadcast(B),
}

/// What happened in either layer.
pub type Event = Layer<Change, broadcast::Event>;

/// The slot of the membership protocol.
enum Lower {}

impl<M: Membership, B: Broadcast> Slot<Node<M, B>> for Lower {
    type Child = M;
    fn config(config: &Config<M, B>) -> &M::Config {
        &config.membership
    }
    fn msg(msg: M::Msg) -> Layer<M::Msg, B::Msg> {
        Layer::Membership(msg)
    }
    fn timer(timer: M::Timer) -> Layer<M::Timer, B::Timer> {
        Layer::Membership(timer)
    }
    fn record(record: Never) -> Never {
        record
    }
}

/// The slot of the broadcast protocol.
enum Upper {}

impl<M: Membership, B: Broadcast> Slot<Node<M, B>> for Upper {
    type Child = B;
    fn config(config: &Config<M, B>) -> &B::Config {
        &config.broadcast
    }
    fn msg(msg: B::Msg) -> Layer<M::Msg, B::Msg> {
        Layer::Broadcast(msg)
    }
    fn timer(timer: B::Timer) -> Layer<M::Timer, B::Timer> {
        Layer::Broadcast(timer)
    }
    fn record(record: Never) -> Never {
        record
    }
}

impl<M: Membership, B: Broadcast> Protocol for Node<M, B> {
    type Config = Config<M, B>;
    type Msg = Layer<M::Msg, B::Msg>;
    type Timer = Layer<M::Timer, B::Timer>;
    type Op = Layer<M::Op, Payload>;
    type Reply = MessageId;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let (broadcast, said) = cx.embed::<Upper, _>(|cx| B::start(cx, &[]));
        let (membership, changes) = cx.embed::<Lower, _>(|cx| M::start(cx, &[]));
        let mut node = Self { membership, broadcast };
        tell(cx, said);
        node.pass_up(cx, changes);
        node
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Self::Msg) {
        match msg {
            Layer::Membership(msg) => self.lower(cx, |below, cx| below.on_message(cx, from, msg)),
            Layer::Broadcast(msg) => self.upper(cx, |above, cx| above.on_message(cx, from, msg)),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Self::Timer) {
        match timer {
            Layer::Membership(timer) => self.lower(cx, |below, cx| below.on_timer(cx, timer)),
            Layer::Broadcast(timer) => self.upper(cx, |above, cx| above.on_timer(cx, timer)),
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Self::Op) {
        match op {
            Layer::Membership(op) => self.lower(cx, |below, cx| below.on_op(cx, id, op)),
            Layer::Broadcast(op) => self.upper(cx, |above, cx| above.on_op(cx, id, op)),
        }
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        self.lower(cx, |below, cx| below.on_unreachable(cx, peer));
        self.upper(cx, |above, cx| above.on_unreachable(cx, peer));
    }
}

impl<M: Membership, B: Broadcast> Node<M, B> {
    #[inline]
    fn lower(&mut self, cx: &mut Cx<'_, Self>, step: impl FnOnce(&mut M, &mut Cx<'_, M>)) {
        let ((), changes) = cx.embed::<Lower, _>(|cx| step(&mut self.membership, cx));
        self.pass_up(cx, changes);
    }

    #[inline]
    fn upper(&mut self, cx: &mut Cx<'_, Self>, step: impl FnOnce(&mut B, &mut Cx<'_, B>)) {
        let ((), said) = cx.embed::<Upper, _>(|cx| step(&mut self.broadcast, cx));
        tell(cx, said);
    }

    /// The broadcast learns each change of the peers before the layer above does.
    fn pass_up(&mut self, cx: &mut Cx<'_, Self>, changes: Upcalls<M>) {
        for upcall in changes {
            match upcall {
                Upcall::Event(change) => {
                    self.upper(cx, |above, cx| above.on_change(cx, change));
                    cx.emit(Layer::Membership(change));
                }
                Upcall::Reply(_, never) => match never {},
            }
        }
    }
}

fn tell<M: Membership, B: Broadcast>(cx: &mut Cx<'_, Node<M, B>>, said: Upcalls<B>) {
    for upcall in said {
        match upcall {
            Upcall::Event(event) => cx.emit(Layer::Broadcast(event)),
            Upcall::Reply(id, reply) => cx.reply(id, reply),
        }
    }
}
