//! Messages to processes that one cannot send to: flooded, one search for each.
//!
//! Lynch, *Distributed Algorithms*, 1996, sec. 4.2: where a graph is directed, the answer to a search may have no edge to go back
//! over; it is then carried by a further breadth-first search from whoever answers.
//!
//! **Model**: strongly connected; reliable FIFO channels. **Property**: what one process sends to another arrives once,
//! and in order if it is all flooded. **Cost**: one message over every edge for each that is flooded. In
//! [`Rounds`](crate::Rounds), messages over one edge in one round can travel together: O(diam · E) in all, as in the book.
//! **Departure**: the flood is not a tree that is kept, since it is used once.

use std::sync::Arc;

use isles_graph::Graph;
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol, Upcalls};
use serde::{Deserialize, Serialize};

use crate::below::{Reactive, Sends, pass_up, run};

/// One process, whose child may send to anybody.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Routed<P: Reactive> {
    child: P,
    /// How many messages this process has flooded.
    flooded: u32,
    /// By origin, ascending: how many of its floods came by. Invariant: over FIFO channels they come in order.
    heard: Vec<(ProcessId, u32)>,
}

/// Parameters that all processes share.
#[derive(Clone, PartialEq, Debug)]
pub struct Config<C> {
    /// Who can send to whom.
    pub graph: Arc<Graph>,
    /// The child's.
    pub child: C,
    /// Whether messages find another way where there is no edge; false loses them: the control of experiments.
    pub route: bool,
}

/// What processes send each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Msg<M> {
    /// Over an edge that there is.
    Direct(M),
    /// To everybody, until it finds its receiver.
    Flood {
        /// From whom.
        origin: ProcessId,
        /// Counts the origin's floods, from 0.
        number: u32,
        /// To whom.
        to: ProcessId,
        /// What.
        msg: M,
    },
}

impl<P: Reactive> Protocol for Routed<P> {
    type Config = Config<P::Config>;
    type Msg = Msg<P::Msg>;
    type Timer = Never;
    type Op = P::Op;
    type Reply = P::Reply;
    type Record = Never;
    type Event = P::Event;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        let (child, sends, upcalls) = run(cx, &cx.config().child, |cx| P::start(cx, &[]));
        let mut routed = Self { child, flooded: 0, heard: Vec::new() };
        routed.act(cx, sends, upcalls);
        routed
    }

    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Self::Msg) {
        match msg {
            Msg::Direct(msg) => self.step(cx, |child, cx| child.on_message(cx, from, msg)),
            Msg::Flood { origin, number, to, msg } => {
                if origin == cx.me() || !self.is_new(origin, number) {
                    return;
                }
                if to == cx.me() {
                    self.step(cx, |child, cx| child.on_message(cx, origin, msg.clone()));
                }
                // The receiver sends it on, too: all learn that this flood is over, so that the next one is in order.
                flood(cx, Msg::Flood { origin, number, to, msg });
            }
        }
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: Self::Op) {
        self.step(cx, |child, cx| child.on_op(cx, id, op));
    }
}

impl<P: Reactive> Routed<P> {
    /// The protocol that runs inside.
    pub fn child(&self) -> &P {
        &self.child
    }

    fn step(&mut self, cx: &mut Cx<'_, Self>, step: impl FnOnce(&mut P, &mut Cx<'_, P>)) {
        let ((), sends, upcalls) = run(cx, &cx.config().child, |cx| step(&mut self.child, cx));
        self.act(cx, sends, upcalls);
    }

    fn act(&mut self, cx: &mut Cx<'_, Self>, sends: Sends<P>, upcalls: Upcalls<P>) {
        let me = cx.me();
        for (to, msg) in sends {
            if cx.config().graph.has_edge(me, to) {
                cx.send(to, Msg::Direct(msg));
            } else if cx.config().route {
                flood(cx, Msg::Flood { origin: me, number: self.flooded, to, msg });
                self.flooded += 1;
            }
        }
        pass_up(cx, upcalls);
    }

    /// Whether this flood comes by for the first time.
    fn is_new(&mut self, origin: ProcessId, number: u32) -> bool {
        match self.heard.binary_search_by_key(&origin, |heard| heard.0) {
            Ok(index) if self.heard[index].1 == number => {
                self.heard[index].1 += 1;
                true
            }
            Err(index) if number == 0 => {
                self.heard.insert(index, (origin, 1));
                true
            }
            Ok(_) | Err(_) => false,
        }
    }
}

fn flood<P: Reactive>(cx: &mut Cx<'_, Routed<P>>, msg: Msg<P::Msg>) {
    let me = cx.me();
    for &peer in cx.config().graph.neighbors(me) {
        cx.send(peer, msg.clone());
    }
}
