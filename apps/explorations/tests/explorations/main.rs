//! Explorations by protocol: what holds is proved, and what is known to be wrong is found.

mod consensus;
mod gossip;
mod memories;
mod planted;
mod registers;
mod trees;

use isles_explore::{Explorer, Report, Scenario};
use isles_kernel::Protocol;

/// Breadth-first, to the first violation or the end.
fn explore<P: Protocol + Sync>(scenario: Scenario<P>) -> Report<P> {
    Explorer::new(scenario).expect("a possible scenario").breadth_first()
}

/// All properties that fail, in all states.
fn failures<P: Protocol + Sync>(scenario: Scenario<P>) -> Vec<String> {
    let report = Explorer::new(scenario).expect("a possible scenario").whole().breadth_first();
    let bad = report.findings.iter().filter(|finding| finding.answer.is_bad());
    bad.map(|finding| finding.property.clone()).collect()
}
