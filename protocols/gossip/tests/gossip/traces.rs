//! Short runs, message by message, as texts to be read: `tests/traces/`.

use std::fmt::{Debug, Write};
use std::path::Path;

use isles_gossip::broadcast::Event as Said;
use isles_gossip::hyparview::{self, HyParView};
use isles_gossip::node::{self, Layer};
use isles_gossip::plumtree::{self, Plumtree};
use isles_gossip::{Broadcast, Change, Membership, Node};
use isles_graph::Graph;
use isles_kernel::{OpId, Payload, ProcessId, Protocol, Span, Time};
use isles_sim::{Distribution, Fault, Links, Observer, Setup, Simulation, Who};

use crate::world::Fixed;

/// Writes down what an observer sees, a line for each message and event.
#[derive(Default)]
struct Trace(String);

impl Trace {
    fn line(&mut self, at: Time, what: &str) {
        writeln!(self.0, "{:>9} {what}", at.to_string()).expect("memory takes it");
    }
}

fn bare<A: Debug, B: Debug>(layer: &Layer<A, B>) -> String {
    match layer {
        Layer::Membership(inner) => format!("{inner:?}"),
        Layer::Broadcast(inner) => format!("{inner:?}"),
    }
}

impl<M: Membership, B: Broadcast> Observer<Node<M, B>> for Trace {
    fn sees_messages(&self) -> bool {
        true
    }

    fn on_send(
        &mut self,
        at: Time,
        from: ProcessId,
        to: ProcessId,
        arrival: Option<Time>,
        msg: &<Node<M, B> as Protocol>::Msg,
    ) {
        let fate = arrival.map_or_else(|| "lost".to_owned(), |arrival| format!("until {arrival}"));
        self.line(at, &format!("{from} -> {to} {} ({fate})", bare(msg)));
    }

    fn on_event(&mut self, at: Time, process: ProcessId, event: &node::Event) {
        let what = match event {
            Layer::Broadcast(Said::Delivered { hops, .. }) => format!("delivers, {hops} hops"),
            Layer::Broadcast(Said::Redundant { .. }) => "has it already".to_owned(),
            Layer::Membership(Change::Up { peer }) => format!("has the neighbour {peer}"),
            Layer::Membership(Change::Down { peer }) => format!("loses the neighbour {peer}"),
            Layer::Membership(Change::Everyone { count }) => format!("knows all {count}"),
        };
        self.line(at, &format!("{process} {what}"));
    }

    fn on_invoke(&mut self, at: Time, process: ProcessId, _: OpId, op: &<Node<M, B> as Protocol>::Op) {
        self.line(at, &format!("{process} is asked {}", bare(op)));
    }

    fn on_crash(&mut self, at: Time, process: ProcessId) {
        self.line(at, &format!("{process} crashes"));
    }
}

fn agrees(name: &str, trace: &Trace) {
    isles_golden::file(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces").join(name), &trace.0);
}

fn links() -> Links {
    Links::law(Distribution::Constant(Span::millis(10)))
}

/// A ring of four: the first broadcast floods and prunes, the second costs three payloads, and after a crash on the
/// tree an announcement is answered with a graft.
#[test]
fn plumtree_prunes_and_grafts() {
    let graph = Graph::from_edges(4, &[(0, 1), (1, 2), (2, 3), (3, 0)]);
    let config = node::Config { membership: graph, broadcast: plumtree::Config::default() };
    let setup = Setup { links: links(), ..Setup::new(4, 1, config) };
    let mut sim: Simulation<Node<Fixed, Plumtree>> = Simulation::new(setup).expect("a possible set-up");
    let mut trace = Trace::default();
    for (second, text) in [(1, "flooded"), (2, "along the tree"), (4, "after the crash")] {
        let at = Time::ZERO + Span::secs(second);
        sim.run_until(at, &mut trace);
        sim.invoke(ProcessId(0), Layer::Broadcast(Payload::from(text.as_bytes())));
        if second == 2 {
            sim.inject(at + Span::secs(1), Fault::Crash(Who::Ids(vec![ProcessId(1)])));
        }
    }
    sim.run_until(Time::ZERO + Span::secs(6), &mut trace);
    agrees("plumtree.txt", &trace);
}

/// Four processes with room for two neighbours join one after the other through the first; the newcomers are
/// forwarded, a full view drops a member, and after a crash a candidate takes its place.
#[test]
fn hyparview_joins_and_heals() {
    let membership =
        hyparview::Config { active_max: 2, passive_max: 4, arwl: 3, prwl: 2, ..Default::default() };
    let config = node::Config { membership, broadcast: plumtree::Config::default() };
    let start = isles_sim::Start::Over(Span::secs(1));
    let setup = Setup { links: links(), start, ..Setup::new(4, 1, config) };
    let mut sim: Simulation<Node<HyParView, Plumtree>> = Simulation::new(setup).expect("a possible set-up");
    let mut trace = Trace::default();
    sim.inject(Time::ZERO + Span::secs(2), Fault::Crash(Who::Ids(vec![ProcessId(1)])));
    sim.run_until(Time::ZERO + Span::millis(2_500), &mut trace);
    agrees("hyparview.txt", &trace);
}
