//! Each broadcast protocol in simulation.

use std::sync::Arc;

use isles_gossip::eager_push::{self, EagerPush};
use isles_gossip::flood::{self, Flood};
use isles_gossip::lazy_push::{self, LazyPush};
use isles_gossip::node;
use isles_gossip::plumtree::{self, Plumtree};
use isles_gossip::pull::{self, Pull};
use isles_gossip::push_pull::{self, PushPull};
use isles_gossip::tree::{self, Tree};
use isles_gossip::{Broadcast, MessageId};
use isles_graph::Graph;
use isles_kernel::{ProcessId, Span};
use isles_sim::{Fault, Links, Who};

use crate::world::{Crowd, Fixed, World, jitter, random_graph};

const PROCESSES: u32 = 200;

fn graph() -> Graph {
    random_graph(PROCESSES, 5, 7)
}

/// A spanning tree of the graph: to each process the link over which a search from process 0 first finds it.
fn spanning_tree(graph: &Graph) -> Graph {
    let mut found = vec![false; graph.nodes() as usize];
    let (mut edges, mut frontier) = (Vec::new(), vec![ProcessId(0)]);
    found[0] = true;
    for index in 0.. {
        let Some(&process) = frontier.get(index) else { break };
        for &next in graph.neighbors(process) {
            if !std::mem::replace(&mut found[next.index()], true) {
                edges.push((process.0, next.0));
                frontier.push(next);
            }
        }
    }
    Graph::from_edges(graph.nodes(), &edges)
}

fn tree_config() -> tree::Config {
    tree::Config::new(spanning_tree(&graph()))
}

/// Push until nothing is left to chance: every neighbour is chosen.
fn pushes_to_all() -> (eager_push::Config, lazy_push::Config) {
    (
        eager_push::Config { fanout: 20, ..eager_push::Config::default() },
        lazy_push::Config { fanout: 20, ..lazy_push::Config::default() },
    )
}

fn infects_for_ever(rounds_max: Option<u32>) -> eager_push::Config {
    let style = eager_push::Style::Forever { period: Span::secs(1), rounds_max, hot_count_max: 4 };
    eager_push::Config { fanout: 1, style, ..eager_push::Config::default() }
}

fn blind(rounds_max: u16) -> push_pull::Config {
    push_pull::Config { style: push_pull::Style::Blind { rounds_max }, ..push_pull::Config::default() }
}

fn run<B: Broadcast>(seed: u64, links: Links, config: B::Config) -> World<Fixed, B> {
    World::over(&graph(), seed, links, config)
}

/// Three broadcasts, each of which must reach everybody within `span`; the payloads of the last.
fn reaches_everybody<B: Broadcast>(config: B::Config, span: Span) -> (World<Fixed, B>, u64) {
    let mut world = run::<B>(1, jitter(), config);
    let mut last = 0;
    for origin in [0, 77, 199] {
        let (id, payloads) = world.broadcast(origin, span);
        assert_eq!(world.receipts.of(id), PROCESSES as usize, "{id:?}");
        last = payloads;
    }
    assert_eq!(world.receipts.repeated, 0, "nothing is delivered twice");
    (world, last)
}

#[test]
fn flooding_reaches_everybody_and_sends_over_every_link() {
    let (mut world, payloads) = reaches_everybody::<Flood>(flood::Config::default(), Span::secs(5));
    let (edges, tree) = (graph().edges() as u64, u64::from(PROCESSES) - 1);
    assert_eq!(payloads, 2 * edges - tree);
    assert!(world.rest());
}

#[test]
fn a_flood_counts_hops_along_shortest_paths() {
    let ring: Vec<(u32, u32)> = (0..10).map(|node| (node, (node + 1) % 10)).collect();
    let ring = Graph::from_edges(10, &ring);
    let mut world =
        World::<Fixed, Flood>::over(&ring, 1, Links::constant(Span::millis(10)), flood::Config::default());
    let (id, payloads) = world.broadcast(3, Span::secs(1));
    assert_eq!((world.receipts.hops_max[&id], payloads), (5, 11), "two waves meet opposite");
}

#[test]
fn eager_push_reaches_everybody_when_it_chooses_all_and_once_only() {
    let (mut world, payloads) = reaches_everybody::<EagerPush>(pushes_to_all().0, Span::secs(5));
    assert!(payloads <= 2 * graph().edges() as u64);
    assert!(world.rest());
}

#[test]
fn infecting_for_ever_reaches_everybody_and_ends_after_its_rounds() {
    let (mut world, payloads) = reaches_everybody::<EagerPush>(infects_for_ever(Some(60)), Span::secs(90));
    assert_eq!(payloads, u64::from(PROCESSES) * 60);
    assert!(world.rest());
    // The control: one round only is infecting and dying, which dies out.
    let mut world = run::<EagerPush>(1, jitter(), infects_for_ever(Some(1)));
    let (id, _) = world.broadcast(0, Span::secs(90));
    assert!(world.receipts.of(id) < PROCESSES as usize / 2);
}

