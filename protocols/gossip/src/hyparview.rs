//! HyParView: a small symmetric active view to gossip over, a larger passive view to repair it from.
//!
//! Leitão, Pereira, Rodrigues: *HyParView: a membership protocol for reliable gossip-based broadcast*, DSN 2007,
//! <https://doi.org/10.1109/DSN.2007.56>; technical report DI-FCUL 07-13.
//!
//! **Model**: asynchronous; crashes, up to most of the processes at once; streams, whose breaking is how crashes are
//! seen ([`Cx::watch`] for each neighbour).
//!
//! **Properties**, named, in quiescence: [`views_symmetric`](properties::views_symmetric),
//! [`overlay_connected`](properties::overlay_connected), and at all times [`views_sound`](properties::views_sound).
//!
//! | step | messages |
//! | --- | --- |
//! | join | 1 JOIN, up to [`walks`](Config::walks) walks of up to ARWL + 1 FORWARDJOINs, 2 for each link |
//! | repair of a link | 2 for each candidate that is asked |
//! | shuffle, each period | up to TTL SHUFFLEs and 1 SHUFFLEREPLY |
//!
//! | paper | here |
//! | --- | --- |
//! | active view, fanout + 1 | [`Config::active_max`] |
//! | passive view | [`Config::passive_max`] |
//! | ARWL, PRWL | [`Config::arwl`], [`Config::prwl`] |
//! | ka, kp | [`Config::shuffle_active`], [`Config::shuffle_passive`] |
//!
//! # Departures from the paper
//! - *Every NEIGHBOR is answered, also those that follow from a join*, and whoever is told that a link stands which it
//!   no longer has says DISCONNECT. Messages cross in an asynchronous network; without this, links remain that only one
//!   end has. For the same reason a SHUFFLE from a process that is no neighbour is answered with DISCONNECT.
//! - *A contact makes room for nobody.* In the paper it always takes the newcomer in and drops another; when thousands
//!   join through one contact at once, its view is torn apart thousands of times and the overlay becomes a chain of
//!   those that joined one after the other. Here a contact that is full only starts walks; they begin at its
//!   neighbours and at a uniform sample of those that joined through it before ([`Config::sample_max`]).
//! - *A walk ends at the first process that has room*; one that ends at a full process splits a link: the neighbour that
//!   is dropped is told who took its place, and asks that one first. The overlay stays connected through the
//!   newcomer. As each walk brings two links, [`Config::walks`] is about half of the active view.
//! - *Links are mixed for a while* after a join and after heavy losses ([`Config::mixing`]): in each of the next periods,
//!   which are a quarter as long, a process asks for a link to a random passive peer even though its view is full. It
//!   makes a random graph of what concurrent joins left, and opens islands that only know themselves.
//! - *Whoever has lost all neighbours and candidates joins again*, through its contact or one of the last neighbours that
//!   it had. The paper leaves it alone for ever.

mod config;
pub mod properties;

use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span};
use serde::{Deserialize, Serialize};

use crate::peers::Change;

pub use config::{Config, Contact, Mistake};

/// One process of HyParView.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HyParView {
    /// Invariant: at most `active_max`, all different, not this process, each watched.
    active: Vec<ProcessId>,
    /// Invariant: at most `passive_max`, all different, none active, not this process.
    passive: Vec<ProcessId>,
    /// The candidate that was asked for a link and has not answered. Invariant: [`Timer::Neighbor`] is armed for it.
    pending: Option<ProcessId>,
    /// Candidates that may still be asked before the next period.
    tries: u8,
    /// Periods in which links are still mixed.
    mixing: u8,
    /// Neighbours of the past, the latest first; no process for empty places.
    past: [ProcessId; 4],
    /// What went out with the last shuffle, to be given up first for what comes back.
    offered: Vec<ProcessId>,
    /// A uniform sample of those that joined through this process, and how many they were.
    sample: Vec<ProcessId>,
    joined: u32,
}

