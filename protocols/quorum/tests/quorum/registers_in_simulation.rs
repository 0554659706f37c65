//! Registers with faults, judged by what their clients saw.

use isles_quorum::abd::{self, Abd};
use isles_quorum::register::Reply;
use isles_quorum::voting::{Config, Mistake, Voting};

use crate::world::{faults, is_linearizable, run};

/// Vote assignments with their quorums: a majority, read one and write all, a heavy copy, and a weak one.
const ASSIGNMENTS: [([u32; 4], u32, u32); 4] =
    [([1, 1, 1, 0], 2, 2), ([1, 1, 1, 1], 1, 4), ([2, 1, 1, 1], 2, 4), ([1, 1, 1, 1], 2, 3)];

fn voting(assignment: usize, mistake: Option<Mistake>) -> Config {
    let (votes, read, write) = ASSIGNMENTS[assignment % ASSIGNMENTS.len()];
    Config { mistake, ..Config::new(votes, read, write).expect("quorums meet") }
}

#[test]
fn voting_with_transactions_is_linearizable_whatever_goes_wrong() {
    let (mut done, mut refused) = (0, 0);
    for seed in 1..=40 {
        let run = run::<Voting>(5, voting(seed as usize, None), seed, &faults(5, seed));
        assert!(is_linearizable(&run.entries), "seed {seed}");
        assert_eq!(run.count(|reply| *reply == Reply::Unknown), 0, "seed {seed}");
        done += run.count(|reply| matches!(reply, Reply::Done | Reply::Value(_)));
        refused += run.count(|reply| *reply == Reply::Refused);
        // When all are up again, nobody stays locked.
        assert!(run.sim.live().all(|(_, process)| process.lock().is_none()), "seed {seed}");
        assert!(run.sim.live().all(|(_, process)| process.open() == 0), "seed {seed}");
    }
    assert!(done > refused && refused > 0, "{done} done, {refused} refused");
}

#[test]
fn the_naive_register_is_not() {
    let wrong = (1..=10).filter(|seed| {
        let config = voting(*seed as usize, Some(Mistake::Naive));
        !is_linearizable(&run::<Voting>(5, config, *seed, &faults(5, *seed)).entries)
    });
    let wrong = wrong.count();
    assert!(wrong > 5, "{wrong} of 10");
}

#[test]
fn abd_is_linearizable_whatever_goes_wrong() {
    let mut done = 0;
    for seed in 1..=40 {
        let run = run::<Abd>(5, abd::Config::new(3), seed, &faults(5, seed));
        assert!(is_linearizable(&run.entries), "seed {seed}");
        assert!(run.sim.live().all(|(_, process)| process.open() == 0), "seed {seed}");
        done += run.count(|reply| matches!(reply, Reply::Done | Reply::Value(_)));
    }
    assert!(done > 1_000, "{done}");
}

#[test]
fn without_a_write_back_abd_is_not() {
    let config = abd::Config { mistake: Some(abd::Mistake::SkipsWriteBack), ..abd::Config::new(3) };
    let wrong =
        (1..=40).filter(|seed| !is_linearizable(&run::<Abd>(5, config, *seed, &faults(5, *seed)).entries));
    let wrong = wrong.count();
    assert!(wrong > 0);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let voted = |seed| run::<Voting>(5, voting(0, None), seed, &faults(5, seed)).sim.digest();
    let naive = |seed| run::<Voting>(5, voting(0, Some(Mistake::Naive)), seed, &faults(5, seed)).sim.digest();
    let stored = |seed| run::<Abd>(5, abd::Config::new(3), seed, &faults(5, seed)).sim.digest();
    let pinned: Vec<String> = (1..=3)
        .map(|seed| {
            let (voted, naive, stored) = (voted(seed), naive(seed), stored(seed));
            format!("{seed} voting {voted:032x} naive {naive:032x} abd {stored:032x}\n")
        })
        .collect();
    isles_golden::file("tests/quorum/digests.txt", &pinned.concat());
    assert_eq!(voted(1), voted(1));
    assert_ne!(voted(1), voted(2));
}
