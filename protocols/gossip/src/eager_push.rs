//! Eager push: payloads go to a few peers chosen at random.
//!
//! Demers et al.: *Epidemic algorithms for replicated database maintenance*, PODC 1987, sec. 1.4 (rumour
//! mongering), <https://doi.org/10.1145/41840.41841>; Eugster, Guerraoui, Kermarrec, Massoulié: *Epidemic information
//! dissemination in distributed systems*, IEEE Computer 37(5), 2004, <https://doi.org/10.1109/MC.2004.1297243> (the
//! names of the two styles, and the figures).
//!
//! **Model**: asynchronous; any crashes; datagrams that may be lost. **Property**, of chance only: with fan-out
//! ln n + c each, everybody among n processes is reached with probability e^(−e^(−c)) (Erdős and Rényi). **Cost**:
//! fan-out times n payloads per broadcast and round.
//!
//! # Departures from the papers
//! - Peers are never the one from whom the first copy came: that copy would be wasted for certain. Over a list
//!   of 5 neighbours, a fan-out of 4 is thus flooding, as in the measurements of HyParView's paper.
//! - The feedback rules of Demers et al., by which interest is lost upon meeting those who know, are not here.

use isles_kernel::{Channel, Cx, Never, OpId, Payload, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::broadcast::{Broadcast, Event, MessageId};
use crate::peers::{Change, Peers};
use crate::seen::Seen;
use crate::store::push_by;

/// One process that pushes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EagerPush {
    peers: Peers,
    seen: Seen,
    /// What is still forwarded, oldest first. Invariant: [`Timer::Round`] is armed if and only if it is not empty.
    hot: Vec<Hot>,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// To how many peers a message goes at a time. Default 10: ln n + 0.8 for 10 000 processes.
    pub fanout: usize,
    /// How often a process forwards a message. Default [`Style::Die`].
    pub style: Style,
    /// How many messages are remembered at least, so that a late copy is not forwarded again; see [`Seen`]. Default
    /// 256, a guess: at most 4 kB.
    pub seen_count_max: usize,
    /// How messages travel. Default datagrams: gossip bears their loss.
    pub channel: Channel,
}

/// How often a process forwards a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Style {
    /// Infect and die: once, upon the first copy.
    Die,
    /// Infect for ever: upon the first copy, and again in each period.
    Forever {
        /// From one round to the next.
        period: Span,
        /// So many rounds in all, the first included; none: until [`hot_count_max`](Style::Forever::hot_count_max)
        /// newer messages came, so perhaps for ever.
        rounds_max: Option<u32>,
        /// No more messages are forwarded at a time; the oldest ends.
        hot_count_max: usize,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self { fanout: 10, style: Style::Die, seen_count_max: 256, channel: Channel::Datagram }
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

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// What is hot is forwarded again.
    Round,
}

/// A message that is still forwarded.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Hot {
    id: MessageId,
    payload: Payload,
    /// Hops of the copies that are sent.
    round: u16,
    from: ProcessId,
    /// Rounds so far. Invariant: fewer than `rounds_max`.
    rounds: u32,
}

impl Protocol for EagerPush {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Payload;
    type Reply = MessageId;
    type Record = Never;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self { peers: Peers::default(), seen: Seen::starting(cx.now()), hot: Vec::new() }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        let Msg::Gossip { id, round, payload } = msg;
        if self.seen.insert(id, cx.config().seen_count_max) {
            self.deliver(cx, from, id, round, payload);
        } else {
            cx.emit(Event::Redundant { id });
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Timer::Round: Timer) {
        let Style::Forever { period, rounds_max, .. } = cx.config().style else { return };
        for hot in &mut self.hot {
            forward(&self.peers, cx, hot);
            hot.rounds = hot.rounds.saturating_add(1);
        }
        self.hot.retain(|hot| rounds_max.is_none_or(|most| hot.rounds < most));
        if !self.hot.is_empty() {
            cx.arm(Timer::Round, period);
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, op: OpId, payload: Payload) {
        let me = cx.me();
        let id = self.seen.name(me);
        self.seen.insert(id, cx.config().seen_count_max);
        cx.reply(op, id);
        self.deliver(cx, me, id, 0, payload);
    }
}

impl Broadcast for EagerPush {
    fn on_change(&mut self, _: &mut Cx<'_, Self>, change: Change) {
        self.peers.apply(change);
    }
}

impl EagerPush {
    fn deliver(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        id: MessageId,
        hops: u16,
        payload: Payload,
    ) {
        cx.emit(Event::Delivered { id, hops, payload: payload.clone() });
        let hot = Hot { id, payload, round: hops.saturating_add(1), from, rounds: 1 };
        forward(&self.peers, cx, &hot);
        let Style::Forever { period, rounds_max, hot_count_max } = cx.config().style else { return };
        if hot_count_max == 0 || rounds_max.is_some_and(|most| most <= 1) {
            return;
        }
        if self.hot.is_empty() {
            cx.arm(Timer::Round, period);
        }
        if self.hot.len() >= hot_count_max {
            self.hot.drain(..=self.hot.len() - hot_count_max);
        }
        push_by(&mut self.hot, 1, hot);
    }
}

fn forward(peers: &Peers, cx: &mut Cx<'_, EagerPush>, hot: &Hot) {
    let (fanout, channel) = (cx.config().fanout, cx.config().channel);
    peers.sample(cx, fanout, Some(hot.from), |cx, peer| {
        cx.send_by(channel, peer, Msg::Gossip { id: hot.id, round: hot.round, payload: hot.payload.clone() });
    });
}

// Simulated events hold a message inline.
const _: () = assert!(size_of::<Msg>() <= 40);
