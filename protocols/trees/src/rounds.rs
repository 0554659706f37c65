//! Rounds: any protocol without timers, run as the synchronous model has it.
//!
//! Lynch, *Distributed Algorithms*, 1996, ch. 2 and 16: in each round every process sends, then receives all that was sent to
//! it in this round. Here: what arrives in a round waits until it ends, and is handled in the order of the senders; what
//! that causes leaves together, in the next round. [`Pace`] says how a process knows that a round has ended.
//!
//! **Properties**: after k rounds a process has heard of everything within k hops, and of nothing else; a run is decided by
//! the protocol alone, whatever the latencies.

use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Span, Upcalls};
use serde::{Deserialize, Serialize};

use crate::below::{Reactive, pass_up, run};

/// One process, whose child acts in rounds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rounds<P: Reactive> {
    child: P,
    /// What was asked since the last round.
    ops: Vec<(OpId, P::Op)>,
    /// What came since the last round, in order of arrival. With [`Pace::Synchronizer`] the first message of each sender
    /// belongs to this round, its second to the next, and so on.
    inbox: Vec<(ProcessId, Msg<P::Msg>)>,
    /// Rounds that are left; none before the first. For [`Pace::Synchronizer`].
    left: Option<u32>,
}

/// How a process knows that a round has ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Pace {
    /// By its clock: rounds are this long, and begin at the multiples of it. Clocks must agree and every message must
    /// arrive within its round; else processes act in the wrong round. A round in which nothing arrives costs nothing.
    Clock(Span),
    /// By the messages themselves (Awerbuch, J. ACM 32(4), 1985, as the simple synchronizer of Lynch 1996, sec. 16.2): in
    /// every round every process sends a message to every neighbour, an empty one if need be, and a round ends when there
    /// is one from each. Right for any latencies; channels must be reliable and FIFO. No round is numbered: the order of
    /// messages says which is which. Whoever is asked something wakes all others.
    Synchronizer {
        /// After so many rounds everybody stops; at least as many as the protocol needs, since nobody knows when all others
        /// are done.
        rounds: u32,
    },
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Debug)]
pub struct Config<C> {
    /// Who can send to whom.
    pub graph: Arc<Graph>,
    /// Who can be heard: the same graph, its arcs turned round.
    reversed: Arc<Graph>,
    /// The child's.
    pub child: C,
    /// How rounds end.
    pub pace: Pace,
    /// Whether all that goes over an edge in one round is one message, as the synchronous model has it.
    pub bundle: bool,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Mistakes made on purpose, with [`Pace::Synchronizer`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mistake {
    /// A round ends when one neighbour was heard.
    HearsOne,
    /// What came early for the next round is lost.
    LosesEarly,
}

impl<C> Config<C> {
    /// Rounds for the processes of this graph; messages over one edge in one round are one if `bundle` says so.
    pub fn new(graph: impl Into<Arc<Graph>>, child: C, pace: Pace, bundle: bool) -> Self {
        let graph = graph.into();
        let directed = graph.is_directed();
        let reversed = if directed { Arc::new(graph.reversed()) } else { Arc::clone(&graph) };
        Self { graph, reversed, child, pace, bundle, mistake: None }
    }
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg<M> {
    /// Nothing in this round.
    Null,
    /// One message.
    One(M),
    /// Several, in order.
    Many(Vec<M>),
}

/// The round is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Tick;

impl<P: Reactive> Protocol for Rounds<P> {
    type Config = Config<P::Config>;
    type Msg = Msg<P::Msg>;
    type Timer = Tick;
    type Op = P::Op;
    type Reply = P::Reply;
    type Record = Never;
    type Event = P::Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let (child, sends, upcalls) = run(cx, &cx.config().child, |cx| P::start(cx, &[]));
        assert!(sends.is_empty(), "a protocol in rounds says nothing before it is asked");
        pass_up::<_, P>(cx, upcalls);
        Self { child, ops: Vec::new(), inbox: Vec::new(), left: None }
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Self::Msg) {
        if self.left == Some(0) {
            return;
        }
        self.inbox.push((from, msg));
        self.advance(cx);
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, _: Tick) {
        let inbox = std::mem::take(&mut self.inbox);
        self.round(cx, inbox);
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Self::Op) {
        self.ops.push((id, op));
        self.advance(cx);
    }
}

impl<P: Reactive> Rounds<P> {
    /// The protocol that runs inside.
    pub fn child(&self) -> &P {
        &self.child
    }

    /// Something came: ends the rounds that can end now.
    fn advance(&mut self, cx: &mut Cx<'_, Self>) {
        match cx.config().pace {
            Pace::Clock(length) => {
                let length = length.0.max(1);
                cx.arm(Tick, Span(length - cx.now().0 % length));
            }
            Pace::Synchronizer { rounds } => {
                if self.left.is_none() {
                    self.left = Some(rounds);
                    self.round(cx, Vec::new());
                }
                while self.left.is_some_and(|left| left > 0)
                    && let Some(inbox) = self.heard_from_all(cx)
                {
                    self.round(cx, inbox);
                }
            }
        }
    }

    /// The first message of every neighbour that can be heard, once there is one of each.
    fn heard_from_all(&mut self, cx: &Cx<'_, Self>) -> Option<Vec<(ProcessId, Msg<P::Msg>)>> {
        let peers = cx.config().reversed.neighbors(cx.me());
        let first = |peer: &ProcessId| self.inbox.iter().position(|(from, _)| from == peer);
        let mistake = cx.config().mistake;
        let mut places = match mistake {
            Some(Mistake::HearsOne) => peers.iter().filter_map(first).collect(),
            _ => peers.iter().map(first).collect::<Option<Vec<usize>>>()?,
        };
        if places.is_empty() {
            return None;
        }
        places.sort_unstable();
        let heard = places.into_iter().rev().map(|place| self.inbox.remove(place)).collect();
        if mistake == Some(Mistake::LosesEarly) {
            self.inbox.clear();
        }
        Some(heard)
    }

    /// One round: all that was asked and all that came, then all that is sent.
    fn round(&mut self, cx: &mut Cx<'_, Self>, mut inbox: Vec<(ProcessId, Msg<P::Msg>)>) {
        inbox.sort_by_key(|(from, _)| *from);
        let config = &cx.config().child;
        let (mut sends, ops) = (Vec::new(), std::mem::take(&mut self.ops));
        for (id, op) in ops {
            let ((), sent, upcalls) = run(cx, config, |cx| self.child.on_op(cx, id, op));
            sends.extend(sent);
            pass_up::<_, P>(cx, upcalls);
        }
        for (from, msg) in inbox {
            let all = match msg {
                Msg::Null => Vec::new(),
                Msg::One(msg) => vec![msg],
                Msg::Many(all) => all,
            };
            for msg in all {
                let ((), sent, upcalls): (_, _, Upcalls<P>) =
                    run(cx, config, |cx| self.child.on_message(cx, from, msg));
                sends.extend(sent);
                pass_up::<_, P>(cx, upcalls);
            }
        }
        self.send(cx, sends);
    }

    /// Sends what the child sent in one round.
    fn send(&mut self, cx: &mut Cx<'_, Self>, mut sends: Vec<(ProcessId, P::Msg)>) {
        let config = cx.config();
        let bundle = config.bundle || self.left.is_some();
        if !bundle {
            return sends.into_iter().for_each(|(to, msg)| cx.send(to, Msg::One(msg)));
        }
        sends.sort_by_key(|(to, _)| *to);
        let mut silent = config.graph.neighbors(cx.me()).iter().peekable();
        let mut rest = sends.into_iter().peekable();
        while let Some((to, first)) = rest.next() {
            let more: Vec<P::Msg> =
                std::iter::from_fn(|| rest.next_if(|(next, _)| *next == to)).map(|(_, msg)| msg).collect();
            while let Some(&peer) = silent.next_if(|peer| **peer <= to) {
                if peer < to && self.left.is_some() {
                    cx.send(peer, Msg::Null);
                }
            }
            let msg = if more.is_empty() {
                Msg::One(first)
            } else {
                Msg::Many(std::iter::once(first).chain(more).collect())
            };
            cx.send(to, msg);
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
            if *left == 0 {
                // Nobody is going to look at what came early.
                self.inbox.clear();
            }
            silent.for_each(|peer| cx.send(*peer, Msg::Null));
        }
    }
}
