//! Greedy routing, as processes and as a function.

use std::sync::Arc;

use isles_graph::{Graph, Kleinberg, ring, watts_strogatz};
use isles_history::Entry;
use isles_kernel::{ProcessId, Span, Time};
use isles_search::greedy::{Find, Greedy, Outcome, walk};
use isles_search::world::World;
use isles_sim::{Distribution, Links, Recorder, Setup, Simulation};
use proptest::prelude::*;

fn worlds(seed: u64) -> Vec<World> {
    vec![
        World::lattice(Kleinberg { side: 12, links: 1, exponent: 2.0, seed }),
        World::ring(150, 2, 1.0, seed),
        World::Fingers { nodes: 131 },
        World::Placed { graph: watts_strogatz(120, 6, 0.2, seed).expect("possible") },
    ]
}

/// Walks by messages: between the pairs, and the digest of the run.
fn simulated(world: World, pairs: &[(u32, u32)], seed: u64) -> (Vec<Outcome>, u128) {
    let links = Links::law(Distribution::Uniform { min: Span::millis(1), max: Span::millis(30) });
    let nodes = world.nodes() as u32;
    let mut sim = Simulation::<Greedy>::new(Setup { links, ..Setup::new(nodes, seed, Arc::new(world)) })
        .expect("a possible set-up");
    for &(from, to) in pairs {
        sim.invoke(ProcessId(from), Find(ProcessId(to)));
    }
    let mut recorder = Recorder::default();
    assert!(sim.run_to_quiescence(Time::ZERO + Span::secs(60), &mut recorder));
    let mut outcomes = vec![None; pairs.len()];
    for entry in recorder.history().entries() {
        if let Entry::Return { id, reply, .. } = entry {
            outcomes[id.0 as usize] = Some(*reply);
        }
    }
    (outcomes.into_iter().map(|one| one.expect("every walk ends")).collect(), sim.digest())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn processes_walk_as_the_function_does(seed in any::<u64>(), ends in prop::collection::vec((any::<u32>(), any::<u32>()), 1..12)) {
        for world in worlds(seed) {
            let nodes = world.nodes() as u32;
            let pairs: Vec<(u32, u32)> = ends.iter().map(|(from, to)| (from % nodes, to % nodes)).collect();
            let expected: Vec<Outcome> =
                pairs.iter().map(|(from, to)| walk(&world, u64::from(*from), u64::from(*to))).collect();
            prop_assert_eq!(simulated(world, &pairs, seed).0, expected);
        }
    }

    #[test]
    fn each_hop_is_nearer(seed in any::<u64>(), from in any::<u64>(), to in any::<u64>()) {
        for world in worlds(seed) {
            let (mut at, target) = (from % world.nodes(), to % world.nodes());
            while let Some(next) = world.next_hop(at, target) {
                prop_assert!(world.distance(next, target) < world.distance(at, target));
                at = next;
            }
            // Everybody knows somebody nearer in these worlds.
            let may_be_stuck = matches!(world, World::Placed { .. });
            prop_assert!(at == target || may_be_stuck);
        }
    }
}

#[test]
fn a_walk_that_meets_nobody_nearer_is_stuck_and_says_so() {
    // On a ring with a gap, the short way round leads to the edge of the gap.
    let whole = World::Placed { graph: ring(10) };
    assert_eq!(walk(&whole, 0, 3), Outcome { arrived: true, hops: 3 });
    let edges: Vec<(u32, u32)> =
        (0..10).map(|node| (node, (node + 1) % 10)).filter(|edge| edge.0 != 1).collect();
    let gap = World::Placed { graph: Graph::from_edges(10, &edges) };
    let stuck = Outcome { arrived: false, hops: 1 };
    assert_eq!(walk(&gap, 0, 3), stuck);
    assert_eq!(simulated(gap, &[(0, 3)], 1).0, [stuck]);
}

#[test]
fn fingers_halve_the_distance_with_every_hop() {
    let world = World::Fingers { nodes: 1 << 20 };
    // As many hops as the distance has bits set.
    for target in [1u64, 0b1011, (1 << 20) - 1] {
        assert_eq!(walk(&world, 0, target).hops, target.count_ones());
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let pairs: Vec<(u32, u32)> = (0..100).map(|index| (index, (index * 7 + 3) % 120)).collect();
    let digests: Vec<u128> = worlds(5).into_iter().map(|world| simulated(world, &pairs, 5).1).collect();
    let pinned: Vec<String> = digests.iter().map(|digest| format!("{digest:032x}")).collect();
    isles_golden::file("tests/search/digests.txt", &(pinned.join("\n") + "\n"));
}
