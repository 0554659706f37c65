//! Protocols that are simulated with millions of processes, here with few and in every order.

use std::sync::Arc;

use isles_explore::{Answer, Budget, Explorer, Faults, Memory, Property, Report, Scenario, View};
use isles_gossip::hyparview::{self, Contact, HyParView, properties};
use isles_gossip::node::{self, Layer};
use isles_gossip::plumtree::{self, Mistake, Plumtree};
use isles_gossip::static_graph::{self, StaticGraph};
use isles_gossip::{MessageId, Node};
use isles_graph::Graph;
use isles_kernel::{Channel, Payload, ProcessId, Span};

type Process = Node<StaticGraph, Plumtree>;

/// The messages of the only sender.
fn id(number: u64) -> MessageId {
    MessageId { origin: ProcessId(0), number }
}

/// Process 0 broadcasts so often over a graph, and nothing is left to do: whatever one live process has, all have.
fn broadcasts(
    edges: &[(u32, u32)],
    count: u64,
    config: plumtree::Config,
    faults: Faults,
) -> Scenario<Process> {
    let graph = Graph::from_edges(edges.iter().map(|(a, b)| a.max(b) + 1).max().unwrap_or(1), edges);
    let processes = graph.nodes();
    let membership = static_graph::Config::new(Arc::new(graph));
    let ops = (0..count).map(|_| (ProcessId(0), Layer::Broadcast(Payload::zeros(1)))).collect();
    Scenario { faults, ..Scenario::new(processes, node::Config { membership, broadcast: config }) }
        .client(ops)
        .ask(Property::always("all live processes have what one has", move |view: &View<'_, Process>| {
            let live = || view.live().map(|(process, node)| (process, &node.broadcast));
            let same = |number| {
                let id = id(number);
                !live().any(|(_, one)| one.delivered(id))
                    || plumtree::delivered_everywhere(live(), id).is_ok()
            };
            !(view.is_quiet() && view.is_disarmed()) || (0..count).all(same)
        }))
        .ask(Property::reachable("all is done", |view| view.clients_done() && view.is_quiet()))
}

const TRIANGLE: [(u32, u32); 3] = [(0, 1), (1, 2), (0, 2)];
const SQUARE: [(u32, u32); 4] = [(0, 1), (1, 2), (2, 3), (0, 3)];

fn found<P: isles_kernel::Protocol + Sync>(scenario: Scenario<P>, states: u64) -> Report<P> {
    Explorer::new(scenario).expect("a possible scenario").states(states).breadth_first()
}

#[test]
fn plumtree_delivers_everywhere_in_every_order() {
    for (edges, count) in [(&TRIANGLE[..], 2), (&SQUARE[..], 1)] {
        let report =
            found(broadcasts(edges, count, plumtree::Config::default(), Faults::default()), 2_000_000);
        assert!(report.is_proof(), "{report}");
    }
}

/// Explores the mistake until it shows, and the shipped protocol as far.
fn exhibit(mistake: Mistake, scenario: impl Fn(plumtree::Config) -> Scenario<Process>) {
    let config = |mistake| plumtree::Config { mistake, graft_passes_max: 2, ..plumtree::Config::default() };
    let report = found(scenario(config(Some(mistake))), 400_000);
    let failure = report.failure().unwrap_or_else(|| panic!("{mistake:?} does not show: {report}"));
    let trace = failure.answer.trace().expect("a violation has a trace");
    assert!(trace.steps.len() > 8, "{mistake:?} needs a tree first: {}", trace.to_text());
    let shipped = found(scenario(config(None)), report.states);
    assert!(shipped.failure().is_none(), "{shipped}");
}

/// MUS-33: a PRUNE that was slow revokes what was announced since, and the only other copy was lost.
#[test]
fn a_prune_that_takes_announcements_back_is_found() {
    let faults = || Faults { losses: Budget::UpTo(1), ..Faults::default() };
    exhibit(Mistake::PruneRevokes, |config| {
        let config = plumtree::Config { channel: Channel::Datagram, ..config };
        broadcasts(&TRIANGLE, 2, config, faults())
    });
}

/// Whatever a live process has when somebody crashed, all live ones get, as long as they are connected.
#[test]
fn plumtree_survives_a_crash_in_every_order() {
    let faults = Faults { crashes: Budget::UpTo(1), memories: vec![Memory::Lost], ..Faults::default() };
    let report = found(broadcasts(&TRIANGLE, 2, plumtree::Config::default(), faults), 400_000);
    assert!(report.stopped.is_none() && report.failure().is_none(), "{report}");
}

#[test]
fn hyparview_keeps_its_views_in_every_order() {
    let config = || hyparview::Config {
        active_max: 2,
        passive_max: 2,
        arwl: 2,
        prwl: 1,
        walks: 1,
        mixing: 0,
        shuffle_period: Span::secs(1),
        contact: Contact::Process(ProcessId(0)),
        ..hyparview::Config::default()
    };
    let scenario = Scenario { timeouts: Budget::UpTo(1), choices_max: 3, ..Scenario::new(3, config()) };
    let scenario = scenario
        .ask(Property::always("views are sound", |view: &View<'_, HyParView>| {
            properties::views_sound(view.config(), view.live()).is_ok()
        }))
        .ask(Property::always("at rest, views are symmetric", |view: &View<'_, HyParView>| {
            !view.is_quiet() || properties::views_symmetric(view.live()).is_ok()
        }))
        .ask(Property::always("at rest, the overlay is connected", |view: &View<'_, HyParView>| {
            !view.is_quiet() || properties::overlay_connected(view.live()).is_ok()
        }));
    let report = found(scenario, 200_000);
    assert!(report.failure().is_none(), "{report}");
    assert!(report.answer("views are sound").is_some_and(|answer| !matches!(answer, Answer::Violated(_))));
}
