//! The state spaces of Stateright 0.31, reached exactly: its own tests and measured runs of its examples give the numbers.

use isles_explore::{Explorer, Report, Scenario};
use isles_kernel::Protocol;

use crate::models::{abd, paxos, register, single_copy, two_phase_commit};

fn counts<P: Protocol + Sync>(scenario: Scenario<P>) -> (u64, u64, u32) {
    let Report { states, generated, depth, .. } = explorer(scenario).whole().breadth_first();
    (states, generated, depth)
}

fn explorer<P: Protocol + Sync>(scenario: Scenario<P>) -> Explorer<P> {
    Explorer::new(scenario).expect("a possible scenario")
}

#[test]
fn two_phase_commit_has_the_known_states() {
    assert_eq!(counts(two_phase_commit::scenario(3, None)).0, 288);
    assert_eq!(counts(two_phase_commit::scenario(5, None)).0, 8_832);
    // Stateright counts an initial state as depth 1.
    assert_eq!(counts(two_phase_commit::scenario(7, None)), (296_448, 2_744_706, 22));
}

fn paxos(clients: u32) -> Scenario<paxos::Paxos> {
    register::scenario(3, clients, paxos::Config { servers: 3, mistake: None })
}

#[test]
fn paxos_has_the_known_states() {
    assert_eq!(counts(paxos(2)), (16_668, 32_971, 20));
}

#[test]
fn registers_have_the_known_states() {
    assert_eq!(counts(register::scenario::<single_copy::SingleCopy>(1, 2, ())).0, 93);
    let config = abd::Config { servers: 2, mistake: None };
    assert_eq!(counts(register::scenario::<abd::Abd>(2, 2, config)).0, 544);
}

#[test]
fn a_depth_first_search_reaches_the_same_states() {
    let report = explorer(paxos(2)).depth_first();
    assert_eq!((report.states, report.generated), (16_668, 32_971));
    assert!(report.is_proof(), "{report}");
    let sleeping = explorer(paxos(2)).sleep_sets().depth_first();
    assert_eq!(sleeping.states, 16_668);
    assert!(sleeping.generated < report.generated && sleeping.is_proof(), "{sleeping}");
}

#[test]
fn orbits_are_counted_exactly() {
    for (resources, orbits) in [(3, 80), (5, 314), (7, 920), (9, 2_232), (12, 6_656)] {
        let scenario = two_phase_commit::scenario(resources, None);
        let scenario = scenario.symmetric((1..=resources).map(isles_kernel::ProcessId));
        let report = explorer(scenario).breadth_first();
        assert_eq!(report.states, orbits, "{resources} resource managers");
        assert!(report.is_proof(), "{report}");
    }
}
