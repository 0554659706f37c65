//! What the simulations share: links of any order, clients at each replica, and what they asked and were answered.

use std::sync::Arc;

use isles_history::{Entry, History};
use isles_kernel::random::Stream;
use isles_kernel::{Protocol, Span, Time};
use isles_replication::store::{Op, Reply};
use isles_sim::{Clients, Distribution, Fault, Links, Recorder, Setup, Simulation};

pub(crate) const REPLICAS: u32 = 4;

/// A run that has ended: what clients saw, and the replicas.
pub(crate) struct Run<P: Protocol> {
    pub(crate) history: History<P::Op, P::Reply>,
    pub(crate) sim: Simulation<P>,
}

/// Latencies of 1 to 60 ms; each link keeps its order.
pub(crate) fn links() -> Links {
    Links::law(Distribution::Uniform { min: Span::millis(1), max: Span::millis(60) })
}

pub(crate) fn at(millis: u64) -> Time {
    Time::ZERO + Span::millis(millis)
}

/// A client at each replica for two seconds, and six more for all to arrive.
pub(crate) fn run<P: Protocol<Op = Op, Reply = Reply>>(
    config: impl Into<Arc<P::Config>>,
    seed: u64,
    faults: &[(u64, Fault)],
    mut ask: impl FnMut(usize, &mut Stream) -> Option<Op>,
) -> Run<P> {
    let setup = Setup { links: links(), ..Setup::new(REPLICAS, seed, config) };
    let mut sim = Simulation::<P>::new(setup).expect("a valid set-up");
    for (millis, fault) in faults {
        sim.inject(at(*millis), fault.clone());
    }
    let mut recorder = Recorder::default();
    let patience = Span::millis(400);
    let clients = Clients { patience, ..Clients::at_each(REPLICAS, Span::millis(20), at(2_000), seed) };
    clients.drive(&mut sim, at(8_000), &mut recorder, &mut ask);
    assert_eq!(recorder.stray_replies(), 0);
    Run { history: recorder.history().clone(), sim }
}

/// Half reads of one of two objects, half writes; all values differ.
pub(crate) fn reads_and_writes() -> impl FnMut(usize, &mut Stream) -> Option<Op> {
    let mut value = 0;
    move |_, choices| {
        let object = choices.below(2);
        value += 1;
        Some(if choices.below(2) == 0 { Op::Read { object } } else { Op::Write { object, value } })
    }
}

/// How long the operations took of which `wanted` is true, from the first invocation on.
pub(crate) fn durations(history: &History<Op, Reply>, wanted: impl Fn(&Op) -> bool) -> Vec<Span> {
    let mut open = std::collections::BTreeMap::new();
    let mut spans = Vec::new();
    for entry in history.entries() {
        match entry {
            Entry::Invoke { time, id, op, .. } if wanted(op) => {
                open.insert(*id, *time);
            }
            Entry::Return { time, id, .. } => spans.extend(open.remove(id).map(|begun| time.since(begun))),
            Entry::Invoke { .. } | Entry::Fail { .. } | Entry::Unknown { .. } | Entry::Crash { .. } => {}
        }
    }
    spans
}
