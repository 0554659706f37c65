//! What is planted in the models is found: a search that misses it would miss the same elsewhere.

use isles_explore::{Answer, Scenario};
use isles_kernel::Protocol;

use crate::models::{abd, paxos, two_phase_commit};
use crate::world::explorer;

/// The steps of a shortest counterexample.
fn steps<P: Protocol + Sync>(scenario: Scenario<P>) -> Option<usize> {
    let report = explorer(scenario).breadth_first();
    assert!(report.failure().is_none_or(|failure| failure.property != "value chosen"), "{report}");
    report.failure().and_then(|failure| Answer::trace(&failure.answer)).map(|trace| trace.steps.len())
}

#[test]
fn mistakes_of_two_phase_commit_are_found() {
    use two_phase_commit::Mistake::{AbortsPrepared, CountsMessages, Hasty, StaleTimer};
    let found = |mistake| steps(two_phase_commit::scenario(3, Some(mistake)));
    assert_eq!(
        [Hasty, CountsMessages, StaleTimer, AbortsPrepared].map(found),
        [Some(7), Some(7), Some(10), Some(9)]
    );
}

#[test]
fn mistakes_of_paxos_are_found() {
    use paxos::Mistake::{Forgetful, HalfQuorum, NoPromise, Oldest, SilentPromise};
    let found = |mistake| {
        let mut scenario = paxos::showing(mistake);
        scenario.properties.retain(|property| property.name() == "one value is chosen");
        steps(scenario)
    };
    assert_eq!(
        [Forgetful, NoPromise, SilentPromise, HalfQuorum, Oldest].map(found),
        [12, 12, 12, 12, 15].map(Some)
    );
}

#[test]
fn mistakes_of_the_majority_register_are_found() {
    use abd::Mistake::{AnswersEarly, HalfQuorum, NoVersions, OwnVersion, SkipsWriteBack};
    let all = [SkipsWriteBack, HalfQuorum, OwnVersion, NoVersions, AnswersEarly];
    assert_eq!(all.map(|mistake| steps(abd::showing(mistake))), [11, 12, 18, 19, 10].map(Some));
    let shipped = |mistake| {
        let scenario = abd::showing(mistake);
        let config = abd::Config { mistake: None, ..*scenario.config };
        let report = explorer(Scenario { config: config.into(), ..scenario }).breadth_first();
        assert!(report.is_proof(), "{mistake:?}: {report}");
    };
    all.into_iter().for_each(shipped);
}
