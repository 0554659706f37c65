//! Short runs, message by message, as texts to be read: `tests/traces/`.

use std::fmt::{Debug, Write};
use std::path::Path;
use std::sync::Arc;

use isles_graph::{Graph, ring};
use isles_kernel::{OpId, Payload, ProcessId, Protocol, Span, Time};
use isles_sim::{Latency, Links, Matrix, Observer, Setup, Simulation};
use isles_trees::gather::Members;
use isles_trees::rounds::{self, Pace};
use isles_trees::tree::{self, Answers, Op};
use isles_trees::{Rounds, SpanningTree};

use crate::runs::{ROUND, constant};

/// Writes down what an observer sees, a line for each message and event.
#[derive(Default)]
struct Trace(String);

impl Trace {
    fn line(&mut self, at: Time, what: &str) {
        writeln!(self.0, "{:>6} {what}", at.to_string()).expect("memory takes it");
    }
}

impl<P: Protocol> Observer<P> for Trace {
    fn sees_messages(&self) -> bool {
        true
    }

    fn on_send(&mut self, at: Time, from: ProcessId, to: ProcessId, arrival: Option<Time>, msg: &P::Msg) {
        let until = arrival.map_or_else(|| "lost".to_owned(), |arrival| format!("until {arrival}"));
        self.line(at, &format!("{from} -> {to} {msg:?} ({until})"));
    }

    fn on_event(&mut self, at: Time, process: ProcessId, event: &P::Event) {
        self.line(at, &format!("{process} {event:?}"));
    }

    fn on_reply(&mut self, at: Time, process: ProcessId, _: OpId, reply: &P::Reply) {
        self.line(at, &format!("{process} answers {reply:?}"));
    }
}

fn agrees<P: Protocol<Op: Debug>>(
    name: &str,
    links: Links,
    processes: u32,
    config: P::Config,
    ops: &[(u64, P::Op)],
) {
    let setup = Setup { links, ..Setup::new(processes, 1, config) };
    let mut sim = Simulation::<P>::new(setup).expect("a possible set-up");
    for (millis, op) in ops {
        sim.invoke_at(Time::ZERO + Span::millis(*millis), ProcessId(0), op.clone());
    }
    let mut trace = Trace::default();
    assert!(sim.run_to_quiescence(Time::ZERO + Span::secs(60), &mut trace));
    isles_golden::file(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces").join(name), &trace.0);
}

/// A ring of four in rounds of 20 ms: the far process is found from both sides in one round, and takes the lesser one.
#[test]
fn sync_bfs_on_a_ring_of_four() {
    let graph = Arc::new(ring(4));
    let child = tree::Config::new(Arc::clone(&graph), Members, Answers::Children);
    let config = rounds::Config::new(graph, child, Pace::Clock(ROUND), true);
    let ops = [(0, Op::Build(Payload::from("news")))];
    agrees::<Rounds<SpanningTree<Members>>>("sync-bfs.txt", constant(), 4, config, &ops);
}

/// A triangle whose link from 0 to 2 is slow: the tree is the path 0, 1, 2, and what is broadcast later goes that way.
#[test]
fn a_slow_short_way_loses_against_a_fast_long_one() {
    let millis = [0, 1, 30, 1, 0, 1, 30, 1, 0].map(Span::millis).to_vec();
    let matrix = Matrix::new(3, millis).expect("three by three");
    let links = Links { latency: Latency::Matrix { matrix, jitter: 0.0 }, ..constant() };
    let config = tree::Config::new(Graph::from_edges(3, &[(0, 1), (1, 2), (0, 2)]), Members, Answers::Echo);
    let ops = [(0, Op::Build(Payload::default())), (100, Op::Broadcast(Payload::from("news")))];
    agrees::<SpanningTree<Members>>("detour.txt", links, 3, config, &ops);
}
