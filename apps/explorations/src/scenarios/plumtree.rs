//! Plumtree over links that stay: no broadcast is lost, and MUS-33 is found.

use std::sync::Arc;

use isles_explore::{Budget, Faults, Memory, Property, Scenario, View};
use isles_gossip::node::{self, Layer};
use isles_gossip::plumtree::{self, Config, Mistake, Plumtree};
use isles_gossip::static_graph::{self, StaticGraph};
use isles_gossip::{MessageId, Node};
use isles_graph::{Graph, ring};
use isles_kernel::{Channel, Payload, ProcessId, Protocol};

use crate::stage::Stage;

/// One process.
pub type Process = Node<StaticGraph, Plumtree>;

type Msg = <Process as Protocol>::Msg;

/// What is explored.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    /// Who is whose neighbour.
    pub graph: Graph,
    /// Who broadcasts, one message after the other.
    pub origins: Vec<u32>,
    /// How many of these have arrived everywhere before the exploration begins, in the order of sending, and left a tree.
    pub settled: usize,
    /// A process that of the last of them has only heard announcements: its payload was lost.
    pub deprived: Option<u32>,
    /// How all messages travel.
    pub channel: Channel,
    /// Messages that may be lost, of datagrams.
    pub losses: u8,
    /// Processes that may crash for ever.
    pub crashes: u8,
    /// How often each announcer is asked for a message.
    pub graft_passes_max: u8,
    /// Timers that fire in one behaviour; none: as many as like.
    pub timeouts: Option<u8>,
    /// For controls.
    pub mistake: Option<Mistake>,
}

impl Default for Parameters {
    /// One broadcast over a ring of four.
    fn default() -> Self {
        Self {
            graph: ring(4),
            origins: vec![0],
            settled: 0,
            deprived: None,
            channel: Channel::Stream,
            losses: 0,
            crashes: 0,
            graft_passes_max: 2,
            timeouts: None,
            mistake: None,
        }
    }
}

impl Parameters {
    /// Where a mistake shows.
    pub fn showing(mistake: Mistake) -> Self {
        let (graph, lossy) = (ring(3), Self { channel: Channel::Datagram, losses: 1, ..Self::default() });
        let shown = match mistake {
            // 3 hears from 0, and lazily of 1 and 2. When 0 crashes before 3 has heard of the second message, and then 1, which
            // announced it, 2 is still there.
            Mistake::ForgetWithOwner => {
                let graph = Graph::from_edges(4, &[(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)]);
                Self { graph, origins: vec![0, 0], settled: 1, crashes: 2, ..Self::default() }
            }
            Mistake::PruneRevokes => Self { graph, origins: vec![0, 0], ..lossy },
            // Two messages that only 1 has when 0 crashes: the second GRAFT of 2 comes over a link that the first made eager.
            Mistake::GraftOnlyWhenLazy => {
                Self { graph, origins: vec![0, 0, 0], settled: 1, crashes: 1, ..Self::default() }
            }
            // 2 was announced the second message, and its GRAFT is lost.
            Mistake::AskOnce => {
                Self { graph: ring(4), origins: vec![0, 0], settled: 2, deprived: Some(2), ..lossy }
            }
        };
        Self { mistake: Some(mistake), ..shown }
    }
}

/// All behaviours of the broadcasts.
pub fn scenario(parameters: Parameters) -> Scenario<Process> {
    let Parameters { graph, origins, settled, deprived, channel, losses, crashes, .. } = parameters;
    let Parameters { graft_passes_max, timeouts, mistake, .. } = parameters;
    let graph = Arc::new(graph);
    let config = node::Config {
        membership: static_graph::Config::new(Arc::clone(&graph)),
        broadcast: Config { channel, graft_passes_max, mistake, ..Config::default() },
    };
    let faults = Faults {
        losses: Budget::UpTo(losses),
        crashes: Budget::UpTo(crashes),
        memories: vec![Memory::Lost],
        ..Faults::default()
    };
    let timeouts = timeouts.map_or(Budget::Unlimited, Budget::UpTo);
    let op = |origin: &u32| (ProcessId(*origin), Layer::Broadcast(Payload::zeros(1)));
    let mut stage = Stage::<Process>::new(graph.nodes(), config);
    for (index, (at, op)) in origins.iter().take(settled).map(op).enumerate() {
        let deprived = deprived.filter(|_| index + 1 == settled).map(ProcessId);
        let is_payload = |msg: &Msg| matches!(msg, Layer::Broadcast(plumtree::Msg::Gossip { .. }));
        stage.ask(at, op);
        stage.settle_without(|to, msg| Some(to) == deprived && is_payload(msg));
    }
    let scenario = Scenario { faults, timeouts, ..stage.scenario() };
    let script = origins.iter().skip(settled).map(op);
    let ids = message_ids(&origins);
    let scenario = scenario.client(script.collect()).ask(no_broadcast_is_lost(graph, ids));
    if crashes > 0 || timeouts != Budget::Unlimited {
        return scenario;
    }
    scenario.ask(all_comes_to_rest())
}

/// What the broadcasts of these origins, none of which has crashed before, are called.
pub fn message_ids(origins: &[u32]) -> Vec<MessageId> {
    let number =
        |index: usize| origins[..index].iter().filter(|other| **other == origins[index]).count() as u64;
    (0..origins.len())
        .map(|index| MessageId { origin: ProcessId(origins[index]), number: number(index) })
        .collect()
}

/// When nothing is left to do, live neighbours have the same messages.
pub fn no_broadcast_is_lost(graph: Arc<Graph>, ids: Vec<MessageId>) -> Property<Process> {
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

/// At last all is done: no process is busy for ever.
pub fn all_comes_to_rest() -> Property<Process> {
    Property::eventually("all comes to rest", |view| {
        view.clients_done() && view.is_quiet() && view.is_disarmed()
    })
}
