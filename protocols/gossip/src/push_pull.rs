//! Push-pull: in each period a process calls a random peer, and each sends the other what it has.
//!
//! Karp, Schindelhauer, Shenker, Vöcking: *Randomized rumor spreading*, FOCS 2000,
//! <https://doi.org/10.1109/SFCS.2000.892324> ([`Style::Blind`]); Demers et al.: *Epidemic algorithms for replicated
//! database maintenance*, PODC 1987, sec. 1.3, <https://doi.org/10.1145/41840.41841> ([`Style::Compare`]).
//!
//! **Model**: asynchronous; any crashes; datagrams that may be lost. **Property**, of chance only: with everybody
//! as a peer, all of n processes are reached within log₃ n + O(ln ln n) periods: push makes the number of those who
//! know grow by a factor at first, pull squares the share of those who do not at last. **Cost** per broadcast:
//! n − 1 payloads for [`Style::Compare`]; O(n ln ln n) for [`Style::Blind`], without any digest. And one call per
//! process and period whether or not there is anything new: it never comes to rest.
//!
//! # Departures from the papers
//! - Rounds are periods of each process's own clock, not common ones, and ages are times: the paper counts rounds.
//! - Of Karp's two rules that end the spreading of a rumour, it is the age that is here, not the median counter:
//!   the age needs an estimate of n, the counter is for when there is none.
//! - Messages of a bounded cache are exchanged, not the entries of a database.

use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::broadcast::{Broadcast, Event, MessageId};
use crate::peers::{Change, Peers};
use crate::pull::phase;
use crate::seen::{Digest, Seen};
use crate::store::{Store, Stored};

/// One process that pushes and pulls.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PushPull {
    peers: Peers,
    seen: Seen,
    /// Invariant: all in it are seen. A message's instant is its arrival less its age: about when it was broadcast.
    store: Store,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// From one call of a process to its next. Default 1 s, a guess.
    pub period: Span,
    /// What is exchanged in a call. Default [`Style::Compare`].
    pub style: Style,
    /// At most so many messages are sent at a time, the oldest first. Default 64, a guess.
    pub reply_count_max: usize,
    /// How many payloads are kept. Default 256, a guess; 48 bytes each and the shared payload.
    pub cache_count_max: usize,
    /// How long payloads are kept after they were broadcast, as far as ages tell. Default 30 s, a guess.
    pub cache_span: Span,
    /// How many messages are remembered at least; see [`Seen`]. At least
    /// [`cache_count_max`](Self::cache_count_max) counts. Default 256: at most 4 kB.
    pub seen_count_max: usize,
    /// How all messages travel. Default datagrams: the next period makes up for their loss.
    pub channel: Channel,
}

/// What is exchanged in a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Style {
    /// What both have had, then the messages that one of them lacks: anti-entropy.
    Compare {
        /// At least so many messages are told of, the newest; see [`Seen::digest`]. With fewer than are cached,
        /// some are sent again and again.
        digest_count_max: usize,
    },
    /// All messages that are young enough, at once: rumours.
    Blind {
        /// For how many periods after its broadcast a message is sent: log₃ n and some more.
        rounds_max: u16,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            period: Span::secs(1),
            style: Style::Compare { digest_count_max: 256 },
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
    /// A payload.
    Gossip {
        /// Which message.
        id: MessageId,
        /// Hops of this copy, this one included.
        round: u16,
        /// Microseconds since the broadcast, without the time that copies travelled; at most 71 minutes.
        age_us: u32,
        /// What was broadcast.
        payload: Payload,
    },
    /// A blind call: what the caller has to say follows, and the other does likewise.
    Call,
    /// A call that compares: send me what I have not had.
    Compare {
        /// What the caller has had.
        digest: Digest,
    },
    /// The answer, if the caller has had something that the sender has not.
    Answer {
        /// What the sender has had.
        digest: Digest,
    },
}

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// The next call.
    Round,
}

impl Protocol for PushPull {
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
            Msg::Gossip { id, round, age_us, payload } => {
                if !self.seen.insert(id, seen_count_max(cx.config())) {
                    cx.emit(Event::Redundant { id });
                    return;
                }
                let at = cx.now() - Span::micros(u64::from(age_us));
                self.deliver(cx, Stored { id, payload, at, from, hops: round });
            }
            Msg::Call => self.tell_young(cx, from),
            Msg::Compare { digest } => {
                if let Style::Compare { digest_count_max } = cx.config().style
                    && self.seen.lacks_any_of(&digest)
                {
                    let answer = Msg::Answer { digest: self.seen.digest(digest_count_max) };
                    cx.send_by(cx.config().channel, from, answer);
                }
                self.tell_lacking(cx, from, &digest);
            }
            Msg::Answer { digest } => self.tell_lacking(cx, from, &digest),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Timer::Round: Timer) {
        let Config { period, style, channel, .. } = *cx.config();
        cx.arm(Timer::Round, period);
        self.peers.sample(cx, 1, None, |cx, peer| match style {
            Style::Compare { digest_count_max } => {
                cx.send_by(channel, peer, Msg::Compare { digest: self.seen.digest(digest_count_max) });
            }
            Style::Blind { .. } => {
                cx.send_by(channel, peer, Msg::Call);
                self.tell_young(cx, peer);
            }
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

impl Broadcast for PushPull {
    fn on_change(&mut self, _: &mut Cx<'_, Self>, change: Change) {
        self.peers.apply(change);
    }
}

impl PushPull {
    fn deliver(&mut self, cx: &mut Cx<'_, Self>, message: Stored) {
        let Config { cache_count_max, cache_span, .. } = *cx.config();
        let Stored { id, hops, .. } = message;
        cx.emit(Event::Delivered { id, hops, payload: message.payload.clone() });
        self.store.expire(cx.now(), cache_span);
        self.store.insert(message, cache_count_max, cache_span);
    }

    /// Karp 2000: who talks to each other sends all rumours that are not too old.
    fn tell_young(&self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        let Style::Blind { rounds_max } = cx.config().style else { return };
        let (now, most) = (cx.now(), cx.config().reply_count_max);
        let young = cx.config().period.times(u64::from(rounds_max));
        let kept = self.store.newest(usize::MAX).iter();
        for stored in kept.filter(|stored| now.since(stored.at) < young).take(most) {
            tell(cx, peer, stored);
        }
    }

    /// Sends what is kept and not in the digest.
    fn tell_lacking(&self, cx: &mut Cx<'_, Self>, peer: ProcessId, digest: &Digest) {
        let (now, span, most) = (cx.now(), cx.config().cache_span, cx.config().reply_count_max);
        let kept = self.store.newest(usize::MAX).iter().filter(|stored| now.since(stored.at) <= span);
        for stored in kept.filter(|stored| !digest.contains(stored.id)).take(most) {
            tell(cx, peer, stored);
        }
    }
}

fn tell(cx: &mut Cx<'_, PushPull>, peer: ProcessId, stored: &Stored) {
    let age_us = u32::try_from(cx.now().since(stored.at).0 / 1_000).unwrap_or(u32::MAX);
    let (id, round, payload) = (stored.id, stored.hops.saturating_add(1), stored.payload.clone());
    cx.send_by(cx.config().channel, peer, Msg::Gossip { id, round, age_us, payload });
}

/// What is cached must be known, or a process would take it for new.
fn seen_count_max(config: &Config) -> usize {
    config.seen_count_max.max(config.cache_count_max)
}

// Simulated events hold a message inline.
const _: () = assert!(size_of::<Msg>() <= 40);
