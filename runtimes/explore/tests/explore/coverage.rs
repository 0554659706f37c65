//! What a search made use of, and how it is watched and ended.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use isles_explore::{Disk, Explorer, Sort, Stopped, Swarm, Walks};

use crate::models::{single_copy, two_phase_commit};

#[test]
fn what_was_never_met_is_told() {
    let whole = |depth| {
        let mut explorer =
            Explorer::new(two_phase_commit::scenario(2, None)).expect("a possible scenario").depth(depth);
        explorer.breadth_first();
        explorer.coverage()
    };
    let coverage = whole(u32::MAX);
    assert_eq!(coverage.never().count(), 0, "{coverage}");
    let steps = |sort, kind: &str| {
        let row = coverage.rows.iter().find(|row| row.sort == sort && row.kind == kind);
        row.unwrap_or_else(|| panic!("no {kind} in {coverage}")).steps
    };
    // Each of two resource managers prepares once.
    assert_eq!(steps(Sort::Sent, "Prepared"), 2);
    assert!(steps(Sort::Message, "Decided.Commit") >= 2);
    // After one step nobody has been told anything.
    let shallow = whole(1);
    let never: Vec<_> = shallow.never().map(|row| (row.sort, row.kind.as_str())).collect();
    assert!(never.contains(&(Sort::Message, "Decided.Commit")), "{shallow}");
    assert!(shallow.to_string().contains("never"), "{shallow}");
}

#[test]
fn operations_and_replies_count_where_there_are_clients() {
    let scenario = crate::models::register::scenario::<single_copy::SingleCopy>(1, 2, ());
    let mut explorer = Explorer::new(scenario).expect("a possible scenario");
    explorer.breadth_first();
    let coverage = explorer.coverage();
    let kinds: Vec<_> = coverage.rows.iter().map(|row| (row.sort, row.kind.as_str())).collect();
    let expected =
        [(Sort::Operation, "Put"), (Sort::Operation, "Get"), (Sort::Reply, "PutOk"), (Sort::Reply, "GetOk")];
    assert_eq!(kinds, expected, "it sends nothing and arms nothing");
}

/// An explorer that is stopped when it reports for the second time.
fn impatient() -> Explorer<two_phase_commit::Manager> {
    let reports = Rc::new(Cell::new(0));
    Explorer::new(two_phase_commit::scenario(6, None)).expect("a possible scenario").progress(move |at| {
        assert!(at.states <= at.generated || at.states == 0, "{at:?}");
        reports.set(reports.get() + 1);
        if reports.get() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

#[test]
fn every_search_ends_when_asked() {
    let walks = Walks { count: 1_000_000, steps: 20, seed: 1 };
    let swarm = Swarm { members: 100, bits: 16, hashes: 3, steps: 20, seed: 1 };
    let reports = [
        impatient().breadth_first(),
        impatient().depth_first(),
        impatient().random(walks),
        impatient().swarm(swarm),
    ];
    for report in reports {
        assert_eq!(report.stopped, Some(Stopped::OnRequest), "{report}");
        assert!(!report.is_proof() && report.to_string().contains("on request"));
    }
}

#[test]
fn what_was_ended_on_disk_goes_on() {
    let folder = std::env::temp_dir().join(format!("isles-explore-ended-{}", std::process::id()));
    let disk = Disk::new(&folder);
    let stopped = impatient().breadth_first_on(&disk).expect("a folder");
    assert_eq!(stopped.stopped, Some(Stopped::OnRequest));
    let mut rest = Explorer::new(two_phase_commit::scenario(6, None)).expect("a possible scenario");
    let all = rest.resume(&disk).expect("a checkpoint");
    std::fs::remove_dir_all(&folder).expect("it is ours");
    assert!(all.is_proof() && all.states > stopped.states, "{all}");
}
