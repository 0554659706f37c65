//! Pull: in each period a process tells a random peer what it has had, and the peer sends what is missing.
//!
//! Demers et al.: *Epidemic algorithms for replicated database maintenance*, PODC 1987, sec. 1.3 (anti-entropy),
//! <https://doi.org/10.1145/41840.41841>.
//!
//! **Model**: asynchronous; any crashes; datagrams that may be lost. **Property**: while a message is cached, the
//! share of processes without it is squared in each period, once most have it; it starts slowly, for nobody knows
//! that there is something to ask for. **Cost**: n − 1 payloads per broadcast, and a request per process and
//! period whether or not there is anything new. It never comes to rest.
//!
//! # Departures from the paper
//! - What is exchanged are messages of a bounded cache, not entries of a database; a process that was away for
//!   longer than [`Config::cache_span`] misses what it missed.

use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::broadcast::{Broadcast, Event, MessageId};
use crate::peers::{Change, Peers};
use crate::seen::{Digest, Seen};
use crate::store::{Store, Stored};

/// One process that pulls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pull {
    peers: Peers,
    seen: Seen,
    /// Invariant: all in it are seen.
    store: Store,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// From one request of a process to its next. Default 1 s, a guess.
    pub period: Span,
    /// A request tells of at least so many messages, the newest; see [`Seen::digest`]. With fewer than peers have
    /// cached, some are sent again and again. Default 256: at most 4 kB of memory, some 2 kB on the wire.
    pub digest_count_max: usize,
    /// A request is answered with at most so many messages, the oldest first; the others come in later periods.
    /// Default 64, a guess.
    pub reply_count_max: usize,
    /// How many payloads are kept for those who ask. Default 256, a guess; 48 bytes each and the shared payload.
    pub cache_count_max: usize,
    /// How long payloads are kept: some ln n periods at least. Default 30 s, which is enough for 10^6 processes.
    pub cache_span: Span,
    /// How many messages are remembered at least; see [`Seen`]. At least
    /// [`cache_count_max`](Self::cache_count_max) counts. Default 256: at most 4 kB.
    pub seen_count_max: usize,
    /// How all messages travel. Default datagrams: the next period makes up for their loss.
    pub channel: Channel,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            period: Span::secs(1),
            digest_count_max: 256,
            reply_count_max: 64,
            cache_count_max: 256,
            cache_span: Span::secs(30),
            seen_count_max: 256,
            channel: Channel::Datagram,
        }
    }
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// Send me what I have not had.
    Request {
        /// What the sender has had.
        digest: Digest,
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
    /// The next request.
    Round,
}

impl Protocol for Pull {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Payload;
    type Reply = MessageId;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let phase = phase(cx, cx.config().period);
        cx.arm(Timer::Round, phase);
        Self { peers: Peers::default(), seen: Seen::starting(cx.now()), store: Store::default() }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Request { digest } => self.on_request(cx, from, &digest),
            Msg::Gossip { id, round, payload } => {
                if self.seen.insert(id, seen_count_max(cx.config())) {
                    self.deliver(cx, Stored { id, payload, at: cx.now(), from, hops: round });
                } else {
                    cx.emit(Event::Redundant { id });
                }
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Timer::Round: Timer) {
        let Config { period, digest_count_max, channel, .. } = *cx.config();
        cx.arm(Timer::Round, period);
        self.peers.sample(cx, 1, None, |cx, peer| {
            cx.send_by(channel, peer, Msg::Request { digest: self.seen.digest(digest_count_max) });
        });
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, op: OpId, payload: Payload) {
        let me = cx.me();
        let id = self.seen.name(me);
        self.seen.insert(id, seen_count_max(cx.config()));
        cx.reply(op, id);
        self.deliver(cx, Stored { id, payload, at: cx.now(), from: me, hops: 0 });
    }
}

impl Broadcast for Pull {
    fn on_change(&mut self, _: &mut Cx<'_, Self>, change: Change) {
        self.peers.apply(change);
    }
}

impl Pull {
    fn on_request(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, digest: &Digest) {
        let Config { reply_count_max, cache_span, channel, .. } = *cx.config();
        self.store.expire(cx.now(), cache_span);
        let kept = self.store.newest(usize::MAX).iter();
        for stored in kept.filter(|stored| !digest.contains(stored.id)).take(reply_count_max) {
            let (id, round, payload) = (stored.id, stored.hops.saturating_add(1), stored.payload.clone());
            cx.send_by(channel, from, Msg::Gossip { id, round, payload });
        }
    }

    fn deliver(&mut self, cx: &mut Cx<'_, Self>, message: Stored) {
        let Config { cache_count_max, cache_span, .. } = *cx.config();
        let Stored { id, hops, .. } = message;
        cx.emit(Event::Delivered { id, hops, payload: message.payload.clone() });
        self.store.insert(message, cache_count_max, cache_span);
    }
}

/// When the first round of a process is: one of 64 instants within the first period, so that processes that start
/// together do not act together.
pub(crate) fn phase<P: Protocol>(cx: &mut Cx<'_, P>, period: Span) -> Span {
    let slot = u64::from(cx.choose(64)) + 1;
    Span(period.0 / 64 * slot)
}

/// What is cached must be known, or a process would ask for what it has.
fn seen_count_max(config: &Config) -> usize {
    config.seen_count_max.max(config.cache_count_max)
}

// Simulated events hold a message inline.
const _: () = assert!(size_of::<Msg>() <= 40);
