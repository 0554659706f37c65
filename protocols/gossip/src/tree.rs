//! Broadcast over a spanning tree that was fixed beforehand: as cheap as possible, and nothing repairs it.
//!
//! Lynch, *Distributed Algorithms*, 1996, sec. 15.3 (broadcast along the edges of a tree).
//!
//! **Model**: asynchronous; no crashes; streams. **Property**: every message reaches every process exactly once.
//! **Cost**: n − 1 payloads per broadcast. **Faults tolerated**: none; a crashed inner process cuts off all that lies
//! behind it, for ever. It is what [`plumtree`](crate::plumtree) is measured against, from both sides.

use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::broadcast::{Broadcast, Event, MessageId};
use crate::peers::Change;
use crate::seen::Seen;

/// One process of the tree.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tree {
    seen: Seen,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// The edges along which messages go. A process that it does not have is alone. With a cycle it works still,
    /// and is flooding.
    pub tree: Arc<Graph>,
    /// How many messages are remembered at least; see [`Seen`]. Only doubled datagrams and cycles need it.
    /// Default 16, a guess.
    pub seen_count_max: usize,
    /// How messages travel. Default streams.
    pub channel: Channel,
}

impl Config {
    /// Streams along the edges of `tree`.
    pub fn new(tree: impl Into<Arc<Graph>>) -> Self {
        Self { tree: tree.into(), seen_count_max: 16, channel: Channel::Stream }
    }
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// A payload.
    Gossip {
        /// Which message.
        id: MessageId,
        /// Hops of this copy, this one included.
        round: u16,
        /// What was broadcast.
        payload: Payload,
    },
}

impl Protocol for Tree {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Payload;
    type Reply = MessageId;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { seen: Seen::starting(cx.now()) }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        let Msg::Gossip { id, round, payload } = msg;
        if self.seen.insert(id, cx.config().seen_count_max) {
            deliver(cx, from, id, round, payload);
        } else {
            cx.emit(Event::Redundant { id });
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, op: OpId, payload: Payload) {
        let me = cx.me();
        let id = self.seen.name(me);
        self.seen.insert(id, cx.config().seen_count_max);
        cx.reply(op, id);
        deliver(cx, me, id, 0, payload);
    }
}

impl Broadcast for Tree {
    /// The tree is fixed: whatever becomes of the peers, messages go along its edges.
    fn on_change(&mut self, _: &mut Cx<'_, Self>, _: Change) {}
}

fn deliver(cx: &mut Cx<'_, Tree>, from: ProcessId, id: MessageId, hops: u16, payload: Payload) {
    let (me, Config { tree, channel, .. }) = (cx.me(), cx.config());
    // The configuration is borrowed for as long as the context: the handle keeps the edges while we send.
    let (tree, channel) = (Arc::clone(tree), *channel);
    let round = hops.saturating_add(1);
    if me.0 < tree.nodes() {
        for &peer in tree.neighbors(me).iter().filter(|peer| **peer != from) {
            cx.send_by(channel, peer, Msg::Gossip { id, round, payload: payload.clone() });
        }
    }
    cx.emit(Event::Delivered { id, hops, payload });
}

// Simulated events hold a message inline.
const _: () = assert!(size_of::<Msg>() <= 40);