/// No process.
const NOBODY: ProcessId = ProcessId(u32::MAX);

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg {
    /// The sender wants to take part.
    Join,
    /// `newcomer` wants to take part; on a random walk of `ttl` more hops.
    ForwardJoin {
        /// Who joins.
        newcomer: ProcessId,
        /// Hops left.
        ttl: u8,
    },
    /// The sender wants a link, or already has it.
    Neighbor {
        /// High priority: it has no other neighbour, or a join made the link. It is not refused.
        high: bool,
    },
    /// The answer to a NEIGHBOR.
    NeighborReply {
        /// Whether the link stands.
        accepted: bool,
    },
    /// The sender has dropped the link.
    Disconnect {
        /// Who took the receiver's place.
        instead: Option<ProcessId>,
    },
    /// Processes that `origin` knows; on a random walk of `ttl` more hops.
    Shuffle {
        /// Who began it.
        origin: ProcessId,
        /// Hops left.
        ttl: u8,
        /// At most [`SHUFFLED_MAX`].
        peers: Box<[ProcessId]>,
    },
    /// Processes that the sender knows, in exchange.
    ShuffleReply {
        /// At most [`SHUFFLED_MAX`].
        peers: Box<[ProcessId]>,
    },
}

const _: () = assert!(size_of::<Msg>() <= 24, "messages are held in events: they must stay small");

/// A SHUFFLE that names more processes is cut to these.
pub const SHUFFLED_MAX: usize = 32;

/// What is due at some time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// The next period begins.
    Shuffle,
    /// This candidate has not answered.
    Neighbor(ProcessId),
    /// A newcomer has waited long enough for its first neighbour.
    Join,
}

/// What may be asked of a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Take part, through this contact.
    Join {
        /// A process that takes part.
        contact: ProcessId,
    },
    /// Leave all neighbours, and seek no more until the next join.
    Leave,
}

impl Protocol for HyParView {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Op = Op;
    type Reply = Never;
    type Record = Never;
    type Event = Change;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let mut process = Self {
            active: Vec::new(),
            passive: Vec::new(),
            pending: None,
            tries: 0,
            mixing: 0,
            past: [NOBODY; 4],
            offered: Vec::new(),
            sample: Vec::new(),
            joined: 0,
        };
        process.next_period(cx);
        process.join_again(cx);
        process
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Join => self.on_join(cx, from),
            Msg::ForwardJoin { newcomer, ttl } => self.on_forward_join(cx, from, newcomer, ttl),
            Msg::Neighbor { high } => self.on_neighbor(cx, from, high),
            Msg::NeighborReply { accepted } => self.on_neighbor_reply(cx, from, accepted),
            Msg::Disconnect { instead } => self.on_disconnect(cx, from, instead),
            Msg::Shuffle { origin, ttl, peers } => self.on_shuffle(cx, from, origin, ttl, &peers),
            Msg::ShuffleReply { peers } => {
                let offered = std::mem::take(&mut self.offered);
                self.integrate(cx, &peers, &offered);
            }
        }
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, timer: Timer) {
        match timer {
            Timer::Shuffle => self.on_period(cx),
            Timer::Neighbor(peer) => {
                if self.pending == Some(peer) {
                    self.pending = None;
                    self.repair(cx, None);
                }
            }
            Timer::Join => {
                if self.active.is_empty() && self.pending.is_none() {
                    self.join_again(cx);
                }
            }
        }
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, _: OpId, op: Op) {
        match op {
            Op::Join { contact } => self.join(cx, contact),
            Op::Leave => {
                for peer in std::mem::take(&mut self.active) {
                    cx.send(peer, Msg::Disconnect { instead: None });
                    cx.unwatch(peer);
                    cx.emit(Change::Down { peer });
                }
                self.passive.clear();
                self.past = [NOBODY; 4];
                self.pending = None;
                cx.disarm(Timer::Shuffle);
                cx.disarm(Timer::Join);
            }
        }
    }

    /// Section 4.3: a neighbour that crashed is replaced from the passive view.
    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        if cx.config().mistake == Some(Mistake::KeepsCrashed) {
            return;
        }
        self.passive.retain(|other| *other != peer);
        self.sample.retain(|other| *other != peer);
        if self.pending == Some(peer) {
            self.pending = None;
            cx.disarm(Timer::Neighbor(peer));
        }
        if self.drop_link(cx, peer) {
            self.tries = self.tries_max(cx);
            // Most were lost at once: what is left may be an island.
            if self.active.len() * 2 < cx.config().active_max {
                self.mixing = cx.config().mixing;
            }
        }
        self.repair(cx, None);
    }
}

