//! Every claim, with its control, at small effort.

use isles_lab::claims::{Effort, all, select};

#[test]
fn every_claim_is_shown_and_its_control_fails() {
    for claim in all() {
        let finding = (claim.run)(&Effort { quick: true, threads: 2 })
            .unwrap_or_else(|why| panic!("{}: {why}", claim.id));
        assert!(finding.holds, "{} does not hold: {}", claim.id, finding.measured);
        assert!(finding.control_fails, "the control of {} does not fail: {}", claim.id, finding.measured);
    }
}

#[test]
fn a_finding_does_not_depend_on_the_number_of_threads() {
    let claim = all().find(|claim| claim.id == "GOS-03").expect("it is registered");
    let with = |threads| (claim.run)(&Effort { quick: true, threads }).expect("it runs");
    let (one, two) = (with(1), with(2));
    assert_eq!((one.holds, one.measured), (two.holds, two.measured));
}

#[test]
fn ids_are_found_by_their_beginning_and_unknown_ones_are_told() {
    let ids = |wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        select(&wanted).map(|claims| claims.iter().map(|claim| claim.id).collect::<Vec<_>>())
    };
    assert_eq!(ids(&["gos-0"]).map(|found| found.len()), Ok(6));
    assert_eq!(ids(&["MUS-33", "GOS-02"]), Ok(vec!["GOS-02", "MUS-33"]));
    assert_eq!(ids(&["GOS-02", "XYZ"]), Err("XYZ".to_owned()));
    assert_eq!(ids(&["é"]), Err("é".to_owned()));
}

#[test]
fn ids_are_unique_and_every_claim_says_what_its_control_is() {
    let mut ids: Vec<&str> = all().map(|claim| claim.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(
        all().all(|claim| !claim.control.is_empty()
            && !claim.source.is_empty()
            && !claim.statement.is_empty())
    );
}
