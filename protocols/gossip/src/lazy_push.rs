//! Lazy push: ids go to a few peers chosen at random, and payloads to those who ask for them.
//!
//! The lazy half of what Leitão, Pereira and Rodrigues (SRDS 2007) compare: Carvalho, Pereira, Oliveira, Rodrigues: *Emergent structure in unstructured epidemic multicast*, DSN 2007,
//! <https://doi.org/10.1109/DSN.2007.40>.
//!
//! **Model**: asynchronous; any crashes; datagrams that may be lost. **Property**, of chance only, as for
//! [`eager_push`](crate::eager_push) with the same fan-out. **Cost**: n − 1 payloads without loss and with patience
//! above a round trip, fan-out times n ids, n − 1 requests; three times the latency of an eager hop.
//!
//! # Departures from the papers
//! - A request that is not answered goes to the next announcer, and to the first again, a bounded number of times;
//!   at once where the membership says that the one who was asked is down.

use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::broadcast::{Broadcast, Event, MessageId};
use crate::missing::{Loss, Missing};
use crate::peers::{Change, Peers};
use crate::seen::Seen;
use crate::store::{Store, Stored};

/// One process that pushes ids.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LazyPush {
    peers: Peers,
    seen: Seen,
    /// Invariant: all in it are seen.
    store: Store,
    /// Invariant: none in it is seen, and [`Timer::Missing`] is armed for each.
    missing: Missing,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// To how many peers an id goes. Default 10: ln n + 0.8 for 10 000 processes.
    pub fanout: usize,
    /// How long an announcer has to answer before the next is asked: above a round trip. Doubled each time all were
    /// asked. Default 400 ms: more than 95 of 100 round trips between PlanetLab sites are shorter.
    pub request_timeout: Span,
    /// How often each announcer is asked; at least 1. Default 4, a guess.
    pub request_passes_max: u8,
    /// How many payloads are kept for those who ask; at least what arrives within some
    /// [`request_timeout`](Self::request_timeout)s. Default 256, a guess; 48 bytes each and the shared payload.
    pub cache_count_max: usize,
    /// How long payloads are kept. Default 30 s, a guess.
    pub cache_span: Span,
    /// How many messages are remembered at least; see [`Seen`]. At least
    /// [`cache_count_max`](Self::cache_count_max) counts. Default 256: at most 4 kB.
    pub seen_count_max: usize,
    /// How many announced messages may be missing at once; further ones are ignored. Default 1024, at most 64 kB.
    pub missing_count_max: usize,
    /// How all messages travel. Default datagrams: gossip bears their loss.
    pub channel: Channel,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose: with each, a broadcast never arrives somewhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mistake {
    /// An announcer is asked once.
    AskOnce,
    /// Whoever announces a message that is being asked for is not remembered.
    FirstAnnouncerOnly,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fanout: 10,
            request_timeout: Span::millis(400),
            request_passes_max: 4,
            cache_count_max: 256,
            cache_span: Span::secs(30),
            seen_count_max: 256,
            missing_count_max: 1024,
            channel: Channel::Datagram,
            mistake: None,
        }
    }
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// The sender has this message.
    IHave {
        /// Which message.
        id: MessageId,
        /// Hops that a copy from there has made when it arrives.
        round: u16,
    },
    /// Send me this message.
    Request {
        /// Which message.
        id: MessageId,
    },
    /// A payload, upon request.
    Gossip {
        /// Which message.
        id: MessageId,
        /// Hops of this copy, this one included.
        round: u16,
        /// What was broadcast.
        payload: Payload,
    },
}

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// This message was asked for and has not come.
    Missing(MessageId),
}

impl Protocol for LazyPush {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Payload;
    type Reply = MessageId;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self {
            peers: Peers::default(),
            seen: Seen::starting(cx.now()),
            store: Store::default(),
            missing: Missing::default(),
        }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::IHave { id, round } => {
                let first_only = cx.config().mistake == Some(Mistake::FirstAnnouncerOnly);
                let ignored = self.seen.contains(id) || first_only && self.missing.contains(id);
                if !ignored && self.missing.announce(id, from, round, cx.config().missing_count_max) {
                    self.request(cx, id);
                }
            }
            Msg::Request { id } => {
                let Some(stored) = self.store.get(id) else { return };
                let (round, payload) = (stored.hops.saturating_add(1), stored.payload.clone());
                cx.send_by(cx.config().channel, from, Msg::Gossip { id, round, payload });
            }
            Msg::Gossip { id, round, payload } => {
                if !self.seen.insert(id, seen_count_max(cx.config())) {
                    cx.emit(Event::Redundant { id });
                    return;
                }
                if self.missing.take(id).is_some() {
                    cx.disarm(Timer::Missing(id));
                }
                self.deliver(cx, Stored { id, payload, at: cx.now(), from, hops: round });
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Timer::Missing(id): Timer) {
        self.request(cx, id);
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, op: OpId, payload: Payload) {
        let me = cx.me();
        let id = self.seen.name(me);
        self.seen.insert(id, seen_count_max(cx.config()));
        cx.reply(op, id);
        self.deliver(cx, Stored { id, payload, at: cx.now(), from: me, hops: 0 });
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        for id in self.missing.unanswered(peer) {
            self.request(cx, id);
        }
    }
}

impl Broadcast for LazyPush {
    fn on_change(&mut self, cx: &mut Cx<'_, Self>, change: Change) {
        self.peers.apply(change);
        let Change::Down { peer } = change else { return };
        let mut unanswered: SmallVec<[MessageId; 4]> = SmallVec::new();
        self.missing.forget(peer, |loss| match loss {
            Loss::Unanswered(id) => unanswered.push(id),
            Loss::Forgotten(id) => cx.disarm(Timer::Missing(id)),
        });
        for id in unanswered {
            self.request(cx, id);
        }
    }
}

impl LazyPush {
    /// Whether this process had the message, as far as it remembers.
    pub fn delivered(&self, id: MessageId) -> bool {
        self.seen.contains(id)
    }

    /// Asks the next announcer, if there is one that was not asked too often.
    fn request(&mut self, cx: &mut Cx<'_, Self>, id: MessageId) {
        let Config { request_timeout, request_passes_max, channel, mistake, .. } = *cx.config();
        let request_passes_max = if mistake == Some(Mistake::AskOnce) { 1 } else { request_passes_max };
        let Some(ask) = self.missing.ask(id, request_passes_max.max(1)) else {
            cx.disarm(Timer::Missing(id));
            return;
        };
        cx.arm(Timer::Missing(id), request_timeout.times(1 << ask.passes.min(32)));
        cx.send_by(channel, ask.peer, Msg::Request { id });
    }

    fn deliver(&mut self, cx: &mut Cx<'_, Self>, message: Stored) {
        let Config { fanout, channel, cache_count_max, cache_span, .. } = *cx.config();
        let Stored { id, from, hops, .. } = message;
        cx.emit(Event::Delivered { id, hops, payload: message.payload.clone() });
        self.store.insert(message, cache_count_max, cache_span);
        let round = hops.saturating_add(1);
        self.peers.sample(cx, fanout, Some(from), |cx, peer| {
            cx.send_by(channel, peer, Msg::IHave { id, round });
        });
    }
}

/// What is cached must be known, or a process would ask for what it has.
fn seen_count_max(config: &Config) -> usize {
    config.seen_count_max.max(config.cache_count_max)
}

// Simulated events hold a message inline.
const _: () = assert!(size_of::<Msg>() <= 40);