impl HyParView {
    /// The neighbours.
    pub fn active(&self) -> &[ProcessId] {
        &self.active
    }

    /// The candidates.
    pub fn passive(&self) -> &[ProcessId] {
        &self.passive
    }

    /// Section 4.2: joining.
    fn join(&mut self, cx: &mut Cx<'_, Self>, contact: ProcessId) {
        if contact == cx.me() {
            return;
        }
        self.mixing = cx.config().mixing;
        self.tries = self.tries_max(cx);
        cx.send(contact, Msg::Join);
        let patience = cx.config().request_timeout;
        cx.arm(Timer::Join, patience);
        self.next_period(cx);
    }

    /// Joins through whoever may still be there.
    fn join_again(&mut self, cx: &mut Cx<'_, Self>) {
        let me = cx.me();
        let configured = match cx.config().contact {
            Contact::None => None,
            Contact::Process(contact) => Some(contact).filter(|contact| *contact != me),
            Contact::AnyBefore => (me.0 > 0).then(|| ProcessId(cx.choose(me.0))),
        };
        let known = self.past.iter().filter(|peer| **peer != NOBODY).count();
        let choice = cx.choose(known as u32 + 1) as usize;
        let contact = if choice < known { Some(self.past[choice]) } else { configured };
        if let Some(contact) = contact.or(configured) {
            self.join(cx, contact);
        }
    }

    fn on_join(&mut self, cx: &mut Cx<'_, Self>, newcomer: ProcessId) {
        let (walks, arwl) = (cx.config().walks, cx.config().arwl);
        // The newcomer may have forgotten a link that it had before it started again.
        self.drop_link(cx, newcomer);
        let mut starts: Vec<ProcessId> = self.active.iter().chain(&self.sample).copied().collect();
        starts.sort_unstable();
        starts.dedup();
        starts.retain(|start| *start != newcomer);
        for start in cx.sample(&mut starts, walks) {
            cx.send(*start, Msg::ForwardJoin { newcomer, ttl: arwl });
        }
        if self.active.len() < cx.config().active_max || starts.is_empty() {
            self.link(cx, newcomer);
        } else {
            self.remember(cx, newcomer, &[]);
        }
        self.sample_newcomer(cx, newcomer);
    }

    /// Keeps a uniform sample of all newcomers (Vitter's algorithm R, 1985).
    fn sample_newcomer(&mut self, cx: &mut Cx<'_, Self>, newcomer: ProcessId) {
        self.joined = self.joined.saturating_add(1);
        if self.sample.contains(&newcomer) {
            return;
        }
        if self.sample.len() < cx.config().sample_max {
            self.sample.push(newcomer);
            return;
        }
        let place = cx.choose(self.joined) as usize;
        if let Some(place) = self.sample.get_mut(place) {
            *place = newcomer;
        }
    }

    fn on_forward_join(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, newcomer: ProcessId, ttl: u8) {
        if newcomer == cx.me() {
            return;
        }
        let room = self.active.len() < cx.config().active_max;
        let known = self.active.contains(&newcomer);
        if !known && (ttl == 0 || room || self.active.len() <= 1) {
            self.link(cx, newcomer);
            return;
        }
        if ttl == cx.config().prwl {
            self.remember(cx, newcomer, &[]);
        }
        let mut next: Vec<ProcessId> =
            self.active.iter().copied().filter(|peer| *peer != from && *peer != newcomer).collect();
        if let Some(next) = cx.sample(&mut next, 1).first()
            && ttl > 0
        {
            cx.send(*next, Msg::ForwardJoin { newcomer, ttl: ttl - 1 });
        } else if !known {
            self.link(cx, newcomer);
        }
    }

