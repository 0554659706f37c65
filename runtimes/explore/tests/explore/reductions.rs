//! Searches and reductions agree, and nothing depends on the number of threads.

use isles_explore::{Answer, Budget, Explorer, Faults, Property, Report, Scenario, Stopped, Walks};
use isles_kernel::{ProcessId, Protocol};

use crate::models::{abd, paxos, register, single_copy, two_phase_commit};
use crate::world::{Do, Puppet, Seen, explorer, puppets};

fn hasty() -> Scenario<two_phase_commit::Manager> {
    two_phase_commit::scenario(4, Some(two_phase_commit::Mistake::Hasty))
}

fn forgetful() -> Scenario<paxos::Paxos> {
    register::scenario(3, 2, paxos::Config { servers: 3, mistake: Some(paxos::Mistake::Forgetful) })
}

fn divided() -> Scenario<single_copy::SingleCopy> {
    register::scenario(2, 2, ())
}

/// Names of properties that were found to fail.
fn failures<P: Protocol>(report: &Report<P>) -> Vec<&str> {
    let bad = report.findings.iter().filter(|finding| finding.answer.is_bad());
    bad.map(|finding| finding.property.as_str()).collect()
}

fn same_for_all_threads<P: Protocol + Sync>(scenario: impl Fn() -> Scenario<P>, bound: u64) {
    let run = |threads| explorer(scenario()).threads(threads).states(bound).breadth_first();
    let one = run(1);
    for threads in [2, 3, 7] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}

#[test]
fn counts_verdicts_and_counterexamples_are_the_same_for_any_number_of_threads() {
    same_for_all_threads(|| two_phase_commit::scenario(6, None), u64::MAX);
    same_for_all_threads(|| two_phase_commit::scenario(6, None), 20_000);
    same_for_all_threads(hasty, u64::MAX);
    same_for_all_threads(forgetful, u64::MAX);
    same_for_all_threads(divided, u64::MAX);
    same_for_all_threads(|| hasty().symmetric((1..=4).map(ProcessId)), u64::MAX);
}

fn searches_agree<P: Protocol + Sync>(scenario: impl Fn() -> Scenario<P>) {
    let breadth = explorer(scenario()).whole().breadth_first();
    for sleep in [false, true] {
        let explorer = explorer(scenario()).whole();
        let report = if sleep { explorer.sleep_sets() } else { explorer }.depth_first();
        assert_eq!(report.states, breadth.states, "sleep sets: {sleep}");
        assert_eq!(failures(&report), failures(&breadth), "sleep sets: {sleep}");
        if sleep {
            assert!(report.generated < breadth.generated, "{report}");
        } else {
            assert_eq!(report.generated, breadth.generated);
        }
    }
}

#[test]
fn all_searches_reach_the_same_states_and_verdicts() {
    searches_agree(|| two_phase_commit::scenario(4, None));
    searches_agree(hasty);
    searches_agree(forgetful);
    searches_agree(divided);
    let faults = || Faults { crashes: Budget::UpTo(1), restarts: Budget::UpTo(1), ..Faults::default() };
    searches_agree(|| Scenario {
        faults: faults(),
        ..puppets(vec![
            vec![Do::Watch(1), Do::Send(1, 1), Do::Persist(1), Do::Cast(2, 2)],
            vec![Do::Send(0, 3), Do::Arm(1)],
            vec![Do::Send(0, 4), Do::Send(1, 5)],
        ])
    });
}

fn ample_agrees<P: Protocol + Sync>(scenario: impl Fn() -> Scenario<P>) -> (u64, u64) {
    let whole = explorer(scenario()).whole().breadth_first();
    let reduced = explorer(scenario()).whole().ample_sets().breadth_first();
    let depth = explorer(scenario()).whole().ample_sets().depth_first();
    for report in [&reduced, &depth] {
        assert_eq!(failures(report), failures(&whole), "{report}");
        assert!(report.states <= whole.states && report.stopped == whole.stopped);
        for finding in &report.findings {
            if let Some(trace) = finding.answer.trace() {
                let decided = explorer(scenario()).replay(trace).expect("it is a behaviour of the whole");
                assert!(decided.contains(&finding.property));
            }
        }
    }
    for threads in [2, 5] {
        let report = explorer(scenario()).whole().ample_sets().threads(threads).breadth_first();
        assert_eq!(report, reduced, "{threads} threads");
    }
    (whole.states, reduced.states)
}

