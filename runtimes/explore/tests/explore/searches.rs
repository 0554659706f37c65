//! Searches by chance and by few bits: what they promise, and that nothing depends on threads.

use isles_explore::{
    Answer, Budget, Chance, Faults, Priorities, Property, Report, Scenario, Stopped, Swarm, Walks,
};
use isles_kernel::Protocol;

use crate::models::{paxos, register, two_phase_commit};
use crate::world::{Do, Puppet, Seen, explorer, puppets};

fn failures<P: Protocol>(report: &Report<P>) -> usize {
    report.findings.iter().filter(|finding| finding.answer.is_bad()).count()
}

/// Four messages, of which the last must come first, and the first after the third: two constraints.
fn orders(constraints: usize) -> Scenario<Puppet> {
    let begin = vec![(1..=4).map(|n| Do::Cast(1, n)).collect(), vec![]];
    puppets(begin).ask(Property::<Puppet>::never("that order", move |view| {
        let seen =
            view.process(isles_kernel::ProcessId(1)).map(|puppet| puppet.seen.clone()).unwrap_or_default();
        let at = |n: u8| seen.iter().position(|seen| *seen == Seen::Message(0, n)).unwrap_or(9);
        seen.len() == 4 && at(4) < at(1) && (constraints < 2 || at(3) < at(2))
    }))
}

#[test]
fn priorities_find_bugs_at_least_as_often_as_they_promise() {
    for depth in [1, 2] {
        let mut found = 0;
        let mut promised = 1.0;
        for seed in 0..300 {
            let priorities = Priorities { count: 1, steps: 4, depth, seed };
            let report = explorer(orders(depth as usize)).priorities(priorities);
            let chance = report.chance.expect("it is promised");
            promised = chance.probability();
            assert!(matches!(chance, Chance::Priorities { threads: 4, steps: 4, .. }), "{chance:?}");
            found += failures(&report);
        }
        let expected = 0.25f64.powi(depth.cast_signed());
        assert!((promised - expected).abs() < 1e-12, "{promised}");
        assert!(found as f64 / 300.0 > promised, "{found} of 300");
    }
}

#[test]
fn priorities_find_what_is_there_and_prove_nothing() {
    let priorities = Priorities { count: 400, steps: 60, depth: 2, seed: 3 };
    let found = explorer(two_phase_commit::scenario(4, Some(two_phase_commit::Mistake::Hasty)))
        .priorities(priorities);
    let trace = found.answer("consistent").and_then(Answer::trace).expect("it is found");
    let decided = explorer(two_phase_commit::scenario(4, Some(two_phase_commit::Mistake::Hasty)))
        .replay(trace)
        .expect("it is possible");
    assert!(decided.contains(&"consistent".to_owned()));
    let right = explorer(two_phase_commit::scenario(4, None)).priorities(priorities);
    assert!(failures(&right) == 0 && !right.is_proof() && right.stopped == Some(Stopped::Random));
    assert!(right.to_string().contains("to show a bug of depth 2"), "{right}");
}

fn swarm(members: u32, bits: u32) -> Swarm {
    Swarm { members, bits, hashes: 3, steps: 100, seed: 5 }
}

#[test]
fn a_table_with_room_meets_all_states_and_one_without_says_what_it_missed() {
    let run = |bits| explorer(two_phase_commit::scenario(5, None)).swarm(swarm(1, bits));
    let roomy = run(24);
    let all = explorer(two_phase_commit::scenario(5, None)).breadth_first();
    assert_eq!((roomy.states, roomy.generated), (8_832, all.generated));
    assert!(roomy.chance.is_some_and(|chance| chance.probability() < 1e-6) && !roomy.is_proof(), "{roomy}");
    assert_eq!(roomy.stopped, Some(Stopped::Bitstate));
    let narrow = run(13);
    assert!(
        narrow.states < 8_000 && narrow.chance.is_some_and(|chance| chance.probability() > 0.1),
        "{narrow}"
    );
}

#[test]
fn a_swarm_finds_what_its_members_alone_miss() {
    let scenario = || two_phase_commit::scenario(6, Some(two_phase_commit::Mistake::Hasty));
    let alone = |seed| explorer(scenario()).swarm(Swarm { seed, ..swarm(1, 10) });
    assert!((0..3).any(|seed| failures(&alone(seed)) == 0), "a table so small misses it");
    let together = explorer(scenario()).swarm(swarm(40, 10));
    let trace = together.answer("consistent").and_then(Answer::trace).expect("it is found");
    assert!(explorer(scenario()).replay(trace).expect("it is possible").contains(&"consistent".to_owned()));
}

fn same_for_all_threads<P: Protocol + Sync>(scenario: impl Fn() -> Scenario<P>) {
    let walks = Walks { count: 300, steps: 40, seed: 2 };
    let priorities = Priorities { count: 300, steps: 40, depth: 3, seed: 2 };
    let run = |threads: usize| {
        let mut explorer = explorer(scenario()).threads(threads).whole();
        (explorer.random(walks), explorer.priorities(priorities), explorer.swarm(swarm(11, 14)))
    };
    let one = run(1);
    for threads in [2, 5] {
        assert!(run(threads) == one, "{threads} threads");
    }
    let first = |threads| explorer(scenario()).threads(threads).random(walks);
    assert!(first(4) == first(1));
}

#[test]
fn nothing_depends_on_threads() {
    same_for_all_threads(|| two_phase_commit::scenario(5, Some(two_phase_commit::Mistake::Hasty)));
    same_for_all_threads(|| {
        register::scenario::<paxos::Paxos>(
            3,
            2,
            paxos::Config { servers: 3, mistake: Some(paxos::Mistake::Forgetful) },
        )
    });
    same_for_all_threads(|| Scenario {
        faults: Faults {
            crashes: Budget::UpTo(1),
            restarts: Budget::UpTo(1),
            losses: Budget::UpTo(1),
            ..Faults::default()
        },
        ..puppets(vec![
            vec![Do::Watch(1), Do::Send(1, 1), Do::Persist(1), Do::Cast(2, 2)],
            vec![Do::Send(0, 3), Do::Arm(1), Do::Choose(3)],
            vec![Do::Send(0, 4), Do::Cast(1, 5)],
        ])
    });
}