#[test]
fn infecting_without_end_is_bounded_by_newer_messages() {
    let mut world = run::<EagerPush>(1, jitter(), infects_for_ever(None));
    for _ in 0..8 {
        world.broadcast(0, Span::secs(60));
    }
    let (_, payloads) = world.broadcast(0, Span::secs(60));
    assert!(!world.rest());
    assert!(payloads <= 60 * 4 * u64::from(PROCESSES) + u64::from(PROCESSES), "{payloads}");
}

/// How many of 60 seeds reach everybody among 1000 who all know each other.
fn atomic(fanout: usize) -> usize {
    let reaches = |seed: &u64| {
        let config = node::Config {
            membership: 1000,
            broadcast: eager_push::Config { fanout, ..eager_push::Config::default() },
        };
        let mut world = World::<Crowd, EagerPush>::new(1000, *seed, jitter(), config);
        let (id, _) = world.broadcast(0, Span::secs(5));
        world.receipts.of(id) == 1000
    };
    (0..60).filter(reaches).count()
}

#[test]
fn infecting_and_dying_reaches_everybody_with_the_probability_of_random_graphs() {
    // Eugster 2004: e^(-e^(-c)) with fan-out ln 1000 + c. 8 is c = 1.09: 71.5 %, 42.9 of 60, three sigma 10.5.
    let reached = atomic(8);
    assert!((32..=54).contains(&reached), "{reached} of 60");
    assert_eq!(atomic(4), 0, "c = -2.9: 0 %");
    assert!(atomic(13) >= 58, "c = 6.1: 99.8 %");
}

#[test]
fn lazy_push_sends_each_payload_once() {
    let (mut world, payloads) = reaches_everybody::<LazyPush>(pushes_to_all().1, Span::secs(5));
    assert_eq!(payloads, u64::from(PROCESSES) - 1);
    assert_eq!(world.receipts.redundant, 0);
    assert!(world.rest());
}

#[test]
fn lazy_push_asks_again_when_datagrams_are_lost() {
    for (passes, complete) in [(8, true), (1, false)] {
        let config = lazy_push::Config { request_passes_max: passes, ..pushes_to_all().1 };
        let links = Links { loss: 0.3, ..jitter() };
        let mut world = World::<Fixed, LazyPush>::over(&random_graph(PROCESSES, 10, 7), 1, links, config);
        let reached: usize = (0..10)
            .map(|origin| {
                let (id, _) = world.broadcast(origin, Span::secs(60));
                world.receipts.of(id)
            })
            .sum();
        assert!(world.rest());
        assert_eq!(reached > 1990, complete, "{reached} of 2000 with {passes} passes");
    }
}

#[test]
fn pull_reaches_everybody_with_hardly_a_payload_too_many() {
    let (mut world, payloads) = reaches_everybody::<Pull>(pull::Config::default(), Span::secs(30));
    assert!((199..=205).contains(&payloads), "{payloads}");
    assert!(!world.rest(), "requests never end");
}

#[test]
fn pull_makes_up_for_a_long_outage_within_its_cache_span() {
    for (outage, complete) in [(10, true), (40, false)] {
        let mut world = run::<Pull>(1, jitter(), pull::Config::default());
        let now = world.sim.now();
        world.sim.inject(now, Fault::Loss(1.0));
        world.sim.inject(now + Span::secs(outage), Fault::Loss(0.0));
        let (id, _) = world.broadcast(0, Span::secs(70));
        // After 40 s the origin still has its only message, for nothing newer came; its age keeps it to itself.
        assert_eq!(world.receipts.of(id) == PROCESSES as usize, complete, "outage of {outage} s");
    }
}

#[test]
fn push_pull_that_compares_reaches_everybody_with_hardly_a_payload_too_many() {
    let (_, payloads) = reaches_everybody::<PushPull>(push_pull::Config::default(), Span::secs(30));
    assert!((199..=215).contains(&payloads), "{payloads}");
}

#[test]
fn push_pull_is_faster_than_pull() {
    let periods = |reached: &dyn Fn(Span) -> usize| (1..60).find(|n| reached(Span::secs(*n)) == 200).unwrap();
    let pull = periods(&|span| {
        let mut world = run::<Pull>(3, jitter(), pull::Config::default());
        let (id, _) = world.broadcast(0, span);
        world.receipts.of(id)
    });
    let both = periods(&|span| {
        let mut world = run::<PushPull>(3, jitter(), push_pull::Config::default());
        let (id, _) = world.broadcast(0, span);
        world.receipts.of(id)
    });
    assert!(both < pull, "{both} periods against {pull}");
}

