//! Searches that keep states on disk and go on after they were stopped.

use std::path::{Path, PathBuf};

use isles_explore::{Disk, DiskError, Explorer, Report, Scenario, Stopped};
use isles_kernel::Protocol;
use isles_kernel::random::draw;

use crate::models::{paxos, register, two_phase_commit};
use crate::world::explorer;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("isles-explore-{name}-{}", std::process::id())))
    }

    fn disk(&self) -> Disk {
        Disk::new(&self.0)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the search made it");
    }
}

/// What does not depend on how often a search was stopped.
fn outcome<P: Protocol>(report: &Report<P>) -> Report<P> {
    Report { locals: 0, forgotten: 0, handler_steps: 0, spilled: 0, ..report.clone() }
}

fn goes_on<P: Protocol + Sync>(name: &str, scenario: impl Fn() -> Scenario<P>, stops: &[u64]) {
    let folder = Folder::new(name);
    let at_once = explorer(scenario()).breadth_first();
    for threads in [1, 3] {
        let at = |stop: u64| explorer(scenario()).threads(threads).states(stop);
        let first = at(stops[0]).breadth_first_on(&folder.disk()).expect("a folder");
        assert_eq!(first.stopped, Some(Stopped::AtStates(stops[0])));
        assert_eq!(outcome(&first), outcome(&at(stops[0]).breadth_first()), "on disk as in memory");
        for &stop in &stops[1..] {
            let next = at(stop).resume(&folder.disk()).expect("a checkpoint");
            assert_eq!(outcome(&next), outcome(&at(stop).breadth_first()), "until {stop}");
        }
        let last = explorer(scenario()).threads(threads).resume(&folder.disk()).expect("a checkpoint");
        assert_eq!(outcome(&last), outcome(&at_once));
        // Whoever goes on with what is finished is told the same again.
        let again = explorer(scenario()).resume(&folder.disk()).expect("a checkpoint");
        assert_eq!(outcome(&again), outcome(&at_once));
    }
}

#[test]
fn a_search_that_was_stopped_goes_on_as_if_it_had_not_been() {
    goes_on("right", || two_phase_commit::scenario(6, None), &[1, 9_000, 30_000]);
    goes_on(
        "hasty",
        || two_phase_commit::scenario(6, Some(two_phase_commit::Mistake::Hasty)),
        &[3_000, 9_000],
    );
    let forgetful = paxos::Config { servers: 3, mistake: Some(paxos::Mistake::Forgetful) };
    goes_on("forgetful", || register::scenario::<paxos::Paxos>(3, 2, forgetful), &[1_000]);
    let orbits = || two_phase_commit::scenario(7, None).symmetric((1..=7).map(isles_kernel::ProcessId));
    goes_on("orbits", orbits, &[200]);
}

#[test]
fn little_memory_spills_and_changes_nothing() {
    let folder = Folder::new("spill");
    let scenario = || two_phase_commit::scenario(7, None);
    let disk = Disk { memory: 9 << 20, every: 100_000, ..folder.disk() };
    let spilled = explorer(scenario()).breadth_first_on(&disk).expect("a folder");
    assert!(spilled.spilled > 1 << 20, "{}", spilled.spilled);
    assert_eq!((spilled.states, spilled.generated), (296_448, 2_744_706));
    assert!(spilled.is_proof(), "{spilled}");
    let trace =
        |report: &Report<_>| report.answer("commit agreement").and_then(|answer| answer.trace().cloned());
    assert_eq!(trace(&spilled), trace(&explorer(scenario()).breadth_first()));
}

#[test]
fn memory_that_is_used_up_stops_a_search_which_goes_on_with_more() {
    let folder = Folder::new("memory");
    let scenario = || two_phase_commit::scenario(6, None);
    let little = Disk { memory: 1 << 20, ..folder.disk() };
    let stopped = explorer(scenario()).breadth_first_on(&little).expect("a folder");
    assert_eq!(stopped.stopped, Some(Stopped::AtMemory(1 << 20)));
    assert!(stopped.to_string().contains("memory were used up") && !stopped.is_proof());
    let other = explorer(scenario()).threads(2).breadth_first_on(&little).expect("a folder");
    assert_eq!(other, stopped);
    let report = explorer(scenario()).resume(&folder.disk()).expect("a checkpoint");
    assert_eq!(outcome(&report), outcome(&explorer(scenario()).breadth_first()));
}

fn refused(disk: &Disk, scenario: Scenario<two_phase_commit::Manager>) -> DiskError {
    Explorer::new(scenario).expect("a possible scenario").resume(disk).expect_err("refused")
}

fn change(path: &Path, place: usize, byte: u8) {
    let mut bytes = std::fs::read(path).expect("it was written");
    bytes[place] ^= byte;
    std::fs::write(path, bytes).expect("the folder is ours");
}

#[test]
fn what_is_foreign_or_torn_is_refused_with_the_reason() {
    let folder = Folder::new("torn");
    let scenario = || two_phase_commit::scenario(4, None);
    assert_eq!(refused(&folder.disk(), scenario()), DiskError::Nothing(folder.0.clone()));
    let run = || explorer(scenario()).states(500).breadth_first_on(&folder.disk()).expect("a folder");
    run();
    assert_eq!(refused(&folder.disk(), two_phase_commit::scenario(5, None)), DiskError::Foreign);
    let asked = scenario().ask(isles_explore::Property::never("another", |_| false));
    assert_eq!(refused(&folder.disk(), asked), DiskError::Foreign);
    change(&folder.file("checkpoint"), 40, 1);
    assert!(matches!(refused(&folder.disk(), scenario()), DiskError::Damaged(_)));
    run();
    let origins = std::fs::read(folder.file("origins")).expect("it was written");
    std::fs::write(folder.file("origins"), &origins[..origins.len() - 9]).expect("the folder is ours");
    let error = refused(&folder.disk(), scenario());
    assert!(error.to_string().contains("too short"), "{error}");
}

/// Whatever is wrong in the file of origins, it is told, and nothing panics.
#[test]
fn hostile_origins_are_refused() {
    let folder = Folder::new("hostile");
    let scenario = || two_phase_commit::scenario(3, None);
    explorer(scenario()).states(200).breadth_first_on(&folder.disk()).expect("a folder");
    let path = folder.file("origins");
    let whole = std::fs::read(&path).expect("it was written");
    for attempt in 0..400u64 {
        let mut bytes = whole.clone();
        for change in 0..1 + attempt % 3 {
            let at = draw(attempt, &[change]);
            let place = (at % bytes.len() as u64) as usize;
            bytes[place] ^= (at >> 32) as u8 | 1;
        }
        std::fs::write(&path, bytes).expect("the folder is ours");
        assert!(matches!(refused(&folder.disk(), scenario()), DiskError::Damaged(_)), "{attempt}");
    }
}
