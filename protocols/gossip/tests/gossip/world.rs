//! What the simulations share: overlays that never change by themselves, and who received what.

use std::collections::{BTreeMap, BTreeSet};

use isles_gossip::broadcast::Event;
use isles_gossip::node::{self, Layer};
use isles_gossip::{Broadcast, Change, Membership, MessageId, Node};
use isles_graph::Graph;
use isles_kernel::{Cx, Never, OpId, Payload, ProcessId, Protocol, Span, Time, random};
use isles_sim::{Distribution, Links, Observer, Setup, Simulation};
use serde::{Deserialize, Serialize};

/// The neighbours of a graph, until the stream to one breaks; nothing is repaired.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Fixed;

/// Watching begins when all processes have started.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Watch;

impl Protocol for Fixed {
    type Config = Graph;
    type Msg = Never;
    type Timer = Watch;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Change;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        cx.arm(Watch, Span::millis(1));
        for &peer in cx.config().neighbors(cx.me()).to_vec().iter() {
            cx.emit(Change::Up { peer });
        }
        Self
    }

    fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
        match msg {}
    }

    fn on_timer(&mut self, cx: &mut Cx<'_, Self>, _: Watch) {
        for &peer in cx.config().neighbors(cx.me()).to_vec().iter() {
            cx.watch(peer);
        }
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }

    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        if cx.config().neighbors(cx.me()).contains(&peer) {
            cx.emit(Change::Down { peer });
        }
    }
}

/// Everybody knows everybody.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Crowd;

impl Protocol for Crowd {
    type Config = u32;
    type Msg = Never;
    type Timer = Never;
    type Op = Never;
    type Reply = Never;
    type Record = Never;
    type Event = Change;

    fn start(cx: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        cx.emit(Change::Everyone { count: *cx.config() });
        Self
    }

    fn on_message(&mut self, _: &mut Cx<'_, Self>, _: ProcessId, msg: Never) {
        match msg {}
    }

    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }

    fn on_op(&mut self, _: &mut Cx<'_, Self>, _: OpId, op: Never) {
        match op {}
    }
}

/// A connected graph: a ring, and random edges up to the mean `degree`.
pub(crate) fn random_graph(nodes: u32, degree: u32, seed: u64) -> Graph {
    let mut stream = random::Stream::new(seed, &[1]);
    let mut edges: Vec<(u32, u32)> = (0..nodes).map(|node| (node, (node + 1) % nodes)).collect();
    edges.extend((0..nodes * (degree - 2) / 2).map(|_| (stream.below(nodes), stream.below(nodes))));
    Graph::from_edges(nodes, &edges)
}

/// Who received what.
#[derive(Clone, Default)]
pub(crate) struct Receipts {
    pub(crate) by_message: BTreeMap<MessageId, BTreeSet<ProcessId>>,
    pub(crate) hops_max: BTreeMap<MessageId, u16>,
    pub(crate) redundant: u64,
    /// A message was delivered twice to one process.
    pub(crate) repeated: u64,
}

impl Receipts {
    pub(crate) fn of(&self, id: MessageId) -> usize {
        self.by_message.get(&id).map_or(0, BTreeSet::len)
    }
}

impl<M: Membership, B: Broadcast> Observer<Node<M, B>> for Receipts {
    fn on_event(&mut self, _: Time, process: ProcessId, event: &node::Event) {
        match event {
            Layer::Broadcast(Event::Delivered { id, hops, .. }) => {
                if !self.by_message.entry(*id).or_default().insert(process) {
                    self.repeated += 1;
                }
                let most = self.hops_max.entry(*id).or_default();
                *most = (*most).max(*hops);
            }
            Layer::Broadcast(Event::Redundant { .. }) => self.redundant += 1,
            Layer::Membership(_) => {}
        }
    }
}

/// A run of a broadcast protocol over an overlay that never changes by itself.
pub(crate) struct World<M: Membership, B: Broadcast> {
    pub(crate) sim: Simulation<Node<M, B>>,
    pub(crate) receipts: Receipts,
}

pub(crate) fn jitter() -> Links {
    Links::law(Distribution::Uniform { min: Span::millis(5), max: Span::millis(15) })
}

impl<B: Broadcast> World<Fixed, B> {
    pub(crate) fn over(graph: &Graph, seed: u64, links: Links, broadcast: B::Config) -> Self {
        Self::new(graph.nodes(), seed, links, node::Config { membership: graph.clone(), broadcast })
    }
}

impl<M: Membership, B: Broadcast> World<M, B> {
    pub(crate) fn new(processes: u32, seed: u64, links: Links, config: node::Config<M, B>) -> Self {
        let setup = Setup { links, ..Setup::new(processes, seed, config) };
        let mut world =
            Self { sim: Simulation::new(setup).expect("a possible set-up"), receipts: Receipts::default() };
        world.run_for(Span::millis(100));
        world
    }

    pub(crate) fn run_for(&mut self, span: Span) {
        let until = self.sim.now() + span;
        self.sim.run_until(until, &mut self.receipts);
    }

    /// Whether everything came to rest within an hour.
    pub(crate) fn rest(&mut self) -> bool {
        let deadline = self.sim.now() + Span::secs(3600);
        self.sim.run_to_quiescence(deadline, &mut self.receipts)
    }

    /// Broadcasts from `origin` and lets `span` pass; the message and how many payloads were sent meanwhile.
    pub(crate) fn broadcast(&mut self, origin: u32, span: Span) -> (MessageId, u64) {
        let (before, known) = (self.payloads(), self.receipts.by_message.clone());
        self.sim.invoke(ProcessId(origin), Layer::Broadcast(Payload::zeros(8)));
        self.run_for(span);
        let new = self.receipts.by_message.keys().find(|id| !known.contains_key(*id));
        (*new.expect("the origin delivers its own message"), self.payloads() - before)
    }

    pub(crate) fn payloads(&self) -> u64 {
        self.count("Broadcast.Gossip")
    }

    pub(crate) fn count(&self, kind: &str) -> u64 {
        self.sim.counters().kinds().filter(|row| row.name == kind).map(|row| row.count).sum()
    }
}
