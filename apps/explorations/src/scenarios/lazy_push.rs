//! Lazy push over links that stay: whoever was announced a message gets it.

use std::sync::Arc;

use isles_explore::{Budget, Faults, Memory, Property, Scenario, View};
use isles_gossip::Node;
use isles_gossip::lazy_push::{Config, LazyPush, Mistake};
use isles_gossip::node::{self, Layer};
use isles_gossip::static_graph::{self, StaticGraph};
use isles_graph::{Graph, ring};
use isles_kernel::{Channel, Payload, ProcessId};

use crate::scenarios::plumtree::message_ids;
use crate::stage::Stage;

/// One process.
pub type Process = Node<StaticGraph, LazyPush>;

/// What is explored.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    /// Who is whose neighbour. Process 0 broadcasts.
    pub graph: Graph,
    /// How all messages travel.
    pub channel: Channel,
    /// Messages that may be lost, of datagrams, once the neighbours of process 0 were announced its message.
    pub losses: u8,
    /// Processes that may crash for ever.
    pub crashes: u8,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// Three processes, of which one may crash.
    fn default() -> Self {
        Self { graph: ring(3), channel: Channel::Stream, losses: 0, crashes: 1, mistake: None }
    }
}

/// All behaviours of one broadcast after process 0 has announced it to its neighbours.
pub fn scenario(parameters: Parameters) -> Scenario<Process> {
    let Parameters { graph, channel, losses, crashes, mistake } = parameters;
    let graph = Arc::new(graph);
    let broadcast = Config { channel, mistake, request_passes_max: 2, ..Config::default() };
    let membership = static_graph::Config::new(Arc::clone(&graph));
    let mut stage = Stage::<Process>::new(graph.nodes(), node::Config { membership, broadcast });
    let origin = ProcessId(0);
    stage.ask(origin, Layer::Broadcast(Payload::zeros(1)));
    stage.deliver(graph.neighbors(origin).len());
    let faults = Faults {
        losses: Budget::UpTo(losses),
        crashes: Budget::UpTo(crashes),
        memories: vec![Memory::Lost],
        ..Faults::default()
    };
    Scenario { faults, ..stage.scenario() }.ask(no_broadcast_is_lost(graph))
}

/// When nothing is left to do, live neighbours have the same messages.
pub fn no_broadcast_is_lost(graph: Arc<Graph>) -> Property<Process> {
    let ids = message_ids(&[0]);
    Property::always("no broadcast is lost", move |view: &View<'_, Process>| {
        let has = |process: ProcessId, id| view.process(process).map(|node| node.broadcast.delivered(id));
        let same = |(a, b): (ProcessId, ProcessId)| {
            ids.iter().all(|id| match (has(a, *id), has(b, *id)) {
                (Some(here), Some(there)) => here == there,
                (None, _) | (_, None) => true,
            })
        };
        !(view.is_quiet() && view.is_disarmed()) || graph.edge_list().all(same)
    })
}
