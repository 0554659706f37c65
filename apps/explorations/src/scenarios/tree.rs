//! Spanning trees by flooding, in every order of messages: TREE-08.
//!
//! Lynch 1996, sec. 15.3: over reliable FIFO channels parents form a tree with the root in it at every moment, a search is under
//! way only from who is inside, and at last everybody is. Without order, or with losses or doubled messages, something of that
//! goes wrong.

use std::sync::Arc;

use isles_explore::{Budget, Faults, Property, Scenario, Streams, View};
use isles_graph::{Graph, is_connected, ring};
use isles_history::Entry;
use isles_kernel::{Channel, Payload, ProcessId};
use isles_trees::SpanningTree;
use isles_trees::gather::Members;
use isles_trees::tree::{Answers, Config, Mistake, Op, Reply, properties};

/// What is explored.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    /// Who is whose neighbour; process 0 is the root.
    pub graph: Graph,
    /// How searches are answered.
    pub answers: Answers,
    /// Whether processes forget when they have reported; with [`Answers::Acks`].
    pub forget: bool,
    /// What the channels do.
    pub channels: Channels,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// How messages travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channels {
    /// Each arrives once, in the order of sending.
    Reliable,
    /// Each arrives once, in any order.
    Unordered,
    /// So many may be lost, and the order is any.
    Lossy(u8),
    /// So many may arrive twice, and the order is any.
    Doubling(u8),
}

impl Default for Parameters {
    /// AsynchSpanningTree on a ring of four.
    fn default() -> Self {
        Self {
            graph: ring(4),
            answers: Answers::None,
            forget: false,
            channels: Channels::Reliable,
            mistake: None,
        }
    }
}

/// One process of the tree. What is gathered is who they are, so that who is counted twice is seen.
pub type Process = SpanningTree<Members>;

const ROOT: ProcessId = ProcessId(0);

/// All behaviours of a tree that grows from process 0.
pub fn scenario(parameters: Parameters) -> Scenario<Process> {
    let Parameters { graph, answers, forget, channels, mistake } = parameters;
    let graph = Arc::new(graph);
    let (channel, streams, losses, duplicates) = match channels {
        Channels::Reliable => (Channel::Stream, Streams::Fifo, 0, 0),
        Channels::Unordered => (Channel::Stream, Streams::Unordered, 0, 0),
        Channels::Lossy(most) => (Channel::Datagram, Streams::Fifo, most, 0),
        Channels::Doubling(most) => (Channel::Datagram, Streams::Fifo, 0, most),
    };
    let config = Config { forget, channel, mistake, ..Config::new(Arc::clone(&graph), Members, answers) };
    let faults =
        Faults { losses: Budget::UpTo(losses), duplicates: Budget::UpTo(duplicates), ..Faults::default() };
    let scenario = Scenario { streams, faults, ..Scenario::new(graph.nodes(), config) }
        .client(vec![(ROOT, Op::Build(Payload::default()))])
        .ask(parents_form_a_tree());
    let scenario = if forget {
        scenario.ask(everybody_has_forgotten())
    } else {
        scenario.ask(senders_are_inside()).ask(children_have_their_parent()).ask(everybody_is_reached())
    };
    if answers == Answers::None {
        return scenario;
    }
    scenario.ask(nobody_reports_early()).ask(everybody_is_counted_once()).ask(the_root_knows())
}

fn tree<'a>(view: &View<'a, Process>) -> properties::View<'a, Vec<ProcessId>> {
    properties::View::new(&view.config().graph, ROOT, view.live())
}

/// Parents form a tree with the root in it.
pub fn parents_form_a_tree() -> Property<Process> {
    Property::always("parents form a tree", |view| tree(view).parents_form_tree().is_ok())
}

/// A search under way comes from a process that is inside.
pub fn senders_are_inside() -> Property<Process> {
    Property::always("who searches is inside", |view| {
        tree(view).senders_are_inside(view.in_flight().map(|(from, _, msg)| (from, msg))).is_ok()
    })
}