    /// Takes `peer` in, for which another makes room, and tells it.
    fn link(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        if self.add_link(cx, peer) {
            cx.send(peer, Msg::Neighbor { high: true });
        }
    }

    fn on_neighbor(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, high: bool) {
        let accepted = high || self.active.len() < cx.config().active_max || self.active.contains(&from);
        if accepted {
            self.add_link(cx, from);
        } else {
            self.remember(cx, from, &[]);
        }
        cx.send(from, Msg::NeighborReply { accepted });
    }

    fn on_neighbor_reply(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, accepted: bool) {
        let asked = self.pending == Some(from);
        if asked {
            self.pending = None;
            cx.disarm(Timer::Neighbor(from));
        }
        let linked = self.active.contains(&from);
        match (accepted, linked) {
            (true, true) => {}
            (true, false) if asked => {
                self.add_link(cx, from);
            }
            // A link that this process has dropped meanwhile.
            (true, false) => cx.send(from, Msg::Disconnect { instead: None }),
            (false, true) => {
                self.drop_link(cx, from);
            }
            (false, false) => {}
        }
        self.repair(cx, None);
    }

    fn on_disconnect(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, instead: Option<ProcessId>) {
        if cx.config().mistake != Some(Mistake::IgnoresDisconnect) && self.drop_link(cx, from) {
            self.remember(cx, from, &[]);
            self.tries = self.tries_max(cx);
            // At once: who waits for the next period may meanwhile be alone, or in an island.
            self.repair(cx, instead);
        }
    }

    /// Section 4.3: asks a candidate for a link if there is room, `first` before all others.
    fn repair(&mut self, cx: &mut Cx<'_, Self>, first: Option<ProcessId>) {
        if self.pending.is_some() || self.tries == 0 || self.active.len() >= cx.config().active_max {
            return;
        }
        let me = cx.me();
        let first = first.filter(|peer| *peer != me && !self.active.contains(peer));
        let candidate = first.or_else(|| cx.pick(&self.passive).copied());
        match candidate {
            Some(candidate) => self.ask(cx, candidate, self.active.is_empty()),
            None if self.active.is_empty() => {
                // Later, not now: whoever would answer may need the time as well.
                let patience = cx.config().request_timeout;
                cx.arm(Timer::Join, patience);
            }
            None => {}
        }
    }

    fn ask(&mut self, cx: &mut Cx<'_, Self>, candidate: ProcessId, high: bool) {
        self.tries = self.tries.saturating_sub(1);
        self.pending = Some(candidate);
        cx.send(candidate, Msg::Neighbor { high });
        let patience = cx.config().request_timeout;
        cx.arm(Timer::Neighbor(candidate), patience);
    }

    fn tries_max(&self, cx: &Cx<'_, Self>) -> u8 {
        u8::try_from(cx.config().passive_max).unwrap_or(u8::MAX).max(1)
    }

    /// Adds a link; a random neighbour makes room if need be. False if it was there.
    fn add_link(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) -> bool {
        if self.active.contains(&peer) || peer == cx.me() {
            return false;
        }
        if self.active.len() >= cx.config().active_max
            && let Some(&victim) = cx.pick(&self.active)
        {
            self.drop_link(cx, victim);
            if cx.config().mistake != Some(Mistake::DropsSilently) {
                cx.send(victim, Msg::Disconnect { instead: Some(peer) });
            }
            self.remember(cx, victim, &[peer]);
        }
        if cx.config().mistake != Some(Mistake::StaysCandidate) {
            self.passive.retain(|other| *other != peer);
        }
        if self.active.is_empty() {
            self.active.reserve_exact(cx.config().active_max);
        }
        self.active.push(peer);
        cx.disarm(Timer::Join);
        cx.watch(peer);
        cx.emit(Change::Up { peer });
        true
    }

