//! Weighted voting in every order: the two flaws of the naive register as shortest counterexamples, and none in what is shipped.

use isles_explore::{Budget, Explorer, Faults, Property, Report, Scenario, Timers, View};
use isles_kernel::ProcessId;
use isles_quorum::register::Op;
use isles_quorum::voting::{Config, Mistake, Voting};

use crate::world::is_linearizable;

const ONE_VALUE: &str = "no two values have one version";

fn one_value() -> Property<Voting> {
    Property::always(ONE_VALUE, |view: &View<'_, Voting>| {
        let held: Vec<_> = view.live().map(|(_, process)| process.holds()).collect();
        held.iter().all(|(version, value)| held.iter().all(|(other, same)| version != other || value == same))
    })
}

/// Three copies of one vote each, of which two are a quorum.
fn config(mistake: Option<Mistake>) -> Config {
    Config { mistake, ..Config::new([1, 1, 1], 2, 2).expect("quorums meet") }
}

fn at(process: u32, op: Op) -> (ProcessId, Op) {
    (ProcessId(process), op)
}

fn asked(scenario: Scenario<Voting>) -> Scenario<Voting> {
    scenario
        .ask(one_value())
        .ask(Property::history("linearizable", is_linearizable))
        .ask(Property::reachable("all operations are answered", |view| view.clients_done()))
}

/// One client, that writes at p0 and then at p1. Nothing is late unless p0 is cut off.
fn parted(mistake: Option<Mistake>, cuts: u8) -> Scenario<Voting> {
    let faults = Faults { cuts: Budget::UpTo(cuts), groups: vec![vec![ProcessId(0)]], ..Faults::default() };
    let scenario = Scenario::<Voting>::new(3, config(mistake));
    asked(Scenario { faults, timers: Timers::WhenQuiet, timeouts: Budget::UpTo(2), ..scenario })
        .client(vec![at(0, Op::Write(1)), at(1, Op::Write(2))])
}

/// Two clients that write at the same time, and nothing goes wrong.
fn concurrent(mistake: Option<Mistake>) -> Scenario<Voting> {
    let scenario = Scenario::<Voting>::new(3, config(mistake));
    asked(Scenario { timeouts: Budget::NONE, ..scenario })
        .client(vec![at(0, Op::Write(1))])
        .client(vec![at(1, Op::Write(2))])
}

fn explore(scenario: Scenario<Voting>) -> Report<Voting> {
    Explorer::new(scenario).expect("a possible scenario").threads(2).breadth_first()
}

/// A client that writes at one process, and one that reads at the two others; processes may crash and come back with their disks.
fn read_back(mistake: Option<Mistake>, crashes: u8, timeouts: u8) -> Scenario<Voting> {
    let budget = Budget::UpTo(crashes);
    let faults = Faults { crashes: budget, restarts: budget, ..Faults::default() };
    let scenario = Scenario::<Voting>::new(3, config(mistake));
    asked(Scenario { faults, timeouts: Budget::UpTo(timeouts), ..scenario })
        .client(vec![at(0, Op::Write(1))])
        .client(vec![at(1, Op::Read), at(2, Op::Read)])
}

/// One client, one thing after the other.
fn in_turn(config: Config, script: &[(ProcessId, Op)], crashes: u8, timeouts: u8) -> Scenario<Voting> {
    let budget = Budget::UpTo(crashes);
    let faults = Faults { crashes: budget, restarts: budget, ..Faults::default() };
    let processes = config.votes.len() as u32;
    let scenario = Scenario::<Voting>::new(processes, config);
    asked(Scenario { faults, timeouts: Budget::UpTo(timeouts), ..scenario }).client(script.to_vec())
}

/// The property that breaks first, and the steps to it; none if all states were looked at and nothing broke.
fn broken(scenario: Scenario<Voting>) -> Option<(String, usize)> {
    let report = explore(scenario);
    let Some(failure) = report.failure() else {
        assert!(report.is_proof(), "{report}");
        return None;
    };
    Some((failure.property.clone(), failure.answer.trace().map_or(0, |trace| trace.steps.len())))
}

fn twice(steps: usize) -> Option<(String, usize)> {
    Some((ONE_VALUE.to_owned(), steps))
}

fn lost(steps: usize) -> Option<(String, usize)> {
    Some(("linearizable".to_owned(), steps))
}

