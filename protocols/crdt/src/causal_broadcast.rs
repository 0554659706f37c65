//! Causal delivery for the operation-based form: each effect once at each replica, after those that its replica had performed.
//!
//! Birman, Schiper, Stephenson, "Lightweight causal and atomic group multicast", ACM TOCS 9 (3), 1991, sec. 5; Shapiro, Preguiça, Baquero,
//! Zawirski, SSS 2011, for what replicated types need of it.
//!
//! **Model**: asynchronous; crashes with the disk kept; datagrams that may be lost, doubled and overtaken. **Properties**:
//! [`converged`]; an effect is performed once; causes come first. **Cost** for n replicas without loss: n - 1 updates and n - 1
//! acknowledgements for an operation; an update carries a version vector of those who have ever acted.
//!
//! # Departures from the papers
//! - Updates are sent again until they are acknowledged, instead of by a transport that does so; a replica sends its own only.
//! - A vector counts what was delivered, by replicas that act; those that only read have no entry.

use std::collections::{BTreeMap, VecDeque};

use isles_causality::{Actor, Dot, VersionVector};
use isles_kernel::{Channel, Cx, Data, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::canonical::Wire;
use crate::replica::{Op, Reply, actor};
use crate::replicated::Replicated;

/// One replica of `R`, with its clients.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CausalBroadcast<R: Replicated> {
    state: R,
    /// How many effects of each replica were performed here.
    delivered: VersionVector,
    /// Updates whose causes are not there. Invariant: none is delivered.
    pending: BTreeMap<Dot, Update<R>>,
    /// This replica's own updates that somebody may not have. Invariant: the last is the newest.
    own: VecDeque<Update<R>>,
    /// How many of this replica's updates each process has delivered.
    acked: Vec<u64>,
}

/// Parameters that all replicas share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many replicas there are, `0..replicas`.
    pub replicas: u32,
    /// After which time what was not acknowledged is sent again. Default 100 ms, a guess: more than a round trip.
    pub resend: Span,
    /// At most so many updates are sent again to one replica at a time, the oldest first. Default 64, a guess.
    pub resend_count_max: usize,
    /// At most so many updates wait for their causes; others are dropped, and come again. Default 1024, a guess.
    pub pending_count_max: usize,
    /// How messages travel. Default datagrams.
    pub channel: Channel,
    /// A control for tests. Default none.
    pub mistake: Option<Mistake>,
}

impl Config {
    /// The defaults for `replicas` replicas.
    pub const fn new(replicas: u32) -> Self {
        Self {
            replicas,
            resend: Span::millis(100),
            resend_count_max: 64,
            pending_count_max: 1_024,
            channel: Channel::Datagram,
            mistake: None,
        }
    }
}

/// What is left out in a control.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// An update that comes again is performed again.
    Duplicates,
    /// Updates are performed in the order in which they come.
    Unordered,
}

/// An effect on its way.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Update<R: Replicated> {
    /// The how-many-th of its replica, from 1 on.
    pub number: u64,
    /// What its replica had performed before.
    pub seen: VersionVector,
    /// What it does.
    pub effect: Wire<R::Effect>,
}

/// What replicas send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Msg<R: Replicated> {
    /// The sender did something.
    Update(Update<R>),
    /// The sender has performed so many of the receiver's effects.
    Ack {
        /// How many.
        count: u64,
    },
}

/// What happened at a replica.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// An effect was performed.
    Performed(Dot),
    /// An update came that was there.
    Redundant(Dot),
    /// A message was dropped that no replica of this group sends.
    Rejected {
        /// Who sent it.
        from: ProcessId,
    },
}

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// To send again what was not acknowledged.
    Resend,
}

/// An effect that was performed, as it is kept on disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Record<R: Replicated> {
    /// Whose it is.
    pub by: Actor,
    /// What was performed.
    pub update: Update<R>,
}

/// Strong convergence: replicas that have performed the same effects have the same state.
///
/// # Errors
/// Two replicas for which this does not hold.
pub fn converged<'p, R: Replicated>(
    replicas: impl Iterator<Item = (ProcessId, &'p CausalBroadcast<R>)>,
) -> Result<(), (ProcessId, ProcessId)> {
    let replicas: Vec<_> = replicas.collect();
    for (index, (one, a)) in replicas.iter().copied().enumerate() {
        for (other, b) in replicas[index + 1..].iter().copied() {
            if a.delivered == b.delivered && a.state != b.state {
                return Err((one, other));
            }
        }
    }
    Ok(())
}

impl<R: Replicated<Op: Data>> Protocol for CausalBroadcast<R> {
    type Config = Config;
    type Msg = Msg<R>;
    type Timer = Timer;
    type Op = Op<R::Op>;
    type Reply = Reply<R>;
    type Record = Record<R>;
    type Event = Event;