/// Whoever is taken for a child is one.
pub fn children_have_their_parent() -> Property<Process> {
    Property::always("children have their parent", |view| tree(view).children_have_their_parent().is_ok())
}

/// Nobody reports before everybody below.
pub fn nobody_reports_early() -> Property<Process> {
    Property::always("nobody reports early", |view| tree(view).nobody_reports_early().is_ok())
}

/// At last everybody is in the tree.
pub fn everybody_is_reached() -> Property<Process> {
    Property::eventually("everybody is reached", |view| {
        tree(view).inside(ROOT).is_some() && tree(view).spans().is_ok()
    })
}

/// At last the root knows that the tree is finished.
pub fn the_root_knows() -> Property<Process> {
    Property::eventually("the root knows", |view| view.clients_done())
}

/// When the root knows that all is done, nobody is in the tree any more (AsynchBcastAck, with forgetting).
pub fn everybody_has_forgotten() -> Property<Process> {
    Property::always("when the root knows, everybody has forgotten", |view: &View<'_, Process>| {
        !view.clients_done() || view.live().all(|(_, process)| process.inside().is_none())
    })
}

/// What the root is told has everybody once.
pub fn everybody_is_counted_once() -> Property<Process> {
    Property::history("everybody is counted once", |history: &[Entry<Op, Reply<Vec<ProcessId>>>]| {
        history.iter().all(|entry| match entry {
            Entry::Return { reply: Reply::Built(members), .. } => {
                (0..).map(ProcessId).zip(members).all(|(expected, member)| expected == *member)
            }
            Entry::Return { .. }
            | Entry::Invoke { .. }
            | Entry::Fail { .. }
            | Entry::Unknown { .. }
            | Entry::Crash { .. } => true,
        })
    })
}

/// Every connected graph of so many nodes, one for all that differ only by the names of nodes other than 0, the root: in these
/// the same happens under other names.
///
/// # Panics
/// With more than 6 nodes, of which there are too many.
pub fn connected_graphs(nodes: u32) -> Vec<Graph> {
    assert!(nodes <= 6, "graphs of {nodes} nodes are too many to be listed");
    let pairs: Vec<(u32, u32)> = (0..nodes).flat_map(|b| (0..b).map(move |a| (a, b))).collect();
    let place = |a: u32, b: u32| pairs.iter().position(|pair| *pair == (a.min(b), a.max(b)));
    // For each renaming, where each pair goes.
    let moves: Vec<Vec<usize>> = renamings(nodes)
        .iter()
        .map(|to| pairs.iter().filter_map(|(a, b)| place(to[*a as usize], to[*b as usize])).collect())
        .collect();
    let renamed = |set: u32, to: &Vec<usize>| {
        to.iter()
            .enumerate()
            .filter(|(bit, _)| set >> bit & 1 == 1)
            .fold(0, |all, (_, place)| all | 1 << place)
    };
    let edges = |set: u32| {
        let chosen = pairs.iter().enumerate().filter(move |(bit, _)| set >> bit & 1 == 1);
        chosen.map(|(_, pair)| *pair).collect::<Vec<_>>()
    };
    (0..1u32 << pairs.len())
        .filter(|set| moves.iter().all(|to| renamed(*set, to) >= *set))
        .map(|set| Graph::from_edges(nodes, &edges(set)))
        .filter(is_connected)
        .collect()
}

/// All orders of `0..nodes` that begin with 0.
fn renamings(nodes: u32) -> Vec<Vec<u32>> {
    let mut all = vec![vec![0]];
    for node in 1..nodes {
        all = all
            .iter()
            .flat_map(|order| {
                (1..=order.len()).map(|place| {
                    let mut longer: Vec<u32> = order.clone();
                    longer.insert(place, node);
                    longer
                })
            })
            .collect();
    }
    all
}