/// QUO-02: a write reaches one copy, the next one finds two others and takes the same version.
#[test]
fn a_partition_leaves_the_naive_register_with_two_values_of_one_version() {
    assert_eq!(broken(parted(Some(Mistake::Naive), 1)), twice(8));
    // It is the partition that does it; and transactions repair it: 242274 states.
    assert_eq!(broken(parted(Some(Mistake::Naive), 0)), None);
    let shipped = explore(parted(None, 1));
    assert!(shipped.is_proof(), "{shipped}");
    assert_eq!(shipped.states, 242_274);
}

/// QUO-03: two writers ask for the version at the same time.
#[test]
fn two_writers_leave_the_naive_register_with_two_values_of_one_version() {
    assert_eq!(broken(concurrent(Some(Mistake::Naive))), twice(6));
    let shipped = explore(concurrent(None));
    assert!(shipped.is_proof(), "{shipped}");
    assert_eq!(shipped.states, 6_068);
}

/// The two counterexamples, step by step.
#[test]
fn the_flaws_are_told_in_few_steps() {
    let mut told = String::new();
    for (name, scenario) in [
        ("A write that reached one copy, and the next one\n", parted(Some(Mistake::Naive), 1)),
        ("\nTwo writers at the same time\n", concurrent(Some(Mistake::Naive))),
    ] {
        let report = explore(scenario);
        let trace = report.failure().and_then(|failure| failure.answer.trace()).expect("it is flawed");
        told += name;
        for line in trace.to_text().lines().filter(|line| !line.trim_start().starts_with("is now")) {
            told += line;
            told.push('\n');
        }
    }
    isles_golden::file("tests/quorum/two-values-of-one-version.txt", &told);
}

/// QUO-01: whoever breaks an inequality sees why it is there.
#[test]
fn quorums_that_do_not_meet_read_what_is_stale_and_use_a_version_twice() {
    let (w1, w2) = (Op::Write(1), Op::Write(2));
    let stale = [at(0, w1), at(2, Op::Read)];
    assert_eq!(broken(in_turn(Config { read: 1, ..config(None) }, &stale, 0, 0)), lost(4));
    assert_eq!(broken(in_turn(config(None), &stale, 0, 0)), None);
    let (four, apart) = (Config::new([1, 1, 1, 1], 3, 3).expect("quorums meet"), [at(0, w1), at(2, w2)]);
    assert_eq!(broken(in_turn(Config { write: 2, ..four.clone() }, &apart, 0, 0)), twice(6));
    assert_eq!(broken(in_turn(four, &apart, 0, 0)), None);
    // Votes 2, 1, 1 with r = 2: the heavy copy alone is a read quorum, and the light ones together are another.
    let heavy = Config::new([2, 1, 1], 2, 3).expect("quorums meet");
    assert_eq!(broken(in_turn(heavy.clone(), &[at(1, w1), at(2, w2), at(1, Op::Read)], 0, 0)), None);
    assert_eq!(broken(in_turn(Config { read: 1, ..heavy }, &stale, 0, 0)), lost(4));
}

#[test]
fn readers_wait_for_locks_or_see_the_old_value_after_the_new() {
    assert_eq!(broken(read_back(None, 0, 0)), None);
    assert_eq!(broken(read_back(Some(Mistake::PassesLocks), 0, 0)), lost(6));
    assert_eq!(
        broken(in_turn(config(Some(Mistake::OwnVersion)), &[at(0, Op::Write(1)), at(2, Op::Write(2))], 0, 0)),
        twice(7)
    );
}

/// Any process may crash at any moment, and come back with what is on its disk.
#[test]
fn what_was_acknowledged_survives_a_crash_because_it_is_on_disk() {
    let script = [at(0, Op::Write(1)), at(1, Op::Read)];
    assert_eq!(broken(in_turn(config(Some(Mistake::LosesPrepared)), &script, 1, 0)), lost(11));
    assert_eq!(broken(in_turn(config(Some(Mistake::LosesDecision)), &script, 1, 1)), lost(13));
    assert_eq!(broken(in_turn(config(None), &script, 1, 1)), None);
    let shipped = explore(read_back(None, 1, 0));
    assert!(shipped.is_proof(), "{shipped}");
    assert_eq!(shipped.states, 1_229_337);
}