    fn start(cx: &mut Cx<'_, Self>, log: &[Record<R>]) -> Self {
        let mut replica = Self {
            state: R::default(),
            delivered: VersionVector::new(),
            pending: BTreeMap::new(),
            own: VecDeque::new(),
            acked: vec![0; cx.config().replicas as usize],
        };
        for Record { by, update } in log {
            replica.state.perform(*by, &update.effect.0);
            replica.delivered.raise(Dot::new(*by, update.number));
            if *by == actor(cx.me()) {
                replica.own.push_back(update.clone());
            }
        }
        replica.arm(cx);
        replica
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Op<R::Op>) {
        let op = match op {
            Op::Do(op) => op,
            Op::Read => return cx.reply(id, Reply::Value(Wire::from(self.state.clone()))),
        };
        let by = actor(cx.me());
        let Some(effect) = self.state.prepare(by, op) else { return cx.reply(id, Reply::Done(false)) };
        let number = self.delivered.get(by) + 1;
        let update = Update { number, seen: self.delivered.clone(), effect: Wire::from(effect) };
        self.perform(cx, by, update.clone());
        self.own.push_back(update.clone());
        cx.reply(id, Reply::Done(true));
        for peer in peers(cx) {
            cx.send_by(cx.config().channel, peer, Msg::Update(update.clone()));
        }
        self.arm(cx);
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg<R>) {
        if from.0 >= cx.config().replicas || from == cx.me() {
            return cx.emit(Event::Rejected { from });
        }
        match msg {
            Msg::Update(update) => self.on_update(cx, from, update),
            Msg::Ack { count } => self.on_ack(cx, from, count),
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, Timer::Resend: Timer) {
        for peer in peers(cx) {
            let acked = self.acked[peer.index()];
            let open = self.own.iter().filter(|update| update.number > acked);
            for update in open.take(cx.config().resend_count_max) {
                cx.send_by(cx.config().channel, peer, Msg::Update(update.clone()));
            }
        }
        self.arm(cx);
    }
}

fn peers<P: Protocol<Config = Config>>(cx: &Cx<'_, P>) -> impl Iterator<Item = ProcessId> + use<P> {
    let me = cx.me();
    (0..cx.config().replicas).map(ProcessId).filter(move |peer| *peer != me)
}

impl<R: Replicated<Op: Data>> CausalBroadcast<R> {
    /// The value.
    pub const fn state(&self) -> &R {
        &self.state
    }

    /// How many effects of each replica were performed here.
    pub const fn delivered(&self) -> &VersionVector {
        &self.delivered
    }

    /// Whether every replica is known to have all of this one's updates.
    pub fn is_acknowledged(&self) -> bool {
        self.own.is_empty()
    }

    fn on_update(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, update: Update<R>) {
        let by = actor(from);
        let known = self.delivered.get(by);
        let mistake = cx.config().mistake;
        if update.number == 0 || update.seen.get(by) >= update.number {
            return cx.emit(Event::Rejected { from });
        }
        if update.number <= known {
            cx.emit(Event::Redundant(Dot::new(by, update.number)));
            if mistake == Some(Mistake::Duplicates) {
                self.state.perform(by, &update.effect.0);
            }
        } else if mistake == Some(Mistake::Unordered) {
            self.perform(cx, by, update);
        } else {
            let dot = Dot::new(by, update.number);
            if self.pending.contains_key(&dot) {
                cx.emit(Event::Redundant(dot));
            } else if self.pending.len() < cx.config().pending_count_max || update.number == known + 1 {
                // The next one of a replica is taken even if there is no room, or nobody might go on.
                self.pending.insert(dot, update);
                self.perform_pending(cx);
            }
        }
        let count = self.delivered.get(by);
        cx.send_by(cx.config().channel, from, Msg::Ack { count });
    }

    /// Performs what waits for nothing. Birman 1991, sec. 5.1: the next one of its replica, and all that it had seen is here.
    fn perform_pending(&mut self, cx: &mut Cx<'_, Self>) {
        let is_ready = |delivered: &VersionVector, (dot, update): (&Dot, &Update<R>)| {
            (update.number == delivered.get(dot.actor) + 1 && delivered.includes(&update.seen))
                .then_some(*dot)
        };
        while let Some(dot) = self.pending.iter().find_map(|entry| is_ready(&self.delivered, entry)) {
            if let Some(update) = self.pending.remove(&dot) {
                self.perform(cx, dot.actor, update);
            }
        }
    }

    fn perform(&mut self, cx: &mut Cx<'_, Self>, by: Actor, update: Update<R>) {
        let dot = Dot::new(by, update.number);
        self.state.perform(by, &update.effect.0);
        self.delivered.raise(dot);
        cx.persist(Record { by, update });
        cx.emit(Event::Performed(dot));
    }

    fn on_ack(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, count: u64) {
        let me = actor(cx.me());
        if count > self.delivered.get(me) {
            return cx.emit(Event::Rejected { from });
        }
        let acked = &mut self.acked[from.index()];
        *acked = (*acked).max(count);
        let all = peers(cx).map(|peer| self.acked[peer.index()]).min().unwrap_or(u64::MAX);
        while self.own.front().is_some_and(|update| update.number <= all) {
            self.own.pop_front();
        }
        if self.own.is_empty() {
            cx.disarm(Timer::Resend);
        }
    }

    fn arm(&self, cx: &mut Cx<'_, Self>) {
        if !self.own.is_empty() && cx.config().replicas > 1 {
            cx.arm(Timer::Resend, cx.config().resend);
        }
    }
}