#[test]
fn ample_sets_change_no_verdict() {
    ample_agrees(|| two_phase_commit::scenario(4, None));
    ample_agrees(hasty);
    ample_agrees(forgetful);
    ample_agrees(divided);
    ample_agrees(|| register::scenario::<single_copy::SingleCopy>(1, 3, ()));
    for mistake in [None, Some(abd::Mistake::SkipsWriteBack)] {
        let config = abd::Config { servers: 2, mistake };
        ample_agrees(|| register::scenario::<abd::Abd>(2, 2, config));
    }
    ample_agrees(|| {
        puppets(vec![
            vec![Do::Arm(1), Do::Send(1, 1), Do::Send(1, 2), Do::Cast(2, 3)],
            vec![Do::Arm(2), Do::Choose(2)],
            vec![Do::Rearm(1), Do::Cast(1, 5)],
        ])
        .client(vec![(ProcessId(2), vec![Do::Cast(1, 7), Do::Reply(1)])])
        .ask(Property::<Puppet>::never("the client's first", |view| {
            view.process(ProcessId(1)).is_some_and(|puppet| puppet.seen.contains(&Seen::Message(2, 7)))
        }))
    });
}

/// One process tells eleven others one thing each: whoever is only asked about one need not see all interleavings.
#[test]
fn ample_sets_leave_out_what_nobody_asks_about() {
    let begin = || -> Vec<Vec<Do>> {
        let tell = |to: u32| Do::Cast(to, 3);
        std::iter::once((1..=11).map(tell).collect()).chain((0..11).map(|_| vec![])).collect()
    };
    let last = |seen: &[Seen]| seen.first() == Some(&Seen::Message(0, 3));
    let one = move || {
        puppets(begin()).ask(Property::<Puppet>::never("the last comes first", move |view| {
            view.process(ProcessId(2)).is_some_and(|puppet| last(&puppet.seen))
        }))
    };
    let (whole, reduced) = ample_agrees(one);
    assert_eq!(whole, 1 << 11);
    assert!(reduced * 50 < whole, "{reduced} of {whole}");
    // Asked about all of them nothing can be left out; and a mistake is found that needs two.
    let two = move || {
        puppets(begin()).ask(Property::<Puppet>::never("twice the last first", move |view| {
            view.live().filter(|(_, puppet)| last(&puppet.seen)).count() > 1
        }))
    };
    let (whole, reduced) = ample_agrees(two);
    assert_eq!(whole, reduced);
}

/// A process that remembers all that it saw, in order: no local state comes twice.
#[test]
fn what_never_comes_again_is_forgotten_and_changes_nothing() {
    let scenario = || {
        puppets(vec![(0..7).map(Do::Arm).collect()]).ask(Property::<Puppet>::reachable("backwards", |view| {
            let is = |n: u8| {
                view.process(ProcessId(0))
                    .is_some_and(|puppet| puppet.seen.get(usize::from(6 - n)) == Some(&Seen::Timer(n)))
            };
            (0..7).all(is)
        }))
    };
    let forgetful = explorer(scenario()).breadth_first();
    let other = explorer(scenario()).depth_first();
    // All sequences of some of seven timers.
    assert_eq!((forgetful.states, forgetful.generated), (13_700, other.generated));
    assert!(forgetful.forgotten > 3_000 && other.forgotten == 0, "{}", forgetful.forgotten);
    let trace = forgetful.answer("backwards").and_then(Answer::trace).expect("it is reachable");
    assert_eq!(explorer(scenario()).replay(trace).expect("it is possible"), ["backwards"]);
    same_for_all_threads(scenario, u64::MAX);
}

#[test]
fn symmetry_changes_counts_and_no_verdict() {
    for resources in 2..6 {
        let scenario = |mistake: Option<two_phase_commit::Mistake>, symmetric: bool| {
            let scenario = two_phase_commit::scenario(resources, mistake);
            if symmetric { scenario.symmetric((1..=resources).map(ProcessId)) } else { scenario }
        };
        for mistake in [None, Some(two_phase_commit::Mistake::Hasty)] {
            let whole = explorer(scenario(mistake, false)).whole().breadth_first();
            let orbits = explorer(scenario(mistake, true)).whole().breadth_first();
            assert!(orbits.states < whole.states);
            assert_eq!(orbits.depth, whole.depth);
            assert_eq!(failures(&orbits), failures(&whole));
            assert_eq!(failures(&whole).is_empty(), mistake.is_none(), "the mistake shows");
            let depth = explorer(scenario(mistake, true)).whole().depth_first();
            assert_eq!(depth.states, orbits.states);
        }
    }
}

