//! FLP: a bivalent beginning, a fair run in which nobody decides, and the leader that ends it.

use isles_explorations::scenarios::consensus::{ben_or, paxos};
use isles_explore::{Answer, Explorer, Report, Scenario};
use isles_kernel::{ProcessId, Protocol};

use crate::explore;

/// All states within a bound, past violations.
fn whole<P: Protocol + Sync>(scenario: Scenario<P>, states: u64) -> Report<P> {
    Explorer::new(scenario).expect("a possible scenario").states(states).whole().breadth_first()
}

/// From one beginning both decisions are reachable, and somewhere on the way a loop that delivers everything decides nothing.
fn is_bivalent_and_undecided<P: Protocol + Sync>(report: &Report<P>) -> usize {
    for decision in ["0 is decided", "1 is decided"] {
        assert!(matches!(report.answer(decision), Some(Answer::Reached(_))), "{report}");
    }
    assert!(!report.answer("one value is decided").is_some_and(Answer::is_bad), "{report}");
    let lasso =
        report.answer("somebody decides").and_then(Answer::trace).unwrap_or_else(|| panic!("{report}"));
    assert!(lasso.loop_start < lasso.steps.len(), "it goes on for ever: {}", lasso.to_text());
    lasso.steps.len() - lasso.loop_start
}

#[test]
fn duelling_proposers_never_decide() {
    let report = whole(paxos::scenario(paxos::Parameters::default()), u64::MAX);
    assert!(report.states == 170 && report.stopped.is_none(), "{report}");
    assert!(!report.answer("ballots cannot be compared").is_some_and(Answer::is_bad), "{report}");
    assert!(is_bivalent_and_undecided(&report) <= 40, "{report}");
}

#[test]
fn a_leader_ends_the_duel() {
    let leader = Some(ProcessId(0));
    let report = explore(paxos::scenario(paxos::Parameters { leader, ..Default::default() }));
    assert!(report.is_proof(), "{report}");
}

#[test]
fn rounds_without_a_coin_need_not_end() {
    let report = whole(ben_or::scenario(ben_or::Parameters::default()), 50_000);
    assert!(is_bivalent_and_undecided(&report) > 0, "{report}");
    // Whoever agrees from the beginning decides that.
    let report =
        explore(ben_or::scenario(ben_or::Parameters { values: vec![1, 1, 1], ..Default::default() }));
    assert!(matches!(report.answer("0 is decided"), Some(Answer::Unreachable)), "{report}");
    assert!(matches!(report.answer("somebody decides"), Some(Answer::Holds)), "{report}");
}

#[test]
fn rounds_with_a_leader_end() {
    let leader = Some(ProcessId(0));
    let report = explore(ben_or::scenario(ben_or::Parameters { leader, ..Default::default() }));
    assert!(report.is_proof() && report.states == 1_969, "{report}");
}

/// That the mistakes with the disk are found is asked of all planted bugs.
#[test]
fn what_is_accepted_survives_a_crash() {
    let report = explore(paxos::scenario(paxos::Parameters { crashes: 1, ..Default::default() }));
    assert!(report.is_proof(), "{report}");
}
