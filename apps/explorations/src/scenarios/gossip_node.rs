//! Plumtree over HyParView: no broadcast is lost as long as those that live are connected.

use isles_explore::{Budget, Faults, Memory, Property, Scenario, View};
use isles_gossip::hyparview::{self, Contact, HyParView, properties};
use isles_gossip::node::{self, Layer};
use isles_gossip::plumtree::{self, Plumtree};
use isles_gossip::{MessageId, Node};
use isles_kernel::{Payload, ProcessId, Span};

use crate::scenarios::hyparview::config;
use crate::scenarios::plumtree::message_ids;
use crate::stage::Stage;

/// One process.
pub type Process = Node<HyParView, Plumtree>;

/// What is explored. Everybody has joined before it begins.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
    /// How many processes.
    pub processes: u32,
    /// Neighbours at most.
    pub active_max: usize,
    /// Candidates at most.
    pub passive_max: usize,
    /// Who broadcasts, one message after the other.
    pub origins: Vec<u32>,
    /// Whether the first of them has arrived everywhere before the exploration begins.
    pub settled: bool,
    /// Timers that fire in one behaviour: periods, and patience that ends. Each may fire at any moment.
    pub timeouts: u8,
    /// Processes that may crash for ever, any of them.
    pub crashes: u8,
    /// Whether a new neighbour is announced what has arrived.
    pub catch_up: bool,
}

impl Default for Parameters {
    /// Four processes in a ring, of which one may crash, and one broadcast over the tree that an earlier one left.
    fn default() -> Self {
        Self {
            processes: 4,
            active_max: 2,
            passive_max: 2,
            origins: vec![0, 0],
            settled: true,
            timeouts: 2,
            crashes: 1,
            catch_up: false,
        }
    }
}

/// All behaviours of the broadcasts and of the overlay below.
pub fn scenario(parameters: Parameters) -> Scenario<Process> {
    let Parameters { processes, active_max, passive_max, origins, settled, timeouts, crashes, catch_up } =
        parameters;
    let catch_up = if catch_up { Span::secs(1) } else { Span::ZERO };
    let config = node::Config {
        membership: config(active_max, passive_max, Contact::Process(ProcessId(0))),
        broadcast: plumtree::Config { graft_passes_max: 2, catch_up, ..plumtree::Config::default() },
    };
    let op = |origin: &u32| (ProcessId(*origin), Layer::Broadcast(Payload::zeros(1)));
    let mut stage = Stage::<Process>::new(processes, config);
    stage.settle();
    let first = usize::from(settled);
    for (at, op) in origins.iter().take(first).map(op) {
        stage.ask(at, op);
        stage.settle();
    }
    let faults = Faults { crashes: Budget::UpTo(crashes), memories: vec![Memory::Lost], ..Faults::default() };
    let scenario = Scenario { faults, timeouts: Budget::UpTo(timeouts), choices_max: 4, ..stage.scenario() };
    scenario
        .client(origins.iter().skip(first).map(op).collect())
        .ask(no_broadcast_is_lost(message_ids(&origins)))
        .ask(Property::always("at rest, views are symmetric", |view: &View<'_, Process>| {
            !view.is_quiet() || properties::views_symmetric(memberships(view)).is_ok()
        }))
}

fn memberships<'a>(view: &View<'a, Process>) -> impl Iterator<Item = (ProcessId, &'a HyParView)> {
    view.live().map(|(process, node)| (process, &node.membership))
}

/// When nothing is under way and no timer is armed but those of periods, and all that live are connected, they have the same
/// messages.
pub fn no_broadcast_is_lost(ids: Vec<MessageId>) -> Property<Process> {
    Property::always("no broadcast is lost while all are connected", move |view: &View<'_, Process>| {
        let period = Layer::Membership(hyparview::Timer::Shuffle);
        let waits = |process| view.timers(process).iter().any(|timer| *timer != period);
        let at_rest = view.is_quiet() && !(0..view.processes()).map(ProcessId).any(waits);
        if !at_rest || properties::overlay_connected(memberships(view)).is_err() {
            return true;
        }
        let live = || view.live().map(|(process, node)| (process, &node.broadcast));
        ids.iter().all(|id| {
            !live().any(|(_, one)| one.delivered(*id)) || plumtree::delivered_everywhere(live(), *id).is_ok()
        })
    })
}
