//! QUO-01 to QUO-03: what quorums promise, and what the register of textbooks does not keep.

use isles_explorations::scenarios::abd_register;
use isles_explorations::scenarios::voting::{Parameters, at, in_turn, scenario};
use isles_quorum::register::Op;
use isles_quorum::{abd, voting};

use crate::{explore, failures};

#[test]
fn the_naive_register_has_two_values_of_one_version_and_the_shipped_one_has_not() {
    let naive = Some(voting::Mistake::Naive);
    for (parameters, steps) in [(Parameters::parted(), 8), (Parameters::default(), 6)] {
        let report = explore(scenario(Parameters { mistake: naive, ..parameters.clone() }));
        let failure = report.failure().expect("it is flawed");
        assert_eq!(failure.property, "no two values have one version");
        assert_eq!(failure.answer.trace().map(|trace| trace.steps.len()), Some(steps));
        let shipped = explore(scenario(parameters));
        assert!(shipped.is_proof(), "{shipped}");
    }
}

#[test]
fn every_mistake_shows_in_its_smallest_case() {
    use voting::Mistake::{LosesDecision, LosesPrepared, Naive, OwnVersion, PassesLocks};
    for mistake in [Naive, PassesLocks, LosesPrepared, LosesDecision, OwnVersion] {
        let report = explore(scenario(Parameters::showing(mistake)));
        assert!(report.failure().is_some(), "{mistake:?}: {report}");
    }
    use abd::Mistake::{HalfQuorum, LosesStored, SharedVersion, SkipsWriteBack};
    for mistake in [HalfQuorum, LosesStored, SharedVersion, SkipsWriteBack] {
        let report = explore(abd_register::scenario(abd_register::Parameters::showing(mistake)));
        assert!(report.failure().is_some(), "{mistake:?}: {report}");
    }
    let report = explore(abd_register::scenario(abd_register::Parameters::default()));
    assert!(report.is_proof() && report.states == 54_863, "{report}");
}

#[test]
fn quorums_have_to_meet() {
    let clients = in_turn(&[at(0, Op::Write(1)), at(2, Op::Read)]);
    let stale = Parameters { read: 1, clients, ..Parameters::default() };
    assert_eq!(failures(scenario(stale)), ["linearizable"]);
    let clients = in_turn(&[at(0, Op::Write(1)), at(2, Op::Write(2))]);
    let equal = Parameters { votes: vec![1; 4], read: 3, clients, ..Parameters::default() };
    let broken = failures(scenario(equal));
    assert!(broken.contains(&"no two values have one version".to_owned()), "{broken:?}");
}