#[test]
fn blind_push_pull_reaches_everybody_within_its_age_and_then_sends_calls_only() {
    let config = node::Config { membership: PROCESSES, broadcast: blind(10) };
    let mut world = World::<Crowd, PushPull>::new(PROCESSES, 1, jitter(), config);
    let (id, _) = world.broadcast(0, Span::secs(15));
    assert_eq!(world.receipts.of(id), PROCESSES as usize);
    let before = (world.payloads(), world.count("Broadcast.Call"));
    world.run_for(Span::secs(10));
    assert_eq!(world.payloads(), before.0);
    assert_eq!(world.count("Broadcast.Call") - before.1, 10 * u64::from(PROCESSES));
    // The control: rumours that die too young.
    let config = node::Config { membership: PROCESSES, broadcast: blind(3) };
    let mut world = World::<Crowd, PushPull>::new(PROCESSES, 1, jitter(), config);
    let (id, _) = world.broadcast(0, Span::secs(15));
    assert!(world.receipts.of(id) < PROCESSES as usize);
}

#[test]
fn a_fixed_tree_costs_one_payload_for_each_other_process() {
    let (mut world, payloads) = reaches_everybody::<Tree>(tree_config(), Span::secs(5));
    assert_eq!(payloads, u64::from(PROCESSES) - 1);
    assert_eq!(world.receipts.redundant, 0);
    assert!(world.rest());
}

#[test]
fn plumtree_reaches_everybody() {
    reaches_everybody::<Plumtree>(plumtree::Config::default(), Span::secs(5));
}

/// How many live processes a broadcast of process 0 reaches after `victim` crashed.
fn survivors_reached<B: Broadcast>(config: B::Config, victim: ProcessId) -> usize {
    let mut world = run::<B>(1, jitter(), config);
    world.broadcast(0, Span::secs(5));
    let now = world.sim.now();
    world.sim.inject(now, Fault::Crash(Who::Ids(vec![victim])));
    world.run_for(Span::secs(1));
    let (id, _) = world.broadcast(0, Span::secs(5));
    world.receipts.of(id)
}

#[test]
fn one_crashed_inner_process_cuts_off_its_subtree_and_gossip_survives_it() {
    let tree = spanning_tree(&graph());
    let inner = |process: &ProcessId| tree.neighbors(*process).len() > 2;
    let victim = (1..PROCESSES).map(ProcessId).find(inner).unwrap();
    // What the victim's removal leaves on the side of process 0.
    let (mut side, mut frontier) = (vec![ProcessId(0)], vec![ProcessId(0)]);
    while let Some(process) = frontier.pop() {
        for &next in tree.neighbors(process).iter().filter(|next| **next != victim) {
            if !side.contains(&next) {
                side.push(next);
                frontier.push(next);
            }
        }
    }
    assert!(side.len() < PROCESSES as usize - 1);
    assert_eq!(survivors_reached::<Tree>(tree_config(), victim), side.len());
    let others = PROCESSES as usize - 1;
    assert_eq!(survivors_reached::<Flood>(flood::Config::default(), victim), others);
    assert_eq!(survivors_reached::<EagerPush>(pushes_to_all().0, victim), others);
    assert_eq!(survivors_reached::<Plumtree>(plumtree::Config::default(), victim), others);
}

#[test]
fn a_process_that_its_tree_does_not_have_is_alone() {
    let config = tree::Config { tree: Arc::new(Graph::from_edges(2, &[(0, 1)])), ..tree_config() };
    let mut world = run::<Tree>(1, jitter(), config);
    let (id, _) = world.broadcast(9, Span::secs(1));
    assert_eq!(world.receipts.of(id), 1);
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_not() {
    fn differs<B: Broadcast>(config: impl Fn() -> B::Config) -> Vec<MessageId> {
        let digest = |seed: u64| {
            let links = Links { loss: 0.05, duplication: 0.05, ..jitter() };
            let mut world = run::<B>(seed, links, config());
            let ids: Vec<_> = (0..3).map(|origin| world.broadcast(origin, Span::secs(3)).0).collect();
            (world.sim.digest(), ids)
        };
        let (first, ids) = digest(1);
        assert_eq!(first, digest(1).0);
        assert_ne!(first, digest(2).0);
        ids
    }
    differs::<Flood>(flood::Config::default);
    differs::<EagerPush>(eager_push::Config::default);
    differs::<EagerPush>(|| infects_for_ever(Some(3)));
    differs::<LazyPush>(lazy_push::Config::default);
    differs::<Pull>(pull::Config::default);
    differs::<PushPull>(push_pull::Config::default);
    differs::<PushPull>(|| blind(5));
    differs::<Plumtree>(plumtree::Config::default);
    differs::<Tree>(tree_config);
}
