//! Each planted bug is found, and the protocols as they are shipped survive the same searches.

use isles_explorations::planted::{Bound, PLANTED, Strategy, examine, table};

#[test]
fn planted_bugs_are_found_and_shipped_protocols_survive() {
    let bound = Bound { states: 400_000, behaviours: 500, seconds: 4.0 };
    let strategies = [Strategy::Exhaustive, Strategy::Reduced, Strategy::Random];
    let rows: Vec<_> = PLANTED.iter().map(|planted| examine(planted, &strategies, bound, 1)).collect();
    for row in &rows {
        assert!(row.is_found(), "{} is not found", row.planted.name);
        assert!(row.is_survived(), "{}: the shipped protocol fails, too", row.planted.name);
    }
    assert!(rows.len() >= 25);
    let text = table(&rows);
    assert!(text.contains(&format!("{0} of {0} found by at least one search", rows.len())), "{text}");
}

#[test]
fn names_are_used_once() {
    let mut names: Vec<&str> = PLANTED.iter().map(|planted| planted.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PLANTED.len());
}