/// Processes on a ring tell their neighbours; the ring's rotations are symmetries of the whole, but exchanging two
/// processes is none.
#[test]
fn what_does_not_start_alike_is_not_exchanged() {
    let scenario = puppets(vec![vec![Do::Cast(1, 1)], vec![Do::Cast(2, 1)], vec![Do::Cast(0, 1)]]);
    let refused = Explorer::new(scenario.symmetric((0..3).map(ProcessId))).err().expect("refused");
    assert!(refused.to_string().contains("do not start alike"), "{refused}");
}

impl isles_explore::Rename for Puppet {
    fn rename(&self, by: &isles_explore::Renaming) -> Self {
        let rename = |seen: &Seen| match seen {
            Seen::Message(from, n) => Seen::Message(by.of(ProcessId(*from)).0, *n),
            Seen::Broken(peer) => Seen::Broken(by.of(ProcessId(*peer)).0),
            Seen::Timer(_) | Seen::Record(_) | Seen::Choice(_) => *seen,
        };
        Self { seen: self.seen.iter().map(rename).collect() }
    }

    fn rename_msg(msg: &u8, _: &isles_explore::Renaming) -> u8 {
        *msg
    }
}

/// Everybody sends to everybody: what was seen is an order, so that processes that look alike one by one are not always
/// alike together. Orbits are counted by hand, over all renamings.
#[test]
fn orbits_are_exact_where_looks_alone_do_not_tell() {
    let everybody: Vec<Vec<Do>> =
        (0..3).map(|me| (0..3).filter(|to| *to != me).map(|to| Do::Cast(to, 1)).collect()).collect();
    let whole = explorer(puppets(everybody.clone())).breadth_first();
    let orbits = explorer(puppets(everybody).symmetric((0..3).map(ProcessId))).breadth_first();
    // Each process has seen nothing, one of two, or both in one of two orders: 5^3 states. By Burnside's lemma there are
    // (125 + 3 · 5 + 2 · 5) / 6 orbits: an exchange of two fixes those in which they mirror each other (5) and the third has
    // seen nothing (1), and a rotation those in which all have seen the same (5).
    assert_eq!((whole.states, orbits.states), (125, (125 + 3 * 5 + 2 * 5) / 6));
}

#[test]
fn bounds_are_kept_and_told() {
    let deep = explorer(two_phase_commit::scenario(5, None)).depth(5).breadth_first();
    assert_eq!((deep.stopped, deep.depth), (Some(Stopped::AtDepth(5)), 5));
    assert_eq!(deep.answer("consistent"), Some(&Answer::Undecided));
    assert!(!deep.is_proof() && deep.to_string().contains("not continued"));
    let few = explorer(two_phase_commit::scenario(5, None)).states(1_000).breadth_first();
    assert!(few.states > 1_000 && few.stopped == Some(Stopped::AtStates(1_000)));
    let exact = explorer(two_phase_commit::scenario(3, None)).depth(10).breadth_first();
    assert_eq!(
        (exact.states, exact.stopped),
        (288, Some(Stopped::AtDepth(10))),
        "nobody looked further: {exact}"
    );
}

#[test]
fn random_behaviours_find_what_is_easy_and_prove_nothing() {
    let walks = Walks { count: 500, steps: 60, seed: 1 };
    let found = explorer(hasty()).random(walks);
    assert_eq!(failures(&found), ["consistent"]);
    assert_eq!(explorer(hasty()).random(walks), found, "the same seed draws the same");
    let right = explorer(two_phase_commit::scenario(4, None)).random(walks);
    assert!(failures(&right).is_empty() && !right.is_proof());
    assert_eq!(right.stopped, Some(Stopped::Random));
}

#[test]
fn the_nearest_violation_is_found_first() {
    let scenario = || {
        puppets(vec![vec![Do::Arm(1), Do::Arm(2), Do::Arm(3)]])
            .ask(Property::<Puppet>::never("two", |view| {
                view.live().any(|(_, puppet)| puppet.seen.len() >= 2 && puppet.seen[0] == Seen::Timer(3))
            }))
    };
    let trace =
        |report: &Report<Puppet>| report.answer("two").and_then(Answer::trace).map(|trace| trace.steps.len());
    assert_eq!(trace(&explorer(scenario()).breadth_first()), Some(2));
    assert!(trace(&explorer(scenario()).depth_first()).is_some_and(|steps| steps >= 2));
}
