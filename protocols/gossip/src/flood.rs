//! Flooding: whoever receives a message for the first time sends it to all neighbours but the one it came from.
//!
//! The oldest broadcast there is; Lynch, *Distributed Algorithms*, 1996, sec. 15.3 derives its costs.
//!
//! **Model**: asynchronous; any crashes that leave the overlay connected; streams. **Property**: in a connected
//! overlay every message reaches every process, over a shortest path where links are equally fast. **Cost** for n
//! processes and e links: exactly 2e − n + 1 payloads per broadcast. Over datagrams a copy may be lost, and the many
//! others make up for it.

use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol};
use serde::{Deserialize, Serialize};

use crate::broadcast::{Broadcast, Event, MessageId};
use crate::peers::{Change, Peers};
use crate::seen::Seen;

/// One process that floods.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Flood {
    peers: Peers,
    seen: Seen,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many messages are remembered at least, so that a late copy is not sent on again; see [`Seen`]. With too
    /// few, a message circles. Default 256, a guess: at most 4 kB.
    pub seen_count_max: usize,
    /// How messages travel. Default streams.
    pub channel: Channel,
}

impl Default for Config {
    fn default() -> Self {
        Self { seen_count_max: 256, channel: Channel::Stream }
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

impl Protocol for Flood {
    type Config = Config;
    type Msg = Msg;
    type Timer = Never;
    type Op = Payload;
    type Reply = MessageId;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { peers: Peers::default(), seen: Seen::starting(cx.now()) }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        let Msg::Gossip { id, round, payload } = msg;
        if self.seen.insert(id, cx.config().seen_count_max) {
            self.deliver(cx, from, id, round, payload);
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
        self.deliver(cx, me, id, 0, payload);
    }
}

impl Broadcast for Flood {
    fn on_change(&mut self, _: &mut Cx<'_, Self>, change: Change) {
        self.peers.apply(change);
    }
}

impl Flood {
    fn deliver(&self, cx: &mut Cx<'_, Self>, from: ProcessId, id: MessageId, hops: u16, payload: Payload) {
        cx.emit(Event::Delivered { id, hops, payload: payload.clone() });
        let round = hops.saturating_add(1);
        let send = |cx: &mut Cx<'_, Self>, peer: ProcessId| {
            if peer != from && peer != cx.me() {
                cx.send_by(cx.config().channel, peer, Msg::Gossip { id, round, payload: payload.clone() });
            }
        };
        match &self.peers {
            Peers::Listed(peers) => peers.iter().for_each(|peer| send(cx, *peer)),
            Peers::Everyone { count } => (0..*count).for_each(|peer| send(cx, ProcessId(peer))),
        }
    }
}

// Simulated events hold a message inline.
const _: () = assert!(size_of::<Msg>() <= 40);
