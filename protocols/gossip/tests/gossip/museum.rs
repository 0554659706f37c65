//! MUS-33: each mistake keeps a broadcast from arriving, a search over seeds finds it from a cold start, and the
//! shipped protocol survives the same runs.

use isles_gossip::node::Layer;
use isles_gossip::plumtree::{Config, Mistake};
use isles_kernel::{Channel, Payload, ProcessId, Span, random};
use isles_sim::{Fault, Links, Who};

use crate::plumtree_runs::Run;
use crate::world::{jitter, random_graph};

/// Processes of a run: few, so that a mistake shows soon and is read easily.
const PROCESSES: u32 = 24;

/// True if some live process never gets a message that another of its island has: several senders at once, while a
/// third of the processes crashes one by one.
fn crashes_deprive(seed: u64, mistake: Option<Mistake>) -> bool {
    let graph = random_graph(PROCESSES, 4, seed);
    let mut run = Run::over(&graph, seed, jitter(), Config { mistake, ..Config::default() });
    for _ in 0..2 {
        run.broadcast(0, Span::secs(2));
    }
    let mut stream = random::Stream::new(seed, &[3]);
    let now = run.sim.now();
    for _ in 0..8 {
        let after = Span::micros(u64::from(stream.below(100_000)));
        run.sim.invoke_at(
            now + after,
            ProcessId(stream.below(PROCESSES)),
            Layer::Broadcast(Payload::zeros(1)),
        );
    }
    for _ in 0..8 {
        let after = Span::micros(u64::from(stream.below(700_000)));
        run.sim.inject(now + after, Fault::Crash(Who::Ids(vec![ProcessId(stream.below(PROCESSES))])));
    }
    assert!(run.rest(), "seed {seed}: something stays armed for ever");
    run.deprived(&graph).is_some()
}

/// True if a process never gets a message after an inner process of the tree crashed and, for a second, no
/// datagram came through just when the others ask for what they miss.
fn an_outage_deprives(seed: u64, mistake: Option<Mistake>) -> bool {
    let graph = random_graph(PROCESSES, 4, seed);
    let config = Config { mistake, channel: Channel::Datagram, ..Config::default() };
    let mut run = Run::over(&graph, seed, Links { loss: 0.0, ..jitter() }, config);
    for _ in 0..3 {
        run.broadcast(0, Span::secs(2));
    }
    let now = run.sim.now();
    let victim = ProcessId(1 + random::Stream::new(seed, &[4]).below(PROCESSES - 1));
    run.sim.inject(now, Fault::Crash(Who::Ids(vec![victim])));
    run.sim.invoke(ProcessId(0), Layer::Broadcast(Payload::zeros(1)));
    // All payloads and announcements have arrived by the first instant; the GRAFTs have not left.
    run.sim.inject(now + Span::millis(450), Fault::Loss(1.0));
    run.sim.inject(now + Span::millis(1450), Fault::Loss(0.0));
    assert!(run.rest(), "seed {seed}: something stays armed for ever");
    run.deprived(&graph).is_some()
}

/// Searches seeds until the mistake shows; the shipped protocol runs each of them too, and some more.
fn exhibit(mistake: Mistake, deprives: fn(u64, Option<Mistake>) -> bool) {
    let found = (0..500).find(|seed| deprives(*seed, Some(mistake)));
    let found = found.unwrap_or_else(|| panic!("{mistake:?} does not show in 500 seeds"));
    for seed in 0..=found.max(50) {
        assert!(!deprives(seed, None), "the shipped protocol loses a message at seed {seed}");
    }
}

#[test]
fn a_lazy_id_that_is_forgotten_when_its_owner_dies_never_arrives() {
    exhibit(Mistake::ForgetWithOwner, crashes_deprive);
}

#[test]
fn a_prune_that_takes_announcements_back_loses_a_broadcast() {
    exhibit(Mistake::PruneRevokes, crashes_deprive);
}

#[test]
fn a_graft_that_is_ignored_over_an_eager_link_loses_a_broadcast() {
    exhibit(Mistake::GraftOnlyWhenLazy, crashes_deprive);
}

#[test]
fn an_announcer_that_is_asked_only_once_loses_a_broadcast() {
    exhibit(Mistake::AskOnce, an_outage_deprives);
}