    /// Drops a link; false if there was none.
    fn drop_link(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) -> bool {
        let Some(index) = self.active.iter().position(|other| *other == peer) else { return false };
        self.active.remove(index);
        if !self.past.contains(&peer) {
            self.past.rotate_right(1);
            self.past[0] = peer;
        }
        cx.unwatch(peer);
        cx.emit(Change::Down { peer });
        true
    }

    /// Adds a candidate; one of `dispensable`, or a random one, makes room if need be.
    fn remember(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId, dispensable: &[ProcessId]) {
        if peer == cx.me() || self.active.contains(&peer) || self.passive.contains(&peer) {
            return;
        }
        if self.passive.len() >= cx.config().passive_max.max(1) {
            let index = self.passive.iter().position(|other| dispensable.contains(other));
            let index = index.unwrap_or_else(|| cx.choose(self.passive.len() as u32) as usize);
            self.passive.swap_remove(index);
        }
        self.passive.push(peer);
    }

    fn next_period(&mut self, cx: &mut Cx<'_, Self>) {
        // Spread over half a period, so that processes that started together do not shuffle together.
        let period = cx.config().shuffle_period.0 / if self.mixing > 0 { 4 } else { 1 };
        let wait = period - period / 4 + period / 2 / 1024 * u64::from(cx.choose(1024));
        cx.arm(Timer::Shuffle, Span(wait));
    }

    /// Section 4.4: the passive view is kept fresh by shuffles.
    fn on_period(&mut self, cx: &mut Cx<'_, Self>) {
        self.next_period(cx);
        self.tries = self.tries_max(cx);
        if self.active.is_empty() && self.passive.is_empty() {
            return self.join_again(cx);
        }
        self.repair(cx, None);
        if let Some(&to) = cx.pick(&self.active) {
            let (ka, kp) = (cx.config().shuffle_active, cx.config().shuffle_passive);
            let mut neighbors = self.active.clone();
            neighbors.retain(|peer| *peer != to);
            let mut offered = cx.sample(&mut neighbors, ka).to_vec();
            offered.extend_from_slice(cx.sample(&mut self.passive, kp));
            let peers = std::iter::once(cx.me()).chain(offered.iter().copied()).collect();
            self.offered = offered;
            let (origin, ttl) = (cx.me(), cx.config().shuffle_ttl);
            cx.send(to, Msg::Shuffle { origin, ttl, peers });
        }
        if self.mixing > 0 {
            self.mixing -= 1;
            if self.pending.is_none()
                && let Some(&candidate) = cx.pick(&self.passive)
            {
                self.ask(cx, candidate, true);
            }
        }
    }

    fn on_shuffle(
        &mut self,
        cx: &mut Cx<'_, Self>,
        from: ProcessId,
        origin: ProcessId,
        ttl: u8,
        peers: &[ProcessId],
    ) {
        let peers = &peers[..peers.len().min(SHUFFLED_MAX)];
        if !self.active.contains(&from) {
            // It takes this process for its neighbour.
            cx.send(from, Msg::Disconnect { instead: None });
        }
        if ttl > 1 && self.active.len() > 1 {
            let mut next: Vec<ProcessId> =
                self.active.iter().copied().filter(|peer| *peer != from && *peer != origin).collect();
            if let Some(next) = cx.sample(&mut next, 1).first() {
                cx.send(*next, Msg::Shuffle { origin, ttl: ttl - 1, peers: peers.into() });
                return;
            }
        }
        if origin == cx.me() {
            return;
        }
        let given = cx.sample(&mut self.passive, peers.len()).to_vec();
        cx.send(origin, Msg::ShuffleReply { peers: given.as_slice().into() });
        self.integrate(cx, peers, &given);
    }

    fn integrate(&mut self, cx: &mut Cx<'_, Self>, peers: &[ProcessId], dispensable: &[ProcessId]) {
        for peer in peers.iter().take(SHUFFLED_MAX) {
            self.remember(cx, *peer, dispensable);
        }
        self.repair(cx, None);
    }
}
