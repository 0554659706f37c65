//! A short of the campaign: `cargo xtask torture` is the long one.

use std::path::PathBuf;

use isles_node::replay::replay_store;
use isles_torture::{Report, Torture, hosts, run, say};

fn torture(name: &str, steps: u64, words: &[&str], apart: bool) -> Report {
    let folder = std::env::temp_dir().join(format!("isles-torture-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let torture = Torture {
        program: PathBuf::from(env!("CARGO_BIN_EXE_isles-torture")),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        folder: folder.clone(),
        nodes: 3,
        clients: 6,
        steps,
        seed: 5,
        apart,
    };
    let report = run(&torture).unwrap_or_else(|error| panic!("{}: {error:#}", folder.display()));
    assert!(report.judgement.answered.0 + report.judgement.answered.1 > 100, "{report:?}");
    if report.is_good() {
        // What the nodes did, killed and parted as they were, is made again in the simulator, and all that they received had been sent.
        let recordings = std::fs::read_dir(folder.join("recordings")).expect("nodes record");
        let recordings: Vec<PathBuf> = recordings.map(|entry| entry.expect("a file").path()).collect();
        let replayed = replay_store(&recordings, &mut ()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((replayed.processes, replayed.messages), (3, replayed.verified), "{replayed:?}");
        std::fs::remove_dir_all(folder).expect("the folder of the run");
    }
    report
}

#[test]
fn nodes_that_are_killed_paused_and_torn_lose_nothing_and_a_mistake_is_caught() {
    let good = torture("loopback", 5, &[], false);
    assert!(good.is_good(), "{good:?}");
    // The control: participants give locks back before anything is decided.
    let bad = torture("mistake", 2, &["--mistake", "releases-early"], false);
    assert!(!bad.judgement.is_good(), "the mistake went unnoticed: {bad:?}");
}

#[test]
fn nodes_on_hosts_of_their_own_are_parted_and_filled_up_and_lose_nothing() {
    if let Some(obstacle) = hosts::obstacle() {
        say(&format!("NOT TESTED, since there can be no hosts here: {obstacle}"));
        return;
    }
    let good = torture("hosts", 8, &[], true);
    assert!(good.is_good(), "{good:?}");
    assert!(good.packets.is_some_and(|(arrived, _)| arrived > 1000), "{good:?}");
}
